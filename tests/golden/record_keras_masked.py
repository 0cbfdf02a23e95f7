"""Record models with masks as Keras 3 saves them, and what they predict.

    KERAS_BACKEND=jax python tests/golden/record_keras_masked.py

Keras writes the computation of a mask into the file, as nodes such as NotEqual; gradlab does not,
but has to read them. The files travel in one archive.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ARCHIVE = Path(__file__).with_name("keras_masked.zip")
FACTS = Path(__file__).with_name("keras_masked.json")
STEPS = 5


def words(keras: Any) -> tuple[Any, Any, Any]:
    """Return an Input of words, and two embeddings of them that say which ones count."""
    x = keras.Input((STEPS,), dtype="int32")
    one, two = (keras.layers.Embedding(9, 3, mask_zero=True) for _ in range(2))
    return x, one(x), two(x)


def lstm(keras: Any) -> Any:
    """Return a model whose LSTM skips steps of its input."""
    L = keras.layers
    x, e, _ = words(keras)
    return keras.Model(x, L.Dense(1)(L.LSTM(2)(L.Dropout(0.1)(e))))


def masking(keras: Any) -> Any:
    """Return a model with a Masking layer and a network in both directions."""
    L = keras.layers
    x = keras.Input((STEPS, 2))
    both = L.Bidirectional(L.GRU(2, return_sequences=True))(L.Masking()(x))
    steps = L.SimpleRNN(2, return_sequences=True)(both)
    return keras.Model(x, L.TimeDistributed(L.Dense(1))(steps))


def merged(keras: Any) -> Any:
    """Return a model in which two masks become one."""
    L = keras.layers
    x, one, two = words(keras)
    return keras.Model(x, L.GRU(2)(L.Concatenate()([one, L.Add()([one, two])])))


def half_merged(keras: Any) -> Any:
    """Return a model in which a mask meets an array in which every step counts."""
    L = keras.layers
    x, one, _ = words(keras)
    return keras.Model(x, L.LSTM(2)(L.Concatenate()([one, L.Embedding(9, 3)(x)])))


def attention(keras: Any) -> Any:
    """Return a model that looks at the words that count."""
    L = keras.layers
    x, one, two = words(keras)
    seen = L.MultiHeadAttention(2, 2)(L.Attention()([one, two]), two)
    return keras.Model(x, L.LSTM(2)(seen))


def operators(keras: Any) -> Any:
    """Return a model with a mask of one's own, and an operator, after which there is none."""
    x, one, two = words(keras)
    mask = keras.ops.not_equal(x, 3)
    first, second = keras.layers.LSTM(2), keras.layers.LSTM(2)
    return keras.Model(x, keras.layers.Add()([first(one, mask=mask), second(one + two)]))


FORMS: dict[str, Callable[[Any], Any]] = {
    form.__name__: form for form in (lstm, masking, merged, half_merged, attention, operators)
}


def data(form: str) -> np.ndarray:
    """Return a batch with steps that do not count at the end, and one without any that does."""
    rng = np.random.default_rng(5)
    lengths = np.array([[STEPS], [3], [1], [0]])
    counts = np.arange(STEPS) < lengths
    if form == "masking":
        values = rng.standard_normal((4, STEPS, 2)).astype(np.float32)
        return values * counts[..., np.newaxis]
    return (rng.integers(1, 9, (4, STEPS)) * counts).astype(np.int32)


def main() -> None:
    """Write the archive and the facts about what is in it."""
    import keras

    facts = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, form in FORMS.items():
            keras.utils.clear_session()
            model = form(keras)
            rng = np.random.default_rng(3)
            model.set_weights([rng.normal(0.0, 0.5, w.shape) for w in model.get_weights()])
            model.save(Path(folder, f"{name}.keras"))
            found = model.predict(data(name), verbose=0)
            facts[name] = np.ravel(found).tolist()
        with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), 8, 9)
    versions = {"keras": keras.__version__, "backend": keras.backend.backend()}
    FACTS.write_text(json.dumps({"versions": versions, "predictions": facts}, indent=1) + "\n")


if __name__ == "__main__":
    main()

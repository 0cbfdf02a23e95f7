"""Record what the layers with a vocabulary answer in real Keras, which asks TensorFlow for words.

    cd tests && KERAS_BACKEND=tensorflow python -m golden.record_keras_lookups

writes keras_lookups.json beside this file: the vocabulary, and what becomes of data. The tests
import the cases from here; neither Keras nor TensorFlow is needed to run them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FILE = Path(__file__).with_name("keras_lookups.json")


class Case(NamedTuple):
    """A layer with a vocabulary, the data it is adapted to (or None), and what it is called on."""

    kind: str
    settings: dict[str, Any]
    data: Any
    given: Any


ABC = ["a", "b", "c"]
ROWS = [["a", "c"], ["d", "b"], ["b", "b"]]
LETTERS = [["b"], ["a"], ["b"], ["c"], ["c"], ["d"]]
NAMES = [12, 1138, 42, 42, 7, 7, 7]
NUMBERS = [[12, 42], [3, 7], [7, 7]]
POSTAL = [12, 36, 1138]
TEXTS = ["The cat sat.", "The  dog sat, the dog!", "A cat's tail", "Don't [stop] now; it's_late"]
SENTENCES = ["the cat sat down", "A dog's dog", ""]

STRINGS = {
    "words": Case("StringLookup", {"vocabulary": ABC}, None, ROWS),
    "words masked": Case(
        "StringLookup", {"vocabulary": ABC, "mask_token": ""}, None, [*ROWS, ["", "a"]]
    ),
    "words with specials": Case(
        "StringLookup", {"vocabulary": ["", "[UNK]", *ABC], "mask_token": ""}, None, ROWS
    ),
    "words of another unknown": Case(
        "StringLookup", {"vocabulary": ABC, "oov_token": "?"}, None, ROWS
    ),
    "words known": Case(
        "StringLookup", {"vocabulary": [*ABC, "d"], "num_oov_indices": 0}, None, ROWS
    ),
    "words found": Case("StringLookup", {}, LETTERS, ROWS),
    "words found, some": Case("StringLookup", {"max_tokens": 3}, LETTERS, ROWS),
    "words back": Case(
        "StringLookup", {"vocabulary": ABC, "invert": True}, None, [[1, 3], [0, 2], [3, 9]]
    ),
    "words back masked": Case(
        "StringLookup",
        {"vocabulary": ABC, "invert": True, "mask_token": ""},
        None,
        [[0, 1], [2, 4]],
    ),
    "words one hot": Case(
        "StringLookup", {"vocabulary": ABC, "output_mode": "one_hot"}, None, ["a", "d", "c"]
    ),
    "words multi hot": Case(
        "StringLookup", {"vocabulary": ABC, "output_mode": "multi_hot"}, None, ROWS
    ),
    "words counted": Case("StringLookup", {"vocabulary": ABC, "output_mode": "count"}, None, ROWS),
    "words counted, filled up": Case(
        "StringLookup",
        {"vocabulary": ABC, "output_mode": "count", "max_tokens": 6, "pad_to_max_tokens": True},
        None,
        ROWS,
    ),
    "words weighed": Case(
        "StringLookup",
        {"vocabulary": ABC, "output_mode": "tf_idf", "idf_weights": [0.5, 1.0, 2.0]},
        None,
        ROWS,
    ),
    "words weighed, found": Case("StringLookup", {"output_mode": "tf_idf"}, ROWS, ROWS),
}
INTEGERS = {
    "numbers": Case("IntegerLookup", {"vocabulary": POSTAL}, None, [[12, 1138], [42, 36]]),
    "numbers masked": Case(
        "IntegerLookup", {"vocabulary": POSTAL, "mask_token": 0}, None, [[12, 0], [42, 36]]
    ),
    "numbers, two unknown": Case(
        "IntegerLookup",
        {"vocabulary": POSTAL, "num_oov_indices": 2},
        None,
        [[12, 1138], [37, 42]],
    ),
    "numbers found": Case("IntegerLookup", {}, NAMES, NUMBERS),
    "numbers found, some": Case("IntegerLookup", {"max_tokens": 3}, NAMES, NUMBERS),
    "numbers back": Case(
        "IntegerLookup", {"vocabulary": POSTAL, "invert": True}, None, [[1, 3], [0, 2]]
    ),
    "numbers one hot": Case(
        "IntegerLookup", {"vocabulary": POSTAL, "output_mode": "one_hot"}, None, [36, 5, 12]
    ),
    "numbers multi hot": Case(
        "IntegerLookup",
        {"vocabulary": POSTAL, "output_mode": "multi_hot"},
        None,
        [[12, 1138], [42, 36]],
    ),
    "numbers counted": Case(
        "IntegerLookup",
        {"vocabulary": POSTAL, "output_mode": "count"},
        None,
        [[12, 12], [42, 36]],
    ),
}
WORDS = {
    "text": Case("TextVectorization", {}, TEXTS, SENTENCES),
    "text, some words": Case("TextVectorization", {"max_tokens": 5}, TEXTS, SENTENCES),
    "text cut": Case("TextVectorization", {"output_sequence_length": 3}, TEXTS, SENTENCES),
    "text filled up": Case("TextVectorization", {"output_sequence_length": 7}, TEXTS, SENTENCES),
    "text lower": Case("TextVectorization", {"standardize": "lower"}, TEXTS, SENTENCES),
    "text without marks": Case(
        "TextVectorization", {"standardize": "strip_punctuation"}, TEXTS, SENTENCES
    ),
    "text as it is": Case("TextVectorization", {"standardize": None}, TEXTS, SENTENCES),
    "text whole": Case("TextVectorization", {"split": None}, TEXTS, [[TEXTS[0]], ["no"]]),
    "text letters": Case("TextVectorization", {"split": "character"}, TEXTS, SENTENCES),
    "text pairs": Case("TextVectorization", {"ngrams": 2}, TEXTS, SENTENCES),
    "text threes": Case("TextVectorization", {"ngrams": (1, 3)}, TEXTS, SENTENCES),
    "text multi hot": Case("TextVectorization", {"output_mode": "multi_hot"}, TEXTS, SENTENCES),
    "text counted": Case("TextVectorization", {"output_mode": "count"}, TEXTS, SENTENCES),
    "text weighed": Case("TextVectorization", {"output_mode": "tf_idf"}, TEXTS, SENTENCES),
    "text given": Case("TextVectorization", {"vocabulary": ["cat", "dog"]}, None, SENTENCES),
    "text filled rows": Case(
        "TextVectorization",
        {"output_mode": "count", "max_tokens": 20, "pad_to_max_tokens": True},
        TEXTS,
        SENTENCES,
    ),
}
BINS = {
    "bins found": Case(
        "Discretization", {"num_bins": 3}, [[1.0], [2.0], [3.0], [4.0], [5.0], [9.0]], [[0.0, 9.0]]
    ),
    "bins multi hot": Case(
        "Discretization",
        {"bin_boundaries": [0.0, 1.0, 2.0], "output_mode": "multi_hot"},
        None,
        [[-1.0, 1.0], [1.5, 7.0]],
    ),
}
CASES = {**STRINGS, **INTEGERS, **WORDS, **BINS}


def answer(keras: Any, name: str) -> dict[str, Any]:
    """Return what a layer of either library makes of the data, and its vocabulary."""
    kind, settings, data, given = CASES[name]
    layer = getattr(keras.layers, kind)(**settings)
    if data is not None:
        layer.adapt(np.array(data))
    y = np.asarray(layer(np.array(given)))
    words = layer.bin_boundaries if kind == "Discretization" else layer.get_vocabulary()
    return {"y": plain(y.tolist()), "vocabulary": plain(list(words))}


def plain(part: Any) -> Any:
    """Return nested lists of text and numbers as JSON has them."""
    if isinstance(part, list):
        return [plain(each) for each in part]
    if isinstance(part, bytes):
        return part.decode()
    return part if isinstance(part, str) else round(float(part), 6)


def main() -> None:
    """Write the file."""
    import keras
    import tensorflow

    versions = {"keras": keras.__version__, "tensorflow": tensorflow.__version__}
    found = {"versions": versions, "answers": {name: answer(keras, name) for name in CASES}}
    FILE.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()

"""Functions of arrays, Tensors and symbolic tensors under the names that Keras gives them.

Nothing is defined here: they are the rows of gradlab's table, so each has its derivative.

>>> from gradlab import keras
>>> keras.ops.maximum(keras.Input(shape=[3]), 0.0).shape, float(keras.ops.sqrt(2.25))
((None, 3), 1.5)
"""

from __future__ import annotations

from typing import Any

from gradlab.entry import REGISTRY
from gradlab.keras import activations, objects
from gradlab.ops.linear import einsum
from gradlab.ops.shaping import astype, split

NOT_IN_KERAS = frozenset({
    *("positive", "astype", "getitem", "scatter_add", "product_of_the_others", "dense"),
    *("simple_rnn", "simple_rnn_back", "lstm", "lstm_back", "gru", "gru_back"),
    *("conv_to_image", "conv_to_kernel", "put_back", "pick"),
    *("step", "linear", "prelu", "gelu_tanh", "mish", "exponential"),
})  # fmt: skip


def _table() -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name, entry in REGISTRY.items():
        if entry.__module__.startswith("gradlab.ops.") and entry.chapter != "losses":
            table |= {known: entry for known in (name, *entry.keras) if known not in NOT_IN_KERAS}
    return table | {"cast": astype, "einsum": einsum, "split": split, "gelu": activations.gelu}


TABLE = _table()
__getattr__ = objects.names_in(__name__, TABLE)


def __dir__() -> list[str]:
    return sorted(TABLE)

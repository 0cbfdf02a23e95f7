"""Whole numbers as vectors that are learnt, and steps that do not count.

Source: Bengio and others (2003), word embeddings.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.keras import constraints, initializers, masks, regularizers
from gradlab.keras.layers.base import Layer, is_trial
from gradlab.keras.layers.encoding import categories
from gradlab.ops.arithmetic import where
from gradlab.ops.shaping import index
from gradlab.tape import compute


class Embedding(Layer):
    """A row of numbers for each word (or any other of a finite set of things), and they are learnt.

    Word 3 becomes row 3 of a matrix. It is what a one-hot vector times a weight matrix gives,
    without the product.

    Args:
        input_dim: how many words there are; the inputs are whole numbers below.
        output_dim: how many numbers each word becomes.
        embeddings_initializer: where the matrix comes from.
        embeddings_regularizer: a penalty.
        embeddings_constraint: what it is forced back to after each step.
        mask_zero: 0 is no word: it fills up short sequences, and layers that follow skip it.
        weights: a matrix to begin with.
        input_length: of Keras 2; it changes nothing.

    Raises:
        ValueError: a number that is no row of the matrix.

    >>> layer = Embedding(1000, 2, embeddings_initializer="ones", mask_zero=True)
    >>> layer(np.array([[7, 12, 0]])).shape
    (1, 3, 2)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        input_length: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        for name, value in (("input_dim", input_dim), ("output_dim", output_dim)):
            if not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(
                    f"Embedding: {name}={value!r}\nexpected a whole number, at least 1\n"
                    "write Embedding(1000, 64) for 1000 words and vectors of 64 numbers"
                )
        self.input_dim, self.output_dim = int(input_dim), int(output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.embeddings: Any = None
        if weights is not None:
            self.build((None,))
            self.set_weights([np.asarray(weights).reshape(self.input_dim, self.output_dim)])

    def build(self, input_shape: Any) -> None:
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
        )

    def _to_floats(self, x: Any) -> Any:
        return x if np.asarray(getattr(x, "data", x)).dtype.kind in "iu" else super()._to_floats(x)

    def call(self, inputs: Any) -> Any:
        mend = f"Embedding(input_dim=...) with more than {self.input_dim} rows, or other numbers"
        settings = (self.input_dim, self.name, mend, is_trial())
        rows = compute(categories, inputs, *settings, effect=True)
        y = index(self.embeddings, (rows,))
        return masks.put(y, self.compute_mask(inputs)) if self.mask_zero else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return which of the inputs are words; None without ``mask_zero``."""
        return compute(np.not_equal, inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "input_dim": self.input_dim}
        config |= {"output_dim": self.output_dim, "mask_zero": self.mask_zero}
        for module in (initializers, regularizers, constraints):
            name = f"embeddings_{module.__name__.rpartition('.')[2][:-1]}"
            config[name] = module.serialize(getattr(self, name))
        return config


class Masking(Layer):
    """Says which steps of a sequence do not count: those at which all features have one value.

    Recurrent layers that follow skip them, and the loss leaves them out.

    Args:
        mask_value: of the steps that fill up short sequences.

    >>> layer = Masking(-1.0)
    >>> layer(np.array([[[1.0, 2.0], [-1.0, -1.0]]]))
    array([[[1., 2.],
            [0., 0.]]], dtype=float32)
    """

    def __init__(self, mask_value: float = 0.0, **more: Any) -> None:
        super().__init__(**more)
        self.mask_value = mask_value

    def call(self, inputs: Any) -> Any:
        mask = self.compute_mask(inputs)
        return masks.put(where(compute(_column, mask), inputs, 0.0), mask)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask: (batch, steps), False for the steps that do not count."""
        return compute(_counts, inputs, self.mask_value)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}


def _counts(x: np.ndarray, value: float) -> np.ndarray:
    return (np.asarray(x) != value).any(axis=-1)


def _column(mask: np.ndarray) -> np.ndarray:
    return mask[..., np.newaxis]

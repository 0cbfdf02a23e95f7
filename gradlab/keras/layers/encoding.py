"""Categories as numbers that a network can use: one-hot, multi-hot, counts, and bins for numbers.

A number that stands for a category is no quantity: class 4 is not twice class 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.keras.layers.base import Layer, is_trial
from gradlab.keras.layers.shapes import unequal
from gradlab.tape import compute

MODES = ("int", "one_hot", "multi_hot", "count")


def checked_mode(kind: str, mode: Any, allowed: tuple[str, ...] = MODES) -> str:
    """Return an output mode.

    Raises:
        ValueError: one that the layer does not have.
    """
    mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(mode, mode)
    if mode not in allowed:
        raise ValueError(
            f"{kind}: output_mode={mode!r}\nexpected one of {', '.join(map(repr, allowed))}\n"
            "write output_mode='one_hot'"
        )
    return mode


def encoded(numbers: np.ndarray, depth: int, mode: str, dtype: Any, weights: Any = None) -> Any:
    """Return category numbers as "int", "one_hot", "multi_hot" or "count".

    Numbers that are no category (-1, for example) have no place in the result.

    Args:
        numbers: whole numbers; with "multi_hot" and "count", the last axis is one sample.
        depth: how many categories there are.
        weights: what each number counts, 1 by default.

    >>> encoded(np.array([[0, 2, 2]]), 4, "count", "float32")
    array([[1., 0., 2., 0.]], dtype=float32)
    """
    if mode == "int":
        return numbers.astype(np.int64)
    numbers = np.atleast_1d(numbers)
    if mode == "one_hot" and numbers.ndim > 1 and numbers.shape[-1] == 1:
        numbers = numbers[..., 0]
    hot = (numbers[..., np.newaxis] == np.arange(depth)).astype(dtype)
    if mode == "one_hot":
        return hot
    if mode == "multi_hot":
        return hot.max(axis=-2, initial=0.0).astype(dtype)
    return (hot if weights is None else hot * np.asarray(weights, dtype)[..., np.newaxis]).sum(-2)


def encoded_shape(shape: Any, depth: Any, mode: str) -> Any:
    """Return the shape of what `encoded` returns."""
    if mode == "int":
        return shape
    if mode != "one_hot":
        return (*shape[:-1], depth)
    return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)


class CategoryEncoding(Layer):
    """Category numbers as rows of zeros and ones.

    Args:
        num_tokens: how many categories there are; the inputs are whole numbers below.
        output_mode: "one_hot" for a row for each number; "multi_hot" for one row for all numbers of
            a sample, with a 1 for each category that it has; "count" for how often it has it.

    Call arguments:
        inputs: (batch, numbers).
        count_weights: with "count", what each number counts.

    Raises:
        ValueError: a number that is no category.

    >>> CategoryEncoding(4, output_mode="one_hot")(np.array([3, 0]))
    array([[0., 0., 0., 1.],
           [1., 0., 0., 0.]], dtype=float32)
    >>> CategoryEncoding(4)(np.array([[3, 0, 0]]))
    array([[1., 0., 0., 1.]], dtype=float32)
    """

    def __init__(self, num_tokens: int, output_mode: str = "multi_hot", **more: Any) -> None:
        super().__init__(**more)
        if not isinstance(num_tokens, int | np.integer) or num_tokens < 1:
            raise ValueError(
                f"CategoryEncoding: num_tokens={num_tokens!r}\n"
                "expected how many categories there are, at least 1\n"
                "write CategoryEncoding(num_tokens=y.max() + 1)"
            )
        self.num_tokens = int(num_tokens)
        self.output_mode = checked_mode("CategoryEncoding", output_mode, MODES[1:])

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"{self.name}: count_weights with output_mode={self.output_mode!r}\n"
                "expected them with counts only\nwrite output_mode='count'"
            )
        mend = "IntegerLookup() before it, for numbers that are names"
        known = (self.num_tokens, self.name, mend, is_trial())
        numbers = compute(categories, inputs, *known, effect=True)
        settings = (self.num_tokens, self.output_mode, self.dtype)
        return compute(encoded, numbers, *settings, count_weights)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self.num_tokens, self.output_mode)

    def get_config(self) -> dict[str, Any]:
        settings = {"num_tokens": self.num_tokens, "output_mode": self.output_mode}
        return {**super().get_config(), **settings}


def categories(x: Any, count: int, name: str, mend: str, trial: bool) -> np.ndarray:
    """Return whole numbers from 0 to ``count - 1``; in a trial without real data, any numbers.

    Raises:
        ValueError: there is another one among them, or rows differ in length.
    """
    try:
        x = np.asarray(x)
    except ValueError as error:
        raise unequal(name) from error
    wrong = ~((x >= 0) & (x < count) & (x == np.floor(x)))
    if wrong.any() and not trial:
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"{name}: {x[at]:g} at {list(at)}, which is none of {count} categories\n"
            f"expected whole numbers from 0 to {count - 1}\nwrite {mend}"
        )
    return np.zeros(x.shape, np.intp) if trial else x.astype(np.intp)


class Discretization(Layer):
    """Numbers as the number of the bin that they fall into.

    Args:
        bin_boundaries: between the bins, from the smallest: ``[0, 1]`` makes three of them.
        num_bins: how many bins; `adapt` then finds boundaries with as many numbers between them.
        epsilon: how coarse the data is looked at meanwhile; 0.01 keeps about 100 numbers.
        output_mode: "int", "one_hot", "multi_hot" or "count"; see `CategoryEncoding`.

    Raises:
        RuntimeError: used before `adapt`.

    >>> Discretization([0.0, 1.0])(np.array([[-1.5, 1.0, 3.4, 0.5]]))
    array([[0, 2, 2, 1]])
    """

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        **more: Any,
    ) -> None:
        super().__init__(**more)
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(
                f"Discretization: bin_boundaries={bin_boundaries}, num_bins={num_bins}\n"
                "expected one of both\nwrite Discretization(num_bins=4), then adapt(data)"
            )
        self.num_bins, self.epsilon = num_bins, float(epsilon)
        self.bin_boundaries = None if bin_boundaries is None else [float(b) for b in bin_boundaries]
        self.output_mode = checked_mode("Discretization", output_mode)

    def adapt(self, data: Any) -> None:
        """Find the boundaries: as many numbers of the data between each two of them.

        Args:
            data: an array, or batches of them.
        """
        if self.num_bins is None:
            raise RuntimeError(
                f"{self.name}: adapt after the boundaries were given\nexpected one of the two\n"
                "write Discretization(num_bins=4)"
            )
        single = hasattr(data, "__array__") or isinstance(data, list | tuple)
        known = np.zeros((2, 0), np.float32)
        for batch in [data] if single else data:
            both = np.concatenate([_looked_at(batch, self.epsilon), known], axis=1)
            known = _fewer(both[:, np.argsort(both[0])], self.epsilon)
        self.bin_boundaries = _fewer(known, 1.0 / self.num_bins)[0, :-1].tolist()

    def call(self, inputs: Any) -> Any:
        if self.bin_boundaries is None and not is_trial():
            raise RuntimeError(
                f"{self.name}: used before it knows the boundaries of its bins\n"
                "expected adapt() on the training data first\nwrite layer.adapt(X_train)"
            )
        depth = len(self.bin_boundaries or []) + 1
        numbers = compute(np.digitize, inputs, self.bin_boundaries or [])
        return compute(encoded, numbers, depth, self.output_mode, self.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        known = self.bin_boundaries
        depth = self.num_bins if known is None else len(known) + 1
        return encoded_shape(input_shape, depth, self.output_mode)

    def get_config(self) -> dict[str, Any]:
        names = ("bin_boundaries", "num_bins", "epsilon", "output_mode")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        if config.get("num_bins") is None or config.get("bin_boundaries") is None:
            return cls(**config)
        layer = cls(**{**config, "bin_boundaries": None})  # one that was adapted
        layer.bin_boundaries = [float(b) for b in config["bin_boundaries"]]
        return layer


def _looked_at(data: Any, epsilon: float) -> np.ndarray:
    """Return about 1 / epsilon of the sorted numbers, and how many each of them stands for."""
    values = np.sort(np.asarray(data, np.float32), axis=None)
    step = max(values.size * epsilon, 1)
    found = values[int(step - 1) :: int(step)]
    return np.stack([found, np.full_like(found, step)])


def _fewer(known: np.ndarray, epsilon: float) -> np.ndarray:
    """Return 1 / epsilon numbers in the place of many, at equal distances in how many came before.

    As Keras has it, down to the rounding, so that boundaries are the same.
    """
    if known.shape[1] * epsilon < 1:
        return known
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    counts = known[1].cumsum()
    found = np.interp(shares, counts / counts[-1], known[0])
    counts = np.interp(shares, counts / counts[-1], counts)
    return np.stack([found, np.diff(counts, prepend=0.0)]).astype(np.float32)

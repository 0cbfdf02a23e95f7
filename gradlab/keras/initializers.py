"""Initializers: the first numbers of a layer's weights, drawn so that signals keep their size.

All weights equal would stay equal, since equal units get equal gradients. With too large or too
small a variance, signals and gradients grow or vanish from layer to layer.

Source: deck 001, 10.2.1 (at random, to break symmetry; biases 0); Glorot and Bengio (2010).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import config, random
from gradlab.keras.names import by_name, find, resolve
from gradlab.keras.objects import Described, names_in
from gradlab.keras.objects import serialize as serialize

# The standard deviation of a standard normal after all beyond -2 and 2 is cut off.
TRUNCATED_STDDEV = 0.87962566103423978


@dataclasses.dataclass(eq=False)
class Initializer(Described):
    """Base of all initializers, and of your own: override ``__call__``."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Return an array of this shape, of the layers' float type unless another is given."""
        raise NotImplementedError(
            f"{type(self).__name__} has no __call__ method\n"
            "expected one that returns the first numbers of a weight\n"
            "write def __call__(self, shape, dtype=None): return np.zeros(shape, dtype)"
        )


# ------------------------------------------------------------------------------ without any chance


@dataclasses.dataclass(eq=False)
class Constant(Initializer):
    """The same number everywhere.

    >>> Constant(0.5)((2, 2))
    array([[0.5, 0.5],
           [0.5, 0.5]], dtype=float32)
    """

    value: float = 0.0

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        return np.full(shape, self.value, dtype or config.floatx())


@dataclasses.dataclass(eq=False)
class Zeros(Initializer):
    """0 everywhere: for biases. In a kernel it would make all units of a layer alike for good."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        return np.zeros(shape, dtype or config.floatx())


@dataclasses.dataclass(eq=False)
class Ones(Initializer):
    """1 everywhere: for factors that begin by changing nothing."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        return np.ones(shape, dtype or config.floatx())


@dataclasses.dataclass(eq=False)
class Identity(Initializer):
    """``gain`` on the diagonal, 0 elsewhere: the layer begins by handing its input on.

    Raises:
        ShapeError: not a matrix.

    >>> Identity(gain=2.0)((2, 3))
    array([[2., 0., 0.],
           [0., 2., 0.]], dtype=float32)
    """

    gain: float = 1.0

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        if len(shape) != 2:
            raise ShapeError(
                f"Identity: shape {tuple(shape)}\n"
                "expected a matrix, such as the kernel of a Dense layer\n"
                'write "orthogonal" for kernels with more axes'
            )
        return np.eye(*shape, dtype=dtype or config.floatx()) * self.gain


# -------------------------------------------------------------------------------- drawn at random


class RandomInitializer(Initializer):
    """Base of those that draw: ``draw(rng, shape)`` returns the numbers.

    With a ``seed``, every call draws the same numbers; without, each call draws further ones from
    the generator that ``keras.utils.set_random_seed`` starts.
    """

    seed: int | None = None

    def __post_init__(self) -> None:
        seed = self.seed
        if seed is not None and not (isinstance(seed, int | np.integer) and seed >= 0):
            raise ValueError(
                f"{type(self).__name__}: given seed={seed!r}\n"
                "expected a whole number from 0 on, or None\nwrite seed=42"
            )

    def draw(self, rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
        """Return an array of this shape; each initializer says how."""
        raise NotImplementedError(
            f"{type(self).__name__} has no draw method\n"
            "expected one that returns random numbers\n"
            "write def draw(self, rng, shape): return rng.normal(size=shape)"
        )

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        rng = random.own_generator(self.seed) or random.generator()
        return self.draw(rng, tuple(shape)).astype(dtype or config.floatx())


def within_two(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """Draw standard normal numbers, and again those that fall below -2 or above 2."""
    z = rng.standard_normal(shape)
    while (outside := abs(z) > 2.0).any():
        z[outside] = rng.standard_normal(np.count_nonzero(outside))
    return z


@dataclasses.dataclass(eq=False)
class RandomNormal(RandomInitializer):
    """Normally distributed numbers.

    Args:
        mean: of the distribution.
        stddev: its standard deviation.
        seed: for the same numbers at every call.

    >>> RandomNormal(stddev=0.1, seed=42)((2,))
    array([ 0.03047171, -0.10399841], dtype=float32)
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def draw(self, rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
        return rng.normal(self.mean, self.stddev, shape)


@dataclasses.dataclass(eq=False)
class TruncatedNormal(RandomInitializer):
    """Normally distributed numbers, none further than two standard deviations from the mean.

    A far number would saturate the unit it leads to. The cut lowers the standard deviation of what
    is drawn to 0.88 times ``stddev``.
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def draw(self, rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
        return self.mean + self.stddev * within_two(rng, shape)


@dataclasses.dataclass(eq=False)
class RandomUniform(RandomInitializer):
    """Numbers that lie anywhere between ``minval`` and ``maxval`` with the same probability."""

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def draw(self, rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
        return rng.uniform(self.minval, self.maxval, shape)


@dataclasses.dataclass(eq=False)
class Orthogonal(RandomInitializer):
    """``gain`` times a random matrix whose columns (or rows, if they are fewer) are orthonormal.

    Such a matrix keeps lengths, so neither signals nor gradients grow or vanish in linear layers.
    A kernel with more axes is a matrix with its last axis as columns.

    Raises:
        ShapeError: fewer than two axes.

    Source: Saxe, McClelland and Ganguli (2014).

    >>> W = Orthogonal(seed=42)((3, 2))
    >>> np.allclose(W.T @ W, [[1, 0], [0, 1]], atol=1e-6)
    True
    """

    gain: float = 1.0
    seed: int | None = None

    def draw(self, rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
        if len(shape) < 2:
            raise ShapeError(
                f"Orthogonal: shape {tuple(shape)}\n"
                'expected at least two axes, as a kernel has\nwrite "zeros" for a bias'
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q *= np.sign(np.diagonal(r))  # otherwise some orthogonal matrices are drawn more often
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


# --------------------------------------------------------------- the variance fits the layer's size


def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Return how many inputs each output of a kernel sums up, and how many outputs an input feeds.

    Args:
        shape: ``(inputs, outputs)`` of a Dense kernel, ``(height, width, channels in, channels
            out)`` of a convolution's.
        input_axes: the axes of the inputs, if they are others; only together with
        output_axes: the axes of the outputs.

    >>> compute_fans((784, 300)), compute_fans((3, 3, 16, 32))
    ((784, 300), (144, 288))
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def unit_cut(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """Draw normal numbers without the far ones, stretched to variance 1."""
    return within_two(rng, shape) / TRUNCATED_STDDEV


def unit_normal(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """Draw normal numbers of variance 1."""
    return rng.standard_normal(shape)


def unit_uniform(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """Draw evenly spread numbers of variance 1."""
    return rng.uniform(-math.sqrt(3.0), math.sqrt(3.0), shape)


MODES = ("fan_in", "fan_out", "fan_avg")
DRAWS = {
    "truncated_normal": unit_cut,
    "untruncated_normal": unit_normal,
    "uniform": unit_uniform,
}


@dataclasses.dataclass(eq=False)
class VarianceScaling(RandomInitializer):
    """Numbers with mean 0 and variance ``scale / n``.

    The variance of a sum of n products is n times that of one. With ``n = fan_in`` a layer hands on
    signals of the size they came in, with ``fan_out`` gradients; ``fan_avg`` is the compromise.

    Args:
        scale: 1 for units that are linear near 0, 2 for ReLU, which lets half of them through.
        mode: what n is: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal" (also "normal"), "untruncated_normal", or "uniform" between
            plus and minus ``sqrt(3 * scale / n)``.
        seed: for the same numbers at every call.
        input_axes: see `compute_fans`.
        output_axes: see `compute_fans`.

    Raises:
        ValueError: scale not above 0, or an unknown mode or distribution.

    Source: Glorot and Bengio (2010); He et al. (2015).
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    seed: int | None = None
    input_axes: Sequence[int] | None = None
    output_axes: Sequence[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.scale > 0.0:
            raise ValueError(
                f"{type(self).__name__}: given scale={self.scale!r}\n"
                "expected a number above 0\nwrite scale=2.0 before ReLU, 1.0 otherwise"
            )
        if self.distribution == "normal":
            self.distribution = "truncated_normal"
        find("distribution", DRAWS, self.distribution)
        find("mode", dict.fromkeys(MODES), self.mode)

    def draw(self, rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out}.get(self.mode, (fan_in + fan_out) / 2.0)
        stddev = math.sqrt(self.scale / max(n, 1.0))
        return stddev * DRAWS[self.distribution](rng, shape)


def fixed(value: Any) -> Any:
    """Return a field that a named case of `VarianceScaling` gives its value for good."""
    return dataclasses.field(init=False, default=value)


@dataclasses.dataclass(eq=False)
class GlorotUniform(VarianceScaling):
    """Between plus and minus ``sqrt(6 / (fan_in + fan_out))``: the default of layers.

    Source: Glorot and Bengio (2010), for tanh and other units that are linear near 0.

    >>> abs(GlorotUniform(seed=42)((100, 50))).max() <= np.sqrt(6 / 150)
    np.True_
    """

    scale: float = fixed(1.0)
    mode: str = fixed("fan_avg")
    distribution: str = fixed("uniform")


@dataclasses.dataclass(eq=False)
class GlorotNormal(VarianceScaling):
    """Normal with variance ``2 / (fan_in + fan_out)``, truncated; Glorot and Bengio (2010)."""

    scale: float = fixed(1.0)
    mode: str = fixed("fan_avg")
    distribution: str = fixed("truncated_normal")


@dataclasses.dataclass(eq=False)
class HeUniform(VarianceScaling):
    """Between plus and minus ``sqrt(6 / fan_in)``, for ReLU; He et al. (2015)."""

    scale: float = fixed(2.0)
    mode: str = fixed("fan_in")
    distribution: str = fixed("uniform")


@dataclasses.dataclass(eq=False)
class HeNormal(VarianceScaling):
    """Normal with variance ``2 / fan_in``, truncated, for ReLU; He et al. (2015).

    ReLU sets half of its inputs to 0, which halves the mean square; the 2 makes up for that.
    """

    scale: float = fixed(2.0)
    mode: str = fixed("fan_in")
    distribution: str = fixed("truncated_normal")


@dataclasses.dataclass(eq=False)
class LecunUniform(VarianceScaling):
    """Between plus and minus ``sqrt(3 / fan_in)``; LeCun et al. (1998)."""

    scale: float = fixed(1.0)
    mode: str = fixed("fan_in")
    distribution: str = fixed("uniform")


@dataclasses.dataclass(eq=False)
class LecunNormal(VarianceScaling):
    """Normal with variance ``1 / fan_in``, truncated: goes with selu; Klambauer et al. (2017)."""

    scale: float = fixed(1.0)
    mode: str = fixed("fan_in")
    distribution: str = fixed("truncated_normal")


# --------------------------------------------------------------------------------- found by name

TABLE = by_name(
    *(Zeros, Ones, Constant, Identity, RandomNormal, RandomUniform, TruncatedNormal, Orthogonal),
    *(GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal),
    VarianceScaling,
    **dict(normal=RandomNormal, uniform=RandomUniform, zero=Zeros, one=Ones, eye=Identity),
    **dict(IdentityInitializer=Identity, OrthogonalInitializer=Orthogonal),
)


def get(identifier: Any) -> Any:
    """Return the initializer that a name, a class, a config or an object means.

    >>> get("he_normal")((2, 3)).shape
    (2, 3)

    Raises:
        ValueError: an unknown name.
    """
    return resolve("initializer", TABLE, identifier)


deserialize = get


__getattr__ = names_in(__name__, TABLE)  # keras.initializers.he_normal is the class, too

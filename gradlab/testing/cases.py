"""Backward passes to judge a gradient checker by: wrong ones, and right ones that look wrong.

Each is a function of NumPy arrays with its backward pass and a source of inputs. The wrong ones are
mistakes people make; the right ones stand at kinks, at edges of domains, or in float32.

>>> case = WRONG["softmax backward is zero"]
>>> x, = case.sample(np.random.default_rng(0))
>>> f, vjp = case.fresh()
>>> f(x).shape, vjp(f(x), x).any()
((2, 3), np.False_)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Sampler = Callable[[np.random.Generator], tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Case:
    """A function, a backward pass, and inputs to check it at.

    Attributes:
        name: what is wrong, or what is hard, in a few words.
        f: f(*args), on NumPy arrays.
        vjp: vjp(g, *args), one gradient per argument; or a class with methods f and vjp, for a
            layer that keeps a state.
        sample: sample(rng) returns the arguments, new arrays at each call.
        diagnosis: a pattern the diagnosis of a wrong one must match; None if none applies.
        shapes: what `falsify` is told about the arguments.
        domain: where f is defined, for `falsify` and `gradcheck`.
        kinks: where its slope jumps, for `falsify`.
    """

    name: str
    f: Callable[..., Any]
    vjp: Callable[..., Any]
    sample: Sampler
    diagnosis: str | None = None
    shapes: tuple[tuple[int, ...], ...] | str | None = None
    domain: str | None = None
    kinks: tuple[float, ...] = ()

    def fresh(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """The pair (f, vjp); where they share a state, a new one that remembers nothing."""
        if isinstance(self.vjp, type):
            layer = self.vjp()
            return layer.f, layer.vjp
        return self.f, self.vjp


WRONG: dict[str, Case] = {}
CORRECT: dict[str, Case] = {}


def _entering(table: dict[str, Case], f: Any, sample: Sampler, **facts: Any) -> Callable[..., Any]:
    """A decorator that enters a backward pass in a table, under the name of its function."""

    def enter(vjp: Any) -> Any:
        name = vjp.__name__.strip("_").replace("_", " ")
        table[name] = Case(name, f or vjp, vjp, sample, **facts)
        return vjp

    return enter


def wrong(f: Any, sample: Sampler, diagnosis: str | None = None, **facts: Any) -> Any:
    """Enter a wrong backward pass of f."""
    return _entering(WRONG, f, sample, diagnosis=diagnosis, **facts)


def correct(f: Any, sample: Sampler, **facts: Any) -> Any:
    """Enter a right backward pass of f."""
    return _entering(CORRECT, f, sample, **facts)


# ------------------------------------------------------------------------------------- the inputs


def normal(*shapes: tuple[int, ...], scale: float = 1.0, dtype: Any = np.float64) -> Sampler:
    """Arguments of these shapes from N(0, scale^2)."""

    def sample(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return tuple((scale * rng.standard_normal(shape)).astype(dtype) for shape in shapes)

    return sample


def around(*places: float, by: float = 0.0, size: int = 5, dtype: Any = np.float64) -> Sampler:
    """One argument: at the given places, each moved by up to `by` of its own size."""

    def sample(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x = rng.choice(places, size) * (1.0 + by * rng.uniform(-1.0, 1.0, size))
        return (x.astype(dtype),)

    return sample


def beside(*places: float, by: float, size: int = 5) -> Sampler:
    """One argument: `by` to the left or to the right of the given places, or on them."""

    def sample(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return (rng.choice(places, size) + by * rng.integers(-1, 2, size),)

    return sample


def ties(*shape: int) -> Sampler:
    """One argument of small whole numbers, so that many are equal."""

    def sample(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return (rng.integers(-1, 2, shape).astype(np.float64),)

    return sample


def powers_of_ten(low: float, high: float, size: int = 5) -> Sampler:
    """One positive argument, evenly spread over the magnitudes from 10^low to 10^high."""

    def sample(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return (10.0 ** rng.uniform(low, high, size),)

    return sample


def some_zeros(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """One argument from N(0, 1) with zeros in it."""
    return (rng.standard_normal((2, 4)) * rng.integers(0, 2, (2, 4)),)


# ---------------------------------------------------------------------------------- the functions


def relu(x):
    return np.maximum(x, 0.0)


def relu6(x):
    return np.clip(x, 0.0, 6.0)


def sigmoid(x):
    return np.exp(-np.logaddexp(0.0, -x))  # no overflow, and every digit right at -40


def swish(x):
    return x * sigmoid(x)


def softplus(x):
    return np.logaddexp(0.0, x)


def gelu(x):
    return x * gelu_share(x)


def gelu_share(x):
    """The share of x that gelu lets through, the normal distribution function."""
    return 0.5 * (1.0 + np.vectorize(math.erf, otypes=[x.dtype])(x / math.sqrt(2.0)))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_slope(g, y):
    return y * (g - (g * y).sum(axis=-1, keepdims=True))


def log_softmax(x):
    return x - logsumexp(x)[..., None]


def logsumexp(x):
    top = x.max(axis=-1, keepdims=True)
    return (top + np.log(np.exp(x - top).sum(axis=-1, keepdims=True)))[..., 0]


def layer_norm(x):
    return _normalized(x)[0]


def _normalized(x):
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-5)
    return centred / deviation, deviation


def layer_norm_slope(g, x):
    y, deviation = _normalized(x)
    along = y * (g * y).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - along) / deviation


def dense_tanh(x, W, b):
    return np.tanh(x @ W + b)


def dense_tanh_backward(g, x, W, b):
    dz = g * (1.0 - dense_tanh(x, W, b) ** 2)
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


def matmul(a, b):
    return a @ b


def matmul_backward(g, a, b):
    return g @ b.T, a.T @ g


def multiply(a, b):
    return a * b


def divide(a, b):
    return a / b


def add_bias(x, b):
    return x + b


def row_max(x):
    return x.max(axis=-1)


def norm(x):
    return np.sqrt((x * x).sum())


def square(x):
    return x * x


def residual(x):
    return x + np.tanh(x)


def gate(x):
    return x * np.tanh(x)


def twice_tanh(x, W):
    return np.tanh(np.tanh(x @ W) @ W)


def mean_squared_error(p, t):
    return ((p - t) ** 2).mean()


def half_squared_error(p, t):
    return 0.5 * ((p - t) ** 2).sum()


def cross_entropy(z, t):
    return -(t * log_softmax(z)).sum()


def huber(x):
    return np.where(np.abs(x) <= 1.0, 0.5 * x * x, np.abs(x) - 0.5)


def dropout_mask(x):
    """Every third element is dropped, the others grow by 3 / 2: a mask that stays the same."""
    return 1.5 * (np.arange(x.size).reshape(x.shape) % 3 != 0)


def dropout(x):
    return x * dropout_mask(x)


def correlate(x, w):
    return np.correlate(x, w, "valid")


def cumsum(x):
    return np.cumsum(x, axis=-1)


def first_squared(x, unused):
    return x * x


def mean(x):
    return x.mean()


def total(x):
    return x.sum()


def row_mean(x):
    return x.mean(axis=1)


def product(x):
    return x.prod(axis=-1)


def weighted_square(x):
    return x * x * np.arange(1.0, x.size + 1.0).reshape(x.shape)


MATRIX = normal((2, 3))
SQUARES = normal((2, 2), (2, 2))
LAYER = normal((3, 2), (2, 2), (2,))

# --------------------------------------------------------- wrong: a factor, a sign, a missing term


@wrong(softmax, normal((2, 3)), "zero", shapes="(n,m)->(n,m)")
def softmax_backward_is_zero(g, x):
    """Right against a cotangent of ones, which is all that some checkers try."""
    return np.zeros_like(x)


@wrong(softmax, normal((2, 3)), shapes="(n,m)->(n,m)")
def softmax_without_the_sum(g, x):
    return g * softmax(x)


@wrong(log_softmax, normal((2, 3)), shapes="(n,m)->(n,m)")
def log_softmax_without_the_sum(g, x):
    return g - softmax(x)


@wrong(np.tanh, MATRIX, "1.0005")
def tanh_too_steep_by_half_a_permille(g, x):
    return 1.0005 * g * (1.0 - np.tanh(x) ** 2)


@wrong(np.tanh, MATRIX, "1.005")
def tanh_too_steep_by_half_a_percent(g, x):
    return 1.005 * g * (1.0 - np.tanh(x) ** 2)


@wrong(divide, normal((3,), (3,)), "sign", shapes="(n),(n)->(n)", domain="x > 0")
def quotient_without_the_minus(g, a, b):
    return g / b, g * a / (b * b)


@wrong(square, MATRIX, "half")
def square_without_the_two(g, x):
    return g * x


@wrong(half_squared_error, normal((2, 2), (2, 2)), "twice", shapes="(n,m),(n,m)->()")
def half_error_with_a_two(g, p, t):
    """The 1/2 in front of the squares is forgotten by the backward pass."""
    return 2.0 * g * (p - t), 2.0 * g * (t - p)


@wrong(mean, MATRIX, "a sum for a mean")
def mean_as_if_it_were_a_sum(g, x):
    return g * np.ones_like(x)


@wrong(total, MATRIX, "a mean for a sum")
def sum_as_if_it_were_a_mean(g, x):
    return g * np.ones_like(x) / x.size


@wrong(mean_squared_error, normal((2, 3), (2, 3)), "a sum for a mean", shapes="(n,m),(n,m)->()")
def error_divided_by_the_batch_only(g, p, t):
    d = 2.0 * g * (p - t) / len(p)
    return d, -d


@wrong(row_mean, normal((2, 4)), "times", shapes="(n,m)->(n)")
def row_mean_divided_by_the_rows(g, x):
    return np.broadcast_to(g[:, None] / x.shape[0], x.shape).copy()


@wrong(layer_norm, normal((2, 4)), shapes="(n,m)->(n,m)")
def layer_norm_without_the_mean(g, x):
    y, deviation = _normalized(x)
    return (g - y * (g * y).mean(axis=-1, keepdims=True)) / deviation


@wrong(cross_entropy, normal((2, 3), (2, 3)), shapes="(n,m),(n,m)->()")
def cross_entropy_without_the_target(g, z, t):
    return g * t.sum(axis=-1, keepdims=True) * softmax(z), -g * log_softmax(z)


@wrong(norm, normal((5,)), shapes="(n)->()")
def norm_not_divided(g, x):
    return g * x


@wrong(sigmoid, MATRIX)
def sigmoid_slope_of_the_input(g, x):
    """x (1 - x), written for the value y, is given the input."""
    return g * x * (1.0 - x)


@wrong(gelu, MATRIX)
def gelu_slope_of_the_tanh_formula(g, x):
    """The slope of the usual approximation, while the value is exact: wrong by 1e-3 at most."""
    u = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)
    t, du = np.tanh(u), math.sqrt(2.0 / math.pi) * (1.0 + 3 * 0.044715 * x * x)
    return g * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * du)


@wrong(np.log, powers_of_ten(-1, 1), domain="x > 0")
def log_with_an_epsilon_below(g, x):
    """The value has none, so the slope is wrong for small x."""
    return g / (x + 1e-5)


# ------------------------------------------------------------- wrong: the shape of the computation


@wrong(matmul, SQUARES, "transpos", shapes="(n,n),(n,n)->(n,n)")
def matmul_with_b_not_transposed(g, a, b):
    return g @ b, a.T @ g


@wrong(matmul, SQUARES, "transpos", shapes="(n,n),(n,n)->(n,n)")
def matmul_gradient_transposed(g, a, b):
    return g @ b.T, g.T @ a


@wrong(multiply, SQUARES, shapes="(n),(n)->(n)")
def factors_swapped(g, a, b):
    return g * a, g * b


@wrong(add_bias, normal((3, 2), (2,)), "broadcast", shapes=((2, 1), (1,)))
def bias_gradient_not_summed(g, x, b):
    return g, g


@wrong(add_bias, normal((3, 2), (2,)), "a mean for a sum", shapes=((2, 1), (1,)))
def bias_gradient_averaged(g, x, b):
    return g, g.mean(axis=0)


@wrong(add_bias, normal((3, 2), (2,)), shapes=((2, 1), (1,)))
def bias_gradient_of_the_first_row(g, x, b):
    return g, g[0]


@wrong(softmax, normal((3, 3)), shapes="(n,m)->(n,m)")
def softmax_summed_over_the_wrong_axis(g, x):
    y = softmax(x)
    return y * (g - (g * y).sum(axis=0, keepdims=True))


@wrong(correlate, normal((5,), (2,)), shapes=((3,), (2,)))
def convolution_shifted_by_one(g, x, w):
    return np.roll(np.convolve(g, w), 1), np.correlate(x, g, "valid")


@wrong(cumsum, MATRIX, shapes="(n,m)->(n,m)")
def cumsum_not_reversed(g, x):
    return np.cumsum(g, axis=-1)


@wrong(np.tanh, normal((20, 30)), "only some elements")
def one_element_of_600_is_zero(g, x):
    dx = np.array(g * (1.0 - np.tanh(x) ** 2))
    if x.size:
        dx.flat[317 % x.size] = 0.0
    return dx


@wrong(weighted_square, MATRIX, shapes="(n,m)->(n,m)")
def order_of_the_memory_assumed(g, x):
    """Right for arrays in C order; the elements of others are taken as they lie in memory."""
    weight = np.arange(1.0, x.size + 1.0).reshape(x.shape)
    return 2.0 * g * weight * x.ravel(order="K").reshape(x.shape)


# ------------------------------------------------------------------- wrong: a path is left out


@wrong(twice_tanh, normal((3, 2), (2, 2)), "overwritten", shapes="(n,m),(m,m)->(n,m)")
def shared_weight_overwritten(g, x, W):
    """W is used twice; the second contribution replaces the first instead of joining it."""
    h = np.tanh(x @ W)
    dz = g * (1.0 - np.tanh(h @ W) ** 2)
    dh = (dz @ W.T) * (1.0 - h * h)
    return dh @ W.T, h.T @ dz


@wrong(gate, MATRIX, "overwritten")
def gate_detached(g, x):
    """x tanh(x), where tanh(x) is taken for a constant."""
    return g * np.tanh(x)


@wrong(residual, MATRIX, "overwritten")
def skip_connection_forgotten(g, x):
    return g * (1.0 - np.tanh(x) ** 2)


@wrong(dense_tanh, LAYER, "slope of tanh", shapes=((1, 1), (1, 1), (1,)))
def activation_slope_forgotten(g, x, W, b):
    return g @ W.T, x.T @ g, g.sum(axis=0)


@wrong(dropout, MATRIX, "only some elements")
def dropout_mask_forgotten(g, x):
    return 1.5 * g


@wrong(first_squared, normal((3,), (2,)), shapes="(n),(m)->(n)")
def unused_input_gets_a_gradient(g, x, unused):
    return 2.0 * g * x, np.ones_like(unused)


# ---------------------------------------------------------------- wrong: somewhere, but not here


@wrong(swish, MATRIX, "only below x")
def swish_wrong_below_minus_four(g, x):
    y = sigmoid(x)
    return np.where(x < -4.0, 0.0, g * (y + x * y * (1.0 - y)))


@wrong(relu6, MATRIX, "only above x", kinks=(0.0, 6.0))
def relu6_without_the_upper_kink(g, x):
    return g * (x > 0)


@wrong(huber, normal((2, 3), scale=0.25), "only (above|below) x", kinks=(-1.0, 1.0))
def huber_never_clipped(g, x):
    return g * x


@wrong(np.abs, powers_of_ten(-1, 1), "only below x", kinks=(0.0,))
def abs_for_positive_inputs_only(g, x):
    return g * np.ones_like(x)


@wrong(product, normal((2, 3)), shapes="(n,m)->(n)")
def product_divided_by_zero(g, x):
    """y / x is right until an x is 0."""
    with np.errstate(all="ignore"):
        return g[..., None] * product(x)[..., None] / x


@wrong(row_max, normal((2, 3)), shapes="(n,m)->(n)")
def max_gives_every_tie_the_full_gradient(g, x):
    """Where n elements tie, the gradients sum to n g: an increase of all would count n times."""
    return g[:, None] * (x == x.max(axis=-1, keepdims=True))


# ----------------------------------------------------- wrong: the cotangent, the state, the memory


@wrong(np.tanh, MATRIX, "cotangent")
def wrong_for_negative_cotangents(g, x):
    return np.abs(g) * (1.0 - np.tanh(x) ** 2)


@wrong(np.tanh, MATRIX, "cotangent of ones")
def cotangent_ignored(g, x):
    return 1.0 - np.tanh(x) ** 2


@wrong(np.tanh, MATRIX, "changed")
def cotangent_changed_in_place(g, x):
    g *= 1.0 - np.tanh(x) ** 2
    return g


@wrong(relu, MATRIX, "changed", kinks=(0.0,))
def input_changed_in_place(g, x):
    x[x <= 0] = 0.0
    return g * (x > 0)


@wrong(np.tanh, MATRIX, "float32")
def gradient_in_float32(g, x):
    return (g * (1.0 - np.tanh(x) ** 2)).astype(np.float32)


@wrong(None, normal((3,)), shapes=((3,),))
class stale_cache:  # noqa: N801
    """The value of the first call is kept, and used for every later one."""

    def __init__(self) -> None:
        self.y = None

    def f(self, x):
        return np.tanh(x)

    def vjp(self, g, x):
        if self.y is None:
            self.y = self.f(x)
        return g * (1.0 - self.y**2)


@wrong(None, normal((3,)), "second call", shapes=((3,),))
class gradient_never_cleared:  # noqa: N801
    """Gradients of earlier calls are still in the buffer."""

    def __init__(self) -> None:
        self.dx = 0.0

    def f(self, x):
        return x * x

    def vjp(self, g, x):
        self.dx = self.dx + 2.0 * g * x
        return self.dx


@wrong(None, normal((2, 3)), "second call")
class dropout_mask_drawn_again:  # noqa: N801
    """The backward pass draws a mask of its own."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def f(self, x):
        return dropout(x)

    def vjp(self, g, x):
        return g * self.rng.permutation(dropout_mask(x).ravel()).reshape(x.shape)


# -------------------------------------------------------------------------- correct: at a kink


@correct(relu, some_zeros, kinks=(0.0,))
def relu_at_zero(g, x):
    return g * (x > 0)


@correct(relu, beside(0.0, by=1e-7), kinks=(0.0,))
def relu_very_near_zero(g, x):
    return g * (x > 0)


@correct(np.abs, some_zeros, kinks=(0.0,))
def abs_at_zero(g, x):
    return g * np.sign(x)


@correct(relu6, beside(0.0, 6.0, by=1.0), kinks=(0.0, 6.0))
def clip_at_its_ends(g, x):
    return g * ((x >= 0) & (x <= 6))


@correct(huber, beside(-1.0, 1.0, by=0.25), kinks=(-1.0, 1.0))
def huber_at_delta(g, x):
    return g * np.clip(x, -1.0, 1.0)


@correct(row_max, ties(2, 4))
def max_gives_the_first_tie_all(g, x):
    dx = np.zeros_like(x)
    dx[np.arange(len(x)), x.argmax(axis=-1)] = g
    return dx


@correct(row_max, ties(2, 4))
def max_shared_among_ties(g, x):
    winners = x == x.max(axis=-1, keepdims=True)
    return g[:, None] * winners / winners.sum(axis=-1, keepdims=True)


def median(x):
    return np.sort(x, axis=-1)[..., x.shape[-1] // 2]


@correct(median, ties(2, 5))
def median_with_ties(g, x):
    dx = np.zeros_like(x)
    dx[np.arange(len(x)), np.argsort(x, axis=-1)[:, x.shape[-1] // 2]] = g
    return dx


def sparsemax(z):
    """Martins and Astudillo (2016): the nearest point to z on the simplex."""
    s = np.sort(z)[::-1]
    size = np.arange(1, z.size + 1)
    support = 1.0 + size * s > np.cumsum(s)
    k = size[support][-1]
    return np.maximum(z - (np.cumsum(s)[k - 1] - 1.0) / k, 0.0)


def on_a_face(rng):
    """(1, 0, ...) and a shift: the second element is just about to enter the support."""
    z = np.array([1.0, 0.0, -0.5, -2.0, -0.25]) + rng.integers(-8, 9) / 8
    return (rng.permutation(z),)


@correct(sparsemax, on_a_face)
def sparsemax_on_a_face(g, z):
    support = sparsemax(z) > 0
    return support * (g - g[support].mean())


HINGES = np.linspace(-2.0, 2.0, 65)


def polyline(x):
    """65 kinks, 1/16 apart."""
    return ((-1.0) ** np.arange(65) * relu(x[:, None] - HINGES)).sum(axis=-1)


@correct(polyline, normal((5,)))
def piecewise_linear_with_65_kinks(g, x):
    return g * ((-1.0) ** np.arange(65) * (x[:, None] > HINGES)).sum(axis=-1)


@correct(norm, around(0.0, size=4))
def norm_at_zero(g, x):
    """A cone: by convention, 0."""
    return np.zeros_like(x)


# ---------------------------------------------------------------- correct: at the edge of a domain


@correct(np.log, around(5e-7, by=0.5), domain="x > 0")
def log_near_zero(g, x):
    return g / x


@correct(np.sqrt, powers_of_ten(-12, -6), domain="x > 0")
def sqrt_near_zero(g, x):
    return g * 0.5 / np.sqrt(x)


def x_log_x(x):
    return x * np.log(x)


@correct(x_log_x, powers_of_ten(-12, -3), domain="x > 0")
def x_log_x_near_zero(g, x):
    return g * (1.0 + np.log(x))


@correct(np.tan, around(math.pi / 2, by=1e-4))
def tan_near_a_pole(g, x):
    return g * (1.0 + np.tan(x) ** 2)


@correct(np.arccos, around(-1.0 + 1e-9, 1.0 - 1e-9, by=1e-10), domain="abs(x) < 1")
def arccos_near_one(g, x):
    return -g / np.sqrt((1.0 - x) * (1.0 + x))


@correct(norm, normal((4,), scale=1e-8))
def norm_near_zero(g, x):
    return g * x / norm(x)


def reciprocal(x):
    return 1.0 / x


@correct(reciprocal, powers_of_ten(-8, -6), domain="x > 0")
def reciprocal_near_zero(g, x):
    return -g / (x * x)


def power_0_3(x):
    return x**0.3


@correct(power_0_3, powers_of_ten(-10, 2), domain="x > 0")
def root_near_zero(g, x):
    return g * 0.3 * x**-0.7


# ------------------------------------------------------------------ correct: large, small, flat


def cube(x):
    return x**3


@correct(cube, around(-1e5, 1e5, by=0.5))
def cube_at_1e5(g, x):
    return 3.0 * g * x * x


@correct(softplus, around(-20.0, 20.0, by=0.2))
def softplus_at_20(g, x):
    return g * sigmoid(x)


@correct(sigmoid, around(-40.0, 40.0, by=0.2))
def sigmoid_saturated(g, x):
    y = sigmoid(x)
    return g * y * (1.0 - y)


@correct(np.exp, around(-300.0, 300.0, by=0.1))
def exp_at_300(g, x):
    return g * np.exp(x)


@correct(np.sin, around(-1e6, 1e6, by=0.5))
def sin_at_1e6(g, x):
    return g * np.cos(x)


@correct(logsumexp, normal((2, 3), scale=1e3))
def logsumexp_at_1000(g, x):
    return g[:, None] * softmax(x)


@correct(softmax, normal((2, 3), scale=1e4))
def softmax_spread_over_1e4(g, x):
    return softmax_slope(g, softmax(x))


@correct(product, ties(2, 4))
def product_with_zeros(g, x):
    others = np.stack([np.delete(x, i, axis=1).prod(axis=1) for i in range(x.shape[1])], axis=1)
    return g[:, None] * others


@correct(cumsum, normal((2, 4)))
def cumsum_reversed(g, x):
    return np.cumsum(g[:, ::-1], axis=-1)[:, ::-1]


@correct(mean, normal((32, 32)))
def mean_of_1024(g, x):
    return np.full_like(x, g / x.size)


@correct(np.sign, normal((5,)), kinks=(0.0,))
def sign_is_flat(g, x):
    return np.zeros_like(x)


REPEATED = np.array([0, 2, 2, 1, 2, 0])


def take(x):
    return x[REPEATED]


@correct(take, normal((4,)))
def take_with_repeats(g, x):
    dx = np.zeros_like(x)
    np.add.at(dx, REPEATED, g)
    return dx


@correct(layer_norm, normal((2, 3), scale=1e-3))
def layer_norm_of_small_numbers(g, x):
    return layer_norm_slope(g, x)


# -------------------------------------------------------------------------- correct: in float32


def normal32(*shapes: tuple[int, ...], scale: float = 1.0) -> Sampler:
    """`normal` in float32."""
    return normal(*shapes, scale=scale, dtype=np.float32)


@correct(dense_tanh, normal32((3, 2), (2, 2), (2,)))
def float32_tanh_layer(g, x, W, b):
    return dense_tanh_backward(g, x, W, b)


@correct(softmax, normal32((2, 3)))
def float32_softmax(g, x):
    return softmax_slope(g, softmax(x))


@correct(matmul, normal32((2, 3), (3, 2)))
def float32_matmul(g, a, b):
    return matmul_backward(g, a, b)


@correct(gelu, normal32((5,)))
def float32_gelu(g, x):
    density = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return g * (gelu_share(x) + x * density)


@correct(total, normal32((32, 32)))
def float32_sum_of_1024(g, x):
    return np.full_like(x, g)


@correct(logsumexp, normal32((2, 3), scale=30.0))
def float32_logsumexp(g, x):
    return g[:, None] * softmax(x)


@correct(layer_norm, normal32((2, 3)))
def float32_layer_norm(g, x):
    return layer_norm_slope(g, x)


@correct(softplus, around(-20.0, 20.0, by=0.5, dtype=np.float32))
def float32_softplus(g, x):
    return g * sigmoid(x)


@correct(relu, around(0.0, 1e-7, -1e-7, 1.0, dtype=np.float32), kinks=(0.0,))
def float32_relu_at_zero(g, x):
    return g * (x > 0)


def single_precision_kernel(x):
    """A float64 function that computes in float32, as many a kernel does."""
    return np.tanh(x.astype(np.float32)).astype(np.float64)


@correct(single_precision_kernel, MATRIX)
def float32_inside_float64_outside(g, x):
    return g * (1.0 - single_precision_kernel(x) ** 2)

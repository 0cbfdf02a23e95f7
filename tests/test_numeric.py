"""The measured slopes: true ones always within the bound, wrong ones outside of it."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from gradlab.testing import Estimate, Slopes, check_vjp, directional, one_sided, random_cotangent
from gradlab.testing.slopes import SAFETY

SEEDS = range(100)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def near(center: float, low: float = 0.1, high: float = 3.0) -> Callable:
    """Points of the size of `center`."""

    def draw(rng: np.random.Generator) -> float:
        return center * rng.uniform(low, high)

    return draw


def normal(size: float) -> Callable:
    def draw(rng: np.random.Generator) -> float:
        return size * rng.normal()

    return draw


def both_signs(low: float, high: float, around: float = 0.0) -> Callable:
    """around +- 10**u for u between low and high."""

    def draw(rng: np.random.Generator) -> float:
        return around + rng.choice([-1.0, 1.0]) * 10 ** rng.uniform(low, high)

    return draw


def poles(x):
    return x / ((x - 1) ** 2 + 1e-4)


def poles_slope(x):
    return 1 / ((x - 1) ** 2 + 1e-4) - 2 * x * (x - 1) / ((x - 1) ** 2 + 1e-4) ** 2


def tanh_slope(x):
    return 1.0 / np.cosh(x) ** 2


def tanh32(x):
    return np.tanh(np.asarray(x).astype(np.float32))


# name: f, f', where, share of points at which a slope 0.05 % off must be seen
SMOOTH = {
    "exp": (np.exp, np.exp, normal(10.0), 1.0),
    "exp at 600": (np.exp, np.exp, near(600.0, 0.5, 1.1), 1.0),
    "sin": (np.sin, np.cos, normal(1.0), 1.0),
    "sin at 1e6": (np.sin, np.cos, near(1e6, 0.5, 1.5), 1.0),  # large steps meet random phases
    "sin, all sizes": (np.sin, np.cos, both_signs(-8, 3), 1.0),
    "tanh": (np.tanh, tanh_slope, normal(2.0), 1.0),
    "tanh at 20": (np.tanh, tanh_slope, near(20.0, 0.5, 1.5), 0.0),
    "cube at 1e5": (lambda x: x**3, lambda x: 3 * x**2, normal(1e5), 1.0),
    "log at 5e-7": (np.log, lambda x: 1 / x, near(5e-7), 1.0),
    "log at 1e15": (np.log, lambda x: 1 / x, near(1e15), 1.0),
    "sqrt at 1e-12": (np.sqrt, lambda x: 0.5 / np.sqrt(x), near(1e-12), 1.0),
    "sqrt at 1e-200": (np.sqrt, lambda x: 0.5 / np.sqrt(x), near(1e-200), 1.0),
    "x sqrt x at 1e-300": (lambda x: x * np.sqrt(x), lambda x: 1.5 * np.sqrt(x), near(1e-300), 0.0),
    "x log x at 1e-300": (lambda x: x * np.log(x), lambda x: 1 + np.log(x), near(1e-300), 1.0),
    "softplus at 20": (lambda x: np.logaddexp(0, x), sigmoid, near(20.0, 0.8, 1.2), 1.0),
    "softplus at -20": (lambda x: np.logaddexp(0, x), sigmoid, near(-20.0, 0.8, 1.2), 1.0),
    "naive softplus": (lambda x: np.log(1 + np.exp(x)), sigmoid, near(-20.0, 0.8, 1.2), 0.2),
    "1/x near 0": (lambda x: 1 / x, lambda x: -1 / x**2, both_signs(-9, -3), 1.0),
    "a pole at 1": (lambda x: 1 / (x - 1), lambda x: -((x - 1) ** -2), both_signs(-5, -3, 1), 1.0),
    "complex poles": (poles, poles_slope, near(1.0, 0.0, 2.0), 0.99),
    "atanh near 1": (np.arctanh, lambda x: 1 / (1 - x) / (1 + x), near(1 - 1e-6, 1, 1), 1.0),
    "on a hill": (lambda x: 1e6 + np.sin(x), np.cos, normal(1.0), 0.95),
    "cancelled": (lambda x: (np.sin(x) + 1e6) - 1e6, np.cos, normal(1.0), 0.95),
    "constant": (lambda x: 3.0, lambda x: 0.0, normal(1.0), 0.0),
    "float32 tanh": (tanh32, tanh_slope, normal(1.0), 0.2),
    "float32 tanh, cast back": (lambda x: float(tanh32(x)), tanh_slope, normal(3.0), 0.1),
    "float32 tanh, scaled": (
        lambda x: 0.37 * float(tanh32(x)),
        lambda x: 0.37 * tanh_slope(x),
        normal(3.0),
        0.1,
    ),
    "float32 inputs": (lambda x: np.tanh(np.float64(np.float32(x))), tanh_slope, normal(3.0), 0.1),
    "float32 cube": (lambda x: np.float32(x) ** 3, lambda x: 3 * x**2, normal(1e5), 0.2),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_true_slopes_lie_within_the_bound_and_wrong_ones_outside(name):
    f, slope, draw, sharp = SMOOTH[name]
    seen = 0
    for seed in SEEDS:
        x = draw(np.random.default_rng(seed))
        true = float(slope(np.float64(x)))
        slopes = directional(f, x)
        assert min(slopes.left.error, slopes.right.error) < math.inf, (name, x)
        for side in slopes:
            assert not abs(side.value - true) > SAFETY * side.error + 1e-15 * abs(true), (x, side)
        assert slopes.accepts(true), (name, x, slopes)
        seen += not slopes.accepts(1.0005 * true)
    assert seen >= sharp * len(SEEDS)


def test_f_is_evaluated_no_more_than_sixty_times_per_direction():
    for f, x in ((np.exp, 1.0), (np.tanh, -0.3), (np.abs, 0.0), (tanh32, 0.5), (np.log, 1e-3)):
        calls = []

        def counted(z, f=f, calls=calls):
            calls.append(z)
            return f(z)

        directional(counted, x)
        assert len(calls) <= 60, (f, len(calls))


def test_steps_are_those_really_taken():
    assert one_sided(lambda x: 3.0 * x, 0.1).value == pytest.approx(3.0, abs=1e-14)
    assert one_sided(lambda x: 2.0 * x, 1e8 / 3).error < 1e-12


@pytest.mark.parametrize("offset", [0.0, 1.0, -3.7])
@pytest.mark.parametrize("x", [0.0, 1e-12, -1e-12, 1e-7, -1e-7, 1e-3, -1e-3])
def test_relu_at_and_beside_its_kink(x, offset):
    slopes = directional(lambda z: np.maximum(z, 0.0) + offset, x)
    assert slopes.accepts(float(x > 0))
    assert not slopes.accepts(1.001)
    assert not slopes.accepts(-0.001)
    assert slopes.is_kink or x != 0
    if x == 0:
        assert slopes.accepts(0.5)
        assert slopes.interval == pytest.approx((0.0, 1.0), abs=1e-6)
    if abs(x) == 1e-3 or (abs(x) == 1e-7 and offset == 0):
        assert not slopes.accepts(0.5)
        assert not slopes.is_kink


@pytest.mark.parametrize("x", [7.0, 100.3, 1e5, -1e5])
def test_from_afar_a_staircase_looks_like_a_slope(x):
    for f in (np.floor, np.ceil, lambda x: np.round(x, 1)):
        assert directional(f, x).accepts(0.0)


def test_abs_and_ties_of_max():
    slopes = directional(np.abs, 0.0)
    assert slopes.interval == pytest.approx((-1.0, 1.0), abs=1e-9)
    assert slopes.accepts(-1.0)
    assert slopes.accepts(0.0)
    assert not slopes.accepts(1.01)
    tie = np.array([2.0, 5.0, 5.0])
    slopes = directional(np.max, tie, [0.0, 1.0, 0.0])
    assert slopes.accepts(0.0)
    assert slopes.accepts(0.5)
    assert slopes.accepts(1.0)
    assert not slopes.accepts(1.01)
    assert not slopes.accepts(-0.01)
    assert not directional(np.max, tie, [1.0, 0.0, 0.0]).accepts(0.01)


def test_one_side_is_enough_at_the_edge_of_a_domain():
    slopes = directional(lambda x: np.sqrt(x) ** 3 + x, 0.0)
    assert slopes.left.error == math.inf
    assert slopes.accepts(1.0)
    assert not slopes.accepts(1.01)

    def raising(x):
        return math.log(x) + math.asin(x)

    true = 1 / 0.999 + 1 / math.sqrt(1 - 0.999**2)
    slopes = directional(raising, 0.999)
    assert slopes.accepts(true)
    assert not slopes.accepts(1.0001 * true)
    assert math.isnan(one_sided(math.log, 0.0).value)
    value, error, step = one_sided(np.log, -1.0)
    assert error == math.inf
    assert math.isnan(value)
    assert math.isnan(step)


@pytest.mark.parametrize("x", [5e-324, 1e-322, 1e-310])
def test_no_bound_is_claimed_where_no_step_is_small_enough(x):
    for f, slope in ((np.sqrt, 0.5 / math.sqrt(x)), (np.cbrt, x ** (-2 / 3) / 3)):
        value, error, _ = one_sided(f, x)
        assert abs(value - slope) <= SAFETY * error
        assert directional(f, x).accepts(slope)
    assert not directional(np.exp, x).accepts(1.001)


def test_infinite_and_missing_slopes():
    assert directional(np.sqrt, 0.0).accepts(math.inf)
    assert one_sided(np.sqrt, 0.0).is_vertical
    assert not directional(np.sqrt, 0.0).accepts(math.nan)
    half = directional(lambda x: np.where(x > 0, np.sqrt(np.abs(x)), x), 0.0)
    assert half.accepts(1.0)
    assert half.accepts(math.inf)
    assert directional(np.cbrt, 0.0).accepts(math.inf)
    assert not directional(np.exp, 0.0).accepts(math.inf)
    assert not directional(np.abs, 0.0).accepts(math.nan)
    nothing = Estimate(math.nan, math.inf, math.nan)
    assert Slopes(nothing, nothing).accepts(7.0)
    assert Slopes(nothing, nothing).interval == (-math.inf, math.inf)


def test_programming_errors_are_not_taken_for_the_edge_of_a_domain():
    def broken(x):
        raise TypeError("no")

    with pytest.raises(TypeError, match="no"):
        one_sided(broken, 1.0)
    with pytest.raises(TypeError, match="expected one"):
        directional(np.exp, np.ones(3), np.ones(3))


def test_tolerances_only_loosen():
    slopes = directional(np.exp, 0.0)
    assert not slopes.accepts(1.01)
    assert slopes.accepts(1.01, rtol=0.02)
    assert slopes.accepts(1.01, atol=0.02)


def test_random_cotangents_have_no_ones_and_no_zeros():
    g = random_cotangent((1000,), np.random.default_rng(0))
    assert (g > 0).any()
    assert (g < 0).any()
    assert not np.isin(np.abs(g), [0.0, 1.0]).any()
    assert (g == g.astype(np.float16)).all()
    assert np.unique(g).size > 50
    assert random_cotangent((), np.random.default_rng(0)).shape == ()


# ---- pairs of a function and its backward pass -----------------------------------------------


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_vjp(g, x):
    y = softmax(x)
    return (y * (g - (g * y).sum(axis=-1, keepdims=True)),)


def matmul_vjp(g, a, b):
    return g @ b.T, a.T @ g


def relu(x):
    return np.maximum(x, 0.0)


def relu_vjp(g, x):
    return (g * (x > 0),)


def tanh_vjp(g, x):
    return (g * (1 - np.tanh(x) ** 2),)


def zeroed(rng: np.random.Generator, shape=(8,)) -> np.ndarray:
    return rng.normal(size=shape) * rng.integers(0, 2, shape)


def tied(rng: np.random.Generator, shape=(4, 4)) -> np.ndarray:
    return rng.integers(0, 3, shape).astype(float)


def row_max(x):
    return x.max(axis=-1)


def row_max_shared(g, x):
    hit = x == x.max(axis=-1, keepdims=True)
    return (g[..., None] * hit / hit.sum(axis=-1, keepdims=True),)


def row_max_first(g, x):
    return (g[..., None] * (np.arange(x.shape[-1]) == x.argmax(axis=-1)[..., None]),)


def pool(x):
    """Maximum over overlapping windows of two."""
    return np.maximum(x[1:], x[:-1])


def pool_vjp(g, x):
    dx = np.zeros_like(x)
    dx[:-1] += g * (x[:-1] >= x[1:])
    dx[1:] += g * (x[:-1] < x[1:])
    return (dx,)


W32 = np.random.default_rng(7).normal(size=(4, 3)).astype(np.float32)
V = np.random.default_rng(8).normal(size=(8, 3))


def layer32(x):
    return np.tanh(x.astype(np.float32) @ W32)


def layer32_vjp(g, x):
    return ((g * (1 - layer32(x) ** 2)) @ W32.T,)


def layer_after_relu(x):
    return relu(x) @ V


def layer_after_relu_vjp(g, x):
    return ((g @ V.T) * (x > 0),)


def dense_relu_weights(w):
    """relu(x @ w) for the weights: at w = 0 every output has a kink."""
    return relu(V[:3] @ w)


def dense_relu_weights_vjp(g, w):
    return (V[:3].T @ (g * (V[:3] @ w > 0)),)


HARD = {
    "G1 relu, exact 0": (relu, relu_vjp, zeroed),
    "G2 max with ties, first": (row_max, row_max_first, tied),
    "G2 max with ties, shared": (row_max, row_max_shared, tied),
    "G2 overlapping windows with ties": (pool, pool_vjp, lambda r: tied(r, (7,))),
    "G3 log at 5e-7": (np.log, lambda g, x: (g / x,), lambda r: 5e-7 * r.uniform(0.1, 3, 8)),
    "G4 float32 tanh layer": (layer32, layer32_vjp, lambda r: r.normal(size=(2, 4))),
    "G4 float32 arguments": (
        layer32,
        layer32_vjp,
        lambda r: 3 * r.normal(size=(2, 4)).astype(np.float32),
    ),
    "G5 cube at 1e5": (
        lambda x: x**3,
        lambda g, x: (3 * g * x**2,),
        lambda r: 1e5 * r.normal(size=8),
    ),
    "G6 softplus at 20": (
        lambda x: np.logaddexp(0, x),
        lambda g, x: (g * sigmoid(x),),
        lambda r: r.choice([-20.0, 20.0], 8) + r.normal(size=8),
    ),
    "G7 relu, 1e-7 from the kink": (relu, relu_vjp, lambda r: 1e-7 * r.normal(size=8)),
    "relu, 1e-12 from the kink": (relu, relu_vjp, lambda r: 1e-12 * r.normal(size=8)),
    "x @ W after relu, exact 0": (layer_after_relu, layer_after_relu_vjp, zeroed),
    "dense relu at zero weights": (
        dense_relu_weights,
        dense_relu_weights_vjp,
        lambda r: np.zeros((3, 2)),
    ),
    "softmax, saturated and single": (
        softmax,
        softmax_vjp,
        lambda r: r.choice([0.0, 30.0, 800.0], (4, int(r.integers(1, 4)))),
    ),
    "sizes from 1e-5 to 1e5": (
        lambda x: x**3,
        lambda g, x: (3 * g * x**2,),
        lambda r: 10 ** r.uniform(-5, 5, 8),
    ),
    "tanh": (np.tanh, tanh_vjp, lambda r: 3 * r.normal(size=(2, 4))),
}


@pytest.mark.parametrize("name", HARD)
def test_no_false_alarm(name):
    f, vjp, draw = HARD[name]
    for seed in SEEDS if name.startswith("G") else range(50):
        rng = np.random.default_rng(seed)
        x = draw(rng)
        wrong = check_vjp(f, vjp, (x,), 0, rng, max_coords=3, directions=1)
        assert not wrong, f"seed {seed}, x = {x!r}\n" + "\n".join(map(str, wrong))


def some(rng):
    return rng.normal(size=(2, 3))


def wrong_below(g, x):
    return (g * (1 - np.tanh(x) ** 2) * np.where(x < -4, 1.01, 1.0),)


WRONG = {
    "B1 softmax returns 0": (softmax, lambda g, x: (0 * x,), some),
    "B2 softmax drops the sum": (softmax, lambda g, x: (g * softmax(x),), some),
    "softmax, half a percent": (softmax, lambda g, x: (1.005 * softmax_vjp(g, x)[0],), some),
    "softmax, wrong sign": (softmax, lambda g, x: (-softmax_vjp(g, x)[0],), some),
    "B3 tanh, 0.05 % too big": (np.tanh, lambda g, x: (1.0005 * tanh_vjp(g, x)[0],), some),
    "B4 tanh, 0.5 % too big": (np.tanh, lambda g, x: (1.005 * tanh_vjp(g, x)[0],), some),
    "B7 tanh wrong below -4": (np.tanh, wrong_below, lambda r: -4 - r.uniform(0.1, 2, 3)),
    "B8 relu6 forgets the upper kink": (
        lambda x: np.clip(x, 0, 6),
        relu_vjp,
        lambda r: 7 + r.normal(size=3) / 10,
    ),
    "B9 wrong for negative cotangents": (
        np.tanh,
        lambda g, x: (np.abs(tanh_vjp(g, x)[0]),),
        lambda r: r.normal(size=12),
    ),
    "relu, 2 at the kink": (relu, lambda g, x: (g * ((x > 0) + 2.0 * (x == 0)),), np.zeros),
    "relu, 0 at 1e-7": (relu, lambda g, x: (g * (x > 1e-6),), lambda r: r.uniform(1e-7, 9e-7, 3)),
    "abs is nan at 0": (np.abs, lambda g, x: (g * x / x,), np.zeros),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_wrong_backward_passes_are_caught(name):
    f, vjp, draw = WRONG[name]
    for seed in range(10):
        rng = np.random.default_rng(seed)
        x = np.zeros(3) if draw is np.zeros else draw(rng)
        assert check_vjp(f, vjp, (x,), 0, rng), f"seed {seed}, x = {x!r}"


def test_matmul_right_and_wrong():
    """B5 and its relatives: every argument, every classic mistake."""
    wrong = {
        "B.T forgotten": lambda g, a, b: (g @ b, a.T @ g),
        "A.T forgotten": lambda g, a, b: (g @ b.T, a @ g),
        "transposed": lambda g, a, b: tuple(d.T for d in matmul_vjp(g, a, b)),
        "twice": lambda g, a, b: tuple(2 * d for d in matmul_vjp(g, a, b)),
        "sign": lambda g, a, b: tuple(-d for d in matmul_vjp(g, a, b)),
        "zero": lambda g, a, b: (0 * a, 0 * b),
    }
    for seed in range(50):
        rng = np.random.default_rng(seed)
        args = rng.normal(size=(2, 3, 3))
        for argnum in (0, 1):
            assert not check_vjp(np.matmul, matmul_vjp, tuple(args), argnum, rng)
    for name, vjp in wrong.items():
        caught = [check_vjp(np.matmul, vjp, tuple(args), argnum, rng) for argnum in (0, 1)]
        assert any(caught) if "forgotten" in name else all(caught), name


def test_one_element_of_six_hundred_is_found():
    """B6: not among the coordinates looked at; a dense direction finds it and names it."""
    spoilt = (17, 11)

    def vjp(g, x):
        dx = tanh_vjp(g, x)[0]
        dx[spoilt] = 0.0
        return (dx,)

    for seed in range(8):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(30, 20))
        wrong = check_vjp(np.tanh, vjp, (x,), 0, rng)
        assert {m.coordinate for m in wrong} == {spoilt}
        assert not check_vjp(np.tanh, tanh_vjp, (x,), 0, rng)


def test_what_a_mismatch_says():
    def wrong(g, a, b):
        return g @ b.T, 2 * (a.T @ g)

    rng = np.random.default_rng(0)
    first = check_vjp(np.matmul, wrong, tuple(rng.normal(size=(2, 2, 2))), 1, rng)[0]
    assert first.argument == 1
    assert first.coordinate == (0, 0)
    assert first.analytic == pytest.approx(2 * first.right.value)
    assert abs(first.analytic - first.right.value) > first.bound > 0
    text = str(first)
    assert "argument 1 at [0, 0]" in text
    assert "left" in text
    assert text.count("\n") <= 2


@pytest.mark.parametrize(
    ("gradient", "says"),
    [
        (lambda g, x: (g[0],), "shape (3,), expected the argument's shape (2, 3)"),
        (lambda g, x: (np.ones((2, 3), int),), "dtype int64, expected a floating one"),
        (lambda g, x: (None,), "None, expected an array of shape (2, 3)"),
    ],
)
def test_malformed_gradients(gradient, says):
    rng = np.random.default_rng(0)
    (only,) = check_vjp(np.exp, gradient, (rng.normal(size=(2, 3)),), 0, rng)
    assert says in str(only)


def test_a_vjp_must_return_one_gradient_per_argument():
    rng = np.random.default_rng(0)
    for bad in (lambda g, x: g, lambda g, x: (g, g)):
        with pytest.raises(TypeError, match="one per argument"):
            check_vjp(np.exp, bad, (np.ones(3),), 0, rng)


def test_shapes_without_elements_axes_or_contiguity():
    rng = np.random.default_rng(0)
    for x in (np.array(0.3), np.zeros((0, 3)), np.asfortranarray(rng.normal(size=(3, 2)))[::-1]):
        x.flags.writeable = False
        assert check_vjp(np.tanh, tanh_vjp, (x,), 0, rng) == []
    assert check_vjp(np.tanh, lambda g, x: (2 * tanh_vjp(g, x)[0],), (np.array(0.3),), 0, rng)


@pytest.mark.parametrize("neighbour", [1000.0, math.inf, math.nan])
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_infinite_neighbours_do_no_harm(neighbour):
    x = np.array([neighbour, 0.5, -2.0])
    rng = np.random.default_rng(0)
    assert not check_vjp(np.exp, lambda g, x: (g * np.exp(x),), (x,), 0, rng)
    wrong = check_vjp(np.exp, lambda g, x: (1.001 * g * np.exp(x),), (x,), 0, rng)
    assert [mismatch.coordinate for mismatch in wrong] == [(1,), (2,)]


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_elements_outside_the_domain_are_not_judged():
    rng = np.random.default_rng(0)
    x = np.array([-1.0, 2.0])
    assert not check_vjp(np.log, lambda g, x: (g / x,), (x,), 0, rng)
    wrong = check_vjp(np.log, lambda g, x: (g / x**2,), (x,), 0, rng)
    assert [mismatch.coordinate for mismatch in wrong] == [(1,)]


def test_f_may_reuse_its_output_array():
    out = np.empty(4)

    def f(x):
        return np.tanh(x, out=out)

    rng = np.random.default_rng(0)
    x = rng.normal(size=4)
    assert not check_vjp(f, tanh_vjp, (x,), 0, rng)
    assert check_vjp(f, lambda g, x: (1.001 * tanh_vjp(g, x)[0],), (x,), 0, rng)


def test_each_element_takes_some_thirty_evaluations():
    calls = []

    def counted(x):
        calls.append(x)
        return np.tanh(x)

    rng = np.random.default_rng(0)
    check_vjp(counted, tanh_vjp, (rng.normal(size=10),), 0, rng)
    assert len(calls) < 300


# ---- float32 inside ---------------------------------------------------------------------------


def beside_float32(x):
    """A float64 sum, one term of which is computed in float32."""
    return x + np.tanh(x.astype(np.float32))


def beside_float32_vjp(g, x):
    return (g * (2 - np.tanh(x.astype(np.float32)) ** 2),)


@pytest.mark.parametrize("f", [beside_float32, lambda x: np.sin(beside_float32(x) - x)])
def test_a_float32_term_in_a_float64_function(f):
    """At 5 the rounding of the term hides that it moves; other elements have shown it."""

    def vjp(g, x):
        if f is beside_float32:
            return beside_float32_vjp(g, x)
        y = np.tanh(x.astype(np.float32)).astype(np.float64)
        return (g * np.cos(y) * (1 - y * y),)

    for seed in range(15):
        rng = np.random.default_rng(seed)
        x = np.concatenate([rng.normal(size=2), rng.uniform(-12, 12, 4)])
        assert not check_vjp(f, vjp, (x,), 0, rng), f"seed {seed}, x = {x!r}"
        assert check_vjp(f, lambda g, x: (1.01 * vjp(g, x)[0],), (x,), 0, rng)


def test_a_rounding_seen_on_one_side_holds_for_both():
    """From 9.56 on float32 tanh is 1 to the right; to the left it moves, but far away."""
    x = np.array([9.5625])

    def f(x):
        return np.tanh(x.astype(np.float32)).astype(np.float64)

    for d in (1.0, -1.0, 4.9):
        assert directional(lambda x: f(x)[0], x, d).accepts(d * 1.2e-7)

"""gradcheck: right gradients pass in every mode, wrong ones are found, shown and named."""

import re

import numpy as np
import pytest

import gradlab as gl
from gradlab.testing.domain import inside
from gradlab.testing.gradcheck import gradcheck
from gradlab.testing.laws import LAWS
from gradlab.testing.report import GradientError

rng = np.random.default_rng(0)
X, W, B = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
SQUARE = rng.normal(size=(3, 3))
ROWS = np.array([0, 2, 0, 1])


def check(f, *args, **options):
    return gradcheck(f, *args, raise_on_error=False, **options)


def square(x):
    return x * x


def square_vjp(g, x):
    return 2 * g * x


def tanh_vjp(g, x):
    return g * (1 - np.tanh(x) ** 2)


def dense(x, W, b):
    return np.tanh(x @ W + b)


def dense_vjp(g, x, W, b):
    dz = g * (1 - dense(x, W, b) ** 2)
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def relu(x):
    return np.maximum(x, 0.0)


def relu_vjp(g, x):
    return g * (x > 0)


def abs_vjp(g, x):
    return g * np.sign(x)


# ------------------------------------------------------------------------------- right ones


@pytest.mark.parametrize("seed", range(3))
def test_right_gradients_pass(seed):
    assert check(dense, X, W, B, vjp=dense_vjp, seed=seed)
    assert check(gl.dense, X, W, B, order=2, seed=seed)
    assert check(square, 3.0, vjp=square_vjp, seed=seed)
    assert check(np.sum, X, grad=np.ones_like, seed=seed)
    assert check(square, np.zeros((0, 3)), vjp=square_vjp, seed=seed)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layouts_and_precisions(dtype):
    x = rng.normal(size=(6, 4)).astype(dtype)
    frozen = x.copy()
    frozen.flags.writeable = False
    for a in (x, np.asfortranarray(x), x[::2], x[::-1, ::-1], frozen):
        assert check(np.tanh, a, vjp=tanh_vjp)


def test_the_callers_arrays_stay_as_they_are():
    def writes(g, x):
        x[...] = 0.0
        return 2 * g * x

    x = np.array([1.0, 2.0])
    report = check(square, x, vjp=writes)
    assert "changed its argument x" in str(report)
    assert x.tolist() == [1.0, 2.0]


def test_wrt_leaves_labels_alone():
    def picked(labels, z):
        return z[np.arange(len(labels)), labels]

    def vjp(g, labels, z):
        dz = np.zeros_like(z)
        dz[np.arange(len(labels)), labels] = g
        return None, dz

    labels = np.array([0, 2, 1, 1])
    assert check(picked, labels, X, vjp=vjp, wrt=1)

    def only_z(g, labels, z):
        return vjp(g, labels, z)[1]

    assert check(picked, labels, X, vjp=only_z, wrt=-1)
    assert check(gl.sparse_categorical_crossentropy, labels, softmax(X), wrt=(1,))


def test_the_second_order_is_checked_too():
    x = np.array([0.5, -2.0])
    assert "gradient of the gradient" in str(check(gl.tanh, x, order=2))

    @gl.primitive
    def fourth_power(x):
        return x * x * x * x

    @fourth_power.partial("x")
    def slope(x):
        return 4.0 * gl.Tensor(x.data) * x * x if isinstance(x, gl.Tensor) else 4.0 * x * x * x

    assert check(fourth_power, x)
    report = check(fourth_power, x, order=2)
    assert not report and report.first
    assert "gradient of fourth_power" in str(report)


@pytest.mark.parametrize("f", [gl.relu, gl.abs, gl.leaky_relu, gl.elu])
def test_where_a_gradient_jumps_it_has_no_second_order(f):
    assert check(f, np.array([0.0, 1.0, -1.0]), order=2)


# ------------------------------------------------------------------------------- kinks, domains


@pytest.mark.parametrize(
    ("kinks", "accepted"),
    [
        ("subgradient", (True, True, False)),
        ("convention", (True, False, False)),
        ("skip", (True, True, True)),
        ("error", (False, False, False)),
        ({0.0: 0.0}, (True, True, False)),
        ({0.0: 1.0}, (False, False, False)),
        ({3.0: 1.0}, (True, True, False)),
    ],
)
def test_kinks(kinks, accepted):
    def two_at_zero(g, x):
        return g * np.where(x == 0, 2.0, np.sign(x))

    x = np.array([0.0, 1.0])
    pairs = [(relu, relu_vjp), (np.abs, abs_vjp), (np.abs, two_at_zero)]
    assert tuple(bool(check(f, x, vjp=vjp, kinks=kinks)) for f, vjp in pairs) == accepted


def test_ties():
    def first(g, x):
        dx = np.zeros_like(x)
        dx[x.argmax()] = g
        return dx

    def shared(g, x):
        top = x == x.max()
        return g * top / top.sum()

    def every(g, x):
        return g * (x == x.max())

    for ties in ([1.0, 1.0], [1.0, 0.0, 1.0, 1.0]):
        assert check(np.max, np.array(ties), vjp=first)
        assert check(np.max, np.array(ties), vjp=shared)
        assert "moved together" in str(check(np.max, np.array(ties), vjp=every))


@pytest.mark.parametrize("seed", range(4))
def test_of_several_equal_numbers_any_is_the_median(seed):
    def vjp(g, x):
        dx = np.zeros_like(x)
        dx[np.argsort(x)[len(x) // 2]] = g
        return dx

    for x in ([1.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0, 2.0]):
        assert check(np.median, np.array(x), vjp=vjp, seed=seed)
        assert not check(np.median, np.array(x), vjp=lambda g, x: -vjp(g, x), seed=seed)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("(-inf, inf) except 0", [True, False, True, True]),
        ("(0, 1]", [False, False, False, True]),
        ("x != 0", [True, False, True, True]),
        ("abs(x) < 1", [False, True, False, False]),
        ("0 < x <= 1", [False, False, False, True]),
        ("x < -1 or not x < 1", [False, False, True, True]),
        ("(x[0] > 0) and x.sum() > 0", [False, True, True, True]),
        (gl.entry.Interval(0.0), [False, False, False, True]),
        (None, [True, True, True, True]),
    ],
)
def test_the_grammar_of_domains(domain, expected):
    arrays = ([-2.0, 0.5], [0.5, 0.0], [4.0, -2.0], [1.0, 1.0])
    assert [inside(domain)(np.array(a)) for a in arrays] == expected


@pytest.mark.parametrize("text", ["x >", "(0)", "[0, 1, 2]", "y > 0", ""])
def test_texts_that_are_no_domain(text):
    with pytest.raises(ValueError, match="neither an interval nor an expression"):
        inside(text)


@pytest.mark.parametrize("domain", ["x > 0", "(0, inf)", lambda x: x > 0, gl.entry.Interval(0.0)])
def test_domains(domain):
    asked = []

    def log(x):
        asked.append(float(np.min(x)))
        return np.log(x)

    assert check(log, np.array([1e-6, 2.0]), vjp=lambda g, x: g / x, domain=domain)
    assert min(asked) > 0
    with pytest.raises(ValueError, match="outside the declared domain"):
        check(log, np.array([-1.0]), vjp=lambda g, x: g / x, domain=domain)


def test_a_domain_for_each_argument():
    def f(x, y):
        return np.log(x) * y

    def vjp(g, x, y):
        return g * y / x, g * np.log(x)

    assert check(f, 0.5, -1.0, vjp=vjp, domain=("x > 0", None))
    with pytest.raises(ValueError, match="2 differentiated"):
        check(f, 0.5, -1.0, vjp=vjp, domain=("x > 0",))


def test_points_where_f_raises_are_a_question_of_domain():
    def picky(x):
        if x > 0.35:
            raise IndexError("no such row")
        return x * x

    report = check(picky, 0.34, vjp=square_vjp)
    assert report and re.search(r"domain\? picky raised IndexError at x = 0\.\d+", str(report))
    with pytest.raises(IndexError):
        check(picky, 1.0, vjp=square_vjp)

    def careful(x):
        if (x < 0).any():
            raise ValueError("negative")
        return np.sqrt(x)

    with pytest.raises(
        gl.DomainError, match=r"careful raised ValueError at x = \[-1\.\]: negative"
    ):
        check(careful, np.array([-1.0]), vjp=square_vjp)


def test_nothing_is_claimed_where_f_is_nan():
    report = check(np.log, np.array([-1.0]), vjp=lambda g, x: g / x)
    assert report and "compared with nothing" in str(report)
    assert report.worst is None
    with pytest.raises(ValueError, match="no slope was compared"):
        report.plot()
    inside = check(np.log, np.array([-1.0]), vjp=lambda g, x: g / x, domain="x > -2")
    assert not inside and "nan at a point of its declared domain" in str(inside)


# ------------------------------------------------------------------------------- diagnoses


def last_row(g, x):
    dx = np.zeros_like(x)
    dx[ROWS] = g
    return dx


def one_forgotten(g, x):
    dx = tanh_vjp(g, x)
    dx[3, 1] = 0.0
    return dx


def beyond_minus_four(g, x):
    return np.where(x < -4, 1.1, 1.0) * tanh_vjp(g, x)


def matmul(x, W):
    return x @ W


WRONG = {  # more of them are in gradlab.testing.benchmark
    "factor 1/2": (lambda x: x**2 / 2, lambda g, x: 2 * g * x, (X,), "factor 1/2 missing"),
    "of a batch": (dense, lambda g, *a: [d / 4 for d in dense_vjp(g, *a)], (X, W, B), "^1/4 times"),
    "some factor": (np.tanh, lambda g, x: 1.005 * tanh_vjp(g, x), (np.zeros(1),), "^1.005 times"),
    "transposed": (matmul, lambda g, x, W: (g @ W.T, g.T @ x), (X, W), "transposed.*write .T"),
    "shapes clash": (matmul, lambda g, x, W: (g @ W, x.T @ g), (X, W), r"shapes do not.*g @ W\.T"),
    "keepdims": (np.add, lambda g, x, b: (g, g), (X, X[:, :1]), r"axis=1, keepdims=True"),
    "first row only": (np.add, lambda g, x, b: (g, g[0]), (X, X[0]), "overwritten.*first use"),
    "embedding": (lambda x: x[ROWS], last_row, (SQUARE,), "overwritten.*last use"),
    "slope of sigmoid": (
        lambda x: 1 / (1 + np.exp(-(x @ W))),
        lambda g, x: g @ W.T,
        (X,),
        "slope of sigmoid is missing",
    ),
    "no slope, no trace": (lambda x: np.tanh(np.array(x)), lambda g, x: g, (X,), "g itself"),
    "zero, seen by few": (np.ptp, lambda g, x: np.zeros_like(x), (X,), "^zero everywhere"),
    "ones": (
        lambda x: x.sum(1),
        lambda g, x: g.mean() * np.ones_like(x),
        (X,),
        "cotangent of ones",
    ),
    "beyond both ends": (
        lambda x: np.where(abs(x) <= 1, x * x / 2, abs(x) - 0.5),
        lambda g, x: g * x,
        (np.array([2.0]),),
        "only above x = 1:",
    ),
    "in between": (
        np.tanh,
        lambda g, x: np.where(abs(x - 1) < 0.5, 2, 1) * tanh_vjp(g, x),
        (np.array([1.25]),),
        "only above x = 0.5 and below x = 1.5",
    ),
    "swapped": (np.multiply, lambda g, x, y: (g * x, g * y), (X, X[::-1]), "swapped.*is that of"),
    "unused": (lambda x, u: x * x, lambda g, x, u: (2 * g * x, g), (X, X), "does not depend on u"),
}


@pytest.mark.parametrize("name", WRONG)
def test_diagnosis(name):
    f, vjp, args, said = WRONG[name]
    report = check(f, *args, vjp=vjp)
    assert not report
    assert re.search(said, str(report.diagnosis)), report
    assert len(str(report).splitlines()) <= 8
    assert str(report.diagnosis) in str(report)


def test_the_rule_to_blame_is_found_in_a_function_of_many():
    @gl.primitive
    def cubed(x):
        return x * x * x

    @cubed.partial("x")
    def cubed_slope(x):
        return 6.0 * x * x

    report = check(lambda x: gl.tanh(0.1 * cubed(gl.sin(x))).sum(), X)
    assert str(report.diagnosis).startswith("the rule of cubed for x: twice the right gradient")


def test_float32_is_diagnosed_as_well():
    report = check(np.tanh, X.astype(np.float32), vjp=lambda g, x: 2 * tanh_vjp(g, x))
    assert "twice the right gradient" in str(report.diagnosis)


def test_a_function_that_takes_float32_only():
    def strict(x):
        if x.dtype != np.float32:
            raise RuntimeError("expected Float but found Double")
        return np.tanh(x)

    x = X.astype(np.float32)
    assert "12 of 12 elements" in str(gradcheck(strict, x, vjp=tanh_vjp))
    report = check(strict, x, vjp=lambda g, x: np.float32(1.01) * tanh_vjp(g, x))
    assert "1.01 times the right gradient" in str(report)

    def strict_vjp(g, x):
        assert g.dtype == x.dtype == np.float32
        return np.float32(1.01) * tanh_vjp(g, x)

    assert not check(np.tanh, x, vjp=strict_vjp)


def test_an_unusual_mistake_is_reported_without_a_guess():
    report = check(np.tanh, X, vjp=lambda g, x: tanh_vjp(g, np.tanh(x)))
    assert not report and report.diagnosis is None and "likely" not in str(report)


# ------------------------------------------------------------------------------- laws


class Stateful:
    """A layer whose gradient depends on what was called before."""

    def __init__(self):
        self.kept, self.total = None, 0.0

    def never_cleared(self, g, x):
        self.total = self.total + tanh_vjp(g, x)
        return self.total

    def stale(self, g, x):
        self.kept = np.tanh(x) if self.kept is None else self.kept
        return g * (1 - self.kept**2)


def multiplies_in_place(g, x):
    g *= 2 * x
    return g


BROKEN = {
    "reads only": (square, multiplies_in_place, "changed the cotangent g"),
    "repeatable": (np.tanh, Stateful().never_cleared, "never set back to 0"),
    "linear in g": (np.tanh, lambda g, x: tanh_vjp(np.where(g > 0.9, g, 0.0), x), "not linear"),
    "as precise as its argument": (
        np.tanh,
        lambda g, x: tanh_vjp(g, x).astype(np.float32),
        "is float32, expected float64",
    ),
    "adds up uses": (
        np.multiply,
        lambda g, x, y: (g * y, g * x * (x is not y)),
        "one array given as both",
    ),
}


@pytest.mark.parametrize("law", LAWS)
def test_every_law_can_be_broken(law):
    f, vjp, said = BROKEN[law]
    report = check(f, *([X] if law != "adds up uses" else [X, X[::-1]]), vjp=vjp)
    assert law in {p.kind for p in report.problems}
    assert said in " ".join(map(str, report.problems))


def test_random_functions_and_stale_values_are_seen():
    def dropout(x):
        return x * np.random.default_rng().integers(0, 2, x.shape)

    assert "two values for one input" in str(check(dropout, X, vjp=lambda g, x: g))
    assert "earlier call used again" in str(check(np.tanh, X, vjp=Stateful().stale))


def test_what_is_right_here_and_wrong_elsewhere_is_not_taken_for_a_memory():
    shapes = set()

    def relu6(x):
        shapes.add((type(x), x.shape))
        return np.clip(x, 0.0, 6.0)

    for x in (np.array(5.75), np.array([1.0, 5.75]), np.array(6.0)):
        report = check(relu6, x, vjp=relu_vjp)
        assert [p.kind for p in report.problems] == ["elsewhere"]
        assert "right here, but the gradient of x is wrong at x = " in str(report)
    assert shapes == {(np.ndarray, ()), (np.ndarray, (2,))}
    assert check(relu6, np.array(5.0), vjp=relu_vjp)


def test_float32_inside_float64_is_no_memory_either():
    def inside_float32(x):
        return np.tanh(x.astype(np.float32)).astype(np.float64)

    def vjp(g, x):
        return g * (1 - inside_float32(x) ** 2)

    for x in ([20.0, 9.0], [10.54637307, 8.98453617], [10.80550222, 8.88756298]):
        assert check(inside_float32, np.array(x), vjp=vjp)


# ------------------------------------------------------------------------------- the report


def test_the_report_of_a_wrong_gradient():
    with pytest.raises(GradientError, match="likely: the sign is wrong") as caught:
        gradcheck(square, np.array([0.5, -2.0]), vjp=lambda g, x: -2 * g * x)
    report = caught.value.report
    worst = report.worst
    assert not report and len(report.problems) == 2
    assert worst.where == f"x[{worst.index[0]}]" and worst.excess > 1e6
    assert worst.low == worst.high == pytest.approx(-worst.analytic)
    assert report.table().count("WRONG") == 2
    assert isinstance(caught.value, AssertionError)


def test_the_report_of_a_right_one():
    report = gradcheck(gl.relu, np.array([0.0, 1.0, -1.0]))
    assert "3 of 3 elements" in str(report) and "1 at a kink" in str(report)
    assert report.diagnosis is None and report.worst.excess <= 1
    assert "a kink" in report.table() and "WRONG" not in report.table()


def test_large_arrays_are_sampled():
    def one_of_many(g, x):
        dx = tanh_vjp(g, x)
        dx[17, 23] *= 1.5
        return dx

    x = rng.normal(size=(40, 30))
    calls = []

    def counted(x):
        calls.append(1)
        return np.tanh(x)

    report = gradcheck(counted, x, vjp=tanh_vjp, max_coords=8)
    assert len(calls) < 1000
    assert "8 of 1200 elements compared one by one, then all along 2" in str(report)
    report = check(np.tanh, x, vjp=one_of_many, max_coords=8)
    assert report.worst.index == (17, 23)


def test_tolerances_only_loosen():
    def slightly_off(g, x):
        return 1.0005 * tanh_vjp(g, x)

    assert not check(np.tanh, X, vjp=slightly_off)
    assert not check(np.tanh, X, vjp=slightly_off, rtol=1e-5)
    assert check(np.tanh, X, vjp=slightly_off, rtol=1e-3)
    assert check(np.tanh, X, vjp=slightly_off, atol=1e-2)


def test_the_v_curve():
    import matplotlib.pyplot as plt

    ax = check(np.tanh, X, vjp=lambda g, x: 2 * tanh_vjp(g, x)).plot()
    forward, central = (line.get_ydata() for line in ax.lines[:2])
    steps = ax.lines[0].get_xdata()
    assert 1e-9 < steps[np.nanargmin(forward)] < 1e-6 < steps[np.nanargmin(central)] < 1e-3
    assert ax.get_xlabel() == "step h"
    assert check(np.tanh, X, vjp=tanh_vjp).plot(ax) is ax
    plt.close(ax.figure)


# ------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: gradcheck(square, np.array([1, 2])), TypeError, r"argument 0 is .* of int64"),
        (lambda: gradcheck(square, 1), TypeError, "expected floats"),
        (lambda: gradcheck(square, 1j), TypeError, "complex128"),
        (lambda: gradcheck(square), TypeError, "no arguments"),
        (lambda: gradcheck(3.0, 1.0), TypeError, "expected a function"),
        (lambda: gradcheck(lambda x: None, 1.0, vjp=square_vjp), TypeError, "returned nothing"),
        (lambda: gradcheck(lambda x: (x, x), 1.0, vjp=square_vjp), TypeError, "returned tuple"),
        (lambda: gradcheck(square, 1.0, vjp=lambda g, x: (g, g)), TypeError, "2 gradient"),
        (lambda: gradcheck(square, 1.0, vjp=square_vjp, grad=square), ValueError, "both"),
        (lambda: gradcheck(square, 1.0, vjp=square_vjp, order=2), ValueError, "order=2"),
        (lambda: gradcheck(square, 1.0, order=3), ValueError, "order 1 or 2"),
        (lambda: gradcheck(square, 1.0, kinks="ignore"), ValueError, "kinks among"),
        (lambda: gradcheck(square, 1.0, wrt=1), ValueError, "wrt=1"),
        (lambda: gradcheck(square, 1.0, domain="x >"), ValueError, "neither an interval nor"),
    ],
)
def test_bad_input_is_told_in_three_lines(call, error, said):
    with pytest.raises(error, match=said) as caught:
        call()
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("gradient", "said"),
    [
        (lambda g, x, W, b: (None, *dense_vjp(g, x, W, b)[1:]), "gradient of x is None"),
        (
            lambda g, x, W, b: (g, *dense_vjp(g, x, W, b)[1:]),
            r"x is of shape \(4, 2\), expected.*\(4, 3\)",
        ),
        (lambda g, x, W, b: (*dense_vjp(g, x, W, b)[:2], np.ones(2, int)), "b is of dtype int64"),
        (lambda g, x, W, b: 1 / 0, "backward pass raised ZeroDivisionError"),
    ],
)
def test_gradients_that_are_not_arrays_like_their_argument(gradient, said):
    report = check(dense, X, W, B, vjp=gradient)
    assert not report and re.search(said, str(report))
    with pytest.raises(GradientError, match=said):
        gradcheck(dense, X, W, B, vjp=gradient)

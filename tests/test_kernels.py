"""The kernels against their plain NumPy references."""

from __future__ import annotations

import math
import operator
import os
import subprocess
import sys

import numpy as np
import pytest

import gradlab
from gradlab import config, keras
from gradlab.errors import ShapeError
from gradlab.kernels import (
    approximations,
    blas,
    dense,
    elementwise,
    generated,
    lift,
    matmul,
    products,
    threads,
    updates,
)
from gradlab.primitive import REGISTRY, Primitive

RNG = np.random.default_rng(6)
needs_numba = pytest.mark.skipif(not generated.available(), reason="Numba compiles nothing here")


@pytest.fixture(autouse=True)
def same_numbers_in_any_order():
    RNG.bit_generator.state = np.random.default_rng(6).bit_generator.state


# ------------------------------------------------------------------------------ matrix products


def matrix(rows, columns, layout, dtype):
    """Return random numbers laid out in memory as the name says."""
    if layout == "transposed":
        return RNG.normal(size=(columns, rows)).astype(dtype).T
    if layout == "cut out":
        return RNG.normal(size=(rows + 2, columns + 3)).astype(dtype)[1:-1, 2:-1]
    if layout == "every other":
        return RNG.normal(size=(2 * rows, 2 * columns)).astype(dtype)[::2, ::2]
    if layout == "backwards":
        return RNG.normal(size=(rows, columns)).astype(dtype)[::-1]
    return RNG.normal(size=(rows, columns)).astype(dtype)


LAYOUTS = ["rows", "transposed", "cut out", "every other", "backwards"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_gemm_reads_and_writes_any_layout(layout, place, dtype):
    layouts = ["rows", "rows", "rows"]
    layouts[place] = layout
    for m, k, n in [(5, 7, 3), (1, 1, 1), (1, 4, 6), (6, 1, 4), (4, 5, 1)]:
        a, b, out = (
            matrix(rows, columns, name, dtype)
            for (rows, columns), name in zip([(m, k), (k, n), (m, n)], layouts, strict=True)
        )
        expected = -0.5 * a.astype("f8") @ b.astype("f8") + 0.25 * out.astype("f8")
        blas.gemm(a, b, out, alpha=-0.5, beta=0.25)
        np.testing.assert_allclose(out, expected, rtol=0, atol=30 * np.finfo(dtype).eps)


@pytest.mark.parametrize("without", [False, True])
def test_gemm_with_beta_zero_forgets_even_nan(monkeypatch, without):
    if without:
        monkeypatch.setattr(blas, "routine", no_routine)
    a, b, out = np.ones((2, 3)), np.ones((3, 2)), np.full((2, 2), np.nan)
    blas.gemm(a, b, out, alpha=2.0)
    assert (out == 6.0).all()
    blas.gemm(a, b, out, beta=0.5)
    assert (out == 6.0).all()
    blas.gemm(a, b, out)
    assert (out == 3.0).all()


def no_routine(dtype):
    return None


def test_numpys_own_blas_is_found_where_numpy_bundles_one():
    if "openblas" not in str(np.show_config("dicts")["Build Dependencies"]["blas"]["name"]):
        pytest.skip("this NumPy has another BLAS")
    assert blas.routine(np.dtype("f4")) and blas.routine(np.dtype("f8"))


@needs_numba
def test_a_compiled_loop_calls_the_same_routine():
    numba = pytest.importorskip("numba")
    product = blas.external(np.dtype("f4"))
    if product is None:
        pytest.skip("this NumPy has another BLAS")

    @numba.njit
    def times_two(a, b, out):
        (m, k), n = a.shape, b.shape[1]
        a_at, b_at, out_at = a.ctypes.data, b.ctypes.data, out.ctypes.data
        product(101, 111, 111, m, n, k, 2.0, a_at, k, b_at, n, 0.0, out_at, n)

    a, b = (matrix(4, 4, "rows", "f4") for _ in range(2))
    out = np.empty((4, 4), "f4")
    times_two(a, b, out)
    np.testing.assert_allclose(out, 2 * a @ b, rtol=1e-5)


def test_gemm_of_nothing_is_zero():
    out = np.ones((2, 2))
    blas.gemm(np.ones((2, 0)), np.ones((0, 2)), out)
    assert (out == 0.0).all()


def test_a_bound_product_keeps_its_arrays_and_sees_their_new_numbers():
    out = np.zeros((1, 1))
    x = np.ones((1, 2))
    call = blas.bind(x, np.ones((2, 1)), out)
    x[:] = 3.0
    call()
    assert out[0, 0] == 6.0


def test_gemm_refuses_what_does_not_fit():
    with pytest.raises(ShapeError, match=r"\(2, 3\) times \(2, 3\)"):
        blas.gemm(np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(TypeError, match="expected one dtype"):
        blas.gemm(np.ones((2, 3)), np.ones((3, 2), "f4"), np.ones((2, 2)))


@needs_numba
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_tiled_product_is_the_product(monkeypatch, dtype):
    monkeypatch.setattr(config, "matmul", "numba")
    sizes = [(1, 1, 50), (4, 7, 48), (9, 300, 53), (33, 129, 17), (5, 128, 16), (8, 256, 49)]
    for layout in LAYOUTS:
        for m, k, n in sizes:
            a, b = matrix(m, k, layout, dtype), matrix(k, n, "cut out", dtype)
            out = np.full((m, n + 1), np.nan, dtype)[:, 1:]
            call = blas.bind(a, b, out)
            assert call.func is matmul.product
            call()
            expected = a.astype("f8") @ b.astype("f8")
            np.testing.assert_allclose(out, expected, rtol=0, atol=4 * k * np.finfo(dtype).eps)


def test_products_that_the_tiles_cannot_do_go_to_blas(monkeypatch):
    monkeypatch.setattr(config, "matmul", "numba")
    out = np.empty((3, 2))
    for b in (np.ones((40, 2)), np.ones((2, 40)).T):
        assert blas.bind(np.ones((3, 40)), b, out).func is np.matmul


# --------------------------------------------------------------------------------- the switches


@pytest.fixture
def blas_threads():
    def count():
        return max((row["num_threads"] for row in threads._controller().info()), default=1)

    return count


def test_config_threads_overrules_the_size(monkeypatch, blas_threads):
    monkeypatch.setattr(config, "threads", 2)
    with threads.for_products_of(1.0):
        assert blas_threads() == 2
    monkeypatch.setattr(config, "threads", "auto")
    with threads.for_products_of(1.0):
        assert blas_threads() == 1


@pytest.mark.parametrize(("name", "value"), [("matmul", "mkl"), ("threads", 0), ("threads", True)])
def test_config_refuses_other_settings(name, value):
    before = getattr(config, name)
    with pytest.raises(ValueError, match=rf"gradlab\.config\.{name} = .*\nexpected .*\nwrite "):
        setattr(config, name, value)
    assert getattr(config, name) == before


# --------------------------------------------------------------------------- elementwise loops


ELEMENTWISE = [op for op in REGISTRY.values() if isinstance(op, Primitive) and op.elementwise]
RULES = [(op, name) for op in ELEMENTWISE for name in op.differentiable if not op.flat]
COMPILED = ["sigmoid", "relu", "gelu", "softplus", "where"]


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory):
    """Generated loops go to a folder of this test run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADLAB_HOME", str(tmp_path_factory.mktemp("gradlab")))
        yield


def inputs_of(op, dtype, n=40):
    """Return numbers inside the domain for each operand, and the defaults of the parameters."""
    given = {}
    for name in op.operands:
        interval = op.domain.get(name)
        low, high = (-4.0, 4.0) if interval is None else (interval.low, interval.high)
        low, high = max(low, -4.0), min(high, 4.0)
        margin = 1e-3 * (high - low)
        given[name] = RNG.uniform(low + margin, high - margin, n).astype(dtype)
    if "condition" in given:
        given["condition"] = given["condition"] > 0.0
    return {**given, **op.defaults}


def slope_case(op, name, dtype):
    """Return the inputs of the slope's loop, and what NumPy makes of them."""
    given = inputs_of(op, dtype)
    given["y"] = np.asarray(op.array(*given.values()), dtype)
    given["g"] = RNG.normal(size=40).astype(dtype)
    known = [*given.values(), None]
    known[-2], known[-3] = given["g"], given["y"]
    expected = np.broadcast_to(given["g"] * op.rules[name](known), (40,))
    return {n: given[n] for n in elementwise.slope_of(op, name).inputs}, expected


def interpreted(fused, dtype, given, out):
    """Run the text of the loop as plain Python: what it says, without waiting for a compiler."""
    kinds, arrays = [], []
    for name in fused.inputs:
        array = np.asarray(given[name])
        kinds.append((name, "r, c" if array.ndim else "0, 0", array.dtype == bool))
        arrays.append(array.reshape(1, -1))
    space = {"kept": itself, "inlined": itself}
    exec(fused.source(dtype, kinds), space)
    with np.errstate(all="ignore"):
        space["loop"](out.reshape(1, -1), *arrays)


def itself(function):
    return function


CLOSE = {"float32": dict(rtol=3e-6, atol=3e-6), "float64": dict(rtol=1e-13, atol=1e-13)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", ELEMENTWISE, ids=str)
def test_the_text_of_every_value_loop_means_the_value(op, dtype):
    given, y = inputs_of(op, dtype), np.empty(40, dtype)
    interpreted(elementwise.value_of(op), dtype, given, y)
    np.testing.assert_allclose(y, op.array(*given.values()), **CLOSE[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("op", "name"), RULES, ids=str)
def test_the_text_of_every_slope_loop_means_the_slope(op, name, dtype):
    given, expected = slope_case(op, name, dtype)
    flow = np.empty(40, dtype)
    interpreted(elementwise.slope_of(op, name), dtype, given, flow)
    np.testing.assert_allclose(flow, expected, **CLOSE[dtype])


def check_compiled(op, dtype):
    given, y = inputs_of(op, dtype), np.empty(40, dtype)
    elementwise.value_of(op)(given, {"y": y})
    np.testing.assert_allclose(y, op.array(*given.values()), **CLOSE[dtype])
    for name in op.differentiable:
        if not op.flat:
            given, expected = slope_case(op, name, dtype)
            flow = np.empty(40, dtype)
            elementwise.slope_of(op, name)(given, {"flow": flow})
            np.testing.assert_allclose(flow, expected, **CLOSE[dtype])


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_loops_have_the_table_s_values_and_slopes(name):
    check_compiled(REGISTRY[name], "float32")


@pytest.mark.slow
@pytest.mark.parametrize("op", ELEMENTWISE, ids=str)
def test_every_loop_compiles_and_has_the_table_s_values_and_slopes(op):
    check_compiled(op, "float32")


def test_a_flat_primitive_passes_no_gradient_on():
    flow = np.ones(2)
    elementwise.slope_of(REGISTRY["step"], "x")({"g": np.ones(2)}, {"flow": flow})
    assert (flow == 0.0).all()


CHAIN = [
    ("z", operator.add, ["x", "b"]),
    ("a", REGISTRY["tanh"], ["z"]),
    ("big", operator.gt, ["z", 0.0]),
    ("picked", REGISTRY["where"], ["big", "a", 0.25]),
    ("scaled", operator.mul, ["picked", "s"]),
]


def chain_by_hand(x, b, s):
    return np.where(x + b > 0.0, np.tanh(x + b), 0.25) * s


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=needs_numba), False])
@pytest.mark.parametrize(
    ("b_shape", "s_shape"),
    [((4,), ()), ((3, 1), (1,)), ((2, 3, 4), (4,)), ((2, 1, 1), (1, 3, 1)), ((3, 4), (2, 3, 1))],
)
def test_a_chain_of_steps_broadcasts_like_numpy(monkeypatch, b_shape, s_shape, compiled):
    if not compiled:
        monkeypatch.setattr(generated, "available", not_available)
    x, b, s = (RNG.normal(size=shape).astype("f4") for shape in ((2, 3, 4), b_shape, s_shape))
    outs = {"scaled": np.empty((2, 3, 4), "f4"), "a": np.empty((2, 3, 4), "f4")}
    call = elementwise.Fused(CHAIN, ["scaled", "a"]).bind({"x": x, "b": b, "s": s}, outs)
    for _ in range(2):
        call()
        np.testing.assert_allclose(outs["scaled"], chain_by_hand(x, b, s), rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(outs["a"], np.tanh(x + b), rtol=1e-6, atol=1e-7)
        for array in (x, b, s):
            array += 0.5  # a bound call sees what is in its arrays at the time


def not_available():
    return False


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=needs_numba), False])
def test_an_output_may_take_the_place_of_an_input(monkeypatch, compiled):
    if not compiled:
        monkeypatch.setattr(generated, "available", not_available)
    x = RNG.normal(size=(5, 7))
    given = x.copy()
    steps = [("y", operator.mul, ["x", 2.0]), ("z", operator.add, ["y", 1.0])]
    y = np.empty_like(x)
    elementwise.Fused(steps, ["y", "z"])({"x": x}, {"y": y, "z": x})
    assert (y == 2.0 * given).all() and (x == 2.0 * given + 1.0).all()


def test_whole_numbers_and_other_layouts_are_read_as_they_are():
    labels, x = np.array([[1, 0, 2]]), RNG.normal(size=(3, 2)).astype("f4").T
    out = np.empty((2, 3), "f4")
    elementwise.Fused([("e", operator.sub, ["x", "t"])], ["e"])({"x": x, "t": labels}, {"e": out})
    np.testing.assert_array_equal(out, x - labels.astype("f4"))
    call = elementwise.Fused([("e", operator.neg, ["x"])], ["e"]).bind({"x": x}, {"e": out})
    x *= 2.0
    call()
    assert (out == -x).all()
    strided = np.empty((3, 2), "f4").T
    elementwise.Fused([("e", operator.neg, ["x"])], ["e"])({"x": x}, {"e": strided})
    assert (strided == -x).all()


def test_a_loop_over_nothing_does_nothing():
    out = np.empty((0, 3), "f4")
    elementwise.value_of(REGISTRY["relu"])({"x": out.copy()}, {"y": out})


def test_a_wrong_shape_is_refused():
    with pytest.raises(ShapeError, match=r"x has shape \(3,\), the output \(2,\)"):
        elementwise.value_of(REGISTRY["relu"])({"x": np.ones(3)}, {"y": np.ones(2)})


def branches(x):
    if x > 0.0:
        return x
    return 0.0


def test_a_rule_that_branches_with_a_statement_is_refused():
    with pytest.raises(SyntaxError, match="write return a if condition else b"):
        elementwise.Fused([("y", branches, ["x"])], ["y"]).source("float32")


@needs_numba
def test_a_number_may_be_called_like_a_function():
    steps = [("exp", REGISTRY["sigmoid"], ["sigmoid"]), ("y", REGISTRY["exp"], ["exp"])]
    y = np.empty(1)
    elementwise.Fused(steps, ["y"])({"sigmoid": np.zeros(1)}, {"y": y})
    assert y[0] == pytest.approx(math.exp(0.5))


def test_a_function_whose_text_cannot_be_read_runs_as_it_is():
    space = {}
    exec("def twice(x):\n    return 2.0 * x", space)
    y = np.empty(2)
    elementwise.Fused([("y", space["twice"], ["x"])], ["y"])({"x": np.ones(2)}, {"y": y})
    assert (y == 2.0).all()


@pytest.mark.parametrize("name", ["r", "out0", "x_", "for", "a b"])
def test_a_number_without_a_proper_name_is_refused(name):
    with pytest.raises(ValueError, match=f"a number called '{name}'\n.*\nwrite v0"):
        elementwise.Fused([("y", operator.neg, [name])], ["y"])


def test_what_does_not_vectorise_is_known():
    assert elementwise.value_of(REGISTRY["sin"]).scalar_calls == {"sin"}
    assert not elementwise.value_of(REGISTRY["gelu"]).scalar_calls


@needs_numba
@pytest.mark.parametrize("name", ["relu", "sigmoid", "maximum", "clip", "exp", "tanh", "log1p"])
def test_nan_and_infinity_come_out_as_numpy_s(name):
    op = REGISTRY[name]
    edge = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e30, 1e-42], "f4")
    given = {n: np.roll(edge, k) for k, n in enumerate(op.operands)}
    y = np.empty_like(edge)
    elementwise.value_of(op)(given, {"y": y})
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(y, op.array(*given.values()), rtol=1e-6)


# --------------------------------------------------------------------------- approximations

ULP = {
    "exp": (1.5, 1.5),
    "exp_of_negative": (1.5, 1.5),
    "expm1": (2.0, 2.0),
    "tanh": (3.0, 3.0),
    "log": (1.0, 1.0),
    "log1p": (2.0, 2.0),
    "log1p_up_to_one": (2.0, 2.0),
    "erf": (3.0, 4.0),
    "erfc": (8.0, 16.0),
}


def largest_ulp(name, x, expected):
    """Return the largest error in units in the last place of the expected number."""
    found = np.empty_like(x)
    op = REGISTRY.get(name) or getattr(approximations, name)
    elementwise.Fused([("y", op, ["x"])], ["y"])({"x": x}, {"y": found})
    with np.errstate(all="ignore"):
        rounded = expected.astype(x.dtype)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(rounded))
        error = np.abs(found.astype(expected.dtype) - expected) / np.spacing(np.abs(rounded))
    return np.max(error[np.isfinite(rounded)])


@needs_numba
@pytest.mark.parametrize("name", ULP)
def test_float32_error_over_all_exponents(name):
    x = np.arange(0, 2**32, 32771, dtype=np.uint64).astype("u4").view("f4")  # 131,000 of them
    with np.errstate(all="ignore"):
        x = LIMITED.get(name, np.positive)(x)
        wide = x.astype("f8")
        expected = special_functions(name, wide)
    assert largest_ulp(name, x, expected) <= ULP[name][0]


@needs_numba
@pytest.mark.slow
@pytest.mark.parametrize("name", ULP)
def test_float64_error(name):
    n = 500_000
    x = np.concatenate([RNG.normal(size=n) * 10.0 ** RNG.integers(-8, 3, n), RNG.uniform(-9, 9, n)])
    if name in ("log", "log1p"):
        x = np.abs(x)
    x = LIMITED.get(name, np.positive)(x)
    if name == "erfc":
        x = np.minimum(x, 26.0)  # beyond, the result is too small to have all its digits
    with np.errstate(all="ignore"):
        expected = special_functions(name, x if name.startswith("erf") else x.astype(np.longdouble))
    assert largest_ulp(name, x, expected) <= ULP[name][1]


def special_functions(name, x):
    if name.startswith("erf"):
        return np.array([getattr(math, name)(v) for v in x.tolist()])
    return getattr(np, name.split("_")[0])(x)


def negative(x):
    return -np.abs(x)


def up_to_one(x):
    return np.minimum(np.abs(x), x.dtype.type(1.0))


LIMITED = {"exp_of_negative": negative, "log1p_up_to_one": up_to_one}


def test_the_stated_errors_are_the_tested_ones():
    for name, (single, double) in ULP.items():
        row = f"{name:<15}  {single:<8g} {double:g}\n"
        assert row in approximations.__doc__


# ------------------------------------------------------------------------ generated modules


@needs_numba
@pytest.mark.slow
def test_a_second_process_finds_the_machine_code(tmp_path):
    assert run_elsewhere(tmp_path) == "compiled 1, loaded 0"
    assert run_elsewhere(tmp_path) == "compiled 0, loaded 1"


@needs_numba
@pytest.mark.slow
def test_without_a_folder_to_write_in_it_compiles_every_time(tmp_path):
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("")
    assert run_elsewhere(blocked) == "compiled 1, loaded 0"


def run_elsewhere(folder):
    program = """
import numpy as np, operator
from gradlab.kernels import elementwise, generated
fused = elementwise.Fused([("y", operator.add, ["x", 1.0])], ["y"])
y = np.zeros((1, 2), "f4")
call = fused.bind({"x": y}, {"y": y})
call()
assert (y == 1.0).all()
stats = call.func.stats
print(f"compiled {sum(stats.cache_misses.values()) or not stats.cache_hits:d}, "
      f"loaded {sum(stats.cache_hits.values())}")
"""
    environment = {**os.environ, "GRADLAB_HOME": str(folder)}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


# ------------------------------------------------------------------------------ NumPy's where


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_are_picked_with_the_bits_of_where(dtype):
    edge = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-310], dtype)
    a, b = (RNG.choice(edge, lift.FORESEEN) for _ in range(2))
    condition = RNG.integers(0, 2, lift.FORESEEN) > 0
    for pair in [
        (a, b),
        (1.0, b),
        (a, -0.0),
        (2.0, 3.0),
        (a[:1], b),
        (a, np.dtype(dtype).type(1.0)),
    ]:
        expected, found = np.where(condition, *pair), lift.picked(condition, *pair)
        assert found.dtype == expected.dtype and found.tobytes() == expected.tobytes()
    table = condition.reshape(64, -1)[:, ::2]
    found = lift.picked(np.repeat(table, 2, axis=1), a[:64], 0.0)
    np.testing.assert_array_equal(found, np.where(np.repeat(table, 2, axis=1), a[:64], 0.0))


# ----------------------------------------------------------------------------- dense layers


WITH_AND_WITHOUT_NUMBA = pytest.mark.parametrize(
    "compiled", [pytest.param(True, marks=needs_numba), False]
)


@WITH_AND_WITHOUT_NUMBA
@pytest.mark.parametrize(("rows", "columns"), [(5, 3), (1, 17), (33, 1)])
def test_slope_product_and_bias_gradient_in_one_pass(monkeypatch, rows, columns, compiled):
    if not compiled:
        monkeypatch.setattr(generated, "available", not_available)
    y, g = (RNG.normal(size=(rows, columns)).astype("f4") for _ in range(2))
    expected = g * (1 - y * y)
    steps = [("s", REGISTRY["tanh"].rules["x"].function, ["y"]), ("d", operator.mul, ["g", "s"])]
    bias = np.full(columns, np.nan, "f4")
    fused = elementwise.Fused(steps, ["d"], sums=["d"])
    fused({"y": y, "g": g}, {"d": g}, {"d": bias})
    np.testing.assert_allclose(g, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(bias, expected.sum(axis=0), rtol=1e-5, atol=1e-5)


@needs_numba
@pytest.mark.parametrize("columns", [2, 31, 32, 65])
def test_softmax_of_what_is_not_finite_is_numpy_s(columns):
    x = RNG.normal(size=(7, columns)).astype("f4")
    x[0, 1], x[1, 1], x[2], x[3, -1], x[4, 0] = np.nan, -np.nan, -np.inf, np.inf, -np.inf
    x[5] = -np.abs(x[5])
    x[6, 1:] = -0.0
    p = np.empty_like(x)
    dense.loop(dense.probabilities, x.dtype)(p, x)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(p, gradlab.softmax(x), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_in_place_without_overflow(dtype):
    x = (100 * RNG.normal(size=(6, 11))).astype(dtype)
    x[0], x[1, 3] = 1e30, -np.inf
    expected = REGISTRY["softmax"](x)
    dense.loop(dense.probabilities, x.dtype)(x, x)
    np.testing.assert_allclose(x, expected, rtol=2e-6 if dtype == "float32" else 1e-13, atol=1e-37)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("columns", [1, 3, 100])
def test_the_way_back_through_the_softmax(columns, dtype):
    x, g = (RNG.normal(size=(7, columns)).astype(dtype) for _ in "xg")
    scores, delta = gradlab.Tensor(x), np.empty_like(x)
    p = REGISTRY["softmax"](scores)
    p.backward(g)
    dense.loop(dense.probability_slopes, x.dtype)(delta, p.data, g)
    near = 1e-6 if dtype == "float32" else 1e-15
    np.testing.assert_allclose(delta, scores.grad, rtol=0, atol=near)


def cross_entropy_on_the_tape(x, targets, scale):
    """Return the losses, and the slope of their scaled sum, by the table's own rules."""
    name = f"{'sparse_' * (targets.ndim == 1)}categorical_crossentropy"
    scores = gradlab.Tensor(x)
    losses = REGISTRY[name](targets, REGISTRY["softmax"](scores))
    (losses * scale).sum().backward()
    return losses.data, scores.grad


@pytest.mark.parametrize("targets", ["labels", "one-hot", "smoothed"])
def test_cross_entropy_is_that_of_the_tape(targets):
    x, scale = 3 * RNG.normal(size=(9, 5)), RNG.uniform(0.1, 2.0, 9)
    labels = RNG.integers(0, 5, 9)
    x[0, labels[0]], x[1, labels[1]] = -50.0, 50.0  # both are clipped
    t = {"labels": labels, "one-hot": np.eye(5)[labels], "smoothed": 0.9 * np.eye(5)[labels] + 0.02}
    expected_loss, expected_delta = cross_entropy_on_the_tape(x, t[targets], scale)
    p, delta, bounds = np.empty_like(x), np.empty_like(x), (1e-7, 1.0 - 1e-7)
    dense.loop(dense.probabilities, x.dtype)(p, x)
    if targets == "labels":
        logs, column = np.empty((9, 1)), labels[:, np.newaxis]
        dense.loop(dense.label_logs, x.dtype)(logs, p, column, *bounds)
        np.testing.assert_allclose(-logs[:, 0], expected_loss, rtol=1e-9)
        loss = np.empty(())
        dense.loop(dense.label_loss, x.dtype)(loss, p, column, *bounds)
        np.testing.assert_allclose(loss, expected_loss.mean(), rtol=1e-9)
        dense.loop(dense.label_slopes, x.dtype)(delta, p, column, -scale[:, np.newaxis], *bounds)
    else:
        g = -scale[:, np.newaxis] * t[targets]
        dense.loop(dense.log_slopes, x.dtype)(delta, p, g, *bounds)
    np.testing.assert_allclose(delta, expected_delta, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ["uint8", "int32", "int64", "uint64"])
def test_labels_are_looked_at_before_they_are_used(kind):
    loop, rows = dense.loop(dense.label_rows, np.dtype("float32")), np.empty((4, 1), np.int64)
    labels = np.array([[0, 9], [4, 9], [2, 9], [1, 9]], kind)[:, 0]
    assert loop(rows, labels, 5) and rows[:, 0].tolist() == [0, 4, 2, 1]
    assert loop(rows, labels[:, np.newaxis], 5) and not loop(rows, labels, 4)
    assert not loop(rows, labels - 1, 5)  # -1, or the largest number there is


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_columns_are_summed_with_the_bits_of_numpy(dtype):
    a = RNG.normal(size=(33, 7)).astype(dtype)
    sums = np.empty(7, dtype)
    dense.loop(dense.column_sums, a.dtype)(sums, a)
    np.testing.assert_array_equal(sums, a.sum(axis=0))


def test_sigmoid_and_its_cross_entropy_are_one_chain():
    sigmoid, loss = REGISTRY["sigmoid"], REGISTRY["cross_entropy"]
    steps = [
        ("p", sigmoid, ["z"]),
        ("l", loss, ["t", "p"]),
        ("dp", loss.rules["y_pred"].function, ["t", "p"]),
        ("slope", sigmoid.rules["x"].function, ["p"]),
        ("dz", operator.mul, ["dp", "slope"]),
    ]
    z, t = RNG.normal(size=(4, 1)), RNG.integers(0, 2, (4, 1)).astype(float)
    outs = {name: np.empty((4, 1)) for name in ("p", "l", "dz")}
    elementwise.Fused(steps, list(outs))({"z": z, "t": t}, outs)
    np.testing.assert_allclose(outs["dz"], outs["p"] - t, rtol=1e-9)
    np.testing.assert_allclose(outs["l"], np.log1p(np.exp(z)) - t * z, rtol=1e-9)


# ------------------------------------------------------------------------- optimizer steps


OPTIMIZERS = [
    keras.optimizers.SGD(0.1),
    keras.optimizers.SGD(0.1, momentum=0.9),
    keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    keras.optimizers.Lion(0.1),
    keras.optimizers.Adagrad(0.1),
    keras.optimizers.RMSprop(0.1),
    keras.optimizers.RMSprop(0.1, centered=True, momentum=0.5),
    keras.optimizers.Adadelta(1.0),
    keras.optimizers.Adam(0.1),
    keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), amsgrad=True),
    keras.optimizers.AdamW(0.1),
    keras.optimizers.Adamax(0.1),
]


def label(optimizer):
    return type(optimizer).__name__


@needs_numba
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=label)
def test_a_step_in_one_pass_is_the_optimizer_s(optimizer):
    variable = keras.Variable(RNG.normal(size=37).astype("f4"))
    optimizer.build([variable])
    w, g = variable.numpy().copy(), np.empty(37, "f4")
    rule = updates.rule_of(optimizer)
    slots = [getattr(optimizer, name)[0] for name in rule.memory.values()]
    memory = [slot.numpy().copy() for slot in slots]
    step = updates.bind(optimizer, w, g, memory, decay=optimizer.weight_decay is not None)
    for _ in range(4):
        g[...] = RNG.normal(size=37)
        step()
        optimizer.apply([g], [variable])
        np.testing.assert_allclose(w, variable.numpy(), rtol=2e-6, atol=2e-6)
        for name, mine, slot in zip(rule.memory, memory, slots, strict=True):
            np.testing.assert_allclose(mine, slot.numpy(), rtol=2e-6, atol=2e-6, err_msg=name)


@needs_numba
def test_averages_that_have_faded_are_zero():
    m, v = np.full(3, 1.2e-38, "f4"), np.full(3, 1e-20, "f4")
    w, g, optimizer = np.ones(3, "f4"), np.zeros(3, "f4"), keras.optimizers.Adam()
    updates.bind(optimizer, w, g, [m, v])()
    assert (m == 0.0).all() and (v > 0.0).all() and (w == 1.0).all()


class Mine(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        variable.data -= gradient


def test_an_optimizer_of_your_own_has_no_kernel():
    assert updates.rule_of(Mine()) is None
    assert updates.bind(Mine(), np.ones(1), np.ones(1), []) is None


def test_without_numba_the_optimizer_does_it_itself(monkeypatch):
    monkeypatch.setattr(generated, "available", not_available)
    assert updates.bind(keras.optimizers.SGD(), np.ones(1), np.ones(1), []) is None


# ---------------------------------------------------------------- products that threads share


@pytest.mark.parametrize("learning", [False, True])
@pytest.mark.parametrize("kind", ["nn", "tn", "nt"])
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
def test_shared_products_have_the_same_bits_on_any_number_of_threads(kind, learning, dtype):
    a = RNG.normal(size=(37, 33) if kind == "tn" else (33, 37)).astype(dtype)
    b = RNG.normal(size=(300, 37) if kind == "nt" else (37, 300)).astype(dtype)
    before = RNG.normal(size=(33, 300)).astype(dtype)
    product = products.loop(kind, np.dtype(dtype), learning)
    left, right = a.T if kind == "tn" else a, b.T if kind == "nt" else b
    expected = before - 0.5 * (left @ right) if learning else left @ right
    for blocks in (1, 2, 4):
        found = []
        for number in range(1, min(blocks, products.most_threads()) + 1):
            out = before.copy()
            product(out, a, b, *([0.5] if learning else []), blocks, number)
            found.append(out)
        close = 1e-4 if dtype == "float32" else 1e-12
        np.testing.assert_allclose(found[0], expected, rtol=close, atol=close)
        for out in found:
            np.testing.assert_array_equal(out, found[0])


def run_on(number, monkeypatch, loop, out, *arrays):
    """Run a loop on so many threads, and return what it has written."""
    monkeypatch.setattr(threads, "LONG", 1)
    monkeypatch.setattr(config, "threads", number)
    found = np.full_like(out, np.nan)
    loop(found, *arrays)
    return found


@needs_numba
@pytest.mark.parametrize("shape", [(20_001,), (500, 33), (3, 5000), (1, 9000)])
def test_shared_loops_have_the_same_bits_on_any_number_of_threads(shape, monkeypatch):
    x, row = RNG.normal(size=shape).astype("f4"), RNG.normal(size=shape[-1:]).astype("f4")
    column = RNG.normal(size=(*shape[:-1], 1)).astype("f4")
    steps = [
        ("y", REGISTRY["sigmoid"], ["x"]),
        ("z", operator.mul, ["y", "row"]),
        ("t", operator.add, ["z", "column"]),
        ("u", operator.mul, ["t", 3.0]),
    ]
    fused = elementwise.Fused(steps, ["u"])

    def loop(out):
        fused({"x": x, "row": row, "column": column}, {"u": out})

    expected = (1.0 / (1.0 + np.exp(-x)) * row + column) * 3.0
    alone = run_on(1, monkeypatch, loop, x)
    np.testing.assert_allclose(alone, expected, rtol=1e-5, atol=1e-5)
    for number in (2, 3, 5):
        np.testing.assert_array_equal(run_on(number, monkeypatch, loop, x), alone)


@needs_numba
@pytest.mark.parametrize("columns", [1, 10, 100, 5000])
def test_rows_are_shared_with_the_same_bits_too(columns, monkeypatch):
    scores = RNG.normal(size=(20_001 // columns, columns)).astype("f4")
    g = RNG.normal(size=scores.shape).astype("f4")
    softmax, slopes = (
        dense.loop_for(each, scores.dtype, threads.LONG)
        for each in (dense.probabilities, dense.probability_slopes)
    )
    p = run_on(1, monkeypatch, softmax, scores, scores)
    delta = run_on(1, monkeypatch, slopes, scores, p, g)
    np.testing.assert_allclose(p, gradlab.softmax(scores), rtol=1e-5)
    for number in (2, 3):
        np.testing.assert_array_equal(run_on(number, monkeypatch, softmax, scores, scores), p)
        np.testing.assert_array_equal(run_on(number, monkeypatch, slopes, scores, p, g), delta)


@needs_numba
def test_short_arrays_stay_on_one_thread():
    kind, fused = np.dtype("f4"), elementwise.value_of(REGISTRY["relu"])
    places, short = [("x", "c", False)], threads.LONG - 1
    assert not isinstance(fused.loop(kind, places, "c", short), threads.Shared)
    assert not isinstance(dense.loop_for(dense.probabilities, kind, short), threads.Shared)
    assert not isinstance(dense.loop_for(dense.label_loss, kind, threads.LONG), threads.Shared)
    assert isinstance(fused.loop(kind, places, "c", threads.LONG), threads.Shared)


def test_long_arrays_are_cut_into_whole_blocks(monkeypatch):
    seen = []
    shared = threads.Shared(lambda *arrays: seen.append([len(a) for a in arrays]), [True, False])
    monkeypatch.setattr(config, "threads", 3)
    shared(np.empty((1000, 400)), np.empty(2))
    assert sum(rows for rows, _ in seen) == 1000 and len(seen) == 3
    assert all(whole == 2 for _, whole in seen)
    assert sum(rows % threads.rows_in_cache(400) != 0 for rows, _ in seen) <= 1, "the last one"


def test_long_loops_are_tried_alone_and_together(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    parts = []
    shared = threads.Shared(lambda out: parts.append(len(out)), [True])
    for _ in range(threads.Choice.TURN + 1):
        shared(np.empty(threads.LONG))
    assert parts[:5] == 5 * [threads.LONG] and len(parts) == 7, "the last call was cut in two"


def test_an_error_on_a_helping_thread_is_raised():
    def halve(number):
        return 1 / number

    with pytest.raises(ZeroDivisionError):
        threads.together(halve, [[1], [0], [2]])
    threads.together(halve, [[1], [2], [4]])


def test_a_helping_thread_waits_for_no_other():
    found = []
    threads.together(threads.together, 2 * [(found.append, [[1], [2]])])
    assert sorted(found) == [1, 1, 2, 2]


def test_the_choice_of_threads():
    choice = threads.Choice(2)

    def told(*times):
        for seconds in times:
            choice.took(seconds)
        return choice.threads

    def tried(alone, together):
        choice.measure()
        turns = []
        for k in range(choice.TRIALS):
            turns.append(choice.threads)
            times = alone if choice.threads == 1 else together
            choice.took(times[k % len(times)])
        assert turns == 2 * (5 * [1] + 5 * [2]), "in turns"
        return choice.threads

    assert tried([1.0], [0.6]) == 2 and told(*40 * [0.6]) == 2, "faster together"
    assert told(9.0) == 2 and told(9.0) == 1, "a core was taken, again and again"
    assert told(*50 * [9.0]) == 1, "until the next measurement"
    assert tried([1.0], [1.2]) == 1, "slower together"
    assert tried([1.0], [0.99]) == 1, "no gain to speak of"
    assert tried([9.0, 1.0, 1.0, 1.0, 1.0], [0.98]) == 1, "the first of a turn does not count"
    assert tried([1.0], [0.5, 0.5, 0.5, 0.5, 9.0]) == 1, "faster as a rule, slower on the whole"
    assert threads.Choice(1).threads == 1

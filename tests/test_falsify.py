"""The search for a wrong gradient, and the strategies it draws from."""

from __future__ import annotations

import functools
import math
import subprocess
import sys
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import gradlab as gl
from gradlab.entry import REGISTRY, Entry, Facts
from gradlab.testing.counterexample import Counterexample, FalsifiedError
from gradlab.testing.falsify import falsify, gradient_property
from gradlab.testing.gradcheck import gradcheck
from gradlab.testing.numeric import check_vjp
from gradlab.testing.report import GradientError
from gradlab.testing.search import Search
from gradlab.testing.simplest import simplest
from gradlab.testing.strategies import (
    LAYOUTS,
    arrays,
    layers,
    losses,
    models,
    numbers,
    op_inputs,
    relaid,
    shapes,
)

OURS = sorted(n for n, e in REGISTRY.items() if e.__module__.startswith("gradlab."))


def reachable(strategy, condition, examples=2000):
    """Whether the strategy comes across a value that meets the condition."""
    try:
        how = settings(max_examples=examples, phases=[Phase.generate], database=None)
        find(strategy, condition, settings=how, random=Random(0))
    except NoSuchExample:
        return False
    return True


# ----------------------------------------------------------------------------------- strategies


@pytest.mark.parametrize(
    "wanted",
    [0.0, -1.0, 0.5, 3.0 + 1e-7, float(np.nextafter(3.0, 9.0)), 3.0 - 1e-3, 1e5, -1e-300],
)
def test_numbers_come_across_everything_interesting(wanted):
    assert reachable(numbers(kinks=[3.0]), wanted.__eq__)


def test_numbers_are_subnormal_and_negative_zero_at_times():
    tiny = np.finfo(np.float64).tiny
    assert reachable(numbers(), lambda x: 0.0 < x < tiny)
    assert reachable(numbers(), lambda x: x == 0.0 and math.copysign(1.0, x) < 0.0)
    assert not reachable(numbers(domain="x > 3"), lambda x: x <= 3.0, examples=100)


DOMAINS = {
    "(0, inf)": lambda x: x > 0,
    "[0.25, 0.5]": lambda x: 0.25 <= x <= 0.5,
    "(-inf, inf)": math.isfinite,
    "(x > 0.2) & (x < 0.3)": lambda x: 0.2 < x < 0.3,
    "abs(x) > 50": lambda x: abs(x) > 50,
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("domain", DOMAINS)
@settings(max_examples=10)
@given(data=st.data())
def test_domains_are_kept(domain, dtype, data):
    array = data.draw(arrays(domain=domain, dtype=dtype, kinks=[0.25, 60.0]))
    assert array.dtype == dtype
    assert all(map(DOMAINS[domain], array.ravel().tolist()))


@given(arrays((3,), domain=lambda x: x.sum() > 0), arrays((2,), domain="x[1] > x[0]"))
def test_a_domain_may_speak_of_the_whole_array(a, b):
    assert a.sum() > 0 and b[1] > b[0]


SHAPES = {
    "0-d": lambda a: a.ndim == 0,
    "empty": lambda a: a.size == 0,
    "size-1 axis": lambda a: a.ndim == 3 and 1 in a.shape and a.size > 1,
    "read-only": lambda a: not a.flags.writeable,
    "Fortran": lambda a: a.flags.f_contiguous and not a.flags.c_contiguous,
    "strided": lambda a: a.size > 1 and a.strides[-1] == 16,
    "negative strides": lambda a: a.size > 1 and a.strides[0] < 0,
    "ties": lambda a: a.size > 2 and 0.0 != a.max() == np.sort(a, axis=None)[-2],
}


@pytest.mark.parametrize("wanted", SHAPES)
def test_arrays_come_in_every_shape_and_layout(wanted):
    assert reachable(arrays(), SHAPES[wanted])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 1, 3)])
def test_a_layout_keeps_the_numbers(layout, shape):
    array = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    other = relaid(array, layout)
    assert isinstance(other, np.ndarray) and other.dtype == np.float32
    np.testing.assert_array_equal(other, array)


@given(st.data())
def test_signatures_tie_named_axes_together(data):
    x, w, b = data.draw(shapes("(i,n),(n,m),(m)->(i,m)"))
    assert (len(x), len(w), len(b)) == (2, 2, 1)
    assert x[1] == w[0] and w[1] == b[0]
    a, b = data.draw(shapes("(), () -> ()"))
    np.broadcast_shapes(a, b)


def test_signatures_without_names_broadcast():
    assert reachable(shapes("(),()->()"), lambda s: len(s[0]) != len(s[1]) and 0 not in s[0])
    assert reachable(shapes("(n)->()"), lambda s: s == [(0,)])
    assert not reachable(shapes([[2, 3], ()]), [(2, 3), ()].__ne__, examples=5)


@pytest.mark.parametrize("wrong", ["(n->", (3,), ((2,), 3)])
def test_shapes_that_cannot_be_read(wrong):
    with pytest.raises(ValueError, match="write shapes=") as caught:
        shapes(wrong)
    assert str(caught.value).count("\n") == 2


@pytest.mark.parametrize("some", [OURS[i : i + 8] for i in range(0, len(OURS), 8)])
@settings(max_examples=2)
@given(data=st.data())
def test_inputs_of_every_primitive_can_be_called_on(some, data):
    for name in some:
        call = data.draw(op_inputs(name))
        value = call(*call.arrays)
        assert np.all(np.isfinite(value)), f"inside its domain every value of {name} is finite"
        for array, argument in zip(call.arrays, call.entry.operands, strict=False):
            if argument in call.entry.domain:
                assert all(x in call.entry.domain[argument] for x in array.ravel().tolist())


def test_op_inputs_come_across_kinks_that_depend_on_a_parameter():
    def at_the_threshold(call):
        return (call.arrays[0] == -call.others["threshold"]).any()

    assert reachable(op_inputs("soft_shrink"), at_the_threshold)
    assert not reachable(
        op_inputs("soft_shrink", interesting=False), at_the_threshold, examples=100
    )


def test_op_inputs_of_what_is_not_there():
    with pytest.raises(ValueError, match="write 'softmax'"):
        find(op_inputs("softmaks"), bool)


def test_op_inputs_needs_to_know_the_shapes(monkeypatch):
    monkeypatch.setattr("gradlab.entry.REGISTRY", {})
    entry = Entry(np.linalg.det, Facts(name="det", signature="(n,n)->()"))
    with pytest.raises(ValueError, match="cases="):
        find(op_inputs(entry), bool)


def wrong_at(call, engine=gl.vjp):
    """Where the gradients of a call disagree with its slopes."""
    rng = np.random.default_rng(0)

    def pull(g, *arrays):
        return engine(call, *arrays)[1](g)

    return [m for i in range(len(call.arrays)) for m in check_vjp(call, pull, call.arrays, i, rng)]


@settings(max_examples=8)
@given(losses(), models(), layers())
def test_losses_layers_and_models_have_right_gradients(loss, model, layer):
    for call in (loss, model, layer):
        assert not wrong_at(call)
    assert loss.entry.chapter == "losses" and len(layer.arrays) == 3


def test_models_reach_every_activation_and_depth():
    assert reachable(models(), lambda m: len(m.activations) == 3)
    names = {e.name for e in REGISTRY.values() if e.chapter == "activations"}
    assert {"relu", "softmax"} < names
    assert reachable(layers(), lambda m: m.activations[0].name == "softmax")


# -------------------------------------------------------------------------------------- falsify


def relu(x):
    return np.maximum(x, 0.0)


def relu6(x):
    return np.clip(x, 0.0, 6.0)


def forgets_the_upper_kink(g, x):
    return g * (x > 0.0)


def relu6_backward(g, x):
    return g * ((x > 0.0) & (x < 6.0))


def tanh_of_sums(x, W, b):
    return np.tanh(x @ W + b)


def without_slope(g, x, W, b):
    rows, g_rows = np.atleast_2d(x), np.atleast_2d(g)
    return g @ W.T, rows.T @ g_rows, g_rows.sum(axis=0)


def tanh_of_sums_backward(g, x, W, b):
    return without_slope(g * (1.0 - tanh_of_sums(x, W, b) ** 2), x, W, b)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(g, x):
    y = softmax(x)
    return y * (g - (g * y).sum(axis=-1, keepdims=True))


def nothing_flows(g, x):
    return 0.0 * x


def elementwise_only(g, x):
    return g * softmax(x) * (1.0 - softmax(x))


def twice(g, x):
    return 2.0 * g * x


def log_of_numbers(x):
    return np.array([math.log(number) for number in x])


def over_x(g, x):
    return g / x


def swish(x):
    return x / (1.0 + np.exp(-x))


def wrong_below_minus_4(g, x):
    s = 1.0 / (1.0 + np.exp(-x))
    return g * np.where(x < -4.0, s, s * (1.0 + x * (1.0 - s)))


CODE = """\
import numpy as np

x = np.array(7.0)
g = np.array(1.453125)
got = forgets_the_upper_kink(g, x)
# got: 1.453125
expected = np.array(0.0)
np.testing.assert_allclose(got, expected, rtol=0, atol=0.1)
# x: the gradient says 1.453125, measured 0 ± 1e-09
"""


SEARCHES = {
    "relu6": (relu6, forgets_the_upper_kink, {}, 1),
    "softmax, zero": (softmax, nothing_flows, {}, 2),
    "softmax": (softmax, elementwise_only, {}, 2),
    "swish": (swish, wrong_below_minus_4, {}, 1),
    "dense": (tanh_of_sums, without_slope, {"shapes": "(n),(n,m),(m)->(m)"}, 1),
    "square": (np.square, np.multiply, {"shapes": ((1, 2),)}, 2),
    "float32": (np.exp, nothing_flows, {"dtype": "float32", "domain": "abs(x) < 50"}, 1),
}


@functools.cache
def searched(name):
    """What falsify finds; one search serves several tests."""
    f, vjp, options, _ = SEARCHES[name]
    return falsify(f, vjp, **options)


def test_what_is_found_is_small_and_round():
    found = searched("relu6")
    assert found is not None
    assert [a.tolist() for a in found.args] == [7.0]
    assert found.expected == 0.0 and found.got == found.cotangent
    assert found.argument == 0 and not found.report
    assert str(found).startswith(CODE)


@pytest.mark.parametrize(
    ("number", "condition", "simple"),
    [
        (20.0, lambda x: x > 6.0, 7.0),
        (-3.7e-11, lambda x: x < 0.0, -1.0),
        (-3.7123e-11, lambda x: -1e-10 < x < 0.0, -4e-11),
        (3.3021, lambda x: abs(x - 3.3) < 0.01, 3.3),
        (1.0, lambda x: x > 0.3, 1.0),
    ],
)
def test_simple_numbers(number, condition, simple):
    array = np.asfortranarray([[5.0, number]])
    (found,) = simplest((array,), lambda args: condition(args[0][0, 1]))
    assert found.tolist() == [[0.0, simple]]
    assert found.strides == array.strides


@pytest.mark.parametrize("name", SEARCHES)
def test_wrong_gradients_are_found(name):
    f, vjp, options, size = SEARCHES[name]
    found = searched(name)
    assert found is not None
    assert sum(a.size for a in found.args) == size, "it is the smallest"
    assert not gradcheck(f, *found.args, vjp=vjp, raise_on_error=False)
    np.testing.assert_equal(found.got, vjp_of(found))
    assert np.abs(found.got - found.expected).max() > 1e-9
    assert all(a.dtype == options.get("dtype", "float64") for a in found.args)


def vjp_of(found):
    gradients = found.vjp(found.cotangent, *found.args)
    return gradients[found.argument] if isinstance(gradients, tuple) else gradients


@pytest.mark.parametrize(
    ("f", "vjp", "options"),
    [
        (relu6, relu6_backward, {"kinks": (0.0, 6.0)}),
        (softmax, softmax_backward, {}),
        (tanh_of_sums, tanh_of_sums_backward, {"shapes": "(i,n),(n,m),(m)->(i,m)"}),
        (np.log, over_x, {"domain": "x > 0"}),
        (np.log, over_x, {}),
        (log_of_numbers, over_x, {"domain": "(0, inf)"}),
        (gl.softplus, None, {}),
        (gl.matmul, None, {"shapes": "(n,m),(m,k)->(n,k)", "dtype": "float32"}),
    ],
)
def test_right_gradients_are_not(f, vjp, options):
    assert falsify(f, vjp, max_examples=10, **options) is None


def test_the_same_seed_finds_the_same():
    first, again = searched("softmax"), falsify(softmax, elementwise_only)
    assert first is not None and again is not None
    np.testing.assert_equal(first.args, again.args)
    assert str(first) == str(again)


def test_the_search_climbs_towards_large_errors(monkeypatch):
    """Too small to be called wrong, an error is still the direction to look in."""
    scores = []
    monkeypatch.setattr("gradlab.testing.search.climb", scores.append)

    def worse_to_the_right(g, x):
        return g * (2.0 * x + 1e-12 * x**8)

    search = Search(np.square, worse_to_the_right, None, 0)
    assert not any(search.is_wrong((np.array(x),)) for x in (0.5, 1.5, 1.75, 1.95))
    assert scores == sorted(scores) and len(scores) == 4
    assert scores[0] < -12.5 < -11.5 < scores[-1]


def test_a_rounding_that_one_input_shows_holds_for_the_others(monkeypatch):
    """At 8 float32 tanh moves once in 0.1: that its slope is not 0 shows at 0.5."""
    monkeypatch.setattr("gradlab.testing.search.climb", bool)

    def tanh32(x):
        return np.tanh(x.astype(np.float32)).astype(np.float64)

    def vjp(g, x):
        return g * (2.0 - tanh32(x) ** 2)

    search = Search(lambda x: x + tanh32(x), vjp, None, 0)
    assert not search.is_wrong((np.array(0.5),))
    assert not search.is_wrong((np.array(8.0),))


def test_the_backward_pass_may_remember():
    """Hypothesis calls such a test flaky; it is a finding."""
    calls = []

    def grows(g, x):
        calls.append(x)
        return g * len(calls)

    found = falsify(np.positive, grows, shapes=((2,),))
    assert found is not None and not found.report


def test_a_backward_pass_that_writes_into_its_argument_is_found():
    """Read-only arrays are among those drawn; f raises nothing, vjp does."""

    def in_place(g, x):
        x[x <= 0] = 0.0
        return g * (x > 0)

    found = falsify(relu, in_place, kinks=(0.0,))
    assert found is not None and "changed its argument x" in str(found)


def test_shapes_that_are_refused_are_passed_over():
    """rows(x) and its backward pass know matrices only: no single number, no stack of matrices."""

    def rows(x):
        n, m = x.shape
        return x.reshape(n * m).reshape(n, m).sum(axis=1)

    def rows_backward(g, x):
        _, m = x.shape
        return np.repeat(g[:, None], m, axis=1)

    def forgets_a_column(g, x):
        return rows_backward(g, x) * (np.arange(x.shape[1]) != 1)

    assert falsify(rows, rows_backward, max_examples=20) is None
    found = falsify(rows, forgets_a_column)
    assert found is not None and found.args[0].shape == (1, 2)


def test_a_gradlab_function_needs_no_backward_pass():
    @gl.primitive
    def cubed(x):
        return x * x * x

    @cubed.partial("x")
    def cubed_slope(x):
        return 2.0 * x * x

    found = falsify(cubed)
    assert found is not None and found.args[0] == 1.0
    assert "gradlab.vjp(cubed, x)[1](g)[0]" in str(found)
    REGISTRY.pop(f"{__name__}.cubed")


# ----------------------------------------------------------------------------- the code it prints


def as_found(f, vjp, *args):
    """The counterexample that a search returns when it ends at these arguments."""
    report = gradcheck(f, *args, vjp=vjp, raise_on_error=False)
    return Counterexample(f, vjp, args, report)


@pytest.mark.parametrize("x", [np.eye(5, 6), np.eye(2, 4, dtype=np.float32)])
def test_the_code_fails_until_the_gradient_is_mended(x):
    fails_until_mended(as_found(softmax, elementwise_only, x), softmax_backward)


def test_the_code_of_several_arguments():
    args = np.ones((1, 2)), np.ones((2, 1)), np.zeros(1)
    fails_until_mended(as_found(tanh_of_sums, without_slope, *args), tanh_of_sums_backward)


def fails_until_mended(found, mended):
    code = str(found)
    with pytest.raises(AssertionError, match="Not equal"):
        exec(code, {found.vjp.__name__: found.vjp})
    exec(code, {found.vjp.__name__: mended})


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_code_keeps_the_memory_layout(layout):
    """A backward pass that assumes one order of the memory is right for all the others."""

    def trips(g, x):
        wrong = {
            "C order": x.size > 1 and x.flags.c_contiguous and x.flags.writeable,
            "read-only": not x.flags.writeable,
            "Fortran order": x.flags.f_contiguous and not x.flags.c_contiguous,
            "strided": 16 in x.strides[-1:] and x.shape[-1] > 1,
            "reversed": any(s < 0 for s in x.strides),
        }[layout]
        return g * (1.0 + wrong)

    x = relaid(np.array([[0.0, 1.0], [2.0, 3.0]]), layout)
    found = as_found(np.positive, trips, x)
    space = {"trips": trips}
    with pytest.raises(AssertionError, match="Not equal"):
        exec(str(found), space)
    assert space["x"].strides == x.strides
    if layout == "reversed":
        assert falsify(np.positive, trips, shapes=((2, 2),)) is not None


def test_a_number_that_f_refuses_is_a_question_about_its_domain():
    found = falsify(log_of_numbers, over_x, max_examples=40)
    assert found is not None and found.report is None
    assert isinstance(found.refused, ValueError)
    assert found.args[0].tolist() == [0.0]
    assert "raises ValueError" in str(found) and 'domain="x > 0"' in str(found)


def test_a_wrong_gradient_comes_before_a_question():
    found = falsify(log_of_numbers, np.multiply)
    assert found is not None and found.refused is None and (found.args[0] > 0).all()


def test_a_wrong_shape_is_told_in_words():
    found = falsify(np.negative, lambda g, x: -g.sum(), shapes=((2,),))
    assert "shape (), expected the argument's shape (2,)" in str(found)


# ------------------------------------------------------------------------------------ bad input


def returns_nothing(x):
    pass


@pytest.mark.parametrize(
    ("f", "options", "error", "mend"),
    [
        (returns_nothing, {}, TypeError, "return y"),
        (np.square, {"dtype": "int64"}, TypeError, 'dtype="float64"'),
        (np.square, {"domain": "x > 1e9"}, ValueError, "interval"),
        (np.square, {"domain": "x >"}, ValueError, "x > 0"),
        (np.square, {"domain": ("x > 0", "x > 1")}, ValueError, "domain="),
        (np.square, {"shapes": (2,)}, ValueError, "shapes="),
    ],
)
def test_bad_input_is_told_apart(f, options, error, mend):
    with pytest.raises(error, match=mend) as caught:
        falsify(f, np.multiply, max_examples=20, **options)
    assert 1 <= str(caught.value).count("\n") <= 2


# -------------------------------------------------------------------------- inside other tests


@settings(
    max_examples=2,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from([relu6_backward, forgets_the_upper_kink]))
def test_a_search_inside_a_hypothesis_test(vjp):
    found = falsify(relu6, vjp, shapes=((),), domain="x > 3", max_examples=10)
    assert (found is None) == (vjp is relu6_backward)


@gradient_property(relu6, relu6_backward, kinks=(0.0, 6.0))
def test_as_a_property(x):
    assert (relu6(x) >= 0.0).all()


@gradient_property(tanh_of_sums, tanh_of_sums_backward, shapes="(i,n),(n,m),(m)->(i,m)")
def test_as_a_property_of_several_arguments(x, W, b):
    assert tanh_of_sums(x, W, b).shape == (len(x), len(b))


def test_a_property_that_does_not_hold():
    @gradient_property(relu6, forgets_the_upper_kink, shapes=((1,),), domain="x > 3")
    def prop(x):
        """The gradient is right."""

    assert prop.__name__ == "prop" and prop.__doc__ == "The gradient is right."
    with pytest.raises(GradientError, match="got = forgets_the_upper_kink") as caught:
        prop()
    assert isinstance(caught.value, FalsifiedError)
    assert caught.value.counterexample.args[0].size == 1


def test_a_property_runs_the_body_of_the_test():
    @gradient_property(relu6, relu6_backward, max_examples=50)
    def below_three(x):
        assert (x < 3.0).all()

    with pytest.raises(AssertionError, match=r"Failing test case: below_three"):
        below_three()


def test_hypothesis_is_imported_only_when_used():
    code = "import sys, gradlab, gradlab.testing; sys.exit('hypothesis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

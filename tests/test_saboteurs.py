"""Check the checkers: for each law, a broken primitive that it must reject."""

from __future__ import annotations

import copy
import sys

import numpy as np
import pytest
from laws import (
    OURS,
    law_array_is_scalar,
    law_broadcasts,
    law_engines_agree,
    law_finite,
    law_formula,
    law_gradient,
    law_linear,
    law_second_order,
    law_untouched,
)

import gradlab as gl
from gradlab.entry import Interval
from gradlab.primitive import Primitive
from gradlab.testing.strategies import Call, names

RNG = np.random.default_rng(7)


def with_rule(name, argument, make):
    """Return the primitive with one of its rules wrapped: ``make(rule)`` returns the broken one."""
    broken = copy.copy(OURS[name])
    rule = copy.copy(broken.rules[argument])
    rule.function = make(rule.function)
    broken.rules = {**broken.rules, argument: rule}
    return broken


def a_call(entry, shapes=None, others=None):
    """Return a call of the entry at ordinary points of its domain."""
    others = dict(others or {})
    if entry.cases and shapes is None:
        shapes, others = entry.cases[0].shapes, dict(entry.cases[0].parameters)
    if shapes is None:
        shapes = [(2, 3)] * len(entry.differentiable)
        constants = {"condition": np.array([True, False, True]), "low": -0.5}
        others |= {n: constants.get(n, 0.5) for n in entry.nondiff}
    arrays = []
    for name, shape in zip(names(entry, others), shapes, strict=False):
        domain = entry.domain.get(name, Interval())
        low = max(domain.low, -1.0)
        arrays.append(RNG.uniform(low + 0.1, min(domain.high, low + 2.0) - 0.1, shape))
    return Call(entry, arrays, others)


def times(factor):
    return lambda rule: lambda *args: factor * rule(*args)


RULES = [
    (name, argument)
    for name, entry in OURS.items()
    if isinstance(entry, Primitive)
    for argument in entry.rules
]


LARGE = [pytest.param(f, marks=pytest.mark.slow) for f in (-1.0, 2.0, 0.0)]


@pytest.mark.parametrize("factor", [*LARGE, 0.995], ids=["sign", "twice", "zero", "0.5%"])
def test_no_rule_survives_a_wrong_factor(factor):
    killed = 0
    for name, argument in RULES:
        law_call = a_call(with_rule(name, argument, times(factor)))
        sound = gl.vjp(a_call(OURS[name]), *law_call.arrays)[1]
        g = RNG.normal(size=np.shape(law_call(*law_call.arrays)))
        if all(not np.any(flow) for flow in sound(g)):
            continue  # a slope of 0 at these points: no factor changes it
        with pytest.raises(AssertionError):
            law_gradient(law_call, seed=1)
        killed += 1
    assert killed > 0.9 * len(RULES), f"only {killed} of {len(RULES)} rules were put to the test"


def test_sound_rules_pass_at_the_same_points():
    for name in OURS:
        if isinstance(OURS[name], Primitive) and OURS[name].rules:
            law_gradient(a_call(OURS[name]), seed=1)


def test_gradient_law_sees_a_swapped_argument():
    broken = copy.copy(OURS["divide"])
    broken.rules = {"a": broken.rules["b"], "b": broken.rules["a"]}
    with pytest.raises(AssertionError):
        law_gradient(a_call(broken), seed=1)


def test_gradient_law_sees_a_dropped_term():
    broken = with_rule("silu", "x", lambda rule: lambda x: gl.sigmoid(x))
    with pytest.raises(AssertionError):
        law_gradient(a_call(broken), seed=1)


def test_gradient_law_sees_softmax_that_gives_zero():
    # A cotangent of ones cannot see this one, since the outputs always sum to 1.
    broken = with_rule("softmax", "x", lambda rule: lambda g, y, axis: 0.0 * g)
    with pytest.raises(AssertionError):
        law_gradient(a_call(broken), seed=1)


def test_gradient_law_sees_a_missing_transpose():
    broken = with_rule("matmul", "a", lambda rule: lambda g, a, b: gl.matmul(g, b))
    with pytest.raises(AssertionError):
        law_gradient(a_call(broken, [(3, 3), (3, 3)]), seed=1)


def test_gradient_law_sees_a_missing_unbroadcast(monkeypatch):
    def keep_the_first(flow, parent):
        if np.shape(flow) == parent.shape:
            return flow
        return flow[(0,) * (np.ndim(flow) - len(parent.shape))]

    monkeypatch.setattr(sys.modules["gradlab.chain_rule"], "unbroadcast", keep_the_first)
    call = a_call(OURS["add"], [(4, 3), (3,)])
    with pytest.raises(AssertionError):
        law_gradient(call, seed=1)
    with pytest.raises(AssertionError):
        law_broadcasts(call)


def test_second_order_law_sees_a_rule_that_leaves_the_graph():
    # Right at first order; differentiated again, the plain number np.cos(x.data) is a constant.
    def plain(rule):
        return lambda x: np.cos(x.data if isinstance(x, gl.Tensor) else x)

    broken = with_rule("sin", "x", plain)
    law_gradient(a_call(broken), seed=1)
    with pytest.raises(AssertionError):
        law_second_order(a_call(broken), seed=1)


def test_untouched_law_sees_an_input_that_is_changed():
    broken = copy.copy(OURS["exp"])
    broken.array_kernel = lambda x: np.multiply(x, 2.0, out=x)
    with pytest.raises((AssertionError, ValueError)):
        law_untouched(a_call(broken))


def test_untouched_law_sees_a_cotangent_that_is_changed():
    broken = with_rule("mean", "x", lambda rule: lambda g, x, axis: rule(g.__imul__(0.5), x, axis))
    with pytest.raises((AssertionError, ValueError)):
        law_untouched(a_call(broken, [(2, 3)], {"axis": 0}))


def test_linear_law_sees_a_pull_that_clips():
    broken = with_rule("sum", "x", lambda rule: lambda g, x, axis: rule(np.abs(g), x, axis))
    with pytest.raises(AssertionError):
        law_linear(a_call(broken, [(2, 3)], {"axis": 0}), seed=1)


def test_engine_law_sees_engines_that_differ():
    broken = copy.copy(OURS["tanh"])
    broken.array_kernel = lambda x: np.tanh(x) + 1e-9
    with pytest.raises(AssertionError):
        law_engines_agree(Call(broken, [], {}), [0.5])


def test_array_law_sees_a_kernel_that_differs_and_one_that_promotes():
    wrong, wide = copy.copy(OURS["exp"]), copy.copy(OURS["exp"])
    wrong.array_kernel = np.exp2
    wide.array_kernel = lambda x: np.exp(x.astype(np.float64))
    for broken in (wrong, wide):
        with pytest.raises(AssertionError):
            law_array_is_scalar(a_call(broken))


def test_formula_law_sees_a_formula_that_lies():
    broken = copy.copy(OURS["sigmoid"])
    broken.formula = "1 / (1 + exp(x))"
    with pytest.raises(AssertionError):
        law_formula(a_call(broken))


def test_finite_law_sees_overflow():
    broken = copy.copy(OURS["softplus"])
    broken.array_kernel = lambda x: np.log(1.0 + np.exp(x))
    with pytest.raises(AssertionError):
        law_finite(Call(broken, [np.array([1e4])], {}), np.float64)

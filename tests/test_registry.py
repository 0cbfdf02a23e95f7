"""Every row of the table under every law, by enumeration: a new primitive brings its own tests."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from laws import (
    ELEMENTWISE,
    FORMULAS,
    OURS,
    is_smooth,
    law_array_is_scalar,
    law_broadcasts,
    law_engines_agree,
    law_finite,
    law_formula,
    law_gradient,
    law_linear,
    law_second_order,
    law_untouched,
    row,
)

import gradlab as gl
from gradlab import tape
from gradlab.entry import Interval
from gradlab.testing import gradcheck
from gradlab.testing.strategies import Call, constants, op_inputs, points

seeds = st.integers(0, 2**32 - 1)
every = pytest.mark.parametrize("name", sorted(OURS))
every_elementwise = pytest.mark.parametrize("name", sorted(ELEMENTWISE))


@every
@given(data=st.data(), seed=seeds)
def test_gradient(name, data, seed):
    law_gradient(data.draw(op_inputs(OURS[name])), seed)


@every
@settings(max_examples=2)
@given(data=st.data(), seed=seeds)
def test_public_checker_accepts(name, data, seed):
    call = data.draw(op_inputs(OURS[name]))
    gradcheck(call, *call.arrays, seed=seed)


@every
@settings(max_examples=3)
@given(data=st.data(), seed=seeds)
def test_second_order(name, data, seed):
    if is_smooth(OURS[name]):
        call = data.draw(op_inputs(OURS[name], interesting=False))
        # Two equal numbers are a kink of max and of sorting, where second derivatives do not exist.
        for a in call.arrays:
            assume(len(np.unique(a)) == a.size)
        law_second_order(call, seed)


@every
@settings(max_examples=5)
@given(data=st.data(), seed=seeds)
def test_untouched_and_linear(name, data, seed):
    call = data.draw(op_inputs(OURS[name]))
    law_linear(call, seed)
    law_untouched(call)


@every
@settings(max_examples=5)
@given(data=st.data(), seed=seeds)
def test_backward_gathers_what_the_sweep_finds(name, data, seed):
    call = data.draw(op_inputs(OURS[name]))
    leaves = [gl.Tensor(a) for a in call.arrays]
    y = call(*leaves)
    g = np.random.default_rng(seed).uniform(-2.0, 2.0, y.shape)
    y.backward(g)
    arrived = tape.sweep(y, g)
    for leaf in leaves:
        assert (leaf.grad is None) == (leaf.serial not in arrived)
        if leaf.grad is not None:
            np.testing.assert_array_equal(leaf.grad, arrived[leaf.serial], strict=True)


@every_elementwise
@given(data=st.data())
def test_engines_agree(name, data):
    entry = ELEMENTWISE[name]
    others = {n: data.draw(constants(n)) for n in entry.nondiff}
    point = [data.draw(points(entry, n, interesting=True)) for n in entry.differentiable]
    law_engines_agree(Call(entry, [], others), point)


@every_elementwise
@given(data=st.data())
def test_array_kernel_is_scalar_value(name, data):
    law_array_is_scalar(data.draw(op_inputs(ELEMENTWISE[name])))


@every_elementwise
@settings(max_examples=10)
@given(data=st.data())
def test_broadcasting(name, data):
    law_broadcasts(data.draw(op_inputs(ELEMENTWISE[name])))


@pytest.mark.parametrize("name", sorted(FORMULAS))
@given(data=st.data())
def test_formula(name, data):
    law_formula(data.draw(row(FORMULAS[name])))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@every_elementwise
def test_finite_on_the_domain(name, dtype):
    entry = ELEMENTWISE[name]
    grid = [-1e4, -50.0, -1.0, -1e-3, 0.0, 1e-3, 0.5, 1.0, 50.0, 1e4]
    axes = [[x for x in grid if x in entry.domain.get(n, Interval())] for n in entry.differentiable]
    others = dict.fromkeys(entry.nondiff, 0.5)
    corners = np.array(list(itertools.product(*axes)))
    law_finite(Call(entry, list(corners.T), others), dtype)


def test_every_activation_and_loss_that_was_promised():
    activations = """step sign linear sigmoid tanh relu softplus softmax elu selu gelu gelu_tanh
        silu mish leaky_relu relu6 prelu softsign exp hard_sigmoid hard_silu hard_tanh log_sigmoid
        log_softmax glu sparsemax tanh_shrink soft_shrink hard_shrink celu squareplus threshold"""
    losses = """mean_squared_error mean_absolute_error huber binary_crossentropy
        categorical_crossentropy sparse_categorical_crossentropy mean_absolute_percentage_error
        mean_squared_logarithmic_error log_cosh hinge squared_hinge categorical_hinge kl_divergence
        poisson cosine_similarity binary_focal_crossentropy categorical_focal_crossentropy"""
    assert {*activations.split(), *losses.split()} <= set(OURS)
    keras = {k for entry in OURS.values() for k in entry.keras}
    assert {"exponential", "swish", "hard_swish", "mse", "mae", "bce", "kld"} <= keras


def test_scalar_reductions_match_numpy():
    t = gl.Tensor(np.arange(6.0).reshape(2, 3))
    for name in ("sum", "mean", "max", "min", "prod", "var", "std"):
        for axis in (None, 0, -1, (0, 1)):
            ours = getattr(t, name)(axis=axis)
            np.testing.assert_allclose(ours.data, getattr(np, name)(t.data, axis=axis))

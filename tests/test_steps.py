"""Laws of training: what an optimizer's step does to parameters, what a loss does to samples."""

from __future__ import annotations

import numpy as np
import pytest

import gradlab as gl
from gradlab.testing.steps import check_loss_reduction, check_optimizer_step

ETA, BETA1, BETA2, EPSILON = 0.01, 0.9, 0.999, 1e-7


def adam_rule(w, g, state):
    t, m, v = (0, 0.0, 0.0) if state is None else state
    t, m, v = t + 1, BETA1 * m + (1 - BETA1) * g, BETA2 * v + (1 - BETA2) * g * g
    step = ETA * (m / (1 - BETA1**t)) / (np.sqrt(v / (1 - BETA2**t)) + EPSILON)
    return w - step, (t, m, v)


def sgd_rule(w, g, state):
    return w - ETA * g, None


class Adam:
    """In place, states in a dict by name or number."""

    def __init__(self):
        self.t, self.states = 0, {}

    def step(self, parameters, gradients):
        self.t += 1
        pairs = parameters.items() if isinstance(parameters, dict) else enumerate(parameters)
        for key, w in pairs:
            self.update(key, w, gradients[key])

    def update(self, key, w, g):
        m, v = self.states.setdefault(self.place(key), (np.zeros_like(w), np.zeros_like(w)))
        m[...] = BETA1 * m + (1 - BETA1) * g
        v[...] = BETA2 * v + (1 - BETA2) * g * g
        w -= ETA * self.ratio(m / (1 - BETA1**self.t), v / (1 - BETA2**self.t))

    def place(self, key):
        return key

    def ratio(self, m, v):
        return m / (np.sqrt(v) + EPSILON)


class SharedState(Adam):
    def place(self, key):
        return min(key, 1)  # of the parameters 1 and 2, which have one shape


class EpsilonInside(Adam):
    def ratio(self, m, v):
        return m / np.sqrt(v + EPSILON)


class TimeStands(Adam):
    def step(self, parameters, gradients):
        self.t = 0
        super().step(parameters, gradients)  # so t is 1 at every step


class CountsPerParameter(Adam):
    def update(self, key, w, g):
        self.t += key > 0
        super().update(key, w, g)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_right_step_passes(dtype):
    rng = np.random.default_rng(0)
    arrays = {"W": rng.normal(size=(2, 3)).astype(dtype), "b": np.zeros(3, dtype)}
    before = {name: w.copy() for name, w in arrays.items()}
    check_optimizer_step(Adam().step, adam_rule, arrays, steps=20)
    check_optimizer_step(Adam().step, adam_rule)
    for name, w in arrays.items():
        np.testing.assert_array_equal(w, before[name])


def test_a_step_may_return_new_parameters():
    def step(parameters, gradients):
        return [w - ETA * g for w, g in zip(parameters, gradients, strict=True)]

    def alone(w, g):
        return w - ETA * g

    check_optimizer_step(step, sgd_rule)
    check_optimizer_step(alone, sgd_rule, np.ones(3), [np.ones(3), np.full(3, 2.0)])


def sgd(update):
    def step(parameters, gradients):
        for w, g in zip(parameters, gradients, strict=True):
            update(w, g)

    return step


def climb(w, g):
    w += ETA * g


def twice(w, g):
    w -= 2 * ETA * g


def nothing(w, g):
    w = w - ETA * g


def scales_the_gradient(w, g):
    g *= ETA
    w -= g


@pytest.mark.parametrize(
    ("step", "rule", "words"),
    [
        (SharedState().step, adam_rule, "parameter 2.*a state of its own"),
        (CountsPerParameter().step, adam_rule, "parameter 1.*a state of its own"),
        (EpsilonInside().step, adam_rule, "step 1 moves parameter 0.*compare the terms"),
        (TimeStands().step, adam_rule, "step 2 moves parameter 0.*and t counted up"),
        (sgd(climb), sgd_rule, "everywhere -1 times as far and up the slope"),
        (sgd(twice), sgd_rule, "everywhere 2 times as far"),
        (sgd(nothing), sgd_rule, "it stays where it is"),
        (sgd(scales_the_gradient), sgd_rule, "step 1 changed the gradient of parameter 0"),
        (lambda p, g: p[:2], sgd_rule, "returned 2 arrays for 3 parameters"),
        (lambda p, g: [w.astype("f4") for w in p], sgd_rule, "an array of float32"),
        (lambda p, g: [w.sum() for w in p], sgd_rule, r"shape \(\)"),
        (lambda p, g: [w * np.nan for w in p], sgd_rule, "moves parameter 0 by nan"),
    ],
)
def test_a_wrong_step_is_caught(step, rule, words):
    with pytest.raises(AssertionError, match=f"(?s){words}") as caught:
        check_optimizer_step(step, rule)
    assert str(caught.value).count("\n") == 2


def test_a_state_that_is_lost_shows_in_the_second_step():
    def forgets(parameters, gradients):
        Adam().step(parameters, gradients)

    with pytest.raises(AssertionError, match=r"(?s)step 2 moves parameter 0.*is the state kept"):
        check_optimizer_step(forgets, adam_rule)


def test_parameters_of_integers_are_refused():
    with pytest.raises(TypeError, match=r"write w.astype\(float\)"):
        check_optimizer_step(sgd(twice), sgd_rule, [np.arange(3)])


# ------------------------------------------------------------------------------------------ losses

Y = np.random.default_rng(3).normal(size=(5, 3))
P = Y + np.random.default_rng(4).normal(size=(5, 3))


def mse(y_true, y_pred, reduction="mean"):
    losses = np.mean((y_pred - y_true) ** 2, axis=-1)
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_right_loss_passes(dtype):
    y, p = Y.astype(dtype), P.astype(dtype)
    check_loss_reduction(mse, y, p)
    check_loss_reduction(mse, y, p, "mean")
    check_loss_reduction(gl.mean_squared_error, y, p, "none")
    labels = np.array([0, 2, 1, 1, 0])
    check_loss_reduction(lambda t, q: q[np.arange(len(t)), t].sum(), labels, p, "sum")
    sequences = np.stack([y, p, y + p])
    check_loss_reduction(mse_of_sequences, sequences, sequences[::-1])


def mse_of_sequences(y_true, y_pred, reduction):
    losses = np.mean((y_pred - y_true) ** 2, axis=-1)
    return losses if reduction == "none" else getattr(np, reduction)(losses)


def centred(t, p):
    p -= p.mean()
    return mse(t, p)


def mean_is_of_elements(t, p, reduction):
    losses = np.sum((p - t) ** 2, axis=-1)
    return {"none": losses, "sum": losses.sum(), "mean": np.mean((p - t) ** 2)}[reduction]


@pytest.mark.parametrize(
    ("loss", "reduction", "words"),
    [
        (lambda t, p: mse(t, p, "sum"), "mean", "5 times as large"),
        (lambda t, p: mse(t, p, "mean"), "sum", "5 times too small"),
        (lambda t, p: mse(t, p, "sum") / (len(t) - 0.5), "mean", "does a sample's loss depend"),
        (lambda t, p: mse(t, p - p.mean(axis=0), "none"), "none", "at sample 0.*what each sample"),
        (mse, "none", r"shape \(\) for 5 samples.*write mean\(axis=-1\)"),
        (lambda t, p: mse(t, p, "none"), "mean", r"shape \(5,\).*write .mean\(\)"),
        (centred, "mean", "changed y_true or y_pred"),
        (mean_is_of_elements, None, 'the mean of what "none" returns'),
        (lambda t, p: mse(t, p) * np.nan, "mean", 'mean": nan'),
    ],
)
def test_a_wrong_loss_is_caught(loss, reduction, words):
    with pytest.raises(AssertionError, match=f"(?s){words}") as caught:
        check_loss_reduction(loss, Y, P, reduction)
    assert str(caught.value).count("\n") == 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: check_loss_reduction(mse, Y, P, "median"), "reduction='median'"),
        (lambda: check_loss_reduction(mse, Y[:1], P[:1]), "at least two samples"),
        (lambda: check_loss_reduction(mse, Y, P[:2]), "at least two samples"),
        (lambda: check_loss_reduction(mse, 1.0, 2.0), "at least two samples"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()

"""Optimizers and schedules: against 20 steps of Keras 3, and against their formulas in float64.

golden/record_keras_optimizers.py made the recording; no Keras is needed here.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradlab as gl
from gradlab.keras import constraints, optimizers
from gradlab.keras.names import forget_names
from gradlab.keras.optimizers import schedules
from gradlab.keras.variable import Variable
from gradlab.testing import check_optimizer_step

GOLDEN = json.loads(
    Path(__file__).with_name("golden").joinpath("keras_optimizers.json").read_text()
)
CLASSES: dict[str, Any] = {kind.__name__: kind for kind in optimizers.TABLE.values()}
every = pytest.mark.parametrize("name", CLASSES)

# Both sides round each operation to float32; powers and square roots may differ in the last bit,
# and after 20 steps the largest difference is 5e-7 of a weight (Ftrl, whose powers cancel).
RTOL = 1e-6


def arrays(lists):
    """Return the recorded weights or gradients in their shapes."""
    return [np.array(a, np.float32).reshape(s) for a, s in zip(lists, ((3, 2), (2,)), strict=True)]


def variables():
    return [
        Variable(w, n) for w, n in zip(arrays(GOLDEN["start"]), ("kernel", "bias"), strict=True)
    ]


def made(name, arguments):
    """Return the optimizer of a record, where a schedule is a class and its arguments."""
    rate = arguments["learning_rate"]
    if isinstance(rate, dict):
        rate = getattr(schedules, rate["class_name"])(*rate["config"])
    return CLASSES[name](**{**arguments, "learning_rate": rate})


def label(record):
    return "-".join([record.get("optimizer") or record["name"], *map(str, record["arguments"])])


# ----------------------------------------------------------------------------- the numbers of Keras


@pytest.mark.parametrize("record", GOLDEN["optimizers"], ids=label)
def test_twenty_steps_are_those_of_keras(record):
    optimizer, weights = made(record["optimizer"], record["arguments"]), variables()
    recorded = dict(zip(GOLDEN["kept"], record["weights"], strict=True))
    for step, gradients in enumerate(GOLDEN["gradients"], 1):
        optimizer.apply(arrays(gradients), weights)
        for ours, theirs in zip(weights, arrays(recorded.get(step, GOLDEN["start"])), strict=True):
            if step in recorded:
                np.testing.assert_allclose(ours.data, theirs, RTOL, err_msg=f"step {step}")
            assert ours.dtype == np.float32
    for ours, theirs in zip(optimizer.variables, record["state"], strict=True):
        close = RTOL * np.max(np.abs(theirs))
        np.testing.assert_allclose(ours.data.ravel(), theirs, 2 * RTOL, close, err_msg=ours.path)


@pytest.mark.parametrize("record", GOLDEN["optimizers"], ids=label)
def test_memory_and_config_have_the_names_and_the_order_of_keras(record):
    optimizer = made(record["optimizer"], record["arguments"])
    optimizer.build(variables())
    # Keras gave the running product of Nadam no name: it is variable, variable_1, ...
    names = [re.sub(r"^variable(_\d+)?$", "u_product", name) for name in record["names"]]
    assert [v.name for v in optimizer.variables] == names
    config = optimizer.get_config()
    assert config.pop("name") == optimizer.name
    assert list(config.items()) == list(record["config"].items())


@every
def test_arguments_are_those_of_keras(name):
    theirs = GOLDEN["known"]["signatures"][name]
    ours = inspect.signature(CLASSES[name]).parameters
    own = [p for p in ours.values() if p.kind is not p.VAR_KEYWORD]
    assert [(p.name, p.default) for p in own] == list(theirs.items())[: len(own)]
    common = inspect.signature(optimizers.Optimizer).parameters
    for rest in list(theirs)[len(own) :]:
        if theirs[rest] is None and rest not in common:
            CLASSES[name](**{rest: None})  # in the files of Keras, though gradlab has no use for it
        else:
            assert common[rest].default == theirs[rest]


def test_every_optimizer_and_schedule_is_recorded():
    assert {record["optimizer"] for record in GOLDEN["optimizers"]} == set(CLASSES)
    assert {record["name"] for record in GOLDEN["schedules"]} == {
        kind.__name__ for kind in schedules.TABLE.values()
    }
    assert {n for n in dir(schedules) if n in GOLDEN["known"]["schedules"]} == set(
        GOLDEN["known"]["schedules"]
    )


@pytest.mark.parametrize("record", GOLDEN["schedules"], ids=label)
def test_schedules_are_those_of_keras(record):
    schedule = getattr(schedules, record["name"])(**record["arguments"])
    ours = [schedule(step) for step in range(len(record["rates"]))]
    # Keras takes the cosine in float32, and near the end of a fall 1 + cos cancels.
    np.testing.assert_allclose(ours, record["rates"], 2e-6, 1e-8)
    assert schedule.get_config() == record["config"]
    again = schedules.deserialize(schedules.serialize(schedule))
    assert [again(step) for step in range(len(ours))] == ours


# ---------------------------------------------------------------------- the formulas of the papers


RATE = 1.0 / 64.0  # a float32 exactly


def memory(state, *starts):
    """Return the state of the step before with its number, or what it starts from."""
    return (1, *starts) if state is None else state


def rule_sgd(w, g, state):
    t, v = memory(state, 0.0)
    v = 0.5 * v - RATE * g
    return w + 0.5 * v - RATE * g, (t + 1, v)


def rule_rmsprop(w, g, state):
    t, square, mean, ball = memory(state, 0.0, 0.0, 0.0)
    square, mean = 0.9 * square + 0.1 * g**2, 0.9 * mean + 0.1 * g
    ball = 0.5 * ball + RATE * g / np.sqrt(square - mean**2 + 0.01)
    return w - ball, (t + 1, square, mean, ball)


def rule_adagrad(w, g, state):
    t, a = memory(state, 0.1)
    a = a + g**2
    return w - RATE * g / np.sqrt(a + 1e-7), (t + 1, a)


def rule_adadelta(w, g, state):
    t, a, s = memory(state, 0.0, 0.0)
    a = 0.95 * a + 0.05 * g**2
    d = -np.sqrt(s + 1e-7) / np.sqrt(a + 1e-7) * g
    return w + RATE * d, (t + 1, a, 0.95 * s + 0.05 * d**2)


def rule_adam(w, g, state):
    t, m, v = memory(state, 0.0, 0.0)
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    # The paper's "epsilon hat": added before the bias of v is mended.
    rate = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return w - rate * m / (np.sqrt(v) + 1e-7), (t + 1, m, v)


def rule_adamw(w, g, state):
    return rule_adam(w - RATE * 0.004 * w, g, state)


def rule_adamax(w, g, state):
    t, m, u = memory(state, 0.0, 0.0)
    m, u = 0.9 * m + 0.1 * g, np.maximum(0.999 * u, np.abs(g))
    return w - RATE / (1 - 0.9**t) * m / (u + 1e-7), (t + 1, m, u)


def rule_nadam(w, g, state):
    t, m, v, product = memory(state, 0.0, 0.0, 1.0)
    u, following = (0.9 * (1 - 0.5 * 0.96**s) for s in (t, t + 1))
    product = product * u
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    m_hat = following * m / (1 - product * following) + (1 - u) * g / (1 - product)
    return w - RATE * m_hat / (np.sqrt(v / (1 - 0.999**t)) + 1e-7), (t + 1, m, v, product)


def rule_ftrl(w, g, state):
    t, a, z = memory(state, 0.1, 0.0)
    sigma = (np.sqrt(a + g**2) - np.sqrt(a)) / RATE
    a, z = a + g**2, z + g - sigma * w
    shrunk = np.where(np.abs(z) <= 0.3, 0.0, z - np.sign(z) * 0.3)
    return -shrunk / ((0.2 + np.sqrt(a)) / RATE + 2 * 0.1), (t + 1, a, z)


def rule_lion(w, g, state):
    t, m = memory(state, 0.0)
    return w - RATE * np.sign(0.9 * m + 0.1 * g), (t + 1, 0.99 * m + 0.01 * g)


RULES = {
    "SGD": (rule_sgd, dict(momentum=0.5, nesterov=True)),
    "RMSprop": (rule_rmsprop, dict(momentum=0.5, centered=True, epsilon=0.01)),
    "Adagrad": (rule_adagrad, {}),
    "Adadelta": (rule_adadelta, {}),
    "Adam": (rule_adam, {}),
    "AdamW": (rule_adamw, {}),
    "Adamax": (rule_adamax, {}),
    "Nadam": (rule_nadam, {}),
    "Ftrl": (
        rule_ftrl,
        dict(l1_regularization_strength=0.3, l2_regularization_strength=0.1, beta=0.2),
    ),
    "Lion": (rule_lion, {}),
}


def stepping(optimizer):
    """Return step(parameters, gradients) for the checker; it keeps the variables it first makes."""
    kept = []

    def step(parameters, gradients):
        kept.extend(Variable(w, dtype=w.dtype) for w in parameters[len(kept) :])
        optimizer.apply(gradients, kept)
        return [variable.data for variable in kept]

    return step


@every
def test_every_optimizer_follows_its_formula(name):
    rule, arguments = RULES[name]
    # The only float32 number in it is the running product of Nadam.
    rtol = 1e-6 if name == "Nadam" else None
    step = stepping(CLASSES[name](learning_rate=RATE, **arguments))
    check_optimizer_step(step, rule, steps=8, rtol=rtol)


def test_the_checker_sees_a_step_that_is_not_of_the_formula():
    step = stepping(CLASSES["Adam"](learning_rate=RATE, epsilon=1e-6))
    with pytest.raises(AssertionError, match="step 1"):
        check_optimizer_step(step, rule_adam)


# ------------------------------------------------------------------------------------ the interface


@every
def test_found_by_name_class_config_and_object(name):
    forget_names()
    optimizer = optimizers.get(name.lower())
    assert type(optimizer) is CLASSES[name]
    assert optimizers.get(optimizer) is optimizer
    assert type(optimizers.get(CLASSES[name])) is CLASSES[name]
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is CLASSES[name] and again.get_config() == optimizer.get_config()


def test_config_with_a_schedule_comes_back():
    optimizer = optimizers.SGD(schedules.CosineDecay(0.1, 10), momentum=0.9)
    again = optimizers.SGD.from_config(json.loads(json.dumps(optimizer.get_config())))
    assert again.get_config() == optimizer.get_config()
    assert again.learning_rate == 0.1


def test_default_names_are_those_of_keras():
    forget_names()
    kinds = (optimizers.SGD, optimizers.SGD, optimizers.RMSprop, optimizers.AdamW)
    assert [kind().name for kind in kinds] == ["sgd", "sgd_1", "rm_sprop", "adam_w"]
    assert optimizers.Adam(name="mine").variables[1].path == "mine/learning_rate"


def test_learning_rate_is_assignable_and_a_number():
    w, optimizer = Variable([1.0]), optimizers.SGD(0.5)
    optimizer.apply([[1.0]], [w])
    optimizer.learning_rate = optimizer.learning_rate * 0.5
    optimizer.apply([[1.0]], [w])
    optimizer.learning_rate.assign(0.125)
    optimizer.apply([[1.0]], [w])
    assert w.data.tolist() == [0.125] and float(optimizer.learning_rate) == 0.125
    assert int(optimizer.iterations) == 3 and optimizer.iterations.numpy() == 3


def test_schedule_is_asked_for_the_number_of_the_step():
    w = Variable([0.0])
    optimizer = optimizers.SGD(schedules.PiecewiseConstantDecay([0, 1], [4.0, 2.0, 1.0]))
    for expected in (-4.0, -6.0, -7.0, -8.0):
        optimizer.apply([[1.0]], [w])
        assert w.data.tolist() == [expected]
    assert optimizer.learning_rate == 1.0
    assert [v.name for v in optimizer.variables] == ["iteration"]


def test_schedule_refuses_assignment_and_takes_the_place_of_a_number():
    optimizer = optimizers.SGD(schedules.CosineDecay(0.1, 10))
    with pytest.raises(TypeError, match=r"CosineDecay[\s\S]*SGD\(learning_rate=0.01\)"):
        optimizer.learning_rate = 0.5
    assert optimizer.learning_rate == 0.1
    optimizer = optimizers.SGD(0.5)
    optimizer.learning_rate = schedules.CosineDecay(0.25, 10)
    assert optimizer.learning_rate == 0.25


def test_gradients_of_the_tape_bring_a_loss_down():
    x = np.linspace(-1.0, 1.0, 20, dtype=np.float32)[:, None]
    W, b = Variable([[0.0]], "kernel"), Variable([0.0], "bias")
    optimizer = optimizers.Adam(0.1)
    for _ in range(200):
        W.zero_grad()
        b.zero_grad()
        gl.mean(gl.square(x @ W + b - (2.0 * x + 1.0))).backward()
        assert optimizer.apply_gradients([(W.grad, W), (gl.Tensor(b.grad), b)]) is not None
    assert abs(W.item() - 2.0) < 1e-3 and abs(b.item() - 1.0) < 1e-3


@every
def test_weights_and_memory_stay_the_same_float32_arrays(name):
    weights, optimizer = variables(), CLASSES[name]()
    optimizer.build(weights)
    before = [v.data for v in (*weights, *optimizer.variables)]
    for _ in range(2):
        optimizer.apply([np.ones(w.shape, np.float64) for w in weights])
    after = [v.data for v in (*weights, *optimizer.variables)]
    assert all(a is b for a, b in zip(before, after, strict=True))
    assert {a.dtype.name for a in (*before[:2], *before[3:])} == {"float32"}


def test_constraint_is_applied_after_the_step():
    w = Variable([1.0, 1.0], constraint=constraints.NonNeg())
    optimizers.SGD(1.0).apply([[3.0, 0.5]], [w])
    assert w.data.tolist() == [0.0, 0.5]


def test_weights_can_be_excluded_from_decay():
    kernel, bias, other = (Variable([1.0], n) for n in ("kernel", "bias", "scale"))
    optimizer = optimizers.SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[other], var_names=["bias"])
    optimizer.apply([[0.0]] * 3, [kernel, bias, other])
    assert [v.item() for v in (kernel, bias, other)] == [0.5, 1.0, 1.0]


def test_average_replaces_the_weights_at_the_end():
    w, optimizer = Variable([0.0]), optimizers.SGD(1.0, use_ema=True, ema_momentum=0.75)
    for _ in range(2):
        optimizer.apply([[-4.0]], [w])
    assert w.item() == 8.0
    optimizer.finalize_variable_values([w])
    assert w.item() == 0.75 * 4.0 + 0.25 * 8.0


def test_missing_gradient_is_named_and_its_variable_stays():
    kernel, bias = variables()
    bias.path = "dense/bias"
    before = bias.numpy()
    with pytest.warns(UserWarning, match="dense/bias"):
        optimizers.SGD(0.5).apply([np.ones(kernel.shape), None], [kernel, bias])
    assert np.array_equal(bias.data, before)
    assert np.allclose(kernel.data, arrays(GOLDEN["start"])[0] - 0.5)


def test_lr_is_taken_for_learning_rate_and_says_so():
    with pytest.warns(FutureWarning, match=r"SGD\(learning_rate=0.5\)"):
        optimizer = optimizers.SGD(lr=0.5)
    assert float(optimizer.learning_rate) == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(learning_rate=-0.1), r"learning_rate=-0.1\n.*\[0, inf\)"),
        (dict(learning_rate="fast"), "learning_rate='fast'"),
        (dict(learning_rate=None), "learning_rate=None"),
        (dict(learning_rate=float("nan")), "learning_rate=nan"),
        (dict(clipnorm=1.0, clipvalue=0.5), "clipnorm and clipvalue"),
        (dict(clipnorm=0.0), r"clipnorm=0.0\n.*\(0, inf\)"),
        (dict(weight_decay=-1), "weight_decay=-1"),
        (dict(momentum=1.5), r"momentum=1.5\n.*\[0, 1\]"),
        (dict(ema_momentum=2.0), "ema_momentum=2.0"),
        (dict(common=1), "no argument of SGD is called 'common'"),
        (dict(decay=1e-6), r"decay=1e-06[\s\S]*InverseTimeDecay\(0.1, 1, 1e-06\)"),
        (dict(momentun=0.9), "'momentun'[\\s\\S]*write 'momentum'"),
        (dict(gradient_accumulation_steps=4), "gradient_accumulation_steps"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        optimizers.SGD(**arguments)
    assert str(caught.value).count("\n") == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CLASSES["AdamW"](weight_decay=None), "weight_decay=None"),
        (lambda: optimizers.Adam(beta_1=1.0), r"beta_1=1.0\n.*\[0, 1\)"),
        (lambda: optimizers.Lion(beta_1=0.0), r"beta_1=0.0\n.*\(0, 1\]"),
        (lambda: optimizers.Ftrl(learning_rate_power=0.5), "learning_rate_power=0.5"),
        (lambda: optimizers.get("adma"), "'adam'"),
        (lambda: schedules.deserialize({"class_name": "CosinDecay"}), "write .*'CosineDecay'"),
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps=0"),
        (lambda: schedules.PiecewiseConstantDecay([1], [0.1]), "1 boundaries, 1 values"),
        (lambda: schedules.CosineDecayRestarts(0.1, 10, t_mul=0.5), "t_mul=0.5"),
    ],
)
def test_wrong_numbers_and_names(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert str(caught.value).count("\n") == 2


@pytest.mark.parametrize("identifier", [3, len])
def test_what_is_no_optimizer(identifier):
    with pytest.raises(TypeError):
        optimizers.get(identifier)


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        ([np.ones((3, 2))], "1 gradients for 2 variables"),
        ([np.ones((3, 2)), np.ones(3)], r"shape \(3,\) for bias"),
        ([None, None], "no gradient for any of kernel, bias"),
    ],
)
def test_wrong_gradients_change_nothing(gradients, message):
    weights, optimizer = variables(), optimizers.Adam()
    with pytest.raises(ValueError, match=message) as caught:
        optimizer.apply(gradients, weights)
    assert str(caught.value).count("\n") == 2
    assert not optimizer.built and int(optimizer.iterations) == 0
    for ours, start in zip(weights, arrays(GOLDEN["start"]), strict=True):
        assert np.array_equal(ours.data, start)


def test_variables_of_another_model_are_refused():
    optimizer, weights = optimizers.Adam(), variables()
    optimizer.build(weights[:1])
    with pytest.raises(ValueError, match=r"bias is new[\s\S]*compile"):
        optimizer.apply([np.ones(2)], weights[1:])


def test_built_again_it_starts_afresh():
    [first], [second] = ([Variable([1.0], "w")] for _ in range(2))
    optimizer = optimizers.Adam(0.1)
    for w in (first, second):
        optimizer.build([w])
        optimizer.apply([[5.0]])
        optimizer.apply([[0.1]])
    assert first.item() == second.item() and int(optimizer.iterations) == 2


def test_an_optimizer_of_ones_own_has_memory():
    class Mean(optimizers.Optimizer):
        hyperparameters = ("share",)

        def __init__(self, learning_rate=0.1, share=0.5, **common):
            super().__init__(learning_rate, **common)
            self.share = self.within("[0, 1]", share=share)

        def build(self, variables):
            super().build(variables)
            self.means = self.add_optimizer_variables(variables, "mean")

        def update_step(self, gradient, variable, learning_rate):
            mean = self.means[self._get_variable_index(variable)].data
            mean += self.share * (gradient - mean)
            variable.data -= learning_rate * mean

    w, optimizer = Variable([1.0], "w"), Mean(learning_rate=1.0)
    optimizer.apply([[1.0]], [w])
    assert w.item() == 0.5 and [v.name for v in optimizer.variables][2:] == ["w_mean"]
    assert Mean.from_config(optimizer.get_config()).share == 0.5

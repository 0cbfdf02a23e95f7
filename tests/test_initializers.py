"""Initializers, regularizers, constraints and activations by their Keras names.

golden/record_keras_optimizers.py made the recording; no Keras is needed here.
"""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path

import numpy as np
import pytest

import gradlab as gl
from gradlab.keras import activations, config, constraints, initializers, random, regularizers
from gradlab.keras.variable import Variable
from gradlab.testing import gradcheck

GOLDEN = json.loads(
    Path(__file__).with_name("golden").joinpath("keras_optimizers.json").read_text()
)
MODULES = {
    "activations": activations,
    "constraints": constraints,
    "initializers": initializers,
    "regularizers": regularizers,
}
MATRIX = np.array(GOLDEN["matrix"], np.float32)
KINDS = list(dict.fromkeys(initializers.TABLE.values()))
SHAPES = [tuple(shape) for shape in GOLDEN["initializers"]["shapes"]]
RTOL = 1e-6  # float32


def called(record):
    return f"{record['name']}-{record['arguments']}"


@pytest.mark.parametrize("module", MODULES)
def test_every_name_of_keras_is_there(module):
    theirs = set(GOLDEN["known"]["names"][module])
    # The initializer of the short-time Fourier transform belongs to a layer of audio signals.
    theirs -= {"STFT", "STFTInitializer", "stft"}
    assert not [name for name in theirs if not hasattr(MODULES[module], name)]
    for name, thing in MODULES[module].TABLE.items():  # keras.initializers.he_normal is the class
        if name not in ("relu", "gelu"):  # these take more arguments than the row of the table
            assert getattr(MODULES[module], name) is thing
    with pytest.raises(AttributeError, match="nonsense"):
        _ = MODULES[module].nonsense


@pytest.mark.parametrize("module", MODULES)
def test_unknown_names_and_things(module):
    wrong = {
        "activations": ("rleu", "relu"),
        "constraints": ("max_nrom", "max_norm"),
        "initializers": ("he_nromal", "he_normal"),
        "regularizers": ("l1l3", "l1l2"),
    }
    name, near = wrong[module]
    with pytest.raises(ValueError, match=f"{name}[\\s\\S]*{near}"):
        MODULES[module].get(name)
    with pytest.raises(TypeError):
        MODULES[module].get(3.0)


# ------------------------------------------------------------------------------------ initializers


@pytest.mark.parametrize("name", GOLDEN["initializers"]["configs"])
def test_initializer_arguments_and_config_are_those_of_keras(name):
    theirs, kind = GOLDEN["initializers"]["configs"][name], getattr(initializers, name)
    ours = {p.name: p.default for p in inspect.signature(kind).parameters.values()}
    assert list(ours.items()) == list(theirs["parameters"].items())
    expected = theirs["config"]
    if kind is initializers.Identity:  # Keras 3 forgets to save the gain
        expected = {**expected, "gain": 1.0}
    assert kind().get_config() == expected


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_initializer_comes_back_from_its_config(kind):
    again = initializers.deserialize(json.loads(json.dumps(initializers.serialize(kind()))))
    assert type(again) is kind and again.get_config() == kind().get_config()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_initializer_gives_floats_of_the_shape(kind):
    values = kind()((4, 3))
    assert values.shape == (4, 3) and values.dtype == np.float32
    assert kind()((4, 3), dtype="float64").dtype == np.float64
    config.set_floatx("float64")
    try:
        assert kind()((4, 3)).dtype == np.float64
    finally:
        config.set_floatx("float32")


@pytest.mark.parametrize(
    "kind",
    [k for k in KINDS if issubclass(k, initializers.RandomInitializer)],
    ids=lambda kind: kind.__name__,
)
def test_seeds(kind):
    seeded, unseeded = kind(seed=7), kind()
    assert np.array_equal(seeded((4, 3)), seeded((4, 3)))
    assert not np.array_equal(seeded((4, 3)), kind(seed=8)((4, 3)))
    random.set_random_seed(1)
    first, second = unseeded((4, 3)), unseeded((4, 3))
    assert not np.array_equal(first, second)
    random.set_random_seed(1)
    assert np.array_equal(unseeded((4, 3)), first)
    for seed in (-1, 0.5, "x"):
        with pytest.raises(ValueError, match="seed="):
            kind(seed=seed)


# Variance over the square of the parameter; 0.774 is 1 - 4 pdf(2) / (2 cdf(2) - 1).
CUT = 1.0 - 4.0 * math.exp(-2.0) / math.sqrt(2.0 * math.pi) / math.erf(math.sqrt(2.0))
MOMENTS = {
    "RandomNormal": (dict(mean=0.3, stddev=0.2), 0.3, lambda i, o: 0.2**2),
    "TruncatedNormal": (dict(mean=0.3, stddev=0.2), 0.3, lambda i, o: CUT * 0.2**2),
    "RandomUniform": (dict(minval=-1.0, maxval=2.0), 0.5, lambda i, o: 9.0 / 12.0),
    "GlorotUniform": ({}, 0.0, lambda i, o: 2.0 / (i + o)),
    "GlorotNormal": ({}, 0.0, lambda i, o: 2.0 / (i + o)),
    "HeUniform": ({}, 0.0, lambda i, o: 2.0 / i),
    "HeNormal": ({}, 0.0, lambda i, o: 2.0 / i),
    "LecunUniform": ({}, 0.0, lambda i, o: 1.0 / i),
    "LecunNormal": ({}, 0.0, lambda i, o: 1.0 / i),
    "VarianceScaling": (
        dict(scale=0.5, mode="fan_out", distribution="untruncated_normal"),
        0.0,
        lambda i, o: 0.5 / o,
    ),
}


@pytest.mark.parametrize("shape", [(500, 300), (5, 4, 100, 60)])
@pytest.mark.parametrize("name", MOMENTS)
def test_moments(name, shape):
    arguments, mean, variance = MOMENTS[name]
    values = getattr(initializers, name)(seed=3, **arguments)(shape).astype(np.float64)
    window = math.prod(shape[:-2])
    expected, n = variance(window * shape[-2], window * shape[-1]), values.size
    # Six standard deviations of the mean, and of the variance of a normal sample.
    assert abs(values.mean() - mean) < 6.0 * math.sqrt(expected / n)
    assert abs(values.var() - expected) < 6.0 * expected * math.sqrt(2.0 / n)


@pytest.mark.parametrize("name", GOLDEN["initializers"]["scaled"])
def test_limits_are_those_that_keras_asks_for(name):
    for shape, asked in zip(SHAPES, GOLDEN["initializers"]["scaled"][name], strict=True):
        size = np.abs(getattr(initializers, name)(seed=5)(shape)).max()
        uniform = asked["kind"] == "uniform"
        limit = asked["maxval"] if uniform else 2.0 * asked["stddev"]
        assert size <= limit * (1.0 + RTOL)
        if math.prod(shape) > 500:  # one in fifty, or one in eighty, comes that close
            assert size > (0.98 if uniform else 0.95) * limit


def test_every_random_initializer_has_its_moments_tested():
    drawn = {k.__name__ for k in KINDS if issubclass(k, initializers.RandomInitializer)}
    assert drawn == {*MOMENTS, "Orthogonal"}


def test_fans():
    assert initializers.compute_fans(()) == (1, 1)
    assert initializers.compute_fans((7,)) == (7, 7)
    assert initializers.compute_fans((3, 20, 30)) == (60, 90)
    assert initializers.compute_fans((2, 3, 5, 7), input_axes=[0, 1], output_axes=[3]) == (6, 7)
    one = initializers.HeUniform(seed=1, input_axes=[0], output_axes=[1])((2, 3, 50))
    assert np.sqrt(3.0) * 0.98 < np.abs(one).max() <= np.sqrt(3.0)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 2, 5, 4), (2, 7)])
def test_orthogonal(shape):
    W = initializers.Orthogonal(gain=3.0, seed=2)(shape).reshape(-1, shape[-1])
    product = W.T @ W if W.shape[0] >= W.shape[1] else W @ W.T
    np.testing.assert_allclose(product, 9.0 * np.eye(len(product)), 0, 1e-5)


def test_orthogonal_matrices_are_drawn_without_preference():
    random.set_random_seed(4)
    corners = [initializers.Orthogonal()((2, 2))[0, 0] for _ in range(400)]
    assert abs(np.mean(corners)) < 6.0 * math.sqrt(0.5 / 400)


def test_constant_initializers():
    assert initializers.get("zeros")((2,)).tolist() == [0.0, 0.0]
    assert initializers.get("ones")((2,)).tolist() == [1.0, 1.0]
    assert initializers.Constant(2.5)((2,)).tolist() == [2.5, 2.5]
    assert initializers.Identity(2.0)((2, 2)).tolist() == [[2.0, 0.0], [0.0, 2.0]]
    aliases = dict(normal="RandomNormal", uniform="RandomUniform", eye="Identity", zero="Zeros")
    for alias, name in aliases.items():
        assert type(initializers.get(alias)).__name__ == name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.VarianceScaling(scale=0.0), "scale=0.0"),
        (lambda: initializers.VarianceScaling(mode="fan_inn"), "'fan_in'"),
        (lambda: initializers.VarianceScaling(distribution="unifrom"), "'uniform'"),
        (lambda: initializers.Identity()((3,)), r"shape \(3,\)"),
        (lambda: initializers.Orthogonal()((3,)), r"shape \(3,\)"),
        (lambda: regularizers.L2(-0.1), "l2=-0.1"),
        (lambda: regularizers.L1(float("nan")), "l1=nan"),
        (lambda: regularizers.TABLE["L1L2"](l1="much"), "l1='much'"),
        (lambda: regularizers.OrthogonalRegularizer(mode="row"), "'rows'"),
        (lambda: regularizers.OrthogonalRegularizer()(np.ones(3)), r"shape \(3,\)"),
        (lambda: activations.serialize(max), "built-in function max"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert str(caught.value).count("\n") == 2


def test_an_initializer_of_ones_own():
    class Half(initializers.Initializer):
        def __init__(self, value):
            self.value = value

        def __call__(self, shape, dtype=None):
            return np.full(shape, self.value / 2.0, dtype)

        def get_config(self):
            return {"value": self.value}

    again = Half.from_config(initializers.get(Half(3.0)).get_config())
    assert again((2,), "float32").tolist() == [1.5, 1.5]


# ------------------------------------------------------------------------ penalties and constraints


@pytest.mark.parametrize("record", GOLDEN["regularizers"], ids=called)
def test_penalty_and_slope_are_those_of_keras(record):
    penalty = getattr(regularizers, record["name"])(**record["arguments"])
    W = Variable(MATRIX)
    loss = penalty(W)
    loss.backward()
    assert loss.dtype == np.float32 and W.grad.dtype == np.float32
    np.testing.assert_allclose(loss.data, record["value"], RTOL)
    np.testing.assert_allclose(W.grad.ravel(), record["slope"], 1e-5, 1e-7)
    assert penalty.get_config() == pytest.approx(record["config"])
    again = regularizers.deserialize(regularizers.serialize(penalty))
    assert again(MATRIX) == penalty(MATRIX)


def test_penalty_of_a_single_row_and_of_a_zero_row():
    penalty = regularizers.OrthogonalRegularizer(1.0)
    assert penalty(np.ones((1, 3))) == 0.0
    W = gl.Tensor([[0.0, 0.0], [1.0, 2.0]])
    penalty(W).backward()
    assert np.isfinite(W.grad).all()


@pytest.mark.parametrize("record", GOLDEN["constraints"], ids=called)
def test_constraints_are_those_of_keras(record):
    constraint = getattr(constraints, record["name"])(**record["arguments"])
    w = np.array(GOLDEN["kernel"], np.float32) if record.get("kernel") else MATRIX
    before = w.copy()
    allowed = constraint(w)
    assert allowed.dtype == np.float32 and allowed.shape == w.shape
    np.testing.assert_allclose(allowed.ravel(), record["allowed"], RTOL, 1e-9)
    assert np.array_equal(w, before)
    again = constraints.deserialize(json.loads(json.dumps(constraints.serialize(constraint))))
    assert again.get_config() == record["config"]
    assert np.array_equal(again(w), allowed)


def test_every_regularizer_and_constraint_is_recorded():
    for module in (regularizers, constraints):
        recorded = {r["name"] for r in GOLDEN[module.__name__.rpartition(".")[2]]}
        assert recorded == {kind.__name__ for kind in module.TABLE.values()}
        assert module.get(None) is None and module.serialize(None) is None


# ------------------------------------------------------------------------------------- activations


@pytest.mark.parametrize("name", sorted(activations.TABLE))
def test_activation_is_a_row_of_the_table(name):
    function = activations.get(name)
    assert function in gl.REGISTRY.values()
    assert activations.get(activations.serialize(function)) is function
    assert name in dir(activations)


@pytest.mark.parametrize("record", GOLDEN["relus"], ids=lambda r: str(r["arguments"]))
def test_relu_with_all_its_settings(record):
    points = np.array(GOLDEN["points"], np.float32)
    value = activations.relu(points, **record["arguments"])
    assert value.dtype == np.float32
    np.testing.assert_allclose(value, record["value"], RTOL)
    gradcheck(lambda x: activations.relu(x, **record["arguments"]), points.astype(np.float64))


def test_thin_functions_are_the_rows_of_the_table_by_default():
    x = gl.Tensor(np.linspace(-3.0, 3.0, 7))
    assert activations.relu(x).op is gl.relu
    assert activations.gelu(x).op is gl.gelu
    assert activations.gelu(x, approximate=True).op is gl.gelu_tanh
    assert activations.serialize(activations.relu) == "relu"
    assert activations.get(None) is gl.linear and activations.get(gl.mish) is gl.mish

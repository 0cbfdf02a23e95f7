"""Layers that merge several inputs, or put numbers in other places: by hand, and their mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from messages import says

from gradlab import ShapeError, Tensor, keras

layers = keras.layers
A = np.arange(6.0, dtype="float32").reshape(2, 3)
B = np.array([[5.0, 1.0, 0.0], [2.0, 2.0, 2.0]], "float32")

BY_HAND = {
    "Add": A + B,
    "Subtract": A - B,
    "Multiply": A * B,
    "Average": (A + B) / 2,
    "Maximum": np.maximum(A, B),
    "Minimum": np.minimum(A, B),
    "Concatenate": np.concatenate([A, B], axis=-1),
}


@pytest.fixture(autouse=True)
def _fresh_names():
    keras.backend.clear_session()


@pytest.mark.parametrize("name", BY_HAND)
def test_merging_by_hand(name):
    layer = getattr(layers, name)()
    np.testing.assert_array_equal(layer([A, B]), BY_HAND[name])
    np.testing.assert_array_equal(getattr(layers, name.lower())([A, B]), BY_HAND[name])
    np.testing.assert_array_equal(layer([Tensor(A), B]).data, BY_HAND[name])
    symbol = layer([keras.Input([3]), keras.Input([3])])
    assert symbol.shape == (None, *BY_HAND[name].shape[1:])
    assert layer.count_params() == 0


@pytest.mark.parametrize("name", ["Add", "Multiply", "Average", "Maximum", "Minimum"])
def test_three_inputs(name):
    function = {"Add": np.add, "Multiply": np.multiply, "Maximum": np.maximum}.get(name, np.minimum)
    expected = (A + B + B) / 3 if name == "Average" else function(function(A, B), B)
    np.testing.assert_allclose(getattr(layers, name)()([A, B, B]), expected, rtol=1e-7)


def test_fewer_axes_go_in_after_the_batch():
    table = np.arange(12.0, dtype="float32").reshape(2, 2, 3)
    found = layers.Add()([table, A])
    np.testing.assert_array_equal(found, table + A[:, None, :])
    symbol = layers.Add()([keras.Input([2, 3]), keras.Input([3])])
    assert symbol.shape == (None, 2, 3)
    assert layers.Add()([keras.Input([4, 1]), keras.Input([None, 5])]).shape == (None, 4, 5)


def test_concatenate_without_inputs_is_a_layer():
    layer = layers.concatenate()
    assert isinstance(layer, layers.Concatenate) and layer.name == "concatenate"
    assert layers.concatenate(axis=1, name="side").name == "side"
    tables = [np.ones((2, 3, 4)), np.zeros((2, 5, 4))]
    assert layers.concatenate(tables, axis=1).shape == (2, 8, 4)
    parts = [keras.Input([3, 4]), keras.Input([None, 4])]
    assert layers.concatenate(parts, axis=1).shape == (None, None, 4)


DOTS = {  # axes, shapes, what NumPy says
    "rows": (1, (4, 3), (4, 3), "bi,bi->b"),
    "tables": (2, (4, 2, 3), (4, 5, 3), "bij,bkj->bik"),
    "crossed": ((2, 1), (4, 2, 3), (4, 3, 5), "bij,bjk->bik"),
    "with rows": ((1, 2), (4, 3), (4, 5, 3), "bj,bkj->bk"),
    "from the end": (-1, (4, 2, 3), (4, 5, 3), "bij,bkj->bik"),
}


@pytest.mark.parametrize("case", DOTS)
def test_dot_products(case):
    axes, a, b, pattern = DOTS[case]
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(a).astype("float32"), rng.standard_normal(b).astype("float32")
    expected = np.einsum(pattern, a, b)
    expected = expected[:, None] if expected.ndim == 1 else expected
    np.testing.assert_allclose(layers.Dot(axes)([a, b]), expected, rtol=1e-5, atol=1e-6)
    symbol = layers.dot([keras.Input(a.shape[1:]), keras.Input(b.shape[1:])], axes=axes)
    assert symbol.shape == (None, *expected.shape[1:])


def test_normalized_dot_is_the_cosine():
    found = layers.Dot(1, normalize=True)([A, B])
    lengths = np.linalg.norm(A, axis=1) * np.linalg.norm(B, axis=1)
    np.testing.assert_allclose(found[:, 0], (A * B).sum(axis=1) / lengths, rtol=1e-6)


def test_permute_and_repeat():
    table = np.arange(24.0, dtype="float32").reshape(2, 3, 4)
    np.testing.assert_array_equal(layers.Permute((2, 1))(table), table.transpose(0, 2, 1))
    assert layers.Permute((2, 1))(keras.Input([3, 4])).shape == (None, 4, 3)
    np.testing.assert_array_equal(layers.RepeatVector(3)(A), np.repeat(A[:, None], 3, axis=1))
    assert layers.RepeatVector(3)(keras.Input([4])).shape == (None, 3, 4)


def test_lambda_finds_its_shape():
    x = keras.Input([4, 3])
    assert layers.Lambda(lambda t: t.sum(axis=1))(x).shape == (None, 3)
    halves = layers.Lambda(lambda t: [t[:, :2], t[:, 2:]])(x)
    assert [y.shape for y in halves] == [(None, 2, 3), (None, 2, 3)]
    power = layers.Lambda(lambda t, p: t**p, arguments={"p": 3.0})
    np.testing.assert_array_equal(power(A), A**3)


@pytest.mark.parametrize(
    ("mistake", "kind", "words"),
    [
        (lambda: layers.Add()(A), ValueError, ("add: called on one array", "add([a, b])")),
        (lambda: layers.Add()([A]), ValueError, ("called on 1 arrays",)),
        (
            lambda: layers.Multiply()([A, np.ones((2, 4))]),
            ShapeError,
            ("(None, 3) and (None, 4)", "Dense layer of the same width"),
        ),
        (lambda: layers.Subtract()([A, A, A]), ValueError, ("called on 3 arrays", "expected two")),
        (
            lambda: layers.Concatenate()([A, np.ones((2, 3, 4))]),
            ShapeError,
            ("(None, 3) and (None, 3, 4)", "Flatten"),
        ),
        (
            lambda: layers.Concatenate(axis=1)([np.ones((2, 3, 4)), np.ones((2, 3, 5))]),
            ShapeError,
            ("expected the same sizes along every axis but 1",),
        ),
        (lambda: layers.Dot(1)([A, np.ones((2, 4))]), ShapeError, ("along axes 1 and 1",)),
        (lambda: layers.Dot(0)([A, B]), ShapeError, ("not the axis of the batch",)),
        (lambda: layers.Permute((0, 1)), ValueError, ("dims=(0, 1)", "counted from 1")),
        (lambda: layers.Permute((2, 1))(A), ShapeError, ("expected 2 axes beside",)),
        (lambda: layers.RepeatVector(0), ValueError, ("n=0",)),
        (lambda: layers.RepeatVector(2)(np.ones((2, 3, 4))), ShapeError, ("(batch, features)",)),
        (lambda: layers.Lambda(3), TypeError, ("given 3", "expected a function")),
    ],
)
def test_a_mistake_is_told_in_three_lines(mistake, kind, words):
    with pytest.raises(kind) as error:
        mistake()
    says(error, *words)

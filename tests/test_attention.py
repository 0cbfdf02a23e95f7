"""Attention: against recorded Keras, by hand, and its mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from golden import record_keras_sequences as golden
from test_recurrent import check_answers, check_made_again, plain

from gradlab import ShapeError, keras
from gradlab.keras import masks

RNG = np.random.default_rng(9)
L = keras.layers
X = RNG.normal(size=(2, 5, 4)).astype("float32")


@pytest.fixture(autouse=True)
def _fresh_names():
    keras.backend.clear_session()
    keras.utils.set_random_seed(42)


@pytest.mark.parametrize("name", golden.ATTENTION)
def test_a_layer_answers_as_keras(name):
    check_answers(name)


@pytest.mark.parametrize("name", golden.ATTENTION)
def test_a_layer_is_made_again(name):
    check_made_again(name)


def test_attention_written_out():
    layer = L.MultiHeadAttention(2, 3)
    y, weights = layer(X, X, return_attention_scores=True)
    (Wq, bq), (Wk, bk), (Wv, bv), (Wo, bo) = (
        [w.data for w in part.weights]
        for part in (layer.query_dense, layer.key_dense, layer.value_dense, layer.output_dense)
    )
    total = np.zeros_like(X) + bo
    for head in range(2):
        q, k, v = (X @ W[:, head] + b[head] for W, b in ((Wq, bq), (Wk, bk), (Wv, bv)))
        scores = q @ k.swapaxes(1, 2) / np.sqrt(3)
        share = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        np.testing.assert_allclose(weights.data[:, head], share, rtol=1e-4)
        total += share @ v @ Wo[head]
    np.testing.assert_allclose(y.data, total, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [L.MultiHeadAttention(2, 3), L.Attention()])
def test_a_causal_layer_does_not_look_ahead(layer):
    def run(x):
        inputs = (x, x) if isinstance(layer, L.MultiHeadAttention) else ([x, x],)
        return plain(layer(*inputs, use_causal_mask=True))

    changed = X.copy()
    changed[:, 3:] = 9.0
    np.testing.assert_allclose(run(changed)[:, :3], run(X)[:, :3], rtol=1e-5, atol=1e-6)


def test_masks_left_by_an_embedding_are_used():
    words = np.array([[1, 2, 0], [3, 0, 0]])
    x = L.Embedding(5, 4, mask_zero=True)(words)
    layer = L.MultiHeadAttention(1, 3)
    y, weights = layer(x, x, return_attention_scores=True)
    assert (weights.data[0, 0, :2, 2] == 0).all() and (weights.data[1, 0, 0, 1:] == 0).all()
    np.testing.assert_array_equal(masks.found(y), words != 0)


def test_a_transformer_block_learns_as_a_program():
    def trained(run_eagerly):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        words = keras.Input((6,))
        x = L.Embedding(10, 8, mask_zero=True)(words)
        x = L.add([x, L.MultiHeadAttention(2, 4, dropout=0.1, seed=5)(x, x)])
        x = L.LayerNormalization()(x)
        model = keras.Model(words, L.Dense(1)(L.GlobalAveragePooling1D()(x)))
        model.compile(loss="mse", optimizer="adam", run_eagerly=run_eagerly)
        numbers = np.random.default_rng(2).integers(1, 10, (16, 6))
        target = (numbers[:, :1] == numbers[:, 1:2]).astype("float32")
        return model.fit(numbers, target, epochs=5, batch_size=8, verbose=0).history["loss"], model

    fast, model = trained(False)
    assert model.program() is not None and fast[-1] < fast[0]
    assert fast == pytest.approx(trained(True)[0], rel=1e-4)


@pytest.mark.parametrize(
    ("mistake", "error", "words"),
    [
        (lambda: L.MultiHeadAttention(0, 3), ValueError, "num_heads=0"),
        (lambda: L.MultiHeadAttention(2, 3, value_dim=0), ValueError, "value_dim=0"),
        (lambda: L.MultiHeadAttention(2, 3, attention_axes=(1, 2)), ValueError, "attention_axes"),
        (lambda: L.MultiHeadAttention(2, 3)(X[0], X[0]), ShapeError, "attention of a sequence"),
        (lambda: L.MultiHeadAttention(2, 3)(X, X, X[:, :3]), ShapeError, "as many keys"),
        (lambda: L.Attention(score_mode="sum"), ValueError, "score_mode='sum'"),
        (lambda: L.Attention()(X), ShapeError, r"\[query, value\]"),
        (lambda: L.Attention()([X, X[..., :2]]), ShapeError, "size of the queries"),
    ],
)
def test_a_mistake_is_told_in_three_lines(mistake, error, words):
    with pytest.raises(error, match=words) as caught:
        mistake()
    assert str(caught.value).count("\n") == 2

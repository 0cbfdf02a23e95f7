"""Pooling and resizing: against recorded Keras, ties and edges by hand, and mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from against_keras import check_answers, check_curve, check_shape
from golden import record_keras_windows as golden

import gradlab as gl
from gradlab import ShapeError, keras
from gradlab.ops import windows

L = keras.layers


@pytest.fixture(autouse=True)
def _fresh_names():
    keras.backend.clear_session()
    keras.utils.set_random_seed(42)


@pytest.mark.parametrize("name", golden.POOLING)
def test_a_layer_answers_as_keras(name):
    check_answers(name)


@pytest.mark.parametrize("name", golden.POOLING)
def test_a_layer_announces_its_shape(name):
    check_shape(name)


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize("name", golden.POOLING)
def test_the_layers_after_it_learn_as_in_keras(name, run_eagerly):
    check_curve(name, run_eagerly)


# ------------------------------------------------------------------------------------- by hand


def test_of_numbers_that_tie_the_first_gets_the_gradient():
    x = gl.Tensor(np.array([[[5.0, 1.0], [5.0, 2.0], [5.0, 2.0], [1.0, 2.0]]]))
    windows.max_pool(x, 2).sum().backward()
    assert x.grad[0].tolist() == [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]


def test_a_number_that_wins_two_windows_gets_both_gradients():
    x = gl.Tensor(np.array([[[1.0], [9.0], [2.0]]]))
    windows.max_pool(x, 2, strides=1).backward(np.array([[[3.0], [4.0]]]))
    assert x.grad.ravel().tolist() == [0.0, 7.0, 0.0]


def test_zeros_around_an_image_do_not_win():
    x = -np.ones((1, 3, 3, 1))
    assert (windows.max_pool(x, 2, padding="same") == -1.0).all()
    assert (windows.average_pool(x, 2, padding="same") == -1.0).all()
    assert (windows.max_pool(x.astype(int), 2, padding="same") == -1.0).all()


def test_a_window_of_more_than_256_numbers():
    x = np.zeros((1, 20, 20, 1))
    x[0, 19, 18, 0] = 1.0
    t = gl.Tensor(x)
    windows.max_pool(t, 20).sum().backward()
    np.testing.assert_array_equal(t.grad, x)


def test_the_names_of_tf_keras():
    assert L.MaxPool2D is L.MaxPooling2D and L.GlobalAvgPool2D is L.GlobalAveragePooling2D


# ------------------------------------------------------------------------------------- mistakes

IMAGES = np.ones((2, 4, 4, 3), np.float32)


@pytest.mark.parametrize(
    ("mistake", "error", "words"),
    [
        (lambda: L.MaxPooling2D(5)(IMAGES), ShapeError, "(?s)max_pooling2d: .* 5 x 5 .* 4 x 4"),
        (lambda: L.MaxPooling2D((2, 2, 2)), ValueError, "pool_size"),
        (lambda: L.AveragePooling1D()(IMAGES), ShapeError, r"\(batch, steps, channels\)"),
        (lambda: L.AveragePooling2D(padding="full"), ValueError, "padding='full'"),
        (lambda: L.GlobalMaxPooling2D()(IMAGES[0]), ShapeError, "rows, columns"),
        (lambda: L.Cropping2D(2)(IMAGES), ShapeError, "images of 4 x 4"),
        (lambda: L.Cropping2D(2)(keras.Input((4, 9, 3))), ShapeError, "images of 4 x 9"),
        (lambda: L.Cropping2D(-1), ValueError, "cropping=-1"),
        (lambda: L.ZeroPadding2D((1, 2, 3)), ValueError, "top and bottom"),
        (lambda: L.UpSampling2D(0), ValueError, "size=0"),
        (lambda: L.UpSampling2D(interpolation="area"), ValueError, "lanczos5"),
    ],
)
def test_a_mistake_is_told_in_three_lines(mistake, error, words):
    with pytest.raises(error, match=words) as caught:
        mistake()
    assert str(caught.value).count("\n") == 2

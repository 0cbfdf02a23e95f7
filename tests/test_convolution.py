"""Convolution: against sums written out, against recorded Keras, and its mistakes."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from against_keras import check_answers, check_curve, check_shape
from golden import record_keras_windows as golden

import gradlab as gl
from gradlab import ShapeError, config, keras
from gradlab.kernels import depthwise, direct, generated, slides, threads
from gradlab.kernels import windows as kernels
from gradlab.ops import windows
from gradlab.testing import gradcheck

RNG = np.random.default_rng(9)
SETTINGS = [
    (sizes, kernel, strides, padding, dilation, groups)
    for sizes, kernel in (
        *(((7,), (3,)), ((6, 5), (3, 2)), ((4, 3), (1, 1))),
        ((3, 4, 3), (2, 2, 1)),
    )
    for strides, padding, dilation, groups in itertools.product(
        (1, 2), ("valid", "same", "causal"), (1, 2), (1, 2, 4)
    )
]


@pytest.fixture(autouse=True)
def _fresh_names():
    keras.backend.clear_session()
    keras.utils.set_random_seed(42)


def written_out(x, W, how):
    """The definition: one sum of products for each place, filter and group."""
    groups = x.shape[-1] // W.shape[-2]
    x = slides.padded(x, how)
    y = np.zeros((len(x), *how.places, groups, W.shape[-1] // groups))
    shares = W.reshape(*W.shape[:-1], groups, -1)
    for place in np.ndindex(how.places):
        for tap in np.ndindex(how.kernel):
            axes = zip(place, how.strides, tap, how.dilation, strict=True)
            at = tuple(p * s + t * d for p, s, t, d in axes)
            seen = x[(slice(None), *at)].reshape(len(x), groups, -1)
            y[(slice(None), *place)] += np.einsum("bgc,cgf->bgf", seen, shares[tap])
    return y.reshape(*y.shape[:-2], -1)


def drawn(sizes, kernel, strides, padding, dilation, groups, batch=3):
    x = RNG.normal(size=(batch, *sizes, 4))
    W = RNG.normal(size=(*kernel, 4 // groups, 2 * groups))
    return x, W, (strides, padding, dilation)


# --------------------------------------------------------------------------------- the primitives


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("piece", [1 << 20, 400, 1])
def test_three_products_by_their_definition(setting, piece, monkeypatch):
    monkeypatch.setattr(kernels, "PIECE", piece)  # all at once, some rows, row by row
    x, W, how = drawn(*setting)
    y = windows.conv(x, W, *how)
    slide = windows.slide_of("conv", x.shape[1:-1], W.shape[:-2], *how)
    np.testing.assert_allclose(y, written_out(x, W, slide), rtol=1e-12, atol=1e-12)
    # The others are its transposes: <g, conv(x, W)> is linear in x, and in W.
    g = RNG.normal(size=y.shape)
    image = windows.conv_to_image(g, W, x.shape[1:], *how)
    kernel = windows.conv_to_kernel(x, g, W.shape, *how)
    other_x, other_W = RNG.normal(size=x.shape), RNG.normal(size=W.shape)
    assert (image * other_x).sum() == pytest.approx((g * windows.conv(other_x, W, *how)).sum())
    assert (kernel * other_W).sum() == pytest.approx((g * windows.conv(x, other_W, *how)).sum())


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s[-1] == 4], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_loops_do_what_the_passes_do(setting, dtype, monkeypatch):
    x, W, how = drawn(*setting)
    x, W = x.astype(dtype), W.astype(dtype)
    g = RNG.normal(size=windows.conv(x, W, *how).shape).astype(dtype)
    found = []
    for worth in (0, np.inf):
        monkeypatch.setattr(depthwise, "WORTH_COMPILING", worth)
        image = windows.conv_to_image(g, W, x.shape[1:], *how)
        found.append([windows.conv(x, W, *how), image, windows.conv_to_kernel(x, g, W.shape, *how)])
    for compiled, passes in zip(*found, strict=True):
        assert compiled.dtype == passes.dtype == dtype
        np.testing.assert_allclose(compiled, passes, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("padding", ["valid", "same", ((1, 0), (0, 2)), ((4, 3), (0, 5))])
@pytest.mark.parametrize("kernel", [(3, 3), (2, 1)])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), (2, 1), (1, 2), (2, 3)])
def test_tiles_do_what_blas_does(dtype, kernel, strides, padding, dilation, monkeypatch):
    x = RNG.normal(size=(3, 9, 33, 32)).astype(dtype)
    W = RNG.normal(size=(*kernel, 32, 32)).astype(dtype)
    how = strides, padding, dilation
    g = RNG.normal(size=windows.conv(x, W, *how).shape).astype(dtype)
    calls, group = _counted(monkeypatch), direct.GROUP
    found = []
    for worth, size in ((0, group), (0, 1), (np.inf, group)):  # all images at once, one by one
        monkeypatch.setattr(direct, "WORTH_COMPILING", worth)
        monkeypatch.setattr(direct, "GROUP", size)
        image = windows.conv_to_image(g, W, x.shape[1:], *how)
        found.append([windows.conv(x, W, *how), image, windows.conv_to_kernel(x, g, W.shape, *how)])
    assert not generated.available() or len(calls) >= 4
    close = 1e-4 if dtype == "float32" else 1e-12
    for tiles, single, blas in zip(*found, strict=True):
        assert tiles.dtype == blas.dtype == dtype and np.array_equal(tiles, single)
        np.testing.assert_allclose(tiles, blas, rtol=close, atol=close)


def _counted(monkeypatch):
    """Return a list that grows with each convolution in tiles."""
    calls, loops = [], direct._loops
    monkeypatch.setattr(direct, "_loops", lambda *a: (calls.append(a), loops(*a))[1])
    return calls


@pytest.mark.parametrize("channels", [32, 1])  # with one channel a group, channel by channel
@pytest.mark.parametrize("worth", [0, np.inf])
def test_a_convolution_adds_its_bias_with_the_same_bits(channels, worth, monkeypatch):
    monkeypatch.setattr(direct, "WORTH_COMPILING", worth)
    x, W, b = (RNG.normal(size=s) for s in ((3, 9, 20, 32), (3, 3, channels, 32), (32,)))
    y = np.empty((3, 7, 18, 32))
    windows.conv_with_bias(y, x, W, b, 1, "valid", 1)
    np.testing.assert_array_equal(y, windows.conv(x, W) + b)


@pytest.mark.parametrize(("groups", "worth"), [(1, np.inf), (4, np.inf), (1, 0)])
def test_several_threads_do_what_one_does(groups, worth, monkeypatch):
    monkeypatch.setattr(threads, "WORTH_SHARING", 0.0)
    monkeypatch.setattr(kernels, "UNSHARED", 0.0)
    monkeypatch.setattr(direct, "WORTH_COMPILING", worth)
    x, W, how = drawn((6, 15), (3, 2), 1, "same", 1, groups, batch=5)
    W = np.concatenate([W] * 8, axis=-1)
    g = RNG.normal(size=windows.conv(x, W, *how).shape)
    found = []
    for count in (1, 2, 3):
        monkeypatch.setattr(config, "threads", count)
        image = windows.conv_to_image(g, W, x.shape[1:], *how)
        kernel = windows.conv_to_kernel(x, g, W.shape, *how)
        found.append([windows.conv(x, W, *how), image, kernel])
    for one, two, three in zip(*found, strict=True):
        assert np.array_equal(one, two) and np.array_equal(one, three)


def test_memory_is_not_that_of_all_windows():
    x, W = np.ones((16, 40, 40, 8), np.float32), np.ones((5, 5, 8, 8), np.float32)
    g = np.ones((16, 36, 36, 8), np.float32)  # all windows: 13 MB; the images: 0.8 MB
    for run in (
        lambda: windows.conv(x, W),
        lambda: windows.conv_to_image(g, W, x.shape[1:]),
        lambda: windows.conv_to_kernel(x, g, W.shape),
    ):
        tracemalloc.start()
        run()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 3 * x.nbytes + 2 * kernels.PIECE


def test_any_layout_of_memory():
    x, W, how = drawn((6, 5), (3, 2), 2, "valid", 1, 1)
    expected = windows.conv(x, W, *how)
    turned = np.ascontiguousarray(x.transpose(3, 1, 2, 0)).transpose(3, 1, 2, 0)
    backward = np.ascontiguousarray(W[::-1])[::-1]
    np.testing.assert_array_equal(windows.conv(turned, backward, *how), expected)
    assert windows.conv(x.astype("float32"), W.astype("float32")).dtype == np.float32


def test_an_empty_batch():
    W = np.ones((3, 3, 2, 4))
    assert windows.conv(np.ones((0, 5, 5, 2)), W).shape == (0, 3, 3, 4)
    dW = windows.conv_to_kernel(np.ones((0, 5, 5, 2)), np.ones((0, 3, 3, 4)), W.shape)
    assert dW.shape == W.shape and not dW.any()


def test_derivatives_of_any_order():
    x, W = RNG.normal(size=(1, 5, 1)), RNG.normal(size=(2, 1, 1))

    def f(W):
        return (windows.conv(gl.tanh(windows.conv(x, W)), W, strides=2) ** 3).sum()

    def slope(W):
        return (gl.grad(f)(W) ** 2).sum()

    def slope_of_slope(W):
        return (gl.grad(slope)(W) ** 2).sum()

    assert gradcheck(f, W) and gradcheck(slope, W) and gradcheck(slope_of_slope, W)


def test_zeros_by_their_number():
    x, W = RNG.normal(size=(1, 4, 3, 1)), RNG.normal(size=(2, 2, 1, 1))
    padded = np.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0)))
    given = windows.conv(x, W, padding=((1, 2), (0, 3)))
    np.testing.assert_allclose(given, windows.conv(padded, W))


# ----------------------------------------------------------------------------------- the layers


@pytest.mark.parametrize("name", golden.CONVOLUTION)
def test_a_layer_answers_as_keras(name):
    check_answers(name)


@pytest.mark.parametrize("name", golden.CONVOLUTION)
def test_a_layer_announces_its_shape(name):
    check_shape(name)


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize("name", golden.CONVOLUTION)
def test_a_layer_learns_as_in_keras(name, run_eagerly):
    check_curve(name, run_eagerly)


def test_sizes_that_are_not_known_yet():
    layer = keras.layers.Conv2D(4, 3, strides=2)
    assert layer(keras.Input((None, 7, 3))).shape == (None, None, 3, 4)
    assert layer(np.ones((2, 9, 7, 3))).shape == (2, 4, 3, 4)
    assert layer(np.ones((2, 5, 7, 3))).shape == (2, 2, 3, 4)


def test_a_causal_layer_does_not_look_ahead():
    layer = keras.layers.Conv1D(2, 3, padding="causal", dilation_rate=2)
    x = RNG.normal(size=(1, 9, 2)).astype("float32")
    y = layer(x).data
    x[:, 6:] = 100.0
    np.testing.assert_array_equal(layer(x).data[:, :6], y[:, :6])


def test_fans_of_a_kernel():
    keras.utils.set_random_seed(1)
    layer = keras.layers.Conv2D(64, 3)
    layer.build((None, 8, 8, 32))
    limit = np.sqrt(6 / (9 * 32 + 9 * 64))  # Glorot: every output sums 9 * 32 numbers
    assert 0.99 * limit < abs(layer.kernel.data).max() <= limit


def test_a_layer_is_made_again():
    for name, (kind, settings, shape) in golden.LAYERS.items():
        layer = golden.layer(keras, name)
        again = getattr(keras.layers, kind).from_config(layer.get_config())
        again.build(shape)
        again.set_weights(layer.get_weights())
        assert again.get_config() == layer.get_config()
        assert settings.items() <= {**layer.get_config(), **settings}.items()
        x = golden.numbers(name, *shape)
        y, z = (getattr(made(x), "data", made(x)) for made in (layer, again))
        assert np.array_equal(np.asarray(y), np.asarray(z)), name


# ----------------------------------------------------------------------------------- mistakes

L = keras.layers
IMAGES = np.ones((2, 4, 4, 3), np.float32)


@pytest.mark.parametrize(
    ("mistake", "error", "words"),
    [
        (lambda: L.Conv2D(8, 5)(IMAGES), ShapeError, "window of 5 x 5 on an image of 4 x 4"),
        (
            lambda: L.Conv2D(8, 3, dilation_rate=2)(IMAGES),
            ShapeError,
            "conv2d: a window of 5 x 5 on an image of 4 x 4",
        ),
        (lambda: L.Conv2D(8, 5)(keras.Input((4, 4, 3))), ShapeError, "(?s)input.*same"),
        (lambda: L.Conv2D(8, 2)(IMAGES[0]), ShapeError, r"\(batch, rows, columns, channels\)"),
        (lambda: L.Conv1D(8, 2)(IMAGES), ShapeError, r"\(batch, steps, channels\)"),
        (lambda: L.Conv2D(8, 2, groups=2)(IMAGES), ShapeError, "(?s)3 channels for 2 groups.*=1"),
        (lambda: L.Conv2D(8, 2, groups=3), ValueError, "filters=9"),
        (lambda: L.Conv2D(0, 2), ValueError, "filters=0"),
        (lambda: L.Conv2D(8, (2, 2, 2)), ValueError, "kernel_size"),
        (lambda: L.Conv2D(8, 2, strides=0), ValueError, "strides=0"),
        (lambda: L.Conv2D(8, 2, padding="causal"), ValueError, "'valid' or 'same'"),
        (lambda: L.Conv2D(8, 2, data_format="last"), ValueError, "channels_first"),
        (lambda: L.Conv2D(8, 2, kernel_initialiser="ones"), ValueError, "'kernel_initializer'"),
        (lambda: L.Conv2D(8, 2)(keras.Input((4, 4, None))), ShapeError, "number of channels"),
        (lambda: other_channels(L.Conv2D(8, 2)), ShapeError, "expected 3 channels"),
        (lambda: L.DepthwiseConv2D(2, depth_multiplier=0), ValueError, "depth_multiplier=0"),
        (
            lambda: L.Conv2DTranspose(8, 2, strides=2, output_padding=2),
            ValueError,
            "smaller than the strides",
        ),
        (lambda: windows.conv(IMAGES, np.ones((2, 2, 2, 4))), ShapeError, "(2, 2, 3, 4)"),
        (lambda: windows.conv(IMAGES[0], np.ones((2, 2, 3, 4))), ShapeError, "np.newaxis"),
        (
            lambda: windows.conv(IMAGES, np.ones((2, 2, 3, 4)), padding="full"),
            ValueError,
            "padding='full'",
        ),
        (
            lambda: windows.conv(IMAGES, np.ones((2, 2, 3, 4)), padding=[1, 1]),
            ValueError,
            r"\(\(1, 1\), \(1, 1\)\)",
        ),
        (
            lambda: windows.depthwise_conv(IMAGES, np.ones((2, 2, 1, 4))),
            ShapeError,
            "(2, 2, 3, 4)",
        ),
        (
            lambda: windows.conv_transpose(IMAGES, np.ones((2, 2, 3, 4))),
            ShapeError,
            "(2, 2, 3, 3)",
        ),
        (
            lambda: windows.conv_transpose(IMAGES, np.ones((2, 2, 4, 3)), padding="causal"),
            ValueError,
            "'valid' or 'same'",
        ),
    ],
)
def test_a_mistake_is_told_in_three_lines(mistake, error, words):
    with pytest.raises(error, match=words) as caught:
        mistake()
    assert str(caught.value).count("\n") == 2


def other_channels(layer):
    layer(IMAGES)
    layer(IMAGES[..., :2])

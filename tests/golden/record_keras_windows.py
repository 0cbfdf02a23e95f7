"""Record what the convolution, pooling and normalization layers of real Keras answer.

    cd tests && KERAS_BACKEND=jax python -m golden.record_keras_windows

writes keras_windows.json beside this file: outputs, gradients, the numbers that training changes by
the way, and the losses of five epochs. The cases are those of `LAYERS`, which the tests import too;
neither Keras nor its backend is needed to run them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from golden.record_keras_layers import numbers

FILE = Path(__file__).with_name("keras_windows.json")
FIRST = {"data_format": "channels_first"}
IMAGES, WIDE, LINES = (4, 6, 5, 2), (4, 5, 6, 4), (4, 7, 2)
FIRST_IMAGES, FIRST_LINES = (4, 2, 6, 5), (4, 2, 7)
CONV, CONV1 = {"filters": 3, "kernel_size": 3}, {"filters": 2, "kernel_size": 3}
SEPARABLE = {"filters": 3, "kernel_size": (3, 2)}

Case = tuple[str, dict[str, Any], tuple[int, ...]]

# name: class, arguments, shape of the inputs
CONVOLUTION: dict[str, Case] = {
    "conv2d": ("Conv2D", {**CONV, "activation": "tanh"}, IMAGES),
    "conv2d same": ("Conv2D", {**CONV, "padding": "same"}, IMAGES),
    "conv2d even same": (
        "Conv2D",
        {"filters": 2, "kernel_size": (2, 4), "padding": "same"},
        IMAGES,
    ),
    "conv2d strides": ("Conv2D", {**CONV, "strides": (2, 1)}, IMAGES),
    "conv2d strides same": ("Conv2D", {**CONV, "strides": 2, "padding": "same"}, IMAGES),
    "conv2d dilation": ("Conv2D", {**CONV, "dilation_rate": 2}, IMAGES),
    "conv2d dilation same": (
        "Conv2D",
        {**CONV, "dilation_rate": (1, 2), "padding": "same"},
        IMAGES,
    ),
    "conv2d groups": ("Conv2D", {"filters": 6, "kernel_size": 2, "groups": 2}, WIDE),
    "conv2d groups strides": (
        "Conv2D",
        {"filters": 4, "kernel_size": 3, "groups": 4, "strides": 2, "padding": "same"},
        WIDE,
    ),
    "conv2d groups first": (
        "Conv2D",
        {"filters": 4, "kernel_size": 2, "groups": 2, **FIRST},
        FIRST_IMAGES,
    ),
    "conv2d no bias": ("Conv2D", {**CONV, "use_bias": False}, IMAGES),
    "conv2d 1x1": ("Conv2D", {"filters": 3, "kernel_size": 1, "strides": 2}, IMAGES),
    "conv2d first": ("Conv2D", {**CONV, **FIRST, "padding": "same"}, FIRST_IMAGES),
    "conv2d first softmax": ("Conv2D", {**CONV, **FIRST, "activation": "softmax"}, FIRST_IMAGES),
    "conv2d penalty": ("Conv2D", {**CONV, "kernel_regularizer": "l2"}, IMAGES),
    "conv1d": ("Conv1D", {**CONV1, "activation": "tanh"}, LINES),
    "conv1d same": ("Conv1D", {**CONV1, "padding": "same", "strides": 2}, LINES),
    "conv1d causal": ("Conv1D", {**CONV1, "padding": "causal"}, LINES),
    "conv1d causal dilation": (
        "Conv1D",
        {**CONV1, "padding": "causal", "dilation_rate": 2},
        LINES,
    ),
    "conv1d causal strides": ("Conv1D", {**CONV1, "padding": "causal", "strides": 2}, LINES),
    "conv1d dilation": ("Conv1D", {**CONV1, "padding": "same", "dilation_rate": 2}, LINES),
    "conv1d groups": ("Conv1D", {**CONV1, "groups": 2}, LINES),
    "conv1d first": ("Conv1D", {**CONV1, **FIRST, "padding": "causal"}, FIRST_LINES),
    "depthwise": ("DepthwiseConv2D", {"kernel_size": 3}, IMAGES),
    "depthwise many": (
        "DepthwiseConv2D",
        {"kernel_size": (2, 3), "depth_multiplier": 2, "strides": 2, "padding": "same"},
        IMAGES,
    ),
    "depthwise no bias": (
        "DepthwiseConv2D",
        {"kernel_size": 2, "use_bias": False, "padding": "same", "activation": "tanh"},
        IMAGES,
    ),
    "depthwise dilation": ("DepthwiseConv2D", {"kernel_size": 2, "dilation_rate": 2}, IMAGES),
    "depthwise first": ("DepthwiseConv2D", {"kernel_size": 3, **FIRST}, FIRST_IMAGES),
    "separable": ("SeparableConv2D", {**SEPARABLE, "activation": "tanh"}, IMAGES),
    "separable many": (
        "SeparableConv2D",
        {**SEPARABLE, "depth_multiplier": 2, "strides": 2, "padding": "same"},
        IMAGES,
    ),
    "separable dilation": ("SeparableConv2D", {**SEPARABLE, "dilation_rate": 2}, IMAGES),
    "separable no bias": ("SeparableConv2D", {**SEPARABLE, "use_bias": False}, IMAGES),
    "separable first": ("SeparableConv2D", {**SEPARABLE, **FIRST}, FIRST_IMAGES),
    "transpose": ("Conv2DTranspose", CONV, IMAGES),
    "transpose strides": ("Conv2DTranspose", {**CONV, "strides": 2}, IMAGES),
    "transpose far": ("Conv2DTranspose", {"filters": 2, "kernel_size": 2, "strides": 3}, IMAGES),
    "transpose same": ("Conv2DTranspose", {**CONV, "strides": 2, "padding": "same"}, IMAGES),
    "transpose even same": (
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": (4, 2), "strides": (2, 3), "padding": "same"},
        IMAGES,
    ),
    "transpose more": ("Conv2DTranspose", {**CONV, "strides": 2, "output_padding": 1}, IMAGES),
    "transpose more same": (
        "Conv2DTranspose",
        {**CONV, "strides": (2, 3), "padding": "same", "output_padding": (0, 2)},
        IMAGES,
    ),
    "transpose dilation": ("Conv2DTranspose", {**CONV, "dilation_rate": 2}, IMAGES),
    "transpose dilation same": (
        "Conv2DTranspose",
        {**CONV, "dilation_rate": 2, "padding": "same"},
        IMAGES,
    ),
    "transpose no bias": (
        "Conv2DTranspose",
        {**CONV, "use_bias": False, "activation": "tanh"},
        IMAGES,
    ),
    "transpose first": ("Conv2DTranspose", {**CONV, **FIRST, "strides": 2}, FIRST_IMAGES),
}
POOLING: dict[str, Case] = {
    "max2d": ("MaxPooling2D", {}, IMAGES),
    "max2d same": ("MaxPooling2D", {"pool_size": 2, "padding": "same"}, IMAGES),
    "max2d overlapping": ("MaxPooling2D", {"pool_size": (3, 2), "strides": 1}, IMAGES),
    "max2d gaps": ("MaxPooling2D", {"pool_size": 2, "strides": 3}, IMAGES),
    "max2d first": ("MaxPooling2D", {"pool_size": 3, "strides": 2, **FIRST}, FIRST_IMAGES),
    "max1d": ("MaxPooling1D", {"pool_size": 3}, LINES),
    "max1d strides": ("MaxPooling1D", {"strides": 1, "padding": "same"}, LINES),
    "max1d first": ("MaxPooling1D", {"padding": "same", **FIRST}, FIRST_LINES),
    "average2d": ("AveragePooling2D", {"pool_size": 2}, IMAGES),
    "average2d same": ("AveragePooling2D", {"pool_size": 3, "padding": "same"}, IMAGES),
    "average2d overlapping": (
        "AveragePooling2D",
        {"pool_size": (2, 3), "strides": 1, "padding": "same"},
        IMAGES,
    ),
    "average2d first": ("AveragePooling2D", {"pool_size": 2, "strides": 3, **FIRST}, FIRST_IMAGES),
    "average1d first": (
        "AveragePooling1D",
        {"pool_size": 2, "padding": "same", **FIRST},
        FIRST_LINES,
    ),
    "average1d": ("AveragePooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}, LINES),
    "global max2d": ("GlobalMaxPooling2D", {}, IMAGES),
    "global max2d first": ("GlobalMaxPooling2D", {"keepdims": True, **FIRST}, FIRST_IMAGES),
    "global max1d": ("GlobalMaxPooling1D", {"keepdims": True}, LINES),
    "global max1d first": ("GlobalMaxPooling1D", FIRST, FIRST_LINES),
    "global average1d first": ("GlobalAveragePooling1D", FIRST, FIRST_LINES),
    "global average2d": ("GlobalAveragePooling2D", {"keepdims": True}, IMAGES),
    "global average2d first": ("GlobalAveragePooling2D", FIRST, FIRST_IMAGES),
    "global average1d": ("GlobalAveragePooling1D", {}, LINES),
    "zeros": ("ZeroPadding2D", {"padding": ((1, 0), (2, 3))}, IMAGES),
    "zeros first": ("ZeroPadding2D", {"padding": (1, 2), **FIRST}, FIRST_IMAGES),
    "cropping": ("Cropping2D", {"cropping": ((1, 0), (2, 1))}, IMAGES),
    "cropping first": ("Cropping2D", {"cropping": 1, **FIRST}, FIRST_IMAGES),
    "nearest": ("UpSampling2D", {"size": (2, 3)}, IMAGES),
    "bilinear": ("UpSampling2D", {"size": (2, 3), "interpolation": "bilinear"}, IMAGES),
    "bicubic": ("UpSampling2D", {"size": (3, 2), "interpolation": "bicubic"}, IMAGES),
    "lanczos3": ("UpSampling2D", {"interpolation": "lanczos3"}, IMAGES),
    "lanczos5": ("UpSampling2D", {"interpolation": "lanczos5"}, IMAGES),
    "bilinear first": ("UpSampling2D", {"interpolation": "bilinear", **FIRST}, FIRST_IMAGES),
}
NORMALIZATION: dict[str, Case] = {
    "batch": ("BatchNormalization", {}, (6, 3)),
    "batch images": ("BatchNormalization", {"momentum": 0.9}, IMAGES),
    "batch axis 1": ("BatchNormalization", {"axis": 1, "epsilon": 0.1}, FIRST_IMAGES),
    "batch plain": ("BatchNormalization", {"center": False, "scale": False}, (6, 3)),
    "batch start": (
        "BatchNormalization",
        {"moving_mean_initializer": "ones", "momentum": 0.5, "scale": False},
        (6, 3),
    ),
    "batch penalty": (
        "BatchNormalization",
        {"gamma_regularizer": "l2", "beta_constraint": "non_neg"},
        IMAGES,
    ),
    "layer": ("LayerNormalization", {}, (4, 5)),
    "layer axes": ("LayerNormalization", {"axis": [1, 2], "epsilon": 0.01}, LINES),
    "layer axis 1": ("LayerNormalization", {"axis": 1, "center": False}, LINES),
    "layer plain": ("LayerNormalization", {"scale": False, "center": False}, (4, 5)),
    "group": ("GroupNormalization", {"groups": 2}, WIDE),
    "group of each": ("GroupNormalization", {"groups": -1}, IMAGES),
    "group axis 1": ("GroupNormalization", {"groups": 2, "axis": 1}, (4, 4, 3, 2)),
    "group plain": ("GroupNormalization", {"groups": 1, "scale": False, "center": False}, WIDE),
    "unit": ("UnitNormalization", {}, (4, 5)),
    "unit axis 1": ("UnitNormalization", {"axis": 1}, LINES),
    "spatial1d at rest": ("SpatialDropout1D", {"rate": 0.5}, LINES),
    "spatial2d at rest": ("SpatialDropout2D", {"rate": 0.5, **FIRST}, FIRST_IMAGES),
    "gaussian at rest": ("GaussianDropout", {"rate": 0.5}, (4, 5)),
    "alpha at rest": ("AlphaDropout", {"rate": 0.5}, (4, 5)),
}
LAYERS = {**CONVOLUTION, **POOLING, **NORMALIZATION}
RANDOM = ("SpatialDropout1D", "SpatialDropout2D", "GaussianDropout", "AlphaDropout")


def layer(keras: Any, name: str) -> Any:
    """Return a layer of either library, with weights that are the same in both."""
    kind, settings, shape = LAYERS[name]
    made = getattr(keras.layers, kind)(**settings)
    made.build(shape)
    if kind != "BatchNormalization":  # whose averages begin where its initializers say
        made.set_weights([0.5 * numbers(f"{name} {w.name}", *w.shape) for w in made.weights])
    return made


def curve(keras: Any, name: str, run_eagerly: bool = False) -> dict[str, list[float]]:
    """Return the losses of five epochs with the layer, one of an evaluation, and its weights."""
    _, _, shape = LAYERS[name]
    first, second = layer(keras, name), keras.layers.Dense(1)
    net = keras.Sequential([keras.layers.Input(shape[1:]), first, keras.layers.Flatten(), second])
    second.set_weights([0.2 * numbers(f"{name} {w.name}", *w.shape) for w in second.weights])
    descent = keras.optimizers.SGD(0.02, global_clipnorm=1.0)  # or wide layers would run away
    net.compile(loss="mse", optimizer=descent, run_eagerly=run_eagerly)
    x, y = numbers(f"{name} x", 12, *shape[1:]), numbers(f"{name} y", 12, 1)
    losses = net.fit(x, y, batch_size=5, epochs=5, shuffle=False, verbose=0).history["loss"]
    evaluated = net.evaluate(x, y, verbose=0)
    weights = [v for w in first.get_weights() for v in np.asarray(w, "float64").ravel().round(7)]
    return {"losses": [*losses, evaluated], "weights": weights}


def answers(name: str) -> dict[str, Any]:
    """Return outputs and, for a random cotangent, the gradients of a Keras layer in training."""
    import jax
    import keras

    made, x = layer(keras, name), numbers(name, *LAYERS[name][2])
    training = {"training": LAYERS[name][0] == "BatchNormalization"} if needs_flag(name) else {}
    weights = [w.value for w in made.trainable_variables]
    still = [w.value for w in made.non_trainable_variables]

    def call(x, weights):
        return made.stateless_call(weights, still, x, **training)

    y, pull, after = jax.vjp(call, x, weights, has_aux=True)
    dx, dweights = pull(numbers(f"{name} g", *y.shape))
    arrays = {"y": y, "dx": dx} | {f"dw{k}": g for k, g in enumerate(dweights)}
    if LAYERS[name][0] == "BatchNormalization":
        arrays |= {f"average{k}": a for k, a in enumerate(after)}
        arrays["prediction"] = made.stateless_call(weights, after, x, training=False)[0]
    return {key: np.asarray(a, "float64").round(6).tolist() for key, a in arrays.items()}


def needs_flag(name: str) -> bool:
    """Tell whether the layer does something else in training."""
    return LAYERS[name][0] in ("BatchNormalization", *RANDOM)


def main() -> None:
    """Write the file."""
    import keras

    found = {
        "versions": {"keras": keras.__version__, "backend": keras.backend.backend()},
        "layers": {name: answers(name) for name in LAYERS},
        "curves": {name: curve(keras, name) for name in LAYERS if LAYERS[name][0] not in RANDOM},
    }
    FILE.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()

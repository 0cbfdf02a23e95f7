"""All layers; `keras.layers.Dense` and the others are found here.

>>> from gradlab import keras
>>> keras.layers.Dense(10).units
10
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradlab.keras.layers.activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.convolution import (
    Conv1D,
    Conv2D,
    Conv2DTranspose,
)
from gradlab.keras.layers.separable import (
    DepthwiseConv2D,
    SeparableConv2D,
)
from gradlab.keras.layers.normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    UnitNormalization,
)
from gradlab.keras.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from gradlab.keras.layers.resizing import (
    Cropping2D,
    UpSampling2D,
    ZeroPadding2D,
)
from gradlab.keras.layers.core import Activation, Dense, Flatten, Input, InputLayer, Reshape
from gradlab.keras.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from gradlab.keras.layers.operation import Operation
from gradlab.keras.layers.preprocessing import Normalization, Rescaling
from gradlab.keras.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
)
from gradlab.keras.layers.reshaping import Lambda, Permute, RepeatVector
from gradlab.keras.names import resolve
from gradlab.keras.objects import serialize
from gradlab.keras.saving.custom import custom_object_scope

KINDS: tuple[type[Layer], ...] = (
    InputLayer,
    Dense,
    Activation,
    Flatten,
    Reshape,
    Permute,
    RepeatVector,
    Concatenate,
    Add,
    Subtract,
    Multiply,
    Average,
    Maximum,
    Minimum,
    Dot,
    Operation,
    Lambda,
    ReLU,
    LeakyReLU,
    ELU,
    PReLU,
    Softmax,
    Dropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    GaussianDropout,
    AlphaDropout,
    ActivityRegularization,
    Normalization,
    Rescaling,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    DepthwiseConv2D,
    SeparableConv2D,
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
    Cropping2D,
    UpSampling2D,
    ZeroPadding2D,
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    UnitNormalization,
)
TABLE: dict[str, Any] = {kind.__name__: kind for kind in KINDS}

# Other names that Keras has for them.
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
SeparableConvolution2D = SeparableConv2D


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the layer or model that `serialize` wrote down, without its weights.

    Args:
        config: a dict with a class name and arguments.
        custom_objects: layers of your own, by name.

    >>> deserialize(serialize(Dense(10, activation="relu"))).units
    10

    Raises:
        ValueError: an unknown class; the message has the closest ones.
    """
    with custom_object_scope(custom_objects):
        return resolve("layer", TABLE, config)


__all__ = [
    "ELU",
    "KINDS",
    "TABLE",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AvgPool1D",
    "AvgPool2D",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Convolution1D",
    "Convolution2D",
    "Convolution2DTranspose",
    "Cropping2D",
    "Dense",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "Input",
    "InputLayer",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "SeparableConv2D",
    "SeparableConvolution2D",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "Subtract",
    "UnitNormalization",
    "UpSampling2D",
    "ZeroPadding2D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]

"""All layers; `keras.layers.Dense` and the others are found here.

>>> from gradlab import keras
>>> keras.layers.Dense(10).units
10
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradlab.keras.layers.activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from gradlab.keras.layers.attention import Attention, MultiHeadAttention
from gradlab.keras.layers.augmentation import (
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
    Resizing,
)
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.cells import GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from gradlab.keras.layers.convolution import (
    Conv1D,
    Conv2D,
    Conv2DTranspose,
)
from gradlab.keras.layers.core import Activation, Dense, Flatten, Input, InputLayer, Reshape
from gradlab.keras.layers.embedding import Embedding, Masking
from gradlab.keras.layers.encoding import CategoryEncoding, Discretization
from gradlab.keras.layers.lookup import IntegerLookup, StringLookup, TextVectorization
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
from gradlab.keras.layers.normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    UnitNormalization,
)
from gradlab.keras.layers.operation import Operation
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
from gradlab.keras.layers.preprocessing import Normalization, Rescaling
from gradlab.keras.layers.recurrent import GRU, LSTM, RNN, SimpleRNN
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
from gradlab.keras.layers.resizing import (
    Cropping2D,
    UpSampling2D,
    ZeroPadding2D,
)
from gradlab.keras.layers.separable import (
    DepthwiseConv2D,
    SeparableConv2D,
)
from gradlab.keras.layers.wrappers import Bidirectional, TimeDistributed
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
    GRU,
    LSTM,
    RNN,
    SimpleRNN,
    GRUCell,
    LSTMCell,
    SimpleRNNCell,
    StackedRNNCells,
    Bidirectional,
    TimeDistributed,
    Embedding,
    Masking,
    Attention,
    MultiHeadAttention,
    CategoryEncoding,
    Discretization,
    IntegerLookup,
    StringLookup,
    TextVectorization,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
    Resizing,
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
    "GRU",
    "KINDS",
    "LSTM",
    "RNN",
    "TABLE",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AvgPool1D",
    "AvgPool2D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
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
    "Discretization",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
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
    "IntegerLookup",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv2D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TextVectorization",
    "TimeDistributed",
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

"""gradlab: a neural-network textbook that runs. An autodiff engine you can read, draw and check.

The names below are the whole public surface, in the order of the table (``x as x`` marks a name as
exported, for editors).

>>> import gradlab as gl
>>> x = gl.Value(2.0, name="x")
>>> y = gl.tanh(x) * x
>>> y.backward()
>>> round(x.grad, 4)
1.1053
"""

import importlib
from typing import TYPE_CHECKING, Any

from gradlab.calculus import (
    elementwise_grad as elementwise_grad,
)
from gradlab.calculus import (
    grad as grad,
)
from gradlab.calculus import (
    hessian as hessian,
)
from gradlab.calculus import (
    hvp as hvp,
)
from gradlab.calculus import (
    jacobian as jacobian,
)
from gradlab.calculus import (
    jvp as jvp,
)
from gradlab.calculus import (
    value_and_grad as value_and_grad,
)
from gradlab.calculus import (
    vjp as vjp,
)
from gradlab.entry import (
    REGISTRY as REGISTRY,
)
from gradlab.errors import (
    DomainError as DomainError,
)
from gradlab.errors import (
    ShapeError as ShapeError,
)
from gradlab.ops.activations import (
    above_threshold as above_threshold,
)
from gradlab.ops.activations import (
    celu as celu,
)
from gradlab.ops.activations import (
    elu as elu,
)
from gradlab.ops.activations import (
    gelu as gelu,
)
from gradlab.ops.activations import (
    gelu_tanh as gelu_tanh,
)
from gradlab.ops.activations import (
    glu as glu,
)
from gradlab.ops.activations import (
    hard_shrink as hard_shrink,
)
from gradlab.ops.activations import (
    hard_sigmoid as hard_sigmoid,
)
from gradlab.ops.activations import (
    hard_silu as hard_silu,
)
from gradlab.ops.activations import (
    hard_tanh as hard_tanh,
)
from gradlab.ops.activations import (
    leaky_relu as leaky_relu,
)
from gradlab.ops.activations import (
    linear as linear,
)
from gradlab.ops.activations import (
    log_sigmoid as log_sigmoid,
)
from gradlab.ops.activations import (
    log_softmax as log_softmax,
)
from gradlab.ops.activations import (
    mish as mish,
)
from gradlab.ops.activations import (
    prelu as prelu,
)
from gradlab.ops.activations import (
    relu as relu,
)
from gradlab.ops.activations import (
    relu6 as relu6,
)
from gradlab.ops.activations import (
    selu as selu,
)
from gradlab.ops.activations import (
    sigmoid as sigmoid,
)
from gradlab.ops.activations import (
    sign as sign,
)
from gradlab.ops.activations import (
    silu as silu,
)
from gradlab.ops.activations import (
    soft_shrink as soft_shrink,
)
from gradlab.ops.activations import (
    softmax as softmax,
)
from gradlab.ops.activations import (
    softplus as softplus,
)
from gradlab.ops.activations import (
    softsign as softsign,
)
from gradlab.ops.activations import (
    sparse_plus as sparse_plus,
)
from gradlab.ops.activations import (
    sparse_sigmoid as sparse_sigmoid,
)
from gradlab.ops.activations import (
    sparsemax as sparsemax,
)
from gradlab.ops.activations import (
    squareplus as squareplus,
)
from gradlab.ops.activations import (
    step as step,
)
from gradlab.ops.activations import (
    tanh_shrink as tanh_shrink,
)
from gradlab.ops.arithmetic import (
    add as add,
)
from gradlab.ops.arithmetic import (
    divide as divide,
)
from gradlab.ops.arithmetic import (
    multiply as multiply,
)
from gradlab.ops.arithmetic import (
    negative as negative,
)
from gradlab.ops.arithmetic import (
    positive as positive,
)
from gradlab.ops.arithmetic import (
    reciprocal as reciprocal,
)
from gradlab.ops.arithmetic import (
    square as square,
)
from gradlab.ops.arithmetic import (
    subtract as subtract,
)
from gradlab.ops.arithmetic import (
    where as where,
)
from gradlab.ops.elementary import (
    absolute as absolute,
)
from gradlab.ops.elementary import (
    arccos as arccos,
)
from gradlab.ops.elementary import (
    arccosh as arccosh,
)
from gradlab.ops.elementary import (
    arcsin as arcsin,
)
from gradlab.ops.elementary import (
    arcsinh as arcsinh,
)
from gradlab.ops.elementary import (
    arctan as arctan,
)
from gradlab.ops.elementary import (
    arctan2 as arctan2,
)
from gradlab.ops.elementary import (
    arctanh as arctanh,
)
from gradlab.ops.elementary import (
    cbrt as cbrt,
)
from gradlab.ops.elementary import (
    ceil as ceil,
)
from gradlab.ops.elementary import (
    clip as clip,
)
from gradlab.ops.elementary import (
    cos as cos,
)
from gradlab.ops.elementary import (
    cosh as cosh,
)
from gradlab.ops.elementary import (
    erf as erf,
)
from gradlab.ops.elementary import (
    erfc as erfc,
)
from gradlab.ops.elementary import (
    exp as exp,
)
from gradlab.ops.elementary import (
    exp2 as exp2,
)
from gradlab.ops.elementary import (
    expm1 as expm1,
)
from gradlab.ops.elementary import (
    floor as floor,
)
from gradlab.ops.elementary import (
    hypot as hypot,
)
from gradlab.ops.elementary import (
    log as log,
)
from gradlab.ops.elementary import (
    log1p as log1p,
)
from gradlab.ops.elementary import (
    log2 as log2,
)
from gradlab.ops.elementary import (
    log10 as log10,
)
from gradlab.ops.elementary import (
    logaddexp as logaddexp,
)
from gradlab.ops.elementary import (
    maximum as maximum,
)
from gradlab.ops.elementary import (
    minimum as minimum,
)
from gradlab.ops.elementary import (
    power as power,
)
from gradlab.ops.elementary import (
    sin as sin,
)
from gradlab.ops.elementary import (
    sinh as sinh,
)
from gradlab.ops.elementary import (
    sqrt as sqrt,
)
from gradlab.ops.elementary import (
    tan as tan,
)
from gradlab.ops.elementary import (
    tanh as tanh,
)
from gradlab.ops.linear import (
    dense as dense,
)
from gradlab.ops.linear import (
    dot as dot,
)
from gradlab.ops.linear import (
    einsum as einsum,
)
from gradlab.ops.linear import (
    inner as inner,
)
from gradlab.ops.linear import (
    matmul as matmul,
)
from gradlab.ops.linear import (
    outer as outer,
)
from gradlab.ops.linear import (
    tensordot as tensordot,
)
from gradlab.ops.losses import (
    binary_crossentropy as binary_crossentropy,
)
from gradlab.ops.losses import (
    binary_focal_crossentropy as binary_focal_crossentropy,
)
from gradlab.ops.losses import (
    categorical_crossentropy as categorical_crossentropy,
)
from gradlab.ops.losses import (
    categorical_focal_crossentropy as categorical_focal_crossentropy,
)
from gradlab.ops.losses import (
    categorical_hinge as categorical_hinge,
)
from gradlab.ops.losses import (
    cosine_similarity as cosine_similarity,
)
from gradlab.ops.losses import (
    hinge as hinge,
)
from gradlab.ops.losses import (
    huber as huber,
)
from gradlab.ops.losses import (
    kl_divergence as kl_divergence,
)
from gradlab.ops.losses import (
    log_cosh as log_cosh,
)
from gradlab.ops.losses import (
    mean_absolute_error as mean_absolute_error,
)
from gradlab.ops.losses import (
    mean_absolute_percentage_error as mean_absolute_percentage_error,
)
from gradlab.ops.losses import (
    mean_squared_error as mean_squared_error,
)
from gradlab.ops.losses import (
    mean_squared_logarithmic_error as mean_squared_logarithmic_error,
)
from gradlab.ops.losses import (
    poisson as poisson,
)
from gradlab.ops.losses import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from gradlab.ops.losses import (
    squared_hinge as squared_hinge,
)
from gradlab.ops.recurrent import (
    gru as gru,
)
from gradlab.ops.recurrent import (
    lstm as lstm,
)
from gradlab.ops.recurrent import (
    simple_rnn as simple_rnn,
)
from gradlab.ops.reductions import (
    cumsum as cumsum,
)
from gradlab.ops.reductions import (
    logsumexp as logsumexp,
)
from gradlab.ops.reductions import (
    mean as mean,
)
from gradlab.ops.reductions import (
    norm as norm,
)
from gradlab.ops.reductions import (
    prod as prod,
)
from gradlab.ops.reductions import (
    reduce_max as reduce_max,
)
from gradlab.ops.reductions import (
    reduce_min as reduce_min,
)
from gradlab.ops.reductions import (
    reduce_sum as reduce_sum,
)
from gradlab.ops.reductions import (
    std as std,
)
from gradlab.ops.reductions import (
    var as var,
)
from gradlab.ops.shaping import (
    astype as astype,
)
from gradlab.ops.shaping import (
    broadcast_to as broadcast_to,
)
from gradlab.ops.shaping import (
    concatenate as concatenate,
)
from gradlab.ops.shaping import (
    diagonal as diagonal,
)
from gradlab.ops.shaping import (
    expand_dims as expand_dims,
)
from gradlab.ops.shaping import (
    flip as flip,
)
from gradlab.ops.shaping import (
    hstack as hstack,
)
from gradlab.ops.shaping import (
    index as index,
)
from gradlab.ops.shaping import (
    moveaxis as moveaxis,
)
from gradlab.ops.shaping import (
    pad as pad,
)
from gradlab.ops.shaping import (
    ravel as ravel,
)
from gradlab.ops.shaping import (
    repeat as repeat,
)
from gradlab.ops.shaping import (
    reshape as reshape,
)
from gradlab.ops.shaping import (
    roll as roll,
)
from gradlab.ops.shaping import (
    split as split,
)
from gradlab.ops.shaping import (
    squeeze as squeeze,
)
from gradlab.ops.shaping import (
    stack as stack,
)
from gradlab.ops.shaping import (
    swapaxes as swapaxes,
)
from gradlab.ops.shaping import (
    take as take,
)
from gradlab.ops.shaping import (
    take_along_axis as take_along_axis,
)
from gradlab.ops.shaping import (
    tile as tile,
)
from gradlab.ops.shaping import (
    trace as trace,
)
from gradlab.ops.shaping import (
    transpose as transpose,
)
from gradlab.ops.shaping import (
    tril as tril,
)
from gradlab.ops.shaping import (
    triu as triu,
)
from gradlab.ops.shaping import (
    vstack as vstack,
)
from gradlab.ops.windows import (
    average_pool as average_pool,
)
from gradlab.ops.windows import (
    conv as conv,
)
from gradlab.ops.windows import (
    conv_transpose as conv_transpose,
)
from gradlab.ops.windows import (
    depthwise_conv as depthwise_conv,
)
from gradlab.ops.windows import (
    max_pool as max_pool,
)
from gradlab.ops.windows import (
    separable_conv as separable_conv,
)
from gradlab.primitive import (
    primitive as primitive,
)
from gradlab.tape import (
    Node as Node,
)
from gradlab.tape import (
    group as group,
)
from gradlab.tape import (
    no_grad as no_grad,
)
from gradlab.tensor import (
    Tensor as Tensor,
)
from gradlab.value import (
    Value as Value,
)

if TYPE_CHECKING:
    from gradlab import config as config
    from gradlab import data as data
    from gradlab import draw as draw
    from gradlab import keras as keras
    from gradlab import perceptron as perceptron
    from gradlab import plots as plots
    from gradlab import program as program
    from gradlab import testing as testing
    from gradlab.perceptron import TLU as TLU
    from gradlab.perceptron import Perceptron as Perceptron
    from gradlab.perceptron import separability as separability

__version__ = "0.1.0"

# NumPy's names, for those who read `import gradlab as np` style code. They are attributes of this
# module and never bare names inside the package, where they would hide Python's own.
vars()["abs"], vars()["sum"] = absolute, reduce_sum
vars()["max"], vars()["min"] = reduce_max, reduce_min
threshold = above_threshold

# Imported when first asked for, so that `import gradlab` stays fast.
_LATER = {
    "config": ("gradlab.config", None),
    "data": ("gradlab.data", None),
    "draw": ("gradlab.draw", None),
    "keras": ("gradlab.keras", None),
    "random": ("gradlab.keras.random", None),
    "plots": ("gradlab.plots", None),
    "program": ("gradlab.program", None),
    "testing": ("gradlab.testing", None),
    "perceptron": ("gradlab.perceptron", None),
    "Perceptron": ("gradlab.perceptron", "Perceptron"),
    "separability": ("gradlab.perceptron", "separability"),
    "TLU": ("gradlab.perceptron", "TLU"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'gradlab' has no attribute {name!r}")
    module, attribute = _LATER[name]
    found = importlib.import_module(module)
    return found if attribute is None else getattr(found, attribute)


def _pictures(node: Node) -> dict[str, str]:
    """Draw a node for a notebook; a picture that cannot be made is left out."""
    return importlib.import_module("gradlab.draw").notebook_pictures(node)


Node.pictures = _pictures

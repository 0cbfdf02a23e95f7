"""gradlab: a neural-network textbook that runs. An autodiff engine you can read, draw and check.

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
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from gradlab.ops.activations import (
    above_threshold,
    celu,
    elu,
    gelu,
    gelu_tanh,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    sign,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    step,
    tanh_shrink,
)
from gradlab.ops.arithmetic import (
    add,
    divide,
    multiply,
    negative,
    positive,
    reciprocal,
    square,
    subtract,
    where,
)
from gradlab.ops.elementary import (
    absolute,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cbrt,
    ceil,
    clip,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    floor,
    hypot,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    maximum,
    minimum,
    power,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from gradlab.ops.linear import dense, dot, einsum, inner, matmul, outer, tensordot
from gradlab.ops.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from gradlab.ops.reductions import (
    cumsum,
    logsumexp,
    mean,
    norm,
    prod,
    reduce_max,
    reduce_min,
    reduce_sum,
    std,
    var,
)
from gradlab.ops.shaping import (
    astype,
    broadcast_to,
    concatenate,
    diagonal,
    expand_dims,
    flip,
    hstack,
    index,
    moveaxis,
    pad,
    ravel,
    repeat,
    reshape,
    roll,
    split,
    squeeze,
    stack,
    swapaxes,
    take,
    take_along_axis,
    tile,
    trace,
    transpose,
    tril,
    triu,
    vstack,
)
from gradlab.primitive import REGISTRY, DomainError, ShapeError, primitive
from gradlab.tape import Node, no_grad
from gradlab.tensor import Tensor
from gradlab.value import Value

if TYPE_CHECKING:
    from gradlab import data, draw, perceptron
    from gradlab.perceptron import TLU, Perceptron

__version__ = "0.1.0"

# NumPy's names, for those who read `import gradlab as np` style code. They are attributes of this
# module and never bare names inside the package, where they would hide Python's own.
vars()["abs"], vars()["sum"] = absolute, reduce_sum
vars()["max"], vars()["min"] = reduce_max, reduce_min
threshold = above_threshold

# Imported when first asked for, so that `import gradlab` stays fast.
_LATER = {
    "data": ("gradlab.data", None),
    "draw": ("gradlab.draw", None),
    "testing": ("gradlab.testing", None),
    "perceptron": ("gradlab.perceptron", None),
    "Perceptron": ("gradlab.perceptron", "Perceptron"),
    "TLU": ("gradlab.perceptron", "TLU"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'gradlab' has no attribute {name!r}")
    module, attribute = _LATER[name]
    found = importlib.import_module(module)
    return found if attribute is None else getattr(found, attribute)


def _picture(node: Node) -> str | None:
    """Draw a node for a notebook; a picture that cannot be made is left out."""
    return importlib.import_module("gradlab.draw").notebook_svg(node)


Node.picture = _picture

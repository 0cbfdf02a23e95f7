"""Activation functions: every one of the slides and every one of Keras, easiest first.

Without one of these between them, stacked linear layers are one linear layer. Each stands here with
its formula, its value computed so that it never overflows, and its slope.

Source: deck 001, section 10.1.4-10.1.6; deck 000, "Activation Function".
"""

from __future__ import annotations

import math

import numpy as np

from gradlab.entry import (
    case,
)
from gradlab.ops.arithmetic import multiply, where
from gradlab.ops.elementary import absolute, erfc, exp, sqrt, tanh
from gradlab.ops.reductions import floats, reduce_sum
from gradlab.ops.shaping import index
from gradlab.primitive import (
    composed,
    primitive,
)

# --------------------------------------------------------------------- the step functions of a TLU


@primitive(
    formula="0 if x < 0 else 1",
    flat=True,
    kinks=(0.0,),
    convention="H(0) = 1; slope 0 everywhere, though at 0 it is infinite",
    source="deck 001, 10.1.3: Heaviside step function",
)
def step(x):
    """Heaviside step: 0 if x < 0, otherwise 1. Its slope tells gradient descent nothing.

    >>> step(0.0), step(-0.1)
    (1.0, 0.0)
    """
    return 1.0 if x >= 0.0 else 0.0


@primitive(
    formula="1 if x > 0 else (-1 if x < 0 else 0)",
    flat=True,
    kinks=(0.0,),
    convention="sign(0) = 0; slope 0 everywhere, though at 0 it is infinite",
    numpy=np.sign,
    source="deck 001, 10.1.4",
)
def sign(x):
    """Sign: -1, 0 or 1. Its slope tells gradient descent nothing."""
    return 1.0 if x > 0.0 else (-1.0 if x < 0.0 else 0.0)


# ----------------------------------------------------------------------- the ones on the slides


@primitive(formula="x", keras="linear", source="deck 000: linear activation a(x) = x")
def linear(x):
    """No activation: the number itself."""
    return x


@linear.partial("x")
def linear_slope():
    return 1.0


@primitive(
    formula="1 / (1 + exp(-x))",
    symbol="σ",
    keras="sigmoid",
    source="deck 001, 10.1.4: sigmoid or logistic function",
)
def sigmoid(x):
    """Sigmoid (logistic) function: S-shaped, from 0 to 1, with a slope everywhere.

    >>> sigmoid(0.0), sigmoid(-1e4)
    (0.5, 0.0)
    """
    small = math.exp(-abs(x))  # at most 1, so nothing overflows
    return (1.0 if x >= 0.0 else small) / (1.0 + small)


@sigmoid.partial("x")
def sigmoid_slope(y):
    return y * (1.0 - y)


@primitive(
    formula="max(0, x)",
    kinks=(0.0,),
    convention="slope 0 at 0",
    keras="relu",
    source="deck 001, 10.1.4: ReLU(z) = max(0, z)",
)
def relu(x):
    """Rectified linear unit: fast, unbounded above, the default of hidden layers."""
    return max(x, 0.0)


@relu.partial("x")
def relu_slope(x):
    return where(x > 0.0, 1.0, 0.0)


@primitive(
    formula="log(1 + exp(x))",
    keras="softplus",
    source="deck 001, 10.1.5: smooth variant of ReLU for positive outputs",
)
def softplus(x):
    """Smooth ReLU: close to 0 for negative x, close to x for positive x.

    >>> softplus(1e4), round(softplus(0.0), 4)
    (10000.0, 0.6931)
    """
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@softplus.partial("x")
def softplus_slope(x):
    return sigmoid(x)


# -------------------------------------------------------------------------- relatives of ReLU


@primitive(
    formula="x if x > 0 else negative_slope * x",
    kinks=(0.0,),
    convention="slope negative_slope at 0",
    keras="leaky_relu",
    source="Maas et al. (2013)",
)
def leaky_relu(x, negative_slope=0.2):
    """ReLU with a small slope on the left, so that no unit dies."""
    return x if x > 0.0 else negative_slope * x


@leaky_relu.partial("x")
def leaky_relu_slope(x, negative_slope):
    return where(x > 0.0, 1.0, negative_slope)


@primitive(
    formula="x if x > 0 else alpha * x",
    kinks=(0.0,),
    convention="slope alpha at 0",
    source="He et al. (2015)",
)
def prelu(x, alpha):
    """Leaky ReLU whose slope on the left is learnt: alpha is differentiated too."""
    return x if x > 0.0 else alpha * x


@prelu.partial("x")
def prelu_slope_x(x, alpha):
    return where(x > 0.0, 1.0, alpha)


@prelu.partial("alpha")
def prelu_slope_alpha(x):
    return where(x > 0.0, 0.0, x)


@primitive(
    formula="min(max(0, x), 6)",
    kinks=(0.0, 6.0),
    convention="slope 0 at both kinks",
    keras="relu6",
    source="Krizhevsky (2010)",
)
def relu6(x):
    """ReLU that stops growing at 6."""
    return min(max(x, 0.0), 6.0)


@relu6.partial("x")
def relu6_slope(x):
    return where((x > 0.0) & (x < 6.0), 1.0, 0.0)


@primitive(
    formula="x if x > 0 else alpha * (exp(x) - 1)",
    kinks=(0.0,),
    convention="slope alpha at 0",
    keras="elu",
    source="Clevert et al. (2016)",
)
def elu(x, alpha=1.0):
    """Exponential linear unit: identity on the right, saturating at -alpha on the left."""
    return x if x > 0.0 else alpha * math.expm1(x)


@elu.partial("x")
def elu_slope(x, alpha, y):
    return where(x > 0.0, 1.0, y + alpha)


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


@primitive(
    formula="1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (exp(x) - 1))",
    kinks=(0.0,),
    convention="the left slope at 0",
    keras="selu",
    source="Klambauer et al. (2017)",
)
def selu(x):
    """Scaled ELU: the constants keep mean 0 and variance 1 from layer to layer."""
    return SELU_SCALE * (x if x > 0.0 else SELU_ALPHA * math.expm1(x))


@selu.partial("x")
def selu_slope(x, y):
    return where(x > 0.0, SELU_SCALE, y + SELU_SCALE * SELU_ALPHA)


@primitive(
    formula="x if x > 0 else alpha * (exp(x / alpha) - 1)",
    keras="celu",
    source="Barron (2017)",
)
def celu(x, alpha=1.0):
    """Continuously differentiable ELU: the slope is 1 at 0 whatever alpha is."""
    return x if x > 0.0 else alpha * math.expm1(x / alpha)


@celu.partial("x")
def celu_slope(x, alpha, y):
    return where(x > 0.0, 1.0, y / alpha + 1.0)


# ------------------------------------------------------------------------- smooth, self-gated


@primitive(
    formula="x / (1 + exp(-x))", keras=("silu", "swish"), source="Ramachandran et al. (2017)"
)
def silu(x):
    """Sigmoid linear unit (swish): x times sigmoid(x)."""
    small = math.exp(-abs(x))
    return x * (1.0 if x >= 0.0 else small) / (1.0 + small)


@silu.partial("x")
def silu_slope(x):
    s = sigmoid(x)
    return s * (1.0 + x * (1.0 - s))


@primitive(
    formula="x * (1 + erf(x / sqrt(2))) / 2", keras="gelu", source="Hendrycks and Gimpel (2016)"
)
def gelu(x):
    """Gaussian error linear unit: x times the probability that a standard normal is below x."""
    return 0.5 * x * erfc(-x / math.sqrt(2.0))


@gelu.partial("x")
def gelu_slope(x):
    density = exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return 0.5 * erfc(-x / math.sqrt(2.0)) + x * density


GELU_RATE, GELU_CUBE = math.sqrt(2.0 / math.pi), 0.044715


@primitive(
    formula="x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3))) / 2",
    source="Hendrycks and Gimpel (2016); Keras's gelu(approximate=True)",
)
def gelu_tanh(x):
    """GELU with its bell curve approximated by tanh, within 0.0005 of the exact one."""
    v = 2.0 * GELU_RATE * (x + GELU_CUBE * x * x * x)
    small = math.exp(
        -abs(v)
    )  # (1 + tanh(v / 2)) / 2 is sigmoid(v), and keeps its digits on the left
    return x * (1.0 if v >= 0.0 else small) / (1.0 + small)


@gelu_tanh.partial("x")
def gelu_tanh_slope(x):
    v = 2.0 * GELU_RATE * (x + GELU_CUBE * x * x * x)
    inner = 2.0 * GELU_RATE * (1.0 + 3.0 * GELU_CUBE * x * x)
    return sigmoid(v) + x * sigmoid(v) * sigmoid(-v) * inner


@primitive(formula="x * tanh(softplus(x))", keras="mish", source="Misra (2019)")
def mish(x):
    """x times tanh of softplus(x): smooth, with a small dip on the left."""
    return x * math.tanh(max(x, 0.0) + math.log1p(math.exp(-abs(x))))


@mish.partial("x")
def mish_slope(x):
    t = tanh(softplus(x))
    return t + x * (1.0 - t * t) * sigmoid(x)


@primitive(formula="(x + sqrt(x ** 2 + b)) / 2", keras="squareplus", source="Barron (2021)")
def squareplus(x, b=4.0):
    """Smooth ReLU without an exponential."""
    root = math.sqrt(x * x + b)
    # Left of 0, x + root would cancel; the other form of the same number does not.
    return 0.5 * (x + root) if x > 0.0 else 0.5 * b / (root - min(x, 0.0))


@squareplus.partial("x")
def squareplus_slope(x, b, y):
    return y / sqrt(x * x + b)


# ------------------------------------------------------------------------------ sigmoids, tanhs


@primitive(formula="-log(1 + exp(-x))", keras="log_sigmoid")
def log_sigmoid(x):
    """Logarithm of the sigmoid, exact where the sigmoid itself rounds to 0."""
    return min(x, 0.0) - math.log1p(math.exp(-abs(x)))


@log_sigmoid.partial("x")
def log_sigmoid_slope(x):
    return sigmoid(-x)


@primitive(formula="x / (1 + abs(x))", keras="softsign", source="Bergstra et al. (2009)")
def softsign(x):
    """S-shaped from -1 to 1, approaching both slowly."""
    return x / (1.0 + abs(x))


@softsign.partial("x")
def softsign_slope(x):
    shrink = 1.0 + absolute(x)
    return 1.0 / (shrink * shrink)


@primitive(
    formula="max(0, min(1, x / 6 + 1 / 2))",
    kinks=(-3.0, 3.0),
    convention="slope 0 at both kinks",
    keras="hard_sigmoid",
    source="Courbariaux et al. (2015), in the form of Keras 3",
)
def hard_sigmoid(x):
    """Sigmoid drawn with three straight lines."""
    return min(max(x + 3.0, 0.0), 6.0) / 6.0


@hard_sigmoid.partial("x")
def hard_sigmoid_slope(x):
    return where((x > -3.0) & (x < 3.0), 1.0 / 6.0, 0.0)


@primitive(
    formula="x * max(0, min(1, x / 6 + 1 / 2))",
    kinks=(-3.0, 3.0),
    convention="slope 0 at -3, 1 at 3",
    keras=("hard_silu", "hard_swish"),
    source="Howard et al. (2019)",
)
def hard_silu(x):
    """x times the hard sigmoid."""
    return x * min(max(x + 3.0, 0.0), 6.0) / 6.0


@hard_silu.partial("x")
def hard_silu_slope(x):
    return where(x <= -3.0, 0.0, where(x >= 3.0, 1.0, (2.0 * x + 3.0) / 6.0))


@primitive(
    formula="max(-1, min(1, x))",
    kinks=(-1.0, 1.0),
    convention="slope 0 at both kinks",
    keras="hard_tanh",
)
def hard_tanh(x):
    """tanh drawn with three straight lines."""
    return min(max(x, -1.0), 1.0)


@hard_tanh.partial("x")
def hard_tanh_slope(x):
    return where((x > -1.0) & (x < 1.0), 1.0, 0.0)


@primitive(formula="x - tanh(x)", keras="tanh_shrink")
def tanh_shrink(x):
    """What tanh takes away."""
    return x - math.tanh(x)


@tanh_shrink.partial("x")
def tanh_shrink_slope(x):
    t = tanh(x)
    return t * t


# --------------------------------------------------------------------------- thresholds, sparse


@primitive(
    formula="x - threshold if x > threshold else (x + threshold if x < -threshold else 0)",
    kinks=("threshold", "-threshold"),
    convention="slope 0 at both kinks",
    keras="soft_shrink",
)
def soft_shrink(x, threshold=0.5):
    """Pull every number towards 0 by the threshold, and no further."""
    return x - threshold if x > threshold else (x + threshold if x < -threshold else 0.0)


@soft_shrink.partial("x")
def soft_shrink_slope(x, threshold):
    return where(absolute(x) > threshold, 1.0, 0.0)


@primitive(
    formula="x if abs(x) > threshold else 0",
    kinks=("threshold", "-threshold"),
    convention="slope 0 at both jumps",
    keras="hard_shrink",
)
def hard_shrink(x, threshold=0.5):
    """Drop the numbers within the threshold of 0, keep the others whole."""
    return x if abs(x) > threshold else 0.0


@hard_shrink.partial("x")
def hard_shrink_slope(x, threshold):
    return where(absolute(x) > threshold, 1.0, 0.0)


@primitive(
    name="threshold",
    formula="x if x > threshold else default_value",
    kinks=("threshold",),
    convention="slope 0 at the jump",
    nondiff=("threshold", "default_value"),
    keras="threshold",
)
def above_threshold(x, threshold, default_value):
    """The number itself above the threshold, a fixed one elsewhere."""
    return x if x > threshold else default_value


@above_threshold.partial("x")
def above_threshold_slope(x, threshold):
    return where(x > threshold, 1.0, 0.0)


@primitive(
    formula="x if x >= 1 else ((x + 1) ** 2 / 4 if x > -1 else 0)",
    keras="sparse_plus",
    source="Keras 3",
)
def sparse_plus(x):
    """Softplus that is exactly 0 below -1 and exactly x above 1."""
    return x if x >= 1.0 else (0.25 * (x + 1.0) * (x + 1.0) if x > -1.0 else 0.0)


@sparse_plus.partial("x")
def sparse_plus_slope(x):
    return sparse_sigmoid(x)


@primitive(
    formula="1 if x >= 1 else ((x + 1) / 2 if x > -1 else 0)",
    kinks=(-1.0, 1.0),
    convention="slope 0 at both kinks",
    keras="sparse_sigmoid",
    source="Keras 3",
)
def sparse_sigmoid(x):
    """The slope of sparse_plus: a sigmoid of three straight lines between -1 and 1."""
    return min(max(0.5 * (x + 1.0), 0.0), 1.0)


@sparse_sigmoid.partial("x")
def sparse_sigmoid_slope(x):
    return where((x > -1.0) & (x < 1.0), 0.5, 0.0)


# ------------------------------------------------------------- a whole layer's outputs together


@primitive(
    formula="exp(x) / sum(exp(x))",
    signature="(n)->(n)",
    keras="softmax",
    cases=(case((5,)), case((3, 4)), case((3, 4), axis=0), case((2, 3, 2), axis=(0, 2)), case(())),
    source="deck 001, 10.1.6; deck 000, equation (3)",
)
def softmax(x, axis=-1):
    """Turn scores into probabilities: exponentiate, then divide by the sum along ``axis``.

    Subtracting the largest score first changes nothing and keeps every power below 1.

    >>> softmax(np.array([1.0, 1.0])), softmax(np.array([0.0, 1e4]))
    (array([0.5, 0.5]), array([0., 1.]))
    """
    x = floats(x)
    axis = axis if x.ndim else None
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
    return powers / np.sum(powers, axis=axis, keepdims=True)


@softmax.vjp("x")
def softmax_vjp(g, y, axis):
    flow = g * y
    return flow - y * reduce_sum(flow, axis=axis if y.shape else None, keepdims=True)


@primitive(
    formula="x - log(sum(exp(x)))",
    signature="(n)->(n)",
    keras="log_softmax",
    cases=(case((5,)), case((3, 4)), case((3, 4), axis=0)),
)
def log_softmax(x, axis=-1):
    """Logarithm of the softmax, exact where the softmax itself rounds to 0.

    >>> log_softmax(np.array([0.0, 1e4]))
    array([-10000.,      0.])
    """
    x = floats(x)
    shifted = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


@log_softmax.vjp("x")
def log_softmax_vjp(g, y, axis):
    return g - exp(y) * reduce_sum(g, axis=axis, keepdims=True)


@primitive(
    signature="(n)->(n)",
    keras="sparsemax",
    cases=(case((5,)), case((3, 4)), case((3, 4), axis=0)),
    convention="at the edge of a face: the slope of the face without the new member",
    source="Martins and Astudillo (2016)",
)
def sparsemax(x, axis=-1):
    """The point of the probability simplex nearest to x; unlike softmax it has exact zeros.

    >>> sparsemax(np.array([0.1, 0.2, 3.0]))
    array([0., 0., 1.])
    """
    x = floats(x)
    scores = np.flip(np.sort(x, axis=axis), axis=axis)
    count = np.arange(1, x.shape[axis] + 1, dtype=x.dtype)
    count = count.reshape([-1 if a == axis % x.ndim else 1 for a in range(x.ndim)])
    # Shift by the largest score: without it, sums of large scores lose the small differences.
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    total = np.cumsum(scores - top, axis=axis)
    members = 1.0 + count * (scores - top) > total
    size = np.sum(members, axis=axis, keepdims=True)
    last = np.take_along_axis(total, size - 1, axis=axis)
    return np.maximum(x - top - (last - 1.0) / size.astype(x.dtype), 0.0)


@sparsemax.vjp("x")
def sparsemax_vjp(g, y, axis):
    member = where(y > 0.0, 1.0, 0.0)
    mean = reduce_sum(g * member, axis=axis, keepdims=True) / reduce_sum(
        member, axis=axis, keepdims=True
    )
    return member * (g - mean)


@composed(
    keras="glu",
    signature="(n)->(m)",
    cases=(case((4,)), case((3, 6)), case((4, 3), axis=0)),
    source="Dauphin et al. (2017)",
)
def glu(x, axis=-1):
    """Gated linear unit: the first half of the features times the sigmoid of the second half.

    >>> glu(np.array([2.0, 3.0, 0.0, 0.0]))
    array([1. , 1.5])

    Raises:
        ValueError: an odd number of features.
    """
    n = x.shape[axis]
    if n % 2:
        raise ValueError(
            f"glu: {n} features along axis {axis}\n"
            "expected an even number, one half to gate the other\n"
            f"write a layer with {n + 1} outputs before it"
        )
    front = (slice(None),) * (axis % x.ndim)
    first, second = index(x, (*front, slice(0, n // 2))), index(x, (*front, slice(n // 2, n)))
    return multiply(first, sigmoid(second))

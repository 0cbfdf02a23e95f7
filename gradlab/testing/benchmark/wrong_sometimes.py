"""Wrong backward passes whose formula is right, but not always: a use or a case is forgotten.

Some are right at ordinary inputs and need a search; some keep a state, or write where they may not.
"""

from __future__ import annotations

import numpy as np

from gradlab.testing.benchmark.cases import MATRIX, normal, powers_of_ten, wrong
from gradlab.testing.benchmark.formulas import (
    dense_tanh,
    dropout,
    dropout_mask,
    first_squared,
    gate,
    huber,
    product,
    relu,
    relu6,
    residual,
    row_max,
    sigmoid,
    swish,
    twice_tanh,
)

LAYER = normal((3, 2), (2, 2), (2,))

# ------------------------------------------------------------------- wrong: a path is left out


@wrong(twice_tanh, normal((3, 2), (2, 2)), "overwritten", shapes="(n,m),(m,m)->(n,m)")
def shared_weight_overwritten(g, x, W):
    """W is used twice; the second contribution replaces the first instead of joining it."""
    h = np.tanh(x @ W)
    dz = g * (1.0 - np.tanh(h @ W) ** 2)
    dh = (dz @ W.T) * (1.0 - h * h)
    return dh @ W.T, h.T @ dz


@wrong(gate, MATRIX, "overwritten")
def gate_detached(g, x):
    """x tanh(x), where tanh(x) is taken for a constant."""
    return g * np.tanh(x)


@wrong(residual, MATRIX, "overwritten")
def skip_connection_forgotten(g, x):
    return g * (1.0 - np.tanh(x) ** 2)


@wrong(dense_tanh, LAYER, "the slope of tanh is missing", shapes=((1, 1), (1, 1), (1,)))
def activation_slope_forgotten(g, x, W, b):
    return g @ W.T, x.T @ g, g.sum(axis=0)


@wrong(dropout, MATRIX, "only some elements are wrong")
def dropout_mask_forgotten(g, x):
    return 1.5 * g


@wrong(first_squared, normal((3,), (2,)), ".* does not depend on unused", shapes="(n),(m)->(n)")
def unused_input_gets_a_gradient(g, x, unused):
    return 2.0 * g * x, np.ones_like(unused)


# ---------------------------------------------------------------- wrong: somewhere, but not here


@wrong(swish, MATRIX, "wrong only below x = -4:")
def swish_wrong_below_minus_four(g, x):
    y = sigmoid(x)
    return np.where(x < -4.0, 0.0, g * (y + x * y * (1.0 - y)))


@wrong(relu6, MATRIX, "wrong only above x = 6:", kinks=(0.0, 6.0))
def relu6_without_the_upper_kink(g, x):
    return g * (x > 0)


@wrong(
    huber,
    normal((2, 3), scale=0.25),
    "wrong only (above x = 1|below x = -1):",
    kinks=(-1.0, 1.0),
)
def huber_never_clipped(g, x):
    return g * x


@wrong(np.abs, powers_of_ten(-1, 1), "wrong only below x = 0:", kinks=(0.0,))
def abs_for_positive_inputs_only(g, x):
    return g * np.ones_like(x)


@wrong(product, normal((2, 3)), "nan", shapes="(n,m)->(n)")
def product_divided_by_zero(g, x):
    """y / x is right until an x is 0."""
    with np.errstate(all="ignore"):
        return g[..., None] * product(x)[..., None] / x


@wrong(row_max, normal((2, 3)), shapes="(n,m)->(n)")
def max_gives_every_tie_the_full_gradient(g, x):
    """Where n elements tie, the gradients sum to n g: an increase of all would count n times."""
    return g[:, None] * (x == x.max(axis=-1, keepdims=True))


# ----------------------------------------------------- wrong: the cotangent, the state, the memory


@wrong(np.tanh, MATRIX, "right only for positive cotangents")
def wrong_for_negative_cotangents(g, x):
    return np.abs(g) * (1.0 - np.tanh(x) ** 2)


@wrong(np.tanh, MATRIX, "right only for a cotangent of ones")
def cotangent_ignored(g, x):
    return 1.0 - np.tanh(x) ** 2


@wrong(np.tanh, MATRIX, ".* changed the cotangent g")
def cotangent_changed_in_place(g, x):
    g *= 1.0 - np.tanh(x) ** 2
    return g


@wrong(relu, MATRIX, ".* changed its argument x", kinks=(0.0,))
def input_changed_in_place(g, x):
    x[x <= 0] = 0.0
    return g * (x > 0)


@wrong(np.tanh, MATRIX, "the gradient of x is float32")
def gradient_in_float32(g, x):
    return (g * (1.0 - np.tanh(x) ** 2)).astype(np.float32)


@wrong(None, normal((3,)), ".*earlier call", shapes=((3,),))
class stale_cache:  # noqa: N801
    """The value of the first call is kept, and used for every later one."""

    def __init__(self) -> None:
        self.y = None

    def f(self, x):
        return np.tanh(x)

    def vjp(self, g, x):
        if self.y is None:
            self.y = self.f(x)
        return g * (1.0 - self.y**2)


@wrong(None, normal((3,)), ".*second call", shapes=((3,),))
class gradient_never_cleared:  # noqa: N801
    """Gradients of earlier calls are still in the buffer."""

    def __init__(self) -> None:
        self.dx = 0.0

    def f(self, x):
        return x * x

    def vjp(self, g, x):
        self.dx = self.dx + 2.0 * g * x
        return self.dx


@wrong(None, MATRIX, ".*second call")
class dropout_mask_drawn_again:  # noqa: N801
    """The backward pass draws a mask of its own."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def f(self, x):
        return dropout(x)

    def vjp(self, g, x):
        return g * self.rng.permutation(dropout_mask(x).ravel()).reshape(x.shape)

"""Shapes: moving numbers about without changing them.

Each rule moves the gradients back to where the numbers came from; where a number was used more than
once its gradients are added.
"""

from __future__ import annotations

import numpy as np

from gradlab.entry import (
    case,
)
from gradlab.errors import (
    ShapeError,
)
from gradlab.primitive import (
    composed,
    primitive,
)


@primitive(nondiff=("dtype",), cases=(case((3,), dtype="float64"), case((), dtype="float64")))
def astype(x, dtype):
    """The same numbers in another floating-point type."""
    return np.asarray(x).astype(dtype)


@astype.vjp("x")
def astype_vjp(g, x):
    return astype(g, dtype=x.dtype)


@primitive(
    nondiff=("shape",),
    cases=(case((2, 3), shape=(3, -1)), case((), shape=(1,)), case((4,), shape=4)),
)
def reshape(x, shape):
    """The same numbers in the same order, in another shape."""
    try:
        return np.reshape(x, shape)
    except ValueError:
        raise ShapeError(
            f"reshape: an array of shape {np.shape(x)} holds {np.size(x)} numbers\n"
            f"expected a shape with as many, not {shape}\n"
            "write -1 for the one axis that NumPy should work out"
        ) from None


@reshape.vjp("x")
def reshape_vjp(g, x):
    return reshape(g, shape=x.shape)


@primitive(
    numpy=np.transpose, cases=(case((2, 3)), case((2, 3, 4), axes=(2, 0, 1)), case((2,)), case(()))
)
def transpose(x, axes=None):
    """The axes in another order; reversed by default."""
    return np.transpose(x, axes)


@transpose.vjp("x")
def transpose_vjp(g, axes):
    return transpose(g, axes=None if axes is None else tuple(int(a) for a in np.argsort(axes)))


@primitive(nondiff=("shape",), cases=(case((3,), shape=(2, 3)), case((2, 1), shape=(4, 2, 3))))
def broadcast_to(x, shape):
    """The array repeated along new axes and axes of size 1, until it has this shape."""
    return np.broadcast_to(x, shape)


@broadcast_to.vjp("x")
def broadcast_to_vjp(g):
    return g  # the sweep adds up whatever was repeated


@primitive(
    name="getitem",
    symbol="[ ]",
    nondiff=("key",),
    cases=(
        case((4, 3), key=1),
        case((4, 3), key=(slice(None, None, -2), Ellipsis)),
        case((4, 3), key=([0, 2, 0], [1, 1, 1])),
        case((4,), key=np.array([True, False, True, True])),
        case((2, 3), key=(None, slice(1), np.array([[0, 2], [2, 2]]))),
    ),
)
def index(x, key):
    """Elements picked by integers, slices, lists or a mask; one may be picked twice."""
    return np.asarray(x)[key]


@index.vjp("x")
def index_vjp(g, x, key):
    return scatter_add(g, key=key, shape=x.shape)


@primitive(
    nondiff=("key", "shape"),
    cases=(case((3,), key=([0, 2, 0],), shape=(4,)), case((2, 2), key=slice(0, 2), shape=(3, 2))),
)
def scatter_add(x, key, shape):
    """Zeros of this shape, with x added at the places the key picks: indexing run backward."""
    x = np.asarray(x)
    y = np.zeros(shape, x.dtype)
    np.add.at(y, key, x) if _may_repeat(key) else y.__setitem__(key, x)
    return y


@scatter_add.vjp("x")
def scatter_add_vjp(g, key):
    return index(g, key=key)


def _may_repeat(key) -> bool:
    """Only lists of integers pick a place twice; for slices and masks assignment will do."""
    parts = key if isinstance(key, tuple) else (key,)
    simple = (int, np.integer, slice, type(None), type(Ellipsis))
    return not all(isinstance(p, simple) or np.asarray(p).dtype == bool for p in parts)


@primitive(
    numpy=np.concatenate,
    cases=(case((2, 3), (1, 3)), case((2, 3), (2, 1), (2, 2), axis=1), case((2,), (3,), axis=-1)),
)
def concatenate(*arrays, axis=0):
    """Arrays joined along an axis they already have."""
    try:
        return np.concatenate(arrays, axis=axis)
    except ValueError:
        shapes = " and ".join(str(np.shape(a)) for a in arrays)
        raise ShapeError(
            f"concatenate: shapes {shapes} along axis {axis}\n"
            f"expected the same size on every axis but {axis}\n"
            "write another axis=..., or stack([...]) to join along a new axis"
        ) from None


@concatenate.vjp("arrays")
def concatenate_vjp(g, arrays, axis, i):
    start = sum(a.shape[axis] for a in arrays[:i])
    front = (slice(None),) * (axis % len(arrays[i].shape))
    return index(g, key=(*front, slice(start, start + arrays[i].shape[axis])))


@primitive(numpy=np.stack, cases=(case((2, 3), (2, 3)), case((3,), (3,), axis=-1), case((), ())))
def stack(*arrays, axis=0):
    """Arrays of one shape joined along a new axis."""
    try:
        return np.stack(arrays, axis=axis)
    except ValueError:
        raise ShapeError(
            f"stack: shapes {' and '.join(str(np.shape(a)) for a in arrays)}\n"
            "expected all alike\nwrite concatenate([...]) to join along an axis they have"
        ) from None


@stack.vjp("arrays")
def stack_vjp(g, axis, i):
    return index(g, key=(*(slice(None),) * (axis % len(g.shape)), i))


@primitive(nondiff=("widths",), cases=(case((2, 3), widths=((1, 0), (0, 2))), case((2,), widths=1)))
def pad(x, widths):
    """The array with zeros around it; widths as in np.pad."""
    return np.pad(x, widths)


@pad.vjp("x")
def pad_vjp(g, x, widths):
    pairs = np.broadcast_to(np.asarray(widths), (len(x.shape), 2)).tolist()
    return index(g, key=tuple(slice(a, a + n) for (a, _), n in zip(pairs, x.shape, strict=True)))


# ---------------------------------------------------------------------- written with those above


@composed(numpy=np.ravel, cases=(case((2, 3)), case(())))
def ravel(x):
    """All numbers in one row."""
    return reshape(x, (-1,))


@composed(numpy=np.expand_dims, cases=(case((2, 3), axis=1), case((2,), axis=(0, -1))))
def expand_dims(x, axis):
    """The array with new axes of size 1."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    ndim = len(x.shape) + len(axes)
    new = {a % ndim for a in axes}
    sizes = iter(x.shape)
    return reshape(x, tuple(1 if a in new else next(sizes) for a in range(ndim)))


@composed(numpy=np.squeeze, cases=(case((1, 3, 1)), case((1, 3, 1), axis=0)))
def squeeze(x, axis=None):
    """The array without its axes of size 1."""
    return reshape(x, np.squeeze(np.empty(x.shape, bool), axis).shape)


@composed(numpy=np.swapaxes, cases=(case((2, 3, 4), axis1=0, axis2=-1),))
def swapaxes(x, axis1, axis2):
    """The array with two of its axes exchanged."""
    order = list(range(len(x.shape)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, tuple(order))


@composed(numpy=np.moveaxis, cases=(case((2, 3, 4), source=0, destination=-1),))
def moveaxis(x, source, destination):
    """The array with one axis moved to another place."""
    ndim = len(x.shape)
    order = [a for a in range(ndim) if a != source % ndim]
    order.insert(destination % ndim, source % ndim)
    return transpose(x, tuple(order))


@composed(numpy=np.flip, cases=(case((2, 3)), case((2, 3), axis=1)))
def flip(x, axis=None):
    """The array with its order reversed along an axis, or along all."""
    ndim = len(x.shape)
    axes = range(ndim) if axis is None else [a % ndim for a in np.atleast_1d(axis)]
    return index(x, tuple(slice(None, None, -1) if a in axes else slice(None) for a in range(ndim)))


@composed(
    numpy=np.take, cases=(case((4, 3), indices=[0, 2, 2]), case((4, 3), indices=[[1], [0]], axis=1))
)
def take(x, indices, axis=None):
    """Elements by number along an axis, or of the flattened array."""
    if axis is None:
        return index(ravel(x), np.asarray(indices))
    return index(x, (*(slice(None),) * (axis % len(x.shape)), np.asarray(indices)))


@composed(
    numpy=np.take_along_axis, cases=(case((2, 3), indices=np.array([[0, 0], [2, 1]]), axis=1),)
)
def take_along_axis(x, indices, axis=-1):
    """For each row, the elements at that row's own indices."""
    grid = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    grid[axis] = indices
    return index(x, tuple(grid))


@composed(numpy=np.repeat, cases=(case((2, 3), repeats=2), case((2, 3), repeats=[1, 3], axis=0)))
def repeat(x, repeats, axis=None):
    """Each element, or each slice along an axis, several times over."""
    size = np.prod(x.shape, dtype=int) if axis is None else x.shape[axis]
    return take(x, np.repeat(np.arange(size), repeats), axis)


@composed(
    numpy=np.tile, cases=(case((2, 3), reps=(2, 1)), case((3,), reps=(2, 2)), case((2, 2), reps=3))
)
def tile(x, reps):
    """The whole array several times over, along each axis."""
    places = np.tile(np.arange(np.prod(x.shape, dtype=int)).reshape(x.shape), reps)
    return index(ravel(x), places)


@composed(numpy=np.roll, cases=(case((2, 3), shift=1), case((2, 3), shift=-1, axis=1)))
def roll(x, shift, axis=None):
    """The array with its elements moved round in a ring."""
    places = np.roll(np.arange(np.prod(x.shape, dtype=int)).reshape(x.shape), shift, axis)
    return index(ravel(x), places)


@composed(numpy=np.tril, cases=(case((3, 3)), case((2, 3), k=1)))
def tril(x, k=0):
    """The lower triangle, zeros above."""
    return x * np.tri(x.shape[-2], x.shape[-1], k, dtype=x.dtype)


@composed(numpy=np.triu, cases=(case((3, 3)), case((2, 3), k=1)))
def triu(x, k=0):
    """The upper triangle, zeros below."""
    return x * (1.0 - np.tri(x.shape[-2], x.shape[-1], k - 1)).astype(x.dtype)


@composed(numpy=np.diagonal, cases=(case((3, 4)), case((3, 3), offset=1)))
def diagonal(x, offset=0):
    """The diagonal of a matrix."""
    n = np.diagonal(np.empty(x.shape, bool), offset).shape[0]
    rows = np.arange(n)
    return index(x, (rows + max(0, -offset), rows + max(0, offset)))


@composed(numpy=np.trace, cases=(case((3, 4)),))
def trace(x):
    """The sum of the diagonal of a matrix."""
    return diagonal(x).sum()


@composed(numpy=np.vstack, cases=(case((2, 3), (1, 3)), case((3,), (3,))))
def vstack(*arrays):
    """Rows on top of each other."""
    rows = [reshape(a, (1, -1)) if len(a.shape) < 2 else a for a in _spread(arrays)]
    return concatenate(rows, axis=0)


@composed(numpy=np.hstack, cases=(case((2, 3), (2, 1)), case((3,), (2,))))
def hstack(*arrays):
    """Arrays side by side."""
    arrays = _spread(arrays)
    return concatenate(arrays, axis=0 if len(arrays[0].shape) == 1 else 1)


def _spread(arrays):
    return arrays[0] if len(arrays) == 1 and isinstance(arrays[0], list | tuple) else arrays


def split(x, sections, axis=0):
    """Return the array cut along an axis: into equal parts, or before the given indices.

    >>> [part.shape for part in split(np.zeros((6, 2)), 3)]
    [(2, 2), (2, 2), (2, 2)]
    """
    places = np.split(np.arange(x.shape[axis]), sections)
    front = (slice(None),) * (axis % len(x.shape))
    return [index(x, (*front, slice(p[0], p[-1] + 1) if len(p) else slice(0))) for p in places]

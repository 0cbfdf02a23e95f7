"""Functions on functions: ``grad(f)`` is a function that computes the gradient of f.

All of them are the one reverse sweep, asked in different ways; since the sweep can be traced
itself, they nest: ``grad(grad(f))`` is the second derivative.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab import tape
from gradlab.errors import (
    ShapeError,
)
from gradlab.ops import arithmetic, reductions, shaping
from gradlab.tensor import Tensor

Function = Callable[..., Any]

# ---------------------------------------------------------- containers of arrays as arguments


def flatten(tree: Any) -> list[Any]:
    """Return the arrays in nested lists, tuples and dicts, in order."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in flatten(tree[key])]
    if isinstance(tree, list | tuple):
        return [leaf for part in tree for leaf in flatten(part)]
    return [tree]


def unflatten(tree: Any, leaves: list[Any]) -> Any:
    """Return the containers of ``tree`` with other leaves in them."""

    def build(part: Any) -> Any:
        if isinstance(part, dict):
            built = {key: build(part[key]) for key in sorted(part)}
            return {key: built[key] for key in part}
        if isinstance(part, tuple) and hasattr(part, "_fields"):
            return type(part)(*map(build, part))
        return type(part)(map(build, part)) if isinstance(part, list | tuple) else next(values)

    values = iter(leaves)
    return build(tree)


# ----------------------------------------------------------------------- the common machinery


class _Linearized:
    """A function traced at a point, ready to pull cotangents of its value back to the point."""

    def __init__(self, f: Function, args: tuple[Any, ...], kwargs: Any, argnum: Any) -> None:
        self.argnum = argnum
        self.numbers = argnum if isinstance(argnum, tuple) else (argnum,)
        self._check(f, args)
        self.since = tape.next_serial()
        self.trees = [args[i] for i in self.numbers]
        self.leaves = [[_leaf(a) for a in flatten(tree)] for tree in self.trees]
        moved = list(args)
        for i, tree, leaves in zip(self.numbers, self.trees, self.leaves, strict=True):
            moved[i] = unflatten(tree, leaves)
        with tape.recording(True):
            self.value = f(*moved, **kwargs)
        # Something traced outside f took part: the answer must be traced as well.
        self.outer = any(isinstance(leaf, Tensor) for tree in self.trees for leaf in flatten(tree))
        if isinstance(self.value, Tensor) and not self.outer:
            self.outer = any(
                parent.serial < self.since
                for node in tape.history(self.value, self.since)
                for parent in node.parents
            )

    def _check(self, f: Function, args: tuple[Any, ...]) -> None:
        for i in self.numbers:
            if not -len(args) <= i < len(args):
                raise ValueError(
                    f"argnum={self.argnum} for a call with {len(args)} arguments\n"
                    f"expected 0 to {len(args) - 1}\n"
                    f"write the arguments by position: {getattr(f, '__name__', 'f')}(x, ...)"
                )

    def pull(self, cotangent: Any, traced: bool | None = None) -> Any:
        """Return the gradients of <cotangent, value>, in the containers of the arguments."""
        traced = self.outer if traced is None else traced
        arrived: dict[int, Any] = {}
        if isinstance(self.value, Tensor):
            arrived = tape.sweep(self.value, cotangent, since=self.since, create_graph=traced)
        gradients = [
            unflatten(
                tree,
                [
                    _finished(arrived, leaf, like)
                    for leaf, like in zip(leaves, flatten(tree), strict=True)
                ],
            )
            for tree, leaves in zip(self.trees, self.leaves, strict=True)
        ]
        return tuple(gradients) if isinstance(self.argnum, tuple) else gradients[0]

    def plain_value(self, value: Any) -> Any:
        return value if self.outer or not isinstance(value, Tensor) else _number(value.data)


def _leaf(a: Any) -> Tensor:
    if isinstance(a, Tensor):
        return arithmetic.positive(a)  # a new node, through which an outer sweep still finds ``a``
    if isinstance(a, int) and not isinstance(a, bool):
        a = float(a)
    return Tensor(a)


def _number(data: Any) -> Any:
    return data.item() if np.ndim(data) == 0 and data.dtype == np.float64 else data


def _finished(arrived: dict[int, Any], leaf: Tensor, like: Any) -> Any:
    g = arrived.get(leaf.serial)
    if g is None:
        g = np.zeros(leaf.shape, leaf.dtype)
    if isinstance(g, Tensor):
        return g
    return float(g) if isinstance(like, float | int) else np.array(g)


def _scalar(f: Function, value: Any) -> Any:
    shape = np.shape(value.data if isinstance(value, Tensor) else value)
    if shape != ():
        name = getattr(f, "__name__", "f")
        raise ShapeError(
            f"grad({name}): {name} returned an array of shape {shape}\n"
            "expected a single number\n"
            f"write {name}(...).sum(), or elementwise_grad, jacobian or vjp"
        )
    return np.ones((), value.dtype) if isinstance(value, Tensor) else 1.0


# --------------------------------------------------------------------------- first derivatives


def value_and_grad(f: Function, argnum: int | tuple[int, ...] = 0) -> Function:
    """Return a function computing f and its gradient together.

    Args:
        f: returns a single number.
        argnum: which argument, or a tuple of several; each may be a number, an array, or a list,
            tuple or dict of those. The gradient has the same containers and shapes.

    >>> value_and_grad(lambda w: (w**2).sum())(np.array([1.0, 2.0]))
    (5.0, array([2., 4.]))

    Raises:
        ShapeError: f returned an array.
        TypeError: an argument of integers.
    """

    @functools.wraps(f)
    def computed(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        point = _Linearized(f, args, kwargs, argnum)
        cotangent = _scalar(f, point.value)
        return point.plain_value(point.value), point.pull(cotangent)

    return computed


def grad(f: Function, argnum: int | tuple[int, ...] = 0) -> Function:
    """Return a function computing the gradient of f; arguments as in ``value_and_grad``.

    >>> grad(lambda x: x**3)(2.0), grad(grad(lambda x: x**3))(2.0)
    (12.0, 12.0)
    >>> grad(lambda p: p["w"] * 2.0 + p["b"])({"w": 1.0, "b": 0.0})
    {'w': 2.0, 'b': 1.0}
    """
    both = value_and_grad(f, argnum)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient


def elementwise_grad(f: Function, argnum: int = 0) -> Function:
    """Return a function computing the slope of f at each element, for f acting on each alone.

    >>> elementwise_grad(lambda x: x**2)(np.array([1.0, 2.0, 3.0]))
    array([2., 4., 6.])
    """

    def total(*args: Any, **kwargs: Any) -> Any:
        return reductions.reduce_sum(f(*args, **kwargs))

    return grad(total, argnum)


def vjp(f: Function, *args: Any) -> tuple[Any, Function]:
    """Return f(*args) and the function that takes a cotangent g to g^T J, one part per argument.

    >>> y, pull = vjp(lambda x: x * x, np.array([1.0, 2.0]))
    >>> pull(np.array([1.0, 10.0]))
    (array([ 2., 40.]),)
    """
    point = _Linearized(f, args, {}, tuple(range(len(args))))

    def pull(g: Any) -> Any:
        shape, given = np.shape(_data(point.value)), np.shape(_data(g))
        if shape != given:
            raise ShapeError(
                f"vjp: a cotangent of shape {given} for a value of shape {shape}\n"
                "expected the same shape\nwrite one weight per element of the value"
            )
        return point.pull(
            g if isinstance(g, Tensor) else np.asarray(g, dtype=float),
            (True if isinstance(g, Tensor) else None),
        )

    return point.plain_value(point.value), pull


def jvp(f: Function, args: tuple[Any, ...], directions: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return f(*args) and J v, how the value changes when the arguments move along ``directions``.

    The vjp g -> g^T J is linear in g, so pulling v back through *it* gives J v: two reverse sweeps
    make one forward one.

    >>> jvp(lambda x: x * x, (np.array([1.0, 2.0]),), (np.array([1.0, 0.5]),))
    (array([1., 4.]), array([2., 2.]))
    """
    point = _Linearized(f, args, {}, tuple(range(len(args))))
    g = Tensor(np.zeros(np.shape(_data(point.value))))
    moved = flatten(list(point.pull(g, traced=True)))
    along = [
        v if isinstance(v, Tensor) else np.asarray(v, float) for v in flatten(list(directions))
    ]
    products = [reductions.reduce_sum(a * v) for a, v in zip(moved, along, strict=True)]
    total = functools.reduce(arithmetic.add, products)
    tangent: Any = np.zeros(g.shape)
    if isinstance(total, Tensor):
        create = point.outer or any(isinstance(v, Tensor) for v in along)
        arrived = tape.sweep(total, np.ones(()), since=point.since, create_graph=create)
        tangent = arrived.get(g.serial, tangent)
    value = point.plain_value(point.value)
    return value, tangent if isinstance(tangent, Tensor) else _number(np.asarray(tangent))


def _data(a: Any) -> Any:
    return a.data if isinstance(a, Tensor) else a


# ---------------------------------------------------------------------------------- whole matrices


def jacobian(f: Function, argnum: int = 0) -> Function:
    """Return a function computing every d(value)/d(argument): shape value.shape + argument.shape.

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    @functools.wraps(f)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        point = _Linearized(f, args, kwargs, argnum)
        shape = np.shape(_data(point.value))
        rows = []
        for place in np.ndindex(*shape):
            g = np.zeros(shape)
            g[place] = 1.0
            rows.append(point.pull(g))
        tree, columns = point.trees[0], []
        for i, leaf in enumerate(flatten(tree)):
            full = (*shape, *np.shape(_data(leaf)))
            column = [flatten(row)[i] for row in rows]
            joined = shaping.stack(*column) if column else np.zeros(full)
            columns.append(shaping.reshape(joined, full))
        return unflatten(tree, columns)

    return matrix


def hessian(f: Function, argnum: int = 0) -> Function:
    """Return a function computing all second derivatives of f: the Jacobian of its gradient.

    >>> hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return jacobian(grad(f, argnum), argnum)


def hvp(f: Function, x: Any, v: Any) -> Any:
    """Return H v, the Hessian of a scalar f times a direction, without building the Hessian.

    >>> hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """

    def along(x: Any) -> Any:
        pairs = zip(flatten(grad(f)(x)), flatten(v), strict=True)
        return functools.reduce(arithmetic.add, [reductions.reduce_sum(a * b) for a, b in pairs])

    return grad(along)(x)

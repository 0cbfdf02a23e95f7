"""Tensor: the vector engine. A NumPy array that remembers where it came from.

It broadcasts, indexes and reduces as NumPy does, and NumPy's own functions work on it; one node
stands for a whole array of numbers, which is what makes training fast.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradlab import tape
from gradlab.errors import (
    ShapeError,
)
from gradlab.numpy_protocol import call_function, call_ufunc
from gradlab.operators import Operators, shorten
from gradlab.ops import elementary, linear, reductions, shaping
from gradlab.primitive import (
    Primitive,
)


class Tensor(Operators, tape.Node):
    """An array of floats that is traced. A plain array beside it is a constant.

    Args:
        data: floats of any shape; copied, so that later changes to the original change nothing.
        name: a label for pictures and messages.
        dtype: a floating dtype; the array's own by default (Python floats become float64).

    A Tensor keeps its dtype: Python numbers do not promote it, other arrays do as in NumPy.

    >>> W = Tensor([[1.0, 2.0], [3.0, 4.0]], name="W")
    >>> y = (np.array([1.0, 0.5]) @ W).sum()
    >>> y.backward()
    >>> W.grad
    array([[1. , 1. ],
           [0.5, 0.5]])

    Raises:
        TypeError: integers, complex numbers, text: nothing that has a derivative.
    """

    __slots__ = ()
    data: np.ndarray
    grad: Any

    def __init__(self, data: Any, name: str | None = None, dtype: Any = None) -> None:
        if isinstance(data, tape.Node):
            data = data.data
        array = np.array(data, dtype=dtype)
        if not np.issubdtype(array.dtype, np.floating):
            raise TypeError(
                f"Tensor: given {array.dtype} data of shape {array.shape}\n"
                "expected floats, since only they have derivatives\n"
                "write 1.0 for 1, Tensor(x, dtype=float), or leave labels and indices plain arrays"
            )
        tape.Node.__init__(self, array, name)

    @classmethod
    def apply(cls, op: Primitive, inputs: tuple[Any, ...]) -> Any:
        """Compute ``op`` on the plain arrays and return a node that remembers it."""
        plain = []
        for a in inputs:
            if type(a) is Tensor:
                plain.append(a.data)
            elif not isinstance(a, tape.Node):
                plain.append(a)
            elif a.takes_over:
                return a.apply(op, inputs)
            elif isinstance(a, Tensor):
                plain.append(a.data)
            else:
                raise TypeError(
                    f"{op.name}: a Tensor meets a {type(a).__name__}\n"
                    "expected one engine per graph\nwrite Tensor(...) for both"
                )
        if op.nondiff:  # masks and labels are constants, traced or not
            hidden = [op.name_at(place, len(inputs)) in op.nondiff for place in range(len(inputs))]
            inputs = tuple(p if h else a for a, p, h in zip(inputs, plain, hidden, strict=True))
        y = op.of_arrays(plain)
        if type(y) is not np.ndarray:
            y = np.asarray(y)
        if y.dtype.kind != "f":
            raise TypeError(
                f"{op.name} of a Tensor gives {y.dtype}, which has no derivative\n"
                f"expected floats\nwrite the operation on .data, outside the graph"
            )
        return tape.made_by(cls, op, inputs, y)

    def backward(self, cotangent: Any = None, *, create_graph: bool = False) -> None:
        """Write into ``.grad`` of every node that this one was made from, d(this)/d(node).

        Args:
            cotangent: an array of this shape, the weight of each element; may be left out for a
                single number, where it is 1.
            create_graph: make the gradients traced Tensors too, to differentiate again.

        Raises:
            ShapeError: no cotangent for an array, or one of another shape.
        """
        if cotangent is None:
            if self.data.size != 1:
                raise ShapeError(
                    f"backward() of a Tensor of shape {self.shape}\n"
                    "expected a single number, such as a loss\n"
                    "write .sum().backward(), .mean().backward(), or backward(weights)"
                )
            cotangent = np.ones(self.shape, self.dtype)
        elif not isinstance(cotangent, Tensor):
            cotangent = np.array(cotangent, dtype=self.dtype)
        given = cotangent.shape
        if given != self.shape:
            raise ShapeError(
                f"backward(cotangent) of shape {given} for a Tensor of shape {self.shape}\n"
                "expected the same shape: one weight per element\n"
                "write backward(np.broadcast_to(cotangent, t.shape))"
            )
        tape.backward(self, cotangent, create_graph=create_graph)

    def zero_grad(self) -> None:
        """Forget the gradient, as before every new step of training."""
        self.grad = None

    def detach(self) -> Tensor:
        """Return a new leaf with the same numbers: no gradient flows further back from it."""
        return Tensor(self.data, self.name)

    # ------------------------------------------------------------------------ what an array has

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.data.size

    @property
    def dtype(self) -> Any:
        """The floating-point type of the elements."""
        return self.data.dtype

    @property
    def T(self) -> Tensor:
        """The transpose."""
        return shaping.transpose(self)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Sum over all elements or along axes."""
        return reductions.reduce_sum(self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Mean over all elements or along axes."""
        return reductions.mean(self, axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Largest element, of all or along axes."""
        return reductions.reduce_max(self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Smallest element, of all or along axes."""
        return reductions.reduce_min(self, axis, keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Product of all elements or along axes."""
        return reductions.prod(self, axis, keepdims)

    def var(self, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Tensor:
        """Variance of all elements or along axes."""
        return reductions.var(self, axis, keepdims, ddof)

    def std(self, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Tensor:
        """Standard deviation of all elements or along axes."""
        return reductions.std(self, axis, keepdims, ddof)

    def cumsum(self, axis: Any = None) -> Tensor:
        """Running sums along an axis."""
        return reductions.cumsum(self, axis)

    def argmax(self, axis: Any = None) -> Any:
        """Where the largest element is: plain integers, without a slope."""
        return self.data.argmax(axis)

    def argmin(self, axis: Any = None) -> Any:
        """Where the smallest element is: plain integers, without a slope."""
        return self.data.argmin(axis)

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape; -1 stands for what is left."""
        return shaping.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order, reversed by default."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return shaping.transpose(self, tuple(order) if order else None)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Two axes exchanged."""
        return shaping.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Tensor:
        """Without the axes of size 1."""
        return shaping.squeeze(self, axis)

    def ravel(self) -> Tensor:
        """All elements in one row."""
        return shaping.ravel(self)

    flatten = ravel

    def repeat(self, repeats: Any, axis: Any = None) -> Tensor:
        """Each element several times over."""
        return shaping.repeat(self, repeats, axis)

    def take(self, indices: Any, axis: Any = None) -> Tensor:
        """Elements by number."""
        return shaping.take(self, indices, axis)

    def astype(self, dtype: Any) -> Tensor:
        """The same numbers in another floating-point type."""
        return shaping.astype(self, np.dtype(dtype))

    def clip(self, low: Any, high: Any) -> Tensor:
        """The elements kept between low and high."""
        return elementary.clip(self, low, high)

    def dot(self, other: Any) -> Tensor:
        """np.dot with another array."""
        return linear.dot(self, other)

    def item(self) -> float:
        """The one element as a Python float."""
        return self.data.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python floats."""
        return self.data.tolist()

    def __matmul__(self, other: Any) -> Tensor:
        return linear.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return linear.matmul(other, self)

    def __getitem__(self, key: Any) -> Tensor:
        if isinstance(key, tuple):
            key = tuple(_plain_index(k) for k in key)
        return shaping.index(self, _plain_index(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(
            f"assignment into a traced Tensor of shape {self.shape}\n"
            "expected no change to numbers that the backward pass still needs\n"
            "write np.where(mask, new, t), or t.data[...] = new on a leaf between steps"
        )

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self.data)))

    def __float__(self) -> float:
        return float(self.data)

    def __int__(self) -> int:
        return int(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __repr__(self) -> str:
        label = f", name={self.name!r}" if self.name else ""
        body = np.array2string(self.data, prefix="Tensor(", separator=", ")
        dtype = "" if self.data.dtype == np.float64 else f", dtype={self.data.dtype}"
        return f"Tensor({body}{dtype}{label})"

    # ----------------------------------------------------------------------- answering to NumPy

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError(
            f"a Tensor of shape {self.shape} is turned into a plain array, and its history lost\n"
            "expected a NumPy function that gradlab can trace, or plain data\n"
            "write t.data for the numbers, gl.stack([...]) for an array of Tensors"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return call_function(function, args, kwargs)


def _between(op: Primitive) -> Any:
    """Return the sign ``op`` between two Tensors; see `Tensor.apply`."""
    kernel: Any = op.array_kernel

    def sign(a: Tensor, b: Any) -> Any:
        if type(a) is type(b) is Tensor:
            try:
                y = kernel(a.data, b.data)
            except ValueError:  # `apply` says what does not fit
                return a.apply(op, (a, b))
            if type(y) is not np.ndarray:
                y = np.asarray(y)
            if y.dtype.kind == "f":
                return tape.made_by(Tensor, op, (a, b), y)
        return a.apply(op, (a, b))

    return sign


shorten(Tensor, _between)


def _plain_index(key: Any) -> Any:
    if isinstance(key, Tensor):
        return key.data.astype(np.intp) if not math.prod(key.shape) else key.data
    return key

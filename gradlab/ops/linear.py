"""Linear algebra: the matrix product and its relatives, and the dense layer x @ W + b.

The whole of a layer's weighted sums is one product: row i of the result belongs to instance i,
column j to neuron j.

Source: deck 001, section 10.1.3: h(X) = phi(XW + b).
"""

from __future__ import annotations

import numpy as np

from gradlab.entry import (
    case,
)
from gradlab.errors import (
    ShapeError,
)
from gradlab.ops.arithmetic import add
from gradlab.ops.shaping import reshape, swapaxes, transpose
from gradlab.primitive import (
    composed,
    primitive,
)


@primitive(
    formula="a @ b",
    symbol="@",
    signature="(m?,n),(n,p?)->(m?,p?)",
    numpy=np.matmul,
    cases=(
        case((2, 3), (3, 4)),
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3,), (3, 4)),
        case((5, 2, 3), (3, 4)),
        case((2, 3), (5, 3, 4)),
        case((5, 1, 2, 3), (4, 3, 2)),
        case((5, 2, 3), (3,)),
        case((3,), (5, 3, 4)),
        case((0, 3), (3, 2)),
    ),
)
def matmul(a, b):
    """Matrix product; stacks of matrices multiply pairwise, and vectors count as one row or column.

    >>> matmul(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])

    Raises:
        ShapeError: the last axis of a and the second-last of b differ.
    """
    try:
        return np.matmul(a, b)
    except ValueError:
        raise matmul_error(np.shape(a), np.shape(b)) from None


@matmul.vjp("a")
def matmul_vjp_a(g, a, b):
    if b.ndim == 1:
        return _column(g) * b if a.ndim > 1 else g * b
    flow = matmul(_row(g) if a.ndim == 1 else g, swapaxes(b, -1, -2))
    return reshape(flow, (*flow.shape[:-2], flow.shape[-1])) if a.ndim == 1 else flow


@matmul.vjp("b")
def matmul_vjp_b(g, a, b):
    if a.ndim == 1:
        return _column(a) * _row(g) if b.ndim > 1 else g * a
    flow = matmul(swapaxes(a, -1, -2), _column(g) if b.ndim == 1 else g)
    return reshape(flow, flow.shape[:-1]) if b.ndim == 1 else flow


def _row(x):
    return reshape(x, (*x.shape[:-1], 1, x.shape[-1]))


def _column(x):
    return reshape(x, (*x.shape, 1))


def matmul_error(a, b):
    """Return the error that says which axes of a product do not fit."""
    if not a or not b:
        return ShapeError(
            f"matmul: shapes {a} and {b}\nexpected at least one axis on either side\n"
            "write a * b to multiply by a single number"
        )
    inner = b[-2] if len(b) > 1 else b[0]
    if a[-1] != inner:
        at = len(b) - 2 if len(b) > 1 else 0
        fits = len(b) > 1 and a[-1] == b[-1]
        hint = "a @ b.T" if fits else "a.T @ b" if len(a) == 2 and a[0] == inner else ""
        return ShapeError(
            f"matmul: shapes {a} and {b} do not fit\n"
            f"axis {len(a) - 1} of the left has {a[-1]} entries, axis {at} of the right {inner}; "
            "expected the same\n"
            f"write {hint or f'a right-hand side whose axis {at} has size {a[-1]}'}"
        )
    return ShapeError(
        f"matmul: the stacks {a[:-2]} and {b[:-2]} of shapes {a} and {b} do not broadcast\n"
        "expected, counted from the right, equal sizes or 1\n"
        "write a reshape that gives one of them size 1 there"
    )


@composed(
    numpy=np.dot,
    cases=(case((2, 3), (3,)), case((3,), (3,)), case((), (2,)), case((2, 3, 4), (5, 4, 2))),
)
def dot(a, b):
    """np.dot: last axis of a against the second-last of b (for matrices, the matrix product)."""
    if not a.shape or not b.shape:
        return a * b
    return tensordot(a, b, axes=((len(a.shape) - 1,), (max(len(b.shape) - 2, 0),)))


@composed(numpy=np.inner, cases=(case((2, 3), (4, 3)), case((3,), (3,))))
def inner(a, b):
    """Sums of products over the last axis of both."""
    return tensordot(a, b, axes=((len(a.shape) - 1,), (len(b.shape) - 1,)))


@composed(numpy=np.outer, cases=(case((2,), (3,)), case((2, 2), (3,))))
def outer(a, b):
    """Every product of an element of a with an element of b."""
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


@composed(
    numpy=np.tensordot,
    cases=(
        case((2, 3), (3, 4), axes=1),
        case((2, 3), (4, 5), axes=0),
        case((2, 3, 4), (4, 3, 5), axes=([1, 2], [1, 0])),
        case((2, 3), (2, 3), axes=2),
    ),
)
def tensordot(a, b, axes=2):
    """Sums of products over the named axes of a and b: a matrix product after moving axes.

    Raises:
        ShapeError: the axes paired with each other differ in size.
    """
    if isinstance(axes, int):
        left, right = list(range(len(a.shape) - axes, len(a.shape))), list(range(axes))
    else:
        left, right = np.atleast_1d(axes[0]).tolist(), np.atleast_1d(axes[1]).tolist()
    left, right = [i % len(a.shape) for i in left], [i % len(b.shape) for i in right]
    sizes, others = [a.shape[i] for i in left], [b.shape[i] for i in right]
    if sizes != others:
        raise ShapeError(
            f"tensordot: shapes {a.shape} and {b.shape}, axes {left} of the left with {right}\n"
            f"sizes {sizes} meet {others}; expected the same\n"
            "write axes=(axes of the left, axes of the right), pair by pair"
        )
    free_a = [i for i in range(len(a.shape)) if i not in left]
    free_b = [i for i in range(len(b.shape)) if i not in right]
    n = int(np.prod(sizes))
    rows = [a.shape[i] for i in free_a]
    columns = [b.shape[i] for i in free_b]
    flat_a = reshape(transpose(a, (*free_a, *left)), (int(np.prod(rows)), n))
    flat_b = reshape(transpose(b, (*right, *free_b)), (n, int(np.prod(columns))))
    return reshape(matmul(flat_a, flat_b), (*rows, *columns))


@primitive(
    name="einsum",
    cases=(
        case((2, 3), (3, 4), subscripts="ij,jk->ik"),
        case((3, 3), subscripts="ii->i"),
        case((3, 3), subscripts="ii"),
        case((2, 3), subscripts="ij->j"),
        case((2, 3), (2, 3), subscripts="ij,ij->"),
        case((5, 2, 3), (5, 3, 4), subscripts="...ij,...jk->...ik"),
        case((2,), (3,), (2, 3), subscripts="i,j,ij->ij"),
        case((2, 3), (4,), subscripts="ij,k"),
    ),
)
def contract(*operands, subscripts):
    """einsum with the subscripts as a keyword: products over the letters the result leaves out."""
    try:
        return np.einsum(subscripts, *operands)
    except ValueError as error:
        shapes = " and ".join(str(np.shape(o)) for o in operands)
        raise ShapeError(
            f"einsum: {subscripts!r} with shapes {shapes}\n"
            f"expected one letter per axis and one size per letter ({error})\n"
            'write e.g. einsum("ij,jk->ik", a, b)'
        ) from None


@contract.vjp("operands")
def contract_vjp(g, operands, subscripts, i):
    """The gradient of one operand is again an einsum: of g and the others, giving its letters."""
    inputs, output = _letters(subscripts, operands)
    mine, x = inputs[i], operands[i]
    once = "".join(
        dict.fromkeys(mine)
    )  # "ii" takes its diagonal: differentiate that, then place it
    others = [letters for k, letters in enumerate(inputs) if k != i]
    known = set(output).union(*others)
    result = "".join(letter for letter in once if letter in known)
    rest = [o for k, o in enumerate(operands) if k != i]
    flow = contract(g, *rest, subscripts=",".join([output, *others]) + "->" + result)
    sizes = dict(zip(mine, x.shape, strict=True))
    # A letter that only this operand has was summed over: every element gets the same.
    flow = reshape(flow, tuple(sizes[c] if c in known else 1 for c in once))
    flow = flow * np.ones(tuple(sizes[c] for c in once), g.dtype)
    if once == mine:
        return flow
    equal = np.ones(x.shape, g.dtype)
    for axis, letter in enumerate(mine):
        first = mine.index(letter)
        if first != axis:
            equal = equal * np.eye(sizes[letter], dtype=g.dtype).reshape(
                [sizes[letter] if a in (first, axis) else 1 for a in range(len(mine))]
            )
    spread = [sizes[c] if mine.index(c) == a else 1 for a, c in enumerate(mine)]
    return reshape(flow, tuple(spread)) * equal


def _letters(subscripts, operands):
    """Return one letter per axis for each operand and the result, with the dots spelled out."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts]
    widths = [
        len(o.shape) - len(t.replace("...", "")) for t, o in zip(terms, operands, strict=True)
    ]
    dots = (
        "".join(free[: max(w for w, t in zip(widths, terms, strict=True) if "..." in t)])
        if ("..." in left)
        else ""
    )
    spelled = [t.replace("...", dots[len(dots) - w :]) for t, w in zip(terms, widths, strict=True)]
    if not arrow:
        every = left.replace(",", "").replace("...", "")
        right = ("..." if dots else "") + "".join(
            sorted(c for c in set(every) if every.count(c) == 1)
        )
    return spelled, right.replace("...", dots)


def einsum(subscripts, *operands):
    """Return the sums of products that the subscripts spell, as np.einsum does.

    >>> einsum("ij,jk->ik", np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 2.],
           [3., 4.]])
    """
    return contract(*operands, subscripts=subscripts)


@composed(
    formula="x @ W + b",
    signature="(i,n),(n,m),(m)->(i,m)",
    cases=(case((2, 3), (3, 4), (4,)), case((5, 2, 3), (3, 4), (4,))),
    source="deck 001, 10.1.3",
)
def dense(x, W, b):
    """A fully connected layer: all weighted sums, the bias row added to each (broadcasting).

    Shapes: x (instances, features), W (features, outputs), b (outputs,).

    >>> dense(np.array([[1.0, 2.0]]), np.array([[1.0], [1.0]]), np.array([-1.5]))
    array([[1.5]])

    Raises:
        ShapeError: x and W do not fit, or b has not one number per output.
    """
    z = matmul(x, W)
    if np.shape(b) not in (np.shape(z)[-1:], ()):
        raise ShapeError(
            f"dense: a bias of shape {np.shape(b)} for {np.shape(z)[-1]} outputs\n"
            f"expected shape {np.shape(z)[-1:]}: one number per output, added to every row\n"
            f"write np.zeros({np.shape(z)[-1]}) to start with"
        )
    return add(z, b)

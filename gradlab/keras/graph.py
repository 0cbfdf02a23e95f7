"""The graph of layers: which layer was called on the output of which other layer.

Calling a layer on a symbolic input computes nothing; it writes down the call. Sequential and
functional models, summaries, pictures and saved files are all read off these calls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from gradlab.operators import Operators
from gradlab.ops.linear import matmul
from gradlab.ops.shaping import index
from gradlab.tape import Node

Shape = tuple[int | None, ...]


class KerasTensor(Operators, Node):
    """An array that does not exist yet: its shape, with None for the batch, and where it is from.

    ``x + 1``, ``x[:, 2:]`` and the functions of `keras.ops` write down a call, as layers do.

    Attributes:
        shape: such as ``(None, 28, 28)``.
        dtype: of the numbers to come.
        name: of the input, or of the layer that makes it.
        call: the layer call that makes it.
        index: its place among the outputs of that call.
    """

    shape: Shape  # type: ignore[assignment]

    def __init__(
        self, shape: Shape, dtype: str, name: str, call: LayerCall | None = None, index: int = 0
    ) -> None:
        self.shape, self.dtype, self.name = shape, dtype, name
        self.call, self.index = call, index

    @classmethod
    def apply(cls, op: Any, inputs: tuple[Any, ...]) -> Any:
        """Write down that a primitive is applied to symbolic inputs, among others."""
        cut = len(inputs) - len(op.parameters)
        named = zip(op.parameters, inputs[cut:], strict=True)
        return cls.apply_whole(op, inputs[:cut], dict(named))

    @classmethod
    def apply_whole(cls, entry: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Write down a call of any function of the table; see `Operation`."""
        from gradlab.keras.layers.operation import Operation

        return Operation.applied(entry, args, kwargs)

    @property
    def data(self) -> Any:  # type: ignore[override]
        """There are none."""
        raise self._no_numbers()

    def _no_numbers(self) -> TypeError:
        return TypeError(
            f"{self!r} has no numbers yet\n"
            "expected a layer, an operator or a function of keras.ops to be applied to it\n"
            "write Dense(10)(x) or x + 1.0, and give numbers to the finished model"
        )

    @property
    def ndim(self) -> int:
        """The number of axes, that of the batch included."""
        return len(self.shape)

    def __matmul__(self, other: Any) -> Any:
        return matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return matmul(other, self)

    def __getitem__(self, key: Any) -> Any:
        return index(self, key)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__
    __array_ufunc__ = None  # array + x asks x

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise self._no_numbers()

    def __bool__(self) -> bool:
        raise self._no_numbers()

    __iter__ = __len__ = __float__ = __bool__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


@dataclasses.dataclass(eq=False)
class LayerCall:
    """One call of a layer in the graph.

    Attributes:
        layer: which one; a layer that is called twice shares its weights between both calls.
        arguments: what ``call`` was given first, with symbolic inputs in it.
        keywords: its other arguments.
        outputs: the symbolic result, or a list or dict of several.
        number: 0 for the layer's first call, as in ``dense[0][0]``.
    """

    layer: Any
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    outputs: Any
    number: int

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic tensors among the arguments."""
        return [x for x in leaves((self.arguments, self.keywords)) if isinstance(x, KerasTensor)]


# ------------------------------------------------------------------------------- nested structures


def leaves(structure: Any) -> Iterator[Any]:
    """Yield what lists, tuples and dicts hold, in order.

    >>> list(leaves([1, (2, {"a": 3})]))
    [1, 2, 3]
    """
    return iter(_flat(structure, []))


def _flat(structure: Any, found: list[Any]) -> list[Any]:
    if isinstance(structure, dict):
        structure = structure.values()
    elif not isinstance(structure, list | tuple):
        found.append(structure)
        return found
    for part in structure:
        _flat(part, found)
    return found


def mapped(function: Callable[[Any], Any], structure: Any) -> Any:
    """Return the same lists, tuples and dicts, with ``function`` applied to what they hold.

    >>> mapped(str, [1, {"a": 2}])
    ['1', {'a': '2'}]
    """
    if isinstance(structure, dict):
        return {key: mapped(function, value) for key, value in structure.items()}
    if isinstance(structure, list | tuple):
        return type(structure)(mapped(function, value) for value in structure)
    return function(structure)


def is_symbolic(structure: Any) -> bool:
    """Tell whether there is a symbolic tensor in it."""
    return any(isinstance(x, KerasTensor) for x in leaves(structure))


def run(
    calls: Iterable[LayerCall],
    values: dict[int, Any],
    structure: Any,
    layer_of: Callable[[Any], Any] | None = None,
) -> Any:
    """Make calls of layers, in order, on other inputs: numbers, or symbolic tensors.

    Args:
        calls: those of a model.
        values: by the id of a symbolic tensor, what takes its place; the inputs at first.
        structure: lists and dicts of symbolic tensors.
        layer_of: the layer that takes the place of a layer; itself by default.

    Returns:
        ``structure`` with the values in it.
    """

    def value_of(x: Any) -> Any:
        return values[id(x)] if isinstance(x, KerasTensor) else x

    for call in calls:
        if not call.inputs:
            continue
        arguments, keywords = mapped(value_of, (call.arguments, call.keywords))
        layer = call.layer if layer_of is None else layer_of(call.layer)
        made = leaves(layer(*arguments, **keywords))
        values |= {id(y): value for y, value in zip(leaves(call.outputs), made, strict=True)}
    return mapped(value_of, structure)


# ------------------------------------------------------------------------------- from outputs back


def calls_between(inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]) -> list[LayerCall]:
    """Return the calls that lead from the inputs to the outputs, each after those it needs.

    The order is that of Keras, which saved files rely on: the longer the way to an output, the
    earlier; at equal length, as a walk back from the outputs comes by.

    Raises:
        ValueError: an output depends on an input that is not among ``inputs``.
    """
    given = {id(x) for x in inputs}
    order: list[LayerCall] = []
    done: set[int] = set()
    met: dict[int, int] = {}  # when the walk came by a layer for the first time
    waiting = _makers(reversed(outputs), given)
    while waiting:
        call = waiting[-1]
        if id(call) in done:
            waiting.pop()
            continue
        met.setdefault(id(call.layer), len(met))
        if not call.inputs and id(call.outputs) not in given:
            raise _not_reached(call.outputs, inputs)
        missing = [c for c in _makers(call.inputs, given) if id(c) not in done]
        if missing:
            waiting.extend(reversed(missing))
        else:
            waiting.pop()
            done.add(id(call))
            order.append(call)
    depths = _depths(order, given)

    def place(call: LayerCall) -> tuple[int, int]:
        return -depths[id(call)], met[id(call.layer)]

    return sorted(order, key=place)


def _makers(tensors: Iterable[KerasTensor], given: set[int]) -> list[LayerCall]:
    """Return the calls that made symbolic tensors; one that is given need not be made."""
    calls = [x.call for x in tensors if x.call is not None and (is_input(x) or id(x) not in given)]
    return list({id(call): call for call in calls}.values())


def is_input(x: KerasTensor) -> bool:
    """Tell whether it is what an Input returned, not what a layer makes."""
    return x.call is not None and not x.call.inputs


def _depths(order: list[LayerCall], given: set[int]) -> dict[int, int]:
    """Return how many calls there are from each one, or another of its layer, to an end."""
    depths: dict[int, int] = {}
    of_layers: dict[int, int] = {}
    for call in reversed(order):
        depth = max(depths.get(id(call), 0), of_layers.get(id(call.layer), 0))
        depths[id(call)] = of_layers[id(call.layer)] = depth
        for maker in _makers(call.inputs, given):
            depths[id(maker)] = max(depth + 1, depths.get(id(maker), 0))
    return depths


def _not_reached(x: KerasTensor, inputs: Sequence[KerasTensor]) -> ValueError:
    return ValueError(
        f"the outputs depend on the input {x.name!r}, which is not among the inputs\n"
        f"expected inputs=[{', '.join([*(x.name for x in inputs), x.name])}]\n"
        "write every Input that the outputs are computed from into inputs="
    )

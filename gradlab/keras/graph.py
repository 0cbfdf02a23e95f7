"""The graph of layers: which layer was called on the output of which other layer.

Calling a layer on a symbolic input computes nothing; it writes down the call. Sequential and
functional models, summaries, pictures and saved files are all read off these calls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Shape = tuple[int | None, ...]


@dataclasses.dataclass(eq=False)
class KerasTensor:
    """An array that does not exist yet: its shape, with None for the batch, and where it is from.

    Attributes:
        shape: such as ``(None, 28, 28)``.
        dtype: of the numbers to come.
        name: of the input, or of the layer that makes it.
        call: the layer call that makes it.
        index: its place among the outputs of that call.
    """

    shape: Shape
    dtype: str
    name: str
    call: LayerCall | None = None
    index: int = 0

    @property
    def ndim(self) -> int:
        """The number of axes, that of the batch included."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(
            f"{self!r} has no numbers yet\nexpected a layer to be called on it\n"
            "write Dense(10)(x), and give numbers to the finished model"
        )


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
    if isinstance(structure, dict):
        for value in structure.values():
            yield from leaves(value)
    elif isinstance(structure, list | tuple):
        for value in structure:
            yield from leaves(value)
    else:
        yield structure


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


# ------------------------------------------------------------------------------- from outputs back


def calls_between(inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]) -> list[LayerCall]:
    """Return the calls that lead from the inputs to the outputs, each after those it needs.

    Raises:
        ValueError: an output depends on an input that is not among ``inputs``.
    """
    given = {id(x) for x in inputs}
    order: list[LayerCall] = []
    done: set[int] = set()
    waiting = [x.call for x in reversed(outputs) if id(x) not in given]
    while waiting:
        call = waiting[-1]
        if call is None or id(call) in done:
            waiting.pop()
            continue
        needed = [x for x in call.inputs if id(x) not in given]
        if unfed := [x for x in needed if x.call is None]:
            raise ValueError(
                f"the outputs depend on the input {unfed[0].name!r}, which is not among the inputs"
                f"\nexpected inputs=[{', '.join([*(x.name for x in inputs), unfed[0].name])}]\n"
                "write every Input that the outputs are computed from into inputs="
            )
        missing = [x.call for x in needed if id(x.call) not in done]
        if missing:
            waiting.extend(reversed(missing))
        else:
            waiting.pop()
            done.add(id(call))
            order.append(call)
    return order

"""The table of a model's layers: what each puts out, and how many weights it has.

The form is that of tf.keras 2, which the slides show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from gradlab.keras.graph import LayerCall, leaves

HEADS = ("Layer (type)", "Output Shape", "Param #", "Connected to")
NARROW, WIDE = 65, 98  # characters; the wide table has the column "Connected to"
COLUMNS = {NARROW: (0.45, 0.85, 1.0), WIDE: (0.3, 0.6, 0.7, 1.0)}  # where each ends
TRAINABLE = 11  # characters of a further column
BREAKS = ("),", "},", "],", "',")  # a long entry is continued on the next line after one of these


class Form(NamedTuple):
    """The form of a table: its width, where its columns end, and what it shows."""

    width: int
    ends: list[int]
    expanded: bool
    trainable: bool


def of_model(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    *,
    expand_nested: bool = False,
    show_trainable: bool = False,
) -> str:
    """Return the table of a model that knows the shape of its inputs.

    Raises:
        ValueError: a model that has not seen a shape yet.
    """
    if not model.built:
        raise ValueError(
            f"{model.name}: summary before the shape of the inputs is known\n"
            "expected an Input, input_shape= in the first layer, or a call on data\n"
            "write model.build((None, 784)) for inputs of 784 numbers"
        )
    calls = getattr(model, "calls", None)  # of a functional model
    usual = NARROW if calls is None else WIDE
    width, shares = line_length or usual, positions or COLUMNS[usual]
    ends = [int(width * end) if shares[-1] <= 1 else int(end) for end in shares]
    heads = list(HEADS[: len(COLUMNS[usual])])
    if show_trainable:
        width += TRAINABLE
        heads, ends = [*heads, "Trainable"], [*ends, width]
    form = Form(width, ends, expand_nested, show_trainable)
    lines = [f'Model: "{model.name}"', "_" * width, *_lines(heads, ends), "=" * width]
    lines += _layer_lines(model, form, calls)
    return "\n".join([*lines, "=" * width, *_totals(model), "_" * width])


def _layer_lines(
    model: Any, form: Form, calls: list[LayerCall] | None, depth: int = 0
) -> Iterator[str]:
    """Yield the rows of a model, each with an empty line below, and those of models inside."""
    layers = getattr(model, "operations", model.layers)
    for layer in layers:
        yield from _lines(_fields(layer, form, calls), form.ends, depth)
        if form.expanded and getattr(layer, "layers", None):
            yield _rule("¯", depth + 1, form.width)
            inner = None if calls is None else getattr(layer, "calls", [])
            yield from _layer_lines(layer, form, inner, depth + 1)
            yield _rule("¯", depth, form.width)
        if depth == 0 or layer is not layers[-1]:
            yield _rule(" ", depth, form.width)


def _rule(fill: str, depth: int, width: int) -> str:
    return "|" * depth + fill * (width - 2 * depth) + "|" * depth


def _fields(layer: Any, form: Form, calls: list[LayerCall] | None) -> list[str]:
    params = str(layer.count_params()) if layer.built else "0 (unused)"
    fields = [f"{layer.name} ({type(layer).__name__})", _shape(layer, calls), params]
    if calls is not None:
        fields.append(_connected(layer, calls))
    if form.trainable:
        fields.append("Y" if layer.trainable else "N")
    return fields


def _shape(layer: Any, calls: Any) -> str:
    here = [call for call in calls or layer._calls if call.layer is layer]
    if not here:
        return "multiple"
    shapes = [y.shape for y in leaves(here[0].outputs)]
    is_input = calls is not None and not here[0].inputs
    return str(shapes[0]) if len(shapes) == 1 and not is_input else str(shapes)


def _connected(layer: Any, calls: list[LayerCall]) -> str:
    sources = [
        f"{x.call.layer.name}[{x.call.number}][{x.index}]"
        for call in calls
        if call.layer is layer
        for x in call.inputs
        if x.call is not None
    ]
    return str(sources)


def _totals(model: Any) -> list[str]:
    trained = sum(w.size for w in model.trainable_weights)
    still = sum(w.size for w in model.non_trainable_weights)
    return [
        f"Total params: {trained + still:,}",
        f"Trainable params: {trained:,}",
        f"Non-trainable params: {still:,}",
    ]


def _lines(fields: Sequence[str], ends: Sequence[int], depth: int = 0) -> list[str]:
    """Return one row as lines: what does not fit its column goes on below.

    >>> for line in _lines(["a_long_name (Dense)", "(None, 3)"], [12, 22]):
    ...     print(repr(line))
    ' a_long_nam  (None, 3)'
    ' e (Dense)            '
    """
    rest, lines = list(fields), []
    while any(rest):
        line = "|" * depth + " "
        for k, end in enumerate(ends):
            gap = 0 if k == len(ends) - 1 else 2
            part = rest[k][: end - (ends[k - 1] if k else 0) - gap]
            cuts = [part.index(b) + len(b) for b in BREAKS if b in part]
            part = part[: min(cuts)] if cuts else part
            rest[k] = rest[k][len(part) :]
            line = (line + part + " " * gap).ljust(end - depth)
        lines.append(line + "|" * depth)
    return lines

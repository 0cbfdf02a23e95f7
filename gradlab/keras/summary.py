"""The table of a model's layers: what each puts out, and how many weights it has.

The form is that of tf.keras 2, which the slides show.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, NamedTuple

from gradlab.keras.graph import LayerCall, leaves

NARROW, WIDE = 65, 98  # characters; the wide table has a column "Connected to"
COLUMNS = {NARROW: (0.45, 0.85, 1.0), WIDE: (0.3, 0.6, 0.7, 1.0)}  # where each ends
BREAKS = ("),", "},", "],", "',")  # a long entry is continued on the next line after one of these


class Row(NamedTuple):
    """A layer in the table, and those inside of it."""

    name: str
    shape: str
    params: int | str
    connected: str = ""
    depth: int = 0
    frozen: bool | None = None  # shown as Y or N if asked for


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
    rows = _rows(model, calls, expand_nested, show_trainable)
    width = line_length or (NARROW if calls is None else WIDE)
    ends = positions or COLUMNS[NARROW if calls is None else WIDE]
    if ends[-1] <= 1:
        ends = [int(width * end) for end in ends]
    heads = ["Layer (type)", "Output Shape", "Param #"]
    heads += [] if calls is None else ["Connected to"]
    lines = [f'Model: "{model.name}"', "_" * width, *_lines(heads, ends), "=" * width]
    for row in rows:
        fields = [row.name, row.shape, str(row.params)] + ([] if calls is None else [row.connected])
        mark = "" if row.frozen is None else "  N" if row.frozen else "  Y"
        lines += _lines([fields[0] + mark, *fields[1:]], ends, row.depth)
        lines.append(" " * width)
    return "\n".join([*lines, "=" * width, *_totals(model), "_" * width])


def _rows(model: Any, calls: Any, expand: bool, trainable: bool, depth: int = 0) -> list[Row]:
    rows = []
    layers = model.layers
    for layer in layers:
        rows.append(
            Row(
                f"{layer.name} ({type(layer).__name__})",
                _shape(layer, calls),
                layer.count_params() if layer.built else "0 (unused)",
                "" if calls is None else _connected(layer, calls),
                depth,
                (not layer.trainable) if trainable else None,
            )
        )
        if expand and hasattr(layer, "layers"):
            inner = None if calls is None else getattr(layer, "calls", [])
            rows += _rows(layer, inner, expand, trainable, depth + 1)
    return rows


def _shape(layer: Any, calls: Any) -> str:
    if not layer._calls:
        return "multiple"
    shapes = [y.shape for y in leaves(layer._calls[0].outputs)]
    is_input = calls is not None and not layer._calls[0].arguments
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
            last = k == len(ends) - 1
            room = end - (ends[k - 1] if k else 0) - (0 if last else 2)
            part = rest[k][:room]
            cuts = [part.index(b) + len(b) for b in BREAKS if b in part]
            part = part[: min(cuts)] if cuts else part
            rest[k] = rest[k][len(part) :].lstrip() if cuts else rest[k][len(part) :]
            line = f"{line}{part}".ljust(end) if last else f"{line}{part}  ".ljust(end)
        lines.append(line.rstrip() + "|" * depth if depth else line)
    return lines


def to_html(model: Any) -> str:
    """Return the table as HTML, for notebooks."""
    head = "".join(f"<th>{h}</th>" for h in ("Layer (type)", "Output Shape", "Param #"))
    body = "".join(
        "<tr>"
        + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in (row.name, row.shape))
        + f'<td style="text-align:right">{row.params}</td></tr>'
        for row in _rows(model, getattr(model, "calls", None), False, False)
    )
    totals = "<br>".join(_totals(model))
    return f"<table><caption>{html.escape(model.name)}</caption>{head}{body}</table>{totals}"

"""A program as a picture: one box per line, an arrow for each array that goes from line to line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradlab.program.lines import slots_in
from gradlab.program.listing import flops, quantity, traffic

if TYPE_CHECKING:
    from gradlab.draw import Drawing
    from gradlab.program.run import Program


def picture(program: Program) -> Drawing:
    """Return the drawing of a program."""
    from gradlab.draw import Drawing, Graph, Vertex  # the pictures are loaded when one is asked for

    graph, shown = Graph(), {}
    for slot, name in program.leaves():
        rows = (("shape", str(slot.shape)),)
        shown[id(slot)] = graph.add(Vertex(f"n{len(shown)}", "leaf", name, rows, name))
    results = {id(slot) for slot in program.results()}
    for number, (line, text) in enumerate(zip(program.lines, program.texts, strict=True), start=1):
        kind = "output" if id(line.out) in results or line.out is None else "result"
        shape = "" if line.out is None else str(line.out.shape)
        costs = (
            (quantity(flops(line), ""), quantity(traffic(line), "")) if flops(line) else ("", "")
        )
        named = zip(("shape", "flop", "bytes"), (shape, *costs), strict=True)
        rows = tuple(row for row in named if row[1])
        box = graph.add(Vertex(f"line{number}", kind, line.name, rows, text))
        for slot in {id(s): s for s in slots_in(line.inputs)}.values():
            graph.join(shown[id(slot)], box)
        shown |= dict.fromkeys(map(id, line.outs), box)
    return Drawing(graph)

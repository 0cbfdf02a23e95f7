"""Pictures measured in a real browser: no box overlaps another, no edge runs through a box.

The browser lays out the text and follows the curves itself, so this does not trust our own numbers.
"""

from __future__ import annotations

import pytest
from browser import chromium  # noqa: F401
from test_draw import GRAPHS, swept, xor_loss
from test_draw_groups import mlp

import gradlab as gl
from gradlab.draw import Drawing
from gradlab.draw.graph import Graph, Vertex

pytestmark = pytest.mark.browser

PICTURES = {
    **{name: gl.draw(y) for name, y in GRAPHS.items()},
    "top down": gl.draw(GRAPHS["tensor, after"], rankdir="TB"),
    "200 nodes, after": gl.draw(swept(xor_loss(18))),
    "an open network": gl.draw(mlp(), collapse="layer 1", title="one layer collapsed"),
    "neurons collapsed": gl.draw(mlp(6, 3, 4), max_nodes=60),
    "network 2-4-3": gl.draw.network([2, 4, 3]),
    "network, top down": gl.draw.network([3, 5, 2], rankdir="TB"),
    "unit": gl.draw.network(gl.TLU([1.0, -2.0], bias=0.5)),
}

# Boxes are given with their text; in a node's group the first shape is the box, the others are in
# it. An edge may touch the ovals it joins, whose corners are free, so ovals are measured as ovals.
MEASURE = """
const nodes = [...document.querySelectorAll('svg > g')].filter(
  g => !['title', 'edge', 'halo', 'legend'].includes(g.getAttribute('class')));
const boxes = nodes.map(g => {
  const shape = g.querySelector('rect, ellipse'), own = shape.getBBox(), all = g.getBBox();
  return {id: g.id, oval: shape.tagName === 'ellipse',
          own: [own.x, own.y, own.x + own.width, own.y + own.height],
          all: [all.x, all.y, all.x + all.width, all.y + all.height]};
});
const inside = (p, box) => {
  const [x0, y0, x1, y1] = box.own, slack = 0.3;
  if (!box.oval) {
    return p.x > x0 + slack && p.x < x1 - slack && p.y > y0 + slack && p.y < y1 - slack;
  }
  const dx = (p.x - (x0 + x1) / 2) / ((x1 - x0) / 2), dy = (p.y - (y0 + y1) / 2) / ((y1 - y0) / 2);
  return dx * dx + dy * dy < 0.96;
};
const overlapping = [], spilling = [], through = [];
for (const [i, a] of boxes.entries()) {
  const wide = Math.max(a.own[0] - a.all[0], a.all[2] - a.own[2]);
  if (wide > 0.5) spilling.push(a.id);
  for (const b of boxes.slice(i + 1)) {
    const apart = a.all[2] <= b.all[0] || b.all[2] <= a.all[0]
               || a.all[3] <= b.all[1] || b.all[3] <= a.all[1];
    if (!apart) overlapping.push([a.id, b.id]);
  }
}
let measured = 0;
for (const line of document.querySelectorAll('svg > g.edge > path[fill=none]')) {
  const length = line.getTotalLength(), reach = line.getBBox(), steps = Math.ceil(length / 2);
  const near = boxes.filter(b => b.own[0] < reach.x + reach.width && b.own[2] > reach.x
                              && b.own[1] < reach.y + reach.height + 1 && b.own[3] > reach.y - 1);
  for (let k = 0; k <= steps; k++) {
    const p = line.getPointAtLength(length * k / steps);
    for (const box of near) if (inside(p, box)) through.push([line.parentNode.id, box.id]);
    measured++;
  }
}
return {boxes: boxes.length, measured, overlapping, spilling, through};
"""


def measure(browser, drawing, tmp_path) -> dict:
    path = drawing.save(tmp_path / "picture.svg")
    browser.open(path)
    return browser.run(MEASURE)


LARGE = ("200 nodes, after", "random 2, 200")
SOME = [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in PICTURES]


@pytest.mark.parametrize("name", SOME)
def test_boxes_lie_apart_and_no_edge_runs_through_one(name, browser, tmp_path):
    drawing = PICTURES[name]
    found = measure(browser, drawing, tmp_path)
    assert found["boxes"] == len(drawing.graph.vertices)
    assert found["measured"] >= 10 * len(drawing.graph.edges)
    assert found["overlapping"] == found["through"] == found["spilling"] == []
    assert browser.errors() == []


def test_the_measurement_notices(browser, tmp_path):
    graph = Graph()
    for name in "abc":
        graph.add(Vertex(name, "leaf", name))
    graph.join("a", "c")
    drawing = Drawing(graph)
    svg = drawing.svg()
    first = svg.index('<g id="b"')
    moved = (
        svg[:first] + '<g id="b" class="leaf"><rect x="-500" y="-500" width="2000" height="2000"/>'
    )
    (tmp_path / "wrong.svg").write_text(moved + svg[svg.index("</g>", first) :])
    browser.open(tmp_path / "wrong.svg")
    found = browser.run(MEASURE)
    assert ["a", "b"] in found["overlapping"]
    assert ["e0", "b"] in found["through"]
    wide = svg.replace(">a</text>", ">a very long name</text>")
    (tmp_path / "wide.svg").write_text(wide)
    browser.open(tmp_path / "wide.svg")
    assert browser.run(MEASURE)["spilling"] == ["a"]

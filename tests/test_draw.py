"""Pictures of computation graphs: content, geometry, files, and pictures that cannot be made."""

from __future__ import annotations

import io
import itertools
import random
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import gradlab
from gradlab import Tensor, Value
from gradlab.draw import Drawing, notebook_pictures, raster, svg, text
from gradlab.draw.collapse import count_boxes
from gradlab.draw.graph import Graph, Vertex
from gradlab.draw.layout import Box, lay_out
from gradlab.draw.marks import place
from gradlab.draw.traced import from_node

# ------------------------------------------------------------------------------ graphs to draw


def neuron() -> Value:
    x1, x2 = Value(2.0, name="x1"), Value(0.0, name="x2")
    w1, w2 = Value(-3.0, name="w1"), Value(1.0, name="w2")
    z = x1 * w1 + x2 * w2 + Value(6.88, name="b")
    y = gradlab.tanh(z)
    z.name, y.name = "z", "y"
    return y


def twice() -> Value:
    a = Value(3.0, name="a")
    return a + a


def polynomial() -> Value:
    x = Value(2.0, name="x")
    return 1.0 + x * (2.0 + x * (3.0 - x)) / (x * x + 1.0)


def xor_loss(hidden: int = 4) -> Value:
    rng = random.Random(0)
    x = [Value(1.0, name="x1"), Value(0.0, name="x2")]
    z = Value(0.1, name="c")
    for j in range(hidden):
        h = Value(rng.uniform(-1, 1), name=f"b{j}")
        for i, x_i in enumerate(x):
            h = h + x_i * Value(rng.uniform(-1, 1), name=f"w{j}{i}")
        z = z + gradlab.tanh(h) * Value(rng.uniform(-1, 1), name=f"v{j}")
    e = gradlab.tanh(z) - Value(1.0, name="t")
    return e * e


def random_graph(seed: int, size: int) -> Value:
    rng = random.Random(seed)
    nodes = [Value(rng.uniform(0.5, 1.5), name=f"x{i}") for i in range(4)]
    while len(nodes) < size:
        a, b = rng.choice(nodes[-12:]), rng.choice(nodes)
        new = [a + b, a - b, a * 0.5, gradlab.tanh(a), gradlab.maximum(a, b)]
        nodes.append(rng.choice(new))
    y = nodes[-1]
    for node in nodes[-13:-1]:
        y = y + node
    return y


def tensor_loss() -> Tensor:
    rng = np.random.default_rng(0)
    X, W = Tensor(rng.normal(size=(4, 2)), name="X"), Tensor(rng.normal(size=(2, 3)), name="W")
    b = Tensor(np.zeros(3), name="b")
    h = gradlab.tanh(X @ W + b)
    return gradlab.mean(h * h, axis=0).sum()


def many_inputs() -> Tensor:
    shared = Tensor(np.ones(1), name="shared")
    parts = [Tensor(np.zeros(1), name=f"part {k}") for k in range(9)]
    return gradlab.concatenate([shared, *parts, shared * 2.0]) * shared


def swept(y: Value | Tensor) -> Value | Tensor:
    y.backward()
    return y


GRAPHS = {
    "leaf": Value(1.0, name="alone"),
    "neuron": neuron(),
    "twice": twice(),
    "polynomial": polynomial(),
    "xor": xor_loss(),
    "tensor": tensor_loss(),
    "many inputs": many_inputs(),
    **{f"random {seed}, {n}": random_graph(seed, n) for seed, n in [(0, 30), (1, 60), (2, 200)]},
    "neuron, after": swept(neuron()),
    "tensor, after": swept(tensor_loss()),
    "random 3, 60, after": swept(random_graph(3, 60)),
}

each_graph = pytest.mark.parametrize("name", GRAPHS)
each_rankdir = pytest.mark.parametrize("rankdir", ["LR", "TB"])
each_slopes = pytest.mark.parametrize("slopes", [True, False], ids=["slopes", "plain"])


def texts(picture: str) -> list[str]:
    return ["".join(e.itertext()) for e in ET.fromstring(picture).findall(".//{*}text")]


def titles(picture: str) -> str:
    return "\n".join(e.text or "" for e in ET.fromstring(picture).findall(".//{*}title"))


# ------------------------------------------------------------------------------------ geometry


def curve_points(start: tuple, pieces: tuple) -> np.ndarray:
    """Return points along a route, at most two units apart."""
    points, at = [np.array([start])], start
    for piece in pieces:
        control = np.array([at, *piece])
        n = 2 + int(np.abs(np.diff(control, axis=0)).sum() / 2)
        t = np.linspace(0.0, 1.0, n)[:, None]
        while len(control) > 1:  # de Casteljau, for all t at once
            if control.ndim == 2:
                control = control[:, None, :].repeat(n, axis=1)
            control = [(1 - t) * p + t * q for p, q in itertools.pairwise(control)]
            control = np.array(control)
        points.append(control[0])
        at = piece[-1]
    return np.concatenate(points)


def inside(points: np.ndarray, box: Box) -> np.ndarray:
    centre, half = np.array(box.centre), np.array([box.width, box.height]) / 2
    return (np.abs(points - centre) < half - 0.001).all(axis=1)


def inside_oval(points: np.ndarray, box: Box) -> np.ndarray:
    centre, half = np.array(box.centre), np.array([box.width, box.height]) / 2
    return (((points - centre) / half) ** 2).sum(axis=1) < 0.999


def overlap(a: Box, b: Box) -> bool:
    aside = a.x + a.width <= b.x or b.x + b.width <= a.x
    return not (aside or a.y + a.height <= b.y or b.y + b.height <= a.y)


def label_box(edge, route) -> Box:
    lines = [line for line in (edge.label, edge.flow) if line]
    width = max(text.width(line, 9.5, bold=line == edge.flow) for line in lines)
    height = 9.5 * len(lines)
    return Box(route.label[0] - width / 2, route.label[1] - height / 2, width, height)


@each_graph
@each_rankdir
@each_slopes
def test_no_box_or_label_overlaps_another(name, rankdir, slopes):
    graph = from_node(GRAPHS[name], slopes=slopes)
    layout = place(graph, rankdir)
    routed = zip(graph.edges, layout.routes, strict=True)
    labelled = [(edge, route) for edge, route in routed if edge.label or edge.flow]
    boxes = [*layout.boxes.values(), *(label_box(e, r) for e, r in labelled)]
    assert len(layout.boxes) == len(graph.vertices)
    for a, b in itertools.combinations(boxes, 2):
        assert not overlap(a, b), (a, b)
    for box in boxes:
        assert box.x > -0.01
        assert box.y > -0.01
        assert box.x + box.width < layout.width + 0.01
        assert box.y + box.height < layout.height + 0.01


@each_graph
@each_rankdir
@each_slopes
def test_no_edge_runs_through_a_box_or_another_label(name, rankdir, slopes):
    graph = from_node(GRAPHS[name], slopes=slopes)
    layout = place(graph, rankdir)
    sizes = np.array([(b.x, b.y, b.width, b.height) for b in layout.boxes.values()])
    for edge, route in zip(graph.edges, layout.routes, strict=True):
        points = curve_points(route.start, route.pieces)
        near = (sizes[:, 0] < points[:, 0].max()) & (sizes[:, 0] + sizes[:, 2] > points[:, 0].min())
        for vertex, close in zip(layout.boxes, near, strict=True):
            if close:
                own_oval = vertex == edge.target and graph.vertices[vertex].kind == "operator"
                check = inside_oval if own_oval else inside
                assert not check(points, layout.boxes[vertex]).any(), (edge, vertex)


@each_rankdir
def test_edges_start_and_end_at_the_border_of_their_boxes(rankdir):
    graph = from_node(GRAPHS["xor"])
    layout = place(graph, rankdir)
    for edge, route in zip(graph.edges, layout.routes, strict=True):
        source, target = layout.boxes[edge.source], layout.boxes[edge.target]
        end = route.pieces[-1][-1]
        if rankdir == "LR":
            assert route.start == pytest.approx((source.x + source.width, source.centre[1]))
            reach = (end[0] - target.centre[0]) / (target.width / 2)
            aside = (end[1] - target.centre[1]) / (target.height / 2)
        else:
            assert route.start == pytest.approx((source.centre[0], source.y + source.height))
            reach = (end[1] - target.centre[1]) / (target.height / 2)
            aside = (end[0] - target.centre[0]) / (target.width / 2)
        oval = graph.vertices[edge.target].kind == "operator"
        assert reach < 0
        assert (reach**2 + aside**2 if oval else -reach) == pytest.approx(1.0)


def test_parallel_edges_are_kept_apart():
    graph = from_node(twice(), slopes=False)
    layout = place(graph)
    one, two = (r for e, r in zip(graph.edges, layout.routes, strict=True) if not e.tight)
    ends = [route.pieces[-1][-1] for route in (one, two)]
    assert abs(ends[0][1] - ends[1][1]) > 5
    points = [curve_points(r.start, r.pieces) for r in (one, two)]
    middle = [p[np.abs(p[:, 0] - p[:, 0].mean()).argmin()] for p in points]
    assert abs(middle[0][1] - middle[1][1]) > 5


def test_a_chain_is_a_straight_line_and_edges_point_forward():
    y = Value(1.0)
    for _ in range(20):
        y = gradlab.tanh(y)
    layout = place(from_node(y))
    assert max(b.centre[1] for b in layout.boxes.values()) == pytest.approx(layout.height / 2)
    for route in place(from_node(GRAPHS["random 1, 60"])).routes:
        xs = [route.start[0], *(x for piece in route.pieces for x, _ in piece)]
        assert xs == sorted(xs)


def test_long_edges_are_straight_between_their_ends():
    x = y = Value(0.3, name="x")
    for _ in range(12):
        y = gradlab.tanh(y)
    graph = from_node(x * y)
    layout = place(graph)
    long = max(layout.routes, key=lambda route: route.pieces[-1][-1][0] - route.start[0])
    assert sum(len(piece) == 3 for piece in long.pieces) <= 3  # out, in, and up to the port


def test_the_geometry_checks_notice():
    box = Box(10.0, 10.0, 20.0, 20.0)
    through = curve_points(
        (0.0, 0.0), (((20.0, 20.0),), ((30.0, 20.0), (40.0, 40.0), (50.0, 50.0)))
    )
    around = curve_points((0.0, 0.0), (((0.0, 50.0), (0.0, 60.0), (50.0, 60.0)),))
    assert inside(through, box).any()
    assert inside_oval(through, box).any()
    assert not inside(around, box).any()
    assert not inside_oval(np.array([(12.0, 12.0)]), box).any()
    assert overlap(box, Box(29.0, 0.0, 5.0, 11.0))
    assert not overlap(box, Box(30.0, 0.0, 5.0, 11.0))


def test_a_cycle_is_refused():
    graph = Graph()
    for name in "ab":
        graph.add(Vertex(name, "leaf"))
    graph.join("a", "b")
    graph.join("b", "a")
    with pytest.raises(ValueError, match="cycle through 2"):
        lay_out(graph, {"a": (1.0, 1.0), "b": (1.0, 1.0)}, [(0.0, 0.0)] * 2)


def three_columns() -> Graph:
    graph = Graph()
    names = [["x1", "x2"], ["h1", "h2", "h3"], ["y"]]
    graph.columns = [[graph.add(Vertex(v, "neuron", v)) for v in column] for column in names]
    for left, right in itertools.pairwise(names):
        for source, target in itertools.product(left, right):
            graph.join(source, target, weight=1.0, label="0.25")
    graph.join("x1", "y", weight=-1.0)
    return graph


@each_rankdir
def test_columns_keep_their_order_and_a_skipping_edge_passes_between(rankdir):
    graph = three_columns()
    layout = place(graph, rankdir)
    along, across = (0, 1) if rankdir == "LR" else (1, 0)
    centres = [[layout.boxes[v].centre for v in column] for column in graph.columns]
    for column in centres:
        assert len({round(centre[along], 6) for centre in column}) == 1
        assert [c[across] for c in column] == sorted(c[across] for c in column)
    for edge, route in zip(graph.edges, layout.routes, strict=True):
        points = curve_points(route.start, route.pieces)
        for vertex, box in layout.boxes.items():
            assert not inside_oval(points, box).any(), (edge, vertex)
    labels = [
        label_box(*pair) for pair in zip(graph.edges, layout.routes, strict=True) if pair[0].label
    ]
    assert not any(overlap(a, b) for a, b in itertools.combinations(labels, 2))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ([["x1", "x2"], ["h1", "h2", "h3"]], "match the vertices: y"),
        ([["x1", "x2", "y"], ["h1", "h2", "h3"]], "later column"),
        ([["x1", "x2", "x1"], ["h1", "h2", "h3"], ["y"]], "twice"),
        ([["x1", "x2"], ["h1", "h2", "h3"], ["y", "z"]], "match the vertices: z"),
    ],
)
def test_columns_that_do_not_fit_the_graph_are_refused(columns, said):
    graph = three_columns()
    graph.columns = columns
    with pytest.raises(ValueError, match=said):
        place(graph)


# ------------------------------------------------------------------------------------- content


def test_names_values_gradients_and_slopes_are_shown():
    y = neuron()
    before = texts(gradlab.draw(y).svg())
    assert {"x1", "w1", "z", "y", "2.0000", "-3.0000", "tanh", "×", "+"} <= set(before)
    assert before.count("not computed") == before.count("grad") == 10
    y.backward()
    after = texts(gradlab.draw(y).svg())
    assert "not computed" not in after
    assert f"{y.inputs[0].grad:.4f}" in after
    assert {"×2", "× -3", f"×{1 - y.data**2:.3g}"} <= set(after)
    assert not any(label.startswith("× -3") for label in texts(gradlab.draw(y, slopes=False).svg()))


def test_tooltips_say_formula_and_the_product_that_flowed():
    a = Value(3.0, name="a")
    y = gradlab.tanh(a * 0.5)
    assert "flowed back" not in titles(gradlab.draw(y).svg())
    y.backward()
    hover = titles(gradlab.draw(y).svg())
    assert gradlab.tanh.doc in hover
    assert "multiply: " in hover
    slope = 1 - y.data**2
    assert f"gradient × slope = 1.0 × {slope}\n= {slope}" in hover


def test_shared_nodes_are_drawn_once_and_repeats_have_an_edge_each():
    graph = from_node(twice())
    assert [v.label for v in graph.vertices.values()] == ["a", "+", "output"]
    assert [(e.source, e.label) for e in graph.edges[:2]] == [("n1", "×1"), ("n1", "×1")]


def test_kinds_constants_and_parameters():
    X = Tensor(np.arange(6.0).reshape(2, 3), name="X")
    y = gradlab.mean(X * np.array([1.0, 2.0, 3.0]), axis=0)
    graph = from_node(y)
    kinds = [v.kind for v in graph.vertices.values()]
    assert sorted(kinds) == ["constant", "leaf", "operator", "operator", "output", "result"]
    labels = {v.label for v in graph.vertices.values()}
    assert {"X", "[1, 2, 3]", "mean axis=0", "output"} <= labels


def test_arrays_show_shape_dtype_and_few_numbers():
    small = Tensor(np.array([[1.0, 0.25]], "float32"), name="s")
    large = Tensor(np.arange(12.0).reshape(3, 4), name="l")
    rows = [dict(from_node(t).vertices["n1"].rows) for t in (small, large)]
    assert rows[0] == {"shape": "(1, 2) float32", "data": "[[1, 0.25]]", "grad": "not computed"}
    assert rows[1] == {"shape": "(3, 4) float64", "data": "0 … 11", "grad": "not computed"}
    (large * large).sum().backward()
    assert dict(from_node(large).vertices["n1"].rows)["grad"] == "0 … 22"
    slopes = [e.label for e in from_node(large * large).edges]
    assert slopes == ["slope (3, 4)", "slope (3, 4)", ""]


@pytest.mark.parametrize(
    ("data", "written"),
    [
        (np.zeros((0, 3)), "empty"),
        (np.array(True), "True"),
        (np.array(["a", "<b>"]), "[a, <b>]"),
        (np.array([np.nan, 1.0]), "[nan, 1]"),
        (np.full(9, np.nan), "nan … nan"),
    ],
)
def test_odd_arrays_are_drawn(data, written):
    t = Tensor(np.zeros(1))
    t.data = data
    assert written in texts(gradlab.draw(t).svg())


def test_nan_and_infinity_are_written_out():
    x = Value(float("nan"), name="x") * float("inf") + float("-inf")
    shown = texts(gradlab.draw(x).svg())
    assert {"nan", "inf", "-inf", "×inf"} <= set(shown)


def test_a_slope_that_is_not_a_number_is_a_question_mark():
    y = gradlab.sqrt(Value(0.0, name="x"))
    assert {"×?", "0.0000"} <= set(texts(gradlab.draw(y).svg()))


def test_gradients_that_are_themselves_traced():
    x = Value(3.0, name="x")
    y = x * x
    y.grad = x * 2.0
    assert "6.0000" in texts(gradlab.draw(y).svg())


AWKWARD = [
    "<script>alert(1)</script>",
    "a & b &lt; c",
    "\"double\" 'single'",
    "two\nlines\tand\ra tab",
    "n" * 10_000,
    "]]> --> \\N \\",
    "\x00\x1b[31m\u202e\ud800",
    "重み 🎉 $x^2$",
]


@pytest.mark.parametrize("name", AWKWARD, ids=range(len(AWKWARD)))
def test_awkward_names_are_escaped_and_shortened(name, tmp_path):
    y = Value(1.0, name=name) * Value(2.0, name=name)
    drawing = gradlab.draw(y, title=name)
    root = ET.fromstring(drawing.svg().encode())
    assert not root.findall(".//{*}script")
    shown = max(texts(drawing.svg()), key=len)
    assert len(shown) <= 200
    assert text.clean(name) in texts(drawing.svg()) or not text.clean(name)
    assert len(drawing.svg()) < 20_000
    assert quoted_strings_balance(drawing.dot())
    assert drawing.save(tmp_path / "x.png").stat().st_size > 1000


# --------------------------------------------------------------------------------- determinism


@each_rankdir
def test_the_same_computation_gives_the_same_picture(rankdir):
    one, two = (gradlab.draw(xor_loss(), rankdir=rankdir) for _ in range(2))
    assert one.svg() == two.svg()
    assert one.dot() == two.dot()


def test_rankdir_turns_the_picture():
    wide, tall = (place(from_node(neuron()), rankdir) for rankdir in ("LR", "TB"))
    assert wide.width > wide.height
    assert tall.height > tall.width


def test_the_drawing_keeps_the_numbers_of_its_moment():
    y = neuron()
    drawing = gradlab.draw(y)
    y.backward()
    assert "not computed" in drawing.svg()


# ------------------------------------------------------------------------------------------ dot


def quoted_strings_balance(source: str) -> bool:
    depth, quoted, escaped = 0, False, False
    for c in source:
        if quoted:
            escaped, quoted = c == "\\" and not escaped, escaped or c != '"'
        elif c == '"':
            quoted = True
        else:
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(c, 0)
            if depth < 0:
                return False
    return depth == 0 and not quoted


@each_graph
def test_dot_source_has_every_vertex_and_edge(name):
    drawing = gradlab.draw(GRAPHS[name], rankdir="TB", title="t")
    source, graph = drawing.dot(), drawing.graph
    assert quoted_strings_balance(source)
    assert "rankdir=TB" in source
    for vertex in graph.vertices:
        assert f"\n  {vertex} [label=" in source
    assert source.count(" -> ") == len(graph.edges)


def test_quoted_strings_balance_notices():
    assert not quoted_strings_balance('a [label="x]')
    assert not quoted_strings_balance('a [label="x\\"]')
    assert not quoted_strings_balance("a ]")


# ---------------------------------------------------------------------------------------- files


HEADS = {
    "svg": b"<svg",
    "png": b"\x89PNG\r\n",
    "pdf": b"%PDF-",
    "html": b"<!doctype html>",
    "dot": b"digraph",
    "mmd": b"flowchart LR",
    "json": b"{",
}


@pytest.mark.parametrize("form", HEADS)
def test_save_writes_each_format(form, tmp_path):
    path = gradlab.draw(neuron()).save(tmp_path / f"picture.{form.upper()}")
    assert path.read_bytes().startswith(HEADS[form])
    assert [p.name for p in tmp_path.iterdir()] == [f"picture.{form.upper()}"]
    assert gradlab.draw(neuron()).save(str(path)).read_bytes() == path.read_bytes()


def test_an_unknown_format_lists_the_known_ones(tmp_path):
    for name in ("x.gif", "x", ".svg"):
        with pytest.raises(ValueError, match=r"\.svg, \.png, \.pdf, \.html, \.dot, \.mmd, \.json"):
            gradlab.draw(neuron()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named_and_nothing_is_written(tmp_path):
    with pytest.raises(FileNotFoundError, match="mkdir"):
        gradlab.draw(neuron()).save(tmp_path / "no" / "x.svg")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", HEADS)
def test_a_path_that_cannot_be_written_leaves_nothing_behind(form, tmp_path):
    (tmp_path / f"x.{form}").mkdir()
    with pytest.raises(OSError):
        gradlab.draw(neuron()).save(tmp_path / f"x.{form}")
    assert [p.name for p in tmp_path.rglob("*")] == [f"x.{form}"]


def test_a_failure_while_drawing_keeps_the_old_file(tmp_path, monkeypatch):
    path = gradlab.draw(neuron()).save(tmp_path / "x.png")
    before = path.read_bytes()
    monkeypatch.setattr(raster, "to_bytes", _fail)
    with pytest.raises(ZeroDivisionError):
        gradlab.draw(neuron()).save(path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def _fail(*_, **__):
    raise ZeroDivisionError("made to fail")


def test_png_follows_the_svg_in_size_and_content():
    from matplotlib.image import imread

    drawing = gradlab.draw(neuron())
    root = ET.fromstring(drawing.svg())
    pixels = imread(io.BytesIO(drawing._content("png")))
    assert pixels.shape[1] == pytest.approx(2 * float(root.get("width")), abs=2)
    assert pixels.shape[0] == pytest.approx(2 * float(root.get("height")), abs=2)
    assert pixels[0, 0, :3] == pytest.approx(1.0)  # a white background, also on a dark page
    assert (pixels[..., :3].min(axis=-1) < 0.3).mean() > 0.005  # and ink on it


def test_saving_leaves_matplotlib_as_it_was(tmp_path):
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    with mpl.rc_context({"font.size": 31.0, "text.usetex": True}):
        gradlab.draw(neuron()).save(tmp_path / "x.png")
        assert mpl.rcParams["font.size"] == 31.0
    assert plt.get_fignums() == before


def test_a_very_large_picture_is_scaled_to_fit(tmp_path, monkeypatch):
    from matplotlib.image import imread

    def side() -> int:
        return max(imread(gradlab.draw(neuron()).save(tmp_path / "x.png")).shape)

    full = side()
    monkeypatch.setattr(raster, "PIXELS", 1.0)
    assert side() == pytest.approx(full / 2, abs=1)
    monkeypatch.setattr(raster, "LARGEST", 100.0)
    assert side() == 100


# ------------------------------------------------------------------------- limits and mistakes


def chain(n: int) -> Value:
    y = Value(0.0)
    for _ in range(n):
        y = y + 1.0
    return y


def test_depth_shows_the_last_operations_and_says_that_there_is_more():
    drawing = gradlab.draw(chain(100_000), depth=3)
    kinds = [v.kind for v in drawing.graph.vertices.values()]
    assert (kinds.count("result"), kinds.count("output"), kinds.count("cut")) == (3, 1, 1)
    assert "1 input not shown" in titles(drawing.svg())
    assert "cut" not in [v.kind for v in from_node(neuron(), depth=9).vertices.values()]
    assert len(from_node(neuron(), depth=0).vertices) == 3  # the output, its operator, the cut


def test_400_nodes_are_drawn_whole():
    drawing = gradlab.draw(xor_loss(35))
    assert count_boxes(drawing.graph) > 380
    assert drawing.svg().count("<g id=") == len(drawing.graph.vertices) + len(drawing.graph.edges)


def test_long_chains_are_laid_out_without_recursion():
    layout = place(from_node(chain(3000)))
    assert layout.width > layout.height


@pytest.mark.parametrize("given", [3.0, None, np.zeros(3), "y"])
def test_something_else_than_a_node_is_refused(given):
    with pytest.raises(TypeError, match="expected a Value or a Tensor"):
        gradlab.draw(given)


@pytest.mark.parametrize("option", [{"rankdir": "BT"}, {"backend": "neato"}])
def test_unknown_options_list_what_is_offered(option):
    with pytest.raises(ValueError, match="expected one of"):
        gradlab.draw(neuron(), **option)


# ------------------------------------------------------------------------------------ notebooks


def test_the_package_is_callable():
    assert isinstance(gradlab.draw(neuron()), Drawing)
    assert callable(gradlab.draw)
    assert gradlab.draw.Drawing is Drawing


def test_notebooks_get_svg_and_text():
    y = neuron()
    drawing = gradlab.draw(y)
    for shown in (y, drawing):
        assert shown._repr_svg_() == drawing.svg()
        assert drawing.svg() in shown._repr_html_()
        assert shown._repr_mimebundle_() == {
            "image/svg+xml": drawing.svg(),
            "text/html": shown._repr_html_(),
            "text/plain": repr(shown),
        }
    assert repr(drawing).startswith("<Drawing of 10 nodes: .svg()")


def test_a_notebook_does_not_draw_a_huge_graph_unasked():
    y = chain(100_000)
    assert notebook_pictures(y) == {}
    assert y._repr_svg_() is None
    assert y._repr_mimebundle_() == {"text/plain": repr(y)}


@pytest.mark.parametrize("where", ["to_svg", "compose"])
def test_the_notebook_repr_never_raises(where, monkeypatch):
    from gradlab.draw import drawing as module

    drawing = gradlab.draw(neuron())
    monkeypatch.setattr(svg if where == "to_svg" else module, where, _fail)
    assert drawing._repr_svg_() is None
    assert drawing._repr_mimebundle_() == {"text/plain": repr(drawing)}
    with pytest.raises(ZeroDivisionError):
        drawing.svg()


# ----------------------------------------------------------------------------------------- text


def test_text_is_measured_with_the_font_that_draws_it():
    from matplotlib.textpath import TextPath

    for line in ("grad not computed", "-3.0000", "iiiiWWWW"):
        drawn = TextPath((0, 0), line, size=11, prop={"family": "DejaVu Sans"}).get_extents()
        assert text.width(line) == pytest.approx(drawn.width, rel=0.03, abs=2.0)
    assert text.width("data", bold=True) > text.width("data")


@pytest.mark.parametrize(
    ("x", "written"),
    [
        (0.76, "0.7600"),
        (-0.0, "0.0000"),
        (1e-9, "1e-09"),
        (123456.789, "1.23e+05"),
        (float("inf"), "inf"),
        (np.float32(0.5), "0.5000"),
        (7, "7"),
        (True, "True"),
    ],
)
def test_numbers_are_written_short(x, written):
    assert text.number(x) == written

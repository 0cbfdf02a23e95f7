"""The player: what its steps say, that the rules write themselves down rightly, and the page."""

from __future__ import annotations

import base64
import gzip
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, chromium  # noqa: F401
from laws import ELEMENTWISE

import gradlab
from gradlab import Tensor, Value
from gradlab.draw import text
from gradlab.draw.algebra import written
from gradlab.draw.collapse import collapsed
from gradlab.draw.graph import Graph
from gradlab.draw.player import at_the_end, to_html
from gradlab.draw.steps import Step, steps_of
from gradlab.draw.symbols import Symbol, application, run_rule
from gradlab.draw.traced import from_node
from gradlab.draw.wording import row_text
from gradlab.primitive import REGISTRY, Primitive
from gradlab.tape import Node, history

# ---------------------------------------------------------------------------- graphs to play


def neuron() -> Value:
    x, w, b = Value(2.0, name="x"), Value(-3.0, name="w"), Value(6.88, name="b")
    z = x * w + b
    y = gradlab.tanh(z)
    z.name, y.name = "z", "y"
    return y


def twice() -> Value:
    a = Value(3.0, name="a")
    return a + a


def shared() -> Value:
    x = Value(2.0, name="x")
    return 1.0 + x * (2.0 + x * (3.0 - x)) / (x * x + 1.0)


def network(hidden: int = 4) -> Value:
    rng = np.random.default_rng(0)
    x = [Value(1.0, name="x1"), Value(0.5, name="x2")]
    z = Value(0.1, name="c")
    for j in range(hidden):
        h = Value(rng.uniform(-1, 1), name=f"b{j}")
        for i, x_i in enumerate(x):
            h = h + x_i * Value(rng.uniform(-1, 1), name=f"w{j}{i}")
        z = z + gradlab.tanh(h) * Value(rng.uniform(-1, 1), name=f"v{j}")
    e = gradlab.tanh(z) - Value(1.0, name="t")
    return e * e


def layers(deep: int = 1) -> Tensor:
    rng = np.random.default_rng(0)
    h = Tensor(rng.normal(size=(4, 3)), name="X")
    for _ in range(deep):
        W, b = Tensor(rng.normal(size=(3, 3)), name="W"), Tensor(rng.normal(size=3), name="b")
        h = gradlab.tanh(h @ W + b)
    return gradlab.mean(h * h, axis=0).sum()


GRAPHS = {f.__name__: f for f in (neuron, twice, shared, network, layers)}
each_graph = pytest.mark.parametrize("name", GRAPHS)


def played(node: Node) -> list[Step]:
    return steps_of(node, from_node(node))


def page(node: Node, **options: str) -> str:
    graph = from_node(node)
    return to_html(graph, steps_of(node, graph), **options)


def last_grads(steps: list[Step]) -> dict[str, str]:
    grads: dict[str, str] = {}
    for step in steps:
        grads |= step.grads
    return grads


def library_grads(node: Value | Tensor, graph: Graph) -> dict[str, str]:
    node.backward()
    return {graph.ids[n.serial]: row_text(n.grad) for n in history(node) if n.serial in graph.ids}


def lines_of(steps: list[Step], kind: str) -> list[str]:
    return [line for step in steps for what, line in step.lines if what == kind]


# -------------------------------------------------------------- the rules write themselves down

SLOPED = [op for op in ELEMENTWISE.values() if not op.flat and not op.nondiff]
AS_PYTHON = str.maketrans({"−": "-", "·": "*", "^": "**", "²": "**2", "³": "**3", "≤": "<="})


def as_python(line: str) -> str:
    line = line.translate(AS_PYTHON).replace("≥", ">=")
    return re.sub(r"(?<![<>])=", "==", line)  # keyword arguments do not occur here


def operands(op: Primitive, sign: float) -> dict[str, float] | None:
    """Return numbers of one sign in the primitive's domain, away from kinks; None if none are."""
    values = {}
    for k, name in enumerate(op.operands):
        candidates = (sign * (0.4 + 0.25 * k), sign * (1.4 + 0.25 * k))
        domain = op.domain.get(name, candidates)
        fitting = [x for x in candidates if x in domain]
        if not fitting:
            return None
        values[name] = fitting[0]
    return values


WRITTEN = [(op, sign) for op in SLOPED for sign in (1.0, -1.0) if operands(op, sign)]


@pytest.mark.parametrize(("op", "sign"), WRITTEN, ids=lambda x: getattr(x, "name", x))
def test_the_written_slope_is_the_slope(op, sign):
    values = operands(op, sign) or {}
    parameters = [op.defaults[name] for name in op.parameters]
    y = op(*values.values(), *parameters)
    symbols = [Symbol(name, x) for name, x in values.items()]
    known = {**{n: f for n, f in REGISTRY.items() if n not in values}, **values, "y": y}
    for place, name in enumerate(op.operands):
        given = [*symbols, *parameters]
        rule = run_rule(op, place, given, Symbol("y", y), Symbol("g", 1.0))
        order = {**dict(zip(op.input_names, [*values.values(), *parameters])), "y": y}
        slope = op.rules[name].function(*[order[n] for n in op.rules[name].wanted])
        for numbers in (False, True):
            line = as_python(written(rule, numbers=numbers))
            assert eval(line, {"__builtins__": {}}, known) == pytest.approx(
                slope, rel=5e-3, abs=1e-6
            )
        call = as_python(written(application(op, given)))
        assert eval(call, {"__builtins__": {}}, known) == pytest.approx(y)


def test_brackets_stand_where_they_must():
    a, b = Symbol("a", -2.0), Symbol("b", 3.0)
    cases = {
        a - (b - a): ("a − (b − a)", "−2 − (3 − (−2))"),
        a / (b * a): ("a / (b · a)", "−2 / (3 · (−2))"),
        a / b * a: ("a / b · a", "−2 / 3 · (−2)"),
        -(a + b) * b: ("−(a + b) · b", "−(−2 + 3) · 3"),
        (a * b) ** 2.0: ("(a · b)²", "(−2 · 3)²"),
        b ** (a - 1.0): ("b^(a − 1)", "3^(−2 − 1)"),
        (a + b) * (a + b): ("(a + b)²", "(−2 + 3)²"),
    }
    for expression, expected in cases.items():
        assert (written(expression), written(expression, numbers=True)) == expected


def test_the_derivative_is_shown_with_names_then_numbers_then_worked_out():
    lines = lines_of(played(neuron()), "local derivative")
    assert lines[0] == "d/dz tanh(z) = 1 − y² = 1 − 0.7064² = 0.501"
    assert "d/dx (x · w) = w = −3" in lines
    relu = gradlab.relu(Value(2.0, name="z"))
    assert lines_of(played(relu), "local derivative") == [
        "d/dz relu(z) = 1 if z > 0 else 0 = 1 if 2 > 0 else 0 = 1"
    ]
    flat = gradlab.step(Value(2.0, name="z"))
    assert lines_of(played(flat), "local derivative") == ["d/dz step(z) = 0 (flat)"]


def test_a_formula_with_signs_of_its_own_is_written_too():
    @gradlab.primitive(name="remainder", formula="a % b - (not a)")
    def remainder(a, b):
        return math.fmod(a, b)

    y = remainder(Value(7.0, name="x"), Value(4.0, name="m"))
    line = "output = x mod m − not x = 7 mod 4 − not 7 = 3"
    assert lines_of(played(y), "value") == [line]


def test_a_constant_exponent_is_worked_into_the_rule():
    x = Value(3.0, name="x")
    assert lines_of(played(x**2), "local derivative") == ["d/dx x² = 2 · x = 2 · 3 = 6"]


def test_a_rule_that_only_numbers_can_run_shows_its_number():
    @gradlab.primitive(name="third")
    def third(x):
        return x / 3.0

    @third.partial("x")
    def third_slope(x):
        return math.copysign(1.0 / 3.0, abs(float(x)))

    y = third(Value(2.0, name="x"))
    assert lines_of(played(y), "local derivative") == ["d/dx third(x) = 0.3333"]
    assert last_grads(played(y))["n1"] == "0.3333"


def test_a_rule_for_whole_arrays_is_shown_as_text():
    X, W = Tensor(np.ones((2, 3)), name="X"), Tensor(np.ones((3, 1)), name="W")
    rules = lines_of(played(X @ W), "rule")
    assert rules == [
        "g @ transpose(W, axes=(1, 0)), where g is the incoming gradient",
        "transpose(X, axes=(1, 0)) @ g, where g is the incoming gradient",
    ]
    softmax = lines_of(played(gradlab.softmax(X)), "rule")
    assert softmax[0].startswith(
        "g · y − y · sum(g · y, axis=−1, keepdims=True)".replace("y", "output")
    )


# ------------------------------------------------------------------------------------- the steps


@each_graph
def test_the_last_gradients_are_those_of_the_library(name):
    node = GRAPHS[name]()
    graph = from_node(node)
    steps = steps_of(node, graph)
    assert all(n.grad is None for n in history(node))  # the player writes nothing
    assert last_grads(steps) == library_grads(node, graph)
    assert [s.phase for s in steps] == sorted((s.phase for s in steps), key=PHASES.index)


PHASES = ["start", "forward", "backward", "end"]


@each_graph
def test_every_box_gets_its_value_once_and_after_its_inputs(name):
    node = GRAPHS[name]()
    graph = from_node(node)
    computed = [
        box for step in steps_of(node, graph) for box in step.computed if step.phase != "end"
    ]
    assert sorted(computed) == sorted(graph.ids.values())
    for n in history(node):
        for parent in n.parents:
            assert computed.index(graph.ids[parent.serial]) < computed.index(graph.ids[n.serial])


def test_where_paths_join_the_contributions_are_added():
    steps = played(twice())
    assert lines_of(steps, "to") == [
        "a₁, one of 2 places where a enters",
        "a₂, one of 2 places where a enters",
    ]
    assert lines_of(steps, "product") == ["1 · 1 = 1", "1 · 1 = 1"]
    assert lines_of(steps, "sum") == ["d output/da = 1 + 1 = 2, the sum over 2 paths"]
    incoming = lines_of(played(network()), "incoming gradient")
    assert sum("the sum over" in line for line in incoming) == 1  # e * e joins at e
    sums = lines_of(played(shared()), "sum")
    assert sums[-1] == "d output/dx = −0.08 + (−0.8) = −0.88, the sum over 5 paths"


def test_a_repeated_array_says_that_its_gradient_is_added_up():
    X, b = Tensor(np.ones((2, 3)), name="X"), Tensor(np.zeros(3), name="b")
    steps = played(X + b)
    why = "[2, 2, 2], since b has shape (3,) and was repeated to fit"
    assert lines_of(steps, "added up") == [why]


def test_large_arrays_are_shown_by_range_and_shape():
    X = Tensor(np.arange(8.0), name="X")
    steps = played(gradlab.tanh(X * 0.1))
    assert "X = 0 … 7, shape (8,)" in lines_of(steps, "given")
    assert lines_of(steps, "product")[0].startswith("incoming gradient · local derivative = 0.6")


def test_nan_and_infinity_are_shown():
    x = Tensor(np.array([np.nan, np.inf, -1.0]), name="x")
    steps = played(x * x)
    assert lines_of(steps, "value") == ["output = x² = [nan, inf, −1]² = [nan, inf, 1]"]
    assert last_grads(steps)["n1"] == "[nan, inf, -2]"
    assert lines_of(played(Value(math.inf, name="a") * -2.0), "value") == [
        "output = a · (−2) = inf · (−2) = −inf"
    ]


def test_a_slope_that_is_no_number_ends_the_sweep_and_says_so():
    x = Value(0.0, name="x")
    steps = played(gradlab.sqrt(x) * 2.0)
    assert steps[-1].title == "no gradient gets any further"
    assert steps[-1].lines[0][0] == "error"
    assert "n1" not in last_grads(steps)
    assert at_the_end(from_node(x), steps).vertices["n1"].rows[1] == ("grad", "not computed")


def test_a_primitive_without_a_slope_can_be_played_forward():
    @gradlab.primitive(name="unfinished")
    def unfinished(x):
        return x + 1.0

    steps = played(unfinished(Value(2.0, name="x")))
    assert [step.phase for step in steps] == ["start", "forward", "backward", "end"]
    assert "no slope for x" in steps[-1].lines[0][1]


def test_a_leaf_alone_has_steps_too():
    assert [s.phase for s in played(Value(1.0))] == ["start", "backward", "end"]


def test_long_lists_are_cut():
    total = Value(0.0, name="s")
    for k in range(20):
        total = total + Value(float(k), name=f"x{k}")
    steps = played(total)
    assert steps[0].lines[-1] == ("and", "13 more")
    assert len(steps[0].computed) == 21


def test_what_a_cut_drawing_leaves_out_still_counts():
    x = Value(0.5, name="x")
    y = gradlab.tanh(gradlab.tanh(x) * 2.0) * x
    graph = from_node(y, depth=1)
    steps = steps_of(y, graph)
    assert last_grads(steps) == library_grads(y, graph)
    assert "through operations that are not shown" in [step.title for step in steps]


def test_a_collapsed_group_is_one_step_each_way():
    x = Value(0.5, name="x")
    with gradlab.group("hidden"):
        h = gradlab.tanh(x * 2.0) + x
    y = h * x
    graph = collapsed(from_node(y), frozenset({"g1"}))
    steps = steps_of(y, graph)
    assert [s.title for s in steps if s.vertices == ("g1",)] == [
        "hidden: 3 operations are computed",
        "through hidden",
    ]
    grads = last_grads(steps)
    y.backward()
    assert (grads["g1"], grads["n1"]) == (row_text(h.grad), row_text(x.grad))
    into_group = [i for i, edge in enumerate(graph.edges) if edge.target == "g1"]
    assert [list(s.edges) for s in steps if s.vertices == ("g1",)] == [into_group] * 2


def test_what_is_inside_a_group_is_named_by_it():
    x = Value(0.5, name="x")
    with gradlab.group("first"):
        a, b = gradlab.tanh(x), gradlab.sin(x)
    with gradlab.group("last"):
        y = a * b
    steps = steps_of(y, collapsed(from_node(y), frozenset({"g1", "g2"})))
    inside = f"d output/d a value in first = {b.data:.4g}"
    assert steps[-3].lines[0] == ("sum", inside)
    y.backward()
    assert steps[-1].lines == (("gradient", f"d output/dx = {x.grad:.4g}"),)


def test_edges_light_up_in_the_order_of_the_inputs():
    a, b = Value(2.0, name="a"), Value(5.0, name="b")
    y = a * b * a
    graph = from_node(y)
    last = steps_of(y, graph)[-2]
    flows = {graph.edges[i].source: flow for i, flow in last.flows.items()}
    assert flows == {"n1": "= 10", "n2": "= 4"}


# -------------------------------------------------------------------------------------- the page


class Tags(HTMLParser):
    """Collects the tags and the text outside of scripts."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


AWKWARD = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "a & b &lt; \"c\" 'd' $title ${x}",
    "two\nlines\tand\ra tab",
    "n" * 10_000,
    ' fill="red" class="now',
    "\x00\x1b[31m\u202e\ud800",
    "]]> --> <!-- 重み 🎉",
]


def awkward() -> Value:
    y = Value(1.0, name="x")
    for name in AWKWARD:
        y = y * Value(2.0, name=name)
        y.name = name
    return y


def unpacked(html: str) -> list:
    data = re.search(r'<script id="data" type="text/plain">([^<]*)</script>', html)
    assert data
    return json.loads(gzip.decompress(base64.b64decode(data[1])))


def test_names_are_escaped_and_shortened():
    html = page(awkward(), title="<b>&")
    tags = Tags(html).tags
    assert (tags.count("script"), tags.count("img"), tags.count("b")) == (2, 0, 0)
    html.encode()
    longest = max(len(line) for step in unpacked(html) for _, line in step[2])
    assert longest < 600
    assert "$" not in re.sub(r"<script.*?</script>|<text.*?</text>", "", html, flags=re.S)


def test_a_picture_without_steps_is_a_still_page():
    html = to_html(from_node(neuron()), title="A neuron")
    assert '<body class="still">' in html
    assert unpacked(html) == []


@pytest.mark.parametrize(
    "make", [lambda: network(18), lambda: layers(40)], ids=["values", "arrays"]
)
def test_200_nodes_are_less_than_300_kilobytes(make):
    node = make()
    assert len(from_node(node).ids) >= 200
    assert len(page(node).encode()) < 300_000


def test_the_same_computation_gives_the_same_page():
    assert page(network()) == page(network())


def test_the_page_refers_to_nothing_outside():
    html = page(layers())
    assert re.findall(r"(?:src|href|url|@import)\s*[=(]", html) == []
    addresses = set(re.findall(r"https?://[^\"'\s]*", html))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not an address to load
    assert "default-src 'none'" in html


def test_boxes_have_room_for_all_that_they_show():
    a = Value(1.0, name="a")
    y = a * 1234.5 - a * 1234.0
    graph = from_node(y)
    rows = dict(at_the_end(graph, steps_of(y, graph)).vertices["n1"].rows)
    assert rows["grad"].strip("\N{NO-BREAK SPACE}") == "0.5000"
    assert text.width(rows["grad"]) >= text.width("-1234.0000")


# --------------------------------------------------------------------------------- in a browser

GRADS = """return Object.fromEntries([...document.querySelectorAll("svg g:not(.edge)")]
    .filter((g) => g.querySelector(".grad"))
    .map((g) => [g.id, g.querySelector(".grad").textContent]))"""
WHERE = "return document.getElementById('step').innerText"
READY = "return document.getElementById('where').textContent"


def opened(browser: Browser, folder: Path, node: Node, **options) -> Browser:
    path = folder / "player.html"
    path.write_bytes(page(node).encode())
    browser.open(path, **options)
    browser.wait_for(READY)
    return browser


@pytest.mark.browser
@each_graph
def test_the_end_shows_the_gradients_of_the_library(browser, tmp_path, name):
    node = GRAPHS[name]()
    steps = played(node)
    opened(browser, tmp_path, node)
    for _ in steps[1:]:
        browser.press("ARROW_RIGHT")
    assert browser.run(WHERE).startswith("End:")
    assert browser.run(GRADS) == library_grads(node, from_node(node))
    assert browser.errors() == []
    assert browser.requests() == [(tmp_path / "player.html").as_uri()]


@pytest.mark.browser
def test_the_checks_of_the_browser_notice(browser, tmp_path):
    html = page(twice()).replace("</body>", '<img src="https://example.org/x.png"></body>')
    path = tmp_path / "bad.html"
    path.write_text(html)
    browser.open(path)
    assert "Content Security Policy" in " ".join(browser.errors())
    path.write_text('<img src="missing.png"><script>nothing.here</script>')
    browser.open(path)
    assert len(browser.errors()) == 2
    assert (tmp_path / "missing.png").as_uri() in browser.requests()


@pytest.mark.browser
def test_forward_fills_the_values_and_backward_the_gradients(browser, tmp_path):
    opened(browser, tmp_path, neuron())
    value = "return document.querySelector('#n6 .data').textContent"
    assert browser.run(value) == "?"
    assert set(browser.run(GRADS).values()) == {"–"}
    browser.press(*["ARROW_RIGHT"] * 3)
    assert browser.run(value) == "0.7064"
    browser.press(*["ARROW_RIGHT"] * 2)
    shown = browser.run(WHERE)
    assert "d/dz tanh(z) = 1 − y² = 1 − 0.7064² = 0.501" in shown
    assert "1 · 0.501 = 0.501" in shown
    assert browser.run(GRADS)["n5"] == "0.5010"


@pytest.mark.browser
def test_the_keyboard_moves_and_plays(browser, tmp_path):
    opened(browser, tmp_path, neuron())
    browser.press("END")
    assert browser.run(READY) == "End:"
    browser.press("ARROW_LEFT")
    assert browser.run(READY) == "Backward 4 of 4:"
    browser.press("HOME")
    assert browser.run(READY) == "Start:"
    browser.press("ARROW_LEFT")
    assert browser.run(READY) == "Start:"
    browser.run("document.getElementById('speed').value = '4'")
    browser.press(" ")
    assert browser.run("return document.getElementById('step').ariaLive") == "off"
    browser.wait_for(f"return {READY.removeprefix('return ')} !== 'Start:'")
    browser.press(" ")
    assert browser.run("return document.getElementById('play').textContent") == "Play"
    assert browser.run("return document.getElementById('step').ariaLive") == "polite"


@pytest.mark.browser
def test_buttons_and_scrubber_are_reached_in_order_and_named(browser, tmp_path):
    opened(browser, tmp_path, neuron())
    focused = "const e = document.activeElement; return e.ariaLabel || e.innerText"
    reached = []
    for _ in range(9):
        browser.press("TAB")
        reached.append(browser.run(focused).split("\n")[0])
    moves = ["First step", "Step back", "Next step", "Last step", "Play"]
    assert reached[:5] == moves
    assert reached[7:] == ["Step", "Computation graph"]
    browser.run("document.getElementById('next').focus()")
    browser.press("ENTER", " ")
    assert browser.run(READY) == "Forward 2 of 3:"
    browser.run("document.getElementById('last').click()")
    assert browser.run("return document.getElementById('next').ariaDisabled") == "true"
    browser.press("ARROW_LEFT")
    assert browser.run(READY) == "Backward 4 of 4:"
    browser.run("""const scrubber = document.getElementById("scrubber");
        scrubber.value = 1; scrubber.dispatchEvent(new Event("input"))""")
    assert browser.run(READY) == "Forward 1 of 3:"
    spoken = browser.run(
        "return document.getElementById('scrubber').getAttribute('aria-valuetext')"
    )
    assert spoken == "Forward 1 of 3: v4 = x · w"


@pytest.mark.browser
def test_on_a_phone_only_the_picture_scrolls_sideways(browser, tmp_path):
    for node in (network(), layers()):
        opened(browser, tmp_path, node, width=360, height=740)
        browser.press(*["ARROW_RIGHT"] * 8)
        assert browser.run("return document.documentElement.scrollWidth") == 360
        assert browser.run(
            "const p = document.getElementById('picture'); return p.scrollWidth > p.clientWidth"
        )
        small = "return Math.min(...[...document.querySelectorAll('button, select')].map("
        assert browser.run(f"{small}(e) => e.getBoundingClientRect().height))") >= 40


@pytest.mark.browser
def test_steps_move_nothing_and_texts_stay_in_their_boxes(browser, tmp_path):
    opened(browser, tmp_path, shared())
    places = """return [...document.querySelectorAll("svg g > :is(rect, ellipse, path)")]
        .map((mark) => { const b = mark.getBBox(); return [b.x, b.y, b.width, b.height]; })"""
    outside = """return [...document.querySelectorAll("svg g:not(.edge)")].filter((g) => {
        const [box, ...texts] = [g.querySelector("rect"), ...g.querySelectorAll("text")];
        const left = box?.getBBox().x, right = left + box?.getBBox().width;
        return texts.some((t) => t.getBBox().x < left || t.getBBox().x + t.getBBox().width > right);
    }).map((g) => g.textContent)"""
    before = browser.run(places)
    for _ in played(shared())[1:]:
        browser.press("ARROW_RIGHT")
        assert browser.run(outside) == []
    assert browser.run(places) == before


@pytest.mark.browser
def test_what_a_step_is_about_can_be_seen(browser, tmp_path):
    opened(browser, tmp_path, network(), prefers_reduced_motion="reduce")
    hidden = """const frame = document.getElementById("picture").getBoundingClientRect();
        return [...document.querySelectorAll(".now")].filter((g) => {
            const box = g.getBoundingClientRect();
            return box.left < frame.left || box.right > frame.right || box.top < frame.top
                || box.bottom > frame.bottom;
        }).map((g) => g.id)"""
    for _ in played(network())[1:-1]:
        browser.press("ARROW_RIGHT")
        assert browser.run(hidden) == []


@pytest.mark.browser
def test_names_stay_text_in_the_page(browser, tmp_path):
    opened(browser, tmp_path, awkward())
    browser.press("END")
    assert browser.run("return window.hacked ?? null") is None
    assert browser.run("return document.querySelectorAll('img, script').length") == 2
    assert browser.errors() == []
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.browser
def test_dark_pages_and_calm_ones(browser, tmp_path):
    paper = "return getComputedStyle(document.body).backgroundColor"
    moving = """return getComputedStyle(document.querySelector(".flowing path")).animationName"""
    seen = []
    for scheme, motion in (("light", "no-preference"), ("dark", "reduce")):
        media = {"prefers_color_scheme": scheme, "prefers_reduced_motion": motion}
        opened(browser, tmp_path, neuron(), **media)
        browser.press("ARROW_RIGHT")
        seen.append((browser.run(paper), browser.run(moving)))
    assert seen == [("rgb(244, 246, 248)", "march"), ("rgb(20, 24, 28)", "none")]


@pytest.mark.browser
def test_a_still_page_shows_the_picture_only(browser, tmp_path):
    path = tmp_path / "still.html"
    path.write_text(to_html(from_node(neuron())))
    browser.open(path)
    assert browser.run("return document.getElementById('controls').offsetHeight") == 0
    assert browser.run("return document.getElementById('picture').offsetHeight") > 100
    assert browser.errors() == []

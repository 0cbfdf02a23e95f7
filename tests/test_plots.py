"""Plots: what is drawn is what was computed, on the Axes that was given, and nothing else moves."""

from __future__ import annotations

import types
from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas
import pytest
from matplotlib.colors import to_rgb
from sklearn import metrics

import gradlab as gl
from gradlab import plots
from gradlab.draw import style
from gradlab.draw.marks import place
from gradlab.draw.network import network

ACTIVATIONS = [
    entry
    for entry in gl.REGISTRY.values()
    if entry.chapter == "activations" and entry.elementwise and len(entry.operands) == 1
]
XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR_NETWORK = [gl.TLU([[1, 1], [1, 1]], bias=[-0.5, -1.5]), gl.TLU([1, -1], bias=-0.5)]
WIDE_AND_DEEP = {
    "input": 8,
    "Normalization": None,
    "hidden 1": 30,
    "hidden 2": 30,
    "Concat": None,
    "output": 1,
}
WIDE_AND_DEEP_PAIRS = [
    ("input", "Normalization"),
    ("Normalization", "hidden 1"),
    ("hidden 1", "hidden 2"),
    ("hidden 2", "Concat"),
    ("Normalization", "Concat"),
    ("Concat", "output"),
]


@pytest.fixture(autouse=True)
def _settings_stay_and_no_window_opens(monkeypatch):
    def show(*args, **kwargs):
        raise AssertionError("a plot opened a window")

    monkeypatch.setattr(plt, "show", show)
    before = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before


@pytest.fixture
def ax():
    return plt.subplots()[1]


def refused(call, *args, **options):
    with pytest.raises((ValueError, TypeError)) as caught:
        call(*args, **options)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3 and lines[1].startswith("expected") and lines[2].startswith("write")
    return str(caught.value)


def line(ax, label):
    [found] = [line for line in ax.get_lines() if line.get_label() == label]
    return found


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plots.activation(gl.tanh, ax=ax),
        lambda ax: plots.decision_boundary(gl.TLU([1, 1], -0.5), XOR, [0, 1, 1, 1], ax=ax),
        lambda ax: plots.surface(gl.TLU([1, 1]).z, XOR, [0, 1, 1, 0], ax=ax),
        lambda ax: plots.learning_curves({"loss": [2.0, 1.0]}, ax=ax),
        lambda ax: plots.confusion_matrix([0, 1], [0, 1], ax=ax),
        lambda ax: plots.filters(np.eye(4), (2, 2), ax=ax),
        lambda ax: plots.loss_against_learning_rate([0.1, 1, 10], [2.0, 1.0, 3.0], ax=ax),
        lambda ax: plots.network([2, 3], ax=ax),
    ],
)
def test_a_plot_draws_on_the_axes_it_is_given_and_returns_it(draw, ax):
    assert draw(ax) is ax
    assert ax.get_children()
    count = len(plt.get_fignums())
    assert draw(None) is not ax
    assert len(plt.get_fignums()) == count + 1, "without ax= it makes a figure of its own"
    assert "Axes" in refused(draw, [ax, ax])


# ------------------------------------------------------------------------------------- activations


@pytest.mark.parametrize("f", ACTIVATIONS, ids=lambda f: f.name)
def test_every_activation_of_the_table_is_drawn_with_its_slope(f):
    ax = plots.activation(f, span=(-7, 7))
    value, slope = line(ax, labels(ax)[0]), line(ax, "slope")
    x, y = value.get_data()
    inside = np.isfinite(x)
    np.testing.assert_allclose(y[inside], f(x[inside]))
    np.testing.assert_allclose(slope.get_ydata()[inside], gl.elementwise_grad(f)(x[inside]))
    lifted = x[np.flatnonzero(~inside)[:-1] - 1]  # where the pen leaves the paper
    np.testing.assert_allclose(lifted, sorted(f.kink_points({})), atol=1e-6)
    if f.kinks:
        assert f.convention.split()[0] in labels(ax)[2]


def flat_parts(ax):
    return [(p.get_x(), p.get_x() + p.get_width()) for p in ax.patches]


def test_where_the_slope_is_zero_the_background_is_grey():
    assert flat_parts(plots.activation(gl.relu)) == [pytest.approx((-5, 0), abs=1e-6)]
    assert flat_parts(plots.activation(gl.hard_tanh)) == [
        pytest.approx((-5, -1)),
        pytest.approx((1, 5)),
    ]
    assert flat_parts(plots.activation(gl.step)) == [
        pytest.approx((-5, 0), abs=1e-6),
        pytest.approx((0, 5), abs=1e-6),
    ]
    assert not flat_parts(plots.activation(gl.sigmoid))
    assert not flat_parts(plots.activation(gl.gelu)), "a slope that passes through 0 is not flat"


def circles(ax):
    found = [line for line in ax.get_lines() if line.get_marker() == "o" and len(line.get_xdata())]
    return {
        (line.get_xdata()[0], round(float(line.get_ydata()[0]), 6)): line.get_mfc() != "white"
        for line in found
    }


def test_a_jump_shows_which_end_belongs_to_it():
    assert circles(plots.activation(gl.step)) == {(0.0, 0.0): False, (0.0, 1.0): True}
    ends = circles(plots.activation(gl.hard_shrink))
    assert {(-0.5, -0.5), (0.5, 0.5), (-0.5, 1.0), (0.5, 1.0)} <= ends.keys()
    assert circles(plots.activation(gl.relu)) == {(0.0, 0.0): False, (0.0, 1.0): False}


def test_parameters_reach_the_function_and_move_its_kinks():
    ax = plots.activation(gl.prelu, alpha=0.5)
    assert line(ax, labels(ax)[0]).get_ydata()[0] == pytest.approx(-2.5)
    ax = plots.activation(gl.soft_shrink, threshold=2.0)
    assert flat_parts(ax) == [pytest.approx((-2, 2), abs=1e-6)]


def test_a_function_of_your_own_is_drawn_without_kinks():
    def swish(x):
        return x * gl.sigmoid(x)

    ax = plots.activation(swish)
    assert ax.get_title() == "swish"
    assert labels(ax) == ["value", "slope"]


def test_functions_that_are_no_activation_are_refused():
    assert "softmax" in refused(plots.activation, gl.softmax)
    assert "does not act" in refused(plots.activation, lambda x: gl.softmax(x).sum())
    assert "span" in refused(plots.activation, gl.relu, span=(1, 1))
    assert "no function" in refused(plots.functions_and_slopes, [])
    assert "two" in refused(plots.functions_and_slopes, [gl.tanh], axes=[1, 2, 3])


def test_compared_activations_differ_in_more_than_colour():
    left, right = plots.functions_and_slopes([gl.step, gl.sigmoid, gl.tanh, gl.relu])
    assert labels(left) == ["step", "sigmoid", "tanh", "relu"]
    for ax in (left, right):
        curves = [line for line in ax.get_lines() if len(line.get_xdata()) > 1]
        assert len({(line.get_linestyle(), line.get_linewidth()) for line in curves}) == 4
    tanh = [line for line in right.get_lines() if len(line.get_xdata()) > 1][2]
    assert np.nanmax(tanh.get_ydata()) == pytest.approx(1, abs=1e-3)


# --------------------------------------------------------------------------------------- the plane


def region_at(ax, x, y):
    image = ax.get_images()[0]
    left, right, bottom, top = image.get_extent()
    rows, columns = image.get_array().shape[:2]
    row, column = (
        int((y - bottom) / (top - bottom) * rows),
        int((x - left) / (right - left) * columns),
    )
    return tuple(image.get_array()[row, column])


def test_each_region_has_the_colour_of_the_points_decided_to_be_there():
    ax = plots.decision_boundary(gl.TLU([1, 1], bias=-1.5), XOR, [0, 0, 0, 1])
    for x, y in ((-0.1, 1.1), (0.2, 0.2), (1.1, 1.1)):
        colour = np.array(to_rgb(line(ax, str(int(x + y >= 1.5))).get_color()))
        np.testing.assert_allclose(region_at(ax, x, y), 0.78 + 0.22 * colour)
    assert labels(ax) == ["0", "1"], "nothing is wrong here"


def test_points_on_the_wrong_side_are_ringed_and_counted():
    ax = plots.decision_boundary(gl.TLU([1, 1], bias=-1.5), gl.Tensor(XOR), [0, 1, 1, 0])
    wrong = line(ax, "wrong: 3 of 4")
    np.testing.assert_array_equal(np.transpose(wrong.get_data()), XOR[1:])


def column(values):
    return np.asarray(values)[:, None]


@pytest.mark.parametrize(
    "predict",
    [
        lambda P: np.where(P[:, 0] > 0.4, "yes", "no"),
        lambda P: np.where(P[:, 0] > 0.4, 0.5, 0.2),  # from one half on it is the second class
        lambda P: column(np.where(P[:, 0] > 0.4, 0.9, 0.2)),
        lambda P: np.stack([0.4 - P[:, 0], P[:, 0] - 0.4], axis=1),
        lambda P: gl.Tensor(np.where(P[:, 0] > 0.4, 0.9, 0.2)),
        types.SimpleNamespace(predict=lambda P: np.where(P[:, 0] > 0.4, "yes", "no")),
    ],
)
def test_a_prediction_is_a_class_a_probability_or_a_column_per_class(predict):
    ax = plots.decision_boundary(predict, XOR, ["no", "no", "yes", "yes"])
    assert labels(ax) == ["no", "yes"]
    ax = plots.decision_boundary(predict, XOR, ["no", "no", "no", "yes"], labels=["off", "on"])
    assert labels(ax) == ["off", "on", "wrong: 1 of 4"]


def test_a_trained_perceptron_is_a_classifier():
    iris = gl.data.load_iris()
    X = iris.data[:, 2:]
    model = gl.Perceptron(pocket=True, random_state=0, max_epochs=50).fit(X, iris.target)
    ax = plots.decision_boundary(model, X, iris.target, labels=iris.target_names)
    wrong = int((model.predict(X) != iris.target).sum())
    assert labels(ax)[-1] == f"wrong: {wrong} of 150"
    markers = {line.get_marker() for line in ax.get_lines()}
    assert len(markers) >= 3, "classes differ in more than colour"


def test_what_is_no_plane_or_no_classifier_is_refused():
    y = [0, 1, 1, 0]
    tlu = gl.TLU([1, 1])
    assert "(4, 3)" in refused(plots.decision_boundary, tlu, np.zeros((4, 3)), y)
    assert "one-hot" in refused(plots.decision_boundary, tlu, XOR, np.eye(2)[y])
    assert "nan" in refused(plots.decision_boundary, tlu, XOR * np.nan, y)
    assert "labels" in refused(plots.decision_boundary, tlu, XOR, y, labels=["a"])
    assert "no array" in refused(plots.decision_boundary, tlu, [[1, 2], [3]], y)
    assert "predict" in refused(plots.decision_boundary, np.transpose, XOR, y)
    assert "0, 1, 2" in refused(plots.decision_boundary, lambda P: P[:, 0], XOR, [0, 1, 2, 0])


def test_a_surface_is_marked_at_the_height_asked_for():
    ax = plots.surface(lambda P: P[:, 0], XOR, [0, 0, 1, 1], boundary=0.25)
    [thick] = [c for c in ax.collections if np.allclose(c.get_linewidth(), 2.5)]
    vertices = np.concatenate([path.vertices for path in thick.get_paths()])
    np.testing.assert_allclose(vertices[:, 0], 0.25, atol=1e-6)
    assert labels(ax) == ["y = 0", "y = 1"]


@pytest.mark.parametrize("boundary", [None, 0.5, 7.0])
def test_a_flat_surface_is_drawn_too(boundary):
    ax = plots.surface(lambda P: np.full(len(P), 0.5), xlim=(0, 1), ylim=(0, 2), boundary=boundary)
    assert ax.get_ylim() == (0, 2)


def test_a_surface_needs_numbers_and_limits():
    def first(P):
        return P[:, 0]

    assert "limits" in refused(plots.surface, first)
    assert "shape (90000, 2)" in refused(plots.surface, np.array, XOR, [0, 1, 1, 0])
    assert "nan" in refused(plots.surface, lambda P: P[:, 0] * np.nan, XOR, [0, 1, 1, 0])
    assert "one class per row" in refused(plots.surface, first, XOR)


# ---------------------------------------------------------------------------------------- training

HISTORY = {"loss": [0.7, 0.5, 0.4], "val_loss": [0.5, 0.45, 0.42], "accuracy": [0.1, 0.6, 0.7]}


@pytest.mark.parametrize(
    "history",
    [HISTORY, types.SimpleNamespace(history=HISTORY), pandas.DataFrame(HISTORY)],
    ids=["dictionary", "what fit returns", "data frame"],
)
def test_running_means_are_drawn_half_an_epoch_to_the_left(history):
    ax = plots.learning_curves(history)
    np.testing.assert_array_equal(line(ax, "training loss").get_xdata(), [0.5, 1.5, 2.5])
    np.testing.assert_array_equal(line(ax, "validation loss").get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(line(ax, "training accuracy").get_ydata(), HISTORY["accuracy"])
    looks = {(line.get_linestyle(), line.get_marker()) for line in ax.get_lines()}
    assert len(looks) == 3, "the curves differ in more than colour"


def test_training_values_measured_at_the_end_of_an_epoch_stay_there():
    ax = plots.learning_curves(HISTORY, keys=["loss"], running=False)
    np.testing.assert_array_equal(line(ax, "training loss").get_xdata(), [1, 2, 3])
    assert labels(ax) == ["training loss", "validation loss"]


def test_the_learning_rate_is_drawn_only_if_asked_for():
    history = {**HISTORY, "learning_rate": [0.1, 0.1, 0.01]}
    assert "training learning_rate" not in labels(plots.learning_curves(history))
    assert labels(plots.learning_curves(history, keys=["learning_rate"])) == [
        "training learning_rate"
    ]


def test_losses_that_are_tensors_are_numbers_too():
    ax = plots.learning_curves({"loss": [gl.Tensor(2.0), gl.Value(1.0)]})
    np.testing.assert_array_equal(line(ax, "training loss").get_ydata(), [2, 1])


def test_what_is_no_history_is_refused():
    assert "list" in refused(plots.learning_curves, [0.5, 0.4])
    assert "no curve" in refused(plots.learning_curves, {})
    assert "loss, accuracy" in refused(plots.learning_curves, HISTORY, keys=["auc"])
    assert "(2,)" in refused(plots.learning_curves, {"loss": [1, 2, 3], "val_loss": [1, 2]})
    assert "numbers" in refused(plots.learning_curves, {"loss": ["low", "high"]})


def finder_losses(rates):
    """Losses that fall fastest at 1e-3 and turn at 1e-1."""
    return 2 - np.tanh(2 * np.log10(rates / 1e-3)) + 50 * np.maximum(0, np.log10(rates / 0.1)) ** 2


def test_the_marks_of_the_learning_rate_finder_are_where_the_losses_put_them():
    rates = np.geomspace(1e-5, 10, 400)
    ax = plots.loss_against_learning_rate(rates, finder_losses(rates))
    found = [float(label.split()[-1]) for label in labels(ax)]
    # Smoothing blurs a corner by half its window, a fortieth of six decades.
    assert np.abs(np.log10(found) - [-3, -1, -2]).max() < 6 / 40 + 0.03
    assert ax.get_xscale() == "log"
    assert ax.get_ylim()[1] < finder_losses(rates)[-1], "the explosion is cut off"


def test_noise_does_not_move_the_marks_far():
    rates = np.geomspace(1e-5, 10, 400)
    noise = 0.05 * np.random.default_rng(0).normal(size=400)
    ax = plots.loss_against_learning_rate(gl.Tensor(rates), finder_losses(rates) + noise)
    steepest, turn, _ = (float(label.split()[-1]) for label in labels(ax))
    assert 3e-4 < steepest < 3e-3 and 1e-2 < turn < 0.3


def test_a_loss_that_blows_up_or_never_climbs():
    rates = np.geomspace(1e-3, 10, 6)
    ax = plots.loss_against_learning_rate(rates, [3, 2, 1, 5, np.inf, np.nan])
    assert f"turning point: {rates[2]:.2g}" in labels(ax)
    ax = plots.loss_against_learning_rate(rates, [6, 5, 4, 3, 2, 1])
    assert labels(ax)[0] == "the loss never shoots up: try larger rates"
    ax = plots.loss_against_learning_rate(rates, [1, 2, 3, 4, 5, 6])
    assert labels(ax) == ["the loss never falls: try smaller rates"]


def test_rates_that_make_no_sense_are_refused():
    call = plots.loss_against_learning_rate
    assert "(3,), losses (2,)" in refused(call, [1, 2, 3], [1, 2])
    assert "increase" in refused(call, [1, 3, 2], [1, 2, 3])
    assert "above 0" in refused(call, [0, 1, 2], [1, 2, 3])
    assert "smaller first rate" in refused(call, [1, 2, 3], [np.nan, 1, 2])


# ------------------------------------------------------------------------------ matrices and images


@pytest.mark.parametrize("normalize", [None, "true", "pred", "all"])
def test_a_confusion_matrix_is_that_of_scikit_learn(normalize):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 4, (2, 200))
    ax = plots.confusion_matrix(y_true, y_pred, normalize=normalize)
    theirs = metrics.confusion_matrix(y_true, y_pred, normalize=normalize).ravel()
    written = [text.get_text() for text in ax.texts]
    assert written == [f"{x:.0%}" if normalize else str(x) for x in theirs]
    assert ax.get_title() == f"{(y_true == y_pred).sum()} of 200 right"


def test_labels_are_names_of_numbers_or_the_order_of_texts():
    ax = plots.confusion_matrix([0, 2], [0, 0], labels=["cat", "dog", "cow"], normalize="true")
    assert [text.get_text() for text in ax.get_xticklabels()] == ["cat", "dog", "cow"]
    assert [text.get_text() for text in ax.texts] == [
        *("100%", "0%", "0%"),
        *("0%", "0%", "0%"),  # no dog was shown, which is no reason to divide by zero
        *("100%", "0%", "0%"),
    ]
    ax = plots.confusion_matrix(["b", "a"], ["b", "b"], labels=["b", "a"])
    assert [text.get_text() for text in ax.texts] == ["1", "0", "1", "0"]


def test_what_is_no_pair_of_class_lists_is_refused():
    call = plots.confusion_matrix
    assert "argmax" in refused(call, [0, 1], [[0.9, 0.1], [0.2, 0.8]])
    assert "normalize" in refused(call, [0, 1], [0, 1], normalize="rows")
    assert "label for each class" in refused(call, [0, 2], [0, 1], labels=["a", "b"])
    assert "(0,)" in refused(call, [], [])


def test_filters_show_each_column_of_the_weights_on_one_scale():
    W = np.random.default_rng(0).normal(size=(6, 5))
    ax = plots.filters(gl.Tensor(W), shape=(2, 3))
    images = ax.get_images()
    for unit, image in enumerate(images):
        np.testing.assert_array_equal(image.get_array(), W[:, unit].reshape(2, 3))
        assert image.get_clim() == (-abs(W).max(), abs(W).max())
    assert len({tuple(image.get_extent()) for image in images}) == 5, "none covers another"


def test_weights_that_are_no_images_are_refused():
    assert "784" in refused(plots.filters, np.zeros((100, 3)))
    assert "2 labels for 3 units" in refused(plots.filters, np.zeros((784, 3)), labels=["a", "b"])
    assert len(plots.filters(np.zeros(784)).get_images()) == 1, "one unit, all weights zero"


# ---------------------------------------------------------------------------------------- networks


def kinds(graph):
    found = [vertex.kind for vertex in graph.vertices.values()]
    return {kind: found.count(kind) for kind in ("input", "bias", "neuron", "layer")}


@pytest.mark.parametrize(
    ("layers", "options", "counts", "edges"),
    [
        (gl.TLU([1, 2, -1], bias=-1.5), {}, (3, 1, 1, 0), 4),
        ([2, 3], {}, (2, 1, 3, 0), 9),
        ([2, 4, 3], {}, (2, 2, 7, 0), 27),
        ([2, 4, 3], {"bias": False}, (2, 0, 7, 0), 20),
        (XOR_NETWORK, {}, (2, 2, 3, 0), 9),
        (
            WIDE_AND_DEEP,
            {"connections": WIDE_AND_DEEP_PAIRS, "bias": False, "most": 5},
            (4, 0, 9, 2),
            4 + 4 + 16 + 4 + 1 + 1,
        ),
    ],
    ids=["TLU", "perceptron 2-3", "MLP 2-4-3", "without biases", "XOR", "Wide & Deep"],
)
def test_the_networks_of_the_slides(layers, options, counts, edges, tmp_path):
    drawing = network(layers, **options)
    assert tuple(kinds(drawing.graph).values()) == counts
    assert len(drawing.graph.edges) == edges
    boxes = place(drawing.graph).boxes
    for a, b in combinations([v for v in boxes if not v.endswith("more")], 2):
        apart_x = (
            abs(boxes[a].centre[0] - boxes[b].centre[0]) >= (boxes[a].width + boxes[b].width) / 2
        )
        apart_y = (
            abs(boxes[a].centre[1] - boxes[b].centre[1]) >= (boxes[a].height + boxes[b].height) / 2
        )
        assert apart_x or apart_y, f"{a} and {b} overlap"
    for form in ("svg", "png", "pdf", "html", "dot", "mmd", "json"):
        assert drawing.save(tmp_path / f"network.{form}").stat().st_size > 500
    ax = plots.network(layers, **options)
    shown = {text.get_text() for text in ax.texts}
    assert {v.label for v in drawing.graph.vertices.values() if v.label} <= shown


def test_the_lines_of_the_xor_network_carry_its_weights():
    graph = network(XOR_NETWORK).graph
    label = {vertex.id: vertex.label for vertex in graph.vertices.values()}
    found = {(e.source, label[e.target]): e.weight for e in graph.edges if label[e.source] == "1"}
    assert sorted(found.values()) == [-1.5, -0.5, -0.5]
    weights = {(label[e.source], label[e.target]): e.weight for e in graph.edges}
    assert (weights["x₁", "h₁"], weights["x₂", "h₂"], weights["h₂", "y"]) == (1, 1, -1)
    assert {e.label for e in graph.edges} == {"1", "-1", "-0.5", "-1.5"}


def test_weights_of_tensors_and_fitted_perceptrons():
    W, b = gl.Tensor(np.arange(6.0).reshape(2, 3)), gl.Tensor([7.0, 8.0, 9.0])
    graph = network([(W, b)], numbers=False).graph
    assert [edge.weight for edge in graph.edges] == [0, 1, 2, 3, 4, 5, 7, 8, 9]
    assert not any(edge.label for edge in graph.edges)
    model = gl.Perceptron().fit(XOR, [0, 0, 0, 1])
    weights = [edge.weight for edge in network(model).graph.edges]
    assert weights == [*model.W_[:, 0], *model.b_]


def test_a_negative_weight_differs_in_more_than_colour():
    ax = plots.network([(np.array([[2.0], [-1.0]]), np.zeros(1))], bias=False)
    looks = {}
    for patch in ax.patches:
        colour = np.round(patch.get_edgecolor()[:3], 3)
        for sign in ("POSITIVE", "NEGATIVE"):
            if np.allclose(colour, to_rgb(getattr(style, sign)), atol=1e-2):
                looks[sign] = patch.get_linestyle()
    assert looks["POSITIVE"] != looks["NEGATIVE"]


def test_a_large_layer_is_cut_and_says_how_large_it_is():
    graph = network([784, 300, 10], most=6).graph
    assert kinds(graph) == {"input": 5, "bias": 2, "neuron": 10, "layer": 0}
    names = [vertex.label for vertex in graph.vertices.values()]
    assert {"input (784)", "hidden (300)", "x₇₈₄", "y₁₀"} <= set(names)
    assert names.count("⋮") == 3


def test_a_layer_stands_behind_all_that_feed_it():
    graph = network(WIDE_AND_DEEP, connections=WIDE_AND_DEEP_PAIRS, bias=False).graph
    column_of = {v: i for i, column in enumerate(graph.columns) for v in column}
    assert all(column_of[edge.source] < column_of[edge.target] for edge in graph.edges)
    assert len(graph.columns) == 6


def test_two_inputs_share_the_first_column():
    layers = {"wide": 5, "deep": 6, "hidden": 4, "Concat": None, "output": 1, "aux output": 1}
    pairs = [("deep", "hidden"), ("hidden", "Concat"), ("wide", "Concat"), ("Concat", "output")]
    graph = network(layers, connections=[*pairs, ("hidden", "aux output")], bias=False).graph
    labels = [graph.vertices[v].label for v in graph.columns[0]]
    assert "wide" in labels and "deep" in labels
    place(graph)


def test_what_is_no_network_is_refused():
    assert "1 layer" in refused(network, [3])
    assert "0 layers" in refused(network, [])
    assert "size" in refused(network, [2, 0])
    assert "(2, 3) and biases (2,)" in refused(network, [(np.ones((2, 3)), np.zeros(2))])
    assert "3 units" in refused(network, [(np.ones((2, 3)), np.zeros(3)), (np.ones((2, 1)), [0])])
    assert "after fit" in refused(network, [gl.Perceptron()])
    assert "'c'" in refused(network, {"a": 2, "b": 3}, connections=[("a", "c")])
    assert "later" in refused(network, {"a": 2, "b": 3}, connections=[("b", "a")])
    assert "str with weights" in refused(network, "abc")

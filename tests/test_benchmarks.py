"""The benchmarks compare like with like: every row does the same work, and the tables add up."""

from __future__ import annotations

import gc
import io
import json

import numpy as np
import pytest
from benchmarks import (
    activations,
    catalogue,
    figures,
    layers,
    memory,
    operations,
    products,
    report,
    scalars,
    scaling,
    targets,
    timing,
    worker,
    xor,
)
from benchmarks.network_peers import ROWS
from benchmarks.networks import Net, batches, model
from benchmarks.suite import Column, LeftOutError, Row, Suite

from gradlab import Value, keras
from gradlab.tape import history

pytestmark = pytest.mark.slow  # most rows compile something

NET = Net((6, 5, 4, 3), batch=8, rate=0.1, epoch=4)
ADAM = Net((6, 5, 4, 3), batch=8, optimizer="adam", epoch=4)
DOUBLE = Net((6, 5, 3), batch=8, rate=0.1, dtype="float64", epoch=4)


def here(rows):
    """Return the rows that can run in this process: Keras takes a process for each backend."""
    return [name for name, row in rows.items() if not timing.missing(row) and not row.environment]


def steps(make, case, count=3):
    """Return the losses before so many steps, one after the other."""
    try:
        run = make(case)
    except LeftOutError as reason:
        pytest.skip(str(reason))
    return np.array([float(run(1)) for _ in range(count)])


@pytest.fixture(autouse=True)
def _float_type():
    yield
    keras.config.set_floatx("float32")


# ------------------------------------------------------------------------------ like with like


@pytest.mark.parametrize("net", [NET, ADAM, DOUBLE], ids=["sgd", "adam", "float64"])
@pytest.mark.parametrize("name", here(ROWS))
def test_all_take_the_same_steps_of_training(name, net):
    found, expected = steps(ROWS[name].make, net), steps(ROWS["NumPy by hand"].make, net)
    assert expected[2] < expected[0]
    np.testing.assert_allclose(found, expected, rtol=2e-5)


@pytest.mark.parametrize("name", here(ROWS))
def test_an_epoch_is_run(name):
    assert 0.5 < float(ROWS[name].make(NET)(NET.epoch)) < 2.5


def test_an_epoch_sees_each_row_once_in_a_new_order():
    once, again = (np.concatenate([x for x, _ in batches(NET, 4)]) for _ in range(2))
    assert not np.array_equal(once, again)
    np.testing.assert_array_equal(np.sort(once, axis=0), np.sort(again, axis=0))


def test_the_network_of_the_slides_has_its_parameters():
    assert model(keras, catalogue.SUITES["fashion"].columns[0].case).count_params() == 266_610
    assert model(keras, catalogue.SUITES["wide"].columns[0].case).count_params() == 1_854_170


@pytest.mark.parametrize("name", here(xor.ROWS))
def test_all_take_the_same_steps_on_xor(name):
    found = steps(xor.ROWS[name].make, None, 20)
    expected = steps(xor.ROWS["NumPy by hand"].make, None, 20)
    assert expected[-1] < expected[0]
    if "train_on_batch" in name:  # it returns the mean over the calls so far
        found = np.diff(found * np.arange(1, 21), prepend=0.0)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("name", here(scalars.ROWS))
def test_the_moons_are_learnt_alike(name, monkeypatch):
    points, classes = scalars.moons()
    monkeypatch.setattr(scalars, "moons", lambda: (points[::20], classes[::20]))
    monkeypatch.setattr(gc, "disable", gc.collect)
    found = steps(scalars.ROWS[name].make, None, 2)
    expected = steps(scalars.ROWS["gradlab Value"].make, None, 2)
    assert found[1] != found[0]
    assert list(found) == pytest.approx(list(expected), rel=1e-9)


def test_the_moons_have_as_many_nodes_as_in_micrograd():
    layers = scalars.layers_of(Value, scalars.moons_weights())
    assert len(history(scalars.moons_loss(Value, layers))) == pytest.approx(65_818, rel=0.02)


@pytest.mark.parametrize("activation", activations.NAMES)
@pytest.mark.parametrize("name", here(activations.ROWS))
def test_activations_give_the_same_value_and_slope(name, activation, monkeypatch):
    rng = np.random.default_rng(3)
    x, g = rng.normal(size=(2, 30, 4)).astype("float32")
    monkeypatch.setattr(activations, "inputs", lambda _: (x, g))
    try:
        expected = activations.ROWS["NumPy by hand"].make(activation)(1)
    except LeftOutError:
        pytest.skip("scipy is not installed")
    for found, right in zip(activations.ROWS[name].make(activation)(1), expected, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", here(operations.EAGER))
def test_operations_give_the_same_gradient(name):
    found = operations.EAGER[name].make(None)(1)
    expected = operations.EAGER["gradlab Tensor"].make(None)(1)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-5)


@pytest.mark.parametrize("product", [products.TRAINING[1], products.NEIGHBOURS[-1]])
def test_operands_have_the_shapes_of_their_label(product):
    a, b, out = product.operands()
    assert (a @ b).shape == out.shape == (product.m, product.n)
    assert (a.base is not None) == product.label().startswith("(")


# ------------------------------------------------------------------------------- timing, worker


def counted(case):
    """Return work that takes no time, and fails for the case "late"."""
    if case == "never":
        raise LeftOutError("left out: minutes")
    left = [case != "late"] * 3

    def run(n):
        if not left.pop():
            raise RecursionError("too deep")
        return n

    return run


COLUMNS = tuple(Column(name, name) for name in ("once", "never", "late"))
TINY = Suite("tiny", "Tiny", "s", COLUMNS, {"row": Row(counted)}, units=1)


def replies(*commands):
    out = io.StringIO()
    worker.answers(TINY, "row", io.StringIO("\n".join(map(json.dumps, commands)) + "\n"), out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_worker_prepares_measures_and_tells_why_not():
    made, measured, never = replies(["make", "once", 1.0], ["round"], ["make", "never", 1.0])
    assert made == {"units": 1} and measured["measured"] >= 0.0
    assert never == {"reason": "left out: minutes"}
    assert replies(["make", "late", 1.0], ["round"])[1]["reason"] == "RecursionError: too deep"


def test_a_round_is_as_long_as_asked_but_no_longer_than_an_epoch():
    asked = []

    def run(n):
        asked.append(n)

    epoch = Suite("epoch", "", "s", (), {}, at_most=lambda _: 5)
    assert worker.units_for(run, epoch, None, 60.0) == 5
    assert max(asked) == 5 and worker.units_for(run, TINY, None, 60.0) == 1


def test_data_that_are_made_for_a_round_do_not_shorten_it(monkeypatch):
    made = []

    def seconds(run, n, case):
        before = n in made
        run(n)
        return 0.01 if before else (1.0 + 0.01 * n) / n

    monkeypatch.setattr(worker, "seconds_per_unit", seconds)
    plain = Suite("plain", "", "s", (), {})
    assert worker.units_for(made.append, plain, None, 2.0) == 200


def test_a_worker_of_its_own_process_measures():
    suite = catalogue.SUITES["eager"]
    one = Suite("eager", "", "us", suite.columns, {"gradlab Tensor": suite.rows["gradlab Tensor"]})
    times = timing.measured(one, rounds=2, pace=0.01)["per operation"]["gradlab Tensor"]
    assert isinstance(times, list) and len(times) == 2 and min(times) > 0.0


def test_a_worker_that_does_not_answer_is_ended(monkeypatch):
    monkeypatch.setattr(timing, "LIMIT", 0.01)
    suite = catalogue.SUITES["eager"]
    stuck = timing.Worker(suite, "gradlab Tensor", suite.rows["gradlab Tensor"], None)
    with pytest.raises(timing.RowError, match="gave no answer"):
        stuck.ask("make", "per operation", 60.0)
    stuck.close()
    assert stuck.process.returncode != 0


def test_medians_and_ratios_are_taken_round_by_round():
    assert timing.ratio([2.0, 30.0, 4.0], [1.0, 10.0, 1.0]) == 3.0
    assert timing.ratio([2.0], [1.0, 10.0]) == 2.0
    assert timing.ratio("not installed", [1.0]) is None and timing.ratio([1.0], []) is None


def test_the_machine_is_told():
    facts = timing.machine()
    assert facts["numpy"] == np.__version__ and facts["processor"] and facts["cores"]


# ------------------------------------------------------------------------------------- the report


def test_a_table_shows_medians_ratios_and_who_is_missing():
    suite = Suite(
        "s", "S", "steps/s", COLUMNS[:1], dict.fromkeys(["ours", "theirs", "gone"], Row(counted))
    )
    found = {"once": {"ours": [0.001, 0.001], "theirs": [0.002, 0.003], "gone": "not installed"}}
    assert report.table(suite, found).splitlines()[2:] == [
        "| ours | 1,000 |",
        "| theirs | 400 (2.50×) |",
        "| gone | not installed |",
    ]


def test_a_wide_table_has_a_line_for_each_case():
    lines = report.table(catalogue.SUITES["products"], results()["products"]).splitlines()
    assert lines[0].startswith("| us | gradlab as it chooses | gradlab's own kernel |")
    assert lines[2].startswith("| 32×784 · 784×300 | 1,000,000 | 2,000,000 (2.00×) |")


def results():
    """Return results in which gradlab takes 1 and everybody else 2, in every suite."""
    found = {}
    for suite in catalogue.SUITES.values():
        first = next(iter(suite.rows))
        row = {name: [1.0 if name == first else 2.0] * 3 for name in suite.rows}
        size = [float(c.label.replace(",", "")) for c in suite.columns] if suite.variable else []
        for place, column in enumerate(suite.columns):
            factor = size[place] ** 2 if size else 1.0
            scaled = {name: [factor * t for t in times] for name, times in row.items()}
            found.setdefault(suite.name, {})[column.label] = scaled
    return found


def test_every_target_finds_its_number():
    empty = [target.measured({}) for target in targets.TARGETS]
    assert empty == [None] * len(targets.TARGETS)
    assert None not in [target.measured(results()) for target in targets.TARGETS]


def test_verdicts():
    def verdict(measured, unit=""):
        return targets.Target("t", 2.0, 3.0 if not unit else 1.0, lambda _: measured, unit).verdict

    assert verdict(2.5)({}) == "met" and verdict(3.5)({}) == "met, and the stretch too"
    assert verdict(1.5)({}) == "missed: 25 % short" and verdict(None)({}) == "not measured"
    assert verdict(1.5, "s")({}) == "met" and verdict(3.0, "s")({}) == "missed: 50 % more"
    assert verdict(0.5, "s")({}) == "met, and the stretch too"


def test_the_exponent_of_a_known_curve():
    sizes = [1, 2, 4, 8, 16, 32, 64, 128]
    assert scaling.exponent(sizes, [5.0 * s**1.5 for s in sizes]) == pytest.approx(1.5)
    assert scaling.exponent(sizes, [max(s, 16) for s in sizes]) == pytest.approx(1.0)


def test_report_and_figures(tmp_path):
    text = report.written(results(), {"cores": "2"}, rounds=3)
    assert all(suite.title in text for suite in catalogue.SUITES.values())
    assert "* cores: 2" in text and "| 2.00 |" in text  # the exponent
    some = {name: results()[name] for name in ("fashion", "products", "scaling-depth")}
    files = figures.drawn(some, tmp_path)
    assert [path.name for path in files] == ["peers.svg", "scaling.svg"]
    assert all("</svg>" in path.read_text() for path in files)


def test_an_unknown_suite_is_told():
    with pytest.raises(ValueError, match="no suite is called 'fasion'"):
        catalogue.chosen(["fasion"])
    assert catalogue.chosen([]) == list(catalogue.SUITES.values())


def test_memory_counts_the_arrays_that_training_needs():
    weights, layers = 4 * (35 + 24 + 15), 4 * 8 * (5 + 4 + 3)
    batch, order = 8 * (4 * 6 + 8), 8 * 8 * memory.STEPS
    assert sum(memory.needed(NET).values()) == 2 * weights + 2 * layers + batch + order
    assert memory.needed(ADAM)["optimizer"] == 2 * memory.needed(NET)["weights"]
    assert memory.by_gradlab(NET)(1) > memory.needed(NET)["weights"]


# ------------------------------------------------------------------ layers for images and sequences


@pytest.mark.parametrize("label", layers.CASES)
def test_steps_of_layers_are_those_of_the_tape(label):
    found = []
    for make in (layers.by_gradlab, layers.by_tape):
        keras.utils.set_random_seed(1)
        found.append(steps(make, layers.CASES[label]))
    np.testing.assert_allclose(*found, rtol=1e-5)
    assert found[0][2] < found[0][0], "it learns"


@pytest.mark.parametrize("label", layers.CASES)
def test_layers_of_torch_have_the_same_shapes(label):
    torch = pytest.importorskip("torch")
    case = layers.CASES[label]
    _, forward = layers.torch_network(case)
    x = torch.from_numpy(case.batch())
    y = forward(x.permute(0, 3, 1, 2) if x.ndim == 4 else x)
    shape = y.permute(0, 2, 3, 1).shape if y.ndim == 4 else y.shape
    assert tuple(shape[1:]) == layers.model(keras, case).output_shape[1:]
    before, *_, after = steps(layers.by_torch, case)
    assert after < before, "it learns"

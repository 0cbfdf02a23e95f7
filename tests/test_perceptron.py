"""The perceptron: what it computes, how it learns, and the proofs of what it can learn."""

from __future__ import annotations

import dataclasses
import math
import os
import pickle
import subprocess
import sys
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gradlab.data import load_iris
from gradlab.kernels import perceptron as kernels
from gradlab.ops.activations import step
from gradlab.perceptron import (
    TLU,
    Perceptron,
    add_bias_feature,
    convergence_bound,
    separability,
)
from gradlab.perceptron.mixture import settle, surely_positive

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
GATES = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "nand": [1, 1, 1, 0], "not x1": [1, 1, 0, 0]}
XOR = [0, 1, 1, 0]
NEVER, ALWAYS = 10**18, -1  # values of PLAIN_STEPS: never call Numba in, always do


@pytest.fixture(autouse=True)
def _fresh_step_count(monkeypatch):
    monkeypatch.setattr(kernels.Units, "steps", 0)


def quiet_fit(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, y)


def blobs(seed=0, rows=60, features=3, classes=3, spread=1.5):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, size=rows)
    return rng.normal(size=(classes, features))[y] * 2 + rng.normal(
        size=(rows, features)
    ) * spread, y


# ------------------------------------------------------------------------------------------ the TLU


def test_a_tlu_at_z_zero_says_one():
    assert TLU([1.0], bias=-1.0)([1.0]) == 1.0
    assert TLU([1.0], bias=-1.0, activation="sign")([1.0]) == 0.0


def test_a_layer_is_its_units_side_by_side():
    X = np.random.default_rng(1).normal(size=(7, 2))
    W, b = np.array([[1.0, -2.0, 0.5], [3.0, 1.0, -1.0]]), np.array([0.1, -0.2, 0.0])
    layer = TLU(W, b)
    assert layer(X).shape == (7, 3)
    for k in range(3):
        assert np.array_equal(layer(X)[:, k], TLU(W[:, k], b[k])(X))
        assert layer(X[0])[k] == TLU(W[:, k], b[k])(X[0])


def test_a_tlu_takes_any_activation_and_shows_itself():
    assert TLU([2.0], 1.0, activation=np.tanh)([0.0]) == math.tanh(1.0)
    assert repr(TLU([1, 1], -1.5)) == "TLU(weights=[1.0, 1.0], bias=-1.5, activation=step)"


def test_a_tlu_does_not_follow_later_changes_of_its_weights():
    w = np.array([1.0, 1.0])
    unit = TLU(w, -1.5)
    w[:] = 0.0
    assert unit([1, 1]) == 1.0


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: TLU([1, 1])([1, 1, 1]),
        lambda: TLU([1, 1], bias=[1, 2, 3]),
        lambda: TLU([[1, 1], [1, 1]], bias=[1, 2, 3]),
        lambda: TLU([1, 1], activation="relu"),
    ],
)
def test_errors_of_a_tlu_have_three_lines(mistake):
    with pytest.raises(ValueError, match="expected") as caught:
        mistake()
    assert str(caught.value).count("\n") == 2


# ----------------------------------------------------------------------------------------- learning


@pytest.mark.parametrize("gate", GATES)
def test_gates_are_learnt_within_the_bound(gate):
    model = Perceptron().fit(CORNERS, GATES[gate])
    assert model.converged_ and model.mistakes_[-1] == 0
    assert model.predict(CORNERS).tolist() == GATES[gate]
    assert 0 < sum(model.mistakes_) <= convergence_bound(CORNERS, GATES[gate])
    assert model.n_epochs_ == len(model.mistakes_)


def test_rosenblatts_rule_is_the_one_on_paper():
    X, labels = blobs(3, rows=40, classes=2)
    W, b = np.zeros(3), 0.0
    for _ in range(5):
        for x, y in zip(X, labels, strict=True):
            error = y - step(sum(x * W) + b)
            W, b = W + 0.25 * error * x, b + 0.25 * error
    model = quiet_fit(Perceptron(eta=0.25, max_epochs=5), X, labels)
    assert model.n_epochs_ == 5
    np.testing.assert_allclose(model.W_[:, 0], W, rtol=1e-12)
    np.testing.assert_allclose(model.b_, b, rtol=1e-12)


@pytest.mark.parametrize("pocket", [False, True])
def test_the_bias_is_the_weight_of_a_feature_that_is_one(pocket):
    X, y = blobs(4)
    shared = {"eta": 0.3, "max_epochs": 30, "pocket": pocket, "random_state": 0}
    plain = quiet_fit(Perceptron(**shared), X, y)
    augmented = quiet_fit(Perceptron(**shared, fit_intercept=False), add_bias_feature(X), y)
    assert plain.mistakes_ == augmented.mistakes_
    assert np.array_equal(plain.b_, augmented.W_[0])
    assert np.array_equal(plain.W_, augmented.W_[1:])
    assert not augmented.b_.any()


@pytest.mark.parametrize("pocket", [False, True])
def test_python_and_numba_give_the_same_bits(monkeypatch, pocket):
    X, y = blobs(5)
    learnt = []
    budgets = [NEVER, ALWAYS, 8 * X.size]  # the last switches over in the middle
    for budget in budgets:
        monkeypatch.setattr(kernels, "PLAIN_STEPS", budget)
        monkeypatch.setattr(kernels.Units, "steps", 0)
        model = Perceptron(0.1, max_epochs=20, shuffle=True, random_state=1, pocket=pocket)
        learnt.append(quiet_fit(model, X, y))
    for other in learnt[1:]:
        assert np.array_equal(learnt[0].mistakes_per_unit_, other.mistakes_per_unit_)
        assert np.array_equal(learnt[0].W_, other.W_) and np.array_equal(learnt[0].b_, other.b_)


def test_small_data_runs_without_numba_and_large_data_does_not():
    X, y = np.zeros((2000, 1000)), np.arange(2000) % 2
    units = kernels.Units(X, np.eye(2)[y].repeat(3, axis=1), 1.0)
    units.epoch(np.arange(2000))
    assert units.loop is kernels.compiled_epoch()
    kernels.Units.steps = 0
    units = kernels.Units(CORNERS, np.array([[0.0], [0.0], [0.0], [1.0]]), 1.0)
    units.epoch(np.arange(4))
    assert units.loop is kernels.rosenblatt_epoch


def test_the_kernel_uses_the_step_of_the_table():
    for z in (-1.0, -5e-324, -0.0, 0.0, 5e-324, 1.0):
        for y in (0.0, 1.0):
            made = kernels.rosenblatt_epoch([[1.0]], [y], [z], [0], 0.0, 1)[1]
            assert made == (step(z) != y)


def test_eta_scales_the_weights_and_nothing_else():
    X, y = blobs(6, classes=2)
    one, four = (quiet_fit(Perceptron(eta, max_epochs=10), X, y) for eta in (1.0, 4.0))
    assert np.array_equal(4.0 * one.W_, four.W_)
    assert one.mistakes_ == four.mistakes_


def test_same_seed_same_weights_and_inputs_untouched():
    X, y = blobs(7)
    X.flags.writeable = y.flags.writeable = False
    first, second = (
        quiet_fit(Perceptron(shuffle=True, random_state=3, max_epochs=20), X, y) for _ in range(2)
    )
    third = quiet_fit(Perceptron(shuffle=True, random_state=4, max_epochs=20), X, y)
    assert np.array_equal(first.W_, second.W_)
    assert not np.array_equal(first.W_, third.W_)


def test_iris_setosa_converges_and_versicolor_can_not():
    iris = load_iris()
    setosa = iris.target == 0
    model = Perceptron().fit(iris.data, setosa)
    assert model.converged_ and model.score(iris.data, setosa) == 1.0
    assert sum(model.mistakes_) <= convergence_bound(iris.data, setosa)
    setosa_verdict, versicolor, virginica = Perceptron().verdict(iris.data, iris.target)
    assert setosa_verdict.separable is True and setosa_verdict.check()
    assert versicolor.separable is False and versicolor.check()
    assert virginica.separable is False and virginica.check()


def test_the_slide_with_petals_only():
    iris = load_iris()
    petals = iris.data[:, 2:]
    model = Perceptron().fit(petals, iris.target == 0)
    assert model.predict([[1.4, 0.2], [5.0, 1.8]]).tolist() == [True, False]


def test_several_classes_and_several_outputs():
    iris = load_iris()
    pocket = Perceptron(pocket=True, random_state=0, max_epochs=100)
    model = quiet_fit(pocket, iris.data, iris.target)
    assert model.W_.shape == (4, 3) and model.decision_function(iris.data).shape == (150, 3)
    assert model.score(iris.data, iris.target) > 0.8
    Y = np.array([GATES["and"], GATES["or"], GATES["nand"]]).T
    gates = Perceptron().fit(CORNERS, Y)
    assert np.array_equal(gates.predict(CORNERS), Y)
    assert np.array_equal(TLU(gates.W_, gates.b_)(CORNERS), Y)
    assert gates.mistakes_ == gates.mistakes_per_unit_.sum(axis=1).tolist()
    for k, gate in enumerate(("and", "or", "nand")):
        alone = Perceptron().fit(CORNERS, GATES[gate])
        assert np.array_equal(gates.W_[:, [k]], alone.W_)


# ------------------------------------------------------------------------------------ not separable


def test_xor_ends_with_a_warning_that_names_the_way_out():
    with pytest.warns(UserWarning, match="pocket=True") as caught:
        model = Perceptron(max_epochs=7).fit(CORNERS, XOR)
    assert not model.converged_ and model.n_epochs_ == 7 and model.mistakes_[-1] > 0
    assert str(caught[0].message).count("\n") == 2


def test_xor_comes_with_a_certificate():
    verdict = separability(CORNERS, XOR)
    assert verdict.separable is False and verdict.bound == math.inf
    assert verdict.certificate == dict.fromkeys(range(4), Fraction(1, 4))
    assert verdict.check()
    assert "1/2 (0, 1) + 1/2 (1, 0) of class 1" in str(verdict)
    model = quiet_fit(Perceptron(max_epochs=5), CORNERS, XOR)
    assert "not linearly separable" in model.explain(CORNERS, XOR)


def test_a_forged_proof_does_not_pass():
    xor, gate = separability(CORNERS, XOR), separability(CORNERS, GATES["and"])
    third = Fraction(1, 3)
    for forged in (
        dataclasses.replace(xor, certificate=dict.fromkeys(range(3), third)),
        dataclasses.replace(xor, certificate=dict.fromkeys(range(4), third)),
        dataclasses.replace(xor, positive=gate.positive),
        dataclasses.replace(gate, w=-np.asarray(gate.w)),
        dataclasses.replace(gate, b=0.0),
        dataclasses.replace(xor, certificate=None),
    ):
        assert not forged.check()


def test_the_pocket_keeps_the_best_on_xor():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = Perceptron(pocket=True, random_state=0, max_epochs=200)
        model.fit(CORNERS, XOR)
    assert model.score(CORNERS, XOR) == 0.75  # three of four is the most a line can do
    circling = Perceptron(pocket=True, shuffle=False, max_epochs=200).fit(CORNERS, XOR)
    assert circling.score(CORNERS, XOR) == 0.5  # as the documentation says


@pytest.mark.parametrize("seed", range(8))
def test_the_pocket_is_never_worse_than_the_last_weights(seed):
    X, y = blobs(seed, classes=2, spread=3.0)
    shared = {"max_epochs": 15, "shuffle": True, "random_state": seed}
    last = quiet_fit(Perceptron(**shared), X, y)
    pocket = Perceptron(pocket=True, **shared).fit(X, y)
    assert pocket.mistakes_ == last.mistakes_  # it learns the same, it only remembers more
    assert pocket.score(X, y) >= last.score(X, y)


def test_the_pocket_is_better_than_the_last_weights_somewhere():
    X, y = blobs(1, classes=2, spread=3.0)
    shared = {"max_epochs": 15, "shuffle": True, "random_state": 0}
    last = quiet_fit(Perceptron(**shared), X, y)
    assert Perceptron(pocket=True, **shared).fit(X, y).score(X, y) > last.score(X, y)


@pytest.mark.parametrize("seed", range(5))
def test_the_pocket_shuffles_rows_that_come_sorted_by_class(seed):
    iris = load_iris()
    petals, virginica = iris.data[:, 2:], iris.target == 2
    shared = {"pocket": True, "max_epochs": 100, "random_state": seed}
    model = Perceptron(**shared).fit(petals, virginica)
    assert model.score(petals, virginica) >= 145 / 150
    sorted_by_class = Perceptron(**shared, shuffle=False).fit(petals, virginica)
    assert sorted_by_class.score(petals, virginica) < 145 / 150
    said = Perceptron(shuffle=True, **shared).fit(petals, virginica)
    assert np.array_equal(model.W_, said.W_) and np.array_equal(model.b_, said.b_)


def test_the_order_of_the_file_is_kept_without_a_pocket_or_when_asked_for():
    X, y = blobs(2, classes=2, spread=3.0)
    for pocket in (False, True):
        shared = {"pocket": pocket, "max_epochs": 10, "shuffle": False if pocket else None}
        one, two = (quiet_fit(Perceptron(random_state=s, **shared), X, y) for s in (0, 1))
        assert np.array_equal(one.W_, two.W_) and one.mistakes_ == two.mistakes_


# --------------------------------------------------------------------------------------- the proofs

features = st.integers(1, 3)
grid = st.integers(-3, 3).map(float)


@st.composite
def labelled(draw, numbers):
    shape = draw(st.tuples(st.integers(2, 12), features))
    X = draw(hnp.arrays(np.float64, shape, elements=numbers))
    y = draw(hnp.arrays(np.bool_, shape[0]))
    y[0], y[-1] = True, False  # both classes are there
    return X, y


@st.composite
def separable(draw):
    """Whole-number rows on both sides of a line that meets none of them."""
    X = draw(hnp.arrays(np.float64, draw(st.tuples(st.integers(0, 10), features)), elements=grid))
    w = np.array(draw(st.lists(st.sampled_from([-2.0, -1.0, 1.0, 3.0]), min_size=3, max_size=3)))
    w = w[: X.shape[1]]
    X = np.vstack([X, w, -w])  # one row on either side at least
    return X, X @ w + draw(st.sampled_from([-0.5, 0.5])) > 0


decimals = st.floats(-100, 100, allow_nan=False, allow_subnormal=False)


@settings(max_examples=100)
@given(labelled(grid))
def test_on_a_grid_exactly_one_of_separator_and_certificate_exists(data):
    X, y = data
    verdict = separability(X, y)
    assert verdict.separable is not None and verdict.check()
    assert (verdict.w is None) != (verdict.certificate is None)
    if verdict.w is not None:
        assert verdict.separable
        assert np.array_equal(X @ verdict.w + verdict.b > 0, y)
        assert abs(np.hypot(np.linalg.norm(verdict.w), verdict.b) - 1) < 1e-12


@settings(max_examples=60)
@given(labelled(decimals))
def test_no_verdict_without_a_proof(data):
    verdict = separability(*data)
    assert verdict.separable is None or verdict.check()


@given(separable(), st.booleans())
def test_mistakes_never_exceed_the_bound(data, shuffle):
    X, y = data
    bound = convergence_bound(X, y)
    model = Perceptron(max_epochs=math.floor(bound) + 2, shuffle=shuffle, random_state=0).fit(X, y)
    assert model.converged_ and model.score(X, y) == 1.0
    assert sum(model.mistakes_) <= bound * (1 + 1e-9)  # the bound itself is rounded


@given(st.integers(0, 10**6))
def test_random_separable_points_converge_within_the_bound(seed):
    rng = np.random.default_rng(seed)
    X, direction = rng.normal(size=(30, 2)), rng.normal(size=3)
    heights = add_bias_feature(X) @ direction
    X, y = X[np.abs(heights) > 0.3], heights[np.abs(heights) > 0.3] > 0
    assume(0 < y.sum() < len(y))
    bound = convergence_bound(X, y)
    radius, margin = np.linalg.norm(add_bias_feature(X), axis=1).max(), np.abs(heights).min()
    assert bound < (radius / 0.3) ** 2 * (direction @ direction) * (1 + 1e-9) and margin > 0
    model = Perceptron(max_epochs=math.floor(bound) + 2).fit(X, y)
    assert model.converged_ and sum(model.mistakes_) <= bound * (1 + 1e-9)


def test_verdicts_count_whole_mistakes():
    iris = load_iris()
    petals = separability(iris.data[:, 2:], iris.target == 0)
    assert 747 < petals.bound < 748
    assert "at most floor((R / gamma)^2) = 747 mistakes" in str(petals)
    # (R / gamma)^2 is 3 / (1/17) = 51 on paper; floats may come out just below it.
    assert " = 51 mistakes" in str(separability(CORNERS, GATES["and"]))
    rounded = dataclasses.replace(petals, radius=math.sqrt(51.0) * (1 - 1e-15), margin=1.0)
    assert rounded.bound < 51 and " = 51 mistakes" in str(rounded)


def test_a_bound_beyond_floats_is_infinite():
    verdict = separability(CORNERS * 1e-160, GATES["and"])
    assert verdict.separable and verdict.bound == math.inf and "= inf mistakes" in str(verdict)


def test_the_margin_is_the_best_there_is():
    rng = np.random.default_rng(8)
    X, y = CORNERS, np.array(GATES["and"])
    best = separability(X, y)
    assert best.margin == pytest.approx(1 / math.sqrt(17), rel=1e-9)
    assert best.w is not None
    signed = np.where(y, 1, -1)[:, None] * add_bias_feature(X)
    for _ in range(200):
        v = np.append(best.b, best.w) + rng.normal(size=3) * rng.choice([1e-3, 0.1])
        assert (signed @ v).min() / np.linalg.norm(v) <= best.margin * (1 + 1e-12)


@pytest.mark.parametrize("scale", [1e-150, 1e-6, 1.0, 1e6, 1e150, 1e300])
def test_verdicts_survive_any_scale(scale):
    assert separability(CORNERS * scale, XOR).certificate == dict.fromkeys(range(4), Fraction(1, 4))
    assert separability(CORNERS * scale, GATES["and"]).separable in (True, None)
    assert separability(CORNERS * [scale, 1 / scale], XOR).separable is False
    mixed = separability(CORNERS * [1e6, 1e-3] + [2e6, 5.0], GATES["or"])
    assert mixed.separable is True and mixed.check()


def test_points_shared_by_both_classes_and_duplicates():
    shared = np.array([[1.5, 2.5], [1.5, 2.5], [0.0, 7.0], [0.0, 7.0], [9.0, 9.0]])
    verdict = separability(shared, [0, 1, 0, 0, 1])
    assert verdict.certificate == {0: Fraction(1, 2), 1: Fraction(1, 2)} and verdict.check()
    twice = separability(np.vstack([CORNERS] * 3), GATES["or"] * 3)
    assert twice.separable and twice.bound == pytest.approx(convergence_bound(CORNERS, GATES["or"]))


def test_a_repeated_feature_does_not_hide_the_answer():
    iris = load_iris()
    inches = np.hstack([iris.data, iris.data / 2.54])
    assert separability(inches, iris.target == 1).separable is False
    assert separability(inches, iris.target == 0).separable is True


def test_what_rounding_hides_is_called_undecided():
    line = np.array([[0.1, 0.3], [0.2, 0.6], [0.3, 0.9]])  # on one line, but for the last bit
    verdict = separability(line, [0, 1, 0])
    assert verdict.separable is None and not verdict.check()
    assert str(verdict).startswith("undecided") and str(verdict).count("\n") == 2


def test_without_a_bias_the_line_goes_through_the_origin():
    X, y = [[1.0], [2.0]], [0, 1]
    assert separability(X, y).separable is True
    through_origin = separability(X, y, fit_intercept=False)
    assert through_origin.separable is False and through_origin.check()
    assert through_origin.certificate == {0: Fraction(2, 3), 1: Fraction(1, 3)}


def test_one_fake_mixture_is_not_accepted():
    points = np.array([[1.0, 0.0], [0.0, 1.0]])
    certificate, direction = settle(points, np.array([0.5, 0.5]))
    assert certificate is None and direction is not None
    assert surely_positive(points, direction)
    assert not surely_positive(points, np.array([1.0, 0.0]))


# ---------------------------------------------------------------- the outside: errors, scikit-learn

NAN, INF = CORNERS.copy(), CORNERS.copy()
NAN[2, 1], INF[0, 0] = np.nan, np.inf
BAD_INPUT = {
    "NaN in X": (NAN, XOR, "NaN at row 2, column 1"),
    "infinity in X": (INF, XOR, "inf at row 0"),
    "one row": (CORNERS[0], XOR, "Reshape"),
    "text": ([["a"], ["b"]], [0, 1], "number"),
    "too few labels": (CORNERS, [0, 1], r"y has shape \(2,\)"),
    "one class": (CORNERS, [1, 1, 1, 1], "class"),
    "continuous labels": (CORNERS, [0.1, 0.5, 0.3, 0.2], "continuous"),
    "NaN label": (CORNERS, [0.0, 1.0, np.nan, 1.0], "NaN"),
    "matrix out of range": (CORNERS, [[0, 2], [1, 0], [1, 1], [0, 1]], "out of range"),
    "overflow": ([[1.7e308, 1e308], [-1.7e308, 1.7e308]], [0, 1], "infinity"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_explained_in_three_lines(case):
    X, y, words = BAD_INPUT[case]
    model = Perceptron()
    with pytest.raises((ValueError, TypeError), match=words) as caught:
        model.fit(X, y)
    assert str(caught.value).count("\n") == 2 and "expected" in str(caught.value)
    assert not model.__sklearn_is_fitted__() and not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("given_settings", [{"eta": 0.0}, {"eta": "fast"}, {"max_epochs": 0}])
def test_bad_settings_are_explained_at_fit(given_settings):
    with pytest.raises(ValueError, match=r"write Perceptron\(eta=1.0"):
        Perceptron(**given_settings).fit(CORNERS, GATES["and"])


def test_a_failed_refit_changes_nothing():
    model = Perceptron().fit(CORNERS, GATES["and"])
    with pytest.raises(ValueError, match="NaN"):
        model.fit(NAN, XOR)
    assert model.predict(CORNERS).tolist() == GATES["and"]


def test_wrong_feature_count_and_a_third_class_are_refused():
    model = Perceptron().fit(CORNERS, GATES["and"])
    with pytest.raises(ValueError, match="X has 3 features, but Perceptron is expecting 2"):
        model.predict(np.ones((1, 3)))
    with pytest.raises(ValueError, match="a line has two sides"):
        separability(CORNERS, [0, 1, 2, 0])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", [Perceptron(), Perceptron(pocket=True, max_epochs=30)], ids=repr)
def test_scikit_learns_own_checks(model):
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    results = checks.check_estimator(model)
    assert {result["status"] for result in results} <= {"passed", "skipped"}
    assert len(results) > 40


@pytest.mark.filterwarnings("ignore")
def test_it_works_inside_a_grid_search():
    selection = pytest.importorskip("sklearn.model_selection")
    iris = load_iris()
    model = Perceptron(max_epochs=30, random_state=0)
    search = selection.GridSearchCV(model, {"pocket": [False, True]}, cv=3)
    assert search.fit(iris.data, iris.target).best_params_ == {"pocket": True}


def test_params_repr_and_pickle():
    model = Perceptron(eta=0.5, pocket=True)
    assert repr(model) == "Perceptron(eta=0.5, pocket=True)"
    assert model.set_params(eta=2.0) is model and model.get_params()["eta"] == 2.0
    with pytest.raises(ValueError, match="unknown settings"):
        model.set_params(eat=2.0)
    fitted = pickle.loads(pickle.dumps(Perceptron().fit(CORNERS, GATES["or"])))
    assert fitted.predict(CORNERS).tolist() == GATES["or"]


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_neither_scikit_learn_nor_numba_is_needed_for_small_data():
    done = run_python(
        "import sys\n"
        "sys.modules['sklearn'] = sys.modules['numba'] = None\n"
        "from gradlab.perceptron import Perceptron\n"
        "try:\n"
        "    Perceptron().predict([[0.0]])\n"
        "except Exception as error:\n"
        "    assert isinstance(error, ValueError) and isinstance(error, AttributeError)\n"
        "    assert type(error).__name__ == 'NotFittedError'\n"
        "assert Perceptron().fit([[0.0], [1.0]], [0, 1]).converged_\n"
        "print('done')"
    )
    assert done.stdout == "done\n", done.stderr


@pytest.mark.parametrize(
    "environment", [{"NUMBA_DISABLE_JIT": "1"}, {}], ids=["no jit", "no cache"]
)
def test_numba_may_be_switched_off_or_have_nowhere_to_cache(environment):
    done = run_python(
        "from unittest import mock\n"
        "import numba, numpy as np\n"
        "import numba.core.caching as caching\n"
        "from gradlab.kernels import perceptron as kernels\n"
        "kernels.PLAIN_STEPS = -1\n"
        "X = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])\n"
        "with mock.patch.object(caching.CacheImpl, '_locator_classes', []):\n"
        "    units = kernels.Units(X, np.array([[0.0], [1.0]]), 1.0)\n"
        "    print([units.epoch(np.arange(2))[0] for _ in range(4)])\n",
        **environment,
    )
    assert done.stdout == "[2, 0, 0, 0]\n", done.stderr


# ----------------------------------------------------------------------------------------- the data


def test_iris_is_the_iris_of_scikit_learn():
    iris = load_iris()
    assert iris.data.dtype == np.float64 and np.bincount(iris.target).tolist() == [50, 50, 50]
    np.testing.assert_allclose(iris.data.mean(axis=0), [5.8433333, 3.0573333, 3.758, 1.1993333])
    assert iris.target_names == ("setosa", "versicolor", "virginica")
    datasets = pytest.importorskip("sklearn.datasets")
    theirs = datasets.load_iris()
    assert np.array_equal(iris.data, theirs.data) and np.array_equal(iris.target, theirs.target)
    assert list(iris.feature_names) == theirs.feature_names

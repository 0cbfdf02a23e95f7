"""Losses and metrics of the Keras layer: the numbers of Keras 3, batch by batch, and the errors.

golden/record_keras_metrics.py made the recording; no Keras is needed here.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

import gradlab as gl
from gradlab import tape
from gradlab.errors import ShapeError
from gradlab.keras import losses, metrics

GOLDEN = json.loads(
    Path(__file__).with_name("golden").joinpath("keras_metrics.json").read_text(encoding="utf-8")
)
WHOLE_WEIGHTS = {"IoU", "MeanIoU"}  # Keras rounds weights to whole numbers there

# Keras adds up in float32, gradlab's metrics in float64.
RTOL, ATOL = 2e-6, 2e-7


def label(record):
    parameters = [f"{k}={v}" for k, v in record["parameters"].items()]
    return "-".join([record["class"], record["data"], *parameters])


def batches(kind):
    data = GOLDEN["data"][kind]
    return [(np.array(t), np.float32(p)) for t, p in zip(*data.values(), strict=True)]


# ------------------------------------------------------------------------------------------ losses


@pytest.mark.parametrize("record", GOLDEN["losses"], ids=label)
def test_losses_are_those_of_keras(record):
    y_true, y_pred = batches(record["data"])[0]
    weight = np.array(record["weight"])
    for reduction, (plain, weighted) in record["values"].items():
        loss = getattr(losses, record["class"])(**record["parameters"], reduction=reduction)
        for given, expected in ((None, plain), (weight, weighted)):
            value = loss(y_true, y_pred, given)
            assert value.dtype == np.float32
            np.testing.assert_allclose(value, expected, 1e-5, 1e-6, err_msg=reduction)


@pytest.mark.parametrize("record", GOLDEN["losses"], ids=label)
def test_gradients_of_losses_are_those_of_keras(record):
    y_true, y_pred = batches(record["data"])[0]
    y_pred = gl.Tensor(y_pred)
    loss = getattr(losses, record["class"])(**record["parameters"])
    value = loss(y_true, y_pred, np.array(record["weight"]))
    gradient = tape.sweep(value, np.ones((), np.float32))[y_pred.serial]
    assert value.dtype == gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, record["gradient"], 1e-4, 1e-6)


@pytest.mark.parametrize("record", GOLDEN["losses"], ids=label)
def test_configs_of_losses_make_them_anew(record):
    loss = getattr(losses, record["class"])(**record["parameters"], name="m", reduction="sum")
    expected = {**record["config"], "reduction": "sum"}
    assert expected.items() <= loss.get_config().items()
    again = losses.deserialize(json.loads(json.dumps(losses.serialize(loss))))
    y_true, y_pred = batches(record["data"])[0]
    assert type(again) is type(loss) and again(y_true, y_pred) == loss(y_true, y_pred)


def test_every_loss_of_the_table_has_a_class_and_all_its_names():
    recorded = {record["class"] for record in GOLDEN["losses"]}
    classes = {c for c in losses.TABLE.values() if inspect.isclass(c)}
    assert {c.__name__ for c in classes} - {"Loss", "LossFunctionWrapper"} == recorded
    functions = {c.fn for c in classes if issubclass(c, losses.TableLoss)}
    for alias, function in losses.FUNCTIONS.items():
        assert function in functions
        assert getattr(losses, alias) is losses.get(alias) is function


def test_default_names_are_those_of_keras():
    for kind, module in (("losses", losses), ("metrics", metrics)):
        for name, expected in GOLDEN["names"][kind].items():
            made = getattr(module, name)()
            assert made.name.rstrip("_0123456789") == expected.rstrip("_0123456789")


def test_one_column_of_predictions_meets_a_row_of_targets():
    y, p = np.arange(5), np.arange(5.0, dtype=np.float32).reshape(5, 1)
    assert losses.MeanSquaredError()(y, p) == 0.0
    assert losses.mean_squared_error(y, p).shape == (5,)
    assert metrics.RootMeanSquaredError()(y.reshape(5, 1), p[:, 0]) == 0.0


def test_a_loss_object_works_in_float32_whatever_it_is_given():
    y_pred = gl.Tensor(np.zeros((2, 1)))
    loss = losses.MeanSquaredError()(np.array([[1], [2]]), y_pred)
    assert isinstance(loss, gl.Tensor) and loss.dtype == np.float32


def test_weights_count_per_instance_in_every_rank():
    y, p, weights = np.zeros((3, 3, 2)), np.ones((3, 3, 2)), np.array([1.0, 2.0, 0.0])
    each = losses.MeanSquaredError(reduction="none")(y, p, weights)
    assert each.tolist() == [[1.0] * 3, [2.0] * 3, [0.0] * 3]
    assert losses.MeanSquaredError(reduction="none")(y, p, np.ones((3, 1))).shape == (3, 3)
    with pytest.raises(ShapeError, match=r"one weight per instance: shape \(3,\)"):
        losses.MeanSquaredError()(y, p, np.ones(4))
    of_the_batch = losses.LossFunctionWrapper(lambda y, p: abs(y - p).mean())
    with pytest.raises(ShapeError, match=r"write mean\(axis=-1\)"):
        of_the_batch(y, p, np.ones(3))


def test_all_weights_zero():
    y, p = np.zeros((2, 1)), np.ones((2, 1))
    for reduction in ("sum_over_batch_size", "mean_with_sample_weight"):
        assert losses.MeanSquaredError(reduction=reduction)(y, p, np.zeros(2)) == 0.0


LABELS, ONE_HOT = np.array([0, 2]), np.eye(3)[[0, 2]]
PROBABILITIES = np.full((2, 3), 1 / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: losses.get("sparse_categorical_crossentropy")(ONE_HOT, PROBABILITIES),
            "write categorical_crossentropy for one-hot labels",
        ),
        (
            lambda: losses.CategoricalCrossentropy()(LABELS, PROBABILITIES),
            "write sparse_categorical_crossentropy for whole-number labels",
        ),
        (
            lambda: losses.SparseCategoricalCrossentropy()(LABELS + 1, PROBABILITIES),
            "label 3 with predictions for 3 classes",
        ),
        (
            lambda: losses.BinaryCrossentropy()([-1, 1], [[0.2], [0.3]]),
            "targets from -1 to 1\nexpected numbers from 0 to 1",
        ),
        (
            lambda: losses.CategoricalCrossentropy()(7 * ONE_HOT, PROBABILITIES),
            "or a sparse loss for the numbers of classes",
        ),
        (lambda: losses.Huber(reduction="average"), "'sum_over_batch_size'"),
        (lambda: losses.get("mean_squared_eror"), "write 'mean_squared_error'"),
        (lambda: losses.Loss()([1.0], [1.0]), "write def call"),
        (
            lambda: metrics.sparse_categorical_accuracy(ONE_HOT, PROBABILITIES),
            "write categorical_accuracy for one-hot targets",
        ),
        (
            lambda: metrics.TopKCategoricalAccuracy()(LABELS, PROBABILITIES),
            "write sparse_top_k_categorical_accuracy for whole-number labels",
        ),
        (lambda: metrics.BinaryAccuracy()(LABELS, PROBABILITIES), "binary_accuracy: targets"),
        (lambda: metrics.Precision(thresholds=[0.5, 1.2]), "expected numbers from 0 to 1"),
        (lambda: metrics.Recall(class_id=1)([1, 0], [0.5, 0.6]), "one column per class"),
        (lambda: metrics.AUC(curve="ROK"), "expected one of 'ROC', 'PR', 'PRGAIN'"),
        (lambda: metrics.AUC(num_thresholds=1), "at least 2"),
        (lambda: metrics.AUC(multi_label=True)([1, 0], [0.5, 0.6]), "multi_label=False"),
        (lambda: metrics.F1Score()([1, 0], [0.5, 0.6]), r"write y.reshape(-1, 1)"),
        (lambda: metrics.F1Score(average="mean"), "'macro'"),
        (lambda: metrics.F1Score(threshold=0.0), "threshold=0.5"),
        (lambda: metrics.FBetaScore(beta=0.0), "beta=1.0"),
        (lambda: metrics.R2Score(class_aggregation="mean"), "uniform_average"),
        (lambda: metrics.R2Score()([1.0, 0.0], [0.5, 0.6]), "one row per instance"),
        (lambda: metrics.IoU(2, [2]), "class 2 of 2"),
        (lambda: metrics.get("accurracy"), "write 'accuracy'"),
        (lambda: metrics.Metric().result(), "write def result"),
        (lambda: metrics.confusion_matrix(LABELS, PROBABILITIES), ".argmax(axis=-1)"),
        (lambda: metrics.confusion_matrix(LABELS, LABELS, 2), "expected whole numbers from 0 to 1"),
        (lambda: metrics.confusion_matrix(LABELS, LABELS, normalize="rows"), "'true', 'pred'"),
    ],
)
def test_mistakes_are_told_in_three_lines(call, message):
    with pytest.raises((ValueError, NotImplementedError)) as caught:
        call()
    assert message in str(caught.value)
    assert str(caught.value).count("\n") == 2


def test_a_single_class_is_warned_of():
    with pytest.warns(SyntaxWarning, match="write binary_crossentropy"):
        losses.CategoricalCrossentropy()(np.ones((3, 1)), np.full((3, 1), 0.7))


# ----------------------------------------------------------------------------------------- metrics


@pytest.mark.parametrize("key", ["results", "weighted"])
@pytest.mark.parametrize("record", GOLDEN["metrics"], ids=label)
def test_metrics_are_those_of_keras(record, key):
    metric = getattr(metrics, record["class"])(**record["parameters"])
    whole = record["class"] in WHOLE_WEIGHTS
    weights = GOLDEN["whole_weights" if whole else "weights"] if key == "weighted" else [None] * 3
    for epoch in range(2):  # the second one shows that nothing is left of the first
        for (y_true, y_pred), weight, expected in zip(
            batches(record["data"]), weights, record[key], strict=True
        ):
            metric.update_state(y_true, y_pred, weight)
            result = metric.result()
            assert isinstance(result, float if np.size(expected) == 1 else np.ndarray)
            np.testing.assert_allclose(
                result, np.squeeze(expected), RTOL, ATOL, err_msg=f"epoch {epoch}"
            )
        metric.reset_state()


@pytest.mark.parametrize("record", GOLDEN["metrics"], ids=label)
def test_configs_of_metrics_are_those_of_keras(record):
    metric = getattr(metrics, record["class"])(**record["parameters"], name="m")
    config = metric.get_config()
    for key, value in record["config"].items():
        assert config[key] == (record["parameters"][key] if value == "array" else value)
    again = metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))
    assert type(again) is type(metric) and again.get_config() == config
    y_true, y_pred = batches(record["data"])[0]
    np.testing.assert_array_equal(again(y_true, y_pred), metric(y_true, y_pred))


def test_every_metric_is_recorded():
    recorded = {record["class"] for record in GOLDEN["metrics"]}
    bases = {metrics.Metric, metrics.Sum, metrics.Mean, metrics.MeanMetricWrapper}
    assert {c.__name__ for c in set(metrics.CLASSES) - bases} == recorded


def test_names_find_metrics():
    assert type(metrics.get("mse")) is type(metrics.get("MeanSquaredError"))
    assert metrics.get(metrics.binary_accuracy) is metrics.binary_accuracy
    auc = metrics.AUC(name="area")
    assert metrics.get(auc) is auc and metrics.get("auc") is not metrics.get("auc")
    for record in GOLDEN["metrics"]:
        assert metrics.TABLE[record["class"]].__name__ == record["class"]


@pytest.mark.parametrize("name", ["accuracy", "acc"])
@pytest.mark.parametrize(
    ("y_true", "y_pred", "kind"),
    [
        ((8,), (8, 1), "BinaryAccuracy"),
        ((8, 1), (8, 1), "BinaryAccuracy"),
        ((8,), (8, 10), "SparseCategoricalAccuracy"),
        ((8, 1), (8, 10), "SparseCategoricalAccuracy"),
        ((8, 10), (8, 10), "CategoricalAccuracy"),
        ((8, 5), (8, 5, 10), "SparseCategoricalAccuracy"),
        ((8, 5, 10), (8, 5, 10), "CategoricalAccuracy"),
    ],
)
def test_shapes_say_which_accuracy_is_meant(name, y_true, y_pred, kind):
    metric = metrics.resolve_accuracy(name, y_true, y_pred, losses.MeanSquaredError())
    assert (type(metric).__name__, metric.name) == (kind, name)


def test_crossentropy_as_a_metric_reads_scores_where_the_loss_does():
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    metric = metrics.resolve_accuracy("ce", (8,), (8, 10), loss)
    assert isinstance(metric, metrics.SparseCategoricalCrossentropy)
    assert metric.get_config()["from_logits"]


def test_accuracy_of_several_answers_per_row_is_warned_of():
    with pytest.warns(UserWarning, match="binary_accuracy"):
        metrics.resolve_accuracy("accuracy", (8, 3), (8, 3), losses.BinaryCrossentropy())


def test_a_mean_over_many_batches_keeps_its_digits():
    mean = metrics.Mean()
    for _ in range(2000):
        mean.update_state(np.full(32, 0.1, np.float32))
    assert abs(mean.result() - np.float32(0.1)) < 1e-12


def test_metrics_take_tensors_and_record_no_graph():
    y_pred = gl.Tensor(np.array([[0.2], [0.7]], np.float32))
    given = []

    def seen(y_true, y_pred):
        given.append(y_pred)
        return np.abs(y_true - y_pred)

    metrics.MeanMetricWrapper(seen).update_state(np.array([[0], [1]]), y_pred)
    metrics.AUC().update_state(np.array([0, 1]), y_pred)
    assert type(given[0]) is np.ndarray and given[0].dtype == np.float32


def test_a_function_of_the_table_survives_saving():
    metric = metrics.MeanMetricWrapper(metrics.sparse_categorical_accuracy, name="right")
    again = metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))
    assert again._fn is metrics.sparse_categorical_accuracy and again.name == "right"
    loss = losses.LossFunctionWrapper(losses.huber, delta=2.0)
    again = losses.deserialize(json.loads(json.dumps(losses.serialize(loss))))
    assert again.fn is losses.huber and again([[0.0]], [[3.0]]) == 4.0


def test_a_metric_made_of_metrics_is_reset_with_them():
    class Both(metrics.Metric):
        def __init__(self):
            super().__init__(name="both")
            self.low, self.high = metrics.Mean(), metrics.Mean()

    both = Both()
    both.low.update_state([1.0]), both.high.update_state([3.0])
    assert len(both.variables) == 4
    both.reset_state()
    assert both.low.result() == both.high.result() == 0.0


def test_nan_is_never_among_the_largest():
    y_pred = np.array([[np.nan, 0.1, 0.2], [0.3, 0.1, 0.2]])
    hits = metrics.sparse_top_k_categorical_accuracy([0, 0], y_pred, k=2)
    assert hits.tolist() == [0.0, 1.0]
    assert metrics.sparse_top_k_categorical_accuracy([7], y_pred[1:], k=3).tolist() == [0.0]


def test_auc_is_the_share_of_pairs_in_the_right_order():
    rng = np.random.default_rng(5)
    y, p = rng.integers(0, 2, 80), rng.integers(0, 101, 80) / 100
    pairs = p[y == 1][:, None] - p[y == 0]
    share = np.mean((pairs > 0) + 0.5 * (pairs == 0))
    assert abs(metrics.AUC(thresholds=np.arange(0.005, 1, 0.01))(y, p) - share) < 1e-12


def test_confusion_matrix():
    matrix = metrics.confusion_matrix([0, 0, 1, 2], [[0], [1], [1], [1]], 4, [1.0, 0.5, 1.0, 2.0])
    assert matrix[:, :2].tolist() == [[1.0, 0.5], [0.0, 1.0], [0.0, 2.0], [0.0, 0.0]]
    shares = metrics.confusion_matrix([0, 0, 1], [0, 1, 1], 3, normalize="true")
    assert shares.sum(axis=1).tolist() == [1.0, 1.0, 0.0]
    assert metrics.confusion_matrix([0, 0, 1], [0, 1, 1], normalize="pred")[0, 1] == 0.5
    assert metrics.confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], normalize="all")[1, 1] == 0.5


def test_metrics_before_the_first_batch():
    for made in metrics.CLASSES[1:]:
        if made not in (metrics.MeanMetricWrapper, metrics.IoU, metrics.MeanIoU):
            assert np.isfinite(made().result()), made

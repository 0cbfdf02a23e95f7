"""Record what the losses and metrics of Keras 3 answer, batch by batch, with and without weights.

Run it outside the suite, in an environment of its own (gradlab is not needed there):

    python -m venv keras && keras/bin/pip install keras jax
    keras/bin/python tests/golden/record_keras_metrics.py

It writes keras_metrics.json beside itself, which tests/test_metrics.py reads.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
from pathlib import Path

import numpy as np

RNG = np.random.default_rng(1906)
BATCHES, ROWS, CLASSES = 3, 6, 4


def between(low: float, high: float, *shape: int) -> np.ndarray:
    """Numbers in general position inside an interval."""
    return np.round(RNG.uniform(low, high, shape), 3)


def one_hot(labels: np.ndarray) -> np.ndarray:
    return np.eye(CLASSES, dtype=int)[labels]


def make_data() -> dict[str, dict[str, list]]:
    """Return targets, predictions and weights for each kind of problem, as lists of batches."""
    n, c = (BATCHES, ROWS), CLASSES
    labels = RNG.integers(0, c, n)
    pairs = {
        "numbers": (between(-2, 2, *n, 2), between(-2, 2, *n, 2)),
        "one_number": (between(-2, 2, *n), between(-2, 2, *n, 1)),
        "positive": (between(0.1, 3, *n, 2), between(0.1, 3, *n, 2)),
        "counts": (RNG.poisson(2.0, (*n, 2)), between(0.1, 4, *n, 2)),
        "signs": (RNG.choice([-1, 1], (*n, 2)), between(-2, 2, *n, 2)),
        "binary": (RNG.integers(0, 2, n), between(0, 1, *n, 1)),
        "scores": (RNG.integers(0, 2, (*n, 1)), between(-3, 3, *n, 1)),
        "several": (RNG.integers(0, 2, (*n, c)), between(0, 1, *n, c)),
        "none_true": (np.zeros(n, int), between(0, 1, *n, 1)),
        "all_true": (np.ones(n, int), between(0, 1, *n, 1)),
        "one_hot": (one_hot(labels), between(0, 1, *n, c)),
        "no_class_3": (one_hot(labels % 3), between(0, 1, *n, c) * [1, 1, 1, 0]),
        "sparse": (labels, between(0, 1, *n, c)),
        "sparse_column": (labels[..., None], between(0, 1, *n, c)),
        "pixels": (RNG.integers(0, c, (*n, 2)), between(0, 1, *n, 2, c)),
        "ties": (labels, np.round(between(0, 1, *n, c))),
        "ids": (labels, np.array([[RNG.permutation(c) for _ in range(ROWS)] for _ in range(3)])),
        "classes": (labels, RNG.integers(0, c, n)),
    }
    weights = between(0.1, 2, *n)
    weights[1, 2] = 0.0
    made = {}
    for kind, (y_true, y_pred) in pairs.items():
        made[kind] = {"y_true": y_true.tolist(), "y_pred": y_pred.tolist()}
    return {"data": made, "weights": weights.tolist(), "whole_weights": [[1, 0, 2, 1, 3, 0]] * 3}


METRICS: list[tuple[str, dict, str]] = [
    *((name, {}, "numbers") for name in ("MeanSquaredError", "MeanAbsoluteError", "LogCoshError")),
    *((name, {}, "numbers") for name in ("RootMeanSquaredError", "CosineSimilarity", "R2Score")),
    ("MeanSquaredError", {}, "one_number"),
    ("RootMeanSquaredError", {}, "one_number"),
    ("R2Score", {"class_aggregation": None}, "numbers"),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, "numbers"),
    ("R2Score", {"num_regressors": 2}, "one_number"),
    ("MeanAbsolutePercentageError", {}, "positive"),
    ("MeanSquaredLogarithmicError", {}, "positive"),
    ("Poisson", {}, "counts"),
    *((name, {}, "signs") for name in ("Hinge", "SquaredHinge")),
    ("CategoricalHinge", {}, "one_hot"),
    ("KLDivergence", {}, "several"),
    ("BinaryCrossentropy", {}, "several"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "scores"),
    ("CategoricalCrossentropy", {}, "one_hot"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "one_hot"),
    ("SparseCategoricalCrossentropy", {}, "sparse"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "sparse_column"),
    ("SparseCategoricalCrossentropy", {}, "pixels"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "sparse"),
    ("Accuracy", {}, "classes"),
    ("BinaryAccuracy", {}, "binary"),
    ("BinaryAccuracy", {"threshold": 0.3}, "several"),
    ("CategoricalAccuracy", {}, "one_hot"),
    ("SparseCategoricalAccuracy", {}, "sparse"),
    ("SparseCategoricalAccuracy", {}, "sparse_column"),
    ("SparseCategoricalAccuracy", {}, "pixels"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one_hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "sparse"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "ties"),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, "ids"),
    *(
        (name, parameters, "binary")
        for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
        for parameters in ({}, {"thresholds": [0.7, 0.2]})
    ),
    *(
        (name, *call)
        for name in ("Precision", "Recall")
        for call in (
            ({}, "binary"),
            ({"thresholds": [0.2, 0.7, 0.5]}, "binary"),
            ({"thresholds": [0.0, 0.5, 1.0]}, "several"),
            ({"thresholds": 0.0}, "scores"),
            ({"top_k": 2}, "several"),
            ({"top_k": 2, "class_id": 1}, "several"),
            ({"class_id": 3}, "no_class_3"),
            ({}, "none_true"),
        )
    ),
    *(
        ("AUC", {"curve": curve, "summation_method": method}, "binary")
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
    ),
    *(("AUC", {"curve": "PR"}, kind) for kind in ("none_true", "all_true")),
    *(("AUC", {}, kind) for kind in ("none_true", "all_true", "several")),
    ("AUC", {"num_thresholds": 5}, "binary"),
    ("AUC", {"thresholds": [0.6, 0.1, 0.3]}, "binary"),
    ("AUC", {"from_logits": True}, "scores"),
    ("AUC", {"multi_label": True}, "several"),
    ("AUC", {"multi_label": True, "num_labels": 4, "curve": "PR"}, "several"),
    ("AUC", {"multi_label": True, "label_weights": [1.0, 2.0, 0.0, 0.5]}, "several"),
    ("AUC", {"label_weights": [1.0, 2.0, 0.0, 0.5]}, "several"),
    *(
        ("F1Score", {"average": average}, kind)
        for average in (None, "micro", "macro", "weighted")
        for kind in ("one_hot", "no_class_3")
    ),
    ("F1Score", {"threshold": 0.5}, "several"),
    ("F1Score", {"threshold": 0.5}, "scores"),
    ("FBetaScore", {"beta": 2.0, "average": "weighted"}, "one_hot"),
    ("MeanIoU", {"num_classes": 4}, "classes"),
    ("MeanIoU", {"num_classes": 4, "ignore_class": 1}, "classes"),
    ("MeanIoU", {"num_classes": 3}, "classes"),
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, "classes"),
    ("MeanIoU", {"num_classes": 4, "sparse_y_pred": False}, "sparse"),
]
WHOLE = {"IoU", "MeanIoU"}  # Keras rounds weights to whole numbers there


def update_metrics(inputs: dict) -> list[dict]:
    """Return the config of each metric, and its results after each batch."""
    import keras

    records = []
    for name, parameters, kind in METRICS:
        made = getattr(keras.metrics, name)
        weights = inputs["whole_weights" if name in WHOLE else "weights"]
        results = {}
        for key, given in (("results", [None] * BATCHES), ("weighted", weights)):
            if name.startswith("Sparse") and "ignore_class" in parameters and given is not weights:
                # Where no weights are given, Keras counts the ignored instances as losses of 0.
                given = np.ones((BATCHES, ROWS))
            metric = made(**parameters, name="m")
            results[key] = []
            for y_true, y_pred, weight in zip(*inputs["data"][kind].values(), given, strict=True):
                weight = None if weight is None else np.array(weight)
                metric.update_state(np.array(y_true), np.array(y_pred), weight)
                results[key].append(np.array(metric.result()).tolist())
        config = {
            k: v if v is None or isinstance(v, str | bool | int | float | list) else "array"
            for k, v in metric.get_config().items()
        }
        parts = {"class": name, "parameters": parameters, "data": kind, "config": config}
        records.append({**parts, **results})
    return records


LOSSES: list[tuple[str, dict, str]] = [
    *((name, {}, "numbers") for name in ("MeanSquaredError", "MeanAbsoluteError", "LogCosh")),
    *((name, {}, "numbers") for name in ("Huber", "CosineSimilarity")),
    ("MeanSquaredError", {}, "one_number"),
    ("Huber", {"delta": 0.3}, "numbers"),
    ("CosineSimilarity", {"axis": 0}, "numbers"),
    ("MeanAbsolutePercentageError", {}, "positive"),
    ("MeanSquaredLogarithmicError", {}, "positive"),
    ("Poisson", {}, "counts"),
    *((name, {}, "signs") for name in ("Hinge", "SquaredHinge")),
    ("CategoricalHinge", {}, "one_hot"),
    ("KLDivergence", {}, "several"),
    ("BinaryCrossentropy", {}, "binary"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "scores"),
    ("BinaryCrossentropy", {"axis": 0}, "several"),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 1.5}, "several"),
    ("CategoricalCrossentropy", {}, "one_hot"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "one_hot"),
    ("CategoricalFocalCrossentropy", {"alpha": 0.4}, "one_hot"),
    ("SparseCategoricalCrossentropy", {}, "sparse"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "sparse_column"),
    ("SparseCategoricalCrossentropy", {}, "pixels"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "sparse"),
]
REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")


def call_losses(inputs: dict) -> list[dict]:
    """Return each loss of the first batch, weighted and not, with its gradient, and its config."""
    import jax
    import keras

    records = []
    for name, parameters, kind in LOSSES:
        y_true, y_pred = (np.array(a[0]) for a in inputs["data"][kind].values())
        weight = np.array(inputs["weights"][1])
        if y_pred.ndim > 2:  # Keras lines (n,) up with the last axis of (n, m), not the first
            weight = np.repeat(weight[:, None], y_pred.shape[1], axis=1)
        if parameters.get("axis") == 0:
            weight = weight[: y_pred.shape[1]]
        values = {}
        for reduction in REDUCTIONS:
            loss = getattr(keras.losses, name)(**parameters, reduction=reduction, name="m")
            values[reduction] = [np.array(loss(y_true, y_pred, w)).tolist() for w in (None, weight)]
        loss = getattr(keras.losses, name)(**parameters, name="m")
        slope = jax.grad(lambda p: loss(y_true, p, weight))(np.float32(y_pred))  # noqa: B023
        records.append(
            {
                "class": name,
                "parameters": parameters,
                "data": kind,
                "config": loss.get_config(),
                "weight": weight.tolist(),
                "values": values,
                "gradient": np.array(slope).tolist(),
            }
        )
    return records


def main() -> None:
    """Make every record and write the file."""
    os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")
    import jax
    import keras

    inputs = make_data()
    versions = {module.__name__: module.__version__ for module in (keras, jax, np)}
    facts = {
        "made_by": "tests/golden/record_keras_metrics.py",
        "date": datetime.date.today().isoformat(),
        "versions": {**versions, "python": platform.python_version()},
        "names": {
            kind: {c: getattr(module, c)().name for c in dir(module) if c in classes}
            for kind, module, classes in (
                ("losses", keras.losses, {name for name, *_ in LOSSES}),
                ("metrics", keras.metrics, {name for name, *_ in METRICS} - WHOLE),
            )
        },
        **inputs,
    }
    parts = [json.dumps(facts, allow_nan=False)[:-1]]
    for key, records in (("metrics", update_metrics(inputs)), ("losses", call_losses(inputs))):
        lines = ",\n".join(json.dumps(r, allow_nan=False) for r in records)
        parts.append(f'"{key}": [\n{lines}\n]')
    text = ",\n".join(parts) + "}\n"
    path = Path(__file__).with_name("keras_metrics.json")
    path.write_text(text)
    print(f"{len(METRICS)} metrics, {len(LOSSES)} losses, {len(text)} bytes in {path.name}")


if __name__ == "__main__":
    main()

"""Losses: how wrong a prediction is, and which way to change it.

Each loss is a pointwise primitive (one target, one prediction, with both slopes) and its mean or
sum over the last axis, which gives one number per instance, as in Keras.

Source: deck 001, section 10.1.6 "Loss Functions"; deck 000, "objective function".
"""

from __future__ import annotations

import math

import numpy as np

from gradlab.entry import (
    case,
)
from gradlab.errors import (
    ShapeError,
)
from gradlab.ops.activations import log_softmax, relu, sigmoid, softplus
from gradlab.ops.arithmetic import where
from gradlab.ops.elementary import absolute, clip, exp, log, maximum, sqrt, tanh
from gradlab.ops.reductions import mean, reduce_max, reduce_sum
from gradlab.ops.shaping import reshape, take_along_axis
from gradlab.primitive import (
    composed,
    primitive,
)
from gradlab.tape import Node, compute

# Probabilities are kept this far from 0 and 1 before a logarithm, as Keras does.
EPSILON = 1e-7
SAME = (case((3,), (3,)), case((2, 4), (2, 4)))


def plain(x):
    """Return the numbers of a traced or plain array, to look at without differentiating."""
    return np.asarray(x.data if isinstance(x, Node) else x)


def same_shape(name, y_true, y_pred):
    """Raise ShapeError unless targets and predictions have one shape."""
    given, expected = np.shape(plain(y_true)), np.shape(plain(y_pred))
    if given == expected:
        return
    mend = "one target for each prediction"
    if math.prod(given) == math.prod(expected):
        mend = f"y_true.reshape{expected}"
    elif name.startswith("categorical"):
        mend = "sparse_categorical_crossentropy for whole-number labels"
    raise ShapeError(
        f"{name}: targets of shape {given}, predictions of shape {expected}\n"
        f"expected the same shape\nwrite {mend}"
    )


def per_instance(losses):
    """Return the mean over the last axis; a single number is an instance of its own."""
    return mean(losses, axis=-1) if losses.shape else losses


# ---------------------------------------------------------------------------------- regression


@primitive(formula="(y_pred - y_true) ** 2")
def squared_error(y_true, y_pred):
    """Squared distance of one prediction from its target."""
    return (y_pred - y_true) * (y_pred - y_true)


@squared_error.partial("y_true")
def squared_error_slope_true(y_true, y_pred):
    return 2.0 * (y_true - y_pred)


@squared_error.partial("y_pred")
def squared_error_slope_pred(y_true, y_pred):
    return 2.0 * (y_pred - y_true)


@composed(
    formula="mean((y_pred - y_true) ** 2)",
    signature="(n),(n)->()",
    keras=("mean_squared_error", "mse", "MSE"),
    cases=SAME,
    source="deck 001, 10.1.6: MSE; deck 000",
)
def mean_squared_error(y_true, y_pred):
    """MSE: the usual loss of regression; large errors count most.

    >>> float(mean_squared_error(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    same_shape("mean_squared_error", y_true, y_pred)
    return per_instance(squared_error(y_true, y_pred))


@primitive(
    formula="abs(y_pred - y_true)",
    convention="slope 0 where the prediction is exact",
    kinks=("y_true",),
)
def absolute_error(y_true, y_pred):
    """Distance of one prediction from its target."""
    return abs(y_pred - y_true)


@absolute_error.partial("y_true")
def absolute_error_slope_true(y_true, y_pred):
    return where(y_true > y_pred, 1.0, where(y_true < y_pred, -1.0, 0.0))


@absolute_error.partial("y_pred")
def absolute_error_slope_pred(y_true, y_pred):
    return where(y_pred > y_true, 1.0, where(y_pred < y_true, -1.0, 0.0))


@composed(
    formula="mean(abs(y_pred - y_true))",
    signature="(n),(n)->()",
    keras=("mean_absolute_error", "mae", "MAE"),
    cases=SAME,
    source="deck 001, 10.1.5: when there are many outliers",
)
def mean_absolute_error(y_true, y_pred):
    """MAE: every error counts in proportion, so outliers count less than in the MSE.

    >>> float(mean_absolute_error(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.0
    """
    same_shape("mean_absolute_error", y_true, y_pred)
    return per_instance(absolute_error(y_true, y_pred))


@primitive(
    formula="(y_pred - y_true) ** 2 / 2 if abs(y_pred - y_true) <= delta"
    " else delta * abs(y_pred - y_true) - delta ** 2 / 2",
    source="Huber (1964); deck 001, 10.1.6 with delta = 1",
)
def huber_error(y_true, y_pred, delta=1.0):
    """Half the squared error up to delta, a straight line of slope delta beyond it."""
    e = abs(y_pred - y_true)
    return 0.5 * e * e if e <= delta else delta * e - 0.5 * delta * delta


@huber_error.partial("y_true")
def huber_error_slope_true(y_true, y_pred, delta):
    return clip(y_true - y_pred, -delta, delta)


@huber_error.partial("y_pred")
def huber_error_slope_pred(y_true, y_pred, delta):
    return clip(y_pred - y_true, -delta, delta)


@composed(
    formula="mean((y_pred - y_true) ** 2 / 2 * (abs(y_pred - y_true) <= delta)"
    " + (delta * abs(y_pred - y_true) - delta ** 2 / 2) * (abs(y_pred - y_true) > delta))",
    signature="(n),(n)->()",
    keras="huber",
    cases=(*SAME, case((3,), (3,), delta=0.3)),
    source="deck 001, 10.1.6: Huber loss, delta = 1",
)
def huber(y_true, y_pred, delta=1.0):
    """Huber loss: quadratic for small errors as the MSE, linear for large ones as the MAE.

    >>> [float(huber(np.array([0.0]), np.array([e]))) for e in (0.5, 1.0, 3.0)]
    [0.125, 0.5, 2.5]
    """
    same_shape("huber", y_true, y_pred)
    return per_instance(huber_error(y_true, y_pred, delta))


@primitive(
    formula="log(cosh(y_pred - y_true))", domain={"y_true": "(-300, 300)", "y_pred": "(-300, 300)"}
)
def log_cosh_error(y_true, y_pred):
    """Logarithm of the hyperbolic cosine of the error: a Huber loss without a seam."""
    e = abs(y_pred - y_true)
    return e + math.log1p(math.exp(-2.0 * e)) - math.log(2.0)


@log_cosh_error.partial("y_true")
def log_cosh_error_slope_true(y_true, y_pred):
    return tanh(y_true - y_pred)


@log_cosh_error.partial("y_pred")
def log_cosh_error_slope_pred(y_true, y_pred):
    return tanh(y_pred - y_true)


@composed(signature="(n),(n)->()", keras=("log_cosh", "logcosh"), cases=SAME)
def log_cosh(y_true, y_pred):
    """Mean of log(cosh(error)): about error^2 / 2 when small, |error| - log 2 when large.

    >>> float(log_cosh(np.array([0.0]), np.array([0.0])))
    0.0
    """
    same_shape("log_cosh", y_true, y_pred)
    return per_instance(log_cosh_error(y_true, y_pred))


@composed(
    formula="100 * mean(abs(y_true - y_pred) / abs(y_true))",
    signature="(n),(n)->()",
    domain={"y_true": "(1e-7, inf)"},
    keras=("mean_absolute_percentage_error", "mape", "MAPE"),
    cases=SAME,
)
def mean_absolute_percentage_error(y_true, y_pred):
    """MAPE: mean error in per cent of the target (targets below 1e-7 count as 1e-7).

    >>> float(mean_absolute_percentage_error(np.array([2.0]), np.array([3.0])))
    50.0
    """
    same_shape("mean_absolute_percentage_error", y_true, y_pred)
    relative = absolute_error(y_true, y_pred) / maximum(absolute(y_true), EPSILON)
    return 100.0 * per_instance(relative)


@composed(
    formula="mean((log(y_pred + 1) - log(y_true + 1)) ** 2)",
    signature="(n),(n)->()",
    domain={"y_true": "(1e-7, inf)", "y_pred": "(1e-7, inf)"},
    keras=("mean_squared_logarithmic_error", "msle", "MSLE"),
    cases=SAME,
)
def mean_squared_logarithmic_error(y_true, y_pred):
    """MSLE: squared error of the logarithms, so that ratios count and not differences.

    >>> float(mean_squared_logarithmic_error(np.array([1.0]), np.array([1.0])))
    0.0
    """
    same_shape("mean_squared_logarithmic_error", y_true, y_pred)
    logs = [log(maximum(values, EPSILON) + 1.0) for values in (y_true, y_pred)]
    return per_instance(squared_error(*logs))


@primitive(
    formula="y_pred - y_true * log(y_pred + 1e-7)",
    domain={"y_pred": "[0, inf)"},
    source="Poisson regression, in the form of Keras",
)
def poisson_error(y_true, y_pred):
    """Negative log-likelihood of a count, up to a constant."""
    return y_pred - y_true * math.log(y_pred + EPSILON)


@poisson_error.partial("y_true")
def poisson_error_slope_true(y_pred):
    return -log(y_pred + EPSILON)


@poisson_error.partial("y_pred")
def poisson_error_slope_pred(y_true, y_pred):
    return 1.0 - y_true / (y_pred + EPSILON)


@composed(
    formula="mean(y_pred - y_true * log(y_pred + 1e-7))",
    signature="(n),(n)->()",
    domain={"y_pred": "[0, inf)"},
    keras="poisson",
    cases=SAME,
)
def poisson(y_true, y_pred):
    """Poisson loss, for counts: the prediction is the expected count.

    >>> float(poisson(np.array([0.0]), np.array([2.0])))
    2.0
    """
    same_shape("poisson", y_true, y_pred)
    return per_instance(poisson_error(y_true, y_pred))


@composed(
    formula="-sum(y_true * y_pred) / (norm(y_true) * norm(y_pred))",
    signature="(n),(n)->()",
    keras="cosine_similarity",
    cases=(*SAME, case((3, 2), (3, 2), axis=0)),
)
def cosine_similarity(y_true, y_pred, axis=-1):
    """Minus the cosine of the angle between target and prediction: -1 when they point the same way.

    >>> float(cosine_similarity(np.array([1.0, 0.0]), np.array([2.0, 0.0])))
    -1.0
    """
    same_shape("cosine_similarity", y_true, y_pred)
    return -reduce_sum(_unit(y_true, axis) * _unit(y_pred, axis), axis=axis)


def _unit(x, axis):
    """Return x divided by its length, or by 1e-7 if that is larger: the zero vector stays zero."""
    return x / sqrt(maximum(reduce_sum(x * x, axis=axis, keepdims=True), EPSILON * EPSILON))


# ------------------------------------------------------------------------ classification: margins


def _minus_one_or_one(y_true):
    """Return labels 0/1 as -1/1, as Keras does; -1/1 labels stay."""
    return where(compute(only_0_and_1, y_true), 2.0 * y_true - 1.0, y_true)


def only_0_and_1(labels):
    """Tell whether there are no other numbers."""
    return np.all((labels == 0.0) | (labels == 1.0))


@composed(
    formula="mean(max(1 - y_true * y_pred, 0 * y_pred))",
    signature="(n),(n)->()",
    keras="hinge",
    cases=SAME,
    convention="slope 0 where the margin is exactly 1",
)
def hinge(y_true, y_pred):
    """Hinge loss, for targets -1 and 1: nothing to pay beyond a margin of 1.

    >>> float(hinge(np.array([1.0, -1.0]), np.array([2.0, 0.5])))
    0.75
    """
    same_shape("hinge", y_true, y_pred)
    return per_instance(relu(1.0 - _minus_one_or_one(y_true) * y_pred))


@composed(
    formula="mean(max(1 - y_true * y_pred, 0 * y_pred) ** 2)",
    signature="(n),(n)->()",
    keras="squared_hinge",
    cases=SAME,
)
def squared_hinge(y_true, y_pred):
    """The hinge loss squared: no kink at the margin.

    >>> float(squared_hinge(np.array([1.0]), np.array([0.0])))
    1.0
    """
    same_shape("squared_hinge", y_true, y_pred)
    slack = relu(1.0 - _minus_one_or_one(y_true) * y_pred)
    return per_instance(slack * slack)


@composed(
    formula="max(max((1 - y_true) * y_pred) - sum(y_true * y_pred) + 1, 0)",
    signature="(n),(n)->()",
    keras="categorical_hinge",
    cases=SAME,
)
def categorical_hinge(y_true, y_pred):
    """How far the score of the right class falls short of the best wrong one plus 1.

    >>> float(categorical_hinge(np.array([0.0, 1.0]), np.array([1.0, 3.0])))
    0.0
    """
    same_shape("categorical_hinge", y_true, y_pred)
    right = reduce_sum(y_true * y_pred, axis=-1)
    wrong = reduce_max((1.0 - y_true) * y_pred, axis=-1)
    return relu(wrong - right + 1.0)


# ------------------------------------------------------------------ classification: probabilities


@primitive(
    formula="-(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))",
    domain={"y_pred": "(1e-7, 0.9999999)"},
    source="deck 001, 10.1.6: binary cross entropy of a single example",
    convention="beyond 1e-7 of 0 or 1 the loss stays what it is there, with slope 0, as in Keras",
)
def cross_entropy(y_true, y_pred):
    """Surprise at the true label when 1 was given the probability y_pred."""
    p = min(max(y_pred, EPSILON), 1.0 - EPSILON)
    return -(y_true * math.log(p) + (1.0 - y_true) * math.log(1.0 - p))


@cross_entropy.partial("y_true")
def cross_entropy_slope_true(y_pred):
    p = clip(y_pred, EPSILON, 1.0 - EPSILON)
    return log(1.0 - p) - log(p)


@cross_entropy.partial("y_pred")
def cross_entropy_slope_pred(y_true, y_pred):
    p = clip(y_pred, EPSILON, 1.0 - EPSILON)
    return where(p == y_pred, (p - y_true) / (p * (1.0 - p)), 0.0)


@primitive(
    formula="log(1 + exp(z)) - y_true * z",
    source="deck 001, 10.1.6, with y_pred = sigmoid(z) put in",
)
def cross_entropy_from_logits(y_true, z):
    """Binary cross-entropy of the score before the sigmoid: never overflows, never log(0)."""
    return max(z, 0.0) - y_true * z + math.log1p(math.exp(-abs(z)))


@cross_entropy_from_logits.partial("y_true")
def cross_entropy_from_logits_slope_true(z):
    return -z


@cross_entropy_from_logits.partial("z")
def cross_entropy_from_logits_slope_z(y_true, z):
    # sigmoid(z) - y_true, without losing all digits where the prediction is right and sure.
    return (1.0 - y_true) * sigmoid(z) - y_true * sigmoid(-z)


PROBABILITIES = {"y_true": "[0, 1]", "y_pred": "(1e-7, 0.9999999)"}


@composed(
    formula="mean(-(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred)))",
    signature="(n),(n)->()",
    domain=PROBABILITIES,
    keras=("binary_crossentropy", "bce", "BCE"),
    cases=(*SAME, case((3,), (3,), from_logits=True), case((3,), (3,), label_smoothing=0.2)),
    source="deck 001, 10.1.6: BCE",
)
def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    """BCE: for one yes-or-no answer per output, predicted with a sigmoid.

    Args:
        y_true: 0 or 1 (or a probability), shape (..., n).
        y_pred: probabilities, or scores before the sigmoid with ``from_logits=True``.
        label_smoothing: moves the targets this fraction of the way to 1/2.

    >>> float(binary_crossentropy(np.array([1.0]), np.array([0.5])).round(4))
    0.6931
    """
    same_shape("binary_crossentropy", y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    pointwise = cross_entropy_from_logits if from_logits else cross_entropy
    return per_instance(pointwise(y_true, y_pred))


def log_probabilities(y_pred, from_logits, axis):
    """Return log p: of the softmax of scores, or of probabilities made to sum to 1 and clipped."""
    if from_logits:
        return log_softmax(y_pred, axis=axis)
    total = maximum(reduce_sum(y_pred, axis=axis, keepdims=True), EPSILON)
    return log(clip(y_pred / total, EPSILON, 1.0 - EPSILON))


@composed(
    formula="-sum(y_true * log(y_pred / sum(y_pred)))",
    signature="(n),(n)->()",
    domain=PROBABILITIES,
    keras=("categorical_crossentropy",),
    cases=(
        *SAME,
        case((3, 4), (3, 4), from_logits=True),
        case((3,), (3,), label_smoothing=0.2),
        case((3, 2), (3, 2), axis=0),
    ),
    source="deck 001, 10.1.6: CCE; deck 000: logarithmic loss",
)
def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """CCE: for one class out of several, given as a one-hot vector, predicted with a softmax.

    Args:
        y_true: one-hot (or probabilities), shape (..., classes).
        y_pred: probabilities, or scores before the softmax with ``from_logits=True``.
        label_smoothing: moves the targets this fraction of the way to 1/classes.

    >>> float(categorical_crossentropy(np.array([0.0, 1.0]), np.array([0.5, 0.5])).round(4))
    0.6931
    """
    same_shape("categorical_crossentropy", y_true, y_pred)
    if label_smoothing:
        classes = y_pred.shape[axis]
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    return -reduce_sum(y_true * log_probabilities(y_pred, from_logits, axis), axis=axis)


@composed(
    signature="(),(n)->()",
    domain={"y_pred": "(1e-7, 0.9999999)"},
    keras=("sparse_categorical_crossentropy",),
    cases=(
        case((2, 4), y_true=np.array([3, 0])),
        case((3,), y_true=np.array(1), from_logits=True),
        case((2, 4), y_true=np.array([[1], [2]])),
        case((2, 4), y_true=np.array([1, -1]), ignore_class=-1),
    ),
    source="deck 001, 10.2.1: sparse labels",
)
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """CCE with the class given as its number instead of a one-hot vector.

    Args:
        y_true: whole numbers from 0 to classes - 1, shape (...) or (..., 1).
        y_pred: probabilities of shape (..., classes), or scores with ``from_logits=True``.
        ignore_class: instances with this label cost nothing.

    >>> float(sparse_categorical_crossentropy(np.array(1), np.array([0.5, 0.5])).round(4))
    0.6931

    Raises:
        ShapeError: labels that do not match the predictions (one-hot ones, for instance).
        ValueError: a label outside the classes.
    """
    shape = np.shape(plain(y_pred))
    labels = compute(class_labels, y_true, shape, axis, ignore_class)
    log_p = log_probabilities(y_pred, from_logits, axis)
    if ignore_class is None:
        loss = -take_along_axis(log_p, labels, axis=axis)
    else:
        counted = labels != ignore_class
        loss = -take_along_axis(log_p, where(counted, labels, 0), axis=axis)
        loss = where(counted, loss, 0.0)
    return reshape(loss, tuple(n for a, n in enumerate(shape) if a != axis % len(shape)))


def class_labels(y_true, shape, axis=-1, ignore_class=None):
    """Return labels as integers with ``axis`` kept at size 1, after checking shape and range."""
    labels, classes, axis = np.asarray(y_true), shape[axis], axis % len(shape)
    rows, kept = shape[:axis] + shape[axis + 1 :], (*shape[:axis], 1, *shape[axis + 1 :])
    if labels.shape != rows and labels.shape != kept:
        raise ShapeError(
            f"sparse_categorical_crossentropy: labels of shape {labels.shape}, "
            f"predictions of shape {shape}\n"
            f"expected one whole number per row: shape {shape[:-1]}\n"
            "write categorical_crossentropy for one-hot labels, or labels.argmax(axis=-1)"
        )
    whole = labels.astype(np.int64)
    if labels.dtype.kind in "iu" and whole.view(np.uint64).max(initial=0) < classes:
        return whole.reshape(kept)  # none is negative, for these would be huge
    fine = (whole == labels) & (whole >= 0) & (whole < classes)
    if ignore_class is not None:
        fine |= labels == ignore_class
    if not fine.all():
        raise ValueError(
            f"sparse_categorical_crossentropy: label {labels[~fine].flat[0]} "
            f"with predictions for {classes} classes\n"
            f"expected whole numbers from 0 to {classes - 1}\n"
            "write labels - labels.min() if they start at 1, or an output layer with more units"
        )
    return whole.reshape(kept)


@composed(
    formula="sum(y_true * log(y_true / y_pred))",
    signature="(n),(n)->()",
    domain={"y_true": "(1e-7, 1)", "y_pred": "(1e-7, 1)"},
    keras=("kl_divergence", "kld", "KLD", "kullback_leibler_divergence"),
    cases=SAME,
    source="Kullback and Leibler (1951)",
)
def kl_divergence(y_true, y_pred):
    """Kullback-Leibler divergence: the extra surprise of believing y_pred when y_true holds.

    >>> float(kl_divergence(np.array([0.5, 0.5]), np.array([0.5, 0.5])))
    0.0
    """
    same_shape("kl_divergence", y_true, y_pred)
    p, q = clip(y_true, EPSILON, 1.0), clip(y_pred, EPSILON, 1.0)
    return reduce_sum(p * (log(p) - log(q)), axis=-1)


@composed(
    signature="(n),(n)->()",
    domain=PROBABILITIES,
    keras="binary_focal_crossentropy",
    cases=(
        *SAME,
        case((3,), (3,), apply_class_balancing=True),
        case((3,), (3,), gamma=1.5, from_logits=True),
    ),
    source="Lin et al. (2017)",
)
def binary_focal_crossentropy(
    y_true,
    y_pred,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
):
    """BCE weighted by (1 - p)^gamma of the right answer, so that easy examples count little.

    >>> float(binary_focal_crossentropy(np.array([1.0]), np.array([0.5])).round(4))
    0.1733
    """
    same_shape("binary_focal_crossentropy", y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        right, wrong = softplus(-y_pred), softplus(y_pred)  # -log p and -log(1 - p)
        surprise, p = y_true * right + (1.0 - y_true) * wrong, sigmoid(y_pred)
    else:
        surprise, p = cross_entropy(y_true, y_pred), y_pred
    missing = 1.0 - (y_true * p + (1.0 - y_true) * (1.0 - p))
    loss = _power(missing, gamma) * surprise
    if apply_class_balancing:
        loss = loss * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return per_instance(loss)


def _power(x, gamma):
    """x^gamma for x >= 0; at x = 0 without the infinite slope that a power below 1 has there."""
    return exp(gamma * log(maximum(x, 1e-300 if x.dtype.itemsize > 4 else 1e-37)))


@composed(
    signature="(n),(n)->()",
    domain=PROBABILITIES,
    keras="categorical_focal_crossentropy",
    cases=(*SAME, case((3, 4), (3, 4), from_logits=True, gamma=1.0)),
    source="Lin et al. (2017)",
)
def categorical_focal_crossentropy(
    y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """CCE weighted by alpha (1 - p)^gamma of each class.

    >>> loss = categorical_focal_crossentropy(np.array([0.0, 1.0]), np.array([0.5, 0.5]))
    >>> float(loss.round(4))
    0.0433
    """
    same_shape("categorical_focal_crossentropy", y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    log_p = log_probabilities(y_pred, from_logits, axis)
    weight = alpha * _power(1.0 - exp(log_p), gamma)
    return reduce_sum(-y_true * log_p * weight, axis=axis)

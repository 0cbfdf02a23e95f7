"""Laws of training beside the derivative: what an optimizer's step does, what a loss adds up.

A step must follow its rule for every parameter, step after step; a loss must treat samples alike.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab.calculus import flatten, unflatten
from gradlab.tape import Node

SHAPES = ((2, 3), (3,), (3,))  # two alike, which a state shared by mistake confuses


def check_optimizer_step(
    step: Callable[[Any, Any], Any],
    rule: Callable[[np.ndarray, np.ndarray, Any], tuple[np.ndarray, Any]],
    parameters: Any = None,
    gradients: Sequence[Any] | None = None,
    *,
    steps: int = 5,
    rtol: float | None = None,
    seed: int = 0,
) -> None:
    """Check that an optimizer moves every parameter as its rule says, over several steps.

    Each parameter has a state of its own, kept from step to step; gradients are only read; shapes
    and dtypes stay.

    Args:
        step: step(parameters, gradients) changes the parameters in place and returns None, or
            returns new ones. It must be fresh: with no state of earlier steps.
        rule: rule(w, g, state) returns the new w and the new state of one parameter; the state of
            the first step is None.
        parameters: arrays to start from, in a list or a dict as step expects them (or one array);
            three random ones by default.
        gradients: for each step, arrays in the same container; random by default.
        rtol: of the distance moved; by default the square root of the precision of the dtype.

    >>> velocities = {}
    >>> def step(parameters, gradients):
    ...     for i, (w, g) in enumerate(zip(parameters, gradients)):
    ...         velocities[i] = 0.9 * velocities.get(i, 0.0) - 0.1 * g
    ...         w += velocities[i]
    >>> def momentum(w, g, v):
    ...     v = 0.9 * (0.0 if v is None else v) - 0.1 * g
    ...     return w + v, v
    >>> check_optimizer_step(step, momentum)

    Raises:
        AssertionError: which step and parameter went elsewhere, and why that may be.
    """
    rng = np.random.default_rng(seed)
    tree = [rng.normal(size=shape) for shape in SHAPES] if parameters is None else parameters
    start = [np.array(w) for w in flatten(tree)]
    runs = [_Run(k, w, rule, rtol) for k, w in enumerate(start)]
    now = unflatten(tree, [w.copy() for w in start])
    for t in range(steps if gradients is None else len(gradients)):
        given = flatten(gradients[t]) if gradients else [_gradient(w, rng) for w in start]
        handed = [np.array(g) for g in given]
        returned = step(now, unflatten(tree, handed))
        now = now if returned is None else returned
        moved = flatten(now)
        if len(moved) != len(start):
            raise AssertionError(
                f"step {t + 1} returned {len(moved)} arrays for {len(start)} parameters\n"
                "expected one new array for each\n"
                "write them in a container like that of the parameters, or return nothing"
            )
        for run, w, g, after in zip(runs, moved, given, handed, strict=True):
            if not np.array_equal(g, after, equal_nan=True):
                raise AssertionError(
                    f"step {t + 1} changed the gradient of parameter {run.number}\n"
                    "expected it to be read only\nwrite g = g + ..., not g += ..."
                )
            run.follow(np.asarray(g), w, t + 1)


def _gradient(w: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    # Sizes from 0.001 to 10: only small gradients show where Adam adds its epsilon.
    g = rng.choice([-1.0, 1.0], w.shape) * 10.0 ** rng.uniform(-3, 1, w.shape)
    return np.asarray(g, w.dtype)


class _Run:
    """One parameter on its way, and where the rule wants it to be."""

    def __init__(self, number: int, w: np.ndarray, rule: Any, rtol: float | None) -> None:
        if w.dtype.kind != "f":
            raise TypeError(
                f"check_optimizer_step: parameter {number} is an array of {w.dtype}\n"
                "expected floats, which a small step can change\nwrite w.astype(float)"
            )
        self.number, self.rule, self.shape, self.dtype = number, rule, w.shape, w.dtype
        self.eps = float(np.finfo(w.dtype).eps)
        self.rtol = self.eps**0.5 if rtol is None else rtol
        self.expected, self.state = w.astype(np.float64), None
        self.last, self.bound = self.expected, np.zeros(w.shape)

    def follow(self, g: np.ndarray, moved: Any, t: int) -> None:
        w = np.asarray(moved)
        if (w.shape, w.dtype) != (self.shape, self.dtype):
            raise AssertionError(
                f"step {t} made parameter {self.number} an array of {w.dtype} and shape {w.shape}\n"
                f"expected {self.dtype} and shape {self.shape}, as it was\n"
                "write w -= update, or (w - update).astype(w.dtype)"
            )
        wanted, self.state = self.rule(self.expected, g.astype(np.float64), self.state)
        should = np.asarray(wanted) - self.expected
        self.bound = self.bound + self.rtol * np.abs(should) + 4 * self.eps * np.abs(wanted)
        wrong = ~(np.abs(w - wanted) <= self.bound)
        if wrong.any():
            place = np.unravel_index(np.argmax(wrong), wrong.shape)
            did = w - self.last
            raise AssertionError(
                f"step {t} moves parameter {self.number} by {did[place]:.6g} "
                f"at {[int(i) for i in place]}\n"
                f"expected {should[place]:.6g} by the rule\n{self._hint(did, should, t)}"
            )
        self.expected, self.last = np.asarray(wanted), np.array(w, np.float64)

    def _hint(self, did: np.ndarray, should: np.ndarray, t: int) -> str:
        if not did.any():
            return "it stays where it is: write w -= update in place, or return the new arrays"
        if self.number > 0:
            return "the parameters before it are right: has each a state of its own?"
        if t > 1:
            return "the step before was right: is the state kept, and t counted up?"
        factor = float(np.sum(did * should) / max(np.sum(should * should), 1e-300))
        if np.allclose(did, factor * should, rtol=1e-3, atol=0.0):
            away = " and up the slope" if factor < 0 else ""
            return f"everywhere {factor:.4g} times as far{away}: look at the sign and the factors"
        return "no constant factor fits: compare the terms of the update with those of the rule"


def check_loss_reduction(
    loss: Callable[..., Any],
    y_true: Any,
    y_pred: Any,
    reduction: str | None = None,
    *,
    rtol: float | None = None,
) -> None:
    """Check a loss of a batch against the losses of its samples, each taken as a batch of one.

    "none" must give exactly those, "sum" their sum, and "mean" their mean, whatever the size of the
    batch. Samples lie along the first axis.

    Args:
        loss: loss(y_true, y_pred), or with a keyword `reduction` if that is to be checked for all.
        reduction: what loss does, "mean", "sum" or "none"; by default it is told to do each.
        rtol: by default the square root of the precision of the result's dtype.

    >>> def mse(y_true, y_pred):
    ...     return np.sum((y_pred - y_true) ** 2) / 3
    >>> y = np.arange(6.0).reshape(3, 2)
    >>> check_loss_reduction(mse, y, y + 1.0, "mean")
    Traceback (most recent call last):
        ...
    AssertionError: loss of 3 samples with reduction "mean": 2
    expected 0.6666666667, the mean of the losses of batches of one
    it is 3 times as large: divide by the number of samples, once

    Raises:
        AssertionError: the two disagree, or the inputs were changed.
        ValueError: fewer than two samples, or an unknown reduction.
    """
    y_true, y_pred = np.array(y_true), np.array(y_pred)
    kinds = ("none", "sum", "mean") if reduction is None else (reduction,)
    if reduction not in (None, "none", "sum", "mean"):
        raise ValueError(
            f"check_loss_reduction: reduction={reduction!r}\n"
            'expected "mean", "sum" or "none"\nwrite one of them, or leave it out to check all'
        )
    if not y_true.ndim or not y_pred.ndim or len(y_true) != len(y_pred) or len(y_pred) < 2:
        raise ValueError(
            f"check_loss_reduction: y_true of shape {y_true.shape}, y_pred of {y_pred.shape}\n"
            "expected at least two samples along the first axis of both\n"
            "write np.stack([first, second, ...])"
        )
    results = {}
    for kind in kinds:
        call = loss if reduction else functools.partial(loss, reduction=kind)
        results[kind] = _check_reduction(call, kind, y_true, y_pred, rtol)
    if reduction is None:
        for kind, reduce in (("sum", np.sum), ("mean", np.mean)):
            source = f'the {kind} of what "none" returns'
            _compare(kind, results[kind], reduce(results["none"]), len(y_pred), source, rtol)


def _check_reduction(
    call: Callable[..., Any], kind: str, y_true: np.ndarray, y_pred: np.ndarray, rtol: float | None
) -> np.ndarray:
    before, n = (y_true.copy(), y_pred.copy()), len(y_pred)
    whole = _plain(call(y_true, y_pred))
    if not (np.array_equal(before[0], y_true) and np.array_equal(before[1], y_pred)):
        raise AssertionError(
            "loss changed y_true or y_pred\n"
            "expected both to be read only\nwrite y_pred = y_pred + ..., not y_pred += ..."
        )
    alone = [_plain(call(y_true[i : i + 1], y_pred[i : i + 1])) for i in range(n)]
    if not _fits(kind, whole, n) or not all(_fits(kind, part, 1) for part in alone):
        expected, mend = ("a single number", f"write .{kind}()")
        if kind == "none":
            expected = "one loss per sample, along the first axis"
            mend = "write mean(axis=-1), over the features alone"
        raise AssertionError(
            f'loss with reduction "{kind}" has shape {whole.shape} for {n} samples, '
            f"{alone[0].shape} for one\nexpected {expected}\n{mend}"
        )
    if kind == "none":
        _compare(kind, whole, np.concatenate(alone), n, "what each sample gives alone", rtol)
    else:
        together = np.sum(alone) if kind == "sum" else np.mean(alone)
        _compare(kind, whole, together, n, f"the {kind} of the losses of batches of one", rtol)
    return whole


def _fits(kind: str, value: np.ndarray, n: int) -> bool:
    return value.shape[:1] == (n,) if kind == "none" else value.shape == ()


def _compare(
    kind: str, found: np.ndarray, expected: Any, n: int, source: str, rtol: float | None
) -> None:
    expected = np.asarray(expected)
    share = float(np.finfo(found.dtype).eps) ** 0.5 if rtol is None else rtol
    wrong = ~(np.abs(found - expected) <= share * np.max(np.abs(expected), initial=0.0))
    if not wrong.any():
        return
    place = np.unravel_index(np.argmax(wrong), wrong.shape)
    got, wanted = float(found[place]), float(expected[place])
    where = f" at sample {int(place[0])}" if place else ""
    hint = "does a sample's loss depend on the others, or on the size of the batch?"
    if abs(got - n * wanted) <= 1e-3 * abs(got):
        hint = f"it is {n} times as large: divide by the number of samples, once"
    elif abs(n * got - wanted) <= 1e-3 * abs(wanted):
        hint = f"it is {n} times too small: do not divide by the number of samples"
    raise AssertionError(
        f'loss of {n} samples with reduction "{kind}"{where}: {got:.10g}\n'
        f"expected {wanted:.10g}, {source}\n{hint}"
    )


def _plain(value: Any) -> np.ndarray:
    found = np.asarray(value.data if isinstance(value, Node) else value)
    return found if found.dtype.kind == "f" else found.astype(float)

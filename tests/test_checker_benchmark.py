"""The checker against its benchmark: every wrong backward pass is caught, no right one accused."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gradlab.testing import gradcheck
from gradlab.testing.benchmark import (
    CHECKERS,
    CORRECT,
    PUBLISHED,
    WRONG,
    Case,
    counterexample,
    findings,
    gradlab_check,
    judges,
    named,
    rejections,
    report_of,
    searched,
    table,
)
from gradlab.testing.report import Report

FEW, MORE, MANY = range(4), range(20), range(200)

# gradcheck looks at one point; these are right nearly everywhere, and need a search.
ELSEWHERE = {
    "order of the memory assumed",
    "swish wrong below minus four",
    "relu6 without the upper kink",
    "huber never clipped",
    "abs for positive inputs only",
    "product divided by zero",
    "max gives every tie the full gradient",
}

RIGHT = list(CORRECT.values())
HERE = [case for case in WRONG.values() if case.name not in ELSEWHERE]
THERE = [case for case in WRONG.values() if case.name in ELSEWHERE]
LONG = {"order of the memory assumed", "swish wrong below minus four"}  # searches of over a second


def each(cases, slow=()):
    """One test for every case, under its name; those in `slow` run on request."""
    marks = {True: [pytest.mark.slow], False: []}
    parameters = [pytest.param(c, id=c.name, marks=marks[c.name in slow]) for c in cases]
    return pytest.mark.parametrize("case", parameters)


def assert_named(case: Case, report: Report):
    """The mistake is named; where none of the known ones was made, none is."""
    if case.diagnosis is None:
        assert report.diagnosis is None
    else:
        assert re.match(case.diagnosis, named(report) or ""), named(report)


def test_the_benchmark_is_as_large_as_it_claims():
    assert len(WRONG) >= 30 and len(CORRECT) >= 20
    assert len(THERE) == len(ELSEWHERE) and not set(WRONG) & set(CORRECT)
    single = [c for c in RIGHT if c.sample(np.random.default_rng(0))[0].dtype == np.float32]
    assert len(single) >= 5


# ------------------------------------------------------------------------------- right ones pass


@each(RIGHT)
def test_a_right_gradient_is_not_accused(case: Case):
    for seed in FEW:
        report = report_of(case, seed)
        assert report, f"seed {seed}\n{report}"


@pytest.mark.slow
@each(RIGHT)
def test_a_right_gradient_is_not_accused_in_200_seeds(case: Case):
    assert rejections(case, gradlab_check, MANY) == 0.0


@each(RIGHT)
def test_what_passes_there_is_not_just_anything(case: Case):
    def sabotaged(g, *args):
        d = case.vjp(g, *args)
        parts = d if isinstance(d, tuple) else (d,)
        return tuple((1.5 * part + 3.0).astype(part.dtype) for part in parts)

    args = case.sample(np.random.default_rng(0))
    quick = {"max_coords": 4, "directions": 1, "raise_on_error": False}
    assert not gradcheck(case.f, *args, vjp=sabotaged, **quick)


# ------------------------------------------------------------------------------ wrong ones do not


@each(HERE)
def test_a_wrong_gradient_is_rejected_and_named(case: Case):
    report = report_of(case, 0)
    assert not report
    assert_named(case, report)


@pytest.mark.slow
@each(HERE)
def test_a_wrong_gradient_is_rejected_at_every_seed_and_named_alike(case: Case):
    assert rejections(case, gradlab_check, MORE) == 100.0
    for seed in FEW:
        assert_named(case, report_of(case, seed))


@each(THERE, slow=LONG)
def test_what_is_wrong_elsewhere_is_found_and_shrunk_and_named(case: Case):
    found = counterexample(case)
    assert found is not None and found.report is not None
    assert sum(np.size(a) for a in found.args) <= 4
    assert_named(case, found.report)


@pytest.mark.slow
@each(list(WRONG.values()))
def test_every_wrong_gradient_is_found_by_the_search(case: Case):
    found = counterexample(case)
    assert found is not None
    drawn = case.sample(np.random.default_rng(0))
    assert sum(np.size(a) for a in found.args) <= sum(np.size(a) for a in drawn)


# ----------------------------------------------------------------------------------- the others

BLIND = {  # what each published algorithm passes, as its documentation lets one expect
    "torch": ("tanh too steep by half a permille", "wrong for negative cotangents"),
    "fast": ("tanh too steep by half a permille", "wrong for negative cotangents"),
    "jax64": ("relu6 without the upper kink", "gradient never cleared"),
    "jax32": ("relu6 without the upper kink", "tanh too steep by half a permille"),
    "hips": ("relu6 without the upper kink", "stale cache"),
    "chainer": ("relu6 without the upper kink", "stale cache"),
    "minitorch": ("softmax backward is zero", "wrong for negative cotangents"),
    "dezero": ("softmax backward is zero", "wrong for negative cotangents"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_ones_work_as_documented(name):
    check = PUBLISHED[name]
    assert rejections(CORRECT["take with repeats"], check, FEW) == 0.0
    assert rejections(CORRECT["cumsum reversed"], check, FEW) == 0.0
    assert rejections(WRONG["mean as if it were a sum"], check, FEW) == 100.0
    assert rejections(WRONG["bias gradient not summed"], check, FEW) == 100.0
    for missed in BLIND[name]:
        assert rejections(WRONG[missed], check, FEW) == 0.0, missed


def test_every_published_one_cries_wolf():
    hard = ("relu very near zero", "log near zero", "sparsemax on a face", "float32 relu at zero")
    for name, check in PUBLISHED.items():
        assert max(rejections(CORRECT[case], check, FEW) for case in hard) > 0.0, name


def test_the_table_has_a_column_per_checker_and_counts():
    case = WRONG["softmax backward is zero"]
    head, line, total = table([case], judges(range(2)) | {"falsify": searched}, fine=100.0)
    assert head.split() == [*CHECKERS, "falsify"] and len(head) <= 120
    assert line.split()[-10:] == [".", ".", ".", ".", ".", ".", "0", "0", ".", "."]
    assert total.split()[-10:] == ["1", "1", "1", "1", "1", "1", "0", "0", "1", "1"]
    name, diagnosis, smallest = findings([case])
    assert name == case.name and "zero" in diagnosis and "array" in smallest

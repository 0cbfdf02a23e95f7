"""Mutation testing of every rule in the table: break each in all the classic ways, one at a time.

Sign, factor, a dropped term, swapped arguments, a dropped unbroadcast: the gradient law has to kill
every mutant. The rules are found by enumeration and rewritten from their own source.
"""

from __future__ import annotations

import ast
import copy
import inspect
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from laws import ELEMENTWISE, OURS, law_gradient

from gradlab.entry import Interval
from gradlab.primitive import Primitive
from gradlab.testing import gradcheck
from gradlab.testing.strategies import Call, names

RULES = [
    (name, argument)
    for name, entry in sorted(OURS.items())
    if isinstance(entry, Primitive)
    for argument in entry.rules
]


# ------------------------------------------------------------------------------ making mutants


def rebuilt(function: types.FunctionType, tree: ast.Module) -> Any:
    """Compile a changed syntax tree in the place where the function lives."""
    space = dict(function.__globals__)
    exec(compile(ast.fix_missing_locations(tree), "<mutant>", "exec"), space)
    return space[function.__name__]


def syntax(function: types.FunctionType) -> ast.Module:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    tree.body[0].decorator_list = []  # type: ignore[attr-defined]
    return tree


def dropped_terms(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the function with one side of one sum or difference left out, for each of them."""
    sums = [
        k
        for k, node in enumerate(ast.walk(syntax(function)))
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add | ast.Sub)
        # Adding tuples or moving an index is no term of a formula.
        and not any(isinstance(part, ast.Tuple | ast.Starred) for part in ast.walk(node))
    ]
    for place in sums:
        for side in ("left", "right"):
            tree = syntax(function)
            node = list(ast.walk(tree))[place]
            kept = getattr(node, side)
            zero = ast.BinOp(ast.Constant(0.0), ast.Add(), kept)
            node.left, node.op, node.right = zero.left, zero.op, zero.right  # type: ignore
            yield (
                f"keeps only the {side} of {ast.unparse(syntax_node(function, place))}",
                rebuilt(function, tree),
            )


def syntax_node(function: types.FunctionType, place: int) -> ast.AST:
    return list(ast.walk(syntax(function)))[place]


def scaled(function: Any, factor: float) -> Any:
    def mutant(*arguments: Any) -> Any:
        return factor * function(*arguments)

    return mutant


def mutants(entry: Primitive, argument: str) -> Iterator[tuple[str, Primitive]]:
    """Yield every mutant of one rule with a word on what is wrong with it."""
    rule = entry.rules[argument]

    def with_function(function: Any) -> Primitive:
        changed, broken = copy.copy(rule), copy.copy(entry)
        changed.function = function
        broken.rules = {**entry.rules, argument: changed}
        return broken

    yield "has the wrong sign", with_function(scaled(rule.function, -1.0))
    yield "is twice too big", with_function(scaled(rule.function, 2.0))
    yield "is 1 % too big", with_function(scaled(rule.function, 1.01))
    yield "is zero", with_function(scaled(rule.function, 0.0))
    for what, function in dropped_terms(rule.function):
        yield what, with_function(function)
    for other, theirs in entry.rules.items():
        if theirs.function is not rule.function and other != argument:
            swapped = copy.copy(entry)
            swapped.rules = {**entry.rules, argument: theirs}
            yield f"is the rule of {other}", swapped


# ------------------------------------------------------------------------------ hunting them


def ordinary_calls(entry: Primitive) -> Iterator[Call]:
    """Yield calls that exercise a rule: every case; points on all sides of every kink."""
    rng = np.random.default_rng(11)
    if entry.cases:
        for case in entry.cases:
            yield Call(entry, drawn(rng, entry, case.shapes, case.parameters), case.parameters)
        return
    for others in settings(entry):
        yield Call(entry, drawn(rng, entry, [(12,)] * len(entry.differentiable), others), others)


def settings(entry: Primitive) -> list[dict[str, Any]]:
    constants: dict[str, Any] = {"condition": np.arange(12) % 2 == 0, "low": -0.5}
    given = {name: constants.get(name, 0.5) for name in entry.nondiff}
    floats = {n: 1.7 * d for n, d in entry.defaults.items() if type(d) is float}
    return [given, given | floats] if floats else [given]


def drawn(rng: Any, entry: Primitive, shapes: Any, others: dict[str, Any]) -> list[np.ndarray]:
    arrays = []
    for name, shape in zip(names(entry, others), shapes, strict=False):
        domain = entry.domain.get(name, Interval())
        low, high = max(domain.low, -4.0), min(domain.high, max(domain.low, -4.0) + 8.0)
        arrays.append(rng.uniform(low + 0.01 * (high - low), high - 0.01 * (high - low), shape))
    return arrays


def is_killed(mutant: Primitive, check: Callable[[Call], Any]) -> bool:
    """Whether the checker rejects the mutant at one of the ordinary calls."""
    for call in ordinary_calls(mutant):
        try:
            check(call)
        except Exception:  # a wrong shape, or numbers that overflow, give a mutant away as well
            return True
    return False


# Mutants that no point of the domain tells from the rule, with the reason.
EQUIVALENT = {
    ("cross_entropy", "keeps only the left of 1.0 - EPSILON"): "clips at 1 instead of 1 - 1e-7; "
    "tests/test_golden.py tells them apart, with predictions of exactly 1",
}


def by_law(call: Call) -> None:
    law_gradient(call, seed=3)


def by_gradcheck(call: Call) -> None:
    for coords in (0, 12):  # one dense direction gives most mutants away
        options = {"max_coords": coords, "directions": 1, "raise_on_error": False}
        if not gradcheck(call, *call.arrays, **options):
            raise AssertionError  # pytest's own would print the report, and so diagnose each mutant


@pytest.mark.slow
@pytest.mark.parametrize("check", [by_law, by_gradcheck])
def test_every_mutant_of_every_rule_is_killed(check, capsys):
    killed, alive = 0, []
    for name, argument in RULES:
        for what, mutant in mutants(OURS[name], argument):
            if is_killed(mutant, check):
                killed += 1
            else:
                alive.append((name, what, argument))
    with capsys.disabled():
        total = f"{killed + len(alive)} mutants of {len(RULES)} rules"
        print(f"\n{check.__name__}: {total}, {killed} killed, {len(alive)} alive")
    assert {(name, what) for name, what, _ in alive} == EQUIVALENT.keys(), alive


@pytest.mark.slow
def test_sound_rules_survive_the_hunt():
    for name in {name for name, _ in RULES}:
        for call in ordinary_calls(OURS[name]):
            law_gradient(call, seed=3)


@pytest.mark.parametrize("name", [n for n, e in ELEMENTWISE.items() if len(e.differentiable) > 1])
def test_a_dropped_unbroadcast_is_killed(name, monkeypatch):
    def keep_the_first(flow: Any, parent: Any) -> Any:
        lead = np.ndim(flow) - len(parent.shape)
        return flow if np.shape(flow) == parent.shape else flow[(0,) * lead]

    entry = OURS[name]
    others = dict.fromkeys(entry.nondiff, 0.5)
    shapes = [(4, 3)] + [(3,)] * (len(entry.differentiable) - 1)
    call = Call(entry, drawn(np.random.default_rng(5), entry, shapes, others), others)
    if name == "where":
        call.others = {"condition": np.array([False, True, False])}
    law_gradient(call, seed=3)
    monkeypatch.setattr(sys.modules["gradlab.chain_rule"], "unbroadcast", keep_the_first)
    with pytest.raises(AssertionError):
        law_gradient(call, seed=3)

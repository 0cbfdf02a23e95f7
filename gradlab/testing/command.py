"""`gradlab check student.py:MyDense`: is its gradient right? With the smallest input where not.

The shapes of the arguments are found by trying; every weight of a layer is an argument as well.
"""

from __future__ import annotations

import ast
import itertools
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import numpy as np

from gradlab.entry import Entry
from gradlab.testing.adapters import named
from gradlab.testing.counterexample import Counterexample
from gradlab.testing.gradcheck import gradcheck
from gradlab.testing.target import Target, TargetError, find_target

Shape = tuple[int, ...]

SHAPES: tuple[Shape, ...] = ((2, 3), (3, 4), (3,), (4,), (2,), ())
IMAGES: tuple[Shape, ...] = ((2, 3, 4), (2, 4, 4), (1, 4, 4, 2), (2, 3, 5, 5))
ANY: tuple[Shape, ...] = ((), (3,), (2, 3))  # what takes these takes any
MOST_INPUTS = 4  # of more, only shapes that are all alike are tried


def check(
    text: str, domain: str | None = None, examples: int = 100, shapes: str | None = None
) -> int:
    """Check what `text` names, print a report, and return the exit status.

    Args:
        text: "student.py:MyDense" or the name of a primitive.
        domain: of the inputs, such as "x > 0" or "(0, inf)".
        examples: how many inputs the search may try.
        shapes: of all arguments, "(2, 3), (3,)", or a gufunc signature.

    Returns:
        0 if the gradient is right, 1 if it is wrong or f raises inside the domain, 2 for bad input.

    >>> check("softplus", examples=5)
    softplus: a primitive of gradlab
      tried   up to 5 calls from its domain, with all its parameters
      right   every gradient agrees with the measured slopes
    0
    """
    try:
        if examples < 1:
            raise TargetError(
                f"--examples {examples}\n  expected at least one\n  write --examples 100"
            )
        target = find_target(text)
        print(f"{text}: {target.kind}")
        if isinstance(target.f, Entry):
            if domain or shapes:
                raise TargetError(
                    f"{text} has its domain and shapes in the table\n"
                    "  expected neither --domain nor --shapes\n  leave them out"
                )
            found, setup = _search_entry(target.f, target.setup, examples)
            tried = "calls from its domain, with all its parameters"
        else:
            found, tried = _search(target, domain, examples, shapes)
            setup = target.setup
    except (TargetError, ValueError, TypeError) as error:
        print(f"gradlab: {error}", file=sys.stderr)
        return 2
    print(f"  tried   up to {examples} {tried}")
    if target.unchecked:
        missing = ", ".join(target.unchecked)
        print(f"  not     {missing}: no gradient beside it, such as d{target.unchecked[0]}")
    if found is None:
        print("  right   every gradient agrees with the measured slopes")
        return 0
    print(f"  wrong   {_verdict(found)}\n")
    print(f"{setup}\n{found}")
    return 1


def _search(target: Target, domain: Any, examples: int, shapes: str | None) -> tuple[Any, str]:
    from gradlab.testing.falsify import falsify

    fitting = fitting_shapes(target) if shapes is None else _read_shapes(shapes)
    domains = domain
    if target.parameters and domain is not None:  # it speaks of the inputs, not of the weights
        inputs = len(target.names) - len(target.parameters)
        domains = (domain,) * inputs + (None,) * len(target.parameters)
    found = _at_own_weights(target, fitting, domains)
    better = falsify(target.f, target.vjp, shapes=fitting, domain=domains, max_examples=examples)
    return better or found, _in_words(target, fitting, domain)


def _at_own_weights(target: Target, fitting: Any, domains: Any) -> Counterexample | None:
    """Check one ordinary point: the layer as it is, normally distributed inputs."""
    if isinstance(fitting, str):
        return None
    fitting = fitting or ((2, 3),)
    rng = np.random.default_rng(0)
    inputs = fitting[: len(fitting) - len(target.parameters)]
    args = (*(rng.normal(size=shape) for shape in inputs), *target.parameters)
    try:
        report = gradcheck(target.f, *args, vjp=target.vjp, domain=domains, raise_on_error=False)
    except ValueError:  # the point lies outside of the domain
        return None
    return None if report else Counterexample(target.f, target.vjp, args, report)


def _search_entry(entry: Entry, setup: str, examples: int) -> tuple[Counterexample | None, str]:
    """Search the calls that the table says a primitive takes; its parameters vary as well."""
    from hypothesis import Phase, find, settings
    from hypothesis.errors import NoSuchExample

    from gradlab.testing.strategies import Call, names, op_inputs

    def checked(call: Call) -> tuple[Any, Any]:
        f = named(call, entry.name, names(entry, call.others)[: len(call.arrays)])
        return f, gradcheck(f, *call.arrays, raise_on_error=False)

    def is_wrong(call: Call) -> bool:
        # What is right here and wrong elsewhere will be found there.
        return any(problem.kind != "elsewhere" for problem in checked(call)[1].problems)

    phases = (Phase.generate, Phase.shrink)
    how = settings(max_examples=examples, phases=phases, database=None, deadline=None)
    try:
        call = find(op_inputs(entry), is_wrong, settings=how, random=Random(0))
    except NoSuchExample:
        return None, setup
    if call.others:
        setup += f"\n{entry.name} = functools.partial({entry.name}, **{call.others})"
        setup = f"import functools\n{setup}"
    f, report = checked(call)
    return Counterexample(f, None, tuple(call.arrays), report), setup


def _verdict(found: Counterexample) -> str:
    if found.report is None:
        return "f refuses an input of its domain; the smallest that was found:"
    return found.diagnosis or "the smallest input that was found:"


# ------------------------------------------------------------------------------- shapes that fit


def fitting_shapes(target: Target) -> tuple[Shape, ...] | None:
    """Return shapes of arguments that f accepts; None if it takes a single array of any shape.

    `x @ w + b` accepts three vectors, but its backward pass is written for matrices: the shapes for
    which it returns gradients that fit come first.

    Raises:
        TargetError: it accepts none of those that were tried.
    """
    weights = tuple(p.shape for p in target.parameters)
    count = len(target.names) - len(weights)
    if count == 1 and not weights and all(_refusal(target, (s,)) is None for s in ANY):
        return None
    best, most, refusal = None, -1, ""
    for inputs in _combinations(count, weights):
        shapes = (*inputs, *weights)
        why = _refusal(target, shapes)
        refusal = refusal or why or ""
        if why is None and (number := _well_shaped(target, shapes)) > most:
            best, most = shapes, number
            if number == len(shapes):
                break
    if best is not None:
        return best
    raise TargetError(
        f"it refuses every shape that was tried for {', '.join(target.names[:count])}: {refusal}\n"
        "  expected a function of arrays of floats\n"
        '  write their shapes, as in --shapes "(2, 3), (3,)"'
    )


def _combinations(count: int, weights: Sequence[Shape]) -> Iterator[tuple[Shape, ...]]:
    """Shapes of the inputs, likely ones first: with the sizes of the weights, then all alike."""
    sizes = dict.fromkeys(size for shape in weights for size in shape)
    shapes = dict.fromkeys([*((2, size) for size in sizes), *SHAPES, *IMAGES])
    yield from ((shape,) * count for shape in shapes)
    if 1 < count <= MOST_INPUTS:
        yield from itertools.product(SHAPES, repeat=count)


def _refusal(target: Target, shapes: Sequence[Shape]) -> str | None:
    """What f says of arrays of these shapes; None if it accepts them."""
    try:
        y = _tried(target.f, *_example(shapes))
    except Exception as error:
        return f"{type(error).__name__}: {(str(error) or 'no message').splitlines()[0]}"
    return "it returns nothing" if y is None else None


def _well_shaped(target: Target, shapes: Sequence[Shape]) -> int:
    """How many gradients have the shape of their argument: all, if f is meant for these shapes."""
    if target.vjp is None:
        return len(shapes)
    args = _example(shapes)
    try:
        found = _tried(target.vjp, np.asarray(_tried(target.f, *args)), *args)
    except Exception:
        return 0
    gradients = found if isinstance(found, tuple | list) else [found]
    return sum(np.shape(d) == np.shape(a) for d, a in zip(gradients, args, strict=False))


def _example(shapes: Sequence[Shape]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.uniform(0.1, 0.9, shape) for shape in shapes]


def _tried(f: Callable[..., Any], *args: Any) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return f(*args)


def _read_shapes(text: str) -> Any:
    if "->" in text:
        return text
    try:
        shapes = ast.literal_eval(text.strip())
        shapes = (shapes,) if all(isinstance(part, int) for part in shapes) else tuple(shapes)
        if all(isinstance(n, int) and n >= 0 for shape in shapes for n in shape):
            return shapes
    except (ValueError, SyntaxError, TypeError):
        pass
    raise TargetError(
        f"--shapes {text!r}\n  expected the shape of every argument, weights included\n"
        '  write "(2, 3), (3,)" or a signature like "(m,k),(k,n)->(m,n)"'
    )


def _in_words(target: Target, shapes: Any, domain: str | None) -> str:
    where = f", with {domain}" if domain else ""
    if shapes is None:
        return f"arrays {target.names[0]} of any shape{where}"
    if isinstance(shapes, str):
        return f"inputs of shapes {shapes}{where}"
    pairs = zip(target.names, shapes, strict=False)
    return f"inputs {', '.join(f'{name} {shape}' for name, shape in pairs)}{where}"

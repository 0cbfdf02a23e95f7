"""Where a function may be evaluated: text, interval or predicate, all made a test of an array.

A declared domain is never left: not by the steps of a measurement, nor by a search.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.entry import Interval


def domains_of(domain: Any, count: int) -> tuple[Any, ...]:
    """One domain per differentiated argument, from a domain for all or a tuple of one for each."""
    each = domain if isinstance(domain, tuple | list) else [domain] * count
    if len(each) != count:
        raise ValueError(
            f"gradcheck: {len(each)} domains for {count} differentiated argument(s)\n"
            'expected one for all, or one for each\nwrite domain=("x > 0", None)'
        )
    return tuple(each)


def inside(domain: Any) -> Callable[[Any], bool]:
    """A domain as a test of a whole array.

    It may be a predicate, its text ("x > 0"), an Interval or the text of one ("(0, inf)").

    >>> inside("(0, inf)")(np.array([1.0, 2.0])), inside("x != 0")(np.array([1.0, 0.0]))
    (True, False)
    """
    if domain is None:
        return _anywhere
    if isinstance(domain, str):
        domain = from_text(domain)

    def holds(x: Any) -> bool:
        if isinstance(domain, Interval):
            return all(float(e) in domain for e in np.ravel(x))
        with np.errstate(all="ignore"):
            return bool(np.all(domain(np.asarray(x))))

    return holds


def _anywhere(x: Any) -> bool:
    return True


def from_text(text: str) -> Any:
    """An Interval, or a predicate on arrays, from its text.

    Raises:
        ValueError: neither an interval nor a Python expression.
    """
    if text.strip()[:1] in "([" and "x" not in text:
        return Interval.parse(text.strip())
    try:
        code = compile(text, "domain", "eval")
    except SyntaxError:
        raise ValueError(
            f"domain={text!r} is neither an interval nor an expression in x\n"
            'expected the set of points where f may be evaluated\nwrite "x > 0" or "(0, inf)"'
        ) from None

    def predicate(x: Any) -> Any:
        return eval(code, {"np": np, "abs": np.abs}, {"x": x})

    return predicate

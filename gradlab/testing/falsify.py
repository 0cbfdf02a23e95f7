"""falsify: search for an input at which a gradient is wrong, and shrink it to the smallest.

One point proves little: a rule can be right on all of N(0, 1) and wrong beyond 6. Hypothesis tries
kinks, ties, odd shapes and far numbers, and climbs to where the gradient fits worst.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradlab.testing.counterexample import Counterexample


def falsify(
    f: Callable[..., Any],
    vjp: Callable[..., Any] | None = None,
    *,
    shapes: Any = None,
    domain: Any = None,
    kinks: Sequence[float] = (),
    dtype: Any = "float64",
    max_examples: int = 100,
    seed: int = 0,
) -> Counterexample | None:
    """Return the smallest input at which the gradient of f is found wrong, None if there is none.

    Every input goes through `gradcheck`; the search climbs towards large relative errors. Shapes
    that f or vjp refuses for all numbers are passed over. If no gradient is wrong, but f raises at
    some numbers, the smallest of these comes back as a question: does the domain end there?

    Args:
        f: written for gradlab, or any function on NumPy arrays whose backward pass is given.
        vjp: vjp(g, *args) returns the gradient, or a tuple of one per argument.
        shapes: None for one array of any shape, a tuple of shapes, or a gufunc signature such as
            "(n,m),(m)->(n)", which names the axes that must agree.
        domain: where f may be evaluated, as in `gradcheck`; a tuple has one for each argument.
        kinks: numbers to search at and beside; the slope may jump there.
        dtype: of the arrays, a floating one.
        max_examples: how many inputs to try.
        seed: the same seed gives the same search.

    >>> import numpy as np
    >>> def relu6(x):
    ...     return np.clip(x, 0.0, 6.0)
    >>> def backward(g, x):
    ...     return g * (x > 0.0)
    >>> found = falsify(relu6, backward)
    >>> found.args
    (array(7.),)
    >>> def mended(g, x):
    ...     return g * ((x > 0.0) & (x < 6.0))
    >>> falsify(relu6, mended) is None
    True

    Raises:
        TypeError, ValueError: as in `gradcheck`; also if f refuses every input, and for shapes
            and domains that cannot be read.
    """
    from gradlab.testing import search  # Hypothesis comes with it, and takes a while

    drawn = search.arguments(f, vjp, shapes, domain, kinks, dtype)
    return search.Search(f, vjp, domain, seed).run(drawn, max_examples)


def gradient_property(
    f: Callable[..., Any], vjp: Callable[..., Any] | None = None, **options: Any
) -> Callable[[Callable[..., Any]], Callable[[], None]]:
    """Make a test of a function: pytest calls it, Hypothesis searches as in `falsify`.

    The decorated function is called with every input that was drawn, after the gradient has been
    found right there, and may assert more of it. It is an ordinary Hypothesis test: the number of
    examples, the seed and the database of failures are those of your profile.

    >>> import numpy as np
    >>> @gradient_property(np.sinh, lambda g, x: g * np.cosh(x), domain="abs(x) < 50")
    ... def test_sinh(x):
    ...     assert np.sinh(-x).tolist() == (-np.sinh(x)).tolist()
    >>> test_sinh()

    Args:
        f: the function.
        vjp: its backward pass; none if it is written for gradlab.
        **options: shapes, domain, kinks, dtype and max_examples, as in `falsify`.

    Raises:
        GradientError: from the test, with the counterexample as its text.
    """
    from gradlab.testing import search

    return search.property_of(f, vjp, options)

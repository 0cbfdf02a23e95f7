"""The benchmark of gradient checkers: which of them finds which mistake, and which cry wolf.

    python -m gradlab.testing.benchmark

Each case is a function of NumPy arrays with its backward pass: the wrong ones are mistakes people
make, the right ones stand at kinks, at edges of domains, or in float32.
"""

# The modules of cases enter them in WRONG and CORRECT when they are imported.
from gradlab.testing.benchmark import (
    right_kinks,  # noqa: F401
    right_numbers,  # noqa: F401
    wrong_formulas,  # noqa: F401
    wrong_sometimes,  # noqa: F401
)
from gradlab.testing.benchmark.cases import CORRECT, WRONG, Case
from gradlab.testing.benchmark.published import PUBLISHED
from gradlab.testing.benchmark.tables import (
    CHECKERS,
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

__all__ = [
    "CHECKERS",
    "CORRECT",
    "PUBLISHED",
    "WRONG",
    "Case",
    "counterexample",
    "findings",
    "gradlab_check",
    "judges",
    "named",
    "rejections",
    "report_of",
    "searched",
    "table",
]

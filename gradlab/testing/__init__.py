"""Checking gradients: is this backward pass right, where is it wrong, and what is the mistake?

`gradcheck` looks at one point, `falsify` searches for a point where the gradient is wrong. Slopes
are measured from the values of a function alone, with a bound on the error of the measurement.
"""

from gradlab.testing.adapters import Pair, as_vjp
from gradlab.testing.counterexample import Counterexample, FalsifiedError
from gradlab.testing.falsify import falsify, gradient_property
from gradlab.testing.frameworks import jax_function, keras_layer, torch_function, torch_module
from gradlab.testing.gradcheck import gradcheck
from gradlab.testing.ladder import Estimate
from gradlab.testing.numeric import Mismatch, check_vjp, random_cotangent
from gradlab.testing.report import GradientError, Report
from gradlab.testing.slopes import Slopes, directional, one_sided
from gradlab.testing.steps import check_loss_reduction, check_optimizer_step

__all__ = [
    "Counterexample",
    "Estimate",
    "FalsifiedError",
    "GradientError",
    "Mismatch",
    "Pair",
    "Report",
    "Slopes",
    "as_vjp",
    "check_loss_reduction",
    "check_optimizer_step",
    "check_vjp",
    "directional",
    "falsify",
    "gradcheck",
    "gradient_property",
    "jax_function",
    "keras_layer",
    "one_sided",
    "random_cotangent",
    "torch_function",
    "torch_module",
]

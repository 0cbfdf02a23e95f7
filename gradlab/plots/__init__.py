"""Plots that a lecture needs, each with one call: activations, boundaries, curves, networks.

Every call returns its Axes, takes ``ax=`` to draw on yours, and changes no setting of Matplotlib.
"""

from gradlab.plots.confusion import confusion_matrix
from gradlab.plots.diagram import network
from gradlab.plots.functions import activation, functions_and_slopes
from gradlab.plots.images import filters
from gradlab.plots.plane import decision_boundary, surface
from gradlab.plots.rates import learning_rate_points, loss_against_learning_rate
from gradlab.plots.training import learning_curves

__all__ = [
    "activation",
    "confusion_matrix",
    "decision_boundary",
    "filters",
    "functions_and_slopes",
    "learning_curves",
    "learning_rate_points",
    "loss_against_learning_rate",
    "network",
    "surface",
]

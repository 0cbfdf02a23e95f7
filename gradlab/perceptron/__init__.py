"""Threshold units and the first rule that made them learn, with a proof of what they can learn.

A TLU draws one straight line; Rosenblatt's rule finds that line by correcting mistakes and stops,
provably, if there is one. If there is none, `separability` shows the rows that stand in the way.
No gradient is used: the slope of a step is zero everywhere and says nothing about the weights.

Read in this order: units, learning, verdict; the other files serve these three.
Source: deck 001, section 10.1.3; Rosenblatt (1958); Novikoff (1962).
"""

from gradlab.perceptron.learning import Perceptron
from gradlab.perceptron.units import TLU, add_bias_feature
from gradlab.perceptron.verdict import Separability, convergence_bound, separability

__all__ = [
    "TLU",
    "Perceptron",
    "Separability",
    "add_bias_feature",
    "convergence_bound",
    "separability",
]

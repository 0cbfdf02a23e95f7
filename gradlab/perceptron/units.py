"""Threshold units with weights that you choose: add up the inputs, compare with zero, say 0 or 1.

A TLU draws one straight line, a layer of them one line per unit. Nothing here learns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.ops.activations import sign, step
from gradlab.perceptron.checks import read_rows

STEP_FUNCTIONS: dict[str, Callable[..., Any]] = {"step": step, "sign": sign}


class TLU:
    """Threshold logic unit with weights you choose: ``step(w.x + b)``; several make a layer.

    The layer computes ``h(X) = phi(X W + b)``. weights: (features,) for one unit, (features,
    outputs) for a layer; bias: a number, or (outputs,). activation: "step" (Heaviside, H(0) = 1),
    "sign", or any function of an array. Called with one row (features,) or with many (rows,
    features). Source: deck 001, "Threshold Logic Unit" and "Perceptron Computation".

    >>> and_gate = TLU([1, 1], bias=-1.5)
    >>> and_gate([1, 1]), and_gate([1, 0])
    (1.0, 0.0)
    >>> and_and_or = TLU([[1, 1], [1, 1]], bias=[-1.5, -0.5])
    >>> and_and_or([[0, 0], [0, 1], [1, 1]])
    array([[0., 0.],
           [0., 1.],
           [1., 1.]])

    Raises:
        ValueError: weights, bias or input with the wrong shape, or an unknown activation name.
    """

    def __init__(
        self, weights: Any, bias: Any = 0.0, activation: str | Callable[..., Any] = "step"
    ) -> None:
        self.W = np.array(weights, dtype=np.float64)
        self.b = np.array(bias, dtype=np.float64)
        phi = STEP_FUNCTIONS.get(activation) if isinstance(activation, str) else activation
        if phi is None:
            raise ValueError(
                f"activation={activation!r} is not a step function\n"
                f"expected one of {sorted(STEP_FUNCTIONS)}, or a function of an array\n"
                'write TLU(weights, bias, activation="step")'
            )
        self.phi = phi
        if self.W.ndim not in (1, 2) or self.b.shape not in ((), self.W.shape[1:]):
            raise ValueError(
                f"weights of shape {self.W.shape} with a bias of shape {self.b.shape}\n"
                "expected weights (features,) and one bias, or (features, outputs) and (outputs,)\n"
                "write one weight per input: TLU([1, 1], bias=-1.5)"
            )

    def z(self, X: Any) -> Any:
        """The weighted sums ``z = X W + b``, before the step.

        >>> TLU([1, 1], bias=-1.5).z([1, 0])
        np.float64(-0.5)
        """
        X = np.asarray(X, dtype=np.float64)
        if X.ndim not in (1, 2) or X.shape[-1] != len(self.W):
            raise ValueError(
                f"input of shape {X.shape} for a TLU with {len(self.W)} weights per unit\n"
                f"expected one row ({len(self.W)},) or many (rows, {len(self.W)})\n"
                "write one number per weight; if the bias is a feature, use add_bias_feature(X)"
            )
        return X @ self.W + self.b

    def __call__(self, X: Any) -> Any:
        y = self.phi(self.z(X))
        return y if isinstance(y, np.ndarray) and y.ndim else float(y)

    def __repr__(self) -> str:
        name = getattr(self.phi, "name", None) or getattr(self.phi, "__name__", repr(self.phi))
        return f"TLU(weights={self.W.tolist()}, bias={self.b.tolist()}, activation={name})"


def add_bias_feature(X: Any) -> np.ndarray:
    """Put ``x_0 = 1`` before the features: (rows, features) -> (rows, 1 + features), float64.

    With it the bias is one more weight, ``w.x + b = w_0 x_0 + w_1 x_1 + ...`` with ``w_0 = b``, and
    Rosenblatt's rule for w contains the one for b. Source: deck 001, "Single TLU".

    >>> add_bias_feature([[5.0, 7.0]])
    array([[1., 5., 7.]])
    """
    X = read_rows(X)
    return np.hstack([np.ones((len(X), 1)), X])

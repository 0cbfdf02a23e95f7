"""An optimizer's step as one pass over all weights, which lie in one flat array.

Adam in NumPy reads and writes a dozen temporary arrays of the size of the model; here weight,
gradient and memory of each number are read once, and written once.

The rules are those of `gradlab.keras.optimizers`, number by number. Averages that have faded below
the smallest normal number become 0: such numbers hardly move a weight, but on many processors they
make every operation they meet a hundred times slower.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradlab.kernels import generated
from gradlab.kernels.approximations import SMALLEST_NORMAL
from gradlab.kernels.elementwise import Fused, Step


def flushed(x: float) -> float:
    """Return 0 for a number too small to have all its digits, x otherwise."""
    return 0.0 if abs(x) < SMALLEST_NORMAL else x


def decayed(w: float, decay: float) -> float:
    """A weight loses this share of itself."""
    return w - decay * w


def descended(w: float, g: float, rate: float) -> float:
    """Gradient descent."""
    return w - rate * g


def rolled(v: float, g: float, rate: float, momentum: float) -> float:
    """The velocity of a heavy ball."""
    return flushed(momentum * v - rate * g)


def moved(w: float, v: float) -> float:
    """A weight that moves with its velocity."""
    return w + v


def moved_ahead(w: float, v: float, g: float, rate: float, momentum: float) -> float:
    """Nesterov: the velocity corrected where it leads to."""
    return w + (momentum * v - rate * g)


def squared(g: float) -> float:
    """The square of a gradient."""
    return g * g


def summed(a: float, g: float) -> float:
    """The sum of all squared gradients."""
    return flushed(a + g * g)


def mixed(m: float, x: float, keep: float, share: float) -> float:
    """A moving average, as a sum of two shares."""
    return flushed(m * keep + share * x)


def followed(m: float, x: float, share: float) -> float:
    """A moving average, as a step towards the new number."""
    return flushed(m + share * (x - m))


def variance(v: float, m: float) -> float:
    """The mean square without the square of the mean."""
    return v - m * m


def scaled(g: float, spread: float, rate: float, epsilon: float) -> float:
    """The step of Adagrad and RMSprop."""
    return rate * g / math.sqrt(spread + epsilon)


def pushed(ball: float, step: float, momentum: float) -> float:
    """The heavy ball of RMSprop."""
    return flushed(ball * momentum + step)


def less(w: float, step: float) -> float:
    """A weight minus its step."""
    return w - step


def adams(w: float, m: float, v: float, alpha: float, epsilon: float) -> float:
    """The step of Adam."""
    return w - alpha * m / (math.sqrt(v) + epsilon)


def most(a: float, b: float) -> float:
    """The larger of two averages, for AMSGrad."""
    return max(a, b)


def norm(u: float, g: float, keep: float) -> float:
    """Adamax: the largest recent gradient, fading."""
    return flushed(max(keep * u, abs(g)))


def adamaxs(w: float, m: float, u: float, alpha: float, epsilon: float) -> float:
    """The step of Adamax."""
    return w - alpha * m / (u + epsilon)


def adadeltas(g: float, a: float, s: float, epsilon: float) -> float:
    """The step of Adadelta, before the learning rate."""
    return g * math.sqrt(s + epsilon) / math.sqrt(a + epsilon)


def lions(w: float, m: float, g: float, rate: float, keep: float, share: float) -> float:
    """The step of Lion: all weights by the same distance."""
    x = keep * m + share * g
    return w - rate * (1.0 if x > 0.0 else (-1.0 if x < 0.0 else 0.0))


class Update(NamedTuple):
    """How one optimizer moves a weight.

    memory: names of its state, and the optimizer's attribute that holds it.
    steps: what happens to "w" and the state, from the gradient "g" and the numbers.
    numbers: the numbers of the step that is being made, from the optimizer and the number type.
    """

    memory: dict[str, str]
    steps: list[Step]
    numbers: Callable[[Any, Any], dict[str, Any]]


def _shares(optimizer: Any) -> dict[str, Any]:
    """1 - beta is taken in float64: of 1 - 0.999, float32 would lose three digits."""
    names = {"rho": "", "beta_1": "_1", "beta_2": "_2"}
    found = {suffix: getattr(optimizer, n) for n, suffix in names.items() if hasattr(optimizer, n)}
    keeps = {f"keep{suffix}": beta for suffix, beta in found.items()}
    return keeps | {f"share{suffix}": 1.0 - beta for suffix, beta in found.items()}


def _plain(optimizer: Any, number: Any) -> dict[str, Any]:
    own = {n: getattr(optimizer, n) for n in ("momentum", "epsilon") if hasattr(optimizer, n)}
    return {"rate": number(float(optimizer.learning_rate)), **own, **_shares(optimizer)}


def _adam(optimizer: Any, number: Any) -> dict[str, Any]:
    numbers, t = _plain(optimizer, number), optimizer.t
    alpha = numbers["rate"] * np.sqrt(1.0 - number(optimizer.beta_2) ** t)
    return {**numbers, "alpha": alpha / (1.0 - number(optimizer.beta_1) ** t)}


def _adamax(optimizer: Any, number: Any) -> dict[str, Any]:
    numbers = _plain(optimizer, number)
    alpha = numbers["rate"] / (1.0 - number(optimizer.beta_1) ** optimizer.t)
    return {**numbers, "alpha": alpha}


def _sgd(o: Any) -> Update:
    if not o.momentum:
        return Update({}, [("w", descended, ["w", "g", "rate"])], _plain)
    roll: Step = ("v", rolled, ["v", "g", "rate", "momentum"])
    ahead: Step = ("w", moved_ahead, ["w", "v", "g", "rate", "momentum"])
    return Update({"v": "momentums"}, [roll, ahead if o.nesterov else ("w", moved, "wv")], _plain)


def _adagrad(o: Any) -> Update:
    step: Step = ("step", scaled, ["g", "a", "rate", "epsilon"])
    return Update(
        {"a": "accumulators"}, [("a", summed, "ag"), step, ("w", less, ["w", "step"])], _plain
    )


def _rmsprop(o: Any) -> Update:
    memory = {"v": "velocities"}
    steps: list[Step] = [("x", squared, ["g"]), ("v", mixed, ["v", "x", "keep", "share"])]
    if o.centered:
        memory["m"] = "mean_gradients"
        steps += [("m", mixed, ["m", "g", "keep", "share"]), ("spread", variance, "vm")]
    spread = "spread" if o.centered else "v"
    steps += [("step", scaled, ["g", spread, "rate", "epsilon"])]
    if o.momentum:
        memory["ball"] = "momentums"
        steps += [("ball", pushed, ["ball", "step", "momentum"])]
    return Update(memory, [*steps, ("w", less, ["w", "ball" if o.momentum else "step"])], _plain)


def _adadelta(o: Any) -> Update:
    steps: list[Step] = [
        ("x", squared, ["g"]),
        ("a", mixed, ["a", "x", "keep", "share"]),
        ("d", adadeltas, ["g", "a", "s", "epsilon"]),
        ("xd", squared, ["d"]),
        ("s", mixed, ["s", "xd", "keep", "share"]),
        ("w", descended, ["w", "d", "rate"]),
    ]
    return Update({"a": "gradients", "s": "steps"}, steps, _plain)


def _adams(o: Any) -> Update:
    memory = {"m": "momentums", "v": "velocities"}
    steps: list[Step] = [
        ("m", followed, ["m", "g", "share_1"]),
        ("x", squared, ["g"]),
        ("v", followed, ["v", "x", "share_2"]),
    ]
    if o.amsgrad:
        memory["top"] = "velocity_hats"
        steps += [("top", most, ["top", "v"])]
    spread = "top" if o.amsgrad else "v"
    return Update(memory, [*steps, ("w", adams, ["w", "m", spread, "alpha", "epsilon"])], _adam)


def _adamaxs(o: Any) -> Update:
    steps: list[Step] = [
        ("m", followed, ["m", "g", "share_1"]),
        ("u", norm, ["u", "g", "keep_2"]),
        ("w", adamaxs, ["w", "m", "u", "alpha", "epsilon"]),
    ]
    return Update({"m": "momentums", "u": "norms"}, steps, _adamax)


def _lion(o: Any) -> Update:
    steps: list[Step] = [
        ("w", lions, ["w", "m", "g", "rate", "keep_1", "share_1"]),
        ("m", mixed, ["m", "g", "keep_2", "share_2"]),
    ]
    return Update({"m": "momentums"}, steps, _plain)


RULES: dict[str, Callable[[Any], Update]] = {
    "SGD": _sgd,
    "Lion": _lion,
    "Adagrad": _adagrad,
    "RMSprop": _rmsprop,
    "Adadelta": _adadelta,
    "Adam": _adams,
    "AdamW": _adams,
    "Adamax": _adamaxs,
}


def rule_of(optimizer: Any) -> Update | None:
    """Return how this optimizer moves a weight; None for others, and for your own."""
    kind = type(optimizer)
    known = kind.__module__.startswith("gradlab.keras.optimizers.") and kind.__name__ in RULES
    return RULES[kind.__name__](optimizer) if known else None


def bind(
    optimizer: Any, w: np.ndarray, g: np.ndarray, memory: Sequence[np.ndarray], decay: bool = False
) -> Callable[[], None] | None:
    """Return a call that makes one step of all weights, in one pass.

    None for an optimizer without a rule here, and without Numba: then it is done array by array.

    The call reads the optimizer's learning rate and step count anew each time. It decays and
    updates the weights; clipping, averages, constraints and counting stay with the optimizer.

    Args:
        optimizer: one of gradlab.keras.optimizers.
        w: all weights, (n,), float32 or float64; changed in place.
        g: their gradients, (n,); only read.
        memory: the state in the order of ``rule_of(optimizer).memory``, (n,) each; changed in
            place.
        decay: whether these weights decay by the optimizer's ``weight_decay``.
    """
    rule = rule_of(optimizer)
    if rule is None or not generated.available():
        return None
    steps, real = rule.steps, w.dtype.type
    if decay:
        steps = [("w", decayed, ["w", "decay"]), *steps]
    fused = Fused(steps, ["w", *rule.memory])
    arrays = dict(zip(["w", *rule.memory], [w, *memory], strict=True))
    held = {n: np.zeros((), w.dtype) for n in fused.inputs if n not in {*arrays, "g"}}
    run = fused.bind({"g": g, **arrays, **held}, arrays)
    return functools.partial(_step, optimizer, rule, real, held, run)


def _step(
    optimizer: Any, rule: Update, real: Any, held: dict[str, np.ndarray], run: Callable[[], None]
) -> None:
    now = rule.numbers(optimizer, real)
    if "decay" in held:
        now["decay"] = float(optimizer.learning_rate) * optimizer.weight_decay
    for name, array in held.items():
        array[...] = now[name]
    run()

"""A model's step as a program: forward, loss and backward pass, recorded once per shape of batch.

`gradlab.program` records what the layers and losses compute; nothing is said here a second time.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradlab import tape
from gradlab.keras import checks, masks
from gradlab.keras.compiled import per_output, value
from gradlab.keras.flat import flat_update
from gradlab.keras.graph import leaves, mapped
from gradlab.keras.losses.base import BATCH_MEAN, Loss, floats, reduce_values
from gradlab.keras.optimizers.descent import SGD
from gradlab.kernels import generated, products
from gradlab.kernels.threads import Choice
from gradlab.program.function import PROGRAMS_KEPT, notice, reason, record
from gradlab.program.lines import Slot
from gradlab.program.run import Program
from gradlab.program.seal import Escape
from gradlab.program.trace import Refused, Traced

# So many steps, or updates of a single weight, and the kernels that Numba compiles save more time
# than they take to load.
WORTH_COMPILING, WEIGHTS_WORTH_COMPILING = 1000, 2e8
SETTINGS = frozenset({type(None), bool, int, float, str})


class CompiledStep:
    """One step of a model, run as a program where it can be recorded.

    ``step(x, y, sample_weight)`` computes a batch. It returns None where the tape has to: for a
    model whose weights do not exist yet, and, after one notice, for one that cannot be recorded.

    Args:
        model: a compiled model.
        kind: "train", "test" (no gradients) or "predict" (no loss).

    Attributes:
        programs: one for each shape of batch; ``print`` shows them.
        reason: why the model cannot be recorded, or None.
    """

    def __init__(self, model: Any, kind: str = "train") -> None:
        self.model, self.kind = model, kind
        self.programs: dict[Any, _Step] = {}
        self.reason: str | None = None
        self._in_a_pass = self._held = self._compiled = False
        self._choice: Choice | None = None  # of how many threads; Numba knows how many there are
        self._settings: tuple[Any, ...] = ()
        self._latest: dict[Any, _Step] = {}  # by shapes alone, while the settings are held
        self._recorded = 0
        self._failed_at: float | None = None

    def __reduce__(self) -> Any:  # a copy of the model records for itself
        return CompiledStep, (self.model, self.kind)

    def worth_compiling(self, steps: int) -> bool:
        """Tell whether so many steps run faster with kernels that Numba compiles."""
        updates = steps * sum(w.size for w in self.model.weights)
        pays = steps >= WORTH_COMPILING or updates >= WEIGHTS_WORTH_COMPILING
        return pays and generated.available() and self.reason is None

    @contextlib.contextmanager
    def one_pass(self, steps: int) -> Iterator[None]:
        """Go through many batches: the settings of layers and losses are looked up only once.

        Args:
            steps: how many batches there are, all passes together; many pay for compiled kernels.
        """
        self._in_a_pass, self._compiled = True, self.worth_compiling(steps)
        if self._compiled:
            self._choice = self._choice or Choice(products.most_threads())
            self._choice.measure()
        try:
            yield
        finally:
            self._in_a_pass = self._held = self._compiled = False

    def _look(self) -> None:
        """Look up what the model consists of, and the numbers and names its parts were given."""
        self._latest = {}
        layers = [layer for layer, _ in self.model._walk()]
        losses = [] if self.kind == "predict" else self.model._losses.each or []
        owners = [owner for owner in (*layers, *losses) if owner is not None]
        values = [v for owner in owners for v in vars(owner).values() if type(v) in SETTINGS]
        self._settings = (*values, *(w.serial for w in self.model.weights))

    def __call__(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Return the outputs for a batch; its loss is counted, and in training the weights learn.

        Outputs of training and tests are the program's own memory, good until the next call.
        """
        if self.reason is not None:
            return None
        if not self._held:
            if not self._ready():
                return None
            self._look()
            self._held = self._in_a_pass
        flat = [self.model._to_floats(a) for a in leaves(x)]
        if self.kind != "predict":
            flat += self._targets(y, sample_weight)
        shapes = (self._compiled, *[None if a is None else (a.shape, a.dtype) for a in flat])
        step = self._latest.get(shapes)
        if step is None or not step.program.still_holds():
            step = self._found((*shapes, *self._settings), self._structured(x, flat))
            if step is None:
                return None
            self._latest[shapes] = step
        return self._run(step, flat)

    def _found(self, key: Any, args: tuple[Any, ...]) -> _Step | None:
        step = self.programs.get(key)
        return step if step is not None and step.program.still_holds() else self._record(args, key)

    def _ready(self) -> bool:
        """Tell whether all weights exist, and each loss has its output."""
        if not all(layer.built for layer, _ in self.model._walk()):
            return False
        if self.kind == "predict":
            return True
        if names := getattr(self.model, "output_names", None):
            self.model._losses.match(names)
        return self.model._losses.names is not None

    def _targets(self, y: Any, sample_weight: Any) -> list[Any]:
        """Return as arrays the targets of all outputs, then their weights; None for what lacks."""
        losses = self.model._losses
        targets = [
            None if loss is None or t is None else loss.targets(t)
            for loss, t in zip(losses.each, per_output(y, losses.names, "y"), strict=True)
        ]
        weights = per_output(sample_weight, losses.names, "sample_weight")
        return targets + [None if w is None else np.asarray(w) for w in weights]

    def _structured(self, x: Any, flat: list[Any]) -> tuple[Any, ...]:
        """Return the arrays of a batch as `_Body.step` takes them: x, targets, weights."""
        arrays = iter(flat)
        x, rest = mapped(lambda _: next(arrays), x), list(arrays)
        half = len(rest) // 2
        return (x,) if self.kind == "predict" else (x, rest[:half], rest[half:])

    def _record(self, args: tuple[Any, ...], key: Any) -> _Step | None:
        self._recorded += 1
        try:
            if self._recorded > 4 * PROGRAMS_KEPT:
                raise Escape("its settings, or the shapes of its batches, change all the time")
            step = _Step(self.model, self.kind, args, self._compiled)
        except Refused:
            return None  # the tape tells what is wrong with this batch
        except (Exception, Escape) as error:
            # It may be a mistake in this batch, or in a model that never took a step, and the tape
            # will tell; if it had nothing to say against the batch before, the recording fails.
            before, self._failed_at = self._failed_at, self._done()
            first = self.kind == "train" and not self.model.optimizer.built
            if first or (not isinstance(error, Escape) and before in (None, self._failed_at)):
                return None
            self.reason = reason(error)
            self.programs.clear()
            notice(self.model.name, self.reason)
            return None
        if self.kind == "train" and not self.model.optimizer.built:
            self.model.optimizer.build(step.weights)  # now that the arrays of the example are gone
        while len(self.programs) >= PROGRAMS_KEPT:
            del self.programs[next(iter(self.programs))]
        self.programs[key] = step
        return step

    def _done(self) -> float:
        """Return a number that grows with each batch that has been computed."""
        model = self.model
        if self.kind == "train":
            return int(model.optimizer.iterations.data)
        return model._mean_loss.count.item() if self.kind == "test" else self._recorded

    def _run(self, step: _Step, flat: list[Any]) -> Any:
        given = [a for a in flat if a is not None]
        if step.descends:
            given.append(float(self.model.optimizer.learning_rate))
        found = self._timed(step.program, given) if step.program.shares else step.program(*given)
        if self.kind == "predict":
            return mapped(np.array, found)
        (loss, parts, outputs), model = found, self.model
        if parts:
            for mean, part, y in zip(model._losses.means, parts, leaves(outputs), strict=False):
                mean.add(part, len(y))
        model._mean_loss.add(loss, len(flat[0]))
        if step.descends:
            model.optimizer.iterations.data[()] += 1
        elif self.kind == "train":
            step.update(model.optimizer)
        return outputs

    def _timed(self, program: Program, given: list[Any]) -> Any:
        """Run a program with one thread or more, whichever has been faster."""
        assert self._choice is not None  # only compiled programs share
        program.threads, start = self._choice.threads, time.perf_counter()
        found = program(*given)
        self._choice.took(time.perf_counter() - start)
        return found

    def __str__(self) -> str:
        return "\n\n".join(str(step.program) for step in self.programs.values())


class _Step:
    """The program of a model for one shape of batch, and where it leaves the gradients.

    All gradients lie one after the other in one array, each in the shape of its weight.
    """

    def __init__(self, model: Any, kind: str, args: tuple[Any, ...], compiled: bool) -> None:
        self.weights = model.trainable_weights
        trained = {id(w) for w in self.weights}
        fixed = [w for w in model.weights if id(w) not in trained]
        body = _Body(model, kind, self.weights)
        try:
            trace, inputs, (result, gradients) = record(body.step, args, self.weights, fixed)
        finally:
            for layer, _ in model._walk():
                layer._penalties = []
        for layer, _ in model._walk():
            if any(isinstance(part, Traced) for part in leaves(list(vars(layer).values()))):
                raise Escape(f"{layer.name} keeps an array of the step, to be looked at later")
        self.descends = kind == "train" and _is_plain_descent(model.optimizer, self.weights)
        self.descends &= all(isinstance(slot, Slot) for slot in gradients)
        self.flat = np.empty(0 if self.descends else self._nbytes(), np.uint8)
        self.gradients: list[Any] = []
        into, descent = [], []
        if self.descends:
            weights = map(trace.slot_of_leaf, self.weights)
            descent = list(zip(gradients, weights, strict=True))
        elif kind == "train":
            into = self._destinations(gradients)
        self.program = Program(trace, inputs, result, into, descent, f"{kind}_step", compiled)

        self._compiled, self._flat_update = (
            compiled and not any(g is None for g in self.gradients),
            None,
        )

    def update(self, optimizer: Any) -> None:
        """Let the optimizer make its step with the gradients; in one pass where it can."""
        whole = self._flat_update
        if self._compiled and (whole is None or not whole.still_holds()):
            whole = self._flat_update = flat_update(optimizer, self.weights, self.flat)
            self._compiled = whole is not None
        if whole is not None:
            whole()
        else:
            optimizer.apply(self.gradients, self.weights)

    def _nbytes(self) -> int:
        return sum(weight.data.nbytes for weight in self.weights)

    def _destinations(self, gradients: list[Any]) -> list[tuple[Slot, np.ndarray]]:
        """Return each gradient's slot with its part of the flat array."""
        into, start = [], 0
        for weight, slot in zip(self.weights, gradients, strict=True):
            data = weight.data
            array = self.flat[start : start + data.nbytes].view(data.dtype).reshape(data.shape)
            start += data.nbytes
            self.gradients.append(None if slot is None else array)
            if isinstance(slot, Slot):
                into.append((slot, array))
            elif slot is not None:
                array[...] = slot  # the same for every batch
        return into


def _is_plain_descent(optimizer: Any, weights: list[Any]) -> bool:
    """Tell whether a step is ``w -= rate * g`` and no more."""
    if type(optimizer) is not SGD or optimizer.momentum or optimizer.use_ema:
        return False
    extras = ("clipnorm", "clipvalue", "global_clipnorm", "weight_decay")
    known = not optimizer.built or all(w.serial in optimizer._places for w in weights)
    free = all(weight.constraint is None for weight in weights)
    return known and free and all(getattr(optimizer, name) is None for name in extras)


class _Body:
    """What is recorded: the same operations as those of `Stepper.train_step`."""

    def __init__(self, model: Any, kind: str, weights: list[Any]) -> None:
        self.model, self.kind, self.weights = model, kind, weights

    def step(self, x: Any, y: Any = (), weight: Any = ()) -> Any:
        """Return the results, and the gradients of the weights."""
        outputs = self.model(x, training=self.kind == "train")
        if self.kind == "predict":
            return outputs, [None for _ in self.weights]
        total, parts = self.loss(y, list(leaves(outputs)), weight)
        for penalty in self.model.losses:
            total = penalty if total is None else total + penalty
        checks.single(total)
        tape.compute(finite, total, self.model, x, effect=True)  # before any weight changes
        gradients = [None for _ in self.weights]
        if self.kind == "train":
            ones = np.ones(total.shape, total.dtype)
            with tape.no_grad():  # nobody asks for slopes of these slopes: nothing is kept for them
                arrived = tape.sweep(total, ones, create_graph=True)
            gradients = [arrived.get(w.serial) for w in self.weights]
        return (total, parts if len(parts) > 1 else [], outputs), gradients

    def loss(self, y: list[Any], outputs: list[Any], weight: list[Any]) -> tuple[Any, list[Any]]:
        """Return the weighted sum of the losses of all outputs, and these one by one."""
        losses, total, parts = self.model._losses, None, []
        for k, loss in enumerate(losses.each):
            if loss is None:
                raise Escape("one of its outputs has no loss")
            checks.targets_fit(y[k], value(outputs[k]), self.model)
            part = _reduced(loss, y[k], outputs[k], weight[k])
            parts.append(part)
            part = part if losses.factors[k] == 1.0 else part * losses.factors[k]
            total = part if total is None else total + part
        return total, parts


def _reduced(loss: Any, y: Any, y_pred: Any, weight: Any) -> Any:
    """Return the loss of a batch as `Loss.__call__` does, with the weights as a line of its own."""
    if type(loss).__call__ is not Loss.__call__:
        raise Escape(f"the loss {loss.name} has a __call__ of its own")
    values = floats(loss.call(y, floats(y_pred, loss.dtype)), loss.dtype)
    weights = None
    if weight is not None or getattr(loss, "ignore_class", None) is not None:
        weights = tape.compute(sample_weights, y, weight, loss, values.shape)
    if (mask := masks.found(y_pred)) is not None:
        mean = loss.reduction in (BATCH_MEAN, "mean")
        weights = tape.compute(masks.counted, mask, weights, mean, loss.dtype)
    if weights is not None:
        values = values * weights
    return reduce_values(values, weights, loss.reduction)


def finite(loss: Any, model: Any, x: Any) -> None:
    """Raise an error that teaches if the loss is NaN or infinite."""
    if not math.isfinite(loss):
        checks.finite(float(loss), model, x, *model._place)


def sample_weights(y: Any, weight: Any, loss: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return the factors on the losses of a batch."""
    return loss.weights(y, shape, weight)

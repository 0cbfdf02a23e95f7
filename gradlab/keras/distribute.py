"""Training on several machines: each computes the gradient of its part of the batch.

The mean of these gradients is the gradient of the whole batch; so the machines together take the
step that one machine would have taken.

Source: Dean et al. (2012), "Large Scale Distributed Deep Networks" (here without its staleness).
"""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gradlab.keras.graph import leaves, mapped
from gradlab.keras.losses.base import BATCH_MEAN
from gradlab.keras.replica import Part, Replica, fixed_weights, written
from gradlab.keras.step import Stepper, active_strategy
from gradlab.keras.tuner.workers import wait_for_workers

ATTEMPTS = 5  # so often a step is repeated
PATIENCE = 5.0  # so many seconds without an answer, and it is asked whether the worker still lives


class DaskStrategy:
    """Lets `fit` compute gradients on the workers of a Dask cluster.

    In each step the workers receive the weights and a part of the batch each, and return the
    gradients of their parts; the optimizer steps here, with the mean. So the losses are those of
    one process with the same batches, up to rounding. (Not so with BatchNormalization, which sees
    the statistics of a part only, and with Dropout, which draws other masks.)

    A worker that dies is noticed: the step is repeated with those that are left, and nothing else
    changes, since there are as many parts as before.

    It is for several machines, and large batches: in each step all weights and their gradients
    travel, and asking the workers takes tens of milliseconds. Two workers on one machine of two
    cores, which had other work too, were slower than one process, which uses both cores by itself:
    1.9 s instead of 1.0 s for a step of 1.9 million weights of Dense on 4,096 images, 1.8 s instead
    of 0.9 s for 19 thousand weights of Conv2D on 1,024. What more machines gain was not measured.

    Args:
        client: a ``dask.distributed.Client``; it comes with ``pip install "gradlab[cluster]"``.
        shards: in how many parts a batch is divided; as many as there are workers now, if None.
        seed: of the dropout masks.
        custom_objects: functions and classes of your own that the model uses, by name; layers of
            your own are found without it.

    Attributes:
        repeated: how many steps were repeated.

    Raises:
        RuntimeError: the cluster has no worker, or loses one in step after step.
        ValueError: in training, a loss that is not a mean over the batch.

    ::

        strategy = keras.distribute.DaskStrategy(Client("tcp://scheduler:8786"))
        with strategy.scope():
            model = build_model()
            model.compile(loss="mse", optimizer="adam")
        model.fit(X, y, batch_size=1024)
    """

    def __init__(
        self,
        client: Any,
        shards: int | None = None,
        seed: int = 0,
        custom_objects: Mapping[str, Any] | None = None,
    ) -> None:
        if not hasattr(client, "nthreads"):
            raise TypeError(
                f"DaskStrategy: given {client!r}\nexpected a client of dask.distributed\n"
                "write DaskStrategy(Client(LocalCluster(n_workers=2)))"
            )
        if shards is not None and (not isinstance(shards, int) or shards < 1):
            raise ValueError(
                f"DaskStrategy: given shards={shards!r}\nexpected a whole number from 1\n"
                "write shards=2, or leave it out for one for each worker"
            )
        wait_for_workers(client)
        self.client, self.seed = client, seed
        self.shards = shards or len(client.nthreads())
        self.custom_objects = dict(custom_objects or {})
        self.repeated = 0
        self._replicas: list[tuple[str, Any]] = []  # the worker's address, and its model
        self._made_for: Any = None

    @property
    def num_replicas_in_sync(self) -> int:
        """In how many parts a batch is divided, under its name in TensorFlow."""
        return self.shards

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Let models that are compiled in this block be trained on the cluster."""
        token = active_strategy.set(self)
        try:
            yield
        finally:
            active_strategy.reset(token)

    def check(self, model: Any) -> None:
        """Raise ValueError if a model has a training step of its own."""
        if type(model).train_step is not Stepper.train_step:
            raise ValueError(
                f"DaskStrategy: {type(model).__name__} has a train_step of its own\n"
                "expected the one of Model, which is divided among the workers\n"
                "write compile(...) outside of strategy.scope() to train it here"
            )

    # ------------------------------------------------------------------------------------ a step

    def step(self, model: Any, x: Any, y: Any, sample_weight: Any) -> Any:
        """Take a training step on the cluster and return the outputs.

        None, as long as the model has no weights: its first step makes them, here.
        """
        if not model.built or not model.optimizer.built or model._losses.names is None:
            return None
        _check_losses(model._losses.each)
        parts = self._parts(model, (x, y, sample_weight))
        shares = np.array([part.rows for part in parts]) / sum(part.rows for part in parts)
        gradients = [_mean(each, shares) for each in zip(*(p.gradients for p in parts))]
        model.optimizer.apply(gradients, model.trainable_weights)
        for variable, values in zip(fixed_weights(model), zip(*(part.fixed for part in parts))):
            variable.assign(_mean(values, shares))
        rows = sum(part.rows for part in parts)
        means = [model._mean_loss, *model._losses.shown]
        for mean, values in zip(means, zip(*(part.losses for part in parts))):
            mean.add(float(np.dot(shares, values)), rows)
        columns = zip(*(leaves(part.outputs) for part in parts))
        joined = iter([np.concatenate(column) for column in columns])
        return mapped(lambda _: next(joined), parts[0].outputs)

    def _parts(self, model: Any, batch: Any) -> list[Part]:
        """Return what the workers find; again and again, while workers die."""
        rows = len(next(leaves(batch[0])))
        cuts = [k * rows // self.shards for k in range(self.shards + 1)]
        slices = [slice(a, b) for a, b in itertools.pairwise(cuts) if a < b]
        weights = [weight.data for weight in model.weights]
        begun = int(model.optimizer.iterations.data)
        for _ in range(ATTEMPTS):
            try:
                replicas = self._ready(model)
                asked = []
                for k, part in enumerate(slices):
                    address, replica = replicas[k % len(replicas)]
                    shard = mapped(lambda a, part=part: None if a is None else a[part], batch)
                    words = (self.seed, begun, k)
                    asked.append((address, replica.part(weights, shard, model._place, words)))
                return [self._answer(*each) for each in asked]
            except LostError as error:
                self._made_for = None
                self.repeated += 1
                warnings.warn(
                    f"DaskStrategy: {error}\nexpected all workers to answer\n"
                    "the step is repeated with those that are left",
                    stacklevel=6,
                )
                wait_for_workers(self.client)
        raise RuntimeError(
            f"DaskStrategy: workers died in {ATTEMPTS} attempts at one step\n"
            "expected a step that fits into their memory\nwrite more shards, or a smaller batch"
        )

    def _ready(self, model: Any) -> list[tuple[str, Any]]:
        """Return the models of the workers; new ones, if layers or losses were changed."""
        step = model._compiled_step("train")
        step._look()
        key = model, model._losses, step._settings
        if self._made_for is None or any(
            a is not b and a != b for a, b in zip(key, self._made_for)
        ):
            content = written(model, self.custom_objects)
            client, addresses = self.client, sorted(self.client.nthreads())
            asked = [
                (a, client.submit(Replica, content, actor=True, workers=[a], pure=False))
                for a in addresses
            ]
            self._replicas = [(a, self._answer(a, future)) for a, future in asked]
            self._made_for = key
        return self._replicas

    def _answer(self, address: str, future: Any) -> Any:
        """Return the result of a future.

        Raises:
            LostError: its worker is gone.
        """
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        while True:
            try:
                return future.result(timeout=PATIENCE)
            except TimeoutError:
                if address not in self.client.nthreads():
                    raise LostError(f"the worker {address} is gone") from None
            except (KilledWorker, FutureCancelledError, OSError) as error:
                raise LostError(f"the worker {address} is gone: {error}") from error


class LostError(Exception):
    """A worker has died."""


def _mean(arrays: Sequence[Any], shares: np.ndarray) -> Any:
    """Return the mean, in which a part counts as much as it has rows."""
    if arrays[0] is None:
        return None
    return sum(array * array.dtype.type(share) for array, share in zip(arrays, shares))


def _check_losses(losses: Sequence[Any]) -> None:
    for loss in losses:
        if loss is None:
            continue
        mean = loss.reduction in (BATCH_MEAN, "mean")
        if not mean or getattr(loss, "ignore_class", None) is not None:
            raise ValueError(
                f"DaskStrategy: {loss.name} with reduction={loss.reduction!r}\n"
                "expected a mean over all rows of a batch, which parts of it can compute\n"
                f"write reduction={BATCH_MEAN!r}, without ignore_class"
            )

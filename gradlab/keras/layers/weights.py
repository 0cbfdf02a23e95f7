"""What a layer keeps: weights, other layers, and penalties.

It is enough to make them attributes: ``self.kernel = self.add_weight(...)``, ``self.hidden =
Dense(10)``, also in lists and dicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from gradlab.keras import constraints, initializers, regularizers
from gradlab.keras.graph import leaves
from gradlab.keras.layers.shapes import as_shape
from gradlab.keras.saving import room
from gradlab.keras.variable import Variable

NO_PARTS = (
    "_calls",
    "_made_with",
    "_penalties",
    "_inputs",
    "_outputs",
)  # they hold symbols and numbers
PLAIN = frozenset({type(None), bool, int, float, str})  # passed over at once: every step asks


class Keeper:
    """The part of a layer that knows its weights, and those of the layers inside of it."""

    name: str
    dtype: str
    built: bool
    _trainable: bool
    _weights: list[Variable]
    _penalties: list[Any]
    _made_with: tuple[tuple[Any, ...], dict[str, Any]]

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = "glorot_uniform",
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str = "variable",
    ) -> Variable:
        """Make a weight of this layer and return it.

        Args:
            shape: of the array; () for one number.
            initializer: where its first numbers are drawn from.
            dtype: the layer's own by default.
            trainable: False for numbers that training must not change.
            regularizer: a penalty on its size, added to the loss.
            constraint: what its numbers are forced back to after each step.
            name: such as "kernel".
        """
        dtype = dtype or self.dtype
        initializer, shape = initializers.get(initializer), as_shape(shape)
        weight = Variable(
            room.zeros(shape, dtype, name) if room.limited() else initializer(shape, dtype=dtype),
            name,
            trainable=trainable,
            dtype=dtype,
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
        )
        weight.path = f"{self.name}/{name}"
        self._weights.append(weight)
        return weight

    # ------------------------------------------------------------------------------- finding them

    def _parts(self) -> tuple[list[Variable], list[Any]]:
        """Return the variables and the layers among the attributes, in order, each once."""
        variables: dict[int, Variable] = {}
        layers: dict[int, Keeper] = {}
        for attribute, value in vars(self).items():
            if type(value) in PLAIN or attribute in NO_PARTS:
                continue
            several = isinstance(value, list | tuple | dict)
            for part in leaves(value) if several else (value,):
                if isinstance(part, Variable):
                    variables[id(part)] = part
                elif isinstance(part, Keeper) and part is not self:
                    layers[id(part)] = part
        return list(variables.values()), list(layers.values())

    def _walk(
        self, trained: bool = False, seen: set[int] | None = None
    ) -> Iterator[tuple[Any, list[Variable]]]:
        """Yield this layer and all inside of it, each once, with the variables of its own.

        Args:
            trained: leave out frozen layers and what is inside of them.
        """
        seen = set() if seen is None else seen
        if id(self) in seen or (trained and not self._trainable):
            return
        seen.add(id(self))
        variables, layers = self._parts()
        yield self, variables
        for layer in layers:
            yield from layer._walk(trained, seen)

    def sublayers(self) -> list[Any]:
        """The layers among the attributes of this one, also in lists and dicts, in order."""
        return self._parts()[1]

    @property
    def trainable(self) -> bool:
        """Whether training may change the weights; setting it also sets that of all sublayers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer, _ in self._walk():
            layer._trainable = bool(value)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes; none if the layer is frozen."""
        return _unique(w for _, own in self._walk(trained=True) for w in own if w.trainable)

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trained = {id(w) for w in self.trainable_weights}
        return [w for w in self.weights if id(w) not in trained]

    @property
    def weights(self) -> list[Variable]:
        """All weights, layer by layer; within a layer, those that can be trained come first."""
        return _unique(
            w
            for _, own in self._walk()
            for can_be_trained in (True, False)
            for w in own
            if w.trainable == can_be_trained
        )

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the weights as arrays."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Put in other numbers, in the order of `get_weights`.

        Raises:
            ValueError: another count or other shapes; no weight is changed.
        """
        given, mine = [np.asarray(w) for w in weights], self.weights
        shapes = [w.shape for w in mine]
        if [w.shape for w in given] != shapes:
            raise ValueError(
                f"{self.name}: set_weights with shapes {[w.shape for w in given]}\n"
                f"expected shapes {shapes}\n"
                "write the list that get_weights() of a layer built alike returns"
            )
        for variable, array in zip(mine, given, strict=True):
            variable.assign(array)

    def count_params(self) -> int:
        """Return how many numbers all weights have.

        Raises:
            ValueError: the layer has not seen an input yet.
        """
        if not self.built:
            raise ValueError(
                f"{self.name}: count_params before the weights exist\n"
                "expected a layer that has seen its input shape\n"
                "write input_shape=..., or call it on data first"
            )
        return sum(w.size for w in self.weights)

    # ------------------------------------------------------------------------------ the penalties

    @property
    def losses(self) -> list[Any]:
        """The penalties of the latest call, and those on the size of weights being trained."""
        of_calls, of_weights = [], []
        for layer, own in self._walk():
            of_calls += layer._penalties
            if layer.trainable:
                of_weights += [w.regularizer(w) for w in own if w.regularizer and w.trainable]
        return [*of_calls, *of_weights]


def _unique(weights: Iterable[Variable]) -> list[Variable]:
    return list({id(w): w for w in weights}.values())

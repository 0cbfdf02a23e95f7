"""Batches of your own making: data that are too many for memory, or changed on the way."""

from __future__ import annotations

from typing import Any


class PyDataset:
    """Base of objects that hand out batch number i, for `fit`, `evaluate` and `predict`.

    ``keras.utils.Sequence`` is its name in tf.keras 2.

    Args:
        workers, use_multiprocessing, max_queue_size: those of Keras; one process reads here.

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, i):
    ...         return [[i]], [[i * i]]
    >>> Squares()[2]
    ([[2]], [[4]])
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers, self.use_multiprocessing = workers, use_multiprocessing
        self.max_queue_size = max_queue_size

    def __len__(self) -> int:
        """Return the number of batches."""
        raise NotImplementedError(
            f"{type(self).__name__} has no __len__ method\nexpected the number of batches\n"
            "write def __len__(self): return math.ceil(len(self.x) / 32)"
        )

    def __getitem__(self, index: int) -> Any:
        """Return a batch: (x, y), or (x, y, sample_weight)."""
        raise NotImplementedError(
            f"{type(self).__name__} has no __getitem__ method\nexpected batch number `index`\n"
            "write def __getitem__(self, index): return x, y"
        )

    def on_epoch_end(self) -> None:
        """After each pass: the place to shuffle."""


Sequence = PyDataset

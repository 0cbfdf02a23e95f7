"""Intersection over union: how well two regions of an image, or two sets, cover each other.

For one class it is TP / (TP + FP + FN), read off the confusion matrix of all pixels so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.keras import config
from gradlab.keras.metrics.base import Metric, full_weights
from gradlab.keras.metrics.matrix import confusion_matrix
from gradlab.ops.losses import plain, same_shape


class IoU(Metric):
    """Mean of TP / (TP + FP + FN) over some classes; classes that never occur are left out.

    Args:
        num_classes: how many classes there are.
        target_class_ids: over which of them the mean is taken.
        ignore_class: pixels with this label are not counted.
        sparse_y_true: targets are numbers of classes; False: one-hot.
        sparse_y_pred: predictions are numbers of classes; False: one probability per class.
        axis: the axis of the classes, if not sparse.

    >>> round(IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1]), 4)
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype or "int32", name)
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"{type(self).__name__}: class {max(target_class_ids)} of {num_classes}\n"
                f"expected target_class_ids from 0 to {num_classes - 1}\n"
                f"write target_class_ids={list(range(num_classes))} for all"
            )
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        square = (num_classes, num_classes)
        self.total_cm = self.add_variable(square, dtype="float64", name="total_confusion_matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch; labels outside the classes are not counted."""
        y_true, y_pred = plain(y_true), plain(y_pred)
        y_true = y_true if self.sparse_y_true else y_true.argmax(axis=self.axis)
        y_pred = y_pred if self.sparse_y_pred else y_pred.argmax(axis=self.axis)
        same_shape(self.name, y_true, y_pred)
        weights = full_weights(y_true.shape, sample_weight).ravel()
        true, predicted = y_true.ravel().astype(np.int64), y_pred.ravel().astype(np.int64)
        counted = (np.minimum(true, predicted) >= 0) & (
            np.maximum(true, predicted) < self.num_classes
        )
        if self.ignore_class is not None:
            counted &= true != self.ignore_class
        self.total_cm.data[...] += confusion_matrix(
            true[counted], predicted[counted], self.num_classes, weights[counted]
        )

    def result(self) -> float:
        """Return the mean over the classes so far."""
        matrix = self.total_cm.data
        right = matrix.diagonal()[self.target_class_ids]
        union = (matrix.sum(axis=0) + matrix.sum(axis=1))[self.target_class_ids] - right
        occurring, tiny = union > 1e-9, config.epsilon()
        shares = np.where(occurring, right / (union + tiny), 0.0)
        return float(shares.sum() / (occurring.sum() + tiny))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        names = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_true")
        names += ("sparse_y_pred", "axis")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class MeanIoU(IoU):
    """Mean of TP / (TP + FP + FN) over all classes that occur.

    >>> round(MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1]), 4)
    0.3333
    """

    def __init__(self, num_classes: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(num_classes, range(num_classes), *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        config = super().get_config()
        del config["target_class_ids"]
        return config

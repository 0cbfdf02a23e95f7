"""Iris: 150 flowers measured with a ruler; the task is to name the species.

It is the first data set of most courses: four numbers, three classes, one of them easy.
"""

from __future__ import annotations

import numpy as np

from gradlab.data import load_iris
from gradlab.keras.datasets.load import Pair
from gradlab.keras.datasets.split import shuffled_split


def load_data(test_split: float = 0.2, seed: int = 113) -> tuple[Pair, Pair]:
    """Return (X_train, y_train), (X_test, y_test) in the form of the loaders of Keras.

    X is float32 (rows, 4): sepal length, sepal width, petal length, petal width in cm. y is uint8
    (rows,): 0 setosa, 1 versicolor, 2 virginica. Keras has no Iris; ``gradlab.data.load_iris`` has
    the names and the rows in their first order.

    Args:
        test_split: share of the rows for testing, from 0 to less than 1.
        seed: of the order of the rows.

    Raises:
        ValueError: a ``test_split`` that is no such share.

    Source: R. A. Fisher, "The use of multiple measurements in taxonomic problems", 1936.

    >>> (X_train, y_train), (X_test, y_test) = load_data()
    >>> X_train.shape, X_test.shape, y_test[:5].tolist()
    ((120, 4), (30, 4), [0, 0, 2, 1, 1])
    """
    iris = load_iris()
    return shuffled_split(
        iris.data.astype(np.float32), iris.target.astype(np.uint8), test_split, seed
    )

"""Small real data sets that travel with the package, so that the first lesson needs no network.

Each loader reads a CSV file of this folder into NumPy arrays and says where the numbers come from.
"""

from __future__ import annotations

from importlib import resources
from typing import NamedTuple

import numpy as np


class Iris(NamedTuple):
    """150 flowers: data (150, 4) in cm, target (150,) in 0..2, and what the columns are called."""

    data: np.ndarray
    target: np.ndarray
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]


def load_iris() -> Iris:
    """Measurements of 50 flowers each of three species of iris; the task is to name the species.

    data is float64 (150, 4): sepal length, sepal width, petal length, petal width, in cm. target is
    int64 (150,): 0 setosa, 1 versicolor, 2 virginica. A line separates setosa from the others; none
    separates versicolor from the others. Arrays are fresh at every call.

    Source: E. Anderson, "The irises of the Gaspe peninsula", 1935; R. A. Fisher, "The use of
    multiple measurements in taxonomic problems", 1936. These are the rows of scikit-learn and R;
    the file in the UCI repository has typing errors in rows 34 and 37.

    >>> iris = load_iris()
    >>> iris.data.shape, iris.target_names[iris.target[0]], iris.data[0].tolist()
    ((150, 4), 'setosa', [5.1, 3.5, 1.4, 0.2])
    """
    text = resources.files(__name__).joinpath("iris.csv").read_text(encoding="utf-8")
    header, *rows = (line.split(",") for line in text.splitlines())
    species = [row[-1] for row in rows]
    names = tuple(dict.fromkeys(species))
    data = np.array([row[:-1] for row in rows], dtype=np.float64)
    target = np.array([names.index(name) for name in species], dtype=np.int64)
    return Iris(data, target, tuple(header[:-1]), names)

"""California housing: 20,640 districts in the census of 1990; the task is to predict house prices.

The table is small enough to travel with gradlab, whole: there is nothing to download.
"""

from __future__ import annotations

import io
import lzma
from typing import Literal, NamedTuple, overload

import numpy as np

from gradlab.keras.datasets.load import BUNDLED, Pair
from gradlab.keras.datasets.split import shuffled_split
from gradlab.keras.utils.arrays import train_test_split

# The columns of cal_housing.data; the last one is to be predicted.
COLUMNS = (
    "longitude",
    "latitude",
    "housing_median_age",
    "total_rooms",
    "total_bedrooms",
    "population",
    "households",
    "median_income",
    "median_house_value",
)


class Housing(NamedTuple):
    """20,640 districts: data (20640, 8), target (20640,) in 100,000 $, and the columns' names."""

    data: np.ndarray
    target: np.ndarray
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> tuple[Pair, Pair]:
    """Return (X_train, y_train), (X_test, y_test), as ``keras.datasets.california_housing`` does.

    X is float32 (rows, 8): longitude and latitude in degrees, median age of the houses in years,
    total rooms, total bedrooms, population, households, median income in 10,000 $. y is float32
    (rows,): median value of the houses in $. Keras documents eight other columns, those of
    ``load_sklearn``, but these are the ones that it returns (keras issue 21886).

    Args:
        version: "large", all 20,640 districts, or "small", the first 600, all around Oakland.
        path: where Keras would keep its download; here nothing is downloaded.
        test_split: share of the rows for testing, from 0 to less than 1.
        seed: of the order of the rows; 113 gives the rows of Keras.

    Raises:
        ValueError: another version, or a ``test_split`` that is no such share.

    Source: R. K. Pace, R. Barry, "Sparse spatial autoregressions", 1997.

    >>> (X_train, y_train), (X_test, y_test) = load_data()
    >>> X_train.shape, X_test.shape, y_train[:3].tolist()
    ((16512, 8), (4128, 8), [252300.0, 146900.0, 290900.0])
    """
    if version not in ("large", "small"):
        raise ValueError(
            f"version: given {version!r}\nexpected 'large' or 'small'\n"
            "write version='large' for all 20,640 districts"
        )
    table = _table().astype(np.float32)[: 600 if version == "small" else None]
    return shuffled_split(table[:, :8], table[:, 8], test_split, seed)


@overload
def load_sklearn(return_X_y: Literal[False] = False) -> Housing: ...
@overload
def load_sklearn(return_X_y: Literal[True]) -> Pair: ...
def load_sklearn(return_X_y: bool = False) -> Housing | Pair:
    """Return the data as ``fetch_california_housing()`` of scikit-learn does, which the slides use.

    ``housing.data`` is float64 (20640, 8): MedInc in 10,000 $, HouseAge in years, AveRooms and
    AveBedrms per household, Population, AveOccup (people per household), Latitude, Longitude in
    degrees. ``housing.target`` is float64 (20640,): MedHouseVal in 100,000 $, from 0.14999 to
    5.00001, which stands for "500,000 $ or more".

    Args:
        return_X_y: return only ``(data, target)``.

    Source: deck 001; R. K. Pace, R. Barry, "Sparse spatial autoregressions", 1997.

    >>> housing = load_sklearn()
    >>> dict(zip(housing.feature_names, housing.data[0].round(2).tolist()))
    {'MedInc': 8.33, 'HouseAge': 41.0, 'AveRooms': 6.98, 'AveBedrms': 1.02, 'Population': 322.0,
     'AveOccup': 2.56, 'Latitude': 37.88, 'Longitude': -122.23}
    >>> housing.target[:3].tolist()
    [4.526, 3.585, 3.521]
    """
    column = dict(zip(COLUMNS, _table().T))
    households = column["households"]
    features = {
        "MedInc": column["median_income"],
        "HouseAge": column["housing_median_age"],
        "AveRooms": column["total_rooms"] / households,
        "AveBedrms": column["total_bedrooms"] / households,
        "Population": column["population"],
        "AveOccup": column["population"] / households,
        "Latitude": column["latitude"],
        "Longitude": column["longitude"],
    }
    data, target = np.column_stack(list(features.values())), column["median_house_value"] / 100_000
    if return_X_y:
        return data, target
    return Housing(data, target, tuple(features), ("MedHouseVal",))


def load_split(random_state: int = 42) -> tuple[Pair, Pair, Pair]:
    """Return (X_train, y_train), (X_valid, y_valid), (X_test, y_test) of the slides.

    These are the rows that two calls of scikit-learn's ``train_test_split(random_state=42)`` give:
    the first takes a quarter for testing, the second a quarter of the rest for validation. That
    leaves 11,610 + 3,870 + 5,160 rows of ``load_sklearn()``.

    Source: deck 001.

    >>> (X_train, y_train), (X_valid, y_valid), (X_test, y_test) = load_split()
    >>> X_train.shape, X_valid.shape, X_test.shape
    ((11610, 8), (3870, 8), (5160, 8))
    >>> y_train[:3].tolist()
    [1.442, 1.687, 1.621]
    """
    X, y = load_sklearn(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=random_state)
    X_train, X_valid, y_train, y_valid = train_test_split(X, y, random_state=random_state)
    return (X_train, y_train), (X_valid, y_valid), (X_test, y_test)


def _table() -> np.ndarray:
    """Return cal_housing.data as float64 (20640, 9), with the columns of ``COLUMNS``."""
    text = lzma.decompress(BUNDLED.joinpath("cal_housing.data.xz").read_bytes())
    return np.loadtxt(io.BytesIO(text), delimiter=",")

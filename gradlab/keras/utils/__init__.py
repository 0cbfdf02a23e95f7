"""Small helpers under the names that Keras gives them."""

from __future__ import annotations

from gradlab.keras.random import set_random_seed as set_random_seed
from gradlab.keras.utils.arrays import to_categorical as to_categorical
from gradlab.keras.utils.arrays import train_test_split as train_test_split
from gradlab.keras.utils.dataset import PyDataset as PyDataset
from gradlab.keras.utils.dataset import Sequence as Sequence
from gradlab.keras.utils.image_files import (
    image_dataset_from_directory as image_dataset_from_directory,
)
from gradlab.keras.utils.model_plot import plot_model as plot_model
from gradlab.keras.utils.sequences import pad_sequences as pad_sequences
from gradlab.keras.utils.sequences import (
    timeseries_dataset_from_array as timeseries_dataset_from_array,
)

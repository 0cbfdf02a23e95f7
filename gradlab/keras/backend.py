"""What tf.keras keeps under ``keras.backend``: names begin anew, and the float settings."""

from __future__ import annotations

from gradlab.keras.config import epsilon as epsilon
from gradlab.keras.config import floatx as floatx
from gradlab.keras.config import set_epsilon as set_epsilon
from gradlab.keras.config import set_floatx as set_floatx
from gradlab.keras.names import forget_names


def clear_session() -> None:
    """Begin to count default names anew: the next Dense layer is called ``dense`` again.

    >>> from gradlab import keras
    >>> clear_session()
    >>> keras.layers.Dense(1).name, keras.layers.Dense(1).name
    ('dense', 'dense_1')
    """
    forget_names()

"""Searching for hyperparameters: build a model from ranges, and let trials tell which values work.

``from gradlab.keras import tuner as keras_tuner`` takes the place of ``import keras_tuner``.

Source: deck 001, section 10.3.
"""

from gradlab.keras.tuner import errors as errors
from gradlab.keras.tuner import oracles as oracles
from gradlab.keras.tuner.bayesian import BayesianOptimization as BayesianOptimization
from gradlab.keras.tuner.grid_search import GridSearch as GridSearch
from gradlab.keras.tuner.hyperband import Hyperband as Hyperband
from gradlab.keras.tuner.hypermodel import HyperModel as HyperModel
from gradlab.keras.tuner.hyperparameters import HyperParameters as HyperParameters
from gradlab.keras.tuner.objective import Objective as Objective
from gradlab.keras.tuner.oracle import Oracle as Oracle
from gradlab.keras.tuner.pruning import MedianPruner as MedianPruner
from gradlab.keras.tuner.random_search import RandomSearch as RandomSearch
from gradlab.keras.tuner.tuner import Tuner as Tuner

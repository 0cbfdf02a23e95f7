"""The oracles of the tuners, for ``Tuner(oracle, hypermodel)``."""

from gradlab.keras.tuner.bayesian import BayesianOptimizationOracle as BayesianOptimizationOracle
from gradlab.keras.tuner.grid_search import GridSearchOracle as GridSearchOracle
from gradlab.keras.tuner.hyperband import HyperbandOracle as HyperbandOracle
from gradlab.keras.tuner.random_search import RandomSearchOracle as RandomSearchOracle

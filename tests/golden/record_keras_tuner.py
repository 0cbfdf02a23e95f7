"""Record what the real Keras Tuner does, for tests/test_tuner.py.

    KERAS_BACKEND=jax python tests/golden/record_keras_tuner.py

needs keras and keras-tuner; it writes keras_tuner.json beside this file.
"""

import json
import tempfile
from pathlib import Path

import keras
import keras_tuner

RANGES = {
    "Int": [
        {"min_value": 16, "max_value": 256},
        {"min_value": 3, "max_value": 20, "step": 4},
        {"min_value": 2, "max_value": 100, "step": 2, "sampling": "log"},
        {"min_value": 1, "max_value": 1000, "sampling": "log"},
        {"min_value": 1, "max_value": 64, "sampling": "reverse_log"},
        {"min_value": 5, "max_value": 5},
    ],
    "Float": [
        {"min_value": -1.0, "max_value": 3.0},
        {"min_value": 0.0, "max_value": 0.5, "step": 0.1},
        {"min_value": 1e-4, "max_value": 1e-1, "sampling": "log"},
        {"min_value": 1e-4, "max_value": 1.0, "step": 10, "sampling": "log"},
        {"min_value": 1.0, "max_value": 10.0, "sampling": "reverse_log"},
    ],
    "Choice": [{"values": ["relu", "elu", "tanh"]}, {"values": [1, 5, 2], "default": 5}],
    "Boolean": [{}],
}
PLACES = [k / 37 for k in range(37)] + [0.999999]
PLANS = [(1, 3), (5, 2), (9, 3), (10, 3), (27, 3), (81, 4), (100, 3)]
GRID = {"a": [1, 2, 3], "b": ["x", "y"], "c": [0.5]}


def ranges():
    """Return the values of every range at every place."""
    found = []
    for kind, arguments in RANGES.items():
        for each in arguments:
            hp = getattr(keras_tuner.engine.hyperparameters, kind)("name", **each)
            values = [hp.prob_to_value(place) for place in PLACES]
            row = {"kind": kind, "arguments": each, "values": values, "default": hp.default}
            found.append(row | {"places": [hp.value_to_prob(value) for value in values]})
    return found


def plan(max_epochs, factor):
    """Return the size and the last epoch of every round of every bracket."""
    oracle = keras_tuner.oracles.HyperbandOracle("val_loss", max_epochs=max_epochs, factor=factor)
    return [
        [
            [oracle._get_size(bracket, r), oracle._get_epochs(bracket, r)]
            for r in range(oracle._get_num_rounds(bracket))
        ]
        for bracket in range(oracle._get_num_brackets())
    ]


class Sum(keras_tuner.GridSearch):
    """A search without a model."""

    def run_trial(self, trial, *args, **kwargs):
        hp = trial.hyperparameters
        return hp.Choice("a", GRID["a"]) + len(hp.Choice("b", GRID["b"])) + hp["c"]


def grid():
    """Return the combinations of a grid in the order in which they are tried, and a file."""
    space = keras_tuner.HyperParameters()
    for name, values in GRID.items():
        space.Choice(name, values)
    with tempfile.TemporaryDirectory() as folder:
        tuner = Sum(hyperparameters=space, directory=folder)
        tuner.search(verbose=0)
        trials = [tuner.oracle.trials[name] for name in tuner.oracle.start_order]
        return [trial.hyperparameters.values for trial in trials], trials[0].get_state()


if __name__ == "__main__":
    combinations, trial = grid()
    golden = {
        "versions": {"keras": keras.__version__, "keras_tuner": keras_tuner.__version__},
        "places": PLACES,
        "ranges": ranges(),
        "plans": [[*each, plan(*each)] for each in PLANS],
        "grid": {"space": GRID, "combinations": combinations},
        "trial": trial,
    }
    Path(__file__).with_name("keras_tuner.json").write_text(json.dumps(golden) + "\n")

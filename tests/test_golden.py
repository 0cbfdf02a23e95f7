"""gradlab's activations and losses against what Keras 3 answered, as recorded in golden/keras.json.

golden/record_keras.py made the recording and says why a point is missing; no Keras is needed here.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

import gradlab as gl
from gradlab.primitive import REGISTRY

GOLDEN = json.loads(Path(__file__).with_name("golden").joinpath("keras.json").read_text())
RECORDS = GOLDEN["records"]
KNOWN = {name: fact for names in GOLDEN["known"].values() for name, fact in names.items()}
ENTRIES = {
    name: entry
    for name, entry in REGISTRY.items()
    if entry.keras and entry.__module__.startswith("gradlab.")
}
ANSWERS = {name: entry for entry in ENTRIES.values() for name in entry.keras}

# Both sides subtract numbers of size 1 on the way (y + 1, 1 - p), each with roundings of its own.
RTOL, ATOL = 1e-9, 1e-15


def entry_for(record):
    """Return the row of the table that answers to the record, and the parameters to give it."""
    parameters = dict(record["parameters"])
    if parameters.pop("approximate", False):
        return REGISTRY["gelu_tanh"], parameters
    for name, read in (("axis", as_axis), ("y_true", np.array), ("alpha", np.array)):
        if name in parameters:
            parameters[name] = read(parameters[name])
    return ANSWERS[record["name"]], parameters


def as_axis(axis):
    """Return an axis; JSON has no tuples."""
    return tuple(axis) if isinstance(axis, list) else axis


def label(record):
    return "-".join([record["name"], *(f"{k}={v}" for k, v in record["parameters"].items())])


@pytest.mark.parametrize("record", RECORDS, ids=label)
def test_value_and_gradient_are_those_of_keras(record):
    entry, parameters = entry_for(record)
    arrays = {name: np.array(a, dtype=float) for name, a in record["arrays"].items()}

    def call(*given):
        return entry(**dict(zip(arrays, given, strict=True)), **parameters)

    value, pull = gl.vjp(call, *arrays.values())
    np.testing.assert_allclose(value, record["value"], RTOL, ATOL, err_msg="value")
    for name, ours in zip(arrays, pull(np.array(record["cotangent"])), strict=True):
        theirs = np.array(record["gradients"][name], dtype=float)  # null, a convention, becomes NaN
        ours = np.where(np.isnan(theirs), np.nan, ours)
        np.testing.assert_allclose(ours, theirs, RTOL, ATOL, err_msg=f"gradient of {name}")


def test_every_entry_with_a_keras_name_is_recorded():
    recorded = {record["name"] for record in RECORDS}
    missing = [name for name, entry in ENTRIES.items() if not recorded & set(entry.keras)]
    assert not missing, f"add {', '.join(missing)} to golden/record_keras.py and run it"
    assert recorded <= ANSWERS.keys()


def test_the_table_answers_to_every_activation_of_keras():
    assert GOLDEN["known"]["activations"].keys() <= ANSWERS.keys()


@pytest.mark.parametrize("name", ENTRIES)
def test_names_and_parameters_are_those_of_keras(name):
    entry = ENTRIES[name]
    facts = [KNOWN[alias] for alias in entry.keras if alias in KNOWN]
    assert len({fact["function"] for fact in facts}) == 1, "its names mean several Keras functions"
    theirs = facts[0]["parameters"]
    ours = {
        p.name: None if p.default is p.empty else p.default
        for p in inspect.signature(entry.function).parameters.values()
    }
    # A prefix: Keras may have further parameters, but none in between and none by other names.
    assert list(ours.items()) == list(theirs.items())[: len(ours)]

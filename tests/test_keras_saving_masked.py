"""Files of Keras whose graphs compute masks: NotEqual, Any, LogicalOr between the layers."""

from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest
from golden import record_keras_masked as recorder

from gradlab import keras

PREDICTIONS = json.loads(recorder.FACTS.read_text())["predictions"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masked")
    shutil.unpack_archive(recorder.ARCHIVE, folder)
    return folder


def predicted(model, form):
    return np.ravel(model.predict(recorder.data(form), verbose=0))


@pytest.mark.parametrize("form", recorder.FORMS)
def test_a_file_with_masks_predicts_as_in_keras(form, files, tmp_path):
    model = keras.models.load_model(files / f"{form}.keras")
    np.testing.assert_allclose(predicted(model, form), PREDICTIONS[form], rtol=1e-6, atol=1e-6)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(predicted(again, form), predicted(model, form))


@pytest.mark.parametrize("form", recorder.FORMS)
def test_it_is_trained_with_the_mask_of_each_batch(form, files):
    """The compiled step computes masks anew: what a step that counts for nothing holds is free."""
    x = recorder.data(form)
    losses = []
    for eagerly in (True, False):
        model = keras.models.load_model(files / f"{form}.keras")
        for layer in model.layers:
            layer.rate = 0.0  # of Dropout: its random numbers are not what is asked for
        model.compile(loss="mse", optimizer="sgd", run_eagerly=eagerly)
        y = np.ones_like(model.predict(x, verbose=0))
        losses.append([float(model.train_on_batch(x[k], y[: len(x[k])])) for k in BATCHES])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)


BATCHES = ([0, 1], [2, 3], [1, 2], [0, 1, 2])


def test_the_functions_between_layers_are_no_layers(files):
    model = keras.models.load_model(files / "lstm.keras")
    assert "NotEqual" not in [type(layer).__name__ for layer in model.layers]
    assert "not_equal" in [layer.name for layer in model.operations]


def test_a_mask_for_a_layer_that_would_ignore_it_is_refused(files, tmp_path):
    with zipfile.ZipFile(files / "lstm.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    nodes = {each["name"]: each["inbound_nodes"] for each in config["config"]["layers"]}
    nodes["dense"][0]["kwargs"]["mask"] = nodes["lstm"][0]["kwargs"]["mask"]
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    text = r"dense: given a mask, of which Dense makes no use here\nexp.*LSTM\nwrite the model"
    with pytest.raises(ValueError, match=text):
        keras.models.load_model(tmp_path / "m.keras")

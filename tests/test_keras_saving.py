"""Saving and restoring: what real Keras wrote, round trips, folders, and what is refused."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from golden import record_keras_saved as networks

from gradlab import keras
from gradlab.keras.saving import hdf5, state

RECORDS = json.loads(networks.FACTS.read_text())["models"]
OWN = networks.classes(keras)


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    shutil.unpack_archive(networks.ARCHIVE, folder)
    return folder


def same(a, b, tolerance=1e-6):
    """Assert that two lists of numbers, or lists of such, are equal up to rounding."""
    a, b = np.concatenate([np.ravel(x) for x in a]), np.concatenate([np.ravel(x) for x in b])
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def trained(form="sequential", optimizer="adam"):
    model = networks.built(keras, form, optimizer, OWN)
    networks.steps(model, form, 0, 3)
    return model


# ------------------------------------------------------------------------- what real Keras wrote


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r["file"])
def test_a_file_of_keras_predicts_and_trains_on_as_there(record, golden):
    model = keras.models.load_model(golden / record["file"], custom_objects=OWN)
    same(networks.predictions(model, record["form"]), record["predictions"])
    same([networks.steps(model, record["form"], 3, 8)], [record["after"]], 1e-5)


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r["file"])
def test_a_file_of_keras_and_one_of_gradlab_have_the_same_parts(record, golden, tmp_path):
    """What Keras would look for in our file is there, under the same path, of the same shape."""
    model = keras.models.load_model(golden / record["file"], custom_objects=OWN)
    model.save(tmp_path / "m.keras")
    found = [parts_of(path) for path in (golden / record["file"], tmp_path / "m.keras")]
    assert found[0].keys() == found[1].keys()
    for path, (name, arrays) in found[0].items():
        # Keras counts the layers of a subclassed model as they are made: dense_7, dense_8, ...
        assert found[1][path][0] == name or record["form"] == "subclassed"
        for theirs, ours in zip(arrays, found[1][path][1], strict=True):
            np.testing.assert_array_equal(theirs, ours)


def parts_of(path):
    """Return the groups of a file, each with its name and arrays."""
    import h5py

    found = {}

    def visit(at, group):
        if at.endswith("vars") and isinstance(group, h5py.Group):
            arrays = [group[str(place)][()] for place in range(len(group))]
            found[at] = (group.attrs["name"], arrays)

    with zipfile.ZipFile(path) as archive:
        weights = archive.read("model.weights.h5")
    with h5py.File(io.BytesIO(weights)) as file:
        file.visititems(visit)
    return found


@pytest.mark.parametrize("name", ["sequential_adam.weights.h5", "sequential_adam.h5"])
def test_weights_and_old_files_of_keras(name, golden):
    expected = keras.models.load_model(golden / "sequential_adam.keras")
    if name.endswith("weights.h5"):
        model = networks.built(keras, "sequential", "adam")
        model.load_weights(golden / name)
    else:
        model = keras.models.load_model(golden / name)
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(model.optimizer.variables, expected.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)


# ------------------------------------------------------------------------------------ round trips


ROUNDS = [
    *((form, optimizer, "m.keras") for form, optimizer in networks.RECORDED),
    *((form, "adam", "folder") for form in networks.FORMS),
]


@pytest.mark.parametrize(("form", "optimizer", "name"), ROUNDS)
def test_training_goes_on_bitwise_after_saving(form, optimizer, name, tmp_path):
    model = trained(form, optimizer)
    model.save(tmp_path / name)
    again = keras.models.load_model(tmp_path / name, custom_objects=OWN)
    assert networks.predictions(again, form) == networks.predictions(model, form)
    assert networks.steps(again, form, 3, 8) == networks.steps(model, form, 3, 8)
    assert again.metrics_names == model.metrics_names


@pytest.mark.parametrize("form", networks.FORMS)
def test_weights_alone(form, tmp_path):
    model = trained(form)
    model.save_weights(tmp_path / "m.weights.h5")
    for path in (tmp_path / "m.weights.h5", tmp_path / "m.keras"):
        if path.suffix == ".keras":
            model.save(path)
        again = networks.built(keras, form, "adam", OWN)
        again.load_weights(path)
        assert networks.steps(again, form, 3, 5) == networks.steps(
            keras.models.load_model(_saved(model, tmp_path), OWN), form, 3, 5
        )


def _saved(model, folder):
    model.save(folder / "copy.keras")
    return folder / "copy.keras"


# --------------------------------------------------------------------------------------- folders


def test_a_folder_is_restored_in_a_fresh_process_without_the_source(tmp_path):
    """Blocks is a layer of one's own; a model of known layers needs nothing."""

    class Mine(keras.Model):
        def __init__(self, units):
            super().__init__()
            self.hidden = keras.layers.Dense(units, activation="relu")
            self.out = keras.layers.Dense(1)

        def call(self, inputs):
            x = inputs
            for _ in range(2):
                x = keras.ops.concatenate([self.hidden(inputs) * 2.0, x], axis=-1)
            return self.out(x)

    x, y = networks.numbers(32, 3), networks.numbers(32, 1)
    model = Mine(4)
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "my_keras_model", save_format="tf")
    np.save(tmp_path / "x.npy", x)
    code = (
        "import numpy as np; from gradlab import keras; x = np.load('x.npy'); "
        "model = keras.models.load_model('my_keras_model'); "
        "np.save('y.npy', model.predict(x, verbose=0)); "
        "print(model.train_on_batch(x, x[:, :1]))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), model.predict(x, verbose=0))
    model.reset_metrics()
    assert done.stdout.strip() == str(model.train_on_batch(x, x[:, :1]))


def test_the_folder_has_the_parts_of_the_slide(tmp_path):
    model = trained()
    for _ in range(2):  # the second time, the weights of the first one are gone
        networks.steps(model, "sequential", 3, 4)
        model.save(tmp_path / "my_keras_model")
        inside = sorted(tmp_path.glob("my_keras_model/**/*"))
        names = [path.relative_to(tmp_path / "my_keras_model").as_posix() for path in inside]
        weights = names.pop()
        assert names == ["assets", "config.json", "metadata.json", "variables"]
        assert weights.startswith("variables/variables-") and weights.endswith(".weights.h5")


def test_a_model_whose_call_looks_at_numbers_is_not_put_into_a_folder(tmp_path):
    class Branching(keras.Model):
        def __init__(self):
            super().__init__()
            self.out = keras.layers.Dense(1)

        def call(self, inputs):
            return self.out(inputs) if float(inputs[0, 0]) > 0 else self.out(-inputs)

    model = Branching()
    model(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"cannot be written down as a graph.*\n.*\nwrite save"):
        model.save(tmp_path / "folder")
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------------ your own


def test_classes_and_functions_of_your_own(tmp_path):
    @keras.saving.register_keras_serializable("course")
    class Scaled(keras.layers.Layer):
        def __init__(self, factor=2.0, penalty=None, **kwargs):
            super().__init__(**kwargs)
            self.factor, self.penalty = factor, keras.regularizers.get(penalty)

        def build(self, input_shape):
            self.w = self.add_weight((input_shape[-1],), "ones", regularizer=self.penalty)

        def call(self, inputs):
            return self.w * inputs * self.factor

    def bent(x):
        return x * 0.5

    @keras.saving.register_keras_serializable("course")
    def squared(y_true, y_pred):
        return ((y_true - y_pred) ** 2).mean(axis=-1)

    scaled = Scaled(3.0, penalty=keras.regularizers.L2(0.1))  # get_config is not written
    model = keras.Sequential([keras.Input((2,)), scaled, keras.layers.Dense(1, activation=bent)])
    model.compile("sgd", squared, metrics=[squared])
    x = networks.numbers(4, 2)
    before = model.evaluate(x, x[:, :1], verbose=0)
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match=r"'bent'.*\nexpected one of .*\nwrite custom_objects="):
        keras.models.load_model(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", custom_objects={"bent": bent})
    assert again.evaluate(x, x[:, :1], verbose=0) == before
    assert again.layers[0].factor == 3.0 and again.layers[0].penalty.l2 == 0.1


def test_a_model_of_your_own_is_made_with_the_arguments_it_had(tmp_path):
    class Net(keras.Model):
        def __init__(self, units, activation="relu", **kwargs):
            super().__init__(**kwargs)
            self.hidden = keras.layers.Dense(units, activation=activation)

        def call(self, inputs):
            return self.hidden(inputs)

    model, rows = Net(5, activation="tanh", name="mine"), networks.numbers(4, 3)
    expected = model.predict(rows, verbose=0)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", {"Net": Net})
    assert type(again) is Net and again.name == "mine"
    np.testing.assert_array_equal(again.predict(rows, verbose=0), expected)
    with pytest.raises(ValueError, match=r"no layer is called 'Net'.*\n.*\nwrite custom_objects"):
        keras.models.load_model(tmp_path / "m.keras")


def test_a_model_that_has_not_been_trained(tmp_path):
    model = networks.built(keras, "functional", "adam")
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert networks.steps(again, "functional", 0, 3) == networks.steps(model, "functional", 0, 3)


def test_a_layer_at_two_places_is_one_layer_again(tmp_path):
    shared = keras.layers.Dense(3)
    inner = keras.Sequential([keras.Input((3,)), shared, keras.layers.ReLU()])
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Add()([inner(x), shared(x)]))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert again.layers[1].layers[0] is again.layers[2]
    rows = networks.numbers(4, 3)
    np.testing.assert_array_equal(again.predict(rows, verbose=0), model.predict(rows, verbose=0))


def test_operators_and_functions_between_layers(tmp_path):
    x = keras.Input((3,))
    h = keras.layers.Dense(4)(x)
    y = keras.ops.concatenate([keras.ops.exp(h * 0.5) + 1.0, x[:, 1:], h / 2.0], axis=-1)
    model = keras.Model(x, keras.ops.sum(y * keras.ops.sigmoid(y), axis=-1, keepdims=True))
    rows = networks.numbers(4, 3)
    for name in ("m.keras", "folder"):
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name)
        np.testing.assert_array_equal(
            again.predict(rows, verbose=0), model.predict(rows, verbose=0)
        )


def test_numbers_of_twice_the_precision(tmp_path):
    keras.config.set_floatx("float64")
    try:
        model = keras.Sequential([keras.layers.Dense(2, input_shape=[3])])
    finally:
        keras.config.set_floatx("float32")
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert again.weights[0].dtype == np.float64
    np.testing.assert_array_equal(again.weights[0].data, model.weights[0].data)


def test_a_frozen_layer_stays_frozen(tmp_path):
    model = trained()
    model.layers[3].trainable = False
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert [layer.trainable for layer in again.layers] == [
        layer.trainable for layer in model.layers
    ]


def test_what_is_saved_may_be_less(tmp_path):
    model = trained()
    model.save(tmp_path / "bare.keras", include_optimizer=False)
    model.save(tmp_path / "whole.keras")
    for path, compiled in (("bare.keras", True), ("whole.keras", False)):
        again = keras.models.load_model(tmp_path / path, compile=compiled)
        assert networks.predictions(again, "sequential") == networks.predictions(
            model, "sequential"
        )
        with pytest.raises(RuntimeError, match="before compile"):
            again.fit(*networks.data("sequential"))
    fresh = keras.Sequential([keras.layers.Dense(2)])  # not built yet: there are no weights
    fresh.save(tmp_path / "fresh.keras")
    assert not keras.models.load_model(tmp_path / "fresh.keras").weights


def test_loading_draws_no_random_numbers(tmp_path):
    model = trained()
    model.save(tmp_path / "m.keras")
    keras.utils.set_random_seed(4)
    expected = keras.initializers.RandomNormal()((3,))
    keras.utils.set_random_seed(4)
    keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(keras.initializers.RandomNormal()((3,)), expected)


# --------------------------------------------------------------------------------- what is refused


def changed(source, path, config=None, weights=None, **more):
    """Write a .keras file with another config or other weights, and more members."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if config is not None:
        members["config.json"] = config(members["config.json"].decode()).encode()
    if weights is not None:
        members["model.weights.h5"] = weights(members["model.weights.h5"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, **more}.items():
            archive.writestr(name, content)
    return path


def huge(text):
    return text.replace('"units": 3', '"units": 300000000000')


def unknown(text):
    return text.replace('"class_name": "Dense"', '"class_name": "os.system"')


def code(text):
    return text.replace('"class_name": "Dropout"', '"class_name": "Lambda"')


def nested(text):
    return "[" * 100_000


def wider(text):
    return text.replace('"units": 5', '"units": 4')


def another(weights):
    model = keras.Sequential([keras.layers.Dense(2, input_shape=[2])])
    return hdf5.write(state.gathered(model))


def endless(weights):
    import h5py

    file = io.BytesIO(weights)
    with h5py.File(file, "r+") as top:
        top["layers/dense/itself"] = top["layers"]
    return file.getvalue()


def one_array(array=None, **options):
    """Return a file whose first weight is this array."""

    def changing(weights):
        import h5py

        file = io.BytesIO(weights)
        with h5py.File(file, "r+") as top:
            del top["layers/dense/vars/0"]
            if array is not None:
                top["layers/dense/vars"].create_dataset("0", data=array)
            elif options:
                top["layers/dense/vars"].create_dataset("0", **options)
            else:
                top["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "x")
        return file.getvalue()

    return changing


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"config": huge}, "asks for a kernel of shape .* 300000000000"),
        ({"config": unknown}, "no layer is called 'os.system'\nexpected one of Activation, "),
        ({"config": code}, "Lambda"),
        ({"config": nested}, "cannot be restored"),
        ({"config": wider}, r"shapes \[\(6, 5\)\].*\nexpected \[\(6, 4\)\]"),
        ({"weights": another}, "the file has arrays of shapes|asks for"),
        ({"weights": one_array(np.zeros((6, 6), "S3"))}, "not plain numbers"),
        ({"weights": one_array(np.zeros((6, 7), "f4"))}, r"\(6, 7\)"),
        ({"weights": one_array()}, "has a link"),
        ({"weights": one_array(shape=(10**6, 10**6), dtype="f4", chunks=(100, 100))}, "stores"),
        ({"weights": endless}, "has the group 'layers/dense/itself' twice"),
        ({"../evil.txt": b"x"}, "has a member '../evil.txt'"),
        ({"assets/../../evil.txt": b"x"}, "outside of its folder"),
        ({"code.py": b"x"}, "has a member 'code.py'"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(change, said, tmp_path):
    trained().save(tmp_path / "m.keras")
    changed(tmp_path / "m.keras", tmp_path / "x.keras", **change)
    with pytest.raises(ValueError, match=said):
        keras.models.load_model(tmp_path / "x.keras")


def test_a_member_that_unpacks_to_much_more_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * 10**7)
    with pytest.raises(ValueError, match="unpacks to 10000000 bytes"):
        keras.models.load_model(tmp_path / "bomb.keras")


def test_weights_that_do_not_fit_change_nothing(tmp_path):
    model = trained()
    other = keras.Sequential([keras.layers.Dense(3, input_shape=[2]), keras.layers.Dense(1)])
    other.save_weights(tmp_path / "other.weights.h5")
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"shapes .*\nexpected .*\nwrite the file of a model"):
        model.load_weights(tmp_path / "other.weights.h5")
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    wide = keras.Sequential([keras.layers.Dense(3, input_shape=[2]), keras.layers.Dense(2)])
    with pytest.warns(UserWarning, match="stays as it is"):
        wide.load_weights(tmp_path / "other.weights.h5", skip_mismatch=True)
    np.testing.assert_array_equal(wide.get_weights()[0], other.get_weights()[0])


def loaded_with(folder, custom_objects):
    return keras.models.load_model(folder / "m.keras", custom_objects=custom_objects)


@pytest.mark.parametrize(
    ("act", "error", "said"),
    [
        (lambda m, d: m.save(d / "m.h5"), ValueError, r"'m.h5'\n.*\.keras.*\nwrite .*m.keras"),
        (lambda m, d: m.save(d / "m.keras", save_format="h5"), ValueError, "save_format='h5'"),
        (lambda m, d: m.save_weights(d / "m.h5"), ValueError, r"\.weights\.h5"),
        (lambda m, d: m.save(d / "no" / "m.keras"), OSError, "cannot be written"),
        (lambda m, d: m.save(d / f"{'n' * 300}.keras"), OSError, "cannot be written"),
        (lambda m, d: keras.models.load_model(d / "m.keras"), FileNotFoundError, "there is no"),
        (lambda m, d: keras.models.load_model(d), ValueError, "has no config.json"),
        (lambda m, d: loaded_with(d, {"Mine": 3}), TypeError, r"given \{'Mine': 3\}\n.*a dict of"),
        (lambda m, d: loaded_with(d, [OWN]), TypeError, r"custom_objects: given \["),
        (lambda m, d: keras.models.load_model(d / "a", safe_mode=False), ValueError, "safe_mode"),
    ],
)
def test_mistakes_are_told_in_three_lines(act, error, said, tmp_path):
    model = keras.Sequential([keras.layers.Dense(1, input_shape=[2])])
    with pytest.raises(error, match=said) as caught:
        act(model, tmp_path)
    assert str(caught.value).count("\n") == 2
    assert not list(tmp_path.iterdir())


def test_a_file_is_not_replaced_against_your_will(tmp_path):
    model = trained()
    (tmp_path / "m.keras").write_text("mine")
    with pytest.raises(FileExistsError, match=r"there is .*already"):
        model.save(tmp_path / "m.keras", overwrite=False)
    assert (tmp_path / "m.keras").read_text() == "mine"


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 nothing", b"\x89HDF\r\n\x1a\n", b"{}", b"\x00" * 64]
)
def test_a_file_of_something_else(content, tmp_path):
    (tmp_path / "m.keras").write_bytes(content)
    with pytest.raises(ValueError, match=r"expected .*\n") as caught:
        keras.models.load_model(tmp_path / "m.keras")
    assert str(caught.value).count("\n") == 2


def nameless():
    return keras.layers.Dense(1, activation=lambda x: x)


def anything():
    return keras.layers.Lambda(nameless)


def positional():
    class Stack(keras.layers.Layer):
        def __init__(self, *sizes):
            super().__init__()

        def call(self, inputs):
            return inputs

    return Stack(3, 4)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (nameless, "no name that could be saved"),
        (anything, "Lambda|lambda"),
        (positional, r"have no names\n.*\nwrite def get_config"),
    ],
)
def test_saving_needs_what_can_be_written_down(layer, said, tmp_path):
    model = keras.Sequential([layer()])
    for name in ("m.keras", "folder"):
        with pytest.raises(ValueError, match=said):
            model.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_weights_without_an_optimizer_leave_that_of_the_model(tmp_path):
    plain = keras.Sequential([keras.layers.Dense(2, input_shape=[2])])
    plain.save_weights(tmp_path / "m.weights.h5")
    model = keras.Sequential([keras.layers.Dense(2, input_shape=[2])])
    model.compile("adam", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 2)), verbose=0)
    model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], plain.get_weights()[0])
    assert int(model.optimizer.iterations) == 1


def test_importing_does_not_import_h5py():
    code = (
        "import sys; from gradlab import keras; keras.models.load_model; keras.saving.load_model; "
        "assert 'h5py' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

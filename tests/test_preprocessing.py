"""Preprocessing layers and data sets: against recorded Keras, by hand, and their mistakes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from golden import record_keras_lookups as lookups
from golden import record_keras_sequences as golden

from gradlab import ShapeError, keras

RECORDED = json.loads(golden.FILE.read_text())
LOOKED_UP = json.loads(lookups.FILE.read_text())["answers"]
L = keras.layers
utils = keras.utils
RNG = np.random.default_rng(9)


@pytest.fixture(autouse=True)
def _fresh_names():
    keras.backend.clear_session()
    keras.utils.set_random_seed(42)


def made_again(layer):
    return L.deserialize(json.loads(json.dumps(L.serialize(layer))))


# -------------------------------------------------------------------------------- against Keras


@pytest.mark.parametrize("name", golden.PREPARED)
def test_a_layer_answers_as_keras(name):
    found, wanted = np.asarray(golden.prepared(keras, name)), np.array(RECORDED["prepared"][name])
    assert found.shape == wanted.shape
    assert found == pytest.approx(wanted, rel=1e-4, abs=2e-5)


@pytest.mark.parametrize("name", golden.PREPARED)
def test_a_layer_is_made_again(name):
    spec, given = golden.PREPARED[name]
    layer = golden.made(keras, spec)
    again = made_again(layer)
    assert json.dumps(again.get_config()) == json.dumps(layer.get_config())
    shape = given if isinstance(given, tuple) else np.shape(given)
    announced = layer.compute_output_shape((None, *shape[1:]))
    assert announced[1:] == np.array(RECORDED["prepared"][name]).shape[1:]


@pytest.mark.parametrize("name", golden.ADAPTED)
def test_boundaries_of_bins_are_those_of_keras(name):
    found = golden.boundaries(keras, name)
    assert found == pytest.approx(RECORDED["boundaries"][name], rel=1e-5)


@pytest.mark.parametrize("name", lookups.CASES)
def test_words_are_found_as_in_keras(name):
    found, wanted = lookups.answer(keras, name), LOOKED_UP[name]
    assert np.shape(found["y"]) == np.shape(wanted["y"])
    for key, values in wanted.items():
        words = np.asarray(values).dtype.kind == "U"
        same = values if words else pytest.approx(np.array(values), rel=1e-5)
        assert (found[key] if words else np.array(found[key])) == same, key


# -------------------------------------------------------------------------------- words, by hand


def test_words_and_back():
    layer = L.StringLookup(vocabulary=["a", "b", "c"], mask_token="")
    words = np.array([["a", "c", ""], ["d", "b", "a"]])
    np.testing.assert_array_equal(layer(words), [[2, 4, 0], [1, 3, 2]])
    back = L.StringLookup(vocabulary=layer.get_vocabulary(), mask_token="", invert=True)
    np.testing.assert_array_equal(back(layer(words)), [["a", "c", ""], ["[UNK]", "b", "a"]])


def test_a_vocabulary_from_data():
    layer = L.StringLookup(max_tokens=3)
    layer.adapt(np.array([["a", "b"], ["b", "c"]]))
    assert layer.get_vocabulary() == ["[UNK]", "b", "c"]  # of a and c, c comes first as in Keras
    assert layer.get_vocabulary(include_special_tokens=False) == ["b", "c"]
    np.testing.assert_array_equal(made_again(layer)(np.array(["c", "a"])), [2, 0])


def test_a_vocabulary_from_a_file(tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("sun\nmoon\n", encoding="utf-8")
    assert L.StringLookup(vocabulary=str(file))(np.array(["moon", b"sun"], object)).tolist() == [
        2,
        1,
    ]


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("one_hot", [[[0, 1, 0], [0, 1, 0]], [[0, 0, 1], [1, 0, 0]]]),
        ("multi_hot", [[0, 1, 0], [1, 0, 1]]),
        ("count", [[0, 2, 0], [1, 0, 1]]),
    ],
)
def test_words_as_rows(mode, wanted):
    layer = L.StringLookup(vocabulary=["a", "b"], output_mode=mode, mask_token="")
    np.testing.assert_array_equal(layer(np.array([["a", "a"], ["b", "z"]])), wanted)
    assert layer.compute_output_shape((None, 2)) == (None, *np.shape(wanted)[1:])


def test_a_mask_is_no_word_in_rows():
    layer = L.StringLookup(vocabulary=["a"], output_mode="count", mask_token="")
    np.testing.assert_array_equal(layer(np.array([["a", "", "q"]])), [[1, 1]])


def test_rare_words_weigh_more():
    layer = L.TextVectorization(output_mode="tf_idf", split="whitespace")
    layer.adapt(["the cat", "the dog", "the cow"])
    the, cat = (np.log(1 + 3 / (1 + n)) for n in (3, 1))
    row = layer(["the the cat"])[0]
    assert layer.get_vocabulary()[:2] == ["[UNK]", "the"]
    assert sorted(row[row > 0]) == pytest.approx(sorted([cat, 2 * the]))
    np.testing.assert_allclose(made_again(layer)(["the the cat"])[0], row)


def test_numbers_that_are_names():
    layer = L.IntegerLookup(vocabulary=[12, 36], num_oov_indices=2)
    np.testing.assert_array_equal(layer([[36, 12, 7, 8]]), [[3, 2, 1, 0]])
    assert layer.get_vocabulary() == [-1, -1, 12, 36]
    padded = L.IntegerLookup(5, vocabulary=[12], output_mode="count", pad_to_max_tokens=True)
    np.testing.assert_array_equal(padded([[12, 12, 1]]), [[1, 2, 0, 0, 0]])


def test_text_in_several_ways():
    text = ["Hello, World! hello"]
    layer = L.TextVectorization(output_sequence_length=5)
    layer.adapt(text)
    assert layer.get_vocabulary() == ["", "[UNK]", "hello", "world"]
    np.testing.assert_array_equal(layer(text), [[2, 3, 2, 0, 0]])
    assert layer.compute_output_shape((None,)) == (None, 5)
    pairs = L.TextVectorization(ngrams=2, standardize="lower")
    assert pairs.words("A b, c") == ["a", "b,", "c", "a b,", "b, c"]
    assert L.TextVectorization(ngrams=(2,)).words("a b c") == ["a b", "b c"]
    assert L.TextVectorization(split="character").words("ab!") == ["a", "b"]
    assert L.TextVectorization(split=None, standardize=None).words("A b!") == ["A b!"]
    own = L.TextVectorization(standardize=np.char.upper, split=lambda text: text.split("-"))
    assert own.words("a-b") == ["A", "B"]


def test_text_to_a_network():
    texts, labels = ["good film", "bad film", "good", "very bad"] * 4, [1, 0, 1, 0] * 4
    words = L.TextVectorization(output_sequence_length=2)
    words.adapt(texts)
    model = keras.Sequential(
        [L.Embedding(words.vocabulary_size(), 4, mask_zero=True), L.LSTM(8), L.Dense(1, "sigmoid")]
    )
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(0.05))
    model.fit(words(texts), np.array(labels), epochs=30, verbose=0)
    assert model.predict(words(["good", "bad"]), verbose=0).round().ravel().tolist() == [1.0, 0.0]


# ------------------------------------------------------------------------------- images, by hand


def test_half_of_the_images_are_mirrored():
    x = RNG.random((400, 3, 4, 1)).astype("float32")
    for mode, flipped in (("horizontal", x[:, :, ::-1]), ("vertical", x[:, ::-1])):
        y = L.RandomFlip(mode, seed=1)(x, training=True)
        same = (y == x).all(axis=(1, 2, 3))
        assert 150 < same.sum() < 250  # 5 standard deviations
        np.testing.assert_array_equal(y[~same], flipped[~same])


@pytest.mark.parametrize(
    "layer",
    [
        L.RandomFlip(seed=3),
        L.RandomRotation(0.2, seed=3),
        L.RandomZoom(0.3, seed=3),
        L.RandomTranslation(0.2, 0.2, seed=3),
    ],
)
def test_images_change_in_training_only(layer):
    x = RNG.random((6, 5, 5, 1)).astype("float32")
    y = layer(x, training=True)
    assert y.shape == x.shape and y.dtype == np.float32 and not (y == x).all()
    np.testing.assert_array_equal(layer(x), x)
    single = L.deserialize(L.serialize(layer))(x[0], training=True)
    assert single.shape == x[0].shape


def test_each_image_changes_in_its_own_way_and_in_each_epoch():
    model = keras.Sequential(
        [L.Input((4, 4, 1)), L.RandomTranslation(0.5, 0.5, fill_mode="constant"), L.Flatten()]
    )
    model.add(L.Dense(1, kernel_initializer="ones"))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    x = np.broadcast_to(RNG.random((1, 4, 4, 1)), (5, 4, 4, 1))
    losses = model.fit(x, np.zeros((5, 1)), epochs=5, verbose=0).history["loss"]
    assert model.program() is not None and len(set(losses)) == 5
    assert len(set(np.asarray(model.layers[0](x, training=True)).sum(axis=(1, 2, 3)))) == 5


# ------------------------------------------------------------------------------------- data sets


def test_sequences_of_one_length():
    given = [[1], [2, 3], [4, 5, 6]]
    assert utils.pad_sequences(given).tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6]]
    assert utils.pad_sequences(given, padding="post", value=-1)[0].tolist() == [1, -1, -1]
    assert utils.pad_sequences(given, 2, truncating="post").tolist() == [[0, 1], [2, 3], [4, 5]]
    assert utils.pad_sequences([[], [1]]).tolist() == [[0], [1]]
    features = utils.pad_sequences([np.ones((2, 3)), np.ones((1, 3))], dtype="float32")
    assert features.shape == (2, 2, 3) and features.dtype == np.float32
    assert utils.pad_sequences(given, 0).shape == (3, 0)


def test_windows_of_a_series():
    batches = utils.timeseries_dataset_from_array(
        np.arange(99), None, 10, sequence_stride=3, sampling_rate=2, batch_size=5
    )
    windows = np.concatenate(list(batches))
    assert windows[0].tolist() == list(range(0, 20, 2)) and windows[-1].tolist() == list(
        range(78, 98, 2)
    )
    assert len(batches) == 6 and len(windows) == 27
    part = utils.timeseries_dataset_from_array(
        np.arange(20), np.arange(20) * 10, 3, start_index=5, end_index=10, batch_size=None
    )
    assert [(x.tolist(), int(y)) for x, y in part][-1] == ([7, 8, 9], 70)


def test_windows_in_another_order_are_the_same_windows():
    batches = utils.timeseries_dataset_from_array(np.arange(50), None, 4, shuffle=True, seed=1)
    (first,), (second,) = list(batches), list(batches)
    np.testing.assert_array_equal(first, second)
    assert first[:, 0].tolist() != list(range(47)) == sorted(first[:, 0].tolist())


def test_a_network_learns_from_windows():
    series = np.sin(np.arange(200) / 5.0)[:, np.newaxis].astype("float32")
    batches = utils.timeseries_dataset_from_array(series[:-1], series[10:], 10, batch_size=32)
    model = keras.Sequential([L.SimpleRNN(8), L.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    assert model.fit(batches, epochs=15, verbose=0).history["loss"][-1] < 0.05


@pytest.fixture
def folder(tmp_path):
    from PIL import Image

    for name, shade in (("cats", 40), ("dogs", 200)):
        (tmp_path / name).mkdir()
        for k in range(5):
            pixels = np.full((6 + k, 8, 3), shade, np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{k}.png")
    return tmp_path


def test_images_in_folders(folder, capsys):
    batches = utils.image_dataset_from_directory(
        folder, image_size=(4, 4), batch_size=4, shuffle=False
    )
    assert capsys.readouterr().out == "Found 10 files belonging to 2 classes.\n"
    assert batches.class_names == ["cats", "dogs"] and len(batches) == 3
    assert batches.file_paths[0].endswith("0.png")
    images, labels = next(iter(batches))
    assert images.shape == (4, 4, 4, 3) and images.dtype == np.float32 and (images == 40).all()
    assert labels.tolist() == [0, 0, 0, 0] and labels.dtype == np.int32


@pytest.mark.parametrize(
    ("settings", "shape", "labels"),
    [
        ({"label_mode": "binary"}, (10, 4, 4, 3), (10, 1)),
        ({"label_mode": "categorical", "color_mode": "grayscale"}, (10, 4, 4, 1), (10, 2)),
        ({"color_mode": "rgba", "labels": list(range(10))}, (10, 4, 4, 4), (10,)),
    ],
)
def test_images_and_labels_in_other_forms(folder, settings, shape, labels):
    (found,) = utils.image_dataset_from_directory(
        folder, image_size=4, verbose=False, shuffle=False, **settings
    )
    assert found[0].shape == shape and found[1].shape == labels


def test_images_without_classes(folder):
    (images,) = utils.image_dataset_from_directory(
        folder, labels=None, image_size=(4, 4), verbose=False
    )
    assert images.shape == (10, 4, 4, 3)


def test_two_subsets_have_all_images_once(folder):
    train, rest = utils.image_dataset_from_directory(
        folder, image_size=4, validation_split=0.3, subset="both", seed=1, verbose=False
    )
    assert len(train.file_paths) == 7 and len({*train.file_paths, *rest.file_paths}) == 10
    alone = utils.image_dataset_from_directory(
        folder, image_size=4, validation_split=0.3, subset="validation", seed=1, verbose=False
    )
    assert alone.file_paths == rest.file_paths
    for images, labels in train:
        assert (images[:, 0, 0, 0] == np.where(labels, 200, 40)).all()


# -------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("mistake", "error", "words"),
    [
        (lambda: L.CategoryEncoding(3)(np.array([[1, 3]])), ValueError, r"3 at \[0, 1\]"),
        (lambda: L.CategoryEncoding(0), ValueError, "num_tokens=0"),
        (lambda: L.CategoryEncoding(3, output_mode="int"), ValueError, "output_mode='int'"),
        (
            lambda: L.CategoryEncoding(3)(np.array([[1]]), count_weights=np.array([[2.0]])),
            ValueError,
            "count_weights",
        ),
        (lambda: L.Discretization(), ValueError, "one of both"),
        (lambda: L.Discretization(num_bins=3)(np.ones((2, 2))), RuntimeError, "adapt"),
        (lambda: L.Discretization([1.0]).adapt(np.ones(3)), RuntimeError, "one of the two"),
        (
            lambda: L.StringLookup(vocabulary=["a"], num_oov_indices=0)(np.array(["b"])),
            ValueError,
            "'b' is not in the vocabulary",
        ),
        (lambda: L.StringLookup(vocabulary=["a", "a"]), ValueError, "'a' twice"),
        (lambda: L.StringLookup(vocabulary=[]), ValueError, "no word"),
        (lambda: L.StringLookup(2, vocabulary=["a", "b"]), ValueError, "vocabulary of 3"),
        (lambda: L.StringLookup()(np.array(["b"])), RuntimeError, "adapt"),
        (lambda: L.StringLookup(invert=True, output_mode="count"), ValueError, "to go back"),
        (lambda: L.IntegerLookup(output_mode="tf_idf", vocabulary=[1]), ValueError, "idf_weights"),
        (lambda: L.TextVectorization(split="words"), ValueError, "split='words'"),
        (
            lambda: L.TextVectorization(output_mode="count", output_sequence_length=3),
            ValueError,
            "output_sequence_length=3",
        ),
        (lambda: L.Resizing(0, 3), ValueError, "0 x 3"),
        (lambda: L.Resizing(3, 3, interpolation="area"), ValueError, "bilinear"),
        (
            lambda: L.Resizing(3, 3, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
            ValueError,
            "one of them",
        ),
        (lambda: L.Resizing(3, 3)(np.ones((4, 4))), ShapeError, "np.newaxis"),
        (lambda: L.RandomFlip("sideways"), ValueError, "sideways"),
        (lambda: L.RandomRotation(2.0), ValueError, "factor=2.0"),
        (lambda: L.RandomZoom(0.1, fill_mode="black"), ValueError, "fill_mode='black'"),
        (lambda: L.RandomFlip()(np.ones((4, 4))), ShapeError, "images"),
        (lambda: utils.pad_sequences([1, 2]), ValueError, "list of sequences"),
        (lambda: utils.pad_sequences([[1]], padding="left"), ValueError, "padding='left'"),
        (
            lambda: utils.pad_sequences([np.ones((2, 3)), np.ones((2, 4))]),
            ValueError,
            "the same features",
        ),
        (
            lambda: utils.timeseries_dataset_from_array(np.arange(5), None, 6),
            ValueError,
            "one window",
        ),
        (
            lambda: utils.timeseries_dataset_from_array(np.arange(5), None, 2, batch_size=0),
            ValueError,
            "batch_size=0",
        ),
        (lambda: utils.image_dataset_from_directory("nowhere"), ValueError, "nowhere"),
    ],
)
def test_a_mistake_is_told_in_three_lines(mistake, error, words):
    with pytest.raises(error, match=words) as caught:
        mistake()
    assert str(caught.value).count("\n") == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"validation_split": 0.3},
        {"validation_split": 1.5, "subset": "training", "seed": 1},
        {"validation_split": 0.3, "subset": "training"},
        {"validation_split": 0.01, "subset": "validation", "seed": 1},
        {"labels": [1, 2]},
        {"label_mode": "both"},
        {"class_names": ["cats"], "label_mode": "binary"},
    ],
)
def test_folders_that_do_not_fit(folder, settings):
    with pytest.raises(ValueError, match="image_dataset") as caught:
        utils.image_dataset_from_directory(folder, verbose=False, **settings)
    assert str(caught.value).count("\n") == 2

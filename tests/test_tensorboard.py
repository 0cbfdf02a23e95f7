"""Event files: their bytes, the slide's tree, what `fit` writes, and what a damaged file says."""

from __future__ import annotations

import gzip
import json
import random
import re
import struct
import zlib

import numpy as np
import pytest

from gradlab import keras
from gradlab.keras import tensorboard as tb
from gradlab.keras.callbacks.tensorboard import as_image
from gradlab.keras.tensorboard import messages, wire
from gradlab.keras.tensorboard.graph import graph_def
from gradlab.keras.tensorboard.png import png
from gradlab.keras.tensorboard.profile import LINES, PARTS, STEPS
from gradlab.keras.tensorboard.reader import events_in
from gradlab.keras.tensorboard.records import crc32c, masked, record, records

X = np.random.default_rng(0).normal(size=(96, 4)).astype("float32")
Y = X[:, :1] * 2.0


def model(**options: object) -> keras.Model:
    """Return a small compiled model."""
    keras.utils.set_random_seed(1)
    made = keras.Sequential(
        [
            keras.layers.Dense(5, activation="relu", name="hidden", input_shape=[4]),
            keras.layers.Dense(1, name="out"),
        ]
    )
    made.compile(loss="mse", optimizer="sgd", metrics=["mae"], **options)
    return made


def fit(folder, *, trained: keras.Model | None = None, epochs: int = 2, **options: object):
    """Train with TensorBoard and return the events of both files."""
    board = keras.callbacks.TensorBoard(folder, **options)
    trained = trained or model()
    trained.fit(X, Y, epochs=epochs, verbose=0, validation_data=(X, Y), callbacks=[board])
    return events(folder / "train"), events(folder / "validation")


def events(folder) -> list[tb.Event]:
    """Return the events of the one file in a folder."""
    [file] = folder.glob("events.out.tfevents.*.v2")
    return list(tb.read_events(file))


# ----------------------------------------------------------------------------------- the bytes


@pytest.mark.parametrize(
    ("content", "crc"),  # RFC 3720, appendix B.4
    [
        (b"\0" * 32, 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_check_sums_are_those_of_the_standard(content, crc):
    assert crc32c(content) == crc


def test_a_file_begins_with_the_bytes_that_tensorflow_writes():
    # tf.summary.create_file_writer: length 24, wall time at 1670000000.0, then the version
    event = messages.event(0, (3, "brain.Event:2"), wall_time=1.67e9)
    assert event[:9] == b"\x09" + struct.pack("<d", 1.67e9)
    assert event[9:] == b"\x10\x00\x1a\x0dbrain.Event:2"
    whole = record(event)
    assert whole[:8] == struct.pack("<Q", len(event))
    assert whole[8:12] == masked(whole[:8])


@pytest.mark.parametrize("n", [0, 1, 127, 128, 300, 2**31, 2**63 - 1, -1, -(2**63)])
def test_whole_numbers_come_back(n):
    assert wire.number(wire.fields(wire.message((5, n)))[5], "i") == n


def test_messages_come_back():
    content = wire.message((1, 0.1), (2, np.float32(0.1)), (3, "ä"), (4, b"\0"), (5, None))
    found = wire.fields(content)
    assert wire.number(found[1], "d") == 0.1
    assert wire.number(found[2], "f") == np.float32(0.1)
    assert (wire.text(found[3]), wire.blob(found[4])) == ("ä", b"\0")
    assert 5 not in found


@pytest.mark.parametrize(
    "content",
    [b"\x80" * 11, b"\x08", b"\x00\x00", b"\x0b", b"\x0a\x05abc", b"\x09\0\0", b"\x0d\0"],
)
def test_what_is_no_message_is_refused(content):
    with pytest.raises(wire.DamagedError):
        wire.fields(content)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_files_hold_the_pixels(channels):
    picture = np.random.default_rng(0).integers(0, 256, (3, 5, channels), dtype=np.uint8)
    file = png(picture)
    assert struct.unpack(">II", file[16:24]) == (5, 3)
    start = file.index(b"IDAT")
    (size,) = struct.unpack(">I", file[start - 4 : start])
    rows = np.frombuffer(zlib.decompress(file[start + 4 : start + 4 + size]), np.uint8)
    np.testing.assert_array_equal(rows.reshape(3, -1)[:, 1:].reshape(picture.shape), picture)


def test_png_files_are_read_by_matplotlib(tmp_path):
    import matplotlib.image

    (tmp_path / "p.png").write_bytes(png(np.array([[[0.0, 0.5, 1.0]], [[2.0, -1.0, np.nan]]])))
    found = matplotlib.image.imread(tmp_path / "p.png")
    assert found[0, 0] == pytest.approx([0, 128 / 255, 1])
    assert found[1, 0] == pytest.approx([1, 0, 0])


# -------------------------------------------------------------------------------- the writer


def test_what_is_written_comes_back(tmp_path):
    with tb.create_file_writer(tmp_path) as writer:
        writer.scalar("loss", 0.5, 3)
        writer.histogram("w", [0.0, 1.0, 1.0, np.inf], 4, buckets=2)
        writer.image("pictures", np.zeros((5, 2, 3, 1)), 5)
        writer.text("note", "**bold**", 6)
        writer.text("notes", ["a", "b"], 7)
        writer.hparams({"rate": 0.1, "units": 3, "kind": "wide", "flag": True})
    found = list(tb.read_events(writer.path))
    assert [(e.plugin, e.tag, e.step) for e in found[:5]] == [
        ("scalars", "loss", 3),
        ("histograms", "w", 4),
        ("images", "pictures", 5),
        ("text", "note", 6),
        ("text", "notes", 7),
    ]
    assert found[0].value == 0.5
    assert found[1].value.tolist() == [[0.0, 0.5, 1.0], [0.5, 1.0, 2.0]]
    assert found[2].value[:2] == [b"3", b"2"]
    assert len(found[2].value) == 2 + 3
    assert found[3].value == [b"**bold**"]
    assert found[4].value == [b"a", b"b"]
    assert [e.plugin for e in found[5:]] == ["hparams", "hparams"]


@pytest.mark.parametrize("values", [[], [np.nan], [2.0, 2.0], [1e-30, -1e-30], np.float32(3)])
def test_histograms_of_odd_arrays(values):
    rows = messages.counted(values, 30)
    assert rows.shape == (30, 3)
    assert rows[:, 2].sum() == np.isfinite(values).sum()
    assert (rows[:, 0] <= rows[:, 1]).all()


def test_nothing_is_written_before_there_is_something(tmp_path):
    writer = tb.FileWriter(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    writer.scalar("loss", 0.5, 3)
    writer.flush()
    size = writer.path.stat().st_size
    writer.flush()
    assert writer.path.stat().st_size == size


def test_two_writers_do_not_share_a_file(tmp_path):
    paths = {tb.FileWriter(tmp_path).path for _ in range(3)}
    assert len(paths) == 3


@pytest.mark.parametrize("shape", [(2, 2), (1, 2, 2), (1, 2, 2, 5)])
def test_images_of_another_shape_are_refused(shape, tmp_path):
    with pytest.raises(ValueError, match=r"image: given .*\nexpected \(count.*\nwrite images"):
        tb.FileWriter(tmp_path).image("a", np.zeros(shape), 0)


# -------------------------------------------------------------------------------- the callback


def test_the_tree_is_that_of_the_slide(tmp_path):
    fit(tmp_path / "run_1", profile_batch=(2, 4))
    event_file = r"events\.out\.tfevents\.\d{10}\.[^/]+\.\d+"
    stamp = r"\d{4}(_\d\d){5}"
    expected = [
        rf"run_1/train/{event_file}\.\d+\.v2",
        r"run_1/train/events\.out\.tfevents\.\d{10}\.[^/]+\.profile-empty",
        rf"run_1/train/plugins/profile/{stamp}/[^/]+\.trace\.json\.gz",
        rf"run_1/train/plugins/profile/{stamp}/[^/]+\.xplane\.pb",
        rf"run_1/validation/{event_file}\.\d+\.v2",
    ]
    files = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert len(files) == len(expected)
    for file, pattern in zip(files, expected, strict=True):
        assert re.fullmatch(pattern, file)


def test_the_name_of_a_run_is_that_of_the_slide(tmp_path):
    folder = keras.callbacks.get_run_logdir(tmp_path / "my_logs")
    assert re.fullmatch(r"run_\d{4}(_\d\d){5}", folder.name)
    assert not folder.parent.exists()


def test_curves_have_the_tags_and_the_numbers_of_keras(tmp_path):
    trained = model()
    train, validation = fit(tmp_path, trained=trained, write_graph=False)
    history = trained.history.history
    tags = [(e.tag, e.step) for e in train]
    assert tags == [
        (f"epoch_{name}", epoch) for epoch in (0, 1) for name in ("loss", "mae", "learning_rate")
    ]
    found = [e.value for e in train if e.tag == "epoch_mae"]
    assert found == pytest.approx(history["mae"], rel=1e-6)
    assert [(e.tag, e.step) for e in validation][:4] == [
        ("evaluation_loss_vs_iterations", 3),
        ("evaluation_mae_vs_iterations", 3),
        ("epoch_loss", 0),
        ("epoch_mae", 0),
    ]
    found = [e.value for e in validation if e.tag == "epoch_loss"]
    assert found == pytest.approx(history["val_loss"], rel=1e-6)


@pytest.mark.parametrize(
    ("update_freq", "steps"), [("batch", [1, 2, 3, 4, 5, 6]), (2, [2, 4, 6]), ("epoch", [])]
)
def test_curves_over_batches(update_freq, steps, tmp_path):
    train, _ = fit(tmp_path, update_freq=update_freq, write_steps_per_second=True)
    assert [e.step for e in train if e.tag == "batch_loss"] == steps
    assert [e.step for e in train if e.tag == "batch_steps_per_second"] == steps
    assert [e.step for e in train if e.tag == "epoch_steps_per_second"] == [0, 1]


def test_histograms_and_images_of_the_weights(tmp_path):
    trained = model()
    train, _ = fit(tmp_path, trained=trained, histogram_freq=2, write_images=True, epochs=3)
    found = [e for e in train if e.plugin == "histograms"]
    assert [(e.tag, e.step) for e in found] == [
        (f"{name}/histogram", epoch)
        for epoch in (0, 2)
        for name in ("hidden/kernel", "hidden/bias", "out/kernel", "out/bias")
    ]
    last, kernel = found[4].value, trained.get_weights()[0]
    assert (last[0, 0], last[-1, 1], last[:, 2].sum()) == (kernel.min(), kernel.max(), 20)
    assert [e.value[:2] for e in train if e.plugin == "images"][:2] == [[b"5", b"4"], [b"5", b"1"]]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5,), (1, 1, 5, 1)),
        ((7, 3), (1, 3, 7, 1)),
        ((2, 3, 9), (9, 2, 3, 1)),
        ((1, 1), None),
        ((2, 3, 3, 9), None),
    ],
)
def test_weights_as_images(shape, expected):
    image = as_image(np.random.default_rng(0).normal(size=shape))
    assert (None if image is None else image.shape) == expected


@pytest.mark.parametrize("given", [-1, (2, 1), (0, 3), "a", (1, 2, 3), (), None])
def test_batches_that_cannot_be_profiled_are_refused(given, tmp_path):
    with pytest.raises(ValueError, match=r"profile_batch=.*\nexpected.*\nwrite profile_batch="):
        keras.callbacks.TensorBoard(tmp_path, profile_batch=given)


def test_another_update_freq_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"update_freq='step'\nexpected.*\nwrite update_freq="):
        keras.callbacks.TensorBoard(tmp_path, update_freq="step")


def test_training_is_the_same_with_tensorboard(tmp_path):
    plain = model()
    plain.fit(X, Y, epochs=2, verbose=0)
    watched = model()
    options = {"histogram_freq": 1, "profile_batch": (2, 5), "update_freq": "batch"}
    board = keras.callbacks.TensorBoard(tmp_path, **options)
    watched.fit(X, Y, epochs=2, verbose=0, callbacks=[board])
    for mine, theirs in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


# -------------------------------------------------------------------------------- the profile


def trace(folder) -> list[dict]:
    """Return the spans of the one profile below a folder."""
    [file] = folder.glob("train/plugins/profile/*/*.trace.json.gz")
    found = json.loads(gzip.decompress(file.read_bytes()))["traceEvents"]
    rows = {e["tid"]: e["args"]["name"] for e in found if e["name"] == "thread_name"}
    return [{**e, "row": rows[e["tid"]]} for e in found if e["ph"] == "X"]


def test_the_profile_has_the_steps_and_the_lines_of_the_program(tmp_path):
    trained = model()
    fit(tmp_path, trained=trained, profile_batch=(3, 5))
    spans = trace(tmp_path)
    steps = [e for e in spans if e["row"] == STEPS]
    assert [e["name"] for e in steps] == ["train 3", "train 4", "train 5"]
    [program] = [step.program for step in trained._programs["train"].programs.values()]
    lines = [e for e in spans if e["row"] == LINES]
    assert [e["name"] for e in lines] == program.texts * 3
    for line in lines:  # each lies within a step, which takes longer
        assert any(
            s["ts"] <= line["ts"] and line["ts"] + line["dur"] <= s["ts"] + s["dur"] for s in steps
        )
    assert "_begin" not in program._function.__code__.co_varnames


def test_the_profile_of_an_eager_model_has_its_layers(tmp_path):
    trained = model(run_eagerly=True)
    fit(tmp_path, trained=trained, profile_batch=2)
    parts = [e["name"] for e in trace(tmp_path) if e["row"] == PARTS]
    assert parts == ["hidden", "out", "update", "metrics"]
    assert "call" not in vars(trained.layers[0])


def test_a_profile_is_written_also_if_training_ends_before_its_last_batch(tmp_path):
    fit(tmp_path, profile_batch=(5, 99))
    assert [e["name"] for e in trace(tmp_path) if e["row"] == STEPS] == ["train 5", "train 6"]


def test_after_a_fit_that_was_broken_off_the_next_one_takes_the_clocks_away(tmp_path):
    def interrupt(batch, logs):
        raise KeyboardInterrupt

    trained, board = model(), keras.callbacks.TensorBoard(tmp_path, profile_batch=(1, 9))
    broken_off = [board, keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)]
    with pytest.raises(KeyboardInterrupt):
        trained.fit(X, Y, verbose=0, callbacks=broken_off)
    assert "call" in vars(trained.layers[0])
    trained.fit(X, Y, verbose=0, callbacks=[board])
    assert "call" not in vars(trained.layers[0])


def test_both_forms_of_the_profile_have_the_same_spans(tmp_path):
    fit(tmp_path, profile_batch=(2, 4))
    [file] = tmp_path.glob("train/plugins/profile/*/*.xplane.pb")
    plane = wire.fields(wire.fields(file.read_bytes())[1][0])
    assert wire.text(plane[2]) == "/host:CPU"
    names = {}
    for entry in plane[4]:
        parts = wire.fields(entry)
        names[parts[1][0]] = wire.text(wire.fields(parts[2][0])[2])
    found = []
    for line in map(wire.fields, plane[3]):
        for event in map(wire.fields, line[4]):
            place = event.get(2, [0])[0] / 1e6, event[3][0] / 1e6  # picoseconds
            found.append((wire.text(line[2]), names[event[1][0]], *place))
    expected = [(e["row"], e["name"], e["ts"], e["dur"]) for e in trace(tmp_path)]
    assert sorted(found) == sorted(expected)


# ---------------------------------------------------------------------------------- the graph


def nodes(content: bytes) -> dict[str, tuple[str, list[str]]]:
    """Return the nodes of a graph: by name, the operation and the inputs."""
    found = {}
    for node in map(wire.fields, wire.fields(content)[1]):
        inputs = [each.decode() for each in node.get(3, [])]
        found[wire.text(node[1])] = wire.text(node[2]), inputs
    return found


def test_the_graph_of_a_sequential_model(tmp_path):
    train, _ = fit(tmp_path)
    [graph] = [e.value for e in train if e.plugin == "graphs"]
    assert nodes(graph) == {
        "hidden_input": ("InputLayer", []),
        "hidden/kernel": ("Variable", []),
        "hidden/bias": ("Variable", []),
        "hidden/Dense": ("Dense", ["hidden_input", "hidden/kernel", "hidden/bias"]),
        "out/kernel": ("Variable", []),
        "out/bias": ("Variable", []),
        "out/Dense": ("Dense", ["hidden/Dense", "out/kernel", "out/bias"]),
    }


def test_the_graph_of_models_within_models_and_of_shared_layers():
    inner = keras.Sequential([keras.layers.Dense(3, input_shape=[4], name="d")], name="inner")
    a, b = keras.Input([4], name="a"), keras.Input([4], name="b")
    join = keras.layers.Concatenate(name="join")([inner(a), inner(b)])
    found = nodes(graph_def(keras.Model([a, b], keras.layers.Dense(1, name="out")(join))))
    assert found["inner/d/Dense"] == ("Dense", ["a", "inner/d/kernel", "inner/d/bias"])
    assert found["inner_1/d/Dense"][1][0] == "b"
    assert found["join"] == ("Concatenate", ["inner/d/Dense", "inner_1/d/Dense"])
    known = set(found)
    assert all(set(inputs) <= known for _, inputs in found.values())


def test_a_model_whose_graph_is_not_known_is_written_without_one(tmp_path):
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    trained = Mine()
    trained.compile(loss="mse")
    train, _ = fit(tmp_path, trained=trained)
    assert "graphs" not in {e.plugin for e in train}


# ------------------------------------------------------------------------------ damaged files


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    """An event file with one value of each kind."""
    with tb.FileWriter(tmp_path_factory.mktemp("run")) as writer:
        writer.graph(keras.Sequential([keras.layers.Dense(1, input_shape=[2])]))
        writer.scalar("loss", 0.5, 3)
        writer.histogram("w", [0.0, 1.0], 4, buckets=2)
        writer.image("picture", np.zeros((1, 2, 2, 1)), 5)
        writer.text("note", "text", 6)
        writer.hparams({"rate": 0.1})
    return writer.path.read_bytes()


@pytest.mark.parametrize("cut", [1, 5, 20, 100])
def test_a_file_that_is_cut_off_gives_what_is_whole_and_then_the_error(cut, content, tmp_path):
    (tmp_path / "events").write_bytes(content[:-cut])
    found = []
    with pytest.raises(tb.EventFileError, match=r"events: .*\nexpected whole records.*\nwrite"):
        found.extend(tb.read_events(tmp_path / "events"))
    assert [e.tag for e in found[:2]] == ["", "loss"]


@pytest.mark.parametrize("other", [b"\0" * 40, b"\x89PNG\r\n\x1a\n" * 9, b"x"])
def test_a_file_of_another_kind_is_refused(other):
    with pytest.raises(tb.EventFileError):
        list(events_in(other, "events"))


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(tb.read_events(tmp_path / "none"))


def mutated(chance: random.Random, content: bytes) -> bytes:
    """Change, take out, repeat or put in some bytes."""
    found = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randrange(len(found)), chance.randint(1, 9)
        kind = chance.randrange(4)
        if kind == 0:
            found[at] = chance.randrange(256)
        elif kind == 1 and len(found) > size:
            del found[at : at + size]
        elif kind == 2:
            found[at:at] = found[at : at + size]
        else:
            found[at:at] = chance.randbytes(size)
    return bytes(found)


def test_2000_mutated_files_are_read_or_refused(content):
    """Half of them with check sums that are right again, so that the content is looked at."""
    chance = random.Random(0)
    refused = 0
    for k in range(2000):
        if k % 2:
            bodies = list(records(content))
            place = chance.randrange(len(bodies))
            bodies[place] = mutated(chance, bodies[place])
            other = b"".join(map(record, bodies))
        else:
            other = mutated(chance, content)
        try:
            list(events_in(other, "events"))
        except tb.EventFileError:
            refused += 1
    assert 1000 < refused < 2000  # check sums notice all, what is behind them some

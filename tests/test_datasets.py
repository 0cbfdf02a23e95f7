"""The data sets: found, fetched, believed only with the right SHA-256, and split as promised."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import sys
import tarfile
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn import datasets as sklearn_datasets
from sklearn import model_selection

from gradlab.data import load_iris
from gradlab.keras.datasets import (
    DamagedDataError,
    SampleNotice,
    bundle,
    california_housing,
    download,
    fashion_mnist,
    images,
    iris,
    load,
    mnist,
    places,
)
from gradlab.keras.utils.arrays import to_categorical, train_test_split

# --- a small set of images, and a machine on which nothing else is found -------------------------


def small_arrays():
    chance = np.random.default_rng(1)
    x = {"x_train": (6, 28, 28), "y_train": (6,), "x_test": (2, 28, 28), "y_test": (2,)}
    return {key: chance.integers(0, 256, shape, dtype=np.uint8) for key, shape in x.items()}


ARRAYS = small_arrays()
CONTENTS = {key: images.to_idx(array) for key, array in ARRAYS.items()}
SMALL = mnist.IMAGES._replace(
    sha256={key: hashlib.sha256(content).hexdigest() for key, content in CONTENTS.items()},
    mirrors=(),
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home folder, and no variable that leads out of it."""
    for variable in ("GRADLAB_DATA", "GRADLAB_HOME", "KERAS_HOME", "TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.delenv("GRADLAB_OFFLINE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_folder(folder, packed=True):
    folder.mkdir(parents=True)
    for key, name in images.FILES.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(CONTENTS[key]))
        else:
            (folder / name).write_bytes(CONTENTS[key])


def assert_is_small(found):
    (x_train, y_train), (x_test, y_test) = found
    given_arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    for key, array in given_arrays.items():
        assert array.dtype == np.uint8 and array.flags.writeable
        np.testing.assert_array_equal(array, ARRAYS[key])


# --- IDX ------------------------------------------------------------------------------------------


@given(arrays(np.uint8, array_shapes(max_dims=4, min_side=0)))
def test_idx_there_and_back(array):
    np.testing.assert_array_equal(images.from_idx(images.to_idx(array)), array)


@given(st.binary(max_size=200), st.integers(1, 20))
def test_what_gzip_cut_off_is_never_taken_for_the_whole(content, missing):
    packed = gzip.compress(content)
    assert images.unpack(packed) == content
    sha256 = hashlib.sha256(content + b"!").hexdigest()
    with pytest.raises(DamagedDataError):
        images.checked(images.unpack(packed[:-missing]), sha256, "file")


# --- where it is looked for -----------------------------------------------------------------------


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    "place",
    [
        ".cache/gradlab/datasets/mnist",
        "data/MNIST/raw",
        ".cache/torch/MNIST/raw",
        ".cache/torch/datasets/MNIST/raw",
    ],
)
def test_found_in_the_usual_places(home, place, packed):
    write_folder(home / place, packed)
    assert_is_small(load.load(SMALL))


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        ("GRADLAB_DATA", "mnist"),
        ("GRADLAB_HOME", "datasets/mnist"),
        ("XDG_CACHE_HOME", "gradlab/datasets/mnist"),
        ("XDG_CACHE_HOME", "torch/MNIST/raw"),
        ("TORCH_HOME", "MNIST/raw"),
    ],
)
def test_found_where_a_variable_says(home, monkeypatch, variable, place):
    monkeypatch.setenv(variable, "~/elsewhere")
    write_folder(home / "elsewhere" / place)
    assert_is_small(load.load(SMALL))


@pytest.mark.parametrize("variable", [None, "KERAS_HOME"])
def test_found_in_the_cache_of_keras(home, monkeypatch, variable):
    if variable:
        monkeypatch.setenv(variable, str(home / "elsewhere"))
    folder = home / ("elsewhere" if variable else ".keras") / "datasets"
    folder.mkdir(parents=True)
    np.savez(folder / "mnist.npz", **ARRAYS)
    assert_is_small(load.load(SMALL))


def test_fashion_mnist_lies_in_a_folder_of_keras(home):
    fashion = fashion_mnist.IMAGES._replace(sha256=SMALL.sha256)
    write_folder(home / ".keras" / "datasets" / "fashion-mnist")
    assert_is_small(load.load(fashion))


def test_path_may_name_any_npz_file(home, monkeypatch):
    monkeypatch.setattr(mnist, "IMAGES", SMALL)
    np.savez_compressed(home / "mine.npz", **ARRAYS)
    assert_is_small(mnist.load_data(path=str(home / "mine.npz")))


def test_gradlab_data_comes_first(home, monkeypatch):
    monkeypatch.setenv("GRADLAB_DATA", str(home / "given"))
    write_folder(home / "given" / "mnist")
    damaged = home / ".cache/gradlab/datasets/mnist"
    write_folder(damaged)
    (damaged / "train-images-idx3-ubyte.gz").write_bytes(b"")
    assert_is_small(load.load(SMALL))
    monkeypatch.delenv("GRADLAB_DATA")
    with pytest.raises(DamagedDataError):
        load.load(SMALL)


def test_gradlab_data_must_be_a_folder(home, monkeypatch):
    monkeypatch.setenv("GRADLAB_DATA", "/no/such/folder")
    with pytest.raises(FileNotFoundError, match=r"given /no/such/folder\nexpected.*\nwrite"):
        load.load(SMALL)


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("linux", None, ".cache/gradlab"),
        ("darwin", None, "Library/Caches/gradlab"),
        ("win32", None, "AppData/Local/gradlab"),
        ("win32", "LOCALAPPDATA", "set/gradlab"),
        ("linux", "XDG_CACHE_HOME", "set/gradlab"),
        ("darwin", "GRADLAB_HOME", "set"),
    ],
)
def test_the_cache_is_where_the_system_wants_it(home, monkeypatch, platform, variable, folder):
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    if variable:
        monkeypatch.setenv(variable, str(home / "set"))
    assert places.cache_folder() == home / folder


# --- what is damaged is refused -------------------------------------------------------------------

DAMAGE = {
    "empty": lambda raw: b"",
    "half of it": lambda raw: raw[: len(raw) // 2],
    "one byte more in the pixels": lambda raw: gzip.compress(gzip.decompress(raw) + b"\0"),
    "another byte in the pixels": lambda raw: gzip.compress(gzip.decompress(raw)[:-1] + b"\0"),
    "a byte of the packed file": lambda raw: raw[:60] + bytes([raw[60] ^ 1]) + raw[61:],
    "a web page": lambda raw: b"<html>Please log in</html>",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_an_error_with_both_sums(home, damage):
    folder = home / ".cache/gradlab/datasets/mnist"
    write_folder(folder)
    file = folder / "train-images-idx3-ubyte.gz"
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    with pytest.raises(DamagedDataError) as error:
        load.load(SMALL)
    first, second, third = str(error.value).split("\n")
    assert str(file) in first and len(first.split()[-1]) == 64
    assert second == f"expected {SMALL.sha256['x_train']}" and second.split()[1] not in first
    assert third.startswith("delete that file")


class Trap:
    """Something that runs code of its own choice when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


def damaged_npz(kind):
    stream = io.BytesIO()
    changed = {
        "floats": {**ARRAYS, "x_train": ARRAYS["x_train"] / 255},
        "pickles": {**ARRAYS, "y_test": np.array([Trap(), Trap()])},
        "lacks y_test": {key: ARRAYS[key] for key in ("x_train", "y_train", "x_test")},
    }
    np.savez_compressed(stream, **changed.get(kind, ARRAYS))
    raw = stream.getvalue()
    return {"half": raw[: len(raw) // 2], "text": b"not a zip file", "empty": b""}.get(kind, raw)


@pytest.mark.parametrize("kind", ["floats", "pickles", "lacks y_test", "half", "text", "empty"])
def test_a_damaged_npz_file_is_an_error(home, kind):
    file = home / "mnist.npz"
    file.write_bytes(damaged_npz(kind))
    with pytest.raises(DamagedDataError, match=r"(?s)mnist\.npz: given.*\nexpected.*\ndelete"):
        load.load(SMALL._replace(keras=str(file)))


# --- downloading, from a server on this machine ---------------------------------------------------


class Mirror(BaseHTTPRequestHandler):
    """Serves /<manner>/<file>: as published, or in one of the ways in which servers fail."""

    asked: list[str]
    closing: threading.Event

    def do_GET(self):
        self.asked.append(self.path)
        _, manner, name = self.path.split("/")
        key = next(key for key, file in images.FILES.items() if name == f"{file}.gz")
        raw = gzip.compress(CONTENTS[key])
        if manner == "missing":
            self.send_error(404)
        elif manner == "silent":
            self.closing.wait(10)
        else:
            body = b"<html></html>" if manner == "wrong" else raw
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if manner == "cut" else body)

    def log_message(self, format, *args):  # noqa: A002 - the name in the base class
        pass


@pytest.fixture
def server(home, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    handler = type("Handler", (Mirror,), {"asked": [], "closing": threading.Event()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        yield SimpleNamespace(url=url, asked=handler.asked)
        handler.closing.set()
        server.shutdown()


def mirrored(server, *manners):
    return SMALL._replace(mirrors=tuple(f"{server.url}{manner}/" for manner in manners))


def cached(home):
    return sorted(file.name for file in (home / ".cache").rglob("*") if file.is_file())


ALL_FILES = sorted(f"{name}.gz" for name in images.FILES.values())


def test_downloaded_once(home, server, capsys):
    assert_is_small(load.load(mirrored(server, "good")))
    assert cached(home) == ALL_FILES and len(server.asked) == 4
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4 and lines[0].endswith("train-images-idx3-ubyte.gz: 0.00 of 0.00 MB")
    assert_is_small(load.load(mirrored(server, "good")))
    assert len(server.asked) == 4


def test_progress_stays_on_one_line_of_a_terminal(home, server, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    load.load(mirrored(server, "good"))
    shown = capsys.readouterr().err
    assert shown.count("\n") == 4 and shown.startswith("\rhttp://127.0.0.1")


@pytest.mark.parametrize("manner", ["missing", "wrong", "cut", "silent"])
def test_a_mirror_that_fails_is_asked_once_and_the_next_one_serves(home, server, manner):
    assert_is_small(load.load(mirrored(server, manner, "good")))
    assert [path.split("/")[1] for path in server.asked] == [manner, *["good"] * 4]
    assert cached(home) == ALL_FILES


def test_an_interrupted_download_goes_on_where_it_stopped(home, server):
    folder = home / ".cache/gradlab/datasets/mnist"
    folder.mkdir(parents=True)
    first = folder / "train-images-idx3-ubyte.gz"
    first.write_bytes(gzip.compress(CONTENTS["x_train"]))
    assert_is_small(load.load(mirrored(server, "good")))
    assert len(server.asked) == 3 and cached(home) == ALL_FILES


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        ("missing", "404"),
        ("wrong", "train-images-idx3-ubyte.gz: given unpacked content with the SHA-256"),
        ("cut", "SHA-256"),
        ("silent", "timed out"),
    ],
)
def test_without_a_mirror_one_notice_and_the_sample(home, server, manner, reason):
    with pytest.warns(SampleNotice) as notices:
        found = mnist_from(mirrored(server, manner))
    assert len(notices) == 1 and notices[0].filename == __file__
    first, second, third = str(notices[0].message).split("\n")
    assert "sample of 2,000 + 500" in first and reason in first
    assert "numbers will differ" in second
    assert "network" in third and "GRADLAB_DATA" in third and "mnist/train-images" in third
    assert cached(home) == []
    for pair, sample in zip(found, mnist.load_sample()):
        for array, expected in zip(pair, sample):
            np.testing.assert_array_equal(array, expected)


def mnist_from(image_set):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mnist, "IMAGES", image_set)
        return mnist.load_data()


def test_offline_by_choice(server, monkeypatch):
    monkeypatch.setenv("GRADLAB_OFFLINE", "1")
    with pytest.warns(SampleNotice, match="GRADLAB_OFFLINE is set"):
        mnist.load_data()
    assert not server.asked


def test_nobody_listens(home):
    with pytest.warns(SampleNotice, match="refused"):
        load.load(SMALL._replace(mirrors=("http://127.0.0.1:9/",)))


def test_a_cache_that_cannot_be_written_says_what_to_set(home, server, monkeypatch):
    (home / "file").touch()
    monkeypatch.setenv("GRADLAB_HOME", str(home / "file"))
    with pytest.raises(OSError, match=r"cannot be written.*\nexpected.*\nset GRADLAB_HOME"):
        load.load(mirrored(server, "good"))


def test_a_write_that_fails_leaves_nothing(home, server, monkeypatch):
    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        load.load(mirrored(server, "good"))
    assert cached(home) == []


# --- what travels with gradlab --------------------------------------------------------------------


@pytest.mark.parametrize("module", [mnist, fashion_mnist])
def test_the_sample_has_as_many_of_each_class(module):
    (x_train, y_train), (x_test, y_test) = module.load_sample()
    assert x_train.shape == (2000, 28, 28) and x_test.shape == (500, 28, 28)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert np.bincount(y_train).tolist() == [200] * 10
    assert np.bincount(y_test).tolist() == [50] * 10


def test_california_travels_byte_for_byte():
    packed = load.BUNDLED.joinpath("cal_housing.data.xz").read_bytes()
    assert hashlib.sha256(lzma.decompress(packed)).hexdigest() == bundle.CALIFORNIA


def test_what_travels_is_under_a_megabyte_each():
    sizes = {file.name: len(file.read_bytes()) for file in load.BUNDLED.iterdir()}
    assert len(sizes) == 3 and max(sizes.values()) < 1e6 and sizes["cal_housing.data.xz"] < 500e3


def test_bundling_california_needs_gradlab_data(home):
    with pytest.raises(FileNotFoundError, match=r"GRADLAB_DATA: not set\nexpected.*\nwrite"):
        bundle.write_california(home / "file")
    assert not (home / "file").exists()


# --- the whole sets, where there are any ----------------------------------------------------------


@pytest.fixture(params=[mnist, fashion_mnist], ids=["mnist", "fashion_mnist"])
def whole(request, monkeypatch):
    """A module and its whole set, if this machine has it; nothing is downloaded for a test."""
    monkeypatch.setattr(request.param, "IMAGES", request.param.IMAGES._replace(mirrors=()))
    with warnings.catch_warnings():
        warnings.simplefilter("error", SampleNotice)
        try:
            return request.param, request.param.load_data()
        except SampleNotice:
            pytest.skip(f"the whole {request.param.IMAGES.name} is not here: set GRADLAB_DATA")


def test_the_whole_set(whole):
    module, ((x_train, y_train), (x_test, y_test)) = whole
    assert x_train.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert y_train.shape == (60000,) and y_test.shape == (10000,)
    first = {mnist: ([5, 0, 4], [7, 2, 1]), fashion_mnist: ([9, 0, 0], [9, 2, 1])}[module]
    assert (y_train[:3].tolist(), y_test[:3].tolist()) == first
    assert x_train.min() == 0 and x_train.max() == 255


def test_the_sample_is_what_the_script_makes_of_the_whole_set(whole, tmp_path):
    module, _ = whole
    bundle.write_images(module.IMAGES.name, tmp_path / "sample.npz")
    with np.load(tmp_path / "sample.npz") as made:
        (x_train, y_train), (x_test, y_test) = module.load_sample()
        np.testing.assert_array_equal(made["x_train"], x_train)
        np.testing.assert_array_equal(made["y_train"], y_train)
        np.testing.assert_array_equal(made["x_test"], x_test)
        np.testing.assert_array_equal(made["y_test"], y_test)


# --- California housing and Iris ------------------------------------------------------------------


def test_california_has_the_rows_of_keras():
    """The targets that F. Chollet, "Deep Learning with Python", 3rd edition, section 4.3, prints:
    its first three are of the large version, its last two of the small one."""
    (x_train, y_train), (x_test, _) = california_housing.load_data()
    assert x_train.shape == (16512, 8) and x_test.shape == (4128, 8)
    assert x_train.dtype == y_train.dtype == np.float32
    assert y_train[:3].tolist() == [252300, 146900, 290900]
    (x_train, y_train), (x_test, _) = california_housing.load_data(version="small")
    assert x_train.shape == (480, 8) and x_test.shape == (120, 8)
    assert y_train[-2:].tolist() == [140500, 217100]


@pytest.mark.parametrize("arguments", [{"version": "huge"}, {"test_split": 1.0}])
def test_california_refuses(arguments):
    with pytest.raises(ValueError, match=r"given.*\nexpected.*\nwrite"):
        california_housing.load_data(**arguments)


def scikit_learn_housing(tmp_path, monkeypatch) -> Any:
    """What scikit-learn makes of the same file, when its download is replaced by ours."""
    text = lzma.decompress(load.BUNDLED.joinpath("cal_housing.data.xz").read_bytes())
    entry = tarfile.TarInfo("CaliforniaHousing/cal_housing.data")
    entry.size = len(text)
    archive = tmp_path / "cal_housing.tgz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as stream:
        stream.addfile(entry, io.BytesIO(text))

    def fetch(*_, **__):
        return str(archive)

    monkeypatch.setattr("sklearn.datasets._california_housing._fetch_remote", fetch)
    return sklearn_datasets.fetch_california_housing(data_home=str(tmp_path))


def test_california_is_that_of_scikit_learn_row_by_row(tmp_path, monkeypatch):
    theirs = scikit_learn_housing(tmp_path, monkeypatch)
    ours = california_housing.load_sklearn()
    np.testing.assert_array_equal(ours.data, theirs.data)
    np.testing.assert_array_equal(ours.target, theirs.target)
    assert ours.data.dtype == theirs.data.dtype and ours.target.dtype == theirs.target.dtype
    assert list(ours.feature_names) == theirs.feature_names
    assert list(ours.target_names) == theirs.target_names
    X, y = california_housing.load_sklearn(return_X_y=True)
    np.testing.assert_array_equal(X, ours.data)
    np.testing.assert_array_equal(y, ours.target)


def test_the_split_of_the_slides_row_by_row():
    X, y = california_housing.load_sklearn(return_X_y=True)
    split = model_selection.train_test_split
    X_full, X_test, y_full, y_test = split(X, y, random_state=42)
    X_train, X_valid, y_train, y_valid = split(X_full, y_full, random_state=42)
    theirs = (X_train, y_train), (X_valid, y_valid), (X_test, y_test)
    assert [len(x) for x, _ in theirs] == [11_610, 3_870, 5_160]
    for our_pair, their_pair in zip(california_housing.load_split(), theirs):
        np.testing.assert_array_equal(our_pair[0], their_pair[0])
        np.testing.assert_array_equal(our_pair[1], their_pair[1])


def test_iris_keeps_each_flower_with_its_name():
    flowers = load_iris()
    known = {(*row, name) for row, name in zip(flowers.data.tolist(), flowers.target.tolist())}
    (x_train, y_train), (x_test, y_test) = iris.load_data(test_split=0.4, seed=7)
    assert x_train.shape == (90, 4) and x_test.shape == (60, 4) and x_train.dtype == np.float32
    rows = np.concatenate([x_train, x_test]).astype(float).round(1).tolist()
    labels = np.concatenate([y_train, y_test]).tolist()
    assert {(*row, name) for row, name in zip(rows, labels)} == known
    assert labels != sorted(labels)


# --- splitting and one-hot labels -----------------------------------------------------------------

SIZES = st.none() | st.integers(-1, 12) | st.floats(-0.2, 1.2)


@given(st.integers(1, 12), SIZES, SIZES, st.integers(0, 2**32 - 1))
def test_train_test_split_is_that_of_scikit_learn(rows, test_size, train_size, seed):
    X, y = np.arange(2 * rows).reshape(rows, 2), np.arange(rows)
    sizes = {"test_size": test_size, "train_size": train_size, "random_state": seed}
    try:
        theirs = model_selection.train_test_split(X, y, **sizes)
    except ValueError:
        with pytest.raises(ValueError, match=r"given test_size.*\nexpected.*\nwrite"):
            train_test_split(X, y, **sizes)
    else:
        for our_part, their_part in zip(train_test_split(X, y, **sizes), theirs, strict=True):
            np.testing.assert_array_equal(our_part, their_part)


def test_train_test_split_without_a_state_follows_the_global_seed():
    np.random.seed(3)  # noqa: NPY002 - as a script does it that uses scikit-learn
    theirs = model_selection.train_test_split(range(20))
    np.random.seed(3)  # noqa: NPY002
    assert [part.tolist() for part in train_test_split(range(20))] == theirs


@pytest.mark.parametrize("given_arrays", [(), (range(3), range(4))])
def test_train_test_split_refuses(given_arrays):
    with pytest.raises(ValueError, match=r"given.*\nexpected.*\nwrite"):
        train_test_split(*given_arrays)


@given(arrays(np.int64, array_shapes(max_dims=3, min_side=0), elements=st.integers(0, 5)))
def test_to_categorical_is_undone_by_argmax(labels):
    one_hot = to_categorical(labels, num_classes=6)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    assert one_hot.dtype == np.float32 and one_hot.shape == (*labels.shape, 6)
    np.testing.assert_array_equal(one_hot.argmax(axis=-1), labels)
    np.testing.assert_array_equal(one_hot.sum(axis=-1), np.ones(labels.shape))


def test_to_categorical_on_the_slide():
    one_hot = to_categorical([0, 5, 1, 0], num_classes=10)
    np.testing.assert_array_equal(one_hot, np.eye(10, dtype=np.float32)[[0, 5, 1, 0]])


def test_to_categorical_counts_the_classes_itself():
    assert to_categorical([0, 2]).shape == (2, 3)
    assert to_categorical([True, False]).tolist() == [[0, 1], [1, 0]]
    assert to_categorical([]).shape == (0, 0)
    assert to_categorical(1).tolist() == [0, 1]
    assert to_categorical([1.0]).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("labels", "count", "message"),
    [
        ([0, 3], 3, "given the label 3\nexpected labels from 0 to 2\nwrite num_classes=4"),
        ([0, -1], None, "given the label -1\nexpected labels from 0 to 0\nwrite"),
        ([0.5, 1], None, "whole numbers\nwrite"),
        ([np.nan], None, "whole numbers\nwrite"),
        (["cat", "dog"], None, r"given \['cat', 'dog'\]\nexpected labels that are whole numbers"),
    ],
)
def test_to_categorical_refuses(labels, count, message):
    with pytest.raises(ValueError, match=message):
        to_categorical(labels, count)

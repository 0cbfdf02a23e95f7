"""What models print: progress on a terminal, in a file and in a notebook; the summary."""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import sys
from contextlib import redirect_stdout

import numpy as np
import pytest

from gradlab import keras
from gradlab.keras import progress
from gradlab.keras.progress import Progbar, is_live, per_step, shown


@pytest.fixture(autouse=True)
def _fresh_names():
    keras.backend.clear_session()


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the test moves."""

    class Clock:
        now = 0.0

        def perf_counter(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def net():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=[4])])
    model.compile(loss="mse", optimizer="sgd", metrics=["mae"])
    return model


DATA = np.linspace(-1, 1, 160).reshape(40, 4), np.linspace(0, 1, 40)


def printed(function, *args, **kwargs):
    out = io.StringIO()
    with redirect_stdout(out):
        function(*args, **kwargs)
    return out.getvalue()


# --------------------------------------------------------------------------------- on a terminal

SCRIPT = """
import time, numpy as np
from gradlab import keras
class Slow(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.03)
model = keras.Sequential([keras.layers.Dense(1, input_shape=[4])])
model.compile(loss="mse", optimizer="sgd", metrics=["mae"])
x, y = np.ones((320, 4)), np.ones(320)
model.fit(x, y, epochs=2, validation_data=(x, y), callbacks=[Slow()])
"""


def on_terminal(columns):
    """Return what the script writes to a terminal of this width."""
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=its, stderr=its, env=environment):
        os.close(its)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            parts.append(part)
    os.close(ours)
    return b"".join(parts).decode()


@pytest.mark.parametrize("columns", [120, 60])
def test_a_terminal_shows_one_live_line(columns):
    lines = [line.removesuffix("\r") for line in on_terminal(columns).split("\n")]
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2" and lines[4:] == [""]
    for line in (lines[1], lines[3]):
        *live, last = line.split("\r")[1:]
        assert len(live) >= 3
        assert all(re.match(r"[ 1]\d/10 \[=*>?\.*\] - ETA: \ds - l", state) for state in live)
        assert max(map(len, live)) < columns  # a longer one could not be written over
        form = r"10/10 \[={30}\] - \d+s \d+ms/step - loss: [\de.+-]+ - mae: [\de.+-]+"
        assert re.fullmatch(form + r" - val_loss: [\de.+-]+ - val_mae: [\de.+-]+ *", last)


# ------------------------------------------------------------------------ in a file, in a notebook


def test_a_file_gets_one_clean_line_per_epoch():
    text = printed(net().fit, *DATA, epochs=2, validation_data=DATA)
    assert not set(text) & set("\r\b\x1b")
    assert [re.sub(r"\d\S*", "0", line) for line in text.splitlines()] == 2 * [
        "Epoch 0",
        "0 [==============================] - 0 0 - loss: 0 - mae: 0 - val_loss: 0 - val_mae: 0",
    ]


def test_a_notebook_gets_a_live_line(monkeypatch, clock):
    class OutStream(io.StringIO):
        pass

    OutStream.__module__ = "ipykernel.iostream"
    out = OutStream()
    assert is_live(out)
    monkeypatch.setattr(sys, "stdout", out)
    bar = Progbar(100)
    for step in (1, 2, 50):
        clock.now += 1.0
        bar.update(step, {"loss": 1000.0})
    bar.finish(100, {"loss": 1.0})
    states = out.getvalue().split("\r")
    assert states[0] == "" and len(states) == 5 and out.getvalue().count("\n") == 1
    assert states[3].startswith(" 50/100 [==============>...............] - ETA: ")
    assert len(states[4]) > len(states[3])  # what stood there is blanked
    assert not is_live(io.StringIO())


def test_no_epoch_line_for_a_single_epoch():
    assert "Epoch" not in printed(net().fit, *DATA)


def test_silence():
    def all_of_it(model):
        model.fit(*DATA, verbose=0)
        model.evaluate(*DATA, verbose=0)
        model.predict(DATA[0], verbose=0)

    assert printed(all_of_it, net()) == ""


def test_one_line_per_epoch_without_a_bar():
    lines = printed(net().fit, *DATA, epochs=2, verbose=2).splitlines()
    assert lines[::2] == ["Epoch 1/2", "Epoch 2/2"]
    for line in lines[1::2]:
        form = r"2/2 - \d+s - loss: [\d.]+ - mae: [\d.]+ - \d+s/epoch - \d+[mu]?s/step"
        assert re.fullmatch(form, line)


def test_evaluate_and_predict_have_a_bar():
    bar = r"2/2 \[={30}\] - \d+s \d+[mu]?s/step"
    assert re.fullmatch(bar + r" - loss: [\d.]+ - mae: [\d.]+\n", printed(net().evaluate, *DATA))
    assert re.fullmatch(bar + r"\n", printed(net().predict, DATA[0]))


def test_a_generator_of_unknown_length():
    x, y = DATA
    text = printed(net().fit, ((x[i : i + 5], y[i : i + 5]) for i in range(0, 40, 5)))
    assert re.match(r"8/8 \[={30}\] - \d+s \d+[mu]?s/step - loss: ", text)


# ------------------------------------------------------------------------------- the bar by itself


@pytest.mark.parametrize(
    ("left", "words"),
    [(5, "5s"), (59, "59s"), (60, "1:00"), (754, "12:34"), (3600, "1:00:00"), (7384, "2:03:04")],
)
def test_the_time_that_is_left(clock, left, words):
    bar = Progbar(3, stream=io.StringIO(), live=True)
    bar.update(1, {})
    clock.now += left  # so long the second step took, and the third is still to come
    bar.update(2, {"loss": 0.5})
    state = f"2/3 [===================>..........] - ETA: {words} - loss: 0.5000"
    assert bar.stream.getvalue() == "\r" + state


def test_the_line_of_the_slides(clock):
    bar = Progbar(1719, stream=io.StringIO(), live=False)
    bar.update(1, {})
    clock.now = 1718 * 989e-6
    values = {"loss": 0.722, "sparse_categorical_accuracy": 0.7649, "val_loss": 0.4959}
    bar.finish(1719, values)
    assert bar.stream.getvalue() == (
        "1719/1719 [==============================] - 2s 989us/step - loss: 0.7220"
        " - sparse_categorical_accuracy: 0.7649 - val_loss: 0.4959\n"
    )


def test_not_more_often_than_the_interval(clock):
    bar = Progbar(100, stream=io.StringIO(), live=True, interval=0.05)
    for step in range(1, 100):
        clock.now += 0.01
        bar.update(step, {})
    assert bar.stream.getvalue().count("\r") == 19


def test_numbers_and_units():
    assert shown({"loss": 1e-3, "acc": 0.0, "mae": -2.0, "mse": float("nan")}) == (
        " - loss: 1.0000e-03 - acc: 0.0000e+00 - mae: -2.0000 - mse: nan"
    )
    assert [per_step(s) for s in (3.6, 0.25, 9e-6)] == [" 4s/step", " 250ms/step", " 9us/step"]


# ------------------------------------------------------------------------------------ the summary


def nested():
    inner = keras.Sequential(
        [
            keras.layers.Dense(3, name="a_layer_with_a_name_that_is_long", input_shape=[4]),
            keras.layers.Dense(2, trainable=False),
        ],
        name="inner",
    )
    return keras.Sequential([inner, keras.layers.Dense(1)])


NESTED = """\
Model: "sequential"
____________________________________________________________________________
 Layer (type)                Output Shape              Param #   Trainable
============================================================================
 inner (Sequential)          (None, 2)                 23        Y
|¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯|
| a_layer_with_a_name_that_is  (None, 3)              15        Y          |
| _long (Dense)                                                            |
|                                                                          |
| dense (Dense)             (None, 2)                 8         N          |
¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯

 dense_1 (Dense)             (None, 1)                 3         Y

============================================================================
Total params: 26
Trainable params: 18
Non-trainable params: 8
____________________________________________________________________________
"""


def test_a_model_in_a_model():
    text = printed(nested().summary, expand_nested=True, show_trainable=True)
    assert [line.rstrip() for line in text.splitlines()] == NESTED.splitlines()
    assert "a_layer" not in printed(nested().summary)


def test_summary_goes_where_it_is_told():
    pieces = []
    assert nested().summary(print_fn=pieces.append) is None
    (text,) = pieces
    assert text.startswith('Model: "sequential"\n') and not text.endswith("\n")


def test_summary_of_another_width():
    lines = printed(net().summary, line_length=40).splitlines()
    assert {len(line) for line in lines[1:7]} == {40}
    lines = printed(net().summary, line_length=60, positions=[0.5, 0.8, 1.0]).splitlines()
    assert lines[2] == " Layer (type)".ljust(30) + "Output Shape".ljust(18) + "Param #".ljust(12)


def test_summary_of_your_own_model():
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = keras.layers.Dense(3), keras.layers.Dense(1)
            self.unused = keras.layers.Dense(9)

        def call(self, inputs):
            return self.second(self.first(inputs))

    model = Two()
    model.build((None, 4))
    rows = [line.split() for line in printed(model.summary).splitlines()[4:9:2]]
    assert rows == [
        ["dense", "(Dense)", "multiple", "15"],
        ["dense_1", "(Dense)", "multiple", "4"],
        ["dense_2", "(Dense)", "multiple", "0", "(unused)"],
    ]

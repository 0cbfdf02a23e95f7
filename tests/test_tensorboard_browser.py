"""A real TensorBoard reads a run of `fit`, and a real browser shows it.

Needs the program ``tensorboard`` (pip install tensorboard); for the profile, its plugin ``xprof``.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import chromium  # noqa: F401

from gradlab import keras
from gradlab.keras.tensorboard import FileWriter

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """A folder with one run, of a Wide & Deep model."""
    folder = tmp_path_factory.mktemp("logs")
    keras.utils.set_random_seed(1)
    X = np.random.default_rng(0).normal(size=(320, 6)).astype("float32")
    x = keras.Input([6], name="given")
    h = keras.layers.Dense(8, activation="relu", name="hidden")(x)
    joined = keras.layers.Concatenate(name="join")([x, h])
    model = keras.Model(x, keras.layers.Dense(1, name="out")(joined))
    model.compile(loss="mse", optimizer="sgd", metrics=["mae"])
    board = keras.callbacks.TensorBoard(
        folder / "run_1", histogram_freq=1, write_images=True, profile_batch=(12, 14)
    )
    model.fit(X, X[:, :1], epochs=3, verbose=0, validation_split=0.2, callbacks=[board])
    with FileWriter(folder / "run_1") as writer:
        writer.text("note", "learnt in a **minute**", 0)
        writer.hparams({"rate": 0.01, "kind": "wide"})
    return folder


@pytest.fixture(scope="module")
def server(runs: Path) -> Iterator[str]:
    """The address of a TensorBoard that shows these runs."""
    program = shutil.which("tensorboard")
    if program is None:
        pytest.skip("needs tensorboard: pip install tensorboard")
    command = [program, "--logdir", str(runs), "--port", "0", "--host", "127.0.0.1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        while "http://" not in said:
            said = process.stderr.readline()
            assert said or process.poll() is None
        address = said.split()[said.split().index("at") + 1]
        for _ in range(60):  # it looks for runs in the background
            if len(ask(address, "data/runs")) == 3:
                break
            time.sleep(0.5)
        yield address
        process.terminate()
        process.stderr.read()


def ask(address: str, path: str) -> Any:
    """Return what the server answers."""
    with urllib.request.urlopen(f"{address}{path}") as answer:
        content = answer.read()
    packed = content.startswith(b"\x1f\x8b")  # some answers are, whether asked for or not
    return json.loads(gzip.decompress(content) if packed else content)


def show(browser: Any, address: str) -> None:
    """Open a page afresh: a change behind the # alone would not load it."""
    browser.driver.get("about:blank")
    browser.driver.get(address)


# Pages are made of custom elements, each with a document of its own inside.
EVERYTHING = """
const found = [];
const walk = (root) => root.querySelectorAll('*').forEach((e) => {
  found.push(e);
  if (e.shadowRoot) walk(e.shadowRoot);
});
walk(document);
const seen = (e) => e.getClientRects().length > 0;
const texts = found.filter((e) => seen(e) && !e.children.length).map((e) => e.textContent.trim());
"""


def test_the_server_knows_all_series(server):
    scalars = ask(server, "data/plugin/scalars/tags")
    assert set(scalars["run_1/train"]) == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}
    assert {"epoch_loss", "epoch_mae"} < set(scalars["run_1/validation"])
    points = ask(server, "data/plugin/scalars/scalars?run=run_1/train&tag=epoch_loss")
    assert [step for _, step, _ in points] == [0, 1, 2]
    histograms = ask(server, "data/plugin/histograms/tags")["run_1/train"]
    weights = ("hidden/kernel", "hidden/bias", "out/kernel", "out/bias")
    assert set(histograms) == {f"{weight}/histogram" for weight in weights}
    assert ask(server, "data/plugin/text/tags") == {"run_1": ["note"]}
    assert "hidden/kernel/image" in ask(server, "data/plugin/images/tags")["run_1/train"]


def test_curves_are_drawn(server, browser):
    show(browser, f"{server}#scalars")
    browser.wait_for(f"{EVERYTHING} return texts.includes('epoch_loss');")
    browser.wait_for(f"{EVERYTHING} return texts.includes('run_1/validation');")
    browser.wait_for(f"{EVERYTHING} return found.some((e) => e.matches('path.line') && seen(e));")


def test_the_graph_is_drawn(server, browser):
    show(browser, f"{server}#graphs")
    wanted = json.dumps(["given", "hidden", "join", "out"])
    browser.wait_for(f"""{EVERYTHING}
        const names = found.filter((e) => e.matches('g.node')).map((e) => e.dataset.name);
        return {wanted}.every((name) => names.includes(name));""")


def test_histograms_are_drawn(server, browser):
    show(browser, f"{server}#histograms")
    browser.wait_for(f"{EVERYTHING} return texts.some((t) => t.startsWith('hidden/kernel/histo'));")
    browser.wait_for(f"{EVERYTHING} return found.some((e) => e.matches('path') && seen(e));")


def test_images_and_hyperparameters_are_shown(server, browser):
    show(browser, f"{server}#images")
    browser.wait_for(
        f"{EVERYTHING} return found.some((e) => e.matches('img') && e.naturalWidth === 8);"
    )
    show(browser, f"{server}#hparams")
    browser.wait_for(f"{EVERYTHING} return texts.includes('rate') && texts.includes('wide');")


def test_the_profile_opens_in_the_trace_viewer(server, browser):
    try:
        [run] = ask(server, "data/plugin/profile/runs")
    except urllib.error.HTTPError:
        pytest.skip("needs the Profile plugin: pip install xprof")
    [host] = ask(server, f"data/plugin/profile/hosts?run={run}&tag=trace_viewer@")
    data = f"data/plugin/profile/data?run={run}&tag=trace_viewer@&host={host['hostname']}"
    spans = [e for e in ask(server, data)["traceEvents"] if e["ph"] == "X"]
    assert {"train 12", "train 13", "train 14"} < {e["name"] for e in spans}
    quoted = urllib.parse.quote(f"/{data}")
    show(browser, f"{server}data/plugin/profile/trace_viewer_index.html?trace_data_url={quoted}")
    browser.wait_for("return /steps[^]*lines of the program/.test(document.body.innerText);")

"""Chapters are cut, run, stepped through and reported, in a terminal and in a pipe alike."""

import gc
import inspect
import os
import random
import re
import select
import shutil
import subprocess
import sys
import textwrap
import time
import warnings
import weakref
from pathlib import Path

import numpy as np
import pytest

import gradlab
from gradlab import cli, course
from gradlab.course import (
    ChapterError,
    UnknownChapterError,
    find_chapter,
    read_chapter,
    run_chapter,
)
from gradlab.course.cells import cut
from gradlab.course.shelf import chapters_folder, figures_folder
from gradlab.course.variables import changes, describe, marks

SLOPES = '''\
# %% [markdown]
# # 5. Slopes of `tanh`
# You see the slope of *tanh*. It is largest at zero.
#
# A second paragraph.

# %% the axis
import math

count = 3
seen = []
print("looking at", count)

# %% [markdown]
# ## The slope
# It is one minus the square.


# %%
def slope(z):
    """1 - tanh(z)**2."""
    assert -9 <= z <= 9, "the slope is asked for where it is not tiny"
    return 1 - math.tanh(z) ** 2


for z in range(count):
    seen.append(slope(z))
assert seen[0] == 1, f"the slope at 0 is {seen[0]}"
seen[0]

# %% [markdown]
# ## Try it
# Ask for the slope at 10.
'''

BROKEN = """\
# %% [markdown]
# # A broken one

# %%
x = 2.0
print("so far so good")

# %%
def triple(value):
    y = value * 3
    assert x + y == 9, "two and six is nine"
    return y


triple(x)
"""


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder with two chapters, where the command looks; the current folder is empty."""
    folder = tmp_path / "chapters"
    write(folder / "05_slopes.py", SLOPES)
    write(folder / "06_broken.py", BROKEN)
    monkeypatch.setattr("gradlab.course.shelf.chapters_folder", lambda: folder)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return folder


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def gradlab_environment(**more):
    root = str(Path(gradlab.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": root, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8", **more}


# --- cutting a file into cells ---------------------------------------------------------------


def test_a_chapter_is_read_with_its_title_summary_and_steps(shelf):
    chapter = read_chapter(shelf / "05_slopes.py")
    assert (chapter.number, chapter.slug, chapter.label) == (5, "slopes", "05")
    assert str(chapter) == "05_slopes"
    assert chapter.title == "Slopes of `tanh`"
    assert chapter.summary == "You see the slope of tanh."
    assert [cell.kind for cell in chapter.cells] == ["prose", "code", "prose", "code", "prose"]
    first, second = chapter.steps
    assert (first.number, first.code.heading, first.code.first_line) == (1, "the axis", 8)
    assert second.prose == "## The slope\nIt is one minus the square."
    assert chapter.closing == "## Try it\nAsk for the slope at 10."


def test_the_first_line_of_every_cell_is_its_line_in_the_file():
    lines = SLOPES.splitlines()
    for cell in cut(SLOPES):
        text = lines[cell.first_line - 1]
        assert cell.source.splitlines()[0] == (text if cell.kind == "code" else text[2:])


def test_code_that_follows_prose_without_a_marker_is_code_as_for_python():
    prose, code = cut("# %% [markdown]\n# words\nx = 1\n# a comment\n")
    assert (prose.kind, prose.source) == ("prose", "words")
    assert (code.kind, code.source, code.first_line) == ("code", "x = 1\n# a comment", 3)


@pytest.mark.parametrize("text", ["", "\n\n", "# %%\n\n# %% [markdown]\n\n"])
def test_a_file_without_content_has_no_cells(text):
    assert cut(text) == ()


def test_lines_before_the_first_marker_are_code():
    (cell,) = cut('"""A docstring."""\nx = 1\n')
    assert (cell.kind, cell.first_line) == ("code", 1)


@pytest.mark.parametrize(
    ("written", "title"),
    [("4 Slopes", "Slopes"), ("Chapter 04: Slopes", "Slopes"), ("2 layers", "2 layers")],
)
def test_a_title_is_told_without_the_number_of_its_chapter(tmp_path, written, title):
    path = write(tmp_path / "04_x.py", f"# %% [markdown]\n# # {written}\n")
    assert read_chapter(path).title == title


# --- finding chapters ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["5", "05", "05_slopes", "slopes", "SLOPES", "chapters/05_slopes.py"]
)
def test_a_chapter_is_found_under_each_of_its_names(shelf, name):
    assert find_chapter(name).path == shelf / "05_slopes.py"


def test_a_chapter_is_found_by_the_path_of_any_file(shelf, tmp_path):
    path = write(tmp_path / "mine.py", "# %%\nx = 1\n")
    chapter = find_chapter(str(path))
    assert (chapter.number, chapter.label, chapter.title) == (None, "mine", "Mine")
    assert find_chapter(path) == chapter


def test_an_unknown_chapter_is_answered_with_the_closest_in_three_lines(shelf):
    with pytest.raises(UnknownChapterError) as caught:
        find_chapter("slpoes")
    first, second, third = str(caught.value).splitlines()
    assert "'slpoes'" in first
    assert "2 chapters, 05_slopes to 06_broken" in second
    assert "closest: 05_slopes" in second
    assert "like 05 or slopes" in third


def test_a_name_that_two_chapters_share_is_refused_with_both(shelf):
    write(shelf / "05_other.py", "# %%\nx = 1\n")
    with pytest.raises(UnknownChapterError, match="05_other, 05_slopes"):
        find_chapter("5")


def test_an_empty_shelf_says_where_it_looked(tmp_path):
    with pytest.raises(
        UnknownChapterError, match=r"no chapters were found\n  looked for files like"
    ):
        find_chapter("5", tmp_path)


def test_chapters_come_in_the_order_of_their_numbers_and_nothing_else_comes(tmp_path):
    for name in ("10_last.py", "02_second.py", "helpers.py", "01_first.py", "notes.txt"):
        write(tmp_path / name, "# %%\nx = 1\n")
    assert [str(c) for c in course.chapters(tmp_path)] == ["01_first", "02_second", "10_last"]
    assert course.chapters(tmp_path / "nowhere") == []


def test_an_installed_package_has_its_chapters_inside_and_a_checkout_beside(tmp_path, monkeypatch):
    package = write(tmp_path / "gradlab" / "__init__.py", "")
    monkeypatch.setattr(gradlab, "__file__", str(package))
    shipped = chapters_folder()
    assert shipped.parts[-3:] == ("gradlab", "course", "chapters")
    (tmp_path / "chapters").mkdir()
    assert chapters_folder() == shipped
    (tmp_path / "pyproject.toml").touch()
    assert chapters_folder() == tmp_path / "chapters"


# --- running ---------------------------------------------------------------------------------


def test_a_run_reports_each_claim_once_with_its_count(shelf, capsys):
    result = run_chapter("05")
    assert [str(claim) for claim in result.claims] == [
        "the slope is asked for where it is not tiny ×3",
        "the slope at 0 is 1.0",
    ]
    assert result.claims[0].line == 22
    assert result.output == "looking at 3\n"
    assert result.figures == []
    assert capsys.readouterr().out == ""


def test_echo_passes_the_output_on(shelf, capsys):
    run_chapter("05", echo=True)
    assert capsys.readouterr().out == "looking at 3\n"


def test_a_failure_names_the_cell_the_line_the_numbers_and_the_error(shelf):
    with pytest.raises(ChapterError) as caught:
        run_chapter("06")
    error = caught.value
    assert str(error).splitlines() == [
        "06_broken failed in cell 2 of 2, line 11",
        '    assert x + y == 9, "two and six is nine"',
        "    with x = 2.0, y = 6.0",
        "the claim does not hold: two and six is nine",
    ]
    assert (error.cell, error.line, error.output) == (2, 11, "so far so good\n")
    assert isinstance(error.__cause__, AssertionError)


def failure(tmp_path, code):
    with pytest.raises(ChapterError) as caught:
        run_chapter(write(tmp_path / "01_failing.py", "# %%\n" + textwrap.dedent(code)))
    return caught.value


def test_an_error_inside_a_library_shows_both_places(tmp_path):
    error = failure(tmp_path, "import json\n\ntext = '{'\nvalue = json.loads(text)\n")
    lines = str(error).splitlines()
    assert error.line == 5
    assert lines[1:3] == ["    value = json.loads(text)", "    with text = '{'"]
    assert lines[3].startswith("  in json/decoder.py, line ")
    assert lines[4].startswith("JSONDecodeError: Expecting property name")


def test_shapes_are_told_when_arrays_do_not_fit(tmp_path):
    error = failure(
        tmp_path, "import numpy as np\nX = np.ones((3, 4))\nw = np.ones(3)\nz = X @ w\n"
    )
    assert "    with X = float64 (3, 4) from 1 to 1, w = float64 (3,) [1 1 1]" in str(error)


def test_a_syntax_error_is_a_failure_of_its_cell(tmp_path):
    error = failure(tmp_path, "x = 1\n\n# %%\ny = (1 +\n")
    assert (error.cell, error.line) == (2, 5)
    assert str(error).endswith("SyntaxError: '(' was never closed")


def test_leaving_a_chapter_early_is_a_failure(tmp_path):
    assert "SystemExit: 3" in str(failure(tmp_path, "raise SystemExit(3)\n"))


def test_an_assert_without_words_is_told_by_its_condition(tmp_path):
    assert str(failure(tmp_path, "assert 1 > 2\n")).endswith("the claim does not hold: 1 > 2")
    held = run_chapter(write(tmp_path / "02_held.py", "# %%\nassert 2 > 1\n"))
    assert [str(claim) for claim in held.claims] == ["2 > 1"]


def test_a_message_that_only_the_failure_can_compute_does_no_harm(tmp_path):
    code = "# %%\nbad = []\nassert not bad, f'the first bad one is {bad[0]}'\n"
    result = run_chapter(write(tmp_path / "01_message.py", code))
    assert [str(claim) for claim in result.claims] == ["f'the first bad one is {bad[0]}'"]


def test_long_errors_are_cut(tmp_path):
    error = failure(tmp_path, "raise ValueError('\\n'.join(str(i) for i in range(50)))\n")
    assert str(error).splitlines()[-1] == "..."
    assert len(str(error).splitlines()) < 12


def test_notes_on_an_error_are_shown(tmp_path):
    code = "error = ValueError('no')\nerror.add_note('Falsifying example: x=0.0')\nraise error\n"
    assert str(failure(tmp_path, code)).endswith("ValueError: no\nFalsifying example: x=0.0")


def test_an_assert_in_a_function_that_numba_compiles_is_left_alone(tmp_path):
    code = """\
    # %%
    from numba import njit


    @njit
    def half(x):
        assert x > 0, "positive"
        return x / 2


    assert half(2.0) == 1.0, "half of two is one"
    """
    result = run_chapter(write(tmp_path / "01_compiled.py", code))
    assert [str(claim) for claim in result.claims] == ["half of two is one"]


def test_a_chapter_is_the_main_module_with_real_source_lines(tmp_path):
    code = """\
    # %% [markdown]
    # # Looking at itself

    # %%
    import inspect
    import pickle
    import sys
    from dataclasses import dataclass

    @dataclass
    class Point:
        x: float

    assert __name__ == "__main__" and sys.argv == [__file__], "it runs like a script"
    assert pickle.loads(pickle.dumps(Point(2.0))) == Point(2.0), "its classes can be pickled"
    assert inspect.getsource(Point).startswith("@dataclass"), "its source is found"

    def line():
        return inspect.currentframe().f_lineno

    assert line() == 19, "lines are counted as in the file"
    """
    main, arguments = sys.modules["__main__"], sys.argv
    assert len(run_chapter(write(tmp_path / "01_itself.py", code)).claims) == 4
    assert sys.modules["__main__"] is main
    assert sys.argv is arguments


def test_future_imports_hold_for_later_cells_only_in_their_chapter(tmp_path):
    code = "# %%\nfrom __future__ import annotations\n\n# %%\ndef f(x: Nowhere): ...\n"
    run_chapter(write(tmp_path / "01_future.py", code))
    with pytest.raises(ChapterError, match="Nowhere"):
        run_chapter(write(tmp_path / "02_now.py", "# %%\ndef f(x: Nowhere): ...\n"))


def test_a_run_leaves_the_process_as_it_was(tmp_path):
    import matplotlib
    import matplotlib.pyplot as plt

    code = """\
    # %%
    import os, random, warnings
    import matplotlib.pyplot as plt
    import numpy as np

    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    np.set_printoptions(precision=1)
    random.random(), np.random.rand()
    plt.rcParams["lines.linewidth"] = 77
    plt.figure()
    os.chdir("/")
    """
    mine = plt.figure()
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002 - the state that must survive
    before_numpy = str(np.random.get_state())  # noqa: NPY002
    before_python = random.getstate()
    before = (list(warnings.filters), np.geterr(), np.get_printoptions(), os.getcwd())
    run_chapter(write(tmp_path / "01_messy.py", code))
    assert (list(warnings.filters), np.geterr(), np.get_printoptions(), os.getcwd()) == before
    assert random.getstate() == before_python
    assert str(np.random.get_state()) == before_numpy  # noqa: NPY002
    assert matplotlib.rcParams["lines.linewidth"] != 77
    assert plt.get_fignums() == [mine.number]
    plt.close(mine)


def test_the_process_is_put_back_after_a_failure_too(shelf):
    main, folder, out = sys.modules["__main__"], os.getcwd(), sys.stdout
    with pytest.raises(ChapterError):
        run_chapter("06")
    assert (sys.modules["__main__"], os.getcwd(), sys.stdout) == (main, folder, out)


def test_unseeded_random_numbers_are_the_same_in_each_run(tmp_path):
    code = "# %%\nimport random, numpy as np\nprint(random.random(), np.random.rand())\n"
    path = write(tmp_path / "01_random.py", code)
    assert run_chapter(path).output == run_chapter(path).output


def test_the_warning_filters_of_the_caller_count(tmp_path):
    path = write(tmp_path / "01_warns.py", "# %%\nimport warnings\nwarnings.warn('careful')\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ChapterError, match="UserWarning: careful"):
            run_chapter(path)
        warnings.simplefilter("ignore")
        run_chapter(path)


def test_each_run_starts_with_a_fresh_namespace(tmp_path):
    run_chapter(write(tmp_path / "01_one.py", "# %%\nleft_over = 1\n"))
    with pytest.raises(ChapterError, match="left_over"):
        run_chapter(write(tmp_path / "02_two.py", "# %%\nleft_over\n"))


# --- figures ---------------------------------------------------------------------------------

FIGURES = """\
# %%
import matplotlib.pyplot as plt

from gradlab.course import save_figure


class Drawing:
    def save(self, path):
        path.write_text("<svg/>")


figure, axes = plt.subplots(figsize=(2, 2))
axes.plot([0, 1], [1, 0])
save_figure(axes, "line")
save_figure(figure, "line.svg")
save_figure(Drawing(), "graph")
assert not plt.get_fignums(), "a saved figure is closed"
"""


def test_figures_go_to_the_folder_of_their_chapter_and_are_the_same_each_time(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "07_pictures.py", FIGURES)
    folder = tmp_path / "figures" / "07_pictures"
    result = run_chapter(path)
    assert result.figures == [folder / "line.png", folder / "line.svg", folder / "graph.svg"]
    first = [figure.read_bytes() for figure in result.figures]
    assert [figure.read_bytes() for figure in run_chapter(path).figures] == first
    assert b"<dc:date>" not in first[1]
    assert capsys.readouterr().out == ""


def test_plain_python_needs_no_display_and_prints_the_paths(tmp_path):
    path = write(tmp_path / "07_pictures.py", FIGURES)
    environment = gradlab_environment()
    environment.pop("MPLBACKEND", None)
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.replace(os.sep, "/").splitlines() == [
        "figure: figures/07_pictures/line.png",
        "figure: figures/07_pictures/line.svg",
        "figure: figures/07_pictures/graph.svg",
    ]


def test_figures_of_a_checkout_lie_beside_its_chapters(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = write(tmp_path / "repo" / "chapters" / "07_x.py", "")
    assert figures_folder(script) == tmp_path / "figures" / "07_x"
    (tmp_path / "repo" / "pyproject.toml").touch()
    assert figures_folder(script) == tmp_path / "repo" / "figures" / "07_x"


@pytest.mark.parametrize("name", ["", "a/b", "../up", "loss.jpg", "loss.", ".svg", 3])
def test_a_figure_name_that_is_no_plain_file_name_is_refused(name, tmp_path, monkeypatch):
    import matplotlib.figure

    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="save_figure got the name") as caught:
        course.save_figure(matplotlib.figure.Figure(), name)
    assert len(str(caught.value).splitlines()) == 3
    assert list(tmp_path.iterdir()) == []


def test_something_that_is_no_figure_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError, match="save_figure got a str"):
        course.save_figure("curves", None)
    assert list(tmp_path.iterdir()) == []


# --- variables -------------------------------------------------------------------------------


class Node:
    def __init__(self, data):
        self.data, self.grad = data, None


Node.__module__ = "gradlab.fake"


def rebind(space):
    space["x"] = 4.0


def fill(space):
    space["array"][1] = 7.0


def backward(space):
    space["node"].grad = 1.5


def append(space):
    space["history"]["loss"].append(0.1)


def train(space):
    space["layers"][0].data[:] += 1


@pytest.mark.parametrize(
    ("act", "name"),
    [(rebind, "x"), (fill, "array"), (backward, "node"), (append, "history"), (train, "layers")],
)
def test_a_change_is_seen_in_the_one_variable_it_happened_to(act, name):
    space = {
        "x": 3.0,
        "array": np.arange(6.0).reshape(2, 3).T[1:],
        "node": Node(2.0),
        "history": {"loss": [0.3]},
        "layers": [Node(np.zeros(3))],
    }
    if act is fill:
        space["array"] = np.arange(6.0)[::2]
    before = marks(space)
    assert changes(before, space) == []
    act(space)
    assert [(row.name, row.is_new) for row in changes(before, space)] == [(name, False)]


@pytest.mark.parametrize(
    "array", [np.zeros(0), np.array(2.0), np.array(["a"]), np.array([None]), np.zeros((0, 3))]
)
def test_odd_arrays_are_marked_and_described(array):
    assert changes(marks({"a": array}), {"a": array}) == []
    assert describe(array)[0] == f"{array.dtype} {array.shape}"


def test_marks_end_on_objects_that_contain_themselves_and_on_long_chains():
    loop = [1]
    loop.append(loop)
    chain = None
    for _ in range(20_000):
        link = Node(chain)
        link.grad = 0.0
        chain = link
    before = marks({"loop": loop, "chain": chain})
    assert changes(before, {"loop": loop, "chain": chain}) == []
    loop[0] = 2
    assert [row.name for row in changes(before, {"loop": loop, "chain": chain})] == ["loop"]


def test_marks_keep_nothing_alive():
    space = {"node": Node(2.0)}
    watched = weakref.ref(space["node"])
    before = marks(space)
    del space["node"]
    gc.collect()
    assert before
    assert watched() is None


def test_modules_imports_and_private_names_are_not_variables():
    space = {"np": np, "_hidden": 1, "Path": Path, "x": 1.0}
    assert [row.name for row in changes({}, space, imported={"Path"})] == ["x"]


def leaky(x, alpha=0.01):
    return max(x, alpha * x)


class Angry:
    def __repr__(self):
        raise RuntimeError("no")


def node(data, grad):
    made = Node(data)
    made.grad = grad
    return made


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3.0, ("float", "3.0")),
        (np.float32(0.5), ("float32", "0.5")),
        ({"b": [1, 2], "a": {}}, ("dict of 2", "{'b': [1, 2], 'a': {}}")),
        (dict.fromkeys(range(9)), ("dict of 9", None)),
        (np.array([1.0, 2.5]), ("float64 (2,)", "[1 2.5]")),
        (np.arange(100), ("int64 (100,)", "from 0 to 99")),
        (np.array([np.nan] * 8), ("float64 (8,)", "8 of 8 are nan")),
        (node(2.0, None), ("Node", "2.0")),
        (node(2.0, 0.5), ("Node", "2.0, grad 0.5")),
        (node(np.ones((2, 2)), None), ("Node (2, 2)", "[[1 1] [1 1]]")),
        (leaky, ("def", "leaky(x, alpha=0.01)")),
        (KeyError, ("class", "KeyError(LookupError)")),
        (Angry(), ("Angry", None)),
        ("x" * 1000, ("str", None)),
    ],
)
def test_a_value_is_described_in_a_few_words(value, expected):
    kind, text = describe(value)
    assert kind == expected[0]
    assert len(text) < 80
    assert "\n" not in text
    assert expected[1] is None or text == expected[1]


# --- the command -----------------------------------------------------------------------------


def test_the_command_alone_says_how_to_begin(capsys):
    assert cli.main([]) == 0
    out = capsys.readouterr().out
    assert all(f"gradlab {line}" in out for line in ("list", "step 01", "run --all"))


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"gradlab {gradlab.__version__}\n"


def test_list_has_one_line_for_each_chapter(shelf, capsys):
    assert cli.main(["list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "05  Slopes of `tanh`  You see the slope of tanh.",
        "06  A broken one",
    ]


def test_run_shows_output_claims_and_figures(shelf, capsys, tmp_path):
    write(shelf / "07_pictures.py", FIGURES)
    assert cli.main(["run", "5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "05  Slopes of `tanh`",
        "  │ looking at 3",
        "  ✓ the slope is asked for where it is not tiny ×3",
        "  ✓ the slope at 0 is 1.0",
    ]
    assert lines[4].startswith("chapter 05: 2 claims held, 0 figures, ")
    assert cli.main(["run", "pictures"]) == 0
    assert "  figure figures/07_pictures/line.png" in capsys.readouterr().out.replace(os.sep, "/")


def test_run_of_a_chapter_that_fails_returns_1_and_says_why_in_short(shelf, capsys):
    assert cli.main(["run", "broken"]) == 1
    streams = capsys.readouterr()
    assert streams.out.splitlines() == ["06  A broken one", "  │ so far so good"]
    assert "cell 2 of 2, line 11" in streams.err
    assert "Traceback" not in streams.err
    assert len(streams.err.splitlines()) == 4


def test_run_all_has_a_row_for_each_chapter_and_shows_output_only_of_failures(shelf, capsys):
    assert cli.main(["run", "--all"]) == 1
    streams = capsys.readouterr()
    first, second, total = streams.out.splitlines()
    assert first.startswith("✓ 05  Slopes of `tanh`")
    assert "2 claims   0 figures" in first
    assert second.startswith("✗ 06  A broken one")
    assert "cell 2 of 2, line 11" in second
    assert total.startswith("2 chapters: 2 claims held")
    assert total.endswith("1 failed: 06_broken")
    assert "so far so good" in streams.err
    (shelf / "06_broken.py").unlink()
    assert cli.main(["run", "--all", "-v"]) == 0
    out = capsys.readouterr().out
    assert "looking at 3" in out
    assert "✓ the slope at 0 is 1.0" in out
    assert "✓ 05  Slopes" in out


def test_many_different_claims_of_one_assert_are_cut_short(tmp_path, capsys):
    code = "# %%\nfor i in range(25):\n    assert i >= 0, f'{i} is not negative'\n"
    path = write(tmp_path / "01_many.py", code)
    assert cli.main(["run", str(path)]) == 0
    out = capsys.readouterr().out
    assert "✓ 9 is not negative" in out
    assert "10 is not negative" not in out
    assert "✓ and 15 more of line 3" in out
    assert "25 claims held" in out


@pytest.mark.parametrize("command", ["run", "step"])
def test_an_unknown_chapter_returns_2_with_three_lines(shelf, capsys, command):
    assert cli.main([command, "slpes"]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 3
    assert "closest: 05_slopes" in error


@pytest.mark.parametrize("arguments", [["run"], ["step"], ["dance"], ["run", "5", "--all"]])
def test_wrong_arguments_return_2(shelf, capsys, arguments):
    assert cli.main(arguments) == 2
    assert "error:" in capsys.readouterr().err


def test_a_file_that_is_no_text_returns_2(tmp_path, capsys):
    path = tmp_path / "01_bytes.py"
    path.write_bytes(b"\xff\xfe\x00")
    assert cli.main(["run", str(path)]) == 2
    assert "cannot read the chapter" in capsys.readouterr().err


def test_no_chapters_at_all_return_2(shelf, capsys):
    shutil.rmtree(shelf)
    for arguments in (["list"], ["run", "--all"], ["run", "5"]):
        assert cli.main(arguments) == 2
        assert "no chapters were found" in capsys.readouterr().err


def test_ctrl_c_in_a_chapter_returns_130(tmp_path, capsys):
    path = write(tmp_path / "01_stop.py", "# %%\nraise KeyboardInterrupt\n")
    for command in ("run", "step"):
        arguments = [command, str(path)] + ["--no-wait"] * (command == "step")
        assert cli.main(arguments) == 130
        assert capsys.readouterr().err == "\ngradlab: stopped\n"


# --- the stepper -----------------------------------------------------------------------------


def stepped(monkeypatch, capsys, path, keys, *options):
    """The exit status and the output of `gradlab step` with these keys as its input."""
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO(keys))
    monkeypatch.setenv("COLUMNS", "80")
    status = cli.main(["step", str(path), *options])
    streams = capsys.readouterr()
    return status, streams.out, streams.err


def test_no_wait_runs_all_cells_and_shows_what_each_did(shelf, monkeypatch, capsys):
    status, out, _ = stepped(monkeypatch, capsys, shelf / "05_slopes.py", "", "--no-wait")
    assert status == 0
    lines = [line.rstrip() for line in out.splitlines()]
    assert "   8 import math" in lines or "   8 import math" in [f" {line}" for line in lines]
    for expected in (
        "looking at 3",
        "  new  count  int        3",
        "  new  seen   list of 0  []",
        "  changed  seen   list of 3  [1.0, 0.41997434161402614, 0.07065082485316443]",
        "  new      slope  def        slope(z)",
        "= 1.0",
        "  ✓ the slope is asked for where it is not tiny ×3",
        "  Ask for the slope at 10.",
    ):
        assert expected in lines
    assert "math  " not in out
    assert "\x1b" not in out
    assert "›" not in out
    assert lines[-1].startswith("chapter 05: 2 claims held, 0 figures, ")


def test_nothing_runs_before_enter_and_the_end_of_input_quits(shelf, monkeypatch, capsys):
    status, out, _ = stepped(monkeypatch, capsys, shelf / "05_slopes.py", "")
    assert status == 0
    assert "import math" in out
    assert "looking at 3" not in out
    assert "05_slopes 2/2" not in out
    assert "Enter run   b back   v variables   q quit" in out


def test_q_quits_and_unknown_keys_are_told(shelf, monkeypatch, capsys):
    status, out, _ = stepped(monkeypatch, capsys, shelf / "05_slopes.py", "x\nq\n\n\n")
    assert status == 0
    assert "no such key: x" in out
    assert "looking at 3" not in out


def test_v_shows_the_variables_so_far(shelf, monkeypatch, capsys):
    _, out, _ = stepped(monkeypatch, capsys, shelf / "05_slopes.py", "v\n\nv\n")
    before, after = out.split("looking at 3")
    assert "no variables yet" in before
    assert "\n  count  int        3\n" in after


COUNTER = """\
# %%
import random

calls = [0]
print("first cell runs")

# %%
calls[0] += 1
draw = random.random()
print("calls", calls[0], "draw", draw)

# %%
calls[0] += 10
"""


def test_b_goes_back_to_the_exact_state_by_running_again_in_silence(tmp_path, monkeypatch, capsys):
    path = write(tmp_path / "01_counter.py", COUNTER)
    status, out, _ = stepped(monkeypatch, capsys, path, "\n\nb\nv\n\n\n\n")
    assert status == 0
    draws = [line for line in out.splitlines() if line.startswith("calls 1 draw")]
    assert len(draws) == 2
    assert draws[0] == draws[1]
    assert out.count("first cell runs\n") == 1
    again = out.split("running the cells before it again")[1]
    assert "01_counter 2/3" in again
    assert "calls  list of 1  [0]" in again
    assert "[11]" in again
    assert "01_counter end" in again


def test_b_in_the_first_cell_stays_there(shelf, monkeypatch, capsys):
    status, out, _ = stepped(monkeypatch, capsys, shelf / "05_slopes.py", "b\nb\n")
    assert status == 0
    assert out.count("this is the first cell") == 2


def test_a_failing_cell_returns_1_and_can_be_retried(shelf, monkeypatch, capsys):
    path = shelf / "06_broken.py"
    assert stepped(monkeypatch, capsys, path, "", "--no-wait")[0] == 1
    status, out, error = stepped(monkeypatch, capsys, path, "\n\n")
    assert status == 1
    assert "read the file again and retry" in out
    assert "cell 2 of 2, line 11" in error


def test_a_mended_file_is_read_again_after_a_failure(shelf, monkeypatch, capsys):
    path = shelf / "06_broken.py"

    class Student:
        """Presses Enter; mends the file after the failure."""

        def __init__(self):
            self.presses = 0

        def isatty(self):
            return True

        def readline(self):
            self.presses += 1
            if self.presses == 3:
                path.write_text(BROKEN.replace("== 9", "== 8").replace("is nine", "is eight"))
            return "\n" if self.presses < 6 else ""

    monkeypatch.setattr(sys, "stdin", Student())
    assert cli.main(["step", str(path)]) == 0
    streams = capsys.readouterr()
    assert "two and six is nine" in streams.err
    assert "✓ two and six is eight" in streams.out
    assert "06_broken end" in streams.out


def test_the_stepper_puts_the_process_back(shelf, monkeypatch, capsys):
    random.seed(7)
    state, main = random.getstate(), sys.modules["__main__"]
    stepped(monkeypatch, capsys, shelf / "05_slopes.py", "\n\nb\nq\n")
    assert random.getstate() == state
    assert sys.modules["__main__"] is main


def test_a_piped_stepper_runs_as_a_command(tmp_path):
    path = write(tmp_path / "05_slopes.py", SLOPES)
    done = subprocess.run(
        [sys.executable, "-m", "gradlab", "step", str(path)],
        input="\n\n\n",
        cwd=tmp_path,
        env=gradlab_environment(),
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "the slope at 0 is 1.0" in done.stdout
    assert "\x1b" not in done.stdout


SPAWN = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


class Terminal:
    """`gradlab` in a real terminal, as a user has it."""

    def __init__(self, *arguments, **environment):
        self.text = ""
        self.child = subprocess.Popen(
            [sys.executable, "-c", SPAWN, sys.executable, "-m", "gradlab", *arguments],
            env=gradlab_environment(TERM="xterm-256color", **environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def wait_for(self, text, seconds=30.0):
        """Read until this text has come; returns all that came up to there."""
        end = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < end, f"no {text!r} in\n{self.text}"
            if select.select([self.child.stdout], [], [], 0.5)[0]:
                piece = os.read(self.child.stdout.fileno(), 65536).decode(errors="replace")
                assert piece, f"the end came before {text!r} in\n{self.text}"
                self.text += piece
        seen, _, self.text = self.text.partition(text)
        return seen

    def press(self, keys):
        self.child.stdin.write(keys.encode())
        self.child.stdin.flush()

    def status(self):
        self.child.communicate(timeout=30)
        return self.child.returncode

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.communicate()


@pytest.fixture
def in_terminal():
    pytest.importorskip("pty")
    opened = []

    def open_terminal(*arguments, **environment):
        opened.append(Terminal(*arguments, **environment))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


@pytest.mark.parametrize(("key", "status"), [("\x04", 0), ("\x03", 130)])
def test_ctrl_d_and_ctrl_c_at_the_prompt_end_a_terminal_session(in_terminal, tmp_path, key, status):
    terminal = in_terminal("step", str(write(tmp_path / "05_slopes.py", SLOPES)))
    assert "\x1b[" in terminal.wait_for("›")
    terminal.press("\n")
    assert "looking at 3" in terminal.wait_for("›")
    terminal.press(key)
    if status:
        terminal.wait_for("gradlab: stopped")
    assert terminal.status() == status


def test_ctrl_c_stops_a_cell_that_runs(in_terminal, tmp_path):
    code = "# %%\nimport time\n\nprint('asleep', flush=True)\ntime.sleep(60)\n"
    terminal = in_terminal("run", str(write(tmp_path / "01_sleep.py", code)))
    terminal.wait_for("asleep")
    terminal.press("\x03")
    terminal.wait_for("gradlab: stopped")
    assert terminal.status() == 130


def test_no_color_is_respected(in_terminal, tmp_path):
    path = write(tmp_path / "05_slopes.py", SLOPES)
    terminal = in_terminal("step", str(path), "--no-wait", NO_COLOR="1")
    text = terminal.wait_for("chapter 05")
    assert "\x1b[1m" in text
    assert not re.search(r"\x1b\[[\d;]*[39][0-7]", text)
    terminal.status()


@pytest.mark.skipif(not shutil.which("bash"), reason="needs a shell")
def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    path = write(tmp_path / "01_long.py", "# %%\nfor i in range(20000):\n    print(i)\n")
    pipe = f'"{sys.executable}" -m gradlab run "{path}" | head -n 1; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", pipe], env=gradlab_environment(), capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("01  Long\n0\n", "")


def test_what_is_only_used_for_the_terminal_is_imported_late():
    code = (
        "import sys, gradlab.course; "
        "print([m for m in ('rich', 'matplotlib', 'numba') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=gradlab_environment(), capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_every_public_name_has_a_docstring():
    for name in course.__all__:
        assert inspect.getdoc(getattr(course, name)), name

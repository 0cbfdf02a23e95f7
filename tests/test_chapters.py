"""Every chapter runs from top to bottom, its claims hold, and it writes the figures it promises."""

from __future__ import annotations

import ast
import shutil

import pytest

from gradlab import course

CHAPTERS = course.chapters()


def test_the_first_six_chapters_are_there():
    assert [c.number for c in CHAPTERS][:6] == [1, 2, 3, 4, 5, 6]


# `gradlab run --all` runs them too. Without the data sets they use the samples that travel with
# gradlab, and say so.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gradlab.keras.datasets.SampleNotice")
@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_chapter_runs_and_its_claims_hold(chapter, tmp_path, monkeypatch):
    # A copy elsewhere, so that a test run leaves the figures of the checkout alone.
    monkeypatch.chdir(tmp_path)
    copied = shutil.copy(chapter.path, tmp_path)
    result = course.run_chapter(course.read_chapter(copied))
    asserts = sum(isinstance(n, ast.Assert) for n in ast.walk(ast.parse(chapter.path.read_text())))
    assert asserts >= 8
    assert len({claim.line for claim in result.claims}) == asserts, "an assert was never reached"
    assert result.figures
    for figure in result.figures:
        assert figure.stat().st_size > 1000
        committed = chapter.path.parent.parent / "figures" / chapter.path.stem / figure.name
        assert committed.exists(), f"{committed} is not in the repository: run the chapter"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=str)
def test_chapter_has_the_form_of_a_chapter(chapter):
    text = chapter.path.read_text()
    assert 60 <= len(text.splitlines()) <= 180
    assert "Try it" in chapter.cells[-1].source
    assert "deck 001" in chapter.cells[0].source.lower()
    public = {"gradlab", "gradlab.course", "gradlab.data", "gradlab.draw", "gradlab.perceptron"}
    public |= {"gradlab.testing"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("gradlab"):
            assert node.module in public
            assert not any(alias.name.startswith("_") for alias in node.names)

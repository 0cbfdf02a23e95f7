"""The command `gradlab`: list, run or step through chapters, check a gradient, draw a graph.

A subcommand is one row of the table `COMMANDS`; everything it does lives elsewhere in the package.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradlab
from gradlab import course
from gradlab.course import report

WELCOME = """\
gradlab: a neural-network textbook that runs

  gradlab list               the chapters, one line each
  gradlab step 01            go through a chapter cell by cell
  gradlab run --all          run every chapter and say what held
  gradlab check my.py:Dense  check the gradient of your own layer or function
  gradlab draw my.py:loss    draw a computation, as a page to step through

`gradlab COMMAND --help` says more.
"""


@dataclass(frozen=True)
class Command:
    """A subcommand: its name, its line of help, its arguments, and what it does with them."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    """`gradlab list` takes none."""


def _list(arguments: argparse.Namespace) -> int:
    return report.list_chapters(_all_chapters())


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    _add_chapter(what, nargs="?")
    what.add_argument("--all", action="store_true", help="run every chapter, with one row for each")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="with --all, show all that each chapter does"
    )
    parser.add_argument(
        "--full", action="store_true", help="train as long as the slides did: minutes, not seconds"
    )


def _run(arguments: argparse.Namespace) -> int:
    if arguments.full:
        os.environ["GRADLAB_FULL"] = "1"
    if arguments.all:
        return report.run_all(_all_chapters(), arguments.verbose)
    return report.run_one(course.find_chapter(arguments.chapter))


def _step_arguments(parser: argparse.ArgumentParser) -> None:
    _add_chapter(parser)
    parser.add_argument(
        "--no-wait", action="store_true", help="run all cells without waiting for Enter"
    )


def _step(arguments: argparse.Namespace) -> int:
    from gradlab.course.stepper import step_through

    return step_through(course.find_chapter(arguments.chapter), wait=not arguments.no_wait)


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target",
        metavar="FILE:NAME",
        help="student.py:MyDense: a layer with forward(x) and backward(g), a function beside its "
        "NAME_backward(g, x), or one written for gradlab; or the name of a primitive",
    )
    parser.add_argument("--domain", help='of the inputs, "x > 0" or "(0, inf)"')
    parser.add_argument("--examples", type=int, default=100, help="how many inputs to try (100)")
    parser.add_argument("--shapes", help='of all arguments, "(2, 3), (3,)"; else found by trying')


def _check(arguments: argparse.Namespace) -> int:
    from gradlab.testing.command import check

    return check(arguments.target, arguments.domain, arguments.examples, arguments.shapes)


def _draw_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target",
        metavar="FILE.py:NAME",
        help="my.py:loss: the file is run, and NAME in it drawn: a Value, a Tensor, a Drawing, a "
        "TLU, a fitted Perceptron, or a function of no arguments that returns one",
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        help="what to write (NAME.html): .html to step through the computation, .svg, .png, .pdf, "
        ".dot, .mmd, .json",
    )
    parser.add_argument(
        "--rankdir", choices=("LR", "TB"), default="LR", help="left to right (LR), or top down"
    )
    parser.add_argument("--title", default="", help="a headline")


def _draw(arguments: argparse.Namespace) -> int:
    from gradlab.draw.command import draw

    return draw(arguments.target, arguments.out, arguments.rankdir, arguments.title)


COMMANDS = (
    Command("list", "the chapters, one line each", _list_arguments, _list),
    Command("run", "run a chapter: what it asserted, which figures it wrote", _run_arguments, _run),
    Command("step", "go through a chapter cell by cell", _step_arguments, _step),
    Command("check", "check the gradient of your own layer", _check_arguments, _check),
    Command("draw", "draw a computation graph of a file", _draw_arguments, _draw),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    0: all is well; 1: a chapter failed, a gradient is wrong; 2: bad input; 130: stopped by Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without a ✓ shows a ? and goes on
    try:
        arguments = _parser().parse_args(argv)
        if arguments.command is None:
            print(WELCOME, end="")
            return 0
        return arguments.command.run(arguments)
    except SystemExit as stop:  # argparse has printed its help or its complaint
        return stop.code if isinstance(stop.code, int) else 2
    except course.UnknownChapterError as error:
        print(f"gradlab: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ngradlab: stopped", file=sys.stderr)
        return 130
    except (FileNotFoundError, PermissionError, UnicodeDecodeError) as error:
        print(f"gradlab: cannot read the chapter: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of the output has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("gradlab", description="A neural-network textbook that runs.")
    parser.add_argument("--version", action="version", version=f"gradlab {gradlab.__version__}")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(metavar="COMMAND")
    for command in COMMANDS:
        subparser = commands.add_parser(command.name, help=command.help, description=command.help)
        command.add_arguments(subparser)
        subparser.set_defaults(command=command)
    return parser


def _add_chapter(parser: argparse._ActionsContainer, nargs: str | None = None) -> None:
    parser.add_argument(
        "chapter",
        metavar="NN",
        nargs=nargs,
        help="a chapter: 5, 05, 05_activations, activations, or the path of a file",
    )


def _all_chapters() -> list[course.Chapter]:
    known = course.chapters()
    if not known:
        raise course.UnknownChapterError(course.shelf.no_chapters())
    return known

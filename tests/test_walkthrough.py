"""Who follows the walk-through alone arrives at a submission that passes."""

import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from docs_blocks import ROOT, SHELL, Block, apply, assert_printed, blocks, run

from otelkata.cli.new import copy
from otelkata.judge.criteria import BONUS, CRITERIA

pytestmark = [
    pytest.mark.fixtures,
    pytest.mark.skipif(sys.platform == "win32", reason="the commands are a POSIX shell's"),
]

PAGE = blocks(ROOT / "docs" / "walkthrough.md")
GRADINGS = [
    (number, command, output)
    for number, (command, output) in enumerate(pairwise(PAGE))
    if command.language in SHELL and "kata-grade" in command.code
]
ORDER = re.compile(r"^\| (\d) \|[^|]+\| (\d+)(?:: )?([^|]*)\|([^|]+)\|", re.MULTILINE).findall(
    (ROOT / "KATA.md").read_text("utf-8").partition("## An order of work")[2]
)[: len(GRADINGS)]
"""The exercise's rows of the same steps: number, how many pass, which are new, which fail."""


def criteria(text: str) -> set[str]:
    """Return the criteria in a text: `F1-F3, C2`."""
    every = list(CRITERIA)
    spans = re.findall(r"([FCTB]\d)(?:-([FCTB]\d))?", text)
    return {one for a, b in spans for one in every[every.index(a) : every.index(b or a) + 1]}


@pytest.mark.parametrize(
    ("number", "command", "output"), GRADINGS, ids=[f"step-{n}" for n in range(len(GRADINGS))]
)
def test_each_step_comes_to_what_the_page_shows(
    number: int, command: Block, output: Block, tmp_path: Path
) -> None:
    assert "output" in output.marks
    copy(tmp_path / "my-checkout")
    for block in PAGE[:number]:
        apply(block, tmp_path)
    printed = run(command, tmp_path)
    assert_printed(output, printed)
    marks = re.findall(r"^  ([✓✗?]) ([FCTB]\d) ", printed, re.MULTILINE)
    assert len(marks) == len(CRITERIA)
    step = [command for _, command, _ in GRADINGS].index(command)
    _, total, _, fails = ORDER[step]
    passes = set().union(*(criteria(new) for _, _, new, _ in ORDER[: step + 1]))
    assert {criterion for mark, criterion in marks if mark == "✓"} == passes
    assert {criterion for mark, criterion in marks if mark == "✗"} == criteria(fails)
    assert int(total) == len(passes - BONUS.keys())


def test_the_exercise_names_each_step_once() -> None:
    assert [int(row[0]) for row in ORDER] == list(range(len(GRADINGS)))


def test_the_first_command_makes_what_the_rest_begins_with(tmp_path: Path) -> None:
    assert PAGE[0].runs
    assert "my-checkout" in run(PAGE[0], tmp_path)
    assert (tmp_path / "my-checkout" / "checkout" / "tracer.py").is_file()


def test_nothing_is_on_the_page_that_is_not_followed() -> None:
    followed = {"run", "output", "file", "change"}
    assert [block for block in PAGE if len(followed & set(block.marks)) != 1] == []
    assert "--quick" not in GRADINGS[-1][1].code

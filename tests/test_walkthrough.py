"""Who follows the walk-through alone arrives at a submission that passes."""

import sys
from itertools import pairwise
from pathlib import Path

import pytest
from docs_blocks import ROOT, SHELL, Block, apply, assert_printed, blocks, run

from otelkata.cli.new import copy

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
    assert_printed(output, run(command, tmp_path))


def test_the_first_command_makes_what_the_rest_begins_with(tmp_path: Path) -> None:
    assert PAGE[0].runs
    assert "my-checkout" in run(PAGE[0], tmp_path)
    assert (tmp_path / "my-checkout" / "checkout" / "tracer.py").is_file()


def test_nothing_is_on_the_page_that_is_not_followed() -> None:
    followed = {"run", "output", "file", "change"}
    assert [block for block in PAGE if len(followed & set(block.marks)) != 1] == []
    assert "--quick" not in GRADINGS[-1][1].code

"""Read the blocks of code in pages of the documentation, with what the comments above them say.

| comment | says |
|---|---|
| `<!-- run -->` | a test runs this, and it succeeds |
| `<!-- run: exit 1 -->` | what does not succeed in it exits with 1, and so does its last command |
| `<!-- run: NEW for OLD -->` | a test runs it with NEW in place of the path OLD |
| `<!-- not run: REASON -->` | no test runs this as it stands |
| `<!-- output -->` | what the block before it prints; `…` is anything |
| `<!-- file: PATH -->` | the whole of a file |
| `<!-- change: PATH -->` | lines of a file that go (-) and come (+); `@@` stands between places |
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from planted import unmeasured
from submissions import PATIENCE

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), ROOT / "README.md", ROOT / "KATA.md"])
"""Every page that may tell people to run something."""

SHELL = {"sh", "bash", "shell", "console"}
_BLOCK = re.compile(
    r"(?P<comments>(?:^ *<!-- [^\n]* -->\n)*)"
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(r"<!-- (?P<kind>[\w -]+?)(?:: (?P<value>.*))? -->")


@dataclass(frozen=True)
class Block:
    """A block of code: `marks` are the comments above it, `line` is its first."""

    page: str
    line: int
    language: str
    code: str
    marks: dict[str, str]

    @property
    def runs(self) -> bool:
        """Tell whether a test runs it as it stands."""
        return "run" in self.marks

    @cached_property
    def options(self) -> list[str]:
        """What is said about a run."""
        return [said.strip() for said in self.marks.get("run", "").split(";") if said]

    @property
    def exit_code(self) -> int:
        """What its last command exits with."""
        codes = [said.removeprefix("exit ") for said in self.options if said.startswith("exit ")]
        return int(codes[0]) if codes else 0

    @property
    def script(self) -> str:
        """What is run."""
        script = self.code.replace(".venv/bin/", "")
        for new, found, old in (said.partition(" for ") for said in self.options):
            if found:
                script = re.sub(rf"(?<!\S){re.escape(old)}(?=[\s/])", new, script)
        return script


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page, in its order."""
    text = page.read_text("utf-8")
    found = []
    for block in _BLOCK.finditer(text):
        indent = len(block["indent"])
        code = "".join(line[indent:] or "\n" for line in block["code"].splitlines(keepends=True))
        comments = _COMMENT.finditer(block["comments"])
        marks = {comment["kind"]: comment["value"] or "" for comment in comments}
        line = text.count("\n", 0, block.start()) + 1
        name = page.relative_to(ROOT).as_posix()
        found.append(Block(name, line, block["language"], code, marks))
    return found


def commands_of_this_python() -> dict[str, str]:
    """Return variables under which the commands are those of this interpreter."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**unmeasured(), "PATH": path, "NO_COLOR": "1", "COLUMNS": "80"}


def run(block: Block, folder: Path) -> str:
    """Run a block in `folder` and see that it exits as it says; return what it printed."""
    code = block.exit_code
    # Any command may exit with the expected code; with another one the script ends there.
    guard = f"trap 'code=$?; test $code = {code} || exit $code' ERR\n"
    finished = subprocess.run(
        ["bash", "-c", guard + block.script, "bash", "exercise", "my-checkout", "."],
        cwd=folder,
        env=commands_of_this_python(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    assert finished.returncode == code, f"{block.page}:{block.line}\n{finished.stdout}"
    return finished.stdout


def assert_printed(expected: Block, printed: str) -> None:
    """See that the pieces of `expected` were printed, in their order, however they are wrapped."""
    flat = " ".join(printed.split())
    begin = 0
    for line in expected.code.splitlines():
        for piece in line.split("…"):
            wanted = " ".join(piece.split())
            at = flat.find(wanted, begin)
            assert at >= 0, f"{expected.page}:{expected.line}: {wanted!r} is not in\n{printed}"
            begin = at + len(wanted)


def apply(block: Block, folder: Path) -> None:
    """Make the file, or the change to one, that a block has."""
    if "file" in block.marks:
        path = folder / block.marks["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.code, "utf-8")
    if "change" in block.marks:
        path = folder / block.marks["change"]
        text = path.read_text("utf-8")
        for change in re.split(r"^@@\n", block.code, flags=re.MULTILINE):
            lines = change.splitlines()
            old, new = (
                "".join(f"\n{line[1:]}" for line in lines if line[:1] in {"", " ", kept}) + "\n"
                for kept in "-+"
            )
            assert f"\n{text}".count(old) == 1, f"{block.page}:{block.line}: where is\n{old}"
            text = f"\n{text}".replace(old, new)[1:]
        path.write_text(text, "utf-8")

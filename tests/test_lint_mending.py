"""`--fix` and `--diff`: what becomes of files; how a rule mends is tested elsewhere."""

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import libcst as cst
import pytest
from lint_sources import put, tree

from otelkata.cli.lint import main
from otelkata.lint import rule
from otelkata.lint.command import config
from otelkata.lint.finding import Finding
from otelkata.lint.fixes.change import Part
from otelkata.lint.meaning.module import Module
from otelkata.lint.options import Options
from otelkata.lint.rule import Rule

SOURCE = b"# opentelemetry shutdown\nleaky = 1\nleaky  # kata-lint: ignore\n"
MENDED = b"# opentelemetry shutdown\nsound = 1\nleaky  # kata-lint: ignore\n"


class Leaky(Rule):
    """A name is leaky."""

    code = "OTK101"
    name = "leaky"
    words = (b"leaky",)

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield each leaky name."""
        for statement in module.tree.body:
            code = module.code(statement)
            if "leaky" in code:
                part = Part((statement,), (statement,))
                yield self.finding(module, statement, "is leaky", change=(part,))


def fix_source(
    source: bytes,
    path: str,
    rules: Sequence[Rule],
    options: Options | None,
    wanted: Callable[[bytes, list[Finding]], list[Finding]],
) -> SimpleNamespace:
    """Mend every leaky name that is wanted."""
    module = Module(cst.parse_module(source), path, options)
    found = wanted(source, [finding for one in rules for finding in one.check(module)])
    lines = source.splitlines(keepends=True)
    for finding in found:
        lines[finding.place.line - 1] = lines[finding.place.line - 1].replace(b"leaky", b"sound")
    return SimpleNamespace(source=b"".join(lines), count=len(found))


@pytest.fixture(autouse=True)
def _mending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rule, "load", lambda: [Leaky()])
    fixing = SimpleNamespace(fix_source=fix_source)
    monkeypatch.setitem(sys.modules, "otelkata.lint.fixes.fixing", fixing)
    config.read.cache_clear()


def test_files_are_mended_and_the_rest_reported(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tree(tmp_path, {"a.py": SOURCE, "b.py": b"# opentelemetry shutdown\n"})
    assert main(["--fix", "."]) == 0
    assert (tmp_path / "a.py").read_bytes() == MENDED
    assert capfd.readouterr().out == "1 fault fixed. No faults found.\n"
    assert main(["--fix", "."]) == 0
    assert (tmp_path / "a.py").read_bytes() == MENDED


def test_a_difference_is_shown_and_nothing_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "a.py", SOURCE)
    assert main(["--diff", "a.py"]) == 1
    said = capfd.readouterr()
    assert said.out == (
        "--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n # opentelemetry shutdown\n-leaky = 1\n+sound = 1\n"
        " leaky  # kata-lint: ignore\n"
    )
    assert said.err == "1 would be fixed\n"
    assert (tmp_path / "a.py").read_bytes() == SOURCE


def test_no_difference_is_no_fault(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "a.py", MENDED)
    assert main(["--diff", "a.py"]) == 0
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("source", "mended"),
    [
        (SOURCE.replace(b"\n", b"\r\n"), MENDED.replace(b"\n", b"\r\n")),
        (b"\xef\xbb\xbf" + SOURCE, b"\xef\xbb\xbf" + MENDED),
        (b"# coding: latin-1\n# \xe4\n" + SOURCE, b"# coding: latin-1\n# \xe4\n" + MENDED),
        (b"# opentelemetry shutdown\nleaky", b"# opentelemetry shutdown\nsound"),
    ],
    ids=["CRLF", "byte order mark", "coding line", "no newline at the end"],
)
def test_the_form_of_the_file_stays(tmp_path: Path, source: bytes, mended: bytes) -> None:
    path = put(tmp_path / "a.py", source)
    assert main(["--fix", "a.py"]) == 0
    assert path.read_bytes() == mended


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    path = put(tmp_path / "real.txt", SOURCE)
    path.chmod(0o751)
    (tmp_path / "a.py").symlink_to("real.txt")
    assert main(["--fix", "a.py"]) == 0
    assert (tmp_path / "a.py").is_symlink()
    assert path.read_bytes() == MENDED
    assert path.stat().st_mode & 0o777 == 0o751
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.py", "real.txt"]


def test_nothing_is_mended_outside_of_what_was_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tree(tmp_path, {"theirs/b.py": SOURCE, "shop/b.py": SOURCE, "outside.py": SOURCE})
    (tmp_path / "shop" / "a.py").symlink_to(tmp_path / "outside.py")
    (tmp_path / "shop" / "c.py").symlink_to("../theirs/b.py")
    assert main(["--fix", "shop", "theirs"]) == 2
    assert (tmp_path / "outside.py").read_bytes() == SOURCE
    assert (tmp_path / "shop" / "b.py").read_bytes() == MENDED
    assert (tmp_path / "theirs" / "b.py").read_bytes() == MENDED
    assert capfd.readouterr().err == (
        f"shop/a.py: is not mended: it leads to {tmp_path}/outside.py, "
        "which is outside of what was named\n"
    )


def test_standard_input_is_mended_onto_standard_output(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SOURCE)))
    assert main(["--fix", "-"]) == 0
    said = capfdbinary.readouterr()
    assert said.out == MENDED
    assert said.err == b"1 fault fixed. No faults found.\n"


@pytest.mark.parametrize("mended", [SOURCE, b"leaky = (\n"], ids=["the same", "no Python"])
@pytest.mark.parametrize("option", ["--fix", "--diff"])
def test_a_mending_that_is_none_changes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    option: str,
    mended: bytes,
) -> None:
    path = put(tmp_path / "a.py", SOURCE)
    made = SimpleNamespace(fix_source=lambda *_: SimpleNamespace(source=mended, count=1))
    monkeypatch.setitem(sys.modules, "otelkata.lint.fixes.fixing", made)
    assert main([option, "a.py"]) == 1
    assert path.read_bytes() == SOURCE
    assert ("a.py:2:1: OTK101" in capfd.readouterr().out) == (option == "--fix")


def test_a_file_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    tree(tmp_path, {"a.py": SOURCE, "b.py": SOURCE})

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert main(["--fix", "."]) == 2
    assert capfd.readouterr().err.splitlines() == [
        "a.py: cannot be written: Permission denied",
        "b.py: cannot be written: Permission denied",
    ]
    assert (tmp_path / "a.py").read_bytes() == SOURCE


def test_a_file_that_cannot_be_replaced_leaves_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = put(tmp_path / "a.py", SOURCE)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", refuse)
    assert main(["--fix", "a.py"]) == 2
    assert capfd.readouterr().err == "a.py: cannot be written: Permission denied\n"
    assert path.read_bytes() == SOURCE
    assert list(tmp_path.iterdir()) == [path]

"""`pytest --submission=PATH --in-process`: a debugger stops in the submission; it is no grade."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from submissions import GATEWAY_HANDLER, IMPORT, INVENTORY_HANDLER, broken, insert
from terminal import Terminal, terminal
from test_plugin import BROKEN, REFERENCE, outcomes, run

from otelkata.judge import registry

NO_GRADE = "what comes of it is no grade"
ONE_CASE = "a_retry_leaves_an_event"
"""A check that needs one request alone."""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere"
    path.mkdir()
    return path


@contextmanager
def debugging(submission: Path, cwd: Path, *options: str) -> Iterator[Terminal]:
    """Debug `submission` at a terminal, with as few requests as there can be."""
    command = [sys.executable, "-m", "pytest", f"--submission={submission}", "--in-process"]
    with terminal([*command, "-k", ONE_CASE, *options], cwd) as shown:
        yield shown


@pytest.mark.fixtures
def test_what_needs_no_process_of_its_own_is_judged(elsewhere: Path) -> None:
    code, said = run(elsewhere, f"--submission={REFERENCE}", "--in-process", "--submission-seed=5")
    assert code == 0, said
    assert {*outcomes(said)} == {"passed", "skipped"}
    assert sum(outcomes(said).values()) == len(registry.load())
    assert outcomes(said)["passed"] > 40
    # In the header and in the summary, where the isolation is told, too.
    assert said.count(NO_GRADE) == 3


@pytest.mark.parametrize("option", [["--pdb"], []], ids=["pdb", "no pdb"])
def test_a_breakpoint_in_a_handler_stops_and_steps(
    option: list[str], tmp_path: Path, elsewhere: Path
) -> None:
    mine, line = broken(tmp_path / "mine", GATEWAY_HANDLER, "quantity = 7\nbreakpoint()")
    with debugging(mine, elsewhere, *option) as shown:
        assert NO_GRADE in shown.until("(Pdb) ")
        # The file is the user's own, so that an editor finds it.
        assert f"{mine / GATEWAY_HANDLER.file}({line + 1})" in shown.shown or (
            f"{mine / GATEWAY_HANDLER.file}({line + 2})" in shown.shown
        )
        shown.type("p quantity * 6\n")
        assert "42" in shown.until("(Pdb) ")
        shown.type("n\n")
        stepped = shown.until("(Pdb) ")
        assert re.search(rf"{GATEWAY_HANDLER.file}\({line + 2}\)|\({line + 3}\)", stepped), stepped
        shown.type("c\n")
        last = shown.until("1 passed")
        assert NO_GRADE in last
        assert shown.end() == 0


def test_services_ask_one_after_the_other(tmp_path: Path, elsewhere: Path) -> None:
    """A line of the gateway that is stepped over waits for inventory, where another one stops."""
    mine, _ = broken(tmp_path / "mine", INVENTORY_HANDLER, "breakpoint()")
    insert(mine, GATEWAY_HANDLER, "breakpoint()")
    with debugging(mine, elsewhere) as shown:
        assert "gateway.py" in shown.until("(Pdb) ")
        shown.type("c\n")
        assert "inventory.py" in shown.until("(Pdb) ")
        shown.type("c\n")
        shown.until("1 passed")
        assert shown.end() == 0


def test_to_quit_the_debugger_ends_the_run(tmp_path: Path, elsewhere: Path) -> None:
    mine, _ = broken(tmp_path / "mine", GATEWAY_HANDLER, "breakpoint()")
    with debugging(mine, elsewhere, "--pdb") as shown:
        shown.until("(Pdb) ")
        shown.type("q\n")
        assert shown.end() == pytest.ExitCode.INTERRUPTED
    assert "1 passed" not in shown.shown


def test_a_breakpoint_on_import_stops(tmp_path: Path, elsewhere: Path) -> None:
    mine, _ = broken(tmp_path / "mine", IMPORT, "breakpoint()")
    with debugging(mine, elsewhere) as shown:
        assert "__init__.py" in shown.until("(Pdb) ")
        shown.type("c\n")
        shown.until("1 passed")
        assert shown.end() == 0


def test_what_it_prints_is_seen(tmp_path: Path, elsewhere: Path) -> None:
    mine, _ = broken(tmp_path / "mine", GATEWAY_HANDLER, "print('in the', 'handler')")
    code, said = run(elsewhere, f"--submission={mine}", "--in-process", "-k", ONE_CASE)
    assert code == 0, said
    # Once for the one request that the check needs.
    assert said.count("in the handler") == 1
    assert not [*mine.rglob("__pycache__")]


def test_a_submission_that_cannot_be_imported_is_told(tmp_path: Path, elsewhere: Path) -> None:
    (tmp_path / "checkout.py").write_text(BROKEN)
    code, said = run(elsewhere, f"--submission={tmp_path}", "--in-process", "-k", "runs")
    assert code == 1
    assert "broken on purpose" in said
    assert "checkout.py:1" in said


def test_a_directory_that_is_no_submission_is_told(elsewhere: Path) -> None:
    code, said = run(elsewhere, "--submission=.", "--in-process", "-k", "runs")
    assert code == 1
    assert "this folder" in said


def test_what_was_chosen_and_needs_processes_is_skipped_with_the_reason(elsewhere: Path) -> None:
    code, said = run(
        elsewhere, f"--submission={REFERENCE}", "--in-process", "-k", "process_can_end", "-rs"
    )
    assert code == 0
    assert outcomes(said)["skipped"] == 1
    assert "it needs processes of its own" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--in-process"], "name the submission"),
        (["--submission=.", "--in-process", "-n", "2"], "leave out pytest-xdist's -n"),
        (["--submission=.", "--in-process", "--submission-python=x"], "--submission-python"),
        (["--submission=.", "--in-process", "--submission-isolation=process"], "-isolation"),
    ],
)
def test_what_cannot_be_meant_together_is_wrong_usage(
    arguments: list[str], message: str, elsewhere: Path
) -> None:
    code, said = run(elsewhere, *arguments)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert message in said
    assert "Traceback" not in said

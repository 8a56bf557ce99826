"""`kata-grade --explain` prints the page of the documentation, and reports name it."""

import io

import pytest
from batches import run
from rich.console import Console
from test_report import as_text, graded

from otelkata.judge.criteria import CRITERIA
from otelkata.lint import rule
from otelkata.report import explain, guide
from otelkata.report.html.page import page
from otelkata.report.reference import Reference

REFERENCE = Reference.load()
SITE = "https://docs.example/kata"


@pytest.mark.parametrize("name", [check.id for check in REFERENCE.checks])
def test_the_command_that_a_report_names_prints_the_page_of_its_check(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*guide.command(name).split()[1:]) == 0
    said = capsys.readouterr().out
    [check] = [check for check in REFERENCE.checks if check.id == name]
    assert said.startswith(f"# {name}\n")
    assert check.fix in said
    assert "](" not in said


@pytest.mark.parametrize("name", ["T3", "t3", "OTK101", "span-not-ended"])
def test_criteria_and_rules_are_explained_as_well(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--explain", name) == 0
    assert "## Wrong" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("every_span_end", "leaks.every_span_ends"),
        ("T5", "T1"),
        ("span-not-end", "span-not-ended"),
        ("orphans", "did you mean orphans.continues_the_trace?"),
        ("", "kata-grade --explain B4"),
    ],
)
def test_an_unknown_name_is_told_with_what_is_near(
    name: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--explain", name) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"--explain: {name!r} is no check, criterion or rule" in last
    assert near in last


def test_names_mean_one_thing() -> None:
    names = [check.id for check in REFERENCE.checks] + list(CRITERIA)
    names += [name for one in rule.load() for name in (one.code, one.name)]
    assert len({name.lower() for name in names}) == len(names)


def test_a_terminal_gets_the_page_set() -> None:
    file = io.StringIO()
    explain.show("T3", Console(file=file, force_terminal=True, width=100))
    assert "# T3" not in file.getvalue()
    assert "\x1b[" in file.getvalue()


def test_reports_name_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(guide.ADDRESS, raising=False)
    assert "more    kata-grade --explain theme.wrong_thing" in as_text(graded())
    assert "<code>kata-grade --explain theme.wrong_thing</code>" in page(graded())


@pytest.mark.parametrize("given", [SITE, f"{SITE}/"])
def test_reports_link_to_the_site_where_one_is_published(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(guide.ADDRESS, given)
    address = f"{SITE}/checks/theme.wrong_thing/"
    assert address in as_text(graded(), width=200)
    assert f'<a href="{address}">theme.wrong_thing</a>' in page(graded())
    assert "--explain" not in as_text(graded()) + page(graded())


@pytest.mark.parametrize("given", ["", "javascript:alert(1)", "docs.example"])
def test_what_is_no_address_is_no_link(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(guide.ADDRESS, given)
    assert "more    kata-grade --explain theme.wrong_thing" in as_text(graded())

"""`kata-grade --format` and `--policy`: what is written where, and how the command ends."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from evidence_builder import sound
from test_cli import WRONG, kept, run

from otelkata.report import formats

MADE = [name for name in formats.names() if name != formats.TEXT]
FOR_ONE = [name for name in MADE if formats.load(name).several is None]


@pytest.fixture(autouse=True)
def _no_workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def test_a_form_is_a_file_and_no_other() -> None:
    folder = Path(formats.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert {*formats.names()} == {formats.TEXT, *files}


def test_the_help_names_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert ", ".join(formats.names()) in shown


@pytest.mark.parametrize("name", MADE)
def test_each_form_is_written_and_the_verdict_is_the_same(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"
    assert run("--regrade", kept(tmp_path / "kept", a=WRONG), "--format", name) == 1
    shown = capsys.readouterr().out
    assert run("--regrade", tmp_path / "kept", "--format", name, "--output", out) == 1
    assert out.read_text("utf-8")[:20] == shown[:20] != ""
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", FOR_ONE)
def test_a_form_for_one_submission_wants_a_directory_for_several(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = kept(tmp_path / "kept", a=sound(), b=WRONG)
    assert run("--regrade", folder, "--format", name) == 2
    assert f"--format {name} is about one submission" in capsys.readouterr().err
    assert run("--regrade", folder, "--format", name, "--reports", tmp_path / "out") == 1
    shown = capsys.readouterr().out
    assert "2 submissions: 1 passed, 1 failed" in shown
    suffix = formats.load(name).suffix
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == [f"a.{suffix}", f"b.{suffix}"]


def test_a_form_for_several_has_them_in_one_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--regrade", kept(tmp_path / "kept", a=sound(), b=WRONG), "--format", "junit") == 1
    [first, second] = ET.fromstring(capsys.readouterr().out)
    assert (first.get("failures"), second.get("failures") != "0") == ("0", True)


# GitHub's summary


def test_the_summary_is_added_to_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("## Before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert run("--regrade", kept(tmp_path / "kept", a=WRONG), "--format", "github") == 1
    assert run("--regrade", tmp_path / "kept", "--format", "text") == 1
    written = summary.read_text("utf-8")
    assert written.startswith("## Before\n## ❌ <code>")
    assert written.count("\n## ") == 1
    assert "## " not in capsys.readouterr().out


def test_a_batch_has_one_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    folder = kept(tmp_path / "kept", a=sound(), b=WRONG)
    arguments = ("--format", "github", "--reports", tmp_path / "out")
    assert run("--regrade", folder, *arguments) == 1
    assert (tmp_path / "summary.md").read_text("utf-8").count("## ") == 2


def test_a_summary_that_cannot_be_written_changes_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no" / "summary.md"))
    assert run("--regrade", kept(tmp_path / "kept", a=sound()), "--format", "github") == 0
    assert "GITHUB_STEP_SUMMARY" in capsys.readouterr().err


# Policies


def written(folder: Path, text: str) -> Path:
    file = folder / "kata-policy.toml"
    file.write_text(text)
    return file


def test_a_policy_decides_what_passes_where_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = kept(tmp_path / "kept", a=WRONG)
    assert run("--regrade", folder, "--policy", written(tmp_path, "points = 18")) == 1
    assert "policy: failed, " in capsys.readouterr().out
    assert run("--regrade", folder, "--policy", written(tmp_path, "pass.points = 1")) == 0
    assert "policy: passed, " in capsys.readouterr().out


def test_a_policy_leaves_the_json_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = written(tmp_path, "pass.points = 1\nshow.default = 'nothing'")
    folder = kept(tmp_path / "kept", a=WRONG)
    reports = []
    for arguments in ((), ("--policy", policy)):
        run("--regrade", folder, "--format", "json", *arguments)
        reports.append(json.loads(capsys.readouterr().out))
        for check in reports[-1]["checks"]:
            del check["duration_s"]
    assert reports[0] == reports[1]


def test_a_policy_holds_for_a_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = kept(tmp_path / "kept", a=sound(), b=WRONG)
    assert run("--regrade", folder, "--policy", written(tmp_path, "pass.points = 1")) == 0
    shown = capsys.readouterr().out
    assert "passed, 100 of 100 points" in shown
    assert shown.count("of 100 points") == 2


def test_a_policy_is_read_only_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, "pass.points = 1")
    monkeypatch.chdir(tmp_path)
    assert run("--regrade", kept(tmp_path / "kept", a=WRONG)) == 1
    assert "policy" not in capsys.readouterr().out


def test_mistakes_in_a_policy_are_wrong_usage_and_all_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = written(tmp_path, "points = -1\n[weights]\nT9 = 1\n")
    assert run("--regrade", kept(tmp_path / "kept", a=sound()), "--policy", policy) == 2
    told = capsys.readouterr().err
    assert f"--policy {policy}:\n  points: -1 is negative\n  weights.T9: there is no" in told


def test_a_policy_that_is_not_there_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--policy", tmp_path / "none.toml") == 2
    assert "none.toml:\n  cannot be read: No such file" in capsys.readouterr().err

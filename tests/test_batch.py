"""Many submissions in one command: which, in what order, and what is told and written of them."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import planted
import pytest
from batches import COMMAND, nothings, run
from evidence_builder import lose, sound
from evidence_builder import planted as with_fault

from otelkata.evidence import store
from otelkata.report.graded import failure
from otelkata.report.words import file_name


def in_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[Any]:
    """Return what the command says in JSON."""
    run(*arguments, "--format", "json")
    return list(json.loads(capsys.readouterr().out))


def unfolded(report: Path) -> str:
    """Return a report without the spaces, and so without the ends of lines."""
    return "".join(report.read_text("utf-8").split())


def listing(text: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command on a list in its standard input."""
    command = [*COMMAND, *arguments, "--format", "json"]
    return subprocess.run(command, input=text, capture_output=True, check=False)


def test_each_is_told_in_one_line_and_then_the_class(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = nothings(tmp_path / "class", 3)
    assert run("--each", tmp_path / "class") == 1
    shown = capsys.readouterr()
    assert sorted(shown.out.partition("\n\n")[0].splitlines()) == [
        f"✗ {path}  0/18 +0  this folder is empty" for path in paths
    ]
    overview = " ".join(shown.out.partition("\n\n")[2].split())
    assert "3 submissions: 0 passed, 3 failed, 0 error" in overview
    assert "contract 3 100% submission.runs" in overview
    assert shown.err == ""


def test_json_is_in_the_order_given_whatever_is_done_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of them is really run; the others are done long before it."""
    others = nothings(tmp_path / "class", 2)
    paths = [planted.REFERENCE, *others]
    found = in_json(capsys, *paths, "--quick", "--seed", 3)
    assert [one["submission"] for one in found] == [str(path) for path in paths]
    assert [one["verdict"] for one in found] == ["passed", "failed", "failed"]
    assert [one["partial"] for one in found] == [True, False, False]
    assert {one["seed"] for one in found} == {3}


def test_without_a_seed_each_submission_has_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothings(tmp_path, 4)
    assert len({one["seed"] for one in in_json(capsys, "--each", tmp_path)}) == 4


def test_what_is_read_from_a_list_stands_where_the_dash_is(tmp_path: Path) -> None:
    first, second, third, last = nothings(tmp_path, 4)
    listed = f"{second}\r\n\n{third}\n".encode()
    found = json.loads(listing(listed, str(first), "-", str(last)).stdout)
    assert [one["submission"] for one in found] == [str(p) for p in (first, second, third, last)]


@pytest.mark.skipif(sys.platform != "linux", reason="the names of files are text there")
def test_a_name_that_is_no_text_is_graded_as_any_other(tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff\xfe"
    os.mkdir(odd)  # noqa: PTH102 (bytes)
    [plain] = nothings(tmp_path, 1)
    for folder in ("evidence", "reports"):
        (tmp_path / folder).mkdir()
    answer = listing(
        odd + b"\n" + os.fsencode(plain) + b"\n",
        "-",
        *("--evidence", str(tmp_path / "evidence"), "--reports", str(tmp_path / "reports")),
    )
    found = json.loads(answer.stdout)
    assert [one["verdict"] for one in found] == ["failed", "failed"], answer.stderr
    assert found[0]["submission"] == f"{tmp_path}/\\udcff\\udcfe"
    assert len([*(tmp_path / "evidence").iterdir()]) == 2
    assert len([*(tmp_path / "reports").iterdir()]) == 2


def test_an_empty_list_is_wrong_usage() -> None:
    answer = listing(b"\n", "-")
    assert answer.returncode == 2
    assert b"name at least one directory" in answer.stderr


def test_shards_are_a_partition_in_the_same_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = nothings(tmp_path, 5)
    shards = [
        [one["submission"] for one in in_json(capsys, "--each", tmp_path, "--shard", f"{part}/3")]
        for part in (1, 2, 3)
    ]
    assert shards == [[str(path) for path in paths[part::3]] for part in range(3)]


def test_a_shard_of_nothing_is_empty_and_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothings(tmp_path, 1)
    assert run("--each", tmp_path, "--shard", "2/2", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run("--each", tmp_path, "--shard", "2/2") == 0
    assert "0 submissions" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/", "-1/2"])
def test_what_is_no_shard_is_wrong_usage(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, f"--shard={text}") == 2
    assert f"{text} is no part like 1/4" in capsys.readouterr().err


def test_files_of_all_shards_have_different_names(tmp_path: Path) -> None:
    """Also those on submissions of one name, in one directory that all machines share."""
    paths = [tmp_path / student / "kata" for student in ("ann", "bob", "cy")]
    for path in paths:
        path.mkdir(parents=True)
    for part in (1, 2, 3):
        folders = ("--evidence", tmp_path / "seen", "--reports", tmp_path / "told")
        run(*paths, "--shard", f"{part}/3", *folders)
    assert len([*(tmp_path / "seen").glob("kata-*.evidence.json.gz")]) == 3
    told = sorted(unfolded(file) for file in (tmp_path / "told").glob("kata-*.txt"))
    for report, path in zip(told, paths, strict=True):
        assert report.startswith(f"✗{path}:failed")


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("form", ["text", "json"])
def test_reports_are_one_file_each(
    form: str, count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = nothings(tmp_path / "class", count)
    run(*paths, "--reports", tmp_path / "new" / "reports", "--format", form)
    suffix = "txt" if form == "text" else "json"
    reports = sorted((tmp_path / "new" / "reports").iterdir())
    assert [report.name for report in reports] == [
        file_name(str(path), f".{suffix}") for path in paths
    ]
    for report, path in zip(reports, paths, strict=True):
        if form == "json":
            assert json.loads(report.read_text("utf-8"))["submission"] == str(path)
        else:
            assert unfolded(report).startswith(f"✗{path}:failed")


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_report_goes_to_a_file_and_the_lines_beside_it(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = nothings(tmp_path / "class", 2)
    run(*paths, "--format", form, "--output", tmp_path / "report")
    shown = capsys.readouterr()
    content = (tmp_path / "report").read_text("utf-8")
    assert shown.out == ""
    for path in paths:
        assert f"✗ {path}  0/18" in shown.err
        assert str(path) in content
    if form == "text":
        assert content.count("this folder is empty") == 2
        assert "2 submissions" in content


def test_what_was_kept_is_judged_again_in_the_order_of_its_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    store.write(sound(), kept / "0002-sound.evidence.json.gz")
    store.write(with_fault(lose("success/payment")), kept / "0001-wrong.evidence.json.gz")
    (kept / "0003-none.evidence.json.gz").write_bytes(b"{}")
    found = in_json(capsys, "--regrade", kept, "--reports", tmp_path / "reports")
    assert [one["verdict"] for one in found] == ["failed", "passed", "error"]
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == [
        "0001-wrong.json",
        "0002-sound.json",
        "0003-none.json",
    ]
    assert run("--regrade", kept) == 3
    shown = capsys.readouterr().out
    assert "3 submissions: 1 passed, 1 failed, 1 error" in shown
    assert "0003-none.evidence.json.gz cannot be judged" in shown


def test_evidence_of_a_batch_gives_the_same_verdicts_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothings(tmp_path / "class", 3)
    first = in_json(capsys, "--each", tmp_path / "class", "--evidence", tmp_path / "kept")
    again = in_json(capsys, "--regrade", tmp_path / "kept")
    for one in [*first, *again]:
        del one["duration_s"]
        for check in one["checks"]:
            del check["duration_s"]
    assert again == first


def test_an_error_is_told_in_one_line_and_no_criterion_of_it_counts(tmp_path: Path) -> None:
    from otelkata.report import overview  # noqa: PLC0415

    line = overview.line(failure("theirs", 1, "first line\nsecond line"))
    assert overview.show_line(line).plain == "! theirs  first line"
    assert line.checks == ()


def test_what_could_not_be_judged_is_no_breach_of_the_contract() -> None:
    from otelkata.judge.criteria import CRITERIA  # noqa: PLC0415
    from otelkata.judge.verdict import CriterionStatus  # noqa: PLC0415
    from otelkata.report.overview import Line, show_line  # noqa: PLC0415

    unjudged: dict[str, CriterionStatus] = {"F3": "blocked", "B1": "blocked"}
    statuses = tuple(unjudged.get(name, "passed") for name in CRITERIA)
    line = Line("theirs", "failed", 17, 18, 3, (), statuses, (), "", "", 1.0)
    assert show_line(line).plain == "✗ theirs  17/18 +3  F3 could not be judged"
    error = replace(line, verdict="error")
    assert show_line(error).plain == "! theirs  17/18 +3  F3 could not be judged"
    beside = replace(line, passed=16, criteria=("C1", "B2"))
    assert show_line(beside).plain == "✗ theirs  16/18 +3  C1  ? F3"


def test_the_summary_of_a_partial_batch_says_what_was_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, quick = sound(), replace(sound(), left_out=["lifespan_hanging", "sigterm_hanging"])
    only = replace(sound(), only=["orphans.continues_the_trace"])
    for name, evidence in {"a": quick, "b": quick, "c": whole, "d": only}.items():
        store.write(evidence, tmp_path / f"{name}{store.SUFFIX}")
    run("--regrade", tmp_path)
    summary = capsys.readouterr().out.partition("\n\n")[2].splitlines()
    assert summary[1:3] == [
        "partial: left out lifespan hanging, sigterm hanging (in 2 of 4)",
        "partial: judged only orphans.continues_the_trace (in 1 of 4)",
    ]
    for name in "cd":
        (tmp_path / f"{name}{store.SUFFIX}").unlink()
    run("--regrade", tmp_path)
    summary = capsys.readouterr().out.partition("\n\n")[2].splitlines()
    assert summary[1] == "partial: left out lifespan hanging, sigterm hanging"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engine", "dask", "."], "--engine spreads batches"),
        (["--engine", "ray", ".", "."], "invalid choice"),
        (["--scheduler", "tcp://127.0.0.1:9", ".", "."], "--scheduler is that of --engine dask"),
    ],
)
def test_an_engine_that_makes_no_sense_is_wrong_usage(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err


def test_an_engine_that_is_not_installed_is_named_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("otelkata.batch.cluster", "otelkata.batch.cluster_worker"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run(*nothings(tmp_path, 2), "--engine", "dask") == 2
    assert "distributed: python -m pip install 'otelkata[dask]'" in capsys.readouterr().err

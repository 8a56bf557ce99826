"""`kata-merge`: what shards came to, as if they had been one batch."""

import json
from pathlib import Path
from typing import Any

import pytest
from batches import nothings
from batches import run as grade
from evidence_builder import lose, sound
from evidence_builder import planted as with_fault

from otelkata import __version__
from otelkata.cli import merge as command
from otelkata.cli.merge import main
from otelkata.evidence.model import Evidence
from otelkata.grade import judge_evidence
from otelkata.judge import registry
from otelkata.report import contract, overview
from otelkata.report.graded import Graded, failure, to_json


def merge(*arguments: object) -> int:
    """Run the command in this process; return its exit code."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as left:
        return int(left.code or 0)


def result(name: str, evidence: Evidence | None = None) -> Graded:
    return judge_evidence(name, evidence or sound(), registry.load())


PASSED = result("passes")
FAILED = result("fails", with_fault(lose("success/payment")))
ERROR = failure("breaks", 1, "the interpreter cannot be run\nat all")


def written(graded: Graded) -> dict[str, Any]:
    """Return the object that is read where `graded` was written."""
    return dict(json.loads(json.dumps(to_json(graded))))


def a_file(path: Path, *results: Graded | dict[str, Any], alone: bool = False) -> Path:
    """Return `path`, with results as `kata-grade` writes them."""
    objects = [written(one) if isinstance(one, Graded) else one for one in results]
    path.write_text(json.dumps(objects[0] if alone else objects), "utf-8")
    return path


@pytest.mark.parametrize("form", ["text", "json"])
def test_shards_together_are_what_one_batch_is(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothings(tmp_path / "class", 5)
    arguments = ["--each", tmp_path / "class", "--seed", 1]
    shards = [tmp_path / f"{part}.json" for part in (1, 2, 3)]
    for part, shard in enumerate(shards, 1):
        grade(*arguments, "--format", "json", "--shard", f"{part}/3", "--output", shard)
    # The second time, results are those from before.
    grade(*arguments, "--format", form, "--output", tmp_path / "whole")
    capsys.readouterr()
    assert merge(*shards, "--format", form, "--expect", 5) == 1
    merged = capsys.readouterr()
    assert merged.out == (tmp_path / "whole").read_text("utf-8")
    assert merged.err == ""


def test_results_are_ordered_by_submission_and_are_as_they_were(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = {**written(FAILED), "key_of_later_versions": [1.0, None]}
    one = a_file(tmp_path / "one", PASSED, later)
    other = a_file(tmp_path / "other", ERROR, alone=True)
    assert merge(one, other, "--format", "json") == 3
    found = json.loads(capsys.readouterr().out)
    assert found == [written(ERROR), later, written(PASSED)]


@pytest.mark.parametrize(
    ("results", "code"),
    [([PASSED], 0), ([PASSED, FAILED], 1), ([FAILED, ERROR], 3), ([], 0)],
    ids=["passed", "failed", "error", "nothing"],
)
def test_the_exit_code_is_that_of_the_worst(
    results: list[Graded], code: int, tmp_path: Path
) -> None:
    assert merge(a_file(tmp_path / "one", *results)) == code


def test_text_is_lines_and_overview(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = a_file(tmp_path / "one", PASSED, FAILED, ERROR)
    merge(file, "--output", tmp_path / "report")
    assert capsys.readouterr().out == ""
    lines, _, overview = (tmp_path / "report").read_text("utf-8").partition("\n\n")
    first, second, third = lines.splitlines()
    assert first == "! breaks  the interpreter cannot be run"
    assert second.startswith("✗ fails  ")
    assert third == "✓ passes  18/18 +4"
    assert "3 submissions: 1 passed, 1 failed, 1 error" in overview


def test_a_result_that_is_read_back_lacks_nothing_but_what_is_not_written() -> None:
    titles = {check.id: check.title for check in registry.load()}
    for graded in (PASSED, FAILED):
        [item] = contract.read(json.dumps(to_json(graded)).encode())
        read = contract.to_graded(item, titles)
        assert overview.line(read) == overview.line(graded)
        assert to_json(read) == to_json(graded)
        assert [check.title for check in read.checks] == [check.title for check in graded.checks]
        assert contract.to_graded(item, {}).checks[0].title == graded.checks[0].id


def test_one_submission_in_two_files_is_one_where_they_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [a_file(tmp_path / name, PASSED) for name in ("one", "other")]
    assert merge(*files, "--format", "json", "--expect", 1) == 0
    assert json.loads(capsys.readouterr().out) == [written(PASSED)]


def test_one_submission_with_two_results_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = a_file(tmp_path / "one", PASSED)
    other = a_file(tmp_path / "other", {**written(PASSED), "seed": 99})
    assert merge(one, other) == 2
    assert f"{one} and {other} have different results on passes" in capsys.readouterr().err


def test_one_submission_that_a_batch_named_twice_stays_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = {**written(PASSED), "seed": 99}
    file = a_file(tmp_path / "one", PASSED, again)
    assert merge(file, file, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == [written(PASSED), again]


SOUND = written(PASSED)


def nested(depth: int) -> list[Any]:
    """Return a list in a list in a list…"""
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it is no JSON"),
        ("[{]", "it is no JSON"),
        ('{"schema_version": NaN}', "it is no JSON"),
        ("7", "it is no result of kata-grade --format json"),
        ("{}", "it is no result"),
        ([[SOUND]], "result 1: it is no result"),
        ([SOUND, {}], "result 2: it is no result"),
        ({**SOUND, "schema_version": 2}, "its schema_version is 2; this version reads 1"),
        ({**SOUND, "verdict": "perfect"}, "it is not as the contract has it"),
        ({**SOUND, "checks": [{}]}, "it is not as the contract has it"),
        ({**SOUND, "criteria": {"F1": "maybe"}}, "it is not as the contract has it"),
        ({k: v for k, v in SOUND.items() if k != "score"}, "missing required field `score`"),
        ("[" * 200_000, "nested more than 100 deep"),
        ({**SOUND, "later": nested(900)}, "nested more than 100 deep"),
        ({**written(FAILED), "verdict": "passed"}, "its verdict is passed, and attributes."),
        ({**SOUND, "verdict": "failed"}, "its verdict is failed, and no required check says why"),
        ({**SOUND, "checks": []}, "its verdict is passed, and nothing was checked"),
        ({**SOUND, "criteria": SOUND["criteria"] | {"T3": "failed"}}, "T3 is told as failed"),
        ({**written(FAILED), "criteria": SOUND["criteria"]}, "is told as passed"),
    ],
)
def test_what_is_no_result_is_wrong_usage_and_names_the_file(
    content: Any, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = a_file(tmp_path / "good", PASSED)
    bad = tmp_path / "bad"
    bad.write_text(content if isinstance(content, str) else json.dumps(content))
    assert merge(good, bad) == 2
    shown = capsys.readouterr()
    assert f"kata-merge: error: {bad}: " in shown.err
    assert message in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: FILE"),
        (["no/such/file"], "no/such/file cannot be read: No such file"),
        ([__file__, "--format", "xml"], "invalid choice"),
        ([__file__, "--expect", "many"], "invalid int value"),
        ([__file__, "--output", "no/such/folder/file"], "--output no/such/folder/file"),
    ],
)
def test_wrong_usage_is_told_in_one_line_and_has_the_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert merge(*arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sizes", "expected", "message"),
    [
        ([3, 3, 2, 2], 10, ""),
        ([3, 3, 2], 10, "8 of 10 results are there: as if 1 of 4 shards were not given"),
        ([3, 3], 10, "6 of 10 results are there: as if 1 of 3 shards were not given"),
        ([4, 1, 3], 10, "if the files are all shards in their order, {1} has 1 of 3"),
        ([4, 3, 0], 10, "if the files are all shards in their order, {2} has 0 of 3"),
        ([4, 5], 10, "if the files are all shards in their order, {0} has 4 of 5"),
        ([5, 5], 11, "{0} has 5 of 6"),
        ([0], 1, "{0} has 0 of 1"),
    ],
)
def test_what_is_missing_is_told_and_the_rest_is_written(
    sizes: list[int],
    expected: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = [
        a_file(
            tmp_path / f"{number}.json",
            *({**SOUND, "submission": f"{number}-{n}"} for n in range(size)),
        )
        for number, size in enumerate(sizes)
    ]
    code = merge(*files, "--format", "json", "--expect", expected)
    shown = capsys.readouterr()
    assert len(json.loads(shown.out)) == sum(sizes)
    assert code == (3 if message else 0)
    assert message.format(*files) in shown.err
    assert bool(shown.err) == bool(message)


def test_more_than_expected_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert merge(a_file(tmp_path / "one", PASSED, FAILED), "--expect", 1) == 2
    assert "there are 2 results, and --expect 1" in capsys.readouterr().err


def test_a_file_without_end_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "SIZE_LIMIT", 2**20)
    assert merge("/dev/zero") == 2
    assert "/dev/zero: it has more than 1 MiB" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert merge("--version") == 0
    assert capsys.readouterr().out == f"kata-merge {__version__}\n"

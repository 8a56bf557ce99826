"""Code is changed where it decides something, and what the report on that says stays true."""

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.mutation import report, running
from benchmarks.mutation.__main__ import configuration, paths_of
from benchmarks.mutation.planting import OWN, Mutant, Wording, mutants
from benchmarks.mutation.report import Explanation, Result, Survivor

SOURCE = '''\
"""A check."""
WHY = "it matters"
def judge(cases: list[str], view: object) -> object:
    message = "any" if any(cases) else ""
    if view and cases:
        yield Fault(any(cases), case=max(cases, key=len))
    print([case for case in cases if case])
'''


def planted(tmp_path: Path, source: str) -> list[Mutant]:
    path = tmp_path / "theme.py"
    path.write_text(source, "utf-8")
    wording = Wording(names=frozenset({"message", "WHY"}), functions=frozenset({"told"}))
    return [*mutants(path, "checks/theme.py", wording, OWN)]


def test_what_decides_is_changed_and_texts_for_people_are_not(tmp_path: Path) -> None:
    changes = [(mutant.line, mutant.before, mutant.after) for mutant in planted(tmp_path, SOURCE)]
    assert changes == [
        (5, "view and cases", "(not (view and cases))"),
        (6, "yield Fault(any(cases), case=max(cases, key=len))", "pass"),
        (6, "max", "min"),
        (7, "print([case for case in cases if case])", "pass"),
        (7, "case", "(not (case))"),
    ]


def test_functions_that_make_texts_are_left_alone(tmp_path: Path) -> None:
    assert planted(tmp_path, "def told(a: str) -> str:\n    return max(a)\n") == []


def test_types_are_left_alone(tmp_path: Path) -> None:
    assert planted(tmp_path, "Kind = Literal[max(1, 2)]\n") == []


def imported(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> tuple[ModuleType, Path]:
    path = folder / "changing.py"
    path.write_text(source, "utf-8")
    module = ModuleType("changing")
    module.__file__ = str(path)
    exec(compile(source, str(path), "exec"), vars(module))
    monkeypatch.setitem(sys.modules, "changing", module)
    return module, path


def test_what_was_imported_does_what_the_changed_source_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "LIMIT = 1\ndef least(): return LIMIT\nclass Case:\n    def title(self): return 'a'\n"
    module, path = imported(tmp_path, monkeypatch, source)
    other = ModuleType("others_own")
    monkeypatch.setitem(sys.modules, "others_own", other)
    least, case, other.LIMIT = module.least, module.Case(), module.LIMIT  # type: ignore[attr-defined]
    running.replace(path, source.replace("1", "2").replace("'a'", "'b'"))
    assert (least(), case.title(), other.LIMIT) == (2, "b", 2)
    assert module.least is least
    assert type(case) is module.Case


def test_an_enumeration_stays_the_one_that_tables_and_others_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "import enum\nclass Kind(enum.Enum):\n    ONE = 'one'\nKNOWN = {Kind.ONE}\n"
    module, path = imported(tmp_path, monkeypatch, source)
    one = module.Kind.ONE
    running.replace(path, source.replace("'one'", "'other'"))
    assert module.Kind.ONE is one
    assert one in module.KNOWN
    assert one.value == "other"


LIVED = Survivor("checks/theme.py", 3, "if view:", "view", "(not (view))")


def result(survivors: list[Survivor]) -> Result:
    files = {"checks/theme.py": (4 - len(survivors), 4)}
    return Result("The checks", ["tests/test_checks.py"], files, survivors, "0" * 16, "3", "3.11")


def test_a_pattern_that_others_have_imported_is_changed_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its class is another module's.
    path = tmp_path / "patterns.py"
    source = "import re\nNAMES = re.compile('one')\n"
    path.write_text(source, "utf-8")
    module, other = ModuleType("patterns"), ModuleType("users_of_patterns")
    module.__file__ = str(path)
    exec(compile(source, str(path), "exec"), vars(module))
    vars(other).update(NAMES=module.NAMES)
    monkeypatch.setitem(sys.modules, "patterns", module)
    monkeypatch.setitem(sys.modules, "users_of_patterns", other)
    running.replace(path, source.replace("one", "other"))
    assert other.NAMES.pattern == "other"


@pytest.mark.parametrize(("equivalent", "score"), [(True, 1.0), (False, 0.75)])
def test_the_score_leaves_out_what_is_equivalent(equivalent: bool, score: float) -> None:
    assert report.score(result([LIVED]), {LIVED.key: Explanation("so", equivalent)}) == score


def test_a_run_over_one_file_takes_the_place_of_that_file_alone() -> None:
    before = result([LIVED])
    other = Result(
        "The checks", [], {"checks/other.py": (1, 1)}, [], code="1" * 16, mutmut="3", python="3.11"
    )
    merged = report.merged(before, other)
    assert merged.files == {"checks/other.py": (1, 1), "checks/theme.py": (3, 4)}
    assert merged.survivors == [LIVED]
    assert report.merged(before, result([])).survivors == []


def test_the_report_is_what_the_results_say() -> None:
    written = report.REPORT.read_text("utf-8")
    assert written == report.page(report.results(), report.explanations()), (
        "write it anew: python -m benchmarks.mutation --write"
    )


def test_files_that_no_run_has_come_to_are_named() -> None:
    found = replace(result([]), missing=["checks/later.py"])
    assert "Not measured yet: `checks/later.py`." in report.page({"checks": found}, {})


def test_every_explanation_is_of_a_survivor_on_a_line_that_is_there() -> None:
    known = report.explanations()
    survivors = {each.key for found in report.results().values() for each in found.survivors}
    measured = {path for found in report.results().values() for path in found.files}
    assert {key for key in known if key[0] in measured and key not in survivors} == set()
    for path, text, _, _ in known:
        lines = [line.strip() for line in (report.ROOT / path).read_text("utf-8").splitlines()]
        assert text in lines, (path, text)


def test_targets_name_files_and_tests_that_are_there() -> None:
    for target in configuration().targets.values():
        assert paths_of(target, "")
        for test in target.tests:
            assert (report.ROOT / test.partition("::")[0]).exists()

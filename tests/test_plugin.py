"""`pytest --submission=PATH`: the checks, and nothing of what lies around."""

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest

from otelkata.judge import registry

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "reference_solution"
BROKEN = "raise ImportError('broken on purpose')"


def run(cwd: Path, *arguments: object, code: str = "", **environment: str) -> tuple[int, str]:
    """Run pytest in `cwd`; return its exit code and what it said."""
    start = ["-c", code] if code else ["-m", "pytest"]
    variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    finished = subprocess.run(
        [sys.executable, *start, *map(str, arguments)],
        cwd=cwd,
        env=variables | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.returncode, finished.stdout + finished.stderr


def outcomes(said: str) -> Counter[str]:
    """Return how many tests came to what, by the last line of pytest."""
    found: Counter[str] = Counter()
    for line in said.splitlines():
        if re.search(r" in \d+\.\d+s", line):
            found = Counter()
            for number, what in re.findall(r"(\d+) ([a-z]+)", line):
                found[what.removesuffix("s")] = int(number)
    return found


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    path = tmp_path / "else where"
    path.mkdir()
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Return a submission that cannot be imported: nothing waits for it."""
    path = tmp_path / "mine"
    path.mkdir()
    (path / "checkout.py").write_text(BROKEN)
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """Return a submission that is none: no host is started for it."""
    path = tmp_path / "empty"
    path.mkdir()
    return path


def test_a_sound_submission_passes(elsewhere: Path) -> None:
    code, said = run(
        elsewhere, f"--submission={REFERENCE}", "--submission-quick", "--submission-seed=5"
    )
    assert code == 0, said
    assert {*outcomes(said)} <= {"passed", "skipped"}
    assert outcomes(said)["passed"] > 30
    assert "seed 5, left out: lifespan_hanging, sigterm_hanging" in said


def test_a_bonus_that_failed_is_an_xfail_and_fails_nobody(elsewhere: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(REFERENCE / "checkout", mine / "checkout")
    for path in (mine / "checkout").glob("*.py"):
        path.write_text(path.read_text("utf-8").replace(".add_event(", ".is_recording() and (0, "))
    code, said = run(elsewhere, f"--submission={mine}", "--submission-quick", "-m", "B1 or F2")
    assert code == 0, said
    assert outcomes(said)["xfailed"] == 2
    assert outcomes(said)["failed"] == 0


def test_a_broken_submission_fails_and_what_is_blocked_is_an_error(
    elsewhere: Path, broken: Path
) -> None:
    code, said = run(elsewhere, f"--submission={broken}")
    assert code == 1
    counts = outcomes(said)
    assert counts["failed"] == 1
    assert counts["error"] > 20
    # Its code can be read all the same.
    assert counts["passed"] == sum(check.is_static for check in registry.load())
    assert not counts["skipped"]
    assert "broken on purpose" in said
    assert "why: " in said
    assert "raise NotJudgedError" not in said, "the learner reads the framework's source"


HOSTILE = r"""
import os
said = "it broke\n::error::on purpose\n##[error]\x1b[31m\u202e"
place = os.path.dirname(__file__) + "/some\n::error::file\x1b[31m.py"
exec(compile(f"raise ImportError({said!r})", place, "exec"))
"""


def test_what_a_submission_says_is_obeyed_by_nobody(elsewhere: Path, tmp_path: Path) -> None:
    """Neither by a terminal nor by a runner of workflows, wherever pytest shows it."""
    mine = tmp_path / "mine\n::error::name\x1b[31m"
    mine.mkdir()
    (mine / "checkout.py").write_text(HOSTILE)
    options = ["-rA", "-m", "not F1", "-k", "runs or B1 or answers"]
    code, said = run(elsewhere, f"--submission={mine}", *options)
    assert code == 1
    assert outcomes(said)["failed"] == 1, said
    assert "it broke" in said
    assert "\n::" not in said
    assert not re.search("##\\[|[\x1b\u202e]", said)


@pytest.mark.parametrize(
    "arguments", [["--submission=missing"], ["--submission", "missing"], ["--submission=."]]
)
def test_a_path_that_holds_nothing_is_told(arguments: list[str], elsewhere: Path) -> None:
    code, said = run(elsewhere, *arguments, "-k", "runs")
    if arguments == ["--submission=."]:
        assert code == 1
        assert "this folder" in said
    else:
        assert code == pytest.ExitCode.USAGE_ERROR
        assert str(elsewhere / "missing") in said


@pytest.fixture
def hostile(broken: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Return a submission that would like to be loaded by pytest, and the file that would tell."""
    told = tmp_path / "told"
    tell = f"open({str(told)!r}, 'a').write(__name__ + ' ')\n"
    (broken / "pytest.ini").write_text("[pytest]\naddopts = -p its_plugin\npythonpath = .\n")
    for name in ("conftest.py", "its_plugin.py", "test_own.py"):
        (broken / name).write_text(tell)
    return broken, told


def test_pytest_loads_nothing_of_the_submission(
    hostile: tuple[Path, Path], elsewhere: Path
) -> None:
    submission, told = hostile
    code, said = run(elsewhere, f"--submission={submission}", "-k", "runs")
    assert code == 1, said
    assert not told.exists(), told.read_text()
    assert "test_own" not in said


def test_with_a_space_the_checks_are_still_run_without_the_submissions_files(
    hostile: tuple[Path, Path], elsewhere: Path
) -> None:
    """Pytest takes the value for a path before any plugin is asked: its first run is exposed."""
    submission, told = hostile
    code, said = run(elsewhere, "--submission", submission, "-k", "runs")
    assert code == 1, said
    assert "its_plugin" in told.read_text().split()
    assert "conftest" not in told.read_text().split()
    assert "test_own" not in said


def test_another_projects_files_change_nothing(empty: Path, elsewhere: Path) -> None:
    """Neither its configuration nor its conftest, which would make everything pass."""
    (elsewhere / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    (elsewhere / "conftest.py").write_text(
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_protocol(item): return True\n"
    )
    (elsewhere / "test_other.py").write_text("def test_other(): pass\n")
    code, said = run(elsewhere, f"--submission={empty}", "-k", "runs")
    assert code == 1
    assert outcomes(said)["failed"] == 1
    assert "test_other" not in said


def test_paths_beside_the_option_are_not_collected(empty: Path, elsewhere: Path) -> None:
    (elsewhere / "test_other.py").write_text("def test_other(): pass\n")
    _, said = run(elsewhere, "test_other.py", f"--submission={empty}", "--tb=no")
    assert outcomes(said)["failed"] == 1
    assert not outcomes(said)["passed"]


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        (["-k", "runs"], {"failed": 1}),
        (["-m", "F2"], {"error": 1}),
        (["-x", "-k", "submission"], {"failed": 1}),
        (["-m", "B4"], {"xfailed": 1}),
        (["-k", "no_such_check"], {}),
        (["--maxfail=2", "-m", "C1"], {"error": 2}),
        (["-p", "no:capture", "-k", "runs"], {"failed": 1}),
    ],
)
def test_checks_are_chosen_as_tests_are(
    options: list[str], counts: dict[str, int], empty: Path, elsewhere: Path
) -> None:
    _, said = run(elsewhere, f"--submission={empty}", *options)
    found = outcomes(said)
    assert {what: found[what] for what in counts} == counts
    assert found["passed"] == 0


def test_results_are_written_as_junit_xml_where_the_user_stands(
    empty: Path, elsewhere: Path
) -> None:
    run(elsewhere, f"--submission={empty}", "--junitxml=results.xml", "--tb=no")
    (suite,) = ET.parse(elsewhere / "results.xml").getroot()
    names = [case.attrib["name"] for case in suite]
    assert "runs" in names
    assert int(suite.attrib["errors"]) > 20


def test_a_list_of_checks_runs_nothing(elsewhere: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    (elsewhere / "checkout.py").write_text(f"open({str(told)!r}, 'a').write('.')")
    code, said = run(elsewhere, "--submission=.", "--collect-only", "-q")
    assert code == 0
    assert "server_is_under_the_client" in said
    assert not told.exists()


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_submission_is_driven_once_also_under_xdist(
    workers: list[str], elsewhere: Path, tmp_path: Path
) -> None:
    """The hosts of a run, each of which imports it, have one parent."""
    told, mine = tmp_path / "told", tmp_path / "mine"
    mine.mkdir()
    (mine / "checkout.py").write_text(
        f"import os\nopen({str(told)!r}, 'a').write(f'{{os.getppid()}}\\n')\n{BROKEN}"
    )
    # In a stronger isolation it could tell nobody.
    options = [f"--submission={mine}", "--submission-isolation=process", "--tb=no"]
    code, said = run(elsewhere, *options, *workers)
    assert code == 1
    assert len({*told.read_text().split()}) == 1
    assert outcomes(said)["failed"] == 1


def test_it_works_where_plugins_are_not_loaded_by_themselves(empty: Path, elsewhere: Path) -> None:
    code, said = run(
        elsewhere,
        "-p",
        "otelkata.plugin",
        f"--submission={empty}",
        "-k",
        "runs",
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )
    assert code == 1
    assert outcomes(said)["failed"] == 1


def test_without_the_option_pytest_is_as_it_was(elsewhere: Path) -> None:
    (elsewhere / "test_own.py").write_text("def test_own(): pass\n")
    code, said = run(elsewhere)
    assert code == 0
    assert outcomes(said) == Counter(passed=1)


@pytest.mark.parametrize("module", ["msgspec"])
def test_the_linter_alone_says_what_to_install(module: str, empty: Path, elsewhere: Path) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; import pytest; sys.exit(pytest.main())"
    returned, said = run(elsewhere, f"--submission={empty}", code=code)
    assert returned == pytest.ExitCode.USAGE_ERROR
    assert "pip install 'otelkata[grade]'" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "xdist"])
@pytest.mark.parametrize("python", ["no-such-python", "true"])
def test_an_interpreter_that_cannot_host_ends_the_run_and_is_named(
    python: str, workers: list[str], broken: Path, elsewhere: Path
) -> None:
    code, said = run(elsewhere, f"--submission={broken}", f"--submission-python={python}", *workers)
    assert code == pytest.ExitCode.USAGE_ERROR
    # Pytest itself says it twice where a session ends before it has begun.
    assert said.count(f"the interpreter {python} ") == (2 if workers else 1)
    assert "name another one with --submission-python" in said
    assert "Traceback" not in said
    assert "ParentFailed" not in said
    assert not outcomes(said)["error"]


FAILING = """
import os, sys
from pathlib import Path
import pytest
from otelkata.grade import Grader

def fail(self, launched=None):
    with Path({told!r}).open("a") as told:
        told.write(".")
    raise OSError("the disk is full")

Grader.open = fail
"""


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_where_the_grader_fails_the_submission_is_driven_once_and_nothing_passes(
    workers: list[str], broken: Path, elsewhere: Path, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    (elsewhere / "failing.py").write_text(FAILING.format(told=str(told)))
    options = [f"--submission={broken}", "-p", "failing", *workers]
    code, said = run(elsewhere, *options, PYTHONPATH=os.pathsep.join([str(elsewhere), *sys.path]))
    assert code in {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERNAL_ERROR}
    assert told.read_text() == "."
    assert not outcomes(said)["passed"]
    assert "the disk is full" in said
    if not workers:
        assert outcomes(said) == Counter(error=len(registry.load()))
        assert said.count("raise OSError") == 1
        assert "no submission is to blame" in said

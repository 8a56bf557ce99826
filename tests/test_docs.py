"""What the repository says of itself is so."""

import os
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
from batches import nothings

from otelkata.judge import registry
from otelkata.judge.criteria import CRITERIA
from otelkata.judge.registry import Check
from otelkata.report import reference
from otelkata.report.reference import Reference

ROOT = Path(__file__).parents[1]


def pages_in(docs: Path) -> dict[str, str]:
    """Return the pages on criteria and checks that lie in `docs`."""
    return {
        path.relative_to(docs).as_posix(): path.read_text("utf-8")
        for folder in reference.FOLDERS
        for path in (docs / folder).iterdir()
    }


def test_the_pages_of_criteria_and_checks_are_current() -> None:
    assert pages_in(ROOT / "docs") == Reference.load().pages(), (
        "write them anew: python -m otelkata.report.reference"
    )


def test_pages_are_written_and_those_of_what_is_no_more_removed(tmp_path: Path) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "theme.gone.md").write_text("# theme.gone")
    written = Reference.load()
    reference.write(written, tmp_path)
    assert pages_in(tmp_path) == written.pages()


@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_criterion_has_a_check(criterion: str) -> None:
    assert any(criterion in check.criteria for check in registry.load())


@pytest.mark.parametrize("check", registry.load(), ids=lambda check: check.id)
def test_every_fix_names_a_pattern_in_code(check: Check) -> None:
    assert re.search(r"`[^`]+`", check.fix)


def test_every_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *extras["grade"], *extras["dask"]]
    names = {re.split(r"[<>=\[]", requirement)[0] for requirement in needed} - {"otelkata"}
    explained = (
        (ROOT / "CONTRIBUTING.md")
        .read_text("utf-8")
        .replace("-exporter-otlp-proto-http", "opentelemetry-exporter-otlp-proto-http")
    )
    assert {name for name in names if name not in explained} == set()


def links() -> list[tuple[Path, str]]:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    found = []
    for page in pages:
        targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
        found += [(page, target) for target in targets if "://" not in target]
    return found


@pytest.mark.parametrize(
    ("page", "target"), links(), ids=lambda value: getattr(value, "name", str(value))
)
def test_links_lead_somewhere(page: Path, target: str) -> None:
    assert (page.parent / target).exists()


def command_in(page: str, mark: str) -> str:
    """Return the block of code of a page in `docs` that is marked with a comment."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    return text.partition(f"<!-- {mark} -->\n```")[2].partition("\n")[2].partition("\n```")[0]


def in_shell(script: str, folder: Path, **environment: str) -> str:
    """Run a script in `folder`, with the commands that are installed; return what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "-e", "-c", script]
    variables = {**os.environ, **environment, "PATH": path}
    return subprocess.run(
        command, cwd=folder, env=variables, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="both systems run on Linux")
def test_the_job_array_grades_a_class(tmp_path: Path) -> None:
    nothings(tmp_path / "submissions", 3)
    for part in ("1", "2"):
        array = {"SLURM_ARRAY_TASK_ID": part, "SLURM_ARRAY_TASK_COUNT": "2"}
        in_shell(command_in("batch.md", "array"), tmp_path, **array, SLURM_CPUS_PER_TASK="1")
    shown = in_shell(command_in("batch.md", "array-merge") + " || test $? = 1", tmp_path)
    assert "3 submissions: 0 passed, 3 failed, 0 error" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="both systems run on Linux")
def test_the_matrix_grades_a_class(tmp_path: Path) -> None:
    steps = re.findall(
        r"run: \|\n((?: {10}.*\n?)+)", command_in("batch.md", "actions"), flags=re.MULTILINE
    )
    grade, merge = (textwrap.dedent(step) for step in steps)
    nothings(tmp_path / "submissions", 3)
    for shard in ("1", "2", "3", "4"):
        in_shell(grade, tmp_path, SHARD=shard)
    assert "3 submissions: 0 passed, 3 failed, 0 error" in in_shell(merge, tmp_path)
    assert {path.name for path in tmp_path.glob("class.*")} == {"class.txt", "class.json"}

"""The set-ups in `docs/examples` work as they stand, tried as the systems would run them."""

import base64
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from planted import REFERENCE, unmeasured
from submissions import PATIENCE
from system_schemas import SCHEMAS

from otelkata.judge import registry
from otelkata.judge.criteria import CRITERIA
from otelkata.report import formats
from otelkata.report.policy_file import read

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLES = DOCS / "examples"
GRADESCOPE = EXAMPLES / "gradescope"
WORKFLOW = EXAMPLES / "github-classroom" / "classroom.yml"
LINTING = EXAMPLES / "github-actions" / "kata-lint.yml"


def in_yaml(text: str) -> Any:
    # Without stubs, which would be one more package for the types of one line.
    return importlib.import_module("yaml").safe_load(text)


def workflow() -> Any:
    return in_yaml(WORKFLOW.read_text("utf-8"))


def environment(folder: Path, **variables: object) -> dict[str, str]:
    """Return variables under which commands are those of this interpreter, a grading is quick."""
    programs = folder / "programs"
    programs.mkdir()
    for name, module in (("kata-grade", "grade"), ("kata-lint", "lint")):
        options = '"$@" --quick' if name == "kata-grade" else '"$@"'
        program = programs / name
        program.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -m otelkata.cli.{module} {options}\n'
        )
        program.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return {**unmeasured(), "PATH": path, **{name: str(value) for name, value in variables.items()}}


def bash(*arguments: object, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", *map(str, arguments)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def step(name: str) -> Any:
    [found] = [one for one in job()["steps"] if one.get("name") == name]
    return found


def job() -> Any:
    return workflow()["jobs"]["run-autograding-tests"]


def handed_in(folder: Path, source: Path = REFERENCE) -> Path:
    ignored = shutil.ignore_patterns("tests", "__pycache__")
    return Path(shutil.copytree(source, folder, ignore=ignored))


SCRIPTS = sorted([*GRADESCOPE.glob("*.sh"), GRADESCOPE / "run_autograder"])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_run_by_bash(script: Path, tmp_path: Path) -> None:
    assert script.read_text("utf-8").startswith("#!/usr/bin/env bash\n")
    assert os.access(script, os.X_OK)
    checked = bash("-n", script, cwd=tmp_path, env=dict(os.environ))
    assert (checked.returncode, checked.stderr) == (0, "")


def test_what_is_installed_is_the_published_package() -> None:
    for file in (GRADESCOPE / "setup.sh", WORKFLOW):
        assert re.search(r"install .*'otelkata\[grade\]'$", file.read_text("utf-8"), re.MULTILINE)


def test_the_policy_is_one() -> None:
    policy = read(GRADESCOPE / "kata-policy.toml", registry.load())
    assert (policy.points, policy.level("B4"), policy.weight("T1", bonus=False)) == (
        100,
        "nothing",
        2,
    )


def test_the_policy_that_is_explained_is_one(tmp_path: Path) -> None:
    page = (DOCS / "policy.md").read_text("utf-8")
    [explained] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "kata-policy.toml").write_text(explained)
    policy = read(tmp_path / "kata-policy.toml", registry.load())
    assert (policy.bonus, policy.pass_points, policy.until) == ("on_top", 60, "published")


# Gradescope


@pytest.fixture
def autograder(tmp_path: Path) -> Path:
    """Return a directory that is laid out as Gradescope lays out /autograder."""
    place = tmp_path / "autograder"
    shutil.copytree(GRADESCOPE, place / "source")
    shutil.copy(GRADESCOPE / "run_autograder", place)
    (place / "results").mkdir()
    return place


@pytest.mark.parametrize("inside", ["", "my-checkout"])
def test_gradescope_gets_results(inside: str, autograder: Path, tmp_path: Path) -> None:
    handed_in(autograder / "submission" / inside)
    finished = bash("run_autograder", cwd=autograder, env=environment(tmp_path))
    assert finished.returncode == 0, finished.stderr
    results = json.loads((autograder / "results" / "results.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(SCHEMAS["gradescope"]).validate(results)
    assert results["score"] == 100
    held = [test["name"] for test in results["tests"] if test["visibility"] != "visible"]
    assert held == ["B4 no personal data leaves (bonus)"]


def test_gradescope_gets_the_results_of_what_fails(autograder: Path, tmp_path: Path) -> None:
    (autograder / "submission").mkdir()
    finished = bash("run_autograder", cwd=autograder, env=environment(tmp_path))
    assert finished.returncode == 0, finished.stderr
    results = json.loads((autograder / "results" / "results.json").read_text("utf-8"))
    assert results["score"] == 0


def test_gradescope_gets_no_results_where_grading_fails(autograder: Path, tmp_path: Path) -> None:
    (autograder / "submission").mkdir()
    (autograder / "source" / "kata-policy.toml").write_text("points = 0")
    (autograder / "results" / "results.json").write_text("{}")
    finished = bash("run_autograder", cwd=autograder, env=environment(tmp_path))
    assert finished.returncode == 2
    assert [*(autograder / "results").iterdir()] == []


# GitHub Classroom


def test_the_workflow_reports_what_the_grading_step_gives() -> None:
    report = step("Report")
    [runner] = report["with"]["runners"].split(",")
    # As the reporter looks for it.
    assert report["env"] == {f"{runner.upper()}_RESULTS": "${{ steps.kata.outputs.result }}"}
    assert step("Grade")["id"] == "kata"
    assert workflow()["permissions"] == {"checks": "write", "actions": "read", "contents": "read"}


def test_the_workflow_grades(tmp_path: Path) -> None:
    repository = handed_in(tmp_path / "repository")
    summary, output = tmp_path / "summary.md", tmp_path / "output"
    variables = environment(
        tmp_path, RUNNER_TEMP=tmp_path, GITHUB_OUTPUT=output, GITHUB_STEP_SUMMARY=summary
    )
    for name in ("Grade", "Show what is wrong"):
        # As GitHub runs a step.
        finished = bash("-e", "-c", step(name)["run"], cwd=repository, env=variables)
        assert finished.returncode == 0, finished.stderr
    name, _, encoded = output.read_text("utf-8").strip().partition("=")
    result = json.loads(base64.b64decode(encoded))
    jsonschema.Draft202012Validator(SCHEMAS["classroom"]).validate(result)
    assert (name, result["status"], result["max_score"]) == ("result", "pass", 100)
    assert "passed" in summary.read_text("utf-8")


def test_the_workflow_goes_on_where_a_submission_fails(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    output = tmp_path / "output"
    variables = environment(tmp_path, RUNNER_TEMP=tmp_path, GITHUB_OUTPUT=output)
    finished = bash("-e", "-c", step("Grade")["run"], cwd=tmp_path / "repository", env=variables)
    assert finished.returncode == 0, finished.stderr
    result = json.loads(base64.b64decode(output.read_text("utf-8").partition("=")[2]))
    assert result["status"] == "fail"


# Linting in CI and before a commit


def linting(job: str, folder: Path) -> subprocess.CompletedProcess[str]:
    [command] = [
        one["run"]
        for one in in_yaml(LINTING.read_text("utf-8"))["jobs"][job]["steps"]
        if one.get("name") == "Lint"
    ]
    variables = environment(folder)
    # As GitHub runs a step.
    return bash("-e", "-c", command, cwd=folder, env=variables)


LEAK = """\
from opentelemetry import trace


def reserve() -> None:
    trace.get_tracer(__name__).start_span("reserve")
"""


@pytest.mark.parametrize(
    ("source", "annotations", "scanning"),
    [("", 0, 0), (LEAK, 1, 0), ("from opentelemetry import (", 2, 1)],
)
def test_a_job_that_lints_fails_as_it_says(
    source: str, annotations: int, scanning: int, tmp_path: Path
) -> None:
    for job, code in {"annotations": annotations, "code-scanning": scanning}.items():
        folder = tmp_path / job
        folder.mkdir()
        (folder / "stock.py").write_text(source)
        finished = linting(job, folder)
        assert finished.returncode == code, finished.stderr
        annotated = "::error file=stock.py,line=5" in finished.stdout
        assert annotated == (job == "annotations" and source == LEAK)
    report = json.loads((tmp_path / "code-scanning" / "kata-lint.sarif").read_text("utf-8"))
    found = [result["ruleId"] for result in report["runs"][0]["results"]]
    assert found == (["OTK101"] if source == LEAK else [])


def test_what_is_uploaded_is_what_was_written() -> None:
    steps = in_yaml(LINTING.read_text("utf-8"))["jobs"]["code-scanning"]["steps"]
    written = re.search(r"--output (\S+)", steps[-2]["run"])
    assert written
    assert steps[-1]["with"]["sarif_file"] == written[1]


def test_the_configuration_of_pre_commit_names_a_hook_of_this_repository() -> None:
    page = (DOCS / "lint.md").read_text("utf-8")
    [configuration] = re.findall(r"```yaml\n(repos:.*?)```", page, re.DOTALL)
    [repository] = in_yaml(configuration)["repos"]
    assert {*repository} == {"repo", "rev", "hooks"}
    hooks = in_yaml((DOCS.parent / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert {hook["id"] for hook in repository["hooks"]} <= {hook["id"] for hook in hooks}


INSTALLS = re.compile(r"pip install [^\n`]*\botelkata\b(?!-)")


def test_who_installs_by_name_is_told_what_to_do_without_an_index() -> None:
    shown = [*DOCS.glob("*.md"), DOCS.parent / "README.md", *EXAMPLES.glob("*/*")]
    named = [file for file in shown if INSTALLS.search(file.read_text("utf-8"))]
    assert {"lint.md", "batch.md", "classroom.yml", "setup.sh"} <= {file.name for file in named}
    told = ("#without-the-repository", "docs/index.md")
    texts = {file.name: file.read_text("utf-8") for file in named}
    assert [name for name, text in texts.items() if not any(it in text for it in told)] == []
    assert "\n### Without the repository\n" in (DOCS / "index.md").read_text("utf-8")


# What the documentation says


def test_every_form_is_in_the_list_of_reports() -> None:
    page = (DOCS / "reports.md").read_text("utf-8")
    rows = [
        f"| `{name}` | {form.about} | {form.document} |"
        for name in formats.names()
        if name != formats.TEXT
        for form in [formats.load(name)]
    ]
    assert [row for row in rows if row not in page] == []
    listed = re.findall(r"^\| `(\w+)` \| [^|]*\| [^|]*\|$", page, re.MULTILINE)
    assert sorted(listed) == sorted(formats.names())


def test_every_form_for_learners_has_a_row_on_how_results_are_told() -> None:
    told = (DOCS / "reports.md").read_text("utf-8").partition("## How a result is told")[2]
    for name in formats.names():
        assert name in {"text", "json"} or f"\n| `{name}` | a " in told


def test_names_in_the_policy_page_are_those_of_the_kata() -> None:
    page = (DOCS / "policy.md").read_text("utf-8")
    assert {*re.findall(r"\b[FCTB]\d\b", page)} <= {*CRITERIA}

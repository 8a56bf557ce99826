"""Run the checks under pytest: `pytest --submission=PATH` makes each one a test.

The run that the user starts reads the user's configuration, so it only starts another one with
ours: own configuration file, root and no conftest.py, whatever lies around. The submission is
driven once, by the first test that needs evidence, or by the controller of pytest-xdist.
"""

import asyncio
import contextlib
import dataclasses
import importlib.util
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otelkata import content
from otelkata.debug import in_process
from otelkata.host.isolation import LEVELS

if TYPE_CHECKING:
    from otelkata.evidence.only import Only
    from otelkata.judge.registry import Check
    from otelkata.judge.view import View
    from otelkata.report.graded import Judged

FOLDER = content.folder("checks")
CONFIGURATION = FOLDER / "pytest.ini"
_NAME = "otelkata-checks"
_EVIDENCE = "otelkata_evidence"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the checks."""
    group = parser.getgroup("otelkata", "grading of submissions to the tracing kata")
    group.addoption(
        "--submission",
        metavar="PATH",
        help="run the kata's checks, and nothing else, on the submission in the directory PATH",
    )
    group.addoption("--submission-seed", metavar="N", type=int, help="repeat a run's random values")
    group.addoption(
        "--submission-python", metavar="INTERPRETER", help="run the submission under INTERPRETER"
    )
    group.addoption(
        "--submission-isolation",
        metavar="LEVEL",
        choices=LEVELS,
        help=f"run the submission at this level or not at all: {', '.join(LEVELS)}",
    )
    group.addoption(
        "--submission-quick",
        action="store_true",
        help="leave out what has to wait for the submission's own shutdown timeout",
    )
    in_process.add(group)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Start the run with the checks' own configuration, if this is not it already."""
    path = config.getoption("submission")
    if path is None and config.getoption("in_process"):
        raise pytest.UsageError("--in-process is for --submission=PATH; name the submission")
    if path is None or config.inipath == CONFIGURATION:
        return None
    if importlib.util.find_spec("msgspec") is None:
        raise pytest.UsageError(
            "--submission needs the grader, not the linter alone: "
            f"{sys.executable} -m pip install 'otelkata[grade]'"
        )
    submission = _submission(config, path)
    if config.getoption("in_process"):
        in_process.check(config)
    return _run_again(config, submission)


def pytest_configure(config: pytest.Config) -> None:
    """Register the checks where a submission is named."""
    path = config.getoption("submission")
    if path is not None and config.inipath == CONFIGURATION:
        from otelkata.judge.criteria import CRITERIA  # noqa: PLC0415 (only such a run needs it)

        for criterion, title in CRITERIA.items():
            config.addinivalue_line("markers", f"{criterion}: {title}")
        config.pluginmanager.register(Checks(config, Path(path)), _NAME)


class Checks:
    """Collect the checks, and keep the one piece of evidence that all of them judge."""

    def __init__(self, config: pytest.Config, submission: Path) -> None:
        self._config = config
        self._submission = submission
        self._view: View | None = None
        self._evidence_file: Path | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._chosen: list[str] = []
        self._failure = ""
        self.in_process: bool = config.getoption("in_process")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Name the checks as what is to be collected."""
        session.config.args = [str(FOLDER)]

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> "CheckFile | None":
        """Collect a file of checks."""
        if file_path.suffix == ".py" and file_path.parent == FOLDER:
            return CheckFile.from_parent(parent, path=file_path)
        return None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which checks have been chosen."""
        self._chosen = [item.check.id for item in session.items if isinstance(item, CheckItem)]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the evidence to a worker of pytest-xdist."""
        node.workerinput[_EVIDENCE] = str(self.evidence_file())

    def pytest_report_header(self) -> list[str]:
        """Name the submission."""
        from otelkata.report.words import cut_line  # noqa: PLC0415

        return [
            cut_line(f"submission: {self._submission}"),
            *(in_process.notice() if self.in_process else []),
        ]

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Say how the run can be repeated."""
        if self._view is not None:
            evidence = self._view.evidence
            left_out = f", left out: {', '.join(evidence.left_out)}" if evidence.left_out else ""
            terminalreporter.write_line(f"seed {evidence.seed}{left_out}; {evidence.isolation}")
        if self.in_process:
            for line in in_process.notice():
                terminalreporter.write_line(line, yellow=True)

    def pytest_unconfigure(self) -> None:
        """Remove the evidence."""
        if self._scratch is not None:
            self._scratch.cleanup()

    def view(self) -> "View":
        """Return what was observed; the first call drives the submission.

        Where the grader itself fails, that call tells all of it, and the others that it was so.
        """
        from otelkata.evidence import store  # noqa: PLC0415
        from otelkata.judge.view import View  # noqa: PLC0415

        if self._failure:
            pytest.fail(self._failure, pytrace=False)
        if self._view is None:
            try:
                self._view = View(store.read(self.evidence_file()))
            except Exception as error:
                self._failure = f"the grader failed before this; no submission is to blame: {error}"
                raise
        return self._view

    def evidence_file(self) -> Path:
        """Return the file that holds the evidence; written by the first call of a run."""
        workerinput = getattr(self._config, "workerinput", None)
        if workerinput is not None:
            return Path(workerinput[_EVIDENCE])
        if self._evidence_file is None:
            self._evidence_file = self._drive()
        return self._evidence_file

    def _drive(self) -> Path:
        from otelkata.deploy.interpreter import ParentFailed  # noqa: PLC0415
        from otelkata.deploy.keeper import IsolationUnavailable  # noqa: PLC0415
        from otelkata.drive.run import Settings  # noqa: PLC0415
        from otelkata.evidence import store  # noqa: PLC0415
        from otelkata.grade import Grader  # noqa: PLC0415

        seed = self._config.getoption("submission_seed")
        settings = Settings(
            seed=secrets.randbelow(2**31) if seed is None else seed,
            quick=self._config.getoption("submission_quick"),
        )
        named = self._config.getoption("submission_python")
        python = named or sys.executable
        isolation = self._config.getoption("submission_isolation")
        self._scratch = tempfile.TemporaryDirectory(prefix="otelkata-evidence-")
        path = Path(self._scratch.name) / f"submission{store.SUFFIX}"

        async def drive() -> None:
            if self.in_process:
                from otelkata.debug import hosts  # noqa: PLC0415 (only who debugs needs it)

                chosen = dataclasses.replace(settings, only=self._only())
                store.write(await hosts.collect(self._submission, chosen), path)
                return
            async with Grader(python, isolation) as grader:
                grader.open()
                async with grader.collect(self._submission, settings) as evidence:
                    store.write(evidence, path)

        try:
            asyncio.run(drive())
        except IsolationUnavailable as error:
            pytest.exit(str(error), pytest.ExitCode.USAGE_ERROR)
        except ParentFailed as error:
            hint = "; name another one with --submission-python, or leave it out" if named else ""
            pytest.exit(f"nothing was run: {error}{hint}", pytest.ExitCode.USAGE_ERROR)
        except KeyboardInterrupt:
            if not self.in_process:
                raise
            # With --pdb, pytest would ask on at a prompt in its own code.
            pytest.exit("the run was given up", pytest.ExitCode.INTERRUPTED)
        return path

    def _only(self) -> "Only | None":
        # A breakpoint is met in no more scenarios than the chosen checks need.
        from otelkata.judge import registry, selection  # noqa: PLC0415

        checks = registry.load()
        return None if len(self._chosen) == len(checks) else selection.only(self._chosen, checks)


class CheckFile(pytest.File):
    """A file of `checks/`."""

    def collect(self) -> "Iterator[CheckItem]":
        """Yield a test for each check in the file."""
        from otelkata.judge import registry  # noqa: PLC0415

        for check in registry.load_file(self.path):
            yield CheckItem.from_parent(self, name=check.id.rpartition(".")[2], check=check)


class CheckItem(pytest.Item):
    """One check on the submission.

    A blocked check is an error of its set-up; a bonus check that is not passed is an xfail.
    """

    def __init__(self, *, check: "Check", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.check = check
        self._judged: Judged | None = None
        for criterion in check.criteria:
            self.add_marker(criterion)

    def setup(self) -> None:
        """Judge; what could not be judged ends here."""
        from otelkata.judge.verdict import is_about, run  # noqa: PLC0415
        from otelkata.report.graded import judged  # noqa: PLC0415
        from otelkata.report.words import cut  # noqa: PLC0415

        view = self._checks.view()
        if not is_about(view, self.check):
            pytest.skip(in_process.ALONE if self._checks.in_process else "left out of this run")
        result = run(view, self.check)
        self._judged = judged("", result, view.evidence.sources)
        if result.status == "error":
            self._give_up_bonus()
            pytest.fail(cut(result.message), pytrace=False)
        if result.status == "blocked":
            self._give_up_bonus()
            pytest.fail(self._judged.message, pytrace=False)

    def runtest(self) -> None:
        """Fail where the check found a fault."""
        from otelkata.report.plain import explain  # noqa: PLC0415

        if self._judged is not None and self._judged.status == "failed":
            self._give_up_bonus()
            pytest.fail(f"{self._judged.title}\n\n{explain(self._judged)}", pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the check stands."""
        return self.path, self.check.line - 1, f"{self.check.id}: {self.check.title}"

    @property
    def _checks(self) -> Checks:
        checks = self.config.pluginmanager.get_plugin(_NAME)
        assert isinstance(checks, Checks)  # nobody else collects a `CheckFile`
        return checks

    def _give_up_bonus(self) -> None:
        if self.check.bonus and self._judged is not None:
            pytest.xfail(self._judged.message)


def _submission(config: pytest.Config, path: str) -> Path:
    # tox runs its commands in its own root, wherever its caller stands.
    caller = os.environ.get("KATA_CALLER_DIR", config.invocation_params.dir)
    submission = Path(caller, path).resolve()
    if not submission.is_dir():
        raise pytest.UsageError(
            f"--submission={path}: {submission} is no directory; name the one that holds checkout"
        )
    return submission


def _run_again(config: pytest.Config, submission: Path) -> int:
    given = [str(argument) for argument in config.invocation_params.args]
    named = {str(path) for path in config.known_args_namespace.file_or_dir}
    command = [
        sys.executable,
        "-m",
        "pytest",
        *_without(given, named),
        *in_process.arguments(config),
        f"--submission={submission}",
        "-c",
        str(CONFIGURATION),
        f"--rootdir={CONFIGURATION.parent}",
        f"--confcutdir={CONFIGURATION.parent}",
        "--noconftest",
        "-o",
        f"cache_dir={config.invocation_params.dir / '.pytest_cache'}",
        "-p",
        "otelkata.plugin",
    ]
    with _uncaptured(config):
        sys.stdout.flush()
        return subprocess.run(command, cwd=config.invocation_params.dir, check=False).returncode  # noqa: S603


def _without(arguments: list[str], paths: set[str]) -> Iterator[str]:
    # Leaves out --submission, which follows made absolute, and paths of tests of other kinds.
    skip_next = False
    for argument in arguments:
        if skip_next or argument in paths or argument.startswith("--submission="):
            skip_next = False
        elif argument == "--submission":
            skip_next = True
        else:
            yield argument


@contextlib.contextmanager
def _uncaptured(config: pytest.Config) -> Generator[None]:
    capture = config.pluginmanager.get_plugin("capturemanager")
    if capture is None:
        yield
        return
    capture.suspend_global_capture(in_=True)
    try:
        yield
    finally:
        capture.resume_global_capture()

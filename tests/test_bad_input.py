"""Whatever is handed in, a learner is told what is wrong and where, and the grader survives it."""

from pathlib import Path
from typing import NamedTuple

import pytest
import submissions
from submissions import Graded, Spot, broken, copy_reference, grade

from otelkata.evidence import store

RUNS = "submission.runs"
ANSWERS = "submission.answers"


def assert_failed(graded: Graded) -> None:
    """The submission failed and the grader did not, and no message shows where the copy lay."""
    assert graded.exit_code == 1, graded.explained()
    assert graded.report["verdict"] == "failed", graded.explained()
    assert [c for c in graded.report["checks"] if c["status"] == "error"] == []
    assert "otelkata-" not in " ".join(c["message"] for c in graded.report["checks"])


def assert_told(
    graded: Graded, check: str, submission: Path, place: tuple[str, int], text: str
) -> None:
    """The check failed with `text` in its message, at `place` of what was handed in."""
    assert_failed(graded)
    result = graded.check(check)
    assert result["status"] == "failed", graded.explained()
    assert text in result["message"]
    file, line = place
    assert result["location"] == {"path": str(submission / file), "line": line}, graded.explained()


# Hangs


class Fault(NamedTuple):
    """Code at a spot, what is said of it, and what is judged all the same.

    `fails` are criteria that it may fail; all others may at worst be blocked. Some are `measured`:
    enough to run what the driver does when hosts are gone, silent or kept alive.
    """

    spot: Spot
    code: str
    says: str
    passes: str = ""
    fails: str = ""
    check: str = RUNS
    measured: bool = False


def assert_fault(fault: Fault, submission: Path, line: int) -> None:
    """The fault is told with its place, fails what it may, and hides no more than it must."""
    graded = grade(submission, measured=fault.measured)
    assert_told(graded, fault.check, submission, (fault.spot.file, line), fault.says)
    assert graded.criteria("failed") <= set(fault.fails.split()), graded.explained()
    assert graded.criteria("passed") >= set(fault.passes.split()), graded.explained()


HANGS = {
    "import": Fault(
        submissions.IMPORT, "import time; time.sleep(1e6)", "the import of checkout did not end"
    ),
    "startup": Fault(
        submissions.STARTUP, "await __import__('asyncio').Event().wait()", " within ", "C5"
    ),
    "handler": Fault(
        submissions.GATEWAY_HANDLER,
        "while True: pass",
        "blocks its event loop",
        "C5",
        "T2 C2",
    ),
    "shutdown": Fault(
        submissions.SHUTDOWN,
        "while True: pass",
        " within ",
        "F2 F3 F4 F5 F6 T1 T2 T3",
        "F7 C7",
    ),
}


@pytest.mark.parametrize(
    "hang",
    [
        # Four services that compute without end take all processors from the tests beside them.
        pytest.param(hang, id=name, marks=pytest.mark.hostile if name == "shutdown" else ())
        for name, hang in HANGS.items()
    ],
)
def test_a_hang_is_ended_and_told_with_the_line_where_it_waits(hang: Fault, tmp_path: Path) -> None:
    assert_fault(hang, *broken(tmp_path / "it", hang.spot, hang.code))


@pytest.mark.parametrize(
    "spot", [submissions.GATEWAY_HANDLER, submissions.INVENTORY_HANDLER], ids=lambda spot: spot.file
)
def test_a_service_whose_event_loop_is_blocked_is_given_up_once_for_all(
    spot: Spot, tmp_path: Path
) -> None:
    """It is as silent in every scenario: that is found out in all of them at the same time."""
    submission, line = broken(tmp_path / "it", spot, "import time; time.sleep(1e6)")
    graded = grade(submission, f"--evidence={tmp_path}")
    assert_told(graded, RUNS, submission, (spot.file, line), "blocks its event loop")
    assert graded.criteria("failed") <= {"T2", "C2"}, graded.explained()
    [kept] = tmp_path.glob(f"*{store.SUFFIX}")
    waits = [
        exchange
        for exchange in store.decode(kept.read_bytes()).exchanges
        if exchange.hop == "client>gateway" and exchange.outcome == "timed_out"
        # There the client itself hangs up.
        if exchange.case != "hang_up"
    ]
    assert len(waits) > 1
    assert max(wait.received_ns for wait in waits) < min(wait.ended_ns for wait in waits)


# Creation, start, requests and end


NO_LUCK = "raise ValueError('no such luck')"
HARD_EXIT = "import os; os._exit(0)"
CRASH = "import ctypes; ctypes.string_at(0)"
ALL_BUT_EXITS = "F1 F2 F3 F4 F5 F6 C1 C2 C3 C4 C5 C6 T1 T2 T3 T4"

FAULTS = {
    "init_tracer raises": Fault(submissions.INIT_TRACER, NO_LUCK, "ValueError: no such luck"),
    "creation raises": Fault(submissions.CREATE_PAYMENT, NO_LUCK, "no such luck", "C5 T2"),
    "creation exits": Fault(submissions.CREATE_PAYMENT, "raise SystemExit", "sys.exit", "C5 T2"),
    "creation ends the process": Fault(submissions.CREATE_PAYMENT, HARD_EXIT, "os._exit(0)", "C5"),
    "startup raises": Fault(submissions.STARTUP, NO_LUCK, "ValueError: no such luck", "C5"),
    "startup crashes": Fault(submissions.STARTUP, CRASH, "SIGSEGV", measured=True),
    "handler raises": Fault(
        submissions.INVENTORY_HANDLER, NO_LUCK, "no such luck", "C5 T2", check=ANSWERS
    ),
    "handler ends the process": Fault(submissions.PAYMENT_HANDLER, HARD_EXIT, "os._exit(0)"),
    "handler crashes": Fault(submissions.INVENTORY_HANDLER, CRASH, "SIGSEGV", measured=True),
    "shutdown raises": Fault(
        submissions.SHUTDOWN, NO_LUCK, "ValueError: no such luck", ALL_BUT_EXITS, "F7"
    ),
    "shutdown ends the process": Fault(
        submissions.SHUTDOWN, HARD_EXIT, "os._exit(0)", ALL_BUT_EXITS, "F7 C7", measured=True
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_line_and_what_it_hides_is_blamed_on_no_criterion(
    fault: Fault, tmp_path: Path
) -> None:
    assert_fault(fault, *broken(tmp_path / "it", fault.spot, fault.code))


class Returned(NamedTuple):
    """A contract function that is not what the contract says."""

    definition: str
    says: str


@pytest.mark.parametrize(
    "wrong",
    [
        Returned("def init_tracer(*a, **o): return 'provider'", "it returned str"),
        Returned("def init_tracer(name): return None", "TypeError: init_tracer()"),
        Returned("def create_payment(*a, **o): return None", "it returned NoneType"),
        Returned("async def create_payment(*a, **o): return None", "async def"),
        Returned("def create_payment(*a, **o): return lambda environ, start: []", "WSGI"),
    ],
)
def test_a_contract_function_that_is_wrong_is_told_with_its_line(
    wrong: Returned, tmp_path: Path
) -> None:
    submission = copy_reference(tmp_path / "it")
    package = submission / "checkout/__init__.py"
    text = package.read_text("utf-8")
    package.write_text(f"{text}\n\n{wrong.definition}\n", "utf-8")
    place = "checkout/__init__.py", len(text.splitlines()) + 3
    assert_told(grade(submission), RUNS, submission, place, wrong.says)


def test_a_shutdown_tracer_that_takes_no_timeout_fails_where_it_is_judged(tmp_path: Path) -> None:
    submission = copy_reference(tmp_path / "it")
    with (submission / "checkout/__init__.py").open("a") as package:
        package.write("\n\ndef shutdown_tracer(provider): return True\n")
    graded = grade(submission)
    assert_failed(graded)
    assert graded.criteria("failed") == {"F7", "C7"}, graded.explained()
    assert "shutdown_tracer" in graded.check("shutdown.shutdown_tracer_never_raises")["message"]


def test_a_thread_that_keeps_the_process_alive_is_told_with_what_it_runs(tmp_path: Path) -> None:
    submission = copy_reference(tmp_path / "it")
    tracer = submission / "checkout/tracer.py"
    tracer.write_text(tracer.read_text("utf-8").replace("daemon=True", "daemon=False"), "utf-8")
    graded = grade(submission, measured=True)
    assert_failed(graded)
    message = graded.check("shutdown.process_can_end")["message"]
    assert "the thread 'tracer-shutdown' keeps it alive" in message
    assert "flush_and_shut_down (checkout/tracer.py:" in message


# Paths


@pytest.mark.parametrize(
    ("name", "says"),
    [("missing", "there is nothing of that name"), ("file", "that is no directory")],
)
def test_a_path_that_is_no_directory_is_wrong_usage_and_nothing_is_graded(
    name: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "directory").mkdir()
    graded = grade(tmp_path / "directory", tmp_path / name)
    assert (graded.exit_code, graded.reports) == (2, [])
    assert str(tmp_path / name) in graded.stderr
    assert says in graded.stderr


@pytest.mark.parametrize(
    ("files", "says"),
    [
        pytest.param({}, "this folder is empty", id="empty"),
        pytest.param({"main.py": ""}, "it holds main.py", id="no checkout"),
        pytest.param({"checkout/gateway.py": ""}, "__init__.py", id="no package"),
        pytest.param({"kata.toml": "[services]\n"}, "kata.toml", id="unusable kata.toml"),
    ],
)
def test_a_directory_without_a_submission_fails_and_says_what_is_missing(
    files: dict[str, str], says: str, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    graded = grade(tmp_path)
    assert_failed(graded)
    assert says in graded.check(RUNS)["message"]
    assert "passed" not in graded.report["criteria"].values()


def test_paths_are_reported_as_they_were_given(tmp_path: Path) -> None:
    _, line = broken(tmp_path / "Übung 漢字", submissions.IMPORT, "raise ValueError('here')")
    (tmp_path / "link").symlink_to("Übung 漢字")
    given = ["Übung 漢字", "link", "./link/", str(tmp_path / "link")]
    graded = grade(*given, cwd=tmp_path)
    assert graded.exit_code == 1
    assert [report["submission"] for report in graded.reports] == given
    for path, report in zip(given, graded.reports, strict=True):
        [runs] = [check for check in report["checks"] if check["id"] == RUNS]
        assert runs["location"] == {"path": str(Path(path) / "checkout/__init__.py"), "line": line}


def test_the_directory_that_one_is_in_can_be_graded(tmp_path: Path) -> None:
    submission, line = broken(tmp_path / "mine", submissions.IMPORT, "raise ValueError('here')")
    graded = grade(".", cwd=submission)
    assert_told(graded, RUNS, Path(), ("checkout/__init__.py", line), "ValueError: here")


def test_a_bad_submission_does_not_keep_a_good_one_from_passing(tmp_path: Path) -> None:
    bad, _ = broken(tmp_path / "bad", submissions.IMPORT, "raise SystemExit(0)")
    good = copy_reference(tmp_path / "good")
    graded = grade(bad, good)
    assert graded.exit_code == 1
    assert [(r["submission"], r["verdict"]) for r in graded.reports] == [
        (str(bad), "failed"),
        (str(good), "passed"),
    ], graded.explained()


# Import


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise ValueError('no such luck')", "ValueError: no such luck"),
        ("import not_installed.here", "-m pip install not_installed"),
        ("from checkout.nothing import here", "No module named 'checkout.nothing'"),
        ("from checkout.answers import nothing", "cannot import name 'nothing'"),
        ("import sys; sys.exit(0)", "sys.exit(0)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import os; os._exit(0)", "os._exit(0)"),
        ("raise ValueError('\\ud800')", "ValueError"),
        ("raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})", "Odd"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    ],
)
def test_what_goes_wrong_at_import_is_told_with_its_line(
    code: str, says: str, tmp_path: Path
) -> None:
    submission, line = broken(tmp_path / "it", submissions.IMPORT, code)
    graded = grade(submission)
    assert_told(graded, RUNS, submission, (submissions.IMPORT.file, line), says)
    assert "passed" not in graded.report["criteria"].values()
    assert graded.criteria("failed") == set()


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        (b"def half(:\n", 1, "SyntaxError"),
        (b"\ndef empty():\npass\n", 3, "IndentationError"),
        (b"\n\nname = 'caf\xe9'\n", 3, "utf-8"),
        (b"\nname = '\0'\n", 2, "checkout/gateway.py holds a NUL byte"),
    ],
)
def test_source_that_is_no_python_is_told_with_its_own_line(
    source: bytes, line: int, says: str, tmp_path: Path
) -> None:
    submission = copy_reference(tmp_path / "it")
    (submission / "checkout/gateway.py").write_bytes(source)
    graded = grade(submission)
    assert_told(graded, RUNS, submission, ("checkout/gateway.py", line), says)
    # Nobody can mend the grader: its frames say nothing.
    trace = graded.check(RUNS)["trace"]
    assert "checkout/__init__.py" in trace
    assert "importlib" not in trace
    assert "otelkata" not in trace


def test_functions_that_are_missing_are_all_named(tmp_path: Path) -> None:
    submission = copy_reference(tmp_path / "it")
    (submission / "checkout/__init__.py").write_text("create_gateway = 3\n")
    graded = grade(submission)
    assert_failed(graded)
    result = graded.check(RUNS)
    for name in ("init_tracer", "shutdown_tracer", "create_gateway", "create_inventory"):
        assert name in result["message"]
    assert result["location"]["path"] == str(submission / "checkout/__init__.py")


# What is not at fault


def test_what_a_submission_prints_changes_nothing(tmp_path: Path) -> None:
    code = """
        import os
        print("x" * 10_000_000, flush=True)
        print('{"verdict": "passed"}', flush=True)
        os.close(1)
        os.close(2)
    """
    submission, _ = broken(tmp_path / "it", submissions.IMPORT, code)
    graded = grade(submission)
    assert (graded.exit_code, graded.report["verdict"]) == (0, "passed"), graded.explained()


def test_a_span_processor_that_raises_does_not_stop_the_grader(tmp_path: Path) -> None:
    submission = copy_reference(tmp_path / "it")
    with (submission / "checkout/__init__.py").open("a") as package:
        package.write(RAISING_PROCESSOR)
    assert_failed(grade(submission))


RAISING_PROCESSOR = """

from opentelemetry.sdk.trace import SpanProcessor
_init_tracer = init_tracer


class Raising(SpanProcessor):
    def on_end(self, span):
        raise ValueError("no such luck")


def init_tracer(*arguments, **options):
    provider = _init_tracer(*arguments, **options)
    provider.add_span_processor(Raising())
    return provider
"""

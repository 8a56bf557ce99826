"""A learner is told in words what kind of breach it is, and what mends that kind."""

import pytest

from otelkata.host.wire import Problem
from otelkata.judge.problems import mend, tell


def problem(stage: str, message: str, service: str = "", path: str = "") -> Problem:
    return Problem(f"{service}.main" if service else "", service, stage, message, path, 1)


SYNTAX = problem("import", "SyntaxError: invalid syntax", path="checkout/gateway.py")
HANG = problem("importing", "the import of checkout did not end", "gateway")
KINDS = {
    "too deep or too high": (problem("elsewhere", "x looks like it"), "Name that folder"),
    "empty": (problem("missing", "this folder is empty"), "kata-new DIR"),
    "no Python": (SYNTAX, "python -m py_compile checkout/gateway.py"),
    "no Python, nobody knows where": (problem("import", "TabError: x"), "py_compile FILE"),
    "no module": (problem("import", "ModuleNotFoundError: No module"), "requirements.txt"),
    "no function": (problem("import", "the module checkout offers no x"), "create_inventory"),
    "import raises": (problem("import", "ValueError: x"), "python -c 'import checkout'"),
    "import hangs": (HANG, "only define things"),
    "start hangs": (problem("start", "gateway did not come up", "gateway"), "create_*"),
    "handler hangs": (problem("hang", "gateway did not answer", "gateway"), "timeout"),
    "prints without end": (problem("flood", "too much", ""), "Print and send less"),
}


@pytest.mark.parametrize(("found", "advice"), KINDS.values(), ids=KINDS)
def test_what_to_do_is_that_of_the_kind(found: Problem, advice: str) -> None:
    assert advice in mend(found)


def test_no_two_kinds_are_mended_alike() -> None:
    assert len({mend(found) for found, _ in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (problem("deploy", "it is too large"), "it is too large"),
        (problem("elsewhere", "x looks like it"), "x looks like it"),
        (problem("import", "ValueError: x"), "checkout cannot be imported: ValueError: x"),
        (HANG, "the import of checkout did not end"),
        (problem("startup", "no", "payment"), "payment failed at startup: no"),
        (
            problem("create_payment", "no", "payment"),
            "payment cannot be made: create_payment failed: no",
        ),
        (problem("probe", "no", "payment"), "payment, probe: no"),
        (problem("probe", "no"), "probe: no"),
    ],
)
def test_what_happened_is_said_without_names_of_the_graders_own(found: Problem, words: str) -> None:
    assert tell(found) == words


def test_where_nothing_special_is_known_the_check_says_what_to_do() -> None:
    assert mend(problem("exit", "the process ended")) == ""

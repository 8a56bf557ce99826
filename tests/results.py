"""Results of every kind, made by hand, for the reports that are made of them."""

from collections.abc import Iterable

import msgspec

from otelkata.judge.criteria import BONUS, CRITERIA, REQUIRED
from otelkata.judge.verdict import CheckStatus, CriterionStatus
from otelkata.report.graded import (
    Graded,
    Judged,
    LintFinding,
    Place,
    Score,
    SourceLine,
    failure,
)
from otelkata.report.words import cut

TRACE = "trace 8d1f\n└─ ✗  gateway  SERVER  POST /checkout  12.4 ms  200  (root)\non the wire:\n  …"
SOURCE = (
    SourceLine(6, "    with tracer.start_as_current_span(name):"),
    SourceLine(7, "        return await send(request)"),
)
HOSTILE = (
    "]]></failure><script>alert(1)</script><!-- & \"quoted\" 'so' `code` %0A::error::in line\n"
    "::error file=a.py::injected\n  ::stop-commands::x\n##[error]old | cell | **bold** _it_ "
    "[a](javascript:alert(1)) ![i](http://evil.example/i.png) @somebody #1 {0}\n</pre></details>\n"
    "# heading\n\n---\n```\n\x1b[31m\x00\ud800\ufffe\uffff\u202e😀"
)


def a_check(name: str, *criteria: str, status: CheckStatus = "passed", **other: object) -> Judged:
    check = Judged(
        id=name if "." in name else f"theme.{name}",
        title=f"What {name.replace('_', ' ')} asks for is so.",
        criteria=criteria,
        bonus=bool(criteria) and all(criterion[0] == "B" for criterion in criteria),
        status=status,
        message=f"{name} is wrong" if status != "passed" else f"What {name} asks for is so.",
        why="Somebody has to find out at night, with nothing but the trace.",
        fix="Write `with tracer.start_as_current_span(name)` around it.",
        trace=None,
        location=None,
        duration_s=0.25,
    )
    return msgspec.structs.replace(check, **other)


def a_result(*checks: Judged, **other: object) -> Graded:
    """Return a result of `checks`, with the criteria that follow from them."""
    criteria = {name: _criterion(name, checks) for name in CRITERIA}
    statuses = {check.status for check in checks if not check.bonus}
    result = Graded(
        submission="work/mine",
        verdict="passed" if statuses == {"passed"} else "failed",
        seed=42,
        criteria=criteria,
        required=_score(criteria[name] for name in REQUIRED),
        bonus=_score(criteria[name] for name in BONUS),
        checks=checks,
        isolation="sandbox: by hand",
        duration_s=1.25,
    )
    return msgspec.structs.replace(result, **other)


def _criterion(name: str, checks: Iterable[Judged]) -> CriterionStatus:
    statuses = {check.status for check in checks if name in check.criteria}
    if not statuses or "failed" in statuses:
        return "failed" if statuses else "not_run"
    return "passed" if statuses == {"passed"} else "blocked"


def _score(statuses: Iterable[CriterionStatus]) -> Score:
    ran = [status for status in statuses if status != "not_run"]
    return Score(ran.count("passed"), len(ran))


SOUND = a_check("sound_thing", *CRITERIA)
TRACED = a_check(
    "wrong_thing",
    "T3",
    "F4",
    status="failed",
    message="payment is lost",
    trace=TRACE,
    location=Place("work/mine/checkout/gateway.py", 7, SOURCE),
)
READ = a_check(
    "source.spans_are_managed",
    "C2",
    status="failed",
    message="the span is not ended on every path (OTK101 span-not-ended)",
    location=Place("work/mine/checkout/stock.py", 3),
)
FINDING = LintFinding(
    code="OTK101",
    path="work/mine/checkout/stock.py",
    line=3,
    column=5,
    message="the span is not ended on every path",
    excerpt=(SourceLine(3, "    span = tracer.start_span('reserve')"),),
    criteria=("C2",),
)
API = a_check("submission.answers", status="failed", message="gateway answered 500")
KEPT = a_check("submission.runs")
HIDDEN = a_check("hidden_thing", "C1", status="blocked", message="the process had ended")
EVENT = a_check("bonus_thing", "B1", status="failed", message="no event")
QUERY = a_check("bonus_query", "B2")

MIXED = a_result(
    KEPT,
    API,
    SOUND,
    TRACED,
    READ,
    HIDDEN,
    EVENT,
    QUERY,
    lint=(FINDING,),
    advice=("checkout/stock.py:9: name the tracer (OTK502)",),
)
PASSED = a_result(KEPT, SOUND, QUERY)
PARTIAL = a_result(
    KEPT,
    a_check("most_things", *[name for name in CRITERIA if name != "C7"]),
    left_out=("sigterm_hanging", "lifespan_hanging"),
)
BLOCKED = a_result(
    *[a_check(f"thing_{name.lower()}", name, status="blocked") for name in CRITERIA],
)
CRASHED = a_result(
    KEPT,
    SOUND,
    a_check("odd_thing", "C3", status="error", message="ZeroDivisionError: division by zero"),
    verdict="error",
    advice=("a check of the grader failed: ZeroDivisionError",),
)
UNGRADED = failure("work/mine", 42, "the interpreter cannot be run\nno such file")


def saying(text: str) -> Graded:
    """Return a result that says `text` wherever a submission has a say."""
    place = Place(text, 7, (SourceLine(7, text),))
    said = {"message": text, "trace": text, "location": place}
    faults = [
        a_check("failed_thing", "T3", "F4", status="failed", **said),
        a_check("blocked_thing", "C1", status="blocked", **said),
        a_check("error_thing", "C3", status="error", **said),
        a_check("bonus_thing", "B1", status="failed", **said),
    ]
    finding = msgspec.structs.replace(FINDING, path=text, message=text, excerpt=place.excerpt)
    return a_result(KEPT, *faults, submission=text, lint=(finding,), advice=(text,))


RESULTS = {
    "mixed": MIXED,
    "passed": PASSED,
    "partial": PARTIAL,
    "blocked": BLOCKED,
    "crashed": CRASHED,
    "ungraded": UNGRADED,
    "hostile": saying(cut(HOSTILE)),
}

"""Make results worth showing as pages: sound, broken, crashed, and as hostile as can be."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
from evidence_builder import exported, header, mute, never, planted, sound, span

from otelkata.evidence.model import Evidence
from otelkata.grade import judge_evidence
from otelkata.host.wire import Problem
from otelkata.judge import registry
from otelkata.report import overview
from otelkata.report.graded import Graded, decode, encode, failure
from otelkata.report.overview import Line

OTHER_TRACE = "0af7651916cd43dd8448eb211c80319c"
HOSTILE = (
    "<script>window.pwned = 1</script>",
    "<img src=x onerror=window.pwned=1>",
    '" onmouseover="window.pwned=1',
    "' autofocus onfocus='window.pwned=1",
    "javascript:window.pwned=1",
    "</style><style>*{display:none}</style>",
    "red;} * { display: none; } /*",
    "</code></pre></details></table></main><h1>passed</h1>",
    "<!-- <![CDATA[",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;&amp;#x3c;",
    "`<b>` ``",
    "\u202egnp.exe \u2066\u2067\u061c",
    "\x1b[31m\x00\x07\x85\u2028",
    "\ud800",
    "e\u0301\u0327" * 40,
    "wide" * 400,
    "   ",
)
OURS = {"id", "verdict", "status", "criteria", "left_out", "only"}
"""What no submission has a say in: names of fields in `Graded`."""


def graded(evidence: Evidence, name: str = "work/mine") -> Graded:
    """Return what `evidence` comes to by all checks."""
    return judge_evidence(name, evidence, registry.load())


BROKEN = (
    header("success", "gateway>payment", "traceparent"),
    span("success/payment", parent_id=None, trace_id=OTHER_TRACE),
    span("success/payment>processor", trace_id=OTHER_TRACE),
    exported("dropped/gateway>payment", status="UNSET", events=[]),
    never("success/gateway>inventory"),
)


def _crashed() -> Evidence:
    crash = Problem("gateway.main", "gateway", "exit", "os._exit(3) ended it", "gateway.py", 8)
    source = "".join(f"def line_{number}():\n\treturn\n" for number in range(9))
    return replace(sound(), problems=[crash], sources={"gateway.py": source})


def _silent() -> Evidence:
    return planted(*(mute(f"{service}.main") for service in ("gateway", "inventory", "payment")))


REPORTS: dict[str, Callable[[], Graded]] = {
    "passed": lambda: graded(sound()),
    "partial": lambda: graded(replace(sound(), left_out=["lifespan_hanging"])),
    "broken": lambda: graded(planted(*BROKEN)),
    "silent": lambda: graded(_silent()),
    "crashed": lambda: graded(_crashed()),
    "ungraded": lambda: failure("work/mine", 42, "the interpreter cannot be run"),
    "hostile": lambda: hostile(graded(planted(*BROKEN))),
}
"""One result of each sort."""


@cache
def report(name: str) -> Graded:
    """Return the result of that name."""
    return REPORTS[name]()


def hostile(result: Graded, texts: Sequence[str] = HOSTILE, seed: int = 1) -> Graded:
    """Return `result` with one of `texts` in each place that a submission has a say in."""
    pick = random.Random(seed)
    # As JSON has it: a lone surrogate was made visible before.
    texts = [text.encode("utf-8", "replace").decode() for text in texts]

    def spoil(value: Any, key: str = "") -> Any:
        if key in OURS:
            return value
        if isinstance(value, dict):
            return {name: spoil(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [spoil(inner, key) for inner in value]
        # Titles are the grader's, and never blank.
        choices = [text for text in texts if text.strip() or key != "title"]
        return pick.choice(choices) if value and isinstance(value, str) else value

    spoilt = spoil(msgspec.json.decode(encode(result)))
    spoilt["lint"] = [
        {
            "code": text,
            "path": text,
            "line": 2,
            "column": 1,
            "message": text,
            "excerpt": [{"number": 1, "text": text}, {"number": 2, "text": text}],
        }
        for text in texts
    ]
    spoilt["advice"] = texts
    return decode(msgspec.json.encode(spoilt))


def lines(count: int, rename: Callable[[int], str] = "student-{:03}".format) -> list[Line]:
    """Return what an overview needs of a class of `count`, with each sort of result in it."""
    sorts = [overview.line(report(name)) for name in REPORTS]
    return [
        replace(sorts[number % len(sorts)], submission=f"class/{rename(number)}")
        for number in range(count)
    ]


def name(line: Line) -> str:
    """Return what a submission is called on an overview."""
    return line.submission.removeprefix("class/")

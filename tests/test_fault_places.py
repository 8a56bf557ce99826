"""What faults come to in each check: where it fails and what it points to, where it cannot judge.

`golden/faults.txt` has it for each check; KATA_GOLDEN=write writes it anew, to be read in the diff.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import everywhere
import pytest
from evidence_builder import (
    Change,
    all_of,
    exit_seen,
    id_of,
    lose,
    mute,
    never,
    planted,
    sound,
)
from test_checks import ACCEPTED, FAULTS

from otelkata.check import Fault
from otelkata.evidence.model import Evidence
from otelkata.judge import registry
from otelkata.judge.verdict import Result, run
from otelkata.judge.view import View

GOLDEN = Path(__file__).parent / "golden" / "faults.txt"
SPANS = (
    "gateway",
    "gateway>inventory",
    "inventory",
    "inventory/query",
    "gateway>payment",
    "payment",
    "payment>processor",
    "payment>processor#2",
)
NAMES = {
    id_of(label): label
    for case in sound().cases
    for label in [case.name, *(f"{case.name}/{span}" for span in SPANS)]
} | {id_of(label): label for label in ("probe", "pending", "failing", "hanging", "copied")}
MISSING = (
    *(f"success/{span}" for span in SPANS[:-1]),
    "root/gateway",
    "state/gateway>payment",
    "malformed/gateway",
    "unknown/gateway>inventory",
    "refused/gateway",
    "refused/gateway>inventory",
    "unreadable/gateway",
    "unreadable/gateway>inventory",
    "cut_off/gateway>inventory",
    "500/gateway",
    "500/gateway>inventory",
    "database/inventory",
    "database/inventory/query",
    "retried/payment",
    "retried/payment>processor",
    "interleaved1/gateway",
    "interleaved1/payment",
    "network/gateway>inventory",
    "query/inventory",
    "query/inventory/query",
    "processor/payment>processor",
    "direct.inventory/inventory",
)
STARTS = ("gateway.main", "inventory.main", "payment.main", "payment.default", "payment.leaving")


def faults() -> Iterator[tuple[str, Change]]:
    """Yield what goes wrong, each under a name of its own."""
    seen: Counter[str] = Counter()
    for check, change, _ in FAULTS:
        seen[check] += 1
        yield f"{check} {seen[check]}", change
    for label in MISSING:
        yield f"never started: {label}", never(label)
        yield f"never exported: {label}", lose(label)
    for start in STARTS:
        yield f"exports nothing: {start}", mute(start)
    for name, change in everywhere.FAULTS.items():
        yield f"everywhere: {name}", change
        yield f"{everywhere.HINDERED}{name}", all_of(everywhere.OBSTACLES, change)
    for name, change in ACCEPTED.items():
        yield f"accepted: {name}", change
    yield "nothing was started", _nothing
    exits = sound().exits
    skipped = (exit_seen(seen.name, skipped="it did not start", took=None) for seen in exits)
    yield "no exit was seen", all_of(*skipped)


def _nothing(evidence: Evidence) -> None:
    for items in (evidence.spans, evidence.started, evidence.ended):
        items.clear()


VIEWS = {name: View(planted(change)) for name, change in faults()}
IDS = [check.id for check in registry.load()]


def told(id_: str) -> str:
    """Return what all faults come to in one check, a line for each that it does not pass.

    What the obstacles alone come to is told once.
    """
    [check] = [check for check in registry.load() if check.id == id_]
    seen = {name: _line(run(view, check)) for name, view in VIEWS.items()}
    usual = seen[f"{everywhere.HINDERED}nothing"]
    return "\n".join(
        f"{name}: {line}"
        for name, line in seen.items()
        if line != "passed"
        and (
            line != usual or not name.startswith(everywhere.HINDERED) or name.endswith(": nothing")
        )
    )


def _line(result: Result) -> str:
    if result.fault is None:
        return result.status
    return f"{result.status} x{result.faults}; {_place(result.fault)}"


def _place(fault: Fault) -> str:
    spans = ", ".join(NAMES.get(span.id, "?") for span in fault.spans)
    call = f"{fault.call.data.case}/{fault.call.data.hop}" if fault.call else ""
    path, line = fault.place
    parts = {
        "case": fault.case.data.name if fault.case else "",
        "spans": spans,
        "call": call,
        "at": f"{path}:{line}" if path else "",
        "details": repr(fault.details) if fault.details else "",
    }
    return "; ".join(f"{key} {value}" for key, value in parts.items() if value)


def golden() -> dict[str, str]:
    """Return the sections of the golden file by their titles."""
    if os.environ.get("KATA_GOLDEN") == "write":
        GOLDEN.write_text("\n".join(f"# {id_}\n{told(id_)}\n" for id_ in IDS), "utf-8")
    sections = GOLDEN.read_text("utf-8").removeprefix("# ").rstrip("\n").split("\n\n# ")
    return {title: lines for title, _, lines in (part.partition("\n") for part in sections)}


SEEN = golden()


@pytest.mark.parametrize("check", IDS)
def test_faults_come_to_the_same_in_a_check(check: str) -> None:
    assert told(check) == SEEN[check]


def test_nothing_else_is_expected() -> None:
    assert [*SEEN] == IDS

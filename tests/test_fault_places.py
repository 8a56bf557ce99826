"""What faults come to in each check: where it fails and what it points to, where it cannot judge.

`golden/faults.txt` has it for each check; KATA_GOLDEN=write writes it anew, to be read in the diff.
"""

import itertools
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import everywhere
import pytest
from evidence_builder import (
    SPANS,
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
NAMES = {
    id_of(label): label
    for case in sound().cases
    for label in [case.name, *(f"{case.name}/{span}" for span in (*SPANS, "payment>processor#2"))]
} | {id_of(label): label for label in ("probe", "pending", "failing", "hanging", "copied")}
MISSING = (
    *(f"success/{span}" for span in SPANS),
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


def told(id_: str) -> Iterator[tuple[str, str]]:
    """Yield what each fault comes to in one check that does not pass it.

    What the obstacles alone come to is told once.
    """
    [check] = [check for check in registry.load() if check.id == id_]
    alone = f"{everywhere.HINDERED}nothing"
    usual = _line(run(VIEWS[alone], check))
    for name, view in VIEWS.items():
        line = _line(run(view, check))
        if line != "passed" and (line != usual or name == alone or "obstacles" not in name):
            yield name, line


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


def golden() -> dict[str, list[str]]:
    """Return the sections of the golden file, line by line, by their titles."""
    if os.environ.get("KATA_GOLDEN") == "write":
        sections = ([f"# {id_}", *map(": ".join, told(id_)), ""] for id_ in IDS)
        GOLDEN.write_text("\n".join(map("\n".join, sections)), "utf-8")
    parts = GOLDEN.read_text("utf-8").removeprefix("# ").rstrip("\n").split("\n\n# ")
    return {title: lines.splitlines() for title, _, lines in (p.partition("\n") for p in parts)}


SEEN = golden()


@pytest.mark.parametrize("check", IDS)
def test_faults_come_to_the_same_in_a_check(check: str) -> None:
    for found, expected in itertools.zip_longest(map(": ".join, told(check)), SEEN[check]):
        assert found == expected


def test_nothing_else_is_expected() -> None:
    assert [*SEEN] == IDS

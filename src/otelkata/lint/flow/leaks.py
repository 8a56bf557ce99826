"""Say how bad a leak is, and show the path on which it happens."""

from __future__ import annotations

import libcst as cst

from otelkata.lint.finding import Severity, Step
from otelkata.lint.flow.hazards import Flow
from otelkata.lint.flow.ownership import Fates
from otelkata.lint.flow.stories import Story
from otelkata.lint.meaning.module import Module

SEVERITY = {
    Flow.NEXT: Severity.ERROR,
    Flow.RAISE: Severity.WARNING,
    Flow.CLOSE: Severity.NOTE,
    Flow.CANCEL: Severity.NOTE,
}
WHEN = {
    Flow.NEXT: "on every path",
    Flow.RAISE: "when an exception is raised",
    Flow.CLOSE: "when the generator is closed early",
    Flow.CANCEL: "when the task is cancelled",
}
_UNUSUAL = {Flow.RAISE, Flow.CANCEL, Flow.CLOSE}


def worst(fates: Fates) -> Flow | None:
    """Return the most ordinary kind of path on which something leaks; None if it leaks on none."""
    return next((flow for flow in SEVERITY if flow in fates.leaks), None)


def steps(module: Module, story: Story, flow: Flow, what: str) -> tuple[Step, ...]:
    """Return where `what` starts, what makes the path unusual, and where it leaves the function."""
    path = story.fates.leaks[flow]
    found = [Step(module.place(story.call), f"{what} starts here")]
    for reason, node in path[:-1]:
        if reason in _UNUSUAL and not isinstance(node, cst.Try | cst.TryStar | cst.With):
            found.append(Step(module.place(node), f"{reason.value} here"))
    passed = [node for _, node in path if not isinstance(node, cst.FunctionDef | cst.Module)]
    if flow is Flow.NEXT and len(passed) > 1:
        found.append(Step(module.place(passed[-1]), f"leaves here with {what} open"))
    return tuple(found)

"""Lose the events of significant moments (B1)."""

from collections.abc import Iterator

import libcst as cst

from benchmarks.mutants.mutation import Edit, operator
from benchmarks.mutants.spans import statements_of
from benchmarks.mutants.submission import Source, Submission
from benchmarks.mutants.syntax import expression, text_of

RETRY = "B1 (contract): 'a retry by payment leaves an event whose name contains retry'"
Event = tuple[Source, cst.Call, cst.SimpleStatementLine]


def _events(submission: Submission, *, retry: bool) -> list[Event]:
    return [
        (source, call, stmt)
        for source, call, stmt in statements_of(submission, "add_event")
        if call.args and ("retry" in text_of(call.args[0].value)) is retry
    ]


@operator("B1", RETRY)
def drop_retry_event(submission: Submission) -> Iterator[Edit]:
    """A retry leaves no event."""
    for source, _call, stmt in _events(submission, retry=True):
        yield Edit(source, stmt).splice(stmt)


@operator("B1", RETRY)
def unclear_retry_event(submission: Submission) -> Iterator[Edit]:
    """A retry leaves an event whose name does not say so."""
    for source, call, _stmt in _events(submission, retry=True):
        name = call.args[0].value
        yield Edit(source, call).swap(name, expression('"payment.again"'))


@operator("B1", "B1 (contract): 'a successful checkout leaves at least one event'")
def drop_only_event(submission: Submission) -> Iterator[Edit]:
    """A successful checkout leaves no event, as the only one is missing."""
    events = _events(submission, retry=False)
    if len(events) == 1:
        source, _call, stmt = events[0]
        yield Edit(source, stmt).splice(stmt)

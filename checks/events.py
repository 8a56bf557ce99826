"""B1: are significant moments marked by events?"""

from otelkata.check import (
    Cases,
    Findings,
    Unjudged,
    check,
    expect,
)

_WHY = "An event tells what happened inside a span, at which moment, without a span of its own."


@check(
    "B1",
    why=_WHY,
    fix="Call `span.add_event('payment.retry', {...})` before the second attempt.",
)
def a_retry_leaves_an_event(retried: Cases) -> Findings:
    """A retry by payment leaves an event whose name contains 'retry'."""
    for case in retried:
        spans = [span for span in case.spans if span.service == "payment"]
        if not spans:
            yield Unjudged(f"in {case.title}, payment left no span")
            continue
        names = [event.name for span in spans for event in span.data.events]
        yield expect(
            any("retry" in name.lower() for name in names),
            f"in {case.title}, payment retried, but left "
            + (f"only the events {names}" if names else "no event"),
            case,
            *spans[:1],
        )


@check(
    "B1",
    why=_WHY,
    fix="Add an event where something significant happened: `span.add_event('stock "
    "reserved')`, `span.add_event('order placed')`.",
)
def a_success_leaves_an_event(success: Cases) -> Findings:
    """A successful checkout leaves at least one event."""
    for case in success:
        if not case.spans:
            yield Unjudged(f"{case.title} left no span")
            continue
        yield expect(
            any(span.data.events for span in case.spans),
            f"{case.title} left no event on any span",
            case,
        )

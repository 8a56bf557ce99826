"""C2 and T2: does every span end, whatever happens?"""

from otelkata.check import (
    SOUND,
    Fault,
    Findings,
    Unjudged,
    View,
    check,
)


@check(
    "C2",
    "T2",
    why="A span that does not end is never exported: the request that went wrong is the one that "
    "is missing from the trace.",
    fix="Start spans in a `with`, or end them in the `finally` of a `try` that begins right after "
    "the start.",
)
def every_span_ends(view: View) -> Findings:
    """Every span that was started has ended, in every scenario."""
    for started in view.own:
        if (started.start, started.span_id) in view.ended:
            yield SOUND
            continue
        call = view.call_of(started)
        case = view.cases.get(call.data.case) if call else None
        service = view.starts[started.start].service
        name = f"{service}'s {started.kind} span {started.name!r}"
        if view.has_lost_a_process:
            yield Unjudged(f"the process ended while {name} was open")
            continue
        during = f" in {case.title}" if case else ""
        yield Fault(
            f"{name} was started and never ended{during}",
            case,
            call=call,
            path=started.path,
            line=started.line,
        )


@check(
    "C2",
    why="Two owners that both end a span do not agree on who owns it: one day neither does.",
    fix="Let one place end the span: the `with`, or the `finally`, not both.",
)
def no_span_ends_twice(view: View) -> Findings:
    """No span is ended twice, or changed after its end."""
    for log in view.logs:
        if "ended span" in log.message:
            yield Fault(f"the SDK logged: {log.message}")
    if view.own:
        yield SOUND

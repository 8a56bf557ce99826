"""C6: do the environment and the caller decide what is sampled?"""

from otelkata.check import (
    Call,
    Cases,
    CaseView,
    Finding,
    Findings,
    Unjudged,
    View,
    check,
    expect,
    of_headers,
)

_FIX = (
    "Pass no `sampler=` to the `TracerProvider`; its default obeys the caller and the environment."
)


@check(
    "C6",
    why="Sampling is decided once, where the trace begins; a service that decides anew leaves "
    "torn traces and a bill.",
    fix=_FIX,
)
def obeys_an_unsampled_parent(unsampled_parent: Cases, success: Cases, view: View) -> Findings:
    """Nothing of a trace is exported whose parent was not sampled."""
    if not any(case.spans for case in success):
        yield Unjudged("no span of a sampled trace was exported either")
    continuing = {call.callee_service for case in success for call in case.served if _goes_on(call)}
    for case in unsampled_parent:
        trace_id = case.data.parent.trace_id
        exported = [span for span in view.spans if span.data.trace_id == trace_id]
        yield expect(
            not exported,
            f"{case.title} was exported: {len(exported)} spans",
            case,
            *exported,
        )
        for call in case.served:
            others = [span for span in call.spans if span.data.trace_id != trace_id]
            told = call.parent is not None and not call.parent.sampled
            anew = told and call.server in others and call.callee_service in continuing
            if others and not anew:
                yield Unjudged(f"in {case.title}, {others[0]} is in another trace")
                continue
            yield expect(
                not others,
                f"in {case.title}, {call.callee_service} was told not to sample, but began a "
                "trace of its own, and exported it",
                case,
                *others,
                call=call,
            )
        yield from _bits(case, trace_id)


@check(
    "C6",
    why="Whoever runs the service must be able to turn tracing down without a release.",
    fix=_FIX,
)
def obeys_the_environment(always_off: Cases, success: Cases) -> Findings:
    """Nothing is exported under OTEL_TRACES_SAMPLER=always_off."""
    if not any(case.spans for case in success):
        yield Unjudged("no span was exported without it either")
    for case in always_off:
        yield expect(
            not case.spans,
            f"{case.title} was exported: {len(case.spans)} spans",
            case,
            *case.spans,
        )
        yield from _bits(case, None)


@check(
    "C6",
    why="The sampled flag is how the next service learns what was decided: without it, its part of "
    "the trace is missing.",
    fix="Leave the flags to `inject(headers)`, called while the CLIENT span is current.",
)
def passes_the_decision_on(answered: Cases) -> Findings:
    """The traceparent of a request whose CLIENT span is exported has the sampled flag."""
    for case in answered:
        for call in case.sent:
            sent = of_headers(call.data.request.headers) if call.data.request else None
            if sent is None:
                continue  # F4 is about that
            yield expect(
                sent.sampled or call.client is None,
                f"in {case.title}, {call} carried a traceparent without the sampled flag, but "
                f"{call.client} was exported",
                case,
                call.client,
                call=call,
            )


def _goes_on(call: Call) -> bool:
    return (
        call.parent is not None
        and call.server is not None
        and call.server.data.trace_id == call.parent.trace_id
    )


def _bits(case: CaseView, trace_id: str | None) -> list[Finding]:
    sent = [
        (call, of_headers(call.data.request.headers)) for call in case.sent if call.data.request
    ]
    return [
        expect(
            not parent.sampled,
            f"in {case.title}, {call} carried a traceparent with the sampled flag",
            case,
            call=call,
        )
        for call, parent in sent
        if parent is not None and trace_id in {None, parent.trace_id}
    ]

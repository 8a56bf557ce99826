"""C1: does every span start from the context of the request that caused it?"""

from collections import defaultdict

from otelkata.check import (
    SOUND,
    Call,
    Cases,
    Fault,
    Findings,
    ServiceSpan,
    View,
    check,
    expect,
)

OK = 200
ENOUGH = 3
"""Requests in which the same has to be seen, before it is no coincidence."""

_WHY = "A span that hangs nowhere, or under another request, makes both traces lie."
_FIX = (
    "Let the context flow down the call stack; hand it over with `contextvars.copy_context().run` "
    "or `context=` where a thread or an executor does not keep it."
)


@check("C1", why=_WHY, fix=_FIX)
def spans_belong_to_their_request(answered: Cases, view: View) -> Findings:
    """Inside a service, every span is connected to the request that caused it."""
    for case in answered:
        for call in case.served:
            for span in call.spans:
                fault = _misplaced(span, call, view)
                message = f"in {case.title}, {span} {fault}"
                yield expect(not fault, message, case, span, call=call)


@check("C1", why=_WHY, fix=_FIX)
def no_span_is_lost(answered: Cases, view: View) -> Findings:
    """No span is started without the context of a request while one is handled."""
    windows = [(case, call) for case in answered for call in case.served if call.callee]
    for _, call in windows:
        if call.spans:
            yield SOUND
    lost: set[str] = set()
    for case, call in windows:
        for span in view.lost_during(call):
            if span.data.parent_id is None and span.id not in lost:
                lost.add(span.id)
                message = f"{span} is a root of its own, started outside of any request's context"
                yield Fault(message, case, (span,), call)


@check(
    "C1",
    why="A token that is detached in another context leaves that context as it was: the next "
    "request starts under this one's span.",
    fix="Detach in the same task and function that attached: `token = attach(…)`, `try`, "
    "`finally: detach(token)`; never leave a generator while it holds a current span.",
)
def context_is_detached_where_it_was_attached(answered: Cases, view: View) -> Findings:
    """No context is detached where it was not attached."""
    for case in answered:
        if case.spans:
            yield SOUND
    for log in view.logs:
        if "detach" in log.message.lower():
            yield Fault(f"the SDK logged: {log.message}")


@check(
    "C1",
    why="A context that is kept for later shows the work of every later request as a part of the "
    "first one.",
    fix="Take the context anew in the handler of each request, `context.get_current()`; keep none "
    "on an object, in a module or in a worker that serves other requests, too.",
)
def no_context_outlives_its_request(answered: Cases, view: View) -> Findings:
    """No span of a request is started under another that was answered long before."""
    served = [(case, call) for case in answered for call in case.served if call.status == OK]
    for _, call in served:
        if call.spans:
            yield SOUND
    seen_until: dict[str, int] = {}
    for span in view.spans:
        seen_until[span.start.name] = max(span.data.end_ns, seen_until.get(span.start.name, 0))
    for spans in _by_place(view).values():
        answered_ns = max(span.call.data.ended_ns for span in spans if span.call)
        late = [span for span in spans if span.data.start_ns > answered_ns]
        # What a service does some time after each answer was not seen after the last ones.
        after = min((span.data.start_ns for span in late), default=answered_ns) - answered_ns
        others = [
            (case, call, [span for span in late if call.lasts_at(span.data.start_ns)])
            for case, call in served
            if late and call.callee is late[0].start and call.data.received_ns > answered_ns
            if call.data.ended_ns + after <= seen_until[late[0].start.name]
        ]
        # What is honestly done after an answer is done for each request, and at any time.
        if len(others) >= ENOUGH and all(instead for _, _, instead in others):
            case, call, instead = others[0]
            message = (
                f"in {case.title} and {len(others) - 1} more requests, {instead[0]} hangs under a "
                "request that was answered before, and none of that name under its own"
            )
            yield Fault(message, case, (instead[0],), call)


def _by_place(view: View) -> dict[tuple[object, ...], list[ServiceSpan]]:
    places: dict[tuple[object, ...], list[ServiceSpan]] = defaultdict(list)
    for span in view.spans:
        if span.call:
            places[span.start.name, span.path, span.line, span.kind, span.name].append(span)
    return places


def _misplaced(span: ServiceSpan, call: Call, view: View) -> str:
    # Returns what is wrong with the place of `span`; empty where nothing is.
    top = [span, *span.ancestors][-1]
    if top.call is not call:
        return "hangs under a span of another request"
    if top.kind == "SERVER":
        return _misplaced_server(top, call, view) if top is span else ""
    parent_id = top.data.parent_id
    if parent_id is None:
        has_server = any(other.kind == "SERVER" for other in call.spans)
        return "is a root of its own" if has_server or call.parent is not None else ""
    received = call.parent is not None and parent_id == call.parent.span_id
    # A parent that was started and never exported is judged elsewhere.
    known = received or (top.start.name, parent_id) in view.started
    return "" if known else "has a parent that is no span of this request"


def _misplaced_server(server: ServiceSpan, call: Call, view: View) -> str:
    parent_id = server.data.parent_id
    if parent_id is None and len(call.servers) > 1:
        return "is a root of its own beside another SERVER span"
    if parent_id is None or call.callee is None:
        return ""
    started = view.started.get((call.callee.name, parent_id))
    if started is None:
        return ""
    other = view.call_of(started)
    return "hangs under a span of another request" if other is not call else ""

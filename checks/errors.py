"""F6, C4 and T4: does what failed show as failed, and only that?"""

from otelkata.check import (
    Call,
    Cases,
    Findings,
    ServiceSpan,
    Unjudged,
    View,
    check,
    expect,
)

_LEAVE = (
    "Let the failure leave the `with` of the CLIENT span and handle it outside: the span then has "
    "ERROR and the exception by itself. Put `async with asyncio.timeout(seconds):` inside that "
    "`with`, so that the span sees the `TimeoutError`: a timeout around it is a `CancelledError` "
    "in there, which neither the SDK nor an `except Exception` sees. Where nothing leaves "
    "the `with` (an answer of 5xx, a failure that is handled inside), "
    "`span.set_status(StatusCode.ERROR)`, and `span.record_exception(error)` if there is one."
)


@check(
    "C4",
    "F6",
    "T4",
    why="An answer of 5xx is a failure, handled or not: a SERVER span that looks clean hides it "
    "from everyone who searches for errors.",
    fix="Whenever the answer is 5xx, `span.set_status(StatusCode.ERROR)` on the SERVER span.",
)
def server_errors_show(failed: Cases) -> Findings:
    """A request that was answered 5xx has a SERVER span with the status ERROR."""
    for case in failed:
        for call in case.served:
            if (call.status or 0) < 500:
                continue
            if call.server is None:
                yield Unjudged(f"in {case.title}, {call.callee_service} has not one SERVER span")
                continue
            yield expect(
                call.server.is_error,
                f"in {case.title}, {call.callee_service} answered {call.status}, but "
                f"{call.server} has the status {call.server.data.status}",
                case,
                call.server,
            )


@check(
    "C4",
    "F6",
    "T4",
    why="The CLIENT span is where a failing dependency shows first.",
    fix=_LEAVE,
)
def failed_calls_show(failed: Cases, retried: Cases) -> Findings:
    """A call that was refused, dropped, timed out or answered 5xx is ERROR on its CLIENT span."""
    for case in [*failed, *retried]:
        for call in case.sent:
            if not call.failed_on_the_way and (call.status or 0) < 500:
                continue
            if call.client is None:
                yield Unjudged(f"in {case.title}, {call} has no CLIENT span")
                continue
            yield expect(
                call.client.is_error,
                f"in {case.title}, {call} {_outcome(call)}, but {call.client} has the status "
                f"{call.client.data.status}",
                case,
                call.client,
            )


@check(
    "F6",
    "T4",
    why="By the semantic conventions a 4xx answer is a failed call for who made it.",
    fix="When the answer is 4xx or 5xx, `span.set_status(StatusCode.ERROR)` on the CLIENT span.",
)
def refused_calls_show(refusal: Cases) -> Findings:
    """A call that was answered 4xx is ERROR on its CLIENT span."""
    for case in refusal:
        for call in case.sent:
            if call.status is None or not 400 <= call.status < 500:
                continue
            if call.client is None:
                yield Unjudged(f"in {case.title}, {call} has no CLIENT span")
                continue
            yield expect(
                call.client.is_error,
                f"in {case.title}, {call} was answered {call.status}, but {call.client} has the "
                f"status {call.client.data.status}",
                case,
                call.client,
            )


@check(
    "F6",
    why="Alarms that cry wolf are turned off.",
    fix="Call `span.set_status(StatusCode.ERROR)` only on the operation that failed; leave "
    "the status of all others unset.",
)
def sound_operations_are_no_errors(answered: Cases, success: Cases) -> Findings:
    """No span of an operation that went well has the status ERROR, also after a retry."""
    for case in answered:
        for call in case.calls:
            if call.data.outcome != "answered" or (call.status or 500) >= 400:
                continue
            for span in _sides(call):
                if span is call.client and call.is_contested:
                    continue
                yield expect(
                    not span.is_error,
                    f"in {case.title}, {call} was answered {call.status}, but {span} is ERROR",
                    case,
                    span,
                )
    for case in success:
        for span in case.spans:
            yield expect(
                not span.is_error or _was_tried_again(span),
                f"in {case.title}, {span} is ERROR",
                case,
                span,
            )


@check(
    "C4",
    why="ERROR says that something failed; the exception says what, and where in the code.",
    fix=_LEAVE,
)
def failed_calls_record_their_exception(failed: Cases) -> Findings:
    """A call that was refused, dropped or timed out has the exception on its CLIENT span."""
    for case in failed:
        for call in case.sent:
            if not call.failed_on_the_way:
                continue
            if call.client is None:
                yield Unjudged(f"in {case.title}, {call} has no CLIENT span")
                continue
            yield expect(
                call.client.exceptions,
                f"in {case.title}, {call} {_outcome(call)}, but {call.client} has no exception "
                "event",
                case,
                call.client,
            )


@check(
    "C4",
    "F6",
    "T4",
    why="Half an answer, or one that makes no sense, is a failed call, though its head said 200.",
    fix="Read and check the answer inside the CLIENT span's `with`, or record the failure "
    "on the SERVER span: `span.set_status(StatusCode.ERROR)` and "
    "`span.record_exception(error)`.",
)
def unusable_answers_show(failed: Cases) -> Findings:
    """An answer that was cut off or cannot be read is an ERROR with an exception."""
    for case in failed:
        for call in case.sent:
            incoming = call.incoming
            if call.data.outcome not in {"unreadable", "dropped_in_body"} or incoming is None:
                continue
            if not incoming.spans:
                yield Unjudged(f"in {case.title}, {call.caller_service} left no span")
                continue
            marked = [span for span in incoming.spans if span.is_error and span.exceptions]
            yield expect(
                marked,
                f"in {case.title}, {call} got an answer that {_outcome(call)}, but no span of "
                f"{call.caller_service} has both the status ERROR and an exception event",
                case,
                *(span for span in (call.client, incoming.server) if span is not None),
            )


@check(
    "C4",
    "F6",
    "T4",
    why="A database that fails is the first thing to look for when checkouts fail.",
    fix="In the handler of the failure: `span.set_status(Status(StatusCode.ERROR, message))` and "
    "`span.record_exception(error)`, also where it is turned into a response.",
)
def failed_queries_show(database_failed: Cases, view: View) -> Findings:
    """A query that failed is an ERROR with the exception, on its span or the SERVER span."""
    for case in database_failed:
        for call in case.served:
            if call.callee_service != "inventory":
                continue
            if not call.spans:
                yield Unjudged(f"in {case.title}, inventory left no span")
                continue
            # A span that lost its context is no less the span of the query: C1 judges that.
            spans = [*call.spans, *view.lost_during(call)]
            queries = [span for span in spans if span.is_query]
            where = queries or spans
            kind = "database span" if queries else "span of inventory"
            yield expect(
                any(span.is_error and span.exceptions for span in where),
                f"in {case.title}, no {kind} has both the status ERROR and an exception event",
                case,
                *where,
            )


def _was_tried_again(span: ServiceSpan) -> bool:
    # A query that found the database locked has failed, whatever became of the next one.
    if span.call is None or not span.is_query or not span.exceptions:
        return False
    return any(
        other.data.start_ns >= span.data.end_ns and not other.is_error
        for other in span.call.queries
    )


def _sides(call: Call) -> list[ServiceSpan]:
    return [span for span in (call.client, call.server) if span is not None]


def _outcome(call: Call) -> str:
    if call.failed_on_the_way or call.status is None:
        return {
            "refused": "was refused",
            "timed_out": "timed out",
            "dropped_in_headers": "was dropped before an answer",
            "dropped_in_body": "was cut off in its body",
        }.get(call.data.outcome, "cannot be read")
    if call.data.outcome == "dropped_in_body":
        return "was cut off in its body"
    return "cannot be read" if call.data.outcome == "unreadable" else f"was answered {call.status}"

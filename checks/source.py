"""C1 to C7 and F5 in the code: what can be seen without running it, as `kata-lint` sees it."""

from otelkata.check import SOUND, Fault, Findings, Reading, Unjudged, check

_WHY = "What the scenarios did not reach is read in the code: a fault there waits for its day."


@check(
    "C1",
    why=_WHY,
    fix="Start spans from the current context, or from the one of the request: "
    "`context=extract(headers)`.",
)
def spans_take_the_context_of_their_request(reading: Reading | None) -> Findings:
    """In the code, every span starts from the context of its request."""
    yield from _read(reading, "C1")


@check(
    "C2",
    why=_WHY,
    fix="Open spans `with tracer.start_as_current_span(name):`, or end them in a `finally` "
    "right after.",
)
def spans_are_managed(reading: Reading | None) -> Findings:
    """In the code, every span is managed by a `with` or a `finally` right after its start."""
    yield from _read(reading, "C2")


@check(
    "C3",
    why=_WHY,
    fix="Call `extract(headers)` before the start, `inject(headers)` inside the CLIENT span, "
    "before sending.",
)
def context_is_carried_in_order(reading: Reading | None) -> Findings:
    """In the code, context is extracted before the start and injected before the send."""
    yield from _read(reading, "C3")


@check(
    "C4",
    why=_WHY,
    fix="In the handler, `span.record_exception(error)` and "
    "`span.set_status(StatusCode.ERROR)`, or `raise` again.",
)
def handlers_show_failures(reading: Reading | None) -> Findings:
    """In the code, no handler hides a failure from its span."""
    yield from _read(reading, "C4")


@check(
    "C5",
    why=_WHY,
    fix="Make it by `Resource.create({...})` with `service.name` and `service.version`.",
)
def the_resource_is_complete(reading: Reading | None) -> Findings:
    """In the code, the provider has a resource with name and version, merged with the rest."""
    yield from _read(reading, "C5")


@check("C6", why=_WHY, fix="Pass no `sampler=` to the `TracerProvider`.")
def there_is_no_sampler(reading: Reading | None) -> Findings:
    """In the code, there is no sampler."""
    yield from _read(reading, "C6")


@check(
    "C7",
    why=_WHY,
    fix="Run `provider.shutdown()` where it can be left when time is up: in a daemon "
    "thread, with `thread.join(timeout)`.",
)
def the_shutdown_is_bounded(reading: Reading | None) -> Findings:
    """In the code, the provider is shut down, and within a bound."""
    yield from _read(reading, "C7")


@check(
    "F5",
    why=_WHY,
    fix="Take the names of the semantic conventions (`http.request.method`), and put values "
    "in attributes.",
)
def names_follow_the_conventions(reading: Reading | None) -> Findings:
    """In the code, attributes and spans are named by the conventions."""
    yield from _read(reading, "F5")


def _read(reading: Reading | None, criterion: str) -> Findings:
    if reading is None:
        yield Unjudged("the source was not read")
        return
    for reason in reading.unread:
        yield Unjudged(f"the source could not be read: {reason}")
    if not reading.unread:
        yield SOUND
    for remark in reading.remarks:
        if criterion in remark.criteria:
            yield Fault(
                f"{remark.message} ({remark.code} {remark.name})",
                path=remark.path,
                line=remark.line,
                details="\n".join(remark.steps),
            )

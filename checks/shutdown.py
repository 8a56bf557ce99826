"""F7 and C7: is nothing lost at exit, and does exit take no longer than it may?"""

from otelkata.check import (
    Exit,
    Exits,
    Finding,
    Findings,
    Unjudged,
    View,
    check,
    expect,
    too_slow,
)

NOISE = 4.0
"""Seconds that a busy machine may add to a limit without changing a verdict."""


@check(
    "F7",
    why="What is still in the batch when the provider goes is lost, and it is the last thing that "
    "happened before the exit.",
    fix="In `shutdown_tracer`, `provider.force_flush()` and `provider.shutdown()`; return "
    "True when that succeeded.",
)
def shutdown_tracer_exports_what_is_pending(exits_provider_pending: Exits, view: View) -> Findings:
    """shutdown_tracer exports the spans that have ended, and returns True."""
    for seen in exits_provider_pending:
        yield _lost(seen, view)
        if seen.took is not None and not seen.raised:
            yield expect(
                seen.returned is True,
                f"shutdown_tracer exported everything, but returned {seen.returned!r}, not True",
            )


@check(
    "F7",
    why="A service that is deployed often stops often; each time the last requests go missing.",
    fix="Call `shutdown_tracer(provider, timeout)` with 5 to 10 s in the application's "
    "lifespan shutdown: the provider's own atexit handler does not run when a server is "
    "ended by a signal.",
)
def lifespan_exports_what_is_pending(exits_lifespan: Exits, view: View) -> Findings:
    """Lifespan shutdown exports every span that has ended."""
    for seen in exits_lifespan:
        yield _lost(seen, view)


@check(
    "F7",
    why="SIGTERM is how containers and process managers end a service.",
    fix="Let the server handle SIGTERM (uvicorn does) and call `shutdown_tracer(provider, "
    "8.0)` in lifespan.",
)
def sigterm_loses_no_span(exits_sigterm: Exits, view: View) -> Findings:
    """A real service that is ended by SIGTERM exports every span that has ended."""
    for seen in exits_sigterm:
        yield _lost(seen, view)


@check(
    "C7",
    why="A collector that hangs must not keep the service from stopping.",
    fix="Run `provider.shutdown()` in a daemon thread and `thread.join(timeout)`: neither "
    "`shutdown()` nor `force_flush()` bounds a hanging exporter by itself.",
)
def shutdown_tracer_is_bounded(exits_provider_hanging: Exits, view: View) -> Findings:
    """shutdown_tracer returns within its timeout when the exporter hangs, and tells the truth."""
    for seen in exits_provider_hanging:
        yield _in_time(view, seen, f"shutdown_tracer(provider, {seen.limit})")
        lost = [span for span in seen.pending if not _arrived(span, seen, view)]
        if lost and _is_shared(lost[0], view):
            yield Unjudged("its provider is that of other services too, and they may have ended it")
        elif seen.took is not None and lost:
            yield expect(
                seen.returned is not True,
                "shutdown_tracer returned True though a span that had ended was never exported",
                path=seen.path,
                line=seen.line,
            )


@check(
    "C7",
    why="An exception at exit ends the shutdown half-way, and hides the reason for the exit.",
    fix="Catch what the exporter raises, `except Exception:`, inside `shutdown_tracer` and "
    "return False.",
)
def shutdown_tracer_never_raises(exits_provider: Exits, view: View) -> Findings:
    """shutdown_tracer returns True or False and never raises, whatever the exporter does."""
    for seen in exits_provider:
        if seen.skipped:
            yield Unjudged(f"shutdown_tracer was not called: {seen.skipped}")
            continue
        yield expect(
            not seen.raised,
            f"shutdown_tracer raised {seen.raised}",
            path=seen.path,
            line=seen.line,
        )
        if seen.took is not None and not seen.raised:
            yield expect(
                isinstance(seen.returned, bool),
                f"shutdown_tracer returned {seen.returned!r}, neither True nor False",
            )
        if "provider_hanging" not in seen.tags:
            yield _in_time(view, seen, f"shutdown_tracer(provider, {seen.limit})")


@check(
    "C7",
    why="A thread that nobody stops keeps the process alive after main has ended.",
    fix="Make the thread that shuts down a daemon, `Thread(target=…, daemon=True)`, and the "
    "provider with `shutdown_on_exit=False`: its atexit handler would shut down again, "
    "without a bound.",
)
def process_can_end(exits_process: Exits, view: View) -> Findings:
    """After shutdown_tracer gave up on a hanging exporter, the process ends."""
    for seen in exits_process:
        yield _in_time(view, seen, "the process")


@check(
    "C7",
    why="What does not end is killed, and then loses more than spans.",
    fix="Do nothing in lifespan shutdown that can wait without a bound; "
    "`asyncio.timeout(seconds)` is one.",
)
def lifespan_ends(exits_lifespan: Exits, view: View) -> Findings:
    """Lifespan shutdown ends within 10 s when nothing is wrong."""
    for seen in exits_lifespan:
        yield _in_time(view, seen, "lifespan shutdown")


@check(
    "C7",
    why="What does not end on SIGTERM is killed, and then loses more than spans.",
    fix="Leave SIGTERM to the server (`uvicorn.run(app, timeout_graceful_shutdown=5)`), and "
    "do nothing at exit that can wait without a bound.",
)
def sigterm_ends_the_service(exits_sigterm: Exits, view: View) -> Findings:
    """A real service ends within 15 s of SIGTERM when nothing is wrong."""
    for seen in exits_sigterm:
        yield _in_time(view, seen, "the service")


@check(
    "C7",
    why="A server waits for lifespan shutdown; a deployment waits for the server.",
    fix="Call `shutdown_tracer(provider, 8.0)`, or with another timeout of 5 to 10 s, in "
    "lifespan shutdown, and nothing else there that has no bound.",
)
def lifespan_is_bounded(exits_lifespan_hanging: Exits, view: View) -> Findings:
    """Lifespan shutdown ends within 10 s when the exporter hangs."""
    for seen in exits_lifespan_hanging:
        yield _in_time(view, seen, "lifespan shutdown")


@check(
    "C7",
    why="What does not end on SIGTERM is killed, and then loses more than spans.",
    fix="Bound every step of the exit: `shutdown_tracer(provider, timeout)` with 5 to 10 s, "
    "no retries without an end.",
)
def sigterm_is_bounded(exits_sigterm_hanging: Exits, view: View) -> Findings:
    """A real service whose collector hangs ends within 15 s of SIGTERM."""
    for seen in exits_sigterm_hanging:
        yield _in_time(view, seen, "the service")


def _lost(seen: Exit, view: View) -> Finding:
    if seen.skipped:
        return Unjudged(f"{seen} could not be observed: {seen.skipped}")
    names = _names(seen, view)
    if not names:
        return Unjudged(f"no span was pending at {seen}")
    lost = {id_: name for id_, name in names.items() if not _arrived(id_, seen, view)}
    late = lost.keys() <= view.span_ids
    return expect(
        not lost,
        f"{len(lost)} of {len(names)} spans that had ended "
        f"{'left only after' if late else 'were lost at'} {seen}: "
        f"{', '.join(sorted(set(lost.values())))}",
        path=seen.path,
        line=seen.line,
    )


def _names(seen: Exit, view: View) -> dict[str, str]:
    # Of a service, only the spans that the kata asks for: it may drop others as it likes.
    kinds = {"SERVER", "CLIENT"} if "provider" not in seen.tags else {"INTERNAL"}
    spans = (view.started.get((start, id_)) for start in seen.starts for id_ in seen.pending)
    return {
        span.span_id: f"{span.kind} {span.name!r}" for span in spans if span and span.kind in kinds
    }


def _arrived(span_id: str, seen: Exit, view: View) -> bool:
    in_time = seen.arrived is None or span_id in seen.arrived
    return in_time and span_id in view.span_ids


def _in_time(view: View, seen: Exit, what: str) -> Finding:
    if seen.skipped:
        return Unjudged(f"{seen} could not be observed: {seen.skipped}")
    patient = seen.limit + NOISE * view.evidence.patience
    if seen.took is not None and seen.limit + NOISE < seen.took <= patient:
        return too_slow(f"{seen}: {what} took {seen.took:.1f} s", view.evidence.patience)
    took = "did not come to an end" if seen.took is None else f"took {seen.took:.1f} s"
    because = f": {seen.kept_by}" if seen.kept_by else ""
    return expect(
        seen.took is not None and seen.took <= seen.limit + NOISE,
        f"{seen}: {what} {took}; {seen.limit:g} s are allowed{because}",
        path=seen.path,
        line=seen.line,
    )


def _is_shared(span_id: str, view: View) -> bool:
    """Tell whether a span was started on a provider that was made for several services."""
    return len({seen.start for seen in view.evidence.started if seen.span_id == span_id}) > 1

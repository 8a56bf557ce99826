"""F1: do the spans of every service reach the exporter, and a real OTLP endpoint by default?"""

from otelkata.check import (
    SOUND,
    Cases,
    Fault,
    Findings,
    Unjudged,
    View,
    check,
    expect,
)

_EXPORT = (
    "Call `provider.add_span_processor(BatchSpanProcessor(exporter))` with the exporter that "
    "`init_tracer` was given, on the provider that it returns."
)
_OWN_TRACER = (
    "Take every tracer from the provider that the service was given, `provider.get_tracer(name)`. "
    "`trace.get_tracer(name)` is of the global provider, which is another one or none."
)


@check(
    "F1",
    why="A span that never leaves the process helps nobody who looks at the trace.",
    fix=f"{_EXPORT} {_OWN_TRACER}",
)
def reaches_the_given_exporter(answered: Cases, view: View) -> Findings:
    """The spans of every service reach the exporter that it was given."""
    starts = {call.callee for case in answered for call in case.served if call.callee}
    for start in sorted(starts, key=lambda start: start.name):
        strays = [other for owner, other in view.astray if owner == start.name]
        if strays:
            message = f"spans of {start.service} went to {strays[0]} instead of their own exporter"
            fix = _OWN_TRACER
        elif start.name in view.tracing:
            message = f"{start.service} started spans, but none reached its exporter"
            fix = _EXPORT
        else:
            message = f"{start.service} started no span on the provider that init_tracer returned"
            fix = f"Start a span for each request. {_OWN_TRACER}"
        if view.has_lost_a_process and not strays and start.name not in view.exporting:
            yield Unjudged(f"a process ended before a span of {start.service} was exported")
            continue
        yield expect(start.name in view.exporting and not strays, message, fix=fix)


@check(
    "F1",
    why="Jaeger, Tempo and the Collector all take OTLP; where they are is for the operator to say.",
    fix="With `exporter=None` use `OTLPSpanExporter()` of "
    "`opentelemetry.exporter.otlp.proto.http.trace_exporter`, without arguments: "
    "`OTEL_EXPORTER_OTLP_ENDPOINT` and its kin configure it.",
)
def is_otlp_by_default(default_exporter: Cases, view: View) -> Findings:
    """With no exporter given, spans of every service reach the OTLP endpoint of the environment."""
    wrong = {d.protocol for d in view.evidence.deliveries} - {"http/protobuf"}
    hint = f"; what came was {', '.join(sorted(wrong))}, not http/protobuf" if wrong else ""
    for case in default_exporter:
        for call in case.served:
            assert call.callee is not None
            yield expect(
                call.callee.name in view.exporting,
                f"no span of {call.callee.service} reached the OTLP endpoint{hint}",
                case,
                call=call,
            )


@check(
    "F1",
    why="A trace is worth something only while every span in it was really measured.",
    fix="Export what the provider's own spans hand to the processor, "
    "`provider.add_span_processor(BatchSpanProcessor(exporter))`, and nothing else.",
)
def exports_only_what_was_started(view: View) -> Findings:
    """Every span that is exported was started on the provider of its service."""
    for start, span in view.made_up:
        yield Fault(
            f"a span named {span.name!r} was exported by {start or 'a service'}, but no provider "
            "ever started it with that trace and span id",
        )
    yield from (SOUND for _ in view.spans)
    if not view.spans and not view.made_up:
        yield Unjudged("no span was exported")

"""Set the tracer up wrongly: resource, sampler, exporter, provider, instrumentation."""

from collections.abc import Iterator

import libcst as cst

from benchmarks.mutants.mutation import Edit, operator
from benchmarks.mutants.spans import attributes
from benchmarks.mutants.submission import Source, Submission
from benchmarks.mutants.syntax import (
    argument,
    body_of,
    code_of,
    expression,
    last_name,
    statement,
    walk,
    with_argument,
    without_argument,
)

SERVER = "SpanKind.SERVER"
NAMED = (
    "C5: 'a Resource with service.name and service.version'; contract, service: they 'are those "
    "given to init_tracer'"
)
SAMPLER = (
    "C6: 'no sampler= and no sampler class; OTEL_TRACES_SAMPLER and an incoming unsampled flag "
    "decide'"
)
REACH = "F1: 'spans of every service reach the exporter it was given'"
ENDPOINT = "F1: 'with none given, a real OTLP endpoint named by the environment'"


def _drop_from_resource(submission: Submission, name: str) -> Iterator[Edit]:
    for each in attributes(submission, name):
        holder = each.source.parents[each.site]
        if isinstance(each.site, cst.DictElement) and isinstance(holder, cst.Dict):
            rest = [element for element in holder.elements if element is not each.site]
            yield Edit(each.source, each.site).swap(holder, holder.with_changes(elements=rest))


@operator("C5", NAMED)
def drop_service_name(submission: Submission) -> Iterator[Edit]:
    """The resource has no `service.name`."""
    yield from _drop_from_resource(submission, "service.name")


@operator("C5", NAMED)
def drop_service_version(submission: Submission) -> Iterator[Edit]:
    """The resource has no `service.version`."""
    yield from _drop_from_resource(submission, "service.version")


def _fixed(submission: Submission, name: str, value: str) -> Iterator[Edit]:
    for each in attributes(submission, name):
        if isinstance(each.site, cst.DictElement):
            yield Edit(each.source, each.site).swap(each.value, expression(value))


@operator("C5", NAMED)
def one_name_for_all_services(submission: Submission) -> Iterator[Edit]:
    """All services have the name of the shop."""
    yield from _fixed(submission, "service.name", '"shop"')


@operator("C5", NAMED)
def version_in_code(submission: Submission) -> Iterator[Edit]:
    """The version is a text in the code instead of the one that was given."""
    yield from _fixed(submission, "service.version", '"0.0.0-dev"')


@operator("C5", NAMED)
def made_up_name_key(submission: Submission) -> Iterator[Edit]:
    """The service's name is in the resource under a name of the shop's own."""
    for each in attributes(submission, "service.name"):
        if isinstance(each.site, cst.DictElement):
            yield Edit(each.source, each.site).swap(each.key, expression('"app.name"'))


@operator("C5", NAMED)
def name_and_version_swapped(submission: Submission) -> Iterator[Edit]:
    """Name and version of the service are in each other's place."""
    for name in attributes(submission, "service.name"):
        for version in attributes(submission, "service.version"):
            holder = name.source.parents[name.site]
            if holder is name.source.parents.get(version.site) and isinstance(
                name.site, cst.DictElement
            ):
                edit = Edit(name.source, name.site)
                yield edit.swap(name.value, version.value).swap(version.value, name.value)


@operator("C5", "C5: 'made so that OTEL_RESOURCE_ATTRIBUTES is merged in'")
def resource_ignores_environment(submission: Submission) -> Iterator[Edit]:
    """The resource is made by its constructor, which does not read the environment."""
    for source in submission:
        for call in source.calls("create"):
            if isinstance(call.func, cst.Attribute) and last_name(call.func.value) == "Resource":
                yield Edit(source, call).swap(call.func, call.func.value)


def providers(submission: Submission) -> Iterator[tuple[Source, cst.Call]]:
    """Yield the calls that make a tracer provider, also by `super().__init__` of a subclass."""
    for source in submission:
        for call in source.calls("TracerProvider", "__init__"):
            made = last_name(call.func) == "TracerProvider" or argument(call, "resource")
            if made and "ReadableSpan" not in _bases(source, call):
                yield source, call


def _bases(source: Source, node: cst.CSTNode) -> str:
    around = source.enclosing(node, cst.ClassDef)
    return " ".join(code_of(base.value) for base in around.bases) if around is not None else ""


@operator("C5", NAMED)
def drop_resource(submission: Submission) -> Iterator[Edit]:
    """The provider is made without a resource."""
    for source, call in providers(submission):
        if (arg := argument(call, "resource")) is not None:
            yield Edit(source, call).swap(call, without_argument(call, arg))


def _sampler(submission: Submission, *names: str, value: str) -> Iterator[Edit]:
    for source, call in providers(submission):
        edit = Edit(source, call)
        used = {name: edit.name("opentelemetry.sdk.trace.sampling", name) for name in names}
        yield edit.swap(call, with_argument(call, "sampler", value.format(**used)))


@operator("C6", SAMPLER)
def always_on_sampler(submission: Submission) -> Iterator[Edit]:
    """The code samples every trace."""
    yield from _sampler(submission, "ALWAYS_ON", value="{ALWAYS_ON}")


@operator("C6", SAMPLER)
def ratio_sampler(submission: Submission) -> Iterator[Edit]:
    """The code samples by a ratio, whatever the caller decided."""
    yield from _sampler(submission, "TraceIdRatioBased", value="{TraceIdRatioBased}(1.0)")


@operator("C6", SAMPLER)
def parent_based_sampler(submission: Submission) -> Iterator[Edit]:
    """The code samples what the caller sampled, and all else, whatever the environment says."""
    yield from _sampler(submission, "ParentBased", "ALWAYS_ON", value="{ParentBased}({ALWAYS_ON})")


def _exporters(submission: Submission) -> Iterator[tuple[Source, cst.Call]]:
    for source in submission:
        for call in source.calls("OTLPSpanExporter"):
            yield source, call


def exports_at_once(submission: Submission) -> bool:
    """Say that requests wait for the exporter: too long for one that sends to a wrong address."""
    return submission.mentions("SimpleSpanProcessor")


@operator("F1", ENDPOINT)
def endpoint_in_code(submission: Submission) -> Iterator[Edit]:
    """The address of the collector is in the code."""
    for source, call in _exporters(submission):
        if not exports_at_once(submission):
            address = '"http://localhost:4318/v1/traces"'
            yield Edit(source, call).swap(call, with_argument(call, "endpoint", address))


@operator("F1", ENDPOINT)
def console_exporter(submission: Submission) -> Iterator[Edit]:
    """Spans are printed instead of being sent to a collector."""
    for source, call in _exporters(submission):
        edit = Edit(source, call)
        name = edit.name("opentelemetry.sdk.trace.export", "ConsoleSpanExporter")
        yield edit.swap(call, expression(f"{name}()"))


@operator("F1", "contract: 'an exporter that is given is used instead'; " + REACH)
def given_exporter_ignored(submission: Submission) -> Iterator[Edit]:
    """Spans go to OTLP also when another exporter was given."""
    for source, call in _exporters(submission):
        if not exports_at_once(submission):
            for node in source.ancestors(call):
                if isinstance(node, cst.BooleanOperation | cst.IfExp):
                    yield Edit(source, node).swap(node, call)
                elif isinstance(node, cst.If) and "None" in code_of(node.test) and not node.orelse:
                    yield Edit(source, node).splice(node, *body_of(node))


@operator("F1", REACH)
def no_span_processor(submission: Submission) -> Iterator[Edit]:
    """The exporter is never connected to the provider."""
    for source in submission:
        for call in source.calls("add_span_processor"):
            stmt, arg = source.statement(call), call.args[0].value
            # Without an argument, a processor has no exporter.
            if isinstance(stmt, cst.SimpleStatementLine) and isinstance(arg, cst.Call) and arg.args:
                yield Edit(source, stmt).splice(stmt)


@operator(
    "F1 C5",
    "contract: 'init_tracer returns a new TracerProvider each time', 'spans of a service that "
    "arrive at another one's exporter count as missing' (F1), under another's service.name (C5)",
)
def provider_shared(submission: Submission) -> Iterator[Edit]:
    """All services get the provider that was made for the first of them."""
    for source, function in submission.functions("init_tracer"):
        for node in walk(function):
            stmt = source.statement(node) if isinstance(node, cst.Return) else None
            if (
                isinstance(node, cst.Return)
                and node.value
                and isinstance(stmt, cst.SimpleStatementLine)
            ):
                value = f'PROVIDERS.setdefault("provider", {code_of(node.value)})'
                edit = Edit(source, stmt, prelude=["PROVIDERS = {}"])
                yield edit.splice(stmt, statement(f"return {value}"))


GLOBAL = (
    "contract: a submission 'must not depend on' the global provider, 'spans of a service that "
    "arrive at another one's exporter count as missing' (F1); what is missing are SERVER (F2), "
    "CLIENT (F3) or database spans (B2)"
)


@operator("F1 F2 F3 B2", GLOBAL)
def tracer_of_global_provider(submission: Submission) -> Iterator[Edit]:
    """The tracer is the global provider's, and not the service's own."""
    for source in submission:
        for call in source.calls("get_tracer"):
            if isinstance(call.func, cst.Attribute) and last_name(call.func.value) != "trace":
                edit = Edit(source, call)
                name = edit.name("opentelemetry.trace", "get_tracer")
                yield edit.swap(call.func, cst.Name(name))


@operator("F1 F2 F3", GLOBAL)
def instrumentation_of_global_provider(submission: Submission) -> Iterator[Edit]:
    """An instrumentation is not given the service's provider, so it takes the global one."""
    for source in submission:
        for call in source.all(cst.Call):
            arg = argument(call, "tracer_provider")
            if arg is not None:
                yield Edit(source, call).swap(call, without_argument(call, arg))
        for element in source.all(cst.DictElement):
            holder = source.parents[element]
            if code_of(element.key) == '"tracer_provider"' and isinstance(holder, cst.Dict):
                rest = [each for each in holder.elements if each is not element]
                yield Edit(source, element).swap(holder, holder.with_changes(elements=rest))


def _uninstrumented(submission: Submission, *names: str) -> Iterator[Edit]:
    for source in submission:
        for call in source.calls(*names):
            stmt = source.statement(call)
            if isinstance(stmt, cst.SimpleStatementLine) and isinstance(stmt.body[0], cst.Expr):
                yield Edit(source, stmt).splice(stmt)
            elif call.args:
                yield Edit(source, call).swap(call, call.args[0].value)


@operator(
    "F3 F4 C3 T3",
    "F3: 'its own CLIENT span'; F4: 'every outgoing request carries a valid traceparent', which "
    "the instrumentation injects (C3, T3)",
)
def client_not_instrumented(submission: Submission) -> Iterator[Edit]:
    """The HTTP client's instrumentation is not applied."""
    yield from _uninstrumented(submission, "instrument_client")


@operator("B2", "B2: 'database queries traced by a wrapper around the driver'")
def connection_not_instrumented(submission: Submission) -> Iterator[Edit]:
    """The database connection's instrumentation is not applied."""
    yield from _uninstrumented(submission, "instrument_connection")


@operator("F2", "F2: 'each request that a service answered has its SERVER span'")
def no_server_span(submission: Submission) -> Iterator[Edit]:
    """What opens the SERVER spans is not put around the application."""
    yield from _uninstrumented(submission, "instrument_app")
    makers = _server_classes(submission)
    for source in submission:
        for call in source.all(cst.Call):
            yield from _unwrapped(source, call, makers)


def _server_classes(submission: Submission) -> frozenset[str]:
    """Name the ASGI wrappers that start SERVER spans and leave nothing else for what they wrap."""
    found = {"OpenTelemetryMiddleware"}
    for source in submission:
        for around in source.all(cst.ClassDef):
            nodes = list(walk(around))
            opens = any(isinstance(n, cst.Arg) and code_of(n.value) == SERVER for n in nodes)
            leaves = any(isinstance(n, cst.AssignTarget) and "scope[" in code_of(n) for n in nodes)
            if opens and not leaves:
                found.add(around.name.value)
    return frozenset(found)


def _unwrapped(source: Source, call: cst.Call, makers: frozenset[str]) -> Iterator[Edit]:
    first = call.args[0].value if call.args else None
    name, stmt = last_name(call.func), source.statement(call)
    if (
        name in makers
        and isinstance(first, cst.Name)
        and not isinstance(source.parents[call], cst.Expr)
    ):
        yield Edit(source, call).swap(call, first)
    elif name == "add_middleware" and last_name(first) in makers:
        if isinstance(stmt, cst.SimpleStatementLine):
            yield Edit(source, stmt).splice(stmt)
    elif name == "Middleware" and last_name(first) in makers:
        element = source.parents[call]
        holder = source.parents[element]
        if isinstance(holder, cst.List):
            rest = [each for each in holder.elements if each is not element]
            yield Edit(source, call).swap(holder, holder.with_changes(elements=rest))

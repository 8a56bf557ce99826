"""Lose the ids that travel in the baggage (B3)."""

from collections.abc import Iterator

import libcst as cst

from benchmarks.mutants.mutation import Edit, operator
from benchmarks.mutants.spans import injects, key_of, statements_of
from benchmarks.mutants.submission import Source, Submission
from benchmarks.mutants.syntax import (
    argument,
    calls,
    code_of,
    expression,
    last_name,
    walk,
    with_argument,
    with_value,
)

CARRIED = (
    "B3 (contract): 'incoming tenant.id and user.id … reach inventory and payment in the "
    "baggage header'"
)
ON_SPANS = "B3 (contract): they 'are on each SERVER span as tenant.id and user.id'"
READ = "get_baggage"


@operator("B3", CARRIED)
def inject_without_baggage(submission: Submission) -> Iterator[Edit]:
    """The baggage is not sent along."""
    for inject in injects(submission):
        line = f'{inject.carrier}.pop("baggage", None)'
        yield Edit(inject.source, inject.statement).insert_after(inject.statement, line)


@operator("B3", CARRIED + "; " + ON_SPANS)
def propagator_without_baggage(submission: Submission) -> Iterator[Edit]:
    """The propagator carries the trace context alone."""
    for source in submission:
        for call in source.calls("CompositePropagator"):
            holder = call.args[0].value
            if isinstance(holder, cst.List):
                rest = [each for each in holder.elements if "Baggage" not in code_of(each.value)]
                yield Edit(source, call).swap(holder, holder.with_changes(elements=rest))


@operator("B3", CARRIED + "; " + ON_SPANS)
def baggage_not_extracted(submission: Submission) -> Iterator[Edit]:
    """The baggage of a request is not read from its headers."""
    for source in submission:
        for call in source.calls("extract"):
            arg = call.args[0] if call.args else None
            if arg is not None and "BaggagePropagator" in code_of(call.func):
                yield Edit(source, call).swap(call, with_value(call, arg, "{}"))


@operator("B3", "B3: 'baggage carries the tenant and user ids'; " + CARRIED)
def baggage_replaced(submission: Submission) -> Iterator[Edit]:
    """The gateway sends its own baggage in place of what came in, instead of adding to it."""
    for source in submission:
        for call in source.calls("set_baggage"):
            if argument(call, "context", 2) is None:
                edit = Edit(source, call)
                clear = edit.name("opentelemetry.baggage", "clear")
                yield edit.swap(call, with_argument(call, "context", f"{clear}()"))


def _from_baggage(
    submission: Submission,
) -> Iterator[tuple[Source, cst.Call, cst.SimpleStatementLine]]:
    """Yield the statements that put on a span what was read from the baggage."""
    for source, call, stmt in statements_of(submission, "set_attribute"):
        if READ in _around(source, stmt):
            yield source, call, stmt


def _around(source: Source, stmt: cst.CSTNode) -> str:
    """Return the code of the loop over the ids that a statement is in."""
    loop = source.enclosing(stmt, cst.For)
    return code_of(loop) if loop is not None else ""


@operator("B3", ON_SPANS)
def baggage_not_on_span(submission: Submission) -> Iterator[Edit]:
    """What the baggage says is not put on the SERVER span."""
    for source, _call, stmt in _from_baggage(submission):
        yield Edit(source, stmt).splice(stmt)
    for source in submission:
        for element in source.all(cst.StarredDictElement):
            functions = submission.functions(last_name(element.value))
            holder = source.parents[element]
            if any(calls(function, READ) for _source, function in functions):
                assert isinstance(holder, cst.Dict)
                rest = [each for each in holder.elements if each is not element]
                yield Edit(source, element).swap(holder, holder.with_changes(elements=rest))


@operator("B3", ON_SPANS)
def baggage_under_prefix(submission: Submission) -> Iterator[Edit]:
    """What the baggage says is on the SERVER span under names of the shop's own."""
    for source, call, _stmt in _from_baggage(submission):
        key = call.args[0]
        renamed = f'"baggage." + {code_of(key.value)}'
        yield Edit(source, call).swap(key.value, expression(renamed))


@operator("B3", ON_SPANS)
def tenant_forgotten(submission: Submission) -> Iterator[Edit]:
    """Only the user, and not the tenant, gets from the baggage on the spans."""
    for source in submission:
        for holder in source.all(cst.Tuple):
            names = [key_of(submission, each.value) for each in holder.elements]
            if set(names) == {"tenant.id", "user.id"}:
                rest = [
                    each.with_changes(comma=cst.Comma())
                    for each, name in zip(holder.elements, names, strict=True)
                    if name == "user.id"
                ]
                yield Edit(source, holder).swap(holder, holder.with_changes(elements=rest))


@operator("B3", CARRIED + "; " + ON_SPANS)
def baggage_middleware_missing(submission: Submission) -> Iterator[Edit]:
    """What makes the incoming baggage current is not put around the application."""
    makers = {
        node.name.value
        for source in submission
        for node in source.all(cst.ClassDef)
        if any(
            isinstance(each, cst.Call) and "BaggagePropagator" in code_of(each.func)
            for each in walk(node)
        )
    }
    for source in submission:
        for call in source.calls("Middleware"):
            element = source.parents[call]
            holder = source.parents[element]
            if (
                call.args
                and last_name(call.args[0].value) in makers
                and isinstance(holder, cst.List)
            ):
                rest = [each for each in holder.elements if each is not element]
                yield Edit(source, call).swap(holder, holder.with_changes(elements=rest))


@operator(
    "B3 F5",
    "contract, attributes: 'the body's user; baggage, where sent, has the same' (F5); baggage: "
    "user.id, 'equal to the body's' (B3)",
)
def other_user_in_baggage(submission: Submission) -> Iterator[Edit]:
    """The user in the baggage is not the one who ordered."""
    for source in submission:
        for call in source.calls("set_baggage"):
            value = argument(call, "value", 1)
            if value is not None:
                yield Edit(source, call).swap(value.value, expression('"anonymous"'))

"""Let personal data out (B4).

A submission that filters what it exports also filters what is leaked into an attribute, so it is
the filter that has to be broken.
"""

from collections.abc import Iterator

import libcst as cst

from benchmarks.mutants.mutation import Edit, operator
from benchmarks.mutants.spans import attributes, receiver
from benchmarks.mutants.submission import Source, Submission
from benchmarks.mutants.syntax import argument, code_of, expression, walk

KEPT_OUT = (
    "B4 (contract): 'e-mail and card number appear nowhere in what is exported: names, "
    "attributes, events, stack traces, status, resource'"
)


def copies(submission: Submission) -> Iterator[tuple[Source, cst.Call]]:
    """Yield the calls that build the span to export from another one."""
    for source in submission:
        for call in source.all(cst.Call):
            if (
                argument(call, "attributes")
                and argument(call, "status")
                and argument(call, "events")
            ):
                yield source, call


def _unfiltered(submission: Submission, part: str) -> Iterator[Edit]:
    for source, call in copies(submission):
        arg = argument(call, part)
        context = argument(call, "context")
        if arg is not None and context is not None and isinstance(context.value, cst.Attribute):
            span = code_of(context.value.value)
            yield Edit(source, arg).swap(arg.value, expression(f"{span}.{part}"))


@operator("B4", KEPT_OUT)
def attributes_not_filtered(submission: Submission) -> Iterator[Edit]:
    """The attributes of spans are exported as they are."""
    yield from _unfiltered(submission, "attributes")


@operator("B4", KEPT_OUT)
def events_not_filtered(submission: Submission) -> Iterator[Edit]:
    """The events of spans, exceptions among them, are exported as they are."""
    yield from _unfiltered(submission, "events")


@operator("B4", KEPT_OUT)
def status_not_filtered(submission: Submission) -> Iterator[Edit]:
    """The description of a failed span's status is exported as it is."""
    yield from _unfiltered(submission, "status")


@operator("B4", KEPT_OUT)
def export_not_filtered(submission: Submission) -> Iterator[Edit]:
    """Whole spans are exported as they are."""
    for source in submission:
        for call in source.calls("export"):
            value = call.args[0].value if call.args else None
            if isinstance(value, cst.ListComp):
                yield Edit(source, call).swap(value, value.for_in.iter)
        for call in source.calls("on_end"):
            function = source.function(call)
            if function is not None and function.name.value == "on_end" and call.args:
                given = function.params.params[1].name.value
                if code_of(call.args[0].value) != given:
                    yield Edit(source, call).swap(call.args[0].value, cst.Name(given))


def _numbers_are_filtered(submission: Submission, _edit: Edit) -> bool:
    """The filter looks at integers as well."""
    return any(
        isinstance(node, cst.Comparison)
        and code_of(node).startswith("type(")
        and "is int" in code_of(node)
        for source, copy in copies(submission)
        for around in source.ancestors(copy)
        if isinstance(around, cst.ClassDef)
        for node in walk(around)
    )


@operator("B4", KEPT_OUT, _numbers_are_filtered)
def card_as_number(submission: Submission) -> Iterator[Edit]:
    """The card's number is on the span as an integer, which a filter of texts lets through."""
    for each in attributes(submission, "user.id", "enduser.id"):
        function, stmt = each.source.function(each.site), each.source.statement(each.site)
        if function is None or not isinstance(stmt, cst.SimpleStatementLine):
            continue
        card = _card(each.value)
        if card and isinstance(each.site, cst.Call):
            line = f'{receiver(each.site)}.set_attribute("card", int({card}))'
            yield Edit(each.source, stmt).insert_after(
                stmt, f"if {card}.isdecimal():\n    {line}\n"
            )


def _card(user: cst.BaseExpression) -> str:
    """Return where the card is, going by where the user is."""
    match user:
        case cst.Attribute():
            return f"{code_of(user.value)}.card_number"
        case cst.Subscript():
            return f'{code_of(user.value)}["card_number"]'
        case cst.Name():
            return "card_number"
    return ""

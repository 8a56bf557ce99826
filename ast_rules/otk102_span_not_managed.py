"""OTK102: a span is started and ended by hand."""

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding
from otelkata.lint.fixes.repairs import repair
from otelkata.lint.flow.effects import Deed
from otelkata.lint.flow.hazards import Hazards
from otelkata.lint.flow.stories import Kind, Story
from otelkata.lint.meaning.module import Module
from otelkata.lint.rule import Example, Rule
from otelkata.lint.source.walk import walk


class SpanNotManaged(Rule):
    """A span is started and ended by hand.

    What it does:
        Asks for the strict form of each span from `start_span`: a `with`, an exit stack, a
        context manager of its own, or an `end()` in the `finally` of a `try` that begins
        right after the start. A span that has another owner is left alone. Off unless
        selected; on when a submission is graded.

    Why it matters:
        An end that stands in several places is forgotten in one of them as the code grows:
        a new `return`, a new exception, a cancellation.

    Instead:
        `with tracer.start_as_current_span(...)`, or `try:` in the line after the start and
        `end()` in its `finally`.

    References:
        https://opentelemetry.io/docs/languages/python/instrumentation/#creating-spans
        https://opentelemetry.io/docs/specs/otel/trace/api/#end
    """

    code = "OTK102"
    name = "span-not-managed"
    criteria = ("C2",)
    words = (b"start_span",)
    calls = ("start_span",)
    opt_in = True
    bad = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def charge(client, card):
    span = tracer.start_span("charge")  # expect: OTK102
    try:
        answer = client.post("/payments", json={"card": card})
    except BaseException:
        span.end()
        raise
    span.end()
    return answer
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def charge(client, card):
    span = tracer.start_span("charge")
    try:
        return client.post("/payments", json={"card": card})
    finally:
        span.end()
"""
        ),
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def charge(client, card):
    with trace.use_span(tracer.start_span("charge"), end_on_exit=True):
        return client.post("/payments", json={"card": card})
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield one finding per span whose end depends on the way taken."""
        for story in module.stories:
            if story.kind is not Kind.SPAN or not story.fates.complete:
                continue
            if story.fates.leaks or not _is_managed(module, story):
                yield self.finding(
                    module,
                    story.call,
                    "the span is ended by hand; open it in a `with`, or end it in the `finally` "
                    "of a `try` that begins right after",
                    certain=story.known.certain,
                    if_started=True,
                    change=repair(module, story),
                )


def _is_managed(module: Module, story: Story) -> bool:
    fates = story.fates
    if fates.managed or fates.moved or story.first is Deed.END:
        return True
    return any(
        ends.finalbody is not None and _mentions_end(ends.finalbody, story.names)
        for ends in _tries_at(module, story.call)
    )


def _tries_at(module: Module, call: cst.Call) -> Iterator[cst.Try | cst.TryStar]:
    """Yield the `try` around a start, and the one after it with nothing between that can raise."""
    hazards = Hazards(module)
    inside: cst.CSTNode = call
    for around in module.ancestors(call):
        if isinstance(around, cst.Try | cst.TryStar):
            yield around
        if isinstance(around, cst.IndentedBlock | cst.Module):
            later = list(around.body)
            for statement in later[later.index(inside) + 1 :]:  # type: ignore[arg-type]
                if isinstance(statement, cst.Try | cst.TryStar):
                    yield statement
                if hazards.of(statement) or isinstance(statement, cst.Try | cst.TryStar):
                    break
        if isinstance(around, cst.FunctionDef):
            return
        inside = around


def _mentions_end(finalbody: cst.Finally, names: frozenset[str]) -> bool:
    return any(
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and node.func.attr.value == "end"
        for node in walk(finalbody)
    ) or any(isinstance(node, cst.Name) and node.value in names for node in walk(finalbody))

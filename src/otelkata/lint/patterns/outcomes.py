"""Calls that write the outcome of the work on a span, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.patterns.failures import Caught, caught_by
from otelkata.lint.patterns.handlers import calls_in, gives_away
from otelkata.lint.patterns.hidden import HiddenFailures
from otelkata.lint.patterns.marks import Marks
from otelkata.lint.patterns.opened import Open, OpenSpans
from otelkata.lint.patterns.work import Work


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call of a span's method; `span` is how the span is written there."""

    call: cst.Call
    span: str
    certain: bool


@dataclass(frozen=True, slots=True)
class InHandler:
    """An outcome that is written in a handler, and the span if this function opens it."""

    outcome: Outcome
    caught: Caught
    opened: Open | None


class Outcomes:
    """The outcomes that one file writes."""

    def __init__(self, module: Module) -> None:
        """Look at `module`."""
        self.module = module

    @cached_property
    def spans(self) -> OpenSpans:
        """Return the spans of the file."""
        return OpenSpans(self.module)

    @cached_property
    def marks(self) -> Marks:
        """Return where the file shows failures."""
        return Marks(self.module)

    @cached_property
    def failures(self) -> HiddenFailures:
        """Return the judge of what is caught."""
        return HiddenFailures(self.module)

    def work(self, body: Sequence[cst.CSTNode], span: str) -> bool:
        """Tell whether `body` does more than describe what is done on `span`."""
        work = Work(self.module)
        return any(work.beside_spans(statement, span) for statement in body)

    def written(self, name: str) -> Iterator[Outcome]:
        """Yield the calls of the method `name` on what is a span, or is called one."""
        for call in self.module.index.calls:
            func = call.func
            if not isinstance(func, cst.Attribute) or func.attr.value != name:
                continue
            known = self.module.known(func.value)
            written = dotted(func.value) or self.module.code(func.value)
            if known is not None and known.kind == "Span":
                yield Outcome(call, written, known.certain)
            elif known is None and written.endswith("span") and self.module.imports_opentelemetry:
                yield Outcome(call, written, certain=False)

    def in_handlers(self, name: str) -> Iterator[InHandler]:
        """Yield the calls of the method `name` that stand in a handler of the same function."""
        for outcome in self.written(name):
            for above in self.module.ancestors(outcome.call):
                if isinstance(above, cst.FunctionDef | cst.Lambda):
                    break
                if isinstance(above, cst.ExceptHandler):
                    caught = caught_by(self.module, above)
                    yield InHandler(outcome, caught, self._opened(outcome, caught))
                    break

    def _opened(self, outcome: Outcome, caught: Caught) -> Open | None:
        around = self.spans.around(caught.whole, inside=caught.work)
        if "get_current_span" in outcome.span:
            return next(around, None)
        return next((span for span in around if span.name == outcome.span), None)

    def is_left_to_others(self, item: InHandler) -> bool:
        """Tell whether the handler gives the span away, or a handler further out sees it."""
        assert item.caught.body is not None
        if gives_away(self.module, item.caught.body, frozenset({item.outcome.span})):
            return True
        below: cst.CSTNode = item.caught.whole
        for above in self.module.ancestors(item.caught.whole):
            if isinstance(above, cst.FunctionDef | cst.Lambda):
                return False
            if isinstance(above, cst.Try) and below is above.body:
                calls = (call for handler in above.handlers for call in calls_in(handler))
                if any(self.marks.shows(call) for call in calls):
                    return True
            below = above
        return False

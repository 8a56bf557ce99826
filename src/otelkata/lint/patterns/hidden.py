"""Failures that are caught inside a span which then looks as if all went well."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.names import MANAGER
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.patterns.failures import Caught, Kind, is_driver
from otelkata.lint.patterns.handlers import leaving, may_tell, says
from otelkata.lint.patterns.marks import Marks, passes_on
from otelkata.lint.patterns.opened import Open, OpenSpans
from otelkata.lint.patterns.work import Work, any_work
from otelkata.lint.source.walk import walk

_FALLBACK = re.compile(r"(?i)\bfall(s|ing)?[ -]?back")


@dataclass(frozen=True, slots=True)
class Hidden:
    """A failure that its span does not show.

    `certain` is False where something that cannot be seen from here may show it;
    `may_be_tried_again` says that a loop goes on after it, or that the code speaks of a fallback.
    """

    caught: Caught
    span: Open
    certain: bool
    may_be_tried_again: bool


class HiddenFailures:
    """Judges what is caught in one file."""

    def __init__(self, module: Module) -> None:
        """Find the spans of `module`."""
        self._module = module
        self._spans = OpenSpans(module)
        self._work = Work(module)

    @cached_property
    def _marks(self) -> Marks:
        return Marks(self._module)

    def judge(self, caught: Caught) -> Hidden | None:
        """Return what is hidden by `caught`; None if nothing is."""
        span = self._span(caught) if caught.kind > Kind.SIGNAL else None
        if span is None or (caught.kind is Kind.INPUT and span.kind != "CLIENT"):
            return None
        if caught.kind is Kind.OWN and caught.body is not None and any_work(caught.body):
            return None
        work = self._work.of(caught, span.name)
        if not work or self._is_secondary(caught, span) or self._is_shown(caught, span):
            return None
        again = self.goes_on(caught, span) or says(caught.body, _FALLBACK)
        if (
            self.goes_on(caught, span)
            and caught.kind is not Kind.ANY
            and leaving(caught.body) is not None
        ):
            return None
        certain = (
            span.certain
            and caught.kind >= Kind.OPERATION
            and not again
            and not may_tell(caught)
            and not self._marks.of_closures(caught)
            and self._is_the_span_of(work, span, caught)
        )
        return Hidden(caught, span, certain, again)

    def is_only_described(self, caught: Caught, span: str) -> bool:
        """Tell whether what is caught can only come from describing the work on a span."""
        return not self._work.of(caught, span)

    def _is_shown(self, caught: Caught, span: Open) -> bool:
        names = frozenset({span.name})
        if passes_on(self._module, self._marks, caught, names):
            return True
        return self._marks.after(caught)

    def _span(self, caught: Caught) -> Open | None:
        """Return the span that should show the failure; None if one further in shows it."""
        inner = [*self._spans.within(caught.work), *self._entered_later(caught)]
        if any(span.shows_failures for span in inner):
            return None
        if inner:
            return inner[0]
        if isinstance(caught.whole, cst.Try):
            return next(self._spans.around(caught.whole, inside=caught.work), None)
        return next(self._spans.around(caught.node), None)

    def _entered_later(self, caught: Caught) -> list[Open]:
        """Return the spans of a `with` that are entered after its `suppress`."""
        if not isinstance(caught.whole, cst.With):
            return []
        later = False
        found = []
        for item in caught.whole.items:
            known = self._module.known(item.item) if later else None
            if known is not None and known.kind in {MANAGER, "Span"}:
                found.append(Open(item.item, None, None))
            later = later or item.item is caught.node
        return found

    def _is_secondary(self, caught: Caught, span: Open) -> bool:
        """Tell whether this only guards what is done after a failure or at the end."""
        around = set(self._module.ancestors(span.node))
        return any(
            isinstance(above, cst.Finally | cst.ExceptHandler) and above not in around
            for above in self._module.ancestors(caught.whole)
        )

    def goes_on(self, caught: Caught, span: Open) -> bool:
        """Tell whether a loop inside the span goes on after the failure."""
        if isinstance(leaving(caught.body), cst.Return | cst.Break):
            return False
        around = set(self._module.ancestors(span.node))
        for above in self._module.ancestors(caught.whole):
            if isinstance(above, cst.FunctionDef | cst.Lambda):
                return False
            if isinstance(above, cst.For | cst.While) and above not in around:
                return True
        return False

    def _is_the_span_of(self, work: list[cst.Call | cst.Yield], span: Open, caught: Caught) -> bool:
        """Tell whether no span further in, and nobody who was given this one, can show it."""
        calls = [node for node in work if isinstance(node, cst.Call)]
        inner = [self._module.definition(call) for call in calls]
        if any(function and self._spans.opened_by(function) for function in inner):
            return False
        if span.name is not None and self.is_given_away(caught.work, span.name):
            return False
        if span.is_of_a_request:
            return True
        is_driven = any(is_driver(self._module, call) for call in calls)
        return is_driven and not self._is_instrumented()

    def is_given_away(self, work: cst.CSTNode, name: str) -> bool:
        """Tell whether a function in `work` is given what is called `name`."""
        return any(
            isinstance(node, cst.Arg) and dotted(node.value) == name
            for node in walk(work, into_scopes=False)
        )

    def _is_instrumented(self) -> bool:
        return any(
            (binding.origin or "").startswith("opentelemetry.instrumentation")
            for scope in self._module.index.scopes.values()
            for bindings in scope.names.values()
            for binding in bindings
        )

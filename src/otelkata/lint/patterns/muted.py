"""Spans that are told to show no exception, and on which nothing else shows one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from otelkata.lint.meaning.arguments import argument, is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted, is_context_manager
from otelkata.lint.patterns.failures import Kind, caught_by
from otelkata.lint.patterns.handlers import calls_in, is_given, raises
from otelkata.lint.patterns.marks import Marks
from otelkata.lint.patterns.opened import OpenSpans
from otelkata.lint.patterns.work import Work
from otelkata.lint.source.walk import walk

_OPTIONS = {
    "Tracer.start_as_current_span": {
        "record_exception": 6,
        "set_status_on_exception": 7,
        "end_on_exit": 8,
    },
    "use_span": {"end_on_exit": 1, "record_exception": 2, "set_status_on_exception": 3},
}
"""Where the options stand when they are given by position."""


@dataclass(frozen=True, slots=True)
class _Inside:
    """Whether a handler or a `finally` of some code shows a failure, and what it hands on."""

    marks: bool
    given: frozenset[str | None]


class Muted:
    """The muted spans of one file."""

    def __init__(self, module: Module) -> None:
        """Look at `module`."""
        self._module = module
        self._asked: dict[cst.CSTNode, _Inside] = {}

    def found(self) -> Iterator[cst.Call]:
        """Yield what opens a span whose failures show nowhere, in the order of the source."""
        for call in self._module.calls(*_OPTIONS):
            item = self._module.parent(call)
            whole = self._module.parent(item) if isinstance(item, cst.WithItem) else None
            if isinstance(whole, cst.With) and isinstance(item, cst.WithItem):
                name = dotted(item.asname.name) if item.asname is not None else None
                if self._is_muted(call) and not self._is_shown(call, whole, name):
                    yield call

    def _kind(self, call: cst.Call) -> str:
        called = self._module.called(call)
        assert called is not None
        return called.kind

    def _is_muted(self, call: cst.Call) -> bool:
        return self._is_off(call, "record_exception") and self._is_off(
            call, "set_status_on_exception"
        )

    def _is_off(self, call: cst.Call, keyword: str) -> bool:
        given = argument(call, keyword, _OPTIONS[self._kind(call)][keyword])
        return given is not None and is_literal(given.value, "False")

    def _is_shown(self, call: cst.Call, whole: cst.With, name: str | None) -> bool:
        """Tell whether somebody else may show a failure, or nothing in the `with` can fail."""
        module = self._module
        if not self._work.beside_spans(whole.body, name):
            return True
        if any(span.shows_failures for span in self._spans.within(whole.body)):
            return True
        # The current span is for anybody to mark, and a context manager has others work inside.
        if next(module.calls("get_current_span"), None) is not None:
            return True
        if is_context_manager(module.function(call)) or self._hides(whole.body):
            return True
        where = self._reach(call, whole)
        if where is None:
            return True
        inside = self._inside(where)
        return inside.marks or not inside.given.isdisjoint({name, self._used(call)})

    def _reach(self, call: cst.Call, whole: cst.With) -> cst.CSTNode | None:
        """Return where the span can be marked: in the `with`, or as long as it is not ended.

        None where that may be anywhere: the span goes on, and is another function's.
        """
        kind = self._kind(call)
        given = argument(call, "end_on_exit", _OPTIONS[kind]["end_on_exit"])
        if kind != "use_span" if given is None else is_literal(given.value, "True"):
            return whole.body
        body = self._module.body_of(call)
        used = self._used(call)
        if kind == "use_span" and used is not None:
            bindings = self._module.scope(call).lookup(used)
            values = [binding.value for binding in bindings if not binding.is_parameter]
            if not values or any(
                value is None or self._module.body_of(value) is not body for value in values
            ):
                return None
        return body

    def _used(self, call: cst.Call) -> str | None:
        given = argument(call, "span", 0) if self._kind(call) == "use_span" else None
        return dotted(given.value) if given is not None else None

    def _hides(self, body: cst.BaseSuite) -> bool:
        """Tell whether a handler lets no exception out: that hides it, whatever the span does."""
        return any(
            isinstance(node, cst.ExceptHandler)
            and caught_by(self._module, node).kind is Kind.ANY
            and not raises(node.body)
            for node in walk(body, into_scopes=False)
        )

    def _inside(self, where: cst.CSTNode) -> _Inside:
        if where not in self._asked:
            marks = any(
                self._marks.shows(call)
                for node in walk(where)
                if isinstance(node, cst.ExceptHandler | cst.ExceptStarHandler | cst.Finally)
                for call in calls_in(node)
            )
            given = frozenset(
                dotted(node)
                for node in walk(where)
                if isinstance(node, cst.Name | cst.Attribute)
                and is_given(self._module, node, whole=True)
                and not self._is_made_current(node)
            )
            self._asked[where] = _Inside(marks, given - {None})
        return self._asked[where]

    def _is_made_current(self, node: cst.CSTNode) -> bool:
        arg = self._module.parent(node)
        call = self._module.parent(arg) if isinstance(arg, cst.Arg) else None
        called = self._module.called(call) if isinstance(call, cst.Call) else None
        return called is not None and called.kind == "use_span"

    @cached_property
    def _marks(self) -> Marks:
        return Marks(self._module)

    @cached_property
    def _spans(self) -> OpenSpans:
        return OpenSpans(self._module)

    @cached_property
    def _work(self) -> Work:
        return Work(self._module)

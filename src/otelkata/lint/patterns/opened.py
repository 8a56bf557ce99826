"""Which spans are open where a statement stands, within its function."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from otelkata.lint.finding import Place
from otelkata.lint.meaning.arguments import argument, is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.names import FOREIGN, MANAGER
from otelkata.lint.meaning.scopes import dotted, last_name
from otelkata.lint.source.walk import walk

_KINDS = frozenset({"CLIENT", "CONSUMER", "INTERNAL", "PRODUCER", "SERVER"})
_STARTS = ("Tracer.start_span", "Tracer.start_as_current_span", "use_span")


@dataclass(frozen=True, slots=True)
class Open:
    """A span that is open.

    `node` opens it, `name` is what it is called here (None if nothing), `kind` the name of its
    `SpanKind` (None if this file does not say). `records` and `marks` say what becomes of an
    exception that leaves it: recorded, and made the status. `certain` is False where only a name
    tells that it is a span.
    """

    node: cst.CSTNode
    name: str | None
    kind: str | None
    records: bool = True
    marks: bool = True
    certain: bool = True

    @property
    def shows_failures(self) -> bool:
        """Tell whether an exception that leaves the span shows on it."""
        return self.records or self.marks

    @property
    def is_of_a_request(self) -> bool:
        """Tell whether the span stands for a request or message, of which it shows the outcome."""
        return self.kind not in {None, "INTERNAL"}


class OpenSpans:
    """The spans of a file, by where they are open."""

    def __init__(self, module: Module) -> None:
        """Find what is assigned; what `with` opens is found from the inside."""
        self._module = module
        self._assigned: dict[cst.CSTNode, list[tuple[Place, int, Open]]] = defaultdict(list)
        self._last_ends: dict[tuple[cst.CSTNode | None, str], int] = {}
        for call in module.index.calls:
            name = dotted(call.func) or ""
            if name.endswith(".end"):
                key = module.body_of(call), name.removesuffix(".end")
                line = module.place(call).line
                self._last_ends[key] = max(line, self._last_ends.get(key, 0))
        for call in module.calls("Tracer.start_span"):
            self._assign(call, call, records=False)
        for call in module.index.calls:
            if last_name(call) in {"enter_context", "enter_async_context"} and call.args:
                entered = call.args[0].value
                known = module.known(entered)
                if isinstance(entered, cst.Call) and known and known.kind == MANAGER:
                    self._assign(call, entered, records=True)

    def around(self, node: cst.CSTNode, *, inside: cst.CSTNode | None = None) -> Iterator[Open]:
        """Yield the spans that are open at `node`, the innermost first.

        `inside` is a block in which those that are started count, too: the body of a `try` for its
        handlers.
        """
        if inside is not None:
            last = self._module.place(inside)
            yield from self._in_block(inside, last.end_line + 1, last.end_line + 1)
        line = self._module.place(node).line
        below = node
        for above in self._module.ancestors(node):
            match above:
                case cst.With():
                    yield from self._entered(above, below)
                case cst.IndentedBlock() | cst.Module():
                    yield from self._in_block(above, self._module.place(below).line, line)
                case cst.FunctionDef():
                    yield from self._decorated(above)
                    break
            below = above

    def within(self, body: cst.CSTNode) -> Iterator[Open]:
        """Yield the spans that `with` opens in `body`."""
        for node in walk(body, into_scopes=False):
            if isinstance(node, cst.With):
                yield from self._entered(node, node.body)

    def opened_by(self, function: cst.FunctionDef) -> cst.Call | None:
        """Return the first call in `function` that starts or enters a span."""
        for node in walk(function.body, into_scopes=False):
            if isinstance(node, cst.Call):
                called = self._module.called(node)
                if called is not None and called.kind in _STARTS:
                    return node
        return None

    def _assign(self, call: cst.Call, start: cst.Call, *, records: bool) -> None:
        statement = self._module.statement(call)
        name = None
        if isinstance(statement, cst.Assign):
            name = dotted(statement.targets[0].target)
        elif isinstance(statement, cst.AnnAssign):
            name = dotted(statement.target)
        if statement is None or (name is None and not records):
            return
        line = self._module.parent(statement)
        block = self._module.parent(line) if line is not None else None
        if line is None or block is None:
            return
        known = self._module.called(start)
        certain = known is not None and known.certain
        span = Open(call, name, self.kind(start), records, records, certain)
        if records:
            span = _with_options(span, start)
        last = self._last_ends.get((self._module.body_of(call), name or ""), 0)
        until = sys.maxsize if records else last
        self._assigned[block].append((self._module.place(line), until, span))

    def _in_block(self, block: cst.CSTNode, before: int, until: int) -> Iterator[Open]:
        """Yield what is started in a block before one line, and not ended before another."""
        seen = set()
        for place, last, span in reversed(self._assigned.get(block, ())):
            if place.line < before and until <= last and span.name not in seen:
                seen.add(span.name)
                yield span

    def _entered(self, statement: cst.With, below: cst.CSTNode) -> Iterator[Open]:
        """Yield the spans of a `with` that are open at its body, or at one of its items."""
        items = list(statement.items)
        if below is not statement.body:
            items = items[: items.index(below)] if isinstance(below, cst.WithItem) else []
        for item in reversed(items):
            span = self._of_item(item)
            if span is not None:
                yield span

    def _of_item(self, item: cst.WithItem) -> Open | None:
        module = self._module
        node = item.item
        name = dotted(item.asname.name) if item.asname is not None else None
        known = module.known(node)
        if known is not None and known.kind in {MANAGER, "Span"}:
            call = node if isinstance(node, cst.Call) else None
            if known.kind == "Span" and name is None:
                name = dotted(node)
            span = Open(node, name, self.kind(call) if call else None, certain=known.certain)
            if call is None:
                return span
            called = module.called(call)
            if called is not None and called.kind == "use_span" and call.args:
                span = replace(span, name=name or dotted(call.args[0].value), kind=None)
            return _with_options(span, call)
        return self._of_own_manager(node, name) if isinstance(node, cst.Call) else None

    def _of_own_manager(self, call: cst.Call, name: str | None) -> Open | None:
        """Look into a context manager of this file; take another by its name for what it is."""
        module = self._module
        function = module.definition(call)
        if function is not None:
            start = self.opened_by(function)
            return Open(call, name, self.kind(start)) if start is not None else None
        called = last_name(call) or ""
        origin = (module.origin(call.func) or "").split(".")[0]
        if name is None or "span" not in called.split("_") or origin in FOREIGN:
            return None
        return Open(call, name, None, certain=False) if module.imports_opentelemetry else None

    def _decorated(self, function: cst.FunctionDef) -> Iterator[Open]:
        for item in function.decorators:
            call = item.decorator
            called = self._module.called(call) if isinstance(call, cst.Call) else None
            if isinstance(call, cst.Call) and called and called.kind.endswith("current_span"):
                span = Open(call, None, self.kind(call), certain=called.certain)
                yield _with_options(span, call)

    def kind(self, call: cst.Call) -> str | None:
        """Return the kind that a call gives to its span; None if it cannot be told."""
        if any(arg.star for arg in call.args):
            return None
        given = argument(call, "kind", 2)
        if given is None:
            return "INTERNAL"
        name = last_name(given.value)
        return name if name in _KINDS else None


def _with_options(span: Open, call: cst.Call) -> Open:
    return replace(
        span,
        records=not _is_off(call, "record_exception"),
        marks=not _is_off(call, "set_status_on_exception"),
    )


def _is_off(call: cst.Call, keyword: str) -> bool:
    given = argument(call, keyword)
    return given is not None and is_literal(given.value, "False")

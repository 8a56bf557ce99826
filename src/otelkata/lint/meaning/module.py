"""One parsed file, and what it knows: which names are tracers, spans, contexts, providers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import libcst as cst

from otelkata.lint.finding import Finding, Note, Place
from otelkata.lint.meaning.origins import Origins
from otelkata.lint.meaning.scopes import Index, Scope
from otelkata.lint.meaning.values import Known, Values
from otelkata.lint.options import Options
from otelkata.lint.source.places import Places

if TYPE_CHECKING:
    from otelkata.lint.fixes.change import Change
    from otelkata.lint.fixes.mentions import Mentions
    from otelkata.lint.flow.stories import Story
    from otelkata.lint.patterns.attributes import SpanAttribute
    from otelkata.lint.patterns.starts import Start
    from otelkata.lint.source.glance import Glance

Body: TypeAlias = cst.FunctionDef | cst.Module


class Module:
    """One parsed file."""

    def __init__(
        self,
        tree: cst.Module,
        path: str,
        options: Options | None = None,
        source: bytes | None = None,
        glance: Glance | None = None,
    ) -> None:
        """Index `tree`, which was parsed from `source`; `path` is only a name."""
        self.tree = tree
        self.path = path
        self.options = options or Options()
        self.index = Index(tree)
        self.notes: list[Note] = []
        """What could not be looked at, and so has no finding."""
        self.changes: dict[Finding, Change] = {}
        """What mends the findings that can be mended."""
        self._origins = Origins(self.index)
        self._values = Values(self.index, self._origins)
        self._places = Places(tree, source, glance)

    def give_up(self, body: Body) -> None:
        """Note that some span of `body` is not followed on all paths: they are too many."""
        what, line = "the module", 1
        if isinstance(body, cst.FunctionDef):
            what, line = f"the function {body.name.value}", self.place(body.name).line
        note = Note(line, f"{what} has too many paths to follow all of its spans; split it up")
        if note not in self.notes:
            self.notes.append(note)

    def place(self, node: cst.CSTNode) -> Place:
        """Return where `node` stands."""
        return self._places.of(node, self.ancestors(node))

    def code(self, node: cst.CSTNode) -> str:
        """Return the source of `node`."""
        return self.tree.code_for_node(node)

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return what `node` is a part of."""
        return self.index.parents.get(node)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield what `node` stands in, from the inside to the outside."""
        current = self.index.parents.get(node)
        while current is not None:
            yield current
            current = self.index.parents.get(current)

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | cst.Lambda | None:
        """Return the function in which `node` is evaluated; None at the module's level."""
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, cst.FunctionDef | cst.Lambda):
                return ancestor
        return None

    def body_of(self, node: cst.CSTNode) -> Body | None:
        """Return the function, or the module, whose statements hold `node`; None in a lambda."""
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, cst.FunctionDef | cst.Module):
                return ancestor
            if isinstance(ancestor, cst.Lambda | cst.ClassDef):
                return None
        return None

    def statement(self, node: cst.CSTNode) -> cst.BaseStatement | cst.BaseSmallStatement | None:
        """Return the innermost statement that holds `node`."""
        for candidate in (node, *self.ancestors(node)):
            if isinstance(candidate, cst.BaseStatement | cst.BaseSmallStatement):
                return candidate
        return None

    def scope(self, node: cst.CSTNode) -> Scope:
        """Return the scope in which `node` is evaluated."""
        return self.index.scope_of(node)

    @property
    def imports_opentelemetry(self) -> bool:
        """Tell whether any name of this file comes from OpenTelemetry."""
        return self._origins.imports_opentelemetry

    def calls(self, *names: str) -> Iterator[cst.Call]:
        """Yield the calls of what has one of these canonical names, in the order of the source."""
        wanted = {name.rpartition(".")[2] for name in names}
        for rank in sorted(rank for name in wanted for rank in self._called_by.get(name, ())):
            call = self.index.calls[rank]
            found = self.called(call)
            if found is not None and found.kind in names:
                yield call

    def called(self, call: cst.Call) -> Known | None:
        """Return the canonical name of what `call` calls: `get_tracer`, `Tracer.start_span`, …"""
        return self._values.called(call)

    def origin(self, node: cst.BaseExpression) -> str | None:
        """Return the dotted origin of an imported name; None for what was not imported."""
        return self._origins.origin(node)

    def known(self, node: cst.BaseExpression) -> Known | None:
        """Return what the value of `node` is, as far as this file says; None if it does not."""
        return self._values.known(node)

    def annotated(self, node: cst.BaseExpression) -> Known | None:
        """Return what a type annotation promises: `Span`, `trace.Span | None`, `"Span"`, …"""
        return self._values.annotated(node)

    def definition(self, call: cst.Call) -> cst.FunctionDef | None:
        """Return the function of this file that `call` calls: by its name or on its own object."""
        return self._origins.definition(call)

    @cached_property
    def _called_by(self) -> dict[str, list[int]]:
        """Which of the file's calls are of something that has, or is imported by, a last name."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for rank, call in enumerate(self.index.calls):
            func = call.func
            if isinstance(func, cst.Attribute):
                found[func.attr.value].append(rank)
            elif isinstance(func, cst.Name):
                origin = self.origin(func) or ""
                found[origin.rpartition(".")[2] or func.value].append(rank)
        return found

    @cached_property
    def ranks(self) -> Mapping[cst.CSTNode, int]:
        """Numbers by which the parts of one node compare as they stand in the source."""
        return {node: rank for rank, node in enumerate(self.index.parents)}

    @cached_property
    def mentions(self) -> Mentions:
        """Where each name of the file is mentioned."""
        from otelkata.lint.fixes.mentions import Mentions  # noqa: PLC0415 (only fixes need it)

        return Mentions(self)

    @cached_property
    def starts(self) -> tuple[Start, ...]:
        """Where spans are started, in the order of the source."""
        from otelkata.lint.patterns.starts import starts  # noqa: PLC0415 (it needs this module)

        return tuple(starts(self))

    @cached_property
    def span_attributes(self) -> tuple[SpanAttribute, ...]:
        """The attributes that are set on spans, as far as their names can be read."""
        from otelkata.lint.patterns.attributes import span_attributes  # noqa: PLC0415 (only some rules need it)

        return tuple(span_attributes(self))

    @cached_property
    def stories(self) -> list[Story]:
        """What becomes of each span that is started here, in the order of the source."""
        from otelkata.lint.flow.stories import stories  # noqa: PLC0415 (only a module with spans needs it)

        return stories(self)

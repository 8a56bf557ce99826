"""One parsed file, and what it knows: which names are tracers, spans, contexts, providers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import libcst as cst

from otelkata.lint.finding import Finding, Note, Place
from otelkata.lint.meaning.names import CLASSES, FOREIGN, MANAGER, RESULTS, canonical
from otelkata.lint.meaning.scopes import (
    Binding,
    Index,
    Scope,
    dotted,
    is_context_manager,
    last_name,
)
from otelkata.lint.options import Options
from otelkata.lint.source.places import Places
from otelkata.lint.source.walk import walk

if TYPE_CHECKING:
    from otelkata.lint.fixes.change import Change
    from otelkata.lint.fixes.mentions import Mentions
    from otelkata.lint.flow.stories import Story
    from otelkata.lint.patterns.attributes import SpanAttribute
    from otelkata.lint.patterns.starts import Start
    from otelkata.lint.source.glance import Glance

Body: TypeAlias = cst.FunctionDef | cst.Module

_DEEPEST = 12
"""How many names, calls and helpers are followed one into the other."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a value is.

    `kind` is one of OpenTelemetry's classes, `SpanManager` or `Token`. `certain` is False where
    only its name says so.
    """

    kind: str
    certain: bool = True


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
        self._known: dict[cst.CSTNode, Known | None] = {}
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

    @cached_property
    def imports_opentelemetry(self) -> bool:
        """Tell whether any name of this file comes from OpenTelemetry."""
        return any(
            binding.origin is not None and binding.origin.split(".")[0] == "opentelemetry"
            for scope in self.index.scopes.values()
            for bindings in scope.names.values()
            for binding in bindings
        )

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
        func = call.func
        origin = self.origin(func)
        if origin is not None and origin.split(".")[0] == "opentelemetry":
            name = canonical(origin)
            return Known(name) if name else None
        if isinstance(func, cst.Attribute):
            receiver = self.known(func.value)
            if receiver is not None:
                return Known(f"{receiver.kind}.{func.attr.value}", receiver.certain)
            return self._guessed(func)
        return None

    def origin(self, node: cst.BaseExpression) -> str | None:
        """Return the dotted origin of an imported name; None for what was not imported."""
        name = dotted(node)
        if name is None:
            return None
        first, dot, rest = name.partition(".")
        for binding in self.scope(node).lookup(first):
            if binding.origin is not None:
                return f"{binding.origin}{dot}{rest}"
        return None

    def known(self, node: cst.BaseExpression) -> Known | None:
        """Return what the value of `node` is, as far as this file says; None if it does not."""
        return self._know(node, 0)

    def definition(self, call: cst.Call) -> cst.FunctionDef | None:
        """Return the function of this file that `call` calls: by its name or on its own object."""
        scope = self.scope(call)
        func = call.func
        if isinstance(func, cst.Name):
            found = scope.lookup(func.value)
        elif isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name):
            owner = self._owner(func.value, scope)
            found = owner.names.get(func.attr.value, []) if owner is not None else []
        else:
            return None
        functions = [item.defined for item in found if isinstance(item.defined, cst.FunctionDef)]
        return functions[0] if len(functions) == len(found) == 1 else None

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

    def _know(self, node: cst.BaseExpression, depth: int) -> Known | None:
        if node in self._known:
            return self._known[node]
        if depth > _DEEPEST:
            return None
        # What is defined by itself is nothing known.
        self._known[node] = None
        self._known[node] = self._by_form(node, depth + 1)
        return self._known[node]

    def _by_form(self, node: cst.BaseExpression, depth: int) -> Known | None:
        match node:
            case cst.Call():
                found = self._of_call(node, depth)
            case cst.Name():
                found = self._of_bindings(self.scope(node).lookup(node.value), depth)
            case cst.Attribute():
                found = self._of_attribute(node, depth)
            case cst.Await():
                found = self._know(node.expression, depth)
            case cst.NamedExpr():
                found = self._know(node.value, depth)
            case cst.IfExp():
                found = self._know(node.body, depth) or self._know(node.orelse, depth)
            case cst.BooleanOperation():
                found = self._know(node.left, depth) or self._know(node.right, depth)
            case _:
                found = None
        return found

    def _of_call(self, call: cst.Call, depth: int) -> Known | None:
        called = self._called_at(call, depth)
        if called is not None:
            if called.kind in CLASSES:
                return called
            result = RESULTS.get(called.kind)
            if result is not None:
                return replace(called, kind=result)
        name = last_name(call.func)
        if name == "cast" and len(call.args) == 2:
            return self.annotated(call.args[0].value) or self._know(call.args[1].value, depth)
        if name in {"enter_context", "enter_async_context"} and call.args:
            return self._entered(self._know(call.args[0].value, depth))
        return self._of_own_call(call, depth)

    def _called_at(self, call: cst.Call, depth: int) -> Known | None:
        """Do what `called` does, without following names for ever."""
        func = call.func
        if isinstance(func, cst.Attribute) and self.origin(func) is None:
            receiver = self._know(func.value, depth)
            if receiver is not None:
                return Known(f"{receiver.kind}.{func.attr.value}", receiver.certain)
            return self._guessed(func)
        return self.called(call)

    def _of_own_call(self, call: cst.Call, depth: int) -> Known | None:
        """Return what a function or class of this file gives."""
        function = self.definition(call)
        if function is not None:
            return self._of_function(function, depth)
        if isinstance(call.func, cst.Name):
            for binding in self.scope(call).lookup(call.func.value):
                if isinstance(binding.defined, cst.ClassDef):
                    return self._of_class(binding.defined)
        return None

    def _of_function(self, function: cst.FunctionDef, depth: int) -> Known | None:
        if is_context_manager(function):
            return None
        if function.returns is not None:
            found = self.annotated(function.returns.annotation)
            if found is not None:
                return found
        for node in walk(function.body, into_scopes=False):
            if isinstance(node, cst.Return) and node.value is not None:
                found = self._know(node.value, depth)
                if found is not None:
                    return found
        return None

    def _of_class(self, node: cst.ClassDef) -> Known | None:
        for base in node.bases:
            found = self.annotated(base.value)
            if found is not None:
                return found
        return None

    def _of_bindings(self, bindings: list[Binding], depth: int) -> Known | None:
        for binding in bindings:
            found = self._of_binding(binding, depth)
            if found is not None:
                return found
        return None

    def _of_binding(self, binding: Binding, depth: int) -> Known | None:
        if binding.annotation is not None:
            found = self.annotated(binding.annotation)
            if found is not None:
                return found
        if binding.value is None:
            return None
        value = self._know(binding.value, depth)
        return self._entered(value) if binding.entered else value

    def _entered(self, value: Known | None) -> Known | None:
        """Return what entering a context manager gives: a span gives itself."""
        return replace(value, kind="Span") if value and value.kind in {MANAGER, "Span"} else None

    def _of_attribute(self, node: cst.Attribute, depth: int) -> Known | None:
        origin = self.origin(node)
        if origin is not None:
            return None
        owner = self._owner(node.value, self.scope(node))
        if owner is not None:
            name = node.attr.value
            found = self._of_bindings(
                [*owner.attributes.get(name, []), *owner.names.get(name, [])], depth
            )
            if found is not None:
                return found
            return self._of_property(owner, name, depth)
        return None

    def _of_property(self, owner: Scope, name: str, depth: int) -> Known | None:
        for binding in owner.names.get(name, []):
            if isinstance(binding.defined, cst.FunctionDef) and any(
                last_name(item.decorator) in {"property", "cached_property"}
                for item in binding.defined.decorators
            ):
                return self._of_function(binding.defined, depth)
        return None

    def _owner(self, node: cst.BaseExpression, scope: Scope) -> Scope | None:
        """Return the class whose object `node` names: `self`, or the class itself."""
        if not isinstance(node, cst.Name):
            return None
        if node.value == scope.object_name():
            return scope.class_scope()
        for binding in scope.lookup(node.value):
            if isinstance(binding.defined, cst.ClassDef):
                return self.index.scopes.get(binding.defined)
        return None

    def annotated(self, node: cst.BaseExpression) -> Known | None:
        """Return what a type annotation promises: `Span`, `trace.Span | None`, `"Span"`, …"""
        match node:
            case cst.Name() | cst.Attribute():
                return self._of_type(node)
            case cst.Subscript():
                if last_name(node.value) not in {"Optional", "Annotated", "Union", "Final"}:
                    return None
                indices = [
                    item.slice.value for item in node.slice if isinstance(item.slice, cst.Index)
                ]
                return next(filter(None, map(self.annotated, indices)), None)
            case cst.BinaryOperation(operator=cst.BitOr()):
                return self.annotated(node.left) or self.annotated(node.right)
            case cst.SimpleString():
                return self._of_quoted(node)
            case _:
                return None

    def _of_type(self, node: cst.BaseExpression) -> Known | None:
        origin = self.origin(node)
        if origin is not None:
            name = canonical(origin)
            return Known(name) if name in CLASSES else None
        if isinstance(node, cst.Name):
            for binding in self.scope(node).lookup(node.value):
                if isinstance(binding.defined, cst.ClassDef):
                    return self._of_class(binding.defined)
        return None

    def _of_quoted(self, node: cst.SimpleString) -> Known | None:
        text = str(node.evaluated_value)
        for part in text.replace("Optional[", "").replace("]", "").split("|"):
            first, dot, rest = part.strip().partition(".")
            for binding in self.scope(node).lookup(first):
                name = canonical(f"{binding.origin}{dot}{rest}") if binding.origin else None
                if name in CLASSES:
                    return Known(name)
        return None

    def _guessed(self, func: cst.Attribute) -> Known | None:
        """Take what is called a tracer for one, where nothing says that it is another's.

        Most projects import their tracer from a module of their own, which this file cannot see.
        """
        method = func.attr.value
        if method not in {"start_span", "start_as_current_span"}:
            return None
        name = last_name(func.value)
        if name is None or not self.imports_opentelemetry or not name.lower().endswith("tracer"):
            return None
        if self._is_another(func.value):
            return None
        return Known(f"Tracer.{method}", certain=False)

    def _is_another(self, node: cst.BaseExpression) -> bool:
        """Tell whether `node` is known to be something else than OpenTelemetry's."""
        first = dotted(node)
        if first is None:
            return True
        for binding in self.scope(node).lookup(first.partition(".")[0]):
            if binding.origin is not None:
                return binding.origin.split(".")[0] in FOREIGN
            if isinstance(binding.defined, cst.ClassDef):
                return True
        values = self._assigned(node)
        return any(self._is_made_here_or_foreign(value) for value in values)

    def _assigned(self, node: cst.BaseExpression) -> list[cst.BaseExpression]:
        scope = self.scope(node)
        bindings: list[Binding] = []
        if isinstance(node, cst.Name):
            bindings = scope.lookup(node.value)
        elif isinstance(node, cst.Attribute):
            owner = self._owner(node.value, scope)
            if owner is not None:
                name = node.attr.value
                bindings = [*owner.attributes.get(name, []), *owner.names.get(name, [])]
        found = [item.value for item in bindings if item.value is not None]
        return found + [item.annotation for item in bindings if item.annotation is not None]

    def _is_made_here_or_foreign(self, value: cst.BaseExpression) -> bool:
        """Tell whether a tracer is an object of a class of this file, or of somebody else's."""
        target = value.func if isinstance(value, cst.Call) else value
        origin = self.origin(target)
        if origin is not None:
            return origin.split(".")[0] != "opentelemetry" and (
                origin.split(".")[0] in FOREIGN or isinstance(value, cst.Call)
            )
        if isinstance(target, cst.Name):
            return any(
                isinstance(item.defined, cst.ClassDef)
                for item in self.scope(target).lookup(target.value)
            )
        return False


def argument(call: cst.Call, keyword: str, position: int | None = None) -> cst.Arg | None:
    """Return the argument that `call` gives by `keyword`, or at `position`; None if it does not."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == keyword:
            return arg
    if position is None:
        return None
    for index, arg in enumerate(call.args):
        if arg.keyword is not None or arg.star:
            return None
        if index == position:
            return arg
    return None


def text_of(node: cst.BaseExpression) -> str | None:
    """Return the value of a literal string; None if `node` is something else."""
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def is_literal(node: cst.BaseExpression, name: str) -> bool:
    """Tell whether `node` is the constant `name`: True, False or None."""
    return isinstance(node, cst.Name) and node.value == name

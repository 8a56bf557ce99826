"""What a piece of code does to a span that a name holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

import libcst as cst

from otelkata.lint.flow.calls import LOGGING
from otelkata.lint.flow.harmless import is_generator
from otelkata.lint.flow.naming import Naming, is_of_comprehension
from otelkata.lint.meaning.arguments import argument, is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.names import SPAN_METHODS, SPAN_USES
from otelkata.lint.meaning.scopes import dotted, is_context_manager, last_name
from otelkata.lint.meaning.values import Known
from otelkata.lint.source.walk import SCOPES, walk


class Deed(Enum):
    """What is done to a span."""

    END = "ended"
    MANAGE = "managed"
    RETURN = "returned"
    STORE = "stored"
    PASS = "passed"  # noqa: S105 (no password)
    CAPTURE = "captured"
    ENTER = "entered"
    ALIAS = "named again"
    REBIND = "bound again"
    USE = "used"
    BORROW = "looked at"


@dataclass(frozen=True, slots=True)
class Effect:
    """One deed at one place, that is a call where the span is used or ended.

    `names` are those that the span is given, or that are bound to something else.
    """

    deed: Deed
    node: cst.CSTNode
    names: frozenset[str] = frozenset()


_BORROWERS = frozenset(
    {
        "bool",
        "get_span_context",
        "getattr",
        "hasattr",
        "id",
        "isinstance",
        "len",
        "print",
        "repr",
        "set_span_in_context",
        "str",
        "type",
        "vars",
    }
)
_READERS = (
    cst.BinaryOperation,
    cst.Comparison,
    cst.FormattedStringExpression,
    cst.IfExp,
    cst.Subscript,
    cst.UnaryOperation,
)
"""What makes something else of a value, or nothing."""
_PACKED = (cst.Element, cst.StarredElement, cst.Tuple, cst.List)
_ONLY_READ = frozenset({Deed.BORROW, Deed.USE, Deed.REBIND, Deed.ALIAS})
ParameterFate = Callable[[cst.FunctionDef, str], Deed]


class Effects:
    """Reads what statements do to names of spans."""

    def __init__(self, module: Module, fate: ParameterFate) -> None:
        """Look up in `module`; `fate` tells what a function of it does to a parameter."""
        self._module = module
        self._fate = fate
        self._named: dict[tuple[int, bool], Naming] = {}
        self._made: dict[int, list[cst.CSTNode]] = {}

    def of(self, part: cst.CSTNode, names: frozenset[str]) -> list[Effect]:
        """Return what evaluating `part` does to the span that `names` hold.

        A name that is bound is lost before it is found again as an alias: `span = span`.
        """
        found = [self.of_mention(node) for node in self._mentions(part, names)]
        return [*found, *self._captures(part, names)]

    def of_leaving(
        self, item: cst.WithItem, names: frozenset[str], start: cst.CSTNode | None
    ) -> list[Effect]:
        """Return what the end of a `with` does to the span that `names` hold since `start`."""
        manager = item.item
        while isinstance(manager, cst.NamedExpr):
            manager = manager.value
        if isinstance(manager, cst.Call):
            if not self.ends_on_exit(manager):
                return []
            ends = item is start or any(dotted(arg.value) in names for arg in manager.args)
        else:
            ends = dotted(manager) in names
        return [Effect(Deed.END, item)] if ends else []

    def ends_on_exit(self, call: cst.Call) -> bool:
        """Tell whether the context manager that `call` makes ends its span when it is left."""
        use = last_name(call) == "use_span"
        ends = argument(call, "end_on_exit", 1 if use else None)
        if ends is None:
            return not use
        return not is_literal(ends.value, "False")

    def captures(self, scopes: Iterable[cst.CSTNode], names: frozenset[str]) -> bool:
        """Tell whether a function inside may become the owner of what `names` hold."""
        return any(
            effect.deed is Deed.CAPTURE
            for scope in scopes
            for effect in self._captures(scope, names)
        )

    def _mentions(self, part: cst.CSTNode, names: frozenset[str]) -> Iterator[cst.BaseExpression]:
        if isinstance(part, SCOPES):
            return
        for node in self._naming(part).of(names):
            if self._is_variable(node):
                yield node

    def _captures(self, part: cst.CSTNode, names: frozenset[str]) -> Iterator[Effect]:
        """Yield what functions made in `part` will do when they are called."""
        for scope in self._scopes(part):
            for node in self._naming(scope, into_scopes=True).of(names):
                if not self._is_variable(node):
                    continue
                if isinstance(self._module.parent(node), cst.Param):
                    # As the default of a parameter it is kept until the function is called.
                    yield Effect(Deed.CAPTURE, node)
                elif not self._is_shadowed(node, scope):
                    owns = self.of_mention(node).deed not in _ONLY_READ
                    yield Effect(Deed.CAPTURE if owns else Deed.BORROW, node)

    def _scopes(self, part: cst.CSTNode) -> list[cst.CSTNode]:
        if id(part) not in self._made:
            # What a function makes inside is looked at with it, which knows its names.
            walked = [part] if isinstance(part, SCOPES) else walk(part, into_scopes=False)
            self._made[id(part)] = [node for node in walked if isinstance(node, SCOPES)]
        return self._made[id(part)]

    def _naming(self, part: cst.CSTNode, *, into_scopes: bool = False) -> Naming:
        """Return which names `part` mentions: read once, asked for each span."""
        key = (id(part), into_scopes)
        if key not in self._named:
            self._named[key] = Naming(part, into_scopes=into_scopes)
        return self._named[key]

    def _is_shadowed(self, node: cst.CSTNode, outermost: cst.CSTNode) -> bool:
        """Tell whether a function between `node` and `outermost` has a name of its own for it."""
        name = (dotted(node) or "").partition(".")[0]  # type: ignore[arg-type]
        scope = self._module.scope(node)
        while name not in scope.names or name in scope.elsewhere:
            if scope.node is outermost or scope.parent is None:
                return False
            scope = scope.parent
        return not scope.is_class

    def _is_variable(self, node: cst.BaseExpression) -> bool:
        """Tell whether a name is read or bound, and not that of an attribute or a keyword."""
        match self._module.parent(node):
            case cst.Attribute(attr=label) | cst.Arg(keyword=label) | cst.Param(name=label):
                is_label = label is node
            case _:
                is_label = False
        return not is_label and not is_of_comprehension(self._module, node)

    def of_mention(self, node: cst.BaseExpression) -> Effect:
        """Return what happens to the span at one place where it is named or made."""
        names: frozenset[str] = frozenset()
        inside = node
        for parent in self._module.ancestors(node):
            deed = self._by_parent(inside, parent)
            if deed is Deed.ALIAS:
                # What `:=` names goes on to what is around it.
                names |= _targets(parent)
            elif deed is not None:
                return self._effect(deed, node, parent, names)
            if isinstance(parent, cst.BaseStatement | cst.BaseSmallStatement):
                break
            if isinstance(parent, cst.BaseExpression):
                inside = parent
        return Effect(Deed.ALIAS if names else Deed.BORROW, node, names)

    def _effect(
        self, deed: Deed, node: cst.BaseExpression, parent: cst.CSTNode, names: frozenset[str]
    ) -> Effect:
        """Return the effect of a deed of `parent` on what got `names` on the way there."""
        if deed is Deed.REBIND:
            return Effect(deed, node, frozenset({dotted(node) or ""}))
        if deed in _ONLY_READ and names:
            return Effect(Deed.ALIAS, node, names)
        call = self._module.parent(parent) if deed in {Deed.END, Deed.USE} else None
        return Effect(deed, call or node)

    def _by_parent(self, inside: cst.BaseExpression, parent: cst.CSTNode) -> Deed | None:
        """Return the deed of `parent`; None where `inside` is only handed up to what is around."""
        match parent:
            case cst.Attribute():
                found: Deed | None = self._of_attribute(parent)
            case cst.Arg():
                found = self._of_argument(parent)
            case cst.WithItem():
                found = Deed.MANAGE
            case cst.Assign() | cst.AnnAssign() | cst.NamedExpr():
                found = self._of_assignment(inside, parent)
            case cst.Return() | cst.Lambda() | cst.Yield():
                found = self._of_result(parent)
            case cst.AssignTarget() | cst.Del() | cst.AsName() | cst.For() | cst.CompFor():
                found = self._of_binding(inside, parent)
            case _:
                found = self._of_expression(inside, parent)
        return found

    def _of_result(self, parent: cst.CSTNode) -> Deed:
        # Whoever enters a context manager borrows what it yields.
        lent = isinstance(parent, cst.Yield) and is_context_manager(self._module.function(parent))
        return Deed.BORROW if lent else Deed.RETURN

    def _of_binding(self, inside: cst.CSTNode, parent: cst.CSTNode) -> Deed:
        if isinstance(parent, cst.AsName):
            return Deed.BORROW if self._is_same(parent) else Deed.REBIND
        iterated = isinstance(parent, cst.For | cst.CompFor) and inside is not parent.target
        return Deed.BORROW if iterated else Deed.REBIND

    def _of_expression(self, inside: cst.BaseExpression, parent: cst.CSTNode) -> Deed | None:
        match parent:
            case cst.Element() | cst.StarredElement() | cst.DictElement():
                return self._of_element(parent)
            case cst.ListComp() | cst.GeneratorExp() | cst.SetComp() | cst.DictComp():
                return Deed.STORE
            case cst.IfExp() if inside is not parent.test:
                return None
            case _:
                return Deed.BORROW if isinstance(parent, _READERS) else None

    def _of_element(self, parent: cst.CSTNode) -> Deed:
        """Follow an element of a tuple that is taken apart or returned; else it is stored."""
        inside = parent
        for above in self._module.ancestors(parent):
            if not isinstance(above, _PACKED):
                break
            inside = above
        if isinstance(above, cst.AssignTarget | cst.AsName | cst.Del) or (
            isinstance(above, cst.For) and above.target is inside
        ):
            return Deed.REBIND
        if isinstance(above, cst.Return | cst.Yield) and self._module.parent(parent) is inside:
            return self._of_result(above)
        return Deed.STORE

    def _of_attribute(self, node: cst.Attribute) -> Deed:
        name = node.attr.value
        call = self._module.parent(node)
        if not (isinstance(call, cst.Call) and call.func is node):
            # `span.end` without a call is a promise to call it later, unless it is dropped.
            kept = name == "end" and not isinstance(call, cst.Expr)
            return Deed.CAPTURE if kept else Deed.BORROW
        if name in {"end", "__exit__"}:
            return Deed.END
        if name == "__enter__":
            return Deed.ENTER
        return Deed.USE if name in SPAN_USES else Deed.BORROW

    def _of_argument(self, arg: cst.Arg) -> Deed | None:
        call = self._module.parent(arg)
        if not isinstance(call, cst.Call):
            return Deed.PASS
        name = last_name(call) or ""
        if name == "cast":
            return None
        known = self._module.called(call)
        if name == "detach" or (dotted(call.func) or name) in self._module.options.end_signatures:
            return Deed.END
        if name == "use_span" and known is not None:
            return self._of_use_span(call)
        return Deed.BORROW if _only_reads(call, name, known) else self._in_callee(call, arg)

    def _is_same(self, parent: cst.AsName) -> bool:
        """Tell whether a `with` gives back the span that it was given: `use_span(span) as span`."""
        item = self._module.parent(parent)
        call = item.item if isinstance(item, cst.WithItem) else None
        return isinstance(call, cst.Call) and any(
            dotted(arg.value) == dotted(parent.name) for arg in call.args
        )

    def _of_use_span(self, call: cst.Call) -> Deed:
        if not self.ends_on_exit(call):
            return Deed.BORROW
        return Deed.MANAGE if isinstance(self._module.parent(call), cst.WithItem) else Deed.PASS

    def _in_callee(self, call: cst.Call, arg: cst.Arg) -> Deed:
        """Return what a function of this file does with the span; of others nothing is known."""
        function = self._module.definition(call)
        if function is None or is_generator(function):
            return Deed.PASS
        name = parameter_of(function, call, arg)
        return Deed.PASS if name is None else self._fate(function, name)

    def _of_assignment(
        self, inside: cst.BaseExpression, parent: cst.Assign | cst.AnnAssign | cst.NamedExpr
    ) -> Deed:
        if not isinstance(parent, cst.Assign) and inside is parent.target:
            return Deed.REBIND
        elsewhere = self._module.scope(parent).elsewhere
        kept = any("." in name or name in elsewhere for name in _targets(parent))
        return Deed.STORE if kept else Deed.ALIAS


def _targets(node: cst.CSTNode) -> frozenset[str]:
    """Return the names to which an assignment gives its value as it is; `.` for a subscript."""
    if isinstance(node, cst.Assign):
        return frozenset(dotted(item.target) or "." for item in node.targets)
    assert isinstance(node, cst.AnnAssign | cst.NamedExpr)
    return frozenset({dotted(node.target) or "."})


def _only_reads(call: cst.Call, name: str, known: Known | None) -> bool:
    if name in _BORROWERS or (name in LOGGING and isinstance(call.func, cst.Attribute)):
        return True
    return known is not None and known.kind.partition(".")[2] in SPAN_METHODS


def parameter_of(function: cst.FunctionDef, call: cst.Call, arg: cst.Arg) -> str | None:
    """Return the name of the parameter that gets `arg`; None where that is not plain."""
    if arg.star or any(item.star for item in call.args):
        return None
    if arg.keyword is not None:
        return arg.keyword.value
    names = [item.name.value for item in (*function.params.posonly_params, *function.params.params)]
    is_method = isinstance(call.func, cst.Attribute)
    static = any(
        isinstance(item.decorator, cst.Name) and item.decorator.value == "staticmethod"
        for item in function.decorators
    )
    position = list(call.args).index(arg) + (1 if is_method and not static else 0)
    return names[position] if position < len(names) else None

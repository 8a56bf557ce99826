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
    """One deed at one place; `name` is the new name of an alias."""

    deed: Deed
    node: cst.CSTNode
    name: str = ""


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
    cst.Expr,
    cst.FormattedStringExpression,
    cst.IfExp,
    cst.Subscript,
    cst.UnaryOperation,
)
"""What makes something else of a value, or nothing."""
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
        """Return what evaluating `part` does to the span that `names` hold, in order.

        A value is evaluated before it is bound, and so bindings come last.
        """
        first: list[Effect] = []
        last: list[Effect] = []
        for node in self._mentions(part, names):
            effect = self.of_mention(node)
            (last if effect.deed is Deed.REBIND else first).append(effect)
        renamed = {effect.name for effect in first if effect.deed is Deed.ALIAS}
        first += [effect for effect in last if self._name(effect.node) not in renamed]
        return [*first, *self._captures(part, names)]

    def of_leaving(
        self, item: cst.WithItem, names: frozenset[str], start: cst.CSTNode | None
    ) -> list[Effect]:
        """Return what the end of a `with` does to the span that `names` hold since `start`."""
        manager = item.item
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
            self._made[id(part)] = [
                node for node in walk(part, into_scopes=False) if isinstance(node, SCOPES)
            ]
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

    def _name(self, node: cst.CSTNode) -> str:
        return dotted(node) or "" if isinstance(node, cst.BaseExpression) else ""

    def _is_variable(self, node: cst.BaseExpression) -> bool:
        """Tell whether a name is read or bound, and not that of an attribute or a keyword."""
        match parent := self._module.parent(node):
            case cst.Attribute() if isinstance(node, cst.Name):
                return parent.value is node
            case cst.Arg():
                return parent.keyword is not node
            case cst.Param():
                return parent.default is node
            case cst.NameItem():
                return False
        return not is_of_comprehension(self._module, node)

    def of_mention(self, node: cst.BaseExpression) -> Effect:
        """Return what happens to the span at one place where it is named or made."""
        inside = node
        for parent in self._module.ancestors(node):
            found = self._by_parent(inside, parent)
            if found is not None:
                return found
            if isinstance(parent, cst.BaseExpression):
                inside = parent
            if isinstance(parent, cst.BaseStatement | cst.BaseSmallStatement):
                break
        return Effect(Deed.BORROW, node)

    def _by_parent(self, inside: cst.BaseExpression, parent: cst.CSTNode) -> Effect | None:
        """Return the deed of `parent`; None where `inside` is only handed up to what is around."""
        match parent:
            case cst.Attribute():
                found: Effect | None = self._of_attribute(parent)
            case cst.Arg():
                found = self._of_argument(inside, parent)
            case cst.WithItem():
                found = Effect(Deed.MANAGE, inside)
            case cst.Assign() | cst.AnnAssign() | cst.NamedExpr():
                found = self._of_assignment(inside, parent)
            case cst.Return() | cst.Lambda() | cst.Yield():
                found = self._of_result(inside, parent)
            case cst.AssignTarget() | cst.Del() | cst.AsName() | cst.For() | cst.CompFor():
                found = self._of_binding(inside, parent)
            case _:
                found = self._of_expression(inside, parent)
        return found

    def _of_result(self, inside: cst.BaseExpression, parent: cst.CSTNode) -> Effect:
        # Whoever enters a context manager borrows what it yields.
        lent = isinstance(parent, cst.Yield) and is_context_manager(self._module.function(parent))
        return Effect(Deed.BORROW if lent else Deed.RETURN, inside)

    def _of_binding(self, inside: cst.BaseExpression, parent: cst.CSTNode) -> Effect:
        kept = (isinstance(parent, cst.AsName) and self._is_same(parent)) or (
            isinstance(parent, cst.For | cst.CompFor) and inside is not parent.target
        )
        return Effect(Deed.BORROW if kept else Deed.REBIND, inside)

    def _of_expression(self, inside: cst.BaseExpression, parent: cst.CSTNode) -> Effect | None:
        match parent:
            case cst.Element() | cst.StarredElement() | cst.DictElement():
                return self._of_element(parent)
            case cst.ListComp() | cst.GeneratorExp() | cst.SetComp() | cst.DictComp():
                return Effect(Deed.STORE, inside)
            case cst.IfExp() if inside is not parent.test:
                return None
            case _ if isinstance(parent, _READERS):
                return Effect(Deed.BORROW, inside)
            case _:
                return None

    def _of_element(self, parent: cst.CSTNode) -> Effect | None:
        """Follow an element of a tuple that is taken apart or returned; else it is stored."""
        container = self._module.parent(parent)
        above = self._module.parent(container) if container is not None else None
        if isinstance(above, cst.AssignTarget):
            return Effect(Deed.REBIND, parent)
        if isinstance(above, cst.Return | cst.Yield):
            return self._by_parent(container, above)  # type: ignore[arg-type]
        if isinstance(above, cst.Del):
            return Effect(Deed.REBIND, parent)
        return Effect(Deed.STORE, parent)

    def _of_attribute(self, node: cst.Attribute) -> Effect:
        name = node.attr.value
        call = self._module.parent(node)
        if not (isinstance(call, cst.Call) and call.func is node):
            # `span.end` without a call is a promise to call it later, unless it is dropped.
            kept = name == "end" and not isinstance(call, cst.Expr)
            return Effect(Deed.CAPTURE if kept else Deed.BORROW, node)
        if name in {"end", "__exit__"}:
            return Effect(Deed.END, call)
        if name == "__enter__":
            return Effect(Deed.ENTER, call)
        return Effect(Deed.USE if name in SPAN_USES else Deed.BORROW, call)

    def _of_argument(self, inside: cst.BaseExpression, arg: cst.Arg) -> Effect | None:
        call = self._module.parent(arg)
        if not isinstance(call, cst.Call):
            return Effect(Deed.PASS, inside)
        name = last_name(call) or ""
        if name == "cast":
            return None
        known = self._module.called(call)
        if name == "detach" or (dotted(call.func) or name) in self._module.options.end_signatures:
            deed = Deed.END
        elif name == "use_span" and known is not None:
            deed = self._of_use_span(call)
        elif _only_reads(call, name, known):
            deed = Deed.BORROW
        else:
            deed = self._in_callee(call, arg)
        return Effect(deed, call)

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
    ) -> Effect | None:
        if not isinstance(parent, cst.Assign) and inside is parent.target:
            return Effect(Deed.REBIND, inside)
        targets = (
            [item.target for item in parent.targets]
            if isinstance(parent, cst.Assign)
            else [parent.target]
        )
        for target in targets:
            name = dotted(target)
            if name is None or "." in name:
                return Effect(Deed.STORE, parent, name or "")
        return Effect(Deed.ALIAS, parent, dotted(targets[0]) or "")


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

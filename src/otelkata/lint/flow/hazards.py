"""How a piece of code can be left before it is done."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import libcst as cst

from otelkata.lint.flow.calls import (
    HARMLESS,
    ITERATES,
    LOGGING,
    RESETS,
    SETS,
    TELLS,
    is_arithmetic,
    is_lookup,
    is_token,
    last_name,
    makes_exception,
)
from otelkata.lint.flow.harmless import HarmlessCalls
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.names import SPAN_METHODS
from otelkata.lint.meaning.scopes import dotted, is_context_manager
from otelkata.lint.source.walk import walk


class Flow(Enum):
    """Why one point comes after another."""

    NEXT = "next"
    TRUE = "true"
    FALSE = "false"
    RAISE = "exception"
    CANCEL = "cancellation"
    CLOSE = "close of the generator"


class Hazards:
    """Tells what can go wrong where; of API calls of OpenTelemetry nothing can."""

    def __init__(self, module: Module) -> None:
        """Look names up in `module`."""
        self._module = module
        self._own = HarmlessCalls(module)

    def of(self, *parts: cst.CSTNode) -> list[Flow]:
        """Return how evaluating `parts` may be left early."""
        found: set[Flow] = set()
        for part in parts:
            # A function is made here, and called elsewhere.
            if not isinstance(part, cst.FunctionDef | cst.ClassDef):
                for node in walk(part, into_scopes=False):
                    found.update(self._of_node(node))
        return [flow for flow in (Flow.RAISE, Flow.CANCEL, Flow.CLOSE) if flow in found]

    def of_loop(self, node: cst.For) -> list[Flow]:
        """Return how asking for the next item may end a loop."""
        if node.asynchronous is not None:
            return [Flow.RAISE, Flow.CANCEL]
        plain = not isinstance(node.iter, cst.Call) or last_name(node.iter) in ITERATES
        return [] if plain else [Flow.RAISE]

    def _of_node(self, node: cst.CSTNode) -> Iterator[Flow]:
        match node:
            case cst.Await():
                yield from (Flow.RAISE, Flow.CANCEL)
            case cst.Yield():
                yield Flow.CLOSE
                if is_context_manager(self._module.function(node)):
                    yield Flow.RAISE
            case cst.Call():
                if not self.is_harmless(node):
                    yield Flow.RAISE
            case cst.Assert():
                yield Flow.RAISE
            case cst.Subscript() if self._is_read(node):
                yield Flow.RAISE

    def is_harmless(self, call: cst.Call) -> bool:
        """Tell whether `call` itself raises nothing that a program has to reckon with."""
        name = last_name(call)
        if name in HARMLESS or (isinstance(call.func, cst.Attribute) and name in SPAN_METHODS):
            return True
        if name in LOGGING and isinstance(call.func, cst.Attribute):
            return "log" in (dotted(call.func.value) or "").lower()
        if name == "getattr":
            return len(call.args) == 3
        if name in {"get", "pop", "time"} and isinstance(call.func, cst.Attribute):
            return is_lookup(name, call)
        if self._module.called(call) is not None or self._own.returns(call, self._may_raise):
            return True
        return (
            is_arithmetic(name, call)
            or makes_exception(name)
            or self._sets_variable(name, call)
            or self._tells_of_failure(name, call)
        )

    def _may_raise(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Raise):
            return True
        if isinstance(node, cst.For) and Flow.RAISE in self.of_loop(node):
            return True
        return Flow.RAISE in self._of_node(node)

    def _sets_variable(self, name: str, call: cst.Call) -> bool:
        """Tell whether a call sets a context variable, for a token, or puts it back with one."""
        if RESETS.search(name) is not None:
            return any(is_token(arg.value) for arg in call.args)
        target = self._module.parent(call)
        if SETS.match(name) is None or not isinstance(target, cst.Assign):
            return False
        return all(is_token(item.target) for item in target.targets)

    def _tells_of_failure(self, name: str, call: cst.Call) -> bool:
        """Tell whether a handler only reports here what it has caught: `log_error(error)`."""
        if TELLS.search(name) is None:
            return False
        if not isinstance(self._module.parent(call), cst.Expr):
            return False
        given = {arg.value.value for arg in call.args if isinstance(arg.value, cst.Name)}
        for around in self._module.ancestors(call):
            if isinstance(around, cst.FunctionDef | cst.Lambda):
                return False
            if isinstance(around, cst.ExceptHandler) and around.name is not None:
                return dotted(around.name.name) in given
        return False

    def _is_read(self, node: cst.Subscript) -> bool:
        """Tell whether a subscript is looked up: not assigned to, no part of an annotation."""
        parent = self._module.parent(node)
        if isinstance(parent, cst.AssignTarget | cst.Annotation | cst.Del):
            return False
        if any(isinstance(item.slice, cst.Slice) for item in node.slice):
            return False
        for around in self._module.ancestors(node):
            if isinstance(around, cst.Annotation) or _describes_span(around):
                return False
            if isinstance(around, cst.BaseStatement):
                break
        return not self._is_tested(node)

    def _is_tested(self, node: cst.Subscript) -> bool:
        """Tell whether a test around has asked what it looks up: `x[1] if len(x) > 1 else 0`."""
        name = dotted(node.value)
        inside: cst.CSTNode = node
        for around in self._module.ancestors(node) if name else ():
            if isinstance(around, cst.FunctionDef | cst.Lambda):
                return False
            asked: cst.CSTNode | None = None
            if isinstance(around, cst.If | cst.IfExp) and inside is around.body:
                asked = around.test
            elif isinstance(around, cst.BooleanOperation) and inside is around.right:
                asked = around.left
            if asked is not None and any(name == _named(part) for part in walk(asked)):
                return True
            inside = around
        return False


def _describes_span(node: cst.CSTNode) -> bool:
    """Tell whether `node` only puts into a span what the code around it has used already."""
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and node.func.attr.value in SPAN_METHODS
    )


def _named(node: cst.CSTNode) -> str | None:
    return dotted(node) if isinstance(node, cst.Name | cst.Attribute) else None

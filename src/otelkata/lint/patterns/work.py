"""What is at work in a block, apart from what describes it on a span."""

from __future__ import annotations

import re
from collections import Counter

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.patterns.failures import Caught, is_driver
from otelkata.lint.patterns.handlers import leaving, says
from otelkata.lint.source.walk import walk

_CONVERTS = re.compile(
    r"add|all|any|append|callable|casefold|copy|decode|deepcopy|dict|dumps|encode|endswith|enumerate|extend|filter|float|format|get"
    r"|getattr|hasattr|int|isinstance|isoformat|issubclass|items|iter|join|keys|len|list|loads|lower"
    r"|lstrip|map|max|min|next|model_dump|model_dump_json|pop|range|replace|repr|round|rstrip|set|setdefault"
    r"|setattr|sorted|split|startswith|str|strip|sum|super|to_dict|tuple|type|update|upper|values"
    r"|vars|zip"
)
_ACCOMPANIES = re.compile(
    r"attach|debug|detach|error|exception|get_(event|running)_loop|inc|increment|info|is_recording|log|monotonic"
    r"|observe|perf_counter|record|sleep|time|warn|warning"
)
_CLEANS = re.compile(
    r"__a?exit__|aclose|cancel|cleanup|clear|close|delete|detach|disconnect|end|flush|force_flush"
    r"|kill|release|remove|reset|rmtree|rollback|shutdown|stop|terminate|unlink|unsubscribe"
    r"|wait_closed"
)
_FAR = re.compile(
    r"(?i).*(api|cache|client|database|db|gateway|http|pool|producer|queue|redis|repo(sitory)?"
    r"|service|session|stor(e|age))"
)
"""Names of objects whose `get`, `add` and `delete` leave the process."""
_PREPARES = re.compile(
    r"\w*(attribut|convert|describ|extract|format|histogram|hook|metadata|metric|pars|serial|trac"
    r"|usage)\w*|_?(has|is|set|to)_\w+"
)
"""Names of functions that, beside calls on a span, are taken to make what the span is given."""
_OWN_TROUBLE = re.compile(r"(?i)attribute|\bspans?\b|telemetry|\btracing\b")
"""Texts of handlers that guard the tracing alone."""


class Work:
    """What is at work in the blocks of a file."""

    def __init__(self, module: Module) -> None:
        """Look at `module`."""
        self._module = module
        self._names: dict[cst.CSTNode, Counter[str]] = {}
        self._returns: dict[cst.CSTNode, int] = {}

    def beside_spans(self, node: cst.CSTNode, span: str | None) -> bool:
        """Tell whether `node` does more than describe the work, convert and log."""
        below: set[cst.CSTNode] = set()
        for item in walk(node, into_scopes=False):
            if isinstance(item, cst.Yield):
                return True
            if isinstance(item, cst.Call) and _describes(self._module, item, span):
                below.update(walk(item))
            elif (
                isinstance(item, cst.Call)
                and item not in below
                and not _is_aside(self._module, item)
            ):
                return True
        return False

    def of(self, caught: Caught, span: str | None) -> list[cst.Call | cst.Yield]:
        """Return the calls that may fail for reasons of their own, not for being described.

        Calls that describe the work on a span are none, nor are conversions, logging and the
        clean-up of what was done. A `yield` lets others work.
        """
        found: list[cst.Call | cst.Yield] = []
        below: set[cst.CSTNode] = set()
        described: set[str] = set()
        descriptions = 0
        for node in walk(caught.work, into_scopes=False):
            if isinstance(node, cst.Yield):
                found.append(node)
            elif isinstance(node, cst.Call) and _describes(self._module, node, span):
                inner = list(walk(node))
                descriptions += 1
                below.update(inner)
                described.update(item.value for item in inner if isinstance(item, cst.Name))
            elif (
                isinstance(node, cst.Call)
                and node not in below
                and not _is_aside(self._module, node)
            ):
                found.append(node)
        if not below or isinstance(leaving(caught.body), cst.Return):
            return found
        if says(caught.body, _OWN_TROUBLE):
            return []
        is_aside = descriptions > max(1, len(found)) or self._returns_elsewhere(caught)
        local = self._kept_inside(caught) if is_aside else set()
        return [node for node in found if not self._prepares(node, described, local)]

    def _returns_elsewhere(self, caught: Caught) -> bool:
        """Tell whether the function returns what it got elsewhere: it does its work there."""
        function = self._module.body_of(caught.whole)
        if function is None:
            return False
        if function not in self._returns:
            self._returns[function] = _returns(function)
        return self._returns[function] > _returns(caught.whole)

    def _kept_inside(self, caught: Caught) -> set[str]:
        """Return the names that nothing outside of the block uses."""
        inside = _count(caught.work)
        function = self._module.body_of(caught.whole)
        if function is None:
            return set()
        if function not in self._names:
            self._names[function] = _count(function)
        every = self._names[function]
        return {name for name, count in inside.items() if every[name] == count}

    def _prepares(self, node: cst.Call | cst.Yield, described: set[str], local: set[str]) -> bool:
        """Tell whether the value of a call only serves to describe the work."""
        is_awaited = isinstance(self._module.parent(node), cst.Await)
        if isinstance(node, cst.Yield) or is_awaited or is_driver(self._module, node):
            return False
        receiver, _, name = (dotted(node.func) or "").rpartition(".")
        if _PREPARES.fullmatch(name):
            return True
        if _FAR.fullmatch(receiver.rpartition(".")[2]):
            return False
        return self._is_kept_for(node, described, local)

    def _is_kept_for(self, call: cst.Call, described: set[str], local: set[str]) -> bool:
        """Tell whether the statement of a call only makes or fills what a span is given."""
        statement = self._module.statement(call)
        match statement:
            case cst.Assign():
                return all(dotted(target.target) in local for target in statement.targets)
            case cst.AnnAssign():
                return dotted(statement.target) in local
            case cst.Expr():
                return any(dotted(arg.value) in described | local for arg in call.args)
            case _:
                return isinstance(statement, cst.For | cst.If | cst.While)


def _count(node: cst.CSTNode) -> Counter[str]:
    return Counter(item.value for item in walk(node) if isinstance(item, cst.Name))


def is_work(call: cst.Call) -> bool:
    """Tell whether a call may be more than a conversion, a clean-up or a line in the log."""
    last = (dotted(call.func) or "").rpartition(".")[2]
    return not (
        _ACCOMPANIES.fullmatch(last) or _CONVERTS.fullmatch(last) or _CLEANS.fullmatch(last)
    )


def any_work(body: cst.CSTNode) -> bool:
    """Tell whether a block does anything in answer to a failure but log it."""
    return any(
        isinstance(node, cst.Call) and is_work(node) for node in walk(body, into_scopes=False)
    )


def _returns(node: cst.CSTNode) -> int:
    """Count the statements that return a value."""
    return sum(
        isinstance(item, cst.Return) and item.value is not None
        for item in walk(node, into_scopes=False)
    )


def _is_aside(module: Module, call: cst.Call) -> bool:
    """Tell whether `call` converts, accompanies or cleans up, and is not the work itself."""
    func = call.func
    name = dotted(func) or (func.attr.value if isinstance(func, cst.Attribute) else "")
    receiver, _, last = name.rpartition(".")
    if _ACCOMPANIES.fullmatch(last):
        return True
    if is_driver(module, call) or _FAR.fullmatch(receiver.rpartition(".")[2]):
        return last in {"aclose", "close", "disconnect", "rollback"}
    if isinstance(module.parent(call), cst.Await):
        return _CLEANS.fullmatch(last) is not None
    return (_CONVERTS.fullmatch(last) or _CLEANS.fullmatch(last)) is not None


def _describes(module: Module, call: cst.Call, span: str | None) -> bool:
    """Tell whether `call` starts a span, is one of its methods, or is given one."""
    called = module.called(call)
    if called is not None and called.kind in {"Tracer.start_span", "set_span_in_context"}:
        return True
    values = [arg.value for arg in call.args]
    if isinstance(call.func, cst.Attribute):
        values.append(call.func.value)
    for value in values:
        name = dotted(value)
        if name is not None and (name == span or name.rpartition(".")[2].endswith("span")):
            return True
        known = module.known(value)
        if known is not None and known.kind == "Span":
            return True
    return False

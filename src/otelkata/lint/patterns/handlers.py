"""What becomes of a caught exception: whether a span shows it, or somebody else is told."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from otelkata.lint.meaning.arguments import argument
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.patterns.failures import Caught
from otelkata.lint.source.walk import walk

_MAY_TELL = re.compile(r"\w*(error|exception|fail)\w*")
LOGS = re.compile(
    r"(\w*\.)*_*(\w*log(ger|ging)?|warnings|traceback|console|print|pprint)(\.\w+)?"
    r"|(\w+\.)*(critical|debug|exception|info|log|print|print_exc|warn|warning)",
    re.IGNORECASE,
)
_DESCRIBES = re.compile(
    r"Status|bool|dir|format|format_exc\w*|getattr|hasattr|id|isinstance|issubclass|len|repr"
    r"|set_attributes?|set_status|str|type"
)
_STATUSES = frozenset({"ERROR", "OK", "UNSET"})


def status_of(module: Module, call: cst.Call) -> frozenset[str]:
    """Return the statuses that a `set_status` may set; nothing where that cannot be told."""
    given = argument(call, "status", 0)
    if given is None:
        return frozenset()
    values = [given.value]
    if isinstance(given.value, cst.Name):
        bindings = module.scope(call).lookup(given.value.value)
        values += [binding.value for binding in bindings if binding.value is not None]
    return frozenset(
        node.attr.value
        for value in values
        for node in walk(value)
        if isinstance(node, cst.Attribute) and node.attr.value in _STATUSES
    )


def says_error(module: Module, call: cst.Call) -> bool:
    """Tell whether a call is a `set_status` that may set ERROR."""
    if method(call) != "set_status":
        return False
    return not status_of(module, call) or "ERROR" in status_of(module, call)


def method(call: cst.Call) -> str:
    """Return the last part of the name of what is called."""
    func = call.func
    if isinstance(func, cst.Attribute):
        return func.attr.value
    return func.value if isinstance(func, cst.Name) else ""


def calls_in(node: cst.CSTNode) -> Iterator[cst.Call]:
    """Yield the calls in `node`, without those of functions that are defined there."""
    return (item for item in walk(node, into_scopes=False) if isinstance(item, cst.Call))


def leaving(body: cst.BaseSuite | None) -> cst.BaseSmallStatement | None:
    """Return the last statement of a block, if it is a simple one."""
    if body is None or not body.body:
        return None
    last = body.body[-1]
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    return last if isinstance(last, cst.BaseSmallStatement) else None


def says(body: cst.BaseSuite | None, pattern: re.Pattern[str]) -> bool:
    """Tell whether a text in a handler, such as a line for the log, matches `pattern`."""
    if body is None:
        return False
    return any(
        pattern.search(node.value)
        for node in walk(body, into_scopes=False)
        if isinstance(node, cst.SimpleString | cst.FormattedStringText)
    )


def raises(body: cst.BaseSuite | None) -> bool:
    """Tell whether a handler raises an exception, on some path."""
    return body is not None and any(
        isinstance(node, cst.Raise) for node in walk(body, into_scopes=False)
    )


def gives_away(module: Module, body: cst.CSTNode, spans: frozenset[str | None]) -> bool:
    """Tell whether a span is an argument of a function that may do anything with it."""
    return any(
        dotted(node) in spans and is_given(module, node, whole=False)
        for node in walk(body, into_scopes=False)
        if isinstance(node, cst.Name | cst.Attribute)
    )


def is_given(module: Module, node: cst.BaseExpression, *, whole: bool) -> bool:
    """Tell whether a value goes to a function, is kept in a variable or returned as it is."""
    below: cst.CSTNode = node
    for above in module.ancestors(node):
        match above:
            case cst.Arg():
                pass
            case cst.Call():
                return below is not above.func and not _only_describes(above)
            case cst.Return() | cst.Yield() | cst.Assign() | cst.AnnAssign() | cst.AugAssign():
                return whole
            case _ if not isinstance(above, _CARRIERS):
                return False
        below = above
    return False


_CARRIERS = (
    cst.BooleanOperation,
    cst.Dict,
    cst.DictElement,
    cst.Element,
    cst.IfExp,
    cst.LeftSquareBracket,
    cst.List,
    cst.NamedExpr,
    cst.Set,
    cst.StarredElement,
    cst.Tuple,
)
"""Expressions that hold a value as it is."""


def _only_describes(call: cst.Call) -> bool:
    name = dotted(call.func) or method(call)
    return bool(LOGS.fullmatch(name) or _DESCRIBES.fullmatch(method(call)))


def is_logged(module: Module, node: cst.Call) -> bool:
    """Tell whether `sys.exc_info()` goes nowhere, or into a log."""
    parent = module.parent(node)
    call = module.parent(parent) if isinstance(parent, cst.Arg) else None
    return method(node) == "exc_info" and (not isinstance(call, cst.Call) or _only_describes(call))


def may_tell(caught: Caught) -> bool:
    """Tell whether a handler does something that may be meant to show the failure."""
    if caught.body is None:
        return False
    for node in walk(caught.body, into_scopes=False):
        if isinstance(node, cst.Call):
            name = method(node)
            is_log = LOGS.fullmatch(dotted(node.func) or name)
            if not is_log and name.islower() and _MAY_TELL.fullmatch(name):
                return True
            if name in {"set_attribute", "set_attributes", "add_event"}:
                return True
        if isinstance(node, cst.Assign) and any(
            isinstance(target.target, cst.Attribute) for target in node.targets
        ):
            return True
    return False

"""What becomes of a caught exception: whether a span shows it, or somebody else is told."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator

import libcst as cst

from .failures import Caught
from .module import Module, argument
from .scopes import dotted
from .walk import walk

_TELLS = re.compile(
    r"\w*(record|mark|set|report|finish|fail|end|note|attach)\w*(error|exc\b|exception|fail)\w*"
    r"|\w*(^|_)(spans?|trac(e|ing))(_\w*)?|_?fail(ed)?"
)
"""Names of functions that, defined elsewhere, are taken to show a failure on the span."""

_MAY_TELL = re.compile(r"\w*(error|exception|fail)\w*")
_LOGS = re.compile(
    r"(\w*\.)*_*(\w*log(ger|ging)?|warnings|traceback|console|print|pprint)(\.\w+)?"
    r"|(\w+\.)*(critical|debug|exception|info|log|print|print_exc|warn|warning)",
    re.IGNORECASE,
)
_DESCRIBES = re.compile(
    r"Status|bool|dir|format|format_exc\w*|getattr|hasattr|id|isinstance|issubclass|len|repr"
    r"|set_attributes?|set_status|str|type"
)
_STATUSES = frozenset({"ERROR", "OK", "UNSET"})
_DEEPEST = 3


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


class Marks:
    """Where the functions of a file show a failure on a span."""

    def __init__(self, module: Module) -> None:
        """Sort the calls of a file that show a failure by their function."""
        self._module = module
        self._functions: dict[cst.FunctionDef, bool] = {}
        self._found: dict[cst.CSTNode | None, list[cst.Call]] = defaultdict(list)
        for call in module.index.calls:
            if self.shows(call):
                self._found[module.function(call)].append(call)

    def shows(self, call: cst.Call, depth: int = 0) -> bool:
        """Tell whether `call` shows a failure on a span."""
        name = method(call)
        if name == "record_exception" or says_error(self._module, call):
            return True
        if name in {"set_status", "trace", "get_current_span"} or _LOGS.fullmatch(name):
            return False
        function = self._module.definition(call)
        if function is not None:
            return self._in_function(function, depth)
        if name.startswith(("start_", "use_")) or not name.islower():
            return False
        return _TELLS.fullmatch(name) is not None

    def _in_function(self, function: cst.FunctionDef, depth: int) -> bool:
        if function not in self._functions and depth < _DEEPEST:
            self._functions[function] = False
            self._functions[function] = any(
                self.shows(call, depth + 1) for call in calls_in(function.body)
            )
        return self._functions.get(function, False)

    def of_closures(self, caught: Caught) -> bool:
        """Tell whether a function inside the one of `caught` shows failures when it is called."""
        outer = self._module.function(caught.node)
        return outer is not None and any(
            isinstance(function, cst.FunctionDef) and self._module.function(function) is outer
            for function, calls in self._found.items()
            if calls and function is not outer
        )

    def after(self, caught: Caught, counts: Callable[[cst.Call], bool] = lambda _: True) -> bool:
        """Tell whether what runs after the handler shows a failure, by a call that `counts`."""
        whole = caught.whole
        chain = {whole, *self._module.ancestors(whole)}
        gone = isinstance(leaving(caught.body), cst.Return)
        end = self._module.place(whole)
        for call in filter(counts, self._found.get(self._module.function(caught.node), ())):
            path, above = [], self._module.parent(call)
            while above is not None and above not in chain:
                path.append(above)
                above = self._module.parent(above)
            if any(isinstance(item, cst.Finally) for item in path) and isinstance(above, cst.Try):
                return True
            is_later = (
                self._module.place(call).line > end.end_line
                and isinstance(above, cst.IndentedBlock | cst.Module)
                and not any(isinstance(item, cst.ExceptHandler) for item in path)
            )
            if is_later and not gone:
                return True
        return not gone and self._raises_after(caught)

    def _raises_after(self, caught: Caught) -> bool:
        """Tell whether an exception is raised after the handler, for what it has left behind."""
        left = {
            node.value
            for part in (caught.body, caught.work)
            if part is not None
            for node in walk(part, into_scopes=False)
            if isinstance(node, cst.Name)
        }
        below: cst.CSTNode = caught.whole
        for above in self._module.ancestors(caught.whole):
            if isinstance(above, cst.IndentedBlock):
                later = above.body[list(above.body).index(below) + 1 :]  # type: ignore[arg-type]
                if any(_raises(statement, left) for statement in later):
                    return True
            elif isinstance(above, cst.FunctionDef | cst.Lambda):
                break
            below = above
        return False


def _raises(statement: cst.BaseStatement, left: set[str]) -> bool:
    if isinstance(statement, cst.SimpleStatementLine):
        return any(isinstance(small, cst.Raise) for small in statement.body)
    if not isinstance(statement, cst.If):
        return False
    names = {node.value for node in walk(statement.test) if isinstance(node, cst.Name)}
    return bool(names & left) and any(
        isinstance(node, cst.Raise) for node in walk(statement.body, into_scopes=False)
    )


def leaving(body: cst.BaseSuite | None) -> cst.BaseSmallStatement | None:
    """Return the last statement of a block, if it is a simple one."""
    if body is None or not body.body:
        return None
    last = body.body[-1]
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    return last if isinstance(last, cst.BaseSmallStatement) else None


def raises(body: cst.BaseSuite | None) -> bool:
    """Tell whether a handler raises an exception, on some path."""
    return body is not None and any(
        isinstance(node, cst.Raise) for node in walk(body, into_scopes=False)
    )


def passes_on(module: Module, marks: Marks, caught: Caught, spans: frozenset[str | None]) -> bool:
    """Tell whether a handler raises, shows the failure, or gives it or the span to somebody."""
    if caught.body is None:
        return False
    if raises(caught.body) or gives_away(module, caught.body, spans):
        return True
    for node in walk(caught.body, into_scopes=False):
        if isinstance(node, cst.Call):
            name = dotted(node.func) or method(node)
            if marks.shows(node) or name in {"sys.exit", "exit", "os._exit"}:
                return True
            if method(node) in {"set_exception", "exc_info"} and not _is_logged(module, node):
                return True
        elif isinstance(node, cst.Name) and node.value == caught.name:
            given = _is_given(module, node, whole=True)
            if given:
                return True
    return False


def gives_away(module: Module, body: cst.CSTNode, spans: frozenset[str | None]) -> bool:
    """Tell whether a span is an argument of a function that may do anything with it."""
    return any(
        dotted(node) in spans and _is_given(module, node, whole=False)
        for node in walk(body, into_scopes=False)
        if isinstance(node, cst.Name | cst.Attribute)
    )


def _is_given(module: Module, node: cst.BaseExpression, *, whole: bool) -> bool:
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
    return bool(_LOGS.fullmatch(name) or _DESCRIBES.fullmatch(method(call)))


def _is_logged(module: Module, node: cst.Call) -> bool:
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
            is_log = _LOGS.fullmatch(dotted(node.func) or name)
            if not is_log and name.islower() and _MAY_TELL.fullmatch(name):
                return True
            if name in {"set_attribute", "set_attributes", "add_event"}:
                return True
        if isinstance(node, cst.Assign) and any(
            isinstance(target.target, cst.Attribute) for target in node.targets
        ):
            return True
    return False

"""Where a file shows failures on spans, and what a handler does for that."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.patterns.failures import Caught
from otelkata.lint.patterns.handlers import (
    LOGS,
    calls_in,
    gives_away,
    is_given,
    is_logged,
    leaving,
    method,
    raises,
    says_error,
)
from otelkata.lint.source.walk import walk

_TELLS = re.compile(
    r"\w*(record|mark|set|report|finish|fail|end|note|attach)\w*(error|exc\b|exception|fail)\w*"
    r"|\w*(^|_)(spans?|trac(e|ing))(_\w*)?|_?fail(ed)?"
)
"""Names of functions that, defined elsewhere, are taken to show a failure on the span."""

_DEEPEST = 3


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
        if name in {"set_status", "trace", "get_current_span"} or LOGS.fullmatch(name):
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
            if method(node) in {"set_exception", "exc_info"} and not is_logged(module, node):
                return True
        elif isinstance(node, cst.Name) and node.value == caught.name:
            given = is_given(module, node, whole=True)
            if given:
                return True
    return False

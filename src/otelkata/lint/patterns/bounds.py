"""What bounds the time that a shutdown takes.

The SDK's own `shutdown()` takes no timeout: behind an exporter that hangs it returns after half a
minute. A daemon thread that is joined with a timeout bounds it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from enum import Enum, auto

import libcst as cst

from otelkata.lint.meaning.arguments import argument, is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.source.walk import walk

POOLS = frozenset({"run_in_executor", "run_in_threadpool", "run_sync", "submit", "to_thread"})
"""Calls that run a function in a thread that the process waits for when it exits."""

REGISTERS = frozenset({"register", "signal", "add_signal_handler", "add_event_handler"})
"""Calls that take a function which runs, without a bound, when the process ends."""

LIFESPANS = frozenset({"lifespan", "on_shutdown"})
"""Arguments by which applications are given such a function."""

EXIT_STACKS = frozenset({"callback", "push", "push_async_callback"})

_DEEPEST = 4
_MOST_USES = 20


class Bound(Enum):
    """What bounds the time of a shutdown."""

    NOTHING = auto()
    THREAD_LEFT_BEHIND = auto()
    """A daemon thread that nobody waits for, or only for some time."""
    THREAD_AWAITED = auto()
    THREAD_KEPT_ALIVE = auto()
    """A thread that is no daemon: the process waits for it at its end."""
    POOL = auto()
    UNKNOWN = auto()


class Bounds:
    """What bounds the time of the calls of a file."""

    def __init__(self, module: Module) -> None:
        """Find who calls each function of `module`, and who is given it."""
        self._module = module
        self._uses: dict[cst.CSTNode, list[cst.CSTNode]] = defaultdict(list)
        for call in module.index.calls:
            function = module.definition(call)
            if function is not None and module.function(call) is not function:
                self._uses[function].append(call)
            for arg in call.args:
                for used in _named(module, arg.value):
                    self._uses[used].append(arg.value)

    def of(self, node: cst.CSTNode, depth: int = 0) -> Bound:
        """Return what bounds `node`, a call or a function that is handed over."""
        taker = _taker(self._module, node)
        # A call is over before its result is handed to anybody.
        if taker is not None and not isinstance(node, cst.Call):
            return self._of_taker(taker, depth)
        return self._of_function_around(node, depth)

    def _of_function_around(self, node: cst.CSTNode, depth: int) -> Bound:
        function = self._module.function(node)
        if function is None or depth > _DEEPEST:
            return Bound.NOTHING
        if isinstance(function, cst.Lambda):
            return self.of(function, depth + 1)
        if _runs_as_thread(self._module, function):
            return Bound.UNKNOWN
        if is_for_shutdown(function):
            return Bound.UNKNOWN if function.decorators else Bound.NOTHING
        found = (self.of(use, depth + 1) for use in self._uses[function][:_MOST_USES])
        return next((bound for bound in found if bound is not Bound.NOTHING), Bound.NOTHING)

    def _of_taker(self, call: cst.Call, depth: int) -> Bound:
        func = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
        name = func.value if isinstance(func, cst.Name) else ""
        if name == "Thread":
            return _of_thread(self._module, call)
        if name in POOLS:
            return Bound.POOL
        if name == "partial":
            taker = _taker(self._module, call)
            return self._of_taker(taker, depth + 1) if taker is not None else Bound.UNKNOWN
        if name in EXIT_STACKS:
            return self._of_function_around(call, depth)
        given_by = {arg.keyword.value for arg in call.args if arg.keyword is not None}
        waits = name in REGISTERS or not given_by.isdisjoint(LIFESPANS)
        return Bound.NOTHING if waits else Bound.UNKNOWN


def _named(module: Module, node: cst.BaseExpression) -> Iterator[cst.FunctionDef]:
    """Yield the function of this file that `node` names."""
    if isinstance(node, cst.Name):
        bindings = module.scope(node).lookup(node.value)
    elif isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name):
        owner = module.scope(node).class_scope()
        bindings = owner.names.get(node.attr.value, []) if owner is not None else []
    else:
        return
    for binding in bindings:
        if isinstance(binding.defined, cst.FunctionDef):
            yield binding.defined


def _taker(module: Module, node: cst.CSTNode) -> cst.Call | None:
    """Return the call that `node` is handed to."""
    parent = module.parent(node)
    call = module.parent(parent) if isinstance(parent, cst.Arg) else None
    return call if isinstance(call, cst.Call) else None


def _of_thread(module: Module, call: cst.Call) -> Bound:
    statement = module.statement(call)
    name = None
    if isinstance(statement, cst.Assign):
        name = dotted(statement.targets[0].target)
    body = module.body_of(call) or module.tree
    if any(arg.star for arg in call.args):
        return Bound.UNKNOWN
    daemon = argument(call, "daemon")
    value = daemon.value if daemon is not None else _assigned_daemon(body, name)
    if value is None or is_literal(value, "False"):
        return Bound.THREAD_KEPT_ALIVE
    if not is_literal(value, "True"):
        return Bound.UNKNOWN
    for node in walk(body):
        if isinstance(node, cst.Call) and name and dotted(node.func) == f"{name}.join":
            timeout = argument(node, "timeout", 0)
            if timeout is None or is_literal(timeout.value, "None"):
                return Bound.THREAD_AWAITED
    return Bound.THREAD_LEFT_BEHIND


def _assigned_daemon(body: cst.CSTNode, name: str | None) -> cst.BaseExpression | None:
    for node in walk(body):
        if isinstance(node, cst.Assign) and dotted(node.targets[0].target) == f"{name}.daemon":
            return node.value
    return None


def _runs_as_thread(module: Module, function: cst.FunctionDef) -> bool:
    """Tell whether `function` is the `run` of a thread's class, or may be called by a thread."""
    owner = module.scope(function).parent
    return function.name.value == "__call__" or (
        function.name.value == "run"
        and owner is not None
        and isinstance(owner.node, cst.ClassDef)
        and any(
            (dotted(base.value) or "").endswith(("Thread", "Process")) for base in owner.node.bases
        )
    )


def enclosing(module: Module, node: cst.CSTNode) -> Iterator[cst.FunctionDef]:
    """Yield the functions around `node`, from the inside to the outside."""
    for ancestor in module.ancestors(node):
        if isinstance(ancestor, cst.FunctionDef):
            yield ancestor


def is_for_shutdown(function: cst.FunctionDef) -> bool:
    """Tell whether `function` promises to shut down in the time that it is given."""
    return "shut" in function.name.value.lower() and timeout_of(function) is not None


def timeout_of(function: cst.FunctionDef) -> str | None:
    """Return the parameter by which `function` is given a bound."""
    listed = (
        *function.params.posonly_params,
        *function.params.params,
        *function.params.kwonly_params,
    )
    for param in listed:
        name = param.name.value
        if any(word in name.lower() for word in ("timeout", "deadline", "seconds")):
            return name
    return None


def mentions(function: cst.FunctionDef, name: str) -> bool:
    """Tell whether the body of `function` uses `name`."""
    return any(isinstance(node, cst.Name) and node.value == name for node in walk(function.body))


def uses_alarm(module: Module, functions: list[cst.FunctionDef]) -> bool:
    """Tell whether a signal interrupts what `functions` do."""
    code = "".join(map(module.code, functions))
    return "signal.alarm" in code or "signal.setitimer" in code

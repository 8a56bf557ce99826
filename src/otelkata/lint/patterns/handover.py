"""Which functions are handed to another thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from otelkata.lint.meaning.arguments import argument
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted

EXECUTORS = frozenset({"ThreadPoolExecutor", "ProcessPoolExecutor", "Executor"})
THREADS = {"threading.Thread": ("target", 1), "threading.Timer": ("function", 1)}


@dataclass(frozen=True, slots=True)
class Handover:
    """A call that has `function` run in another thread; `given` are the arguments that it gets.

    `certain` is False where only a name says that there is another thread.
    """

    call: cst.Call
    function: cst.BaseExpression
    given: tuple[cst.BaseExpression, ...]
    certain: bool


def handovers(module: Module) -> Iterator[Handover]:
    """Yield each function that is handed over, in the order of the source."""
    for call in module.index.calls:
        found = _to_thread(module, call) or _to_executor(module, call)
        if found is not None:
            yield found


def _to_thread(module: Module, call: cst.Call) -> Handover | None:
    if not isinstance(call.func, cst.Name | cst.Attribute):
        return None
    keyword, position = THREADS.get(module.origin(call.func) or "", ("", 0))
    function = argument(call, keyword, position) if keyword else None
    if function is None:
        return None
    others = tuple(arg.value for arg in call.args if arg is not function)
    return Handover(call, function.value, others, certain=True)


def _to_executor(module: Module, call: cst.Call) -> Handover | None:
    if not isinstance(call.func, cst.Attribute):
        return None
    method = call.func.attr.value
    if method in {"submit", "map"}:
        certain, position = _is_executor(module, call.func.value), 0
    elif method == "run_in_executor":
        first = argument(call, "executor", 0)
        certain, position = _is_plain(module, first.value if first else None), 1
    else:
        return None
    given = [arg.value for arg in call.args if not arg.star]
    if certain is None or len(given) <= position:
        return None
    return Handover(call, given[position], tuple(given[position + 1 :]), certain)


def _is_plain(module: Module, executor: cst.BaseExpression | None) -> bool | None:
    """Tell whether an event loop's executor is one that drops the context; None if it is not."""
    if executor is None:
        return None
    if isinstance(executor, cst.Name) and executor.value == "None":
        return True
    found = _is_executor(module, executor)
    is_unknown = found is None and not _made_by(module, executor)
    return False if is_unknown else found


def _is_executor(module: Module, node: cst.BaseExpression) -> bool | None:
    """Tell whether `node` is an executor of the standard library; None if it is something else."""
    made_by = [origin.rpartition(".")[2] for origin in _made_by(module, node)]
    if made_by:
        return True if set(made_by) <= EXECUTORS else None
    name = (dotted(node) or "").rpartition(".")[2].lower()
    return False if name.endswith(("executor", "pool")) else None


def _made_by(module: Module, node: cst.BaseExpression) -> list[str]:
    """Return the names of the classes that make or type what `node` names."""
    if isinstance(node, cst.Call):
        name = module.origin(node.func) or dotted(node.func)
        return [name] if name else []
    scope = module.scope(node)
    if isinstance(node, cst.Name):
        bindings = scope.lookup(node.value)
    elif isinstance(node, cst.Attribute) and dotted(node.value) == scope.object_name():
        owner = scope.class_scope()
        bindings = owner.attributes.get(node.attr.value, []) if owner else []
    else:
        return []
    found: list[str] = []
    for binding in bindings:
        if isinstance(binding.value, cst.Call):
            found += _made_by(module, binding.value)
        elif binding.annotation is not None:
            found.append(module.origin(binding.annotation) or dotted(binding.annotation) or "?")
    return found

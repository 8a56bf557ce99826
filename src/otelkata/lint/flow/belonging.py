"""Tests for being where a context was attached: only there may its token be detached."""

from __future__ import annotations

import libcst as cst

from otelkata.lint.meaning.arguments import is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted

_WHERE = frozenset(
    {"current_task", "current_thread", "get_ident", "get_native_id", "get_running_loop", "getpid"}
)
_DEEPEST = 3


def is_same_place(module: Module, test: cst.CSTNode) -> bool | None:
    """Return what `test` comes to where the task or thread is still the one of before.

    None where it asks for something else.
    """
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return None
    target = test.comparisons[0]
    if not (_says_where(module, test.left, 0) and _says_where(module, target.comparator, 0)):
        return None
    if isinstance(target.operator, cst.Is | cst.Equal):
        return True
    return False if isinstance(target.operator, cst.IsNot | cst.NotEqual) else None


def _says_where(module: Module, node: cst.BaseExpression, depth: int) -> bool:
    """Tell whether `node` is the current task, thread or process, or was it before."""
    if isinstance(node, cst.Call):
        name = (dotted(node.func) or "").rpartition(".")[2]
        if name == "id" and len(node.args) == 1:
            return _says_where(module, node.args[0].value, depth)
        return name in _WHERE
    if not isinstance(node, cst.Name) or depth >= _DEEPEST:
        return False
    values = [binding.value for binding in module.scope(node).lookup(node.value)]
    known = [value for value in values if value is None or not is_literal(value, "None")]
    return bool(known) and all(
        value is not None and _says_where(module, value, depth + 1) for value in known
    )

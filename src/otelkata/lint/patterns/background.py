"""Which code runs for no request in particular."""

from __future__ import annotations

import libcst as cst

from otelkata.lint.flow.sequence import loops
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.source.walk import walk

ENDINGS = ("worker", "loop", "forever", "daemon", "job", "consumer", "poller", "scheduler")
STARTUP = frozenset({"__init__", "main", "lifespan", "startup", "on_startup", "run", "start"})


def is_background(module: Module, node: cst.CSTNode) -> bool:
    """Tell whether `node` stands in a worker's loop or at the module's level."""
    body = module.body_of(node)
    if not isinstance(body, cst.FunctionDef):
        return module.function(node) is None
    if body.name.value.lower().endswith(ENDINGS):
        return True
    return any(isinstance(loop, cst.While) and is_endless(loop) for loop in loops(module, node))


def is_startup(module: Module, node: cst.CSTNode) -> bool:
    """Tell whether `node` runs when the program or an object starts, outside of any request."""
    body = module.body_of(node)
    return not isinstance(body, cst.FunctionDef) or body.name.value in STARTUP


def runs_in_background(function: cst.FunctionDef | cst.Lambda) -> bool:
    """Tell whether `function` is a worker: by its name, or because it never ends."""
    if isinstance(function, cst.Lambda):
        return False
    return function.name.value.lower().endswith(ENDINGS) or any(
        isinstance(node, cst.While) and is_endless(node)
        for node in walk(function.body, into_scopes=False)
    )


def is_endless(loop: cst.While) -> bool:
    """Tell whether a loop goes on for ever, or until an event or a flag stops it."""
    test = loop.test
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        test = test.expression
    if isinstance(test, cst.Call):
        name = (dotted(test.func) or "").lower()
        return name.endswith((".is_set", ".wait"))
    if isinstance(test, cst.Integer):
        return test.value != "0"
    name = (dotted(test) or "").rpartition(".")[2].lower()
    return name == "true" or any(word in name for word in ("running", "stop", "alive", "active"))

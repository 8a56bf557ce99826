"""What a file imports from OpenTelemetry, for fixes that need a name of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted


@dataclass(frozen=True, slots=True)
class Imports:
    """How a file writes `opentelemetry.trace` and `StatusCode`; None if it does not import them.

    `last` is the last line that imports anything from OpenTelemetry, at the file's level.
    """

    trace: str | None
    status: str | None
    last: cst.SimpleStatementLine | None


@lru_cache(maxsize=1)
def imports(module: Module) -> Imports:
    """Return what `module` imports; each fix of a file asks, so the last answer is kept."""
    trace = status = None
    for name, bindings in module.index.module.names.items():
        for binding in bindings:
            origin = binding.origin or ""
            if origin == "opentelemetry.trace":
                trace = trace or name
            if origin.startswith("opentelemetry.trace") and origin.endswith(".StatusCode"):
                status = status or name
    return Imports(trace, status, _last(module))


def _last(module: Module) -> cst.SimpleStatementLine | None:
    found = None
    for statement in module.tree.body:
        if isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                source = dotted(small.module) if isinstance(small, cst.ImportFrom) else None
                if (source or "").split(".")[0] == "opentelemetry":
                    found = statement
    return found

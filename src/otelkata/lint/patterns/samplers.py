"""Samplers that a file defines or chooses."""

from __future__ import annotations

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.names import canonical

_SAMPLING = "opentelemetry.sdk.trace.sampling"


def is_sampler(module: Module, node: cst.ClassDef) -> bool:
    """Tell whether a class derives from a sampler of the SDK."""
    return any((module.origin(base.value) or "").startswith(_SAMPLING) for base in node.bases)


def is_chosen_here(module: Module, value: cst.BaseExpression, depth: int = 0) -> bool:
    """Tell whether a sampler is made in this file, and not handed in from elsewhere."""
    if depth > 4:
        return False
    if isinstance(value, cst.IfExp):
        return any(is_chosen_here(module, side, depth + 1) for side in (value.body, value.orelse))
    source = value.func if isinstance(value, cst.Call) else value
    origin = module.origin(source)
    if origin is not None:
        return canonical(origin) is not None
    if not isinstance(source, cst.Name):
        return False
    bindings = module.scope(source).lookup(source.value)
    return any(
        isinstance(binding.defined, cst.ClassDef)
        or (
            binding.value is not None
            and not binding.is_parameter
            and is_chosen_here(module, binding.value, depth + 1)
        )
        for binding in bindings
    )

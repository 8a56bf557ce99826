"""What tests ask and what statements bind: as texts that can be compared."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.source.walk import walk

CONSTANTS = {"True": True, "False": False, "None": False}
"""Constants, and whether they are true."""
_LOOKS = frozenset({"bool", "callable", "hasattr", "isinstance", "issubclass"})
_TOO_RICH = (cst.Call, cst.Await, cst.NamedExpr, cst.Yield)


def stripped(test: cst.CSTNode) -> tuple[cst.CSTNode, bool]:
    """Return a test without `not`, and whether it means what it meant."""
    plain = True
    while isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        test, plain = test.expression, not plain
    return test, plain


def is_rich(test: cst.BaseExpression) -> bool:
    """Tell whether a test does something, and so may answer differently when asked again."""
    return any(isinstance(node, _TOO_RICH) for node in walk(test))


def asked(module: Module, test: cst.BaseExpression, *, plain: bool) -> tuple[str, bool]:
    """Return what a test asks, the same for `is None` and `is not None`, and its plain answer."""
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        target = test.comparisons[0]
        is_not = isinstance(target.operator, cst.IsNot | cst.NotEqual)
        if dotted(target.comparator) == "None" and (
            is_not or isinstance(target.operator, cst.Is | cst.Equal)
        ):
            return f"{module.code(test.left)} is None", plain is not is_not
    return module.code(test), plain


def facts_of(name: str, constant: str | None) -> Iterator[tuple[str, bool]]:
    """Yield what is true of a name that holds a constant."""
    if constant is not None:
        yield name, CONSTANTS[constant]
        yield f"{name} is None", constant == "None"


def names_in(node: cst.CSTNode) -> frozenset[str]:
    """Return the names on which the value of `node` depends."""
    return frozenset(inner.value for inner in walk(node) if isinstance(inner, cst.Name))


def only_looks(value: cst.BaseExpression) -> bool:
    """Tell whether an expression comes to the same when it is evaluated again."""
    return not any(
        isinstance(node, (*_TOO_RICH, cst.Subscript))
        and not (isinstance(node, cst.Call) and dotted(node.func) in _LOOKS)
        for node in walk(value)
    )


def bound_by(node: cst.CSTNode) -> Iterator[tuple[str, str | None]]:
    """Yield the names that `node` itself binds, each with its constant, if it is one.

    What is put into an object changes what the name of the object stands for.
    """
    match node:
        case cst.Assign():
            for target in node.targets:
                yield from _bound(target.target, dotted(node.value))
        case cst.AugAssign():
            yield from _bound(node.target, None)
        case cst.AnnAssign() | cst.NamedExpr():
            yield from _bound(node.target, dotted(node.value))
        case cst.For():
            yield from _bound(node.target, None)
        case cst.AsName():
            yield from _bound(node.name, None)


def _bound(target: cst.BaseExpression, value: str | None) -> Iterator[tuple[str, str | None]]:
    match target:
        case cst.Name():
            yield target.value, _constant(value)
        case cst.Tuple() | cst.List():
            for element in target.elements:
                yield from _bound(element.value, None)
        case cst.Attribute() | cst.Subscript():
            yield from _bound(target.value, None)


def _constant(name: str | None) -> str | None:
    return name if name in CONSTANTS else None

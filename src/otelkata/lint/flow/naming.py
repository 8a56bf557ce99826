"""Which names a piece of code mentions, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from heapq import merge

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.source.walk import walk


class Naming:
    """The dotted names in one piece of code, read in one walk."""

    def __init__(self, part: cst.CSTNode, *, into_scopes: bool) -> None:
        """Walk `part`."""
        self._mentions: defaultdict[str, list[tuple[int, cst.BaseExpression]]] = defaultdict(list)
        for order, node in enumerate(walk(part, into_scopes=into_scopes)):
            name = None
            if isinstance(node, cst.Name):
                name = node.value
            elif isinstance(node, cst.Attribute):
                name = dotted(node)
            if name is not None:
                self._mentions[name].append((order, node))  # type: ignore[arg-type]

    def of(self, names: frozenset[str]) -> Sequence[cst.BaseExpression]:
        """Return where any of `names` is mentioned, in the order of the walk."""
        found = [self._mentions[name] for name in names if name in self._mentions]
        return [node for _, node in merge(*found)]


def is_of_comprehension(module: Module, node: cst.BaseExpression) -> bool:
    """Tell whether a comprehension around a name binds it: such a name ends with it."""
    first = (dotted(node) or "").partition(".")[0]
    inside: cst.CSTNode = node
    outside = False
    for around in module.ancestors(node):
        if isinstance(around, cst.BaseStatement | cst.BaseSmallStatement):
            return False
        if isinstance(around, cst.CompFor):
            # What the first `for` goes through is evaluated outside.
            outside = inside is around.iter
        elif isinstance(around, cst.BaseComp):
            if not outside and first in _bound_by(around):
                return True
            outside = False
        inside = around
    return False


def _bound_by(comprehension: cst.BaseComp) -> set[str]:
    found: set[str] = set()
    loop: cst.CompFor | None = comprehension.for_in
    while loop is not None:
        found.update(node.value for node in walk(loop.target) if isinstance(node, cst.Name))
        loop = loop.inner_for_in
    return found

"""Which names a piece of code mentions, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from heapq import merge

import libcst as cst

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
        return [node for _, node in merge(*found, key=lambda item: item[0])] if found else ()

"""What a fix changes: nodes that stand in a file, and those that take their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import libcst as cst


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbours that fill whole lines (statements of one block, or a handler), and the new ones.

    `old` are nodes of the file, in its order and at least one; what stands in them may stand in
    `new` as well.
    """

    old: tuple[cst.CSTNode, ...]
    new: tuple[cst.CSTNode, ...]


Change: TypeAlias = tuple[Part, ...]
"""Parts that belong together; the first is where the fault is."""

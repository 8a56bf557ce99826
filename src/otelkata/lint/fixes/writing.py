"""Write what fixes change as lines of source, and touch no others.

To write a whole file anew for each fix takes time that grows with the square of their number.
Here a fix costs as much as the lines that it changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import libcst as cst
from libcst._nodes.internal import CodegenState  # Module.code_for_node knows no indentation

from otelkata.lint.fixes.change import Change, Part
from otelkata.lint.meaning.module import Module

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a file, counted from 0 and `stop` exclusive, and those that take their place."""

    start: int
    stop: int
    new: tuple[str, ...]

    def touches(self, other: Lines) -> bool:
        """Tell whether both change the same lines, and not to the same effect."""
        return self != other and self.start < other.stop and other.start < self.stop


class Writer:
    """Writes the changes of one file."""

    def __init__(self, module: Module, source: bytes) -> None:
        """Take the lines of `source`, of which `module` was parsed."""
        self._module = module
        self._encoding = module.tree.encoding
        text = source.decode(self._encoding)
        self._mark = _MARK if text.startswith(_MARK) else ""
        self._lines = _LINE.findall(text.removeprefix(_MARK))

    def begin(self, change: Change) -> int:
        """Return the line, from 0, on which the first part of `change` begins."""
        return self._begin(change[0])

    def lines(self, change: Change) -> tuple[Lines, ...] | None:
        """Return the lines of each part; None if the file does not read as its tree is written.

        libcst leaves out form feeds: what stands beside one is left alone.
        """
        found = [self._of_part(part) for part in change]
        return None if None in found else tuple(lines for lines in found if lines is not None)

    def changed(self, changes: Iterable[Lines]) -> bytes:
        """Return the source with all `changes`, of which none touches another."""
        lines = []
        done = 0
        for change in sorted(set(changes), key=lambda one: one.start):
            lines += [*self._lines[done : change.start], *change.new]
            done = change.stop
        lines += self._lines[done:]
        return (self._mark + "".join(lines)).encode(self._encoding)

    def _begin(self, part: Part) -> int:
        first = part.old[0]
        blanks = len(_leading(first))
        decorators = getattr(first, "decorators", ())
        if decorators:
            blanks += len(_leading(decorators[0]))
        return self._module.place(decorators[0] if decorators else first).line - 1 - blanks

    def _of_part(self, part: Part) -> Lines | None:
        indents = self._indents(part.old[0])
        old, new = self._written(part.old, indents), self._written(part.new, indents)
        start = self._begin(part)
        stop = start + len(old)
        if self._lines[start:stop] == old:
            return Lines(start, stop, tuple(new))
        if stop == len(self._lines) and self._lines[start:] == _without_newline(old):
            return Lines(start, stop, tuple(_without_newline(new)))
        return None

    def _indents(self, node: cst.CSTNode) -> list[str]:
        default = self._module.tree.default_indent
        return [
            default if block.indent is None else block.indent
            for block in self._module.ancestors(node)
            if isinstance(block, cst.IndentedBlock)
        ]

    def _written(self, nodes: Sequence[cst.CSTNode], indents: Sequence[str]) -> list[str]:
        tree = self._module.tree
        state = CodegenState(tree.default_indent, tree.default_newline)
        for indent in reversed(indents):
            state.increase_indent(indent)
        for node in nodes:
            node._codegen(state)  # noqa: SLF001 (as Module.code_for_node does)
        return _LINE.findall("".join(state.tokens))


def _leading(node: cst.CSTNode) -> Sequence[cst.EmptyLine]:
    found: Sequence[cst.EmptyLine] = getattr(node, "leading_lines", ())
    return found


def _without_newline(lines: Sequence[str]) -> list[str]:
    return [*lines[:-1], lines[-1].rstrip("\r\n")]

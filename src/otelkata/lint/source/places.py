"""Where nodes stand, found for the statements that are asked about, not for the whole file.

libcst's own provider writes the file anew and visits each node twice, which takes twice the time of
parsing. Here `ast` tells where the statements of modules, classes and functions begin, and one of
them is written anew when a node in it is asked for; what was written is compared with the source.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, islice
from types import TracebackType
from typing import TypeAlias

import libcst as cst
from libcst._nodes.internal import CodegenState  # no public equal records single nodes

from otelkata.lint.finding import Place
from otelkata.lint.source.glance import Glance, parsed

_NEWLINE = re.compile(r"\r\n|\r|\n")
_Span: TypeAlias = tuple[int, int]


class _Recorder(CodegenState):
    """Notes between which tokens each node is written."""

    def __init__(self, tree: cst.Module) -> None:
        super().__init__(tree.default_indent, tree.default_newline)
        self.spans: dict[int, _Span] = {}
        self._starts: list[int] = []

    def before_codegen(self, node: cst.CSTNode) -> None:  # noqa: ARG002
        self._starts.append(len(self.tokens))

    def after_codegen(self, node: cst.CSTNode) -> None:
        # What a node says of itself leaves out the blanks around it.
        self.spans.setdefault(id(node), (self._starts.pop(), len(self.tokens)))

    def record_syntactic_position(  # type: ignore[override]
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> AbstractContextManager[None]:
        return _Within(self, node, start_node, end_node)


class _Within:
    """The part of a node that is no blank."""

    __slots__ = ("_end", "_node", "_recorder", "_start", "_tokens")

    def __init__(
        self,
        recorder: _Recorder,
        node: cst.CSTNode,
        start: cst.CSTNode | None,
        end: cst.CSTNode | None,
    ) -> None:
        self._recorder, self._node, self._start, self._end = recorder, node, start, end
        self._tokens = len(recorder.tokens)

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        spans = self._recorder.spans
        start = spans[id(self._start)][0] if self._start is not None else self._tokens
        end = spans[id(self._end)][1] if self._end is not None else len(self._recorder.tokens)
        spans[id(self._node)] = (start, end)


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement that begins on a line, and how the blocks around it are indented."""

    node: cst.CSTNode
    line: int
    indents: tuple[str, ...]


@dataclass(slots=True)
class _Pair:
    """What `ast` says of a statement: where it begins, and, of a block, what stands in it."""

    line: int
    parsed: ast.stmt
    is_open: bool = False


class Places:
    """Tells where the nodes of one module stand."""

    def __init__(
        self, tree: cst.Module, source: bytes | None = None, glance: Glance | None = None
    ) -> None:
        """Look up in `tree`, which was parsed from `source`, as was what is seen at a `glance`."""
        self._tree = tree
        self._source = source
        self._glance = glance
        self._found: dict[int, _Span] = {}

    def of(self, node: cst.CSTNode, around: Iterable[cst.CSTNode]) -> Place:
        """Return the place of `node`, which stands in all of `around`, from the inside."""
        if id(node) not in self._found:
            known = self._statement([node, *around])
            if known is None or not self._write(known):
                self._write_all()
        return self._place(*self._found[id(node)])

    def _statement(self, chain: list[cst.CSTNode]) -> _Statement | None:
        """Return the innermost statement of `chain` of which it is known where it begins.

        Only what functions and classes hold is paired with what `ast` says of it.
        """
        found = None
        indents: list[str] = []
        for node in reversed(chain):
            pair = self._pairs.get(id(node))
            if pair is not None:
                found = _Statement(node, pair.line, tuple(indents))
                if isinstance(node, cst.FunctionDef | cst.ClassDef) and not pair.is_open:
                    pair.is_open = True
                    self._pairs |= _paired(node.body, pair.parsed.body)  # type: ignore[attr-defined]
            elif isinstance(node, cst.IndentedBlock):
                indents.append(self._tree.default_indent if node.indent is None else node.indent)
        return found

    @cached_property
    def _text(self) -> str:
        if self._source is None:
            return self._tree.code
        return self._source.decode(self._tree.encoding).removeprefix("\ufeff")

    @cached_property
    def _lines(self) -> list[int]:
        return _line_starts(self._text)

    @cached_property
    def _pairs(self) -> dict[int, _Pair]:
        """What `ast` says of some statements, by their identity; nothing if it says nothing."""
        tree = self._glance.tree if self._glance is not None else parsed(self._text)
        # libcst reads newer syntax than the Python that runs.
        return {} if tree is None else _paired(self._tree, tree.body)

    def _write(self, known: _Statement) -> bool:
        """Write a statement; tell whether that is what stands there."""
        node, begin = known.node, self._lines[known.line - 1]
        recorder = self._written(node, known.indents)
        blanks = getattr(node, "leading_lines", ())
        leading = recorder.spans[id(blanks[-1])][1] if blanks else 0
        if not self._stands("".join(recorder.tokens[leading:]), begin):
            return False
        self._keep(recorder, begin - sum(map(len, recorder.tokens[:leading])))
        return True

    def _write_all(self) -> None:
        """Write the module; libcst leaves out form feeds, and so what it wrote has the lines."""
        recorder = self._written(self._tree)
        self._lines = _line_starts("".join(recorder.tokens))
        self._pairs = {}
        self._found.clear()
        self._keep(recorder, 0)

    def _written(self, node: cst.CSTNode, indents: Iterable[str] = ()) -> _Recorder:
        recorder = _Recorder(self._tree)
        for indent in indents:
            recorder.increase_indent(indent)
        node._codegen(recorder)  # noqa: SLF001 (as Module.code_for_node does)
        return recorder

    def _keep(self, recorder: _Recorder, shift: int) -> None:
        offsets = [*accumulate(map(len, recorder.tokens), initial=shift)]
        # The last newline of a file is written, and then taken back.
        offsets.append(offsets[-1])
        for key, (start, end) in recorder.spans.items():
            self._found[key] = (offsets[start], offsets[end])

    def _stands(self, written: str, begin: int) -> bool:
        stands = self._text[begin : begin + len(written)]
        at_end = begin + len(stands) == len(self._text)
        return written == stands or (at_end and written.rstrip("\r\n") == stands)

    def _place(self, start: int, end: int) -> Place:
        return Place(*self._line_and_column(start), *self._line_and_column(end))

    def _line_and_column(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1


def _paired(block: cst.Module | cst.BaseSuite, statements: Iterable[ast.stmt]) -> dict[int, _Pair]:
    """Return what `ast` says of the statements of a block that has lines of its own."""
    found = {}
    left = iter(statements)
    for statement in () if isinstance(block, cst.SimpleStatementSuite) else block.body:
        count = len(statement.body) if isinstance(statement, cst.SimpleStatementLine) else 1
        same = list(islice(left, count))
        if same:
            decorators = getattr(same[0], "decorator_list", ())
            line = min(item.lineno for item in (same[0], *decorators))
            found[id(statement)] = _Pair(line, same[0])
    return found


def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in _NEWLINE.finditer(text))]

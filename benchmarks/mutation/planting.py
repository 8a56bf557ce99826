"""Make the mutants of a file: copies of its source in which one place was changed.

The operators are mutmut's, for code with decorators too, and a few more for what decides a verdict.
What is said to people is left alone: its wording decides nothing.
"""

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import libcst as cst
from libcst.metadata import (
    CodePosition,
    CodeRange,
    MetadataWrapper,
    WhitespaceInclusivePositionProvider,
)

Operator = tuple[type[cst.CSTNode], Callable[[cst.CSTNode], Iterable[cst.CSTNode]]]

SWAPPED = {"any": "all", "all": "any", "min": "max", "max": "min"}
WORDS_OF_CALLS = {"Fault": 0, "Unjudged": 0, "expect": 1}
"""Which argument of a finding is the message."""
WORDS_OF_KEYWORDS = {"why", "fix", "details"}

_KINDS = re.compile(r"\w+|[=!<>+\-*/%&|^]+")


@dataclass(frozen=True, slots=True)
class Wording:
    """What only holds or makes text for people: names of variables, and functions."""

    names: frozenset[str]
    functions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed file: `text` is the line in which the change begins, `before` what stood there."""

    path: str
    line: int
    text: str
    before: str
    after: str
    code: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what it is known by where lines move."""
        return self.path, self.text, self.before, self.after


def operators() -> list[Operator]:
    """Return mutmut's operators and our own; raise ImportError where mutmut is not installed."""
    module = importlib.import_module("mutmut.mutation.mutators")
    return [*cast("Sequence[Operator]", module.mutation_operators), *OWN]


def mutants(path: Path, name: str, wording: Wording, using: Sequence[Operator]) -> Iterator[Mutant]:
    """Yield the mutants of the file `path`, which is told as `name`; no two are the same."""
    source = path.read_text("utf-8")
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    places = wrapper.resolve(WhitespaceInclusivePositionProvider)
    splicing = _Splicing(source, wrapper.module, places)
    sites = _Sites(wording)
    wrapper.module.visit(sites)
    seen = {source}
    for node in sites.found:
        for kind, operator in using:
            if not isinstance(node, kind):
                continue
            for changed in operator(node):
                if sites.is_wording(node, changed) or _is_other_case(node, changed):
                    continue
                mutated = splicing.code(node, changed)
                if mutated not in seen and _is_code(mutated):
                    seen.add(mutated)
                    yield _mutant(name, source, mutated)


@dataclass(frozen=True, slots=True)
class _Splicing:
    """Put nodes in the place of others; most by their text, which is many times as fast."""

    source: str
    module: cst.Module
    places: Mapping[cst.CSTNode, CodeRange]

    def code(self, node: cst.CSTNode, changed: cst.CSTNode) -> str:
        """Return the source with `changed` instead of `node`."""
        place = self.places.get(node)
        # The text of a node that spans lines has lost its indentation.
        if place is None or place.start.line != place.end.line:
            return cast("cst.Module", self.module.deep_replace(node, changed)).code
        begin, end = self._at(place.start), self._at(place.end)
        return self.source[:begin] + self.module.code_for_node(changed) + self.source[end:]

    def _at(self, position: CodePosition) -> int:
        lines = self.source.splitlines(keepends=True)
        return sum(map(len, lines[: position.line - 1])) + position.column


def _is_code(text: str) -> bool:
    try:
        compile(text, "", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _mutant(name: str, source: str, mutated: str) -> Mutant:
    begin = next(i for i, (a, b) in enumerate(zip(source, mutated, strict=False)) if a != b)
    most = min(len(source), len(mutated)) - begin
    pairs = zip(reversed(source), reversed(mutated), strict=False)
    same = next((i for i, (a, b) in enumerate(pairs) if a != b), most)
    same = min(same, most)
    # Whole tokens are told: of `<=` that became `<`, or of `first` that became `last`.
    around = [(found.start(), found.end()) for found in _KINDS.finditer(source)]
    until = len(source) - same
    first = next((a for a, b in around if a < begin < b), begin)
    last = next((b for a, b in around if a < until < b), until)
    if not source[first:last].strip() or not mutated[first : len(mutated) - same].strip():
        # What was put in or taken out is told with the token before it.
        first = max((a for a, _ in around if a < begin), default=first)
    end = len(mutated) - (len(source) - last)
    row = source.count("\n", 0, first)
    lines = source.split("\n")
    while not lines[row].strip():
        row += 1
    return Mutant(
        name,
        row + 1,
        lines[row].strip(),
        " ".join(source[first:last].split()),
        " ".join(mutated[first:end].split()),
        mutated,
    )


class _Sites(cst.CSTVisitor):
    """Collect the nodes that may be changed, in their order."""

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self.found: list[cst.CSTNode] = []
        self._wording = wording
        self._compared: set[cst.CSTNode] = set()
        self._words: set[cst.CSTNode] = set()

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation | cst.Import | cst.ImportFrom) or self._is_text(node):
            return False
        if isinstance(node, cst.Assign) and _is_type(node.value):
            return False
        if isinstance(node, cst.FunctionDef) and node.name.value in self._wording.functions:
            return False
        if isinstance(node, cst.Comparison):
            self._compared |= {node.left, *(target.comparator for target in node.comparisons)}
        elif isinstance(node, cst.Call):
            self._words |= {arg.value for arg in _words_of(node)}
        elif isinstance(node, cst.Assign) and self._names(node) <= self._wording.names:
            return False
        self.found.append(node)
        return True

    def is_wording(self, node: cst.CSTNode, changed: cst.CSTNode) -> bool:
        """Tell whether only text for people is changed."""
        if isinstance(node, cst.Call) and isinstance(changed, cst.Call):
            kept = {id(arg) for arg in changed.args}
            gone = [arg.value for arg in node.args if id(arg) not in kept]
            return bool(gone) and all(self._is_text(value) for value in gone)
        if isinstance(node, cst.Assign | cst.AnnAssign) and node.value is not None:
            return self._is_text(node.value)
        return False

    def _names(self, node: cst.Assign) -> set[str]:
        return {cst.Module([]).code_for_node(target.target) for target in node.targets}

    def _is_text(self, node: cst.CSTNode) -> bool:
        if node in self._words:
            return True
        if isinstance(node, cst.Name):
            return node.value in self._wording.names
        if not isinstance(node, cst.BaseString) or node in self._compared:
            return False
        return " " in cst.Module([]).code_for_node(node)


def _is_other_case(node: cst.CSTNode, changed: cst.CSTNode) -> bool:
    # A name that is written in capitals is as unknown as one that is lengthened, which is planted.
    return (
        isinstance(node, cst.SimpleString)
        and isinstance(changed, cst.SimpleString)
        and node.value.lower() == changed.value.lower()
    )


def _is_type(node: cst.CSTNode) -> bool:
    # A type, as an annotation is: the type checker's business, not that of tests.
    return isinstance(node, cst.Subscript) and _name(node.value) == "Literal"


def _name(node: cst.CSTNode) -> str:
    return node.value if isinstance(node, cst.Name) else ""


def _words_of(call: cst.Call) -> Iterator[cst.Arg]:
    at = WORDS_OF_CALLS.get(_name(call.func))
    for index, arg in enumerate(call.args):
        if index == at or (arg.keyword is not None and arg.keyword.value in WORDS_OF_KEYWORDS):
            yield arg


def _negated(test: cst.BaseExpression) -> cst.BaseExpression:
    inner = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return cst.UnaryOperation(cst.Not(), inner, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _negate(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    assert isinstance(node, cst.If | cst.CompIf)
    one = isinstance(node.test, cst.Comparison) and len(node.test.comparisons) == 1
    # Of these, mutmut makes the opposite.
    if not one and not isinstance(node.test, cst.UnaryOperation):
        yield node.with_changes(test=_negated(node.test))


def _swap(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    assert isinstance(node, cst.Call)
    if isinstance(node.func, cst.Name) and node.func.value in SWAPPED:
        yield node.with_changes(func=cst.Name(SWAPPED[node.func.value]))


def _drop(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    assert isinstance(node, cst.Expr)
    if isinstance(node.value, cst.Yield | cst.Call):
        yield cst.Pass()


OWN: list[Operator] = [
    (cst.If, _negate),
    (cst.CompIf, _negate),
    (cst.Call, _swap),
    (cst.Expr, _drop),
]
"""Operators beside mutmut's, which need nothing installed."""

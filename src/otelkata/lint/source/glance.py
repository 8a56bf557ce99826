"""What a file holds, seen through `ast`: enough to tell that most rules have nothing to say of it.

That takes an eighth of libcst's parse, which is needed only where a rule can begin.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_DEEP = 100
"""Levels of nodes up to which a tree is shallow enough, whatever these nodes are."""
_SHORT = 20
"""Terms of an `and` or `or` that count like levels of other nodes."""
_TERMS = 400
"""Terms of longer ones, in the whole file, that do no harm."""


class _Fields(dict[type, tuple[str, ...]]):
    """The fields of each kind of node in which there are other nodes."""

    def __missing__(self, kind: type) -> tuple[str, ...]:
        # Lists of nodes hold None here and there, and a few lists are of text.
        named = kind._fields if issubclass(kind, ast.AST) else ()
        self[kind] = tuple(name for name in named if name not in _PLAIN)
        return self[kind]


_PLAIN = frozenset(
    {"arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "level", "lineno"}
    | {"module", "name", "op", "ops", "simple", "tag", "type_comment", "type_ignores"}
)
_FIELDS = _Fields({ast.Name: (), ast.Constant: ()})


def parsed(source: str | bytes) -> ast.Module | None:
    """Return the tree of `source`; None if the Python that runs cannot read it, or is too old."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@dataclass(slots=True)
class Glance:
    """What is called in a file, and a few more signs that a rule may begin there.

    `called` are the last names of what is called, of classes that others derive from, and of what
    is imported under another name. `stopped` are those of all whose `.shutdown` is mentioned.
    """

    source: bytes
    tree: ast.Module
    called: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    catches: bool = False
    """Whether there is a handler of exceptions."""
    enters: bool = False
    """Whether there is a `with`."""
    derives: bool = False
    """Whether a class derives from another."""
    is_shallow: bool = True
    """Whether the tree is surely not too deep for libcst."""

    @classmethod
    def at(cls, source: bytes) -> Glance | None:
        """Look at `source`; None if `ast` cannot read it."""
        tree = parsed(source)
        if tree is None:
            return None
        glance = cls(source, tree)
        glance._walk()
        return glance

    def calls(self, *names: str) -> bool:
        """Tell whether anything of one of these names may be called."""
        return not self.called.isdisjoint(names)

    def may_open(self) -> bool:
        """Tell whether anything is called that may open a span, going by its name."""
        return any(name.endswith("_span") for name in self.called)

    def _walk(self) -> None:
        """Go through the tree, one level after the other: so their number is known."""
        levels = terms = 0
        level: list[ast.AST] = [self.tree]
        while level:
            levels += 1
            below: list[Any] = []
            for node in level:
                kind = node.__class__
                if (note := _NOTES.get(kind)) is not None:
                    note(self, node)
                elif kind is ast.BoolOp:
                    many = len(node.values)  # type: ignore[attr-defined]
                    terms += many if many > _SHORT else 0
                for name in _FIELDS[kind]:
                    value = getattr(node, name)
                    if value.__class__ is list:
                        below += value
                    else:
                        below.append(value)
            level = below
        self.is_shallow = levels <= _DEEP and terms <= _TERMS

    def _call(self, node: ast.Call) -> None:
        self.called.add(_last_name(node.func))

    def _class(self, node: ast.ClassDef) -> None:
        self.derives = self.derives or bool(node.bases)
        for base in node.bases:
            self.called.update(map(_last_name, ast.walk(base)))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.asname is not None:
                self.called.add(alias.name.rpartition(".")[2])

    def _attribute(self, node: ast.Attribute) -> None:
        if node.attr == "shutdown":
            self.stopped.add(_last_name(node.value))

    def _handler(self, _: ast.ExceptHandler) -> None:
        self.catches = True

    def _item(self, _: ast.withitem) -> None:
        self.enters = True


_NOTES: dict[type[ast.AST], Callable[[Glance, Any], None]] = {
    ast.Call: Glance._call,  # noqa: SLF001 (this is a part of the class)
    ast.ClassDef: Glance._class,  # noqa: SLF001
    ast.Import: Glance._import,  # noqa: SLF001
    ast.ImportFrom: Glance._import,  # noqa: SLF001
    ast.Attribute: Glance._attribute,  # noqa: SLF001
    ast.ExceptHandler: Glance._handler,  # noqa: SLF001
    ast.withitem: Glance._item,  # noqa: SLF001
}


def _last_name(node: ast.AST) -> str:
    """Return the last part of a name; nothing if `node` is something else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""

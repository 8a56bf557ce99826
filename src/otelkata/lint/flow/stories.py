"""The story of each span that a file starts: where, how it is held, and what becomes of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import libcst as cst

from otelkata.lint.flow.effects import Deed
from otelkata.lint.flow.harmless import is_generator
from otelkata.lint.flow.hazards import Flow
from otelkata.lint.flow.ownership import Fates, Flows
from otelkata.lint.meaning.module import Body, Module
from otelkata.lint.meaning.scopes import Scope, dotted
from otelkata.lint.meaning.values import Known
from otelkata.lint.source.walk import walk

_TAKES = frozenset(
    {Deed.END, Deed.MANAGE, Deed.RETURN, Deed.PASS, Deed.CAPTURE, Deed.ENTER, Deed.STORE}
    | {Deed.ALIAS}
)
"""What shows that somebody looks after a span kept in an attribute."""

_CONTAINERS = (cst.Dict, cst.Set, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
_ENTERS = frozenset({"__aenter__", "__enter__"})
_EXITS = frozenset({"__aexit__", "__exit__"})


class Kind(Enum):
    """What has to be undone: a span by an end, an attached context by a detach."""

    SPAN = "span"
    MANAGED = "managed span"
    UNMANAGED = "span with end_on_exit=False"
    ATTACHED = "attached context"


@dataclass(frozen=True, slots=True)
class Story:
    """One span, or one attached context, and all that may become of it.

    `names` hold it first, none where it was dropped or handed on at once; `first` is what is done
    with it right where it starts.
    """

    kind: Kind

    call: cst.Call
    known: Known
    names: frozenset[str]
    first: Deed
    fates: Fates


def stories(module: Module) -> list[Story]:
    """Return the stories of `module`, in the order of the source."""
    return _Teller(module).tell()


class _Teller:
    def __init__(self, module: Module) -> None:
        self._module = module
        self._flows = Flows(module)
        self._told: dict[cst.Call, Story] = {}

    def tell(self) -> list[Story]:
        for call in self._starts():
            self._add(call, self._module.called(call) or Known("Tracer.start_span", certain=False))
        for call in self._module.calls("attach"):
            self._add(call, Known("attach"), Kind.ATTACHED)
        for call in self._module.calls("Tracer.start_as_current_span"):
            self._enter(call)
        # A function that returns what it started makes each of its calls a start.
        fresh = self._fresh(list(self._told.values()))
        while fresh:
            new = [call for call in self._calls_of(fresh) if call not in self._told]
            for call in new:
                self._add(call, Known("Tracer.start_span"))
            fresh = self._fresh([self._told[call] for call in new])
        return sorted(self._told.values(), key=lambda story: self._order[story.call])

    def _starts(self) -> Iterator[cst.Call]:
        yield from self._module.calls("Tracer.start_span")
        own = self._module.options.start_signatures
        if own:
            yield from (
                call
                for call in self._module.index.calls
                if (dotted(call.func) or "") in own or (self._module.origin(call.func) or "") in own
            )

    def _enter(self, call: cst.Call) -> None:
        """Follow what a `with` names from its beginning."""
        item = self._module.parent(call)
        body = self._module.body_of(call)
        if not isinstance(item, cst.WithItem) or body is None:
            return
        name = dotted(item.asname.name) if item.asname is not None else None
        if item.asname is not None and (name is None or "." in name):
            return
        names = frozenset({name} if name else ())
        ends = self._flows.effects.ends_on_exit(call)
        if not names and ends:
            return
        known = self._module.called(call) or Known("Tracer.start_as_current_span", certain=False)
        kind = Kind.MANAGED if ends else Kind.UNMANAGED
        fates = self._flows.follow(body, item, names)
        self._told[call] = Story(kind, call, known, names, Deed.MANAGE, fates)

    def _add(self, call: cst.Call, known: Known, kind: Kind = Kind.SPAN) -> None:
        if call in self._told:
            return
        effect = self._flows.effects.of_mention(call)
        names = effect.names
        if effect.deed is Deed.STORE:
            names = frozenset(self._stored_as(call))
        fates = self._fates(call, effect.deed, names)
        self._told[call] = Story(kind, call, known, names, effect.deed, fates)

    def _stored_as(self, call: cst.Call) -> list[str]:
        """Return the names that hold a span first: of all targets, or of the one in its place."""
        statement = self._module.statement(call)
        if not isinstance(statement, cst.Assign | cst.AnnAssign):
            return []
        targets = (
            [item.target for item in statement.targets]
            if isinstance(statement, cst.Assign)
            else [statement.target]
        )
        inside: cst.CSTNode = call
        for around in self._module.ancestors(call):
            if isinstance(around, cst.NamedExpr):
                # It has two holders.
                return []
            if isinstance(around, cst.Tuple | cst.List):
                nested = isinstance(self._module.parent(around), cst.Element)
                return [] if nested else _opposite(targets, around, inside)
            if isinstance(around, _CONTAINERS):
                return []
            if around is statement:
                break
            inside = around
        return [found for target in targets if (found := dotted(target))]

    def _fates(self, call: cst.Call, deed: Deed, names: frozenset[str]) -> Fates:
        body = self._module.body_of(call)
        if deed is Deed.END:
            return Fates()
        if deed is Deed.MANAGE:
            return self._managed(call, body)
        if body is None or names & self._module.scope(call).elsewhere:
            return Fates(moved=[Deed.STORE])
        if deed in {Deed.BORROW, Deed.USE}:
            names = frozenset()
        elif any("." in name for name in names) or not names:
            return self._stored(call, body, names) if names else Fates(moved=[deed])
        return self._flows.follow(body, call, names)

    def _managed(self, call: cst.Call, body: Body | None) -> Fates:
        """Follow a span that is a context manager itself, for what is done to it after its end."""
        item = self._module.parent(call)
        name = None
        if isinstance(item, cst.WithItem) and item.asname is not None:
            name = dotted(item.asname.name)
        fates = Fates()
        if name is not None and "." not in name and body is not None:
            fates = self._flows.follow(body, item, frozenset({name}))
            fates.leaks.clear()
        fates.managed = True
        return fates

    def _stored(
        self, call: cst.Call, body: cst.FunctionDef | cst.Module, names: frozenset[str]
    ) -> Fates:
        """Follow a span kept on the object through the methods of its class."""
        attributes = [name for name in names if name.count(".") == 1]
        scope = self._module.scope(call)
        owner = scope.class_scope()
        if len(names) != 1 or not attributes or owner is None:
            return Fates(moved=[Deed.STORE])
        holder, _, attribute = attributes[0].partition(".")
        if holder != scope.object_name():
            return Fates(moved=[Deed.STORE])
        return self._kept(call, body, names, self._takers(owner, attribute))

    def _kept(
        self, call: cst.Call, body: Body, names: frozenset[str], takers: list[cst.CSTNode]
    ) -> Fates:
        """Follow a span kept in an attribute that `takers` look after."""
        if not takers:
            return self._flows.follow(body, call, frozenset())
        if any(isinstance(node, cst.SimpleString) for node in takers):
            return Fates(moved=[Deed.STORE])
        owners = {self._module.body_of(node) for node in takers}
        if owners == {body}:
            ranks = self._module.ranks
            if all(ranks[node] < ranks[call] for node in takers):
                # Each run of the function looks after what the one before has left.
                return Fates(moved=[Deed.STORE])
            return self._flows.follow(body, call, names)
        if _name(body) in _ENTERS and {_name(owner) for owner in owners - {body}} <= _EXITS:
            # `__exit__` does not run when `__enter__` raised.
            fates = self._flows.follow(body, call, names)
            fates.leaks.pop(Flow.NEXT, None)
            return fates
        return Fates(moved=[Deed.STORE])

    def _takers(self, owner: Scope, attribute: str) -> list[cst.CSTNode]:
        """Return where more is done with `.attribute` than to look at it."""
        found: list[cst.CSTNode] = []
        for node in self._named[attribute]:
            if isinstance(node, cst.Attribute):
                effect = self._flows.effects.of_mention(node)
                if effect.deed in _TAKES and not self._is_anothers(node, owner):
                    found.append(node)
            else:
                # getattr(self, "_span"), __slots__ and the like: somebody else may look.
                found.append(node)
        return found

    def _is_anothers(self, node: cst.Attribute, owner: Scope) -> bool:
        """Tell whether `node` is an attribute of `self` in a class that has nothing to do here."""
        scope = self._module.scope(node)
        holder = scope.class_scope()
        if holder is None or holder is owner or dotted(node.value) != scope.object_name():
            return False
        classes = (holder.node, owner.node)
        return not any(isinstance(node, cst.ClassDef) and node.bases for node in classes)

    def _fresh(self, told: list[Story]) -> set[cst.FunctionDef]:
        """Return the functions that return a span they started."""
        found: set[cst.FunctionDef] = set()
        for story in (story for story in told if story.kind is Kind.SPAN):
            moved = story.first is Deed.RETURN or Deed.RETURN in story.fates.moved
            body = self._module.function(story.call)
            moved = moved and not (story.fates.spent or story.fates.managed)
            if moved and isinstance(body, cst.FunctionDef) and not is_generator(body):
                found.add(body)
        return found

    def _calls_of(self, functions: set[cst.FunctionDef]) -> Iterator[cst.Call]:
        names = {function.name.value for function in functions}
        for call in sorted(
            (call for name in names for call in self._called_by.get(name, ())),
            key=self._order.__getitem__,
        ):
            if self._module.definition(call) in functions:
                yield call

    @cached_property
    def _order(self) -> dict[cst.Call, int]:
        return {call: number for number, call in enumerate(self._module.index.calls)}

    @cached_property
    def _called_by(self) -> dict[str, list[cst.Call]]:
        """The calls of this file, by the last name of what they call."""
        found: defaultdict[str, list[cst.Call]] = defaultdict(list)
        for call in self._module.index.calls:
            found[(dotted(call.func) or "").rpartition(".")[2]].append(call)
        return found

    @cached_property
    def _named(self) -> dict[str, list[cst.Attribute | cst.SimpleString]]:
        """The attributes of this file by their names, and strings that may name one."""
        found: defaultdict[str, list[cst.Attribute | cst.SimpleString]] = defaultdict(list)
        for node in walk(self._module.tree):
            if isinstance(node, cst.Attribute):
                found[node.attr.value].append(node)
            elif isinstance(node, cst.SimpleString):
                found[node.raw_value].append(node)
        return found


def _opposite(
    targets: list[cst.BaseAssignTargetExpression], values: cst.Tuple | cst.List, inside: cst.CSTNode
) -> list[str]:
    position = next((at for at, item in enumerate(values.elements) if item is inside), None)
    for target in targets:
        if position is not None and isinstance(target, cst.Tuple | cst.List):
            if len(target.elements) != len(values.elements):
                return []
            return [dotted(target.elements[position].value) or ""]
    return []


def _name(body: Body | None) -> str:
    return body.name.value if isinstance(body, cst.FunctionDef) else ""

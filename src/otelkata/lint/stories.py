"""The story of each span that a file starts: where, how it is held, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from .effects import Deed
from .hazards import Flow
from .module import Body, Known, Module
from .ownership import Fates, Flows
from .scopes import Scope, dotted
from .walk import walk

_TAKES = frozenset(
    {Deed.END, Deed.MANAGE, Deed.RETURN, Deed.PASS, Deed.CAPTURE, Deed.ENTER, Deed.STORE}
    | {Deed.ALIAS}
)
"""What shows that somebody looks after a span kept in an attribute."""

_CONTAINERS = (cst.Dict, cst.Set, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
_ENTERS = frozenset({"__aenter__", "__enter__"})
_EXITS = frozenset({"__aexit__", "__exit__"})


@dataclass(frozen=True, slots=True)
class Story:
    """One span that has to be ended by hand.

    `names` hold it first, none where it was dropped or handed on at once; `first` is what is done
    with it right where it starts.
    """

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
        # A function that returns what it started makes each of its calls a start.
        fresh = self._fresh(list(self._told.values()))
        while fresh:
            new = [call for call in self._calls_of(fresh) if call not in self._told]
            for call in new:
                self._add(call, Known("Tracer.start_span"))
            fresh = self._fresh([self._told[call] for call in new])
        order = {call: number for number, call in enumerate(self._module.index.calls)}
        return sorted(self._told.values(), key=lambda story: order[story.call])

    def _starts(self) -> Iterator[cst.Call]:
        yield from self._module.calls("Tracer.start_span")
        own = self._module.options.start_signatures
        if own:
            yield from (
                call
                for call in self._module.index.calls
                if (dotted(call.func) or "") in own or (self._module.origin(call.func) or "") in own
            )

    def _add(self, call: cst.Call, known: Known) -> None:
        if call in self._told:
            return
        effect = self._flows.effects.of_mention(call)
        names = self._names(call, effect.name) if effect.deed in {Deed.ALIAS, Deed.STORE} else ()
        fates = self._fates(call, effect.deed, frozenset(names))
        self._told[call] = Story(call, known, frozenset(names), effect.deed, fates)

    def _names(self, call: cst.Call, name: str) -> list[str]:
        """Return the names that hold a span first: of all targets, or of the one in its place."""
        statement = self._module.statement(call)
        if not isinstance(statement, cst.Assign):
            return [name] if name else []
        targets = [target.target for target in statement.targets]
        inside: cst.CSTNode = call
        for around in self._module.ancestors(call):
            if isinstance(around, cst.NamedExpr):
                return [dotted(around.target) or ""]
            if isinstance(around, cst.Tuple | cst.List):
                return _opposite(targets, around, inside)
            if isinstance(around, _CONTAINERS):
                return []
            if around is statement:
                break
            inside = around
        return [found for target in targets if (found := dotted(target))]

    def _fates(self, call: cst.Call, deed: Deed, names: frozenset[str]) -> Fates:
        body = self._module.body_of(call)
        if deed is Deed.END:
            return Fates(ended=True)
        if deed is Deed.MANAGE:
            return Fates(managed=True)
        if body is None or self._is_elsewhere(call, names):
            return Fates(moved={Deed.STORE: call})
        if deed in {Deed.BORROW, Deed.USE}:
            return self._flows.follow(body, call, frozenset())
        if deed is Deed.ALIAS or (names and all("." not in name for name in names)):
            return self._flows.follow(body, call, names)
        if deed is Deed.STORE:
            return self._stored(call, body, names)
        return Fates(moved={deed: call})

    def _is_elsewhere(self, call: cst.Call, names: frozenset[str]) -> bool:
        return bool(names & self._module.scope(call).elsewhere)

    def _stored(
        self, call: cst.Call, body: cst.FunctionDef | cst.Module, names: frozenset[str]
    ) -> Fates:
        """Follow a span kept on the object through the methods of its class."""
        attributes = [name for name in names if name.count(".") == 1]
        scope = self._module.scope(call)
        owner = scope.class_scope()
        if len(names) != 1 or not attributes or owner is None:
            return Fates(moved={Deed.STORE: call})
        holder, _, attribute = attributes[0].partition(".")
        if holder != scope.object_name():
            return Fates(moved={Deed.STORE: call})
        return self._kept(call, body, names, self._takers(owner, attribute))

    def _kept(
        self, call: cst.Call, body: Body, names: frozenset[str], takers: list[cst.CSTNode]
    ) -> Fates:
        """Follow a span kept in an attribute that `takers` look after."""
        if not takers:
            return self._flows.follow(body, call, frozenset())
        owners = {self._module.body_of(node) for node in takers}
        if owners == {body}:
            return self._flows.follow(body, call, names)
        if _name(body) in _ENTERS and {_name(owner) for owner in owners - {body}} <= _EXITS:
            # `__exit__` does not run when `__enter__` raised.
            fates = self._flows.follow(body, call, names)
            fates.leaks.pop(Flow.NEXT, None)
            return fates
        return Fates(moved={Deed.STORE: call})

    def _takers(self, owner: Scope, attribute: str) -> list[cst.CSTNode]:
        """Return where more is done with `.attribute` than to look at it: here, or of any object."""
        found: list[cst.CSTNode] = []
        for node in walk(self._module.tree):
            if isinstance(node, cst.Attribute) and node.attr.value == attribute:
                effect = self._flows.effects.of_mention(node)
                if effect.deed in _TAKES and not self._is_anothers(node, owner):
                    found.append(node)
            elif isinstance(node, cst.SimpleString) and node.raw_value == attribute:
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
        for story in told:
            moved = story.first is Deed.RETURN or Deed.RETURN in story.fates.moved
            body = self._module.function(story.call)
            if moved and isinstance(body, cst.FunctionDef) and not _is_generator(body):
                found.add(body)
        return found

    def _calls_of(self, functions: set[cst.FunctionDef]) -> Iterator[cst.Call]:
        names = {function.name.value for function in functions}
        for call in self._module.index.calls:
            last = (dotted(call.func) or "").rpartition(".")[2]
            if last in names and self._module.definition(call) in functions:
                yield call


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


def _is_generator(function: cst.FunctionDef) -> bool:
    return any(isinstance(node, cst.Yield) for node in walk(function.body, into_scopes=False))


def worst(fates: Fates) -> Flow | None:
    """Return the most ordinary kind of path on which a span leaks; None if it leaks on none."""
    for flow in (Flow.NEXT, Flow.RAISE, Flow.CLOSE, Flow.CANCEL):
        if flow in fates.leaks:
            return flow
    return None

"""Where a status OK covers a failure up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import takewhile

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.failures import Kind, caught_by
from otelkata.lint.patterns.handlers import calls_in, leaving, method, raises, status_of
from otelkata.lint.patterns.outcomes import Outcome, Outcomes
from otelkata.lint.patterns.work import is_work
from otelkata.lint.source.walk import walk

_LEAVES = (cst.Return, cst.Raise, cst.Continue, cst.Break)
_RISKS = (cst.Await, cst.Try, cst.Yield)
_CHOICES = (cst.If, cst.Else, cst.MatchCase, cst.While, cst.For, cst.IfExp)


class Why(Enum):
    """Why an OK is wrong."""

    ALWAYS = auto()
    IN_HANDLER = auto()
    AFTER_ERROR = auto()
    AFTER_HANDLER = auto()
    TOO_EARLY = auto()


@dataclass(frozen=True, slots=True)
class Covering:
    """An OK that covers a failure up, on the span that is written `span`."""

    call: cst.Call
    span: str
    why: Why
    sure: bool
    """Whether the place alone shows the fault."""
    certain: bool
    """Whether what is covered is a span for certain, too."""

    @classmethod
    def found_in(cls, module: Module) -> Iterator[Covering]:
        """Yield those of a file, in its order."""
        outcomes = Outcomes(module)
        written = list(outcomes.written("set_status"))
        statuses = {item.call: status_of(module, item.call) for item in written}
        errors = [item for item in written if statuses[item.call] == {"ERROR"}]
        for item in written:
            if statuses[item.call] == {"OK"}:
                found = _judge(outcomes, item, errors)
                if found is not None:
                    why, sure = found
                    yield cls(item.call, item.span, why, sure, sure and item.certain)


def _judge(outcomes: Outcomes, item: Outcome, errors: list[Outcome]) -> tuple[Why, bool] | None:
    module = outcomes.module
    inside = _inside(module, item.call)
    if inside is not None:
        return inside
    for error in errors:
        if error.span == item.span and module.function(error.call) is module.function(item.call):
            order = _order(module, item.call, error.call)
            if order is not None:
                return order, True
    first = _comes_first(outcomes, item)
    return (Why.TOO_EARLY, first) if first is not None else _after_handler(outcomes, item)


def _inside(module: Module, call: cst.Call) -> tuple[Why, bool] | None:
    """Judge an OK in a `finally` or a handler."""
    chosen = False
    for above in module.ancestors(call):
        if isinstance(above, cst.FunctionDef | cst.Lambda):
            return None
        if isinstance(above, cst.Finally):
            return None if chosen else (Why.ALWAYS, True)
        if isinstance(above, cst.ExceptHandler):
            kind = caught_by(module, above).kind
            if chosen or kind <= Kind.SIGNAL:
                return None
            return Why.IN_HANDLER, kind >= Kind.OPERATION and not _sees(above)
        chosen = chosen or _is_choice(above)
    return None


def _sees(handler: cst.ExceptHandler) -> bool:
    """Tell whether a handler does the work in another way, which may have succeeded."""
    return any(method(call) != "set_status" and is_work(call) for call in calls_in(handler.body))


def _is_choice(node: cst.CSTNode) -> bool:
    """Tell whether a statement chooses, other than by whether the span records at all."""
    if isinstance(node, cst.If):
        return not any(
            isinstance(item, cst.Name) and item.value == "is_recording" for item in walk(node.test)
        )
    return isinstance(node, _CHOICES)


def _order(module: Module, ok: cst.Call, error: cst.Call) -> Why | None:
    """Tell how an OK and an ERROR on the same path follow each other; None if they do not."""
    above_ok = list(module.ancestors(ok))
    seen = {node: position for position, node in enumerate(above_ok)}
    path_error = list(takewhile(lambda node: node not in seen, module.ancestors(error)))
    above = module.parent(path_error[-1] if path_error else error)
    if not isinstance(above, cst.IndentedBlock | cst.Module):
        return None
    path_ok = above_ok[: seen[above]]
    if any(_is_choice(node) or isinstance(node, cst.ExceptHandler) for node in path_ok):
        return None
    if module.place(ok) < module.place(error):
        return None if _leaves(path_ok) else Why.TOO_EARLY
    return None if _leaves(path_error) else Why.AFTER_ERROR


def _leaves(path: list[cst.CSTNode]) -> bool:
    """Tell whether one of the blocks on a path is left at its end."""
    return any(
        isinstance(node, cst.IndentedBlock) and isinstance(leaving(node), _LEAVES) for node in path
    )


def _comes_first(outcomes: Outcomes, item: Outcome) -> bool | None:
    """Tell whether an OK before any work on a span certainly comes too early.

    None if it does not come before the work; False if that work is a plain call or two.
    """
    module = outcomes.module
    line = module.parent(module.statement(item.call) or item.call)
    block = module.parent(line) if line is not None else None
    if not isinstance(block, cst.IndentedBlock):
        return None
    around = outcomes.spans.around(line or item.call)
    opened = next((span for span in around if span.name == item.span), None)
    if opened is None:
        return None
    body = list(block.body)
    at = next(index for index, statement in enumerate(body) if statement is line)
    start = 0
    if isinstance(module.parent(opened.node), cst.WithItem):
        if module.parent(block) is not module.parent(module.parent(opened.node) or block):
            return None
    else:
        opening = module.parent(module.statement(opened.node) or block)
        if opening not in body:
            return None
        start = next(index for index, it in enumerate(body) if it is opening) + 1
    later = body[at + 1 :]
    if outcomes.work(body[start:at], item.span) or not outcomes.work(later, item.span):
        return None
    return any(isinstance(node, _RISKS) for statement in later for node in walk(statement))


def _after_handler(outcomes: Outcomes, item: Outcome) -> tuple[Why, bool] | None:
    """Judge an OK that follows a handler which went on as if nothing had happened."""
    module = outcomes.module
    below: cst.CSTNode = item.call
    for above in module.ancestors(item.call):
        if isinstance(above, cst.FunctionDef | cst.Lambda) or _is_choice(above):
            return None
        if isinstance(above, cst.IndentedBlock):
            for statement in above.body:
                if statement is below:
                    break
                if isinstance(statement, cst.Try):
                    found = _went_on(outcomes, statement)
                    if found is not None:
                        return Why.AFTER_HANDLER, found
        below = above
    return None


def _went_on(outcomes: Outcomes, statement: cst.Try) -> bool | None:
    """Tell whether a handler hides a failure and goes on, and whether that is certain."""
    for handler in statement.handlers:
        if raises(handler.body) or isinstance(leaving(handler.body), _LEAVES):
            continue
        caught = caught_by(outcomes.module, handler)
        hidden = outcomes.failures.judge(caught)
        if hidden is not None and caught.kind >= Kind.OPERATION:
            return hidden.certain
        recorded = any(method(call) == "record_exception" for call in calls_in(handler.body))
        if recorded and caught.kind >= Kind.OPERATION:
            return True
    return None

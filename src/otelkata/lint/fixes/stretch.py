"""Find the stretch of a block between the start of a span and its last end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import libcst as cst

from otelkata.lint.fixes.mentions import MOST_MENTIONS, Onlookers, binds, is_read, mentions
from otelkata.lint.fixes.rewrite import Block, spot
from otelkata.lint.flow.effects import Deed
from otelkata.lint.flow.ownership import Flows
from otelkata.lint.flow.stories import Kind, Story
from otelkata.lint.meaning.module import Module

_HARMLESS = frozenset({Deed.BORROW, Deed.USE})


@dataclass(frozen=True, slots=True)
class Stretch:
    """The statements of `block` from after the start of a span to its last end, `stop` exclusive.

    `ends` are the lines that end it, in the order of the source.
    """

    block: Block
    start: int
    stop: int
    name: str
    ends: tuple[cst.SimpleStatementLine, ...]

    @property
    def statements(self) -> Sequence[cst.BaseStatement]:
        """Return the statements between the start and the stop."""
        found: Sequence[cst.BaseStatement] = self.block.body[self.start + 1 : self.stop]
        return found

    @property
    def main(self) -> cst.SimpleStatementLine | None:
        """Return the end that stands in the block itself, as the last statement; None if none."""
        last = self.ends[-1] if self.ends else None
        return last if last is not None and last is self.statements[-1] else None


def stretch_of(module: Module, story: Story) -> Stretch | None:
    """Return what stands between start and ends; None where the span has more to it than that."""
    place = spot(module, story.call)
    body = module.body_of(story.call)
    if place is None or body is None or not _is_alone(module, story):
        return None
    (name,) = story.names
    block, start = place
    found = mentions(module, body, name)
    if len(found) > MOST_MENTIONS:
        return None
    within = _by_statement(module, found, block, start)
    # What comes once the name is bound again is another span's.
    life = min((at for at, _ in within if binds(block.body[at], name)), default=len(block.body))
    within = [(at, mention) for at, mention in within if at < life]
    ends = {at: line for at, mention in within if (line := end_line(module, mention)) is not None}
    stop = max(ends, default=start) + 1
    own = [mention for at, mention in within if at < stop]
    onlookers = Onlookers(module, story.call, name)
    if not all(_is_harmless(module, mention) for mention in own) or any(
        onlookers.may_see(mention, block) for mention in found if mention not in own
    ):
        return None
    lines = [line for mention in own if (line := end_line(module, mention)) is not None]
    return Stretch(block, start, stop, name, tuple(lines))


def _is_alone(module: Module, story: Story) -> bool:
    """Tell whether a span has one plain name, and nobody else takes or ends it."""
    fates = story.fates
    if story.kind is not Kind.SPAN or story.first is not Deed.ALIAS or len(story.names) != 1:
        return False
    if fates.moved or fates.managed or fates.twice or not fates.complete:
        return False
    match module.statement(story.call):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name())], value=value):
            return value is story.call
        case cst.AnnAssign(target=cst.Name(), value=value):
            return value is story.call
    return False


def _by_statement(
    module: Module, found: list[cst.Name], block: Block, start: int
) -> list[tuple[int, cst.Name]]:
    """Return those mentions that stand in the statements of `block` after `start`."""
    numbers = _numbers(block)
    within: list[tuple[int, cst.Name]] = []
    for mention in found:
        for around in module.ancestors(mention):
            at = numbers.get(around)
            if at is not None and at > start:
                within.append((at, mention))
            if at is not None or around is block:
                break
    return within


@lru_cache(maxsize=1)
def _numbers(block: Block) -> Mapping[cst.CSTNode, int]:
    """Number the statements of a block, which may have many spans."""
    return {statement: at for at, statement in enumerate(block.body)}


def end_line(module: Module, mention: cst.Name) -> cst.SimpleStatementLine | None:
    """Return the line `span.end()` of which `mention` is the span; None if it is another."""
    attribute = module.parent(mention)
    call = module.parent(attribute) if isinstance(attribute, cst.Attribute) else None
    if not isinstance(attribute, cst.Attribute) or attribute.attr.value != "end":
        return None
    if not isinstance(call, cst.Call) or call.func is not attribute or call.args:
        return None
    line = module.parent(module.parent(call)) if isinstance(module.parent(call), cst.Expr) else None  # type: ignore[arg-type]
    return line if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None


@lru_cache(maxsize=1)
def _flows(module: Module) -> Flows:
    return Flows(module)


def _is_harmless(module: Module, mention: cst.Name) -> bool:
    """Tell whether a mention only looks at the span, describes it, or is a plain end of it."""
    if end_line(module, mention) is not None:
        return True
    deed = _flows(module).effects.of_mention(mention).deed
    return is_read(module, mention) and deed in _HARMLESS

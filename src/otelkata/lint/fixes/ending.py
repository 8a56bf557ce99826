"""Put the end of a span into a `finally`, where that changes nothing but when it is missed.

Only a start and its ends in one block are touched. On every path that ended the span before, it
ends after the same statements as before; on the others it ends where the block is left. Ends
elsewhere on the way (in a handler, before a `return`) are taken out if nothing but a plain jump
comes after them; anything else leaves the code alone.
"""

from __future__ import annotations

import libcst as cst

from otelkata.lint.fixes.change import Change, Part
from otelkata.lint.fixes.removal import can_open, without
from otelkata.lint.fixes.rewrite import has_comment, position, with_finally
from otelkata.lint.fixes.stretch import Stretch, stretch_of
from otelkata.lint.flow.stories import Story
from otelkata.lint.meaning.module import Module


def ended_in_finally(module: Module, story: Story) -> Change | None:
    """Put one end of the span of `story` into a `finally`; None where that is not safe."""
    stretch = stretch_of(module, story)
    if stretch is None or not stretch.ends or not _is_plain(stretch):
        return None
    inner = [line for line in stretch.ends if line is not stretch.main]
    if not all(_is_removable(module, line, stretch) for line in inner):
        return None
    between = list(stretch.statements)
    end = stretch.main or _bare(inner[0])
    if stretch.main is not None:
        between.pop()
    if not between:
        return None
    new = with_finally(stretch.block, without(between, inner), end)
    return (Part(tuple(stretch.statements), (new,)),)


def _bare(line: cst.SimpleStatementLine) -> cst.SimpleStatementLine:
    return line.with_changes(leading_lines=(), trailing_whitespace=cst.TrailingWhitespace())


def _is_plain(stretch: Stretch) -> bool:
    """Tell whether a stretch can be indented: at the top of a file, only if it defines nothing."""
    return not isinstance(stretch.block, cst.Module) or not any(
        isinstance(statement, cst.FunctionDef | cst.ClassDef) for statement in stretch.statements
    )


def _is_removable(module: Module, line: cst.SimpleStatementLine, stretch: Stretch) -> bool:
    """Tell whether nothing runs between an end inside of a stretch and the way out of it."""
    block = module.parent(line)
    if not isinstance(block, cst.IndentedBlock) or has_comment(line.trailing_whitespace):
        return False
    rest = block.body[position(block, line) + 1 :]
    if not rest:
        emptied = len(block.body) == 1
        return (not emptied or _may_vanish(module, block)) and _is_tail(module, block, stretch)
    jump = _jump(rest[0])
    return len(rest) == 1 and jump is not None and _leaves(module, block, jump, stretch)


def _may_vanish(module: Module, block: cst.IndentedBlock) -> bool:
    """Tell whether a block can go with the end that is all it holds."""
    parent = module.parent(block)
    around = module.parent(parent) if parent is not None else None
    if not isinstance(parent, cst.Else | cst.Finally) or has_comment(parent):
        return False
    if isinstance(parent, cst.Finally):
        return isinstance(around, cst.Try) and (bool(around.handlers) or can_open(around))
    return isinstance(around, cst.Try | cst.TryStar | cst.If)


def _is_tail(module: Module, block: cst.IndentedBlock, stretch: Stretch) -> bool:
    """Tell whether the end of `block` is the end of the stretch: nothing comes after it."""
    inside: cst.CSTNode = block
    last = stretch.statements[-1]
    for around in module.ancestors(block):
        match around:
            case cst.Try() | cst.TryStar():
                if not _is_last_part(around, inside, stretch):
                    return False
            case cst.If() | cst.Match() | cst.MatchCase() | cst.Else() | cst.Finally():
                pass
            case cst.ExceptHandler() | cst.ExceptStarHandler():
                pass
            case cst.IndentedBlock() | cst.Module():
                if around is stretch.block:
                    return inside is last
                if around.body[-1] is not inside:
                    return False
            case _:
                return False
        inside = around
    return False


def _is_last_part(around: cst.Try | cst.TryStar, inside: cst.CSTNode, stretch: Stretch) -> bool:
    """Tell whether nothing of a `try` comes after its part `inside`."""
    if inside is around.finalbody:
        # An exception on its way out must meet no handler before it has left the stretch.
        return around is stretch.statements[-1]
    if around.finalbody is not None:
        return False
    return inside is not around.body or around.orelse is None


def _jump(line: cst.CSTNode) -> cst.Return | cst.Raise | cst.Break | cst.Continue | None:
    """Return the plain jump that `line` is: what it evaluates has no effect."""
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    match line.body[0]:
        case cst.Return(value=value) as jump if value is None or _is_constant(value):
            return jump
        case cst.Raise(exc=None | cst.Name(), cause=cause) as jump:
            return jump if cause is None or isinstance(cause.item, cst.Name) else None
        case cst.Break() | cst.Continue() as jump:
            return jump
    return None


def _is_constant(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name | cst.SimpleString | cst.BaseNumber)


def _leaves(
    module: Module,
    block: cst.IndentedBlock,
    jump: cst.Return | cst.Raise | cst.Break | cst.Continue,
    stretch: Stretch,
) -> bool:
    """Tell whether `jump` leaves the stretch at once, past no other work."""
    inside: cst.CSTNode = block
    for around in module.ancestors(block):
        if around is stretch.block:
            return True
        match around:
            case cst.Try() | cst.TryStar():
                if around.finalbody is not None:
                    return False
                if isinstance(jump, cst.Raise) and inside is around.body:
                    return False
            case cst.With() | cst.FunctionDef() | cst.ClassDef():
                return False
            case cst.For() | cst.While():
                if isinstance(jump, cst.Break | cst.Continue):
                    return False
        inside = around
    return False

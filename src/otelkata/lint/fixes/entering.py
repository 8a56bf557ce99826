"""Put a span into a `with`, where the code makes it the current one already, or means to.

`start_as_current_span` is `start_span` and `use_span` in one: it makes the span current, records
an exception that passes, and ends it. So a `with` takes the place of a start and an end only where
`use_span` does the first two right after the start. Elsewhere a `with` would change whose children
the spans inside are; there a `finally` ends the span.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from otelkata.lint.fixes.change import Change, Part
from otelkata.lint.fixes.mentions import mentions
from otelkata.lint.fixes.rewrite import Block, has_comment, inner, line_at, spot
from otelkata.lint.fixes.stretch import Stretch, stretch_of
from otelkata.lint.flow.stories import Story
from otelkata.lint.meaning.arguments import argument, is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.source.walk import walk

_RECORDING = ("record_exception", "set_status_on_exception")
_MOST_POSITIONAL = 6
"""How many positional arguments of `start_span` come before those of `_RECORDING`."""


def started_as_current(module: Module, story: Story) -> Change | None:
    """Put start, `use_span` and end of the span of `story` into one `with`; None if not safe.

    Without any end, the span ends where it stops being current, if nobody can reach it then.
    """
    stretch = stretch_of(module, story)
    if stretch is None or not _is_plain_start(module, story):
        return None
    line = line_at(stretch.block, stretch.start)
    block = next(iter(stretch.block.body[stretch.start + 1 :]), None)
    if not isinstance(block, cst.With) or not _uses(module, block, stretch.name):
        return None
    header = _header(line, block)
    if header is None:
        return None
    stop = _stop(module, story, stretch)
    if stop is None:
        return None
    others = [line, block.items[0], *stretch.ends]
    first = cst.WithItem(
        item=_renamed(story.call),
        asname=_name(stretch) if _is_mentioned(module, story, stretch, others) else None,
        comma=block.items[0].comma,
    )
    new = block.with_changes(
        items=[first, *block.items[1:]],
        body=block.body.with_changes(header=header),
        leading_lines=[*line.leading_lines, *block.leading_lines],
    )
    return (Part(tuple(stretch.block.body[stretch.start : stop]), (new,)),)


def _header(line: cst.SimpleStatementLine, block: cst.With) -> cst.TrailingWhitespace | None:
    """Return what follows the colon: a comment of the start, or one of the `with`; not both."""
    if not isinstance(block.body, cst.IndentedBlock):
        return None
    ours, theirs = line.trailing_whitespace, block.body.header
    if ours.comment is not None and theirs.comment is not None:
        return None
    return theirs if ours.comment is None else ours


def _is_plain_start(module: Module, story: Story) -> bool:
    """Tell whether the start takes what `start_as_current_span` takes, to the same effect."""
    called = module.called(story.call)
    if called is None or called.kind != "Tracer.start_span" or not called.certain:
        return False
    if not isinstance(story.call.func, cst.Attribute) or not isinstance(
        module.statement(story.call), cst.Assign
    ):
        return False
    args = story.call.args
    if any(arg.star for arg in args) or len(args) > _MOST_POSITIONAL:
        return False
    return not any(argument(story.call, keyword) for keyword in _RECORDING)


def _uses(module: Module, block: cst.With, name: str) -> bool:
    """Tell whether the first thing that a `with` does is to make the span current, no more."""
    item = block.items[0]
    call = item.item
    if block.asynchronous is not None or not isinstance(call, cst.Call):
        return False
    called = module.called(call)
    span = argument(call, "span", 0)
    if called is None or called.kind != "use_span" or span is None:
        return False
    if not isinstance(span.value, cst.Name) or span.value.value != name or has_comment(item):
        return False
    ends = argument(call, "end_on_exit", 1)
    plain = len(call.args) == (1 if ends is None else 2)
    return plain and item.asname is None and (ends is None or is_literal(ends.value, "False"))


def _stop(module: Module, story: Story, stretch: Stretch) -> int | None:
    """Return where the statements after the `with` and its end begin; None if they are more."""
    after = stretch.start + 2
    if stretch.ends:
        (end, *others) = stretch.ends
        plain = not others and end is stretch.main and stretch.stop == after + 1
        return after + 1 if plain and not has_comment(end) else None
    # Where the end is missed altogether, who has the span by its name, or as the current one,
    # may still want it.
    inside = stretch.block.body[stretch.start : after]
    if _is_mentioned(module, story, stretch, inside):
        return None
    return None if next(module.calls("get_current_span"), None) is not None else after


def _is_in(module: Module, node: cst.CSTNode, places: Sequence[cst.CSTNode]) -> bool:
    return any(around in places for around in module.ancestors(node))


def _name(stretch: Stretch) -> cst.AsName:
    return cst.AsName(cst.Name(stretch.name))


def _is_mentioned(
    module: Module, story: Story, stretch: Stretch, others: Sequence[cst.CSTNode]
) -> bool:
    """Tell whether the span is asked for by its name anywhere but in `others`."""
    body = module.body_of(story.call)
    assert body is not None
    return any(not _is_in(module, node, others) for node in mentions(module, body, stretch.name))


def _renamed(call: cst.Call) -> cst.Call:
    func = call.func
    assert isinstance(func, cst.Attribute)
    return call.with_changes(func=func.with_changes(attr=cst.Name("start_as_current_span")))


def entered(module: Module, call: cst.Call) -> Change | None:
    """Put what follows a manager that is never entered into a `with` of it.

    None where it is not plain what the span should cover: in one branch of several, at the top of
    a file, before a `yield`, or beside a second manager of the kind.
    """
    place = spot(module, call)
    if place is None or not isinstance(module.parent(call), cst.Expr):
        return None
    block, at = place
    line, rest = line_at(block, at), list(block.body[at + 1 :])
    called = module.called(call)
    if called is None or called.kind != "Tracer.start_as_current_span" or not called.certain:
        return None
    if not _is_whole(module, block) or not rest:
        return None
    if any(_is_unclear(module, node) for statement in rest for node in walk(statement)):
        return None
    if any(_is_dropped(module, node) for before in block.body[:at] for node in walk(before)):
        return None
    assert isinstance(block, cst.IndentedBlock)
    new = cst.With(
        items=[cst.WithItem(item=call)],
        body=inner(block, rest, line.trailing_whitespace),
        leading_lines=line.leading_lines,
    )
    return (Part((line, *rest), (new,)),)


def _is_whole(module: Module, block: Block) -> bool:
    """Tell whether a block is all that its function or loop does."""
    return isinstance(module.parent(block), cst.FunctionDef | cst.For | cst.While)


def _is_unclear(module: Module, node: cst.CSTNode) -> bool:
    """Tell whether what comes in the rest of a block makes it unclear where a span should end."""
    if isinstance(node, cst.Yield):
        return True
    if not isinstance(node, cst.Call):
        return False
    called = module.called(node)
    asks = called is not None and called.kind == "get_current_span"
    return asks or _is_dropped(module, node)


def _is_dropped(module: Module, node: cst.CSTNode) -> bool:
    if not isinstance(node, cst.Call) or not isinstance(module.parent(node), cst.Expr):
        return False
    called = module.called(node)
    return called is not None and called.kind in {"Tracer.start_as_current_span", "use_span"}

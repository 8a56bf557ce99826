"""Show a trace once: where later faults are in the same one, only what is marked in it."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from .drawing import Bar, Drawing
from .graded import Judged
from .tree import to_text


def without_repeats(results: Iterable[Judged]) -> Iterator[Judged]:
    """Yield `results`, of which those with the trace of an earlier one refer to that."""
    shown: dict[Drawing, str] = {}
    for result in results:
        drawing = result.drawing
        shown_by = shown.setdefault(_unmarked(drawing), result.id) if drawing else result.id
        if drawing is None or shown_by == result.id:
            yield result
        else:
            yield replace(result, trace=_reference(drawing, shown_by))


def _reference(drawing: Drawing, shown_by: str) -> str:
    part = _marked(drawing)
    if not (part.bars or part.missing or part.crossings):
        return f"It is the trace that is shown above, under {shown_by}."
    return f"In the trace that is shown above, under {shown_by}:\n{to_text(part)}"


def _unmarked(drawing: Drawing) -> Drawing:
    return replace(
        drawing,
        bars=tuple(replace(bar, is_at_fault=False) for bar in drawing.bars),
        missing=(),
        crossings=tuple(replace(crossing, is_at_fault=False) for crossing in drawing.crossings),
    )


def _marked(drawing: Drawing) -> Drawing:
    bars = [*reversed([*_with_ancestors(drawing.bars)])]
    return replace(
        drawing,
        bars=tuple(
            replace(bar, is_last=not _has_sibling(bar, bars[number:]))
            for number, bar in enumerate(bars, 1)
        ),
        left_out=0,
        crossings=tuple(crossing for crossing in drawing.crossings if crossing.is_at_fault),
    )


def _with_ancestors(bars: tuple[Bar, ...]) -> Iterator[Bar]:
    # From the last one: what is at fault, then what leads to it.
    needed = -1
    for bar in reversed(bars):
        if bar.is_at_fault or bar.depth == needed:
            yield bar
            needed = bar.depth - 1


def _has_sibling(bar: Bar, after: list[Bar]) -> bool:
    following = next((other for other in after if other.depth <= bar.depth), None)
    return following is not None and (following.depth, following.trace_id) == (
        bar.depth,
        bar.trace_id,
    )

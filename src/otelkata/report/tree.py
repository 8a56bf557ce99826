"""Draw the trace of a case as text, with the fault marked, and what the wire showed beside it."""

from collections.abc import Iterator

from .drawing import Bar, Crossing, Drawing

MARK = "✗"


def to_text(drawing: Drawing) -> str:
    """Return a drawing in lines: the spans as trees, then the requests."""
    crossings = [line for crossing in drawing.crossings for line in _request(crossing)]
    return "\n".join([*_tree(drawing), *(["on the wire:"] if crossings else []), *crossings])


def _tree(drawing: Drawing) -> Iterator[str]:
    trace_id = ""
    is_last: list[bool] = []
    for bar in drawing.bars:
        if bar.depth == 0 and bar.trace_id != trace_id:
            trace_id = bar.trace_id
            yield f"trace {trace_id}"
        is_last[bar.depth :] = [True] * (bar.depth - len(is_last)) + [bar.is_last]
        above = "".join("   " if last else "│  " for last in is_last[: bar.depth])
        yield f"{above}{'└─' if bar.is_last else '├─'} {_span(bar)}"
    if drawing.left_out:
        yield f"… {drawing.left_out} spans more"
    for missing in drawing.missing:
        yield f"{MARK} {missing}"


def _span(bar: Bar) -> str:
    parts = [MARK] if bar.is_at_fault else []
    parts += [bar.service, bar.kind, bar.name, f"{bar.took_ms:.1f} ms", bar.code, bar.status]
    parts += [f"[{event.name}]" for event in bar.events]
    parts += [f"({bar.origin})"] if bar.origin else []
    return "  ".join(part for part in parts if part)


def _request(crossing: Crossing) -> Iterator[str]:
    mark = MARK if crossing.is_at_fault else " "
    line = (
        f"{mark} {crossing.caller} → {crossing.callee}  {crossing.what}  {crossing.outcome}  "
        f"{crossing.took_ms:.1f} ms"
    )
    if crossing.lacks_context:
        yield f"{line}  {crossing.context}"
        return
    yield line
    if crossing.context:
        # On a line of its own an id stays whole, and is easily compared and copied.
        yield f"    {crossing.context}"

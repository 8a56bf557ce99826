"""Place the spans and requests of a case on one time axis, as shares of its width."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from otelkata.report.drawing import Bar, Crossing, Drawing
from otelkata.report.expected import Wanted

LEVELS = 8
"""How deep a tree is drawn; what is deeper stays at this depth."""

NARROWEST = 0.6
"""Share of the axis, in percent, below which a bar would not be seen."""

TICKS = 6
REACH = 2
"""How far spans may stretch the axis beyond the requests, in their length."""

_TONES = {"gateway": "a", "inventory": "b", "payment": "c"}


@dataclass(frozen=True, slots=True)
class Tick:
    """A time on the axis; `at` is in percent."""

    at: float
    ms: float


@dataclass(frozen=True, slots=True)
class Mark:
    """An event on a span; `at` is in percent."""

    at: float
    name: str
    ms: float
    is_exception: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A span or a request; `left` and `width` are in percent.

    `guides` are the lines of the tree from the left; `is_outside` tells that its times are not on
    the axis, or that it ends before it begins.
    """

    bar: Bar | Crossing
    guides: tuple[str, ...]
    tone: str
    left: float
    width: float
    marks: tuple[Mark, ...] = ()
    is_outside: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """The spans that claim one trace."""

    trace_id: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """A span that is not there, and where it should be; None where no request tells."""

    text: str
    left: float | None
    width: float


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A case, placed."""

    drawing: Drawing
    ticks: tuple[Tick, ...]
    traces: tuple[Trace, ...]
    missing: tuple[Missing, ...]
    requests: tuple[Row, ...]
    wanted: tuple[tuple[Wanted, tuple[str, ...], str], ...]


def waterfall(drawing: Drawing) -> Waterfall:
    """Return `drawing`, placed on its axis."""
    axis = _Axis(drawing)
    return Waterfall(
        drawing,
        tuple(axis.ticks()),
        tuple(_traces(drawing.bars, axis)),
        tuple(_missing(drawing, axis)),
        tuple(
            Row(c, (), tone(c.caller), *axis.place(c.start_ms, c.took_ms))
            for c in drawing.crossings
        ),
        tuple(
            (wanted, guides, tone(wanted.service))
            for wanted, guides in zip(
                drawing.wanted, _guides_of_wanted(drawing.wanted), strict=True
            )
        ),
    )


def tone(service: str) -> str:
    """Return the colour that a service has everywhere."""
    return _TONES.get(service, "x")


class _Axis:
    # The requests were seen by the grader; spans say what they like, and so stretch it only so far.

    def __init__(self, drawing: Drawing) -> None:
        ends = [(c.start_ms, c.start_ms + c.took_ms) for c in drawing.crossings]
        ends = ends or [
            (b.start_ms, b.start_ms + b.took_ms) for b in drawing.bars if b.took_ms >= 0
        ]
        first = min((start for start, _ in ends), default=0.0)
        last = max((end for _, end in ends), default=1.0)
        room = REACH * max(last - first, 1.0)
        for bar in drawing.bars:
            for moment in (bar.start_ms, bar.start_ms + bar.took_ms):
                if first - room <= moment < first:
                    first = moment
                elif last < moment <= last + room:
                    last = moment
        self._first, self._length = first, max(last - first, 0.001)

    def at(self, moment: float) -> float:
        return round(min(100.0, max(0.0, 100 * (moment - self._first) / self._length)), 2)

    def place(self, start: float, took: float) -> tuple[float, float]:
        left = min(self.at(start), 100 - NARROWEST)
        return left, round(max(self.at(start + took) - left, NARROWEST), 2)

    def has(self, start: float, took: float) -> bool:
        return took >= 0 and self._first <= start and start + took <= self._first + self._length

    def ticks(self) -> Iterator[Tick]:
        # 1, 2 or 5 of a power of ten, whichever gives no more than enough.
        step = 10.0 ** math.floor(math.log10(self._length / TICKS))
        step *= next(n for n in (1, 2, 5, 10) if self._length / (n * step) <= TICKS)
        for number in range(int(self._length / step) + 1):
            if 100 * number * step / self._length <= 93:
                yield Tick(self.at(self._first + number * step), number * step)


def _traces(bars: Sequence[Bar], axis: _Axis) -> Iterator[Trace]:
    rows: list[Row] = []
    trace_id = ""
    for bar, guides in zip(bars, _guides((b.depth, b.is_last) for b in bars), strict=True):
        if bar.depth == 0 and bar.trace_id != trace_id:
            if rows:
                yield Trace(trace_id, tuple(rows))
            trace_id, rows = bar.trace_id, []
        rows.append(_row(bar, guides, axis))
    if rows:
        yield Trace(trace_id, tuple(rows))


def _row(bar: Bar, guides: tuple[str, ...], axis: _Axis) -> Row:
    return Row(
        bar,
        guides,
        tone(bar.service),
        *axis.place(bar.start_ms, bar.took_ms),
        tuple(
            Mark(axis.at(event.at_ms), event.name, event.at_ms, event.name == "exception")
            for event in bar.events
        ),
        not axis.has(bar.start_ms, bar.took_ms),
    )


def _missing(drawing: Drawing, axis: _Axis) -> Iterator[Missing]:
    place = next(
        (axis.place(c.start_ms, c.took_ms) for c in drawing.crossings if c.is_at_fault), None
    )
    for text in drawing.missing:
        yield Missing(text, *(place or (None, 0.0)))


def _guides_of_wanted(wanted: Sequence[Wanted]) -> Iterator[tuple[str, ...]]:
    def is_last(number: int) -> bool:
        depth = wanted[number].depth
        after = (other.depth for other in wanted[number + 1 :] if other.depth <= depth)
        return next(after, -1) < depth

    return _guides((w.depth, is_last(number)) for number, w in enumerate(wanted))


def _guides(places: Iterable[tuple[int, bool]]) -> Iterator[tuple[str, ...]]:
    # One letter for each level: a line goes on, branches, ends in a branch, or there is none. What
    # hangs from nothing has no line.
    above: list[bool] = []
    for depth, is_last in places:
        above[depth:] = [True] * (depth - len(above)) + [is_last]
        levels = ["n" if last else "v" for last in above[1:depth]]
        if depth:
            levels.append("l" if is_last else "t")
        yield tuple(levels[-LEVELS:])

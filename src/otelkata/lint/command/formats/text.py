"""Findings for people: the line at fault and the path to it, with the places marked."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from otelkata.lint.command.report import Report
from otelkata.lint.finding import Finding, Place, Severity

_WIDEST = 140
"""Characters of a source line that are shown, around what is marked."""
_COLOURS = {"error": "1;31", "warning": "1;33", "note": "1;36", "bold": "1", "dim": "2"}


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours, where the terminal has them."""

    on: bool = False

    def __call__(self, text: str, colour: str) -> str:
        """Return `text` in `colour`."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.on else text


def render(reports: Sequence[Report], paint: Paint = Paint()) -> str:
    """Return every finding with its source, and a line that counts them."""
    lines: list[str] = []
    for report in reports:
        for finding in report.findings:
            lines += [*_finding(finding, report.lines, paint), ""]
    return "\n".join([*lines, summary(reports)]) + "\n"


def statistics(reports: Iterable[Report]) -> str:
    """Return how many findings each rule has, most first."""
    found = [finding for report in reports for finding in report.findings]
    counts = Counter((finding.code, finding.name) for finding in found)
    mendable = {finding.code for finding in found if finding.fixable}
    width = max((len(str(count)) for count in counts.values()), default=0)
    return "".join(
        f"{count:>{width}}  {code} {name}{' [*]' if code in mendable else ''}\n"
        for (code, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def summary(reports: Iterable[Report]) -> str:
    """Return in one line what was found and mended."""
    reports = list(reports)
    found = [finding for report in reports for finding in report.findings]
    fixed = sum(report.fixed for report in reports)
    said = [f"{_count(fixed, 'fault')} fixed."] if fixed else []
    if found:
        files = _count(len({finding.path for finding in found}), "file")
        mendable = sum(finding.fixable for finding in found)
        hint = f" [*] {mendable} can be fixed with --fix." if mendable else ""
        said.append(f"{_count(len(found), 'fault')} found in {files}.{hint}")
    elif not reports or any(not report.unread for report in reports):
        said.append("No faults found.")
    unread = sum(bool(report.unread) for report in reports)
    if unread:
        said.append(f"{_count(unread, 'file')} could not be read.")
    return " ".join(said)


def printable(text: str) -> str:
    """Return `text` with what would steer a terminal replaced."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _finding(finding: Finding, lines: Mapping[int, str], paint: Paint) -> Iterator[str]:
    place = finding.place
    where = paint(printable(finding.path), "bold") + f":{place.line}:{place.column}:"
    code = paint(finding.code, finding.severity.value)
    mendable = " [*]" if finding.fixable else ""
    kind = "" if finding.severity is Severity.ERROR else f" ({finding.severity})"
    message = printable(finding.message)
    yield f"{where} {code} {finding.name}{mendable}: {message}{kind}"
    yield from _excerpt(_marks(finding), lines, finding.severity.value, paint)


def _marks(finding: Finding) -> list[tuple[Place, str]]:
    """Return what is marked, by position: the fault, and each step of the path to it."""
    marks = {finding.place: ""}
    for step in finding.steps:
        said = marks.get(step.place)
        marks[step.place] = f"{said}; {step.message}" if said else step.message
    return sorted(marks.items())


def _excerpt(
    marks: Sequence[tuple[Place, str]], lines: Mapping[int, str], colour: str, paint: Paint
) -> Iterator[str]:
    width = len(str(max((place.line for place, _ in marks), default=0)))
    bar = paint(" " * width + " |", "dim")
    before = None
    for place, message in marks:
        source = lines.get(place.line)
        if source is None:
            continue
        if before is None:
            yield bar
        elif place.line > before + 1:
            yield paint("." * width, "dim")
        shown, offset, length = _window(source, place)
        if place.line != before:
            yield paint(f"{place.line:>{width}} |", "dim") + f" {shown}".rstrip()
        before = place.line
        pointer = " " * offset + paint("^" * length, colour)
        yield f"{bar} {pointer} {printable(message)}".rstrip()


def _window(source: str, place: Place) -> tuple[str, int, int]:
    """Return the part of `source` that is shown, and where and how wide the marked part is."""
    start = min(place.column - 1, len(source))
    end = place.end_column - 1 if place.end_line == place.line else len(source.rstrip())
    end = min(max(end, start + 1), start + _WIDEST)
    first = max(0, start - _WIDEST // 2) if len(source) > _WIDEST else 0
    shown = source[first : first + _WIDEST]
    before = ("…" if first else "") + _flat(source[first:start])
    after = "…" if first + _WIDEST < len(source) else ""
    marked = _flat(source[start : min(end, first + _WIDEST)])
    return (
        ("…" if first else "") + _flat(shown) + after,
        _width(before),
        max(1, _width(marked)),
    )


def _flat(text: str) -> str:
    return printable(text.replace("\t", "    "))


def _width(text: str) -> int:
    """Return how many columns `text` takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )

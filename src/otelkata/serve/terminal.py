"""Draw requests in the terminal as they are over."""

from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otelkata.report.drawing import Bar
from otelkata.report.html.waterfall import Row, Trace, Waterfall, waterfall
from otelkata.report.tree import MARK
from otelkata.report.words import cut_line

from .door import curl
from .run import Ended
from .shown import Shown

BARS = 32
"""Columns of the time axis."""

ROOMY = 100
"""Columns of a terminal from which there is room for the axis."""

_LINES = {"v": "│  ", "n": "   ", "t": "├─ ", "l": "└─ "}
_STYLES = {"gateway": "blue", "inventory": "cyan", "payment": "magenta"}


class Terminal:
    """What somebody sees who looks at the terminal."""

    def __init__(self, console: Console, name: str, forwards_to: str) -> None:
        self._console = console
        self._name = name
        self._forwards_to = forwards_to

    def opening(self) -> None:
        """Say what is waited for."""
        self._console.print(Text(f"starting {cut_line(self._name)} …", style="dim"))

    def opened(self, address: str, isolation: str) -> None:
        """Say where everything is."""
        facts = Table.grid(padding=(0, 2, 0, 0))
        facts.add_row("page", Text(address, style=f"bold link {address}"))
        facts.add_row("gateway", Text(f"{address}/checkout"))
        if self._forwards_to:
            facts.add_row("traces", Text(f"are passed on to {self._forwards_to}"))
        facts.add_row("isolation", Text(isolation, style="dim"))
        print_ = self._console.print
        print_(Text(f"{cut_line(self._name)} is being served; Ctrl-C ends it", style="bold"))
        print_(Padding(facts, (0, 0, 1, 2)))
        print_("Place a checkout:\n")
        # As it stands, however narrow the terminal is: it is to be copied.
        self._console.print(Text(curl(address)), soft_wrap=True)
        print_()

    def show(self, shown: Shown) -> None:
        """Draw one request: spans as trees, on a time axis, then what is wrong."""
        fall = waterfall(shown.drawing)
        self._console.print(_headline(shown))
        if fall.traces:
            self._console.print(Padding(self._trees(fall.traces), (0, 0, 0, 2)))
        if shown.drawing.left_out:
            self._console.print(Text(f"  … {shown.drawing.left_out} spans more", style="dim"))
        for wrong in _wrong(shown, fall):
            self._console.print(Padding(Text(f"{MARK} {wrong}", style="red"), (0, 0, 0, 2)))
        self._console.print()

    def tell(self, message: str) -> None:
        """Print a line that belongs to no request."""
        self._console.print(Text(f"· {cut_line(message)}", style="yellow"))

    def ending(self) -> None:
        """Say that it may take a moment."""
        self._console.print(Text("ending: the services flush their spans and shut down …"))

    def ended(self, ended: Ended) -> None:
        """Say what came of it all."""
        for stopped in ended.stopped:
            if stopped.took is None:
                self._console.print(
                    Text(f"{MARK} {stopped.service} did not shut down in time", style="red")
                )
            else:
                self._console.print(Text(f"✓ {stopped.service} shut down in {stopped.took:.1f} s"))
        text = f"{_count(ended.requests, 'request')}, {_count(ended.spans, 'span')}"
        if self._forwards_to:
            text += f"; {ended.passed_on} exports passed on to {self._forwards_to}"
        self._console.print(Text(text, style="bold"))
        if ended.lost:
            self._console.print(Text(f"{MARK} {ended.lost} exports did not get there", style="red"))

    def _trees(self, traces: tuple[Trace, ...]) -> Table:
        roomy = self._console.width >= ROOMY
        table = Table.grid(padding=(0, 2, 0, 0), expand=roomy)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1 if roomy else None)
        table.add_column(justify="right", no_wrap=True)
        if roomy:
            table.add_column(width=BARS, no_wrap=True)
        for trace in traces:
            table.add_row(Text(f"trace {trace.trace_id}", "dim"))
            for row in trace.rows:
                if isinstance(row.bar, Bar):
                    cells = [_label(row.bar, row.guides), Text(f"{row.bar.took_ms:.1f} ms", "dim")]
                    table.add_row(*cells, *([_bar(row, row.bar)] if roomy else []))
        return table


def _headline(shown: Shown) -> Text:
    status = shown.status or "no answer"
    style = "bold green" if status.startswith("2") else "bold yellow"
    if status.startswith("5") or not shown.status:
        style = "bold red"
    spans, traces = _count(shown.spans, "span"), _count(shown.traces, "trace")
    return Text.assemble(
        (f"#{shown.number}  {shown.what}  ", "bold"),
        (status, style),
        f"  {shown.took_ms:.1f} ms  {spans} in {traces}",
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _label(bar: Bar, guides: tuple[str, ...]) -> Text:
    text = Text("".join(_LINES[guide] for guide in guides), style="dim")
    if bar.is_at_fault:
        text.append(f"{MARK} ", "bold red")
    text.append(bar.service, f"not dim bold {_STYLES.get(bar.service, '')}".strip())
    text.append(f" {bar.kind} ", "dim")
    text.append(bar.name, "not dim")
    if bar.code:
        text.append(f" {bar.code}", "not dim")
    if bar.status:
        text.append(f" {bar.status}", "not dim bold red" if bar.status == "ERROR" else "not dim")
    for event in bar.events:
        text.append(f" [{event.name}]", "not dim red" if event.name == "exception" else "dim")
    if bar.origin and bar.is_at_fault:
        text.append(f" ({bar.origin})", "not dim red")
    return text


def _bar(row: Row, bar: Bar) -> Text:
    begin = min(BARS - 1, int(row.left * BARS / 100))
    length = max(1, min(BARS - begin, round(row.width * BARS / 100)))
    style = "red" if bar.status == "ERROR" else _STYLES.get(bar.service, "")
    return Text.assemble(" " * begin, (("━" if bar.kind == "SERVER" else "─") * length, style))


def _wrong(shown: Shown, fall: Waterfall) -> Iterator[str]:
    if not fall.traces:
        yield "no span arrived"
    for wanted in shown.lacking if fall.traces else ():
        what = f"{wanted.service}'s {wanted.kind} span of {wanted.name}"
        above = "its caller's CLIENT span" if wanted.kind == "SERVER" else "its SERVER span"
        yield f"{what} is missing" if not wanted.is_there else f"{what} is not under {above}"
    yield from shown.notes

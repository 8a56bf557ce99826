"""Lines that are too wide go on under where they began, with ids whole."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from otelkata.report.wrap import Lines, hanging, wrapped

ID = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("line", "width", "pieces"),
    [
        ("short enough", 30, ["short enough"]),
        ("", 30, [""]),
        ("   ", 30, ["   "]),
        ("one two three four five six", 24, ["one two three four five", "  six"]),
        (
            "├─ a span  200  [event one]  ERROR",
            26,
            ["├─ a span  200  [event", "│    one]  ERROR"],
        ),
        (
            "│  └─ a span  200  [event one]",
            29,
            ["│  └─ a span  200  [event", "│       one]"],
        ),
        ("took 100000000000 22.0 ms", 23, ["took 100000000000", "  22.0 ms"]),
        (f"in 00-{ID}-aee4088-01", 45, ["in 00-" + ID + "-", "  aee4088-01"]),
        ("x" * 50, 24, ["x" * 22, "  " + "x" * 22, "  " + "x" * 6]),
    ],
)
def test_lines_are_wrapped_at_words(line: str, width: int, pieces: list[str]) -> None:
    assert list(wrapped(line, width)) == pieces


@pytest.mark.parametrize("width", [34, 41, 60])
def test_no_piece_is_too_wide_and_nothing_is_lost(width: int) -> None:
    line = f"   └─ 漢字 checkout/{'深' * 40} {ID} ./a.b-c,d " * 3
    pieces = list(wrapped(line, width))
    assert max(map(cell_len, pieces)) <= width
    assert "".join("".join(pieces).split()) == "".join(line.split())


def shown(thing: object, width: int) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=width, highlight=False).print(thing)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_what_hangs_continues_under_its_own_beginning() -> None:
    title = hanging(Text("✗ T3"), Text("One checkout is one trace.  broken_chain.one_trace"))
    assert shown(title, 30) == [
        "✗ T3  One checkout is one",
        "      trace.",
        "      broken_chain.one_trace",
    ]


def test_lines_are_shown_with_what_looks_like_markup() -> None:
    assert shown(Lines(["[red]x[/red]", "y"], ["red", ""]), 30) == ["[red]x[/red]", "y"]

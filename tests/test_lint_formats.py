"""Findings in the forms that people and programs read."""

import json
from collections.abc import Sequence
from typing import Any

import jsonschema
import pytest
from sarif_schema import LOG

from otelkata.lint import rule
from otelkata.lint.command.formats import data, github, sarif, text
from otelkata.lint.command.report import Report
from otelkata.lint.finding import Finding, Place, Severity, Step, Unread

LEAK = Finding(
    "OTK101",
    "span-not-ended",
    "shop/stock.py",
    Place(7, 12, 7, 39),
    "the span is not ended",
    Severity.WARNING,
    fixable=True,
    steps=(
        Step(Place(7, 12, 7, 39), "the span starts"),
        Step(Place(9, 5, 9, 16), "this may raise"),
    ),
)
LINES = {7: '    span = tracer.start_span("reserve")', 9: "    stock.pop()"}
REPORT = Report("shop/stock.py", (LEAK,), lines=LINES)
UNREAD = [Unread("shop/ä b.py", "is not UTF-8 at line 1 (byte 0)")]


def at(line: int, column: int, end_column: int, path: str = "a.py", **other: Any) -> Finding:
    said = {"message": "m", "severity": Severity.ERROR, **other}
    return Finding("OTK101", "n", path, Place(line, column, line, end_column), **said)


def shown(source: str, finding: Finding) -> list[str]:
    report = Report("a.py", (finding,), lines={finding.place.line: source})
    return text.render([report]).splitlines()[2:4]


def test_text_shows_the_start_and_the_escape() -> None:
    assert text.render([REPORT]) == (
        "shop/stock.py:7:12: OTK101 span-not-ended [*]: the span is not ended (warning)\n"
        "  |\n"
        '7 |     span = tracer.start_span("reserve")\n'
        "  |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^ the span starts\n"
        ".\n"
        "9 |     stock.pop()\n"
        "  |     ^^^^^^^^^^^ this may raise\n"
        "\n"
        "1 fault found in 1 file. [*] 1 can be fixed with --fix.\n"
    )


def test_two_marks_on_one_line_share_it() -> None:
    steps = (Step(Place(1, 1, 1, 2), "the span starts"), Step(Place(8, 1, 8, 2), "unseen"))
    report = Report("a.py", (at(1, 5, 8, steps=steps),), lines={1: "x = f()"})
    assert text.render([report]).splitlines()[1:5] == [
        "  |",
        "1 | x = f()",
        "  | ^ the span starts",
        "  |     ^^^",
    ]


@pytest.mark.parametrize(
    ("source", "column", "end", "expected"),
    [
        ("x = f()", 5, 8, ["1 | x = f()", "  |     ^^^"]),
        ("\tx = f()", 6, 9, ["1 |     x = f()", "  |         ^^^"]),
        ("é = f()", 5, 8, ["1 | é = f()", "  |     ^^^"]),
        ("漢字 = f()", 6, 9, ["1 | 漢字 = f()", "  |        ^^^"]),
        ("x = '\x1b[2J'", 5, 11, ["1 | x = '\ufffd[2J'", "  |     ^^^^^^"]),
        ("x = 1", 5, 5, ["1 | x = 1", "  |     ^"]),
        ("x = 1", 90, 99, ["1 | x = 1", "  |      ^"]),
    ],
)
def test_marks_stand_under_what_they_mark(
    source: str, column: int, end: int, expected: list[str]
) -> None:
    assert shown(source, at(1, column, end)) == expected


def test_a_long_line_is_cut_around_the_mark() -> None:
    line, marks = shown(
        "x = 1;" * 1_000_000 + "f()" + ";y" * 1_000_000, at(1, 6_000_001, 6_000_004)
    )
    assert len(line) < 160
    assert line[marks.index("^") :].startswith("f()")
    assert marks.count("^") == 3


def test_colours_are_only_marks() -> None:
    painted = text.render([REPORT], text.Paint(on=True))
    assert "\x1b[1;33mOTK101\x1b[0m" in painted
    assert "\x1b" not in text.render([REPORT])


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([], "No faults found."),
        ([Report("a.py", fixed=2)], "2 faults fixed. No faults found."),
        ([Report("a.py", unread="it is gone")], "1 file could not be read."),
        ([Report("a.py", (at(1, 1, 2), at(2, 1, 2)))], "2 faults found in 1 file."),
        (
            [Report("a.py", (at(1, 1, 2),)), Report("b.py", (at(1, 1, 2, "b.py"),))],
            "2 faults found in 2 files.",
        ),
    ],
)
def test_the_last_line_counts(reports: Sequence[Report], expected: str) -> None:
    assert text.summary(reports) == expected


def test_statistics_count_by_rule() -> None:
    other = Finding("OTK301", "hidden-failure", "a.py", Place(1, 1, 1, 2), "m", Severity.ERROR)
    report = Report("a.py", (*[LEAK] * 11, other))
    assert text.statistics([report]) == (
        "11  OTK101 span-not-ended [*]\n 1  OTK301 hidden-failure\n"
    )


def test_json_has_the_keys_of_the_contract_in_order() -> None:
    (entry,) = json.loads(data.render([REPORT]))
    assert list(entry.items()) == [
        ("code", "OTK101"),
        ("name", "span-not-ended"),
        ("path", "shop/stock.py"),
        ("line", 7),
        ("column", 12),
        ("end_line", 7),
        ("end_column", 39),
        ("message", "the span is not ended"),
        ("fixable", True),
    ]


def test_json_of_nothing_is_a_list() -> None:
    assert json.loads(data.render([])) == []


def command(kind: str, path: str, message: str) -> str:
    return f"::{kind} file={path},line=1,endLine=1,title=OTK101 n,col=2,endColumn=3::{message}"


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (
            LEAK,
            (
                "::warning file=shop/stock.py,line=7,endLine=7,title=OTK101 span-not-ended,"
                "col=12,endColumn=39::the span is not ended"
            ),
        ),
        (at(1, 2, 3), command("error", "a.py", "m")),
        (at(1, 2, 3, severity=Severity.NOTE), command("notice", "a.py", "m")),
        (at(1, 2, 3, message="50% of a:b,\r\nc"), command("error", "a.py", "50%25 of a:b,%0D%0Ac")),
        (at(1, 2, 3, path="a,b:c%\n.py"), command("error", "a%2Cb%3Ac%25%0A.py", "m")),
        (
            Finding("OTK101", "n", "a.py", Place(1, 9, 3, 2), "m", Severity.ERROR),
            "::error file=a.py,line=1,endLine=3,title=OTK101 n::m",
        ),
    ],
)
def test_github_commands_are_escaped(finding: Finding, expected: str) -> None:
    assert github.render([Report(finding.path, (finding,))]) == expected + "\n"


def log(reports: Sequence[Report], unread: Sequence[Unread] = ()) -> Any:
    said = json.loads(sarif.render(reports, unread, rule.load()))
    jsonschema.Draft4Validator(LOG, format_checker=jsonschema.FormatChecker()).validate(said)
    return said["runs"][0]


@pytest.mark.parametrize("reports", [[], [REPORT], [REPORT, Report("b.py", (at(1, 2, 3),))]])
@pytest.mark.parametrize("unread", [[], UNREAD])
def test_sarif_is_valid(reports: Sequence[Report], unread: Sequence[Unread]) -> None:
    run = log(reports, unread)
    assert len(run["results"]) == sum(len(report.findings) for report in reports)
    assert run["invocations"][0]["executionSuccessful"] == (not unread)


def test_sarif_names_the_path_as_a_code_flow() -> None:
    (result,) = log([REPORT])["results"]
    (flow,) = result["codeFlows"][0]["threadFlows"]
    assert [
        (step["location"]["message"]["text"], step["location"]["physicalLocation"]["region"])
        for step in flow["locations"]
    ] == [
        ("the span starts", {"startLine": 7, "startColumn": 12, "endLine": 7, "endColumn": 39}),
        ("this may raise", {"startLine": 9, "startColumn": 5, "endLine": 9, "endColumn": 16}),
    ]


def test_sarif_rules_carry_their_page() -> None:
    run = log([REPORT])
    (result,) = run["results"]
    described = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert described["id"] == result["ruleId"] == "OTK101"
    assert result["level"] == "warning"
    assert described["defaultConfiguration"] == {"enabled": True, "level": "error"}
    assert described["help"]["markdown"].startswith("# OTK101 span-not-ended\n")


def test_sarif_fingerprints_tell_equal_lines_apart() -> None:
    twice = Report("a.py", (at(1, 1, 2), at(5, 1, 2)), lines={1: "f()", 5: "f()"})
    moved = Report("a.py", (at(3, 1, 2), at(9, 1, 2)), lines={3: "f()", 9: "f()"})
    prints = [
        [result["partialFingerprints"]["lineText/v1"] for result in log([report])["results"]]
        for report in (twice, moved)
    ]
    assert prints[0] == prints[1]
    assert len(set(prints[0])) == 2


@pytest.mark.parametrize(
    ("path", "uri"),
    [("a b/ä%.py", "a%20b/%C3%A4%25.py"), ("/x/a.py", "file:///x/a.py"), ("\udcff.py", "%FF.py")],
)
def test_sarif_paths_are_uris(path: str, uri: str) -> None:
    (result,) = log([Report(path, (at(1, 1, 2, path),))])["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}

"""Comments that keep findings quiet, and the finding for those that do not."""

import pytest
from lint_sources import CLEAN, LEAK

from otelkata.lint.command import suppression
from otelkata.lint.command.config import Config
from otelkata.lint.command.one import Plan, lint_bytes
from otelkata.lint.command.selection import Selection, active
from otelkata.lint.finding import Finding, Place, Severity

PLAN = Plan.of()


def lint(source: bytes, *select: str, unused: bool = True) -> list[tuple[str, int]]:
    selection = Selection(select or None, ignore=() if unused else ("OTK901",))
    on = active(PLAN.rules, selection)
    rules = [rule for rule in PLAN.rules if rule.code in on]
    report = lint_bytes("a.py", source, rules, Config("."), PLAN)
    assert report.unread is None
    return [(finding.code, finding.place.line) for finding in report.findings]


def leak(comment: str) -> bytes:
    """Return the leak with `comment` at the end of its line."""
    return LEAK.replace(b'("reserve")', f'("reserve")  {comment}'.encode())


@pytest.mark.parametrize("rest", ["x = (", "x = (\n)]", "    x\n  y", '"' * 3])
def test_comments_are_read_up_to_where_the_text_is_no_python(rest: str) -> None:
    said = suppression.read(f"x = 1  # kata-lint: ignore[OTK101]\n{rest}")
    place = Place(1, 1, 1, 6)
    findings = [
        Finding(code, "n", "a.py", place, "m", Severity.ERROR) for code in ("OTK101", "OTK102")
    ]
    assert [finding.code for finding in said.keep(findings)] == ["OTK102"]


@pytest.mark.parametrize(
    "comment",
    [
        "# kata-lint: ignore",
        "# kata-lint: ignore[OTK101]",
        "#kata-lint:ignore[ OTK101 ]",
        "# kata-lint: ignore[span-not-ended]",
        "# kata-lint: ignore[OTK301,OTK101] the stock does it",
        "# noqa: X1  # kata-lint: ignore[OTK101]",
        "# type: ignore # kata-lint: ignore[OTK101]",
    ],
)
def test_a_comment_keeps_a_finding_quiet(comment: str) -> None:
    assert lint(LEAK, "OTK101") == [("OTK101", 7)]
    assert lint(leak(comment), "OTK101") == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (leak("# kata-lint: ignore[OTK204]"), ["OTK101"]),
        (leak("# kata-lint: ignore[]"), ["OTK101"]),
        (leak("# kata-lint: ignored"), ["OTK101"]),
        (leak("# please kata-lint, ignore"), ["OTK101"]),
        (LEAK.replace(b'"reserve"', b'"# kata-lint: ignore"'), ["OTK101"]),
        (LEAK.replace(b"    span", b"    # kata-lint: ignore\n    span"), ["OTK101"]),
        (LEAK.replace(b"    stock", b"    stock  # kata-lint: ignore\n    stock"), ["OTK101"]),
        (LEAK + b"# kata-lint: skip-file\n", []),
        (b"# kata-lint: skip-file\n" + LEAK, []),
        (LEAK.replace(b'"shop"', b'"# kata-lint: skip-file"'), ["OTK101"]),
        (
            LEAK.replace(
                b'"reserve")', b'\n        "reserve",\n    )  # kata-lint: ignore[OTK101]'
            ),
            [],
        ),
        (LEAK.replace(b'"reserve")', b'  # kata-lint: ignore\n        "reserve",\n    )'), []),
        (LEAK.replace(b'"reserve")', b'\n        # kata-lint: ignore\n        "reserve")'), []),
    ],
)
def test_only_a_comment_on_the_statement_does(source: bytes, found: list[str]) -> None:
    assert [code for code, _ in lint(source, "OTK101")] == found


@pytest.mark.parametrize(
    ("source", "select", "found"),
    [
        (leak("# kata-lint: ignore[OTK101]"), (), []),
        (leak("# kata-lint: ignore"), (), []),
        (leak("# kata-lint: ignore[OTK101, OTK204]"), (), [("OTK901", 7)]),
        (leak("# kata-lint: ignore[OTK101, OTK204]"), ("OTK101", "OTK901"), []),
        (leak("# kata-lint: ignore[OTK000]"), (), [("OTK101", 7), ("OTK901", 7)]),
        (CLEAN + b"x = 1  # kata-lint: ignore\n", (), [("OTK901", 9)]),
        (CLEAN + b"x = 1  # kata-lint: ignore\n", ("OTK1", "OTK9"), []),
        (CLEAN + b"x = 1  # kata-lint: ignore[OTK102]\n", (), []),
        (CLEAN + b"x = 1  # kata-lint: ignore[OTK101, OTK901]\n", (), []),
        (CLEAN + b"x = 1  # kata-lint: ignore[OTK101, unused-suppression]\n", (), []),
        (CLEAN + b"# kata-lint: ignore\nx = 1\n", (), [("OTK901", 9)]),
        (CLEAN + b"x = 1  # kata-lint: ingore[OTK101]\n", (), [("OTK901", 9)]),
        (CLEAN + b"x = 1  # kata-lint\n", (), [("OTK901", 9)]),
        (CLEAN + b"x = '# kata-lint: ignore'\n", (), []),
        (b"x = 1  # kata-lint: ignore[OTK101]\n", (), [("OTK901", 1)]),
        (b"x = 1  # kata-lint: ignore[OTK101]", (), [("OTK901", 1)]),
        (
            b"if x:\n    y  # kata-lint: ignore[OTK101]\n    # kata-lint: ignore\n",
            (),
            [("OTK901", 2), ("OTK901", 3)],
        ),
    ],
)
def test_a_comment_of_no_use_is_found(
    source: bytes, select: tuple[str, ...], found: list[tuple[str, int]]
) -> None:
    assert lint(source, *select) == found


def test_the_place_is_that_of_the_comment() -> None:
    source = "é = 1  # kata-lint: ignore[OTK101]\n".encode()
    (finding,) = lint_bytes("a.py", source, PLAN.rules, Config("."), PLAN).findings
    assert (finding.place.column, finding.place.end_column) == (8, 35)
    assert finding.message == ("keeps no finding of OTK101 quiet on this statement; remove it")

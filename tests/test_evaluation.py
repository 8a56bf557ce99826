"""Every rule finds exactly what the evaluation files expect, where they expect it."""

import re
from collections import Counter
from pathlib import Path

import pytest

from otelkata.lint.engine import lint_source
from otelkata.lint.finding import Unread
from otelkata.lint.rule import load

FOLDER = Path(__file__).parent / "evaluation"
FILES = sorted(FOLDER.rglob("*.py"))
RULES = load()
STRICT = {"OTK102"}
"""Rules that run on the file about them alone; elsewhere they would be expected everywhere."""
AT_LEAST = 8
_EXPECTED = re.compile(r"#.*?\bexpect: (?P<expected>.+)$")


def about(path: Path) -> str:
    """Return the code of the rule with which the name of a file, or of its folder, begins."""
    return path.relative_to(FOLDER).parts[0][:6].upper()


def expected(source: str) -> Counter[tuple[int, str, str]]:
    found: Counter[tuple[int, str, str]] = Counter()
    for number, line in enumerate(source.splitlines(), start=1):
        match = _EXPECTED.search(line)
        for item in match["expected"].split(",") if match else ():
            code, _, severity = item.strip().partition(":")
            found[number, code, severity] += 1
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_file_has_the_findings_that_stand_on_its_lines(path: Path) -> None:
    source = path.read_text("utf-8")
    rules = [rule for rule in RULES if rule.code not in STRICT or rule.code == about(path)]
    found = lint_source(source.encode(), str(path), rules)
    assert not isinstance(found, Unread)
    wanted = expected(source)
    graded = {(line, code) for line, code, severity in wanted if severity}
    seen = Counter(
        (
            finding.place.line,
            finding.code,
            str(finding.severity) if (finding.place.line, finding.code) in graded else "",
        )
        for finding in found
    )
    assert seen == wanted


@pytest.mark.parametrize(
    "code", sorted({rule.code for rule in RULES if not rule.code.startswith("OTK9")})
)
@pytest.mark.parametrize("kind", ["clean", "faulty"])
def test_a_rule_has_enough_examples_of_both_kinds(code: str, kind: str) -> None:
    names = re.compile(rf"^\s*(?:async def|def|class) _?{kind}_?\w+", re.MULTILINE | re.IGNORECASE)
    files = [path for path in FILES if about(path) == code]
    # A file of a folder is one example, where the fault belongs to a whole module.
    whole = sum(path.name.startswith(kind) for path in files)
    inside = sum(len(names.findall(path.read_text("utf-8"))) for path in files)
    assert whole + inside >= AT_LEAST

"""What the repository says of itself is so."""

import re
import tomllib
from pathlib import Path

import pytest

from otelkata.judge import registry
from otelkata.judge.criteria import CRITERIA
from otelkata.report import reference

ROOT = Path(__file__).parents[1]


def test_the_page_of_checks_is_current() -> None:
    assert (ROOT / "docs" / reference.PAGE).read_text("utf-8") == reference.page(registry.load()), (
        "write it anew: python -m otelkata.report.reference"
    )


def test_the_page_of_checks_is_written_whole(tmp_path: Path) -> None:
    written = reference.write(registry.load(), tmp_path)
    assert written == tmp_path / reference.PAGE
    assert written.read_text("utf-8") == reference.page(registry.load())


@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_criterion_has_a_check(criterion: str) -> None:
    assert any(criterion in check.criteria for check in registry.load())


def test_every_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["grade"]]
    names = {re.split(r"[<>=\[]", requirement)[0] for requirement in needed}
    explained = (
        (ROOT / "CONTRIBUTING.md")
        .read_text("utf-8")
        .replace("-exporter-otlp-proto-http", "opentelemetry-exporter-otlp-proto-http")
    )
    assert {name for name in names if name not in explained} == set()


def links() -> list[tuple[Path, str]]:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    found = []
    for page in pages:
        targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
        found += [(page, target) for target in targets if "://" not in target]
    return found


@pytest.mark.parametrize(
    ("page", "target"), links(), ids=lambda value: getattr(value, "name", str(value))
)
def test_links_lead_somewhere(page: Path, target: str) -> None:
    assert (page.parent / target).exists()

"""The documentation site is laid out so that every link leads somewhere and every page is found."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from otelkata.report import site

ROOT = Path(__file__).parents[1]


def project(folder: Path) -> Any:
    return tomllib.loads((folder / site.CONFIGURATION).read_text("utf-8"))["project"]


def pages_of(entry: Any) -> list[str]:
    """Return the pages below an entry of the navigation, in its order."""
    if isinstance(entry, str):
        return [entry]
    entries = entry.values() if isinstance(entry, dict) else entry
    return [page for one in entries for page in pages_of(one)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a copy of what the site is made of."""
    copied = tmp_path / "repository"
    shutil.copytree(ROOT / "docs", copied / "docs")
    for name in (*site.BESIDE, site.CONFIGURATION):
        shutil.copyfile(ROOT / name, copied / name)
    return copied


def test_every_page_is_in_the_navigation_once(tmp_path: Path) -> None:
    site.lay_out(ROOT, tmp_path / "site")
    pages = pages_of(project(tmp_path / "site")["nav"])
    docs = tmp_path / "site" / "docs"
    assert sorted(pages) == sorted(p.relative_to(docs).as_posix() for p in docs.rglob("*.md"))
    assert pages.index("criteria/F1.md") < pages.index("criteria/C1.md")


def test_links_to_pages_that_stand_elsewhere_are_turned(tmp_path: Path) -> None:
    site.lay_out(ROOT, tmp_path / "site")
    docs = tmp_path / "site" / "docs"
    assert "(exercise.md#look-at-your-traces)" in (docs / "walkthrough.md").read_text("utf-8")
    assert "(isolation.md)" in (docs / "security.md").read_text("utf-8")
    assert "(rules/OTK102-span-not-managed.md)" in (docs / "lint.md").read_text("utf-8")
    assert (docs / "examples" / "gradescope" / "setup.sh").is_file()


def test_what_was_laid_out_before_is_gone(tmp_path: Path) -> None:
    (tmp_path / "site" / "docs").mkdir(parents=True)
    (tmp_path / "site" / "docs" / "old.md").write_text("# Old\n")
    site.lay_out(ROOT, tmp_path / "site")
    assert not (tmp_path / "site" / "docs" / "old.md").exists()


def test_the_repository_is_not_written_over(root: Path) -> None:
    with pytest.raises(ValueError, match="is the repository itself"):
        site.lay_out(root, root)
    assert (root / "docs" / "policy.md").is_file()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[gone](gone.md)", "docs/index.md: gone.md leads to nothing on the site"),
        ("[tests](../tests/test_site.py)", "../tests/test_site.py leads to nothing on the site"),
        ("[it](examples/)", "examples/ leads to nothing on the site"),
    ],
)
def test_a_link_that_leads_nowhere_is_told(
    text: str, told: str, root: Path, tmp_path: Path
) -> None:
    with (root / "docs" / "index.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{text}\n\n```python\ncode = links[0](gone.md)\n```\n")
    with pytest.raises(site.BrokenSite) as broken:
        site.lay_out(root, tmp_path / "site")
    assert str(broken.value).endswith(told)
    assert str(broken.value).count("\n") == 0


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("docs/lost.md", "lost.md: no part of the site names it; NAVIGATION in site.py does that"),
        ("docs/criteria/Z9.md", "criteria/Z9.md: no part of the site names it"),
    ],
)
def test_a_page_that_no_part_names_is_told(
    page: str, told: str, root: Path, tmp_path: Path
) -> None:
    (root / page).write_text("# Lost\n")
    with pytest.raises(site.BrokenSite, match=re.escape(told)):
        site.lay_out(root, tmp_path / "site")


def test_a_page_that_is_named_and_missing_is_told(root: Path, tmp_path: Path) -> None:
    (root / "docs" / "policy.md").unlink()
    with pytest.raises(site.BrokenSite, match=r"^policy\.md: there is no such page"):
        site.lay_out(root, tmp_path / "site")

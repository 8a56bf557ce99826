"""Lay out the documentation site: the pages of `docs` and those beside it, for zensical to build.

Pages link to each other as files of the repository, so that they can be read there. On the site
some of them stand elsewhere: links are turned, and one that leads to no page or file is an error.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os.path import relpath
from pathlib import Path

from otelkata import content

CONFIGURATION = "zensical.toml"
BESIDE = {
    "KATA.md": "exercise.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages of the root of the repository, and what they are on the site."""

NAVIGATION: Mapping[str, Sequence[str]] = {
    "Start": ["index.md"],
    "Learn": ["exercise.md", "reading.md", "loop.md", "serve.md", "walkthrough.md"],
    "Teach": [
        "instructors.md",
        "batch.md",
        "isolation.md",
        "security.md",
        "policy.md",
        "reports.md",
        "systems.md",
    ],
    "Lint": ["lint.md", "lint-on-real-code.md"],
    "Look up": ["criteria/", "checks/", "rules/"],
    "Develop": [
        "contributing.md",
        "architecture.md",
        "adequacy.md",
        "mutation.md",
        "decisions/",
        "changelog.md",
    ],
}
"""The parts of the site; a folder is its index and all pages that this links to, in that order."""

_FENCE = re.compile(r"^ *```", re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()(?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?(?=\))")


class BrokenSite(ValueError):
    """Links that lead nowhere, or pages that no part names; the message has a line for each."""


def lay_out(root: Path, folder: Path) -> None:
    """Write the configuration and all pages of the repository at `root` into `folder`.

    Raises:
        BrokenSite: a link leads to nothing on the site, or a page is in no part of it.
        ValueError: `folder` is the repository, whose own pages would be written over.
    """
    if folder.resolve() == root.resolve():
        raise ValueError(f"{folder} is the repository itself; name a folder for the site")
    places = _places(root)
    texts = {place: source.read_text("utf-8") for place, source in places.items()}
    mistakes: list[str] = []
    navigation = _navigation(texts, mistakes)
    for built in ("docs", "html"):
        shutil.rmtree(folder / built, ignore_errors=True)
    shutil.copytree(root / "docs", folder / "docs", ignore=shutil.ignore_patterns("*.md"))
    for place, text in texts.items():
        page = folder / "docs" / place
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(_turned(text, place, places, root, mistakes), encoding="utf-8")
    if mistakes:
        raise BrokenSite("\n".join(mistakes))
    configuration = (root / CONFIGURATION).read_text("utf-8")
    named = configuration.replace("[project]\n", f"[project]\nnav = {navigation}\n", 1)
    (folder / CONFIGURATION).write_text(named, encoding="utf-8")


def _places(root: Path) -> dict[str, Path]:
    """Return the source of each page by its path on the site."""
    docs = root / "docs"
    places = {place: root / name for name, place in BESIDE.items()}
    for source in sorted(docs.rglob("*.md")):
        place = source.relative_to(docs)
        name = "index.md" if place.name == "README.md" else place.name
        places[place.with_name(name).as_posix()] = source
    return places


def _navigation(texts: Mapping[str, str], mistakes: list[str]) -> str:
    """Return the value of `nav`, in TOML."""
    folders = {
        entry: list(_pages(entry, texts))
        for part in NAVIGATION.values()
        for entry in part
        if entry.endswith("/")
    }
    seen = {entry for part in NAVIGATION.values() for entry in part} - set(folders)
    seen.update(page for pages in folders.values() for page in pages)
    mistakes += [f"{page}: there is no such page" for page in sorted(seen - set(texts))]
    mistakes += [
        f"{page}: no part of the site names it; NAVIGATION in {Path(__file__).name} does that"
        for page in sorted(set(texts) - seen)
    ]
    return _array(
        _table(
            title,
            _array(
                _table(entry[:-1].capitalize(), _array(map(json.dumps, folders[entry])))
                if entry in folders
                else json.dumps(entry)
                for entry in part
            ),
        )
        for title, part in NAVIGATION.items()
    )


def _pages(folder: str, texts: Mapping[str, str]) -> Iterator[str]:
    index = f"{folder}index.md"
    yield index
    linked = (f"{folder}{link['target']}" for link in _LINK.finditer(texts.get(index, "")))
    yield from dict.fromkeys(page for page in linked if page in texts)


def _array(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


def _table(key: str, value: str) -> str:
    return f"{{ {json.dumps(key)} = {value} }}"


def _turned(
    text: str, place: str, places: Mapping[str, Path], root: Path, mistakes: list[str]
) -> str:
    """Return the text of a page with links as they have to be on the site."""
    source = places[place]
    by_source = {path.resolve(): page for page, path in places.items()}

    def turn(link: re.Match[str]) -> str:
        target = link["target"]
        if ":" in target:
            return link[0]
        path = (source.parent / target).resolve()
        page = by_source.get(path)
        if page is None and path.is_file() and path.is_relative_to(root.resolve() / "docs"):
            page = path.relative_to(root.resolve() / "docs").as_posix()
        if page is None:
            mistakes.append(f"{source.relative_to(root)}: {target} leads to nothing on the site")
            return link[0]
        return relpath(page, Path(place).parent).replace("\\", "/") + (link["anchor"] or "")

    # Every other part is code, which has no links.
    parts = _FENCE.split(text)
    fences = _FENCE.findall(text)
    turned = [_LINK.sub(turn, part) if n % 2 == 0 else part for n, part in enumerate(parts)]
    return turned[0] + "".join(fence + part for fence, part in zip(fences, turned[1:], strict=True))


if __name__ == "__main__":
    try:
        lay_out(content.folder("docs").parent, Path(sys.argv[1]))
    except BrokenSite as mistakes:
        sys.exit(str(mistakes))

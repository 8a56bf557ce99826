"""Keep what runs came to, and write it up: scores, and the survivors one by one with the reason."""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "docs" / "mutation.md"
RESULTS = Path(__file__).with_name("results.json")
EXPLAINED = Path(__file__).with_name("explained.toml")

Key = tuple[str, str, str, str]
"""Path, the line's text, what stood there, what was put there."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A change that no test noticed."""

    path: str
    line: int
    text: str
    before: str
    after: str

    @property
    def key(self) -> Key:
        """Return what it is known by where lines move."""
        return self.path, self.text, self.before, self.after


@dataclass(frozen=True, slots=True)
class Result:
    """What one target came to: `files` has killed and made mutants, `code` stands for all files,
    `missing` are those that no run has come to."""

    title: str
    tests: list[str]
    files: dict[str, tuple[int, int]]
    survivors: list[Survivor]
    code: str
    mutmut: str
    python: str
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a survivor is left: it is `equivalent`, or no test is worth it."""

    reason: str
    equivalent: bool


Explanations = Mapping[Key, Explanation]


def explanations() -> dict[Key, Explanation]:
    """Read why survivors are left."""
    found: dict[Key, Explanation] = {}
    for entry in tomllib.loads(EXPLAINED.read_text("utf-8")).get("survivor", []):
        for before, after in entry["changes"]:
            key = entry["path"], entry["text"], before, after
            found[key] = Explanation(entry["reason"], entry["equivalent"])
    return found


def results() -> dict[str, Result]:
    """Read what the last runs came to, by target."""
    if not RESULTS.exists():
        return {}
    return msgspec.json.decode(RESULTS.read_bytes(), type=dict[str, Result])


def save(found: Mapping[str, Result]) -> None:
    """Keep what runs came to."""
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


def digest(paths: Iterable[Path]) -> str:
    """Return what stands for the contents of files."""
    summary = hashlib.sha256()
    for path in paths:
        summary.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return summary.hexdigest()[:16]


def merged(old: Result | None, new: Result) -> Result:
    """Return a result in which the files of a `new` one have taken the place of those of an old."""
    if old is None:
        return new
    kept = [each for each in old.survivors if each.path not in new.files]
    survivors = sorted([*kept, *new.survivors], key=lambda each: (each.path, each.line))
    return replace(new, files=dict(sorted((old.files | new.files).items())), survivors=survivors)


def score(result: Result, known: Explanations) -> float:
    """Return the part that was killed of all that are not equivalent."""
    killed = sum(killed for killed, _ in result.files.values())
    made = sum(made for _, made in result.files.values())
    judged = made - sum(_is_equivalent(each, known) for each in result.survivors)
    return killed / judged if judged else 1.0


def page(found: Mapping[str, Result], known: Explanations) -> str:
    """Return the report in Markdown."""
    return _HEAD + "\n".join(_section(name, each, known) for name, each in found.items())


_HEAD = """# How good the tests of the judge are

Written by `python -m benchmarks.mutation --write`; do not edit.

Each mutant is the code with one change: an operator swapped, a condition negated, an argument
dropped, a value replaced. It is killed when a test fails. The score is killed / (all - equivalent);
equivalent is what cannot be told from the original by anything that it is used for. Texts for
people are not changed (`benchmarks/mutation/targets.toml` says which they are): their wording
decides no verdict. Every survivor is listed, with the reason.

"""


def _section(name: str, result: Result, known: Explanations) -> str:
    rows = [f"| `{path}` | {made} | {made - k} |" for path, (k, made) in result.files.items()]
    made = sum(made for _, made in result.files.values())
    equal = sum(_is_equivalent(each, known) for each in result.survivors)
    tests = ", ".join(f"`{test}`" for test in result.tests)
    head = f"""## {result.title}

**{score(result, known):.1%}**: of {made} mutants {made - len(result.survivors)} were killed,
{equal} are equivalent, {len(result.survivors) - equal} are left.

`python -m benchmarks.mutation {name}` with mutmut {result.mutmut}, Python {result.python}, files
`{result.code}`, and the tests {tests}.

| file | mutants | survivors |
|---|---|---|
"""
    if result.missing:
        missing = ", ".join(f"`{path}`" for path in result.missing)
        head = head.replace("| file |", f"Not measured yet: {missing}.\n\n| file |")
    return head + "\n".join(rows) + "\n" + _listed(result.survivors, known)


def _listed(survivors: Iterable[Survivor], known: Explanations) -> str:
    lines = []
    path = ""
    for each in survivors:
        if each.path != path:
            path = each.path
            lines.append(f"\n### `{path}`\n")
        why = known.get(each.key)
        kind = "" if why is None else "Equivalent: " if why.equivalent else "Left: "
        reason = "not yet explained." if why is None else why.reason
        change = f"{_code(each.before)} → {_code(each.after)}"
        lines.append(f"- {_code(each.text)}<br>{change}<br>{kind}{reason}")
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    return f"`` {text} ``" if text else "nothing"


def _is_equivalent(survivor: Survivor, known: Explanations) -> bool:
    why = known.get(survivor.key)
    return why is not None and why.equivalent

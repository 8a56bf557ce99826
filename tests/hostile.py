"""Plant the attack that a file of `fixtures/hostile` describes into a copy of the reference.

The form of these files is told in `fixtures/hostile/README.md`.
"""

import os
import shutil
import stat
import sysconfig
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import planted

import otelkata

DIRECTORY = planted.ROOT / "fixtures" / "hostile"
HOSTILE = sorted(DIRECTORY.glob("*.toml"))
CATEGORIES = frozenset(
    {
        "archives",
        "configuration",
        "crashes",
        "exits",
        "floods",
        "forging",
        "hangs",
        "injection",
        "objects",
        "reaching-out",
    }
)


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: what it tries, and what would tell that it worked.

    `marker` are paths outside the scratch, and `told` texts in the report, that must not be there.
    `breaks` names the fault of `fixtures/failing` that the attack would like to hide. One that is
    `slow` takes a minute, or most of the machine.
    """

    name: str
    description: str
    tries: str
    marker: list[str]
    told: list[str]
    verdict: str
    breaks: str | None
    slow: bool
    content: dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Places:
    """What an attack aims at: all of it belongs to the test, or is only ever added to."""

    outside: Path
    home: Path
    cache: Path
    neighbour: Path
    submission: Path
    port: int
    bystander: int

    def fill(self, text: str) -> str:
        """Return `text` with the names of places replaced by the places."""
        for name, place in self.names().items():
            text = text.replace(f"@{name}@", str(place))
        return text

    def names(self) -> Mapping[str, Path | str | int]:
        """Return what the names between two @ stand for."""
        return {
            "OUTSIDE": self.outside,
            "HOME": self.home,
            "CACHE": self.cache,
            "NEIGHBOUR": self.neighbour,
            "SUBMISSION": self.submission,
            "PORT": self.port,
            "BYSTANDER": self.bystander,
            "TMP": tempfile.gettempdir(),
            "SITE": sysconfig.get_path("purelib"),
            "GRADER": Path(otelkata.__file__).parent,
        }


def read(path: Path) -> Attack:
    """Return the attack that the file `path` describes."""
    data: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    attack = Attack(
        path.stem,
        data.pop("description"),
        data.pop("tries"),
        data.pop("marker"),
        data.pop("told", []),
        data.pop("verdict"),
        data.pop("breaks", None),
        data.pop("slow", False),
        data,
    )
    unknown = set(data) - {"edit", *MAKERS}
    if unknown or attack.tries not in CATEGORIES:
        raise ValueError(f"{path.name}: {unknown or attack.tries} means nothing")
    return attack


def markers(attack: Attack, places: Places) -> list[Path]:
    """Return the paths that are there only if the attack worked."""
    return [Path(places.fill(marker)) for marker in attack.marker]


def plant(attack: Attack, places: Places) -> Path:
    """Make `places.submission` a copy of the reference with the attack in it; return it."""
    target = places.submission
    target.parent.mkdir(parents=True, exist_ok=True)
    edits = [
        {key: places.fill(text) for key, text in edit.items()}
        for edit in attack.content.get("edit", [])
    ]
    if attack.breaks is not None:
        edits = [*planted.read(planted.FAULTS / f"{attack.breaks}.toml").edits, *edits]
    fault = planted.Planted(target.name, attack.description, [], [], [], False, edits, [])
    planted.plant(fault, target.parent)
    for kind, make in MAKERS.items():
        for entry in attack.content.get(kind, []):
            filled = {k: places.fill(v) if isinstance(v, str) else v for k, v in entry.items()}
            path = target / filled.pop("path")
            path.parent.mkdir(parents=True, exist_ok=True)
            make(path, **filled)
    return target


def _file(path: Path, content: str = "", repeat: int = 1, size: int = 0, mode: int = 0o644) -> None:
    path.write_text(content * repeat, "utf-8")
    if size:
        os.truncate(path, size)
    path.chmod(mode)


def _symlink(path: Path, target: str) -> None:
    path.symlink_to(target)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path, major: int, minor: int) -> None:
    """Make a character device, or where that is not allowed a link to the same one."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
    except OSError:
        path.symlink_to("/dev/zero")


def _make(path: Path, count: int) -> None:
    path.mkdir()
    for number in range(count):
        (path / f"{number}.txt").touch()


def _deep(path: Path, depth: int) -> None:
    """Make directories in one another, too deep for a path that names them."""
    path.mkdir()
    here = os.open(path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


MAKERS: Mapping[str, Callable[..., None]] = {
    "file": _file,
    "symlink": _symlink,
    "fifo": _fifo,
    "device": _device,
    "make": _make,
    "deep": _deep,
}


def remove(directory: Path) -> None:
    """Remove what was planted: `shutil.rmtree` alone recurses once for each level."""
    for child in directory.glob("*/deep"):
        _flatten(child)
    shutil.rmtree(directory, ignore_errors=True)


def _flatten(deep: Path) -> None:
    """Take nested directories apart from above, moving each one up."""
    parent = deep.parent
    current, number = deep, 0
    while (below := current / "d").exists():
        number += 1
        moved = parent / f"flat-{number}"
        below.rename(moved)
        current.rmdir()
        current = moved
    current.rmdir()

"""`kata-new`: begin the kata with a checkout that works and traces nothing."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from otelkata import __version__, content

from .guard import guard
from .usage import Parser

NEXT = """\
{folder} holds the checkout: three services that work, and trace nothing yet.

  1. Read {kata}: what your traces have to show, and why.
  2. Grade what you have. No criterion passes yet; the report says where to begin:
       kata-grade {folder}
  3. Begin with {tracer}, then grade again after each step.

What the services can do already, and how to run them, is in {readme}.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0, or 2 where the directory cannot be made."""
    parser = Parser(
        prog="kata-new",
        arguments="DIR",
        description="Copy the kata's starter into a new directory, and say what to do next.",
        epilog="exit codes: 0 done, 2 wrong usage",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="a directory that is new or empty")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    folder: Path = parser.parse_args(arguments).folder
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            parser.error(f"{folder}: there is something already; name a directory that is new")
        copy(folder)
    except OSError as error:
        parser.error(f"{folder}: {error.strerror or error}")
    parts = {"kata": "KATA.md", "tracer": "checkout/tracer.py", "readme": "README.md"}
    words = NEXT.format(folder=folder, **{name: folder / part for name, part in parts.items()})
    return guard("kata-new", lambda: _tell(words))


def _tell(words: str) -> int:
    print(words)
    return 0


def copy(folder: Path) -> None:
    """Copy the starter and the exercise into `folder`; raise OSError where that cannot be done."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    starter = content.folder("fixtures") / "starter"
    shutil.copytree(starter, folder, ignore=ignored, dirs_exist_ok=True)
    shutil.copyfile(content.folder("KATA.md"), folder / "KATA.md")


if __name__ == "__main__":
    sys.exit(main())

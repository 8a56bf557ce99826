"""Find what the package carries beside its code: checks, starter, reference solution."""

from pathlib import Path


def folder(name: str) -> Path:
    """Return the content folder, or file, `name`: in the package, else in the source tree.

    An editable install leaves a copy of content folders in site-packages that nobody updates, and
    so they are looked for beside this file.
    """
    package = Path(__file__).parent
    installed = package / "_kata" / name
    return installed if installed.exists() else package.parents[1] / name

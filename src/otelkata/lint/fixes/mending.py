"""Put mended source in the place of what was there."""

from __future__ import annotations

import difflib
import io
import os
import shutil
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

from otelkata.lint.command import suppression
from otelkata.lint.finding import Finding
from otelkata.lint.options import Options
from otelkata.lint.rule import Rule
from otelkata.lint.source.reading import decode, lines

if TYPE_CHECKING:
    from otelkata.lint.command.baseline import Baseline


def mend(
    source: bytes,
    path: str,
    rules: Sequence[Rule],
    options: Options,
    baseline: Baseline | None = None,
) -> tuple[bytes, int]:
    """Return `source` with everything mended that can be without doubt, and how much that was.

    What a comment keeps quiet stays as it is, and so does what `baseline` knows.
    """
    from otelkata.lint.fixes.fixing import fix_source  # noqa: PLC0415 (a run that only looks does without it)

    def wanted(source: bytes, findings: list[Finding]) -> list[Finding]:
        if suppression.MARK in source:
            findings = suppression.read(decode(source)).keep(findings)
        if baseline is not None:
            texts = dict(enumerate(lines(decode(source)), 1))
            findings = baseline.new(path, findings, texts)
        return findings

    fixed = fix_source(source, path, rules, options, wanted)
    return fixed.source, fixed.count


def write(path: str, source: bytes) -> None:
    """Replace the file's content at once, keeping its permissions; a link keeps leading to it."""
    target = os.path.realpath(path)
    handle, fresh = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".kata-lint-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(source)
        shutil.copymode(target, fresh)
        os.replace(fresh, target)
    except BaseException:
        os.unlink(fresh)
        raise


def difference(path: str, before: bytes, after: bytes) -> str:
    """Return a unified diff from `before` to `after`."""
    lines = difflib.unified_diff(_lines(before), _lines(after), fromfile=path, tofile=path)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines(source: bytes) -> list[str]:
    return list(io.StringIO(decode(source), newline=""))

"""Lint one file: bytes in, findings out."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import libcst as cst

from .finding import Finding, Unread
from .module import Module
from .options import Options
from .rule import Rule

DEEPEST = 20_000
"""Python frames that one file may need: a sum of thousands of terms is a tree as deep."""


def lint_source(
    source: bytes, path: str, rules: Sequence[Rule], options: Options | None = None
) -> list[Finding] | Unread:
    """Return what `rules` find in `source`, by position; `path` is only a name.

    Suppression comments are not looked at. Never raises for any bytes.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEPEST))
    try:
        module = Module(cst.parse_module(source), path, options, source)
        found = [finding for rule in rules for finding in rule.check(module)]
    except cst.ParserSyntaxError as error:
        reason = error.message.splitlines()[0]
        return Unread(path, f"syntax error at {error.raw_line}:{error.raw_column + 1}: {reason}")
    except (UnicodeDecodeError, LookupError, SyntaxError) as error:
        return Unread(path, f"cannot be decoded: {error}")
    except RecursionError:
        return Unread(path, "is nested too deeply to be read")
    finally:
        sys.setrecursionlimit(before)
    return sorted(found, key=lambda finding: (finding.place, finding.code))

"""Lint one file: bytes in, findings out."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import libcst as cst

from otelkata.lint.finding import Finding, Note, Unread
from otelkata.lint.meaning.module import Module
from otelkata.lint.options import Options
from otelkata.lint.rule import Rule
from otelkata.lint.source.depth import obstacle
from otelkata.lint.source.glance import Glance, parsed
from otelkata.lint.source.syntax import problem

DEEPEST = 20_000
"""Python frames that one file may need: a sum of a thousand terms is a tree as deep."""


@dataclass(frozen=True, slots=True)
class Linted:
    """What was found in one file, by position.

    `module` is what the file was parsed to; None where that was not needed.
    """

    findings: list[Finding]
    module: Module | None = None


def lint_source(
    source: bytes,
    path: str,
    rules: Sequence[Rule],
    options: Options | None = None,
    notes: list[Note] | None = None,
) -> list[Finding] | Unread:
    """Return what `rules` find in `source`, by position; `path` is only a name.

    What they leave out is added to `notes`.

    Suppression comments are not looked at. Never raises for any bytes: where a rule fails by a
    fault of its own, the file counts as unread, and the reason names the rule.
    """
    seen = examine(source, path, rules, options, notes)
    return seen if isinstance(seen, Unread) else seen.findings


def examine(
    source: bytes,
    path: str,
    rules: Sequence[Rule],
    options: Options | None = None,
    notes: list[Note] | None = None,
) -> Linted | Unread:
    """Do what `lint_source` does; return also the module, which knows how to mend it."""
    reason = _null_byte(source)
    if reason is not None:
        return Unread(path, reason)
    options = options or Options()
    asked = _asked(rules, source, options)
    if not asked and parsed(source) is not None:
        return Linted([])
    glance = Glance.at(source)
    reason = obstacle(source, glance)
    if reason is not None:
        return Unread(path, reason)
    if glance is not None:
        asked = _beginning(asked, glance, options)
        if not asked:
            return Linted([])
    with _undisturbed():
        return _lint(source, path, asked, options, glance, [] if notes is None else notes)


def _null_byte(source: bytes) -> str | None:
    """Say where a null byte is: libcst reads past it, Python does not."""
    at = source.find(b"\0")
    line = source.count(b"\n", 0, at) + 1
    return None if at < 0 else f"holds a null byte at line {line}"


def _asked(rules: Sequence[Rule], source: bytes, options: Options) -> list[Rule]:
    """Return the rules that may have a finding, by the words that they need."""
    own = {name.rpartition(".")[2].encode() for name in options.start_signatures}
    if any(word in source for word in own):
        return list(rules)
    return [rule for rule in rules if any(word in source for word in rule.words)]


def _beginning(rules: Iterable[Rule], glance: Glance, options: Options) -> list[Rule]:
    """Return the rules that may begin somewhere, by what is called in the file."""
    if glance.calls(*(name.rpartition(".")[2] for name in options.start_signatures)):
        return list(rules)
    return [rule for rule in rules if rule.may_begin(glance)]


def _syntax_error(source: bytes, error: cst.ParserSyntaxError) -> str:
    """Say where the syntax error is, in Python's words if they can be had: they are exact."""
    own = problem(source)
    if isinstance(own, SyntaxError):
        return f"syntax error at {own.lineno or 1}:{own.offset or 1}: {own.msg}"
    reason = error.message.splitlines()[0]
    return f"syntax error at {error.raw_line}:{error.raw_column + 1}: {reason}"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let trees be deep, and collect no garbage meanwhile: a tree in use is searched in vain."""
    limit, collects = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(limit, DEEPEST))
    gc.disable()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        if collects:
            gc.enable()


def _lint(
    source: bytes,
    path: str,
    rules: Sequence[Rule],
    options: Options,
    glance: Glance | None,
    notes: list[Note],
) -> Linted | Unread:
    try:
        module = Module(cst.parse_module(source), path, options, source, glance)
    except cst.ParserSyntaxError as error:
        return Unread(path, _syntax_error(source, error))
    except (UnicodeDecodeError, LookupError, SyntaxError) as error:
        return Unread(path, f"cannot be decoded: {error}")
    except RecursionError:
        return Unread(path, "is nested too deeply to be read")
    found: list[Finding] = []
    for rule in rules:
        try:
            found += rule.check(module)
        except RecursionError:
            return Unread(path, f"is nested too deeply for {rule.code}")
        except Exception as error:  # noqa: BLE001 (one file's failure must not end the run)
            return Unread(path, _fault(rule, error))
    notes += sorted(module.notes, key=lambda note: note.line)
    found.sort(key=lambda finding: (finding.place, finding.code))
    return Linted(found, module)


def _fault(rule: Rule, error: Exception) -> str:
    """Say that a rule has failed, and where: this is no fault of the file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code if trace is not None else None
    where = f" in {code.co_name}, line {trace.tb_lineno}" if code and trace else ""
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"{rule.code} failed ({what}{where}); a fault of kata-lint, please report it"

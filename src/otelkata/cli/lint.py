"""`kata-lint`: find tracing faults in source code without running it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from otelkata.cli import lint_options
from otelkata.cli.guard import guard
from otelkata.lint.command import files, run
from otelkata.lint.command.config import Config, ConfigMistake, closest
from otelkata.lint.command.report import Mode, Report
from otelkata.lint.command.selection import Selection, UnknownSelector
from otelkata.lint.finding import Unread

if TYPE_CHECKING:
    from otelkata.lint.command.baseline import Baseline

CLEAN, FAULTS, UNUSABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code.

    0: nothing was found; 1: faults were found; 2: wrong usage, or something could not be read.
    """
    parser = lint_options.parser()
    options = parser.parse_args(arguments)
    return guard(
        "kata-lint", lambda: _run(parser, options), failed=UNUSABLE, spared="what it was to read"
    )


def _run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    try:
        return _explain(options.explain) if options.explain else _lint(parser, options)
    except (ConfigMistake, UnknownSelector, UsageMistake) as error:
        parser.error(str(error))


class UsageMistake(ValueError):
    """An option that cannot be used: which, and why."""


def _lint(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    lint_options.check(parser, options)
    baseline = _baseline(options.baseline) if options.baseline else None
    sources = {}
    found = files.find(
        (path for path in options.paths if path != files.STDIN), force_exclude=options.force_exclude
    )
    if files.STDIN in options.paths:
        name = options.stdin_filename or "<stdin>"
        sources[name] = sys.stdin.buffer.read()
        found.files[name] = _config_of(options.stdin_filename)
    wish = run.Wish(
        selection=_selection(options),
        strict_ownership=options.strict_ownership,
        mode=Mode.DIFF if options.diff else Mode.FIX if options.fix else Mode.LOOK,
        jobs=options.jobs,
        baseline=baseline,
        named=tuple(options.paths),
    )
    reports = run.lint(found.files, wish, sources)
    unread = [*found.unread, *(Unread(r.path, r.unread) for r in reports if r.unread)]
    for one in sorted(unread, key=lambda one: one.path):
        print(f"{one.path}: {one.reason}", file=sys.stderr)
    for report in reports:
        for note in report.notes:
            print(f"{report.path}:{note.line}: {note.message}", file=sys.stderr)
    if options.write_baseline:
        return _write_baseline(reports, options.write_baseline, failed=bool(unread))
    if baseline is not None:
        reports = _without_known(reports, baseline)
    if found.files or options.format != "text":
        _show(options, reports, unread, sources)
    else:
        print("no Python file was read", file=sys.stderr)
    if unread:
        return UNUSABLE
    changes = options.diff and any(report.mended is not None for report in reports)
    return FAULTS if changes or any(report.findings for report in reports) else CLEAN


def _config_of(name: str | None) -> Config:
    return closest(os.path.dirname(os.path.abspath(name)) if name else os.curdir)


def _selection(options: argparse.Namespace) -> Selection:
    from otelkata.lint.command import catalogue, selection  # noqa: PLC0415 (not before it is wanted)

    wish = Selection(
        _split(options.select) if options.select else None,
        _split(options.extend_select),
        _split(options.ignore),
    )
    if wish != Selection():
        entries = catalogue.read()
        for option, said in (
            ("--select", wish.select or ()),
            ("--extend-select", wish.extend),
            ("--ignore", wish.ignore),
        ):
            try:
                selection.check(entries, said)
            except UnknownSelector as error:
                raise UnknownSelector(f"{option}: {error}") from None
    return wish


def _split(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def _write_baseline(reports: Sequence[Report], file: str, *, failed: bool) -> int:
    from otelkata.lint.command import baseline  # noqa: PLC0415 (only here)

    _write(file, baseline.dump(reports, file))
    count = sum(len(report.findings) for report in reports)
    print(f"{file}: {count} known from now on", file=sys.stderr)
    return UNUSABLE if failed else CLEAN


def _baseline(file: str) -> Baseline:
    from otelkata.lint.command import baseline  # noqa: PLC0415 (only where there is one)

    try:
        return baseline.load(file)
    except baseline.BaselineMistake as error:
        raise UsageMistake(f"--baseline {error}") from None


def _without_known(reports: Sequence[Report], known: Baseline) -> list[Report]:
    from otelkata.lint.command import baseline  # noqa: PLC0415 (only where there is one)

    return baseline.unknown(reports, known)


def _show(
    options: argparse.Namespace,
    reports: Sequence[Report],
    unread: Sequence[Unread],
    sources: dict[str, bytes],
) -> None:
    text = _report(options, reports, unread)
    mended = {report.path: report for report in reports if report.mended is not None}
    if options.diff:
        _print("".join(report.difference for report in mended.values()))
        print(f"{sum(r.fixed for r in mended.values())} would be fixed", file=sys.stderr)
    elif options.fix and sources:
        # Standard output has the mended source, as an editor expects; the rest goes beside it.
        for name, source in sources.items():
            sys.stdout.buffer.write(mended[name].mended or b"" if name in mended else source)
        print(text, file=sys.stderr, end="")
    elif options.output:
        _write(options.output, text)
    else:
        _print(text)


def _report(
    options: argparse.Namespace, reports: Sequence[Report], unread: Sequence[Unread]
) -> str:
    if options.format == "json":
        from otelkata.lint.command.formats import data  # noqa: PLC0415 (one of them is needed)

        return data.render(reports)
    if options.format == "sarif":
        from otelkata.lint import rule  # noqa: PLC0415 (as above)
        from otelkata.lint.command.formats import sarif  # noqa: PLC0415

        return sarif.render(reports, unread, rule.load())
    if options.format == "github":
        from otelkata.lint.command.formats import github  # noqa: PLC0415 (as above)

        return github.render(reports)
    from otelkata.lint.command.formats import text  # noqa: PLC0415 (as above)

    if options.statistics:
        return text.statistics(reports)
    return text.render(reports, text.Paint(not options.output and _colours()))


def _colours() -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def _print(text: str) -> None:
    # A path may hold bytes that are no text, and a terminal may lack letters.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def _write(file: str, text: str) -> None:
    try:
        with open(file, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageMistake(f"{file}: cannot be written: {error.strerror}") from None


def _explain(name: str) -> int:
    from otelkata.lint import rule  # noqa: PLC0415 (this imports libcst)
    from otelkata.lint.command.explain import Page  # noqa: PLC0415

    for one in rule.load():
        if name.lower() in {one.code.lower(), one.name}:
            _print(Page.of(one).text())
            return CLEAN
    raise UnknownSelector(f"--explain: {name!r} is no rule; name it by its code or name")


if __name__ == "__main__":
    sys.exit(main())

"""`kata-lint`: find tracing faults in source code without running it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence

from otelkata import __version__
from otelkata.lint import files, run
from otelkata.lint.config import Config, ConfigMistake, closest
from otelkata.lint.finding import Unread
from otelkata.lint.report import Mode, Report
from otelkata.lint.selection import Selection, UnknownSelector

CLEAN, FAULTS, UNUSABLE = 0, 1, 2
FORMATS = ("text", "json", "sarif", "github")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code.

    0: nothing was found; 1: faults were found; 2: wrong usage, or something could not be read.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return _explain(options.explain) if options.explain else _lint(parser, options)
    except (ConfigMistake, UnknownSelector, UsageMistake) as error:
        print(f"kata-lint: {error}", file=sys.stderr)
        return UNUSABLE
    except BrokenPipeError:
        # Whoever read the report has read enough; nothing is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNUSABLE
    except KeyboardInterrupt:
        return 130


class UsageMistake(ValueError):
    """An option that cannot be used: which, and why."""


def _lint(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    _check(parser, options)
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
    )
    reports = run.lint(found.files, wish, sources)
    unread = [*found.unread, *(Unread(r.path, r.unread) for r in reports if r.unread)]
    for one in sorted(unread, key=lambda one: one.path):
        print(f"{one.path}: {one.reason}", file=sys.stderr)
    if options.write_baseline:
        return _write_baseline(reports, options.write_baseline, failed=bool(unread))
    if options.baseline:
        reports = _without_known(reports, options.baseline)
    _show(options, reports, unread, sources)
    if unread:
        return UNUSABLE
    changes = options.diff and any(report.mended is not None for report in reports)
    return FAULTS if changes or any(report.findings for report in reports) else CLEAN


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if not options.paths:
        parser.error("name at least one file or directory; - is standard input")
    if options.jobs < 0:
        parser.error(f"--jobs {options.jobs}: that is less than one process")
    if options.stdin_filename and files.STDIN not in options.paths:
        parser.error("--stdin-filename names what comes from standard input: add the path -")
    if options.statistics and options.format != "text":
        parser.error(f"--statistics counts instead of listing, and --format {options.format} lists")
    if options.baseline and options.write_baseline:
        parser.error("--write-baseline writes what --baseline reads: give one of them")
    for option in ("output", "write_baseline"):
        file = getattr(options, option)
        if file and (os.path.isdir(file) or not os.path.isdir(os.path.dirname(file) or ".")):
            shown = option.replace("_", "-")
            parser.error(f"--{shown} {file}: that is no file in a directory that exists")


def _config_of(name: str | None) -> Config:
    return closest(os.path.dirname(os.path.abspath(name)) if name else os.curdir)


def _selection(options: argparse.Namespace) -> Selection:
    from otelkata.lint import catalogue, selection  # noqa: PLC0415 (most runs select nothing)

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
    from otelkata.lint import baseline  # noqa: PLC0415 (only here)

    _write(file, baseline.dump(reports, file))
    count = sum(len(report.findings) for report in reports)
    print(f"{file}: {count} known from now on", file=sys.stderr)
    return UNUSABLE if failed else CLEAN


def _without_known(reports: Sequence[Report], file: str) -> list[Report]:
    from otelkata.lint import baseline  # noqa: PLC0415 (only here)

    try:
        return baseline.unknown(reports, baseline.load(file), file)
    except baseline.BaselineMistake as error:
        raise UsageMistake(f"--baseline {error}") from None


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
        from otelkata.lint.formats import data  # noqa: PLC0415 (one of them is needed)

        return data.render(reports)
    if options.format == "sarif":
        from otelkata.lint import rule  # noqa: PLC0415 (as above)
        from otelkata.lint.formats import sarif  # noqa: PLC0415

        return sarif.render(reports, unread, rule.load())
    if options.format == "github":
        from otelkata.lint.formats import github  # noqa: PLC0415 (as above)

        return github.render(reports)
    from otelkata.lint.formats import text  # noqa: PLC0415 (as above)

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
    from otelkata.lint.explain import Page  # noqa: PLC0415

    for one in rule.load():
        if name.lower() in {one.code.lower(), one.name}:
            _print(Page.of(one).text())
            return CLEAN
    raise UnknownSelector(f"--explain: {name!r} is no rule; name it by its code or name")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kata-lint",
        description="Find tracing faults in Python code that uses OpenTelemetry, without running "
        "it: spans that are not ended, lost contexts, hidden failures.",
        epilog="exit codes: 0 nothing found, 1 faults found, 2 wrong usage or unreadable input",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="file or directory; - is stdin")
    parser.add_argument(
        "--stdin-filename", metavar="NAME", help="what standard input is called, and configured as"
    )
    parser.add_argument("--explain", metavar="RULE", help="show what a rule is about")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    rules = parser.add_argument_group(
        "rules", "codes (OTK101), beginnings of codes (OTK1), names (span-not-ended), ALL"
    )
    for option, does in (
        ("--select", "run these rules and no others"),
        ("--extend-select", "run these rules as well"),
        ("--ignore", "leave these rules out"),
    ):
        rules.add_argument(option, metavar="RULES", action="append", default=[], help=does)
    rules.add_argument(
        "--strict-ownership",
        action="store_true",
        help="report spans that are handed to another owner, too",
    )
    _add_files(parser.add_argument_group("files"))
    _add_output(parser.add_argument_group("output"))
    return parser


def _add_files(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--fix", action="store_true", help="mend what can be mended without doubt")
    group.add_argument("--diff", action="store_true", help="show what --fix would change")
    group.add_argument(
        "--force-exclude", action="store_true", help="exclude files that are named, too"
    )
    group.add_argument("--baseline", metavar="FILE", help="report only what FILE does not know")
    group.add_argument("--write-baseline", metavar="FILE", help="write what is found to FILE")
    group.add_argument(
        "--jobs", metavar="N", type=int, default=0, help="processes (default: one per processor)"
    )


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--format", choices=FORMATS, default="text")
    group.add_argument("--output", metavar="FILE", help="write the report to FILE")
    group.add_argument("--statistics", action="store_true", help="count by rule")


if __name__ == "__main__":
    sys.exit(main())

"""The options of `kata-lint`, and which of them go together."""

from __future__ import annotations

import argparse

from otelkata import __version__
from otelkata.cli.guard import check_input
from otelkata.cli.usage import Parser, positive, unwritable
from otelkata.lint.command import files

FORMATS = ("text", "json", "sarif", "github")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    made = Parser(
        prog="kata-lint",
        arguments="PATH…",
        description="Find tracing faults in Python code that uses OpenTelemetry, without running "
        "it: spans that are not ended, lost contexts, hidden failures.",
        epilog="exit codes: 0 nothing found, 1 faults found, 2 wrong usage or unreadable input",
    )
    made.add_argument("paths", nargs="*", metavar="PATH", help="file or directory; - is stdin")
    made.add_argument(
        "--stdin-filename", metavar="NAME", help="what standard input is called, and configured as"
    )
    made.add_argument("--explain", metavar="RULE", help="show what a rule is about")
    made.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    rules = made.add_argument_group(
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
    _add_files(made.add_argument_group("files"))
    _add_output(made.add_argument_group("output"))
    return made


def _add_files(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--fix", action="store_true", help="mend what can be mended without doubt")
    group.add_argument("--diff", action="store_true", help="show what --fix would change")
    group.add_argument(
        "--force-exclude", action="store_true", help="exclude files that are named, too"
    )
    group.add_argument("--baseline", metavar="FILE", help="report only what FILE does not know")
    group.add_argument("--write-baseline", metavar="FILE", help="write what is found to FILE")
    group.add_argument(
        "--jobs",
        metavar="N",
        type=positive,
        default=0,
        help="processes (default: one per processor)",
    )


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--format", choices=FORMATS, default="text")
    group.add_argument("--output", metavar="FILE", help="write the report to FILE")
    group.add_argument("--statistics", action="store_true", help="count by rule")


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse options that do not go together; this ends the command with exit code 2."""
    if not options.paths:
        parser.error("name at least one file or directory; - is standard input")
    check_input(parser, options.paths)
    if options.stdin_filename and files.STDIN not in options.paths:
        parser.error("--stdin-filename names what comes from standard input: add the path -")
    if options.statistics and options.format != "text":
        parser.error(f"--statistics counts instead of listing, and --format {options.format} lists")
    if options.diff and (listing := _of_listings(options)):
        parser.error(f"--diff shows changes and lists no findings: leave out {listing}")
    if options.baseline and options.write_baseline:
        parser.error("--write-baseline writes what --baseline reads: give one of them")
    for option in ("output", "write_baseline"):
        file = getattr(options, option)
        if file and (reason := unwritable(file)):
            parser.error(f"--{option.replace('_', '-')} {file}: {reason}")


def _of_listings(options: argparse.Namespace) -> str:
    if options.format != "text":
        return f"--format {options.format}"
    return "--output" if options.output else "--statistics" if options.statistics else ""

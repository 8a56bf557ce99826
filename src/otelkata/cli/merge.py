"""`kata-merge`: put the results of shards together."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otelkata import __version__
from otelkata.cli import EXIT_CODES
from otelkata.judge import registry
from otelkata.report import contract, overview
from otelkata.report.formats.json import array

from .guard import check_output, guard
from .reports import write_overview, write_pieces
from .usage import Parser

SIZE_LIMIT = 512 * 1024**2
"""Largest file with results, in bytes: those of some ten thousand submissions."""


@dataclass(frozen=True, slots=True)
class Part:
    """The results of one file, by submission."""

    file: Path
    results: Mapping[str, list[Mapping[str, Any]]]

    @property
    def size(self) -> int:
        """Return how many results it has."""
        return sum(len(results) for results in self.results.values())


class Contradiction(Exception):
    """One submission has different results in two files."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code, as that of `kata-grade`.

    Fewer results than expected are a failure of the grader: some shard has not done its part.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    check_output(parser, options.output)
    return guard("kata-merge", lambda: _merge(parser, options))


def _merge(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    try:
        parts = [_read(file) for file in options.files]
        objects = merge(parts)
    except (contract.ContractError, Contradiction) as error:
        parser.error(str(error))
    if options.expect is not None and len(objects) > options.expect:
        parser.error(f"there are {len(objects)} results, and --expect {options.expect}")
    titles = {check.id: check.title for check in registry.load()}
    lines = [overview.line(contract.to_graded(item, titles)) for item in objects]
    if options.format == "json":
        write_pieces(array(objects), options.output)
    else:
        write_overview(map(overview.show_line, lines), lines, options.output)
    code = max((EXIT_CODES[line.verdict] for line in lines), default=0)
    if options.expect is None or len(objects) == options.expect:
        return code
    print(f"kata-merge: {missing(parts, options.expect)}", file=sys.stderr)
    return EXIT_CODES["error"]


def merge(parts: Sequence[Part]) -> list[Mapping[str, Any]]:
    """Return all results, in the order of their submissions; raise Contradiction."""
    merged: dict[str, list[Mapping[str, Any]]] = {}
    found_in: dict[str, Path] = {}
    for part in parts:
        for submission, results in part.results.items():
            before = merged.setdefault(submission, results)
            if before != results:
                raise Contradiction(
                    f"{found_in[submission]} and {part.file} have different results on {submission}"
                )
            found_in.setdefault(submission, part.file)
    return [result for submission in sorted(merged) for result in merged[submission]]


def missing(parts: Sequence[Part], expected: int) -> str:
    """Say how many of `expected` submissions are missing in `parts`, and where, as far as seen."""
    sizes = [part.size for part in parts]
    told = f"{sum(sizes)} of {expected} results are there"
    for shards in range(len(parts) + 1, expected + 1):
        size, larger = divmod(expected, shards)
        fits = (sizes.count(size) <= shards - larger, sizes.count(size + 1) <= larger)
        if all(fits) and set(sizes) <= {size, size + 1}:
            return f"{told}: as if {shards - len(parts)} of {shards} shards were not given"
    short = [
        f"{part.file} has {part.size} of {wanted}"
        for number, part in enumerate(parts)
        if part.size < (wanted := len(range(number, expected, len(parts))))
    ]
    if not short:
        return told
    return f"{told}: if the files are all shards in their order, {', '.join(short)}"


def _read(file: Path) -> Part:
    try:
        objects = contract.read(_bytes(file))
    except OSError as error:
        raise contract.ContractError(f"{file} cannot be read: {error.strerror}") from error
    except contract.ContractError as error:
        raise contract.ContractError(f"{file}: {error}") from error
    results: dict[str, list[Mapping[str, Any]]] = {}
    for item in objects:
        results.setdefault(item["submission"], []).append(item)
    return Part(file, results)


def _bytes(file: Path) -> bytes:
    # Not by what the system says of its size: a device has none and no end.
    with file.open("rb") as stream:
        data = stream.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise contract.ContractError(f"it has more than {SIZE_LIMIT // 2**20} MiB")
    return data


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="kata-merge",
        arguments="FILE…",
        description="Put the results of kata-grade --shard I/N --format json together.",
        epilog="exit codes: 0 all passed, 1 some failed, 2 wrong usage, 3 the grader itself "
        "failed, or results are missing",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", type=Path, help="results of one shard, as JSON"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write the report to FILE")
    parser.add_argument("--expect", metavar="N", type=int, help="how many results there have to be")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())

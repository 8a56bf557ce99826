"""Lint many files: pass over those without the words, and give the rest to workers."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING

from otelkata.lint.command import catalogue
from otelkata.lint.command.catalogue import Entry
from otelkata.lint.command.config import Config, ConfigMistake
from otelkata.lint.command.report import Mode, Report
from otelkata.lint.command.selection import Selection, UnknownSelector, check
from otelkata.lint.source import reading, words

if TYPE_CHECKING:
    from otelkata.lint.command.baseline import Baseline

_FEW = 2_000
"""Files that one process has searched before another has started."""
_CHECKED = 500
"""Files up to which each is parsed, words or not, to tell of those that are no Python."""
_CHUNK = 250


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line, over what is configured.

    What `baseline` knows is not mended, nor is what lies outside of what was `named`.
    """

    selection: Selection = field(default_factory=Selection)
    strict_ownership: bool = False
    mode: Mode = Mode.LOOK
    jobs: int = 0
    """Processes; 0: as many as can run at once."""
    baseline: Baseline | None = None
    named: tuple[str, ...] = ()


def lint(
    files: Mapping[str, Config], wish: Wish, sources: Mapping[str, bytes] | None = None
) -> list[Report]:
    """Return a report for each file that has findings or could not be read, by path.

    `sources` holds the bytes of what is no file.

    Raises:
        ConfigMistake: a configuration names a rule that does not exist.
    """
    entries = catalogue.read() if _selects(files.values(), wish) else []
    configs = _effective(set(files.values()), wish, entries)
    given = sources or {}
    jobs = wish.jobs or processors()
    signatures = {
        name
        for config in configs.values()
        for name in (*config.options.start_signatures, *config.options.end_signatures)
    }
    wanted = words.wanted(signatures)
    paths = [path for path in files if path not in given]
    hits = _with_words(paths, wanted, jobs)
    hits += [path for path, source in given.items() if words.holds(source, wanted)]
    if len(files) <= _CHECKED:
        known = set(hits)
        hits += [path for path in files if path not in known and not _parses(path, given)]
    if not hits:
        return []
    # Only now: this imports libcst, and most runs of a hook have nothing to parse.
    from otelkata.lint.command.one import Plan, lint_file  # noqa: PLC0415
    from otelkata.lint.command.workers import each  # noqa: PLC0415

    plan = Plan.of(wish.mode, wish.baseline, tuple(map(os.path.realpath, wish.named)))
    # The largest first, so that none is left to one worker while the others have nothing to do.
    hits.sort(key=lambda path: len(given[path]) if path in given else reading.size(path))
    todo = [(path, configs[files[path]]) for path in reversed(hits)]

    def work(index: int) -> Report:
        path, config = todo[index]
        return lint_file(path, given.get(path), config, plan)

    def lost(index: int, how: str) -> Report:
        return Report(todo[index][0], unread=f"stopped the linter, which ended {how}")

    reports = [report for _, report in each(work, len(todo), jobs, lost)]
    return sorted((r for r in reports if _says_something(r)), key=lambda report: report.path)


def processors() -> int:
    """Return how many processes can run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _parses(path: str, given: Mapping[str, bytes]) -> bool:
    from otelkata.lint.source.syntax import problem  # noqa: PLC0415 (not needed in large trees)

    source = given[path] if path in given else reading.read(path)
    return isinstance(source, bytes) and problem(source) is None


def _says_something(report: Report) -> bool:
    return bool(report.findings or report.unread or report.notes or report.mended is not None)


def _selects(configs: Iterable[Config], wish: Wish) -> bool:
    return wish.selection != Selection() or any(
        config.selection != Selection() or config.per_file for config in configs
    )


def _effective(
    configs: Collection[Config], wish: Wish, entries: Sequence[Entry]
) -> dict[Config, Config]:
    """Return each configuration with the wish laid over it, once its selectors are known to be."""
    for config in configs:
        said = config.selection
        by_key = {
            "select": said.select or (),
            "extend-select": said.extend,
            "ignore": said.ignore,
            "per-file-ignores": [name for _, selectors in config.per_file for name in selectors],
        }
        for key, selectors in by_key.items():
            try:
                check(entries, selectors)
            except UnknownSelector as error:
                raise ConfigMistake(f"{config.file}: tool.kata-lint.{key}: {error}") from None
    return {config: _over(config, wish) for config in configs}


def _over(config: Config, wish: Wish) -> Config:
    options = config.options
    if wish.strict_ownership:
        options = replace(options, strict_ownership=True)
    return replace(config, selection=wish.selection.over(config.selection), options=options)


def _with_words(paths: Sequence[str], wanted: tuple[bytes, ...], jobs: int) -> list[str]:
    """Return the paths of the files that hold any of the words, in order."""
    if len(paths) <= _FEW or jobs == 1:
        holds = reading.Searcher(wanted).holds
        return [path for path in paths if holds(path)]
    from otelkata.lint.command.workers import each  # noqa: PLC0415 (only for many files)

    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    searcher = reading.Searcher(wanted)

    def work(index: int) -> list[int]:
        return [at for at, path in enumerate(chunks[index]) if searcher.holds(path)]

    def lost(index: int, _: str) -> list[int]:
        return list(range(len(chunks[index])))

    found = {}
    for index, hits in each(work, len(chunks), jobs, lost):
        found[index] = hits
        if hits:
            # The parser will be needed, and this process has nothing to do but wait for the rest.
            import_module(".one", __package__)
    return [chunks[index][at] for index in range(len(chunks)) for at in found[index]]

"""Find the files that are to be linted, and how each is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from otelkata.lint.command import config
from otelkata.lint.command.config import Config
from otelkata.lint.finding import Unread
from otelkata.lint.source import ignored
from otelkata.lint.source.ignored import Ignored
from otelkata.lint.source.reading import reason

STDIN = "-"
"""The path that stands for standard input."""


@dataclass(slots=True)
class Found:
    """Files by path, in the order in which they are linted, and what could not be listed."""

    files: dict[str, Config] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Folder:
    shown: str
    """The path as it is reported, with a separator at its end; empty for the current directory."""
    absolute: str
    config: Config
    ignored: tuple[Ignored, ...]


def find(paths: Iterable[str], *, force_exclude: bool = False) -> Found:
    """Return the files that `paths` name or hold, sorted.

    A file that is named is linted whatever it is called, unless `force_exclude`; directories are
    searched for `*.py`. Symbolic links to directories are not followed, so nothing goes round.

    Raises:
        ConfigMistake: a configuration on the way is wrong.
    """
    walk = _Walk(Found(), force_exclude=force_exclude)
    for path in paths:
        walk.named(path)
    found = walk.found
    found.files = dict(sorted(found.files.items()))
    return found


@dataclass(slots=True)
class _Walk:
    found: Found
    force_exclude: bool
    seen: set[str] = field(default_factory=set)
    """Absolute paths, so that a file that is named twice is linted once."""

    def named(self, path: str) -> None:
        absolute = os.path.abspath(path)
        if os.path.isdir(path):
            shown = os.path.normpath(path)
            shown = "" if shown == os.curdir else os.path.join(shown, "")
            patterns = ignored.above(absolute, self.found.unread)
            self._descend(_Folder(shown, absolute, config.closest(absolute), patterns))
            return
        closest = config.closest(os.path.dirname(absolute))
        if self.force_exclude and closest.excludes.match_within(absolute):
            return
        if not os.path.lexists(path):
            self.found.unread.append(Unread(path, "there is nothing of that name"))
        elif absolute not in self.seen:
            self.seen.add(absolute)
            self.found.files[os.path.normpath(path)] = closest

    def _descend(self, top: _Folder) -> None:
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(folder.absolute) as entries:
                    inside = list(entries)
            except OSError as error:
                shown = folder.shown or os.curdir
                self.found.unread.append(Unread(shown, f"cannot be listed: {reason(error)}"))
            else:
                waiting += self._inside(self._with_its_own(folder, inside), inside)

    def _with_its_own(self, folder: _Folder, entries: list[os.DirEntry[str]]) -> _Folder:
        """Return `folder` with the configuration and the patterns that it holds itself."""
        names = {entry.name for entry in entries}
        own = config.read(folder.absolute) if "pyproject.toml" in names else None
        patterns = ignored.read(folder.absolute) if ".gitignore" in names else None
        if isinstance(patterns, Unread):
            self.found.unread.append(Unread(f"{folder.shown}.gitignore", patterns.reason))
            patterns = None
        if own is None and patterns is None:
            return folder
        layers = folder.ignored if patterns is None else (*folder.ignored, patterns)
        return _Folder(folder.shown, folder.absolute, own or folder.config, layers)

    def _inside(self, folder: _Folder, entries: list[os.DirEntry[str]]) -> list[_Folder]:
        below = []
        files, seen = self.found.files, self.seen
        for entry in entries:
            name = entry.name
            if entry.is_dir(follow_symlinks=False):
                if not _left_out(folder, entry, os.sep):
                    path = entry.path
                    below.append(
                        _Folder(
                            f"{folder.shown}{name}{os.sep}", path, folder.config, folder.ignored
                        )
                    )
            elif name.endswith(".py") and _is_source(entry):
                path = entry.path
                if path not in seen and not _left_out(folder, entry, ""):
                    seen.add(path)
                    files[folder.shown + name] = folder.config
        return below


def _left_out(folder: _Folder, entry: os.DirEntry[str], ending: str) -> bool:
    if folder.config.excludes.match(entry.name, entry.path):
        return True
    return bool(folder.ignored) and ignored.is_ignored(folder.ignored, entry.path + ending)


def _is_source(entry: os.DirEntry[str]) -> bool:
    """Tell whether the entry is a file, or a link that leads to one or astray.

    A link that leads astray is reported when it is read. An editor's lock is such a link: `.#name`.
    """
    if entry.is_file(follow_symlinks=False):
        return True
    if not entry.is_symlink() or entry.name.startswith(".#"):
        return False
    try:
        return entry.is_file() or not os.path.exists(entry.path)
    except OSError:
        return True

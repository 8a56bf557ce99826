"""Run tests on mutants: each in a fork of one pytest session that has collected them already.

A mutant stands in no file. The fork puts the changed functions and methods in the place of those
that were imported, and runs the tests, first those that killed a mutant of this file before. POSIX
only.
"""

import __future__

import ast
import contextlib
import gc
import os
import resource
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, EnumType
from pathlib import Path
from types import FunctionType, ModuleType
from typing import NoReturn

import pytest

PYTEST = ["-q", "--assert=plain", "--tb=no", "-p", "no:cacheprovider"]
TEST_LIMIT = 10
"""Seconds of processor time after which a test is given up: some mutants never come to an end."""
MEMORY_LIMIT = 4 * 1024**3
"""Bytes of address space of one run: some mutants collect without an end."""
SILENCE = 600
"""Seconds after which a run that takes no processor time is given up."""
_SURVIVED = b"-"
_OWN = {"__dict__", "__weakref__", "__slots__", "__doc__", "__module__", "__qualname__"}


class BaselineError(Exception):
    """The tests do not pass as the code stands, so that they can judge nothing."""


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests that judge mutants, as pytest has collected them."""

    items: list[pytest.Item]
    recorder: "_Recorder"
    killers: dict[str, list[str]]

    def cost(self) -> float:
        """Return the processor time in seconds that all tests take, as the code stands.

        Raises BaselineError where one fails.
        """
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        told = self._fork(None, "")
        if told != _SURVIVED:
            raise BaselineError(told.decode() or f"a test takes more than {TEST_LIMIT} s")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def killer(self, path: Path, code: str) -> str:
        """Return the first test that fails on `code` in place of `path`; empty where none does."""
        told = self._fork(path, code)
        if told == _SURVIVED:
            return ""
        test = told.decode()
        known = self.killers.setdefault(str(path), [])
        if "::" in test:
            with contextlib.suppress(ValueError):
                known.remove(test)
            known.insert(0, test)
        return test or "ended by a signal"

    def _fork(self, path: Path | None, code: str) -> bytes:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._child(writing, path, code)
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            ready, _, _ = select.select([told], [], [], SILENCE)
            if not ready:
                os.kill(child, signal.SIGKILL)
            text = told.read()
        os.waitpid(child, 0)
        return text

    def _child(self, writing: int, path: Path | None, code: str) -> NoReturn:
        told = b"it cannot be imported"
        try:
            with Path(os.devnull).open("w") as nothing:
                os.dup2(nothing.fileno(), 1)
                os.dup2(nothing.fileno(), 2)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if path is not None:
                replace(path, code)
            told = self._run(path).encode()
        finally:
            os.write(writing, told)
            os._exit(0)

    def _run(self, path: Path | None) -> str:
        # It holds a standard output of its own.
        self.items[0].config.pluginmanager.unregister(name="terminalreporter")
        first = {test: at for at, test in enumerate(self.killers.get(str(path), []))}
        items = [item for item in self.items if path is None or self._is_about(item, path)]
        items.sort(key=lambda item: first.get(item.nodeid, len(first)))
        for item, following in zip(items, [*items[1:], None], strict=True):
            most = int(time.process_time()) + TEST_LIMIT
            resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.recorder.failed:
                return self.recorder.failed
        return _SURVIVED.decode()

    def _is_about(self, item: pytest.Item, path: Path) -> bool:
        # A test whose name has the id of a check is about that check's file alone.
        theme = item.name.partition("[")[2].partition(".")[0]
        return theme == path.stem or not (path.parent / f"{theme}.py").exists()


def with_tests(root: Path, tests: Sequence[str], use: Callable[[Suite], None]) -> None:
    """Collect tests, and call `use` with them; raise BaselineError where they cannot be."""
    recorder = _Recorder(use)
    with tempfile.TemporaryDirectory() as place:
        arguments = [*PYTEST, "--basetemp", str(Path(place) / "tests")]
        paths = [str(root / test) for test in tests]
        status = pytest.main([*arguments, *paths], plugins=[recorder])
    if recorder.error is not None:
        raise recorder.error
    if not recorder.used:
        raise BaselineError(f"pytest could not collect them (status {status})")


class _Recorder:
    """Take pytest's collected tests instead of letting it run them, and see which one fails."""

    def __init__(self, use: Callable[[Suite], None]) -> None:
        self.failed = ""
        self.used = False
        self.error: BaselineError | None = None
        self._use = use

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed:
            return None
        self.used = True
        capture = session.config.pluginmanager.getplugin("capturemanager")
        gc.collect()
        gc.freeze()
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            try:
                self._use(Suite(session.items, self, {}))
            except BaselineError as error:
                self.error = error
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


def replace(path: Path, code: str) -> None:
    """Put what `code` defines in the place of what was imported from `path`.

    Functions and classes stay the objects that others have imported; what they do is changed.
    """
    for module in [*sys.modules.values()]:
        if Path(getattr(module, "__file__", None) or "/").resolve() == path:
            _replace_in(module, path, code)


def _replace_in(module: ModuleType, path: Path, code: str) -> None:
    names = vars(module)
    before = dict(names)
    flags = 0
    for statement in ast.parse(code).body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            flags = __future__.annotations.compiler_flag
        part = ast.Module([statement], [])
        exec(compile(part, path, "exec", flags, dont_inherit=True), names)  # noqa: S102
        if isinstance(statement, ast.FunctionDef | ast.ClassDef) and statement.name in before:
            # At once, as statements that follow may put it, or a member of it, into a table.
            name = statement.name
            names[name] = _replaced(before[name], names[name])
    for name, old in before.items():
        if names[name] is not old and not _is_of_another(old, module):
            _replace_value(name, old, names[name], before)


def _replaced(old: object, new: object) -> object:
    """Return the old object, made to do what the new one does; the new one where none can be."""
    if isinstance(old, FunctionType) and isinstance(new, FunctionType):
        _replace_function(old, new)
    elif isinstance(old, EnumType) and isinstance(new, EnumType):
        _replace_enumeration(old, new)
    elif isinstance(old, type) and isinstance(new, type):
        _replace_class(old, new)
    else:
        return new
    return old


def _is_of_another(value: object, module: ModuleType) -> bool:
    # Of other values, `__module__` is that of their class: a pattern is the module's own.
    return isinstance(value, FunctionType | type) and value.__module__ != module.__name__


def _replace_function(old: FunctionType, new: FunctionType) -> None:
    old.__code__ = new.__code__
    old.__defaults__ = new.__defaults__
    old.__kwdefaults__ = new.__kwdefaults__
    old.__dict__.update(new.__dict__)


def _replace_class(old: type, new: type) -> None:
    slots = getattr(old, "__slots__", ())
    for name, value in vars(new).items():
        if name not in _OWN and name not in slots:
            setattr(old, name, value)


def _replace_enumeration(old: EnumType, new: EnumType) -> None:
    members: Mapping[str, Enum] = old.__members__
    others: Mapping[str, Enum] = new.__members__
    for name, member in members.items():
        if name in others:
            member._value_ = others[name].value
    for name, value in vars(new).items():
        if isinstance(value, FunctionType) and not name.startswith("_"):
            setattr(old, name, value)


def _replace_value(name: str, old: object, new: object, before: Mapping[str, object]) -> None:
    # Others may have imported the value by its name.
    if name.startswith("__"):
        return
    home = before.get("__name__")
    for where, module in [*sys.modules.items()]:
        if where != home and getattr(module, "__dict__", {}).get(name) is old:
            setattr(module, name, new)

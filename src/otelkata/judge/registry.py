"""Register checks: a check is one function, from which everything else about it derives."""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from otelkata import content
from otelkata.evidence.only import READING

from .criteria import BONUS, CRITERIA
from .finding import Findings

CheckFunction = Callable[..., Findings]
_ATTRIBUTE = "__otelkata_check__"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    `title` is the line that the learner reads: the first of the function's docstring. `needs` are
    the function's parameters: tags of cases, `view` for all that was observed, or `reading` for
    what the linter made of the source.
    """

    id: str
    title: str
    criteria: tuple[str, ...]
    why: str
    fix: str
    needs: tuple[str, ...]
    function: CheckFunction
    path: str
    line: int

    @property
    def is_static(self) -> bool:
        """Tell whether it judges the source alone, and nothing that was seen running."""
        return self.needs == (READING,)

    def lacks(self, left_out: Collection[str]) -> bool:
        """Tell whether it needs anything of what a run left out, by tag."""
        return any(need.removeprefix("exits_") in left_out for need in self.needs)

    @property
    def bonus(self) -> bool:
        """Tell whether it belongs to bonus criteria alone; such a check fails nobody."""
        return bool(self.criteria) and all(criterion in BONUS for criterion in self.criteria)


@dataclass(frozen=True, slots=True)
class _Declared:
    criteria: tuple[str, ...]
    why: str
    fix: str


def check(*criteria: str, why: str, fix: str) -> Callable[[CheckFunction], CheckFunction]:
    """Declare a function to be a check of `criteria` (none: of the contract itself).

    `why` says why it matters, `fix` what to do; both are shown where the check fails. The function
    yields one finding per thing that it judged.
    """
    unknown = [criterion for criterion in criteria if criterion not in CRITERIA]
    if unknown:
        raise ValueError(f"there is no criterion {unknown[0]}")

    def declare(function: CheckFunction) -> CheckFunction:
        setattr(function, _ATTRIBUTE, _Declared(criteria, why, fix))
        return function

    return declare


def load(directory: Path | None = None) -> list[Check]:
    """Return the checks of `directory` in the order of their files and lines."""
    checks: list[Check] = []
    for path in sorted((directory or content.folder("checks")).glob("*.py")):
        checks += load_file(path)
    return checks


def load_file(path: Path) -> list[Check]:
    """Return the checks of the file `path` in the order of their lines."""
    return checks_of(_import(path))


def checks_of(module: ModuleType) -> list[Check]:
    """Return the checks that `module` defines, in the order of their lines."""
    functions: Sequence[CheckFunction] = [
        function for function in vars(module).values() if hasattr(function, _ATTRIBUTE)
    ]
    return sorted((_check(function, module) for function in functions), key=lambda c: c.line)


def _check(function: CheckFunction, module: ModuleType) -> Check:
    declared: _Declared = getattr(function, _ATTRIBUTE)
    theme = module.__name__.rpartition(".")[2]
    return Check(
        id=f"{theme}.{function.__name__}",
        title=inspect.cleandoc(function.__doc__ or "").partition("\n")[0],
        criteria=declared.criteria,
        why=declared.why,
        fix=declared.fix,
        needs=tuple(inspect.signature(function).parameters),
        function=function,
        path=str(module.__file__),
        line=function.__code__.co_firstlineno,
    )


def _import(path: Path) -> ModuleType:
    name = f"otelkata_checks.{path.stem}"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module

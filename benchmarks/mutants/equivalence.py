"""Decide by the code alone, before any grading, that a mutant does what its original does.

What cannot be decided counts as a fault. The rules here hold for every operator or for several;
an operator names the ones that hold for it.
"""

import ast
from functools import cache, lru_cache
from pathlib import PurePosixPath

import libcst as cst

from benchmarks.mutants.mutation import Edit, Operator
from benchmarks.mutants.spans import reads_current_context
from benchmarks.mutants.submission import CONTRACT, Source, Submission
from benchmarks.mutants.syntax import body_of, calls, last_name, walk

BONUS = frozenset({"B1", "B2", "B3", "B4"})


def equivalent_by(submission: Submission, operator: Operator, edit: Edit) -> str | None:
    """Name the first rule by which a mutant is equivalent to its original, if there is one."""
    if bonus_not_met(submission, operator):
        return "bonus-not-met"
    for rule in (unreached_module, unused_function, *operator.unless, same_code):
        if rule(submission, edit):
            return rule.__name__.strip("_").replace("_", "-")
    return None


def bonus_not_met(submission: Submission, operator: Operator) -> bool:
    """Say that all criteria of a fault are bonus ones which the original does not meet itself."""
    bonus = submission.bonus
    return bonus is not None and not (frozenset(operator.criteria) - (BONUS - bonus))


def same_code(_submission: Submission, edit: Edit) -> bool:
    """Say that nothing but layout and comments differs."""
    return _meaning(edit.source.code) == _meaning(edit.code)


@lru_cache(maxsize=4)
def _meaning(code: str) -> str:
    return ast.dump(ast.parse(code))


def unreached_module(submission: Submission, edit: Edit) -> bool:
    """Say that `import checkout` does not import the module, and nothing else imports it."""
    return edit.source.path not in reached(submission)


@cache
def reached(submission: Submission) -> frozenset[str]:
    """Follow the imports from the module or package `checkout`."""
    found: set[str] = set()
    todo = [path for path in ("checkout.py", "checkout/__init__.py") if path in submission.sources]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += [
                each for each in _imports(submission.sources[path]) if each in submission.sources
            ]
    return frozenset(found)


def _imports(source: Source) -> set[str]:
    """Name the files that a module may import, as far as they are the submission's own."""
    here = PurePosixPath(source.path).parent
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.code)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = here.parts[: len(here.parts) - node.level + 1]
                base = ".".join([*package, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for name in names:
            path = name.replace(".", "/")
            found |= {f"{path}.py", f"{path}/__init__.py"}
    return found


def unused_function(submission: Submission, edit: Edit) -> bool:
    """Say that the site is in a module's function that nothing ever names."""
    functions = [
        each for each in edit.source.ancestors(edit.site) if isinstance(each, cst.FunctionDef)
    ]
    if not functions:
        return False
    outer = functions[-1]
    name = outer.name.value
    if name in CONTRACT or outer.decorators or edit.source.parents[outer] is not edit.source.module:
        return False
    return (
        sum(
            isinstance(node, cst.Name) and node.value == name
            for source in submission
            for node in source.nodes
        )
        == 1
    )


def nothing_reads_context(submission: Submission, edit: Edit) -> bool:
    """Say that nothing in the `with` block reads which span is current."""
    block = edit.source.enclosing(edit.site, cst.With)
    return block is not None and not any(
        reads_current_context(submission, stmt) for stmt in body_of(block)
    )


def nothing_pending(submission: Submission, _edit: Edit) -> bool:
    """Say that each span is exported as it ends, so that shutdown has none to lose."""
    return submission.mentions("SimpleSpanProcessor") and not submission.mentions(
        "BatchSpanProcessor"
    )


def second_shutdown_returns(submission: Submission, _edit: Edit) -> bool:
    """Say that the batch processor is shut down, hanging or not, before anything else can hang.

    Its second shutdown, by the provider's atexit handler, then returns at once.
    """
    return submission.mentions("BatchSpanProcessor") and not any(
        (function := source.function(call)) is None or function.name.value != "force_flush"
        for source in submission
        for call in source.calls("force_flush")
    )


def raised_in_with(_submission: Submission, edit: Edit) -> bool:
    """Say that the exception is raised on to the `with` of the span, which marks it by itself."""
    around = list(edit.source.ancestors(edit.site))
    handler = next((each for each in around if isinstance(each, cst.ExceptHandler)), None)
    if handler is None or not _raises_on(handler):
        return False
    outer = around[around.index(handler) + 2 :]
    for each in outer:
        if isinstance(each, cst.With):
            starts = calls(each.items[-1], "start_as_current_span")
            return bool(starts) and _marks(each, edit)
        if isinstance(each, cst.Try | cst.FunctionDef):
            return False
    return False


def _raises_on(handler: cst.ExceptHandler) -> bool:
    body = body_of(handler)
    last = body[-1] if body else None
    return (
        isinstance(last, cst.SimpleStatementLine)
        and isinstance(last.body[0], cst.Raise)
        and last.body[0].exc is None
    )


def _marks(block: cst.With, edit: Edit) -> bool:
    """Say whether the site marks the very span that the `with` manages."""
    name = block.items[-1].asname
    call = next((each for each in walk(edit.site) if isinstance(each, cst.Call)), None)
    if name is None or call is None or not isinstance(call.func, cst.Attribute):
        return False
    return last_name(call.func.value) == last_name(name.name)

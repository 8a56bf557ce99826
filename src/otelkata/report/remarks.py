"""Say what there is to say of a whole submission, in lines of plain text."""

from collections.abc import Iterator

from .graded import Graded
from .marks import mark
from .policy import Policy
from .seen import seen


def remarks(graded: Graded, policy: Policy) -> list[str]:
    """Return what a learner may know: verdict and points, what was left out, advice."""
    return list(_remarks(seen(graded, policy), graded, policy))


def _remarks(shown: Graded, graded: Graded, policy: Policy) -> Iterator[str]:
    marks = mark(graded, policy)
    if graded.error:
        yield f"The grader failed, and the submission is not to blame: {graded.error}"
    elif marks.verdict == "error":
        crashed = any(check.status == "error" for check in graded.checks)
        why = "A check of the grader failed" if crashed else "The machine was too busy to judge all"
        yield f"{why}, and so there is no verdict. The submission is not to blame."
    elif not policy.withholds:
        yield f"Verdict: {marks.line}."
    if policy.withholds:
        yield "Not everything is shown."
    if graded.is_partial:
        yield f"Partial: {graded.omissions}."
    if shown.advice:
        yield "Advice, which costs nothing:"
        yield from (f"- {advice}" for advice in shown.advice)

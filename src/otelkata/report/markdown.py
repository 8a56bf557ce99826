"""Say what submissions came to in Markdown, where nothing that they say is taken for markup.

Each such text stands in HTML's own `code` or `pre`, with every ASCII sign in it as a number:
neither Markdown nor HTML, nor what GitHub makes of names and addresses, looks inside.
"""

import re
from collections.abc import Iterable, Iterator

from otelkata.judge.criteria import BONUS, CRITERIA

from .faults import urgency
from .graded import Graded, Judged
from .marks import mark
from .plain import one_line, where
from .policy import DEFAULT, Policy
from .seen import seen
from .words import cut

LIMIT = 900_000
"""Most bytes of a summary: GitHub refuses one of more than 1 MiB."""

SHORT = 500
SIGNS = {"passed": "✅", "failed": "❌", "blocked": "❔", "not_run": "⬜", "error": "💥"}

_SIGN = re.compile(r"[!-/:-@\[-`{-~]")


def summary(results: Iterable[Graded], policy: Policy) -> Iterator[str]:
    """Yield a section on each submission, as long as there is room."""
    left = LIMIT
    for graded in results:
        section = "\n".join(_section(graded, policy)) + "\n\n"
        left -= len(section.encode())
        if left < 0:
            yield "There is no room here for the rest.\n"
            return
        yield section


def _section(graded: Graded, policy: Policy) -> Iterator[str]:
    shown = seen(graded, policy)
    marks = mark(graded, policy)
    verdict = "graded" if policy.withholds else marks.verdict
    sign = f"{SIGNS[verdict]} " if verdict in SIGNS else ""
    yield f"## {sign}{code(shown.submission)}: {verdict}\n"
    if shown.error:
        yield f"{code(shown.error)}\n"
        return
    if policy != DEFAULT and not policy.withholds:
        yield f"{marks.line}\n"
    if shown.left_out:
        yield f"Partial: left out {code(', '.join(shown.left_out))}\n"
    if shown.only:
        yield f"Partial: judged only {code(', '.join(shown.only))}\n"
    yield "| | criterion | |"
    yield "|---|---|---|"
    for name, status in shown.criteria.items():
        bonus = " (bonus)" if name in BONUS else ""
        yield f"| {SIGNS[status]} | **{name}** | {CRITERIA[name]}{bonus} |"
    yield ""
    for check in sorted(shown.checks, key=urgency):
        if check.status in {"failed", "error"}:
            yield from _fault(check)
    blocked = [check for check in shown.checks if check.status == "blocked"]
    if blocked:
        yield "Could not be judged:\n"
        yield from (f"- {code(check.id)}: {code(cut(check.message, SHORT))}" for check in blocked)
        yield ""


def _fault(check: Judged) -> Iterator[str]:
    criteria = " ".join(check.criteria) or "contract"
    yield f"<details><summary>{SIGNS[check.status]} {criteria}: {escaped(check.title)}</summary>\n"
    yield f"- {code(cut(check.message, SHORT))}"
    if check.location:
        yield f"- at {code(where(check.location))}"
    if check.why:
        yield f"- why: {escaped(check.why)}"
    if check.fix:
        yield f"- fix: {escaped(check.fix)}"
    if check.trace:
        yield f"\n<pre>{escaped(check.trace)}</pre>"
    yield "\n</details>\n"


def code(text: str) -> str:
    """Return `text` in one line as code."""
    return f"<code>{escaped(one_line(text))}</code>"


def escaped(text: str) -> str:
    """Return `text` with nothing in it that means anything."""
    return _SIGN.sub(lambda sign: f"&#{ord(sign.group())};", text)

"""Print the page of the documentation on a check, a criterion or a rule."""

import re

from rich.console import Console
from rich.markdown import Markdown

from otelkata.judge import selection
from otelkata.judge.criteria import CRITERIA
from otelkata.lint.command.explain import Page

from .reference import Reference

_COMMENT = re.compile(r"<!--.*?-->\n*", re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


class UnknownName(ValueError):
    """Nothing has that name; the message says what comes near."""


def page(name: str) -> str:
    """Return the page on what is named, in Markdown without links.

    `name` is a check's id, a criterion's, or a rule's code or name, in any case.

    Raises:
        UnknownName: nothing has that name.
    """
    reference = Reference.load()
    wanted = name.lower()
    for check in reference.checks:
        if check.id.lower() == wanted:
            return _plain(reference.check(check))
    for criterion in CRITERIA:
        if criterion.lower() == wanted:
            return _plain(reference.criterion(criterion))
    for one in reference.rules:
        if wanted in {one.code.lower(), one.name}:
            return _plain(Page.of(one).markdown())
    raise UnknownName(f"{name!r} is no check, criterion or rule{_near(wanted, reference)}")


def show(name: str, console: Console) -> None:
    """Print the page on what is named, set for a terminal where there is one.

    Raises:
        UnknownName: nothing has that name.
    """
    text = page(name)
    if console.is_terminal:
        console.print(Markdown(text, code_theme="ansi_dark"))
    else:
        console.print(text, end="", markup=False, highlight=False, soft_wrap=True)


def _plain(text: str) -> str:
    return _LINK.sub(r"\1", _COMMENT.sub("", text))


def _near(wanted: str, reference: Reference) -> str:
    names = selection.called(reference.checks)
    names |= {one.name: one.name for one in reference.rules}
    names |= {one.code.lower(): one.code for one in reference.rules}
    return f"; {selection.meant(wanted, names)}"

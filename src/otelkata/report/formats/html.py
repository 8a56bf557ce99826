"""Pages that need nothing but a browser: the report on one submission, and that on a class."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from otelkata.report.formats import Format
from otelkata.report.graded import Graded
from otelkata.report.html import overview as of_class
from otelkata.report.html.page import page
from otelkata.report.marks import mark
from otelkata.report.overview import Line, line
from otelkata.report.policy import Policy
from otelkata.report.seen import seen


def _several(results: Iterable[Graded], policy: Policy, links: Sequence[str]) -> Iterator[str]:
    # Of each only its line is kept: a thousand results are large.
    yield of_class.page([_line(graded, policy) for graded in results], links)


def _line(graded: Graded, policy: Policy) -> Line:
    shown = line(seen(graded, policy))
    if policy.withholds_verdict and not graded.error:
        return replace(shown, verdict="graded")
    return replace(shown, verdict=mark(graded, policy).verdict)


FORMAT = Format(
    about="people in a browser: [pages](#pages) that need nothing else",
    document="HTML Living Standard; WCAG 2.2, as far as axe-core checks it",
    suffix="html",
    one=page,
    several=_several,
)

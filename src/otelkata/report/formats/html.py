"""Pages that need nothing but a browser: the report on one submission, and that on a class."""

from collections.abc import Iterable, Iterator, Sequence

from otelkata.report.formats import Format
from otelkata.report.graded import Graded
from otelkata.report.html import overview as of_class
from otelkata.report.html.page import page
from otelkata.report.overview import line
from otelkata.report.policy import Policy
from otelkata.report.seen import seen


def _one(graded: Graded, policy: Policy) -> str:
    return page(seen(graded, policy))


def _several(results: Iterable[Graded], policy: Policy, links: Sequence[str]) -> Iterator[str]:
    yield of_class.page([line(seen(graded, policy)) for graded in results], links)


FORMAT = Format(
    about="people in a browser: [pages](#pages) that need nothing else",
    document="",
    suffix="html",
    one=_one,
    several=_several,
)

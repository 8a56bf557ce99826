"""The contract's JSON: one object for one submission, a list for several; no policy changes it."""

import json
from collections.abc import Iterable, Iterator, Sequence

from otelkata.report.formats import Format
from otelkata.report.graded import Graded, to_json
from otelkata.report.policy import Policy


def _one(graded: Graded, _: Policy) -> str:
    return f"{_object(graded)}\n"


def _several(results: Iterable[Graded], _: Policy, __: Sequence[str] = ()) -> Iterator[str]:
    before = "[\n"
    for graded in results:
        yield before + _object(graded)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _object(graded: Graded) -> str:
    return json.dumps(to_json(graded), indent=2, allow_nan=False)


FORMAT = Format(
    about="the verdict for programs, with all that is known; the same under every policy",
    document="the contract of this kata, section 3",
    suffix="json",
    one=_one,
    several=_several,
)

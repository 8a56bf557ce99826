"""The contract's JSON: one object for one submission, a list for several; no policy changes it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from otelkata.report.formats import Format
from otelkata.report.graded import Graded, to_json
from otelkata.report.policy import Policy


def _one(graded: Graded, _: Policy) -> str:
    return f"{_text(to_json(graded))}\n"


def _several(results: Iterable[Graded], _: Policy, __: Sequence[str] = ()) -> Iterator[str]:
    return array(map(to_json, results))


def array(objects: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write a list of such objects, one after the other."""
    before = "[\n"
    for item in objects:
        yield before + _text(item)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _text(item: Mapping[str, Any]) -> str:
    return json.dumps(item, indent=2, allow_nan=False)


FORMAT = Format(
    about="the verdict for programs, with all that is known; the same under every policy",
    document="the contract of this kata, section 3",
    suffix="json",
    one=_one,
    several=_several,
)

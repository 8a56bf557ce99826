"""Read `traceparent` as W3C Trace Context, levels 1 and 2, section 3.2, has it."""

import re
from dataclasses import dataclass

from otelkata.evidence.model import Headers

_FIELD = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class TraceParent:
    """The meaning of one valid header."""

    trace_id: str
    span_id: str
    sampled: bool


def parse(value: str) -> TraceParent | None:
    """Return what `value` says; None where it is to be ignored."""
    match = _FIELD.fullmatch(value)
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more is not None):
        return None
    if set(trace_id) == {"0"} or set(span_id) == {"0"}:
        return None
    return TraceParent(trace_id, span_id, bool(int(flags, 16) & 1))


def values_of(headers: Headers, name: str) -> list[str]:
    """Return the values of the header `name`, in order."""
    return [value for key, value in headers if key.lower() == name]


def of_headers(headers: Headers) -> TraceParent | None:
    """Return the parent that `headers` name; None where there is none, or more than one."""
    values = values_of(headers, "traceparent")
    return parse(values[0]) if len(values) == 1 else None


def state_of(headers: Headers) -> list[str]:
    """Return the members of `tracestate`, repeated headers joined in order."""
    joined = ",".join(values_of(headers, "tracestate"))
    return [member.strip() for member in joined.split(",") if member.strip()]

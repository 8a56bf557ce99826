"""Everything that a check is written with: import it from here."""

from otelkata.evidence.model import Exit, Reading
from otelkata.judge.calls import Call, ServiceSpan
from otelkata.judge.cases import CaseView
from otelkata.judge.clients import CLOCK_NOISE_NS
from otelkata.judge.finding import (
    SOUND,
    Fault,
    Finding,
    Findings,
    Sound,
    Unjudged,
    expect,
    too_slow,
)
from otelkata.judge.problems import mend, tell
from otelkata.judge.registry import check
from otelkata.judge.traceparent import TraceParent, of_headers, parse, state_of, values_of
from otelkata.judge.url import path_of, port_of
from otelkata.judge.view import View
from otelkata.judge.words import counted

Cases = list[CaseView]
Exits = list[Exit]

__all__ = [
    "CLOCK_NOISE_NS",
    "SOUND",
    "Call",
    "CaseView",
    "Cases",
    "Exit",
    "Exits",
    "Fault",
    "Finding",
    "Findings",
    "Reading",
    "ServiceSpan",
    "Sound",
    "TraceParent",
    "Unjudged",
    "View",
    "check",
    "counted",
    "expect",
    "mend",
    "of_headers",
    "parse",
    "path_of",
    "port_of",
    "state_of",
    "tell",
    "too_slow",
    "values_of",
]

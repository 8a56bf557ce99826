"""Sources for the tests of what becomes of a span, and what the rules say of them."""

import re
import textwrap
from typing import Any

from otelkata.lint.engine import lint_source
from otelkata.lint.finding import Finding
from otelkata.lint.options import Options
from otelkata.lint.rule import load

RULES = {rule.code: rule for rule in load()}
SETUP = """\
import asyncio
import contextlib
import threading
import time
from dataclasses import dataclass
from functools import wraps
from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, Span, use_span
from shop import charge, clock, keep, log_error, on_error, traced
tracer = trace.get_tracer("shop")
"""
MISSED = "error"  # also where nothing unusual happens
RAISED = "warning"  # when something raises
CANCELLED = "note"
_TAKEN = re.compile(r"the span is ([a-z ]+): .*")


def findings(code: str, source: str, setup: str = SETUP, **options: Any) -> list[Finding]:
    """Return what one rule finds in `source`, which comes after `setup`."""
    text = setup + textwrap.dedent(source)
    found = lint_source(text.encode(), "shop.py", [RULES[code]], Options(**options))
    assert isinstance(found, list)
    return found


def severities(code: str, source: str) -> list[str]:
    """Return how bad each finding of one rule is."""
    return [str(finding.severity) for finding in findings(code, source)]


def function(body: str, head: str = "def handle(order, rows, value):") -> str:
    """Return a function with this body."""
    return f"{head}\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"


def between(work: str, defined: str = "") -> str:
    """Return a function that does `work` between start and end of a span."""
    work = textwrap.dedent(work).strip()
    return defined + function(f"span = tracer.start_span('a')\n{work}\nspan.end()")


def taken(source: str) -> list[str]:
    """Return what became of each span that nobody here ends: returned, stored, passed, …"""
    found = findings("OTK101", source, strict_ownership=True)
    return [_TAKEN.sub(r"\1", finding.message) for finding in found]

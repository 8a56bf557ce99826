"""Render templates so that what a submission says stays text, and only our own script runs.

Escaping is on, a name that is not known is an error, and a Content-Security-Policy allows the one
style and the one script that are named by their hashes.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from otelkata.report.words import visible

_HERE = Path(__file__).parent / "templates"
KINDS = {"SERVER", "CLIENT", "INTERNAL", "PRODUCER", "CONSUMER"}


class Inlined(NamedTuple):
    """A style or script as it stands in the page, and the source that the policy allows."""

    text: str
    source: str


def render(
    template: str, script: str, styles: tuple[str, ...] = ("style.css",), **context: object
) -> str:
    """Return the page of `template` with the script of that name, and these styles as one."""
    return fragment(template, style=_inlined(*styles), script=_inlined(script), **context)


def fragment(template: str, **context: object) -> str:
    """Return what `template` makes, which is a part of a page."""
    return _environment().get_template(template).render(**context)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["count"] = count
    environment.filters["took"] = took
    environment.filters["shape"] = shape
    return environment


@cache
def _inlined(*names: str) -> Inlined:
    # A policy's hash is of exactly what stands between the tags.
    text = "".join((_HERE / name).read_text("utf-8") for name in names)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Inlined(text, f"'sha256-{digest}'")


def _shown(value: object) -> object:
    # Escaping leaves controls as they are, and some of them turn the text around.
    return visible(value) if type(value) is str else value


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def took(milliseconds: float) -> str:
    """Return a time as people read it: three figures at most, where that is possible."""
    size = abs(milliseconds)
    if size < 9.95:
        return f"{milliseconds:.1f} ms"
    if size < 999.5:
        return f"{milliseconds:.0f} ms"
    if size < 1e8:
        return f"{milliseconds / 1000:.3g} s" if size < 1e6 else f"{milliseconds / 1000:,.0f} s"
    return f"{milliseconds / 1000:.1e} s"


def shape(kind: str) -> str:
    """Return the class of a kind of span: a claim that is none of them gets no style of ours."""
    return kind.lower() if kind in KINDS else "other"

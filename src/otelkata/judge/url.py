"""Take apart the URLs that a submission claims: any text at all may stand there."""

from __future__ import annotations

from urllib.parse import urlsplit


def path_of(url: object) -> str | None:
    """Return the path of a URL or of a request's target; None where it is no URL."""
    try:
        return urlsplit(str(url)).path
    except ValueError:
        return None


def port_of(url: object) -> int | None:
    """Return the port that a URL names; None where it names none or is no URL."""
    try:
        return urlsplit(str(url)).port
    except ValueError:
        return None

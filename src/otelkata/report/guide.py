"""Say where there is more to read about a check, a criterion or a rule."""

import os

ADDRESS = "OTELKATA_DOCS"
"""The environment variable that says where the documentation site is published, if anywhere."""


def command(name: str) -> str:
    """Return the command that prints the page on a check, criterion or rule, offline."""
    return f"kata-grade --explain {name}"


def address(check: str) -> str | None:
    """Return the address of the page on a check; None where no site is published."""
    base = os.environ.get(ADDRESS, "")
    if not base.startswith(("https://", "http://")):
        return None
    return f"{base.rstrip('/')}/checks/{check}/"

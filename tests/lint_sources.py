"""Sources for the tests of the linter's command, and folders made of them."""

from pathlib import Path

LEAK = b"""\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def reserve(stock):
    span = tracer.start_span("reserve")
    stock.pop()
"""
"""One finding: OTK101 at line 7, column 12."""

CLEAN = b"""\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def reserve(stock):
    with tracer.start_as_current_span("reserve"):
        stock.pop()
"""


def put(path: Path, content: str | bytes) -> Path:
    """Write one file, and the folders that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def tree(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write `files` by path below `folder`; return it."""
    for name, content in files.items():
        put(folder / name, content)
    return folder

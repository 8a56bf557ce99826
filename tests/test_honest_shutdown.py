"""Every `shutdown_tracer` that the repository shows as right tells whether all was exported."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from docs_blocks import ROOT, apply, blocks
from planted import REFERENCE, unmeasured

from otelkata.cli.new import copy
from otelkata.report import lesson

PATIENCE = 100
"""Longest time, in seconds, that one shutdown may take, so that one that hangs fails its test."""

OF_THE_LESSON = """

def init_tracer(name, version, *, exporter):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(WatchedBatchProcessor(exporter))
    return provider
"""
SHUT_DOWN = """
import sys
import threading
from checkout import init_tracer, shutdown_tracer
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

def fail(*_):
    return SpanExportResult.FAILURE

def crash(*_):
    raise OSError("no route to the collector")

def hang(*_):
    threading.Event().wait()

exporter = InMemorySpanExporter()
if sys.argv[1] != "works":
    exporter.export = globals()[sys.argv[1]]
provider = init_tracer("shop", "1", exporter=exporter)
provider.get_tracer("test").start_span("pending").end()
print(shutdown_tracer(provider, 0.1 if sys.argv[1] == "hang" else 60))
"""


def of_the_lesson(folder: Path) -> Path:
    (folder / "checkout.py").write_text(lesson.load()["C7"].right + OF_THE_LESSON, "utf-8")
    return folder


def of_the_walk(folder: Path) -> Path:
    copy(folder / "my-checkout")
    for block in blocks(ROOT / "docs" / "walkthrough.md"):
        apply(block, folder)
    return folder / "my-checkout"


def of_the_reference(_folder: Path) -> Path:
    return REFERENCE


@pytest.mark.parametrize("source", [of_the_lesson, of_the_walk, of_the_reference])
@pytest.mark.parametrize(
    ("export", "exported"), [("works", True), ("fail", False), ("crash", False), ("hang", False)]
)
def test_true_means_that_everything_was_exported(
    source: Callable[[Path], Path], export: str, exported: bool, tmp_path: Path
) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", SHUT_DOWN, export],
        cwd=source(tmp_path),
        env=unmeasured(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert finished.stdout == f"{exported}\n"

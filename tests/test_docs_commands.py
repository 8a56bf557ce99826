"""Every command in the documentation is run as it stands there, or says why not."""

import importlib
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from batches import nothings
from docs_blocks import (
    PAGES,
    ROOT,
    SHELL,
    Block,
    apply,
    assert_printed,
    blocks,
    commands_of_this_python,
    run,
)
from submissions import PATIENCE

from otelkata.cli.new import copy

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are a POSIX shell's")

WALKED = "docs/walkthrough.md"
"""Its commands are run by a test of its own."""

BLOCKS = [block for page in PAGES for block in blocks(page)]
COMMANDS = [block for block in BLOCKS if block.language in SHELL]
STOCK = """\
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def reserve(stock: dict[str, int], sku: str) -> str | None:
    span = tracer.start_span("reserve")
    if sku not in stock:
        return None
    stock[sku] -= 1
    span.end()
    return sku
"""


def prepare(folder: Path, page: str) -> None:
    """Lay out what the pages speak of, as small as can be: submissions that hold nothing."""
    nothings(folder / "submissions", 2)
    (folder / "grade" / "student").mkdir(parents=True)
    (folder / "src" / "shop").mkdir(parents=True)
    (folder / "src" / "shop" / "stock.py").write_text(STOCK)
    if not any("kata-new my-checkout" in block.code for block in blocks(ROOT / page)):
        (folder / "my-checkout").mkdir()


@pytest.mark.parametrize("page", sorted({b.page for b in COMMANDS if b.runs} - {WALKED}))
def test_commands_do_what_the_page_says(page: str, tmp_path: Path) -> None:
    prepare(tmp_path, page)
    printed = ""
    for block in blocks(ROOT / page):
        if block.language in SHELL and block.runs:
            printed = run(block, tmp_path)
        elif "output" in block.marks:
            assert_printed(block, printed)


def named(block: Block) -> str:
    return f"{block.page}:{block.line}"


@pytest.mark.parametrize("block", COMMANDS, ids=named)
def test_every_command_is_run_or_says_why_not(block: Block) -> None:
    reason = block.marks.get("not run", "")
    assert block.runs != bool(reason), (
        f"{named(block)}: write <!-- run --> above it, or <!-- not run: why -->"
    )


NOT_RUN = {
    "KATA.md": 3,
    "README.md": 2,
    "docs/batch.md": 3,
    "docs/index.md": 2,
    "docs/lint.md": 1,
    "docs/loop.md": 2,
    "docs/serve.md": 2,
    "docs/systems.md": 1,
}
"""How many blocks of a page no test runs as they stand: one more is seen in review."""


def test_what_is_not_run_is_known() -> None:
    assert Counter(block.page for block in COMMANDS if not block.runs) == NOT_RUN


BEGINS = re.compile(r"^ *(?:\$ )?(?:kata-\w+|pytest|python3?|pip|tox|docker) [\w./-]", re.MULTILINE)


@pytest.mark.parametrize("block", [b for b in BLOCKS if not b.language], ids=named)
def test_no_command_hides_in_a_block_of_no_language(block: Block) -> None:
    assert not BEGINS.search(block.code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_hides_in_an_indented_block(page: Path) -> None:
    assert not re.search(r"\n\n {4}(?:kata-\w+|pytest|python3?|pip|docker) ", page.read_text())


SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
MENTION = re.compile(rf"`((?:{'|'.join(SCRIPTS)}) [^`]+)`")
EVERYWHERE = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_options_that_are_mentioned_exist(
    script: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    module, _, function = SCRIPTS[script].partition(":")
    with pytest.raises(SystemExit):
        getattr(importlib.import_module(module), function)(["--help"])
    known = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
    mentioned = {
        option: page.name
        for page in EVERYWHERE
        for said in MENTION.findall(page.read_text("utf-8"))
        if said.split()[0] == script
        for option in re.findall(r"(?<=\s)--[\w-]+", said)
    }
    assert {option: page for option, page in mentioned.items() if option not in known} == {}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_the_services_of_the_exercise_answer_in_terminals_of_their_own(tmp_path: Path) -> None:
    copy(tmp_path)
    page = blocks(ROOT / "KATA.md")
    for block in page:
        apply(block, tmp_path)
    [stock] = [block for block in page if "stock.db" in block.code and block.runs]
    run(stock, tmp_path)
    [script] = [block.code for block in page if "uvicorn processor" in block.code]
    ports = {port: str(free_port()) for port in re.findall(r"--port (\d+)", script)}
    for port, free in ports.items():
        script = script.replace(port, free)
    *services, order = [part for part in re.split(r"(?<!\\)\n", script) if part]
    variables = {
        **commands_of_this_python(),
        **{
            name: f"http://127.0.0.1:{ports[port]}"
            for name, port in (
                ("INVENTORY_URL", "8001"),
                ("PAYMENT_URL", "8002"),
                ("PROCESSOR_URL", "8003"),
            )
        },
    }
    running = [
        # Of a session of its own, in which an interrupt is not ignored.
        subprocess.Popen(
            ["bash", "-c", f"exec {service}"],
            cwd=tmp_path,
            env=variables,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for service in services
    ]
    try:
        for process in running:
            assert process.stderr is not None
            assert any("Uvicorn running on" in line for line in process.stderr)
        answer = subprocess.run(
            ["bash", "-c", f"{order} --silent --show-error"],
            env=variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert '"total_cents":900' in answer.stdout

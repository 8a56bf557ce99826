"""`kata-serve`: real processes, real requests, and what becomes of their spans."""

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import planted
import pytest
from serving import PATIENCE, Session, command, other_collector, serving, surroundings
from submissions import GATEWAY_HANDLER, IMPORT, INIT_TRACER, SHUTDOWN, broken

from otelkata.serve.faults import SLOW_SECONDS

FAILING = planted.REFERENCE.parent / "fixtures" / "failing"
WHOLE = [
    "gateway SERVER POST /checkout 200 [stock reserved] [order placed]",
    "├─ gateway CLIENT POST /reservations 200",
    "│  └─ inventory SERVER POST /reservations 200",
    "│     ├─ inventory CLIENT SELECT",
    "│     └─ inventory CLIENT UPDATE",
    "└─ gateway CLIENT POST /payments 200",
    "   └─ payment SERVER POST /payments 200",
    "      └─ payment CLIENT POST /authorizations 200",
]


def spans(drawn: str) -> list[str]:
    """Return the lines of spans, without the times."""
    lines = drawn.splitlines()[1:]
    return [re.split(r"  +\d", line.removeprefix("  "))[0] for line in lines if " ms" in line]


def plant(name: str, tmp_path: Path) -> Path:
    """Return the reference solution with one of the faults of fixtures/failing."""
    return planted.plant(planted.read(FAILING / f"{name}.toml"), tmp_path)


def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        command(*arguments),
        env=surroundings(**variables),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def reference() -> Iterator[Session]:
    with serving(planted.REFERENCE) as session:
        yield session


def test_the_command_that_is_printed_places_a_checkout_that_is_drawn(reference: Session) -> None:
    told = reference.wait_for(r"curl -i (?:.|\n)*?}'\n")[0]
    _, _, address, _, header, _, body = shlex.split(told.replace("\\\n", ""))
    assert address == f"http://{reference.address}/checkout"
    name, _, value = header.partition(": ")
    status, answer = reference.ask("POST", "/checkout", json.loads(body), {name: value})
    assert (status, answer["total_cents"]) == (200, 2500)
    drawn = reference.drawn(1)
    assert "8 spans in 1 trace" in drawn
    assert spans(drawn) == WHOLE
    assert "✗" not in drawn


def test_faults_are_switched_on_and_off(reference: Session) -> None:
    reference.switch(slow_query=True)
    assert reference.check_out() == 200
    reserved = re.search(r"CLIENT POST /reservations 200 +([\d.]+) ms", reference.drawn(1))
    assert reserved
    # However busy the machine is: the lock is taken after that began, and let go of before it ends.
    # The tenth is for clocks that differ.
    assert float(reserved[1]) > 900 * SLOW_SECONDS
    reference.switch(slow_query=False, card_declined=True)
    assert reference.check_out() == 402
    assert "payment CLIENT POST /authorizations 402 ERROR" in reference.drawn(2)
    reference.switch(card_declined=False, processor_down=True)
    assert reference.check_out() == 502
    drawn = reference.drawn(3)
    assert "payment CLIENT POST /authorizations ERROR [exception]" in drawn
    assert "✗" not in drawn
    reference.switch(processor_down=False)
    assert reference.check_out() == 200
    assert spans(reference.drawn(4)) == WHOLE
    assert reference.check_out(sku="sold-out", quantity=1) == 409
    assert reference.check_out(sku="nothing-like-it") == 404
    assert reference.check_out(quantity=0) == 422


def test_a_processor_that_is_down_refuses_connections(reference: Session) -> None:
    """Also those that were open before: what the page tells of the wire says so."""
    assert reference.check_out() == 200
    reference.switch(processor_down=True)
    assert reference.check_out() == 502
    reference.drawn(2)
    _, news = reference.ask("GET", "/kata-serve/news?-1")
    assert "connection refused" in news["requests"][0]["html"]


FAILING_PROCESSOR = """
import sys
from otelkata.cli.serve import main
from otelkata.serve import services

async def fail(*_):
    raise RuntimeError("no such luck")

services.process_card = fail
sys.exit(main())
"""


def test_a_failure_of_its_own_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    planted_command = [sys.executable, "-c", FAILING_PROCESSOR]
    monkeypatch.setattr("serving.command", lambda *said: [*planted_command, *map(str, said)])
    with serving(planted.REFERENCE) as session:
        session.check_out()
        told = session.wait_for("kata-serve failed to answer a request; (.*)")[1]
        assert session.interrupt() == 0
    assert told.startswith("the submission is not to blame: RuntimeError('no such luck')")


def test_a_broken_trace_is_drawn_in_its_pieces(tmp_path: Path) -> None:
    with serving(plant("inventory_ignores_traceparent", tmp_path)) as session:
        session.check_out()
        drawn = session.drawn(1)
    assert "8 spans in 2 traces" in drawn
    assert "✗ inventory SERVER POST /reservations 200 (root)" in drawn
    assert "inventory's SERVER span of POST /reservations is not under its caller's" in drawn


def test_requests_that_are_alike_are_kept_apart(tmp_path: Path) -> None:
    """At the same time, and with nothing on the wire between services that tells them apart."""
    with serving(plant("no_inject_towards_payment", tmp_path)) as session:
        with ThreadPoolExecutor(8) as pool:
            cards = [f"42424242424242{number}" for number in range(10, 26)]
            assert set(pool.map(lambda card: session.check_out(card_number=card), cards)) == {200}
        for number in range(1, len(cards) + 1):
            assert "8 spans in 2 traces" in session.drawn(number)


def test_a_span_that_never_ends_is_told_with_its_place(tmp_path: Path) -> None:
    with serving(plant("inventory_span_is_never_ended", tmp_path)) as session:
        session.check_out()
        drawn = session.drawn(1)
    assert re.search(
        r"✗ inventory's INTERNAL span 'validate' \(checkout/inventory.py:\d+\) has been started, "
        "and has not ended",
        drawn,
    )


def test_without_any_tracing_that_is_what_is_told() -> None:
    with serving(planted.REFERENCE.parent / "fixtures" / "starter") as session:
        assert session.check_out() == 200
        assert "0 spans in 0 traces" in (drawn := session.drawn(1))
        assert "no span arrived" in drawn


CLOSING = """
import os
keys = [name for name in os.environ if "HEADERS" in name]
with provider.get_tracer("test").start_as_current_span("closing") as span:
    span.set_attribute("keys", " ".join(keys))
"""


def test_ctrl_c_flushes_all_spans_to_the_other_collector_as_well(tmp_path: Path) -> None:
    """Some are made during the shutdown itself, so that nothing before can have flushed them."""
    submission, _ = broken(tmp_path / "submission", SHUTDOWN, CLOSING)
    with (
        other_collector() as collector,
        serving(
            submission,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.address,
            OTEL_EXPORTER_OTLP_HEADERS="x-key=secret",
            OTEL_BSP_SCHEDULE_DELAY="600000",
        ) as session,
    ):
        assert session.check_out() == 200
        assert session.interrupt() == 0
        assert set(collector.paths) == {"/v1/traces"}
        assert collector.keys == {"secret"}
        ended = {(service, "closing") for service in ("gateway", "inventory", "payment")}
        assert ended <= collector.names
        assert ("payment", "POST /authorizations") in collector.names
        assert len(collector.spans) == 8 + 3
        told = {a["keys"] for _, name, a in collector.spans if name == "closing"}
        assert told == {""}, "the submission was told the key"
    assert "1 request, 11 spans" in session.text
    assert "passed on to" in session.text
    assert session.text.count("outside of any request") == 3
    assert "Traceback" not in session.text


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    submission, _ = broken(tmp_path / "submission", SHUTDOWN, "await asyncio.sleep(600)")
    with serving(submission) as session:
        session.process.send_signal(signal.SIGINT)
        session.wait_for("ending")
        assert session.interrupt() == 130
    assert "Traceback" not in session.text


@pytest.mark.parametrize("answers", [True, False])
def test_a_collector_that_takes_nothing_is_told_of_once(*, answers: bool, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody, other_collector(503) as collector:
        port = nobody.getsockname()[1]
        nobody.close()
        address = collector.address if answers else f"http://127.0.0.1:{port}"
        with serving(planted.REFERENCE, OTEL_EXPORTER_OTLP_ENDPOINT=address) as session:
            for number in (1, 2):
                assert session.check_out() == 200
                session.drawn(number)
            assert session.interrupt() == 0
    assert session.text.count("traces do not reach") == 1
    assert re.search(r"✗ \d+ exports did not get there", session.text)


def test_the_submission_that_is_sampled_by_the_environment() -> None:
    with serving(planted.REFERENCE, OTEL_TRACES_SAMPLER="always_off") as session:
        assert session.check_out() == 200
        assert "0 spans in 0 traces" in session.drawn(1)


def test_a_process_that_ends_by_itself_ends_the_session(tmp_path: Path) -> None:
    submission, line = broken(tmp_path / "submission", GATEWAY_HANDLER, "import os; os._exit(3)")
    with serving(submission) as session:
        assert session.check_out() == 502
        assert session.rest() == 1
    assert "os._exit(3) ended the process" in session.text
    assert f"checkout/gateway.py:{line}" in session.text


@pytest.mark.parametrize(
    ("spot", "code", "words"),
    [
        (IMPORT, "import no_such_module", "No module named 'no_such_module'"),
        (INIT_TRACER, "raise RuntimeError('not today')", "RuntimeError: not today"),
    ],
)
def test_a_submission_that_does_not_start_is_explained(
    spot: object, code: str, words: str, tmp_path: Path
) -> None:
    submission, line = broken(tmp_path / "submission", spot, code)  # type: ignore[arg-type]
    ended = run(submission, "--port", 0)
    assert ended.returncode == 1
    assert words in ended.stdout
    assert f"{spot.file}:{line}" in ended.stdout  # type: ignore[attr-defined]
    assert "fix" in ended.stdout
    assert ended.stderr == ""


def test_a_directory_without_checkout_is_explained(tmp_path: Path) -> None:
    ended = run(tmp_path, "--port", 0)
    assert ended.returncode == 1
    assert "this folder is empty" in ended.stdout


def test_wrong_usage_is_told_at_once(tmp_path: Path) -> None:
    (file := tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        usages: list[tuple[list[object], dict[str, str], str]] = [
            ([tmp_path / "none"], {}, "there is nothing of that name"),
            ([file], {}, "is no directory"),
            ([tmp_path, "--port", "65536"], {}, "no port from 0 to 65535"),
            ([tmp_path, "--port", port], {}, "name another one"),
            ([tmp_path, "--python", tmp_path / "none"], {}, "cannot be run"),
            ([tmp_path], {"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost"}, "is no address"),
        ]
        for arguments, variables, words in usages:
            ended = run(*arguments, **variables)
            assert (ended.returncode, ended.stdout) == (2, "")
            assert words in ended.stderr
            assert "Traceback" not in ended.stderr


def test_processor_time_is_not_limited_by_the_hour(tmp_path: Path) -> None:
    code = """
    import resource
    seconds, _ = resource.getrlimit(resource.RLIMIT_CPU)
    trace.get_current_span().add_event(f"limit {seconds}")
    """
    submission, _ = broken(tmp_path / "submission", GATEWAY_HANDLER, code)
    with serving(submission) as session:
        assert session.check_out() == 200
        assert "[limit -1]" in session.drawn(1)


HOSTILE = """
trace.get_current_span().add_event("<img src=x onerror=alert(1)>\\x1b[31m\\u202e")
"""


def test_what_a_submission_says_stays_text(tmp_path: Path) -> None:
    submission, _ = broken(tmp_path / "submission", GATEWAY_HANDLER, HOSTILE)
    with serving(submission) as session:
        session.check_out()
        drawn = session.drawn(1)
        _, news = session.ask("GET", "/kata-serve/news?-0")
    assert r"<img src=x onerror=alert(1)>\x1b[31m\u202e" in drawn
    html = news["requests"][0]["html"]
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<img" not in html
    assert "\x1b" not in html + drawn


def test_the_page_is_for_its_own_address_alone(reference: Session) -> None:
    """A page of somebody else in the same browser can send requests here, and must not."""
    fault = {"card_declined": True}
    foreign = {"Origin": "http://example.com"}
    assert reference.ask("POST", "/kata-serve/faults", fault, foreign)[0] == 403
    assert reference.ask("GET", "/", headers={"Host": "example.com"})[0] == 403
    own = {"Origin": f"http://{reference.address}"}
    assert reference.ask("POST", "/kata-serve/faults", {"processor_down": False}, own)[0] == 200
    assert reference.check_out() == 200


def test_a_fault_that_there_is_not_is_told_which_there_are(reference: Session) -> None:
    _, answer = reference.ask("POST", "/kata-serve/faults", b'{"slow": true}')
    known = "slow_query, card_declined, processor_down"
    assert answer["error"] == f"there is no fault 'slow'; there are {known}"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"flood": true}', b'{"slow_query": 1}'])
def test_a_switch_that_there_is_not_changes_nothing(body: bytes, reference: Session) -> None:
    status, answer = reference.ask("POST", "/kata-serve/faults", body)
    assert status == 422
    assert answer["error"]
    assert set(reference.ask("GET", "/kata-serve/news?-0")[1]["faults"].values()) == {False}


def test_the_page_needs_nothing_from_elsewhere(reference: Session) -> None:
    status, page = reference.ask("GET", "/")
    assert status == 200
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']*""", page)
    assert f"curl -i http://{reference.address}/checkout" in page

"""Run `kata-serve` as a user does, in a process of its own, and look at what it prints."""

import gzip
import http.client
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelkata.serve.door import ORDER

PATIENCE = 60
"""Longest time, in seconds, that anything may take, so that what hangs fails its test."""


class Session:
    """A command that serves, the lines that it has printed, and its address once that is told."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.text = ""
        self.address = ""
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._seen = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def open(self) -> None:
        """Wait until it serves, and note where."""
        self.address = self.wait_for(r"page +http://(\S+)")[1]

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        self.process.kill()
        self._reader.join(PATIENCE)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the next place in what is printed that `pattern` fits."""
        while (found := re.compile(pattern, re.MULTILINE).search(self.text, self._seen)) is None:
            line = self._lines.get(timeout=PATIENCE)
            assert line is not None, f"{pattern} was not printed:\n{self.text}"
            self.text += line
        self._seen = found.end()
        return found

    def drawn(self, number: int) -> str:
        """Return what was drawn of a request."""
        begin = self.wait_for(rf"^#{number}  ").start()
        end = self.wait_for(r"\n\n").start()
        return self.text[begin:end]

    def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Send a request; return status and body of the answer, read as JSON where it is that."""
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        try:
            sent = body if isinstance(body, bytes | None) else json.dumps(body)
            connection.request(method, path, sent, dict(headers or {}))
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        is_json = answer.getheader("Content-Type") == "application/json"
        return answer.status, json.loads(text) if is_json else text

    def check_out(self, **changes: object) -> int:
        """Place a checkout; return the status of the answer."""
        return self.ask("POST", "/checkout", ORDER | changes)[0]

    def switch(self, **faults: bool) -> None:
        """Switch faults on or off."""
        status, _ = self.ask("POST", "/kata-serve/faults", faults)
        assert status == 200

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.rest()

    def rest(self) -> int:
        """Return the exit code, and have all that was printed in `text`."""
        self._reader.join(PATIENCE)
        while (line := self._lines.get(timeout=PATIENCE)) is not None:
            self.text += line
        return self.process.wait(PATIENCE)

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._lines.put(line)
        self._lines.put(None)


def command(*arguments: object) -> list[str]:
    """Return the command line that serves."""
    return [sys.executable, "-m", "otelkata.cli.serve", *map(str, arguments)]


def surroundings(**variables: str) -> dict[str, str]:
    """Return an environment without OpenTelemetry's variables but these, 140 columns wide."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return {**kept, "COLUMNS": "140", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", **variables}


@contextmanager
def serving(submission: Path, **variables: str) -> Iterator[Session]:
    """Serve `submission` at any port, with these environment variables."""
    with subprocess.Popen(
        command(submission, "--port", 0),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=surroundings(**variables),
        text=True,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        session = Session(process)
        try:
            session.open()
            yield session
        finally:
            session.kill()


class OtherCollector(ThreadingHTTPServer):
    """A collector as others are: what spans it got, and with which headers."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.status = status
        self.paths: list[str] = []
        self.keys: set[str | None] = set()
        self.spans: list[tuple[str, str, dict[str, str]]] = []
        """Service, name and attributes that are texts."""

    @property
    def address(self) -> str:
        """Return what OTEL_EXPORTER_OTLP_ENDPOINT is to be."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def names(self) -> set[tuple[str, str]]:
        """Return services and names of spans."""
        return {(service, name) for service, name, _ in self.spans}


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, OtherCollector)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        server.paths.append(self.path)
        server.keys.add(self.headers["x-key"])
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = {a.key: a.value.string_value for a in resource_spans.resource.attributes}
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    texts = {a.key: a.value.string_value for a in span.attributes}
                    server.spans.append((resource["service.name"], span.name, texts))
        self.send_response(server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def other_collector(status: int = 200) -> Iterator[OtherCollector]:
    """Run a collector that answers `status`."""
    with OtherCollector(status) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

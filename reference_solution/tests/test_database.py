"""The span that covers a query."""

import asyncio
import json
import sqlite3
from pathlib import Path
from unittest.mock import patch

import pytest
from asgi_call import Call
from checkout import create_inventory
from checkout.database import TracedDatabase
from opentelemetry.test.test_base import TestBase
from opentelemetry.trace import SpanKind, StatusCode
from span_reading import exceptions
from stock import locked, quantity_left, stock

SELECT = "SELECT quantity FROM stock WHERE sku = :sku"
UPDATE = "UPDATE stock SET quantity = 1 WHERE sku = :sku"

# A query, the rows it returns, and how many it changes (-1: it is no change).
QUERIES = [
    (SELECT, {"sku": "chair"}, [(5,)], -1),
    (SELECT, {"sku": "table"}, [], -1),
    (UPDATE, {"sku": "chair"}, [], 1),
    (UPDATE, {"sku": "table"}, [], 0),
]

# A query that fails, and how.
FAILURES = [
    ("SELECT * FROM nothing", "sqlite3.OperationalError"),
    ("SELEC", "sqlite3.OperationalError"),
    (SELECT, "sqlite3.ProgrammingError"),  # without its parameter
    ("INSERT INTO stock VALUES ('chair', 1, 1)", "sqlite3.IntegrityError"),
]

# The body of a reservation, the answer, and what the queries were.
RESERVATIONS = [
    ({"sku": "chair", "quantity": 5}, 200, ["SELECT", "UPDATE"]),
    ({"sku": "chair", "quantity": 6}, 409, ["SELECT", "UPDATE"]),
    ({"sku": "table", "quantity": 1}, 404, ["SELECT"]),
    ({"sku": "chair", "quantity": 0}, 422, []),
    ({"sku": "chair", "quantity": True}, 422, []),
    ({"sku": "chair", "quantity": 10**30}, 422, []),
    ({"sku": "chair"}, 422, []),
]


class TestDatabase(TestBase):
    def database(self, path: str) -> TracedDatabase:
        return TracedDatabase(path, self.tracer_provider.get_tracer("test"))

    def spans(self):
        spans = self.memory_exporter.get_finished_spans()
        self.memory_exporter.clear()
        return spans

    def assert_failed(self, span, error: str) -> None:
        assert span.status.status_code is StatusCode.ERROR
        assert exceptions(span) == [error]
        assert span.attributes["error.type"] == error.rsplit(".", maxsplit=1)[-1]

    def test_a_query_shows_its_text_and_no_values(self):
        for query, parameters, rows, changed in QUERIES:
            with self.subTest(query, **parameters), stock(5) as path:
                result = asyncio.run(self.database(path).run(query, parameters))
                assert (result.rows, result.changed) == (rows, changed)
                (span,) = self.spans()
                assert span.kind is SpanKind.CLIENT
                assert span.status.status_code is StatusCode.UNSET
                assert span.name == query.partition(" ")[0]
                assert dict(span.attributes) == {
                    "db.system.name": "sqlite",
                    "db.operation.name": query.partition(" ")[0],
                    "db.query.text": query,
                }

    def test_a_query_is_part_of_the_trace_although_it_runs_in_a_thread(self):
        tracer = self.tracer_provider.get_tracer("test")
        with stock(5) as path, tracer.start_as_current_span("request") as request:
            asyncio.run(self.database(path).run(SELECT, {"sku": "chair"}))
        assert self.spans()[0].parent == request.get_span_context()

    def test_a_failed_query_shows_its_exception_once(self):
        for query, error in FAILURES:
            with self.subTest(query), stock(5) as path:
                with pytest.raises(sqlite3.Error):
                    asyncio.run(self.database(path).run(query, {}))
                (span,) = self.spans()
                self.assert_failed(span, error)

    def test_a_missing_file_is_a_failure_and_stays_missing(self):
        with stock(5) as path:
            missing = Path(path).with_name("missing.db")
            with pytest.raises(sqlite3.OperationalError):
                asyncio.run(self.database(str(missing)).run(SELECT, {"sku": "chair"}))
            assert not missing.exists()
        (span,) = self.spans()
        self.assert_failed(span, "sqlite3.OperationalError")

    def test_a_lock_that_is_not_released_is_a_failure(self):
        with (
            patch("checkout.database.LOCK_WAIT_SECONDS", 0.0),
            stock(5) as path,
            locked(path),
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            asyncio.run(self.database(path).run(SELECT, {"sku": "chair"}))
        (span,) = self.spans()
        self.assert_failed(span, "sqlite3.OperationalError")

    def reserve(self, path: str, *bodies: object) -> list[int]:
        """Make reservations all at once."""

        async def at_once() -> list[int]:
            app = create_inventory(self.tracer_provider, database=path)
            calls = [Call(path="/reservations", body=json.dumps(body).encode()) for body in bodies]
            await asyncio.gather(*[call.run(app) for call in calls])
            return [call.status for call in calls]

        return asyncio.run(at_once())

    def test_a_reservation_has_a_span_for_each_query(self):
        for body, status, queries in RESERVATIONS:
            with self.subTest(body), stock(5) as path:
                assert self.reserve(path, body) == [status]
                *spans, server = self.spans()
                assert [span.name for span in spans] == queries
                assert {span.parent.span_id for span in spans} <= {server.context.span_id}
                assert server.status.status_code is StatusCode.UNSET
                assert quantity_left(path) == (0 if status == 200 else 5)

    def test_a_failing_database_is_an_error_of_the_request_recorded_where_it_happened(self):
        with stock(5) as path:
            Path(path).write_bytes(b"no database at all, but longer than its header is" * 9)
            assert self.reserve(path, {"sku": "chair", "quantity": 1}) == [500]
        query, server = self.spans()
        self.assert_failed(query, "sqlite3.DatabaseError")
        assert server.status.status_code is StatusCode.ERROR
        assert exceptions(server) == []

    def test_nothing_is_sold_twice(self):
        with stock(5) as path:
            statuses = self.reserve(path, *[{"sku": "chair", "quantity": 1}] * 20)
            assert sorted(statuses) == [200] * 5 + [409] * 15
            assert quantity_left(path) == 0

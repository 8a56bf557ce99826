"""Trace each query to SQLite (B2)."""

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.semconv.attributes.db_attributes import (
    DB_OPERATION_NAME,
    DB_QUERY_TEXT,
    DB_SYSTEM_NAME,
)
from opentelemetry.trace import Tracer

from checkout.client_span import client_span

LOCK_WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Result:
    """The rows that a query returned, and how many it changed."""

    rows: list[tuple[int, ...]]
    changed: int


class TracedDatabase:
    """Wrap the driver, so that no query of the service runs without its CLIENT span.

    Each query is a transaction of its own.
    """

    def __init__(self, path: str, tracer: Tracer) -> None:
        # mode=rw: a missing file is an error, and not a new empty database.
        self._uri = Path(path).absolute().as_uri() + "?mode=rw"
        self._tracer = tracer

    async def run(self, query: str, parameters: Mapping[str, str | int]) -> Result:
        """Run one query; its failure, a `sqlite3.Error`, is recorded on the span.

        The text of the query is exported: pass values as `parameters`, never inside the text.
        """
        operation = query.split(maxsplit=1)[0]
        attributes = {
            DB_SYSTEM_NAME: "sqlite",
            DB_OPERATION_NAME: operation,
            DB_QUERY_TEXT: query,
        }
        # Around the thread and not in it, so that the span shows the wait for a free thread as
        # well.
        with client_span(self._tracer, operation, attributes):
            return await asyncio.to_thread(self._run, query, parameters)

    def _run(self, query: str, parameters: Mapping[str, str | int]) -> Result:
        """Block until the query is done, at most `LOCK_WAIT_SECONDS` behind another's lock."""
        with closing(
            sqlite3.connect(self._uri, uri=True, timeout=LOCK_WAIT_SECONDS, isolation_level=None)
        ) as connection:
            cursor = connection.execute(query, parameters)
            return Result(cursor.fetchall(), cursor.rowcount)

"""Start spans of the wrong kind."""

from collections.abc import Iterator

import libcst as cst

from benchmarks.mutants.mutation import Edit, operator
from benchmarks.mutants.spans import is_database
from benchmarks.mutants.submission import Source, Submission
from benchmarks.mutants.syntax import last_name


def _kinds(
    submission: Submission, kind: str, *, database: bool
) -> Iterator[tuple[Source, cst.Attribute]]:
    """Yield the arguments that are this kind of span."""
    for source in submission:
        for arg in source.all(cst.Arg):
            call, value = source.parents[arg], arg.value
            if (
                isinstance(value, cst.Attribute)
                and last_name(value.value) == "SpanKind"
                and value.attr.value == kind
                and isinstance(call, cst.Call)
                and is_database(source, call) is database
            ):
                yield source, value


def _become(
    submission: Submission, old: str, new: str, *, database: bool = False
) -> Iterator[Edit]:
    for source, value in _kinds(submission, old, database=database):
        yield Edit(source, value).swap(value, value.with_changes(attr=cst.Name(new)))


@operator("F2", "F2: 'each request that a service answered has its SERVER span (kind, …)'")
def server_kind_internal(submission: Submission) -> Iterator[Edit]:
    """The span of an incoming request is of kind INTERNAL."""
    yield from _become(submission, "SERVER", "INTERNAL")


@operator("F2", "F2: 'each request that a service answered has its SERVER span (kind, …)'")
def server_kind_consumer(submission: Submission) -> Iterator[Edit]:
    """The span of an incoming request is of kind CONSUMER, as for a message."""
    yield from _become(submission, "SERVER", "CONSUMER")


@operator("F3", "F3: 'each request that left a service has its own CLIENT span'")
def client_kind_internal(submission: Submission) -> Iterator[Edit]:
    """The span of an outgoing request is of kind INTERNAL."""
    yield from _become(submission, "CLIENT", "INTERNAL")


@operator("F3", "F3: 'each request that left a service has its own CLIENT span'")
def client_kind_server(submission: Submission) -> Iterator[Edit]:
    """The span of an outgoing request is of kind SERVER."""
    yield from _become(submission, "CLIENT", "SERVER")


@operator(
    "B2", "B2 (contract, database): 'each query of inventory: a CLIENT span under its SERVER span'"
)
def database_kind_internal(submission: Submission) -> Iterator[Edit]:
    """The span of a query is of kind INTERNAL."""
    yield from _become(submission, "CLIENT", "INTERNAL", database=True)

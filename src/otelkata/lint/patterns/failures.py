"""Where exceptions are caught, which, and what was at work when they were raised."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted


class Kind(IntEnum):
    """What catching an exception means, from the least to the gravest."""

    EXPECTED = 0
    """Control flow: the end of an iteration, a missing key, a cancellation."""
    SIGNAL = 1
    """An exception of the project whose name does not say that it is an error."""
    INPUT = 2
    """A value that is not as it should be."""
    OWN = 3
    """An error of the project: only its authors know what it means."""
    OPERATION = 4
    """Something that was asked for and did not work: a call, a query, a file."""
    ANY = 5


@dataclass(frozen=True, slots=True)
class Caught:
    """One place that catches exceptions: a handler, or a `with suppress(...)`.

    `node` is the handler or the call of `suppress`, `whole` the statement, `work` the block whose
    exceptions are caught, `body` what is done about them (None in `suppress`).
    """

    node: cst.ExceptHandler | cst.Call
    whole: cst.Try | cst.With
    work: cst.BaseSuite
    body: cst.BaseSuite | None
    name: str | None
    kind: Kind


_EXPECTED = re.compile(
    r"(StopIteration|StopAsyncIteration|KeyError|IndexError|LookupError|AttributeError|ImportError"
    r"|ModuleNotFoundError|FileNotFoundError|FileExistsError|NotADirectoryError|GeneratorExit"
    r"|CancelledError|KeyboardInterrupt|SystemExit|BrokenPipeError|ProcessLookupError|EOFError"
    r"|NotImplementedError|NameError|Empty|Full|QueueEmpty|QueueFull|InvalidStateError"
    r"|HTTPException|\w*Disconnect\w*|\w*NotFound\w*|\w*DoesNotExist|\w*NoResult\w*|NoSuch\w*"
    r"|\w*Cancel\w*|\w*AlreadyExists\w*|\w*Closed\w*|\w*Warning|EndOfStream)"
)
_INPUT = re.compile(
    r"(ValueError|TypeError|UnicodeError|Unicode\w+Error|ArithmeticError|ZeroDivisionError"
    r"|OverflowError|RecursionError|AssertionError|SyntaxError|IntegrityError|\w*Validation\w*"
    r"|\w*Decode\w*|\w*Encod\w*|\w*Pars\w+|\w*Invalid\w*|UniqueViolation\w*|NotSupportedError)"
)
_DRIVERS = re.compile(
    r"aiohttp|aiokafka|aiomysql|aiosqlite|anthropic|asyncpg|boto3|botocore|cassandra|elasticsearch"
    r"|grpc|h11|http|httpcore|httpx|kafka|MySQLdb|mysql|openai|pika|psycopg2?|pymemcache|pymongo"
    r"|pymysql|redis|requests|smtplib|socket|sqlalchemy|sqlite3|ssl|subprocess|urllib3?|websockets"
)
"""Packages whose calls leave the process."""


def catches(module: Module) -> Iterator[Caught]:
    """Yield the handlers and the uses of `suppress` in a file."""
    for handler in module.index.handlers:
        yield caught_by(module, handler)
    for call in module.index.calls:
        if (module.origin(call.func) or "") == "contextlib.suppress":
            item = module.parent(call)
            whole = module.parent(item) if isinstance(item, cst.WithItem) else None
            if isinstance(whole, cst.With):
                kind = max((kind_of(module, arg.value) for arg in call.args), default=Kind.EXPECTED)
                yield Caught(call, whole, whole.body, None, None, kind)


def caught_by(module: Module, handler: cst.ExceptHandler) -> Caught:
    """Return what one handler catches."""
    whole = module.parent(handler)
    assert isinstance(whole, cst.Try)
    name = dotted(handler.name.name) if handler.name is not None else None
    kind = kind_of(module, handler.type)
    return Caught(handler, whole, whole.body, handler.body, name, kind)


def kind_of(module: Module, node: cst.BaseExpression | None) -> Kind:
    """Return what it means to catch `node`, the gravest of several."""
    if node is None:
        return Kind.ANY
    if isinstance(node, cst.Tuple):
        kinds = [kind_of(module, element.value) for element in node.elements]
        return max(kinds, default=Kind.EXPECTED)
    name = dotted(node)
    return _kind_of_name(module, node, name.rpartition(".")[2]) if name else Kind.SIGNAL


def _kind_of_name(module: Module, node: cst.BaseExpression, last: str) -> Kind:
    origin = module.origin(node)
    is_builtin = origin is None and not module.scope(node).lookup(dotted(node) or "")
    if is_builtin and last in {"Exception", "BaseException"}:
        return Kind.ANY
    if _EXPECTED.fullmatch(last):
        return Kind.EXPECTED
    if _INPUT.fullmatch(last):
        return Kind.INPUT
    known = getattr(builtins, last, None) if is_builtin else None
    is_os = isinstance(known, type) and issubclass(known, OSError | RuntimeError | MemoryError)
    first = (origin or "").split(".")[0]
    is_timeout = last == "TimeoutError" and first in {"asyncio", "concurrent"}
    if is_os or is_timeout or _DRIVERS.fullmatch(first):
        return Kind.OPERATION
    return Kind.OWN if last.endswith(("Error", "Failure", "Exception")) else Kind.SIGNAL


def is_driver(module: Module, call: cst.Call) -> bool:
    """Tell whether `call` leaves the process by a package that is known for it."""
    return _DRIVERS.fullmatch((module.origin(call.func) or "").split(".")[0]) is not None

"""Where exceptions are caught, which, and what was at work when they were raised."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import libcst as cst

from .module import Module
from .scopes import dotted
from .walk import walk


class Kind(IntEnum):
    """What catching an exception means, from the least to the gravest."""

    EXPECTED = 0
    """Control flow: the end of an iteration, a missing key, a cancellation."""
    INPUT = 1
    """A value that is not as it should be."""
    OWN = 2
    """An exception of the project: only its authors know what it means."""
    OPERATION = 3
    """Something that was asked for and did not work: a call, a query, a file."""
    ANY = 4


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
        whole = module.parent(handler)
        if isinstance(whole, cst.Try):
            name = dotted(handler.name.name) if handler.name is not None else None
            kind = kind_of(module, handler.type)
            yield Caught(handler, whole, whole.body, handler.body, name, kind)
    for call in module.index.calls:
        if (module.origin(call.func) or "") == "contextlib.suppress":
            item = module.parent(call)
            whole = module.parent(item) if isinstance(item, cst.WithItem) else None
            if isinstance(whole, cst.With):
                kind = max((kind_of(module, arg.value) for arg in call.args), default=Kind.EXPECTED)
                yield Caught(call, whole, whole.body, None, None, kind)


def kind_of(module: Module, node: cst.BaseExpression | None) -> Kind:
    """Return what it means to catch `node`, the gravest of several."""
    if node is None:
        return Kind.ANY
    if isinstance(node, cst.Tuple):
        kinds = [kind_of(module, element.value) for element in node.elements]
        return max(kinds, default=Kind.EXPECTED)
    name = dotted(node)
    return _kind_of_name(module, node, name.rpartition(".")[2]) if name else Kind.OWN


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
    return Kind.OPERATION if is_os or is_timeout or _DRIVERS.fullmatch(first) else Kind.OWN


def calls_a_driver(module: Module, calls: list[cst.Call]) -> bool:
    """Tell whether one of `calls` leaves the process by a package that is known for it."""
    return any(_is_driver(module, call) for call in calls)


def _is_driver(module: Module, call: cst.Call) -> bool:
    return _DRIVERS.fullmatch((module.origin(call.func) or "").split(".")[0]) is not None


_CONVERTS = re.compile(
    r"add|append|casefold|copy|decode|deepcopy|dict|dumps|encode|endswith|extend|float|format|get"
    r"|getattr|hasattr|int|isinstance|isoformat|issubclass|items|join|keys|len|list|loads|lower"
    r"|lstrip|max|min|model_dump|model_dump_json|pop|replace|repr|round|rstrip|set|setdefault"
    r"|setattr|sorted|split|startswith|str|strip|sum|super|to_dict|tuple|type|update|upper|values"
    r"|vars"
)
_ACCOMPANIES = re.compile(
    r"debug|error|exception|get_(event|running)_loop|inc|increment|info|is_recording|log|monotonic"
    r"|observe|perf_counter|record|sleep|time|warn|warning"
)
_CLEANS = re.compile(
    r"__a?exit__|aclose|cancel|cleanup|clear|close|delete|detach|disconnect|end|flush|force_flush"
    r"|kill|release|remove|reset|rmtree|rollback|shutdown|stop|terminate|unlink|unsubscribe"
    r"|wait_closed"
)
_FAR = re.compile(
    r"(?i).*(api|cache|client|database|db|gateway|http|pool|producer|queue|redis|repo(sitory)?"
    r"|service|session|stor(e|age))"
)
"""Names of objects whose `get`, `add` and `delete` leave the process."""


def work_in(
    module: Module, body: cst.CSTNode, is_span: frozenset[str | None]
) -> tuple[list[cst.Call], bool]:
    """Return the calls in `body` that may fail for reasons of their own, and whether it has work.

    Calls that describe the work on a span are none, nor are conversions, and the clean-up of what
    was done. A `yield` lets others work.
    """
    calls: list[cst.Call] = []
    described: set[str] = set()
    below_span: set[cst.CSTNode] = set()
    for node in walk(body, into_scopes=False):
        if isinstance(node, cst.Yield):
            return calls, True
        if isinstance(node, cst.Call):
            if _describes(module, node, is_span):
                inner = list(walk(node))
                below_span.update(inner)
                described.update(item.value for item in inner if isinstance(item, cst.Name))
            elif node not in below_span and not _is_aside(module, node):
                calls.append(node)
    work = [call for call in calls if not _prepares(module, call, described)]
    return work, bool(work)


def _is_aside(module: Module, call: cst.Call) -> bool:
    """Tell whether `call` converts, accompanies or cleans up, and is not the work itself."""
    func = call.func
    name = dotted(func) or (func.attr.value if isinstance(func, cst.Attribute) else "")
    receiver, _, last = name.rpartition(".")
    if _ACCOMPANIES.fullmatch(last):
        return True
    if _is_driver(module, call) or _FAR.fullmatch(receiver.rpartition(".")[2]):
        return last in {"aclose", "close", "disconnect", "rollback"}
    if isinstance(module.parent(call), cst.Await):
        return _CLEANS.fullmatch(last) is not None
    return (_CONVERTS.fullmatch(last) or _CLEANS.fullmatch(last)) is not None


def _describes(module: Module, call: cst.Call, is_span: frozenset[str | None]) -> bool:
    """Tell whether `call` is one of a span's methods, or is given a span."""
    values = [arg.value for arg in call.args]
    if isinstance(call.func, cst.Attribute):
        values.append(call.func.value)
    for value in values:
        name = dotted(value)
        if name is not None and (name in is_span or name.rpartition(".")[2].endswith("span")):
            return True
        known = module.known(value)
        if known is not None and known.kind == "Span":
            return True
    return False


def _prepares(module: Module, call: cst.Call, described: set[str]) -> bool:
    """Tell whether the value of `call` only goes to a name that a span is described with."""
    statement = module.statement(call)
    if not isinstance(statement, cst.Assign):
        return False
    names = [dotted(target.target) for target in statement.targets]
    return all(name in described for name in names) and not isinstance(statement.value, cst.Await)

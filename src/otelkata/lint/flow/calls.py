"""What calls do, as far as their names and arguments tell."""

from __future__ import annotations

import re

import libcst as cst

from otelkata.lint.meaning.arguments import text_of
from otelkata.lint.meaning.scopes import dotted

HARMLESS = frozenset(
    {
        "all",
        "any",
        "append",
        "bool",
        "callable",
        "cancel",
        "cast",
        "copy",
        "current_task",
        "current_thread",
        "dict",
        "done",
        "endswith",
        "enumerate",
        "exc_info",
        "frozenset",
        "get_ident",
        "get_native_id",
        "getpid",
        "hasattr",
        "id",
        "isinstance",
        "isoformat",
        "issubclass",
        "items",
        "keys",
        "len",
        "list",
        "lower",
        "model_dump",
        "monotonic",
        "monotonic_ns",
        "now",
        "partial",
        "perf_counter",
        "perf_counter_ns",
        "print",
        "range",
        "repr",
        "set",
        "set_exception",
        "set_result",
        "startswith",
        "str",
        "strip",
        "super",
        "suppress",
        "time_ns",
        "timestamp",
        "tuple",
        "type",
        "upper",
        "utcnow",
        "uuid4",
        "values",
        "zip",
    }
)
LOGGING = frozenset({"critical", "debug", "error", "exception", "info", "log", "warning"})
ITERATES = frozenset({"reversed", "sorted"}) | HARMLESS
_CLIENTS = ("client", "http", "requests", "session")
_MAPPING = re.compile(
    r"(attributes|config|context|data|dict|environ|headers|kwargs|labels|map|mapping|metadata"
    r"|options|params|settings|tags)$"
)
"""How names of dictionaries end."""
SETS = re.compile(r"_*(activate|attach|enter|push|set)(_|$)")
RESETS = re.compile(r"(^|_)(deactivate|detach|pop|reset|restore)(_|$)")
"""Names of functions around a context variable, or around OpenTelemetry's context."""
TELLS = re.compile(r"err(or)?|exc(eption)?|fail(ed|ure)?|fault")


def makes_exception(name: str) -> bool:
    """Tell whether a call makes an exception, which does not raise it."""
    return name[:1].isupper() and name.endswith(("Error", "Exception"))


def is_token(node: cst.BaseExpression) -> bool:
    """Tell whether something is called a token."""
    return (dotted(node) or "").lower().endswith("token")


def last_name(call: cst.Call) -> str:
    """Return the last name of what is called; none, if it has no name."""
    func = call.func
    if isinstance(func, cst.Attribute):
        return func.attr.value
    return func.value if isinstance(func, cst.Name) else ""


def is_lookup(name: str, call: cst.Call) -> bool:
    """Tell whether a call looks into a dictionary with a default, or at the clock."""
    receiver = dotted(call.func.value) if isinstance(call.func, cst.Attribute) else None
    if name == "time":
        return receiver == "time"
    if name == "pop":
        return len(call.args) == 2
    key = text_of(call.args[0].value) if call.args else None
    asks_server = any(word in (receiver or "").lower() for word in _CLIENTS)
    if key is None:
        return _MAPPING.search((receiver or "").lower()) is not None
    return "/" not in key and not asks_server


def is_arithmetic(name: str, call: cst.Call) -> bool:
    """Tell whether a call rounds what has been calculated, which is a number."""
    values = [arg.value for arg in call.args]
    if name in {"max", "min"}:
        return len(values) > 1
    return name in {"float", "int", "round"} and all(
        isinstance(value, cst.BinaryOperation | cst.Integer | cst.Float) for value in values
    )

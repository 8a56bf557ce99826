"""Find where a submission starts, marks and propagates spans."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cache

import libcst as cst

from benchmarks.mutants.submission import Source, Submission
from benchmarks.mutants.syntax import (
    Statement,
    argument,
    children,
    code_of,
    is_constant,
    last_name,
    text_of,
    walk,
)

STARTS = ("start_as_current_span", "start_span")
DATABASE_MARKS = ("db.system", "DB_SYSTEM")


@dataclass(frozen=True, eq=False)
class Start:
    """A call that starts a span."""

    source: Source
    call: cst.Call
    kind: str
    """`SERVER`, `CLIENT`, `INTERNAL`, or `ANY` where it is a variable."""
    database: bool
    item: cst.WithItem | None
    """The item of a `with` that this call is."""
    variable: str
    """What the span is called, if it has a name."""

    @property
    def block(self) -> cst.With | None:
        """Return the `with` statement that manages the span."""
        return self.source.enclosing(self.call, cst.With) if self.item is not None else None

    @property
    def current(self) -> bool:
        """Say whether the span becomes the current one by being started."""
        return last_name(self.call.func) != "start_span"

    @property
    def http_client(self) -> bool:
        """Say whether this is, or may be, the span of an outgoing request."""
        return self.kind in {"CLIENT", "ANY"} and not self.database


@cache
def starts(submission: Submission) -> tuple[Start, ...]:
    """List every call that starts a span, in the order of the code."""
    return tuple(
        _start(source, call)
        for source in submission
        for call in source.all(cst.Call)
        if _starts_a_span(source, call)
    )


def _starts_a_span(source: Source, call: cst.Call) -> bool:
    if last_name(call.func) in STARTS:
        return isinstance(call.func, cst.Attribute)
    function = source.function(call)
    if function is None or not isinstance(call.func, cst.Name):
        return False
    value = assigned(function, call.func.value)
    return isinstance(value, cst.Attribute) and value.attr.value in STARTS


def _start(source: Source, call: cst.Call) -> Start:
    parent = source.parents[call]
    item = parent if isinstance(parent, cst.WithItem) else None
    return Start(
        source=source,
        call=call,
        kind=kind_of(call),
        database=is_database(source, call),
        item=item,
        variable=_variable(source, call, item),
    )


def _variable(source: Source, call: cst.Call, item: cst.WithItem | None) -> str:
    if item is not None:
        return code_of(item.asname.name) if item.asname else ""
    parent = source.parents[call]
    if isinstance(parent, cst.Arg):
        holder = source.parents[parent]
        if last_name(holder) != "enter_context":
            return ""
        parent = source.parents[holder]
    if isinstance(parent, cst.Assign) and isinstance(parent.targets[0].target, cst.Name):
        return parent.targets[0].target.value
    return ""


def kind_of(call: cst.Call) -> str:
    """Read the kind of the span that a call starts."""
    arg = argument(call, "kind", 2)
    if arg is None:
        return "INTERNAL"
    value = arg.value
    if isinstance(value, cst.Attribute) and last_name(value.value) == "SpanKind":
        return value.attr.value
    return "ANY"


def is_database(source: Source, call: cst.Call) -> bool:
    """Say whether the span that a call starts has a database's attributes."""
    arg = argument(call, "attributes", 3)
    if arg is None:
        return False
    code = code_of(arg.value)
    function = source.function(call)
    if function is not None and isinstance(arg.value, cst.Name):
        value = assigned(function, arg.value.value)
        code = code_of(value) if value is not None else ""
    return any(mark in code for mark in DATABASE_MARKS)


def assigned(function: cst.FunctionDef, name: str) -> cst.BaseExpression | None:
    """Find what a function assigns to a name first."""
    for node in walk(function):
        if isinstance(node, cst.Assign) and len(node.targets) == 1:
            target = node.targets[0].target
            if isinstance(target, cst.Name) and target.value == name:
                return node.value
    return None


def has_extract(node: cst.CSTNode) -> bool:
    """Say whether trace context is read from headers in an expression."""
    return any(
        isinstance(each, cst.Call)
        and last_name(each.func) == "extract"
        and "aggage" not in code_of(each.func)
        for each in walk(node)
    )


def is_extracted(source: Source, node: cst.CSTNode, value: cst.BaseExpression) -> bool:
    """Say whether a value at `node` is the context that came with the request."""
    if has_extract(value):
        return True
    function = source.function(node)
    if function is None or not isinstance(value, cst.Name):
        return False
    local = assigned(function, value.value)
    if local is not None:
        return has_extract(local)
    names = [param.name.value for param in parameters(function)]
    if value.value not in names:
        return False
    position = names.index(value.value)
    for call in source.calls(function.name.value):
        arg = argument(call, value.value, position)
        if arg is not None and has_extract(arg.value):
            return True
    return False


def parameters(function: cst.FunctionDef) -> list[cst.Param]:
    """List a function's parameters that can be given by position."""
    return [*function.params.posonly_params, *function.params.params]


@dataclass(frozen=True, eq=False)
class Inject:
    """A statement that puts the context into a carrier."""

    source: Source
    call: cst.Call
    statement: cst.SimpleStatementLine
    carrier: str

    @property
    def context(self) -> cst.Arg | None:
        """Return the context that is given explicitly."""
        return argument(self.call, "context", 1)

    @property
    def span(self) -> str:
        """Return what the function calls the CLIENT span."""
        for block in self.source.ancestors(self.statement):
            if isinstance(block, cst.FunctionDef):
                break
            if isinstance(block, cst.With):
                for item in block.items:
                    if opens_span(item) and item.asname is not None:
                        return code_of(item.asname.name)
        function = self.source.function(self.call)
        for node in walk(function) if function is not None else ():
            if (
                isinstance(node, cst.Call)
                and isinstance(node.func, cst.Attribute)
                and node.func.attr.value in {"set_attribute", "set_attributes", "set_status"}
            ):
                return code_of(node.func.value)
        return ""


@cache
def injects(submission: Submission) -> tuple[Inject, ...]:
    """List every statement that is a call of `inject` on a carrier with a name."""
    found: list[Inject] = []
    for source in submission:
        for call in source.calls("inject"):
            stmt = source.statement(call)
            if (
                isinstance(stmt, cst.SimpleStatementLine)
                and isinstance(stmt.body[0], cst.Expr)
                and stmt.body[0].value is call
                and call.args
                and isinstance(call.args[0].value, cst.Name)
            ):
                found.append(Inject(source, call, stmt, call.args[0].value.value))
    return tuple(found)


def opens_span(item: cst.WithItem) -> bool:
    """Say whether an item of a `with` opens a span, by the API or by a helper named for it."""
    return "span" in last_name(item.item).lower()


def new_carrier(inject: Inject) -> Statement | None:
    """Find the statement before an `inject` that makes its carrier, empty."""
    for stmt in inject.source.before(inject.statement):
        if not isinstance(stmt, cst.SimpleStatementLine):
            continue
        small = stmt.body[0]
        if isinstance(small, cst.Assign | cst.AnnAssign) and small.value is not None:
            target = small.target if isinstance(small, cst.AnnAssign) else small.targets[0].target
            empty = code_of(small.value) in {"{}", "dict()"} or (
                isinstance(small.value, cst.Call) and not small.value.args
            )
            if last_name(target) == inject.carrier and empty:
                return stmt
    return None


def statements_of(
    submission: Submission, *names: str
) -> Iterator[tuple[Source, cst.Call, cst.SimpleStatementLine]]:
    """Yield the statements that are a call of one of these methods, and nothing else."""
    for source in submission:
        for call in source.calls(*names):
            stmt = source.statement(call)
            if (
                isinstance(call.func, cst.Attribute)
                and isinstance(stmt, cst.SimpleStatementLine)
                and len(stmt.body) == 1
                and isinstance(stmt.body[0], cst.Expr)
                and stmt.body[0].value is call
            ):
                yield source, call, stmt


def receiver(call: cst.Call) -> str:
    """Return `span` for `span.set_attribute(…)`."""
    assert isinstance(call.func, cst.Attribute)
    return code_of(call.func.value)


def is_current_span(source: Source, call: cst.Call) -> bool:
    """Say whether a method is called on `get_current_span()`, also by way of a name."""
    assert isinstance(call.func, cst.Attribute)
    value: cst.BaseExpression | None = call.func.value
    function = source.function(call)
    if isinstance(value, cst.Name) and function is not None:
        value = assigned(function, value.value)
    return isinstance(value, cst.Call) and last_name(value.func) == "get_current_span"


def key_of(submission: Submission, node: cst.BaseExpression) -> str:
    """Return the attribute name that a key stands for: a text, or a name of one."""
    if text := text_of(node):
        return text
    name = last_name(node)
    if name in submission.constants:
        return submission.constants[name]
    if is_constant(name):
        # The constants of the semantic conventions are named by what they hold.
        return next((known for known in KNOWN if known.upper().replace(".", "_") == name), name)
    return ""


KNOWN = (
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "url.path",
    "url.full",
    "server.address",
    "service.name",
    "service.version",
    "db.system.name",
    "db.query.text",
)


@dataclass(frozen=True, eq=False)
class Attribute:
    """A place where an attribute is given to a span, its key and its value."""

    source: Source
    key: cst.BaseExpression
    value: cst.BaseExpression
    name: str
    site: cst.DictElement | cst.Call


def attributes(submission: Submission, *names: str) -> Iterator[Attribute]:
    """Yield where attributes of these names are set, by `set_attribute` or in a dictionary."""
    for source in submission:
        for node in source.nodes:
            found: tuple[cst.BaseExpression, cst.BaseExpression] | None = None
            if isinstance(node, cst.DictElement) and not _in_an_event(source, node):
                found = node.key, node.value
            elif (
                isinstance(node, cst.Call)
                and last_name(node.func) == "set_attribute"
                and len(node.args) == 2
            ):
                found = node.args[0].value, node.args[1].value
            if found and (name := key_of(submission, found[0])) in names:
                assert isinstance(node, cst.DictElement | cst.Call)
                yield Attribute(source, *found, name, node)


def _in_an_event(source: Source, node: cst.CSTNode) -> bool:
    return any(
        isinstance(each, cst.Call) and last_name(each.func) == "add_event"
        for each in source.ancestors(node)
    )


def is_server_start(start: Start) -> bool:
    """Say whether a span is the SERVER span of a request."""
    arg = argument(start.call, "context", 1)
    return start.kind == "SERVER" or (
        start.kind == "ANY"
        and arg is not None
        and is_extracted(start.source, start.call, arg.value)
    )


CURRENT_READERS = {
    "get_current_span": 0,
    "get_current": -1,
    "inject": 1,
    "start_span": 1,
    "start_as_current_span": 1,
    "get_baggage": 1,
    "set_baggage": 2,
}
"""What reads the current context, unless it is given one, at this position."""


def reads_current_context(
    submission: Submission,
    node: cst.CSTNode,
    seen: frozenset[str] = frozenset(),
    readers: Container[str] = tuple(CURRENT_READERS),
) -> bool:
    """Say whether running `node` may read the current context, here or in the submission's code.

    Functions are followed by name. Where it is not clear, it may. `readers` narrows how it is read.
    """
    match node:
        case cst.FunctionDef() | cst.ClassDef() | cst.Lambda():
            return False
        case cst.Yield():
            # Who runs in between is known only inside the submission's own functions.
            return not seen
        case cst.Assign(value=cst.Attribute(attr=cst.Name(value=name))) if name in STARTS:
            return True
        case cst.Call():
            return _call_reads(submission, node, seen, readers)
        case cst.Name() | cst.Attribute():
            return _function_reads(submission, last_name(node), seen, readers)
    return any(reads_current_context(submission, child, seen, readers) for child in children(node))


def _call_reads(
    submission: Submission, call: cst.Call, seen: frozenset[str], readers: Container[str]
) -> bool:
    name = last_name(call.func)
    current = argument(call, "context", CURRENT_READERS.get(name)) is None
    if current and name in CURRENT_READERS and name in readers:
        return True
    of_super = isinstance(call.func, cst.Attribute) and last_name(call.func.value) == "super"
    if not of_super and _function_reads(submission, name, seen, readers):
        return True
    values = [arg.value for arg in call.args]
    if isinstance(call.func, cst.Attribute) and not of_super:
        values.append(call.func.value)
    return any(reads_current_context(submission, value, seen, readers) for value in values)


def _function_reads(
    submission: Submission, name: str, seen: frozenset[str], readers: Container[str]
) -> bool:
    return name not in seen and any(
        reads_current_context(submission, function.body, seen | {name}, readers)
        for _source, function in submission.functions(name)
    )

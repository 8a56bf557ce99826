"""F5: are attributes named by the conventions, and true to what the wire showed?"""

from collections import defaultdict
from collections.abc import Iterator

from otelkata.check import (
    Call,
    Cases,
    CaseView,
    Finding,
    Findings,
    ServiceSpan,
    Unjudged,
    check,
    expect,
    path_of,
    port_of,
    values_of,
)

MANY_NAMES = 10
"""Names of spans started at one place from which on they seem to hold something of each request."""

_METHOD = ("http.request.method", "http.method")
_STATUS = ("http.response.status_code", "http.status_code")
_PATH = ("url.path", "http.target")
_URL = ("url.full", "http.url")
_PEER = ("server.address", "net.peer.name", "http.host", "peer.service")
_USER = ("user.id", "enduser.id")

_NAMES = "Names are those of the OpenTelemetry semantic conventions for HTTP, current or older."


@check(
    "F5",
    why="Whoever searches for failed or slow requests searches by these names. " + _NAMES,
    fix="Set `http.request.method`, `http.response.status_code` (an int) and `url.path` or "
    "`http.route` on the SERVER span.",
)
def server_spans_describe_the_request(answered: Cases) -> Findings:
    """SERVER spans carry method, status code and path or route, as they were on the wire."""
    for case in answered:
        for call in case.served:
            if call.server is None:
                yield Unjudged(f"in {case.title}, {call.callee_service} has not one SERVER span")
                continue
            yield from _method_and_status(case, call, call.server)
            yield from _path(case, call, call.server)


@check(
    "F5",
    why="The CLIENT span says which call it was, also where the callee left no span. " + _NAMES,
    fix="Set `http.request.method`, `url.full` or `server.address`, and "
    "`http.response.status_code` once the answer is there (an int), on the CLIENT span.",
)
def client_spans_describe_the_request(answered: Cases) -> Findings:
    """CLIENT spans carry method, status code and URL or server, as they were on the wire."""
    for case in answered:
        for call in case.sent:
            if call.client is None:
                if call.data.request is not None:
                    yield Unjudged(f"in {case.title}, {call} has no CLIENT span")
                continue
            if call.data.outcome in {"refused", "timed_out"}:
                status = call.client.first(*_STATUS)
                yield expect(
                    status is None,
                    f"in {case.title}, {call.client} has {_claim('status code', status)}; "
                    "no answer came",
                    case,
                    call.client,
                )
            if call.data.request is not None:
                yield from _method_and_status(case, call, call.client)
                yield _url(case, call, call.client)


@check(
    "F5",
    why="Support asks for a user's checkout, not for a trace id.",
    fix="Set it on the gateway's SERVER span from the request's body: "
    "`trace.get_current_span().set_attribute('user.id', user_id)`, while no other span is current.",
)
def gateway_names_the_user(answered: Cases) -> Findings:
    """The gateway's SERVER span carries the id of the user whose checkout it is."""
    for case in answered:
        entry = case.entry
        if entry is None or entry.callee_service != "gateway" or not entry.outgoing:
            continue  # nobody's checkout: it was refused before anything was asked for it
        if entry.server is None:
            yield Unjudged(f"in {case.title}, gateway has not one SERVER span")
            continue
        # A handler may know only the innermost of several.
        servers = [span for span in entry.spans if span.kind == "SERVER"]
        # What is claimed may be a list.
        users = [user for span in servers if (user := span.first(*_USER)) is not None]
        user = next((user for user in users if user != case.data.marks.user_id), None)
        yield expect(
            users and user is None,
            f"in {case.title}, {entry.server} has {_claim('user id', user)}; the user is "
            f"{case.data.marks.user_id!r}",
            case,
            entry.server,
        )


@check(
    "F5",
    why="Spans are grouped by name: a name with an id in it makes a group of one.",
    fix="Name spans after what they do (`POST /checkout`, `SELECT stock`), and put ids into "
    "attributes.",
)
def names_hold_no_ids(answered: Cases) -> Findings:
    """Span names hold no id of a user, an article, an order, a card or a request."""
    names: dict[tuple[str, ...], list[ServiceSpan]] = defaultdict(list)
    for case in answered:
        marks = case.data.marks
        ids = {marks.sku, marks.user_id, marks.tenant_id, marks.card_number, marks.email}
        for span in case.spans:
            held = next((value for value in ids if value in span.name), None)
            yield expect(held is None, f"{span} has the id {held!r} in its name", case, span)
            names[span.service, span.kind, span.path, str(span.line)].append(span)
    for spans in names.values():
        different = {span.name for span in spans}
        yield expect(
            len(different) < MANY_NAMES or len(different) < len(spans) / 2,
            f"{len(spans)} spans that were started at one place have {len(different)} names, such "
            f"as {' and '.join(map(repr, sorted(different)[:2]))}",
            None,
            spans[0],
        )


def _method_and_status(case: CaseView, call: Call, span: ServiceSpan) -> Iterator[Finding]:
    method = call.data.request.method if call.data.request else ""
    claimed = span.first(*_METHOD)
    yield expect(
        claimed == method,
        f"in {case.title}, {span} has {_claim('method', claimed)}; the request had {method!r}",
        case,
        span,
    )
    # Where the connection broke in the body, some clients never say what the head was.
    told = call.data.outcome != "dropped_in_body" and (call.server is span or not call.is_contested)
    if call.status is not None and told:
        status = span.first(*_STATUS)
        yield expect(
            status == call.status and type(status) is int,
            f"in {case.title}, {span} has {_claim('status code', status)}; the answer had "
            f"{call.status} (an int)",
            case,
            span,
        )


def _claim(what: str, value: object) -> str:
    return f"no {what}" if value is None else f"the {what} {value!r}"


def _path(case: CaseView, call: Call, span: ServiceSpan) -> Iterator[Finding]:
    path = path_of(call.data.request.target) if call.data.request else ""
    claimed, route = span.first(*_PATH), span.first("http.route")
    if isinstance(route, str) and _is_literal(route) and (call.status or 400) < 400:
        message = f"in {case.title}, {span} has the route {route!r}; the request had {path!r}"
        # Some instrumentation puts the method in front.
        yield expect(route in (path or "") or (path or "") in route, message, case, span)
    if claimed is None:
        message = f"in {case.title}, {span} has neither url.path nor http.route"
        yield expect(isinstance(route, str) and route, message, case, span)
        return
    yield expect(
        path_of(claimed) == path,
        f"in {case.title}, {span} has the path {claimed!r}, the request had {path!r}",
        case,
        span,
    )


def _url(case: CaseView, call: Call, span: ServiceSpan) -> Finding:
    path = path_of(call.data.request.target) if call.data.request else ""
    url = span.first(*_URL)
    if url is None:
        message = f"in {case.title}, {span} has neither url.full nor server.address"
        return expect(span.first(*_PEER), message, case, span)
    # A port that the URL does not name is one that its author left to the reader.
    host = "".join(values_of(call.data.request.headers, "host")) if call.data.request else ""
    is_true = path_of(url) == path and (not host or port_of(url) in {None, port_of(f"//{host}")})
    is_encrypted = str(url).lower().startswith("https:")
    return expect(
        is_true and not is_encrypted,
        f"in {case.title}, {span} has the URL {url!r}; the request went to http://{host}{path}",
        case,
        span,
    )


def _is_literal(route: str) -> bool:
    return not set("{}<>*:()[]\\") & set(route)

"""Open one SERVER span for each request that comes in (F2)."""

from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
)
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.semconv.attributes.url_attributes import URL_PATH, URL_SCHEME
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from checkout.baggage import baggage_attributes
from checkout.propagation import incoming_context

METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)


class ServerSpans:
    """Wrap an ASGI application, so that a span covers each request until its last byte is sent.

    It goes around the whole application and not among its middlewares: those sit inside the one
    that turns an unhandled exception into a 500, and would never see that answer.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request inside its span; lifespan events and web sockets have none."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with (
            incoming_context(scope["headers"]),
            self._tracer.start_as_current_span(
                span_name(scope), kind=SpanKind.SERVER, attributes=request_attributes(scope)
            ) as span,
        ):

            async def send_and_record(message: Message) -> None:
                if message["type"] == "http.response.start":
                    record_answer(span, message["status"])
                await send(message)

            try:
                await self._app(scope, receive, send_and_record)
            except Exception as error:
                # The `with` records the exception and the status; only this is left to say.
                span.set_attribute(ERROR_TYPE, type(error).__qualname__)
                raise
            finally:
                record_route(span, scope)


def request_attributes(scope: Scope) -> dict[str, AttributeValue]:
    """Describe the request, without its query and body: those may hold personal data."""
    attributes: dict[str, AttributeValue] = {
        HTTP_REQUEST_METHOD: scope["method"] if scope["method"] in METHODS else "_OTHER",
        URL_SCHEME: scope["scheme"],
        URL_PATH: scope["path"],
        **baggage_attributes(),
    }
    if scope.get("server"):
        address, port = scope["server"]
        attributes[SERVER_ADDRESS] = address
        if port is not None:
            attributes[SERVER_PORT] = port
    return attributes


def record_answer(span: Span, status: int) -> None:
    """Mark a 5xx as an error: a 4xx is the client's, and the service did its work well."""
    span.set_attribute(HTTP_RESPONSE_STATUS_CODE, status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
        span.set_attribute(ERROR_TYPE, str(status))


def route_of(scope: Scope) -> str | None:
    """Find the template of the route, such as `/orders/{id}`; there is none before routing."""
    route: str | None = getattr(scope.get("route"), "path", None)
    return route


def span_name(scope: Scope) -> str:
    """Name the operation by its route and never by its path.

    `/orders/1` and `/orders/2` are one operation: no backend could group a name for each. For the
    same reason all methods that clients make up share a name.
    """
    method = scope["method"] if scope["method"] in METHODS else "HTTP"
    route = route_of(scope)
    return method if route is None else f"{method} {route}"


def record_route(span: Span, scope: Scope) -> None:
    """Complete the name when routing has been done, whatever came of the request."""
    route = route_of(scope)
    if route is not None:
        span.set_attribute(HTTP_ROUTE, route)
        span.update_name(span_name(scope))

"""The gateway: reserve the goods, then charge the customer."""

from uuid import uuid4

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from checkout.answers import pass_on
from checkout.application import create_application
from checkout.baggage import USER_ID, user_in_baggage
from checkout.http_client import HttpClient
from checkout.messages import Message, read_request
from checkout.propagation import TRACE_CONTEXT_AND_BAGGAGE
from checkout.server_span import ServerSpans


class Order(Message):
    """The body of `POST /checkout`."""

    sku: str
    quantity: int = Field(ge=1, lt=2**31)
    user_id: str = Field(min_length=1)
    email: str = Field(min_length=1, repr=False)
    card_number: str = Field(min_length=1, repr=False)


class ReservedStock(Message):
    """What the inventory answers."""

    unit_price_cents: int = Field(ge=0)


class Payment(Message):
    """What the payment service answers."""

    payment_id: str | int


def create_gateway(
    provider: TracerProvider, *, inventory_url: str, payment_url: str, timeout: float = 2.0
) -> ASGIApp:
    """Make the gateway; a call to another service may take `timeout` seconds."""
    tracer = provider.get_tracer("checkout.gateway")
    client = HttpClient(tracer, timeout=timeout, propagator=TRACE_CONTEXT_AND_BAGGAGE)
    app = create_application(provider, client)

    @app.post("/checkout")
    async def checkout(request: Request) -> JSONResponse:
        """Place an order."""
        order = await read_request(request, Order)
        span = trace.get_current_span()
        span.set_attribute(USER_ID, order.user_id)
        with user_in_baggage(order.user_id):
            reservation = await client.post(
                inventory_url,
                "/reservations",
                {"sku": order.sku, "quantity": order.quantity},
                ReservedStock,
            )
            if reservation.body is None:
                return pass_on(reservation.status, {404: "unknown_sku", 409: "out_of_stock"})
            span.add_event("stock reserved")
            total_cents = order.quantity * reservation.body.unit_price_cents
            payment = await client.post(
                payment_url,
                "/payments",
                {
                    "user_id": order.user_id,
                    "card_number": order.card_number,
                    "amount_cents": total_cents,
                },
                Payment,
            )
            if payment.body is None:
                return pass_on(payment.status, {402: "payment_declined", 504: "gateway_timeout"})
        order_id = str(uuid4())
        span.add_event("order placed", {"order.id": order_id})
        return JSONResponse(
            {
                "order_id": order_id,
                "payment_id": payment.body.payment_id,
                "total_cents": total_cents,
            }
        )

    return ServerSpans(app, tracer)

"""The payment service: charge a card."""

from uuid import uuid4

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.semconv.attributes.http_attributes import HTTP_RESPONSE_STATUS_CODE
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from checkout.answers import pass_on
from checkout.application import create_application
from checkout.http_client import Answer, HttpClient
from checkout.messages import Message, read_request
from checkout.propagation import TRACE_CONTEXT
from checkout.server_span import ServerSpans


class Charge(Message):
    """The body of `POST /payments`."""

    user_id: str = Field(min_length=1)
    card_number: str = Field(min_length=1, repr=False)
    amount_cents: int = Field(ge=0)


class Authorization(Message):
    """What the card processor answers."""

    authorization_id: str | int


def create_payment(
    provider: TracerProvider, *, processor_url: str, timeout: float = 2.0
) -> ASGIApp:
    """Make the payment service; a call to the card processor may take `timeout` seconds."""
    tracer = provider.get_tracer("checkout.payment")
    # The processor is another company's: who our tenants and users are is none of its business.
    client = HttpClient(tracer, timeout=timeout, propagator=TRACE_CONTEXT)
    app = create_application(provider, client)

    async def authorize(charge: Charge) -> Answer[Authorization]:
        return await client.post(
            processor_url,
            "/authorizations",
            {"card_number": charge.card_number, "amount_cents": charge.amount_cents},
            Authorization,
        )

    @app.post("/payments")
    async def pay(request: Request) -> JSONResponse:
        """Charge a card, with one more try where the processor failed.

        A call without an answer is not repeated: the card may have been charged.
        """
        charge = await read_request(request, Charge)
        answer = await authorize(charge)
        if answer.status >= 500:
            trace.get_current_span().add_event(
                "payment retry", {HTTP_RESPONSE_STATUS_CODE: answer.status}
            )
            answer = await authorize(charge)
        if answer.body is None:
            return pass_on(answer.status, {402: "payment_declined"})
        return JSONResponse({"payment_id": str(uuid4())})

    return ServerSpans(app, tracer)

"""The inventory: take goods out of stock."""

from opentelemetry.sdk.trace import TracerProvider
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from checkout.answers import error_answer
from checkout.application import create_application
from checkout.database import TracedDatabase
from checkout.messages import Message, read_request
from checkout.server_span import ServerSpans

PRICE_OF = "SELECT unit_price_cents FROM stock WHERE sku = :sku"
# One statement looks and takes: between two, another request could take the same goods.
TAKE = "UPDATE stock SET quantity = quantity - :quantity WHERE sku = :sku AND quantity >= :quantity"


class Reservation(Message):
    """The body of `POST /reservations`."""

    sku: str
    quantity: int = Field(ge=1, lt=2**31)


def create_inventory(provider: TracerProvider, *, database: str) -> ASGIApp:
    """Make the inventory on the SQLite file `database`, which has a table `stock`."""
    tracer = provider.get_tracer("checkout.inventory")
    stock = TracedDatabase(database, tracer)
    app = create_application(provider)

    @app.post("/reservations")
    async def reserve(request: Request) -> JSONResponse:
        """Take a quantity out of stock."""
        wanted = await read_request(request, Reservation)
        price = await stock.run(PRICE_OF, {"sku": wanted.sku})
        if not price.rows:
            return error_answer(404, "unknown_sku")
        taken = await stock.run(TAKE, {"sku": wanted.sku, "quantity": wanted.quantity})
        if not taken.changed:
            return error_answer(409, "out_of_stock")
        return JSONResponse(
            {
                "sku": wanted.sku,
                "quantity": wanted.quantity,
                "unit_price_cents": price.rows[0][0],
            }
        )

    return ServerSpans(app, tracer)

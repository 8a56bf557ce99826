"""Trace one checkout through three services: gateway, inventory and payment.

Read in the order of a request: `server_span` (a request comes in), `gateway` (what it does),
`http_client` (a request goes out), `database`, and at the end `tracer` (the spans leave the
process).
"""

from checkout.gateway import create_gateway
from checkout.inventory import create_inventory
from checkout.payment import create_payment
from checkout.tracer import init_tracer, shutdown_tracer

__all__ = [
    "create_gateway",
    "create_inventory",
    "create_payment",
    "init_tracer",
    "shutdown_tracer",
]

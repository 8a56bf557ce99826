"""The rule inject-after-send."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding, Step
from otelkata.lint.flow.sequence import bound_at, is_parameter, leads_to, loops, mentions
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.carriers import Carriage, injections, sends
from otelkata.lint.rule import Example, Rule


class InjectAfterSend(Rule):
    """Tell trace context that is injected into headers which have been sent already.

    ## What it does
    Reports an `inject` into headers that a call before it, on the same path, has sent, where
    nothing sends them again.

    ## Why it matters
    The request left without `traceparent`. The service that was called begins a trace of its own,
    and the checkout shows as two halves that nobody can join.

    ## Instead
    Inject right before the request is sent, inside the CLIENT span.

    ## References
    - https://opentelemetry.io/docs/specs/otel/context/api-propagators/#inject
    - https://www.w3.org/TR/trace-context/#traceparent-header
    """

    code = "OTK206"
    name = "inject-after-send"
    criteria = ("C3",)
    words = (b"inject",)
    calls = ("inject",)
    bad = (
        Example(
            """\
from opentelemetry.propagate import inject


def reserve(client, url, order):
    headers = {"content-type": "application/json"}
    response = client.post(url, content=order, headers=headers)
    inject(headers)  # expect: OTK206
    return response
"""
        ),
        Example(
            """\
from opentelemetry import trace
from opentelemetry.propagate import inject

tracer = trace.get_tracer("shop")


async def reserve(client, url):
    headers = {}
    with tracer.start_as_current_span("GET", kind=trace.SpanKind.CLIENT):
        async with client.stream("GET", url, headers=headers) as response:
            inject(headers)  # expect: OTK206
            return await response.aread()
"""
        ),
    )
    good = (
        Example(
            """\
from opentelemetry.propagate import inject


def reserve(client, url, order):
    headers = {"content-type": "application/json"}
    inject(headers)
    return client.post(url, content=order, headers=headers)
"""
        ),
        Example(
            """\
from opentelemetry.propagate import inject


def reserve_and_charge(client, shop, order):
    headers = {}
    client.get(shop.health, headers=headers)
    inject(headers)
    client.post(shop.inventory, content=order, headers=headers)
    headers = {}
    inject(headers)
    return client.post(shop.payment, content=order, headers=headers)
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield each injection that comes too late."""
        for injection in injections(module):
            name, body = injection.name, module.body_of(injection.call)
            if name is None or body is None:
                continue
            sent = list(sends(module, body, name))
            before = [call for call in sent if is_before(module, call, injection, name)]
            if not before or any(leads_to(module, injection.call, call) for call in sent):
                continue
            yield self.finding(
                module,
                injection.call,
                f"{name} has been sent when the trace context is injected: the request left "
                "without traceparent. Inject before it is sent.",
                certain=injection.certain
                and not is_parameter(module, injection.carrier)
                and not is_used_after(module, injection, name),
                steps=(Step(module.place(before[-1]), f"{name} is sent"),),
            )


def is_before(module: Module, send: cst.Call, injection: Carriage, name: str) -> bool:
    """Tell whether `send` comes before the injection, with the same headers, and not after it."""
    if not leads_to(module, send, injection.call):
        return False
    made = bound_at(module, injection.call, name)
    if any(
        leads_to(module, send, node) and leads_to(module, node, injection.call) for node in made
    ):
        return False
    again = set(loops(module, send)) & set(loops(module, injection.call))
    return all(any(loop in loops(module, node) for node in made) for loop in again)


def is_used_after(module: Module, injection: Carriage, name: str) -> bool:
    """Tell whether the headers are used once more."""
    body = module.body_of(injection.call)
    return body is not None and any(
        leads_to(module, injection.call, node) for node in mentions(module, body, name)
    )

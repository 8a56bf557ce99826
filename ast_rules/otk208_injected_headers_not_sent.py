"""The rule injected-headers-not-sent."""

from __future__ import annotations

from collections.abc import Iterator

from otelkata.lint.finding import Finding
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.carriers import injections
from otelkata.lint.patterns.thrown import is_temporary, is_thrown_away
from otelkata.lint.rule import Example, Rule


class InjectedHeadersNotSent(Rule):
    """Tell trace context that is injected into headers which nobody sends.

    ## What it does
    Reports an `inject` into a dictionary that is never used again: made in the call itself
    (`inject(dict(headers))`), or local to the function and neither sent, returned, stored nor
    passed on, as where a copy was made before and sent instead.

    ## Why it matters
    The request leaves without `traceparent`, and the service that is called begins a trace of its
    own. Nothing fails, so nobody notices before the trace is needed.

    ## Instead
    Inject into the very headers that are sent: `inject(headers)`, then
    `client.post(url, headers=headers)`.

    ## References
    - https://opentelemetry.io/docs/specs/otel/context/api-propagators/#inject
    - https://opentelemetry.io/docs/languages/python/propagation/
    """

    code = "OTK208"
    name = "injected-headers-not-sent"
    criteria = ("C3",)
    words = (b"inject",)
    calls = ("inject",)
    bad = (
        Example(
            """\
from opentelemetry.propagate import inject


def reserve(client, url, headers):
    inject(dict(headers))  # expect: OTK208
    return client.get(url, headers=headers)
"""
        ),
        Example(
            """\
from opentelemetry.propagate import inject


def reserve(client, url, token):
    headers = {"authorization": token}
    sent = dict(headers)
    inject(headers)  # expect: OTK208
    return client.get(url, headers=sent)
"""
        ),
    )
    good = (
        Example(
            """\
from opentelemetry.propagate import inject


def reserve(client, url, token):
    headers = {"authorization": token}
    inject(headers)
    return client.get(url, headers={**headers, "accept": "application/json"})
"""
        ),
        Example(
            """\
from opentelemetry.propagate import inject


def task(order):
    carrier = {}
    message = {"order": order, "trace": carrier}
    inject(carrier)
    return message
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield each injection that is lost."""
        for injection in injections(module):
            carrier = module.code(injection.carrier)
            if is_temporary(module, injection.carrier):
                yield self.finding(
                    module,
                    injection.call,
                    f"{carrier} is thrown away when the call returns, and the trace context with "
                    "it: inject into the headers that are sent.",
                    certain=injection.certain and not injection.has_setter,
                )
            elif is_thrown_away(module, injection):
                yield self.finding(
                    module,
                    injection.call,
                    f"{carrier} is not used after the trace context was injected into it, so the "
                    f"request is sent without: send {carrier}.",
                    certain=injection.certain,
                )

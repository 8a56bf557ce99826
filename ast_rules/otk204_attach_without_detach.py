"""OTK204: a context is attached, and some path leaves without detaching it."""

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding
from otelkata.lint.flow.hazards import Flow
from otelkata.lint.flow.leaks import SEVERITY, WHEN, steps, worst
from otelkata.lint.flow.stories import Kind
from otelkata.lint.meaning.module import Module
from otelkata.lint.rule import Example, Rule


class AttachWithoutDetach(Rule):
    """A context is attached, and some path leaves without detaching it.

    What it does:
        Follows the token of each `attach` over every path of its function, as span-not-
        ended follows a span. A token that is returned, stored or passed on has another
        owner.

    Why it matters:
        What runs next in that thread or task finds the context of a request that is over:
        its spans land in the wrong trace.

    Instead:
        `token = attach(...)`, then `try:` in the next line and `detach(token)` in its
        `finally`; or `with use_span(...)`, which does both.

    References:
        https://opentelemetry.io/docs/specs/otel/context/#detach-context
    """

    code = "OTK204"
    name = "attach-without-detach"
    criteria = ("C1",)
    words = (b"attach",)
    calls = ("attach",)
    bad = (
        Example(
            """
from opentelemetry import context
from opentelemetry.propagate import extract


def handle(message):
    token = context.attach(extract(message.headers))  # expect: OTK204:warning
    process(message)
    context.detach(token)
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry import context
from opentelemetry.propagate import extract


def handle(message):
    token = context.attach(extract(message.headers))
    try:
        process(message)
    finally:
        context.detach(token)
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield one finding per token, for the most ordinary path on which it is lost."""
        for story in module.stories:
            flow = worst(story.fates)
            if story.kind is not Kind.ATTACHED or flow is None:
                continue
            if story.names or not _is_restored(module, story.call):
                yield self.finding(
                    module,
                    story.call,
                    f"the context is not detached {WHEN[flow]}; call detach(token) in the "
                    "`finally` of a `try` that begins right after",
                    severity=SEVERITY[flow],
                    # A thread or task that ends with its function takes the context with it, and
                    # the kata asks for no form here: what only might be raised is no fault yet.
                    certain=flow is Flow.NEXT
                    and bool(story.names)
                    and not any("." in name for name in story.names),
                    steps=steps(module, story, flow, "the context"),
                )


def _is_restored(module: Module, call: cst.Call) -> bool:
    """Tell whether a `finally` of the same function attaches what was there before."""
    body = module.body_of(call)
    return any(
        module.body_of(other) is body
        and any(isinstance(around, cst.Finally) for around in module.ancestors(other))
        for other in module.calls("attach")
    )

"""OTK901: a comment for the linter that has no effect."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.meaning.module import Module
from otelkata.lint.rule import Example, Rule


class UnusedSuppression(Rule):
    """A comment asks the linter to be quiet where it has nothing to say.

    What it does:
        Reports a `# kata-lint: ignore[...]` that keeps no finding quiet on its statement, names a
        rule that does not exist, or is misspelt. It says nothing of rules that were not run. A
        comment without codes is only judged when all default rules were run.

    Why it matters:
        Such a comment outlives the fault that it was written for. It tells readers of a fault that
        is not there, and hides the next one that is.

    Instead:
        Remove the comment. If it is for a fault, put it on the statement where the finding stands,
        with the rule's code or name.

    References:
        https://docs.astral.sh/ruff/rules/unused-noqa/
    """

    code = "OTK901"
    name = "unused-suppression"
    severity = Severity.NOTE
    words = (b"kata-lint",)
    bad = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def charge(card):
    with tracer.start_as_current_span("charge"):  # kata-lint: ignore[OTK101] # expect: OTK901
        return card.charge()
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def charge(card, deliver):
    span = tracer.start_span("charge")  # kata-lint: ignore[OTK101]
    card.charge()
    span.end()
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:  # noqa: ARG002 (a rule is asked so)
        """Yield nothing: what is unused shows only when all other rules have spoken."""
        yield from ()

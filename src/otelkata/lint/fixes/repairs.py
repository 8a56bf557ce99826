"""Which rewriting mends a span that is not ended, or not managed: a `with`, or a `finally`."""

from __future__ import annotations

from otelkata.lint.fixes.change import Change
from otelkata.lint.fixes.ending import ended_in_finally
from otelkata.lint.fixes.entering import started_as_current
from otelkata.lint.flow.stories import Story
from otelkata.lint.meaning.module import Module


def repair(module: Module, story: Story) -> Change | None:
    """Return what makes sure that the span of `story` ends; None where nothing safe does."""
    return started_as_current(module, story) or ended_in_finally(module, story)

"""Which rewriting mends a span that is not ended, or not managed: a `with`, or a `finally`."""

from __future__ import annotations

import libcst as cst

from otelkata.lint.finding import Finding
from otelkata.lint.fixes.ending import ended_in_finally
from otelkata.lint.fixes.entering import started_as_current
from otelkata.lint.fixes.rewrite import Rewrite
from otelkata.lint.flow.stories import Kind, Story
from otelkata.lint.meaning.module import Module


def repair(module: Module, story: Story) -> Rewrite | None:
    """Return what makes sure that the span of `story` ends; None where nothing safe does."""
    return started_as_current(module, story) or ended_in_finally(module, story)


def repaired(module: Module, finding: Finding) -> cst.Module | None:
    """Return the module in which the span that starts at `finding` ends on every path."""
    for story in module.stories:
        if story.kind is Kind.SPAN and module.place(story.call) == finding.place:
            rewrite = repair(module, story)
            return None if rewrite is None else rewrite.applied(module)
    return None

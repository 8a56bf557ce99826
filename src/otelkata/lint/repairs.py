"""Which rewriting mends a span that is not ended, or not managed: a `with`, or a `finally`."""

from __future__ import annotations

import libcst as cst

from .ending import ended_in_finally
from .entering import started_as_current
from .finding import Finding
from .module import Module
from .rewrite import Rewrite
from .stories import Kind, Story


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

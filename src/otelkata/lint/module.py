"""One parsed file, and what it knows: which names are tracers, spans, contexts, providers."""

from __future__ import annotations

import libcst as cst

from .finding import Place


class Module:
    """One parsed file."""

    path: str
    tree: cst.Module

    def place(self, node: cst.CSTNode) -> Place:
        """Return where `node` stands."""
        raise NotImplementedError

"""Which ways out of a block its handlers, or a `with` around it, put an end to."""

from __future__ import annotations

import libcst as cst

from otelkata.lint.flow.hazards import Flow
from otelkata.lint.meaning.scopes import dotted, last_name

CATCHES_ALL = {
    Flow.RAISE: frozenset({"Exception", "BaseException"}),
    Flow.CANCEL: frozenset({"BaseException", "CancelledError"}),
    Flow.CLOSE: frozenset({"BaseException", "GeneratorExit"}),
}
"""What catches everything of a kind."""
NO_ERRORS = frozenset({"CancelledError", "GeneratorExit", "KeyboardInterrupt", "SystemExit"})
"""What is caught by name, and is no error."""


def caught_by(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> frozenset[str]:
    """Return the last names of what a handler catches; a bare one catches BaseException."""
    if handler.type is None:
        return frozenset({"BaseException"})
    kinds = (
        [element.value for element in handler.type.elements]
        if isinstance(handler.type, cst.Tuple)
        else [handler.type]
    )
    # What is no plain name may be anything, and so it is named by nothing that is.
    return frozenset((dotted(kind) or "?").rpartition(".")[2] for kind in kinds)


def suppresses(item: cst.WithItem) -> bool:
    """Tell whether an item of a `with` stops some exceptions."""
    return isinstance(item.item, cst.Call) and last_name(item.item) in {"raises", "suppress"}


def suppresses_all(item: cst.WithItem, flow: Flow) -> bool:
    """Tell whether an item of a `with` stops everything of one kind."""
    call = item.item
    if not isinstance(call, cst.Call) or last_name(call) != "suppress":
        return False
    return any(last_name(arg.value) in CATCHES_ALL[flow] for arg in call.args)

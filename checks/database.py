"""B2: is each query a span of its own, made around the driver?"""

import re

from otelkata.check import (
    Cases,
    Findings,
    ServiceSpan,
    Unjudged,
    check,
    counted,
    expect,
)

_TEXT = ("db.query.text", "db.statement")
_SYSTEM = ("db.system.name", "db.system")
_FIX = (
    "Wrap the connection or the cursor once, so that every `execute()` opens a CLIENT "
    "span with `db.system.name` and `db.query.text`."
)


@check(
    "B2",
    why="A slow checkout may be a slow query: only a span of its own tells.",
    fix=_FIX,
)
def each_query_has_its_span(success: Cases, direct: Cases) -> Findings:
    """Each query of inventory is a CLIENT span of sqlite under the SERVER span."""
    for case in [*success, *direct]:
        for call in case.served:
            if call.callee_service != "inventory":
                continue
            if not call.spans:
                yield Unjudged(f"in {case.title}, inventory left no span")
                continue
            spans = [span for span in call.queries if span.first(*_SYSTEM) == "sqlite"]
            under = [span for span in spans if _is_under_server(span)]
            asked = max(1, len(call.statements))
            yield expect(
                len(under) >= asked and under == spans,
                f"in {case.title}, inventory ran {counted(asked, 'query', 'queries')}, but has "
                f"{counted(len(under), 'CLIENT span', 'CLIENT spans')} of sqlite under its SERVER "
                "span",
                case,
                *spans,
                call=call,
            )


@check(
    "B2",
    why="The text tells which query it was; its values would make every text another, and may be "
    "personal.",
    fix=(
        'Pass values as parameters, `execute("… WHERE sku = :sku", {"sku": sku})`, and put '
        "the text without them into `db.query.text`."
    ),
)
def query_texts_hold_no_values(success: Cases, direct: Cases) -> Findings:
    """Each database span has the text of its query, without literal values."""
    for case in [*success, *direct]:
        for call in case.served:
            if call.callee_service != "inventory":
                continue
            spans = [span for span in call.queries if span.first(*_SYSTEM) == "sqlite"]
            texts = [text for span in spans if isinstance(text := span.first(*_TEXT), str) and text]
            # A span may be of something else than a query, such as a connection.
            enough = 0 < len(call.statements) <= len(texts)
            for span in spans:
                text = span.first(*_TEXT)
                is_text = isinstance(text, str) and text
                literal = re.search(
                    rf"{re.escape(case.data.marks.sku)}|\b{case.data.quantity}\b", str(text or "")
                )
                yield expect(
                    literal is None and (is_text or (enough and text is None)),
                    f"in {case.title}, {span} has "
                    + ("no query text" if text is None else f"the query text {text!r}"),
                    case,
                    span,
                )


def _is_under_server(span: ServiceSpan) -> bool:
    return any(above.kind == "SERVER" for above in span.ancestors)

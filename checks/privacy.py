"""B4: does personal data stay out of what is exported?"""

import re

from otelkata.check import (
    Findings,
    ServiceSpan,
    Unjudged,
    View,
    check,
    expect,
)

SUSPECT = re.compile(r"@|\d{16}")
"""Found in every text that holds an e-mail address or a card number; cheaper to look for."""


@check(
    "B4",
    why="A trace is read by many, and kept for long: an e-mail address or a card number in it is a "
    "leak of data.",
    fix="Wrap the exporter in one, `BatchSpanProcessor(PrivacyFilter(exporter))`, that "
    "builds new spans without them: also in event attributes, exception messages, stack "
    "traces, the status and names.",
)
def nothing_personal_is_exported(view: View) -> Findings:
    """No e-mail address and no card number is anywhere in what is exported."""
    secrets = {case.data.marks.email for case in view.cases.values()}
    secrets |= {case.data.marks.card_number for case in view.cases.values()}
    secrets |= set(view.evidence.probes)
    if not view.spans:
        yield Unjudged("no span was exported")
    for span in view.spans:
        texts = _texts(span)
        suspects = texts if SUSPECT.search("\n".join(text for _, text in texts)) else []
        places = [place for place, text in suspects if any(s in text for s in secrets)]
        yield expect(
            not places,
            f"{span} holds an e-mail address or a card number in its {', '.join(places)}",
            view.case_of(span),
            span,
        )


def _texts(span: ServiceSpan) -> list[tuple[str, str]]:
    data = span.data
    return [
        ("name", data.name),
        ("instrumentation scope", data.scope),
        *((f"attribute {key}", f"{key}={value}") for key, value in data.attributes.items()),
        *((f"event {event.name}", f"{event.name} {event.attributes}") for event in data.events),
        *(("link", str(link.attributes)) for link in data.links),
        ("status", data.status_message),
        ("resource", str(data.resource)),
    ]

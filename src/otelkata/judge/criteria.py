"""Name the criteria of the kata."""

REQUIRED = {
    "F1": "spans are exported over OTLP",
    "F2": "every incoming request has a SERVER span",
    "F3": "every outgoing request has a CLIENT span",
    "F4": "trace context travels in W3C headers",
    "F5": "attributes follow the semantic conventions",
    "F6": "failed operations show ERROR",
    "F7": "no span is lost at exit",
    "C1": "spans start from the request's context",
    "C2": "every span is ended by construction",
    "C3": "extract before start, inject before send",
    "C4": "handled failures have status and exception",
    "C5": "the resource has name and version",
    "C6": "no sampler in code",
    "C7": "shutdown is bounded in time",
    "T1": "no orphaned span",
    "T2": "no span leak",
    "T3": "no broken chain",
    "T4": "no error blindness",
}
BONUS = {
    "B1": "span events mark significant moments",
    "B2": "queries are traced by a driver wrapper",
    "B3": "baggage carries tenant and user",
    "B4": "no personal data leaves",
}
CRITERIA = REQUIRED | BONUS

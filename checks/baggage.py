"""B3: do tenant and user travel with the request, onto every service's spans?"""

from urllib.parse import unquote

from otelkata.check import (
    Call,
    Cases,
    Findings,
    Unjudged,
    check,
    expect,
    values_of,
)

_WHY = "Whose checkout it was has to be known in every service, not only where the body is read."


@check(
    "B3",
    why=_WHY,
    fix="Extract baggage with the trace context, keep it attached while the request is "
    "handled (`token = context.attach(extract(carrier))`), and `inject(headers)` into "
    "every outgoing request to inventory and payment.",
)
def is_sent_on(success: Cases, concurrent: Cases) -> Findings:
    """tenant.id and user.id reach inventory and payment in the baggage header."""
    for case in [*success, *concurrent]:
        if not case.data.baggage:
            continue
        for call in case.sent:
            if call.callee_service not in {"inventory", "payment"}:
                continue
            sent = _members(call)
            right = {"tenant.id": case.data.marks.tenant_id, "user.id": case.data.marks.user_id}
            missing = [key for key, value in right.items() if sent.get(key) != value]
            yield expect(
                not missing,
                f"in {case.title}, {call} lacked the right {' and '.join(missing)} in its baggage",
                case,
                call.client,
                call=call,
            )


@check(
    "B3",
    why=_WHY,
    fix="Copy both to the SERVER span of each service: `span.set_attribute('tenant.id', "
    "baggage.get_baggage('tenant.id'))`, where they were sent.",
)
def is_on_server_spans(success: Cases, concurrent: Cases) -> Findings:
    """Each service has the tenant.id and user.id that it was sent on its SERVER span."""
    for case in [*success, *concurrent]:
        for call in case.served:
            received = _members(call)
            wanted = {key: received[key] for key in ("tenant.id", "user.id") if key in received}
            if call.server is None:
                yield Unjudged(f"in {case.title}, {call.callee_service} has not one SERVER span")
                continue
            if not wanted:
                continue
            server = call.server
            missing = [key for key, value in wanted.items() if server.attributes.get(key) != value]
            yield expect(
                not missing,
                f"in {case.title}, {server} has not the {' and '.join(missing)} of the baggage",
                case,
                server,
            )


def _members(call: Call) -> dict[str, str]:
    headers = call.data.request.headers if call.data.request else []
    pairs = ",".join(values_of(headers, "baggage")).split(",")
    members = (pair.partition(";")[0].partition("=") for pair in pairs if "=" in pair)
    return {unquote(key.strip()): unquote(value.strip()) for key, _, value in members}

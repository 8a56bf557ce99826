"""One case of a run: its requests and spans, and whether the answers were right."""

from collections.abc import Iterator, Mapping
from functools import cached_property

import msgspec

from otelkata.evidence.model import Case

from .calls import Call, ServiceSpan


class CaseView:
    """One case with its calls, its spans, and whether the HTTP answers were right."""

    def __init__(self, case: Case) -> None:
        self.data = case
        self.calls: list[Call] = []

    @property
    def title(self) -> str:
        """Return what the case is, to be read after 'in'."""
        return self.data.title

    @cached_property
    def spans(self) -> list[ServiceSpan]:
        """Return the spans of all services."""
        return [span for call in self.calls for span in call.spans]

    @cached_property
    def entry(self) -> Call | None:
        """Return the driver's own request."""
        return next((call for call in self.calls if call.caller_service == "client"), None)

    @cached_property
    def served(self) -> list[Call]:
        """Return the calls that a service of the submission answered, and should show."""
        return [
            call
            for call in self.calls
            if call.callee is not None and call.status is not None and not call.is_silenced
        ]

    @cached_property
    def sent(self) -> list[Call]:
        """Return the calls that a service of the submission sent, and should show."""
        return [
            call
            for call in self.calls
            if call.caller and not (call.incoming and call.incoming.is_silenced)
        ]

    @cached_property
    def obstacle(self) -> str:
        """Return why spans of this case cannot be judged; empty where they can."""
        if self.data.skipped:
            return f"{self.title} could not be played: {self.data.skipped}"
        wrong = next(self.wrong_answers(), None)
        return f"in {self.title}, {wrong}" if wrong else ""

    def wrong_answers(self) -> Iterator[str]:
        """Yield what is wrong with the HTTP answers."""
        if self.entry is None:
            yield "no request was sent"
            return
        if "hang_up" in self.data.tags:
            return
        yield from self._wrong_entry(self.entry)
        for hop, answers in self.data.inner.items():
            calls = [call for call in self.calls if call.data.hop == hop]
            service = hop.partition(">")[2]
            if not calls:
                yield f"no request reached {service}"
            elif calls[-1].status not in answers and not calls[-1].is_contested:
                yield f"{service} {_answered(calls[-1])}, not {_codes(answers)}"

    def _wrong_entry(self, entry: Call) -> Iterator[str]:
        case = self.data
        if entry.status not in case.answers:
            yield f"{case.entry} {_answered(entry)}, not {_codes(case.answers)}"
            return
        body = _json(entry.data.response.body if entry.data.response else "")
        if case.entry == "gateway" and case.codes and entry.status != 200:
            code = body.get("error")
            if code not in case.codes:
                yield f"gateway's error is {code!r}, not {' or '.join(map(repr, case.codes))}"
        if entry.status == 200:
            yield from self._wrong_success(body)

    def _wrong_success(self, body: Mapping[str, object]) -> Iterator[str]:
        case = self.data
        total = case.quantity * case.unit_price_cents
        reserved = {
            "sku": case.marks.sku,
            "quantity": case.quantity,
            "unit_price_cents": case.unit_price_cents,
        }
        right: Mapping[str, Mapping[str, object]] = {
            "gateway": {"total_cents": total},
            "inventory": reserved,
            "payment": {},
        }
        for key, value in right[case.entry].items():
            if body.get(key) != value:
                yield f"{case.entry}'s {key} is {body.get(key)!r}, not {value!r}"
        for key in {"gateway": ("order_id", "payment_id"), "payment": ("payment_id",)}.get(
            case.entry, ()
        ):
            if not body.get(key):
                yield f"{case.entry}'s answer has no {key}"
        for call in self.calls:
            if call.data.hop in {"gateway>payment", "payment>processor"} and call.data.request:
                amount = _json(call.data.request.body).get("amount_cents")
                if amount != total:
                    yield f"{call.caller_service} charged {amount!r} cents, not {total}"


def _answered(call: Call) -> str:
    if call.status is None:
        return f"gave no complete answer ({call.data.outcome.replace('_', ' ')})"
    body = call.data.response.body if call.data.response else ""
    return f"answered {call.status} {body[:120]}".strip()


def _codes(codes: list[int]) -> str:
    if len(codes) > 4:
        return "4xx"
    return " or ".join(map(str, codes))


def _json(body: str) -> Mapping[str, object]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}

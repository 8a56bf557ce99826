"""Record exchanges as they happen."""

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from otelkata.evidence import model
from otelkata.host.wire import TEXT_LIMIT

from .http import Request, Response

_BODY_KEPT = 4 * TEXT_LIMIT
"""As many bytes as that many characters may take."""

EXCHANGES_LIMIT = 5_000
"""Most exchanges that a submission may begin; an honest one stays below a tenth of it."""

BYTES_LIMIT = 32 * 1024 * 1024
"""Most bytes that are kept of all exchanges; an honest submission stays below a tenth of it."""


@dataclass(slots=True)
class Draft:
    """An exchange that is still under way."""

    number: int
    hop: model.Hop
    caller: str
    case: str = ""
    callee: str = ""
    port: int = 0
    request: Request | None = None
    response: Response | None = None
    outcome: model.Outcome = "timed_out"
    received_ns: int = field(default_factory=time.time_ns)
    answered_ns: int = 0
    ended_ns: int = 0

    def answered(self, response: Response, outcome: model.Outcome = "answered") -> None:
        """Note the answer, right before its first byte is written."""
        self.response = response
        self.outcome = outcome
        self.answered_ns = time.time_ns()

    def connected(self, port: int) -> None:
        """Note the port from which the request goes to the callee."""
        self.port = port

    def finish(self) -> None:
        """Note the end, and keep of the bodies what is going to be evidence."""
        self.ended_ns = time.time_ns()
        if self.request is not None:
            self.request = replace(self.request, body=self.request.body[:_BODY_KEPT])
        if self.response is not None:
            self.response = replace(self.response, body=self.response.body[:_BODY_KEPT])

    def size(self) -> int:
        """Return how many bytes of it are kept."""
        return sum(
            len(message.body) + sum(len(name) + len(value) for name, value in message.headers)
            for message in (self.request, self.response)
            if message is not None
        )

    def finished(self) -> model.Exchange:
        """Return the exchange as evidence."""
        return model.Exchange(
            number=self.number,
            case=self.case,
            hop=self.hop,
            caller=self.caller,
            callee=self.callee,
            port=self.port,
            request=_request(self.request) if self.request else None,
            response=_response(self.response) if self.response else None,
            outcome=self.outcome,
            received_ns=self.received_ns,
            answered_ns=self.answered_ns,
            ended_ns=self.ended_ns or time.time_ns(),
        )


class TooMany(Exception):
    """A submission sends more than can be recorded; the message says what."""


class Record:
    """All exchanges of a run, in the order in which they began."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._drafts: list[Draft] = []
        self._bytes = 0

    def begin(self, hop: model.Hop, caller: str) -> Draft:
        """Begin to record what a submission sends; raise TooMany where there is no end to it."""
        if len(self._drafts) >= EXCHANGES_LIMIT:
            raise TooMany(f"it sent more than {EXCHANGES_LIMIT} requests")
        if self._bytes > BYTES_LIMIT:
            raise TooMany(f"it sent more than {BYTES_LIMIT // 2**20} MiB of requests and answers")
        return self.note(hop, caller)

    def note(self, hop: model.Hop, caller: str) -> Draft:
        """Begin to record what the driver itself does, for which there is always room."""
        draft = Draft(next(self._numbers), hop, caller)
        self._drafts.append(draft)
        return draft

    def finish(self, draft: Draft) -> None:
        """Note the end of `draft`."""
        draft.finish()
        self._bytes += draft.size()

    def assign(self, cases: Mapping[int, str]) -> None:
        """Note which case exchanges belong to, by their numbers."""
        for draft in self._drafts:
            draft.case = cases.get(draft.number, draft.case)

    def forget(self, before_ns: int) -> None:
        """Drop exchanges that ended before a moment, and begin to count anew."""
        self._drafts = [d for d in self._drafts if not d.ended_ns or d.ended_ns >= before_ns]
        self._bytes = sum(draft.size() for draft in self._drafts)

    def awaited(self, start: str) -> tuple[int, str]:
        """Return whom the answer of `start` depends on, after when that one last gave a sign.

        It is `start` itself, unless that waits for another one; a sign is an answer, and the end of
        a call. Who waits for the driver gives one now.
        """
        signs = [(0, start)]
        # By callee, because a submission may have hundreds of calls open.
        asked: dict[str, int] = {}
        for draft in self._drafts:
            if draft.callee == start:
                signs.append((draft.answered_ns, start))
            elif draft.caller == start and draft.ended_ns:
                signs.append((draft.ended_ns, start))
            elif draft.caller == start and draft.callee in {"", "processor"}:
                return time.time_ns(), start
            elif draft.caller == start:
                asked[draft.callee] = max(draft.received_ns, asked.get(draft.callee, 0))
        waits = []
        for callee, received_ns in asked.items():
            sign, awaited = self.awaited(callee)
            waits.append((max(received_ns, sign), awaited))
        return max(waits or signs)

    def __iter__(self) -> Iterator[model.Exchange]:
        return (draft.finished() for draft in self._drafts)


def _request(request: Request) -> model.Request:
    return model.Request(request.method, request.target, request.headers, _text(request.body))


def _response(response: Response) -> model.Response:
    return model.Response(response.status, response.headers, _text(response.body))


def _text(body: bytes) -> str:
    return body.decode("utf-8", "backslashreplace")[:TEXT_LIMIT]

"""Name what a hop can do to a request: one class per fault, plain data."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Forward:
    """Pass the request on and the answer back."""


@dataclass(frozen=True, slots=True)
class StripHeaders:
    """Pass the request on without the trace context headers, as a careless proxy does."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer in place of the callee; `readable` is false for what is no answer of the API."""

    status: int
    body: str
    content_type: str = "application/json"
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Reserve:
    """Answer as inventory does after a reservation."""


@dataclass(frozen=True, slots=True)
class WriteRaw:
    """Answer with bytes that are no HTTP."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Hang:
    """Take the request and never answer."""


@dataclass(frozen=True, slots=True)
class Break:
    """Close the connection in the middle of the answer, or reset it before."""

    where: Literal["before", "in_headers", "in_body"]


@dataclass(frozen=True, slots=True)
class Hold:
    """Pass the request on after the conductor has opened the gate."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Pass the request on, and tell the conductor that it came."""


@dataclass(frozen=True, slots=True)
class Meet:
    """Pass the request on when all requests that meet here have arrived."""


Fault = Forward | StripHeaders | Answer | Reserve | WriteRaw | Hang | Break | Hold | Notice | Meet

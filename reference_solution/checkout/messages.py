"""Read the JSON bodies of requests and answers."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request


class Message(BaseModel):
    """A JSON object with fields of exact types: `true` is no quantity, and `"2"` neither."""

    # What came in may be a card number, and the text of an exception ends up in a span.
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)


MessageT = TypeVar("MessageT", bound=Message)


class InvalidRequestError(Exception):
    """The body of a request is not what the service expects."""


class UnreadableAnswerError(Exception):
    """Another service reported success with a body that makes no sense."""


async def read_request(request: Request, message: type[MessageT]) -> MessageT:
    """Read the body of an incoming request."""
    body = await request.body()
    try:
        return message.model_validate_json(body)
    except ValidationError as error:
        raise InvalidRequestError(str(error)) from None


def read_answer(content: bytes, message: type[MessageT]) -> MessageT:
    """Read the body of an answer."""
    try:
        return message.model_validate_json(content)
    except ValidationError as error:
        raise UnreadableAnswerError(str(error)) from None

"""Answer with an error, as JSON."""

import sqlite3
from collections.abc import Mapping
from http import HTTPStatus

import httpx
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from checkout.messages import InvalidRequestError, UnreadableAnswerError

# What an exception means for whoever called the service. It was recorded before, on the span where
# it happened; the 5xx answer makes the SERVER span an error too.
ANSWERS: dict[type[Exception], tuple[int, str]] = {
    InvalidRequestError: (422, "invalid_request"),
    ClientDisconnect: (499, "client_closed_request"),
    TimeoutError: (504, "gateway_timeout"),
    httpx.HTTPError: (502, "bad_gateway"),
    UnreadableAnswerError: (502, "bad_gateway"),
    sqlite3.Error: (500, "internal_error"),
    Exception: (500, "internal_error"),
}


def error_answer(status: int, code: str) -> JSONResponse:
    """Say what went wrong, and nothing about why: that is in the trace."""
    return JSONResponse({"error": code}, status)


def pass_on(status: int, codes: Mapping[int, str]) -> JSONResponse:
    """Pass another service's refusal on if `codes` names it; any other answer is its failure."""
    if status in codes:
        return error_answer(status, codes[status])
    return error_answer(502, "bad_gateway")


def answer_exceptions(app: FastAPI) -> None:
    """Turn the exceptions that leave the application's routes into answers."""

    async def answer(_request: Request, error: Exception) -> JSONResponse:
        known = next(kind for kind in type(error).__mro__ if kind in ANSWERS)
        return error_answer(*ANSWERS[known])

    async def answer_http_exception(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        phrase = HTTPStatus(error.status_code).phrase
        return error_answer(error.status_code, phrase.lower().replace(" ", "_"))

    for kind in ANSWERS:
        app.add_exception_handler(kind, answer)
    app.add_exception_handler(HTTPException, answer_http_exception)

"""Limits of a request body: 1 MiB, valid UTF-8 JSON, limited depth, no NUL or lone surrogates."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casework.adapters.http.problems import Problem, problem

MAX_BODY: Final = 1024 * 1024
MAX_UPLOAD: Final = 16 * 1024 * 1024
# Upload paths; only there may a body be larger.
UPLOADS: Final = ("/imports",)
READ_AWAY: Final = 32 * 1024 * 1024
MAX_DEPTH: Final = 32
MAX_DIGITS: Final = 15
MAX_ADDRESS: Final = 8 * 1024
MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 64 * 1024
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def _of_head(scope: Scope) -> Problem | None:
    """What is wrong with the size of an address or of the headers."""
    address = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    if address > MAX_ADDRESS:
        return Problem(f"at most {MAX_ADDRESS} bytes", code="uri_too_long")
    headers = scope["headers"]
    size = sum(len(name) + len(value) for name, value in headers)
    if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        return Problem(f"at most {MAX_HEADERS} headers of 64 KiB", code="headers_too_large")
    return None


def _language(scope: Scope) -> str:
    found: bytes = dict(scope["headers"]).get(b"accept-language", b"")
    return found.decode("latin-1")


def _most(scope: Scope) -> int:
    """The size limit of a body: larger for uploads."""
    is_upload = scope["method"] == "POST" and scope["path"].endswith(UPLOADS)
    return MAX_UPLOAD if is_upload else MAX_BODY


class BodyLimitMiddleware:
    """Answer 413 to a body over 1 MiB (a file: 16 MiB).

    The body is drained first, so that the client sees the response. A URL or headers beyond
    their bounds are 414 and 431, and nothing of a body is read.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Collect the body first; what is within the limit is handed on in one message."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = _of_head(scope)
        if refusal is not None:
            await problem(refusal, _language(scope))(scope, receive, send)
            return
        most = _most(scope)
        chunks, size, more = [], 0, True
        while more and size <= READ_AWAY:
            message = await receive()
            if message["type"] != "http.request":
                return
            chunk = message.get("body", b"")
            size += len(chunk)
            if size <= most:
                chunks.append(chunk)
            more = message.get("more_body", False)
        if size > most:
            await self._refuse(scope, receive, send, more, most)
            return
        await self._app(scope, _replayed(b"".join(chunks), receive), send)

    async def _refuse(
        self, scope: Scope, receive: Receive, send: Send, more: bool, most: int
    ) -> None:
        said = f"at most {most // MAX_BODY} MiB"
        response = problem(Problem(said, code="body_too_large"), _language(scope))
        if more:
            response.headers["Connection"] = "close"
        await response(scope, receive, send)


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def read_json(body: bytes) -> Any:
    """The JSON of a body. Refuses NUL, NaN, lone surrogates, and too deep or too large values."""
    try:
        found = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise Problem("not valid JSON in UTF-8", code="malformed") from error
    _check(found, 0)
    return found


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Problem(f"nested deeper than {MAX_DEPTH}", code="malformed")
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            check_text(key)
            _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)
    elif (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (abs(value) >= 10**MAX_DIGITS)
    ):
        raise Problem(f"a number of more than {MAX_DIGITS} digits", code="malformed")


def check_text(text: str) -> None:
    """Refuse NUL and lone surrogates, which a database cannot store."""
    if _UNSTORABLE.search(text):
        raise Problem("a character that cannot be stored", code="malformed")


def storable(text: str) -> str:
    """The same with ``?`` for what a database cannot store: for the record of the request."""
    return _UNSTORABLE.sub("?", text)

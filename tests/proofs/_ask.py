"""Requests straight to the ASGI application, without a socket and without a client's overhead."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlencode

import structlog
from anyio import to_thread

from tests import canaries

# What differs between responses without revealing anything.
PASSING: Final = ("x-request-id", "date", "server-timing")


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)

    @property
    def code(self) -> str | None:
        """The code of a problem document, or None."""
        if self.headers.get("content-type") != "application/problem+json":
            return None
        return str(self.json()["code"])

    @property
    def same_bytes(self) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """The whole response except the request id and the time."""
        headers = sorted((k, v) for k, v in self.headers.items() if k not in PASSING)
        return self.status, tuple(headers), self.content


class Asker:
    """Sends requests to an ASGI application."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._app, self._loop = app, loop
        self.asked = 0

    def __call__(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
    ) -> Answer:
        """Send one request; ``path`` must already be encoded."""
        self.asked += 1
        sent = {"host": "testserver"} | {k.lower(): v for k, v in (headers or {}).items()}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        body = content or b""
        if json is not None:
            body, sent["content-type"] = _dumped(json), "application/json"
        if body:
            sent["content-length"] = str(len(body))
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "path": path, "raw_path": path.encode(), "root_path": "", "scheme": "http",
            "query_string": urlencode(query or {}).encode(), "client": ("127.0.0.1", 1),
            "server": ("testserver", 80), "state": {},
            "headers": [(k.encode(), v.encode("utf-8")) for k, v in sent.items()],
        }  # fmt: skip
        answer = self._loop.run_until_complete(_exchange(self._app, scope, body))
        if canaries.SESSION_FOLDER in os.environ:  # a proof run by command has no pytest session
            canaries.look_at_answer(answer.status, answer.content)
        return answer


def _dumped(given: Any) -> bytes:
    return json.dumps(given, default=str, ensure_ascii=False).encode()


async def _exchange(app: Any, scope: dict[str, Any], body: bytes) -> Answer:
    came: list[dict[str, Any]] = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        came.append(message)

    await app(scope, receive, send)
    start, *parts = came
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in start["headers"]}
    return Answer(start["status"], headers, b"".join(part.get("body", b"") for part in parts))


async def _inline(func: Any, *args: Any, **_: Any) -> Any:
    return func(*args)


def quiet() -> None:
    """Log errors only: the output of a proof run by command is its result."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@contextmanager
def asking(app: Any) -> Iterator[Asker]:
    """A client that lives as long as the block: one request after the other, in this thread.

    What the application would run in a thread is called directly. Switching threads took as
    long as the work, and a matrix has thousands of requests.
    """
    loop = asyncio.new_event_loop()
    try:
        with patch.object(to_thread, "run_sync", _inline):
            yield Asker(app, loop)
    finally:
        loop.close()

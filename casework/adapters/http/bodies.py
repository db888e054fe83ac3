"""Bodies of requests: read when it is known who asks and to what, within bounds.

Nothing is read before a route asks for it. What is read is counted in the budget of the process
until its request is answered; what nobody asked for is discarded as it comes.
"""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import Any, Final

from anyio import fail_after, move_on_after
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casework.adapters.http.limits import MAX_BODY, problem_of_head
from casework.adapters.http.problems import Problem, problem

BODY: Final = "casework.body"
# A larger body that nobody asked for ends its connection.
READ_AWAY: Final = 32 * MAX_BODY
READ_AWAY_S: Final = 10.0
# How long a body may take on its way: 1 MiB or less, and a file.
SECONDS: Final = 30.0
FILE_SECONDS: Final = 120.0
IN_FLIGHT: Final = 96 * MAX_BODY
OF_ONE: Final = 32 * MAX_BODY


class Aborted(Exception):
    """The client went away before all of its body had come."""


class InFlight:
    """The bytes of bodies that the process holds: all together, and those of one account."""

    def __init__(self, most: int = IN_FLIGHT, of_one: int = OF_ONE) -> None:
        self._most, self._of_one = most, of_one
        self._held: Counter[object] = Counter()
        self._lock = Lock()

    @property
    def held(self) -> int:
        """How many bytes are held."""
        return self._held.total()

    def take(self, owner: object, size: int) -> None:
        """Hold that many more for somebody. Raises Problem ``busy`` where they are too many."""
        with self._lock:
            if self.held + size > self._most or self._held[owner] + size > self._of_one:
                raise Problem("too many bodies are on their way", code="busy")
            self._held[owner] += size

    def release(self, owner: object, size: int) -> None:
        """Hold that many less."""
        with self._lock:
            self._held[owner] -= size
            if self._held[owner] <= 0:
                del self._held[owner]


class Body:
    """The body of one request, as far as it was read."""

    def __init__(self, headers: Headers, receive: Receive) -> None:
        self._receive, self.has_ended, self.taken = receive, False, 0
        length = headers.get("content-length", "")
        self.length = int(length) if length.isdecimal() else None
        self.is_there = bool(self.length) or "transfer-encoding" in headers
        self.owner: object = None
        self.budget: InFlight | None = None

    async def read(self, most: int, budget: InFlight, owner: object) -> bytes:
        """All of it. Raises Problem where it is too large, too slow, or too much at once."""
        if not self.is_there:
            self.has_ended = True
            return b""
        self.budget, self.owner = budget, owner
        if (self.length or 0) > most:
            raise _too_large(most)
        found = bytearray()
        try:
            with fail_after(SECONDS if most <= MAX_BODY else FILE_SECONDS):
                while not self.has_ended:
                    chunk = await self._next()
                    if len(found) + len(chunk) > most:
                        raise _too_large(most)
                    budget.take(owner, len(chunk))
                    self.taken += len(chunk)
                    found += chunk
        except TimeoutError:
            raise Problem("the body took too long to come", code="body_too_slow") from None
        return bytes(found)

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            self.has_ended = True
            raise Aborted
        self.has_ended = not message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        return chunk

    async def discard(self) -> bool:
        """Whether the connection can go on after what was not read.

        The server passes over the rest of a body whose length is known; of another one so much is
        read here, and none of it kept.
        """
        if self.has_ended or not self.is_there:
            return True
        if self.length is not None:
            return self.length <= READ_AWAY
        size = 0
        with move_on_after(READ_AWAY_S):
            while not self.has_ended and size <= READ_AWAY:
                size += len(await self._next())
        return self.has_ended

    def release(self) -> None:
        """It is not needed any more."""
        if self.budget is not None and self.taken:
            self.budget.release(self.owner, self.taken)
            self.taken = 0


def _too_large(most: int) -> Problem:
    size = f"{most // MAX_BODY} MiB" if most >= MAX_BODY else f"{most // 1024} KiB"
    return Problem(f"at most {size}", code="body_too_large")


class BodyMiddleware:
    """Holds the body of each request back until a route reads it.

    A URL or headers beyond their bounds are 414 and 431. A client that goes away is answered
    nothing, which is no failure.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application; before it answers, pass over what was not read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        body = scope[BODY] = Body(headers, receive)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and not await body.discard():
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        try:
            refusal = problem_of_head(scope)
            if refusal is not None:
                refused = problem(refusal, headers.get("accept-language"))
                await refused(scope, receive, answer)
                return
            await self._app(scope, receive, answer)
        except Aborted:
            return
        finally:
            body.release()


def body_of(request: Request) -> Body:
    """The body of a request, not read yet."""
    body: Body = request.scope[BODY]
    return body


async def read_body(request: Request, most: int, owner: object) -> bytes:
    """Read the body of a request for its handlers, on behalf of an account or a source."""
    held: InFlight = request.app.state.services.in_flight
    kept: Any = request
    kept._body = await body_of(request).read(most, held, owner)  # as ``Request.body`` keeps it
    found: bytes = kept._body
    return found


def forget_body(request: Request) -> None:
    """Hold the body no longer: what was needed of it was read."""
    kept: Any = request
    kept._body = b""
    body_of(request).release()

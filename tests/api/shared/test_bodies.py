"""What is read of a body: nothing before it is known who asks, then within bounds and budget."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from fastapi import Request
from structlog.testing import capture_logs

from casework.adapters.http import bodies, route
from casework.adapters.http.bodies import Aborted, Body, InFlight
from casework.adapters.http.limits import MAX_BODY, MAX_UNKNOWN, MAX_UPLOAD
from casework.adapters.http.metrics import ABORTED, REQUESTS
from casework.adapters.http.problems import Problem
from tests.api.asking import ABSENT, everything
from tests.api.conftest import BASE, WORKER, Api

CHUNK: Final = b"x" * 65_536
GONE: Final[dict[str, Any]] = {"type": "http.disconnect"}
FORM: Final = "multipart/form-data; boundary=----------------------x"


def piece(chunk: bytes = CHUNK, *, more: bool = True) -> dict[str, Any]:
    """A piece of a body as the server hands it on."""
    return {"type": "http.request", "body": chunk, "more_body": more}


@dataclass
class Asked:
    """One request at the application's door, piece by piece: what was read, what was answered."""

    read: int = 0
    before_answer: int | None = None
    answers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> int | None:
        """The status, None where nothing was answered."""
        return self.answers[0]["status"] if self.answers else None

    @property
    def closes(self) -> bool:
        """Whether the answer ends the connection."""
        return (b"connection", b"close") in self.answers[0]["headers"]


async def ask(api: Api, path: str, pieces: Iterable[dict[str, Any]], **headers: str) -> Asked:
    """Post to a path; ``headers`` with underscores for hyphens."""
    asked, coming = Asked(), iter(pieces)

    async def receive() -> dict[str, Any]:
        asked.read += 1
        return next(coming, GONE)

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            asked.before_answer = asked.read
            asked.answers.append(message)

    raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "headers": raw, "client": ("testclient", 1), "server": ("x", 80),
    }  # fmt: skip
    app: Callable[..., Awaitable[None]] = api.client.app
    await app(scope, receive, send)
    return asked


def as_worker(api: Api) -> dict[str, str]:
    """The headers of somebody who may send files."""
    token = api.application.tokens.issue(api.id_of(WORKER), api.clock.now)
    return {"authorization": f"Bearer {token}", "content_type": "application/json"}


def endless(count: int = 10_000) -> Iterable[dict[str, Any]]:
    """A body that does not end."""
    return (piece() for _ in range(count))


UNREAD: Final = {
    "no such path": ("/nowhere", False, 404),
    "no such upload": (f"{BASE}/no/imports", False, 404),
    "nobody": (f"{BASE}/imports", False, 401),
    "nobody, to an operation": (f"{BASE}/referrals/{ABSENT}/accept", False, 401),
    "not of that type": (f"{BASE}/imports", True, 415),
    "larger than it may be": (f"{BASE}/referrals", True, 413),
    "a link that nobody has": ("/a/" + "x" * 43 + "/enter", False, 404),
    "larger than anybody unknown may": (f"{BASE}/auth/token", None, 413),
}


@pytest.mark.parametrize("name", UNREAD)
def test_nothing_is_read_of_what_will_be_refused(api: Api, name: str) -> None:
    path, signed_in, status = UNREAD[name]
    headers = {"content_length": str(MAX_UPLOAD)} | (as_worker(api) if signed_in else {})
    if signed_in is None:
        headers["content_type"] = route.FORM
    asked = asyncio.run(ask(api, path, endless(), **headers))
    assert (asked.status, asked.before_answer) == (status, 0)
    assert not asked.closes
    assert api.client.app.state.services.in_flight.held == 0  # type: ignore[attr-defined]


def test_the_control_that_reads_first_is_found(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the fault switched on, the same request is read before anybody is asked for."""
    usual = route.GuardedRoute._facts

    async def first(self: Any, request: Request) -> Any:
        await request.body()
        return usual(self, request)

    async def handled(self: Any, scope: Any, receive: Any, send: Any) -> None:
        await first(self, Request(scope, receive))
        await handle(self, scope, receive, send)

    handle = route.GuardedRoute.handle
    monkeypatch.setattr(route.GuardedRoute, "handle", handled)
    path, _, _ = UNREAD["nobody"]
    asked = asyncio.run(ask(api, path, [piece(more=False)], content_length=str(len(CHUNK))))
    assert asked.before_answer != 0


def test_a_body_that_never_ends_ends_its_connection_and_none_of_it_is_kept(api: Api) -> None:
    asked = asyncio.run(ask(api, "/nowhere", endless(), transfer_encoding="chunked"))
    assert (asked.status, asked.closes) == (404, True)
    assert bodies.READ_AWAY < asked.read * len(CHUNK) < 2 * bodies.READ_AWAY
    length = str(bodies.READ_AWAY + 1)
    asked = asyncio.run(ask(api, "/nowhere", endless(), content_length=length))
    assert (asked.status, asked.before_answer, asked.closes) == (404, 0, True)


def test_what_is_told_of_the_length_is_not_believed(api: Api) -> None:
    for told in ({"transfer_encoding": "chunked"}, {"content_length": "5"}):
        asked = asyncio.run(ask(api, f"{BASE}/referrals", endless(), **as_worker(api), **told))
        assert asked.status == 413
    form = {"content_type": route.FORM, "transfer_encoding": "chunked"}
    asked = asyncio.run(ask(api, f"{BASE}/auth/token", endless(), **form))
    assert asked.status == 413


def test_bodies_in_flight_have_a_budget_and_one_account_a_part_of_it() -> None:
    budget = InFlight(most=10, of_one=6)
    budget.take("a", 6)
    with pytest.raises(Problem) as refused:
        budget.take("a", 1)
    assert refused.value.code == "busy"
    budget.take("b", 4)
    with pytest.raises(Problem):
        budget.take("c", 1)
    budget.release("a", 6)
    budget.take("c", 6)
    assert budget.held == 10


def test_beyond_the_budget_one_waits_and_what_was_held_is_free_again(api: Api) -> None:
    services = api.client.app.state.services  # type: ignore[attr-defined]
    headers = as_worker(api) | {"content_type": FORM, "transfer_encoding": "chunked"}
    held = InFlight(most=3 * len(CHUNK), of_one=3 * len(CHUNK))
    usual, services.__dict__["in_flight"] = services.in_flight, held
    try:
        before, pieces = everything(api), [*endless(100), piece(more=False)]
        asked = asyncio.run(ask(api, f"{BASE}/imports", pieces, **headers))
        assert asked.status == 503
        assert (b"retry-after", b"1") in asked.answers[0]["headers"]
        assert (asked.before_answer, held.held) == (101, 0)  # three were held, the others discarded
        assert everything(api) == before
    finally:
        services.__dict__["in_flight"] = usual


def test_a_body_that_takes_too_long_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SECONDS", 0.05)

    async def slow() -> Any:
        await asyncio.sleep(1)

    body = Body(_headers(), slow)
    with pytest.raises(Problem) as refused:
        asyncio.run(body.read(MAX_BODY, InFlight(), None))
    assert refused.value.code == "body_too_slow"


def _headers() -> Any:
    from starlette.datastructures import Headers

    return Headers({"transfer-encoding": "chunked"})


def counted(status: int) -> float:
    """How many requests were answered so."""
    return sum(
        sample.value
        for metric in REQUESTS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["status"] == str(status)
    )


def test_an_upload_that_is_broken_off_is_no_failure_of_ours(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = f"{BASE}/imports", everything(api)
    of = [counted(status) for status in (500, ABORTED)]
    headers = as_worker(api) | {"content_type": FORM, "content_length": str(MAX_UPLOAD)}
    with capture_logs() as logs:
        asked = asyncio.run(ask(api, path, [piece(), piece(), GONE], **headers))
    assert (asked.status, asked.read) == (None, 3)
    assert [counted(status) for status in (500, ABORTED)] == [of[0], of[1] + 1]
    assert [one for one in logs if one["log_level"] == "error"] == []
    assert everything(api) == before
    assert api.client.app.state.services.in_flight.held == 0  # type: ignore[attr-defined]
    # The control: taken for any other error, it is found as a failure.
    monkeypatch.setattr(Aborted, "__init__", lambda self: _fail())
    with capture_logs() as logs:
        asked = asyncio.run(ask(api, path, [piece(), GONE], **headers))
    assert (asked.status, counted(500)) == (500, of[0] + 1)
    assert [one for one in logs if one["log_level"] == "error"]


def _fail() -> None:
    raise ConnectionError


def test_a_form_of_somebody_unknown_has_64_kib(api: Api) -> None:
    for size, status in ((MAX_UNKNOWN, (401, 422)), (MAX_UNKNOWN + 1, (413,))):
        body = b"username=x&password=y&scope=" + b"x" * size
        answer = api.client.post(
            f"{BASE}/auth/token", content=body[:size], headers={"Content-Type": route.FORM}
        )
        assert answer.status_code in status

"""Response headers, size limits, rate limits and timeouts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, select, text
from starlette.testclient import TestClient

from casework.adapters.api.app import ROUTERS
from casework.adapters.http import deadlines, limits, middleware
from casework.adapters.http import route as http_route
from casework.adapters.http.rates import Buckets, Rates, TooMany, network_of
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine import engine as engines
from casework.adapters.persistence.engine import reaching, timeouts
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.faults import fault
from casework.bootstrap import Application
from casework.settings import Settings
from tests.api.acts import a_referral, a_supported_case
from tests.api.asking import everything, refusal
from tests.api.conftest import BASE, COLLEAGUE, PASSWORD, PROVIDER, WORKER, Api
from tests.api.racing import ON_POSTGRES, locked
from tests.conftest import Store, session_vault


@contextmanager
def services(api: Api, **changed: Any) -> Iterator[None]:
    """The application with some of its services changed."""
    state = api.client.app.state  # type: ignore[attr-defined]
    before = state.services
    state.services = replace(before, **changed)
    try:
        yield
    finally:
        state.services = before


# Headers


def test_every_answer_has_the_headers_that_keep_it_to_itself(api: Api) -> None:
    worker, client = api.as_(WORKER), api.client
    big = b"x" * (limits.MAX_BODY + 1)
    answers = {
        "shown": worker.get("/me"), "list": worker.get("/referrals"),
        "absent": worker.get(f"/referrals/{WORKER}"), "nobody": client.get(BASE + "/me"),
        "forbidden": api.as_("city").get("/cases"), "no path": client.get("/nothing"),
        "no method": client.put(BASE + "/me"), "options": client.options(BASE + "/me"),
        "head": client.head(BASE + "/me"), "live": client.get("/health/live"),
        "ready": client.get("/health/ready"), "metrics": client.get("/metrics"),
        "document": client.get(BASE + "/openapi.json"),
        "large": worker.request(
            "POST", "/referrals", content=big, headers={"Content-Type": "application/json"}
        ),
        "malformed": worker.post("/cases/", content=b"{"),
        "sign-in": client.post(BASE + "/auth/token", data={"username": "x", "password": "y"}),
    }  # fmt: skip
    for name, answer in answers.items():
        for header, value in middleware.HEADERS.items():
            assert answer.headers[header] == value, (name, header)
        assert "server" not in answer.headers, name
        assert "strict-transport-security" not in answer.headers, name
        assert not [one for one in answer.headers if one.startswith("access-control-")], name
    assert {answer.status_code for answer in answers.values()} >= {200, 401, 403, 404, 405, 413}


def test_in_production_browsers_are_told_to_come_by_tls_only(api: Api) -> None:
    with services(api, is_production=True):
        for path in (BASE + "/me", "/nothing", "/health/live"):
            found = api.client.get(path).headers["strict-transport-security"]
            assert found == "max-age=31536000; includeSubDomains"


def test_nobody_elses_page_may_ask_and_the_docs_are_at_one_path_only(api: Api) -> None:
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    for answer in (
        api.client.options(BASE + "/me", headers=asked),
        api.as_(WORKER).get("/me", headers={"Origin": "https://elsewhere.example"}),
    ):
        assert not [one for one in answer.headers if one.startswith("access-control-")]
    served = {
        path: api.client.get(path).status_code for path in ("/docs", "/redoc", BASE + "/docs")
    }
    assert served == {"/docs": 200, "/redoc": 404, BASE + "/docs": 404}


def test_another_method_is_told_which_there_are(api: Api) -> None:
    for method in ("OPTIONS", "TRACE", "HEAD", "DELETE", "PROPFIND"):
        answer = api.client.request(method, BASE + "/me")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET"), method


def test_what_nobody_caught_leaves_as_a_problem_without_a_word_of_it() -> None:
    async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("canary-77")

    async def breaks_off(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("canary-77")

    answer = TestClient(middleware.OuterMiddleware(broken)).get("/")
    assert refusal(answer) == (500, "internal_error")
    assert "canary" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    with pytest.raises(ConnectionError) as off:
        TestClient(middleware.OuterMiddleware(breaks_off)).get("/")
    assert "canary" not in str(off.value)
    assert off.value.__suppress_context__


# Size limits


def test_an_address_has_its_bound(api: Api) -> None:
    for size, status in ((limits.MAX_ADDRESS, 404), (limits.MAX_ADDRESS + 1, 414)):
        answer = api.client.get("/" + "a" * (size - 1))
        assert answer.status_code == status, size
    query = "?x=" + "a" * (limits.MAX_ADDRESS - len(BASE + "/me") - 1)
    assert api.as_(WORKER).get("/me" + query[:-1]).status_code == 422
    answer = api.as_(WORKER).get("/me" + query)
    assert refusal(answer) == (414, "uri_too_long")


def test_headers_have_their_bounds(api: Api) -> None:
    size = sum(len(k) + len(v) for k, v in api.client.get("/nothing").request.headers.raw)
    room = limits.MAX_HEADER_BYTES - size - len("x-odd")
    for more, status in ((room, 404), (room + 1, 431)):
        answer = api.client.get("/nothing", headers={"x-odd": "a" * more})
        assert answer.status_code == status, more
    known = len(api.client.get("/nothing").request.headers.raw)
    for count, status in ((limits.MAX_HEADERS - known, 404), (limits.MAX_HEADERS - known + 1, 431)):
        many = {f"x-{n}": "1" for n in range(count)}
        answer = api.client.get("/nothing", headers=many)
        assert answer.status_code == status, count
    assert refusal(answer) == (431, "headers_too_large")


# Rate limits


class Ticks:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def taken(buckets: Buckets, key: object, times: int) -> int:
    """How many of that many tokens the bucket gave."""
    had = 0
    for _ in range(times):
        try:
            buckets.take(key)
        except TooMany:
            continue
        had += 1
    return had


def test_a_bucket_gives_its_burst_and_then_as_many_as_flow_in() -> None:
    clock = Ticks()
    buckets = Buckets(2, 10, clock=clock)
    assert taken(buckets, "a", 12) == 10
    assert taken(buckets, "b", 3) == 3
    clock.now += 0.49
    assert taken(buckets, "a", 1) == 0
    clock.now += 0.01
    assert taken(buckets, "a", 2) == 1
    clock.now += 3600
    assert taken(buckets, "a", 20) == 10


def test_it_says_how_long_to_wait_and_which_refusal_is_the_first() -> None:
    clock = Ticks()
    buckets = Buckets(0.1, 1, clock=clock)
    buckets.take("a")
    found = []
    for _ in range(2):
        with pytest.raises(TooMany) as refused:
            buckets.take("a")
        found.append((refused.value.retry_after, refused.value.is_first))
        clock.now += 4
    assert found == [(10, True), (6, False)]
    clock.now += 2
    buckets.take("a")
    with pytest.raises(TooMany) as again:
        buckets.take("a")
    assert again.value.is_first


def test_it_keeps_so_many_buckets_and_forgets_the_longest_unused() -> None:
    buckets = Buckets(1, 2, max_buckets=3, clock=Ticks())
    for key in "abc":
        assert taken(buckets, key, 3) == 2
    assert taken(buckets, "a", 1) == 0  # used last
    assert taken(buckets, "d", 1) == 1
    assert len(buckets) == 3
    assert (taken(buckets, "a", 1), taken(buckets, "b", 1)) == (0, 1)


def test_many_at_once_take_no_token_twice() -> None:
    buckets = Buckets(1, 500, clock=Ticks())
    with ThreadPoolExecutor(8) as pool:
        had = sum(pool.map(lambda _: taken(buckets, "a", 100), range(8)))
    assert had == 500


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::"), ("testclient", "testclient"),
        (None, "unknown"), ("", "unknown"),
    ],
)  # fmt: skip
def test_of_ipv6_it_is_the_network_that_is_counted(address: str | None, network: str) -> None:
    assert network_of(address) == network


def test_an_account_that_asks_too_often_waits_and_others_do_not(api: Api) -> None:
    clock = Ticks()
    with services(api, rates=Rates(1, clock=clock)):
        worker = api.as_(WORKER)
        before = len(entries(api))
        answers = [worker.get("/me") for _ in range(13)]
        assert [one.status_code for one in answers] == [200] * 10 + [429] * 3
        assert refusal(answers[-1]) == (429, "too_many_requests")
        assert answers[-1].headers["retry-after"] == "1"
        assert answers[-1].headers["content-type"] == "application/problem+json"
        assert [one["code"] for one in entries(api)[before:]] == ["too_many_requests"]
        assert api.as_(COLLEAGUE).get("/me").status_code == 200
        clock.now += 1
        assert worker.get("/me").status_code == 200
        assert worker.get("/me").status_code == 429


def entries(api: Api) -> list[dict[str, Any]]:
    """The audit entries, oldest first."""
    with api.engine.connect() as connection:
        rows = connection.execute(select(t.audit_entry).order_by(t.audit_entry.c.id))
        return [dict(row._mapping) for row in rows]


def test_a_request_that_is_one_too_many_does_nothing(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    with services(api, rates=Rates(0.1, clock=Ticks())):
        api.as_(PROVIDER).get("/me")
        before = everything(api)
        answer = api.as_(PROVIDER).post(f"/referrals/{referral}/accept")
        assert answer.status_code == 429
        assert everything(api) == before


def test_a_source_is_counted_before_anybody_is_known(api: Api) -> None:
    with services(api, rates=Rates(0.1, clock=Ticks())):  # ten at once from one source
        codes = [api.client.get(BASE + "/me").status_code for _ in range(12)]
        assert codes == [401] * 10 + [429] * 2
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert api.client.get(path).status_code == 200


def test_signing_in_is_counted_by_itself_and_more_strictly(api: Api) -> None:
    form = {"username": WORKER, "password": PASSWORD}
    clock = Ticks()
    with services(api, rates=Rates(1000, clock=clock)):
        codes = [api.client.post(BASE + "/auth/token", data=form).status_code for _ in range(31)]
        assert codes == [200] * 30 + [429]
        assert api.as_(WORKER).get("/me").status_code == 200
        clock.now += 1
        assert api.client.post(BASE + "/auth/token", data=form).status_code == 200


@pytest.mark.parametrize(
    ("mode", "limit", "per_second"),
    [
        ("development", None, 0), ("development", 5, 5), ("production", None, 20),
        ("production", 0, 0), ("production", 7, 7),
    ],
)  # fmt: skip
def test_how_often_is_a_setting_and_on_in_production(
    mode: str, limit: int | None, per_second: int
) -> None:
    assert Settings(mode=mode, rate_limit=limit).requests_per_second == per_second


def test_without_a_limit_nobody_waits() -> None:
    rates = Rates(0)
    for _ in range(10_000):
        rates.account("a")
        rates.source("b", signs_in=True)


# Timeouts


def test_the_timeouts_nest() -> None:
    lock, statement = engines.LOCK_TIMEOUT_MS / 1000, engines.STATEMENT_TIMEOUT_MS / 1000
    assert engines.POOL_WAIT_S <= lock < statement < timeouts.REQUEST_TIMEOUT_S
    assert timeouts.REQUEST_TIMEOUT_S < timeouts.LONG_REQUEST_TIMEOUT_S
    assert timeouts.REQUEST_TIMEOUT_S < engines.IDLE_TIMEOUT_MS / 1000
    assert (lock, statement, timeouts.REQUEST_TIMEOUT_S) == (2, 4, 5)
    assert (http_route.SECONDS, http_route.LONG_SECONDS) == (
        timeouts.REQUEST_TIMEOUT_S, timeouts.LONG_REQUEST_TIMEOUT_S,
    )  # fmt: skip
    assert engines.WRITER_TIMEOUT_MS / 1000 < timeouts.REQUEST_TIMEOUT_S
    assert deadlines.RECORD_SECONDS <= 1
    together = timeouts.REQUEST_TIMEOUT_S + deadlines.RECORD_LATE_S + reaching.GRACE_S
    assert together < 6, "a request whose refusal is recorded as late as may be"


def test_what_may_take_long_is_what_takes_many_transactions() -> None:
    long = {
        getattr(route, "path", "")
        for router in ROUTERS
        for route in router.routes
        if (getattr(route, "openapi_extra", None) or {}).get("x-long")
    }
    assert long == {
        "/jobs/overdue/run", "/overdue/reviews", "/conferences/{id}/decisions",
        "/caseloads/handover", "/standards/{id}/recalculate", "/holidays", "/inbox/answers",
        "/imports", "/imports/{id}/report", "/exports", "/directory/entries/steps",
        "/accounts/{id}",  # hands over a whole caseload, as above
    }  # fmt: skip


@ON_POSTGRES
def test_every_connection_has_the_timeouts_of_the_database(api: Api) -> None:
    engine = engines.open_engine(api.application.settings.url())
    with engine.connect() as connection:
        found = [
            connection.scalar(text(f"SHOW {name}"))
            for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        ]
    engine.dispose()
    assert found == ["2s", "4s", "10s"]


def is_busy(answer: Any) -> bool:
    """Whether it is a 503 with Retry-After."""
    assert refusal(answer) == (503, "busy"), answer.text
    return bool(answer.headers["retry-after"] == "1")


@ON_POSTGRES
def test_who_waits_for_a_lock_is_told_to_come_again(api: Api) -> None:
    referral = a_referral(api)
    row = select(t.care_case).with_for_update()
    accept = f"/referrals/{referral}/accept"
    api.as_(PROVIDER).get(f"/referrals/{referral}")  # what is built at a first request is built
    began = time.monotonic()
    with locked(api, row):
        assert is_busy(api.as_(PROVIDER).post(accept))
    assert 1.9 < time.monotonic() - began < 4
    assert api.application.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert api.as_(PROVIDER).post(accept).status_code == 200


@contextmanager
def slow(api: Api, seconds: float, only: str) -> Iterator[None]:
    """Statements with a word in them sleep first, in the database itself."""

    def sleep(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if only in statement:
            cursor.execute(f"SELECT pg_sleep({seconds})")

    event.listen(api.application.engine, "before_cursor_execute", sleep)
    try:
        yield
    finally:
        event.remove(api.application.engine, "before_cursor_execute", sleep)


@ON_POSTGRES
def test_a_statement_that_takes_too_long_is_ended(api: Api) -> None:
    a_referral(api)
    api.actor(WORKER)
    began = time.monotonic()
    with slow(api, 30, "FROM referral"):
        assert is_busy(api.as_(WORKER).get("/referrals"))
    assert 3.5 < time.monotonic() - began < 6
    assert api.application.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert api.as_(WORKER).get("/referrals").status_code == 200


@ON_POSTGRES
def test_a_request_of_many_slow_statements_is_ended_as_well(api: Api) -> None:
    referral = a_referral(api)
    api.actor(PROVIDER)
    before = everything(api)
    began = time.monotonic()
    with slow(api, 1.5, "FROM"), services(api, time_allowed=timeouts.time_allowed):
        assert is_busy(api.as_(PROVIDER).post(f"/referrals/{referral}/accept"))
    assert time.monotonic() - began < 6.5
    assert everything(api) == before
    assert api.application.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_time_that_has_run_out_ends_a_request_before_its_next_statement(api: Api) -> None:
    referral = a_referral(api)
    before = everything(api)
    with services(api, time_allowed=lambda seconds: timeouts.time_allowed(
        0 if seconds == http_route.SECONDS else seconds
    )):  # fmt: skip
        assert is_busy(api.as_(PROVIDER).post(f"/referrals/{referral}/accept"))
        assert is_busy(api.as_(WORKER).get("/referrals"))
    assert everything(api) == before
    assert entries(api)[-1]["code"] == "busy"
    assert api.as_(PROVIDER).post(f"/referrals/{referral}/accept").status_code == 200


def test_time_is_one_contexts_own_and_ends_with_it(api: Api) -> None:
    with timeouts.time_allowed(0):
        with (
            pytest.raises(timeouts.OutOfTime) as over,
            api.application.engine.connect() as connection,
        ):
            connection.execute(text("SELECT 1"))
        assert fault(over.value) == "busy"
        with timeouts.time_allowed(5), api.application.engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
    with api.application.engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


@ON_POSTGRES
def test_rows_that_are_fetched_bit_by_bit_are_held_to_the_time_left_too(api: Api) -> None:
    bit_by_bit = api.application.engine.execution_options(yield_per=2)
    with timeouts.time_allowed(2), bit_by_bit.begin() as connection:
        assert list(connection.scalars(text("SELECT generate_series(1, 5)"))) == [1, 2, 3, 4, 5]
        left = connection.scalar(text("SELECT current_setting('statement_timeout')"))
    assert re.fullmatch(r"1\d{3}ms|2s", left), left


@ON_POSTGRES
def test_who_finds_no_free_connection_is_told_to_come_again(
    api: Api, application: Application, store: Store
) -> None:
    referral = a_referral(api)
    api.actor(WORKER)
    small = open_engine(store.url, pool_size=1).execution_options(vault=session_vault())
    with services(api, store=type(application.store)(small)):
        with small.connect() as held:
            held.execute(text("SELECT 1"))
            began = time.monotonic()
            assert is_busy(api.as_(WORKER).get(f"/referrals/{referral}"))
            assert 0.9 < time.monotonic() - began < 4
        assert small.pool.checkedout() == 0  # type: ignore[attr-defined]
        assert api.as_(WORKER).get(f"/referrals/{referral}").status_code == 200
    small.dispose()

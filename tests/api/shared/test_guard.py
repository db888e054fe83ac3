"""The guard: permissions, limits of request bodies, and the audit of refusals."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import cycle
from threading import Thread
from typing import Any, Final
from uuid import UUID

import pytest
import uvicorn
from fastapi import APIRouter
from sqlalchemy import insert, select
from starlette.routing import Route
from structlog.testing import capture_logs

from casework.adapters.api import app as application
from casework.adapters.http import route as http_route
from casework.adapters.http.limits import MAX_BODY
from casework.adapters.http.route import GuardedRoute
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.unit_of_work import store
from casework.workflows.referring import referring
from tests.api.acts import Supported, a_referral, a_supported_case
from tests.api.asking import ABSENT, everything
from tests.api.conftest import (
    ASSESSOR,
    BASE,
    DISTRICT,
    NEIGHBOUR,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

# Hundreds of requests are refused before the store is reached, so one store is enough.
ON_ONE_STORE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
INTEGRATION = "integration.here"
WHO: Final = {
    "worker": WORKER, "supervisor": SUPERVISOR, "assessor": ASSESSOR, "provider": PROVIDER,
    "city": "city", "auditor": "auditor", "admin": "admin", "integration": INTEGRATION,
}  # fmt: skip
EVERYONE = " ".join(WHO)
# The contract's table of who may do what, route by route. A new route needs its line here.
TABLE: Final[dict[str, tuple[str, ...]]] = {
    "": ("POST /auth/token", "POST /auth/revoke"),
    EVERYONE: (
        "GET /me", "POST /me/password", "POST /me/phone", "POST /me/sessions/revoke-all",
        "GET /districts", "GET /centres", "GET /services", "GET /providers",
        "GET /offerings", "GET /offerings/{id}/capacity", "GET /directory/overview",
        "GET /standards/effective", "GET /standards/holds", "GET /holidays",
    ),
    "worker supervisor assessor admin": (
        "POST /imports", "GET /imports", "GET /imports/template", "GET /imports/{id}",
        "GET /imports/{id}/rows", "GET /imports/{id}/report", "POST /imports/{id}/stop",
    ),
    "worker supervisor assessor provider city admin": ("POST /exports",),
    "worker supervisor assessor provider city": (
        "GET /worklist", "GET /deadlines/{id}", "GET /deadlines/{id}/explanation",
        "GET /deadlines/{id}/escalations",
    ),
    "worker supervisor provider admin": ("GET /accounts",),
    "supervisor provider admin": (
        "GET /webhooks", "GET /webhooks/{id}", "DELETE /webhooks/{id}",
        "PATCH /providers/{id}", "GET /providers/{id}/open-work",
        "PATCH /offerings/{id}/capacity",
    ),
    "worker supervisor provider city": (
        "GET /figures", "GET /figures/months", "GET /figures/months/{month}",
    ),
    "worker supervisor city": (
        "GET /unmet-needs/summary", "GET /coverage", "GET /overdue", "GET /overdue/summary",
    ),
    "worker supervisor assessor": (
        "POST /residents/search", "GET /residents/{id}", "GET /residents/{id}/consents",
        "GET /residents/{id}/timeline", "GET /cases", "GET /cases/{id}", "GET /cases/{id}/plan",
        "GET /cases/{id}/time", "GET /cases/{id}/summary", "POST /cases/{id}/assessments",
    ),
    "worker supervisor provider": (
        "GET /referrals", "GET /referrals/{id}", "POST /referrals/{id}/accept",
        "POST /referrals/{id}/waitlist", "POST /referrals/{id}/decline",
        "POST /referrals/{id}/start", "POST /referrals/{id}/report", "POST /referrals/{id}/signal",
        "POST /referrals/{id}/hold", "POST /referrals/{id}/resume", "POST /referrals/{id}/complete",
        "POST /referrals/{id}/fail", "GET /referrals/{id}/delivered", "GET /referrals/{id}/visit",
    ),
    "worker supervisor": (
        "POST /households", "GET /households/{id}", "POST /households/{id}/members",
        "POST /households/{id}/members/{resident_id}/leave",
        "POST /residents", "PATCH /residents/{id}", "POST /residents/{id}/consents",
        "POST /residents/{id}/consents/batch", "GET /residents/{id}/disclosures",
        "POST /consents/{id}/withdraw", "POST /consents/{id}/correct",
        "POST /residents/{id}/notes", "GET /residents/{id}/notes",
        "POST /notes/{id}/answer", "POST /notes/{id}/answer/undo", "POST /notes/{id}/correct",
        "POST /residents/{id}/died",
        "POST /residents/{id}/rrn/reveal",
        "POST /cases", "PATCH /cases/{id}", "POST /cases/{id}/pre-survey",
        "POST /cases/{id}/checks", "POST /checks/{id}/correct",
        "POST /cases/{id}/signals", "POST /signals/{id}/answer", "POST /cases/{id}/close",
        "POST /cases/{id}/hold", "POST /cases/{id}/resume",
        "PUT /cases/{id}/plan/draft", "POST /cases/{id}/plan/submit",
        "POST /cases/{id}/plan/notified", "POST /planned-services/{id}/settle",
        "POST /offerings/match",
        "POST /referrals", "POST /referrals/{id}/send", "POST /referrals/{id}/cancel",
        "POST /referrals/{id}/withdraw", "POST /referrals/{id}/dispose",
        "POST /referrals/{id}/correct", "POST /referrals/{id}/priority",
        "POST /referrals/{id}/link", "GET /referrals/{id}/links", "POST /links/{id}/revoke",
        "PUT /residents/{id}/way-in",
        "GET /unmet-needs",
        "POST /break-glass", "GET /break-glass", "GET /break-glass/{id}",
        "POST /break-glass/{id}/end",
        "POST /residents/{id}/access-requests", "GET /residents/{id}/access-requests",
        "GET /access-requests", "GET /access-requests/{id}",
        "POST /access-requests/{id}/identity", "POST /access-requests/{id}/answer",
        "GET /access-requests/{id}/document",
        "GET /imports/unmatched", "GET /imports/unmatched/{id}",
        "POST /imports/unmatched/{id}/assign", "POST /imports/unmatched/{id}/dismiss",
    ),
    "supervisor provider city admin": (
        "GET /providers/{id}", "GET /providers/{id}/history", "GET /offerings/{id}",
        "GET /offerings/{id}/history", "GET /services/{code}", "GET /services/{code}/history",
        "GET /directory/entries",
    ),
    "supervisor city admin": (
        "POST /providers/{id}/designations", "POST /designations/{id}/end",
        "POST /directory/entries/steps",
        "POST /bodies", "PATCH /bodies/{id}", "POST /bodies/{id}/end", "POST /bodies/{id}/seats",
        "POST /seats/{id}/end",
    ),
    "supervisor city auditor admin": ("GET /bodies", "GET /bodies/{id}"),
    "supervisor city": ("POST /offerings/{id}/confirm",),
    "city admin": (
        "POST /offerings/{id}/publish", "POST /offerings/{id}/withdraw",
        "POST /services/{code}/publish", "POST /services/{code}/withdraw",
    ),
    "city": ("POST /services/{code}/confirm",),
    "auditor": (
        "GET /audit", "GET /audit/affected", "GET /audit/summary", "GET /audit/reviews",
        "GET /audit/reviews/due", "POST /audit/reviews",
    ),
    "supervisor": (
        "POST /break-glass/{id}/close",
        "POST /cases/{id}/plan/decision", "POST /cases/{id}/plan/decision/correct",
        "POST /conferences/{id}/correct", "POST /conferences", "GET /conferences",
        "GET /conferences/{id}", "GET /conferences/{id}/minutes",
        "POST /conferences/{id}/agenda", "POST /conferences/{id}/decisions",
        "POST /cases/{id}/assign", "POST /cases/{id}/transfer", "POST /cases/{id}/reopen",
        "POST /cases/{id}/legal-hold", "POST /cases/{id}/legal-hold/end",
        "POST /caseloads/handover", "POST /absences", "GET /absences", "GET /absences/{id}",
        "PATCH /absences/{id}", "POST /absences/{id}/end",
        "POST /checks/{id}/enter-in-error", "POST /residents/{id}/died/undo",
        "POST /residents/{id}/merge", "GET /merges/{id}", "POST /merges/{id}/undo",
        "GET /duplicates", "POST /duplicates/{id}/decide",
        "POST /referrals/{id}/enter-in-error",
        "POST /overdue/reviews", "POST /overdue/{deadline_id}/review",
        "GET /figures/cases", "POST /figures/months/{month}/close",
    ),
    "supervisor admin": (
        "GET /jobs", "GET /jobs/{name}/runs", "POST /jobs/overdue/run",
        "GET /notices/held", "POST /notices/release", "PUT /providers/{id}/answering",
        "GET /standards", "POST /standards", "GET /standards/{id}", "PATCH /standards/{id}",
        "POST /standards/{id}/recalculate", "POST /holidays",
        "POST /districts/{code}/retention",
        "POST /centres/{code}/phone", "POST /providers", "POST /providers/{id}/end",
        "POST /offerings", "PATCH /offerings/{id}",
    ),
    "admin": (
        "POST /services", "PATCH /services/{code}",
        "GET /outbox", "POST /outbox/{id}/replay",
        "POST /accounts", "GET /accounts/{id}", "PATCH /accounts/{id}",
        "POST /accounts/{id}/reset-password", "POST /accounts/{id}/reset-totp",
        "POST /accounts/{id}/grants", "POST /accounts/{id}/grants/revoke",
        "POST /accounts/{id}/tokens", "GET /accounts/{id}/tokens",
        "POST /accounts/{id}/tokens/{token_id}/revoke",
    ),
    "worker supervisor assessor city auditor admin": (
        "POST /me/totp", "POST /me/totp/confirm", "POST /me/totp/disable",
    ),
    "worker supervisor assessor provider city auditor admin": (
        "POST /me/tokens", "GET /me/tokens", "POST /me/tokens/{id}/revoke",
    ),
    "provider": (
        "GET /inbox", "POST /inbox/answers", "GET /inbox/figures",
        "GET /inbox/staff", "POST /inbox/staff", "GET /inbox/staff/{id}",
        "PATCH /inbox/staff/{id}", "POST /inbox/staff/{id}/reset-password",
    ),
    "provider admin": (
        "POST /webhooks",
    ),
}  # fmt: skip
LET_IN: Final = {route: roles.split() for roles, routes in TABLE.items() for route in routes}
JSON_BODY: Final = {"Content-Type": "application/json"}
HEALTH: Final = ("/health/live", "/health/ready", "/metrics")


@cache
def document() -> Any:
    """The application's OpenAPI document."""
    unused: Any = object()
    return application.create_app(unused, unused).openapi()


def routes() -> list[str]:
    """Every operation under the base path, as ``METHOD /path``."""
    return [
        f"{method.upper()} {path.removeprefix(BASE)}"
        for path, operations in document()["paths"].items()
        for method in operations
        if path.startswith(BASE)
    ]


def send(api: Api, username: str | None, route: str, id: object, **with_it: Any) -> Any:
    """Send a request to a route as an account or without a token, about an id."""
    method, path = route.split(" ")
    for name in ("id", "deadline_id", "resident_id", "token_id", "name", "code"):
        path = path.replace(f"{{{name}}}", str(id))
    headers = {"If-Match": '"1"', "Content-Type": "application/json"} | with_it.pop("headers", {})
    if username is None:
        return api.client.request(method, BASE + path, headers=headers, **with_it)
    return api.as_(username).request(method, path, headers=headers, **with_it)


def is_problem(answer: Any, status: int, code: str) -> bool:
    """Whether it is a problem document with this status that must not be cached."""
    told = answer.json()
    return bool(
        (answer.status_code, told["status"], told["code"]) == (status, status, code)
        and told["type"] == f"urn:casework:problem:{code}"
        and told["title"]
        and answer.headers["content-type"] == "application/problem+json"
        and answer.headers["cache-control"] == "no-store"
    )


def audit(api: Api) -> list[dict[str, Any]]:
    """The audit entries, oldest first."""
    with api.engine.connect() as connection:
        rows = connection.execute(select(t.audit_entry).order_by(t.audit_entry.c.id))
        return [dict(row._mapping) for row in rows]


@pytest.fixture
def staffed(api: Api) -> Api:
    """The small world with an account of the one role that it lacks."""
    with api.engine.begin() as connection:
        connection.execute(
            insert(t.account),
            [{
                "id": new_id(), "username": INTEGRATION, "name": "a system", "role": "integration",
                "password_hash": "", "created_at": api.clock.now, "district_code": DISTRICT,
                "is_head": False, "is_active": True,
            }],
        )  # fmt: skip
    return api


# Permissions


def test_every_route_stands_in_the_table() -> None:
    missing = set(routes()) - set(LET_IN)
    assert not missing, "say in TABLE who may do this"


def trials(referral: UUID) -> Iterator[tuple[object, bytes]]:
    """An existing id, an unknown one, and none; with a valid, a broken and an odd request body."""
    return cycle([(referral, b"{}"), (ABSENT, b'{"broken'), ("no-id", b"\x00")])


def test_nobody_is_let_in_anywhere_without_a_token(api: Api) -> None:
    referral = a_referral(api)
    before, trial = everything(api), trials(referral)
    first = api.client.get(BASE + "/me")
    for route in routes():
        if LET_IN[route]:
            id, body = next(trial)
            answer = send(api, None, route, id, content=body)
            assert is_problem(answer, 401, "unauthenticated"), (route, id, answer.text)
            assert answer.content == first.content, route
            assert answer.headers["www-authenticate"] == "Bearer"
    assert everything(api) == before


@ON_ONE_STORE
def test_a_role_without_a_row_is_refused_whatever_the_id_and_the_body(staffed: Api) -> None:
    api, refused = staffed, set()
    referral = a_referral(api)
    before, trial = everything(api), trials(referral)
    for route in routes():
        for role, username in WHO.items():
            if LET_IN[route] and role not in LET_IN[route]:
                id, body = next(trial)
                answer = send(api, username, route, id, content=body)
                assert is_problem(answer, 403, "forbidden"), (route, role, id, answer.text)
                refused.add((role, answer.content))
    assert everything(api) == before
    assert len(refused) == len({role for role, _ in refused}), "one answer a role"


@ON_ONE_STORE
def test_a_role_with_a_row_is_let_in(staffed: Api) -> None:
    for route in routes():
        for role in LET_IN[route]:
            answer = send(staffed, WHO[role], route, ABSENT, json={})
            let_in = (415,) if route == "POST /imports" else (200, 404, 409, 412, 422)
            assert answer.status_code in let_in, (route, role, answer.text)


def test_health_and_metrics_ask_nobody_who_they_are(api: Api) -> None:
    for path in HEALTH:
        assert api.client.get(path).status_code == 200, path
    assert audit(api) == []


def test_an_unknown_path_is_not_found_and_a_wrong_method_not_allowed(api: Api) -> None:
    for path in ("/nothing", "/referrals/", "//referrals", f"/referrals/{ABSENT}/lapse", "/auth",
                 f"/referrals/{ABSENT}/accept/now", "/%00", "/../me", "/ME"):  # fmt: skip
        answer = api.as_(WORKER).get(path)
        assert is_problem(answer, 404, "not_found"), path
    for path in ("/referrals", "/api", "/api/v2/me", "/docs/", "/redoc", "/metrics/"):
        assert is_problem(api.client.get(path), 404, "not_found"), path
    for method, path in (
        ("DELETE", "/referrals"), ("PUT", f"/referrals/{ABSENT}"), ("GET", "/auth/token"),
        ("OPTIONS", "/referrals"), ("PATCH", "/me"), ("TRACE", "/me"), ("QUERY", "/worklist"),
        ("GET", f"/referrals/{ABSENT}/accept"),
    ):  # fmt: skip
        answer = api.as_(WORKER).request(method, path)
        assert is_problem(answer, 405, "method_not_allowed"), (method, path)
    assert api.as_(WORKER).request("HEAD", "/me").status_code == 405


def _nothing() -> None:
    """An endpoint."""


def _router(cls: Any, **how: Any) -> APIRouter:
    router = APIRouter(route_class=cls)
    router.get("/door", **how)(_nothing)
    return router


def test_a_route_that_no_entry_governs_stops_the_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner = APIRouter()
    inner.include_router(_router(GuardedRoute, openapi_extra={"x-action": "case.read"}))
    socketed = APIRouter()
    socketed.add_websocket_route("/door", _nothing)  # type: ignore[arg-type]
    for name, router in {
        "an unguarded route": _router(APIRouter().route_class),
        "one that only says its action": _router(
            APIRouter().route_class, openapi_extra={"x-action": "case.read"}
        ),
        "a guarded one without an action": _router(GuardedRoute),
        "an action that the policy does not know": _router(
            GuardedRoute, openapi_extra={"x-action": "case.reed"}
        ),
        "a plain route": APIRouter(routes=[Route("/door", _nothing)]),
        "a router in a router": inner,
        "a socket": socketed,
    }.items():
        with monkeypatch.context() as patched:
            patched.setattr(application, "ROUTERS", (*application.ROUTERS, router))
            with pytest.raises(RuntimeError, match="without an entry in the policy"):
                application.create_app(object(), object())  # type: ignore[arg-type]
            assert name


# Invalid request bodies


DEEP = 40
NEVER: Final[dict[str, bytes]] = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a list of one": b"[{}]",
    "text": b'"accept"',
    "a number": b"1",
    "half": b'{"note":',
    "more after it": b"{} {}",
    "a comment": b"{/**/}",
    "single quotes": b"{'note': 'x'}",
    "broken UTF-8": b'{"note": "\xff\xfe"}',
    "an overlong form": b'{"note": "\xc0\x80"}',
    "a surrogate in UTF-8": b'{"note": "\xed\xa0\x80"}',
    "another encoding": '{"note": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"note": "x"}',
    "a NUL": b'{"note": "a\\u0000b"}',
    "a bare NUL": b'{"note": "a\x00b"}',
    "a NUL in a name": b'{"no\\u0000te": "x"}',
    "a lone surrogate": b'{"note": "\\ud800"}',
    "a lone surrogate of the other half": b'{"note": "\\udc00"}',
    "a lone surrogate in a name": b'{"\\ud800": "x"}',
    "NaN": b'{"note": NaN}',
    "Infinity": b'{"note": Infinity}',
    "minus Infinity": b'{"note": -Infinity}',
    "beyond a double": b'{"note": 1e400}',
    "ten to the forty": b'{"note": 1' + b"0" * 40 + b"}",
    "minus ten to the forty": b'{"note": -1' + b"0" * 40 + b"}",
    "ten thousand digits": b'{"note": ' + b"9" * 10_000 + b"}",
    "depth 40": b'{"note": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "depth 5,000": b'{"note": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "depth 5,000 of objects": b'{"note":' * 5_000 + b"1" + b"}" * 5_000,
    "depth without an end": b"[" * 500_000,
    "an unknown field": b'{"notes": "x"}',
    "a field of another move": b'{"started_on": "2026-03-02"}',
    "prototype": b'{"__proto__": {"note": "x"}}',
}


def test_what_no_honest_client_sends_is_refused_and_changes_nothing(api: Api) -> None:
    referral, before = a_referral(api), everything(api)
    for route, username in (
        ("POST /referrals/{id}/accept", PROVIDER),
        ("POST /referrals", WORKER),
        ("PATCH /residents/{id}", WORKER),
    ):
        for name, body in NEVER.items():
            answer = send(api, username, route, referral, content=body)
            told = (answer.status_code, answer.json()["code"])
            assert told in ((400, "malformed"), (422, "invalid")), (route, name, answer.text)
            assert is_problem(answer, *told)
    assert everything(api) == before


def test_every_body_is_checked_everywhere(staffed: Api) -> None:
    api = staffed
    for route in routes():
        if route.startswith(("GET", "DELETE")) or not LET_IN[route]:
            continue
        username = WHO[LET_IN[route][0]]
        for name in ("a lone surrogate", "an unknown field"):
            answer = send(api, username, route, ABSENT, content=NEVER[name])
            refused = (415,) if route == "POST /imports" else (400, 422)
            assert answer.status_code in refused, (route, name, answer.text)


JSON_TYPES: Final = ("application/JSON", "application/json", "application/json; charset=UTF-8")
OTHER_TYPES: Final = (
    "application/x-www-form-urlencoded+json", "application/problem+json", "APPLICATION/X+JSON",
    "application/json; charset=utf-16", "text/plain", "json", "", "multipart/form-data",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/json\xff", "application/jsonx", "a" * 5000,
)  # fmt: skip


def test_no_content_type_leads_around_the_checks(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    referral = a_referral(api)
    before = everything(api)
    path = "POST /referrals/{id}/accept"
    for kind in JSON_TYPES:
        for name in ("a NUL", "a lone surrogate", "depth 5,000"):
            answer = send(api, PROVIDER, path, referral, content=NEVER[name],
                          headers={"Content-Type": kind})  # fmt: skip
            assert is_problem(answer, 400, "malformed"), (kind, name, answer.text)
    for kind in OTHER_TYPES:
        for body in (NEVER["a NUL"], b"{}", b"note=x"):
            answer = send(api, PROVIDER, path, referral, content=body,
                          headers={"Content-Type": kind.encode("latin-1")})  # fmt: skip
            assert is_problem(answer, 415, "type_not_taken"), (kind, body, answer.text)
    assert everything(api) == before
    # The control: where types are not looked at, the body still is, whatever it says it is.
    monkeypatch.setattr(http_route, "check_type", lambda _request, _takes: None)
    for kind in OTHER_TYPES:
        answer = send(api, PROVIDER, path, referral, content=NEVER["a NUL"],
                      headers={"Content-Type": kind.encode("latin-1")})  # fmt: skip
        assert is_problem(answer, 400, "malformed"), kind
    found = send(api, PROVIDER, path, referral, content=b"{}",
                 headers={"Content-Type": OTHER_TYPES[0]})  # fmt: skip
    assert found.status_code == 200, "the control finds what a lenient type lets in"


def test_depth_and_digits_have_their_bounds(api: Api) -> None:
    path = f"/referrals/{a_referral(api)}/accept"
    for depth, code in ((32, "invalid"), (33, "malformed")):
        body = {"note": json.loads("[" * depth + "]" * depth)}
        answer = api.as_(PROVIDER).post(path, body)
        assert answer.json()["code"] == code, depth
    for number, code in ((10**15 - 1, "invalid"), (10**15, "malformed")):
        answer = api.as_(PROVIDER).post(path, {"note": number})
        assert answer.json()["code"] == code, number


def test_a_path_that_is_no_id_is_refused(api: Api) -> None:
    before = everything(api)
    for id in ("no-id", "%00", "%ff%fe", "-1", "a" * 5000, f"{ABSENT}0", "%F0%9F%98%80",
               str(ABSENT).replace("0", "g"), "..%2f..%2fme", "%20"):  # fmt: skip
        for route, username in (
            ("GET /referrals/{id}", WORKER),
            ("POST /referrals/{id}/accept", PROVIDER),
            ("POST /overdue/{deadline_id}/review", SUPERVISOR),
            ("GET /jobs/{name}/runs", "admin"),
        ):
            answer = send(api, username, route, id, json={})
            assert answer.status_code in (400, 404, 422), (route, id, answer.text)
            assert is_problem(answer, answer.status_code, answer.json()["code"])
        assert send(api, None, "GET /referrals/{id}", id).status_code in (401, 404)
    assert everything(api) == before


def test_a_query_that_cannot_be_right_is_refused(api: Api) -> None:
    for query in ("x=1", "X-Api-Key=1", "limit=0", "limit=201", "limit=", "limit=1e400",
                  f"limit={10**40}", "limit=NaN", "limit=1.5", "limit=%EF%BC%91x",
                  "limit=1&limit=2", "status=requested&status=accepted", "status=open",
                  "provider=me", "overdue=maybe", "centre=%00", "centre=%ff", "field=a%00",
                  "centre=' OR 1=1", "cursor=x", "cursor=", "cursor=%00", "cursor=%F0%9F%98%80",
                  "cursor=" + "A" * 2001, "%00=1", "=1", "status[]=requested"):  # fmt: skip
        answer = api.as_(WORKER).get(f"/referrals?{query}")
        assert answer.status_code in (400, 422), (query, answer.text)
        assert is_problem(answer, answer.status_code, answer.json()["code"]), query


def test_headers_that_make_no_sense_are_no_failure_of_ours(api: Api) -> None:
    referral = a_referral(api)
    before = everything(api)
    for name in ("If-Match", "Accept-Language", "X-Request-Id", "Authorization", "Idempotency-Key"):
        for value in (b"", b"\xff\xfe", b"\x00", b'"', b'"1", "2"', b"9" * 4000, b"\xb2",
                      b"*;q=nan,,;", b"Bearer \xff"):  # fmt: skip
            answer = send(
                api, WORKER, "POST /referrals/{id}/accept", referral, json={}, headers={name: value}
            )
            assert 400 <= answer.status_code < 500, (name, value, answer.text)
    assert everything(api) == before


@ON_ONE_STORE
def test_a_422_names_the_field_and_never_says_what_was_sent(staffed: Api) -> None:
    api, canary = staffed, "캐너리-8d1f-820101-1234567"
    odd: tuple[Any, ...] = (
        canary,
        {canary: canary},
        [canary],
        [{canary: canary}],
        8_201_011_234_567,
    )
    count = 0
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            route = f"{method.upper()} {path.removeprefix(BASE)}"
            if not LET_IN.get(route):
                continue
            username = WHO[LET_IN[route][0]]
            answers = [
                send(api, username, route, ABSENT, params={parameter["name"]: canary})
                for parameter in operation.get("parameters", ())
                if parameter["in"] == "query"
            ]
            if "{" in route:
                answers.append(send(api, username, route, canary, json={}))
            answers.append(send(api, username, route, ABSENT, json={}, params={canary: canary}))
            names = _fields(operation)
            answers += [
                send(api, username, route, ABSENT, json=dict.fromkeys([*names, canary], value))
                for value in odd
                if names
            ]
            for answer in answers:
                assert 400 <= answer.status_code < 500, (route, answer.text)
                assert "8d1f" not in answer.text, (route, answer.text)
                assert "1234567" not in answer.text, (route, answer.text)
            count += len(answers)
    assert count > 200
    basis = {"kind": canary, "consent_id": canary}
    answer = api.as_(WORKER).post("/referrals", {"planned_service_id": canary, "basis": basis})
    told = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert told["planned_service_id"] == "a UUID"
    assert told["basis"] == "one of 'article_14_2', 'consent'"
    assert "8d1f" not in answer.text


def _fields(operation: Any) -> list[str]:
    """The fields of an operation's body, where it has one."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return []
    schema = content["schema"]
    reference = schema.get("$ref") or schema["anyOf"][0]["$ref"]
    return list(document()["components"]["schemas"][reference.split("/")[-1]].get("properties", {}))


# Size limits


def test_a_body_of_one_mebibyte_is_read_and_one_byte_more_is_not(api: Api) -> None:
    referral = a_referral(api)
    for username in (PROVIDER, None):
        for route in ("POST /referrals/{id}/accept", "GET /referrals/{id}", "POST /nowhere/{id}"):
            full = send(api, username, route, referral, content=b"x" * MAX_BODY)
            assert full.status_code in (400, 401, 404), (route, full.text)
            over = send(api, username, route, referral, content=b"x" * (MAX_BODY + 1))
            nobody = 404 if "nowhere" in route else 401 if username is None else None
            assert over.status_code == (nobody or 413), (route, over.text)
    padded = b"{}" + b" " * (MAX_BODY - 2)
    done = api.as_(PROVIDER).request(
        "POST",
        f"/referrals/{referral}/accept",
        content=padded,
        headers={"Content-Type": "application/json"},
    )
    assert done.status_code == 200


@contextmanager
def served(api: Api) -> Iterator[int]:
    """The application on a real socket; gives its port."""
    config = uvicorn.Config(api.client.app, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()


def test_a_client_with_two_megabytes_sees_the_answer_and_can_go_on(api: Api) -> None:
    token = api.application.tokens.issue(api.id_of(WORKER), api.clock.now)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with served(api) as port:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for body, chunked in (
            (b"x" * 2_000_000, False),
            (iter([b"x" * 100_000] * 20), True),
            (iter([b"x" * 1_000_000] * 16), True),
        ):
            client.request(
                "POST", f"{BASE}/referrals", body=body, headers=headers, encode_chunked=chunked
            )
            answer = client.getresponse()
            told = json.loads(answer.read())
            assert (answer.status, told["code"]) == (413, "body_too_large")
            client.request("GET", f"{BASE}/me", headers=headers)
            after = client.getresponse()
            assert (after.status, json.loads(after.read())["username"]) == (200, WORKER)
        client.close()


def test_a_body_without_an_end_ends_the_connection(api: Api) -> None:
    head = b"POST %s/referrals HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk, sent = b"100000\r\n" + b"x" * 0x100000 + b"\r\n", 0
    with served(api) as port, socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(head % BASE.encode())
        try:
            while sent < 200:
                client.sendall(chunk)
                sent += 1
        except OSError:  # a reset or a broken pipe, as it comes
            pass
    assert 16 <= sent < 100


# Languages


def test_the_reader_is_told_in_korean_or_english_and_the_code_stays(api: Api) -> None:
    for asked, title in (
        ("ko", "찾을 수 없습니다"),
        ("ko-KR,ko;q=0.9,en;q=0.8", "찾을 수 없습니다"),
        ("fr, ko;q=0.5", "찾을 수 없습니다"),
        ("fr", "찾을 수 없습니다"),
        ("en", "Not found"),
        ("en-GB,en;q=0.9,ko;q=0.8", "Not found"),
        ("", "Not found"),
    ):
        language = {"Accept-Language": asked}
        answer = api.as_(WORKER).get(f"/referrals/{ABSENT}", headers=language)
        assert (answer.json()["title"], answer.json()["code"]) == (title, "not_found"), asked
    for path, method in (("/api/v1/none", "GET"), ("/api/v1/me", "PUT")):
        answer = api.client.request(method, path, headers={"Accept-Language": "ko"})
        assert not answer.json()["title"].isascii()
    big = api.as_(WORKER).request(
        "POST", "/referrals", content=b"x" * (MAX_BODY + 1),
        headers=JSON_BODY | {"Accept-Language": "ko"},
    )  # fmt: skip
    assert big.json()["title"] == "본문이 너무 큽니다"


# Audit entries


def test_a_refused_request_leaves_an_entry_that_says_who_asked_for_what(api: Api) -> None:
    referral = a_referral(api)
    path = f"/referrals/{referral}"
    worker = api.as_(WORKER)
    expected = []
    attempts: tuple[tuple[str | None, str, str, dict[str, Any], int, str], ...] = (
        (None, "GET", path, {}, 401, "unauthenticated"),
        ("city", "GET", path, {}, 403, "forbidden"),
        (NEIGHBOUR, "GET", path, {}, 404, "not_found"),
        (WORKER, "POST", f"{path}/accept", {"json": {}}, 403, "provider_answers"),
        (WORKER, "POST", f"{path}/send", {"json": {}}, 409, "not_allowed_in_state"),
        (PROVIDER, "POST", f"{path}/accept", {"content": b"{", "headers": JSON_BODY},
         400, "malformed"),
        (PROVIDER, "POST", f"{path}/accept", {"json": {"x": 1}}, 422, "invalid"),
        (PROVIDER, "POST", f"{path}/accept", {"json": {}, "headers": {"If-Match": '"9"'}},
         412, "stale"),
    )  # fmt: skip
    for username, method, of, with_it, status, code in attempts:
        numbered = {"X-Request-Id": f"r-{status}"} | with_it.get("headers", {})
        given: dict[str, Any] = {**with_it, "headers": numbered}
        if username is None:
            answer = api.client.request(method, BASE + of, **given)
        else:
            answer = api.as_(username).request(method, of, **given)
        assert is_problem(answer, status, code), answer.text
        assert answer.headers["x-request-id"] == f"r-{status}"
        expected.append((username, f"{method} {of.replace(str(referral), '{id}')}", code))
    entries = [entry for entry in audit(api) if entry["outcome"] == "refused"]
    assert [(e["actor"], e["task"], e["code"]) for e in entries] == expected
    for entry, (actor, *_) in zip(entries, expected, strict=True):
        assert entry["asked_for"] == str(referral)
        assert entry["subjects"] == []
        assert entry["source"] == "testclient"
        assert entry["request_id"].startswith("r-")
        assert entry["at"] == api.clock.now
        assert entry["actor_id"] == (api.id_of(actor) if actor else None)
    assert worker.get("/me").status_code == 200  # which tells nothing about anybody
    assert not [entry for entry in audit(api) if entry["action"] == "account.self"]


def test_a_look_leaves_an_entry_with_everyone_it_was_about(api: Api) -> None:
    supported = [a_supported_case(api) for _ in range(2)]
    referrals = [a_referral(api, one) for one in supported]
    residents = sorted(str(one.resident) for one in supported)
    before = len(audit(api))
    api.as_(PROVIDER).get(f"/referrals/{referrals[0]}")
    api.as_(PROVIDER).get("/referrals")
    one, both = audit(api)[before:]
    assert one["subjects"] == [str(supported[0].resident)]
    assert both["subjects"] == residents
    assert (one["asked_for"], both["asked_for"]) == (str(referrals[0]), None)
    for entry in (one, both):
        assert (entry["actor"], entry["role"]) == (PROVIDER, "provider")
        assert (entry["action"], entry["outcome"]) == ("referral.read", "ok")


def test_where_no_entry_can_be_written_nothing_is_shown_and_nothing_done(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    referral = a_referral(api)
    before = everything(api)

    def full(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(store, "write_audit", full)
    with capture_logs() as logs:
        answers = (
            api.as_(WORKER).get(f"/referrals/{referral}"),
            api.as_(WORKER).get("/referrals"),
            api.as_(PROVIDER).post(f"/referrals/{referral}/accept"),
            api.as_("city").get("/referrals"),
        )
    assert "audit entry not written" in {log["event"] for log in logs}
    for answer in answers:
        assert is_problem(answer, 503, "busy")
        assert str(referral) not in answer.text
        assert answer.headers["retry-after"] == "1"
    monkeypatch.undo()
    assert everything(api) == before
    assert api.as_(WORKER).get(f"/referrals/{referral}").status_code == 200


def test_a_failure_of_ours_tells_nothing_and_is_written_down_as_failed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    referral, before = a_referral(api), everything(api)

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("canary-8d1f")

    monkeypatch.setattr(referring, "move_referral", broken)
    with capture_logs() as logs:
        answer = api.as_(PROVIDER).post(f"/referrals/{referral}/accept")
    assert [(log["event"], log["error"]) for log in logs] == [("request failed", "RuntimeError")]
    assert is_problem(answer, 500, "internal_error")
    assert "8d1f" not in answer.text
    entry = audit(api)[-1]
    assert (entry["outcome"], entry["code"]) == ("failed", "internal_error")
    assert entry["asked_for"] == str(referral)
    assert everything(api) == before


def test_each_answer_bears_the_number_of_its_request(api: Api) -> None:
    supported: Supported = a_supported_case(api)
    worker = api.as_(WORKER)
    body = {"planned_service_id": str(supported.service), "priority": "routine",
            "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
            "basis": {"kind": "article_14_2"}}  # fmt: skip
    made = worker.post("/referrals", body, headers={"X-Request-Id": "mine-1"})
    assert (made.status_code, made.headers["x-request-id"]) == (201, "mine-1")
    assert audit(api)[-1]["request_id"] == "mine-1"
    long = worker.get("/referrals", headers={"X-Request-Id": "n" * 200})
    assert long.headers["x-request-id"] == "n" * 80
    given = [worker.get("/referrals").headers["x-request-id"] for _ in range(2)]
    assert len({UUID(one) for one in given}) == 2
    assert [entry["request_id"] for entry in audit(api)[-2:]] == given


def test_nobody_on_the_way_keeps_an_answer(api: Api) -> None:
    referral = a_referral(api)
    worker = api.as_(WORKER)
    for answer in (
        worker.get(f"/referrals/{referral}"),
        worker.get("/referrals"),
        worker.get("/me"),
        worker.post("/residents/search", {"name": "가상이름"}),
        worker.post(f"/referrals/{referral}/cancel", {"reason": "entered_twice"}),
        api.client.get(BASE + "/me"),
        replace(worker, actor=api.actor("city")).get("/referrals"),
    ):
        assert answer.headers["cache-control"] == "no-store", answer.text

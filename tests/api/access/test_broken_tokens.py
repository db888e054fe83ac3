"""No route accepts an invalid token, and every refusal has the same bytes."""

from __future__ import annotations

import os
from typing import Any

from tests.api.asking import ABSENT
from tests.api.broken_tokens import broken, right, signed
from tests.api.conftest import BASE, Api
from tests.api.shared.test_guard import LET_IN, routes, send
from tests.api.signing import ask

# How many kinds each route is tried with here; tests/deep tries five, the proof `tokens` all.
EACH = 1
ALL = "CASEWORK_PROOF_TOKENS" in os.environ


def told(answer: Any) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    """The whole response except the request id."""
    headers = sorted((k, v) for k, v in answer.headers.items() if k != "x-request-id")
    return answer.status_code, answer.content, tuple(headers)


def guarded() -> list[str]:
    """Every route that requires authentication."""
    return [route for route in routes() if LET_IN.get(route)]


def test_a_token_made_as_these_are_is_taken(api: Api) -> None:
    assert ask(api, signed(*right(api)), "GET", "/me").status_code == 200


def test_every_kind_of_broken_token_is_refused_with_the_same_bytes(api: Api) -> None:
    kinds = dict(broken(api))
    assert len(kinds) > 100
    nobody = told(api.client.get(BASE + "/me"))
    assert nobody[0] == 401
    assert ("www-authenticate", "Bearer") in nobody[2]
    for name, headers in kinds.items():
        assert told(api.client.get(BASE + "/me", headers=headers)) == nobody, name
    pair = [("Authorization", f"Bearer {signed(*right(api))}")] * 2
    assert told(api.client.get(BASE + "/me", headers=pair)) == nobody


def check_routes(api: Api, each: int | None = None) -> int:
    """Try every route with broken tokens, ``each`` kinds in turn or all; returns their number."""
    kinds = list(broken(api))
    nobody, count = told(api.client.get(BASE + "/me")), 0
    for n, route in enumerate(guarded()):
        here = [kinds[(n * each + k) % len(kinds)] for k in range(each)] if each else kinds
        for name, headers in here:
            answer = send(api, None, route, ABSENT, headers=headers, content=b"{}")
            assert told(answer) == nobody, (route, name)
            count += 1
    return count


def test_every_route_refuses_broken_tokens(api: Api) -> None:
    assert len(guarded()) > 100
    count = check_routes(api, None if ALL else EACH)
    assert count >= EACH * len(guarded())
    if ALL:
        print(f"{len(guarded())} routes, {count} broken tokens, all refused in the same bytes")

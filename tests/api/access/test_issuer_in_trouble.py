"""An identity provider in trouble: broken keys, endless answers, and tokens that make it some."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from casework.adapters.identity import oidc
from tests.api.access.test_issuer import EC, OTHER, RSA, World, provider, world
from tests.api.conftest import WORKER
from tests.api.signing import refused

__all__ = ["provider", "world"]

BROKEN_KEYS: tuple[dict[str, Any], ...] = (
    {}, {"kty": "RSA"}, {"kty": "RSA", "n": "", "e": ""}, {"kty": "RSA", "n": 7, "e": "AQAB"},
    {"kty": "EC", "crv": "P-256"}, {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"},
    {"kty": "oct", "k": "AAAA"}, {"kty": "no such"}, {"kty": 7}, {"kty": None},
    RSA.as_dict(private=False) | {"key_ops": 7}, RSA.as_dict(private=False) | {"n": "!"},
    RSA.as_dict(private=False) | {"e": "AA"}, RSA.as_dict(private=False) | {"n": "AQ"},
)  # fmt: skip


@pytest.mark.parametrize("key", BROKEN_KEYS, ids=range(len(BROKEN_KEYS)))
def test_a_key_that_is_none_lets_nobody_in_and_keeps_no_other_out(
    world: World, key: dict[str, Any]
) -> None:
    two = EC.as_dict(private=False) | {"kid": "two", "use": "sig"}
    body = json.dumps({"keys": [{"kid": "one", "use": "sig"} | key, two]}).encode()
    world.provider.instead["/keys"] = (200, body)
    assert refused(world.me(world.token())) == (401, "unauthenticated")
    assert world.me(world.token({"alg": "ES256", "kid": "two"}, EC)).status_code == 200


@pytest.mark.parametrize(
    "instead",
    [(500, b""), (200, b"<html>"), (200, b"[]"), (200, b'{"keys": 7}'), (200, b'{"keys": [7]}'),
     (200, b'{"keys": null}'), (200, b"\xff\xfe"), (200, b"[" * 5_000), (204, b"")],
)  # fmt: skip
def test_whatever_it_answers_later_known_keys_go_on(
    world: World, instead: tuple[int, bytes]
) -> None:
    assert world.me(world.token()).status_code == 200
    world.provider.instead["/keys"] = instead
    world.seconds.now += 3601
    assert world.me(world.token()).status_code == 200
    assert world.me(world.token({"kid": "three"}, OTHER)).status_code == 401
    world.provider.instead.clear()
    world.provider.keys = {"three": OTHER}
    world.seconds.now += 60
    assert world.me(world.token({"kid": "three"}, OTHER)).status_code == 200, "without a restart"
    assert world.me(world.token()).status_code == 401


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, without an end."""
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):
        while True:
            handler.wfile.write(b" ")
            time.sleep(0.02)


def silent(handler: BaseHTTPRequestHandler) -> None:
    """Nothing at all, until the other end gives up."""
    handler.rfile.read()


def pouring(handler: BaseHTTPRequestHandler) -> None:
    """As much as is taken."""
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):
        while True:
            handler.wfile.write(b" " * 65_536)


@pytest.mark.parametrize("writes", [dripping, silent, pouring], ids=lambda one: one.__name__)
def test_an_issuer_that_does_not_come_to_an_end_is_left_in_time(
    world: World, writes: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    world.use(total_s=0.5)
    assert world.me(world.token()).status_code == 200
    world.provider.writes = writes
    world.seconds.now += 3601
    began = time.monotonic()
    assert world.me(world.token()).status_code == 200
    assert time.monotonic() - began < 3
    world.use(total_s=0.5)
    assert refused(world.me(world.token())) == (503, "busy")
    assert time.monotonic() - began < 6


def unknown(world: World, n: int) -> str:
    """A token that names the provider, and a key that there is not."""
    return world.token({"kid": f"unknown-{n}"}, OTHER)


def test_many_unknown_keys_are_one_fetch_a_minute(world: World) -> None:
    assert world.me(world.token()).status_code == 200
    world.seconds.now += 60
    asked = world.provider.asked.count("/keys")
    with ThreadPoolExecutor(8) as pool:
        tokens = [unknown(world, n) for n in range(80)]
        statuses = {answer.status_code for answer in pool.map(world.me, tokens)}
    assert statuses <= {401, 503}
    assert world.provider.asked.count("/keys") == asked + 1
    world.seconds.now += 59.9
    assert world.me(unknown(world, 0)).status_code == 401
    assert world.provider.asked.count("/keys") == asked + 1
    world.seconds.now += 0.1
    assert world.me(unknown(world, 0)).status_code == 401
    assert world.provider.asked.count("/keys") == asked + 2


def local_token(world: World) -> str:
    """A token of ours."""
    api = world.api
    return api.application.tokens.issue(api.id_of(WORKER), api.clock.now)


def slowest_beside_a_flood(world: World) -> float:
    """How long others wait, in seconds, while unknown keys are sent and the issuer is silent."""
    assert world.me(world.token()).status_code == 200
    world.provider.writes = silent
    world.seconds.now += 60
    with ThreadPoolExecutor(24) as pool:
        flood = [pool.submit(world.me, unknown(world, n)) for n in range(24)]
        waited = 0.0
        while "/keys" not in world.provider.asked[2:]:
            time.sleep(0.01)
        for n in range(8):
            token = world.token() if n % 2 else local_token(world)
            began = time.monotonic()
            assert world.me(token).status_code == 200
            waited = max(waited, time.monotonic() - began)
        assert {one.result().status_code for one in flood} <= {401, 503}
    return waited


def test_unknown_keys_keep_nobody_else_waiting_while_the_issuer_is_slow(world: World) -> None:
    assert slowest_beside_a_flood(world) < 1.5


def test_the_control_where_each_waits_for_the_fetch_all_others_wait_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "WAITS_S", -1)
    assert slowest_beside_a_flood(world) > 1.5

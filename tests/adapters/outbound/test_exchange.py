"""Exchanges with others are bounded as a whole, whatever the other side does."""

from __future__ import annotations

import socket
import threading
import time
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest

from casework.adapters.outbound import addresses, exchange
from casework.adapters.outbound.exchange import Exchange
from casework.adapters.outbound.failures import (
    AddressForbidden,
    ExchangeFailed,
    TimedOut,
    TooLarge,
    Unreachable,
)
from tests.adapters.outbound import peers
from tests.adapters.outbound.peers import peer

TOTAL_S = 0.6
# A loaded machine may come to it late; a wait without bound is a hundred times longer.
AT_MOST_S = 3.0
HANGS = [peers.dribbles, peers.always_goes_on, peers.says_nothing]
BREAKS = [peers.talks_nonsense, peers.hangs_up, peers.has_headers_without_end]


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}/hook"


def post(port: int) -> int:
    return Exchange(private=True, total_s=TOTAL_S).status_of_post(url(port), b"{}", {})


@pytest.mark.parametrize("talk", HANGS)
def test_the_time_is_for_the_whole_exchange_and_not_for_each_byte(talk: Any) -> None:
    with peer(talk) as port:
        began = time.monotonic()
        with pytest.raises(TimedOut):
            post(port)
        assert time.monotonic() - began < AT_MOST_S


@pytest.mark.parametrize("talk", BREAKS)
def test_what_is_no_answer_is_a_failure_of_the_exchange(talk: Any) -> None:
    with peer(talk) as port, pytest.raises(ExchangeFailed):
        post(port)


@pytest.mark.parametrize("talk", [peers.never_ends, peers.dribbles_its_body])
def test_of_a_posts_answer_nothing_is_read_beyond_its_status(talk: Any) -> None:
    with peer(talk) as port:
        assert Exchange(private=True).status_of_post(url(port), b"{}", {}) == 200


def test_a_body_is_read_as_far_as_it_is_wanted_and_no_further() -> None:
    with peer(peers.never_ends) as port:
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge):
                Exchange(private=True, total_s=5).fetch(url(port), {}, largest=100_000)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < 5_000_000


def test_a_body_that_comes_byte_by_byte_is_not_waited_for() -> None:
    with peer(peers.dribbles_its_body) as port, pytest.raises(TimedOut):
        Exchange(private=True, total_s=TOTAL_S).fetch(url(port), {}, largest=1_000_000)


def test_a_handshake_that_nobody_answers_ends_with_the_exchange() -> None:
    with peer(peers.says_nothing) as port:
        began = time.monotonic()
        with pytest.raises(TimedOut):
            Exchange(private=True, total_s=TOTAL_S).status_of_post(
                f"https://127.0.0.1:{port}/", b"", {}
            )
        assert time.monotonic() - began < AT_MOST_S


def test_a_lookup_that_hangs_ends_with_the_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_who, **_how: is_over.wait() and [])
    try:
        with pytest.raises(TimedOut):
            Exchange(private=True, total_s=0.2).status_of_post("http://clinic.example/", b"", {})
    finally:
        is_over.set()


def test_lookups_that_hang_are_limited_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_who, **_how: is_over.wait() and [])
    monkeypatch.setattr(addresses, "_LOOKUPS", threading.BoundedSemaphore(2))
    before = threading.active_count()
    try:
        for _ in range(5):
            with pytest.raises(TimedOut):
                addresses.addresses_of("clinic.example", 443, private=False, within_s=0.05)
        assert threading.active_count() - before <= 2
    finally:
        is_over.set()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.8", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0",
     "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fd00::1", "fe80::1",
     "fe80::1%eth0", "ff02::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:10.0.0.8", "::7f00:1",
     "64:ff9b::7f00:1", "64:ff9b:1::a00:8", "2002:7f00:1::", "2001:0:4136:e378::1"],
)  # fmt: skip
def test_an_address_that_is_not_public_or_carries_another_is_none(address: str) -> None:
    assert not addresses.is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:220:1::1", "::ffff:93.184.215.14"])
def test_a_public_address_is_one(address: str) -> None:
    assert addresses.is_public(address)


def test_one_forbidden_address_of_a_name_forbids_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", (one, 443)) for one in ("93.184.215.14", "64:ff9b::a00:8")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_who, **_how: found)
    with pytest.raises(AddressForbidden):
        addresses.addresses_of("clinic.example", 443, private=False, within_s=1)


def test_the_address_that_was_looked_at_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[str] = []
    called: list[Any] = []

    def look_up(host: str, *_more: Any, **_how: Any) -> Any:
        looked_up.append(host)
        return [(0, 0, 0, "", ("93.184.215.14" if len(looked_up) == 1 else "10.0.0.8", 80))]

    def connect(address: Any, *_more: Any, **_how: Any) -> socket.socket:
        called.append(address)
        raise OSError("nobody there")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        Exchange(private=False).status_of_post("http://clinic.example/", b"", {})
    assert (looked_up, called) == (["clinic.example"], [("93.184.215.14", 80)])


def test_where_the_first_address_is_dead_the_next_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(addresses, "_look_up", lambda *_what: ["127.0.0.2", "127.0.0.1"])
    with peer(peers.never_ends) as port:
        assert Exchange(private=True).status_of_post(f"http://two.example:{port}/", b"", {}) == 200


def test_a_time_for_each_byte_would_be_seen_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with a time that begins anew at each byte, the exchange does not end in time."""
    monkeypatch.setattr(exchange, "_left", lambda _until: TOTAL_S)
    done = threading.Event()

    def ask(port: int) -> None:
        with suppress(ExchangeFailed):
            post(port)
        done.set()

    with peer(peers.dribbles) as port:
        threading.Thread(target=ask, args=(port,), daemon=True).start()
        assert not done.wait(AT_MOST_S)

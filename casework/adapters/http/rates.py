"""Rate limit: a token bucket for each account and each source.

Buckets belong to one process: with several processes the limit is multiplied by their number.
Taking a token costs the same however many there are, and the least recently used are evicted.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Final

from casework.adapters.http.problems import Problem

MAX_BUCKETS: Final = 10_000


class TooMany(Problem):
    """The rate limit was exceeded; ``is_first`` since there were tokens again."""

    def __init__(self, wait: float, is_first: bool) -> None:
        super().__init__("asked too often; wait a moment", code="too_many_requests")
        self.retry_after, self.is_first = max(1, math.ceil(wait)), is_first


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    was_empty: bool = False


class Buckets:
    """Buckets of ``burst`` tokens, each refilled by ``rate`` a second."""

    def __init__(
        self,
        rate: float,
        burst: float,
        *,
        max_buckets: int = MAX_BUCKETS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate, self._burst, self._max_buckets, self._clock = rate, burst, max_buckets, clock
        self._buckets: OrderedDict[object, _Bucket] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: object) -> None:
        """Take one token. Raises TooMany where none is left."""
        now = self._clock()
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                bucket = self._buckets[key] = _Bucket(self._burst, now)
                if len(self._buckets) > self._max_buckets:
                    self._buckets.popitem(last=False)
            else:
                self._buckets.move_to_end(key)
            bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._rate)
            bucket.at = now
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                bucket.was_empty = False
                return
            is_first, bucket.was_empty = not bucket.was_empty, True
            raise TooMany((1 - bucket.tokens) / self._rate, is_first)


# What a source may do at once is what ten accounts may: an office has one address.
OF_A_SOURCE: Final = 10
BURST: Final = 10
SIGN_INS: Final = 1.0
SIGN_IN_BURST: Final = 30.0


class Rates:
    """The limits of one process; ``per_second`` is an account's, and 0 switches them all off."""

    def __init__(
        self, per_second: float = 0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._is_on = per_second > 0
        each = OF_A_SOURCE * per_second
        self._accounts = Buckets(per_second, BURST * per_second, clock=clock)
        self._sources = Buckets(each, BURST * each, clock=clock)
        self._sign_ins = Buckets(SIGN_INS, SIGN_IN_BURST, clock=clock)

    def account(self, id: object) -> None:
        """One request of an account."""
        if self._is_on:
            self._accounts.take(id)

    def source(self, address: str | None, *, signs_in: bool) -> None:
        """One request from somewhere; signing in costs more work and is rarer."""
        if self._is_on:
            (self._sign_ins if signs_in else self._sources).take(network_of(address))


def network_of(address: str | None) -> str:
    """An address; of IPv6 the network, in which one client has as many addresses as it likes."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return address or "unknown"
    if isinstance(found, IPv6Address):
        return str(IPv6Address(int(found) >> 64 << 64))
    return str(found)

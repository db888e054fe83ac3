"""A cheap load generator, run as a process of its own: `python -m casework.bench.load`.

A plan comes as JSON on stdin, the result goes as JSON to stdout. Each client has one connection
that stays open, and sends its next request when the answer to the last has arrived.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, cycle
from typing import Any

import httptools
import uvloop

# How long after the end the last answers may take.
GRACE_S = 30.0
SAID = 300


@dataclass(slots=True)
class Tally:
    """What was answered, by all clients."""

    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    first_bad: str | None = None
    ran_out: bool = False


class Client(asyncio.Protocol):
    """One connection, which sends the requests of a list, each after the answer to the last."""

    def __init__(self, requests: Iterator[bytes], tally: Tally, ends_at: float) -> None:
        self._requests, self._tally, self._ends_at = requests, tally, ends_at
        self._body = b""
        self.sent = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Send the first request."""
        self._transport = transport
        self._send()

    def _send(self) -> None:
        if self._tally.ran_out or time.perf_counter() >= self._ends_at:
            self._end()
            return
        request = next(self._requests, None)
        if request is None:
            # The others end too: fewer clients would be another measurement.
            self._tally.ran_out = True
            self._end()
            return
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""
        self.sent += 1
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read on in the answer."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Keep the beginning of the body, for an answer that is bad."""
        if len(self._body) < SAID:
            self._body += body[:SAID]

    def on_message_complete(self) -> None:
        """Count the answer, and send the next request."""
        tally, status = self._tally, self._parser.get_status_code()
        tally.latencies.append(time.perf_counter() - self._sent_at)
        tally.statuses[status] += 1
        if not 200 <= status < 300 and tally.first_bad is None:
            tally.first_bad = f"{status} {self._body.decode(errors='replace')[:SAID]}"
        self._send()

    def _end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection that the server closes is a bad answer."""
        if not self.done.done():
            self._tally.statuses[0] += 1
            self._tally.first_bad = self._tally.first_bad or f"connection lost: {exc}"
            self.done.set_result(None)


def as_bytes(request: dict[str, Any]) -> bytes:
    """A request of a plan: ``method``, ``path``, ``token`` and, of a POST, ``body`` and ``key``."""
    body = json.dumps(request["body"]).encode() if "body" in request else b""
    lines = [
        f"{request['method']} {request['path']} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {request['token']}",
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    if "key" in request:
        lines.append(f"Idempotency-Key: {request['key']}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def generate(plan: dict[str, Any]) -> dict[str, Any]:
    """Send a plan's requests for so many ``seconds``; latencies in milliseconds.

    ``clients`` is a list of requests for each client, sent again and again if ``again``.
    """
    tally, loop = Tally(), asyncio.get_running_loop()
    lists = [[as_bytes(one) for one in requests] for requests in plan["clients"]]
    began = time.perf_counter()
    ends_at = began + plan["seconds"]
    clients = [
        Client(cycle(one) if plan["again"] else chain(one), tally, ends_at) for one in lists
    ]  # fmt: skip
    for client in clients:
        await loop.create_connection(lambda own=client: own, plan["host"], plan["port"])  # type: ignore[misc]
    async with asyncio.timeout(plan["seconds"] + GRACE_S):
        await asyncio.gather(*(client.done for client in clients))
    took = time.perf_counter() - began
    return {
        "seconds": took,
        "requests": len(tally.latencies),
        "requests_per_second": len(tally.latencies) / took,
        **percentiles(tally.latencies),
        "statuses": {str(status): count for status, count in tally.statuses.items()},
        "first_bad": tally.first_bad,
        "ran_out": tally.ran_out,
        "sent": [client.sent for client in clients],
    }


def percentiles(latencies: list[float]) -> dict[str, float]:
    """The percentiles of durations in seconds, in milliseconds; 0 where there is none."""
    ordered = sorted(latencies) or [0.0]
    return {
        f"p{share}_ms": 1000 * ordered[min(len(ordered) * share // 100, len(ordered) - 1)]
        for share in (50, 95, 99)
    }


if __name__ == "__main__":
    json.dump(uvloop.run(generate(json.load(sys.stdin))), sys.stdout)

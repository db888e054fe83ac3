"""Clients that write over HTTP, each thing under one idempotency key until it is answered."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any, Final
from uuid import UUID

import httpx2

from casework.bootstrap import utc_now
from casework.domain.clocks.calendar import day_in_seoul
from tests.api.acts import Supported, a_supported_case
from tests.api.conftest import BASE, COLLEAGUE, HERE, WORKER
from tests.patience import Watch
from tests.proofs._faults.site import Site

CLIENTS, AT_MOST_S = 4, 6.0
# A client gives a request up later than the product must, so that one that is too slow is seen.
GIVES_UP_AFTER_S, PAUSE_S = 12.0, 0.1
ENDS_WITHIN_S: Final = 60.0
# What a client does besides registering residents: open cases of them, ask agencies.
OPENS, ASKS = "opens", "asks"
# Answers after which the same request may be sent again.
PASSING = (409, 429, 503)


@dataclass
class Write:
    """One thing that a client wants done; its id, once it was acknowledged."""

    kind: str
    key: str
    principal: UUID
    about: str
    path: str
    body: dict[str, Any]
    id: str | None = None


@dataclass
class Seen:
    """What the answers were, and what of them may not be."""

    statuses: Counter[str] = field(default_factory=Counter)
    amiss: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    again: int = 0
    # When each acknowledged write was begun and ended.
    acknowledged: list[tuple[float, float]] = field(default_factory=list)


class Client:
    """Somebody who writes, and sends again what was not answered."""

    def __init__(self, load: Load, number: int, who: str, mine: list[Supported]) -> None:
        self._load, self._number, self._mine = load, number, mine
        self._id = load.site.world.id_of(who)
        self.writes: list[Write] = []
        self.seen = Seen()
        self.stands_still = False

    def work(self) -> None:
        """Write until told to stop; what is begun is ended."""
        n = 0
        with httpx2.Client(timeout=GIVES_UP_AFTER_S) as http:
            while not self._load.stop.is_set():
                if not self._load.at_work.is_set():
                    self.stands_still = True
                    self._load.at_work.wait()
                    self.stands_still = False
                    continue
                self._register(http, n)
                if ASKS in self._load.acts:
                    self._ask(http, n)
                n += 1
                time.sleep(self._load.thinks_s)

    def _register(self, http: httpx2.Client, n: int) -> None:
        name = f"가상{self._number}번{n}"
        body = {"name": name, "birth_date": "1940-01-02", "sex": "female", "centre_code": HERE}
        made = self._written(http, "resident", name, "/residents", body)
        if made and OPENS in self._load.acts:
            today = str(day_in_seoul(self._load.now()))
            about = {"resident_id": made, "channel": "self", "applied_on": today}
            self._written(http, "case", made, "/cases", about)

    def _ask(self, http: httpx2.Client, n: int) -> None:
        service = str(self._mine[n % len(self._mine)].service)
        offering = self._load.site.world.offerings["alpha", "CARE-MEALS"].id
        body = {
            "planned_service_id": service, "offering_id": str(offering),
            "priority": self._load.priority,
            "basis": {"kind": "article_14_2"},
        }  # fmt: skip
        asked = self._written(http, "referral", service, "/referrals", body)
        if asked:
            reason = {"reason": "resident_asked"}
            self._written(http, "withdrawal", asked, f"/referrals/{asked}/withdraw", reason)

    def _written(
        self, http: httpx2.Client, kind: str, about: str, path: str, body: dict[str, Any]
    ) -> str | None:
        key = f"{self._number}-{len(self.writes)}"
        write = Write(kind, key, self._id, about, path, body)
        self.writes.append(write)
        first = time.monotonic()
        while write.id is None and not self._load.is_given_up(first):
            began = time.monotonic()
            answer = self._sent(http, path, body, write.key)
            if answer is not None and answer.status_code < 300:
                write.id = answer.json()["id"]
                self.seen.acknowledged.append((began, time.monotonic()))
            elif answer is not None and answer.status_code not in PASSING:
                said = f"{answer.status_code} {answer.text[:200]}"
                self.seen.amiss.append(f"{kind} {write.key}: {said}")
                return None
            else:
                self.seen.again += 1
                time.sleep(PAUSE_S)
        if write.id is None:
            self.seen.amiss.append(f"never answered: {kind} {write.key}")
        return write.id

    def again(self, http: httpx2.Client) -> list[str]:
        """Send the last acknowledged write once more: it is told the same id, or to wait."""
        done = [write for write in self.writes if write.id is not None]
        if not done:
            return []
        write = done[-1]
        answer = self._sent(http, write.path, write.body, write.key)
        if answer is None or answer.status_code in PASSING:
            return []
        told = answer.json()["id"] if answer.status_code < 300 else answer.text[:200]
        return [] if told == write.id else [f"{write.kind} {write.key} again: {told}"]

    def _sent(self, http: httpx2.Client, path: str, body: Any, key: str) -> Any:
        """One attempt: its answer, None where there was none."""
        token = self._load.site.world.application.tokens.issue(self._id, self._load.now())
        headers = {
            "Authorization": f"Bearer {token}", "Idempotency-Key": key, "X-Request-Id": f"rq-{key}",
        }  # fmt: skip
        began, late = time.monotonic(), self._load.watch.late
        try:
            answer = http.post(self._load.address + BASE + path, json=body, headers=headers)
        except httpx2.HTTPError as error:
            self._count(type(error).__name__, began, late)
            return None
        self._count(str(answer.status_code), began, late)
        if answer.status_code == 503 and not answer.headers.get("retry-after"):
            self.seen.amiss.append(f"503 without Retry-After: {answer.text[:200]}")
        return answer

    def _count(self, outcome: str, began: float, late: float) -> None:
        took = time.monotonic() - began - (self._load.watch.late - late)
        self.seen.slowest_s = max(self.seen.slowest_s, took)
        self.seen.statuses[outcome] += 1
        if took > AT_MOST_S:
            self.seen.amiss.append(f"a request took {took:.1f} s: {outcome}")


class Load:
    """Some clients at work."""

    def __init__(
        self, site: Site, address: str, acts: tuple[str, ...] = (OPENS, ASKS), *,
        thinks_s: float = 0.0, priority: str = "routine", clients: int = CLIENTS,
    ) -> None:  # fmt: skip
        """``thinks_s`` is how long a client waits before it goes on."""
        self.site, self.address, self.acts = site, address, acts
        self.thinks_s, self.priority = thinks_s, priority
        # By how much the clock of the product is ahead of this one.
        self.ahead = timedelta()
        self.stop, self.at_work, self.watch = Event(), Event(), Watch()
        self.at_work.set()
        world = site.world
        each = 2 if ASKS in acts else 0
        mine = [[a_supported_case(world) for _ in range(each)] for _ in range(clients)]
        who = (WORKER, COLLEAGUE)
        self.clients = [Client(self, n, who[n % 2], mine[n]) for n in range(clients)]
        self._stopped_at: float | None = None

    def now(self) -> datetime:
        """The instant that the product's clock shows."""
        return utc_now() + self.ahead

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """Clients end what they have begun, and go on after the block."""
        self.at_work.clear()
        until = time.monotonic() + ENDS_WITHIN_S
        try:
            while not all(one.stands_still for one in self.clients):
                assert time.monotonic() < until, "the clients do not come to an end"
                time.sleep(0.01)
            yield
        finally:
            self.at_work.set()

    def say_again(self) -> list[str]:
        """The last acknowledged write of each client is sent again; what is amiss in it."""
        with httpx2.Client(timeout=GIVES_UP_AFTER_S) as http:
            return [one for client in self.clients for one in client.again(http)]

    def is_given_up(self, begun: float) -> bool:
        """Whether a write that was begun then has been tried for long enough."""
        since = max(begun, self._stopped_at or begun)
        return time.monotonic() - since > ENDS_WITHIN_S

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        """Clients write while the block lasts, and end what they have begun after it."""
        with self.watch, ThreadPoolExecutor(len(self.clients)) as pool:
            working = [pool.submit(client.work) for client in self.clients]
            try:
                yield
            finally:
                self._stopped_at = time.monotonic()
                self.stop.set()
                self.at_work.set()
            for one in working:
                one.result()

    @property
    def writes(self) -> list[Write]:
        """Everything that was wanted."""
        return [write for client in self.clients for write in client.writes]

    @property
    def number_acknowledged(self) -> int:
        """How many writes were acknowledged so far."""
        return sum(len(client.seen.acknowledged) for client in self.clients)

    def first_after(self, moment: float) -> float | None:
        """When the first write was acknowledged that was begun after a moment."""
        ends = [
            end
            for client in self.clients
            for begun, end in client.seen.acknowledged[-3:]
            if begun >= moment
        ]
        return min(ends, default=None)

    @property
    def seen(self) -> Seen:
        """What all of them saw."""
        together = Seen()
        for one in (client.seen for client in self.clients):
            together.statuses += one.statuses
            together.amiss += one.amiss
            together.slowest_s = max(together.slowest_s, one.slowest_s)
            together.again += one.again
            together.acknowledged += one.acknowledged
        return together

"""The requests of each mode, for each client: as one worker, of that worker's residents."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Final
from uuid import uuid4

from casework.bench.city import (
    NAMES,
    RESIDENTS_A_WORKER,
    City,
    is_late,
    supervisor_name,
    worker_name,
    worker_of,
)
from casework.bench.filling import numbered_id

MODES: Final = ("create", "read", "worklist", "overdue", "search", "mixed")
# Of a hundred mixed requests; the rest are reads.
WORKLISTS, CREATES, MIXED = 70, 10, 100
API: Final = "/api/v1"
Request = dict[str, Any]


class Clients:
    """Who the clients are, and what each of them still can ask an agency for."""

    def __init__(self, city: City, number: int) -> None:
        self._city, self.number = city, number
        self._lives = [self._lives_of(client) for client in range(number)]
        self._free = [self._services_of(lives) for lives in self._lives]

    def _lives_of(self, client: int) -> list[int]:
        """The residents of a client's worker, divided among the clients of that worker."""
        workers = self._city.workers
        worker, share = client % workers, -(-self.number // workers)
        first = worker * RESIDENTS_A_WORKER + 1
        last = min(first + RESIDENTS_A_WORKER, self._city.residents + 1)
        own = [life for life in range(first, last) if life % share == client // workers]
        return own or list(range(first, last))

    def _services_of(self, lives: Sequence[int]) -> list[Request]:
        """All that can be asked for: each service of each life first, then by another agency."""
        half = len(self._city.offerings) // len(self._city.ways.free_services)
        return [
            {
                "planned_service_id": str(numbered_id(kind, life)),
                "offering_id": str(self._city.offerings[which * half + agency]),
                "priority": "routine",
                "basis": {"kind": "article_14_2"},
            }
            for agency in range(half)
            for which, kind in enumerate(self._city.ways.free_services)
            for life in lives
        ]

    def username(self, client: int, mode: str) -> str:
        """Whom a client signs in as."""
        if mode == "overdue":
            return supervisor_name()
        return worker_name(client % self._city.workers)

    def worker(self, client: int) -> int:
        """The number of a client's worker."""
        return worker_of(self._lives[client][0])

    def left(self) -> int:
        """How many referrals every client can still make."""
        return min(map(len, self._free))

    def recorded(self, mode: str, token: str) -> tuple[int, list[Request]]:
        """Two requests of the first client about the same life, and the number of that life."""
        life = next((one for one in reversed(self._lives[0]) if not is_late(one)), 1)
        if mode == "read":
            return life, [{"token": token, **self._read(life)}] * 2
        if mode != "create":
            return life, self.requests(mode, 0, token)[:1] * 2
        services = [str(numbered_id(kind, life)) for kind in self._city.ways.free_services]
        mine = [one for one in self.requests(mode, 0, token)
                if one["body"]["planned_service_id"] in services][-2:]  # fmt: skip
        for one in mine:
            self._free[0].remove(one["body"])
        return life, mine

    def requests(self, mode: str, client: int, token: str) -> list[Request]:
        """The requests of a client, in order."""
        made = [{"token": token, **one} for one in self._asked(mode, client)]
        return [one | {"key": str(uuid4())} if one["method"] == "POST" and mode != "search" else one
                for one in made]  # fmt: skip

    def _asked(self, mode: str, client: int) -> list[Request]:
        match mode:
            case "create":
                return [_create(body) for body in self._free[client]]
            case "read":
                return [self._read(life) for life in self._lives[client]]
            case "worklist" | "overdue":
                return [_get(f"/{mode}?limit=50")]
            case "search":
                names = dict.fromkeys(NAMES[life % len(NAMES)][:2] for life in self._lives[client])
                return [_post("/residents/search", {"name": name}) for name in names]
        return self._mixed(client)

    def _mixed(self, client: int) -> list[Request]:
        """Worklists, reads and as many referrals as can be made, in random order."""
        rng = Random(client)  # noqa: S311 - an order, no secret
        lives, free = self._lives[client], iter(self._free[client])
        made: list[Request] = []
        while True:
            kinds = ["create"] * (CREATES // 10) + ["worklist"] * (WORKLISTS // 10)
            kinds += ["read"] * (MIXED // 10 - len(kinds))
            rng.shuffle(kinds)
            for kind in kinds:
                if kind == "read":
                    made.append(self._read(rng.choice(lives)))
                elif kind == "worklist":
                    made.append(_get("/worklist?limit=50"))
                elif (body := next(free, None)) is not None:
                    made.append(_create(body))
                else:
                    return made

    def _read(self, life: int) -> Request:
        return _get(f"/referrals/{numbered_id(self._city.ways.referral, life)}")

    def note_sent(self, mode: str, sent: Sequence[int]) -> None:
        """What was asked for cannot be asked for again."""
        for client, count in enumerate(sent):
            if mode == "create":
                del self._free[client][:count]
            elif mode == "mixed":
                done = self._mixed(client)[:count]
                del self._free[client][: sum(one["method"] == "POST" for one in done)]


def _get(path: str) -> Request:
    return {"method": "GET", "path": API + path}


def _post(path: str, body: Request) -> Request:
    return {"method": "POST", "path": API + path, "body": body}


def _create(body: Request) -> Request:
    return _post("/referrals", body)

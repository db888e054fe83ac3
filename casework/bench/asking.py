"""The requests of each mode, for each client: as one worker, of that worker's residents."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Final
from uuid import uuid4

from casework.bench.city import (
    RESIDENTS_A_WORKER,
    City,
    is_late,
    supervisor_name,
)
from casework.bench.filling import numbered_id
from casework.bench.names import name_of, worker_name

MODES: Final = ("create", "read", "worklist", "overdue", "search", "mixed")
# Of ten mixed requests.
MIXED: Final = ("create",) + ("read",) * 2 + ("worklist",) * 7
# Modes that use up what can be asked for.
USING_UP: Final = ("create", "mixed")
API: Final = "/api/v1"
Request = dict[str, Any]


class Clients:
    """Who the clients are, and what each of them still can ask an agency for.

    What can be asked for is divided among ``turns`` runs, so that none is without.
    """

    def __init__(self, city: City, number: int, turns: int = 1) -> None:
        self._city, self.number, self._turns = city, number, turns
        # One life is for the request that is looked at, before any run.
        self._apart = next(life for life in reversed(self._lives(0)) if not is_late(life))
        self._free = [self._services_of(client) for client in range(number)]

    def _lives(self, client: int) -> list[int]:
        """The residents of a client's worker."""
        first = self.worker(client) * RESIDENTS_A_WORKER + 1
        return list(range(first, min(first + RESIDENTS_A_WORKER, self._city.residents + 1)))

    def _services_of(self, client: int) -> list[Request]:
        """A client's share of what its worker can ask for."""
        workers = self._city.workers
        asked = self._asked_for([one for one in self._lives(client) if one != self._apart])
        return asked[client // workers :: -(-self.number // workers)]

    def _asked_for(self, lives: Sequence[int]) -> list[Request]:
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
        return supervisor_name() if mode == "overdue" else worker_name(self.worker(client))

    def worker(self, client: int) -> int:
        """The number of a client's worker."""
        return client % self._city.workers

    def left(self) -> int:
        """How many referrals every client can still make."""
        return min(map(len, self._free))

    def recorded(self, mode: str, token: str) -> tuple[int, list[Request]]:
        """Two requests of the first client about one life, and the number of that life."""
        if mode == "create":
            asked = [_create(body) for body in self._asked_for([self._apart])[:2]]
        elif mode == "read":
            asked = [self._read(self._apart)] * 2
        else:
            asked = self._asked(mode, 0)[:1] * 2
        return self._apart, [_signed(one, token) for one in asked]

    def requests(self, mode: str, client: int, token: str) -> list[Request]:
        """The requests of a client, in order."""
        return [_signed(one, token) for one in self._asked(mode, client)]

    def repeated(self, mode: str, client: int, token: str) -> list[Request]:
        """The same for a server that may be asked for the same thing again."""
        if mode != "create":
            return self.requests(mode, client, token)
        bodies = self._asked_for(self._lives(client))
        return [_signed(_create(body), token) for body in bodies]

    def _share(self, client: int) -> list[Request]:
        """What a client can ask for in this run."""
        free = self._free[client]
        return free[: -(-len(free) // max(1, self._turns))]

    def _asked(self, mode: str, client: int) -> list[Request]:
        match mode:
            case "create":
                return [_create(body) for body in self._share(client)]
            case "read":
                return [self._read(life) for life in self._lives(client)]
            case "worklist" | "overdue":
                return [_get(f"/{mode}?limit=50")]
            case "search":
                names = dict.fromkeys(name_of(life)[:2] for life in self._lives(client))
                return [_post("/residents/search", {"name": name}) for name in names]
        return self._mixed(client)

    def _mixed(self, client: int) -> list[Request]:
        """Worklists, reads and as many referrals as can be made, in random order."""
        rng = Random(client)  # noqa: S311 - an order, no secret
        lives, free = self._lives(client), iter(self._share(client))
        made: list[Request] = []
        while True:
            for kind in rng.sample(MIXED, len(MIXED)):
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
            posts = [one["method"] == "POST" for one in self._asked(mode, client)[:count]]
            del self._free[client][: sum(posts)]
        self._turns -= 1


def _signed(request: Request, token: str) -> Request:
    """A request with its token and, where it makes something, a key of its own."""
    own = {"key": str(uuid4())} if request["path"] == f"{API}/referrals" else {}
    return {**request, "token": token, **own}


def _get(path: str) -> Request:
    return {"method": "GET", "path": API + path}


def _post(path: str, body: Request) -> Request:
    return {"method": "POST", "path": API + path, "body": body}


def _create(body: Request) -> Request:
    return _post("/referrals", body)

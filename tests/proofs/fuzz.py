"""Fuzzing: no request, valid by the OpenAPI document or not, makes the application fail.

    python3 dev.py proof fuzz --requests 20000 --store sqlite --seed 1

Schemathesis generates requests from the document in all its phases (examples, coverage, fuzzing,
stateful), as each role in turn and without a token. Some are filled in with real ids and with a
body that is valid in the state, so that they reach the use case. Counted are the responses
of each operation. A fault is an answer of 500 or more, a status that the document does not name,
or a refusal that is no problem document. At least nine operations of ten must succeed at some time.
Exits 1 where a fault was found or too few succeeded.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema

from casework.adapters.http.metrics import MEASURED
from tests.proofs._ask import quiet
from tests.proofs._operations import BASE, SECOND, Filler, Operation, operations
from tests.proofs._world import STORES
from tests.proofs.matrix import REQUIRED, WHO, Matrix, matrix_on

NOBODY: Final = "nobody"
FILLED_IN: Final = 0.2
REAL_ID: Final = 0.5
SHARE: Final = 0.9
EXAMPLES_A_PHASE: Final = 10
SHOWN: Final = 30
# Whose record is ready to be read, where the actor's own is not.
READY: Final = {"GET /access-requests/{id}/document": "just ended"}
PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")


@dataclass
class Watch:
    """The application, with its responses recorded."""

    app: Any
    documented: dict[str, set[int]]
    role: str = NOBODY
    requests: int = 0
    by_role: Counter[str] = field(default_factory=Counter)
    by_phase: Counter[str] = field(default_factory=Counter)
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on, and record the response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body: list[bytes] = []

        async def hear() -> Any:
            message = await receive()
            body.append(message.get("body", b""))
            return message

        async def say(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._note(scope, message, b"".join(body))
            await send(message)

        await self.app(scope, hear, say)

    def _note(self, scope: Any, start: Any, body: bytes) -> None:
        if scope["path"].endswith("/openapi.json"):
            return
        self.requests += 1
        self.by_role[self.role] += 1
        status, route = start["status"], scope.get(MEASURED, {}).get("route", "no route")
        name = f"{scope['method']} {str(route).removeprefix(BASE)}"
        kind = dict(start["headers"]).get(b"content-type", b"").decode()
        self.statuses[name][status] += 1
        wrong = None
        if status >= 500:
            wrong = "failed"
        elif name in self.documented and status not in self.documented[name]:
            wrong = "answered with what the document does not name"
        elif status >= 400 and kind != "application/problem+json":
            wrong = f"refused as {kind}"
        if wrong is not None:
            said = f"{scope['method']} {scope['raw_path']!r}?{scope['query_string']!r}"
            self.faults.append(f"{name} {wrong}: {status} to {said} {body[:300]!r} as {self.role}")


@dataclass
class Fuzz:
    """A run over one planted world."""

    matrix: Matrix
    seed: int
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        """Load the OpenAPI document."""
        self.found = {one.name: one for one in operations(self.matrix.app)}
        documented = {
            name: {int(code) for code in one.spec["responses"]} for name, one in self.found.items()
        }
        self.watch = Watch(self.matrix.app, documented)
        self.rng = Random(self.seed)
        self.tried: set[tuple[str, str]] = set()
        self.tags = sorted({tag for one in self.found.values() for tag in one.spec["tags"]})

    def run(
        self,
        requests: int,
        roles: Sequence[str] = (*WHO, NOBODY),
        examples: int = EXAMPLES_A_PHASE,
    ) -> None:
        """Send at least that many requests, shared among the roles."""
        self.restore: Callable[[], None] = self.matrix.keep()
        for role in roles:
            self.watch.role = role
            until = self.watch.requests + -(-requests // len(roles))
            tried = {name for by, name in self.tried if by == role}
            self._some({"fuzzing": 1}, until, (set(self.found) - tried).__contains__)
            more = examples
            while self.watch.requests < until:
                before = self.watch.requests
                for tag in self.rng.sample(self.tags, len(self.tags)):
                    if self.watch.requests < until:
                        self._some(dict.fromkeys(PHASES, more), until, self._tagged(tag))
                more *= 2
                if self.watch.requests == before:
                    raise RuntimeError(f"no more requests can be made as {role}")

    def scope_of(self, roles: Sequence[str], tags: Collection[str] = ()) -> None:
        """As each role, send one filled-in request to each operation that has not yet succeeded."""
        self.restore = self.matrix.keep()
        for role in roles:
            self.watch.role = role
            left = {
                name
                for name in set(self.found) - self.succeeded
                if not tags or set(tags) & set(self.found[name].spec["tags"])
            }
            self._some({"fuzzing": 1}, self.watch.requests + len(left) + 1, left.__contains__)

    @property
    def succeeded(self) -> set[str]:
        """The operations that somebody succeeded at."""
        return {
            name
            for name, statuses in self.watch.statuses.items()
            if name in self.found and any(200 <= status < 300 for status in statuses)
        }

    def _tagged(self, tag: str) -> Callable[[str], bool]:
        return lambda name: tag in self.found[name].spec["tags"]

    def _some(self, phases: dict[str, int], until: int, only: Callable[[str], bool]) -> None:
        """Some phases with so many examples each, over some of the operations."""
        app = self.watch
        config = SchemathesisConfig.from_dict(
            {
                "seed": self.rng.randrange(2**32),
                "generation": {"database": "none"},
                "suppress-health-check": ["all"],
                "checks": {"enabled": False, "not_a_server_error": {"enabled": True}},
                "phases": {
                    name: {"enabled": name in phases}
                    | (
                        {"generation": {"max-examples": phases.get(name, 1)}}
                        if name in ("fuzzing", "stateful")
                        else {}
                    )
                    for name in PHASES
                },
            }
        )
        schema: Any = schemathesis.openapi.from_asgi(f"{BASE}/openapi.json", app, config=config)
        schema = schema.include(func=lambda asked: only(_name_of(asked.operation)))
        with self._hooked():
            stream = from_schema(schema).execute()
            event: Any
            for event in stream:
                recorder = getattr(event, "recorder", None)
                if recorder is not None:
                    app.by_phase[event.phase.value] += len(recorder.interactions)
                if app.requests >= until:
                    stream.stop()

    @contextmanager
    def _hooked(self) -> Iterator[None]:
        """Each request goes through ``fill`` before it is sent; hooks of requests are global."""

        def before_call(context: Any, case: Any, kwargs: Any) -> None:
            self.fill(case)

        schemathesis.hook(before_call)
        try:
            yield
        finally:
            schemathesis.hooks.unregister_all()

    def fill(self, case: Any) -> None:
        """Set the role's token; sometimes a real id, or a body valid in the right state."""
        role = self.watch.role
        case.headers = case.headers if case.headers is not None else {}
        if role != NOBODY:
            case.headers["Authorization"] = f"Bearer {self.matrix.token(WHO[role])}"
        operation = self.found.get(_name_of(case))
        if operation is None or role == NOBODY:
            return
        first = (role, operation.name) not in self.tried
        if first or self.rng.random() < FILLED_IN:
            self._filled(case, operation, role, first)
        elif _is_uuid(case.path_parameters, operation.parameter) and self.rng.random() < REAL_ID:
            it = self.rng.choice(list(self.matrix.planted.relations.values()))
            case.path_parameters[operation.parameter] = str(self.matrix._id(operation, it))

    def _filled(self, case: Any, operation: Operation, role: str, first: bool) -> None:
        if first:
            self.tried.add((role, operation.name))
            self.restore()
        relations = self.matrix.planted.relations
        ready = READY.get(operation.name)
        own = relations[ready] if ready else self.matrix._own(operation)
        fill: Filler = self.matrix._fill(role)
        id = self.matrix._id(operation, own) if operation.kind else None
        if operation.parameter is not None:
            others = self.matrix.planted.stages["own"].ids
            case.path_parameters = {name: str(others[kind]) for name, kind in SECOND.items()}
            case.path_parameters[operation.parameter] = str(id)
        if operation.body is not None:
            case.body = json.loads(json.dumps(fill.body(operation, own), default=str))
            case.media_type = "application/json"
        if operation.method == "GET":
            case.query = {
                name: str(self.matrix._values(name, schema)[0])
                for name, schema in operation.needed.items()
                if name not in REQUIRED.get(operation.name, {})
            } | REQUIRED.get(operation.name, {})
        token = self.matrix.token(WHO[role])
        needs = "428" in operation.spec["responses"]
        case.headers["If-Match"] = self.matrix.etag(operation, token, id) if needs else "*"
        case.headers.pop("Idempotency-Key", None)

    def told(self) -> dict[str, Any]:
        """The result."""
        watch, done = self.watch, self.succeeded
        return {
            "requests": watch.requests,
            "by_role": dict(watch.by_role),
            "by_phase": dict(watch.by_phase),
            "statuses": dict(sorted(sum(watch.statuses.values(), Counter()).items())),
            "operations": len(self.found),
            "succeeded": len(done),
            "share": round(len(done) / len(self.found), 3),
            "never_succeeded": sorted(set(self.found) - done),
            "wrong": len(watch.faults),
            "faults": watch.faults[:SHOWN],
        }


def _name_of(asked: Any) -> str:
    return f"{asked.method.upper()} {asked.path.removeprefix(BASE)}"


def _is_uuid(parameters: Any, name: str | None) -> bool:
    try:
        UUID(str((parameters or {}).get(name)))
    except ValueError:
        return False
    return True


def main() -> int:
    """Run the proof and print what it found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=20_000)
    options.add_argument("--store", choices=STORES, default="sqlite")
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    quiet()
    began = time.monotonic()
    with matrix_on(asked.store) as matrix:
        fuzz = Fuzz(matrix, asked.seed)
        fuzz.run(asked.requests)
        told = fuzz.told()
    about = {
        "store": asked.store, "seed": asked.seed, "python": platform.python_version(),
        "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip
    print(json.dumps(told | about, ensure_ascii=False, indent=2))
    return 0 if not told["wrong"] and told["share"] >= SHARE else 1


if __name__ == "__main__":
    sys.exit(main())

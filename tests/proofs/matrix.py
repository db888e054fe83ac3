"""The permission matrix: every route, for every role, about every subject, against the policy.

    python3 dev.py proof matrix --store sqlite
    python3 dev.py proof matrix --store postgresql --filter-open

The cells are generated: each operation of the OpenAPI document × each role, no token, a disabled
account and an expired token × a resident in each relation. A role without a row gets the one
403 of its role, whatever the id. One that has a row but does not reach the subject gets the bytes
that it gets for an id that never existed. An actor in scope is admitted, and for each operation one
must succeed, or its cells would prove nothing. A denied request changes no row and reveals nothing
of anybody. Lists, searches and counts run with every filter, also for records out of scope.

``--filter-open`` switches off the application's own filter, so that only row-level security is
left. Exits 1 where a cell is wrong.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pickle
import platform
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from sqlalchemy import Engine, make_url, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.schema import migrations
from casework.bootstrap import open_vault
from casework.domain.access.policy import Relation
from casework.domain.clocks.calendar import day_in_seoul
from casework.settings import Settings
from tests import canaries, postgres
from tests.api.conftest import (
    ASSESSOR,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
    People,
    make_people,
    settle_in,
)
from tests.patience import TIME_ALLOWED, patient
from tests.proofs._ask import Answer, Asker, asking, quiet
from tests.proofs._open import filter_open
from tests.proofs._operations import (
    BASE,
    KIND_OF_FIELD,
    MEANT_FOR_OTHERS,
    METHODS,
    NAMED,
    NAMED_FOR,
    SECOND,
    STAGE_OF,
    TRIED_ELSEWHERE,
    Filler,
    Operation,
    operations,
)
from tests.proofs._scope import is_anyhow_reached, is_reached, relation_of
from tests.proofs._subjects import ABSENT, INTEGRATION, Planted, Subject, all_subjects, plant
from tests.proofs._world import STORES, database, owner_of, small_world

WHO: Final = {
    "worker": WORKER, "supervisor": SUPERVISOR, "assessor": ASSESSOR, "provider": PROVIDER,
    "city": "city", "auditor": "auditor", "admin": "admin", "integration": INTEGRATION,
}  # fmt: skip
AGENCY: Final = "alpha"
SHUT: Final = "worker2.2635051000"
# What a refusal may write: its audit entry.
RECORDS: Final = ("audit", "sign_in", "rate")
LET_IN: Final = (200, 201, 204, 409, 412, 422)
# Refusals that a rule of its own gives to a role that has a row.
NARROWER: Final = frozenset(
    {"provider_answers", "own_draft", "not_your_district", "password_wrong", "step_not_yours"}
)
SHOWN_FAULTS: Final = 40
# What a list must not show of residents out of the actor's scope.
OF_WHOM: Final = ("resident", "case", "referral", "deadline", "note", "consent")


@dataclass
class Report:
    """How many cells were tried, which were wrong, and which operations never succeeded."""

    cells: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    succeeded: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every cell was right and every operation was really tried."""
        return not (self.faults or self.unknown or self.silent)

    def fault(self, *words: object) -> None:
        """Record a wrong cell."""
        self.faults.append(" ".join(map(str, words)))

    def told(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {
            "cells": dict(sorted(self.cells.items())),
            "asked": sum(self.cells.values()),
            "wrong": len(self.faults),
            "faults": self.faults[:SHOWN_FAULTS],
            "succeeded": len(self.succeeded),
            "never_succeeded": self.silent,
            "unknown": self.unknown,
        }


@dataclass
class Matrix:
    """The cells over one planted world; ``owner`` reads and restores what nobody may."""

    planted: Planted
    ask: Asker
    app: Any
    owner: Engine
    keep: Callable[[], Callable[[], None]]
    # Every value of every filter, or two of each.
    thorough: bool = True
    report: Report = field(default_factory=Report)

    @property
    def api(self) -> Api:
        """The world."""
        return self.planted.api

    def run(self, only: Callable[[Operation], bool] = lambda _: True) -> Report:
        """Try every cell: those that change nothing first, then those that may."""
        found = [one for one in operations(self.app) if only(one)]
        self.report.unknown = [said for one in found for said in one.unknown()]
        if self.report.unknown:
            return self.report
        before = self._rows()
        self.canaries = [word for it in all_subjects(self.planted) for word in it.canaries]
        for operation in found:
            self._outsiders(operation)
            for role in WHO:
                self._denied(operation, role)
            self._unchanged(operation.name, before)
        self._other_methods(found)
        for operation in found:
            for role in WHO:
                self._listed(operation, role)
        self._unchanged("the lists", before)
        self.let_in(found)
        self.report.silent = sorted(
            {one.name for one in found} - self.report.succeeded - set(TRIED_ELSEWHERE)
        )
        return self.report

    # Requests

    def token(self, username: str, **ago: float) -> str:
        """A token issued to an account just now, or some time ago."""
        issued = self.api.clock.now - timedelta(**ago)
        return self.api.application.tokens.issue(self.api.id_of(username), issued)

    def _fill(self, role: str) -> Filler:
        return Filler(self.planted, role, day_in_seoul(self.api.clock.now))

    def _own(self, operation: Operation) -> Subject:
        return self.planted.stages[STAGE_OF.get(operation.name, "own")]

    def _path(self, operation: Operation, id: Any) -> str:
        path = operation.path.replace(f"{{{operation.parameter}}}", str(id))
        for name, kind in SECOND.items():
            path = path.replace(f"{{{name}}}", str(self.planted.stages["own"].ids[kind]))
        return BASE + path

    def _id(self, operation: Operation, it: Subject | None) -> Any:
        """The id of the operation's kind; of nobody where there is no such subject."""
        kind = operation.kind or ""
        if kind in NAMED:
            return NAMED_FOR.get(operation.name, NAMED[kind])[it is None]
        return ABSENT if it is None else it.ids.get(kind)

    def _each(self, operation: Operation, *subjects: Subject) -> list[Subject]:
        """Those of them that have an id of the operation's kind, and each id once."""
        if operation.kind is None:
            return []
        found = {str(self._id(operation, it)): it for it in reversed(subjects)}
        return [it for id, it in reversed(found.items()) if id != "None"]

    def _send(
        self, operation: Operation, token: str | None, id: Any, body: Any, etag: str = '"1"'
    ) -> Answer:
        return self.ask(
            operation.method, self._path(operation, id), token=token, json=body,
            headers={"If-Match": etag}, query=REQUIRED.get(operation.name),
        )  # fmt: skip

    # Denied requests

    def _outsiders(self, operation: Operation) -> None:
        """No token, a disabled account, an expired token, an invalid one: the same 401."""
        own = self._own(operation)
        body = self._fill("worker").body(operation, own)
        with self.api.engine.begin() as connection:
            connection.execute(_shut(SHUT, is_active=False))
        tokens = {
            "nobody": None, "revoked": self.token(SHUT), "expired": self.token(WORKER, days=2),
            "not a token": "x" * 40,
        }  # fmt: skip
        first: Answer | None = None
        for who, token in tokens.items():
            for it in (own, None):
                answer = self._send(operation, token, self._id(operation, it), body)
                self.report.cells["401"] += 1
                first = first or answer
                if answer.status != 401 or answer.content != first.content:
                    self.report.fault(operation.name, "by", who, "→", answer.status, answer.code)
        with self.api.engine.begin() as connection:
            connection.execute(_shut(SHUT, is_active=True))

    def _denied(self, operation: Operation, role: str) -> None:
        """403 for a role without a row; for one that has it, the unreached are absent."""
        relation = relation_of(operation.action, role)
        token, fill, own = self.token(WHO[role]), self._fill(role), self._own(operation)
        body = fill.body(operation, own)
        if relation is None:
            known = self._each(operation, own, *self.planted.relations.values())
            subjects = [None, *(known if self.thorough else known[:1])]
            self._refused(operation, role, token, subjects, body)
            return
        actor = self.api.actor(WHO[role])
        self._elsewhere_in_body(operation, role, relation, token)
        if operation.kind is None:
            return
        absent = self._send(operation, token, self._id(operation, None), body)
        self._judge_absent(operation, role, absent)
        for it in self._each(operation, *self.planted.relations.values()):
            id = self._id(operation, it)
            if is_reached(relation, operation.kind, it, actor, AGENCY):
                continue
            self.report.cells["404"] += 1
            answer = self._send(operation, token, id, body)
            if answer.same_bytes != absent.same_bytes:
                self.report.fault(
                    operation.name, "as", role, "about", it.name, "→", answer.status, answer.code,
                    "and not", absent.status, absent.code,
                )  # fmt: skip
            self._tells_nothing(operation, role, it.name, answer)

    def _judge_absent(self, operation: Operation, role: str, absent: Answer) -> None:
        self.report.cells["absent"] += 1
        is_empty = absent.status == 200 and absent.json().get("items") == []
        is_off = operation.name in TRIED_ELSEWHERE and absent.status == 422
        if absent.status != 404 and operation.kind not in NAMED and not (is_empty or is_off):
            self.report.fault(operation.name, "as", role, "about nobody →", absent.status)

    def _refused(
        self,
        operation: Operation,
        role: str,
        token: str,
        subjects: Sequence[Subject | None],
        body: Any,
    ) -> None:
        """The one 403 of this role, whatever the id."""
        for it in subjects:
            self.report.cells["403"] += 1
            answer = self._send(operation, token, self._id(operation, it) or ABSENT, body)
            name = it.name if it else "nobody"
            if (answer.status, answer.code) != (403, "forbidden"):
                self.report.fault(operation.name, "as", role, "about", name, "→", answer.status)
            self._tells_nothing(operation, role, name, answer)

    def _elsewhere_in_body(
        self, operation: Operation, role: str, relation: Relation, token: str
    ) -> None:
        """An id out of scope in the request body is answered like one that never existed."""
        own, fill, actor = self._own(operation), self._fill(role), self.api.actor(WHO[role])
        id = self._id(operation, own) if operation.kind else None
        for name in operation.ids_in_body:
            if (operation.name, name) in MEANT_FOR_OTHERS:
                continue
            kind = KIND_OF_FIELD[name]
            none = self._send(operation, token, id, fill.with_id(operation, own, name, ABSENT))
            for it in self.planted.relations.values():
                other = it.ids.get(kind)
                if other is None or is_reached(relation, kind, it, actor, AGENCY):
                    continue
                self.report.cells["elsewhere in the body"] += 1
                body = fill.with_id(operation, own, name, other)
                answer = self._send(operation, token, id, body)
                if _blanked(answer, other) != _blanked(none, ABSENT):
                    self.report.fault(
                        operation.name, "as", role, "naming in", name, it.name, "→",
                        answer.status, answer.code, "and not", none.status, none.code,
                    )  # fmt: skip
                self._tells_nothing(operation, role, it.name, answer)

    def _tells_nothing(self, operation: Operation, role: str, name: str, answer: Answer) -> None:
        found = [word for word in self.canaries if word in answer.text]
        if found:
            self.report.fault(operation.name, "as", role, "about", name, "shows", found)

    def _unchanged(self, what: str, before: str) -> None:
        if self._rows() != before:
            self.report.fault(what, "changed rows although every request was denied")

    def _rows(self) -> str:
        """A digest of every stored row except the audit's."""
        digest = sha256()
        with self.owner.connect() as connection:
            for table in t.metadata.sorted_tables:
                if not table.name.startswith(RECORDS):
                    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
                    rows = connection.exec_driver_sql(
                        f'SELECT * FROM "{table.name}" ORDER BY {keys}'
                    ).cursor
                    digest.update(f"{table.name} {rows.fetchall()}".encode())
        return digest.hexdigest()

    def _other_methods(self, found: list[Operation]) -> None:
        """A method that a path does not have is refused before anything is read."""
        token = self.token(SUPERVISOR)
        known = {(one.method, one.path) for one in found} | {("POST", "/auth/token")}
        for path in sorted({one.path for one in found}):
            own = next(one for one in found if one.path == path)
            id = self._id(own, self._own(own)) if own.kind else None
            taken = {method for method, of in known if of == path}
            for method in METHODS:
                if method not in taken and not _is_shadowed(method, path, known):
                    self.report.cells["405"] += 1
                    answer = self.ask(method, self._path(own, id), token=token)
                    if answer.status != 405:
                        self.report.fault(method, path, "→", answer.status)

    # Lists

    def _listed(self, operation: Operation, role: str) -> None:
        """A list, a search or a count shows nothing of residents out of the role's scope."""
        relation = relation_of(operation.action, role)
        if operation.is_change or operation.kind is not None or relation is None:
            return
        token, actor = self.token(WHO[role]), self.api.actor(WHO[role])
        hidden = [
            it
            for it in all_subjects(self.planted)
            if not is_anyhow_reached(relation, it, actor, AGENCY)
        ]
        for query in self._queries(operation):
            self.report.cells["lists"] += 1
            body = self._fill(role).body(operation, self.planted.stages["own"])
            answer = self.ask(
                operation.method, BASE + operation.path, token=token, json=body,
                query=REQUIRED.get(operation.name, {}) | query,
            )  # fmt: skip
            if answer.status not in (200, 403, 404, 422) or answer.code == "forbidden":
                self.report.fault(operation.name, "as", role, query, "→", answer.status)
            if answer.status == 200:
                self.report.succeeded.add(operation.name)
            for it in hidden:
                # A role that reads about everyone reads references, and still no name.
                kinds = () if relation is Relation.ALL else OF_WHOM
                found = [word for word in it.canaries if word in answer.text]
                found += [kind for kind in kinds if str(it.ids.get(kind)) in answer.text]
                if found:
                    self.report.fault(operation.name, "as", role, query, "shows", it.name, found)

    def _queries(self, operation: Operation) -> Iterator[dict[str, Any]]:
        """No filter; and each filter, with values in and out of scope."""
        yield {}
        for name, schema in operation.queries.items():
            if name in ("limit", "cursor"):
                continue
            for value in self._values(name, schema):
                yield {name: value}

    def _values(self, name: str, schema: Any) -> list[Any]:
        far = self.planted.relations["other district"]
        near = self.planted.relations["same district"]
        known: dict[str, list[Any]] = {
            "centre": [far.centre, near.centre],
            "district": [far.district, near.district],
            "worker": [self.api.id_of(f"worker.{one.centre}") for one in (far, near)],
            "provider": [self.api.providers[one.agency].id for one in (far, near)],
            "since": ["2026-01-01"], "from": ["2026-01-01"], "to": ["2026-12-31"],
            "month": ["2026-03"], "subject": [far.ids["resident"], near.ids["resident"]],
            "actor": [self.api.id_of(f"worker.{far.centre}")],
        }  # fmt: skip
        if name in known:
            return known[name]
        options = [schema, *schema.get("anyOf", ())]
        listed = [value for one in options for value in one.get("enum", ())]
        listed = listed or (["true", "false"] if _is_boolean(options) else [])
        return listed if self.thorough else listed[:2]

    # Allowed requests

    def let_in(self, found: list[Operation]) -> None:
        """An actor in scope is admitted: the request succeeds, or the state does not allow it."""
        restore = self.keep()
        for operation in found:
            own = self._own(operation)
            for role in WHO:
                relation = relation_of(operation.action, role)
                if relation is None or (operation.kind is None and not operation.is_change):
                    continue  # refused, or listed above
                actor = self.api.actor(WHO[role])
                subjects = [own]
                if operation.kind is not None:
                    subjects = [
                        it
                        for it in self._each(operation, own, *self.planted.relations.values())
                        if is_reached(relation, operation.kind, it, actor, AGENCY)
                    ]
                for it in subjects:
                    if self._is_let_in(operation, role, it) and operation.is_change:
                        restore()

    def _is_let_in(self, operation: Operation, role: str, it: Subject) -> bool:
        """Send the request; returns whether it succeeded."""
        token, id = self.token(WHO[role]), self._id(operation, it) if operation.kind else None
        etag = self.etag(operation, token, id) if "428" in operation.spec["responses"] else '"1"'
        etag = etag if "428" in operation.spec["responses"] else "*"
        answer = self._send(operation, token, id, self._fill(role).body(operation, it), etag)
        self.report.cells["let in"] += 1
        is_narrower = answer.status == 403 and answer.code in NARROWER
        is_narrower |= answer.status in (400, 404) and operation.name in TRIED_ELSEWHERE
        if answer.status not in LET_IN and not is_narrower:
            self.report.fault(
                operation.name, "as", role, "about", it.name, "→", answer.status, answer.text[:200]
            )
        if answer.status < 300:
            self.report.succeeded.add(operation.name)
        return answer.status < 300

    def etag(self, operation: Operation, token: str, id: Any) -> str:
        """Its ETag, or that of the resource that it is a part of."""
        path = self._path(operation, id)
        while path.count("/") > BASE.count("/") + 1:
            answer = self.ask("GET", path, token=token)
            if answer.status == 200:
                return answer.headers.get("etag", '"1"')
            path = path.rpartition("/")[0]
        return '"1"'


# Required query parameters.
REQUIRED: Final[dict[str, dict[str, Any]]] = {
    "GET /standards/effective": {"kind": "response"},
    "GET /figures/cases": {"figure": "overdue"},
}


def _shut(username: str, *, is_active: bool) -> Any:
    return update(t.account).where(t.account.c.username == username).values(is_active=is_active)


def _blanked(answer: Answer, id: Any) -> tuple[int, bytes]:
    return answer.status, answer.content.replace(str(id).encode(), b"ID")


def _is_boolean(options: list[Any]) -> bool:
    return any(one.get("type") == "boolean" for one in options)


def _is_shadowed(method: str, path: str, known: set[tuple[str, str]]) -> bool:
    """Whether another path takes this one with an id in its last place."""
    head = path.rpartition("/")[0]
    return any(
        m == method and of.rpartition("/")[0] == head and of.endswith("}") for m, of in known
    )


@contextmanager
def planted_matrix(url: str, keep: Any, lived_in: LivedIn | None = None) -> Iterator[Matrix]:
    """A matrix over a migrated database: a fresh one, or one that was planted before."""
    with ExitStack() as stack:
        if lived_in is None:
            api = stack.enter_context(small_world(url))
            planted = plant(api)
        else:
            api = stack.enter_context(small_world(url, lived_in.people))
            api.clock.now = lived_in.now
            planted = Planted(api, lived_in.relations, lived_in.stages)
        with patch(TIME_ALLOWED, patient):
            app = api.application.app()
        ask = stack.enter_context(asking(app))

        def kept() -> Callable[[], None]:
            restore = keep(api.application.engine, api.engine)

            def again() -> None:
                restore()
                api.application.clockwork.forget()
                api.application.catalogue.forget()

            return again

        yield Matrix(planted, ask, app, api.engine, kept)


class LivedIn(NamedTuple):
    """The planted world of a database, without an application."""

    people: People
    relations: dict[str, Subject]
    stages: dict[str, Subject]
    now: datetime


def planted_once(session: Path) -> tuple[Path, LivedIn]:
    """A planted SQLite file, to be copied, and its content; made once per test session."""
    file, known = session / "planted.sqlite", session / "planted"
    with (session / "planting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not known.exists():
            people = make_people()
            with database("sqlite") as url:
                engine = open_engine(url).execution_options(vault=open_vault(Settings()))
                settle_in(engine, people)
                engine.dispose()
                with small_world(url, people) as api:
                    planted = plant(api)
                    found = LivedIn(people, planted.relations, planted.stages, api.clock.now)
                    keep_file(api.application.engine, api.engine)
                shutil.copyfile(str(make_url(url).database), file)
            known.write_bytes(pickle.dumps(found))
    lived_in: LivedIn = pickle.loads(known.read_bytes())
    return file, lived_in


@contextmanager
def copied_matrix(session: Path) -> Iterator[Matrix]:
    """A matrix on a copy of the session's planted SQLite file."""
    file, lived_in = planted_once(session)
    place = postgres.MEMORY if postgres.MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="casework-", dir=place) as folder:
        copy = shutil.copyfile(file, Path(folder) / "casework.sqlite")
        with planted_matrix(f"sqlite:///{copy}", keep_file, lived_in) as matrix:
            yield matrix


def keep_file(engine: Engine, owner: Engine) -> Callable[[], None]:
    """Save a SQLite file; returns a function that restores it."""
    place = Path(str(engine.url.database))
    owner.dispose()
    engine.dispose()
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = Path(shutil.copyfile(place, place.with_suffix(".kept")))

    def restore() -> None:
        engine.dispose()
        owner.dispose()
        for suffix in ("-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(kept, place)

    return restore


def keep_copy(server: postgres.Server, name: str) -> Any:
    """Save a PostgreSQL database in a copy; returns a function that restores it."""

    def keep(engine: Engine, owner: Engine) -> Callable[[], None]:
        def dispose() -> None:
            engine.dispose()
            owner.dispose()

        dispose()
        server.create_database(f"{name}_kept", name)

        def restore() -> None:
            dispose()
            server.drop_database(name)
            server.create_database(name, f"{name}_kept")

        return restore

    return keep


@contextmanager
def matrix_on(store: str) -> Iterator[Matrix]:
    """A matrix on a throw-away database of either kind."""
    session = os.environ.get(canaries.SESSION_FOLDER)
    with ExitStack() as stack:
        if store == "sqlite" and session is not None:
            yield stack.enter_context(copied_matrix(Path(session)))
            return
        if store == "sqlite":
            url = stack.enter_context(database(store))
            keep: Any = keep_file
        else:
            server = stack.enter_context(postgres.running_server())
            home = stack.enter_context(server.database("casework_matrix"))
            server.make_roles(home)
            url = server.url_as("casework_app", home)
            migrations.upgrade(owner_of(url))
            keep = keep_copy(server, "casework_matrix")
        yield stack.enter_context(planted_matrix(url, keep))


def main() -> int:
    """Run the proof and print what it found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--store", choices=STORES, default="sqlite")
    options.add_argument("--filter-open", action="store_true")
    asked = options.parse_args()
    quiet()
    began = time.monotonic()
    with matrix_on(asked.store) as matrix, ExitStack() as stack:
        if asked.filter_open:
            stack.enter_context(filter_open())
        report = matrix.run()
        if asked.filter_open:  # nobody is out of scope then, so nobody can be opened
            report.silent = [name for name in report.silent if name != "POST /break-glass"]
    print(
        json.dumps(
            report.told()
            | {
                "store": asked.store, "filter_open": asked.filter_open,
                "seconds": round(time.monotonic() - began, 1), "python": platform.python_version(),
            },
            ensure_ascii=False, indent=2,
        )
    )  # fmt: skip
    return 0 if report.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())

"""A lost disk: what is backed up while everybody works comes back in a new place, row by row.

    python3 dev.py proof restore --residents 2000 --store postgresql

A world is filled, its audit sealed and its heads exported. While threads register, change, search
and read over HTTP, a backup is made; what its snapshot saw is read besides, by a plain query of
every table. Then it is restored into a new place: every row must be the one that was seen, the
audit must verify against the exported heads, an encrypted telephone must be readable over HTTP,
and the relay must send nothing of what waits, until it is told to go on; nor where the copy is put
back without `casework restore`. Controls, each to be refused or found: one row changed and a table
missing in the backup, with its manifest as it was and signed anew; another key ring; heads older
than the backup; a backup older than the exported heads. Exits 1 where anything is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from threading import Event
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import Connection, insert, select, text
from starlette.testclient import TestClient

from casework import audit_begin, backups, relay_control
from casework.adapters.logs import configure_logs
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows.mapper import to_row
from casework.adapters.persistence.schema import copies
from casework.adapters.persistence.scope import row_level_security
from casework.bench import throwaway
from casework.bootstrap import Application
from casework.domain.audit.manifests import Manifest, manifest_text, read_manifest
from casework.domain.notices.outbox import LetterKind, Message
from casework.settings import SettingsError
from casework.workflows.audit import exporting, sealing
from casework.workflows.notices import pausing
from casework.workflows.notices.relay import relay
from tests.adapters.persistence.notices.test_notices import Box
from tests.api.conftest import WORKER, SignedIn
from tests.audit import seal
from tests.proofs._drill import A_ROW, Drill, Rows, all_rows, opened, owned, unlike
from tests.proofs._world import STORES, database, owner_of, small_world
from tests.proofs.rotation import fill, own_ring, silent

AUDIT_KEY: Final = b"a" * 32
THREADS: Final = 4
# As many requests are answered before a backup is begun among them.
REQUESTS: Final = 12


def prepare(drill: Drill) -> None:
    """Seal the audit, export its heads, note where is sent from, and let a message wait."""
    application, now = drill.world.application, drill.world.clock.now
    seal(application)
    exporting.export(application.exporting, now)
    pausing.may_send(application.notices, now)
    with drill.world.engine.begin() as connection:
        whose = connection.scalar(select(t.account.c.id).where(t.account.c.username == WORKER))
        waits = Message(
            id=new_id(), kind=LetterKind.SIGN_IN_FAILED, account_id=whose, subscription_id=None,
            district_code=None, payload={}, created_at=now, next_at=now,
        )  # fmt: skip
        connection.execute(insert(t.message), [to_row(waits)])


def back_up_under_load(
    drill: Drill, phones: dict[UUID, str], seed: int
) -> tuple[Rows, list[Counter[str]]]:
    """Make a backup while requests go on; what its snapshot saw, and what was answered."""
    seen: list[Rows] = []
    told = backups._told

    def looked(connection: Connection) -> dict[str, Any]:
        seen.append(all_rows(connection))
        return told(connection)

    stop, everyone = Event(), list(phones)[1:]  # the first one stays as it was
    world = drill.world
    with TestClient(world.application.app()) as client, ThreadPoolExecutor(THREADS) as pool:
        worker = replace(world, client=client).as_(WORKER)
        answers = [Counter[str]() for _ in range(THREADS)]
        loads = [
            pool.submit(work, worker, everyone[n::THREADS], Random(seed + n), stop, answers[n])
            for n in range(THREADS)
        ]
        try:
            while sum(one["2xx"] for one in answers) < REQUESTS and not any(map(_ended, loads)):
                time.sleep(0.1)
            seal(world.application)  # so that there are heads to compare
            with patch.object(backups, "_told", looked):
                backups.make(world.application, drill.backup, silent)
        finally:
            stop.set()
        for one in loads:
            one.result()
    return seen[0], answers


def _ended(load: Future[None]) -> bool:
    return load.done()


def work(
    worker: SignedIn, mine: list[UUID], rng: Random, stop: Event, answers: Counter[str]
) -> None:
    """One account's requests until told to stop: read, change a telephone, write a note."""
    while not stop.is_set():
        id, phone = rng.choice(mine), f"010-9{rng.randrange(1000):03}-{rng.randrange(10_000):04}"
        seen = worker.get(f"/residents/{id}")
        _count(answers, seen)
        if seen.status_code == 200:
            tag = {"If-Match": seen.headers["ETag"]}
            _count(answers, worker.patch(f"/residents/{id}", {"phone": phone}, headers=tag))
        note = {"kind": "call", "text": f"기록 {phone}"}
        _count(answers, worker.post(f"/residents/{id}/notes", note))


def _count(answers: Counter[str], answer: Any) -> None:
    """Done, busy (which a client sends again), or anything else."""
    done, busy = answer.status_code < 300, answer.status_code == 503
    answers["2xx" if done else "503" if busy else "else"] += 1


def restored(drill: Drill, seen: Rows, phones: dict[UUID, str]) -> dict[str, Any]:
    """Restore, and look at the rows, the audit, an encrypted value and the relay."""
    first = next(iter(phones))
    with drill.place() as place:
        drill.restore(place)
        with owned(place) as owner, owner.connect() as connection:
            wrong = unlike(seen, all_rows(connection))
            connection.execute(text(A_ROW))
            found = unlike(seen, all_rows(connection))
            connection.rollback()
        with opened(drill, place) as application:
            seal(application)
            last = exporting.newest(application.exporting).last
            verdict = sealing.verify(
                application.seals, AUDIT_KEY, None, exported=last.all_heads if last else ()
            )
            with TestClient(application.app()) as client:
                world = replace(drill.world, application=application, client=client)
                phone = world.as_(WORKER).get(f"/residents/{first}").json().get("phone")
                ready = client.get("/health/ready").json()
            paused, after = sent_before_and_after(drill, application)
    return {
        "tables_unlike": wrong, "audit_flaws": len(verdict.flaws), "entries": verdict.entries,
        "opened": phone == phones[first], "said": [ready["status"], ready["sending"]],
        "sent_while_paused": paused, "sent_after": after, "control_row": found == ["resident"],
    }  # fmt: skip


def sent_before_and_after(drill: Drill, application: Application) -> tuple[int, int]:
    """How many messages a round sends while it is paused, and once it was resumed."""

    def a_round() -> int:
        box, clock = Box(), drill.world.clock
        ctx = application.context()
        relay(ctx, application.notices, box, clock=clock, jitter=lambda: 0.0)
        return len(box.letters)

    paused = a_round()
    relay_control.resume(application.engine, drill.world.clock.now, set_aside=False)
    return paused, a_round()


def put_back_by_hand(drill: Drill) -> int:
    """How many messages are sent where the copy is put back without `casework restore`."""
    with drill.place() as place:
        (data,) = drill.backup.glob("data.*")
        copies.put_back(backups._source(place), data)
        with owned(place) as owner:
            row_level_security.install_policies(owner)
        with opened(drill, place) as application:
            return sent_before_and_after(drill, application)[0]


def changed(drill: Drill, name: str, *statements: str, signed: bool) -> Path:
    """A copy of the backup in which the data was changed, with its manifest as it was or anew."""
    target = drill.folder / name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(drill.backup, target)
    (data,) = target.glob("data.*")
    with drill.place() as place:
        copies.put_back(backups._source(place), data)
        with owned(place) as owner, owner.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        data.unlink()
        copies.copy_to(backups._source(place), data, lambda _connection: None, silent)
    if signed:
        sign(target, digest=backups._digest(data), size=data.stat().st_size)
    return target


def sign(backup: Path, **said: Any) -> Manifest:
    """Let a manifest say something else, under the audit key."""
    path = backup / backups.MANIFEST
    manifest = replace(read_manifest(path.read_text(), AUDIT_KEY), **said)
    path.write_text(manifest_text(manifest, AUDIT_KEY))
    return manifest


def controls(drill: Drill) -> dict[str, str]:
    """What a restore says of each backup that is not as it should be."""
    a_table = "DROP TABLE way_in"
    found = {}
    for name, statement in (("row", A_ROW), ("table", a_table)):
        for signed in (False, True):
            backup = changed(drill, f"{name}_{signed}", statement, signed=signed)
            found[f"{name}{', signed anew' if signed else ''}"] = drill.refusal(backup)
    with tempfile.TemporaryDirectory() as other, drill.place() as place:
        ring = {"key_ring": Path(other) / "ring.json"}
        settings = place.model_copy(update=ring)
        found["key ring"] = drill.refusal(drill.backup, settings)
    older = drill.folder / "older"
    shutil.copytree(drill.backup, older)
    heads = read_manifest((older / backups.MANIFEST).read_text(), AUDIT_KEY).heads
    sign(older, heads=tuple(replace(one, count=one.count - 1) for one in heads))
    found["older heads"] = drill.refusal(older)
    found["behind the exported heads"] = behind(drill)
    return found


def behind(drill: Drill) -> str:
    """What is said at the start of a database that is behind what was exported since."""
    application, now = drill.world.application, drill.world.clock.now
    relay_control.pause_by_operator(application.engine, now)  # it leaves an entry
    seal(application)
    exporting.export(application.exporting, now)
    with drill.place() as place:
        if not drill.restore(place).behind:
            return ""
        with opened(drill, place) as restored_one:
            try:
                audit_begin.check(place, restored_one.engine, restored_one.vault)
            except SettingsError:
                return "not_as_exported"
    return ""


EXPECTED: Final = {
    "row": "backup_altered", "row, signed anew": "restored_otherwise",
    "table": "backup_altered", "table, signed anew": "restored_otherwise",
    "key ring": "wrong_key_ring", "older heads": "restored_otherwise",
    "behind the exported heads": "not_as_exported",
}  # fmt: skip


@contextmanager
def drilled(store: str) -> Iterator[Drill]:
    """A world on a store, whose heads are exported to a file."""
    with own_ring(), database(store) as url, tempfile.TemporaryDirectory() as folder:
        programs = Path(throwaway.binary("pg_dump", Path(folder))).parent
        own = {
            "CASEWORK_MIGRATION_URL": owner_of(url),
            "CASEWORK_PG_BIN": str(programs),
            "CASEWORK_AUDIT_HEADS": f"file:{folder}/heads",
            "CASEWORK_DATA_DIR": f"{folder}/data",
            "CASEWORK_LOG_REQUESTS": "off",
        }
        with patch.dict(os.environ, own), small_world(url) as world:
            yield Drill(world, Path(folder), count())


def drill_once(store: str, residents: int, seed: int) -> dict[str, Any]:
    """The whole drill on one store."""
    with drilled(store) as drill:
        phones = fill(drill.world, residents)
        prepare(drill)
        began = time.monotonic()
        seen, answers = back_up_under_load(drill, phones, seed)
        took = time.monotonic() - began
        return {
            "rows": sum(rows.total() for rows in seen.values()),
            "tables": len(seen),
            "requests": dict(sum(answers, Counter[str]())),
            "backup_s": round(took, 1),
            **restored(drill, seen, phones),
            "sent_by_hand": put_back_by_hand(drill),
            "controls": controls(drill),
        }


def is_proven(result: dict[str, Any]) -> bool:
    """Whether everything came back, nothing was sent, and each control was caught."""
    well = not (result["tables_unlike"] or result["audit_flaws"] or result["requests"].get("else"))
    silent_until_told = not result["sent_while_paused"] and not result["sent_by_hand"]
    return bool(
        well
        and result["opened"]
        and result["said"] == ["degraded", False]
        and silent_until_told
        and result["sent_after"]
        and result["control_row"]
        and result["controls"] == EXPECTED
        and result["requests"].get("2xx", 0) >= REQUESTS
    )


def main() -> int:
    """Run the drill; print its figures as one JSON document."""
    description = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="proof restore", description=description)
    parser.add_argument("--residents", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=(*STORES, "both"), default="both")
    options = parser.parse_args()
    configure_logs()  # to stderr: stdout has the figures
    began, tell = time.monotonic(), partial(print, file=sys.stderr, flush=True)
    stores = {}
    for name in STORES if options.store == "both" else (options.store,):
        stores[name] = drill_once(name, options.residents, options.seed)
        tell(f"{name}: {stores[name]}")
    told = {
        "proof": "restore", "residents": options.residents, "stores": stores,
        "machine": platform.platform(), "python": platform.python_version(),
        "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    print(json.dumps(told, indent=2))
    return 0 if all(map(is_proven, stores.values())) else 1


if __name__ == "__main__":
    sys.exit(main())

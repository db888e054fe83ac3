"""Key rotation under load: no request fails, nothing stays under the old key, nothing is lost.

    python3 dev.py proof rotation --residents 50000 --seed 1 --store postgresql

Telephones, addresses, contacts and notes are encrypted under the first key. While threads
register, change, search and read over HTTP, `casework keys rotate` runs as a process of its own,
is killed when a third is done, and is started again. Afterwards no value may be under the old
key, each must read as it was written, and no request may have failed; then the old key is taken off
the ring, and everything is read once more. Exits 1 where anything of that is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from random import Random
from threading import Event
from typing import Any
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import select
from starlette.testclient import TestClient

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows import bulk
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.schema import reencryption
from casework.domain.residents.resident import Contact, Note, NoteKind, Resident, Sex
from casework.workflows.audit.encryption_keys import RETENTION_AFTER_ROTATION, retire
from tests.api.conftest import DISTRICT, HERE, WORKER, Api, SignedIn
from tests.proofs._world import STORES, database, small_world
from tests.proofs.sweeps import ROOT, environment

THREADS, BATCH, ENDS_WITHIN_S, THINKS_S = 4, 500, 3600, 0.2
TELLS_EVERY_S = 10
Tell = Callable[[str], None]
ROTATE = [sys.executable, "-m", "casework", "keys", "rotate", "--json"]
# Smaller batches: with few residents, batches of the usual size end before it is killed.
IN_BATCHES = """
import sys
from casework.__main__ import main
from casework.adapters.persistence.schema import reencryption

reencryption.BATCH = int(sys.argv.pop(1))
main()
"""
STEPS = 20


@contextmanager
def own_ring() -> Iterator[None]:
    """A key ring that no other proof or test uses."""
    with tempfile.TemporaryDirectory(prefix="casework-") as folder:
        own = {"CASEWORK_KEY_RING": f"{folder}/keyring.json", "CASEWORK_MASTER_KEY": "m" * 32}
        with patch.dict(os.environ, own):
            yield


@dataclass
class Load:
    """The requests made during the rotation, and their results."""

    asked: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    slowest: float = 0.0
    # What each resident's telephone was last said to be.
    phones: dict[UUID, str] = field(default_factory=dict)

    def judge(self, what: str, answer: Any, began: float) -> Any:
        """Count a response; record a wrong one."""
        self.asked[what] += 1
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status_code >= 300:
            self.failed.append(f"{what}: {answer.status_code} {answer.text[:200]}")
        return answer


def silent(_said: str) -> None:
    """Report no progress."""


def fill(world: Api, count: int, tell: Tell = silent) -> dict[UUID, str]:
    """So many residents with a contact and a note; each one's telephone."""
    phones: dict[UUID, str] = {}
    for at in range(0, count, BATCH):
        if at % (10 * BATCH) == 0:
            tell(f"{at} of {count} residents stand there")
        things: list[Any] = []
        for n in range(at, min(at + BATCH, count)):
            resident, *others = _a_life(world, n)
            phones[resident.id] = str(resident.phone)
            things += [resident, *others]
        with world.engine.begin() as connection:
            bulk.insert_all(connection, things)
    return phones


def _a_life(world: Api, n: int) -> tuple[Resident, Contact, Note]:
    now, phone = world.clock(), f"010-{n // 10_000:04}-{n % 10_000:04}"
    resident = Resident(
        id=new_id(), name=f"가상{n}", birth_date=date(1930, 1, 1) + timedelta(days=n % 9000),
        sex=Sex.FEMALE, centre_code=HERE, district_code=DISTRICT, registered_at=now,
        registered_by=None, phone=phone, address=f"가상로 {n}",
    )  # fmt: skip
    contact = Contact(
        id=new_id(), resident_id=resident.id, name="가상", relation="자녀", phone=f"{phone[:-1]}9"
    )
    note = Note(
        id=new_id(), resident_id=resident.id, kind=NoteKind.CALL, with_whom=None, text=f"기록 {n}",
        come_back_on=None, written_at=now, written_by=None,
    )  # fmt: skip
    return resident, contact, note


def work(worker: SignedIn, mine: list[UUID], seed: int, stop: Event) -> Load:
    """One account's requests until told to stop: register, change, search, read, write notes."""
    rng, load = Random(seed), Load()
    while not stop.is_set():
        id, phone = rng.choice(mine), f"010-9{seed % 1000:03}-{rng.randrange(10_000):04}"
        began = time.monotonic()
        seen = load.judge("read", worker.get(f"/residents/{id}"), began)
        began = time.monotonic()
        changed = load.judge(
            "change",
            worker.patch(
                f"/residents/{id}", {"phone": phone}, headers={"If-Match": seen.headers["ETag"]}
            ),
            began,
        )
        if changed.status_code == 200:
            load.phones[id] = phone
        began = time.monotonic()
        found = load.judge("search", worker.post("/residents/search", {"phone": phone}), began)
        if str(id) not in found.text:
            load.failed.append("search: who has this telephone was not found")
        began = time.monotonic()
        note = {"kind": "call", "text": f"기록 {phone}"}
        load.judge("note", worker.post(f"/residents/{id}/notes", note), began)
        if load.judge("notes", worker.get(f"/residents/{id}/notes"), began).status_code == 200:
            time.sleep(THINKS_S)
    return load


def started(world: Api, rows: int | None = None) -> subprocess.Popen[str]:
    """The rotation as an operator starts it, or with at most that many rows per batch."""
    batch = [sys.executable, "-c", IN_BATCHES, str(rows), *ROTATE[3:]]
    return subprocess.Popen(
        batch if rows else ROTATE, cwd=ROOT, env=environment(world.application.settings.url()),
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(world: Api, rotation: subprocess.Popen[str], old: str, tell: Tell) -> tuple[str, str]:
    """The output of a rotation until it ends, with its progress."""
    began = time.monotonic()
    while True:
        try:
            return rotation.communicate(timeout=TELLS_EVERY_S)
        except subprocess.TimeoutExpired:
            took = time.monotonic() - began
            if took > ENDS_WITHIN_S:
                rotation.kill()
                raise
            values = world.application.encrypted_rows().values_by_key()[old]
            tell(f"{values} values to go after {took:.0f} s")


def killed_midway(world: Api, old: str, residents: int) -> dict[str, int]:
    """Rotate until a third is done, then kill it; returns the number of values under either key."""
    batch = max(1, min(reencryption.BATCH, residents // STEPS))
    rotation, rows = started(world, batch), world.application.encrypted_rows()
    try:
        before = rows.values_by_key()[old]
        while rotation.poll() is None:
            new = world.application.vault.current()
            under = rows.values_by_key()
            if new != old and under[new] * 3 > before:
                break
            time.sleep(0.01)
        rotation.send_signal(signal.SIGKILL)
    finally:
        rotation.kill()
        rotation.communicate()
    under = rows.values_by_key()
    killed = rotation.returncode == -signal.SIGKILL
    new = world.application.vault.current()
    return {"old": under[old], "new": under[new] if new != old else 0, "killed": int(killed)}


def read_back(world: Api, phones: dict[UUID, str]) -> int:
    """How many telephones, addresses, contacts or notes are not what was written."""
    wrong = 0
    with world.engine.connect() as connection:
        vault = vault_of(connection)
        for row in connection.execute(select(t.resident)):
            one: Resident = from_row(Resident, row, vault)
            wrong += one.phone != phones[one.id] or one.address != f"가상로 {one.name[2:]}"
        for row in connection.execute(select(t.note)):
            wrong += not from_row(Note, row, vault).text.startswith("기록 ")
        for row in connection.execute(select(t.contact)):
            wrong += not from_row(Contact, row, vault).phone.startswith("010-")
    return wrong


def rotate_under_load(world: Api, residents: int, seed: int, tell: Tell = silent) -> dict[str, Any]:
    """The whole proof on one store."""
    phones, old, stop = fill(world, residents, tell), world.application.vault.current(), Event()
    values = world.application.encrypted_rows().values_by_key()[old]
    with TestClient(world.application.app()) as client, ThreadPoolExecutor(THREADS) as pool:
        worker, everyone = replace(world, client=client).as_(WORKER), list(phones)
        loads: list[Future[Load]] = [
            pool.submit(work, worker, everyone[n::THREADS], seed + n, stop) for n in range(THREADS)
        ]
        began = time.monotonic()
        try:
            midway = killed_midway(world, old, residents)
            tell(f"killed: {midway['old']} values under the old key, {midway['new']} under the new")
            resumed = time.monotonic()
            with started(world) as again:
                said, errors = ended(world, again, old, tell)
            again_took = time.monotonic() - resumed
        finally:
            stop.set()
        done = [one.result() for one in loads]
    took = time.monotonic() - began
    for load in done:
        phones |= load.phones
    tell(f"ended after {took:.0f} s: reading everything")
    current = {world.application.vault.current(kind) for kind in ("data", "index")}
    left = {
        key: count
        for key, count in world.application.encrypted_rows().values_by_key().items()
        if key not in current
    }
    wrong = read_back(world, phones)
    later = max(one.made_at for one in world.application.vault.listed()) + RETENTION_AFTER_ROTATION
    retire(world.application.vault, world.application.encrypted_rows(), later)
    return {
        "values": values,
        "killed_at": midway,
        "ended": again.returncode,
        "said": json.loads(said) if again.returncode == 0 else errors[-500:],
        "seconds": round(took, 1),
        "values_a_second": round(midway["old"] / again_took),
        "requests": dict(sum((load.asked for load in done), Counter())),
        "slowest": round(max(load.slowest for load in done), 2),
        "failed": [fault for load in done for fault in load.failed][:5],
        "left_on_old": left,
        "wrong": wrong,
        "old_is_gone": old not in {one.id for one in world.application.vault.listed()},
        "wrong_without_it": read_back(world, phones),
    }


def is_proven(result: dict[str, Any]) -> bool:
    """Whether it was killed midway, ended, and nothing failed, stayed or was lost."""
    midway = all(result["killed_at"].values())
    clean = not (result["failed"] or result["left_on_old"] or result["wrong"])
    gone = result["old_is_gone"] and not result["wrong_without_it"]
    return bool(midway and result["ended"] == 0 and clean and gone and result["requests"])


def main() -> int:
    """Run the proof and print what it found."""
    description = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="proof rotation", description=description)
    parser.add_argument("--residents", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=(*STORES, "both"), default="both")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    stores = {}
    for name in STORES if options.store == "both" else (options.store,):
        with own_ring(), database(name) as url, small_world(url) as world:
            tell = partial(print, f"{name}:", file=sys.stderr, flush=True)
            stores[name] = rotate_under_load(world, options.residents, options.seed, tell)
        print(f"{name}: {stores[name]}", file=sys.stderr)
    result = {
        "proof": "rotation", "residents": options.residents, "seed": options.seed,
        "stores": stores, "machine": platform.platform(), "python": platform.python_version(),
    }  # fmt: skip
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
    return 0 if all(map(is_proven, stores.values())) else 1


if __name__ == "__main__":
    sys.exit(main())

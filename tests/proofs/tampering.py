"""Tampering with the audit: each edit, deletion, insertion, swap and truncation is located.

    python3 dev.py proof tampering --edits 10000 --store sqlite

A log of some chains is written by the store itself and sealed. Then, again and again: one random
change, made with full power over the database (no trigger, no grant) in a transaction that is
rolled back afterwards; and in that transaction the check that `casework audit verify` makes, of
every chain. It must name the place: the entry that was changed, or the first one after what is
gone. Then, as a control, a check that counts and compares ids but no hashes: it must miss every
edit of an entry's columns. Exits 1 where a change was missed or named elsewhere.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.chain_store import SqlAuditChainStore
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.audit.sealing import seal_with
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.tables.audit import audit_head, audit_seal
from casework.domain.access.policy import Actor, Role
from casework.domain.audit.chain import CHAIN_LIST, ChainVerifier, Flaw, chain_of
from casework.workflows.audit import sealing
from casework.workflows.ports.unit_of_work import RequestFacts
from tests.api.conftest import seoul
from tests.audit import free_hand
from tests.proofs._world import STORES, database, owner_of

KEY = b"a" * 32
DISTRICTS = ("26110", "26140", "26350", None)
NOW = seoul("2026-03-02T10:00")
_entry, _seal, _head = t.audit_entry, audit_seal, audit_head


@dataclass(frozen=True)
class Log:
    """The unchanged log: the rows of its chains in order, and every entry."""

    chains: dict[str, list[Any]]
    entries: dict[UUID, dict[str, Any]]


@dataclass(frozen=True)
class Change:
    """What was done, and where the check must find it; any of several flaws is right."""

    kind: str
    expected: tuple[Flaw, ...]


def write_log(engine: Engine, entries: int, rng: random.Random) -> None:
    """Entries of several districts, as the store writes them."""
    people = [
        Actor(id=new_id(), role=Role.WORKER, username=f"worker.{n}", district_code=code)
        for n, code in enumerate(DISTRICTS * 3)
    ]
    residents = [new_id() for _ in range(50)]
    with engine.begin() as connection:
        for n in range(entries):
            about = rng.sample(residents, rng.randrange(4))
            facts = RequestFacts(
                task="GET /residents/{id}", asked_for=str(rng.choice(residents)),
                source="10.0.0.7", request_id=f"r{n}",
            )  # fmt: skip
            outcome, code = rng.choice([("ok", None), ("ok", None), ("refused", "not_found")])
            at = NOW - timedelta(seconds=entries - n)
            write_audit(
                connection, rng.choice(people), "case.read", at, facts, about, outcome, code
            )


def read_log(engine: Engine) -> Log:
    """The rows of every chain, in order."""
    with engine.connect() as connection:
        seals = connection.execute(select(_seal).order_by(_seal.c.chain, _seal.c.seq)).all()
        rows = connection.execute(select(_entry)).all()
    chains: dict[str, list[Any]] = {}
    for one in seals:
        chains.setdefault(one.chain, []).append(one)
    return Log(chains, {row.id: dict(row._mapping) for row in rows})


class Hand:
    """An attacker with full rights on the database, who changes one thing at a time."""

    def __init__(self, log: Log, rng: random.Random) -> None:
        self._log, self._rng = log, rng

    def strike(self, connection: Connection) -> Change:
        """Make one random change."""
        acts = [
            self.edit_entry, self.edit_entry, self.edit_entry, self.edit_seal, self.delete_entry,
            self.delete_seal, self.delete_both, self.insert_entry, self.insert_seal,
            self.swap_entries, self.swap_seals, self.cut_tail, self.cut_tail_and_head,
            self.edit_head, self.delete_head,
        ]  # fmt: skip
        return self._rng.choice(acts)(connection)

    def _place(self, *, not_last: bool = False) -> tuple[str, int, list[Any]]:
        chain = self._rng.choice(sorted(self._log.chains))
        rows = self._log.chains[chain]
        return chain, self._rng.randrange(len(rows) - not_last), rows

    def edit_entry(self, connection: Connection) -> Change:
        """Another value in one column of an entry."""
        chain, n, rows = self._place()
        name = self._rng.choice([column.name for column in _entry.columns])
        value = self._another(name, self._log.entries[rows[n].entry_id][name])
        statement = update(_entry).where(_entry.c.id == rows[n].entry_id).values({name: value})
        connection.execute(statement)
        why = "entry_missing" if name == "id" else "entry_altered"
        return Change(f"edit {name}", (at(chain, why, rows[n]),))

    def _another(self, name: str, value: Any) -> Any:
        match name:
            case "id" | "actor_id":
                return new_id()
            case "at":
                return value + self._rng.choice([1, -1]) * timedelta(microseconds=1)
            case "subjects":
                return (
                    [*value, str(new_id())] if self._rng.random() < 0.5 or not value else value[1:]
                )
            case "outcome":
                return "failed"
            case "district_code":
                return "26999"
        if value is not None and self._rng.random() < 0.3 and name not in ("action", "task"):
            return None
        return f"{value or ''}x"[-30:] if value != "x" else "y"

    def edit_seal(self, connection: Connection) -> Change:
        """Another value in one column of a seal."""
        chain, n, rows = self._place()
        row, name = rows[n], self._rng.choice(["previous", "hash", "sealed_at", "entry_id"])
        value: Any = f"{self._rng.getrandbits(256):064x}"
        if name == "sealed_at":
            value = row.sealed_at + timedelta(microseconds=1)
        elif name == "entry_id":
            value = new_id()
        connection.execute(
            update(_seal)
            .where(_seal.c.chain == chain, _seal.c.seq == row.seq)
            .values({name: value})
        )
        if name == "entry_id":
            lost = Flaw(chain=chain, why="entry_missing", seq=row.seq, entry_id=value)
            return Change("edit seal", (lost,))
        why = "seal_altered" if name == "previous" else "entry_altered"
        return Change("edit seal", (at(chain, why, row),))

    def delete_entry(self, connection: Connection) -> Change:
        """An entry goes, its seal stays."""
        chain, n, rows = self._place()
        connection.execute(delete(_entry).where(_entry.c.id == rows[n].entry_id))
        return Change("delete entry", (at(chain, "entry_missing", rows[n]),))

    def delete_seal(self, connection: Connection) -> Change:
        """A seal goes, its entry stays."""
        chain, n, rows = self._place(not_last=True)
        self._drop_seal(connection, rows[n])
        return Change("delete seal", (gap(chain, rows[n], rows[n + 1]),))

    def delete_both(self, connection: Connection) -> Change:
        """An entry goes, and its seal with it."""
        chain, n, rows = self._place(not_last=True)
        self._drop_seal(connection, rows[n])
        connection.execute(delete(_entry).where(_entry.c.id == rows[n].entry_id))
        return Change("delete both", (gap(chain, rows[n], rows[n + 1]),))

    def insert_entry(self, connection: Connection) -> Change:
        """An entry that no sealer saw."""
        entry = self._rng.choice(list(self._log.entries.values())) | {"id": new_id()}
        connection.execute(insert(_entry), [entry])
        flaw = Flaw(chain=chain_of(entry), why="entry_unsealed", entry_id=entry["id"])
        return Change("insert entry", (flaw,))

    def insert_seal(self, connection: Connection) -> Change:
        """An entry with a seal of its own making, at the end of a chain."""
        chain, _, rows = self._place()
        last = rows[-1]
        entry = self._log.entries[last.entry_id] | {"id": new_id()}
        connection.execute(insert(_entry), [entry])
        made = last._asdict() | {
            "seq": last.seq + 1,
            "entry_id": entry["id"],
            "previous": last.hash,
        }
        connection.execute(insert(_seal), [made])
        beyond = Flaw(chain=chain, why="seal_beyond_head", seq=last.seq + 1, entry_id=entry["id"])
        return Change("insert seal", (beyond,))

    def swap_entries(self, connection: Connection) -> Change:
        """What two entries say changes places."""
        chain, n, rows = self._place(not_last=True)
        m = self._rng.randrange(n + 1, len(rows))
        one, other = (self._log.entries[rows[k].entry_id] for k in (n, m))
        for to, said in ((one, other), (other, one)):
            values = {name: value for name, value in said.items() if name != "id"}
            connection.execute(update(_entry).where(_entry.c.id == to["id"]).values(values))
        return Change("swap entries", (at(chain, "entry_altered", rows[n]),))

    def swap_seals(self, connection: Connection) -> Change:
        """Two seals change the entries they name."""
        chain, n, rows = self._place(not_last=True)
        m = self._rng.randrange(n + 1, len(rows))
        for row, id in (
            (rows[n], new_id()),
            (rows[m], rows[n].entry_id),
            (rows[n], rows[m].entry_id),
        ):
            connection.execute(
                update(_seal).where(_seal.c.chain == chain, _seal.c.seq == row.seq)
                .values(entry_id=id)
            )  # fmt: skip
        found = Flaw(chain=chain, why="entry_altered", seq=rows[n].seq, entry_id=rows[m].entry_id)
        return Change("swap seals", (found,))

    def cut_tail(self, connection: Connection) -> Change:
        """The last entries of a chain go, with their seals."""
        chain, n, rows = self._place()
        self._cut(connection, chain, rows[n:])
        return Change("cut tail", (Flaw(chain=chain, why="tail_cut", seq=rows[n].seq),))

    def cut_tail_and_head(self, connection: Connection) -> Change:
        """And the head is set back to fit, but for its mark."""
        chain, n, rows = self._place(not_last=True)
        self._cut(connection, chain, rows[n + 1 :])
        connection.execute(
            update(_head).where(_head.c.chain == chain)
            .values(count=rows[n].seq, last_hash=rows[n].hash)
        )  # fmt: skip
        return Change("cut tail and head", (Flaw(chain=chain, why="head_altered"),))

    def edit_head(self, connection: Connection) -> Change:
        """Another value in one column of a head."""
        chain = self._rng.choice([*sorted(self._log.chains), CHAIN_LIST])
        name = self._rng.choice(["count", "last_hash", "first_seq", "anchor", "mac"])
        value: Any = f"{self._rng.getrandbits(256):064x}"
        if name in ("count", "first_seq"):
            value = 10**6 + self._rng.randrange(10**6)
        connection.execute(update(_head).where(_head.c.chain == chain).values({name: value}))
        why = "chains_altered" if chain == CHAIN_LIST else "head_altered"
        return Change("edit head", (Flaw(chain=chain, why=why),))

    def delete_head(self, connection: Connection) -> Change:
        """A head goes."""
        chain, _, rows = self._place()
        connection.execute(delete(_head).where(_head.c.chain == chain))
        return Change("delete head", (at(chain, "head_missing", rows[0]),))

    def _drop_seal(self, connection: Connection, row: Any) -> None:
        connection.execute(delete(_seal).where(_seal.c.entry_id == row.entry_id))

    def _cut(self, connection: Connection, chain: str, rows: list[Any]) -> None:
        connection.execute(delete(_seal).where(_seal.c.chain == chain, _seal.c.seq >= rows[0].seq))
        ids = [row.entry_id for row in rows]
        connection.execute(delete(_entry).where(_entry.c.id.in_(ids)))


# What only a hash detects; a changed id is found by looking the entries up.
EDITS_OF_A_COLUMN: Final = frozenset(
    f"edit {column.name}" for column in _entry.columns if column.name != "id"
)


def at(chain: str, why: str, row: Any) -> Flaw:
    """A flaw at a seal."""
    return Flaw(chain=chain, why=why, seq=row.seq, entry_id=row.entry_id)


def gap(chain: str, gone: Any, following: Any) -> Flaw:
    """A seal that is missing before the one that follows."""
    return Flaw(chain=chain, why="seal_missing", seq=gone.seq, entry_id=following.entry_id)


def found_by_check(connection: Connection) -> list[Flaw]:
    """What `casework audit verify` finds in this transaction."""
    store = SqlAuditChainStore(lambda: nullcontext(connection))
    return sealing.verify(store, KEY, NOW).flaws


@contextmanager
def no_hashes() -> Iterator[None]:
    """The control: a check that sees numbers and ids, but neither hashes nor marks."""
    kept = ChainVerifier._what_is_wrong

    def careless(self: ChainVerifier, seal: Any, entry: Any) -> str | None:
        if seal.seq != self.seq + 1:
            return "seal_missing"
        return "entry_missing" if entry is None else None

    ChainVerifier._what_is_wrong = careless  # type: ignore[method-assign]
    try:
        yield
    finally:
        ChainVerifier._what_is_wrong = kept  # type: ignore[method-assign]


def tamper(
    engine: Engine, edits: int, seed: int, progress: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Make that many changes, each rolled back; returns the results."""
    rng = random.Random(seed)
    log = read_log(engine)
    hand, kinds = Hand(log, rng), Counter[str]()
    missed: list[str] = []
    elsewhere: list[str] = []
    control_saw = control_asked = done = 0
    while done < edits:
        with engine.connect() as connection:
            free_hand(connection)
            try:
                change = hand.strike(connection)
            except IntegrityError:  # a duplicate id: the database itself rejects it
                connection.rollback()
                continue
            flaws = found_by_check(connection)
            if not flaws:
                missed.append(change.kind)
            elif not any(flaw in flaws for flaw in change.expected):
                elsewhere.append(f"{change}: {flaws[:2]}")
            if change.kind in EDITS_OF_A_COLUMN:
                control_asked += 1
                with no_hashes():
                    control_saw += bool(found_by_check(connection))
            connection.rollback()
        kinds[change.kind] += 1
        done += 1
        progress(done)
    return {
        "edits": done, "missed": missed, "named_elsewhere": elsewhere[:5],
        "named_elsewhere_count": len(elsewhere), "kinds": dict(sorted(kinds.items())),
        "control": {"asked": control_asked, "missed": control_asked - control_saw},
        "whole_afterwards": not _flaws(engine),
    }  # fmt: skip


def _flaws(engine: Engine) -> list[Flaw]:
    return sealing.verify(SqlAuditChainStore(engine.connect), KEY, NOW).flaws


def is_proven(result: dict[str, Any]) -> bool:
    """Whether everything was found where it is, and the control found no edit."""
    return bool(
        not result["missed"]
        and not result["named_elsewhere_count"]
        and result["whole_afterwards"]
        and result["control"]["asked"] == result["control"]["missed"] > 0
    )


def sealed_log(url: str, entries: int, seed: int) -> Engine:
    """An engine on a log of so many entries, all of them sealed."""
    engine = open_engine(url)
    seal_with(engine, lambda: KEY, may_begin=True)
    write_log(engine, entries, random.Random(seed))
    sealing.seal(SqlAuditChainStore(engine.connect), lambda: NOW)
    return engine


def main() -> int:
    """Run the proof; print its figures as one JSON document."""
    parser = argparse.ArgumentParser(
        prog="proof tampering", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--entries", type=int, default=2_000)
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with database(options.store) as url:
        engine = sealed_log(owner_of(url), options.entries, options.seed)

        def progress(done: int) -> None:
            if done % 50 == 0:
                print(f"{done} of {options.edits}", end="\r", file=sys.stderr, flush=True)

        result = tamper(engine, options.edits, options.seed, progress)
        engine.dispose()
    told = {
        "proof": "tampering", "store": options.store, "entries": options.entries, **result,
        "machine": platform.platform(), "python": platform.python_version(),
        "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    print(json.dumps(told, indent=2))
    return 0 if is_proven(result) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Whole-log rewrites by the owner of the tables: none is sealed where a head was exported.

    python3 dev.py proof rewriting --rewrites 10000 --store sqlite

A log of some chains is written and sealed in several rounds, with the heads exported after each.
Then, again and again, with full power over the database and without the key of the heads: the log
is emptied and an edited copy put back to be sealed, or set back to an earlier round, which was
genuine then, and continued otherwise, or a chain is. The sealer runs as it does in service: it
must sign nothing, and the check must find it. As a control the same without an exported head:
nearly all of them are sealed and found whole. Exits 1 where one was signed or unseen.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import Connection, Engine, delete, func, insert, select

from casework.adapters.archives.file import ArchiveFile
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.chain_store import SqlAuditChainStore
from casework.adapters.persistence.audit.sealing import seal_with
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.tables.audit import audit_head, audit_pending, audit_seal
from casework.domain.audit.chain import CHAIN_LIST, chain_of
from casework.workflows.audit import exporting, sealing
from casework.workflows.audit.exporting import Exporting
from tests.audit import free_hand, leave_as_it_was
from tests.proofs._world import STORES, database, owner_of
from tests.proofs.tampering import KEY, NOW, write_log

ROUNDS: Final = 4
TABLES: Final = (t.audit_entry, audit_seal, audit_head)
Rows = dict[Any, list[dict[str, Any]]]


@dataclass
class Written:
    """The log as it was after each round, and the places where its heads were kept."""

    engine: Engine
    archive: ArchiveFile
    rounds: list[Rows] = field(default_factory=list)

    def exporting(self, connection: Connection, *, archived: bool) -> Exporting:
        """The chains as this connection sees them, with what was exported or without."""
        store = SqlAuditChainStore(lambda: nullcontext(connection))
        return Exporting(store=store, archives=[self.archive] if archived else [], key=lambda: KEY)


def write(url: str, entries: int, seed: int, folder: Path) -> Written:
    """A log in several rounds, each sealed and exported."""
    engine, rng = open_engine(url), random.Random(seed)
    seal_with(engine, lambda: KEY, may_begin=True)
    written = Written(engine, ArchiveFile(folder / "heads"))
    of = Exporting(
        store=SqlAuditChainStore(engine.connect), archives=[written.archive], key=lambda: KEY
    )
    for _ in range(ROUNDS):
        write_log(engine, entries // ROUNDS, rng)
        exporting.seal(of, lambda: NOW)
        exporting.export(of, NOW)
        with engine.connect() as connection:
            written.rounds.append(
                {
                    table: [dict(row._mapping) for row in connection.execute(select(table))]
                    for table in TABLES
                }
            )
    return written


class Owner:
    """Whoever owns the tables, and has no key."""

    def __init__(self, written: Written, rng: random.Random) -> None:
        self._written, self._rng = written, rng

    def strike(self, connection: Connection) -> str:
        """Rewrite the log in one random way; returns its kind."""
        acts = (self.begin_anew, self.set_back, self.continue_otherwise, self.set_back_a_chain)
        return self._rng.choice(acts)(connection)

    def begin_anew(self, connection: Connection) -> str:
        """Empty it, and put an edited copy back, to be sealed."""
        entries = [dict(one) for one in self._written.rounds[-1][t.audit_entry]]
        kind = self._edit(entries)
        _put(connection, {t.audit_entry: entries}, waiting=entries)
        return f"begun anew, {kind}"

    def set_back(self, connection: Connection) -> str:
        """Put an earlier round back as it was."""
        _put(connection, self._earlier(), waiting=[])
        return "set back"

    def continue_otherwise(self, connection: Connection) -> str:
        """Put an earlier round back, and what came later with one thing otherwise."""
        before = self._earlier()
        known = {one["id"] for one in before[t.audit_entry]}
        later = [
            dict(one) for one in self._written.rounds[-1][t.audit_entry] if one["id"] not in known
        ]
        kind = self._edit(later)
        entries = [*before[t.audit_entry], *later]
        _put(connection, {**before, t.audit_entry: entries}, waiting=later)
        return f"continued otherwise, {kind}"

    def set_back_a_chain(self, connection: Connection) -> str:
        """Put one chain that went on back to an earlier round, and what came later, edited."""
        before, now = self._earlier(), self._written.rounds[-1]
        counts = {one["chain"]: one["count"] for one in before[audit_head]}
        went_on = [
            one["chain"]
            for one in now[audit_head]
            if one["chain"] != CHAIN_LIST and one["count"] > counts.get(one["chain"], one["count"])
        ]
        if not went_on:  # all that came later is in chains that had not begun
            return self.set_back(connection)
        chain = self._rng.choice(sorted(went_on))
        sealed = {one["entry_id"] for one in before[audit_seal] if one["chain"] == chain}
        later = [
            dict(one)
            for one in now[t.audit_entry]
            if chain_of(one) == chain and one["id"] not in sealed
        ]
        kept = [one for one in now[t.audit_entry] if chain_of(one) != chain or one["id"] in sealed]
        kind = self._edit(later)
        rows = {t.audit_entry: [*kept, *later]}
        for table in (audit_seal, audit_head):
            rows[table] = [one for one in now[table] if one["chain"] != chain]
            rows[table] += [one for one in before[table] if one["chain"] == chain]
        _put(connection, rows, waiting=later)
        return f"a chain set back, {kind}"

    def _earlier(self) -> Rows:
        return self._written.rounds[self._rng.randrange(ROUNDS - 1)]

    def _edit(self, entries: list[dict[str, Any]]) -> str:
        """Change, drop or add an entry, or leave all as they are."""
        kind = self._rng.choice(("as it was", "edited", "one dropped", "one added"))
        if kind == "edited":
            self._rng.choice(entries)["actor"] = "somebody.else"
        elif kind == "one dropped" and len(entries) > 1:
            entries.pop(self._rng.randrange(len(entries)))
        elif kind == "one added":
            entries.append(self._rng.choice(entries) | {"id": new_id()})
        return kind


def _put(connection: Connection, rows: Rows, waiting: list[dict[str, Any]]) -> None:
    """Put these rows in the place of all that is there."""
    for table in (audit_pending, audit_seal, audit_head, t.audit_entry):
        connection.execute(delete(table))
    for table in TABLES:
        if rows.get(table):
            connection.execute(insert(table), rows[table])
    connection.execute(delete(audit_pending))
    if waiting:
        connection.execute(insert(audit_pending), [{"entry_id": one["id"]} for one in waiting])


def _signed(written: Written, connection: Connection, *, archived: bool) -> tuple[bool, bool]:
    """Let the sealer run; whether it signed anything, and whether the check then finds a flaw."""
    of = written.exporting(connection, archived=archived)
    before = connection.scalar(select(func.count()).select_from(audit_seal))
    with patch.object(Connection, "commit", lambda _self: None):
        exporting.seal(of, lambda: NOW)
    after = connection.scalar(select(func.count()).select_from(audit_seal))
    last = exporting.newest(of).last
    heads = last.all_heads if last else ()
    flaws = sealing.verify(of.store, KEY, NOW, exported=heads).flaws
    return before != after, bool(flaws)


def rewrite(
    written: Written, times: int, seed: int, progress: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Rewrite that often, with what was exported and, as a control, without."""
    owner, kinds = Owner(written, random.Random(seed)), Counter[str]()
    signed, unseen = Counter[str](), Counter[str]()
    control: Counter[str] = Counter()
    for done in range(times):
        with written.engine.connect() as connection:
            free_hand(connection)
            kind = owner.strike(connection)
            leave_as_it_was(connection)
            kinds[kind] += 1
            for archived in (True, False):
                with connection.begin_nested() as nested:
                    is_signed, is_seen = _signed(written, connection, archived=archived)
                    nested.rollback()
                if archived:
                    signed[kind] += is_signed
                    unseen[kind] += not is_seen
                else:
                    control["unseen"] += not is_seen
            connection.rollback()
        progress(done + 1)
    return {
        "rewrites": times,
        "signed": signed.total(),
        "unseen": unseen.total(),
        "kinds": dict(sorted(kinds.items())),
        "control": {"asked": times, "unseen": control["unseen"]},
    }


def is_proven(result: dict[str, Any]) -> bool:
    """Whether none was signed or unseen, and the control sees next to nothing."""
    control = result["control"]
    return bool(
        not result["signed"] and not result["unseen"] and control["unseen"] > control["asked"] / 2
    )


def main() -> int:
    """Run the proof; print its figures as one JSON document."""
    parser = argparse.ArgumentParser(
        prog="proof rewriting", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--rewrites", type=int, default=10_000)
    parser.add_argument("--entries", type=int, default=80)
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with database(options.store) as url, tempfile.TemporaryDirectory() as folder:
        written = write(owner_of(url), options.entries, options.seed, Path(folder))

        def progress(done: int) -> None:
            if done % 50 == 0:
                print(f"{done} of {options.rewrites}", end="\r", file=sys.stderr, flush=True)

        result = rewrite(written, options.rewrites, options.seed, progress)
        written.engine.dispose()
    told = {
        "proof": "rewriting", "store": options.store, "entries": options.entries, **result,
        "machine": platform.platform(), "python": platform.python_version(),
        "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    print(json.dumps(told, indent=2))
    return 0 if is_proven(result) else 1


if __name__ == "__main__":
    sys.exit(main())

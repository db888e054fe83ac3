"""What clients were told, compared with what the database holds afterwards.

Everything of one write stands in one transaction: the row, its events, its clock, its notice, the
audit entry and what is remembered of the idempotency key. So of each write there is all, or nothing
and nobody was told of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, select

from casework.adapters.persistence import tables as t
from tests.proofs._faults.load import Write
from tests.proofs._faults.site import Site
from tests.proofs._invariants import broken, read

# Of each kind of write: its table, its events, the clocks that it begins, its notices.
PARTS: Final[dict[str, tuple[Any, tuple[str, ...], tuple[str, ...], tuple[str, ...]]]] = {
    "resident": (t.resident, ("ResidentRegistered",), (), ()),
    "case": (t.care_case, ("CaseOpened",), ("survey",), ()),
    "referral": (
        t.referral, ("ReferralDrafted", "ReferralRequested"), ("response",),
        ("referral_requested",),
    ),
    "withdrawal": (
        t.referral, ("ReferralWithdrawn",), ("disposition",), ("referral_stopped",),
    ),
}  # fmt: skip
CHANGES: Final = ("case.write", "referral.send")


@dataclass
class Ledger:
    """Writes that are not as their clients were told."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    half_done: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def amiss(self) -> list[str]:
        """All of them, in words."""
        return [
            f"{kind}: {one}"
            for kind in ("lost", "doubled", "half_done", "broken")
            for one in getattr(self, kind)
        ]


@dataclass
class Stored:
    """What the database holds of the writes of some clients."""

    rows: dict[str, Counter[str]]
    events: Counter[tuple[str, str]]
    clocks: Counter[tuple[str, str]]
    notices: Counter[tuple[str, str]]
    entries: Counter[str]
    keys: dict[tuple[str, str], list[str]]


def stored(connection: Connection) -> Stored:
    """Read it."""
    subject = select(t.event.c.subject_id, t.event.c.name)
    clock = select(t.deadline.c.subject_id, t.deadline.c.kind)
    notice = select(t.notice.c.subject_id, t.notice.c.kind)
    entry = select(t.audit_entry.c.request_id).where(
        t.audit_entry.c.action.in_(CHANGES), t.audit_entry.c.outcome == "ok",
        t.audit_entry.c.request_id.like("rq-%"),
    )  # fmt: skip
    keys: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in connection.execute(select(t.idempotency)):
        made = row.made or {}
        keys[str(row.principal_id), row.key].append(str(made.get("facts", made).get("id")))
    named = select(t.resident.c.name).where(t.resident.c.name.like("가상%번%"))
    asked = select(t.referral.c.id)
    return Stored(
        rows={
            "resident": Counter(connection.scalars(named)),
            "case": Counter(map(str, connection.scalars(select(t.care_case.c.resident_id)))),
            "referral": Counter(map(str, connection.scalars(asked))),
            "withdrawal": Counter(
                map(str, connection.scalars(asked.where(t.referral.c.status == "withdrawn")))
            ),
        },
        events=_counted(connection, subject),
        clocks=_counted(connection, clock),
        notices=_counted(connection, notice),
        entries=Counter(connection.scalars(entry)),
        keys=keys,
    )


def _counted(connection: Connection, query: Any) -> Counter[tuple[str, str]]:
    return Counter((str(id), name) for id, name in connection.execute(query))


def compare(site: Site, writes: Iterable[Write]) -> Ledger:
    """Each write of the clients with what is stored, and the invariants of everything stored."""
    found, writes = Ledger(), list(writes)
    for engine in (site.world.engine, site.world.application.engine):
        engine.dispose()  # its connections may be to a server that was killed
    with site.world.engine.connect() as connection:
        there = stored(connection)
        connection.rollback()
    for write in writes:
        _compare(write, there, found)
    _strangers(writes, there, found)
    found.broken = broken(read(site.world.engine), site.world.application.clockwork())
    return found


def _compare(write: Write, there: Stored, found: Ledger) -> None:
    name, kept = f"{write.kind} {write.key}", there.keys[str(write.principal), write.key]
    times = _times(write, there, kept)
    if write.id is not None and (not times or kept != [write.id]):
        found.lost.append(f"{name} was told as {write.id}, {times} stand there, kept as {kept}")
        return
    if times > 1 or len(kept) > 1:
        found.doubled.append(f"{name} stands there {times} times, kept as {kept}")
    if bool(times) != bool(kept):
        found.half_done.append(f"{name} stands there {times} times, kept as {kept}")
    for id in kept:
        _parts(write, id, there, found)


def _times(write: Write, there: Stored, kept: list[str]) -> int:
    """How often the thing itself stands there."""
    if write.kind in ("resident", "case"):
        return there.rows[write.kind][write.about]
    id = kept[0] if kept and write.kind == "referral" else write.about
    return there.rows[write.kind][id] if kept or write.kind == "withdrawal" else 0


def _parts(write: Write, id: str, there: Stored, found: Ledger) -> None:
    _, events, clocks, notices = PARTS[write.kind]
    counts = {f"event {one}": there.events[id, one] for one in events}
    counts |= {f"clock {one}": there.clocks[id, one] for one in clocks}
    counts |= {f"notice {one}": there.notices[id, one] for one in notices}
    counts["audit entry"] = there.entries[f"rq-{write.key}"]
    for what, count in counts.items():
        if count == 0:
            found.half_done.append(f"{write.kind} {write.key} has no {what}")
        elif count > 1:
            found.doubled.append(f"{write.kind} {write.key} has {count} × {what}")


def _strangers(writes: list[Write], there: Stored, found: Ledger) -> None:
    """Rows that no client asked for, or more than were asked for."""
    names = {write.about for write in writes if write.kind == "resident"}
    for name in there.rows["resident"].keys() - names:
        found.doubled.append(f"nobody registered {name}")
    kept = {id for ids in there.keys.values() for id in ids}
    for id in there.rows["referral"].keys() - kept:
        found.half_done.append(f"referral {id} is of no request")

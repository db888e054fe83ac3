"""Exporting the heads of the audit, and comparing the log with what was exported last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from casework.domain.audit.chain import (
    CHAIN_LIST,
    SEALED_WITHIN,
    ChainHead,
    Flaw,
    check_heads,
    check_prunable,
)
from casework.domain.audit.exported import ExportedHeads, line_of, newest_of
from casework.workflows.audit import sealing
from casework.workflows.audit.sealing import (
    AuditCheck,
    check_exported,
    check_growth,
    check_guards,
)
from casework.workflows.ports.audit import (
    ArchiveFailed,
    ArchiveTooLong,
    AuditChainStore,
    HeadArchive,
    Looked,
)


@dataclass(slots=True)
class Remembered:
    """What a process that goes on sealing remembers from one round to the next.

    ``walked`` are heads that it walked to itself from those of an export, ``since`` is when it
    first could not seal, and ``heads`` are the MACs that stood then.
    """

    export: ExportedHeads | None = None
    walked: tuple[ChainHead, ...] = ()
    since: datetime | None = None
    heads: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporting:
    """The chains, the places where their heads are kept, and the key of both."""

    store: AuditChainStore
    archives: Sequence[HeadArchive]
    key: Callable[[], bytes]
    remembered: Remembered = field(default_factory=Remembered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """What was exported last; the places that did not answer, and those that answer too much."""

    last: ExportedHeads | None
    silent: list[str] = field(default_factory=list)
    too_long: list[Flaw] = field(default_factory=list)

    @property
    def unread(self) -> list[Flaw]:
        """Why nothing can be compared though something was exported."""
        return [] if self.last else self.too_long


@dataclass(slots=True, kw_only=True)
class Compared:
    """What came of comparing: with the export of when, what differs, and who did not answer."""

    exported_at: datetime | None = None
    flaws: list[Flaw] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    too_long: list[Flaw] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Exported(Compared):
    """The same, and the places that keep the heads now."""

    kept_by: list[str] = field(default_factory=list)


def newest(of: Exporting) -> Newest:
    """What was exported last, by any place that tells."""
    lines: list[str] = []
    silent, too_long = list[str](), list[Flaw]()
    for archive in of.archives:
        try:
            lines += archive.last_lines()
        except ArchiveTooLong:
            why = Flaw(chain=CHAIN_LIST, why="export_too_long", what=archive.address)
            too_long.append(why)
        except ArchiveFailed:
            silent.append(archive.address)
    return Newest(last=newest_of(lines, of.key()), silent=silent, too_long=too_long)


def compare(of: Exporting) -> Compared:
    """Whether the chains still hold what was exported, and nothing was put around them."""
    found = newest(of)
    flaws = check_guards(of.store) + found.unread
    if found.last:
        flaws += check_exported(of.store, of.key(), found.last.all_heads)
    return Compared(
        exported_at=found.last.exported_at if found.last else None,
        flaws=flaws,
        silent=found.silent,
        too_long=found.too_long,
    )


def seal(of: Exporting, clock: Callable[[], datetime]) -> AuditCheck:
    """Seal all pending entries, unless the chains differ from what was exported.

    Each transaction that seals compares them itself, and goes on from the heads that it compared.
    """
    if not of.store.waits():
        of.remembered.since = None
        return AuditCheck()
    found = newest(of)
    last = found.last
    if found.unread:
        return AuditCheck(flaws=found.unread)
    done = sealing.seal(of.store, clock, lambda store: _look(of, store, last))
    done.flaws += _stopped(of, last, clock()) if done.is_passed_by else []
    return done


def _look(of: Exporting, store: AuditChainStore, last: ExportedHeads | None) -> Looked:
    """The heads, and whether they went on from everything that was exported."""
    looked = sealing.look(store)
    if last is None:
        return looked
    flaws = [*looked.flaws, *_went_wrong(of, store, looked.heads, last)]
    return Looked(flaws, looked.heads)


def _went_wrong(
    of: Exporting, store: AuditChainStore, heads: Mapping[str, ChainHead], last: ExportedHeads
) -> list[Flaw]:
    """What is wrong with heads that must have grown from those of an export.

    What was walked since the same export is not walked again.
    """
    memory = of.remembered
    flaws = check_heads(heads, of.key()) + check_exported(store, of.key(), last.all_heads, heads)
    if flaws:
        return flaws
    known = memory.walked if memory.export == last else last.heads
    if any(one.chain not in heads or heads[one.chain].count < one.count for one in known):
        known = last.heads
    flaws += check_growth(store, heads, known)
    if not flaws:
        memory.export, memory.walked = last, tuple(heads.values())
    return flaws


def _stopped(of: Exporting, last: ExportedHeads | None, now: datetime) -> list[Flaw]:
    """Whether another one has been said to seal for too long, without a head going on."""
    memory, heads = of.remembered, frozenset(one.mac for one in _heads(of))
    if memory.since is None or memory.heads != heads:
        memory.since, memory.heads = now, heads
    since = memory.since
    if last and last.waits_since and last.is_same(_heads(of)):
        since = min(since, last.waits_since)
    return _late(since, now)


def _late(since: datetime | None, now: datetime) -> list[Flaw]:
    if since is None or now - since <= SEALED_WITHIN:
        return []
    return [Flaw(chain=CHAIN_LIST, why="sealing_stopped")]


def export(of: Exporting, now: datetime) -> Exported:
    """Add the present heads to every place, unless they differ from what is kept there.

    They must have grown from what was exported, walked entry by entry. Nothing is added where
    nothing was sealed since and nothing waits: the last line still says it.
    """
    found, looked = newest(of), sealing.look(of.store)
    last, heads = found.last, looked.heads
    flaws = [*looked.flaws, *found.unread]
    flaws += _went_wrong(of, of.store, heads, last) if last else check_heads(heads, of.key())
    done = Exported(
        exported_at=last.exported_at if last else None,
        flaws=flaws,
        silent=found.silent,
        too_long=found.too_long,
    )
    if flaws or not heads:
        return done
    stand = last is not None and last.is_same(heads.values())
    since = _waits_since(of, last if stand else None, now)
    done.flaws += _late(since, now)
    if last and stand and last.waits_since == since:
        return done
    ones = tuple(heads[chain] for chain in sorted(heads))
    return _keep(of, ExportedHeads(exported_at=now, heads=ones, waits_since=since), done)


def _waits_since(of: Exporting, last: ExportedHeads | None, now: datetime) -> datetime | None:
    """Since when something has waited while the heads stood still, as the exports tell."""
    if not of.store.waits():
        return None
    return (last.waits_since if last else None) or now


def go_on_from_here(of: Exporting, because: str | None, now: datetime) -> Exported:
    """Add the present heads whatever was exported before: an operator says why."""
    heads = ExportedHeads(exported_at=now, heads=_heads(of), because=because)
    return _keep(of, heads, Exported())


def prune(
    of: Exporting, before: datetime, now: datetime, years: int, note: Callable[..., None]
) -> int:
    """Delete old entries, unless the log differs from what was exported. Raises Conflict."""
    check_prunable(before, now, years)
    sealing.refuse_to_prune(compare(of).flaws)
    return sealing.prune(of.store, of.key(), before, now, years, note)


def prunable(of: Exporting, before: datetime, now: datetime, years: int) -> int:
    """How many entries ``prune`` would delete. Raises Conflict as it does."""
    check_prunable(before, now, years)
    sealing.refuse_to_prune(compare(of).flaws)
    return sealing.prunable(of.store, of.key(), before)


def _heads(of: Exporting) -> tuple[ChainHead, ...]:
    return tuple(head for _, head in sorted(of.store.heads().items()))


def _keep(of: Exporting, heads: ExportedHeads, done: Exported) -> Exported:
    line = line_of(heads, of.key())
    for archive in of.archives:
        try:
            archive.add(line)
            done.kept_by.append(archive.address)
        except ArchiveFailed:
            if archive.address not in done.silent:
                done.silent.append(archive.address)
    if done.kept_by:
        done.exported_at = heads.exported_at
    return done

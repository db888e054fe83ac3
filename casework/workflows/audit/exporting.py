"""Exporting the heads of the audit, and comparing the log with what was exported last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from casework.domain.audit.chain import ChainHead, Flaw
from casework.domain.audit.exported import ExportedHeads, line_of, newest_of
from casework.workflows.audit import sealing
from casework.workflows.audit.sealing import AuditCheck, check_exported
from casework.workflows.ports.audit import ArchiveFailed, AuditChainStore, HeadArchive


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporting:
    """The chains, the places where their heads are kept, and the key of both."""

    store: AuditChainStore
    archives: Sequence[HeadArchive]
    key: Callable[[], bytes]


@dataclass(slots=True, kw_only=True)
class Compared:
    """What came of comparing: with the export of when, what differs, and who did not answer."""

    exported_at: datetime | None = None
    flaws: list[Flaw] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Exported(Compared):
    """The same, and the places that keep the heads now."""

    kept_by: list[str] = field(default_factory=list)


def newest(of: Exporting) -> tuple[ExportedHeads | None, list[str]]:
    """What was exported last, by any place that tells; and the places that did not answer."""
    lines: list[str] = []
    silent: list[str] = []
    for archive in of.archives:
        try:
            lines += archive.last_lines()
        except ArchiveFailed:
            silent.append(archive.address)
    return newest_of(lines, of.key()), silent


def compare(of: Exporting) -> Compared:
    """Whether the chains still hold what was exported last."""
    last, silent = newest(of)
    if last is None:
        return Compared(silent=silent)
    flaws = check_exported(of.store, of.key(), last.heads)
    return Compared(exported_at=last.exported_at, flaws=flaws, silent=silent)


def seal(of: Exporting, clock: Callable[[], datetime]) -> AuditCheck:
    """Seal all pending entries, unless the chains differ from what was exported last."""
    if not of.store.waits():
        return AuditCheck()
    flaws = compare(of).flaws
    return AuditCheck(flaws=flaws) if flaws else sealing.seal(of.store, clock)


def export(of: Exporting, now: datetime) -> Exported:
    """Add the present heads to every place, unless they differ from what is kept there.

    Nothing is added where nothing was sealed since: the last line still says it.
    """
    last, silent = newest(of)
    flaws = check_exported(of.store, of.key(), last.heads) if last else []
    done = Exported(exported_at=last.exported_at if last else None, flaws=flaws, silent=silent)
    heads = ExportedHeads(exported_at=now, heads=_heads(of))
    if flaws or not heads.heads or (last and last.is_same(heads.heads)):
        return done
    return _keep(of, heads, done)


def go_on_from_here(of: Exporting, because: str | None, now: datetime) -> Exported:
    """Add the present heads whatever was exported before: an operator says why."""
    heads = ExportedHeads(exported_at=now, heads=_heads(of), because=because)
    return _keep(of, heads, Exported())


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

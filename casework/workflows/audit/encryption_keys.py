"""Key rotation without downtime, and retiring old keys that nothing is encrypted under."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from casework.workflows.ports.vault import EncryptedData, KeyFacts, KeyRing, Progress

KINDS: Final = ("data", "index")
# By then every transaction that wrote under the old key has committed or was rolled back.
RETENTION_AFTER_ROTATION: Final = timedelta(hours=1)
ROUNDS: Final = 50


class KeyUsage(NamedTuple):
    """A key, how many values it encrypts, and why it stays on the ring (None: retirable)."""

    key: KeyFacts
    values: int
    stays: str | None


def rotate(ring: KeyRing, rows: EncryptedData, kind: str, now: datetime) -> Iterator[Progress]:
    """Create a key and re-encrypt every value under it; continues an interrupted rotation.

    Rounds repeat until one finds nothing to do: rows that were locked, or that a process wrote
    before it read the new key, are found by the next round.
    """
    if not is_begun(ring, rows.values_by_key(), kind):
        ring.renew(kind, now)
    rows.add_checks(ring.checks())
    current = {ring.current(each) for each in KINDS}
    for _ in range(ROUNDS):
        found = 0
        for progress in rows.reencrypt(current):
            found += progress.changed + progress.left
            yield progress
        if not found:
            return


def is_begun(ring: KeyRing, under: Counter[str], kind: str) -> bool:
    """Whether a rotation was interrupted: a value is still under a superseded key."""
    return any(under[one.id] for one in ring.listed() if one.kind == kind and one.superseded_at)


def key_usage(ring: KeyRing, rows: EncryptedData, now: datetime) -> list[KeyUsage]:
    """Every key, with how many values it encrypts."""
    under = rows.values_by_key()
    return [KeyUsage(one, under[one.id], _stays(one, under[one.id], now)) for one in ring.listed()]


def retire(ring: KeyRing, rows: EncryptedData, now: datetime) -> list[KeyUsage]:
    """Remove unneeded keys from the ring; returns every key, with why it stays if it does."""
    found = key_usage(ring, rows, now)
    gone = {one.key.id for one in found if one.stays is None}
    if gone:
        rows.forget_checks(gone)  # first: what is expected must be on the ring
        ring.drop(gone)
    return found


def _stays(key: KeyFacts, values: int, now: datetime) -> str | None:
    if key.superseded_at is None:
        return "current"
    if values:
        return "in use"
    return "superseded lately" if now < key.superseded_at + RETENTION_AFTER_ROTATION else None

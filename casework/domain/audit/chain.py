"""The audit hash chain, and the detection of tampering.

Entries of a district are one chain, those without a district the city's. A seal holds its place
in the chain, the hash of the one before, and a hash over all of it and every column of its entry.
The head of a chain says how far it goes, with a MAC under a key that the database never sees: an
attacker who can write everything there still cannot forge a chain that matches its head.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from casework.domain.errors import require

CITY: Final = "city"
# The head that lists the chains, so that a whole chain cannot be removed unnoticed.
CHAIN_LIST: Final = "*"
GENESIS: Final = "0" * 64
# A city has some twenty districts. All heads are one line wherever they are exported to, and the
# newest of these lines must be read back whole: whoever adds entries of invented districts makes it
# no longer than that.
MAX_CHAINS: Final = 200
# How long an entry may wait for its seal.
SEALED_WITHIN: Final = timedelta(minutes=10)
# The safety-measures notice demands two years; a setting can only lengthen it.
RETENTION_YEARS: Final = 2

FLAWS: Final = (
    "head_altered",
    "head_missing",
    "chains_altered",
    "chains_missing",
    "too_many_chains",
    "seal_missing",
    "seal_altered",
    "seal_beyond_head",
    "tail_cut",
    "entry_altered",
    "entry_missing",
    "entry_unsealed",
    "not_as_exported",
    "guards_altered",
    "sealing_stopped",
    "export_too_long",
    "index_damaged",
)
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The place of an entry in its chain."""

    chain: str
    seq: int
    entry_id: UUID
    previous: str
    hash: str
    sealed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """How far a chain goes: the last number and hash.

    ``first_seq`` and ``anchor`` say where it begins, after old entries were pruned: the first
    remaining number, and the hash of the one before.
    """

    chain: str
    count: int = 0
    last_hash: str = GENESIS
    first_seq: int = 1
    anchor: str = GENESIS
    mac: str = ""

    def signed(self, key: bytes) -> ChainHead:
        """The same head with its MAC."""
        return replace(self, mac=_mac(key, self))

    def is_genuine(self, key: bytes) -> bool:
        """Whether its MAC is valid under the key."""
        return hmac.compare_digest(self.mac.encode(), _mac(key, self).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Where a chain is broken, and how: one of ``FLAWS``; ``what`` is no part of a chain."""

    chain: str
    why: str
    seq: int | None = None
    entry_id: UUID | None = None
    what: str | None = None


def chain_of(entry: Entry) -> str:
    """The chain an entry belongs to."""
    return entry["district_code"] or CITY


def canonical(entry: Entry) -> bytes:
    """The canonical text of an entry, the same on every database.

    Empty columns are left out, so that a column that is added later changes no hash.
    """
    plain = {name: _plain(value) for name, value in entry.items() if value is not None}
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    return value


def hash_of(seal: Seal, entry: Entry) -> str:
    """What a seal's hash must be."""
    place = f"{seal.chain}\n{seal.seq}\n{seal.previous}\n{_plain(seal.sealed_at)}\n{seal.entry_id}"
    return hashlib.sha256(place.encode() + b"\n" + canonical(entry)).hexdigest()


def _mac(key: bytes, head: ChainHead) -> str:
    said = f"audit head\n{head.chain}\n{head.count}\n{head.last_hash}\n{head.first_seq}"
    return hmac.new(key, f"{said}\n{head.anchor}".encode(), hashlib.sha256).hexdigest()


def extend(
    head: ChainHead, entries: Iterable[Entry], now: datetime
) -> tuple[list[Seal], ChainHead]:
    """The seals of some more entries of a chain, and its head after them, not yet signed."""
    seals, seq, last = [], head.count, head.last_hash
    for entry in entries:
        seq += 1
        bare = Seal(
            chain=head.chain, seq=seq, entry_id=entry["id"], previous=last, hash="", sealed_at=now
        )
        last = hash_of(bare, entry)
        seals.append(replace(bare, hash=last))
    return seals, replace(head, count=seq, last_hash=last, mac="")


def chain_list_of(chains: Iterable[str]) -> ChainHead:
    """The head that says which chains there are, not yet signed."""
    names = sorted(chains)
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
    return ChainHead(chain=CHAIN_LIST, count=len(names), last_hash=digest)


def is_same_head(one: ChainHead, other: ChainHead) -> bool:
    """Whether two heads are equal, their MACs aside."""
    return replace(one, mac="") == replace(other, mac="")


class ChainVerifier:
    """Verifies a chain from its first remaining seal to the last that its head names.

    ``known`` are hashes of some of its numbers, as they are known from elsewhere. Entries from
    ``before`` an instant, sealed before it too, may be pruned up to ``old``.
    """

    def __init__(
        self,
        head: ChainHead,
        known: Mapping[int, str] | None = None,
        before: datetime | None = None,
    ) -> None:
        self.head, self.seq, self._previous = head, head.first_seq - 1, head.anchor
        self._known, self._before = known or {}, before
        self.old: Seal | None = None

    def step(self, seal: Seal, entry: Entry | None) -> Flaw | None:
        """Check the next seal; returns what is wrong with it or missing before it."""
        why = self._what_is_wrong(seal, entry)
        if why is not None:
            seq = self.seq + 1 if why == "seal_missing" else seal.seq
            return Flaw(chain=self.head.chain, why=why, seq=seq, entry_id=seal.entry_id)
        if self._known.get(seal.seq, seal.hash) != seal.hash:
            return Flaw(chain=self.head.chain, why="not_as_exported", seq=seal.seq)
        self.seq, self._previous = seal.seq, seal.hash
        self._note_age(seal, entry)
        return None

    def _note_age(self, seal: Seal, entry: Entry | None) -> None:
        if self._before is None or entry is None:
            return
        if max(seal.sealed_at, entry["at"]) < self._before:
            self.old = seal
        else:
            self._before = None  # what follows one that is retained is retained as well

    def _what_is_wrong(self, seal: Seal, entry: Entry | None) -> str | None:
        if seal.seq != self.seq + 1:
            return "seal_missing"
        if seal.previous != self._previous:
            return "seal_altered"
        if entry is None:
            return "entry_missing"
        return None if hash_of(seal, entry) == seal.hash else "entry_altered"

    def end(self) -> Flaw | None:
        """After the last seal: check that the chain ends where the head says."""
        if self.seq < self.head.count:
            return Flaw(chain=self.head.chain, why="tail_cut", seq=self.seq + 1)
        if self._previous != self.head.last_hash:
            return Flaw(chain=self.head.chain, why="head_altered", seq=self.seq)
        return None


def check_heads(heads: Mapping[str, ChainHead], key: bytes) -> list[Flaw]:
    """Whether every head was signed under the key, and the roll lists these chains."""
    roll, rest = heads.get(CHAIN_LIST), sorted(set(heads) - {CHAIN_LIST})
    flaws = [] if _lists(roll, rest, key) else [Flaw(chain=CHAIN_LIST, why="chains_altered")]
    false = [chain for chain in rest if not heads[chain].is_genuine(key)]
    return flaws + [Flaw(chain=chain, why="head_altered") for chain in false]


def _lists(roll: ChainHead | None, chains: list[str], key: bytes) -> bool:
    if roll is None:
        return not chains
    return roll.is_genuine(key) and is_same_head(roll, chain_list_of(chains))


def went_on_from(head: ChainHead, known: ChainHead | None) -> ChainHead:
    """The part of a chain after a head that is known, as if it began there."""
    if known is None or known.count < head.first_seq:
        return head
    return replace(head, first_seq=known.count + 1, anchor=known.last_hash, mac="")


def retention_start(now: datetime, years: int = RETENTION_YEARS) -> datetime:
    """The instant from which entries must be retained: at least two years back."""
    back = max(years, RETENTION_YEARS)
    try:
        return now.replace(year=now.year - back)
    except ValueError:  # 29 February
        return now.replace(year=now.year - back, day=28)


def check_prunable(before: datetime, now: datetime, years: int = RETENTION_YEARS) -> None:
    """Refuse to prune entries within the retention period."""
    require(
        before <= retention_start(now, years),
        f"access records are kept for {max(years, RETENTION_YEARS)} years",
        code="must_be_kept",
        field="before",
    )


def pruned(head: ChainHead, last: Seal) -> ChainHead:
    """The head after pruning everything up to a seal, not yet signed."""
    return replace(head, first_seq=last.seq + 1, anchor=last.hash, mac="")

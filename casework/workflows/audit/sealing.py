"""The audit hash chain: sealing entries, verifying chains, pruning old entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from casework.domain.audit.chain import (
    CHAIN_LIST,
    SEALED_WITHIN,
    ChainHead,
    ChainVerifier,
    Flaw,
    chain_list_of,
    check_prunable,
    is_same_head,
    pruned,
)
from casework.workflows.ports.audit import AuditChainStore

BATCH: Final = 500
PAGE: Final = 2_000
# What reading a row that was overwritten by hand may raise.
UNREADABLE: Final = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)


@dataclass(slots=True, kw_only=True)
class AuditCheck:
    """The result of a check: the first flaw of each chain, in the order of the chains."""

    entries: int = 0
    chains: int = 0
    waiting: int = 0
    flaws: list[Flaw] = field(default_factory=list)


def seal(store: AuditChainStore, clock: Callable[[], datetime]) -> AuditCheck:
    """Seal all pending entries; chains whose head is not genuine are skipped and reported."""
    done, false = 0, frozenset[str]()
    while True:
        some = store.seal_some(BATCH, clock(), false)
        done += some.entries
        if not some.entries and some.false <= false:
            break
        false |= some.false
    return AuditCheck(entries=done, flaws=[_not_sealed(chain) for chain in sorted(false)])


def _not_sealed(chain: str) -> Flaw:
    """Why a chain is left alone; that of all chains where there is none, and none is begun."""
    return Flaw(chain=chain, why="chains_missing" if chain == CHAIN_LIST else "head_altered")


def size(store: AuditChainStore) -> int:
    """How many entries a check will read, twice each."""
    heads = store.heads()
    kept = (head.count - head.first_seq + 1 for chain, head in heads.items() if chain != CHAIN_LIST)
    return 2 * sum(kept)


def verify(
    store: AuditChainStore,
    key: bytes,
    now: datetime,
    *,
    exported: Iterable[ChainHead] = (),
    page: int = PAGE,
    progress: Callable[[int], None] = lambda _: None,
) -> AuditCheck:
    """Check every chain from its beginning to its head, and that no entry is outside one."""
    verdict, heads = AuditCheck(), store.heads()
    shared = _Verification(store, key, page, progress, verdict)
    verdict.flaws += _check_roll(heads, key)
    heads.pop(CHAIN_LIST, None)
    for chain in sorted({*heads, *store.chains()}):
        verdict.chains += 1
        flaw = _check_chain(shared, chain, heads.get(chain))
        if flaw is not None:
            verdict.flaws.append(flaw)
    verdict.flaws += check_exported(store, key, exported)
    verdict.flaws += _check_unsealed(store, now, verdict, page, progress)
    return verdict


def missing(store: AuditChainStore) -> list[Flaw]:
    """The flaw of an audit that was begun, in a database without any chain."""
    return [] if store.heads() else [Flaw(chain=CHAIN_LIST, why="chains_missing")]


def _check_roll(heads: dict[str, ChainHead], key: bytes) -> list[Flaw]:
    roll, rest = heads.get(CHAIN_LIST), [chain for chain in heads if chain != CHAIN_LIST]
    if roll is None:
        return [Flaw(chain=CHAIN_LIST, why="chains_altered")] if rest else []
    if roll.is_genuine(key) and is_same_head(roll, chain_list_of(rest)):
        return []
    return [Flaw(chain=CHAIN_LIST, why="chains_altered")]


@dataclass(frozen=True, slots=True)
class _Verification:
    """The state that the checks of one verification share."""

    store: AuditChainStore
    key: bytes
    page: int
    progress: Callable[[int], None]
    verdict: AuditCheck


def _check_chain(shared: _Verification, chain: str, head: ChainHead | None) -> Flaw | None:
    store = shared.store
    if head is None:  # a chain that began after the heads were read has one by now
        head = store.heads().get(chain)
    if head is None:
        return Flaw(chain=chain, why="head_missing", seq=1, entry_id=store.id_at(chain, 1))
    if not head.is_genuine(shared.key):
        return Flaw(chain=chain, why="head_altered")
    flaw, seen = _walk(store, head, shared.page, shared.progress)
    if flaw is None:
        beyond = store.first_beyond(chain)
        if beyond is not None:
            flaw = Flaw(chain=chain, why="seal_beyond_head", seq=beyond[0], entry_id=beyond[1])
    if flaw is not None:  # it may have been pruned meanwhile
        again = store.heads().get(chain)
        if again is not None and again.first_seq > head.first_seq:
            return _check_chain(shared, chain, again)
    shared.verdict.entries += seen
    return flaw


def _walk(
    store: AuditChainStore, head: ChainHead, page: int, progress: Callable[[int], None]
) -> tuple[Flaw | None, int]:
    walk, seen, limit = ChainVerifier(head), 0, page
    while True:
        try:
            links = store.links(head.chain, walk.seq, head.count, limit)
            for seal, entry in links:
                flaw = walk.step(seal, entry)
                if flaw is not None:
                    return flaw, seen
                seen += 1
        except UNREADABLE:
            if limit > 1:  # again from this position, one by one
                limit = 1
                continue
            seq = walk.seq + 1
            id = store.id_at(head.chain, seq)
            return Flaw(chain=head.chain, why="entry_altered", seq=seq, entry_id=id), seen
        progress(len(links))
        if not links:
            return walk.end(), seen


def check_exported(store: AuditChainStore, key: bytes, exported: Iterable[ChainHead]) -> list[Flaw]:
    """Check the chains against heads that were exported and stored elsewhere."""
    heads, flaws = store.heads(), []
    for known in exported:
        here = heads.get(known.chain)
        if known.chain == CHAIN_LIST:
            fits = here is not None and here.count >= known.count
        else:
            fits = here is not None and here.count >= known.count and _is_in(store, here, known)
        if not (known.is_genuine(key) and fits):
            flaws.append(Flaw(chain=known.chain, why="not_as_exported", seq=known.count))
    return flaws


def _is_in(store: AuditChainStore, here: ChainHead, known: ChainHead) -> bool:
    if known.count < here.first_seq - 1 or known.count == 0:
        return True  # pruned since
    if known.count == here.first_seq - 1:
        return here.anchor == known.last_hash
    return store.hash_at(known.chain, known.count) == known.last_hash


def _check_unsealed(
    store: AuditChainStore,
    now: datetime,
    verdict: AuditCheck,
    page: int,
    progress: Callable[[int], None],
) -> list[Flaw]:
    after, first = "", dict[str, Flaw]()
    while True:
        last, waiting, odd = store.unsealed(after, page, now - SEALED_WITHIN)
        verdict.waiting += waiting
        for id, chain in odd:
            first.setdefault(chain, Flaw(chain=chain, why="entry_unsealed", entry_id=id))
        progress(page)
        if last is None:
            return [first[chain] for chain in sorted(first)]
        after = last


def prune(
    store: AuditChainStore,
    key: bytes,
    before: datetime,
    now: datetime,
    years: int,
    note: Callable[..., None],
) -> int:
    """Delete entries from before an instant, chain by chain; returns how many.

    Each chain is verified up to there first: a broken one is not pruned, as evidence.
    """
    check_prunable(before, now, years)
    gone = 0
    for chain, head in sorted(store.heads().items()):
        last = None if chain == CHAIN_LIST else store.last_to_prune(chain, before)
        if last is None or not head.is_genuine(key):
            continue
        after = pruned(head, last).signed(key)
        gone += store.prune(head, after, partial(note, chain=chain, seq=last.seq))
    return gone

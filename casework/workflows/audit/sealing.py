"""The audit hash chain: sealing entries, verifying chains, pruning old entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from casework.domain.audit.chain import (
    CHAIN_LIST,
    MAX_CHAINS,
    SEALED_WITHIN,
    ChainHead,
    ChainVerifier,
    Flaw,
    check_heads,
    check_prunable,
    pruned,
    went_on_from,
)
from casework.domain.errors import Conflict
from casework.workflows.ports.audit import AuditChainStore, Look, Looked

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
    is_passed_by: bool = False


def look(store: AuditChainStore) -> Looked:
    """The heads as they are, and whether anything stands around the log that was not shipped."""
    return Looked(check_guards(store), store.heads())


def check_guards(store: AuditChainStore) -> list[Flaw]:
    """What stands around the tables of the audit and was not shipped, or is gone."""
    return [
        Flaw(chain=CHAIN_LIST, why="guards_altered", what=name) for name in store.altered_guards()
    ]


def check_indexes(store: AuditChainStore) -> list[Flaw]:
    """The tables that do not give every reader the same rows."""
    return [Flaw(chain=CHAIN_LIST, why="index_damaged", what=name) for name in store.damaged()]


def seal(store: AuditChainStore, clock: Callable[[], datetime], look: Look = look) -> AuditCheck:
    """Seal all pending entries; chains whose head is not genuine are skipped and reported.

    Each transaction that seals looks at the chains first, and where that finds a flaw, all stops.
    """
    done, false = AuditCheck(), frozenset[str]()
    while True:
        some = store.seal_some(BATCH, clock(), false, look)
        done.entries += some.entries
        done.flaws += some.flaws
        done.is_passed_by = some.is_passed_by
        if some.flaws or (not some.entries and some.false <= false):
            break
        false |= some.false
    heads = store.heads() if false else {}
    is_full = len({*heads, *false}) > MAX_CHAINS
    done.flaws += [_not_sealed(chain, is_full and chain not in heads) for chain in sorted(false)]
    return done


def _not_sealed(chain: str, is_one_too_many: bool) -> Flaw:
    """Why a chain is left alone; that of all chains where there is none, and none is begun."""
    if chain == CHAIN_LIST:
        return Flaw(chain=chain, why="chains_missing")
    return Flaw(chain=chain, why="too_many_chains" if is_one_too_many else "head_altered")


def size(store: AuditChainStore) -> int:
    """How many entries a check will read, twice each."""
    heads = store.heads()
    kept = (head.count - head.first_seq + 1 for chain, head in heads.items() if chain != CHAIN_LIST)
    return 2 * sum(kept)


def verify(
    store: AuditChainStore,
    key: bytes,
    now: datetime | None,
    *,
    exported: Iterable[ChainHead] = (),
    page: int = PAGE,
    progress: Callable[[int], None] = lambda _: None,
) -> AuditCheck:
    """Check every chain from its beginning to its head, and that no entry is outside one.

    Without ``now`` it does not matter for how long entries wait.
    """
    exported = list(exported)
    verdict, heads = AuditCheck(), store.heads()
    shared = _Verification(store, key, page, progress, verdict, _by_chain(exported))
    verdict.flaws += [flaw for flaw in check_heads(heads, key) if flaw.chain == CHAIN_LIST]
    heads.pop(CHAIN_LIST, None)
    for chain in sorted({*heads, *store.chains()}):
        verdict.chains += 1
        flaw = _check_chain(shared, chain, heads.get(chain))
        if flaw is not None:
            verdict.flaws.append(flaw)
    against = check_exported(store, key, exported)
    verdict.flaws += [flaw for flaw in against if flaw not in verdict.flaws]
    verdict.flaws += _check_unsealed(store, now, verdict, page, progress)
    return verdict


def missing(store: AuditChainStore) -> list[Flaw]:
    """The flaw of an audit that was begun, in a database without any chain."""
    return [] if store.heads() else [Flaw(chain=CHAIN_LIST, why="chains_missing")]


@dataclass(frozen=True, slots=True)
class _Verification:
    """The state that the checks of one verification share."""

    store: AuditChainStore
    key: bytes
    page: int
    progress: Callable[[int], None]
    verdict: AuditCheck
    known: Mapping[str, Mapping[int, str]]


def _check_chain(shared: _Verification, chain: str, head: ChainHead | None) -> Flaw | None:
    store = shared.store
    if head is None:  # a chain that began after the heads were read has one by now
        head = store.heads().get(chain)
    if head is None:
        return Flaw(chain=chain, why="head_missing", seq=1, entry_id=store.id_at(chain, 1))
    if not head.is_genuine(shared.key):
        return Flaw(chain=chain, why="head_altered")
    walk = ChainVerifier(head, shared.known.get(chain))
    flaw, seen = _walk(store, walk, shared.page, shared.progress)
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
    store: AuditChainStore,
    walk: ChainVerifier,
    page: int = PAGE,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Flaw | None, int]:
    head, seen, limit = walk.head, 0, page
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


def check_exported(
    store: AuditChainStore,
    key: bytes,
    exported: Iterable[ChainHead],
    heads: Mapping[str, ChainHead] | None = None,
) -> list[Flaw]:
    """Check the chains against heads that were exported and stored elsewhere.

    What is to be signed or exported is given as ``heads``, so that no others are looked at.
    """
    exported = list(exported)
    if heads is not None:
        return _unlike_exported(store, heads, key, exported)
    heads = store.heads()
    flaws = _unlike_exported(store, heads, key, exported)
    if flaws and _began(store.heads()) != _began(heads):  # it was pruned meanwhile
        return _unlike_exported(store, store.heads(), key, exported)
    return flaws


def _began(heads: Mapping[str, ChainHead]) -> dict[str, int]:
    return {chain: head.first_seq for chain, head in heads.items()}


def _unlike_exported(
    store: AuditChainStore,
    heads: Mapping[str, ChainHead],
    key: bytes,
    exported: Iterable[ChainHead],
) -> list[Flaw]:
    flaws = []
    hashes = {chain: store.hashes_at(chain, at) for chain, at in _by_chain(exported).items()}
    for known in exported:
        here = heads.get(known.chain)
        fits = here is not None and here.is_genuine(key) and here.count >= known.count
        if here is not None and fits and known.chain != CHAIN_LIST:
            fits = _is_in(here, known, hashes[known.chain])
        if not (known.is_genuine(key) and fits):
            flaws.append(Flaw(chain=known.chain, why="not_as_exported", seq=known.count))
    return flaws


def _by_chain(exported: Iterable[ChainHead]) -> dict[str, dict[int, str]]:
    """The hashes that are known of each chain, by number."""
    found: dict[str, dict[int, str]] = {}
    for one in exported:
        if one.chain != CHAIN_LIST:
            found.setdefault(one.chain, {})[one.count] = one.last_hash
    return found


def _is_in(here: ChainHead, known: ChainHead, hashes: Mapping[int, str]) -> bool:
    if known.count < here.first_seq - 1 or known.count == 0:
        return True  # pruned since
    if known.count == here.first_seq - 1:
        return here.anchor == known.last_hash
    return hashes.get(known.count) == known.last_hash


def check_growth(
    store: AuditChainStore, heads: Mapping[str, ChainHead], known: Iterable[ChainHead]
) -> list[Flaw]:
    """Walk every chain from the head that is known to the present one.

    A hash that stands where it was looked for says little: it may have been put there for the
    moment. That the present head was signed over it does.
    """
    last = {one.chain: one for one in known}
    flaws = []
    for chain, head in sorted(heads.items()):
        if chain != CHAIN_LIST:
            flaw, _ = _walk(store, ChainVerifier(went_on_from(head, last.get(chain))))
            flaws += [flaw] if flaw else []
    return flaws


def _check_unsealed(
    store: AuditChainStore,
    now: datetime | None,
    verdict: AuditCheck,
    page: int,
    progress: Callable[[int], None],
) -> list[Flaw]:
    after, first = "", dict[str, Flaw]()
    # One that is from the future would never be late.
    between = (now - SEALED_WITHIN, now + SEALED_WITHIN) if now else None
    while True:
        last, waiting, odd = store.unsealed(after, page, between)
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
    """Delete entries from and sealed before an instant, chain by chain; returns how many.

    Each chain is walked from its beginning to its head first, and of what was walked it is read
    what is old. Raises Conflict where anything is missing or altered: nothing is deleted then, as
    evidence.
    """
    check_prunable(before, now, years)
    gone = 0
    for walk in _walked(store, key, before):
        if walk.old is not None:
            chain, after = walk.head.chain, pruned(walk.head, walk.old).signed(key)
            gone += store.prune(walk.head, after, partial(note, chain=chain, seq=walk.old.seq))
    return gone


def prunable(store: AuditChainStore, key: bytes, before: datetime) -> int:
    """How many entries pruning would delete. Raises Conflict as it does."""
    walks = _walked(store, key, before)
    return sum(one.old.seq - one.head.first_seq + 1 for one in walks if one.old is not None)


def _walked(store: AuditChainStore, key: bytes, before: datetime) -> list[ChainVerifier]:
    """Every chain walked to its end, with what is old in it. Raises Conflict for a flaw."""
    heads = store.heads()
    flaws = check_guards(store) + check_heads(heads, key)
    walks = [ChainVerifier(head, before=before) for head in _of_chains(heads)]
    flaws += [flaw for flaw, _ in (_walk(store, walk) for walk in walks) if flaw]
    refuse_to_prune(flaws)
    return walks


def refuse_to_prune(flaws: list[Flaw]) -> None:
    """Keep a log that is not as it was, as evidence. Raises Conflict."""
    if flaws:
        raise Conflict(f"nothing is pruned: {said(flaws)}", code="audit_broken")


def _of_chains(heads: Mapping[str, ChainHead]) -> list[ChainHead]:
    return [head for chain, head in sorted(heads.items()) if chain != CHAIN_LIST]


def said(flaws: Iterable[Flaw]) -> str:
    """Flaws in one line: of which chain, where and what."""
    return ", ".join(
        f"{flaw.what or flaw.chain}{'' if flaw.seq is None else f' at {flaw.seq}'}: {flaw.why}"
        for flaw in flaws
    )

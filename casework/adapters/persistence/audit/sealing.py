"""Sealing audit entries: in the transaction itself on SQLite, soon after it on PostgreSQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, Engine, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from structlog import get_logger

from casework.adapters.persistence.tables.audit import audit_head, audit_pending, audit_seal
from casework.domain.audit.chain import (
    CHAIN_LIST,
    MAX_CHAINS,
    ChainHead,
    Entry,
    chain_list_of,
    chain_of,
    extend,
    is_same_head,
)

KEY: Final = "audit_key"
MAY_BEGIN: Final = "audit_may_begin"
log = get_logger("casework.audit")
# Every request on SQLite runs these: they are built once.
_NEW_HEAD: Final = (
    update(audit_head)
    .where(audit_head.c.chain == bindparam("of"))
    .values({column.name: bindparam(column.name) for column in audit_head.c})
)
_NEW_SEAL: Final = insert(audit_seal)
Connect = Callable[[], AbstractContextManager[Connection]]


def seal_with(engine: Engine, key: Callable[[], bytes], *, may_begin: bool) -> None:
    """Give every connection of an engine the key of the chain heads, loaded when first needed.

    Without ``may_begin`` the first chain is not begun: where there is none, entries wait.
    """
    engine.update_execution_options(**{KEY: cache(key), MAY_BEGIN: may_begin})


def key_of(connection: Connection) -> bytes:
    """The key of the heads."""
    key: bytes = connection.get_execution_options()[KEY]()
    return key


def begin_chains(connection: Connection) -> bool:
    """Enter an empty list of chains where there is none; whether it was this call that did."""
    if read_heads(connection):
        return False
    first = asdict(chain_list_of(()).signed(key_of(connection)))
    store = postgresql if connection.dialect.name == "postgresql" else sqlite
    made = store.insert(audit_head).values(first).on_conflict_do_nothing()
    return connection.execute(made.returning(audit_head.c.chain)).first() is not None


def may_begin(connection: Connection) -> bool:
    """Whether an empty log may be begun by whoever writes to it first."""
    return bool(connection.get_execution_options().get(MAY_BEGIN, False))


def seal_inline(connection: Connection, entry: Entry, now: datetime) -> None:
    """Seal one entry in the transaction that wrote it.

    Where the head of its chain was tampered with, it waits instead: the application goes on, and
    nothing is chained to a forged entry.
    """
    done = seal_entries(connection, key_of(connection), [entry], now)
    if done.false:
        log.error("audit head altered, or too many chains", chain=chain_of(entry))
        connection.execute(insert(audit_pending), [{"entry_id": entry["id"]}])


@dataclass(frozen=True, slots=True)
class Sealed:
    """The ids that were sealed, the chains with a false head, and the heads as they are now."""

    ids: list[UUID]
    false: set[str]
    heads: list[ChainHead]


def seal_entries(
    connection: Connection,
    key: bytes,
    entries: Iterable[Entry],
    now: datetime,
    known: Mapping[str, ChainHead] | None = None,
) -> Sealed:
    """Add entries to their chains, in this order, going on from the heads that are ``known``.

    Without these the heads are read here.
    """
    by_chain: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_chain[chain_of(entry)].append(entry)
    heads = read_heads(connection, by_chain) if known is None else known
    begun = set(by_chain) - set(heads)
    if begun and not _begin(connection, key, begun, known):
        by_chain = defaultdict(list, {k: v for k, v in by_chain.items() if k in heads})
    false = {chain for chain in by_chain if chain in heads and not heads[chain].is_genuine(key)}
    false |= begun - set(by_chain)
    done = Sealed([], false, [])
    for chain, ones in by_chain.items():
        if chain not in false:
            seals, head = extend(heads.get(chain, ChainHead(chain=chain)), ones, now)
            connection.execute(_NEW_SEAL, [asdict(seal) for seal in seals])
            _put(connection, head.signed(key))
            done.ids.extend(seal.entry_id for seal in seals)
            done.heads.append(head.signed(key))
    return done


def read_heads(
    connection: Connection, chains: Iterable[str] | None = None, *, lock: bool = False
) -> dict[str, ChainHead]:
    """The heads of some chains, or all, by chain."""
    query = select(audit_head)
    if chains is not None:
        query = query.where(audit_head.c.chain.in_(sorted(chains)))
    if lock:
        query = query.with_for_update(skip_locked=True)
    return {row.chain: ChainHead(**row._mapping) for row in connection.execute(query)}


def _begin(
    connection: Connection,
    key: bytes,
    begun: set[str],
    known: Mapping[str, ChainHead] | None,
) -> bool:
    """Enter chains that begin in the roll of chains, unless that was tampered with or is full."""
    heads = read_heads(connection) if known is None else dict(known)
    roll = heads.pop(CHAIN_LIST, None)
    if len({*heads, *begun}) > MAX_CHAINS:
        return False
    if roll is None and (heads or not may_begin(connection)):
        return False
    if roll is not None:
        expected = chain_list_of(heads)
        # Before the first chain the roll is empty, so that sealing processes have a row to lock.
        if not (roll.is_genuine(key) and (is_same_head(roll, expected))):
            return False
    _put(connection, chain_list_of({*heads, *begun}).signed(key))
    return True


def _put(connection: Connection, head: ChainHead) -> None:
    row = asdict(head)
    changed = connection.execute(_NEW_HEAD, row | {"of": head.chain})
    if not changed.rowcount:
        connection.execute(insert(audit_head), [row])

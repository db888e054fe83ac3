"""The chains of the audit as they are sealed, checked, exported and pruned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    cast,
    delete,
    func,
    or_,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit import guards
from casework.adapters.persistence.audit.sealing import (
    Sealed,
    begin_chains,
    key_of,
    may_begin,
    read_heads,
    seal_entries,
)
from casework.adapters.persistence.engine.faults import fault
from casework.adapters.persistence.engine.reaching import allow_statements
from casework.adapters.persistence.tables.audit import audit_head, audit_pending, audit_seal
from casework.domain.audit.chain import CHAIN_LIST, CITY, ChainHead, Entry, Flaw, Seal
from casework.domain.errors import Conflict
from casework.workflows.ports.audit import Look, SealResult

_entry, _seal, _head = t.audit_entry, audit_seal, audit_head
_SEAL = tuple(one.name for one in fields(Seal))
_ENTRY = tuple(column.name for column in _entry.columns)
_CHAIN: ColumnElement[str] = func.coalesce(_entry.c.district_code, CITY)
# Each column beside its value as it is stored: SQLite takes any type and any spelling.
_AS_STORED: dict[ColumnElement[Any], ColumnElement[Any]] = {
    column: type_coerce(column, NullType()).label(f"stored_{column.table.name}_{column.name}")
    for column in (*_seal.columns, *_entry.columns)
}
# A statement that prunes may take longer than a request's: nobody waits for it.
PRUNING_S = 600


class SqlAuditChainStore:
    """Over connections that ``connect`` opens, each for one short transaction."""

    def __init__(self, connect: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._connect = connect

    # Sealing

    def seal_some(
        self, limit: int, now: datetime, without: Iterable[str], look: Look
    ) -> SealResult:
        query = (
            select(_entry)
            .join(audit_pending, audit_pending.c.entry_id == _entry.c.id)
            .where(_CHAIN.not_in(sorted(without)))
            .order_by(audit_pending.c.entry_id)
            .limit(limit)
        )
        with self._connect() as connection:
            if not _take_lock(connection):
                return SealResult(0, is_passed_by=True)
            if not (may_begin(connection) or read_heads(connection, [CHAIN_LIST])):
                return SealResult(0, frozenset({CHAIN_LIST}))
            looked = look(SqlAuditChainStore(lambda: nullcontext(connection)))
            if looked.flaws:
                return SealResult(0, flaws=tuple(looked.flaws))
            entries = [dict(row._mapping) for row in connection.execute(query)]
            done = seal_entries(connection, key_of(connection), entries, now, looked.heads)
            gone = delete(audit_pending).where(audit_pending.c.entry_id.in_(done.ids))
            connection.execute(gone)
            if flaws := _not_as_written(connection, done):
                connection.rollback()
                return SealResult(0, flaws=flaws)
            connection.commit()
        return SealResult(len(done.ids), frozenset(done.false))

    def waits(self) -> bool:
        with self._connect() as connection:
            return connection.scalar(select(audit_pending.c.entry_id).limit(1)) is not None

    # Checking

    def altered_guards(self) -> list[str]:
        with self._connect() as connection:
            return guards.altered_guards(connection)

    def damaged(self) -> list[str]:
        with self._connect() as connection:
            return guards.damaged(connection)

    def heads(self) -> dict[str, ChainHead]:
        with self._connect() as connection:
            return read_heads(connection)

    def chains(self) -> list[str]:
        """Each is found by one step along the key."""
        found: list[str] = []
        with self._connect() as connection:
            while True:
                query = select(func.min(_seal.c.chain))
                if found:
                    query = query.where(_seal.c.chain > found[-1])
                following = connection.scalar(query)
                if following is None:
                    return found
                found.append(following)

    def links(
        self, chain: str, after: int, upto: int, limit: int
    ) -> Sequence[tuple[Seal, Entry | None]]:
        """On SQLite the rows are compared with how they were written as well.

        Of two seals with one number at the end of a page both are given.
        """
        query = (
            select(_seal, _entry)
            .outerjoin(_entry, _entry.c.id == _seal.c.entry_id)
            .where(_seal.c.chain == chain, _seal.c.seq > after, _seal.c.seq <= upto)
            .order_by(_seal.c.seq)
            .limit(limit + 1)
        )
        try:
            with self._connect() as connection:
                on_sqlite = connection.dialect.name == "sqlite"
                query = query.add_columns(*_AS_STORED.values()) if on_sqlite else query
                rows = [row._mapping for row in connection.execute(query)]
                if len(rows) > limit and rows[-1]["seq"] != rows[-2]["seq"]:
                    del rows[-1]
                if on_sqlite:
                    _refuse_other_spellings(connection, rows)
        except DBAPIError as error:
            if fault(error) is None and "decode" in str(error.orig):
                raise ValueError("text that is none") from None
            raise
        return [
            (
                Seal(**{name: row[name] for name in _SEAL}),
                None if row["id"] is None else {name: row[name] for name in _ENTRY},
            )
            for row in rows
        ]

    def id_at(self, chain: str, seq: int) -> UUID | None:
        query = select(_seal.c.entry_id).where(_seal.c.chain == chain, _seal.c.seq == seq)
        try:
            with self._connect() as connection:
                found = connection.scalar(query)
        except (ValueError, AttributeError):
            return None
        return found if isinstance(found, UUID) else None

    def hashes_at(self, chain: str, seqs: Iterable[int]) -> dict[int, str]:
        named = _seal.c.seq.in_(sorted(set(seqs)))
        query = select(_seal.c.seq, _seal.c.hash).where(_seal.c.chain == chain, named)
        with self._connect() as connection:
            return {row.seq: row.hash for row in connection.execute(query)}

    def first_beyond(self, chain: str) -> tuple[int, UUID | None] | None:
        """Seal and head are read at the same moment."""
        query = (
            select(_seal.c.seq)
            .join(_head, _head.c.chain == _seal.c.chain)
            .where(
                _seal.c.chain == chain,
                or_(_seal.c.seq > _head.c.count, _seal.c.seq < _head.c.first_seq),
            )
            .order_by(_seal.c.seq)
            .limit(1)
        )
        with self._connect() as connection:
            seq = connection.scalar(query)
        return None if seq is None else (seq, self.id_at(chain, seq))

    def unsealed(
        self, after: str, limit: int, between: tuple[datetime, datetime] | None
    ) -> tuple[str | None, int, list[tuple[UUID | None, str]]]:
        with self._connect() as connection:
            # As stored: on SQLite it may have been changed to any type.
            on_sqlite = connection.dialect.name == "sqlite"
            id = type_coerce(_entry.c.id, String) if on_sqlite else cast(_entry.c.id, String)
            page = select(id.label("text"), _entry.c.id, _CHAIN.label("chain"), _entry.c.at)
            if after:
                key = after if on_sqlite else UUID(after)
                page = page.where((id if on_sqlite else _entry.c.id) > key)
            of = page.order_by(_entry.c.id).limit(limit).subquery()
            last, many = connection.execute(
                select(func.max(of.c.text), func.count()).select_from(of)
            ).one()
            in_time = of.c.at.between(*between) if between else true()
            bare = (
                select(
                    of.c.text,
                    of.c.chain,
                    and_(audit_pending.c.entry_id.is_not(None), in_time),
                )
                .outerjoin(_seal, _seal.c.entry_id == of.c.id)
                .outerjoin(audit_pending, audit_pending.c.entry_id == of.c.id)
                .where(_seal.c.entry_id.is_(None))
                .order_by(of.c.text)
            )
            rows = connection.execute(bare).all()
        odd = [(_uuid(text), chain) for text, chain, waits in rows if not waits]
        return (last if many == limit else None), len(rows) - len(odd), odd

    # Pruning

    def prune(self, before: ChainHead, after: ChainHead, note: Callable[[Any], None]) -> int:
        """Entries go first, for a seal outlives its entry."""
        old = and_(_seal.c.chain == before.chain, _seal.c.seq < after.first_seq)
        with self._connect() as connection:
            allow_statements(connection, PRUNING_S)
            changed = connection.execute(
                update(_head)
                .where(_head.c.chain == before.chain, _head.c.mac == before.mac)
                .values(asdict(after))
            )
            if not changed.rowcount:
                raise Conflict("entries were sealed meanwhile; try again", code="busy")
            ids = select(_seal.c.entry_id).where(old)
            gone = connection.execute(delete(_entry).where(_entry.c.id.in_(ids))).rowcount
            connection.execute(delete(_seal).where(old))
            note(connection)
            connection.commit()
        return gone


def _not_as_written(connection: Connection, done: Sealed) -> tuple[Flaw, ...]:
    """Heads that are no longer what this transaction made of them: something set them back."""
    there = read_heads(connection, [head.chain for head in done.heads])
    moved = [head.chain for head in done.heads if there.get(head.chain) != head]
    return tuple(Flaw(chain=chain, why="head_altered") for chain in moved)


def _take_lock(connection: Connection) -> bool:
    """Whether this process alone seals: it locks the roll's row, which the first one inserts."""
    if connection.dialect.name == "sqlite":
        return True  # it has the only write lock
    roll = select(_head.c.chain).where(_head.c.chain == CHAIN_LIST)
    if connection.scalar(roll.with_for_update(skip_locked=True)) is not None:
        return True
    # One statement: with the first chains the roll exists too.
    chains = list(connection.scalars(select(_head.c.chain)))
    if chains:  # another process holds it; or it was deleted: the seals' key prevents two
        return CHAIN_LIST not in chains
    return begin_chains(connection) if may_begin(connection) else True


def _refuse_other_spellings(connection: Connection, rows: Iterable[Any]) -> None:
    """Refuse what reads as it was sealed and is stored otherwise, so that no filter finds it.

    Raises ValueError.
    """
    written = {
        column: column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        for column in _AS_STORED
    }
    for row in rows:
        for column, as_stored in _AS_STORED.items():
            value, process = row[column], written[column]
            expected = process(value) if process and value is not None else value
            if (type(row[as_stored]), row[as_stored]) != (type(expected), expected):
                raise ValueError(f"{column} is spelt otherwise")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None

"""What a request writes, found out from the database, and written again as plain statements.

The rows that one request wrote are those whose transaction began after one mark and before
another, with nobody else there. A copy of the database from before says which of them are new.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, Table, Uuid, text
from sqlalchemy.dialects import postgresql
from uuid_utils import uuid7

from casework.adapters.persistence import tables as t
from casework.bench.filling import numbered_id

ID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A trigger writes them.
BY_TRIGGER: Final = ("audit_pending", "figure_change")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a statement where an id goes.

    It is a new one of the request, by a number, or one of the life it is about, by its kind.
    """

    is_new: bool
    which: int
    type: str

    @property
    def name(self) -> str:
        """The name of a parameter for it."""
        return f"{'new' if self.is_new else 'old'}_{self.which}"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement in parts: text, and places for ids."""

    parts: tuple[str | Place, ...]

    def rendered(self, place: Callable[[Place], str]) -> str:
        """The statement, with each place as ``place`` writes it."""
        return "".join(one if isinstance(one, str) else place(one) for one in self.parts)


Rows = dict[Table, list[dict[str, Any]]]


def mark(engine: Engine) -> int:
    """A number that lies between those of earlier and of later transactions."""
    with engine.begin() as connection:
        found = connection.scalar(text("SELECT pg_current_xact_id()::xid::text::bigint"))
    return int(found or 0)


def rows_between(engine: Engine, first: int, last: int) -> Rows:
    """The rows that transactions between two marks wrote, by table, parents first."""
    between = text("xmin::text::bigint > :first AND xmin::text::bigint < :last")
    found: Rows = {}
    with engine.connect() as connection:
        for table in t.metadata.sorted_tables:
            if table.name in BY_TRIGGER:
                continue
            query = text(f'SELECT to_jsonb(x) FROM "{table.name}" x WHERE {between}')
            rows = connection.scalars(query, {"first": first, "last": last}).all()
            if rows:
                found[table] = list(rows)
    return found


def statements_of(rows: Rows, before: Engine, number: int, key: str) -> list[Statement]:
    """The statements that write such rows again, for any life instead of the numbered one.

    ``before`` is a copy of the database from before, ``key`` that of the request. All new rows of a
    table are one statement.
    """
    known = {table: _before(before, table, found) for table, found in rows.items()}
    fresh = {
        table: [row for row in found if _key(table, row) not in known[table]]
        for table, found in rows.items()
    }
    new = [key, *(row["id"] for found in fresh.values() for row in found if "id" in row)]
    places = {id: (True, which) for which, id in enumerate(new)}
    writer = _Writer(places, number)
    made: list[Statement] = []
    for table, found in rows.items():
        made += [
            writer.update(table, old, row)
            for row in found
            if (old := known[table].get(_key(table, row)))
        ]
        if fresh[table]:
            made.append(writer.insert(table, fresh[table]))
    return made


def for_driver(statements: Sequence[Statement]) -> dict[str, Any]:
    """Statements with named parameters: ``news`` for new ids, ``olds`` for kinds of a life's."""
    places = [part for one in statements for part in one.parts if isinstance(part, Place)]
    return {
        "statements": [
            one.rendered(lambda place: f"CAST(%({place.name})s AS {place.type})")
            for one in statements
        ],
        "news": sorted({place.name for place in places if place.is_new}),
        "olds": {place.name: place.which for place in places if not place.is_new},
    }


def _key(table: Table, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key)


def _before(engine: Engine, table: Table, rows: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Those of the rows that were there before, as they were, by their keys."""
    names = [column.name for column in table.primary_key]
    same = " AND ".join(f'x."{name}"::text = :{name}' for name in names)
    found = {}
    with engine.connect() as connection:
        for row in rows:
            query = text(f'SELECT to_jsonb(x) FROM "{table.name}" x WHERE {same}')
            old = connection.scalar(query, {name: str(row[name]) for name in names})
            if old is not None:
                found[_key(table, row)] = old
    return found


def parameters(statements: Mapping[str, Any], number: int) -> dict[str, str]:
    """The parameters of such statements for a numbered life, each new id a fresh one."""
    old = {name: str(numbered_id(kind, number)) for name, kind in statements["olds"].items()}
    return old | {name: str(uuid7()) for name in statements["news"]}


class _Writer:
    """Writes statements in which the ids of one request and one life are places."""

    def __init__(self, places: Mapping[str, tuple[bool, int]], number: int) -> None:
        self._places, self._number = places, number

    def insert(self, table: Table, rows: list[dict[str, Any]]) -> Statement:
        columns = [column for column in table.c if column.computed is None]
        names = ", ".join(f'"{column.name}"' for column in columns)
        parts: list[str | Place] = [f'INSERT INTO "{table.name}" ({names}) VALUES ']
        for row_number, row in enumerate(rows):
            parts.append(", (" if row_number else "(")
            for at, column in enumerate(columns):
                parts += [", "] * bool(at)
                parts += self._value(row[column.name], _type(column))
            parts.append(")")
        return Statement(tuple(parts))

    def update(self, table: Table, old: Mapping[str, Any], new: Mapping[str, Any]) -> Statement:
        keys = {column.name for column in table.primary_key}
        changed = [
            column for column in table.c
            if column.name not in keys and old[column.name] != new[column.name]
        ]  # fmt: skip
        parts: list[str | Place] = [f'UPDATE "{table.name}" SET ']
        for at, column in enumerate(changed or [table.c["version"]]):
            parts.append(f'{", " * bool(at)}"{column.name}" = ')
            parts += self._value(new[column.name], _type(column))
        for at, column in enumerate(table.primary_key):
            parts.append(f' {"AND" if at else "WHERE"} "{column.name}" = ')
            parts += self._value(new[column.name], _type(column))
        return Statement(tuple(parts))

    def _value(self, value: Any, type: str) -> Iterator[str | Place]:
        if value is None:
            yield "NULL"
        elif isinstance(value, bool | int | float) and type != "jsonb":
            yield str(value).lower()
        elif isinstance(value, str) and (place := self._place(value, type)):
            yield place
        else:
            document = value if isinstance(value, str) and type != "jsonb" else json.dumps(value)
            yield from self._text(document, type)

    def _text(self, value: str, type: str) -> Iterator[str | Place]:
        """A text, in which ids may be."""
        at = 0
        yield "CAST("
        for found in ID.finditer(value):
            if place := self._place(found.group(), "text"):
                yield from (_quoted(value[at : found.start()]), " || ", place, " || ")
                at = found.end()
        yield f"{_quoted(value[at:])} AS {type})"

    def _place(self, id: str, type: str) -> Place | None:
        if id in self._places:
            return Place(*self._places[id], type)
        if ID.fullmatch(id) and id == str(numbered_id(kind := int(id[-4:], 16), self._number)):
            return Place(False, kind, type)
        return None


def _type(column: Any) -> str:
    if isinstance(column.type, Uuid):
        return "uuid"
    return str(column.type.compile(postgresql.dialect())).lower()  # type: ignore[no-untyped-call]


def _quoted(value: str) -> str:
    """A literal in which neither pgbench nor the driver sees a place of its own."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped.replace(':', chr(92) + 'u003a').replace('%', chr(92) + 'u0025')}'"

"""A cursor that describes its columns only to those who look, and takes a statement apart once.

A statement that was compiled before knows its columns: it asks whether there is a description and
never reads it. The driver makes an object for each column, one in ten steps of a wide row's query.
It looks for the places of parameters in a statement of more than 4,096 bytes or 50 parameters each
time, since it expects those to be new ones: the longest of ours are the ones that are sent most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, overload

import psycopg
from psycopg import Column
from psycopg._queries import PostgresQuery, _query2pg_nocache

# Of all connections; a batch of another size is another statement.
STATEMENTS_AT_MOST: Final = 500


class _Columns(Sequence[Column]):
    """The columns of the present result, each made when it is looked at."""

    def __init__(self, cursor: psycopg.Cursor[Any], count: int) -> None:
        self._cursor, self._count = cursor, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Column: ...

    @overload
    def __getitem__(self, index: slice) -> list[Column]: ...

    def __getitem__(self, index: int | slice) -> Column | list[Column]:
        found = range(self._count)[index]
        if isinstance(found, range):
            return [Column(self._cursor, one) for one in found]
        return Column(self._cursor, found)

    def __iter__(self) -> Iterator[Column]:
        return (Column(self._cursor, index) for index in range(self._count))


class KeptQuery(PostgresQuery):
    """A statement whose places of parameters are known from the last time it was sent."""

    def convert(self, query: Any, vars: Any) -> None:
        """As the driver has it, however long the statement is."""
        if vars is None or not isinstance(query, str):
            super().convert(query, vars)
            return
        self.query, self._want_formats, self._order, self._parts = _taken_apart(
            query, self._tx.encoding
        )
        self.dump(vars)


@lru_cache(maxsize=STATEMENTS_AT_MOST)
def _taken_apart(query: str, encoding: str) -> Any:
    return _query2pg_nocache(query.encode(encoding), encoding)


class LeanCursor(psycopg.Cursor[Any]):
    """A cursor like the driver's own."""

    _query_cls = KeptQuery

    @property
    def description(self) -> Any:
        """The columns of the present result; None where it has none."""
        result = self.pgresult
        if result is None or not result.nfields:
            return super().description
        return _Columns(self, result.nfields)

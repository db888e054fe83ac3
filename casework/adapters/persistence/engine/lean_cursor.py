"""A cursor that describes its columns only to those who look.

A statement that was compiled before knows its columns: it asks whether there is a description and
never reads it. The driver makes an object for each column, one in ten steps of a wide row's query.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import psycopg
from psycopg import Column


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


class LeanCursor(psycopg.Cursor[Any]):
    """A cursor like the driver's own."""

    @property
    def description(self) -> Any:
        """The columns of the present result; None where it has none."""
        result = self.pgresult
        if result is None or not result.nfields:
            return super().description
        return _Columns(self, result.nfields)

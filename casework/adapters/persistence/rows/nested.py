"""Rows read as one column beside another row, so that a parent comes with its children at once.

A statement costs the application several times what it costs the database. The database gives the
children as text, a JSON array of arrays with one value for each column; what a column's type would
make of a value that comes by itself is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import JSON, Boolean, Date, Label, Select, Text, Uuid, cast, func

from casework.adapters.persistence.engine.encrypted_columns import EncryptedJson
from casework.adapters.persistence.engine.types import Instant, TargetText, period

Read = Callable[[Any], Any]


class Nested:
    """The rows of a query as one column of the statement that selects ``column``.

    The query is correlated with that statement. It has at most 100 columns, which is what a
    function of either database takes. ``dialect`` is ``postgresql`` or ``sqlite``.
    """

    def __init__(self, name: str, query: Select[Any], dialect: str) -> None:
        columns = query.selected_columns
        if dialect == "postgresql":
            gathered: Any = cast(func.json_agg(func.json_build_array(*columns)), Text)
        else:
            gathered = func.json_group_array(func.json_array(*columns), type_=Text)
        self.column: Label[Any] = query.with_only_columns(gathered).scalar_subquery().label(name)
        self._name = name
        self._readers = [(one.name, _reader(type(one.type), dialect)) for one in columns]

    def of(self, row: Any) -> list[Mapping[str, Any]]:
        """The nested rows of a row, in no order, each by the names of its columns."""
        text = row._mapping[self._name]
        return [
            {
                name: value if value is None or read is None else read(value)
                for (name, read), value in zip(self._readers, one, strict=True)
            }
            for one in ([] if text is None else orjson.loads(text))
        ]


def _reader(kind: type, dialect: str) -> Read | None:
    # SQLite has JSON as text, and gives it as text once more.
    if dialect == "sqlite" and issubclass(kind, JSON | EncryptedJson):
        return orjson.loads
    return next((read for known, read in _READ.items() if issubclass(kind, known)), None)


def _instant(text: str) -> datetime:
    """In UTC: with an offset from a ``timestamptz``, without one from text."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


_READ: Final[dict[type, Read]] = {
    Uuid: UUID,
    Instant: _instant,
    Date: date.fromisoformat,
    Boolean: bool,
    TargetText: period,
}

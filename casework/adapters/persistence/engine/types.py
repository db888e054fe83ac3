"""Column types that behave the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import JSON, DateTime, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from casework.domain.clocks.calendar import Target, Unit

Json = JSON().with_variant(JSONB(), "postgresql")
# One whose None is NULL and no JSON, so that SQL can ask for it.
JsonOrNull = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def to_json(value: Any) -> str:
    """JSON text of plain values, ids, dates and instants."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class Instant(TypeDecorator[datetime]):
    """An instant, always UTC and aware; fixed-width text on SQLite, so that it sorts."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """``timestamptz`` where there is one, else 26 characters of text."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(String(26))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a naive value; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its offset")
        utc = value.astimezone(UTC)
        if dialect.name == "postgresql":
            return utc
        return utc.replace(tzinfo=None).isoformat(timespec="microseconds")

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        """None on PostgreSQL, whose connections are told to answer in UTC."""
        if dialect.name == "postgresql":
            return None
        return super().result_processor(dialect, coltype)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """An aware value in UTC, from the text of SQLite."""
        return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


class TargetText(TypeDecorator[Target]):
    """A period as ``amount unit``."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: Target | None, dialect: Dialect) -> Any:
        """Text such as ``5 working_days``."""
        return None if value is None else f"{value.amount} {value.unit}"

    def process_result_value(self, value: Any, dialect: Dialect) -> Target | None:
        """The period again."""
        return None if value is None else period(value)


def period(text: str) -> Target:
    """The period of a text such as ``5 working_days``."""
    amount, unit = text.split()
    return Target(int(amount), Unit(unit))

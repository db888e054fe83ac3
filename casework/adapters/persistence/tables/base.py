"""What the columns of every table share: names of constraints, ids, codes, references."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Uuid, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def id_column() -> Column[Any]:
    """The primary key, made by the application."""
    return Column("id", Uuid, primary_key=True)


def code(name: str, *args: Any, nullable: bool = False) -> Column[Any]:
    """A word of a list, or a code from outside; at most 40 characters."""
    return Column(name, String(40), *args, nullable=nullable)


def reference(name: str, target: str, *, nullable: bool = False) -> Column[Any]:
    """The id of a row of another table."""
    return Column(name, Uuid, ForeignKey(f"{target}.id"), nullable=nullable)


def one_of(name: str, values: Any) -> CheckConstraint:
    """A column holds one of these values."""
    listed = ", ".join(f"'{value}'" for value in sorted(values))
    return CheckConstraint(f"{name} IN ({listed})", name=f"{name}_known")


def version() -> Column[Any]:
    """What a client sends back as ``If-Match``; 1 in a new row."""
    return Column("version", Integer, nullable=False, server_default=text("1"))


def where(condition: str) -> dict[str, Any]:
    """A partial index, on both stores."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}

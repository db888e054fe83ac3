"""A table under another name, for statements of every thread."""

from __future__ import annotations

from sqlalchemy import FromClause, Table


def alias_of(table: Table, name: str) -> FromClause:
    """The table under that name, with its columns made at once.

    SQLAlchemy makes them when somebody first asks for one. Two threads that do so at the same
    moment each make their own, and a join of the one's columns does not fit the other's.
    """
    alias = table.alias(name)
    _ = alias.c
    return alias

"""The roles of the cluster: created by an operator who may create roles; idempotent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from psycopg import sql
from sqlalchemy import Connection, Engine, text

from casework.adapters.persistence.scope import row_level_security
from casework.domain.errors import Invalid

OWNER: Final = "owner"
ALL_PARTS: Final = (OWNER, *row_level_security.PARTS)
# None of them may do more than it was granted, whatever was said of it before.
PLAIN: Final = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The roles as they stand now, which of them were made by this run, and what was said."""

    names: Mapping[str, str]
    made: list[str]
    statements: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ConnectedRole:
    """The connected role, and why row-level security does not apply to it, if it does not."""

    role: str
    why_unprotected: str | None


def make(
    engine: Engine,
    prefix: str = row_level_security.DEFAULT_PREFIX,
    passwords: Mapping[str, str] | None = None,
    *,
    dry_run: bool = False,
) -> Roles:
    """Make the roles that are missing, put right those that are there, and grant their rights.

    ``passwords`` are by part: ``owner``, ``app``, ``scheduler``, ``figures``.
    """
    if engine.dialect.name != "postgresql":
        raise Invalid("only PostgreSQL has roles")
    names = {part: f"{prefix}_{part}" for part in ALL_PARTS}
    with engine.begin() as connection:
        known = set(connection.scalars(text("SELECT rolname FROM pg_roles")))
        made = [name for name in names.values() if name not in known]
        said = [_role(connection, name, is_new=name in made) for name in names.values()]
        said += _place(connection, names[OWNER])
        if not dry_run:
            _say(connection, said)
            for part, password in (passwords or {}).items():
                _set_password(connection, names[part], password)
        said += row_level_security.grants(connection, prefix, all_roles=True)
        if not dry_run:
            row_level_security.grant(connection, prefix)
    return Roles(names=names, made=made, statements=said)


def _role(connection: Connection, name: str, *, is_new: bool) -> str:
    verb = "CREATE" if is_new else "ALTER"
    return f"{verb} ROLE {_quoted(connection, name)} WITH {PLAIN}"


def _place(connection: Connection, owner: str) -> list[str]:
    """Nobody but the owner makes tables, functions or anything else in the schema."""
    schema = connection.scalar(text("SELECT current_schema()")) or "public"
    place, who = _quoted(connection, schema), _quoted(connection, owner)
    return [
        f"REVOKE CREATE ON SCHEMA {place} FROM PUBLIC",
        f"GRANT USAGE, CREATE ON SCHEMA {place} TO {who}",
    ]


def _say(connection: Connection, statements: list[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)


def _set_password(connection: Connection, role: str, password: str) -> None:
    """As a statement without parameters; it is sent once and stored nowhere."""
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), password)
    connection.exec_driver_sql(statement.as_string())


_STANDING: Final = text(
    "SELECT current_user AS role, r.rolsuper, r.rolbypassrls, EXISTS ("
    "  SELECT 1 FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace"
    "  AND c.relname = 'resident' AND pg_has_role(current_user, c.relowner, 'USAGE')) AS owns"
    " FROM pg_roles r WHERE r.rolname = current_user"
)


def connected_role(engine: Engine) -> ConnectedRole:
    """Who is connected here, and whether row-level security holds for them."""
    if engine.dialect.name != "postgresql":
        return ConnectedRole("", None)
    with engine.connect() as connection:
        row = connection.execute(_STANDING).one()
    for held_by, why in (
        ("rolsuper", "superuser"),
        ("rolbypassrls", "bypassrls"),
        ("owns", "owner"),
    ):
        if getattr(row, held_by):
            return ConnectedRole(row.role, why)
    return ConnectedRole(row.role, None)


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)

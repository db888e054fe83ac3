"""Putting the policies up, and giving the roles their rights: whatever is missing, each time."""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import Connection, Engine, text

from casework.adapters.persistence.scope.database_grants import (
    LOCKED_BY,
    READ_WITHOUT_SECRETS,
    TABLES,
    Rights,
    rights_on,
)
from casework.adapters.persistence.scope.row_policies import CARRIED, COUNTS, FUNCTIONS, policies
from casework.adapters.persistence.tables.secret_columns import SECRETS

# Every function with what it takes and gives.
_SIGNATURES: Final = (
    dict.fromkeys(FUNCTIONS, ("()", "SETOF uuid"))
    | dict.fromkeys(COUNTS, ("(uuid)", "bigint"))
    | dict.fromkeys(CARRIED, ("(uuid)", "SETOF uuid"))
)
PARTS: Final = ("app", "scheduler", "figures")
DEFAULT_PREFIX: Final = "casework"
_LETTERS: Final = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}
# One at a time: two that replace the same function at once would fail.
_ALONE: Final = text("SELECT pg_advisory_xact_lock(4711002)")
_STANDING: Final = text(
    "SELECT c.relname, c.relrowsecurity, row_security_active(c.oid) AS holds, "
    "  (SELECT obj_description(p.oid, 'pg_policy') FROM pg_policy p "
    "   WHERE p.polrelid = c.oid AND p.polname = 'casework_see') AS digest, "
    "  (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies "
    "FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'"
)
_COLUMNS: Final = text(
    "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY (:tables) "
    "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
)


def install_policies(engine: Engine, prefix: str = DEFAULT_PREFIX) -> list[str]:
    """Create every policy as defined in the code, and grant; return the tables that changed."""
    if engine.dialect.name != "postgresql":
        return []
    with engine.begin() as connection:
        connection.execute(_ALONE)
        _make_functions(connection)
        standing = {row.relname: row for row in connection.execute(_STANDING)}
    changed = []
    for table in TABLES:
        wanted = policies(table)
        if table not in standing or not wanted:
            continue
        digest, is_as = _digest(wanted), standing[table]
        if (is_as.digest, is_as.policies, is_as.relrowsecurity) != (digest, len(wanted), True):
            with engine.begin() as connection:
                connection.execute(_ALONE)
                _install(connection, table, wanted, digest)
            changed.append(table)
    with engine.begin() as connection:
        grant(connection, prefix)
    return changed


def outdated_tables(connection: Connection) -> list[str]:
    """The tables whose policies hold for who is connected, and are not those of this code.

    What is counted there may be less than what there is, whatever the transaction said of itself.
    """
    if connection.dialect.name != "postgresql":
        return []
    standing = {row.relname: row for row in connection.execute(_STANDING) if row.holds}
    return [
        table
        for table, is_as in standing.items()
        if not (wanted := policies(table) if table in TABLES else {})
        or (is_as.digest, is_as.policies) != (_digest(wanted), len(wanted))
    ]


def remove_policies(engine: Engine) -> None:
    """Drop every policy and function, before a downgrade of the tables."""
    if engine.dialect.name != "postgresql":
        return
    with engine.begin() as connection:
        connection.execute(_ALONE)
        for row in connection.execute(_STANDING).all():
            if row.policies or row.relrowsecurity:
                for name in ("see", "add", "change", "remove"):
                    drop = f"DROP POLICY IF EXISTS casework_{name} ON {row.relname}"
                    connection.exec_driver_sql(drop)
                connection.exec_driver_sql(f"ALTER TABLE {row.relname} DISABLE ROW LEVEL SECURITY")
        for name, (takes, _) in _SIGNATURES.items():
            connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name}{takes}")


def grant(connection: Connection, prefix: str = DEFAULT_PREFIX) -> list[str]:
    """Give the existing roles their grants, and no others; return the statements."""
    said = grants(connection, prefix)
    for statement in said:
        connection.exec_driver_sql(statement)
    return said


def grants(connection: Connection, prefix: str, *, all_roles: bool = False) -> list[str]:
    """The statements that give the existing roles, or all, their grants on the existing tables."""
    roles = {part: f"{prefix}_{part}" for part in PARTS}
    known = text("SELECT rolname FROM pg_roles WHERE rolname = ANY (:names)")
    there = set(connection.scalars(known, {"names": list(roles.values())}))
    tables = {row.relname for row in connection.execute(_STANDING)}
    columns = _readable(connection)
    made = text("SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace")
    there_are = set(connection.scalars(made))
    functions = [name + takes for name, (takes, _) in _SIGNATURES.items() if name in there_are]
    schema = _quoted(connection, connection.scalar(text("SELECT current_schema()")) or "public")
    statements = [f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC" for name in functions]
    for part, role in roles.items():
        if all_roles or role in there:
            role_name = _quoted(connection, role)
            statements += _grants_to(
                part,
                role_name,
                schema,
                [table for table in TABLES if table in tables],
                functions,
            )
            statements += _column_grants_to(part, role_name, columns)
    return statements


def _readable(connection: Connection) -> dict[str, list[str]]:
    """Of each table that has secrets and stands, the columns that are none."""
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(_COLUMNS, {"tables": list(SECRETS)}):
        if column not in SECRETS[table]:
            found.setdefault(table, []).append(_quoted(connection, column))
    return found


def _column_grants_to(part: str, role: str, readable: dict[str, list[str]]) -> list[str]:
    """What a role may do with some columns of a table; a right on all of them was revoked."""
    said = [
        f"GRANT SELECT ({', '.join(readable[table])}) ON {table} TO {role}"
        for table in READ_WITHOUT_SECRETS.get(part, ())
        if table in readable
    ]
    return said + [
        f"GRANT UPDATE ({column}) ON {table} TO {role}"
        for table, column in LOCKED_BY.get(part, {}).items()
        if table in readable
    ]


def _grants_to(
    part: str, role: str, schema: str, tables: list[str], functions: list[str]
) -> list[str]:
    said = [f"GRANT USAGE ON SCHEMA {schema} TO {role}"]
    for table in tables:
        said.append(f"REVOKE ALL ON {table} FROM {role}")
        letters = _letters(rights_on(table), part)
        if letters:
            said.append(f"GRANT {', '.join(letters)} ON {table} TO {role}")
    if part != "figures":
        said += [f"GRANT EXECUTE ON FUNCTION {name} TO {role}" for name in functions]
    return said


def _letters(rights: Rights, part: str) -> list[str]:
    return [_LETTERS[letter] for letter in getattr(rights, part)]


def _make_functions(connection: Connection) -> None:
    schema = _quoted(connection, connection.scalar(text("SELECT current_schema()")) or "public")
    for name, body in (FUNCTIONS | COUNTS | CARRIED).items():
        takes, gives = _SIGNATURES[name]
        # For most actors they are never called, yet a planner that costs them avoids the indexes.
        cost = "COST 1 ROWS 10" if gives.startswith("SETOF") else "COST 1"
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {name}{takes} RETURNS {gives} LANGUAGE sql STABLE"
            f" {cost} SECURITY DEFINER SET search_path = {schema}, pg_temp"
            f" AS $casework${body}$casework$"
        )


def _install(connection: Connection, table: str, wanted: dict[str, str], digest: str) -> None:
    for name, rule in wanted.items():
        connection.exec_driver_sql(f"DROP POLICY IF EXISTS {name} ON {table}")
        connection.exec_driver_sql(f"CREATE POLICY {name} ON {table} {rule}")
    connection.exec_driver_sql(f"COMMENT ON POLICY casework_see ON {table} IS '{digest}'")
    connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


def _digest(wanted: dict[str, str]) -> str:
    return hashlib.sha256(repr(sorted(wanted.items())).encode()).hexdigest()


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)

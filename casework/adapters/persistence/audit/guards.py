"""What stands around the tables of the audit: the triggers that were shipped, and nothing else.

The owner of the tables can put a trigger, a rule or a policy there that loses entries or hides
them, or take away what keeps them. None of it changes a row, so that no chain shows it.
"""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import Connection, bindparam, text

TABLES: Final = ("audit_entry", "audit_seal", "audit_head", "audit_pending")
_ROW_BEFORE_UPDATE, _ROW_BEFORE_DELETE, _BEFORE_TRUNCATE, _ROW_AFTER_INSERT = 19, 11, 34, 5
# Each as PostgreSQL keeps it: of which table, when, and by which function.
_TRIGGERS: Final = {
    "audit_entry_never_changes": f"audit_entry {_ROW_BEFORE_UPDATE} audit_never",
    "audit_entry_is_kept": f"audit_entry {_ROW_BEFORE_DELETE} audit_keep_entry",
    "audit_entry_is_never_emptied": f"audit_entry {_BEFORE_TRUNCATE} audit_never",
    "audit_entry_pends": f"audit_entry {_ROW_AFTER_INSERT} audit_pend",
    "audit_seal_never_changes": f"audit_seal {_ROW_BEFORE_UPDATE} audit_never",
    "audit_seal_is_kept": f"audit_seal {_ROW_BEFORE_DELETE} audit_keep_seal",
    "audit_seal_is_never_emptied": f"audit_seal {_BEFORE_TRUNCATE} audit_never",
    "audit_head_is_kept": f"audit_head {_ROW_BEFORE_DELETE} audit_never",
    "audit_head_is_never_emptied": f"audit_head {_BEFORE_TRUNCATE} audit_never",
}
# The digest of the body of each function; one of them runs as its owner.
_BODIES: Final = {
    "audit_never": "87de03ef568388d9857f5f20f9628e58d62eef8f34bb8f7667104aa44fcd1dd7",
    "audit_keep_entry": "4dde2fa773d46968aa069ccec8ea19e5a986f3303773ae2f0fc3ee80e2a582ea",
    "audit_keep_seal": "2e3b74fba59ac826f59055522b936213287f868989089340622f2f90e2b35701",
    "audit_pend": "aa750aaec10da0c476d70099b4e577121cf5b573310e5ae1df6cbf92df1097d5",
}
_FUNCTIONS: Final = {
    f"{name}()": f"{body} plpgsql{' as owner' if name == 'audit_pend' else ''}"
    for name, body in _BODIES.items()
}
_PLAIN_TABLES: Final = dict.fromkeys(TABLES, "plain")
ON_POSTGRES: Final = _PLAIN_TABLES | _TRIGGERS | _FUNCTIONS
# Of each trigger the digest of the statement that made it.
ON_SQLITE: Final = dict.fromkeys(TABLES, "plain") | {
    "audit_entry_is_new": "95e6209838116b08186988a7098e6d26e091b7a72e25c6274f4d28b2f3a76d64",
    "audit_entry_never_changes": "f936da3c992e256e7377f6953c61033012401bec5a208eb082d4c3128631a1cd",
    "audit_entry_is_kept": "29c92c95ed1a653f065c70dd55f5bcf9c730029157d511e4a224522967bcd520",
    "audit_seal_is_new": "22dec7ef98a65ba30c9c18d78f838736a3483ea3bbf851835602045b4814e600",
    "audit_seal_never_changes": "8f493cb74c19a95de5bb06fb3672613edd4386097ce47cc6bd26fb0e6e37a118",
    "audit_seal_is_kept": "2bdaf7d670fc3a2d19258361cf9b08b01f955c4d662aa13261587f9f5dec0e67",
    "audit_head_is_kept": "966b98ef65d393d2442a916ecf93950bd81926f44ccb9890e5e2b9de4f7d0f4a",
}
# One statement, so that all of it is of one moment. What differs from usual is said in words.
_STANDING_ON_POSTGRES: Final = text(
    """
    WITH guarded AS (
      SELECT * FROM pg_class c
      WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY (:tables)
    )
    SELECT g.relname AS name, CASE
        WHEN g.relkind <> 'r' THEN 'no table'
        WHEN g.relrowsecurity OR g.relforcerowsecurity THEN 'row security'
        WHEN EXISTS (SELECT FROM pg_inherits i WHERE g.oid IN (i.inhrelid, i.inhparent))
          THEN 'inherits'
        ELSE 'plain' END AS said
      FROM guarded g
    UNION ALL
    SELECT p.polname, 'policy of ' || g.relname
      FROM pg_policy p JOIN guarded g ON g.oid = p.polrelid
    UNION ALL
    SELECT r.rulename, 'rule of ' || g.relname
      FROM pg_rewrite r JOIN guarded g ON g.oid = r.ev_class
    UNION ALL
    SELECT t.tgname, concat_ws(' ', g.relname, t.tgtype, f.proname,
        CASE WHEN f.pronamespace <> current_schema()::regnamespace THEN 'of another schema' END,
        CASE WHEN t.tgenabled <> 'O' THEN 'switched off' END,
        CASE WHEN t.tgqual IS NOT NULL OR t.tgnargs > 0 OR t.tgattr::text <> ''
          OR t.tgconstraint <> 0 OR t.tgoldtable IS NOT NULL OR t.tgnewtable IS NOT NULL
          THEN 'otherwise' END)
      FROM pg_trigger t JOIN guarded g ON g.oid = t.tgrelid JOIN pg_proc f ON f.oid = t.tgfoid
    UNION ALL
    SELECT f.proname || '(' || pg_get_function_identity_arguments(f.oid) || ')', concat_ws(' ',
        encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex'), l.lanname,
        CASE WHEN f.prosecdef THEN 'as owner' END,
        CASE WHEN f.proowner <> (SELECT relowner FROM guarded WHERE relname = 'audit_entry')
          THEN 'of somebody else' END,
        CASE WHEN f.proconfig IS DISTINCT FROM
          ARRAY['search_path=' || quote_ident(current_schema()) || ', pg_temp']
          THEN 'another search path' END)
      FROM pg_proc f JOIN pg_language l ON l.oid = f.prolang
      WHERE f.pronamespace = current_schema()::regnamespace AND f.proname = ANY (:functions)
    """
)
_STANDING_ON_SQLITE: Final = text(
    """
    SELECT name, CASE WHEN type = 'table' THEN 'plain' ELSE type END AS said, '' AS made
      FROM sqlite_master WHERE name IN :tables
    UNION ALL
    SELECT name, 'trigger', sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN :tables
    """
).bindparams(bindparam("tables", expanding=True))


def altered_guards(connection: Connection) -> list[str]:
    """What was added around the audit, is otherwise than it was shipped, or is gone, by name."""
    is_sqlite = connection.dialect.name == "sqlite"
    shipped = ON_SQLITE if is_sqlite else ON_POSTGRES
    there = standing_on_sqlite(connection) if is_sqlite else standing_on_postgres(connection)
    return sorted({name for name, _ in there ^ set(shipped.items())})


def standing_on_postgres(connection: Connection) -> set[tuple[str, str]]:
    """Each thing around the tables by its name, with what it is."""
    given = {"tables": list(TABLES), "functions": list(_BODIES)}
    return {(row.name, row.said) for row in connection.execute(_STANDING_ON_POSTGRES, given)}


def standing_on_sqlite(connection: Connection) -> set[tuple[str, str]]:
    """The same; a trigger is known by the statement that made it."""
    rows = connection.execute(_STANDING_ON_SQLITE, {"tables": list(TABLES)})
    return {(row.name, _digest(row.made) if row.made else row.said) for row in rows}


def _digest(statement: str) -> str:
    return hashlib.sha256(" ".join(statement.split()).encode()).hexdigest()

"""What stands around the tables of the audit on PostgreSQL, as its catalogues tell.

Whatever its owner may make is looked for: what runs when a row is written (a trigger, a rule, an
expression that changes something), what a name in a statement may come to mean (a function or an
operator in the product's schema is preferred to the database's own), and tables that no longer
refuse what they were made to refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql

from casework.adapters.persistence.audit import guards_of_figures
from casework.adapters.persistence.tables.audit import (
    audit_entry,
    audit_head,
    audit_pending,
    audit_seal,
)

GUARDED: Final = (audit_entry, audit_seal, audit_head, audit_pending)
_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]
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
    # A trigger of any other table runs within the transactions that write to the audit.
    "account_grant_log_rows": (
        f"account_grant_log {_ROW_BEFORE_UPDATE | _ROW_BEFORE_DELETE} account_grant_log_guard"
    ),
    "account_grant_log_all": f"account_grant_log {_BEFORE_TRUNCATE} account_grant_log_guard",
}
# The digest of the body of each function; one of them runs as its owner.
_BODIES: Final = {
    "audit_never": "87de03ef568388d9857f5f20f9628e58d62eef8f34bb8f7667104aa44fcd1dd7",
    "audit_keep_entry": "4dde2fa773d46968aa069ccec8ea19e5a986f3303773ae2f0fc3ee80e2a582ea",
    "audit_keep_seal": "2e3b74fba59ac826f59055522b936213287f868989089340622f2f90e2b35701",
    "audit_pend": "aa750aaec10da0c476d70099b4e577121cf5b573310e5ae1df6cbf92df1097d5",
}
_LOG_BODY: Final = "5b37ff9142bb1464e80e160078881e60338553b26daaddbe755fa9622d32d81a"
_FUNCTIONS: Final = {
    f"{name}()": f"{body} plpgsql{' as owner' if name == 'audit_pend' else ''}"
    for name, body in _BODIES.items()
} | {"account_grant_log_guard()": f"{_LOG_BODY} plpgsql another search path"}
_OUTCOMES: Final = ", ".join(f"'{one}'::character varying" for one in ("ok", "refused", "failed"))
_CONSTRAINTS: Final = {
    "ck_audit_entry_outcome_known": (
        f"audit_entry CHECK (((outcome)::text = ANY ((ARRAY[{_OUTCOMES}])::text[])))"
    ),
    "pk_audit_entry": "audit_entry PRIMARY KEY (id)",
    "pk_audit_seal": "audit_seal PRIMARY KEY (chain, seq)",
    "uq_audit_seal_entry_id": "audit_seal UNIQUE (entry_id)",
    "pk_audit_head": "audit_head PRIMARY KEY (chain)",
    "pk_audit_pending": "audit_pending PRIMARY KEY (entry_id)",
}
# How PostgreSQL writes the same constraint once it was put back from a dump.
_AFTER_A_RESTORE: Final = {
    "audit_entry CHECK (((outcome)::text = ANY (ARRAY["
    + ", ".join(f"({one})::text" for one in _OUTCOMES.split(", "))
    + "])))": _CONSTRAINTS["ck_audit_entry_outcome_known"],
}
_REFUSED: Final = {"ix_audit_entry_refused": "where ((outcome)::text <> 'ok'::text)"}
_NAMES: Final = {"varchar": "character varying"}


def _columns(table: Table) -> dict[str, str]:
    found = {}
    for column in table.columns:
        kind = column.type.compile(_DIALECT).lower()
        for ours, theirs in _NAMES.items():
            kind = kind.replace(ours, theirs)
        found[f"{table.name}.{column.name}"] = kind + ("" if column.nullable else " not null")
    return found


SHIPPED: Final = (
    dict.fromkeys((table.name for table in GUARDED), "plain")
    | {name: said for table in GUARDED for name, said in _columns(table).items()}
    | _TRIGGERS
    | guards_of_figures.TRIGGERS
    | _FUNCTIONS
    | guards_of_figures.FUNCTIONS
    | _CONSTRAINTS
    | _REFUSED
)
# One statement, so that all of it is of one moment. What differs from usual is said in words. What
# a superuser made in the schema is an extension's: the owner of the tables can make no such thing.
_STANDING: Final = text(
    r"""
    WITH ours AS (
      SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = :schema
    ), guarded AS (
      SELECT * FROM ours WHERE relname = ANY (:tables)
    ), of_superusers AS (
      SELECT r.oid FROM pg_roles r
      WHERE r.rolsuper AND r.oid <> (SELECT relowner FROM guarded WHERE relname = 'audit_entry')
    ), functions AS NOT MATERIALIZED (
      SELECT f.*, n.nspname, l.lanname, pg_get_function_identity_arguments(f.oid) AS takes,
          -- A stable function in SQL changes nothing: these are for row-level security.
          f.proname ~ '^casework_' AND l.lanname = 'sql' AND f.provolatile = 's' AS is_harmless
        FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
        JOIN pg_language l ON l.oid = f.prolang
    ), expressions AS (
      SELECT k.conname AS name, k.conbin::text AS said
        FROM pg_constraint k JOIN ours c ON c.oid = k.conrelid
      UNION ALL
      SELECT c.relname || '.' || a.attname, d.adbin::text
        FROM pg_attrdef d JOIN ours c ON c.oid = d.adrelid
        JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
      UNION ALL
      SELECT c.relname, concat(i.indexprs::text, i.indpred::text)
        FROM pg_index i JOIN ours c ON c.oid = i.indexrelid
      UNION ALL
      SELECT p.polname, concat(p.polqual::text, p.polwithcheck::text)
        FROM pg_policy p JOIN ours c ON c.oid = p.polrelid
    )
    SELECT g.relname AS name, CASE
        WHEN g.relkind <> 'r' THEN 'no table'
        WHEN g.relpersistence <> 'p' THEN 'not permanent'
        WHEN g.relrowsecurity OR g.relforcerowsecurity THEN 'row security'
        WHEN EXISTS (SELECT FROM pg_inherits i WHERE g.oid IN (i.inhrelid, i.inhparent))
          THEN 'inherits'
        ELSE 'plain' END AS said
      FROM guarded g
    UNION ALL
    SELECT g.relname || '.' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN 'not null' END,
        CASE WHEN a.atthasdef OR a.attgenerated <> '' OR a.attidentity <> '' THEN 'made' END,
        CASE WHEN a.attcollation <> y.typcollation THEN 'sorted otherwise' END)
      FROM pg_attribute a JOIN guarded g ON g.oid = a.attrelid
      JOIN pg_type y ON y.oid = a.atttypid WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT c.relname || '.' || a.attname, 'of a type that was made'
      FROM pg_attribute a JOIN ours c ON c.oid = a.attrelid
      JOIN pg_type y ON y.oid = a.atttypid JOIN pg_namespace n ON n.oid = y.typnamespace
      WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'pg_catalog'
    UNION ALL
    SELECT k.conname, g.relname || ' ' || pg_get_constraintdef(k.oid)
      FROM pg_constraint k JOIN guarded g ON g.oid = k.conrelid
      WHERE k.contype <> 'n' OR NOT k.convalidated
    UNION ALL
    SELECT c.relname, concat_ws(' ',
        CASE WHEN NOT i.indisvalid OR NOT i.indisready THEN 'not in use' END,
        'where ' || pg_get_expr(i.indpred, i.indrelid),
        'of ' || pg_get_expr(i.indexprs, i.indrelid))
      FROM pg_index i JOIN guarded g ON g.oid = i.indrelid JOIN pg_class c ON c.oid = i.indexrelid
      WHERE i.indpred IS NOT NULL OR i.indexprs IS NOT NULL OR i.indisunique
        AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
    UNION ALL
    SELECT p.polname, 'policy of ' || g.relname
      FROM pg_policy p JOIN guarded g ON g.oid = p.polrelid
    UNION ALL
    SELECT r.rulename, 'rule of ' || c.relname
      FROM pg_rewrite r JOIN ours c ON c.oid = r.ev_class WHERE c.relkind IN ('r', 'p')
    UNION ALL
    SELECT t.tgname, concat_ws(' ', c.relname, t.tgtype, f.proname,
        CASE WHEN f.nspname <> :schema THEN 'of another schema' END,
        CASE WHEN t.tgenabled <> 'O' THEN 'switched off' END,
        CASE WHEN t.tgqual IS NOT NULL OR t.tgnargs > 0 OR t.tgattr::text <> ''
          OR t.tgconstraint <> 0 OR t.tgoldtable IS NOT NULL OR t.tgnewtable IS NOT NULL
          THEN 'otherwise' END)
      FROM pg_trigger t JOIN ours c ON c.oid = t.tgrelid JOIN functions f ON f.oid = t.tgfoid
      WHERE c.relname = ANY (:tables) OR NOT t.tgisinternal
    UNION ALL
    SELECT f.proname || '(' || f.takes || ')', concat_ws(' ',
        encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex'), f.lanname,
        CASE WHEN f.prosecdef THEN 'as owner' END,
        CASE WHEN f.proowner <> (SELECT relowner FROM guarded WHERE relname = 'audit_entry')
          THEN 'of somebody else' END,
        CASE WHEN f.proconfig IS DISTINCT FROM
          ARRAY['search_path=' || quote_ident(:schema) || ', pg_temp']
          THEN 'another search path' END)
      FROM functions f
      WHERE f.nspname = :schema AND NOT f.is_harmless AND f.proowner NOT IN (TABLE of_superusers)
    UNION ALL
    SELECT o.oprname, 'operator'
      FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
      WHERE n.nspname = :schema AND o.oprowner NOT IN (TABLE of_superusers)
    UNION ALL
    SELECT e.name, 'runs ' || f.proname
      FROM (
        SELECT DISTINCT e.name, split_part(called.rest, ' ', 1) AS id
          FROM expressions e,
            unnest(string_to_array(e.said, 'funcid ')) WITH ORDINALITY AS called (rest, place)
          WHERE called.place > 1
      ) e JOIN functions f ON f.oid = e.id::oid
      WHERE f.provolatile = 'v'
        OR f.nspname <> 'pg_catalog' AND NOT (f.nspname = :schema AND f.is_harmless)
    """
)


@contextmanager
def _names_of_the_database(connection: Connection) -> Iterator[str]:
    """Nothing that its owner made is meant by a name; gives the schema that is worked in."""
    schema = connection.scalar(text("SELECT pg_catalog.current_schema()"))
    path = connection.scalar(text("SHOW search_path"))
    connection.execute(text("SET LOCAL search_path TO pg_catalog, pg_temp"))
    yield str(schema)
    connection.execute(text(f"SET LOCAL search_path TO {path}"))


def standing_on_postgres(connection: Connection) -> set[tuple[str, str]]:
    """Each thing around the tables by its name, with what it is."""
    with _names_of_the_database(connection) as schema:
        given = {"schema": schema, "tables": [table.name for table in GUARDED]}
        rows = connection.execute(_STANDING, given)
        return {(row.name, _AFTER_A_RESTORE.get(row.said, row.said)) for row in rows}

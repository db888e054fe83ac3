"""What its owner puts around the tables of the audit, or takes away, is seen."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from casework import audit_begin
from casework.adapters.persistence.audit.chain_store import SqlAuditChainStore
from casework.settings import SettingsError
from casework.workflows.audit import exporting
from tests.adapters.persistence.audit.test_begun_anew import by, in_mode
from tests.api.asking import ABSENT
from tests.api.conftest import WORKER, Api
from tests.audit import free_hand, leave_as_it_was, seal

LOSE = (
    "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN"
    f" IF NEW.actor = '{WORKER}' THEN RETURN NULL; END IF; RETURN NEW; END $body$"
)
LOSES = "CREATE TRIGGER lose BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION lose()"
HIDES = (
    "CREATE POLICY seen ON audit_entry USING (current_user <> 'casework_app'"
    f" OR actor IS DISTINCT FROM '{WORKER}') WITH CHECK (true)"
)
NEVER = "CREATE OR REPLACE FUNCTION audit_never() RETURNS trigger LANGUAGE plpgsql"
ON_POSTGRES = {
    "a policy": (["ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY", HIDES], "seen"),
    "row security": (["ALTER TABLE audit_seal ENABLE ROW LEVEL SECURITY"], "audit_seal"),
    "a trigger": ([LOSE, LOSES], "lose"),
    "a trigger switched off": (
        ["ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_pends"], "audit_entry_pends",
    ),
    "a trigger for a replica alone": (
        ["ALTER TABLE audit_seal ENABLE REPLICA TRIGGER audit_seal_is_kept"], "audit_seal_is_kept",
    ),
    "a trigger gone": (["DROP TRIGGER audit_head_is_kept ON audit_head"], "audit_head_is_kept"),
    "a trigger that fires otherwise": (
        [
            "DROP TRIGGER audit_entry_pends ON audit_entry",
            "CREATE TRIGGER audit_entry_pends AFTER INSERT ON audit_entry FOR EACH ROW"
            " WHEN (NEW.actor <> 'x') EXECUTE FUNCTION audit_pend()",
        ],
        "audit_entry_pends",
    ),
    "the body of a function": (
        [f"{NEVER} SET search_path FROM CURRENT AS $body$ BEGIN RETURN NEW; END $body$"],
        "audit_never()",
    ),
    "the search path of a function": (
        ["ALTER FUNCTION audit_pend() SET search_path = pg_temp"], "audit_pend()",
    ),
    "a function as its caller": (["ALTER FUNCTION audit_pend() SECURITY INVOKER"], "audit_pend()"),
    "the body of a function that notes what figures count": (
        [
            "CREATE OR REPLACE FUNCTION figure_note_referral() RETURNS trigger LANGUAGE plpgsql"
            " SECURITY DEFINER SET search_path FROM CURRENT"
            " AS $body$ BEGIN DELETE FROM audit_pending; RETURN NULL; END $body$"
        ],
        "figure_note_referral()",
    ),
    "a trigger that notes what figures count, where something else is done first": (
        [
            "DROP TRIGGER figure_note_referral ON referral",
            "CREATE TRIGGER figure_note_referral AFTER INSERT OR UPDATE OR DELETE ON referral"
            " FOR EACH ROW WHEN (query_to_xml('DELETE FROM audit_pending', true, true, '')"
            " IS NOT NULL) EXECUTE FUNCTION figure_note_referral()",
        ],
        "figure_note_referral",
    ),
    "a rule": (["CREATE RULE none AS ON INSERT TO audit_pending DO INSTEAD NOTHING"], "none"),
    "a child": (["CREATE TABLE more () INHERITS (audit_entry)"], "audit_entry"),
    "a view in its place": (
        [
            "ALTER TABLE audit_pending RENAME TO kept_away",
            "CREATE VIEW audit_pending AS SELECT * FROM kept_away WHERE false",
        ],
        "audit_pending",
    ),
    "a number that may be none": (
        [
            "ALTER TABLE audit_seal DROP CONSTRAINT pk_audit_seal",
            "ALTER TABLE audit_seal ALTER seq DROP NOT NULL",
        ],
        "audit_seal.seq",
    ),
    "a constraint gone": (
        ["ALTER TABLE audit_seal DROP CONSTRAINT pk_audit_seal"], "pk_audit_seal",
    ),
    "a constraint of something else": (
        [
            "ALTER TABLE audit_seal DROP CONSTRAINT uq_audit_seal_entry_id",
            "ALTER TABLE audit_seal ADD CONSTRAINT uq_audit_seal_entry_id UNIQUE (hash)",
        ],
        "uq_audit_seal_entry_id",
    ),
    "a table that a crash empties": (["ALTER TABLE audit_head SET UNLOGGED"], "audit_head"),
    "a column of another type": (
        ["ALTER TABLE audit_seal ALTER chain TYPE text"], "audit_seal.chain",
    ),
    "a trigger of another table": (
        [
            LOSE,
            "CREATE TRIGGER lose BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION lose()",
        ],
        "lose",
    ),
    "a rule of another table": (
        ["CREATE RULE none AS ON INSERT TO message DO ALSO DELETE FROM audit_pending"], "none",
    ),
    "a check of another table that changes what names mean": (
        [
            "ALTER TABLE message ADD CONSTRAINT elsewhere"
            " CHECK (set_config('search_path', 'other', true) <> '')"
        ],
        "elsewhere",
    ),
    "an index by a function that was made": (
        [
            "CREATE FUNCTION does(text) RETURNS text IMMUTABLE LANGUAGE plpgsql"
            " AS $body$ BEGIN RETURN $1; END $body$",
            "CREATE INDEX does ON audit_head (does(mac))",
        ],
        "does",
    ),
    "a function that is preferred to the database's own": (
        [
            "CREATE FUNCTION first(text, varchar) RETURNS text LANGUAGE sql AS 'SELECT $1'",
            "CREATE AGGREGATE max(varchar) (SFUNC = first, STYPE = text)",
        ],
        "max(character varying)",
    ),
    "an operator that is preferred to the database's own": (
        [
            "CREATE FUNCTION same(varchar, varchar) RETURNS bool LANGUAGE sql AS 'SELECT true'",
            "CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = same)",
        ],
        "=",
    ),
    "one that keeps this check from finding it": (
        [
            "CREATE FUNCTION no(oid, regnamespace) RETURNS bool LANGUAGE sql AS 'SELECT false'",
            "CREATE OPERATOR = (LEFTARG = oid, RIGHTARG = regnamespace, FUNCTION = no)",
            "CREATE FUNCTION no(name, text) RETURNS bool LANGUAGE sql AS 'SELECT false'",
            "CREATE OPERATOR <> (LEFTARG = name, RIGHTARG = text, FUNCTION = no)",
        ],
        "<>",
    ),
}  # fmt: skip
ON_SQLITE = {
    "a trigger": (
        [
            "CREATE TRIGGER lose BEFORE INSERT ON audit_entry"
            f" WHEN NEW.actor = '{WORKER}' BEGIN SELECT RAISE(IGNORE); END"
        ],
        "lose",
    ),
    "a trigger gone": (["DROP TRIGGER audit_entry_never_changes"], "audit_entry_never_changes"),
    "a trigger that fires otherwise": (
        [
            "DROP TRIGGER audit_head_is_kept",
            "CREATE TRIGGER audit_head_is_kept BEFORE DELETE ON audit_head WHEN 0"
            " BEGIN SELECT RAISE(ABORT, 'the audit is only added to (audit_head)'); END",
        ],
        "audit_head_is_kept",
    ),
    "a view in its place": (
        [
            "ALTER TABLE audit_pending RENAME TO kept_away",
            "CREATE VIEW audit_pending AS SELECT * FROM kept_away WHERE 0",
        ],
        "audit_pending",
    ),
    "a trigger of a table whose name is spelt otherwise": (
        ["CREATE TRIGGER late AFTER UPDATE ON AUDIT_HEAD BEGIN SELECT 1; END"],
        "late",
    ),
    "a trigger of another table": (
        ["CREATE TRIGGER late AFTER INSERT ON message BEGIN DELETE FROM audit_pending; END"],
        "late",
    ),
    "a trigger that notes what figures count, and does something else": (
        [
            "DROP TRIGGER figure_note_referral_insert",
            "CREATE TRIGGER figure_note_referral_insert AFTER INSERT ON referral"
            " BEGIN DELETE FROM audit_pending; END",
        ],
        "figure_note_referral_insert",
    ),
    "an index by which a new row takes the place of an old one": (
        ["CREATE UNIQUE INDEX one ON audit_entry (request_id)"],
        "one",
    ),
    "a table without its constraints": (
        [
            "ALTER TABLE audit_seal RENAME TO kept_away",
            "CREATE TABLE audit_seal AS SELECT * FROM kept_away",
        ],
        "sqlite_autoindex_audit_seal_1",
    ),
}


def put(api: Api, statements: list[str]) -> None:
    with api.engine.begin() as connection:
        for one in statements:
            connection.exec_driver_sql(one)


def test_what_was_shipped_is_as_shipped_also_after_it_was_off(api: Api) -> None:
    assert api.application.seals.altered_guards() == []
    with api.engine.begin() as connection:
        free_hand(connection)
        store = SqlAuditChainStore(lambda: nullcontext(connection))
        assert len(store.altered_guards()) >= 7, "the control: they are away"
        leave_as_it_was(connection)
    assert api.application.seals.altered_guards() == []


def is_seen(api: Api, folder: Path, named: str) -> None:
    """By start, sealing, export and comparing, which is what `verify` says too."""
    of = api.application.exporting
    assert named in api.application.seals.altered_guards()
    compared = exporting.compare(of).flaws
    assert named in [one.what for one in compared if one.why == "guards_altered"]
    done = exporting.export(of, api.clock.now)
    assert named in [one.what for one in done.flaws]
    assert done.kept_by == []
    production, vault = in_mode(api, "production", folder), api.application.vault
    with pytest.raises(SettingsError, match="not as it was shipped") as refused:
        audit_begin.check(production, api.engine, vault)
    assert named in str(refused.value)
    with capture_logs() as said:
        audit_begin.check(in_mode(api, "development", folder), api.engine, vault)
    assert "the audit's guards are not as shipped" in [one["event"] for one in said]


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
@pytest.mark.parametrize("added", ON_POSTGRES)
def test_what_is_put_around_the_log_on_postgresql_is_seen(
    api: Api, tmp_path: Path, added: str
) -> None:
    of = by(api.application, tmp_path)
    api.as_("admin").get("/accounts")
    seal(api.application)
    exporting.export(of, api.clock.now)
    statements, named = ON_POSTGRES[added]
    api.as_("admin").get("/accounts")  # it waits
    put(api, statements)
    if "in its place" not in added:
        assert "guards_altered" in {one.why for one in seal(api.application).flaws}
    is_seen(api, tmp_path, named)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("added", ON_SQLITE)
def test_what_is_put_around_the_log_on_sqlite_is_seen(api: Api, tmp_path: Path, added: str) -> None:
    of = by(api.application, tmp_path)
    api.as_("admin").get("/accounts")
    exporting.export(of, api.clock.now)
    statements, named = ON_SQLITE[added]
    put(api, statements)
    is_seen(api, tmp_path, named)


def test_a_request_whose_entry_is_lost_fails(api: Api) -> None:
    on_sqlite = api.engine.dialect.name == "sqlite"
    assert api.as_(WORKER).get("/accounts").status_code == 200
    put(api, (ON_SQLITE if on_sqlite else ON_POSTGRES)["a trigger"][0])
    for path in ("/accounts", f"/cases/{ABSENT}"):
        assert api.as_(WORKER).get(path).status_code == 503
    assert api.as_("admin").get("/accounts").status_code == 200, "who is not lost is let in"
    with api.engine.connect() as connection:
        named = connection.scalars(text("SELECT actor FROM audit_entry")).all()
    assert named.count(WORKER) == 1

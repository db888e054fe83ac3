"""A log that its owner emptied, rewrote or set back is seen where a head was exported.

Each attack is tried without the defence first: the chain alone is as sealed.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text
from structlog.testing import capture_logs

from casework import audit_begin, background_jobs
from casework.adapters.archives.file import ArchiveFile
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.chain_store import SqlAuditChainStore
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.audit.sealing import seal_with
from casework.adapters.persistence.tables.audit import audit_head, audit_pending, audit_seal
from casework.adapters.vault import KeyVault
from casework.bootstrap import Application
from casework.domain.audit.chain import CHAIN_LIST
from casework.settings import SettingsError
from casework.workflows.audit import exporting, sealing
from casework.workflows.audit.exporting import Exporting
from casework.workflows.ports.audit import ArchiveTooLong
from casework.workflows.ports.unit_of_work import RequestFacts
from tests.api.asking import ABSENT
from tests.api.conftest import STRANGER, WORKER, Api
from tests.audit import free_hand, leave_as_it_was, seal

KEY = b"a" * 32


def look_around(api: Api) -> None:
    """Entries in three chains."""
    for username in (WORKER, STRANGER, "admin"):
        api.as_(username).get("/accounts")
    api.as_(WORKER).get(f"/cases/{ABSENT}")


def by(application: Application, folder: Path) -> Exporting:
    """The application's chains with a file for their heads; the application asks it as well."""
    made = replace(application.exporting, archives=[ArchiveFile(folder / "heads")])
    application.exporting = made
    return made


def export(api: Api, of: Exporting) -> exporting.Exported:
    seal(api.application)
    return exporting.export(of, api.clock.now)


def verified(api: Api) -> list[str]:
    """The flaws that a check of the chains alone finds."""
    return [one.why for one in sealing.verify(api.application.seals, KEY, api.clock.now).flaws]


def empty_and_put_back(api: Api) -> None:
    """As the tables' owner: begin anew with an edited copy of the log."""
    with api.engine.begin() as connection:
        free_hand(connection)
        entries = [dict(row._mapping) for row in connection.execute(select(t.audit_entry))]
        for table in (audit_pending, audit_seal, audit_head, t.audit_entry):
            connection.execute(delete(table))
        for one in entries:
            one["actor"] = "somebody.else"
        connection.execute(insert(t.audit_entry), entries)
        connection.execute(delete(audit_pending))
        waiting = [{"entry_id": one["id"]} for one in entries]
        connection.execute(insert(audit_pending), waiting)
        leave_as_it_was(connection)


def rows_of(api: Api) -> dict[Any, list[dict[str, Any]]]:
    """The whole log as it is now."""
    with api.engine.connect() as connection:
        return {
            table: [dict(row._mapping) for row in connection.execute(select(table))]
            for table in (t.audit_entry, audit_seal, audit_head)
        }


def set_back(api: Api, before: dict[Any, list[dict[str, Any]]]) -> None:
    """As the tables' owner: put an older state back, which was genuine then."""
    with api.engine.begin() as connection:
        free_hand(connection)
        for table in (audit_pending, audit_seal, audit_head, t.audit_entry):
            connection.execute(delete(table))
        for table, rows in before.items():
            connection.execute(insert(table), rows)
        connection.execute(delete(audit_pending))
        leave_as_it_was(connection)


def test_without_an_exported_head_a_log_that_was_begun_anew_is_as_sealed(api: Api) -> None:
    look_around(api)
    seal(api.application)
    empty_and_put_back(api)
    assert seal(api.application).flaws == []
    assert verified(api) == [], "the control: the chain alone does not see it"


def test_what_was_begun_anew_is_not_sealed_where_a_head_was_exported(
    api: Api, tmp_path: Path
) -> None:
    look_around(api)
    of = by(api.application, tmp_path)
    assert export(api, of).kept_by == [f"file:{tmp_path}/heads"]
    empty_and_put_back(api)
    found = seal(api.application)
    assert found.entries == 0
    assert {one.why for one in found.flaws} == {"not_as_exported"}
    with api.engine.connect() as connection:
        assert connection.scalars(select(audit_seal.c.seq)).all() == [], "nothing is signed"
    with pytest.raises(SettingsError, match="emptied or set back"):
        audit_begin.check(in_mode(api, "development", tmp_path), api.engine, api.application.vault)


def test_a_log_that_was_set_back_is_not_sealed_and_not_exported(api: Api, tmp_path: Path) -> None:
    look_around(api)
    seal(api.application)
    before = rows_of(api)
    look_around(api)
    of = by(api.application, tmp_path)
    export(api, of)
    set_back(api, before)
    assert verified(api) == [], "the control: an older state is genuine"
    lines = (tmp_path / "heads").read_text()
    assert {one.why for one in exporting.export(of, api.clock.now).flaws} == {"not_as_exported"}
    assert (tmp_path / "heads").read_text() == lines, "what is kept is not overlaid"
    look_around(api)
    if of.store.waits():
        assert seal(api.application).flaws
    assert exporting.compare(of).flaws


def test_an_audit_goes_on_though_its_entries_have_waited_for_long(api: Api, tmp_path: Path) -> None:
    look_around(api)
    empty_and_put_back(api)
    api.clock.forward(hours=3)
    assert "entry_unsealed" in verified(api), "the control: what waits so long is a flaw"
    ring = shutil.copyfile(api.application.vault.path, tmp_path / "ring.json")
    vault = KeyVault(ring, api.application.settings.key("master"))
    sealer = replace(by(api.application, tmp_path), store=sealer_of_production(api).store)
    audit_begin.begin(sealer, api.engine, vault, [], "the disk was lost", api.clock.now)
    assert verified(api) == []
    assert vault.audit_begun == api.clock.now
    assert exporting.compare(sealer).flaws == []


def test_where_nothing_waits_no_place_is_asked(api: Api, tmp_path: Path) -> None:
    of = replace(by(api.application, tmp_path), archives=[Silent()])
    assert exporting.seal(of, lambda: api.clock.now) == sealing.AuditCheck()
    with pytest.raises(AssertionError):
        exporting.compare(of)


class Silent:
    """A place that nobody may ask."""

    address = "nowhere"

    def add(self, line: str) -> None:
        raise AssertionError(line)

    def last_lines(self) -> list[str]:
        raise AssertionError


def test_a_log_that_goes_on_is_as_exported(api: Api, tmp_path: Path) -> None:
    look_around(api)
    of = by(api.application, tmp_path)
    export(api, of)
    assert len(of.archives[0].last_lines()) == 1
    assert export(api, of).kept_by == [], "nothing was sealed since"
    look_around(api)
    api.clock.forward(minutes=5)
    assert export(api, of).kept_by
    assert len(of.archives[0].last_lines()) == 2
    assert exporting.compare(of).flaws == []
    assert exporting.compare(of).exported_at == api.clock.now


def test_a_place_that_does_not_answer_stops_nothing_and_is_named(api: Api, tmp_path: Path) -> None:
    look_around(api)
    of = replace(
        api.application.exporting,
        archives=[ArchiveFile(tmp_path / "gone" / "heads"), ArchiveFile(tmp_path / "heads")],
    )
    api.application.exporting = of
    done = export(api, of)
    assert (done.silent, done.kept_by) == (
        [f"file:{tmp_path}/gone/heads"],
        [f"file:{tmp_path}/heads"],
    )
    with capture_logs() as said:
        background_jobs.run(api.application, job("heads"))
    assert [one["event"] for one in said] == ["heads not exported"]


class TooLong:
    """A place that gives all it ever took."""

    address = "https://heads.example"

    def add(self, line: str) -> None:
        """Nothing is kept."""

    def last_lines(self) -> list[str]:
        raise ArchiveTooLong


def test_a_place_that_gives_too_much_is_named_and_stops_nothing(api: Api, tmp_path: Path) -> None:
    look_around(api)
    of = by(api.application, tmp_path)
    export(api, of)
    api.application.exporting = of = replace(of, archives=[TooLong(), *of.archives])
    look_around(api)
    assert seal(api.application).flaws == []
    compared = exporting.compare(of)
    assert (compared.flaws, [one.what for one in compared.too_long]) == ([], [TooLong.address])
    with capture_logs() as said:
        background_jobs.run(api.application, job("heads"))
    assert [one["because"] for one in said] == ["export_too_long"]


def job(name: str) -> background_jobs.Job:
    return next(one for one in background_jobs.JOBS if one.name == name)


def test_the_background_job_exports_and_says_where_the_log_differs(
    api: Api, tmp_path: Path
) -> None:
    look_around(api)
    seal(api.application)
    of = by(api.application, tmp_path)
    background_jobs.run(api.application, job("heads"))
    assert len(of.archives[0].last_lines()) == 1
    empty_and_put_back(api)
    with capture_logs() as said:
        background_jobs.run(api.application, job("heads"))
    assert {one["event"] for one in said} == {"audit not as exported"}


def in_mode(api: Api, mode: str, folder: Path | None = None) -> Any:
    """The settings of the test's application in a mode, with a file for heads."""
    heads = f"file:{folder}/heads" if folder else ""
    return api.application.settings.model_copy(update={"mode": mode, "audit_heads": heads})


def sealer_of_production(api: Api) -> Exporting:
    """The sealer, which begins no chain by itself; nor does the application from now on."""
    seal_with(api.application.engine, lambda: KEY, may_begin=False)
    seal_with(api.engine, lambda: KEY, may_begin=False)
    return replace(api.application.exporting, store=SqlAuditChainStore(api.engine.connect))


def test_in_production_no_chain_is_begun_by_writing_to_it(api: Api) -> None:
    sealer = sealer_of_production(api)
    look_around(api)
    found = exporting.seal(sealer, lambda: api.clock.now)
    assert [(one.chain, one.why) for one in found.flaws] == [(CHAIN_LIST, "chains_missing")]
    assert sealing.missing(sealer.store)
    with api.engine.connect() as connection:
        entries = len(connection.scalars(select(t.audit_entry.c.id)).all())
        assert len(connection.scalars(select(audit_pending.c.entry_id)).all()) == entries > 0
    with pytest.raises(SettingsError, match="casework audit begin"):
        audit_begin.check(in_mode(api, "production"), api.engine, api.application.vault)


def roll(api: Api) -> str | None:
    """The list of chains, if there is one."""
    with api.engine.connect() as connection:
        return connection.scalar(select(audit_head.c.chain).where(audit_head.c.chain == CHAIN_LIST))


def test_a_log_that_was_emptied_is_not_begun_anew_in_production(api: Api) -> None:
    look_around(api)
    seal(api.application)
    sealer = sealer_of_production(api)
    empty_and_put_back(api)
    assert [one.why for one in exporting.seal(sealer, lambda: api.clock.now).flaws] == [
        "chains_missing"
    ]
    assert roll(api) is None


def test_a_list_of_chains_that_was_deleted_is_not_made_anew_in_production(api: Api) -> None:
    look_around(api)
    seal(api.application)
    sealer = sealer_of_production(api)
    with api.engine.begin() as connection:
        free_hand(connection)
        connection.execute(delete(audit_head).where(audit_head.c.chain == CHAIN_LIST))
    look_around(api)
    exporting.seal(sealer, lambda: api.clock.now)
    assert roll(api) is None
    assert "chains_altered" in verified(api)


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_a_temporary_table_of_the_same_name_takes_no_entry(api: Api) -> None:
    """On SQLite the transaction itself seals its entry."""
    with api.application.engine.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE audit_pending (entry_id uuid)"))
        write_audit(connection, None, "x", api.clock.now, RequestFacts(task="x"), ())
        assert connection.scalar(text("SELECT count(*) FROM pg_temp.audit_pending")) == 0
    with api.engine.connect() as connection:
        assert len(connection.scalars(select(audit_pending.c.entry_id)).all()) == 1


def test_the_newest_line_of_any_place_counts(api: Api, tmp_path: Path) -> None:
    look_around(api)
    of = by(api.application, tmp_path)
    export(api, of)
    two = replace(of, archives=[ArchiveFile(tmp_path / "other"), *of.archives])
    look_around(api)
    seal(api.application)
    api.clock.forward(minutes=5)
    done = exporting.go_on_from_here(two, "a backup was put back", api.clock.now)
    assert len(done.kept_by) == 2
    found = exporting.newest(two)
    last = found.last
    assert last is not None
    assert (last.because, last.exported_at, found.silent) == (
        "a backup was put back",
        api.clock.now,
        [],
    )

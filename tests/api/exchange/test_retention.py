"""Retention: what is older than its time is counted, and deleted; a day younger stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, insert, select, update

from casework import background_jobs, retention
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.domain.exchange.retention import Expired, RetainedKind, retained_since
from casework.workflows.audit import sealing
from tests.adapters.persistence.audit.test_sealing import KEY, old_entries
from tests.api.conftest import WORKER, Api
from tests.api.exchange.test_imports import RESIDENTS, rows_of, sent
from tests.audit import free_hand, leave_as_it_was, seal

DAY = timedelta(days=1)
# Two years after the entry of 2 March 2024.
OF_TWO_YEARS_AGO = datetime(2024, 3, 2, 1, tzinfo=UTC)
THE_DAY = datetime(2026, 3, 2, 1, tzinfo=UTC)


def done(api: Api, *, dry_run: bool = False) -> dict[RetainedKind, Expired]:
    return {one.kind: one for one in retention.run(api.application, dry_run=dry_run)}


def counts(api: Api) -> dict[str, int]:
    """The rows of every table."""
    with api.engine.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in t.metadata.sorted_tables
        }


def no_flaw(api: Api) -> bool:
    seal(api.application)
    return not sealing.verify(api.application.seals, KEY, api.clock.now).flaws


@pytest.mark.parametrize(("after", "found"), [(-DAY, 1), (timedelta(), 2), (DAY, 3)])
def test_an_access_record_is_retained_for_two_years(api: Api, after: timedelta, found: int) -> None:
    old_entries(api)
    api.clock.now = THE_DAY + after
    seal(api.application)
    before = counts(api)
    one = done(api, dry_run=True)[RetainedKind.ACCESS_RECORDS]
    assert (one.found, one.deleted, one.error) == (found, 0, None)
    assert counts(api) == before, "a dry run changes nothing"
    one = done(api)[RetainedKind.ACCESS_RECORDS]
    assert (one.found, one.deleted) == (found, found)
    assert done(api, dry_run=True)[RetainedKind.ACCESS_RECORDS].found == 0
    assert no_flaw(api)


@pytest.mark.parametrize(("after", "found"), [(-DAY, 0), (timedelta(), 0), (DAY, 1)])
def test_a_record_of_rights_is_retained_for_three_years_from_what_superseded_it(
    api: Api, after: timedelta, found: int
) -> None:
    now = datetime.now(UTC)
    id, log = api.id_of(WORKER), t.account_grant_log
    with api.engine.begin() as connection:
        connection.execute(
            insert(log),
            [
                {"id": new_id(), "at": at, "account_id": id, "act": "enabled", "by": "admin",
                 "state": {}}
                for at in (now - timedelta(days=2000), now - timedelta(days=1096) - after)
            ],
        )  # fmt: skip
    api.clock.now = now
    one = done(api, dry_run=True)[RetainedKind.RIGHTS_RECORDS]
    assert (one.found, one.deleted, one.error) == (found, 0, None)
    assert done(api)[RetainedKind.RIGHTS_RECORDS].deleted == found
    assert done(api, dry_run=True)[RetainedKind.RIGHTS_RECORDS].found == 0
    assert no_flaw(api)


@pytest.mark.parametrize(
    ("after", "found"), [(timedelta(days=364), 0), (365 * DAY, 0), (366 * DAY, 2)]
)
def test_the_results_of_a_file_are_retained_for_a_year_after_its_end(
    api: Api, after: timedelta, found: int
) -> None:
    lines = "가상주민을,1942.5.6.,여,우1동,\n가상주민병,1943.5.6.,여,어디,\n"
    answer = sent(api, WORKER, "residents", RESIDENTS + lines)
    assert len(rows_of(api, WORKER, answer)) == 2
    residents = counts(api)["resident"]
    api.clock.now += after
    before = counts(api)
    one = done(api, dry_run=True)[RetainedKind.FILES]
    assert (one.found, one.deleted, one.error) == (found, 0, None)
    assert counts(api) == before
    assert done(api)[RetainedKind.FILES].deleted == found
    left = counts(api)
    assert left["import_row"] == 2 - found
    assert left["import_file"] == (0 if found else 1)
    assert left["resident"] == residents, "what was taken in stays"
    assert no_flaw(api)


@pytest.mark.parametrize("waits", [True, False], ids=["waits", "is found by"])
def test_a_row_that_waits_or_by_which_somebody_is_found_stays(api: Api, waits: bool) -> None:
    sent(api, WORKER, "residents", RESIDENTS + "가상주민을,1942.5.6.,여,우1동,\n")
    index = None if waits else api.application.vault.blind("external id", "A-1")
    kept = {"waits": waits, "external_index": index, "outcome": "accepted"}
    with api.engine.begin() as connection:
        connection.execute(update(t.import_row).values(kept))
    api.clock.now += 400 * DAY
    assert done(api)[RetainedKind.FILES].deleted == 0
    assert counts(api)["import_file"] == 1


def test_a_log_that_was_tampered_with_is_not_deleted_and_stops_nothing_else(api: Api) -> None:
    old_entries(api)
    with api.engine.begin() as connection:
        free_hand(connection)
        first = select(t.audit_entry.c.id).order_by(t.audit_entry.c.at).limit(1)
        connection.execute(delete(t.audit_entry).where(t.audit_entry.c.id.in_(first)))
        leave_as_it_was(connection)
    found = done(api)
    assert found[RetainedKind.ACCESS_RECORDS].error == "audit_broken"
    assert found[RetainedKind.FILES].error is None


@pytest.mark.parametrize(("is_on", "deleted"), [(False, 0), (True, 2)])
def test_the_job_deletes_only_where_the_installation_says_so(
    api: Api, is_on: bool, deleted: int
) -> None:
    old_entries(api)
    api.application.settings = api.application.settings.model_copy(update={"retention": is_on})
    (job,) = (one for one in background_jobs.JOBS if one.name == "retention")
    background_jobs.run(api.application, job)
    entry = t.audit_entry
    with api.engine.connect() as connection:
        old = select(func.count()).select_from(entry).where(entry.c.at < OF_TWO_YEARS_AGO)
        assert connection.scalar(old) == 2 - deleted


def test_no_setting_is_shorter_than_the_law() -> None:
    since = retained_since(datetime(2026, 3, 2, tzinfo=UTC), 1, 1)
    assert since == {
        RetainedKind.ACCESS_RECORDS: datetime(2024, 3, 2, tzinfo=UTC),
        RetainedKind.RIGHTS_RECORDS: datetime(2026, 3, 2, tzinfo=UTC) - timedelta(days=1096),
        RetainedKind.FILES: datetime(2026, 1, 31, tzinfo=UTC),
    }

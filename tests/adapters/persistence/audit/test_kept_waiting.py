"""A sealer that is kept from its work is seen, whatever the waiting entries say of themselves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text, update
from structlog.testing import capture_logs

from casework import background_jobs
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.tables.audit import audit_pending
from casework.domain.audit.chain import Flaw
from casework.workflows.audit import exporting, sealing
from casework.workflows.audit.exporting import Exporting
from tests.adapters.persistence.audit.test_begun_anew import KEY, by
from tests.api.asking import ABSENT
from tests.api.conftest import WORKER, Api
from tests.audit import free_hand, leave_as_it_was, scheduler_of, seal

STOPPED = ["sealing_stopped"]


def hold(connection: Connection) -> None:
    """As the owner, take the row that a sealer locks."""
    connection.execute(text("SELECT 1 FROM audit_head WHERE chain = '*' FOR UPDATE"))


def from_the_future(api: Api) -> None:
    """As the owner, have what waits say that it is of next month."""
    with api.engine.begin() as connection:
        free_hand(connection)
        late = update(t.audit_entry).where(t.audit_entry.c.actor == WORKER)
        connection.execute(late.values(at=api.clock.now + timedelta(days=30)))
        leave_as_it_was(connection)


def begun(api: Api, folder: Path) -> Exporting:
    of = by(api.application, folder)
    api.as_("admin").get("/accounts")
    seal(api.application)
    exporting.export(of, api.clock.now)
    return of


def whys(flaws: list[Flaw]) -> list[str]:
    return [one.why for one in flaws]


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_what_waits_and_is_from_the_future_is_a_flaw(api: Api, tmp_path: Path) -> None:
    begun(api, tmp_path)
    api.as_(WORKER).get(f"/cases/{ABSENT}")
    assert whys(sealing.verify(api.application.seals, KEY, api.clock.now).flaws) == []
    from_the_future(api)
    api.clock.forward(days=20)
    found = sealing.verify(api.application.seals, KEY, api.clock.now)
    assert whys(found.flaws) == ["entry_unsealed"]


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_the_exports_tell_since_when_nothing_was_sealed(api: Api, tmp_path: Path) -> None:
    of = begun(api, tmp_path)
    with api.engine.connect() as held:
        hold(held)
        api.as_(WORKER).get(f"/cases/{ABSENT}")
        from_the_future(api)
        done = exporting.export(of, api.clock.now)
        assert (whys(done.flaws), len(done.kept_by)) == ([], 1), "that something waits is kept"
        api.clock.forward(minutes=5)
        done = exporting.export(of, api.clock.now)
        assert (whys(done.flaws), done.kept_by) == ([], []), "the line of before says it"
        assert whys(seal(api.application).flaws) == []
        api.clock.forward(minutes=6)
        assert whys(exporting.export(of, api.clock.now).flaws) == STOPPED
        assert whys(seal(api.application).flaws) == STOPPED, "a new process knows it from there"
    assert seal(api.application).entries == 1
    assert exporting.export(of, api.clock.now).flaws == []
    api.clock.forward(minutes=30)
    assert exporting.export(of, api.clock.now).flaws == []


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_without_a_place_for_heads_the_sealer_remembers_it_itself(api: Api) -> None:
    api.as_("admin").get("/accounts")
    seal(api.application)
    with scheduler_of(api.application) as scheduler, api.engine.connect() as held:
        hold(held)
        api.as_(WORKER).get(f"/cases/{ABSENT}")
        assert whys(scheduler.seal().flaws) == []
        api.clock.forward(minutes=10)
        assert whys(scheduler.seal().flaws) == []
        api.clock.forward(seconds=1)
        assert whys(scheduler.seal().flaws) == STOPPED
        held.rollback()
        assert scheduler.seal().flaws == []
        api.clock.forward(hours=1)
        assert scheduler.seal().flaws == []


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_a_second_sealer_that_always_comes_too_late_is_no_flaw(api: Api) -> None:
    api.as_("admin").get("/accounts")
    with scheduler_of(api.application) as scheduler:
        for _ in range(5):
            seal(api.application)  # the first one goes on, one entry behind
            api.as_(WORKER).get(f"/cases/{ABSENT}")
            with api.engine.connect() as held:
                hold(held)
                assert scheduler.seal().flaws == []
            api.clock.forward(minutes=5)


def test_where_sealing_goes_on_nothing_is_late_though_something_always_waits(
    api: Api, tmp_path: Path
) -> None:
    of = begun(api, tmp_path)
    for _ in range(5):
        api.as_(WORKER).get(f"/cases/{ABSENT}")
        seal(api.application)
        with api.engine.begin() as connection:
            waits = insert(audit_pending).values(entry_id=new_id())
            connection.execute(waits)
        assert exporting.export(of, api.clock.now).flaws == []
        api.clock.forward(minutes=5)


def test_the_jobs_say_it_in_the_log(api: Api, tmp_path: Path) -> None:
    of = begun(api, tmp_path)
    with api.engine.begin() as connection:
        connection.execute(insert(audit_pending).values(entry_id=new_id()))
    exporting.export(of, api.clock.now)
    api.clock.forward(minutes=11)
    heads = next(one for one in background_jobs.JOBS if one.name == "heads")
    with capture_logs() as said:
        background_jobs.run(api.application, heads)
    assert [(one["event"], one["because"]) for one in said] == [
        ("audit not as exported", "sealing_stopped")
    ]

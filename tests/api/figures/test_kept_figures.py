"""Figures that are kept are what the rows say, whatever was done, counted again or not."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from typer.testing import CliRunner

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.figures import kept
from casework.adapters.persistence.figures.keeping import CountedElsewhere, figure_keeping
from casework.cli.app import cli
from casework.kept_figures import keep_figures
from casework.workflows.referring import correcting
from tests.api.acts import a_case, a_referral, a_resident, a_supported_case, clock, make_room, moved
from tests.api.cases.test_correcting import put_right
from tests.api.comparing import COMPARED
from tests.api.conftest import (
    FAR,
    NEXT_DOOR,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)
from tests.api.directory.test_matching import as_scheduler
from tests.api.duplicates.test_merging import merge, undo
from tests.api.racing import ON_POSTGRES
from tests.conftest import Store
from tests.proofs._kept_figures import count_again, miskept


@pytest.fixture(autouse=True)
def _compared_here(_figures_are_what_the_rows_say: None) -> None:
    """These tests compare by themselves, every cell."""
    COMPARED[0] = False


def check(api: Api) -> None:
    """Compare while it waits, and once it was counted."""
    assert not miskept(api)
    count_again(api)
    with api.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(t.figure_change)) == 0
    assert not miskept(api)


def done(api: Api, path: str, body: Any, by: str = SUPERVISOR) -> Any:
    answer = api.as_(by).post(path, body)
    assert answer.status_code < 300, answer.text
    return answer.json()


def a_running_service(api: Api) -> tuple[UUID, UUID]:
    """A case of March whose service runs since then; and its referral."""
    api.clock.set("2026-03-03T10:00")
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    api.clock.set("2026-03-12T10:00")
    moved(api, referral, "accept", PROVIDER)
    api.clock.set("2026-03-20T10:00")
    moved(api, referral, "start", PROVIDER, started_on=date(2026, 3, 19))
    api.clock.set("2026-04-02T10:00")
    return supported.case, referral


def enters_late(api: Api, case: UUID, referral: UUID) -> None:
    a_case(api, applied_on=date(2026, 3, 25))


def ends(api: Api, case: UUID, referral: UUID) -> None:
    on = date(2026, 3, 30)
    moved(api, referral, "complete", PROVIDER, ended_on=on, outcome="ended_early")


def corrects_days(api: Api, case: UUID, referral: UUID) -> None:
    days = {"answered_on": date(2026, 3, 10), "started_on": date(2026, 3, 11)}
    correcting.correct_referral(api.context(WORKER), referral, days, "typed wrongly")


def corrects_the_application(api: Api, case: UUID, referral: UUID) -> None:
    answer = put_right(api, case, applied_on="2026-02-27")
    assert answer.status_code == 200, answer.text


def transfers(api: Api, case: UUID, referral: UUID) -> None:
    done(api, f"/cases/{case}/transfer", {"centre_code": NEXT_DOOR, "reason": "이사"})


def transfers_far(api: Api, case: UUID, referral: UUID) -> None:
    done(api, f"/cases/{case}/transfer", {"centre_code": FAR, "reason": "이사"})


def merges(api: Api, case: UUID, referral: UUID) -> None:
    _merged(api, case)


def merges_and_parts(api: Api, case: UUID, referral: UUID) -> None:
    merge_id = _merged(api, case)
    count_again(api)
    assert not miskept(api)
    undo(api, merge_id)


def _merged(api: Api, case: UUID) -> UUID:
    with api.engine.connect() as connection:
        resident = connection.scalar(
            select(t.care_case.c.resident_id).where(t.care_case.c.id == case)
        )
    assert resident is not None
    return merge(api, a_resident(api), resident)


def is_declared_a_holiday(api: Api, case: UUID, referral: UUID) -> None:
    """A day of the past by which working days were counted; what is declared goes for them too."""
    with api.engine.begin() as connection:
        row = {"id": UUID(int=7), "day": date(2026, 3, 6), "closed": True, "name": "a day"}
        connection.execute(insert(t.holiday_override), [row])
    api.application.clockwork.forget()


def is_excused(api: Api, case: UUID, referral: UUID) -> None:
    with api.engine.begin() as connection:
        response = t.deadline.c.kind == "response"
        connection.execute(update(t.deadline).where(response).values(excused=True))


def names_causes(api: Api, case: UUID, referral: UUID) -> None:
    other = a_referral(api)
    api.clock.set("2026-04-10T10:00")
    deadline = clock(api, "response", other)
    for cause in ("provider_slow", "staff_absent"):
        body = {"action": "chase", "cause": cause}
        done(api, f"/overdue/{deadline}/review", body)
        api.clock.set("2026-04-14T10:00")


def time_goes_by(api: Api, case: UUID, referral: UUID) -> None:
    """Nothing is done: what was of now is of the past, and clocks are overdue."""
    a_referral(api)
    check(api)
    for moment in ("2026-04-08T00:00", "2026-04-09T12:00", "2026-06-01T00:00", "2026-04-09T12:00"):
        api.clock.set(moment)
        assert not miskept(api), f"counted until another day than that of {moment}"
    for moment in ("2026-04-09T12:00", "2026-06-01T00:00", "2026-04-10T12:00"):
        api.clock.set(moment)
        check(api)


def deletes(api: Api, case: UUID, referral: UUID) -> None:
    """What no operation does: a row is gone."""
    with api.engine.begin() as connection:
        connection.execute(delete(t.plan_version).where(t.plan_version.c.case_id == case))


Act = Callable[[Api, UUID, UUID], None]

# The others are in `tests/deep`: each compares every cell several times.
ACTS: Final[tuple[Act, ...]] = (enters_late, ends, corrects_days, transfers_far, merges, deletes)
FURTHER_ACTS: Final[tuple[Act, ...]] = (
    corrects_the_application, transfers, merges_and_parts, is_declared_a_holiday, is_excused,
    names_causes, time_goes_by,
)  # fmt: skip


def compare_around(api: Api, act: Act) -> None:
    """Compare every cell before and after something is done to a running service."""
    make_room(api)
    case, referral = a_running_service(api)
    check(api)
    act(api, case, referral)
    check(api)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_what_is_kept_is_what_the_rows_say_after(api: Api, act: Act) -> None:
    compare_around(api, act)


@pytest.mark.both_stores
@pytest.mark.parametrize("act", [ends, transfers_far], ids=lambda act: act.__name__)
def test_the_control_what_is_not_noted_is_found(api: Api, act: Act) -> None:
    case, referral = a_running_service(api)
    check(api)
    with api.engine.begin() as connection:
        for table in ("care_case", "referral", "deadline"):
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            else:
                connection.execute(text(f"DROP TRIGGER figure_note_{table}_update"))
                connection.execute(text(f"DROP TRIGGER figure_note_{table}_insert"))
    act(api, case, referral)
    assert miskept(api)


def test_what_a_figure_does_not_read_is_not_noted(api: Api) -> None:
    _case, _ = a_running_service(api)
    check(api)
    with api.engine.begin() as connection:
        connection.execute(update(t.care_case).values(version=t.care_case.c.version + 1))
        connection.execute(update(t.deadline).values(breached_at=api.clock.now))
        assert connection.scalar(select(func.count()).select_from(t.figure_change)) == 0


def test_where_too_much_waits_everything_is_counted_from_the_rows(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_running_service(api)
    monkeypatch.setattr("casework.adapters.persistence.figures.figures.AT_MOST", 3)
    monkeypatch.setattr(kept, "AT_MOST", 3)
    COMPARED[0] = True
    for who, params in ((SUPERVISOR, {}), ("city", {"by": "district"})):
        answer = api.as_(who).get("/figures", params={"month": "2026-03"} | params)
        assert answer.status_code == 200, answer.text


@ON_POSTGRES
def test_two_who_change_and_two_who_count_at_once_lose_nothing(api: Api) -> None:
    make_room(api)
    api.clock.set("2026-03-03T10:00")
    referrals = [a_referral(api) for _ in range(8)]
    api.actor(PROVIDER)
    begin = Barrier(4)

    def change(own: list[UUID]) -> None:
        begin.wait()
        for one in own:
            moved(api, one, "accept", PROVIDER)

    def count() -> None:
        begin.wait()
        for _ in range(4):
            count_again(api)

    with ThreadPoolExecutor(4) as pool:
        for task in [
            pool.submit(change, referrals[::2]), pool.submit(change, referrals[1::2]),
            pool.submit(count), pool.submit(count),
        ]:  # fmt: skip
            task.result()
    check(api)


@ON_POSTGRES
def test_the_job_counts_as_the_schedulers_role_and_who_serves_writes_no_sum(api: Api) -> None:
    a_running_service(api)
    with as_scheduler(api) as application:
        assert keep_figures(application) > 0
        assert keep_figures(application) == 0
    assert not miskept(api)
    with api.application.engine.connect() as connection:
        for right in ("INSERT", "UPDATE", "DELETE"):
            for table in (
                "figure_entry",
                "figure_total",
                "city_total",
                "city_sum",
                "figure_change",
            ):
                query = text("SELECT has_table_privilege(:table, :right)")
                assert not connection.scalar(query, {"table": table, "right": right})


@ON_POSTGRES
def test_a_round_leaves_to_another_scheduler_what_that_one_counts(api: Api) -> None:
    a_running_service(api)
    with as_scheduler(api) as application:
        with figure_keeping(application.engine):
            assert keep_figures(application) == 0
            with pytest.raises(CountedElsewhere), figure_keeping(application.engine, wait_s=0.3):
                raise AssertionError("two count at once")
        assert keep_figures(application) > 0


def test_a_recount_begins_anew_and_a_check_names_the_first_difference(
    api: Api, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_running_service(api)
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store.owner_url)
    run = CliRunner().invoke
    assert run(cli, ["figures", "recount"]).exit_code == 0
    checked = run(cli, ["figures", "recount", "--check", "--json"])
    assert (checked.exit_code, '"difference": null' in checked.output) == (0, True), checked.output
    with api.engine.begin() as connection:
        of_cases = t.figure_total.c.figure == "applications"
        connection.execute(update(t.figure_total).where(of_cases).values(times=9))
    checked = run(cli, ["figures", "recount", "--check"])
    assert checked.exit_code == 1
    assert "applications" in checked.output
    assert "kept 9, counted 1" in checked.output
    assert run(cli, ["figures", "recount"]).exit_code == 0
    assert run(cli, ["figures", "recount", "--check"]).exit_code == 0

"""Case files: what a save writes, what it never writes, and what the constraints reject."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.domain.access.policy import EVERYTHING
from casework.domain.casefile.casefile import CaseFile
from casework.domain.cases import checks
from casework.domain.clocks.calendar import day_in_seoul, end_of, morning_of
from casework.domain.clocks.deadlines import BREACH, REMINDER
from casework.domain.errors import Conflict
from casework.domain.supervision.reviewing import ReviewDecision
from casework.workflows.cases import intake, running
from casework.workflows.planning import planning
from casework.workflows.ports.casefile import CaseFiles
from casework.workflows.supervision.reviews import review_deadline
from tests.adapters.looking import (
    changes,
    count,
    passed_over,
    planned,
    raised,
    steps,
    stored,
    the_clock,
    told,
)
from tests.api.acts import (
    Supported,
    a_case,
    a_referral,
    a_resident,
    a_supported_case,
    clock,
    moved,
)
from tests.api.conftest import PROVIDER, SUPERVISOR, WORKER, Api, seoul

SECOND, MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)


def sweep(api: Api) -> Any:
    """The overdue sweep, now."""
    return api.application.sweep(api.application.context())


def on_file(
    api: Api, load: Callable[[CaseFiles], CaseFile], do: Callable[[CaseFile], Any]
) -> list[str]:
    """Load a file, do something to it, save it; returns the statements of the save."""
    with api.application.store.work(EVERYTHING, "case.write", api.clock.now) as work:
        file = load(work.files)
        do(file)
        with changes(api.application.engine) as sent:
            work.files.save(file, api.clock.now)
        work.commit()
    return sent


def nothing(file: CaseFile) -> None:
    """Leave the file as it was loaded."""


def an_eventful_case(api: Api) -> tuple[Supported, UUID, UUID, UUID]:
    """A case with every kind of part: two versions, pauses, an extension, a review, a signal.

    Returns it with its referral, that one's ``start`` clock, and the signal.
    """
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    moved(api, referral, "accept", PROVIDER)
    start = clock(api, "start", referral)
    api.clock.set("2026-03-20T10:00")
    review(api, start, "extend", until=date(2026, 3, 27))
    moved(api, referral, "hold", PROVIDER, reason="away", until=date(2026, 3, 24))
    signal = running.raise_signal(api.context(WORKER), supported.case, "fall", "in the kitchen").id
    planning.notify_plan(api.context(WORKER), supported.case, date(2026, 3, 20), "her daughter")
    found = checks.Findings(
        checked_on=date(2026, 3, 20), findings="well", goals=[{"goal": "home", "met": "yes"}]
    )
    running.record_check(api.context(WORKER), supported.case, found)
    return supported, referral, start, signal


def review(api: Api, id: UUID, action: str, **facts: Any) -> None:
    """What the supervisor decides about an overdue clock."""
    verdict = ReviewDecision(action=action, cause="provider_slow", **facts)
    review_deadline(api.context(SUPERVISOR), id, verdict)


# What a save writes


def test_a_file_that_is_saved_as_it_was_loaded_writes_nothing(api: Api) -> None:
    supported, referral, start, signal = an_eventful_case(api)
    ways: list[Callable[[CaseFiles], CaseFile]] = [
        lambda files: files.of_case(supported.case),
        lambda files: files.of_case(supported.case, with_plan=True),
        lambda files: files.of_planned_service(supported.service),
        lambda files: files.of_referral(referral),
        lambda files: files.of_deadline(start),
        lambda files: files.of_signal(signal),
        lambda files: files.whole(supported.case, with_plan=True),
    ]
    for load in ways:
        assert on_file(api, load, nothing) == []


def test_the_control_a_save_that_changes_something_is_seen(api: Api) -> None:
    case = a_case(api)
    sent = on_file(
        api, lambda files: files.of_case(case), lambda file: setattr(file.case, "guidance", "come")
    )
    assert len(sent) == 1
    assert sent[0].startswith("UPDATE care_case SET guidance=")


CHILDREN: dict[str, tuple[str, Callable[[CaseFile], Any], str, Any]] = {
    "the case": ("care_case", lambda file: file.case, "closing_note", "all is well"),
    "a plan version": ("plan_version", lambda file: file.versions[0], "goals", ["to walk again"]),
    "a planned service": (
        "planned_service", lambda file: only(file.services), "settlement_note", "he said so",
    ),
    "a referral": ("referral", lambda file: only(file.referrals), "on_behalf", {"channel": "fax"}),
    "a clock": (
        "deadline", lambda file: next(iter(file.deadlines.values())), "deferred_until",
        date(2026, 4, 1),
    ),
    "a signal": ("signal", lambda file: only(file.signals), "answer", "we went there"),
}  # fmt: skip


# What is counted of the case when one of these changes.
WITH_ITS_CASE = {
    "plan_version": {"care_case": ["plan_revision"]},
    "signal": {"care_case": ["version"]},
}


def written(sent: list[str]) -> dict[str, list[str]]:
    """The columns of each table that the statements set."""
    found = {}
    for one in sent:
        table, columns = one.removeprefix("UPDATE ").split(" WHERE ")[0].split(" SET ")
        found[table] = [column.split("=")[0] for column in columns.split(", ")]
    return found


def only(things: dict[UUID, Any]) -> Any:
    """The one thing there is."""
    (one,) = things.values()
    return one


@pytest.mark.parametrize("which", CHILDREN)
def test_a_changed_part_is_written_and_nothing_else(api: Api, which: str) -> None:
    table, find, name, value = CHILDREN[which]
    *_, signal = an_eventful_case(api)
    found: list[Any] = []

    def change(file: CaseFile) -> None:
        found.append(find(file))
        setattr(found[0], name, value)

    sent = on_file(api, lambda files: files.of_signal(signal), change)
    counted = {"deadline": ["heard_until"]}.get(table, ["version"])
    assert written(sent) == {table: [name, *counted]} | WITH_ITS_CASE.get(table, {})
    assert stored(api, type(found[0]), found[0].id) == found[0]


def test_a_list_that_is_changed_in_place_is_written_too(api: Api) -> None:
    *_, signal = an_eventful_case(api)

    def change(file: CaseFile) -> None:
        file.versions[0].goals.append("to dance")
        only(file.referrals).disclosed.append("phone")

    sent = on_file(api, lambda files: files.of_signal(signal), change)
    assert list(written(sent)) == ["care_case", "plan_version", "referral"]


def test_a_second_save_writes_only_what_changed_since_the_first(api: Api) -> None:
    case = a_case(api)
    with api.application.store.work(EVERYTHING, "case.write", api.clock.now) as work:
        file = work.files.of_case(case)
        file.case.guidance = "come back"
        work.files.save(file, api.clock.now)
        with changes(api.application.engine) as sent:
            work.files.save(file, api.clock.now)
        assert sent == []
        file.case.closing_note = "later"
        with changes(api.application.engine) as sent:
            work.files.save(file, api.clock.now)
        assert len(sent) == 1
        assert "guidance" not in sent[0]


def test_what_is_not_committed_never_happened(api: Api) -> None:
    case = a_case(api)
    with api.application.store.work(EVERYTHING, "case.write", api.clock.now) as work:
        file = work.files.of_case(case)
        file.case.guidance = "come back"
        work.files.save(file, api.clock.now)
    with api.engine.connect() as connection:
        found = select(t.care_case.c.guidance).where(t.care_case.c.id == case)
        assert connection.scalar(found) is None


# The breach is recorded by the first who notices it


def an_open_request(api: Api) -> UUID:
    """The ``response`` clock of a referral that was just sent; due on 5 March."""
    return clock(api, "response", a_referral(api))


def test_no_save_writes_the_breach_over(api: Api) -> None:
    late = an_open_request(api)
    due_at = the_clock(api, late).due_at
    api.clock.set("2026-03-06T09:00")
    sweep(api)
    assert the_clock(api, late).breached_at == due_at
    for stale in (None, due_at + SECOND):

        def meddle(file: CaseFile, stale: datetime | None = stale) -> None:
            file.deadlines[late].breached_at = stale
            file.deadlines[late].deferred_until = date(2026, 4, 1 if stale else 2)

        sent = on_file(api, lambda files: files.of_deadline(late), meddle)
        assert any(
            statement.startswith("UPDATE deadline SET deferred_until=") for statement in sent
        )
        assert the_clock(api, late).breached_at == due_at


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_a_sweep_between_load_and_save_is_not_undone(api: Api) -> None:
    """Not on SQLite, which has one writer at a time."""
    late = an_open_request(api)
    due_at = the_clock(api, late).due_at
    api.clock.set("2026-03-06T09:00")
    with api.application.store.work(EVERYTHING, "case.write", api.clock.now) as work:
        file = work.files.of_deadline(late)
        assert file.deadlines[late].breached_at is None
        sweep(api)
        file.deadlines[late].deferred_until = date(2026, 3, 9)
        api.application.clockwork().recount(file.deadlines[late])
        work.files.save(file, api.clock.now)
        work.commit()
    assert the_clock(api, late).breached_at == due_at
    assert (raised(api, late), passed_over(api, late)) == ([1], [REMINDER, BREACH])
    assert planned(api, late) == [2]
    assert told(api, late) == [1]


# Late acts


def test_an_act_after_the_due_date_leaves_its_due_steps_in_the_ledger_without_a_notice(
    api: Api,
) -> None:
    late = an_open_request(api)
    referral, due_at = the_clock(api, late).subject_id, the_clock(api, late).due_at
    api.clock.set("2026-03-06T09:30")
    moved(api, referral, "accept", PROVIDER)
    found = the_clock(api, late)
    assert (found.met_at, found.breached_at) == (api.clock.now, due_at)
    assert (raised(api, late), passed_over(api, late)) == ([1], [REMINDER, BREACH])
    assert planned(api, late) == [], "the second tier was not due and is gone"
    assert all(one.quiet and one.raised_at == api.clock.now for one in steps(api, late))
    assert told(api, late) == []
    api.clock.set("2026-03-13T09:30")
    sweep(api)
    assert (raised(api, late), told(api, late)) == ([1], []), "nothing of it is left to raise"


def test_an_act_after_the_sweep_changes_nothing_of_what_the_sweep_raised(api: Api) -> None:
    late = an_open_request(api)
    referral, due_at = the_clock(api, late).subject_id, the_clock(api, late).due_at
    api.clock.set("2026-03-06T09:00")
    sweep(api)
    before = [one for one in steps(api, late) if one.raised_at is not None]
    api.clock.set("2026-03-06T10:00")
    moved(api, referral, "accept", PROVIDER)
    assert steps(api, late) == before
    assert the_clock(api, late).breached_at == due_at
    assert not any(one.quiet for one in before)
    assert told(api, late) == [1]


@pytest.mark.parametrize(
    ("after", "tiers"), [(timedelta(), []), (MICROSECOND, []), (SECOND, [BREACH])]
)
def test_on_time_is_up_to_the_due_instant_itself(
    api: Api, after: timedelta, tiers: list[int]
) -> None:
    late = an_open_request(api)
    due_at = the_clock(api, late).due_at
    assert due_at == end_of(date(2026, 3, 5))
    api.clock.now = due_at + after
    moved(api, the_clock(api, late).subject_id, "decline", PROVIDER, reason="at_capacity")
    found = the_clock(api, late)
    assert found.breached_at == (due_at if after else None)
    assert raised(api, late) == (tiers or ([REMINDER] if after else []))


def test_whatever_ends_a_late_clock_the_breach_is_written_once(api: Api) -> None:
    cancelled, met = an_open_request(api), an_open_request(api)
    due_at = the_clock(api, cancelled).due_at
    api.clock.set("2026-03-10T12:00")
    moved(api, the_clock(api, cancelled).subject_id, "withdraw", WORKER, reason="resident_asked")
    moved(api, the_clock(api, met).subject_id, "waitlist", PROVIDER)
    assert the_clock(api, cancelled).cancelled_at == api.clock.now
    for id in (cancelled, met):
        assert the_clock(api, id).breached_at == due_at
        assert (raised(api, id), passed_over(api, id)) == ([2], [REMINDER, BREACH, 1])
        assert told(api, id) == []


def test_a_clock_that_ends_in_time_leaves_no_step_behind(api: Api) -> None:
    early = an_open_request(api)
    assert planned(api, early) == [REMINDER, BREACH, 1, 2]
    api.clock.set("2026-03-03T15:00")
    moved(api, the_clock(api, early).subject_id, "accept", PROVIDER)
    assert steps(api, early) == []
    assert the_clock(api, early).breached_at is None


# Steps are planned again, and raised ones stay


def the_start_clock(api: Api) -> tuple[UUID, UUID]:
    """A referral that was accepted on 2 March, and its ``start`` clock, due on 16 March."""
    referral = a_referral(api)
    moved(api, referral, "accept", PROVIDER)
    return referral, clock(api, "start", referral)


def mornings(api: Api, clock: UUID) -> dict[int, datetime]:
    """When each step that is still to come is planned."""
    return {one.tier: one.at for one in steps(api, clock) if one.raised_at is None}


def test_a_hold_plans_the_steps_anew_and_an_early_return_again(api: Api) -> None:
    referral, start = the_start_clock(api)
    first = mornings(api, start)
    assert first[1] == morning_of(date(2026, 3, 17))
    api.clock.set("2026-03-04T10:00")
    moved(api, referral, "hold", PROVIDER, reason="away", until=date(2026, 3, 10))
    held = mornings(api, start)
    assert the_clock(api, start).due_at == end_of(date(2026, 3, 23))
    assert held[1] == morning_of(date(2026, 3, 24))
    assert set(held) == set(first)
    api.clock.set("2026-03-06T10:00")
    moved(api, referral, "resume", PROVIDER)
    assert the_clock(api, start).due_at == end_of(date(2026, 3, 18))
    assert mornings(api, start)[1] == morning_of(date(2026, 3, 19))
    assert {one.due_at for one in steps(api, start)} == {end_of(date(2026, 3, 18))}


def test_an_extension_plans_the_steps_of_the_new_due_date_and_keeps_the_raised_ones(
    api: Api,
) -> None:
    _, start = the_start_clock(api)
    api.clock.set("2026-03-17T09:00")
    sweep(api)
    before = [one for one in steps(api, start) if one.raised_at is not None]
    assert [one.tier for one in before] == [REMINDER, BREACH, 1]
    api.clock.set("2026-03-17T11:00")
    review(api, start, "extend", until=date(2026, 3, 31))
    now = steps(api, start)
    kept = [one for one in now if one.id in {old.id for old in before}]
    assert {one.id: one.raised_at for one in kept} == {one.id: one.raised_at for one in before}
    assert all(one.review_id is not None for one in kept)
    assert mornings(api, start) == {
        REMINDER: morning_of(date(2026, 3, 30)), BREACH: end_of(date(2026, 3, 31)) + SECOND,
        1: morning_of(date(2026, 4, 1)), 2: morning_of(date(2026, 4, 3)),
    }  # fmt: skip
    assert the_clock(api, start).breached_at == end_of(date(2026, 3, 16)), "the first one"
    api.clock.set("2026-04-01T09:00")
    sweep(api)
    assert told(api, start) == [1, 1], "once for each due date"
    assert the_clock(api, start).breached_at == end_of(date(2026, 3, 16)), "never written again"


def test_a_review_that_is_the_first_to_see_the_breach_writes_it_down(api: Api) -> None:
    _, start = the_start_clock(api)
    api.clock.set("2026-03-17T08:00")
    review(api, start, "extend", until=date(2026, 3, 31))
    assert the_clock(api, start).breached_at == end_of(date(2026, 3, 16))
    assert raised(api, start) == []
    assert {one.due_at for one in steps(api, start)} == {end_of(date(2026, 3, 31))}


def test_a_chase_moves_the_further_tiers_and_keeps_the_raised_ones(api: Api) -> None:
    _, start = the_start_clock(api)
    api.clock.set("2026-03-17T09:00")
    sweep(api)
    before = {one.id: one.tier for one in steps(api, start) if one.raised_at is not None}
    review(api, start, "chase", until=date(2026, 3, 25))
    assert mornings(api, start) == {2: morning_of(date(2026, 3, 25))}
    assert {one.id: one.tier for one in steps(api, start) if one.raised_at} == before
    review(api, start, "chase", until=date(2026, 3, 25))  # the same again changes nothing
    assert mornings(api, start) == {2: morning_of(date(2026, 3, 25))}


def test_an_excuse_takes_what_is_still_to_come_away(api: Api) -> None:
    _, start = the_start_clock(api)
    api.clock.set("2026-03-17T09:00")
    sweep(api)
    review(api, start, "excuse")
    assert planned(api, start) == []
    assert raised(api, start) == [1]
    assert the_clock(api, start).is_overdue(api.clock.now), "excused and overdue all the same"


# Constraints of the database


def copied(api: Api, table: Any, id: UUID, **changed: Any) -> UUID:
    """Insert a copy of the row with that id straight into the table."""
    with api.engine.begin() as connection:
        row = dict(connection.execute(select(table).where(table.c.id == id)).one()._mapping)
        again = row | {"id": new_id()} | changed
        connection.execute(insert(table), [again])
    return UUID(str(again["id"]))


def refuses(api: Api, table: Any, id: UUID, **changed: Any) -> None:
    """Check that a second such row is rejected and leaves nothing behind."""
    before = count(api, table)
    with pytest.raises(IntegrityError):
        copied(api, table, id, **changed)
    assert count(api, table) == before


def test_a_second_open_case_of_one_resident_is_refused(api: Api) -> None:
    case = a_case(api)
    refuses(api, t.care_case, case)
    refuses(api, t.care_case, case, number="of another")
    refuses(api, t.care_case, case, resident_id=a_resident(api))  # under the same number
    copied(api, t.care_case, case, status="closed", number="a second")
    copied(api, t.care_case, case, resident_id=a_resident(api), number="a third")


def test_the_repository_says_so_in_the_domains_words(api: Api) -> None:
    case = a_case(api)
    with api.application.store.work(EVERYTHING, "case.write", api.clock.now) as work:
        file = work.files.of_case(case)
        file.case.id = new_id()
        again = CaseFile(case=file.case)
        with pytest.raises(Conflict) as refusal:
            work.files.add(again)
    assert refusal.value.code == "open_case_exists"


def test_a_second_open_referral_of_one_service_to_one_provider_is_refused(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    refuses(api, t.referral, referral)
    refuses(api, t.referral, referral, status="draft")
    refuses(api, t.referral, referral, status="on_hold")
    copied(api, t.referral, referral, status="declined")
    copied(api, t.referral, referral, provider_id=api.providers["beta"].id)
    other = a_supported_case(api)
    copied(api, t.referral, referral, planned_service_id=other.service)


def test_a_second_approved_version_of_one_plan_is_refused(api: Api) -> None:
    supported = a_supported_case(api)
    with api.engine.connect() as connection:
        version = connection.scalars(
            select(t.plan_version.c.id).where(t.plan_version.c.case_id == supported.case)
        ).one()
    refuses(api, t.plan_version, version, number=2)
    refuses(api, t.plan_version, version, number=1, status="draft")
    copied(api, t.plan_version, version, number=2, status="superseded")


def test_a_second_step_of_one_tier_for_one_due_date_is_refused(api: Api) -> None:
    late = an_open_request(api)
    step = next(one for one in steps(api, late) if one.tier == 1)
    refuses(api, t.escalation, step.id)
    refuses(api, t.escalation, step.id, at=step.at + SECOND, raised_at=step.at, passed_over=True)
    copied(api, t.escalation, step.id, tier=3)
    copied(api, t.escalation, step.id, due_at=step.due_at + SECOND)


def test_a_second_tick_of_one_slot_is_refused(api: Api) -> None:
    slot = seoul("2026-03-02T10:00")
    id = new_id()
    row = {"id": id, "job": "overdue", "slot": slot, "as_of": slot, "dry_run": False,
           "started_at": slot}  # fmt: skip
    with api.engine.begin() as connection:
        connection.execute(insert(t.job_run), [row])
    refuses(api, t.job_run, id)
    copied(api, t.job_run, id, slot=slot + timedelta(minutes=5))
    copied(api, t.job_run, id, job="relay")
    for _ in range(2):  # a run requested by hand has no slot
        copied(api, t.job_run, id, slot=None)


def test_a_state_that_the_domain_does_not_know_is_refused(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    for table, id in (
        (t.care_case, supported.case),
        (t.planned_service, supported.service),
        (t.referral, referral),
    ):
        with pytest.raises(IntegrityError), api.engine.begin() as connection:
            connection.execute(update(table).where(table.c.id == id).values(status="overdue"))


def test_a_clock_is_not_both_met_and_cancelled(api: Api) -> None:
    late = an_open_request(api)
    both = update(t.deadline).where(t.deadline.c.id == late)
    with pytest.raises(IntegrityError), api.engine.begin() as connection:
        connection.execute(both.values(met_at=api.clock.now, cancelled_at=api.clock.now))


def test_what_refers_to_nothing_is_refused(api: Api) -> None:
    late = an_open_request(api)
    with pytest.raises(IntegrityError):
        copied(api, t.deadline, late, case_id=new_id())
    with pytest.raises(IntegrityError):
        copied(api, t.escalation, steps(api, late)[0].id, deadline_id=new_id())


def test_an_open_case_is_found_before_another_is_opened(api: Api) -> None:
    resident = a_resident(api)
    a_case(api, resident=resident)
    application = {"channel": "self", "applied_on": day_in_seoul(api.clock.now)}
    with pytest.raises(Conflict) as refusal:
        intake.open_case(api.context(WORKER), resident, application, None)
    assert refusal.value.code == "open_case_exists"
    assert count(api, t.care_case) == 1

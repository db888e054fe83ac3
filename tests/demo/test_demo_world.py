"""The demo city is complete, lawful, up to date, and the same for the same seed."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any, TypeVar
from uuid import UUID

import pytest

from casework.adapters import reference
from casework.adapters.calendar import korean_calendar
from casework.demo.accounts import demo_accounts
from casework.demo.directory import agencies
from casework.demo.ids import SeededIds
from casework.demo.world import build_world
from casework.domain.access.policy import SYSTEM_ROLE, Role
from casework.domain.casefile.case import Case, CaseStatus
from casework.domain.casefile.casefile import CaseFile, by_id
from casework.domain.casefile.plan import PlannedService, PlanVersion, ServiceStatus, VersionStatus
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import SEOUL, day_in_seoul
from casework.domain.clocks.deadlines import BREACH, Clockwork, Deadline, Escalation
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import CARE_KINDS, CareField, ClockKind
from casework.domain.events import Event
from casework.domain.residents.resident import Resident

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=SEOUL)  # a Friday
SUNDAY = datetime(2026, 11, 22, 7, 30, tzinfo=SEOUL)
AFTER_CHUSEOK = datetime(2026, 9, 28, 9, 0, tzinfo=SEOUL)
EVERY_DISTRICT_HAS = {
    ClockKind.SURVEY,
    ClockKind.PLAN,
    ClockKind.LINK,
    ClockKind.RESPONSE,
    ClockKind.START,
    ClockKind.DISPOSITION,
}
T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """A built city: the records of each resident, at an instant."""

    now: datetime
    residents: list[list[Any]]
    clockwork: Clockwork

    def all(self, kind: type[T]) -> list[T]:
        return [one for records in self.residents for one in records if isinstance(one, kind)]


@cache
def directory():
    midnight = NOON.replace(hour=0)
    rng = Random(1)
    ids = SeededIds(rng, midnight)
    places = reference.centres(), reference.services(), reference.districts()
    providers, offerings = agencies(*places, ids, midnight, rng)
    accounts = demo_accounts(places[2], places[0], providers, "hash", ids, midnight)
    return providers, offerings, accounts


@cache
def clockwork():
    return Clockwork(SHIPPED, korean_calendar())


def world(now: datetime = NOON, residents: int = 400, seed: int = 7) -> World:
    return built(now, residents, seed)


@cache
def built(now: datetime, residents: int, seed: int) -> World:
    _, offerings, accounts = directory()
    records = build_world(
        seed=seed,
        now=now,
        residents=residents,
        centres=reference.centres(),
        services=reference.services(),
        offerings=offerings,
        accounts=accounts,
        clockwork=clockwork(),
    )
    return World(now, list(records), clockwork())


@pytest.fixture(params=[NOON, SUNDAY, AFTER_CHUSEOK], ids=["friday", "sunday", "after-chuseok"])
def city(request) -> World:
    return world(request.param)


def by_case(referrals: Iterable[Referral]) -> dict[UUID, list[Referral]]:
    found = defaultdict(list)
    for referral in referrals:
        found[referral.case_id].append(referral)
    return found


def test_every_service_has_open_offerings_of_two_agencies_with_a_place_in_every_centre():
    _, offerings, _ = directory()
    covered = Counter(
        (offering.service_code, centre)
        for offering in offerings
        if offering.is_open and offering.available > 0
        for centre in offering.centres
    )
    everywhere = {(s.code, c.code) for s in reference.services() for c in reference.centres()}
    assert set(covered) == everywhere
    assert min(covered.values()) >= 2


def test_some_offerings_are_full_and_some_are_closed():
    _, offerings, _ = directory()
    assert any(one.is_open and one.available == 0 and one.waiting > 0 for one in offerings)
    assert any(not one.is_open for one in offerings)


def test_every_district_has_agencies_in_all_six_fields():
    providers, offerings, _ = directory()
    fields = {service.code: service.field for service in reference.services()}
    districts = {centre.code: centre.district_code for centre in reference.centres()}
    served = {
        (districts[centre], fields[one.service_code]) for one in offerings for centre in one.centres
    }
    assert served == {(d.code, field) for d in reference.districts() for field in CareField}
    sizes = Counter(provider.district_code for provider in providers).values()
    assert min(sizes) >= 8
    assert len({provider.slug for provider in providers}) == len(providers)


def test_the_demo_accounts_have_the_promised_usernames_and_scopes():
    providers, _, accounts = directory()
    known = {account.username: account for account in accounts}
    assert len(known) == len(accounts)
    for centre in reference.centres():
        for name in (f"worker.{centre.code}", f"worker2.{centre.code}"):
            worker = known.pop(name)
            assert (worker.role, worker.centre_code) == (Role.WORKER, centre.code)
            assert worker.district_code == centre.district_code
    for district in reference.districts():
        for name, role in (("supervisor", "supervisor"), ("assessor", "assessor")):
            assert known[f"{name}.{district.code}"].role == role
            assert known.pop(f"{name}.{district.code}").district_code == district.code
        assert known.pop(f"head.{district.code}").is_head
    for provider in providers:
        account = known.pop(f"provider.{provider.slug}")
        assert (account.provider_id, account.is_head) == (provider.id, True)
    assert {(a.username, a.role) for a in known.values()} == {
        (role.value, role.value) for role in (Role.CITY, Role.AUDITOR, Role.ADMIN)
    }


def test_every_state_of_cases_plan_versions_and_referrals_occurs(city):
    assert {case.status for case in city.all(Case)} == set(CaseStatus)
    assert {version.status for version in city.all(PlanVersion)} == set(VersionStatus)
    assert {service.status for service in city.all(PlannedService)} >= {
        ServiceStatus.DRAFTED,
        ServiceStatus.IN_FORCE,
    }
    assert {referral.status for referral in city.all(Referral)} == set(ReferralStatus)


def test_every_way_to_settle_and_to_close_occurs(city):
    settled = {service.settlement for service in city.all(PlannedService)}
    assert settled == {
        None,
        "re_refer",
        "alternative",
        "refused",
        "no_longer_needed",
        "unmet_need",
    }
    closed = {case.closed_reason for case in city.all(Case)} - {None}
    assert closed >= {"death", "long_stay", "needs_no_longer_complex", "refused", "guided"}
    assert {case.route for case in city.all(Case)} == {
        None,
        "guidance",
        "local_survey",
        "nhis_assessment",
    }


def test_some_are_urgent_some_discharged_some_unassigned_and_some_have_no_case(city):
    cases = city.all(Case)
    assert any(case.urgent for case in cases)
    assert any(case.discharge_on for case in cases)
    assert any(case.is_open and case.worker_id is None for case in cases)
    assert len(cases) < len(city.all(Resident)) == len(city.residents)
    assert any(referral.on_behalf for referral in city.all(Referral))
    assert {referral.field for referral in city.all(Referral)} == set(CareField)


@pytest.mark.parametrize("residents", [128, 400])
def test_each_district_has_a_clock_of_each_usual_kind_overdue(residents):
    city = world(residents=residents)
    overdue = defaultdict(set)
    for deadline in city.all(Deadline):
        if deadline.is_overdue(city.now):
            overdue[deadline.district_code].add(deadline.kind)
    assert set(overdue) == {district.code for district in reference.districts()}
    assert all(kinds >= EVERY_DISTRICT_HAS for kinds in overdue.values())
    assert set().union(*overdue.values()) == set(CARE_KINDS) - {ClockKind.PROGRESS}


def test_clocks_are_due_today_and_in_the_coming_week():
    city = world()
    today = day_in_seoul(city.now)
    days = {day_in_seoul(d.due_at) for d in city.all(Deadline) if d.is_running}
    assert today in days
    assert sum(today < day <= today + timedelta(days=7) for day in days) >= 5


def test_a_small_city_is_built_too():
    assert len(world(residents=20).residents) == 20
    assert len({case.status for case in world(residents=20).all(Case)}) > 2


# The invariants of the domain, over the whole city


def test_a_resident_has_one_open_case_at_most_and_a_case_one_version_in_force(city):
    open_cases = Counter(case.resident_id for case in city.all(Case) if case.is_open)
    assert max(open_cases.values()) == 1
    in_force = Counter(
        version.case_id
        for version in city.all(PlanVersion)
        if version.status == VersionStatus.APPROVED
    )
    assert max(in_force.values()) == 1


def test_nothing_is_open_and_no_clock_runs_on_a_closed_case(city):
    closed = {case.id for case in city.all(Case) if not case.is_open}
    assert closed
    assert not [r for r in city.all(Referral) if r.case_id in closed and r.is_open]
    assert not [d for d in city.all(Deadline) if d.case_id in closed and d.is_running]


def test_an_ended_referral_has_no_clock_but_that_of_an_owed_disposition(city):
    referrals = {referral.id: referral for referral in city.all(Referral)}
    for deadline in city.all(Deadline):
        referral = referrals.get(deadline.subject_id)
        if referral is not None and deadline.is_running and not referral.is_open:
            assert deadline.kind == ClockKind.DISPOSITION
            assert referral.owes_disposition


def test_every_unsettled_service_and_every_waiting_referral_has_a_clock(city):
    referrals, clocks = by_case(city.all(Referral)), defaultdict(set)
    for deadline in city.all(Deadline):
        if deadline.is_running:
            clocks[deadline.subject_id].add(deadline.kind)
    open_cases = {case.id: case for case in city.all(Case) if case.is_open}
    for service in city.all(PlannedService):
        if service.case_id in open_cases and service.status == ServiceStatus.IN_FORCE:
            own = [r for r in referrals[service.case_id] if r.planned_service_id == service.id]
            file = CaseFile(case=open_cases[service.case_id], referrals=by_id(own))
            assert _is_covered(file, service, clocks), service
    for referral in city.all(Referral):
        stands = (
            referral.held_from if referral.status == ReferralStatus.ON_HOLD else referral.status
        )
        if stands in (ReferralStatus.REQUESTED, ReferralStatus.WAITLISTED, ReferralStatus.ACCEPTED):
            assert clocks[referral.id], referral


def _is_covered(file, service, clocks) -> bool:
    """By its link clock, by a referral that is out, by an owed disposition, or it is settled."""
    referrals = file.referrals.values()
    out = any(r.is_with_provider for r in referrals)
    owed = any(r.owes_disposition and ClockKind.DISPOSITION in clocks[r.id] for r in referrals)
    settled = file.is_settled(service)
    linking = ClockKind.LINK in clocks[service.id]
    assert not (linking and (settled or out or owed))
    return linking or out or owed or settled


def test_every_due_date_equals_its_recount(city):
    for deadline in city.all(Deadline):
        assert deadline.due_at == city.clockwork.count(deadline), deadline


# The world is up to date


def test_at_now_no_step_is_due_and_unraised_and_none_is_raised_too_early(city):
    for step in city.all(Escalation):
        assert (step.raised_at is not None) == (step.at <= city.now), step
        assert step.raised_at is None or step.at <= step.raised_at <= city.now


def test_every_running_clock_has_its_steps_and_no_other_has_steps_to_come(city):
    planned = {(s.deadline_id, s.tier, s.due_at): s for s in city.all(Escalation)}
    assert len(planned) == len(city.all(Escalation))
    running = {d.id: d for d in city.all(Deadline) if d.is_running}
    for deadline in running.values():
        for step in deadline.planned or ():
            row = planned[deadline.id, step.tier, step.due_at]
            assert row.raised_at or row.at == step.at  # a raised one keeps the instant it had
    assert all(s.deadline_id in running for s in planned.values() if s.raised_at is None)


def test_a_clock_is_breached_exactly_where_it_ran_past_its_due_date(city):
    breached = {s.deadline_id for s in city.all(Escalation) if s.raised_at and s.tier >= BREACH}
    for deadline in city.all(Deadline):
        assert (deadline.breached_at is not None) == (deadline.id in breached), deadline
        ended = deadline.met_at or deadline.cancelled_at
        if ended is not None and not deadline.pauses and not deadline.extensions:
            assert (ended > deadline.due_at) == (deadline.breached_at is not None), deadline
        elif deadline.is_overdue(city.now):
            assert deadline.breached_at is not None


def test_every_raised_step_has_its_event(city):
    raised = {step.id for step in city.all(Escalation) if step.raised_at}
    assert {e.id for e in city.all(Event) if e.name == "EscalationRaised"} == raised


def test_no_lapse_and_no_resumption_is_left_to_do(city):
    for referral in city.all(Referral):
        assert referral.lapse_at is None or referral.lapse_at > city.now
        assert referral.resume_at is None or referral.resume_at > city.now
    names = {event.name for event in city.all(Event) if event.by_role == SYSTEM_ROLE}
    assert {"ReferralLapsed", "ReferralResumed"} <= names


# What people did is plausible


def test_people_act_in_office_hours_on_working_days_before_today(city):
    calendar = city.clockwork.calendar_of(None)
    for event in city.all(Event):
        if event.by_id is not None:
            at = event.at.astimezone(SEOUL)
            assert calendar.is_working(at.date()), event
            assert 9 <= at.hour < 18, event
            assert at.date() < day_in_seoul(city.now), event


def test_ids_are_unique_uuids_of_version_7_in_the_order_of_events(city):
    for records in city.residents:
        events = [e for e in records if isinstance(e, Event) and e.name != "EscalationRaised"]
        assert [e.id for e in events] == sorted(e.id for e in events)
        assert [e.at for e in events] == sorted(e.at for e in events)
    ids = [event.id for event in city.all(Event)] + [r.id for r in city.all(Resident)]
    assert len(set(ids)) == len(ids)
    assert {id.version for id in ids} == {7}


def test_events_carry_nothing_that_names_a_resident(city):
    for records in city.residents:
        resident = next(one for one in records if isinstance(one, Resident))
        told = " ".join(str(one.data) for one in records if isinstance(one, Event))
        assert resident.name not in told
        assert str(resident.phone) not in told
        assert str(resident.address) not in told


# The same seed


def test_the_same_seed_at_the_same_instant_gives_the_same_city():
    once, again = world(residents=128), built.__wrapped__(NOON, 128, 7)
    assert once.residents == again.residents


def test_another_seed_gives_another_city():
    assert world(residents=20).residents != world(residents=20, seed=8).residents


def test_later_on_the_same_day_only_what_was_raised_by_then_differs():
    morning, evening = world(NOON.replace(hour=1), 128), world(NOON.replace(hour=23), 128)
    assert _without_raising(morning) == _without_raising(evening)
    assert sum(s.raised_at is not None for s in morning.all(Escalation)) < sum(
        s.raised_at is not None for s in evening.all(Escalation)
    )


def _without_raising(city: World) -> list[str]:
    kept = []
    for records in city.residents:
        for one in records:
            if isinstance(one, Escalation):
                kept.append(f"{one.id} {one.deadline_id} {one.tier} {one.at}")
            elif isinstance(one, Deadline):
                kept.append(f"{one.id} {one.kind} {one.due_at} {one.met_at} {one.cancelled_at}")
            elif not (isinstance(one, Event) and one.name == "EscalationRaised"):
                kept.append(repr(one))
    return kept

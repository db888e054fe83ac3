"""The invariants of the model, checked over everything in a small database.

The numbers are those of the invariants of the model: 1 one open case, 2 nothing runs on what has
ended, 3 nothing waits without a clock, 4 due dates equal an independent count, 5 a step is raised
once, 6 the events tell the present, and what a sweep leaves behind.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Engine, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.rows.mapper import from_row
from casework.domain.clocks.calendar import Target, Unit, day_in_seoul, end_of, midnight
from casework.domain.clocks.deadlines import Clockwork, Deadline
from casework.domain.events import ClockFacts, Event
from tests.domain.counting import hours_later, last_day
from tests.proofs._folding import fold

SECOND = timedelta(seconds=1)
OPEN = {"draft", "requested", "waitlisted", "accepted", "in_progress", "on_hold"}
HOLDING = {"accepted", "in_progress", "on_hold"}
WAITS_FOR = {"requested": "response", "waitlisted": "waitlist", "accepted": "start"}
LAPSES_AFTER = {"response": 10, "waitlist": 30}
LAW = {"first_check": Target(3, Unit.MONTHS), "check": Target(6, Unit.MONTHS)}
# Of an agency's places, those that no referral holds and that are not available either.
SERVED_BESIDES = 15
READ = {
    "cases": t.care_case,
    "versions": t.plan_version,
    "services": t.planned_service,
    "referrals": t.referral,
    "clocks": t.deadline,
    "steps": t.escalation,
    "events": t.event,
    "signals": t.signal,
    "residents": t.resident,
    "offerings": t.offering,
    "notes": t.note,
    "consents": t.consent,
    "absences": t.absence,
    "merges": t.resident_merge,
    "corrections": t.correction,
}
QUERIES = {name: select(table).order_by(table.c.id) for name, table in READ.items()}
# Of accounts, what changes in a story.
QUERIES["accounts"] = select(*t.account.c["id", "username", "is_active"]).order_by(t.account.c.id)
Rows = dict[Any, Any]
Edges = tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True)
class State:
    """Every row by id, in the order of writing."""

    cases: Rows
    versions: Rows
    services: Rows
    referrals: Rows
    clocks: Rows
    steps: Rows
    events: Rows
    signals: Rows
    residents: Rows
    offerings: Rows
    notes: Rows
    consents: Rows
    absences: Rows
    accounts: Rows
    merges: Rows
    corrections: Rows

    def running(self, subject: Any = None) -> list[Any]:
        """The running clocks, of one subject or all."""
        return [
            clock
            for clock in self.clocks.values()
            if clock.met_at is None and clock.cancelled_at is None
            if subject in (None, clock.subject_id)
        ]

    def of(self, kind: str, case: Any) -> list[Any]:
        """The rows of one case."""
        return [row for row in getattr(self, kind).values() if row.case_id == case.id]

    def deadlines(self) -> list[Deadline]:
        """The clocks as the domain knows them."""
        return [from_row(Deadline, row) for row in self.clocks.values()]


def read(engine: Engine) -> State:
    """What the database holds now."""
    with engine.connect() as connection:
        found = {
            name: {row.id: row for row in connection.execute(query)}
            for name, query in QUERIES.items()
        }
        connection.rollback()
    return State(**found)


def broken(state: State, clockwork: Clockwork) -> list[str]:
    """Every invariant that does not hold, in words."""
    checks = (
        one_of_each, nothing_runs_on, nothing_waits_unseen, well_counted, told_once, folded,
        places_add_up,
    )  # fmt: skip
    return [fault for check in checks for fault in check(state, clockwork)]


def one_of_each(state: State, _clockwork: Clockwork) -> Iterator[str]:
    """Invariant 1, and rule 2 of a referral."""
    cases = Counter(case.resident_id for case in state.cases.values() if case.status != "closed")
    yield from (f"1: {n} open cases of resident {id}" for id, n in cases.items() if n > 1)
    force = Counter(v.case_id for v in state.versions.values() if v.status == "approved")
    yield from (f"1: {n} versions in force of case {id}" for id, n in force.items() if n > 1)
    asked = Counter(
        (r.planned_service_id, r.provider_id) for r in state.referrals.values() if r.status in OPEN
    )
    yield from (f"rule 2: {n} open referrals of {pair}" for pair, n in asked.items() if n > 1)


def nothing_runs_on(state: State, _clockwork: Clockwork) -> Iterator[str]:
    """Invariant 2."""
    for referral in state.referrals.values():
        closed = state.cases[referral.case_id].status == "closed"
        if closed and referral.status in OPEN:
            yield f"2: referral {referral.id} is {referral.status} on a closed case"
    for clock in state.running():
        name = f"{clock.kind} {clock.id}"
        if state.cases[clock.case_id].status == "closed":
            yield f"2: {name} runs on a closed case"
        if clock.subject_type == "referral":
            referral = state.referrals[clock.subject_id]
            owed = owes(referral)
            if referral.status not in OPEN and not (owed and clock.kind == "disposition"):
                yield f"2: {name} runs on a referral that is {referral.status}"
        if clock.kind == "link" and is_settled(state, state.services[clock.subject_id]):
            yield f"2: {name} runs on a settled service"
    for signal in state.signals.values():
        clock = state.clocks.get(signal.deadline_id)
        if signal.answered_at and clock and not (clock.met_at or clock.cancelled_at):
            yield f"2: a clock runs on signal {signal.id}, which was answered"


def is_settled(state: State, service: Any) -> bool:
    """Rule 9, implemented a second time: the facts in their order, of which the last counts."""
    mine = [r for r in state.referrals.values() if r.planned_service_id == service.id]
    if any(r.status in OPEN or owes(r) for r in mine):
        return False
    true = [r for r in mine if r.requested_at and r.status != "entered_in_error"]
    facts = [(r.requested_at, 0) for r in true]
    facts += [(r.ended_at, 1) for r in true if r.status == "completed" and _served(r, service)]
    if service.settlement not in (None, "re_refer"):
        facts.append((service.settled_at, 1))
    return bool(facts) and max(facts)[1] == 1


def _served(referral: Any, service: Any) -> bool:
    in_full = referral.outcome == "ended_as_planned" or referral.ended_on >= service.ends_on
    return in_full and not referral.ended_by_closing


def owes(referral: Any) -> bool:
    """Whether somebody must say what happens instead."""
    return bool(referral.disposition_owed and referral.disposed_at is None)


def nothing_waits_unseen(state: State, _clockwork: Clockwork) -> Iterator[str]:
    """Invariant 3, for what is in force or waits for an answer."""
    for case in state.cases.values():
        if case.status == "closed":
            continue
        kinds = {clock.kind for clock in state.running(case.id)}
        if case.status == "supported" and not kinds & {"first_check", "check"}:
            yield f"3: supported case {case.id} has no check to come"
        for service in state.of("services", case):
            drafted = service.status == "drafted" and case.urgent
            if service.status == "in_force" or drafted:
                yield from _unseen(state, service)
    for referral in state.referrals.values():
        yield from _without_clock(state, referral)


def _unseen(state: State, service: Any) -> Iterator[str]:
    """A wanted service is settled, or is being given, or a clock runs for it."""
    mine = [r for r in state.referrals.values() if r.planned_service_id == service.id]
    is_given = any(
        r.status == "in_progress" or (r.status == "on_hold" and r.held_from == "in_progress")
        for r in mine
    )
    clocks = [clock for id in (service.id, *(r.id for r in mine)) for clock in state.running(id)]
    if not (clocks or is_given or is_settled(state, service)):
        yield f"3: service {service.id} is neither settled nor given, and no clock says so"


def _without_clock(state: State, referral: Any) -> Iterator[str]:
    if state.cases[referral.case_id].status == "closed":
        return
    status = referral.held_from if referral.status == "on_hold" else referral.status
    owed = owes(referral)
    expected = "disposition" if owed else WAITS_FOR.get(status)
    kinds = [clock.kind for clock in state.running(referral.id)]
    if kinds != ([expected] if expected else []):
        yield f"3: referral {referral.id} is {referral.status} with the clocks {kinds}"
    if referral.status == "on_hold" and not (referral.hold_until and referral.resume_at):
        yield f"3: referral {referral.id} is held without a last day"
    if (referral.lapse_at is not None) != (referral.status in ("requested", "waitlisted")):
        yield f"3: referral {referral.id} is {referral.status} and lapses at {referral.lapse_at}"


def well_counted(state: State, clockwork: Clockwork) -> Iterator[str]:
    """Invariant 4: stored equals recomputed, and equals an independent count."""
    for clock in state.deadlines():
        name = f"{clock.kind} {clock.id}"
        if clock.due_at != clockwork.count(clock):
            yield f"4: {name} is stored as due {clock.due_at}, counted {clockwork.count(clock)}"
        if clock.extended_until is None and clock.due_at != counted_by_hand(clock):
            yield f"4: {name} is due {clock.due_at}, by hand {counted_by_hand(clock)}"
        ends = [pause.ends_at for pause in clock.pauses]
        if clock.paused_until != (max(ends) if ends else None):
            yield f"4: {name} is paused until {clock.paused_until}, its pauses end {ends}"
        if clock.is_running and clock.kind in LAPSES_AFTER:
            referral = state.referrals[clock.subject_id]
            by_hand = lapse_by_hand(clock, referral)
            if referral.lapse_at != by_hand:
                yield f"4: {name} lapses at {referral.lapse_at}, by hand {by_hand}"


def counted_by_hand(clock: Deadline) -> datetime:
    """The due date, counted day by day."""
    edges = tuple((pause.began_at, pause.ends_at) for pause in clock.pauses)
    return due_by_hand(clock.kind, clock.started_at, clock.target, edges)


def due_by_hand(kind: str, started_at: datetime, target: Target, edges: Edges) -> datetime:
    """The due date of what counts from an instant and rests between some."""
    out = frozenset(day for began, ends in edges for day in days_between(began, ends))
    due = _due(started_at, target, out, edges)
    if kind in LAW:
        due = min(due, _due(started_at, LAW[kind], frozenset(), ()))
    return due


def days_between(began: datetime, ends: datetime) -> Iterator[date]:
    """The days left out by a pause: from its first to the one before the resumption."""
    day, end = day_in_seoul(began), day_in_seoul(ends)
    while day < end:
        yield day
        day += timedelta(days=1)


def lapse_by_hand(clock: Deadline, referral: Any) -> datetime:
    """When a request lapses: that many working days later, and never before it is due.

    What was recorded after its day is waited for from the recording.
    """
    out = frozenset(day for pause in clock.pauses for day in pause.days())
    waitlisted = referral.status == "waitlisted"
    recorded_at = referral.answered_at if waitlisted else referral.requested_at
    asked = day_in_seoul(max(clock.started_at, recorded_at, referral.created_at))
    last = last_day(asked, LAPSES_AFTER[clock.kind], "working_days", out)
    return max(end_of(last), clock.due_at) + SECOND


@cache
def _due(started_at: datetime, target: Target, out: frozenset[Any], edges: Any) -> datetime:
    if target.unit == "hours":
        return hours_later(started_at, target.amount, list(edges))
    if target.unit == "on_date":
        return midnight(date.fromordinal(target.amount)) + timedelta(days=1) - SECOND
    return end_of(last_day(day_in_seoul(started_at), target.amount, target.unit, out))


def told_once(state: State, clockwork: Clockwork) -> Iterator[str]:
    """Invariant 5: one row and one notice a step; what is planned is what the domain plans."""
    rows = Counter((s.deadline_id, s.tier, s.due_at) for s in state.steps.values())
    yield from (f"5: step {key} stands {n} times in the ledger" for key, n in rows.items() if n > 1)
    told = Counter(
        (event.subject_id, event.data["tier"])
        for event in state.events.values()
        if event.name == "EscalationRaised"
    )
    raised = Counter(
        (step.deadline_id, step.tier)
        for step in state.steps.values()
        if step.raised_at and not step.passed_over and not step.quiet
    )
    for key in told.keys() | raised.keys():
        if told[key] != raised[key]:
            yield f"5: step {key} was raised {raised[key]} times and told {told[key]} times"
    ledger: dict[Any, dict[Any, Any]] = defaultdict(dict)
    for step in state.steps.values():
        ledger[step.deadline_id][step.tier, step.due_at] = step
    for clock in state.deadlines():
        yield from _planned(clock, ledger[clock.id], clockwork)


def _planned(clock: Deadline, ledger: dict[Any, Any], clockwork: Clockwork) -> Iterator[str]:
    expected = {(step.tier, step.due_at): step.at for step in clockwork.steps(clock)}
    waiting = {key: step.at for key, step in ledger.items() if step.raised_at is None}
    for key in expected.keys() - ledger.keys():
        yield f"5: step {key} of {clock.kind} {clock.id} is nowhere planned"
    for key, at in waiting.items():
        if expected.get(key) != at:
            yield f"5: step {key} of {clock.kind} {clock.id} waits until {at}, not {expected}"


def folded(state: State, _clockwork: Clockwork) -> Iterator[str]:
    """Invariant 6: the events alone give status, holder, centre, worker and clocks."""
    told = fold(from_row(Event, row) for row in state.events.values())
    for thing in (*state.cases.values(), *state.referrals.values()):
        if told.status.get(thing.id) != thing.status:
            yield f"6: {thing.id} is {thing.status}, its events say {told.status.get(thing.id)}"
    for case in state.cases.values():
        said = told.centres[case.resident_id], told.workers[case.id]
        if told.owners[case.id] != case.resident_id:
            owner = told.owners[case.id]
            yield f"6: case {case.id} is of {case.resident_id}, its events say {owner}"
        if said != (case.centre_code, case.worker_id):
            where = f"{case.centre_code}, {case.worker_id}"
            yield f"6: case {case.id} is of {where}; its events say {said}"
    for clock in state.clocks.values():
        yield from _as_told(clock, told.clocks.get(clock.id))


def _as_told(clock: Any, facts: ClockFacts | None) -> Iterator[str]:
    if facts is None:
        yield f"6: no event tells of {clock.kind} {clock.id}"
        return
    for name in ("due_at", "met_at", "cancelled_at", "paused_until", "held_by"):
        told, stands = getattr(facts, name), getattr(clock, name)
        if told != stands:
            yield f"6: {name} of {clock.kind} is {stands}, the events say {told}"


def places_add_up(state: State, _clockwork: Clockwork) -> Iterator[str]:
    """Of each offering as many places are held, and as many wait, as referrals say."""
    held = Counter(r.offering_id for r in state.referrals.values() if r.status in HOLDING)
    waits = Counter(r.offering_id for r in state.referrals.values() if r.status == "waitlisted")
    for row in state.offerings.values():
        said, counted = (row.held, row.waitlisted), (held[row.id], waits[row.id])
        if said != counted:
            yield f"places: {said} held and waiting, counted {counted}"
        # The agencies of these worlds serve nobody else, except those there from the start.
        if row.capacity - row.available - row.held != SERVED_BESIDES:
            yield f"places: of {row.capacity} {row.available} are free and {row.held} held"
        if row.for_waiting > min(row.available, row.waitlisted):
            yield f"places: {row.for_waiting} for {row.waitlisted}, and {row.available} are free"


def left_by_sweep(state: State, now: datetime) -> list[str]:
    """What a finished sweep has left undone: steps, breaches, lapses and holds."""
    late = [s for s in state.steps.values() if s.raised_at is None and s.at <= now]
    found = [f"5: step {step.tier} of {step.deadline_id} was due {step.at}" for step in late]
    for clock in state.deadlines():
        overdue = clock.is_overdue(now - SECOND) and not clock.excused
        if overdue and clock.breached_at is None:
            found.append(f"5: {clock.kind} {clock.id} is overdue, and nobody wrote it down")
    found += [
        f"sweep: referral {row.id} is still {row.status}"
        for row in state.referrals.values()
        if (row.lapse_at and row.lapse_at <= now) or (row.resume_at and row.resume_at <= now)
    ]
    held = [case for case in state.cases.values() if case.resume_at and case.resume_at <= now]
    return found + [f"sweep: case {case.id} is still held" for case in held]

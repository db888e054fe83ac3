"""One resident's history: acts are scheduled on past working days, then run in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from casework.demo.city import MAX_HISTORY, City
from casework.demo.ids import SeededIds
from casework.demo.ledger import Ledger
from casework.demo.people import Person
from casework.domain.access.policy import SYSTEM, Actor
from casework.domain.act import Act
from casework.domain.casefile.case import Channel
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import Conference, PlannedService
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import SEOUL, day_in_seoul, midnight
from casework.domain.directory.directory import Centre, Offering
from casework.domain.directory.eligibility import facts_of, judge, snapshot
from casework.domain.events import Event, EventMetadata
from casework.domain.referring import referring
from casework.domain.residents.resident import Consent, ConsentPurpose

OFFICE_OPENS: Final = time(9, 0)
FIRST_ACT_WITHIN: Final = 180  # minutes after opening
LATE: Final = 0.1  # how often people take longer than their target
# Working days that people take: from, to (the target of the clock); then the same when urgent.
PACE: Final = {
    "survey": ((1, 5), (0, 1)),
    "assessment": ((3, 10), (1, 2)),
    "draft": ((1, 4), (0, 1)),
    "submit": ((0, 1), (0, 1)),
    "decision": ((1, 5), (0, 1)),
    "notify_plan": ((0, 5), (0, 5)),
    "link": ((0, 3), (0, 1)),
    "response": ((0, 3), (0, 1)),
    "waitlist": ((3, 10), (1, 2)),
    "start": ((2, 10), (1, 2)),
    "disposition": ((0, 3), (0, 1)),
    "signal": ((0, 1), (0, 0)),
    "report": ((10, 22), (5, 10)),
}
StoryStep = Callable[..., None]


@dataclass(slots=True)
class Slot:
    """A planned service on its way: what it is, and the agencies asked so far."""

    code: str
    service_id: UUID | None = None
    latest: Referral | None = None
    requested: list[UUID] = field(default_factory=list)

    @property
    def referral(self) -> Referral:
        """The latest referral; LookupError where nobody was asked yet."""
        if self.latest is None:
            raise LookupError(f"nobody was asked for {self.code}")
        return self.latest


class Story:
    """The history of one resident, with or without a case."""

    def __init__(self, city: City, centre: Centre, rng: Random) -> None:
        self.city, self.centre, self.rng = city, centre, rng
        self.days = city.working_days(centre.district_code)
        first_moment = datetime.combine(self.days[MAX_HISTORY], OFFICE_OPENS, SEOUL)
        self.ids = SeededIds(rng, first_moment)
        self.ledger = Ledger(self.ids)
        self.moment = first_moment
        workforce = city.workforce
        self.worker = rng.choice(workforce.workers[centre.code])
        self.supervisor = workforce.supervisors[centre.district_code]
        self.assessor = workforce.assessors[centre.district_code]
        self.urgent = rng.random() < 0.1
        self.channel = Channel.SELF
        self.unassigned = False
        self.discharge_on: date | None = None
        self.by_consent = rng.random() < 0.4
        self.slots: list[Slot] = []
        self.conferences: list[Conference] = []
        self.events: list[Event] = []
        self._beats: list[tuple[int, int, StoryStep, tuple[Any, ...]]] = []
        self._laid = 0
        self._person: Person | None = None
        self._file: CaseFile | None = None

    # Scheduling acts

    def at(self, age: int, step_function: StoryStep, *args: Any) -> None:
        """Schedule an act so many working days ago, after the acts already on that day."""
        if age > 0:
            self._laid += 1
            self._beats.append((-age, self._laid, step_function, args))

    def then(self, age: int, gap: int, step_function: StoryStep, *args: Any) -> int:
        """Schedule an act ``gap`` working days after ``age``; 0 where that is not yet past."""
        later = max(0, age - gap)
        self.at(later, step_function, *args)
        return later

    def forget_after(self, age: int) -> None:
        """Drop the acts scheduled for the days after that one."""
        self._beats = [step_function for step_function in self._beats if -step_function[0] >= age]

    def gap(self, step: str) -> int:
        """How many working days a step takes someone, mostly within its target."""
        low, high = PACE[step][self.urgent]
        if not self.urgent and self.rng.random() < LATE:
            return high + self.rng.randint(1, 3)
        return self.rng.randint(low, high)

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.rng.randint(low, high)

    def chance(self, share: float) -> bool:
        """True with that probability."""
        return self.rng.random() < share

    # What the acts need

    @property
    def person(self) -> Person:
        """The resident with contacts, consents and notes."""
        if self._person is None:
            raise LookupError("a history starts with registering")
        return self._person

    @person.setter
    def person(self, person: Person) -> None:
        self._person = person

    @property
    def file(self) -> CaseFile:
        """The case file."""
        if self._file is None:
            raise LookupError("there is no case yet")
        return self._file

    @file.setter
    def file(self, file: CaseFile) -> None:
        self._file = file

    @property
    def today(self) -> date:
        """The day of the present act."""
        return day_in_seoul(self.moment)

    def act(self, by: Actor) -> Act:
        """The present act by someone."""
        return Act(by=by, at=self.moment, new_id=self.ids, clockwork=self.city.clockwork)

    def day(self, age: int) -> date:
        """The day so many working days ago."""
        return self.days[age]

    def service_of(self, slot: Slot) -> PlannedService:
        """The planned service of a slot that was drafted."""
        if slot.service_id is None:
            raise LookupError(f"{slot.code} was not planned yet")
        return self.file.service(slot.service_id)

    def meta(self, act: Act) -> EventMetadata:
        """What an event says of an act on the resident, who may have no case."""
        id = self.person.resident.id
        return EventMetadata.of(act, id, resident_id=id)

    def offering_for(self, slot: Slot) -> Offering:
        """An agency that has not been asked for this service yet, if there is one."""
        offers = self.city.open_offerings[slot.code, self.centre.code]
        fresh = [offer for offer in offers if offer.provider_id not in slot.requested]
        offering = self.rng.choice(fresh or offers)
        slot.requested.append(offering.provider_id)
        return offering

    @property
    def sharing(self) -> Consent | None:
        """The consent to share with providers, where the history rests on one that is valid."""
        consent = self.person.consents.get(ConsentPurpose.PROVIDER_SHARING)
        return consent if consent is not None and consent.is_valid(self.today) else None

    # Running

    def tell(self) -> list[Any]:
        """Run every act in order, up to now; returns the records, parents first."""
        for age, _, step_function, args in sorted(self._beats, key=lambda b: b[:2]):
            if self._file is not None and not self._file.case.is_open:
                break
            self._pass_time_until(self._next_moment(self.days[-age]))
            step_function(self, *args)
        self._come_to_now()
        return self._records()

    def _next_moment(self, day: date) -> datetime:
        """Some hours into a new day, some minutes after the act before on the same one."""
        opens = datetime.combine(day, OFFICE_OPENS, SEOUL)
        if self.moment >= opens:
            return self.moment + timedelta(minutes=self.between(4, 25))
        return opens + timedelta(minutes=self.between(1, FIRST_ACT_WITHIN))

    def _pass_time_until(self, until: datetime) -> None:
        """Apply what the sweep would do: requests lapse, holds expire, steps are raised."""
        if self._file is not None:
            self._move_by_itself(self._file, until)
            self.ledger.catch_up(self._file.deadlines.values(), until)
        self._set_time(until)

    def _come_to_now(self) -> None:
        """The same up to now, with ids that depend on the day only, not on the hour."""
        if self._file is not None:
            self._move_by_itself(self._file, midnight(self.city.today))
            clocks = self._file.deadlines.values()
            self.ledger.plan(clocks)
            self.ledger.catch_up(clocks, self.city.now)

    def _move_by_itself(self, file: CaseFile, until: datetime) -> None:
        while due := _first_by_itself(file, until):
            at, referral = due
            self.ledger.catch_up(file.deadlines.values(), at)
            self._set_time(at)
            if referral.status == ReferralStatus.ON_HOLD:
                referring.resume_after_hold(file, referral, self.act(SYSTEM))
            else:
                nothing = referring.Details()
                referring.move(file, referral, "lapse", nothing, self.act(SYSTEM))

    def _set_time(self, at: datetime) -> None:
        self.moment = at
        self.ids.set_time(at)

    def _records(self) -> list[Any]:
        person = self.person
        records: list[Any] = [*self.conferences, person.resident, *person.contacts]
        records += [*person.consents.values(), *person.notes]
        if self._file is not None:
            file = self._file
            for referral in file.referrals.values():
                self._judge(referral)
            records += [file.case, *file.versions, *file.services.values()]
            records += [*file.referrals.values(), *file.deadlines.values()]
            records += [*file.signals.values(), *file.added, *self.ledger.rows()]
            self.events += [*file.events, *self.ledger.events(file.deadlines)]
        return records + sorted(self.events, key=lambda event: (event.at, event.id))

    def _judge(self, referral: Referral) -> None:
        """Whom the service is meant for, judged as on the day on which the referral was made."""
        day = day_in_seoul(referral.created_at)
        rules = self.city.catalogue[referral.service_code].eligibility
        referral.judged = snapshot(judge(rules, facts_of(self.person.resident, day)), day)


def _first_by_itself(file: CaseFile, until: datetime) -> tuple[datetime, Referral] | None:
    """The first lapse or end of a hold by then; of several at once, lapses come first."""
    due = [
        (at, referral.status == ReferralStatus.ON_HOLD, n, referral)
        for n, referral in enumerate(file.referrals.values())
        if (at := referral.lapse_at or referral.resume_at) is not None and at <= until
    ]
    if not due:
        return None
    at, _, _, referral = min(due, key=lambda one: one[:3])
    return at, referral

"""What all the histories share: the day, the people, the directory, and the rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.access.policy import Actor, Role
from casework.domain.casefile.plan import Conference
from casework.domain.clocks.calendar import WorkingCalendar, day_in_seoul
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.directory.directory import Centre, Offering, Service

MAX_HISTORY: Final = 420  # working days


@dataclass(slots=True, kw_only=True)
class Workforce:
    """Who acts in the city: by centre, by district, by agency."""

    workers: dict[str, list[Actor]] = field(default_factory=dict)
    supervisors: dict[str, Actor] = field(default_factory=dict)
    assessors: dict[str, Actor] = field(default_factory=dict)
    providers: dict[UUID, Actor] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class City:
    """The city on one day. ``market`` lists the open offerings of a service in a centre."""

    now: datetime
    clockwork: Clockwork
    catalogue: dict[str, Service]
    workforce: Workforce
    open_offerings: dict[tuple[str, str], list[Offering]]
    conferences: dict[tuple[str, date], Conference] = field(default_factory=dict)
    _days: dict[int, list[date]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The day of the city's ``now`` in Seoul."""
        return day_in_seoul(self.now)

    def working_days(self, district_code: str) -> list[date]:
        """Today, and from index 1 the working days before it, newest first."""
        calendar = self.clockwork.calendar_of(district_code)
        if id(calendar) not in self._days:
            self._days[id(calendar)] = _newest_first(calendar, self.today)
        return self._days[id(calendar)]


def city_on(
    now: datetime,
    services: Iterable[Service],
    offerings: Iterable[Offering],
    accounts: Iterable[Account],
    clockwork: Clockwork,
) -> City:
    """The city as it is on the day of ``now``, before anyone has a history."""
    return City(
        now=now,
        clockwork=clockwork,
        catalogue={service.code: service for service in services},
        workforce=_workforce(accounts),
        open_offerings=_open_offerings(offerings),
    )


def by_district(centres: Sequence[Centre]) -> dict[str, list[Centre]]:
    """The centres of each district, both in the order of their codes."""
    found: dict[str, list[Centre]] = {}
    for centre in sorted(centres, key=lambda c: (c.district_code, c.code)):
        found.setdefault(centre.district_code, []).append(centre)
    return found


def _workforce(accounts: Iterable[Account]) -> Workforce:
    workforce = Workforce()
    for account in accounts:
        actor = account.actor()
        match Role(account.role):
            case Role.WORKER if account.centre_code:
                workforce.workers.setdefault(account.centre_code, []).append(actor)
            case Role.SUPERVISOR if account.district_code and not account.is_head:
                workforce.supervisors[account.district_code] = actor
            case Role.ASSESSOR if account.district_code:
                workforce.assessors[account.district_code] = actor
            case Role.PROVIDER if account.provider_id:
                workforce.providers[account.provider_id] = actor
    return workforce


def _open_offerings(offerings: Iterable[Offering]) -> dict[tuple[str, str], list[Offering]]:
    open_offerings: dict[tuple[str, str], list[Offering]] = {}
    for offering in offerings:
        if offering.is_open and offering.available:
            for centre_code in offering.centres:
                open_offerings.setdefault((offering.service_code, centre_code), []).append(offering)
    return open_offerings


def _newest_first(calendar: WorkingCalendar, today: date) -> list[date]:
    days = [today]
    while len(days) <= MAX_HISTORY:
        days.append(calendar.step(days[-1], -1))
    return days

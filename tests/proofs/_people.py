"""The people of the model: residents with consents and promises, and who is there for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

DAY = timedelta(days=1)


@dataclass
class ModelConsent:
    """What a resident agreed to; a merge moves it."""

    id: UUID
    resident: UUID
    given_on: date
    expires_on: date | None = None
    is_withdrawn: bool = False

    def is_valid(self, on: date) -> bool:
        """Whether something may rest on it."""
        ends = self.expires_on or date.max
        return not self.is_withdrawn and self.given_on <= on <= ends


@dataclass
class ModelResident:
    """One record of a person: where it is, and whether it turned out to be another's."""

    id: UUID
    centre: str
    died_on: date | None = None
    merged_into: UUID | None = None


@dataclass
class ModelNote:
    """A promise to come back, until it is answered."""

    id: UUID
    resident: UUID
    writer: str
    is_answered: bool = False


@dataclass
class ModelAbsence:
    """Days on which somebody is away, and who deputises."""

    id: UUID
    who: str
    from_on: date
    to_on: date
    deputy: str
    ended_on: date | None = None

    @property
    def last_on(self) -> date:
        """The last day away."""
        return min(self.to_on, self.ended_on or self.to_on)

    def days(self) -> Iterator[date]:
        """Each day away."""
        day = self.from_on
        while day <= self.last_on:
            yield day
            day += DAY

    def is_over(self, today: date) -> bool:
        """Whether nothing rests on it any more."""
        return self.last_on < today


@dataclass
class ModelStaff:
    """Who is there: those whose account is enabled, and who are not away."""

    places: dict[str, str]
    disabled: set[str] = field(default_factory=set)
    absences: list[ModelAbsence] = field(default_factory=list)

    def is_active(self, who: str) -> bool:
        """Whether this one can sign in."""
        return who not in self.disabled

    def active_at(self, place: str) -> list[str]:
        """Who can sign in at a centre, or of a district."""
        return [who for who, where in self.places.items() if where == place and self.is_active(who)]

    def deputies(self, on: date, besides: ModelAbsence | None = None) -> dict[str, str]:
        """Who deputises for whom on a day."""
        stand = [one for one in self.absences if besides is None or one.id != besides.id]
        return {one.who: one.deputy for one in stand if one.from_on <= on <= one.last_on}

    def acting_for(self, who: str, on: date) -> str | None:
        """Who has somebody's work on a day; None where the chain ends in nobody."""
        deputies, passed = self.deputies(on), set()
        while who in deputies:
            if who in passed:
                return None
            passed.add(who)
            who = deputies[who]
        return who if self.is_active(who) else None

    def there(self, place: str, on: date) -> list[str]:
        """Who is at a centre, or of a district, on a day."""
        away = self.deputies(on)
        return [who for who in self.active_at(place) if who not in away]

    def may_be_away(self, one: ModelAbsence, today: date) -> bool:
        """Whether an absence can be: its days, and no work that goes round in a circle."""
        a_year = one.from_on.replace(year=one.from_on.year + 1)
        if one.deputy == one.who or not max(one.from_on, today) <= one.to_on < a_year:
            return False
        if one.from_on >= today.replace(year=today.year + 1):
            return False
        if self.places[one.deputy] != self.places[one.who]:
            return False
        for day in one.days():
            away = self.deputies(day, one)
            who: str | None = one.deputy
            while who in away and who != one.who:
                who = away[who]
            if who == one.who or one.who in away:
                return False
        return True

"""Seats of a body: who sits in it, by what, and from when until when.

The names are those of office-holders. Some years after a seat ended its name is no longer shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from casework.domain.act import Act
from casework.domain.clocks.calendar import months_after
from casework.domain.errors import Conflict, Invalid, NotAllowedInState, require
from casework.domain.programme.bodies import Body, check_no_number, check_not_too_far
from casework.domain.programme.kinds import SeatedBy, SeatPart, Source
from casework.domain.programme.rules import RuleName

MAX_AT_ONCE: Final = 60
# So long before it ends it is shown that a seat is about to end.
ENDS_SOON: Final = timedelta(days=60)
ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A seat of a body: somebody from an agency, or an office, with or without an account."""

    id: UUID
    body_id: UUID
    # Its body's: ``city``, or the code of a district.
    area: str
    name: str
    agency: str
    part: SeatPart
    seated_by: SeatedBy
    begins_on: date
    ends_on: date | None = None
    account_id: UUID | None = None
    source: Source = Source.ENTERED

    def is_in_force(self, on: date) -> bool:
        """Whether it is held on a day; on its last day it is."""
        return self.begins_on <= on and (self.ends_on is None or on <= self.ends_on)

    def ends_soon(self, today: date) -> bool:
        """Whether it is held today and ends within sixty days."""
        return (
            self.is_in_force(today)
            and self.ends_on is not None
            and self.ends_on <= today + ENDS_SOON
        )

    def shows_name(self, today: date, years: int) -> bool:
        """Whether its name is still shown: until so many years after its end, that day included."""
        return self.ends_on is None or today <= months_after(self.ends_on, 12 * years)

    def meets(self, other: Seat) -> bool:
        """Whether both are held on some day."""
        return (self.ends_on is None or other.begins_on <= self.ends_on) and (
            other.ends_on is None or self.begins_on <= other.ends_on
        )


def end_of_term(begins_on: date, years: int) -> date:
    """The last day of a term: the day before the corresponding day (Civil Act 160)."""
    return months_after(begins_on - ONE_DAY, 12 * years)


def added_seats(
    body: Body, held: Sequence[Seat], wanted: Sequence[Mapping[str, Any]], act: Act
) -> list[Seat]:
    """New seats beside those that the body has; all of them, or none.

    Refuses more than its rules allow on some day (``too_many_seats``), a second chair at a time
    (``seat_taken``), and a second seat at a time for one account.
    """
    if body.valid_to is not None and body.valid_to < act.today:
        raise NotAllowedInState("add_seats", "ended", [])
    made = [_seat(body, one, f"seats.{n}", act) for n, one in enumerate(wanted)]
    every = [*held, *made]
    _check_number(body, every, made)
    _check_chairs(every)
    _check_accounts(every)
    return made


def ended_seat(seat: Seat, last_day: date, act: Act) -> Seat:
    """The seat with an earlier last day, or its first one; once it is over it stays as it is."""
    if seat.ends_on is not None and seat.ends_on < act.today:
        raise NotAllowedInState("end", "ended", [])
    require(last_day >= seat.begins_on, "before it begins", code="date_too_early", field="on")
    check_not_too_far(last_day, act, "on")
    require(
        seat.ends_on is None or last_day <= seat.ends_on,
        "it ends before that day; another seat begins after it",
        code="after_its_end",
        field="on",
    )
    return replace(seat, ends_on=last_day)


def ended_with(body: Body, seats: Iterable[Seat]) -> list[Seat]:
    """The seats that were held beyond their body's last day, with that as their own."""
    last = body.valid_to
    return (
        []
        if last is None
        else [
            replace(seat, ends_on=last)
            for seat in seats
            if seat.begins_on <= last and (seat.ends_on is None or seat.ends_on > last)
        ]
    )


def never_held(body: Body, seats: Iterable[Seat]) -> list[Seat]:
    """The seats that would begin after their body's last day."""
    last = body.valid_to
    return [] if last is None else [seat for seat in seats if seat.begins_on > last]


def _seat(body: Body, wanted: Mapping[str, Any], at: str, act: Act) -> Seat:
    """One seat as it was asked for; where it is appointed for a term, with the end of that."""
    begins, ends = wanted["begins_on"], wanted.get("ends_on")
    for name in ("name", "agency"):
        check_no_number(wanted[name], f"{at}.{name}")
    require(ends is None or ends >= begins, "it would end before it begins",
            code="date_too_early", field=f"{at}.to")  # fmt: skip
    check_not_too_far(begins, act, f"{at}.from")
    require(
        body.is_in_force(begins),
        "its body is not there on that day",
        code="body_not_in_force",
        field=f"{at}.from",
    )
    years = body.rule(RuleName.TERM_YEARS).value
    if years is not None and wanted["seated_by"] is SeatedBy.APPOINTED:
        last = end_of_term(begins, years)
        require(ends is None or ends <= last, f"the term ends on {last}",
                code="term_exceeded", field=f"{at}.to")  # fmt: skip
        ends = ends or last
    if body.valid_to is not None:
        ends = body.valid_to if ends is None else min(ends, body.valid_to)
    given = dict(wanted) | {"ends_on": ends}
    return Seat(id=act.new_id(), body_id=body.id, area=body.area, **given)


def _check_number(body: Body, seats: Sequence[Seat], made: Sequence[Seat]) -> None:
    """Not more at a time than the rules allow: there are most on a day on which one begins.

    On days on which none of the new ones is held, it may have been by other rules.
    """
    most = body.most_seats
    if most is None:
        return
    for day in sorted({seat.begins_on for seat in seats}):
        if not any(seat.is_in_force(day) for seat in made):
            continue
        held = sum(seat.is_in_force(day) for seat in seats)
        if held > most:
            raise Invalid(
                f"{held} seats on {day}, and at most {most}",
                code="too_many_seats",
                field="seats",
                seats=held,
                most=most,
            )


def _check_chairs(seats: Iterable[Seat]) -> None:
    chairs = [seat for seat in seats if seat.part is SeatPart.CHAIR]
    if _some_meet(chairs):
        raise Conflict("somebody chairs it at that time", code="seat_taken")


def _check_accounts(seats: Sequence[Seat]) -> None:
    """Who sat there twice would count twice."""
    for account in {seat.account_id for seat in seats} - {None}:
        if _some_meet([seat for seat in seats if seat.account_id == account]):
            raise Conflict("that account has a seat there at that time", code="account_seated")


def _some_meet(seats: list[Seat]) -> bool:
    """Whether two of them are held on one day: if any are, two of those that follow each other."""
    ordered = sorted(seats, key=lambda seat: seat.begins_on)
    return any(one.meets(other) for one, other in pairwise(ordered))

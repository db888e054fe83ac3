"""The bodies with which a seeded city begins, and who sits in them: entered as anybody would.

What is public is kept, with where it is known from; what is invented says so. Offices have seats,
and no person's name: who is appointed to a council is invented.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from casework.adapters import reference
from casework.demo import names
from casework.domain.access.accounts import Account
from casework.domain.act import Act
from casework.domain.clocks.standards import CITY_AREA, CareField
from casework.domain.directory.directory import District
from casework.domain.events import Event
from casework.domain.programme import events
from casework.domain.programme.bodies import Around, Body, new_body
from casework.domain.programme.kinds import BodyKind, SeatedBy, SeatPart, Source
from casework.domain.programme.rules import RuleName
from casework.domain.programme.seats import Seat, added_seats, end_of_term

NAMED_BY: Final = 20_251_023  # the names are the same in every demo
INVENTED_FROM: Final = date(2026, 2, 2)
COUNCIL_KO, COUNCIL_EN = "통합지원협의체", "Integrated Support Council"
CITY_KO, CITY_EN = "부산광역시", "Busan"


class _Register:
    """The bodies and seats that were entered, and what happened."""

    def __init__(self, accounts: Iterable[Account], act: Act) -> None:
        self._act = act
        self._accounts = {one.username: one.id for one in accounts}
        self.bodies: list[Body] = []
        self.seats: list[Seat] = []
        self.events: list[Event] = []

    def enter(self, facts: Mapping[str, Any], above: Sequence[Body] = ()) -> Body:
        """Enter a body; before the day on which it began, it begins at once."""
        first = min(facts["valid_from"], self._act.today)
        parent = above[0].id if above else None
        given = dict(facts) | {"valid_from": first, "parent_id": parent}
        body = new_body(given, Around(above=above), self._act)
        self.bodies.append(body)
        self.events.append(events.added(body, self._act))
        return body

    def seat(self, body: Body, wanted: Sequence[Mapping[str, Any]]) -> None:
        """Give the offices and people of a body their seats; the appointed in the present term."""
        made = added_seats(body, [], [self._asked(body, one) for one in wanted], self._act)
        self.seats += made
        self.events += [events.seated(one, self._act) for one in made]

    def _asked(self, body: Body, row: Mapping[str, Any]) -> dict[str, Any]:
        by = SeatedBy(row["by"])
        begins = body.valid_from
        if by is SeatedBy.APPOINTED:
            begins = _term_of(body, self._act.today)
        return {
            "name": row["name"],
            "agency": row["agency"],
            "part": SeatPart(row["part"]),
            "seated_by": by,
            "account_id": self._account(row.get("account")),
            "begins_on": begins,
            "source": Source(row.get("source") or Source.INVENTED),
        }

    def _account(self, username: str | None) -> UUID | None:
        return self._accounts[username] if username else None


def programme(
    districts: Sequence[District], accounts: Iterable[Account], act: Act
) -> list[Body | Seat | Event]:
    """The city's bodies, its council and each district's, units, and their seats."""
    register, rng = _Register(accounts, act), Random(NAMED_BY)  # noqa: S311 - names, not secrets
    _enter_city(register)
    known = {(row["district"], row["kind"]): row for row in reference.rows("district-bodies.csv")}
    _enter_council(register, CITY_AREA, CITY_KO, CITY_EN, known, rng)
    for one in districts:
        _enter_council(register, one.code, one.name_ko, one.name_en, known, rng)
        _enter_unit(register, one, known)
    return [*register.bodies, *register.seats, *register.events]


def _enter_city(register: _Register) -> None:
    """The promotion team with its sections and teams, and what meets beside it."""
    made: dict[str, list[Body]] = {}
    for row in reference.rows("bodies.csv"):
        above = made.get(row["parent"], [])
        body = register.enter(
            {
                "kind": BodyKind(row["kind"]),
                "name_ko": row["name_ko"],
                "name_en": row["name_en"] or None,
                "area": CITY_AREA,
                "fields": tuple(map(CareField, row["fields"].split())),
                "services": tuple(row["services"].split()),
                "teams_stated": int(row["teams_stated"]) if row["teams_stated"] else None,
                "valid_from": date.fromisoformat(row["valid_from"]),
                "source": Source(row["source"]),
            },
            above,
        )
        made[row["key"]] = [body, *above]
    seats = reference.rows("body-seats.csv")
    for key, (body, *_) in made.items():
        wanted = [row for row in seats if row["body"] == key]
        if wanted:
            register.seat(body, wanted)


def _enter_council(
    register: _Register,
    area: str,
    name_ko: str,
    name_en: str,
    known: Mapping[tuple[str, str], Mapping[str, str]],
    rng: Random,
) -> None:
    """A council of eighteen or twenty, by the default rules; who is appointed is invented."""
    row = known.get((area, BodyKind.COUNCIL), {})
    body = register.enter(
        {
            "kind": BodyKind.COUNCIL,
            "name_ko": f"{name_ko} {COUNCIL_KO}",
            "name_en": f"{name_en} {COUNCIL_EN}",
            "area": area,
            "valid_from": date.fromisoformat(row.get("valid_from") or INVENTED_FROM.isoformat()),
            "source": Source(row.get("source") or Source.INVENTED),
        }
    )
    of = CITY_AREA if area == CITY_AREA else "district"
    wanted = [one for one in reference.rows("council-seats.csv") if one["area"] == of]
    register.seat(
        body,
        [
            one
            | {"name": one["name"] or names.person(rng)}
            | {"agency": one["agency"].format(area=name_ko)}
            for one in wanted
        ],
    )


def _enter_unit(
    register: _Register, of: District, known: Mapping[tuple[str, str], Mapping[str, str]]
) -> None:
    """The dedicated organisation of a district: a division here, a team there."""
    row = known.get((of.code, BodyKind.UNIT), {})
    register.enter(
        {
            "kind": BodyKind.UNIT,
            "name_ko": f"{of.name_ko} {row.get('name_ko') or '전담팀(가상)'}",
            "name_en": f"{of.name_en} {row.get('name_en') or 'Dedicated Team (invented)'}",
            "area": of.code,
            "valid_from": date.fromisoformat(row.get("valid_from") or INVENTED_FROM.isoformat()),
            "source": Source(row.get("source") or Source.INVENTED),
        }
    )


def _term_of(body: Body, today: date) -> date:
    """The first day of the term in which today lies: one follows the other since it began."""
    begins, years = body.valid_from, body.rule(RuleName.TERM_YEARS).value
    while years is not None and end_of_term(begins, years) < today:
        begins = end_of_term(begins, years) + timedelta(days=1)
    return begins

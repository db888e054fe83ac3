"""Row conditions: each defined once, over a table's columns and an actor's facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    any_,
    exists,
    false,
    literal_column,
    or_,
    select,
    true,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.scope.facts import Facts
from casework.adapters.persistence.tables.privacy import break_glass
from casework.domain.access.policy import Role
from casework.domain.clocks.standards import CITY_AREA, PROVIDER, REFERRAL

Condition = Callable[[Any, Facts], ColumnElement[bool]]


def is_(column: Any, fact: Any) -> ColumnElement[bool]:
    """Whether a column has the value of a fact; nothing has one that the actor does not have."""
    return false() if fact is None else column == fact


# Every row, and rows by place


def everything(_row: Any, _by: Facts) -> ColumnElement[bool]:
    """Every row of the table."""
    return true()


def in_centre(row: Any, by: Facts) -> ColumnElement[bool]:
    """Rows of a worker's centre."""
    return is_(row.c.centre_code, by.centre)


def in_district(row: Any, by: Facts) -> ColumnElement[bool]:
    """Rows of a supervisor's district."""
    return is_(row.c.district_code, by.district)


def at_home(row: Any, by: Facts) -> ColumnElement[bool]:
    """Rows of the district in which a worker or an assessor works."""
    return is_(row.c.district_code, by.home)


def own_account(row: Any, by: Facts) -> ColumnElement[bool]:
    """Rows that name the actor's own account."""
    return is_(row.c.account_id, by.account)


def at_home_in_centre(row: Any, by: Facts) -> ColumnElement[bool]:
    """Rows of a worker's centre, where they name the district too."""
    return and_(at_home(row, by), in_centre(row, by))


def is_centre(centre: Any, by: Facts) -> ColumnElement[bool]:
    """A worker's own centre itself."""
    return is_(centre.c.code, by.centre)


def of_no_district(row: Any, _by: Facts) -> ColumnElement[bool]:
    """Rows that apply everywhere."""
    return row.c.district_code.is_(None)  # type: ignore[no-any-return]


def in_area(row: Any, by: Facts) -> ColumnElement[bool]:
    """Rows of the programme of a supervisor's district."""
    return is_(row.c.area, by.district)


def of_the_city(row: Any, _by: Facts) -> ColumnElement[bool]:
    """Rows of the programme of the city itself."""
    return row.c.area == CITY_AREA  # type: ignore[no-any-return]


def touches_district(pair: Any, by: Facts) -> ColumnElement[bool]:
    """Pairs of which one lives in a supervisor's district."""
    return or_(is_(pair.c.district_code, by.district), is_(pair.c.other_district_code, by.district))


def touches_home(pair: Any, by: Facts) -> ColumnElement[bool]:
    """Pairs of which one lives in a worker's district."""
    return or_(is_(pair.c.district_code, by.home), is_(pair.c.other_district_code, by.home))


# What was sent for assessment


def was_sent(case: Any, by: Facts) -> ColumnElement[bool]:
    """Cases sent for assessment in an assessor's district, until some days after the result."""
    if by.sent is None:
        return false()
    return and_(
        is_(case.c.district_code, by.sent),
        case.c.sent_for_assessment_at.is_not(None),
        or_(case.c.determined_at.is_(None), case.c.determined_at > by.determined_since),
    )


def of_a_case_sent(row: Any, by: Facts) -> ColumnElement[bool]:
    """What belongs to such a case."""
    return and_(
        is_(row.c.district_code, by.sent), row.c.case_id.in_(among("casework_cases_sent", by))
    )


def clock_of_a_case_sent(clock: Any, by: Facts) -> ColumnElement[bool]:
    """Its clocks; a referral's recipient and progress are no part of what was sent."""
    return and_(of_a_case_sent(clock, by), clock.c.subject_type != REFERRAL)


def of_a_case_of_those_sent(event: Any, by: Facts) -> ColumnElement[bool]:
    """What names such a case, wherever it happened."""
    return false() if by.sent is None else event.c.case_id.in_(among("casework_cases_sent", by))


def of_a_resident_sent(resident: Any, by: Facts) -> ColumnElement[bool]:
    """The residents of such cases."""
    return false() if by.sent is None else resident.c.id.in_(among("casework_residents_sent", by))


# What was requested of an agency


def of_agency(row: Any, by: Facts) -> ColumnElement[bool]:
    """Rows that name the actor's agency."""
    return is_(row.c.provider_id, by.agency)


def of_an_agency_of_the_district(row: Any, by: Facts) -> ColumnElement[bool]:
    """Rows that name an agency of a supervisor's district."""
    there = select(t.provider.c.id).where(is_(t.provider.c.district_code, by.district))
    return row.c.provider_id.in_(there)  # type: ignore[no-any-return]


def was_requested(referral: Any, by: Facts) -> ColumnElement[bool]:
    """Referrals to an agency, from the request until some days after the end."""
    if by.agency is None:
        return false()
    return and_(
        of_agency(referral, by),
        referral.c.requested_at.is_not(None),
        or_(referral.c.ended_at.is_(None), referral.c.ended_at > by.ended_since),
    )


def clock_of_a_request(clock: Any, by: Facts) -> ColumnElement[bool]:
    """The clocks of such referrals."""
    if by.agency is None:
        return false()
    return and_(of_agency(clock, by), clock.c.subject_id.in_(among("casework_referrals_asked", by)))


def held_by_agency(clock: Any, _by: Facts) -> ColumnElement[bool]:
    """Clocks that agencies hold."""
    return clock.c.held_by == PROVIDER  # type: ignore[no-any-return]


def own_clock(clock: Any, by: Facts) -> ColumnElement[bool]:
    """Clocks that the actor's agency holds, whenever."""
    return and_(of_agency(clock, by), held_by_agency(clock, by))


def own_numbers(row: Any, by: Facts) -> ColumnElement[bool]:
    """What counts for the actor's agency: its referrals, and the clocks that it holds."""
    return and_(of_agency(row, by), or_(row.c.held_by.is_(None), held_by_agency(row, by)))


def own_numbers_counted(row: Any, by: Facts) -> ColumnElement[bool]:
    """The same, in a transaction that counts, whatever ended when."""
    return and_(own_numbers(row, by), by.ended_since == literal_column("timestamptz '-infinity'"))


def of_a_requested_resident(resident: Any, by: Facts) -> ColumnElement[bool]:
    """The residents of such referrals."""
    return _id_among(resident, "casework_residents_asked", by)


def case_of_a_request(case: Any, by: Facts) -> ColumnElement[bool]:
    """The cases of such referrals."""
    return _id_among(case, "casework_cases_asked", by)


def consent_of_a_request(consent: Any, by: Facts) -> ColumnElement[bool]:
    """The consents on which such referrals rest."""
    return _id_among(consent, "casework_consents_asked", by)


def about_a_request(event: Any, by: Facts) -> ColumnElement[bool]:
    """What is about such a referral."""
    return event.c.subject_id.in_(among("casework_referrals_asked", by))  # type: ignore[no-any-return]


def is_agency(provider: Any, by: Facts) -> ColumnElement[bool]:
    """The actor's own agency itself."""
    return is_(provider.c.id, by.agency)


def its_people(account: Any, by: Facts) -> ColumnElement[bool]:
    """The accounts of people of an agency, for its lead.

    The account as which the agency answers by link is nobody's: who set its password could sign in
    as it, and who set its address would get the codes.
    """
    return and_(
        of_agency(account, by),
        account.c.role == Role.PROVIDER,
        account.c.id.not_in(select(t.answering.c.account_id)),
    )


# Break-glass access


def is_live(glass: Any, by: Facts) -> ColumnElement[bool]:
    """Break-glass accesses in force; at the instant it ends, one no longer is."""
    return and_(own_account(glass, by), glass.c.ended_at.is_(None), glass.c.ends_at > by.now)


def opened(row: Any, by: Facts) -> ColumnElement[bool]:
    """Rows of a resident to whom the actor has break-glass access."""
    of = row.c.resident_id if "resident_id" in row.c else row.c.id
    return of.in_(among("casework_residents_opened", by))  # type: ignore[no-any-return]


# Conditions of row-level security alone


def without_place(_row: Any, by: Facts) -> ColumnElement[bool]:
    """Every row, for an actor who belongs to no place and no agency: the city, and who runs it."""
    return by.reach.in_(("none", "city"))  # type: ignore[no-any-return]


def in_unit(row: Any, by: Facts) -> ColumnElement[bool]:
    """Rows of residents whose whole file the transaction works on."""
    of = row.c.resident_id if "resident_id" in row.c else row.c.id
    return of == any_(by.unit)  # type: ignore[no-any-return]


def of_nobody(row: Any, by: Facts) -> ColumnElement[bool]:
    """Rows that name no resident, for anyone who is known."""
    return and_(row.c.resident_id.is_(None), by.reach.is_not(None))


def on_an_agenda(item: Any, by: Facts) -> ColumnElement[bool]:
    """What is on the agenda of a meeting of a supervisor's district."""
    meeting = t.conference.alias("k")
    return exists(
        select(literal_column("1")).where(
            meeting.c.id == item.c.conference_id, in_district(meeting, by)
        )
    )


def meeting_on_a_case(meeting: Any, by: Facts) -> ColumnElement[bool]:
    """Meetings that decided on a case that is seen."""
    return _id_among(meeting, "casework_meetings_on_cases", by)


# What a condition needs of another table. On the database it calls a function of the owner: a
# policy that read the other table itself would trigger its policies, and those this one again.


def _of_referrals(column: Any) -> Callable[[Facts], Select[Any]]:
    return lambda by: select(column).where(was_requested(t.referral, by))


def _meetings_on_cases(by: Facts) -> Select[Any]:
    version, case = t.plan_version, t.care_case
    return (
        select(version.c.conference_id)
        .join(case, case.c.id == version.c.case_id)
        .where(
            version.c.conference_id.is_not(None),
            or_(in_centre(case, by), in_district(case, by), was_sent(case, by)),
        )
    )


SETS: Final[dict[str, Callable[[Facts], Select[Any]]]] = {
    "casework_cases_sent": lambda by: select(t.care_case.c.id).where(was_sent(t.care_case, by)),
    "casework_residents_sent": lambda by: select(t.care_case.c.resident_id).where(
        was_sent(t.care_case, by)
    ),
    "casework_referrals_asked": _of_referrals(t.referral.c.id),
    "casework_cases_asked": _of_referrals(t.referral.c.case_id),
    "casework_residents_asked": _of_referrals(t.referral.c.resident_id),
    "casework_consents_asked": _of_referrals(t.referral.c.consent_id),
    "casework_residents_opened": lambda by: select(break_glass.c.resident_id).where(
        is_live(break_glass, by)
    ),
    "casework_meetings_on_cases": _meetings_on_cases,
}


def among(name: str, by: Facts) -> Select[Any]:
    """The ids of one of these sets."""
    return select(literal_column(f"{name}()")) if by.are_stated else SETS[name](by)


def _id_among(row: Any, name: str, by: Facts) -> ColumnElement[bool]:
    return row.c.id.in_(among(name, by))  # type: ignore[no-any-return]

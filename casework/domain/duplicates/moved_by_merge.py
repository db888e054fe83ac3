"""What a merge moves to the survivor, copies or leaves; an undo reverses it.

Whatever is touched is written down by its kind and id, so that undoing gives back exactly that. The
store says these rules again in SQL, and adds none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final
from uuid import UUID

from casework.domain.casefile.referral import Referral
from casework.domain.duplicates.likeness import ordered
from casework.domain.duplicates.merging import Merge
from casework.domain.duplicates.suspicions import Suspicion, SuspicionState
from casework.domain.residents.resident import Contact


class Child(StrEnum):
    """What is of a record: each kind is stored under this name."""

    CASE = "care_case"
    CONSENT = "consent"
    NOTE = "note"
    ACCESS_REQUEST = "access_request"
    ASSESSMENT = "assessment"
    CHECK = "care_check"
    CORRECTION = "correction"
    SIGNAL = "signal"
    PLANNED_SERVICE = "planned_service"
    REFERRAL = "referral"
    DEADLINE = "deadline"
    EVENT = "event"
    DELIVERED = "delivered"
    WAY_IN = "way_in"
    FORMER_RECORD = "resident"
    CONTACT = "contact"
    HOUSEHOLD_MEMBER = "household_member"
    HOUSEHOLD_LEFT = "household_left"
    PAIR = "suspicion"
    PAIR_ADDED = "suspicion_added"


WITH_THE_RECORD: Final = (Child.CASE, Child.CONSENT, Child.NOTE, Child.ACCESS_REQUEST)
WITH_ITS_CASE: Final = (
    Child.ASSESSMENT,
    Child.CHECK,
    Child.CORRECTION,
    Child.SIGNAL,
    Child.PLANNED_SERVICE,
    Child.REFERRAL,
    Child.DEADLINE,
)
WITH_ITS_REFERRAL: Final = (Child.DELIVERED,)
# A merge leaves events with the resident they were written for; an undo moves those of moved cases,
# as what was added to the case since goes with it.
BACK_WITH_ITS_CASE: Final = (*WITH_ITS_CASE, Child.EVENT)
# Of which a resident has one: it moves where the survivor has none, and else it stays. One that was
# written again since stays with the survivor: it would let an agency into another's home.
ONE_EACH: Final = (Child.WAY_IN,)
# A client's version of one is stale afterwards.
SEEN_BY_VERSION: Final = frozenset(
    {
        Child.CASE,
        Child.CONSENT,
        Child.NOTE,
        Child.REFERRAL,
        Child.SIGNAL,
        Child.ACCESS_REQUEST,
    }
)


def crossing(
    referrals: Iterable[Referral], cases: Collection[UUID], consents: Collection[UUID]
) -> list[UUID]:
    """The open referrals that would rest on the other resident's consent after an undo.

    ``cases`` and ``consents`` are those that go back to the duplicate.
    """
    return [
        one.id
        for one in referrals
        if one.is_open
        and one.consent_id is not None
        and (one.case_id in cases) != (one.consent_id in consents)
    ]


def lacking(contacts: Sequence[Contact], made: Merge) -> list[Contact]:
    """The duplicate's contacts whose name and telephone the survivor does not have.

    The duplicate keeps its own; the survivor gets copies.
    """
    known = {(one.name, one.phone) for one in contacts if one.resident_id == made.survivor_id}
    return [
        one
        for one in contacts
        if one.resident_id == made.duplicate_id and (one.name, one.phone) not in known
    ]


def copied(contact: Contact, made: Merge, id: UUID) -> Contact:
    """A contact of the duplicate as the survivor's own."""
    return replace(contact, id=id, resident_id=made.survivor_id)


def place_in_household(*, survivor_has_one: bool) -> Child:
    """The survivor takes the duplicate's place, unless they have their own: then it is left."""
    return Child.HOUSEHOLD_LEFT if survivor_has_one else Child.HOUSEHOLD_MEMBER


def suspicion_of_survivor(pair: Suspicion, made: Merge, id: UUID) -> Suspicion | None:
    """The pair of the survivor that follows from a pair of the duplicate, or None.

    Every pair with the duplicate is suspended. One that was decided as distinct stays decided, and
    one with the survivor is answered by the merge; any other becomes a pair of the survivor, unless
    the queue has it. The survivor's place is written when the other records move.
    """
    is_second = pair.other_id == made.duplicate_id
    third = pair.resident_id if is_second else pair.other_id
    if pair.state == SuspicionState.DIFFERENT or third == made.survivor_id:
        return None
    first, second = ordered(made.survivor_id, third)
    centre, district = (
        (pair.centre_code, pair.district_code)
        if is_second
        else (pair.other_centre_code, pair.other_district_code)
    )
    return Suspicion(
        id=id,
        resident_id=first,
        centre_code=centre,
        district_code=district,
        other_id=second,
        other_centre_code=centre,
        other_district_code=district,
        reasons=pair.reasons,
        found_at=made.merged_at,
    )

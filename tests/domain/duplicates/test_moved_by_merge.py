"""What a merge moves, copies and ends, by the domain's rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from casework.domain.duplicates.likeness import LikenessReason
from casework.domain.duplicates.merging import Merge
from casework.domain.duplicates.moved_by_merge import (
    BACK_WITH_ITS_CASE,
    ONE_EACH,
    WITH_ITS_CASE,
    WITH_ITS_REFERRAL,
    WITH_THE_RECORD,
    Child,
    copied,
    crossing,
    lacking,
    place_in_household,
    suspicion_of_survivor,
)
from casework.domain.duplicates.suspicions import Suspicion, SuspicionState
from casework.domain.residents.resident import Contact
from tests.factories import CaseFileFactory, ReferralFactory, Town

AT = datetime(2026, 4, 1, tzinfo=UTC)
FIRST, SURVIVOR, DUPLICATE, LAST, NEW = (UUID(int=n) for n in (1, 3, 5, 7, 9))
MADE = Merge(
    id=UUID(int=11), survivor_id=SURVIVOR, duplicate_id=DUPLICATE, reason="the same person",
    merged_at=AT, merged_by=None, survivor_centre="here", duplicate_centre="there",
)  # fmt: skip


def a_contact(of: UUID, name: str, phone: str) -> Contact:
    return Contact(id=UUID(int=20), resident_id=of, name=name, relation="child", phone=phone)


def a_pair(one: UUID, other: UUID, state: SuspicionState = SuspicionState.OPEN) -> Suspicion:
    places: dict[str, Any] = {
        "centre_code": "of the first", "district_code": "D1",
        "other_centre_code": "of the other", "other_district_code": "D2",
    }  # fmt: skip
    return Suspicion(
        id=UUID(int=30), resident_id=one, other_id=other, reasons=[LikenessReason.SAME_PHONE],
        found_at=AT, state=state, **places,
    )  # fmt: skip


def test_each_kind_moves_in_one_way() -> None:
    lists = (WITH_THE_RECORD, WITH_ITS_CASE, WITH_ITS_REFERRAL, ONE_EACH)
    kinds = [kind for of_one in lists for kind in of_one]
    assert len(set(kinds)) == len(kinds)
    assert set(BACK_WITH_ITS_CASE) - set(WITH_ITS_CASE) == {Child.EVENT}


def test_the_survivor_gets_copies_of_the_contacts_it_lacks() -> None:
    theirs = [a_contact(DUPLICATE, name, "010-1") for name in ("Kim", "Lee")]
    known = a_contact(SURVIVOR, "Kim", "010-1")
    of_another = a_contact(LAST, "Park", "010-2")
    assert lacking([known, of_another, *theirs], MADE) == [theirs[1]]
    copy = copied(theirs[1], MADE, NEW)
    assert (copy.id, copy.resident_id, copy.name) == (NEW, SURVIVOR, "Lee")
    assert theirs[1].resident_id == DUPLICATE


def test_a_place_in_a_household_is_taken_or_left() -> None:
    assert place_in_household(survivor_has_one=False) is Child.HOUSEHOLD_MEMBER
    assert place_in_household(survivor_has_one=True) is Child.HOUSEHOLD_LEFT


@pytest.mark.parametrize(
    ("one", "other", "asked", "centre"),
    [
        (FIRST, DUPLICATE, (FIRST, SURVIVOR), "of the first"),
        (DUPLICATE, LAST, (SURVIVOR, LAST), "of the other"),
    ],
)
def test_what_is_open_with_the_duplicate_is_asked_of_the_survivor(
    one: UUID, other: UUID, asked: tuple[UUID, UUID], centre: str
) -> None:
    for state in (SuspicionState.OPEN, SuspicionState.SAME):
        found = suspicion_of_survivor(a_pair(one, other, state), MADE, NEW)
        assert found is not None
        assert (found.resident_id, found.other_id) == asked
        assert (found.id, found.state, found.found_at) == (NEW, SuspicionState.OPEN, AT)
        assert found.centre_code == found.other_centre_code == centre


def test_what_was_told_apart_and_the_pair_itself_are_not_asked_again() -> None:
    assert (
        suspicion_of_survivor(a_pair(FIRST, DUPLICATE, SuspicionState.DIFFERENT), MADE, NEW) is None
    )
    assert suspicion_of_survivor(a_pair(SURVIVOR, DUPLICATE), MADE, NEW) is None


def test_an_open_referral_must_not_rest_on_the_others_consent() -> None:
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, requested=True)
    case, consent = referral.case_id, UUID(int=40)
    assert crossing([referral], {case}, set()) == [], "it rests on an article"
    referral.consent_id = consent
    assert crossing([referral], {case}, {consent}) == []
    assert crossing([referral], set(), set()) == []
    assert crossing([referral], {case}, set()) == [referral.id]
    assert crossing([referral], set(), {consent}) == [referral.id]
    moves_on = ReferralFactory(town=town, file=file, declined=True)
    moves_on.consent_id = consent
    assert crossing([moves_on], {case}, set()) == []

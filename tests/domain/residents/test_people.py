"""Residents, consents, accounts, distances, and the day of an act."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from casework.domain.access.accounts import Account
from casework.domain.access.policy import Actor, Role
from casework.domain.act import Act
from casework.domain.directory.directory import distance_km
from casework.domain.errors import Conflict, Invalid, NotFound, Refusal, StaleVersion
from casework.domain.residents.names import digits_of
from casework.domain.residents.resident import check_birth_date
from tests.domain.helpers import field_of, refused
from tests.factories import CaseFileFactory, ConsentFactory, ResidentFactory, Town, seoul


def test_changing_a_resident_tells_which_fields_really_changed():
    town, resident = Town(), ResidentFactory(phone="051-123-4567")
    assert resident.change(town.act(), {"phone": "051-123-4567"}) == []
    changed = resident.change(
        town.act(), {"phone": None, "name": resident.name, "mobility": "limited"}
    )
    assert changed == ["phone", "mobility"]
    assert resident.phone is None


@pytest.mark.parametrize(
    ("birth_date", "code"),
    [
        ("1889-12-31", "birth_date_too_early"),
        ("1890-01-01", None),
        ("2026-03-31", None),
        ("2026-04-01", None),
        ("2026-04-02", "birth_date_in_future"),
    ],
)
def test_a_birth_date_lies_in_the_past_and_within_a_human_life(birth_date, code):
    act, born = Town("2026-04-01T10:00").act(), date.fromisoformat(birth_date)
    resident = ResidentFactory()
    if code is None:
        check_birth_date(born, act)
        assert resident.change(act, {"birth_date": born}) == ["birth_date"]
    else:
        with refused(Invalid, code, resident):
            resident.change(act, {"birth_date": born})


@pytest.mark.parametrize(
    ("on", "valid"),
    [
        ("2026-03-31", False),
        ("2026-04-01", True),
        ("2026-04-30", True),
        ("2026-05-01", False),
    ],
)
def test_a_consent_is_valid_from_its_day_to_its_last(on, valid):
    consent = ConsentFactory(given_on=date(2026, 4, 1), expires_on=date(2026, 4, 30))
    assert consent.is_valid(date.fromisoformat(on)) is valid
    consent.expires_on = None
    assert consent.is_valid(date.fromisoformat(on)) is (on != "2026-03-31")


def test_a_consent_is_withdrawn_once_and_at_once():
    town, consent = Town(), ConsentFactory()
    assert consent.is_valid(town.today)
    consent.withdraw(town.act(), "changed her mind")
    assert not consent.is_valid(town.today)
    assert (consent.withdrawn_at, consent.withdrawn_by) == (town.now, town.worker.id)
    assert consent.withdrawal_reason == "changed her mind"
    with refused(Conflict, "already_withdrawn", consent, state="withdrawn", allowed_actions=[]):
        consent.withdraw(town.act(), None)


def test_while_a_case_is_open_only_a_transfer_changes_the_centre():
    town, resident = Town(), ResidentFactory()
    file = CaseFileFactory(town=town, resident=resident)
    there = {"centre_code": "2641053000", "phone": "051-123-4567"}
    with refused(
        Conflict, "open_case_transfer", resident, case_id=file.case.id, state="applied"
    ) as caught:
        resident.change(town.act(), there, file)
    assert "pre-survey" in caught.value.facts["allowed_actions"]
    here = {"centre_code": resident.centre_code, "phone": "051-123-4567"}
    assert resident.change(town.act(), here, file) == ["phone"]
    assert resident.change(town.act(), there, None) == ["centre_code"]
    assert resident.centre_code == "2641053000"


def test_a_birth_date_is_refused_by_its_field():
    act = Town("2026-04-01T10:00").act()
    for born in (date(2026, 4, 2), date(1889, 12, 31)):
        with pytest.raises(Invalid) as caught:
            check_birth_date(born, act)
        assert field_of(caught) == "birth_date"


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("051-123-4567", "0511234567"),
        ("+82 51 123 4567", "0511234567"),
        ("82-10-1234-5678", "01012345678"),
        ("010 1234 5678", "01012345678"),
        ("none", ""),
        (None, None),
    ],
)
def test_telephones_are_compared_by_their_digits(written, digits):
    assert digits_of(written) == digits


def test_whoever_signs_in_acts_with_the_role_and_the_place_of_the_account():
    account = Account(
        id=UUID(int=1),
        username="kim.s",
        name="김서연",
        role=Role.PROVIDER,
        password_hash="",
        created_at=seoul("2026-04-01"),
        centre_code="2635051000",
        district_code="26350",
        provider_id=UUID(int=2),
        is_head=True,
    )
    assert account.actor() == Actor(
        id=UUID(int=1),
        role=Role.PROVIDER,
        name="김서연",
        username="kim.s",
        centre_code="2635051000",
        district_code="26350",
        provider_id=UUID(int=2),
        is_head=True,
    )


def test_distances_are_great_circles():
    city_hall, haeundae = (35.1798, 129.0750), (35.1631, 129.1636)
    assert distance_km(city_hall, city_hall) == 0
    assert distance_km(city_hall, haeundae) == pytest.approx(8.26, abs=0.05)
    assert distance_km((0, 0), (0, 180)) == pytest.approx(3.14159265 * 6371, rel=1e-6)


# Acts


def test_the_day_of_an_act_is_the_day_in_seoul():
    town = Town()
    act = Act(
        by=town.worker,
        at=datetime(2026, 4, 1, 15, 0, tzinfo=UTC),
        new_id=lambda: UUID(int=1),
        clockwork=town.clockwork,
    )
    assert act.today == date(2026, 4, 2)
    assert act.instant_of(date(2026, 4, 2)) == act.at
    assert act.instant_of(None) == act.at
    assert act.instant_of(date(2026, 4, 1)) == seoul("2026-04-01T23:59:59")


def test_dates_are_bounded_by_today_and_by_what_they_follow():
    act, april = Town("2026-04-01T10:00").act(), date(2026, 4, 1)
    act.not_future(None, "on")
    act.not_future(april, "on")
    act.not_before(None, april, "on")
    act.not_before(april, None, "on")
    act.not_before(april, april, "on")
    with refused(Invalid, "date_in_future"):
        act.not_future(date(2026, 4, 2), "on")
    with refused(Invalid, "date_too_early"):
        act.not_before(date(2026, 3, 31), april, "on")


def test_refusals_have_stable_codes_and_facts():
    assert Refusal("no").code == "refused"
    assert StaleVersion().code == "stale"
    assert str(NotFound()) == "not_found"
    invalid = Invalid("too short", field="name")
    assert invalid.facts == {"errors": [{"field": "name", "message": "too short"}]}
    assert Conflict("x", code="y", state="z").facts == {"state": "z"}


def test_what_is_not_in_the_file_does_not_exist():
    file, unknown = CaseFileFactory(), UUID(int=7)
    for find in (file.referral, file.service):
        with refused(NotFound, "not_found"):
            find(unknown)

"""Invented residents: who they are, who is close to them, what they agreed to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

from casework.demo import names
from casework.domain.act import Act
from casework.domain.directory.directory import Centre
from casework.domain.residents.resident import (
    Consent,
    ConsentPurpose,
    Contact,
    Mobility,
    Note,
    Resident,
    Sex,
)

MOBILITIES: Final = (
    Mobility.INDEPENDENT,
    Mobility.LIMITED,
    Mobility.LIMITED,
    Mobility.HOUSEBOUND,
)
GRADES: Final = (None, None, "1", "2", "3", "4", "4", "5", "cognitive")
DISABILITIES: Final = (None, None, None, None, "심한 장애", "심하지 않은 장애")
INSURANCES: Final = ("건강보험", "건강보험", "의료급여")
TIERS: Final = ("basic", "near_poor", "median_70", "median_100", "above_100")
GIVERS: Final = ("본인", "본인", "본인", "자녀", "배우자")


@dataclass(slots=True, kw_only=True)
class Person:
    """A resident with what belongs to them and not to a case. Consents go by their purpose."""

    resident: Resident
    contacts: list[Contact]
    consents: dict[ConsentPurpose, Consent] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def register(centre: Centre, rng: Random, act: Act) -> Person:
    """Someone who lives in the centre's area, mostly old and often alone."""
    resident = Resident(
        id=act.new_id(),
        name=names.person(rng),
        birth_date=_birth_date(rng, act.today),
        sex=rng.choices((Sex.FEMALE, Sex.MALE), (3, 2))[0],
        centre_code=centre.code,
        district_code=centre.district_code,
        registered_at=act.at,
        registered_by=act.by.id,
        address=names.address(rng, centre.name),
        phone=names.mobile(rng),
        lives_alone=rng.random() < 0.6,
        mobility=rng.choice(MOBILITIES),
        ltc_grade=rng.choice(GRADES),
        disability=rng.choice(DISABILITIES),
        insurance=rng.choice(INSURANCES),
        income_tier=rng.choice(TIERS),
    )
    return Person(resident=resident, contacts=_contacts(resident, rng, act))


def _birth_date(rng: Random, today: date) -> date:
    years = rng.triangular(66, 98, 80) if rng.random() < 0.93 else rng.uniform(20, 65)
    return today - timedelta(days=int(years * 365.25))


def _contacts(resident: Resident, rng: Random, act: Act) -> list[Contact]:
    return [
        Contact(
            id=act.new_id(),
            resident_id=resident.id,
            name=names.person(rng),
            relation=rng.choice(names.RELATIONS),
            phone=names.mobile(rng),
            may_be_told=rng.random() < 0.7,
        )
        for _ in range(rng.choices((0, 1, 2), (2, 5, 2))[0])
    ]


def agree(person: Person, purpose: ConsentPurpose, rng: Random, act: Act) -> Consent:
    """The resident, or someone for them, agrees to something for two years or without an end."""
    expires_on = act.today + timedelta(days=730) if rng.random() < 0.5 else None
    consent = Consent(
        id=act.new_id(),
        resident_id=person.resident.id,
        purpose=purpose,
        given_by=rng.choice(GIVERS),
        given_on=act.today,
        recipients=["제공기관"] if purpose == ConsentPurpose.PROVIDER_SHARING else [],
        expires_on=expires_on,
        recorded_at=act.at,
        recorded_by=act.by.id,
    )
    person.consents[purpose] = consent
    return consent

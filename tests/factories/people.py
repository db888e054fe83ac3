"""Who acts, and for whom."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from factory.declarations import LazyFunction, List, Trait
from factory.declarations import Sequence as Numbered

from casework.domain.access.policy import Actor, Role
from casework.domain.clocks.calendar import SEOUL
from casework.domain.residents.resident import Consent, Resident
from tests.factories.base import Factory

CENTRE, DISTRICT = "2635051000", "26350"
LONG_AGO = datetime(2026, 1, 2, 10, tzinfo=SEOUL)


class ActorFactory(Factory):
    """An actor of a role; ``provider_id`` says for which agency a provider answers."""

    class Meta:
        model = Actor

    class Params:
        worker = Trait(role=Role.WORKER, centre_code=CENTRE, district_code=DISTRICT)
        supervisor = Trait(role=Role.SUPERVISOR, district_code=DISTRICT)
        provider = Trait(
            role=Role.PROVIDER, provider_id=Numbered(lambda n: UUID(int=(8 << 64) + n))
        )
        assessor = Trait(role=Role.ASSESSOR, district_code=DISTRICT)

    id = Numbered(lambda n: UUID(int=(1 << 64) + n))
    role = Role.WORKER
    username = Numbered(lambda n: f"someone.{n}")


class ResidentFactory(Factory):
    """A resident of the usual centre."""

    class Meta:
        model = Resident

    id = Numbered(lambda n: UUID(int=(2 << 64) + n))
    name = Numbered(lambda n: f"김영자{n}")
    birth_date = date(1944, 3, 14)
    sex = "female"
    centre_code = CENTRE
    district_code = DISTRICT
    registered_at = LONG_AGO
    registered_by = None


class ConsentFactory(Factory):
    """A consent to share with providers, valid without end."""

    class Meta:
        model = Consent

    id = Numbered(lambda n: UUID(int=(3 << 64) + n))
    resident_id = LazyFunction(lambda: ResidentFactory().id)
    purpose = "provider_sharing"
    given_by = "the resident"
    given_on = date(2026, 1, 2)
    recipients = List([])
    expires_on = None
    recorded_at = LONG_AGO
    recorded_by = None

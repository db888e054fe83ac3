"""Who offers what."""

from __future__ import annotations

from uuid import UUID

from factory.declarations import List
from factory.declarations import Sequence as Numbered

from casework.domain.directory.directory import Offering
from tests.factories.base import Factory
from tests.factories.people import CENTRE, LONG_AGO


class OfferingFactory(Factory):
    """An open offering of an agency of its own, for the usual centre."""

    class Meta:
        model = Offering

    id = Numbered(lambda n: UUID(int=(4 << 64) + n))
    provider_id = Numbered(lambda n: UUID(int=(5 << 64) + n))
    service_code = "CARE-MEALS"
    is_open = True
    capacity = 20
    available = 5
    stated_available = 5
    waiting = 0
    unit = "person"
    as_of = LONG_AGO
    centres = List([CENTRE])

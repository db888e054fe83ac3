"""Which body of the city answers for an entry of the list, and who confirms it there.

A body answers for fields of care and for services; one that names a service wins over one that
names its field.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from casework.domain.access.policy import Actor, Role
from casework.domain.clocks.standards import CareField
from casework.domain.errors import Forbidden


@dataclass(frozen=True, slots=True)
class AnsweringBody:
    """A body that answers for entries."""

    id: UUID
    name: str
    name_en: str | None


@dataclass(frozen=True, slots=True)
class Answering:
    """Who answers for what on one day: by field, and by the code of a service."""

    fields: Mapping[str, AnsweringBody]
    services: Mapping[str, AnsweringBody]

    def of(self, service_code: str, field: CareField | str) -> AnsweringBody | None:
        """The body that answers for a service; None where nobody does."""
        return self.services.get(service_code) or self.fields.get(str(field))


def check_confirms(actor: Actor, seated: Collection[UUID]) -> None:
    """Refuse a city officer without a seat where others of the city have one.

    ``seated`` are the city's accounts with a seat in the body that answers for the entry. Where
    there are none, any city officer confirms, so that no entry waits for a body that nobody signs
    in for. A supervisor confirms what agencies of the own district give, as before.
    """
    if actor.role == Role.CITY and seated and actor.id not in seated:
        raise Forbidden("another body answers for this entry", code="not_your_body")

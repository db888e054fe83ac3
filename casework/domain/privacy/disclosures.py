"""Disclosures: which data of a resident went to whom, when and on which basis.

They have no table: each is derived from the record of the act that disclosed, so that the two
cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from casework.domain.access.policy import AS
from casework.domain.privacy.masks import MASKS

PROVIDER: Final = "provider"
ASSESSOR: Final = "assessor"
# The comprehensive determination, for which a case is sent to those who assess.
ARTICLE_12: Final = "article_12"
_NOT_OF_THE_RESIDENT: Final = frozenset({"id", "contacts", "cases", "allowed_actions"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One act by which somebody learnt of a resident. ``what`` names fields."""

    id: UUID
    at: datetime
    to_kind: str
    to_id: UUID | None
    to_name: str
    what: list[str]
    basis_kind: str
    consent_id: UUID | None
    by: UUID | None
    referral_id: UUID | None
    case_id: UUID
    case_number: str
    consent_withdrawn_at: datetime | None


def disclosed_to_assessors() -> list[str]:
    """What those who assess see of a case that was sent to them, by the policy itself."""
    shown = MASKS["case.read", AS]
    of_resident = shown["resident"].shows - _NOT_OF_THE_RESIDENT
    return sorted(of_resident | {"contacts", "case"})

"""What a use case made, where that is more than one id.

A result is what an idempotency key remembers, so that a repeated request is shown what the first
one made, under present rights. It holds ids, codes, numbers and what was hinted at, never content.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias
from uuid import UUID

from casework.domain.casefile.recounts import RecountedClock


class Result:
    """A result with several facts; each kind is identified by its name."""

    kinds: ClassVar[dict[str, type[Result]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        Result.kinds[cls.__name__] = cls


# An id, a code, a number, several facts, or nothing.
Made: TypeAlias = UUID | str | int | Result | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredResident(Result):
    """A resident, and the residents who are like them: id and reasons each."""

    id: UUID
    hints: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedConsents(Result):
    """A resident, and their consents that were recorded together."""

    id: UUID
    consents: list[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordInCase(Result):
    """A check, a signal, an assessment or a settled service, with its case."""

    id: UUID
    case_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(Result):
    """What was put right, and the clocks that were counted anew."""

    id: UUID
    recounted: list[RecountedClock]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedInCase(Result):
    """What was put right within a case, and the clocks that were counted anew."""

    id: UUID
    case_id: UUID
    recounted: list[RecountedClock]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedPlan(Result):
    """A case whose plan was submitted, and the version with its content hash."""

    id: UUID
    version: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferredCase(Result):
    """A case that moved, and its open referrals whose offering does not cover the new centre."""

    id: UUID
    stops_at_border: list[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOverCases(Result):
    """The cases that a worker handed over."""

    case_ids: list[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDesignation(Result):
    """A designation and its agency."""

    id: UUID
    provider_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedNotices(Result):
    """A district, and how many of its notices were released."""

    district_code: str
    released: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunRecount(Result):
    """The standard or holiday that changed, and the record of the recount that follows.

    ``is_new`` is false where a holiday replaced another.
    """

    subject_id: UUID
    recount_id: UUID
    is_new: bool = True

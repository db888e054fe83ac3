"""Similar residents: shown on registration or change; strict matches are refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from casework.domain.duplicates.likeness import SimilarResident, likely, likeness_of
from casework.domain.duplicates.suspicions import SuspicionState, suspect
from casework.domain.errors import Conflict
from casework.domain.residents.resident import Resident
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Work

# The fields that similarity is judged by.
TELLING: Final = frozenset({"name", "birth_date", "phone", "rrn"})


MAX_HINTS: Final = 10


def check_similar(
    ctx: Context, work: Work, resident: Resident, rrn: str | None = None, *, confirm_new: bool
) -> list[SimilarResident]:
    """Residents within scope who are similar to a new one.

    A strict match refuses the registration, unless the request says that it is another person.
    """
    found = find_similar(ctx, work, resident, rrn)
    strict = [similar for similar in found if similar.refuses]
    work.about(*(similar.resident.id for similar in found))
    if strict and not confirm_new:
        raise _refusal(strict)
    return found


def record_new(
    ctx: Context, work: Work, resident: Resident, found: Sequence[SimilarResident]
) -> None:
    """Record that an added resident is another person than the strict matches.

    Other likely duplicates are found later by a background job.
    """
    work.duplicates.add(
        suspect(resident, similar.resident, similar.reasons, ctx.act, SuspicionState.DIFFERENT)
        for similar in found
        if similar.refuses
    )
    work.duplicates.queue_check(resident.id)


def _refusal(strict: Sequence[SimilarResident]) -> Conflict:
    return Conflict(
        "someone of this name and birth date, or of this number, is registered",
        code="possible_duplicate",
        about=[similar.resident.id for similar in strict],
        candidates=[
            {
                "id": similar.resident.id,
                "name": similar.resident.name,
                "birth_date": similar.resident.birth_date,
                "died_on": similar.resident.died_on,
                "centre_code": similar.resident.centre_code,
                "reasons": list(similar.reasons),
            }
            for similar in strict
        ],
    )


def find_similar(
    ctx: Context, work: Work, resident: Resident, rrn: str | None = None
) -> list[SimilarResident]:
    """Residents within scope similar to this one; a merged record counts as its survivor."""
    likeness = likeness_of(resident, rrn)
    found: dict[UUID, SimilarResident] = {}
    for similar in likely(likeness, work.residents.like(likeness, resident.id), ctx.similarity):
        one = similar.resident
        if one.merged_into_id is not None:
            one = work.residents.get(one.id)
        if one.id not in found and one.id != resident.id:
            found[one.id] = SimilarResident(one, similar.reasons)
    return list(found.values())


def hints(found: Sequence[SimilarResident]) -> list[dict[str, Any]]:
    """The loose matches as the idempotency key stores them; shown under current rights."""
    loose = [similar for similar in found if not similar.refuses]
    return [
        {"id": str(similar.resident.id), "reasons": list(similar.reasons)}
        for similar in loose[:MAX_HINTS]
    ]

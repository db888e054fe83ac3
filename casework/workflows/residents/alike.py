"""Residents who are like one that is registered or changed: shown, and refused where alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from casework.domain.duplicates.likeness import Alike, likely, likeness_of
from casework.domain.duplicates.suspicions import Verdict, suspect
from casework.domain.errors import Conflict
from casework.domain.residents.resident import Resident
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Work

# What somebody would be found again by.
TELLING: Final = frozenset({"name", "birth_date", "phone", "rrn"})


MOST_HINTS: Final = 10


def meet(
    ctx: Context, work: Work, resident: Resident, rrn: str | None = None, *, confirm_new: bool
) -> list[Alike]:
    """Those within reach who are like someone new.

    The strictly alike refuse the registration, unless the caller says that it is another person.
    """
    found = known_alike(ctx, work, resident, rrn)
    strict = [alike for alike in found if alike.refuses]
    work.about(*(alike.resident.id for alike in found))
    if strict and not confirm_new:
        raise _refusal(strict)
    return found


def note_new(ctx: Context, work: Work, resident: Resident, found: Sequence[Alike]) -> None:
    """Note that someone who was added is another person than those strictly alike.

    Others who may be the same are looked for later, by a background job.
    """
    work.duplicates.add(
        suspect(resident, alike.resident, alike.reasons, ctx.act, Verdict.DIFFERENT)
        for alike in found
        if alike.refuses
    )
    work.duplicates.look_for(resident.id)


def _refusal(strict: Sequence[Alike]) -> Conflict:
    return Conflict(
        "someone of this name and birth date, or of this number, is registered",
        code="possible_duplicate",
        candidates=[
            {
                "id": alike.resident.id,
                "name": alike.resident.name,
                "birth_date": alike.resident.birth_date,
                "centre_code": alike.resident.centre_code,
                "reasons": list(alike.reasons),
            }
            for alike in strict
        ],
    )


def known_alike(
    ctx: Context, work: Work, resident: Resident, rrn: str | None = None
) -> list[Alike]:
    """Who within reach is like a resident; a merged one stands for the survivor."""
    likeness = likeness_of(resident, rrn)
    found: dict[UUID, Alike] = {}
    for alike in likely(likeness, work.residents.like(likeness, resident.id), ctx.similarity):
        one = alike.resident
        if one.merged_into_id is not None:
            one = work.residents.get(one.id)
        if one.id not in found and one.id != resident.id:
            found[one.id] = Alike(one, alike.reasons)
    return list(found.values())


def hints(found: Sequence[Alike]) -> list[dict[str, Any]]:
    """What the request's record keeps of those loosely alike; shown under present rights."""
    loose = [alike for alike in found if not alike.refuses]
    return [
        {"id": str(alike.resident.id), "reasons": list(alike.reasons)}
        for alike in loose[:MOST_HINTS]
    ]

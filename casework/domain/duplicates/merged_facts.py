"""The facts of two records of one person: what the survivor takes over, and what an undo returns.

A blank is filled from the duplicate. Where both say something else, somebody decides which of the
two is right; what stood there before is stored, encrypted, with the merge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from casework.domain.act import Act
from casework.domain.clocks.standards import PROVIDER
from casework.domain.errors import Invalid
from casework.domain.notices.notices import Notice, NoticeKind
from casework.domain.residents.names import digits_of, name_key
from casework.domain.residents.resident import Resident, check_born_before, coded

FACTS: Final[tuple[str, ...]] = (
    "name", "birth_date", "sex", "address", "phone", "lives_alone", "mobility", "ltc_grade",
    "disability", "insurance", "income_tier", "died_on",
)  # fmt: skip
RRN: Final = "rrn"


class MergeSide(StrEnum):
    """Which of two records is right about a fact."""

    SURVIVOR = "survivor"
    DUPLICATE = "duplicate"


@dataclass(slots=True, kw_only=True)
class Record:
    """A resident with the registration number, where numbers are stored and one is known."""

    resident: Resident
    rrn: str | None = None

    def says(self, name: str) -> Any:
        """What the record says of a fact."""
        return self.rrn if name == RRN else getattr(self.resident, name)

    def take(self, name: str, value: Any) -> None:
        """Make it say that."""
        if name == RRN:
            self.rrn = value
        else:
            setattr(self.resident, name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """An open referral of which an agency knows, and what it was told of the resident."""

    id: UUID
    case_id: UUID
    resident_id: UUID
    worker_id: UUID | None
    provider_id: UUID
    disclosed: frozenset[str]


def take_facts(
    survivor: Record, duplicate: Record, keep: Mapping[str, MergeSide], *, shows_values: bool
) -> dict[str, Any]:
    """Fill the survivor's blanks and take what was chosen; returns what stood there before.

    Refused where one in which the two differ was not chosen, with all that differ and what each of
    the two says of it, where ``shows_values``; a registration number is shown by its own act only.
    Nor may one be born after their death by what was chosen.
    """
    differing = [name for name in (*FACTS, RRN) if _differ(name, survivor, duplicate)]
    undecided = [name for name in differing if name not in keep]
    if undecided:
        raise Invalid(
            "the two records differ; say of each field which is right",
            code="merge_conflict",
            about=[survivor.resident.id, duplicate.resident.id] if shows_values else [],
            errors=[
                {"field": f"keep.{name}", "message": "survivor or duplicate"} for name in undecided
            ],
            fields={name: _shown(name, survivor, duplicate, shows_values) for name in differing},
        )
    taken: dict[str, Any] = {}
    for name in (*FACTS, RRN):
        is_blank = survivor.says(name) is None and duplicate.says(name) is not None
        is_chosen = name in differing and keep[name] is MergeSide.DUPLICATE
        if is_blank or is_chosen:
            taken[name] = duplicate.says(name)
    now = replace(survivor.resident, **{name: to for name, to in taken.items() if name != RRN})
    check_born_before(now.birth_date, now.died_on, "keep.birth_date")
    before = {name: _stored(survivor.says(name)) for name in taken}
    for name, value in taken.items():
        survivor.take(name, value)
    return before


def _shown(name: str, survivor: Record, duplicate: Record, shows_values: bool) -> dict[str, Any]:
    """What each of the two says of a fact, for the supervisor to choose from."""
    is_told = shows_values and name != RRN
    sides = ((MergeSide.SURVIVOR, survivor), (MergeSide.DUPLICATE, duplicate))
    return {side.value: record.says(name) if is_told else None for side, record in sides}


def return_facts(before: Mapping[str, Any], survivor: Record, duplicate: Record) -> list[str]:
    """Undo ``take_facts``, but for what was written anew since; returns the facts.

    Refused where one would be born after a death that was recorded since.
    """
    returned = [name for name in before if survivor.says(name) == duplicate.says(name)]
    for name in returned:
        survivor.take(name, _read(name, before[name]))
    check_born_before(survivor.resident.birth_date, survivor.resident.died_on, "birth_date")
    return returned


def notices_of_change(
    requests: Iterable[tuple[OpenRequest, Resident, Resident]], act: Act
) -> list[Notice]:
    """What each agency is told: the facts, of those disclosed to it, that are others now.

    A request comes with the resident as its agency knew them, and as they are now; one who died
    since, or lives after all, needs other than what was asked.
    """
    requests = list(requests)
    found = []
    for request, was, now in requests:
        changed = [one for one in FACTS if one in request.disclosed and _changed(one, was, now)]
        if changed:
            kind, about = NoticeKind.RESIDENT_CHANGED, ",".join(changed)
            found.append(_notice(request, now, kind, about, act))
    return found + _notices_of_death(requests, act)


def _notices_of_death(
    requests: Iterable[tuple[OpenRequest, Resident, Resident]], act: Act
) -> list[Notice]:
    """At once, to whom nobody tells of a death: that they are to stop, or to go on after all."""
    found = []
    for request, was, now in requests:
        if (was.died_on is None) != (now.died_on is None):
            stops = now.died_on is not None
            kind = NoticeKind.REFERRAL_STOPPED if stops else NoticeKind.REFERRAL_HELD
            about = "to_stop" if stops else "goes_on"
            found.append(_notice(request, now, kind, about, act, at_once=True))
    return found


def _notice(
    request: OpenRequest,
    now: Resident,
    kind: NoticeKind,
    about: str,
    act: Act,
    *,
    at_once: bool = False,
) -> Notice:
    return Notice(
        id=act.new_id(),
        kind=kind,
        subject_type="referral",
        subject_id=request.id,
        case_id=request.case_id,
        centre_code=now.centre_code,
        district_code=now.district_code,
        worker_id=request.worker_id,
        provider_id=request.provider_id,
        tell=[PROVIDER],
        at_once=at_once,
        since=act.at,
        about=about,
    )


def _changed(name: str, was: Resident, now: Resident) -> bool:
    return bool(getattr(was, name) != getattr(now, name))


def _differ(name: str, survivor: Record, duplicate: Record) -> bool:
    one, other = survivor.says(name), duplicate.says(name)
    if one is None or other is None:
        return False
    if name == "name":
        return name_key(one) != name_key(other)
    return bool(digits_of(one) != digits_of(other) if name == "phone" else one != other)


def _stored(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _read(name: str, value: Any) -> Any:
    if name in ("birth_date", "died_on"):
        return None if value is None else date.fromisoformat(value)
    return coded({name: value})[name]

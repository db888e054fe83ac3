"""Care conferences: members entered once, an agenda of submitted plans, a decision for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.plan import Conference
from casework.domain.errors import Conflict, Invalid, require
from casework.domain.events import Event, EventMetadata
from casework.domain.planning.events import PlanPutOnAgenda

AGENDA_HOLDS: Final = 200  # plans in one meeting; more is a slip, or wants a second meeting


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaItem:
    """A submitted version of a plan that one meeting is to decide."""

    id: UUID
    conference_id: UUID
    plan_version_id: UUID
    case_id: UUID
    added_at: datetime
    added_by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A plan that awaits its decision: what an agenda is made of.

    ``follows`` is the day of what its decision follows, the determination.
    """

    case_id: UUID
    resident_id: UUID
    plan_version_id: UUID
    number: int
    follows: date


def check_members(members: Sequence[Mapping[str, str]], field: str = "members") -> None:
    """Refuse a meeting of nobody, and someone who sits in it twice."""
    require(members, "name who takes part", code="members_required", field=field)
    known = [(one["name"], one["agency"]) for one in members]
    require(
        len(set(known)) == len(known),
        "the same member twice",
        code="duplicate_member",
        field=field,
    )


def put_on_agenda(
    conference: Conference,
    case_ids: Sequence[UUID],
    submissions: Mapping[UUID, Submission | None],
    present: Collection[UUID],
    act: Act,
) -> tuple[list[AgendaItem], list[Event]]:
    """The new items of an agenda, all of them or none, each with its event.

    ``submissions`` has the cases that the actor sees, None for one whose plan is not submitted;
    ``present`` the plan versions that are on the agenda already, which stay there as they are.
    """
    found = _submitted(conference, case_ids, submissions)
    fresh = [one for one in found if one.plan_version_id not in present]
    require(
        len(present) + len(fresh) <= AGENDA_HOLDS,
        f"an agenda holds {AGENDA_HOLDS} plans at most",
        code="agenda_full",
        field="case_ids",
    )
    return (
        [_item(conference, one, act) for one in fresh],
        [_event(conference, one, act) for one in fresh],
    )


def _submitted(
    conference: Conference,
    case_ids: Sequence[UUID],
    submissions: Mapping[UUID, Submission | None],
) -> list[Submission]:
    """The submissions of the cases; refuses them all where one cannot be decided there."""
    found, wrong = [], []
    for n, id in enumerate(case_ids):
        one = submissions.get(id)
        if one is not None and one.follows <= conference.held_on:
            found.append(one)
        elif one is not None:
            wrong.append((n, "date_too_early", f"the meeting was before {one.follows}"))
        elif id in submissions:
            wrong.append((n, "plan_not_submitted", "its plan does not await a decision"))
        else:
            wrong.append((n, "unknown_case", "no such case"))
    if wrong:
        errors = [{"field": f"case_ids.{n}", "message": why} for n, _, why in wrong]
        raise Invalid("not all of them can be decided there", code=wrong[0][1], errors=errors)
    return found


def _item(conference: Conference, of: Submission, act: Act) -> AgendaItem:
    return AgendaItem(
        id=act.new_id(),
        conference_id=conference.id,
        plan_version_id=of.plan_version_id,
        case_id=of.case_id,
        added_at=act.at,
        added_by=act.by.id,
    )


def _event(conference: Conference, of: Submission, act: Act) -> Event:
    return PlanPutOnAgenda(
        EventMetadata.of(act, of.case_id, resident_id=of.resident_id, case_id=of.case_id),
        conference_id=conference.id,
        held_on=conference.held_on,
        plan_version=of.number,
    )


def correct_day(
    conference: Conference, on: date, reason: str, waiting: Iterable[Submission], act: Act
) -> None:
    """Put its day right and keep the former one; ``waiting`` is what it is still to decide."""
    require(reason.strip(), "say why", code="reason_required", field="reason")
    act.not_too_far(on, "held_on")
    act.not_before(on, max((one.follows for one in waiting), default=None), "held_on")
    if conference.held_on == on:
        return
    former = {
        "held_on": conference.held_on.isoformat(),
        "reason": reason,
        "corrected_at": act.at.isoformat(),
        "corrected_by": act.by.id and str(act.by.id),
    }
    conference.corrections = [*conference.corrections, former]
    conference.held_on = on


def is_held(conference: Conference, today: date) -> bool:
    """Whether its day has come: nothing is decided before."""
    return conference.held_on <= today


def check_held(conference: Conference, act: Act) -> None:
    """Refuse to record a decision before the day of the meeting."""
    if not is_held(conference, act.today):
        raise Conflict(
            f"the meeting is on {conference.held_on}",
            code="not_held_yet",
            held_on=conference.held_on,
        )

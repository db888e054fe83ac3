"""What may be done to a case now, by its state and the actor's role.

This table is the only place that says so; the moves themselves ask it before they change anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from casework.domain.access.policy import Actor, is_guest, may
from casework.domain.act import Act
from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import VersionStatus
from casework.domain.errors import Conflict, NotAllowedInState

PLANNABLE: Final = frozenset({CaseStatus.PLANNING, CaseStatus.SUPPORTED})
URGENT_PLANNABLE: Final = PLANNABLE | {CaseStatus.APPLIED, CaseStatus.SURVEYING}
ASSESSABLE: Final = PLANNABLE | {CaseStatus.SURVEYING}


def is_open(file: CaseFile) -> bool:
    """The episode goes on."""
    return file.case.is_open


def is_closed(file: CaseFile) -> bool:
    """The episode ended, and may turn out not to have."""
    return not file.case.is_open


def can_be_held(file: CaseFile) -> bool:
    """The episode goes on and is not held."""
    return file.case.is_open and file.case.resume_at is None


def can_be_resumed(file: CaseFile) -> bool:
    """The whole case is held."""
    return file.case.is_open and file.case.resume_at is not None


def at_any_time(_file: CaseFile) -> bool:
    """Whatever its state: a case is put under legal hold while it is open, closed or under one."""
    return True


def is_under_legal_hold(file: CaseFile) -> bool:
    """Nothing of it is deleted."""
    return file.case.legal_hold_review_on is not None


def awaits_pre_survey(file: CaseFile) -> bool:
    """The application was taken and nobody has asked the seven questions yet."""
    return file.case.status == CaseStatus.APPLIED


def can_be_assessed(file: CaseFile) -> bool:
    """The pre-survey was taken; after the determination it is a reassessment."""
    return file.case.status in ASSESSABLE


def may_plan(file: CaseFile) -> bool:
    """A plan may be made: an urgent case need not wait for the determination."""
    return file.case.status in (URGENT_PLANNABLE if file.case.urgent else PLANNABLE)


def may_draft(file: CaseFile) -> bool:
    """A plan may be made, and none is waiting for its decision."""
    return may_plan(file) and file.version_in(VersionStatus.SUBMITTED) is None


def may_submit(file: CaseFile) -> bool:
    """A draft is there, and the determination, which even an urgent case needs by now."""
    return file.case.status in PLANNABLE and file.version_in(VersionStatus.DRAFT) is not None


def awaits_decision(file: CaseFile) -> bool:
    """A version of the plan was submitted."""
    return file.case.status in PLANNABLE and file.version_in(VersionStatus.SUBMITTED) is not None


def can_be_notified(file: CaseFile) -> bool:
    """A plan is in force, of which the resident is to be notified."""
    return is_open(file) and file.in_force is not None


def can_be_checked(file: CaseFile) -> bool:
    """The resident is supported by an approved plan."""
    return file.case.status == CaseStatus.SUPPORTED


@dataclass(frozen=True, slots=True)
class CaseMove:
    """Which action of the access policy a move belongs to, and what it asks of the case."""

    action: str
    is_possible: Callable[[CaseFile], bool]


CASE_MOVES: Final[dict[str, CaseMove]] = {
    "pre-survey": CaseMove("case.write", awaits_pre_survey),
    "assessments": CaseMove("assessment.write", can_be_assessed),
    "draft": CaseMove("case.write", may_draft),
    "submit": CaseMove("case.write", may_submit),
    "decision": CaseMove("plan.decide", awaits_decision),
    "notified": CaseMove("case.write", can_be_notified),
    "checks": CaseMove("case.write", can_be_checked),
    "signals": CaseMove("case.write", is_open),
    "assign": CaseMove("case.supervise", is_open),
    "transfer": CaseMove("case.supervise", is_open),
    "hold": CaseMove("case.write", can_be_held),
    "resume": CaseMove("case.write", can_be_resumed),
    "close": CaseMove("case.write", is_open),
    "reopen": CaseMove("case.supervise", is_closed),
    "legal-hold": CaseMove("case.supervise", at_any_time),
    "end-legal-hold": CaseMove("case.supervise", is_under_legal_hold),
}


def drafted_by(file: CaseFile, actor: Actor) -> bool:
    """Whether the version that awaits its decision is the actor's own work."""
    version = file.version_in(VersionStatus.SUBMITTED)
    return version is not None and actor.id in (version.drafted_by, version.submitted_by)


def allowed_actions(file: CaseFile, actor: Actor) -> list[str]:
    """What this actor may do to the case, in the table's order. Needs the plan's versions."""
    if is_guest(actor, file.case):
        return []
    return [
        name
        for name, move in CASE_MOVES.items()
        if may(actor, move.action)
        and move.is_possible(file)
        and not (name == "decision" and drafted_by(file, actor))
    ]


def check_possible(file: CaseFile, name: str, act: Act) -> None:
    """Refuse a move that the state does not allow."""
    if not CASE_MOVES[name].is_possible(file):
        raise refusal(file, name, act)


def refusal(file: CaseFile, name: str, act: Act) -> NotAllowedInState:
    """The refusal of a move, with the state that stands against it and what is possible instead."""
    waits = name == "draft" and may_plan(file)
    state = VersionStatus.SUBMITTED if waits else file.case.status
    return NotAllowedInState(name, state, allowed_actions(file, act.by))


def conflict(file: CaseFile, act: Act, detail: str, *, code: str, **facts: Any) -> Conflict:
    """A refusal for another reason than the state, which says all the same what is possible."""
    return Conflict(
        detail,
        code=code,
        state=file.case.status,
        allowed_actions=allowed_actions(file, act.by),
        **facts,
    )

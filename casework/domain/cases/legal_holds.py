"""Putting a case under legal hold, looking at it again, and ending it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from casework.domain.act import Act
from casework.domain.casefile.case_moves import check_possible
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.events import LegalHoldEnded, LegalHoldPlaced
from casework.domain.casefile.retained import LegalHold
from casework.domain.errors import require


def place(file: CaseFile, reason: str, review_on: date, act: Act) -> None:
    """Put a case under legal hold until somebody ends it; at most a year until it is reviewed.

    One that stands is ended by that: placing it anew is how it is reviewed and goes on.
    """
    check_possible(file, "legal-hold", act)
    require(reason.strip(), "say why", code="note_required", field="reason")
    require(
        review_on > act.today,
        "a hold is reviewed on a later day",
        code="date_too_early",
        field="review_on",
    )
    act.not_too_far(review_on, "review_on")
    case = file.case
    if case.legal_hold_review_on is not None:
        _end(file, reason, act)
    hold = LegalHold(at=act.at, by=act.by.id, reason=reason, review_on=review_on)
    case.legal_holds = (*case.legal_holds, hold)
    case.legal_hold_review_on = review_on
    file.record(LegalHoldPlaced(file.meta(case, act), review_on=review_on))


def end(file: CaseFile, reason: str, act: Act) -> None:
    """End the legal hold of a case; what is past its time is deleted by the next run."""
    check_possible(file, "end-legal-hold", act)
    require(reason.strip(), "say why", code="note_required", field="reason")
    _end(file, reason, act)
    file.case.legal_hold_review_on = None
    file.record(LegalHoldEnded(file.meta(file.case, act)))


def _end(file: CaseFile, reason: str, act: Act) -> None:
    *former, last = file.case.legal_holds
    ended = replace(last, ended_at=act.at, ended_by=act.by.id, end_reason=reason)
    file.case.legal_holds = (*former, ended)

"""Further rows of a case that was taken over: the same again, another service, or another word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casework.domain.act import Act
from casework.domain.casefile.case_moves import conflict
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import PlanVersion
from casework.domain.cases.taking_over import RunningService, taken_version
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.errors import Conflict, Invalid
from casework.domain.residents.resident import Consent


def stands_there(file: CaseFile, taken: RunningService | None) -> bool:
    """Whether the plan that was taken over has the service; always, where none is named."""
    return taken is None or any(taken.is_of(item) for item in _first(file).services)


def already_taken_over(file: CaseFile, act: Act) -> Conflict:
    """The refusal of what stands there already."""
    return conflict(file, act, "it was taken over before", code="already_taken_over")


def check_further(
    file: CaseFile, said: Mapping[str, Any], consent: Consent | None, act: Act
) -> None:
    """Refuse a further row that says otherwise than its case stands, or comes too late.

    ``said`` are the columns of the row, the worker by id; what it leaves empty says nothing. Needs
    the file with its checks, and the ``consent`` that its application rests on.
    """
    taken_version(file, act)
    for name, stands in _words(file, consent).items():
        word = said[name]
        if word != stands and (word or name == "urgent"):
            raise _otherwise(name)


def check_beside(file: CaseFile, taken: RunningService) -> None:
    """Refuse a service that stands there for the same time from another day or by another agency.

    It is the row of before put right, and would be a second service beside the first.
    """
    for item in _first(file).services:
        if taken.is_at_once_with(item):
            raise _otherwise("starts_on" if taken.starts_on != item.starts_on else "agency")


def _otherwise(field: str) -> Invalid:
    return Invalid(
        "an earlier row of this case says otherwise", code="taken_over_otherwise", field=field
    )


def _first(file: CaseFile) -> PlanVersion:
    return min(file.versions, key=lambda one: one.number)


def _words(file: CaseFile, consent: Consent | None) -> dict[str, Any]:
    """What the case says now, by the columns that said it."""
    case, version = file.case, _first(file)
    taken = [
        one
        for one in file.checks.values()
        if one.recorded_at == case.taken_over_at and one.was_made
    ]
    checks = sorted(taken, key=lambda one: one.checked_on)
    first, last = (checks[0], checks[-1]) if checks else (None, None)
    agreed = (
        {"consent_given_on": consent.given_on, "consent_given_by": consent.given_by}
        if consent
        else {}
    )
    return {
        "channel": case.channel,
        "applied_on": case.applied_on,
        **agreed,
        "urgent": case.urgent,
        "urgent_reason": case.urgent_reason,
        "ex_officio_ground": case.ex_officio_ground,
        "surveyed_on": case.surveyed_at and day_in_seoul(case.surveyed_at),
        "determined_on": case.determined_on,
        "determination": case.determination,
        "approved_on": case.first_approved_on,
        "goals": version.goals,
        "heard_on": version.heard_on,
        "heard_from": version.heard_from,
        "notified_on": case.notified_on,
        "notified_to": case.notified_to,
        "first_checked_on": first and first.checked_on,
        "last_checked_on": last and last.checked_on,
        "next_check_on": last and last.next_check_on,
        "findings": last and last.findings,
        "former_number": case.former_number,
        "worker": case.worker_id,
    }

"""Response views of residents, cases and plans."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from casework.adapters.api.shared.views import agency_of, deadline, fields_of, instant
from casework.adapters.http.responses import WithETag
from casework.domain.access.policy import Actor, may
from casework.domain.casefile.case import Assessment, Case, Check, Signal
from casework.domain.casefile.case_moves import allowed_actions
from casework.domain.casefile.correction import Correction
from casework.domain.casefile.retained import LegalHold, retained_through
from casework.domain.privacy.masks import masked, sees_clock
from casework.workflows.ports.casefile import CaseView
from casework.workflows.ports.paging import Row

CASE_FIELDS = (
    "id",
    "number",
    "resident_id",
    "status",
    "channel",
    "applied_on",
    "discharge_on",
    "urgent",
    "urgent_reason",
    "ex_officio_ground",
    "consent_id",
    "opened_at",
    "opened_by",
    "worker_id",
    "centre_code",
    "district_code",
    "dementia_medicine",
    "activities",
    "score",
    "route",
    "guidance",
    "surveyed_at",
    "sent_for_assessment_at",
    "determination",
    "determined_at",
    "determined_on",
    "first_approved_on",
    "notified_on",
    "notified_to",
    "last_checked_on",
    "taken_over_at",
    "former_number",
    "closed_at",
    "closed_reason",
    "effective_on",
    "closing_note",
    "legal_hold_review_on",
)
ROW_FIELDS = (
    "id",
    "number",
    "resident_id",
    "status",
    "channel",
    "applied_on",
    "discharge_on",
    "urgent",
    "opened_at",
    "worker_id",
    "centre_code",
    "district_code",
    "score",
    "route",
    "determination",
    "closed_at",
    "closed_reason",
    "legal_hold_review_on",
)
READ = "case.read"


# Residents


# Cases


def case(view: CaseView, actor: Actor, now: datetime) -> WithETag:
    """A case with all that belongs to it and what this actor may do to it now."""
    it, file = view.file.case, view.file
    clocks = sorted(file.deadlines.values(), key=lambda one: (one.started_at, one.id))
    body = fields_of(it, CASE_FIELDS) | {
        "resident": {
            "id": it.resident_id,
            "name": view.resident_name,
            "died_on": file.died_on,
        },
        "hold": hold(it) if it.is_on_hold(now) else None,
        "retained_through": it.closed_at and retained_through(it.closed_at, view.retention_years),
        "legal_holds": [legal_hold(one) for one in it.legal_holds],
        "worker": {"id": it.worker_id, "name": view.worker_name} if it.worker_id else None,
        "deadlines": [
            masked(deadline(clock, now), actor, READ, "deadline")
            for clock in clocks
            if sees_clock(actor, clock)
        ],
        "referrals": _case_referrals(view),
        "assessments": [assessment(one) for one in view.assessments],
        "checks": [check(one) for one in view.checks],
        "corrections": [correction(one) for one in view.corrections],
        "signals": [signal(one, actor) for one in file.signals.values()],
        "allowed_actions": allowed_actions(file, actor),
    }
    return WithETag(masked(body, actor, READ, "case"), it.version)


def hold(it: Case) -> dict[str, Any]:
    """Why the whole case rests, from when until when, and who said so."""
    return {
        "reason": it.hold_reason,
        "from": it.hold_from,
        "until": it.hold_until,
        "by": it.held_by,
    }


def legal_hold(it: LegalHold) -> dict[str, Any]:
    """Why nothing of a case is deleted, until when it was so, and who said so."""
    names = ("at", "by", "reason", "review_on", "ended_at", "ended_by", "end_reason")
    return fields_of(it, names)


def _case_referrals(view: CaseView) -> list[dict[str, Any]]:
    """The referrals of a case."""
    return [
        fields_of(
            one,
            (
                "id",
                "status",
                "priority",
                "planned_service_id",
                "service_code",
                "field",
                "requested_at",
            ),
        )
        | {"provider": agency_of(view.providers, one.provider_id)}
        for one in view.file.referrals.values()
    ]


def case_row(row: Row, actor: Actor) -> dict[str, Any]:
    """A case in a list."""
    values = {name: row[name] for name in ROW_FIELDS}
    body = {k: instant(v) if isinstance(v, datetime) else v for k, v in values.items()} | {
        "resident": {
            "id": row["resident_id"],
            "name": row["resident_name"],
            "died_on": row["resident_died_on"],
        }
    }
    return masked(body, actor, READ, "case row")


def surveyed(view: CaseView, actor: Actor, now: datetime) -> WithETag:
    """What the pre-survey came to."""
    shown = case(view, actor, now)
    it: Case = view.file.case
    return WithETag({"score": it.score, "route": it.route, "case": dict(shown)}, shown.etag)


def assessment(it: Assessment) -> dict[str, Any]:
    """What an assessor found."""
    return fields_of(
        it,
        (
            "id",
            "case_id",
            "assessed_on",
            "received_on",
            "assessor",
            "determination",
            "needs",
            "recorded_at",
            "recorded_by",
        ),
    )


def check(it: Check) -> dict[str, Any]:
    """A look at how things go."""
    return fields_of(
        it,
        (
            "id",
            "case_id",
            "checked_on",
            "findings",
            "goals",
            "next_check_on",
            "recorded_at",
            "recorded_by",
            "entered_in_error_at",
            "entered_in_error_by",
            "entered_in_error_reason",
        ),
    )


def correction(it: Correction) -> dict[str, Any]:
    """What was put right, and why."""
    return fields_of(it, ("id", "fields", "before", "reason", "corrected_at", "corrected_by")) | {
        "subject": {"type": it.subject_type, "id": it.subject_id}
    }


def signal(it: Signal, actor: Actor) -> WithETag:
    """Something that changed, and what was done about it."""
    waits = it.answered_at is None and may(actor, "case.write")
    return WithETag(
        fields_of(
            it,
            (
                "id",
                "case_id",
                "kind",
                "note",
                "referral_id",
                "deadline_id",
                "raised_at",
                "raised_by",
                "answered_at",
                "answered_by",
                "answer",
            ),
        )
        | {"allowed_actions": ["answer"] if waits else []},
        it.version,
    )


# Plans

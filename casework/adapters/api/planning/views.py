"""Response views of plans, planned services and meetings."""

from __future__ import annotations

from typing import Any

from casework.adapters.api.shared.views import agency_of, fields_of, instant, number
from casework.adapters.http.responses import WithETag
from casework.domain.access.policy import Actor, may
from casework.domain.casefile.case_moves import allowed_actions
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import (
    Conference,
    PlannedItem,
    PlannedService,
    PlanVersion,
    VersionStatus,
)
from casework.domain.casefile.referral import Referral
from casework.domain.planning.settling import may_settle
from casework.domain.privacy.masks import masked
from casework.workflows.ports.casefile import PlanView

READ = "case.read"
PLAN_MOVES = ("draft", "submit", "decision", "notified")


def plan(view: PlanView, actor: Actor, warnings: list[dict[str, Any]]) -> WithETag:
    """The version in force, the one that is being made or decided, and all of them."""
    file = view.file
    draft = file.version_in(VersionStatus.DRAFT, VersionStatus.SUBMITTED)
    numbered = sorted(file.versions, key=lambda version: version.number)
    shown = {one.number: _version(view, one, actor) for one in numbered}
    allowed = allowed_actions(file, actor)
    return WithETag(
        {
            "case_id": file.case.id,
            "case_number": file.case.number,
            "in_force": shown[file.in_force.number] if file.in_force else None,
            "draft": shown[draft.number] if draft else None,
            "versions": list(shown.values()),
            "warnings": warnings,
            "allowed_actions": [move for move in PLAN_MOVES if move in allowed],
        },
        file.case.plan_revision,
    )


def submitted(view: PlanView, number: int, warnings: list[dict[str, Any]]) -> WithETag:
    """What a decision on a version must name."""
    version = next(one for one in view.file.versions if one.number == number)
    body = {"version": number, "hash": version.hash, "warnings": warnings}
    return WithETag(body, view.file.case.plan_revision)


def _version(view: PlanView, it: PlanVersion, actor: Actor) -> dict[str, Any]:
    return {
        "version": it.number,
        "status": it.status,
        "hash": it.hash,
        "goals": it.goals,
        "services": [_item(view, item, actor) for item in it.services],
        "heard": {"on": it.heard_on, "from": it.heard_from},
        "drafted_at": instant(it.drafted_at),
        "drafted_by": it.drafted_by,
        "submitted_at": instant(it.submitted_at),
        "submitted_by": it.submitted_by,
        "decision": _decision(view, it),
    }


def _decision(view: PlanView, it: PlanVersion) -> dict[str, Any] | None:
    if it.decision is None:
        return None
    met = view.conferences.get(it.conference_id) if it.conference_id else None
    return {
        "decision": it.decision,
        "decided_on": it.decided_on,
        "decided_at": instant(it.decided_at),
        "decided_by": it.decided_by,
        "conference": dict(conference(met)) if met else None,
        "without_meeting_reason": it.without_meeting_reason,
        "reason": it.decision_reason,
    }


def _item(view: PlanView, item: PlannedItem, actor: Actor) -> dict[str, Any]:
    """What a version says of a planned service, and how that one stands now."""
    service = view.file.service(item.id)
    body = _service(view.file, service, actor) | {
        "content": item.content,
        "quantity": number(item.quantity),
        "unit": item.unit,
        "per": item.per,
        "starts_on": item.starts_on,
        "ends_on": item.ends_on,
        "provider_id": item.provider_id,
        "provider": agency_of(view.providers, item.provider_id) if item.provider_id else None,
        "referrals": [_plan_referral(view, one) for one in view.file.referrals_of(service)],
    }
    return masked(body, actor, READ, "planned service")


def _plan_referral(view: PlanView, it: Referral) -> dict[str, Any]:
    agency = view.providers[it.provider_id]
    return {
        "id": it.id,
        "status": it.status,
        "provider": {"id": it.provider_id, "name": agency["name"]},
    }


def planned_service(file: CaseFile, service: PlannedService, actor: Actor) -> WithETag:
    """A planned service as it stands now."""
    return WithETag(
        _service(file, service, actor)
        | {"case_id": service.case_id, "case_number": file.case.number},
        service.version,
    )


def _service(file: CaseFile, it: PlannedService, actor: Actor) -> dict[str, Any]:
    open_to_this = may(actor, "case.write") and may_settle(file, it)
    return {
        "id": it.id,
        "service_code": it.service_code,
        "field": it.field,
        "status": it.status,
        "settled": file.is_settled(it),
        "settlement": it.settlement,
        "settlement_note": it.settlement_note,
        "settled_at": instant(it.settled_at),
        "allowed_actions": ["settle"] if open_to_this else [],
    }


def conference(it: Conference) -> WithETag:
    """A meeting; what was held does not change."""
    return WithETag(
        fields_of(it, ("id", "district_code", "held_on", "members", "recorded_at", "recorded_by")),
        1,
    )

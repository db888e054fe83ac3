"""What goes out about residents, cases and plans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from casework.adapters.api.render import deadline, instant
from casework.adapters.http.call import WithETag
from casework.domain.access.policy import Actor, is_guest, may
from casework.domain.casefile.allowed import allowed_actions
from casework.domain.casefile.case import Assessment, Case, Check, Signal
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import (
    Conference,
    PlannedItem,
    PlannedService,
    PlanVersion,
    VersionStatus,
)
from casework.domain.casefile.referral import Referral
from casework.domain.planning.planning import may_settle
from casework.domain.privacy.disclosures import Disclosure
from casework.domain.privacy.masks import State, covered, sees_clock
from casework.domain.residents.registration_numbers import has_checksum, written
from casework.domain.residents.resident import Consent, Contact, Note, Resident
from casework.workflows.ports.casefile import CaseView, PlanView
from casework.workflows.ports.paging import Row

RESIDENT_FIELDS = (
    "id",
    "name",
    "birth_date",
    "sex",
    "centre_code",
    "district_code",
    "address",
    "phone",
    "lives_alone",
    "mobility",
    "ltc_grade",
    "disability",
    "insurance",
    "income_tier",
    "registered_at",
    "registered_by",
)
CASE_FIELDS = (
    "id",
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
    "first_approved_on",
    "notified_on",
    "notified_to",
    "last_checked_on",
    "closed_at",
    "closed_reason",
    "effective_on",
    "closing_note",
)
ROW_FIELDS = (
    "id",
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
)
CONSENT_FIELDS = (
    "id",
    "resident_id",
    "purpose",
    "given_by",
    "given_on",
    "recipients",
    "expires_on",
    "recorded_at",
    "recorded_by",
    "withdrawn_at",
    "withdrawn_by",
    "withdrawal_reason",
)
READ = "case.read"
PLAN_MOVES = ("draft", "submit", "decision", "notified")


def _fields(of: Any, names: Sequence[str]) -> dict[str, Any]:
    """Fields as they are called, instants with Seoul's offset."""
    values = {name: getattr(of, name) for name in names}
    return {k: instant(v) if isinstance(v, datetime) else v for k, v in values.items()}


# Residents


def resident(
    it: Resident, contacts: Sequence[Contact], cases: Sequence[Row], actor: Actor
) -> WithETag:
    """A resident with the people close to them and their cases."""
    writes = may(actor, "case.write") and not is_guest(actor, it)
    body = _fields(it, RESIDENT_FIELDS) | {
        "contacts": [_contact(one, actor) for one in contacts],
        "cases": [{name: row[name] for name in ("id", "status", "applied_on")} for row in cases],
        "allowed_actions": ["consents", "notes"] if writes else [],
    }
    return WithETag(covered(body, actor, READ, "resident"), it.version)


def _contact(it: Contact, actor: Actor) -> dict[str, Any]:
    """Someone close to the resident; one who is not to be told is not for everyone to call."""
    body = _fields(it, ("name", "relation", "phone", "may_be_told"))
    states = () if it.may_be_told else (State.NOT_TO_BE_TOLD,)
    return covered(body, actor, READ, "contact", states)


def found_resident(found: tuple[Resident, list[Row] | None], actor: Actor) -> dict[str, Any]:
    """A resident who was searched for, with open referrals where these were asked for."""
    it, referrals = found
    body = _fields(it, ("id", "name", "birth_date", "sex", "centre_code", "phone", "address"))
    if referrals is not None:
        body["open_referrals"] = [
            {
                "id": row["id"],
                "service_code": row["service_code"],
                "status": row["status"],
                "provider": {
                    "id": row["provider_id"],
                    "name": row["provider_name"],
                    "phone": row["provider_phone"],
                },
            }
            for row in referrals
        ]
    return covered(body, actor, READ, "found resident")


def consent(it: Consent, actor: Actor, *, is_guests: bool = False) -> WithETag:
    """A consent, and whether it can be withdrawn: not by a guest, who only looks."""
    lasts = it.withdrawn_at is None and may(actor, "case.write") and not is_guests
    body = _fields(it, CONSENT_FIELDS) | {"allowed_actions": ["withdraw"] if lasts else []}
    return WithETag(covered(body, actor, READ, "consent"), it.version)


def consents(resident: Resident, given: list[Consent], actor: Actor) -> list[dict[str, Any]]:
    """All the consents of a resident."""
    guest = is_guest(actor, resident)
    return [dict(consent(one, actor, is_guests=guest)) for one in given]


def disclosure(it: Disclosure) -> dict[str, Any]:
    """What was told of a resident: the names of the fields, never what stood in them."""
    basis = {"kind": it.basis_kind} | ({"consent_id": it.consent_id} if it.consent_id else {})
    return {
        "id": it.id,
        "at": instant(it.at),
        "to": {"kind": it.to_kind, "id": it.to_id, "name": it.to_name},
        "what": it.what,
        "basis": basis,
        "by": it.by,
        "referral_id": it.referral_id,
        "case_id": it.case_id,
        "consent_withdrawn_at": instant(it.consent_withdrawn_at),
    }


def note(it: Note) -> dict[str, Any]:
    """A contact note."""
    return _fields(
        it, ("id", "resident_id", "kind", "text", "come_back_on", "written_at", "written_by")
    ) | {"with": it.with_whom}


# Cases


def case(view: CaseView, actor: Actor, now: datetime) -> WithETag:
    """A case with all that belongs to it and what this asker may do to it now."""
    it, file = view.file.case, view.file
    clocks = sorted(file.deadlines.values(), key=lambda one: (one.started_at, one.id))
    body = _fields(it, CASE_FIELDS) | {
        "resident": {"id": it.resident_id, "name": view.resident_name},
        "worker": {"id": it.worker_id, "name": view.worker_name} if it.worker_id else None,
        "deadlines": [
            covered(deadline(clock, now), actor, READ, "deadline")
            for clock in clocks
            if sees_clock(actor, clock)
        ],
        "referrals": _case_referrals(view),
        "assessments": [assessment(one) for one in view.assessments],
        "checks": [check(one) for one in view.checks],
        "signals": [signal(one, actor) for one in file.signals.values()],
        "allowed_actions": allowed_actions(file, actor),
    }
    return WithETag(covered(body, actor, READ, "case"), it.version)


def _case_referrals(view: CaseView) -> list[dict[str, Any]]:
    """The referrals of a case."""
    return [
        _fields(
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
        | {"provider": _agency(view.providers, one.provider_id)}
        for one in view.file.referrals.values()
    ]


def _agency(providers: Any, id: UUID) -> dict[str, Any]:
    known = providers[id]
    return {"id": id, "name": known["name"], "phone": known["phone"]}


def case_row(row: Row, actor: Actor) -> dict[str, Any]:
    """A case in a list."""
    values = {name: row[name] for name in ROW_FIELDS}
    body = {k: instant(v) if isinstance(v, datetime) else v for k, v in values.items()} | {
        "resident": {"id": row["resident_id"], "name": row["resident_name"]}
    }
    return covered(body, actor, READ, "case row")


def surveyed(view: CaseView, actor: Actor, now: datetime) -> WithETag:
    """What the pre-survey came to."""
    shown = case(view, actor, now)
    it: Case = view.file.case
    return WithETag({"score": it.score, "route": it.route, "case": dict(shown)}, shown.etag)


def assessment(it: Assessment) -> dict[str, Any]:
    """What an assessor found."""
    return _fields(
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
    return _fields(
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
        ),
    )


def signal(it: Signal, actor: Actor) -> WithETag:
    """Something that changed, and what was done about it."""
    waits = it.answered_at is None and may(actor, "case.write")
    return WithETag(
        _fields(
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


def plan(view: PlanView, actor: Actor) -> WithETag:
    """The version in force, the one that is being made or decided, and all of them."""
    file = view.file
    draft = file.version_in(VersionStatus.DRAFT, VersionStatus.SUBMITTED)
    numbered = sorted(file.versions, key=lambda version: version.number)
    shown = {one.number: _version(view, one, actor) for one in numbered}
    allowed = allowed_actions(file, actor)
    return WithETag(
        {
            "case_id": file.case.id,
            "in_force": shown[file.in_force.number] if file.in_force else None,
            "draft": shown[draft.number] if draft else None,
            "versions": list(shown.values()),
            "allowed_actions": [move for move in PLAN_MOVES if move in allowed],
        },
        file.case.plan_revision,
    )


def submitted(view: PlanView, number: int) -> WithETag:
    """What a decision on a version must name."""
    version = next(one for one in view.file.versions if one.number == number)
    return WithETag({"version": number, "hash": version.hash}, view.file.case.plan_revision)


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
        "quantity": _number(item.quantity),
        "unit": item.unit,
        "per": item.per,
        "starts_on": item.starts_on,
        "ends_on": item.ends_on,
        "provider_id": item.provider_id,
        "provider": _agency(view.providers, item.provider_id) if item.provider_id else None,
        "referrals": [_plan_referral(view, one) for one in view.file.referrals_of(service)],
    }
    return covered(body, actor, READ, "planned service")


def _plan_referral(view: PlanView, it: Referral) -> dict[str, Any]:
    agency = view.providers[it.provider_id]
    return {
        "id": it.id,
        "status": it.status,
        "provider": {"id": it.provider_id, "name": agency["name"]},
    }


def planned_service(file: CaseFile, service: PlannedService, actor: Actor) -> WithETag:
    """A planned service as it stands now."""
    return WithETag(_service(file, service, actor) | {"case_id": service.case_id}, service.version)


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
        _fields(it, ("id", "district_code", "held_on", "members", "recorded_at", "recorded_by")), 1
    )


def _number(quantity: Decimal) -> int | float:
    return int(quantity) if quantity == quantity.to_integral_value() else float(quantity)


def number(rrn: str | None) -> dict[str, Any]:
    """A registration number, for whoever asked to see it."""
    if rrn is None:
        return {"rrn": None, "checksum": None}
    return {"rrn": written(rrn), "checksum": has_checksum(rrn)}

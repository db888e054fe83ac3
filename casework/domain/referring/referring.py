"""Referring: requests to providers, redirection, and dispositions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from casework.domain.access.policy import Actor, may
from casework.domain.act import Act
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import PlannedService, ServiceStatus
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_events import ReferralDisposed, ReferralDrafted
from casework.domain.casefile.referral_moves import Party
from casework.domain.casefile.states import BasisKind, CancelReason, Disposition, ReferralStatus
from casework.domain.clocks.standards import ClockKind, Priority
from casework.domain.directory.directory import Offering
from casework.domain.errors import Conflict, Forbidden, Invalid, NotAllowedInState, one_of, require
from casework.domain.planning.settling import note_settlement
from casework.domain.referring.details import Details
from casework.domain.referring.disclosure_basis import (
    DISCLOSED,
    check_basis,
    check_offering,
    check_plan,
)
from casework.domain.referring.moving import (
    allowed_actions,
    check_move,
    earliest_request,
    make_move,
    move,
    refused,
    resume_after_hold,
)
from casework.domain.residents.death import check_lives
from casework.domain.residents.resident import Consent

__all__ = [
    "DISCLOSED",
    "Details",
    "Request",
    "allowed_actions",
    "dispose",
    "move",
    "redirect",
    "refer",
    "replace_at_once",
    "resume_after_hold",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of whom, and on which basis the resident's data goes there."""

    offering: Offering
    priority: Priority
    basis_kind: BasisKind
    consent: Consent | None = None
    message: str | None = None
    send: bool = True
    requested_on: date | None = None
    outside_area_reason: str | None = None
    replaces: UUID | None = None


def refer(file: CaseFile, service: PlannedService, request: Request, act: Act) -> Referral:
    """Make a referral for a planned service, and send it unless it is to stay a draft.

    One that ``replaces`` another is the ``re_refer`` disposition of that one.
    """
    _check_sender(act.by)
    replaced = _replaced(file, service, request.replaces)
    _check_request(file, service, request, act)
    referral = _draft(file, service, request, act)
    if replaced is not None:
        _dispose(file, replaced, Disposition.RE_REFER, None, act, replaced_by=referral)
    _announce(file, service, referral, request, act)
    return referral


def _announce(
    file: CaseFile, service: PlannedService, referral: Referral, request: Request, act: Act
) -> None:
    """Write the new referral down and send it, unless it is to stay a draft."""
    if not request.send:
        file.update_link_clock(service, act)
    file.record(
        ReferralDrafted(
            file.meta(referral, act),
            status=referral.status,
            planned_service_id=service.id,
            provider_id=referral.provider_id,
            priority=referral.priority,
            replaces=referral.replaces_id,
        )
    )
    if request.send:
        make_move(file, referral, "send", Details(requested_on=request.requested_on), act)


def _draft(file: CaseFile, service: PlannedService, request: Request, act: Act) -> Referral:
    case = file.case
    referral = Referral(
        id=act.new_id(),
        case_id=case.id,
        resident_id=case.resident_id,
        centre_code=case.centre_code,
        district_code=case.district_code,
        planned_service_id=service.id,
        service_code=service.service_code,
        field=service.field,
        offering_id=request.offering.id,
        provider_id=request.offering.provider_id,
        status=ReferralStatus.DRAFT,
        priority=request.priority,
        basis_kind=request.basis_kind,
        consent_id=request.consent.id if request.consent else None,
        message=request.message,
        outside_area_reason=request.outside_area_reason,
        created_at=act.at,
        created_by=act.by.id,
        replaces_id=request.replaces,
    )
    file.referrals[referral.id] = referral
    return referral


def _check_sender(by: Actor) -> None:
    if not may(by, Party.SENDER):
        raise Forbidden(f"{by.role} may not do this")


def _check_request(
    file: CaseFile,
    service: PlannedService,
    request: Request,
    act: Act,
    *,
    instead_of: Referral | None = None,
) -> None:
    """Rules 2 and 3; ``instead_of`` is a referral that ends in the same act."""
    if not file.case.is_open or service.status == ServiceStatus.DROPPED:
        raise NotAllowedInState("refer", file.case.status, [])
    check_lives(file.died_on)
    check_offering(file, service, request.offering, request.outside_area_reason, act)
    check_basis(file, request.basis_kind, request.consent, request.offering, act)
    require(
        request.send or request.requested_on is None,
        "a draft was not sent on any day",
        code="requested_on_of_a_draft",
        field="requested_on",
    )
    act.dated(request.requested_on, earliest_request(file, service), "requested_on")
    if request.send:
        check_plan(file, service, act)
    for other in file.referrals_of(service):
        same = other.provider_id == request.offering.provider_id
        if same and other.is_open and other is not instead_of:
            raise Conflict(
                "this provider has an open request for this service",
                code="open_referral_exists",
                state=other.status,
            )


def _replaced(file: CaseFile, service: PlannedService, id: UUID | None) -> Referral | None:
    if id is None:
        return None
    replaced = file.referrals.get(id)
    if replaced is None or replaced.planned_service_id != service.id:
        raise Invalid(
            "no such referral of this planned service", code="unknown_referral", field="replaces"
        )
    if not replaced.owes_disposition:
        raise Conflict("it owes no disposition", code="nothing_to_replace", state=replaced.status)
    return replaced


def dispose(
    file: CaseFile,
    referral: Referral,
    disposition: str,
    note: str | None,
    act: Act,
    *,
    offering: Offering | None = None,
    consent: Consent | None = None,
    replaced_by: UUID | None = None,
) -> Referral | None:
    """Say what happens instead (rule 8). ``re_refer`` asks the given offering, in one act.

    Priority and basis are copied; the basis is judged again. Where another open referral of the
    same planned service stands in for it already, ``replaced_by`` names that one and nobody is
    asked anew. Returns the new referral, if any.
    """
    _check_sender(act.by)
    if not referral.owes_disposition or not file.case.is_open:
        raise refused(file, referral, "dispose", act)
    chosen = one_of(Disposition, disposition, code="disposition_unknown", field="disposition")
    service = file.service(referral.planned_service_id)
    if replaced_by is not None:
        _dispose_by(file, referral, chosen, replaced_by, act)
        return None
    if chosen is Disposition.RE_REFER:
        if offering is None:
            raise Invalid(
                "name the offering to ask next", code="offering_required", field="offering_id"
            )
        return refer(file, service, _again(referral, offering, consent), act)
    _refuse_over_open(file, service)
    _dispose(file, referral, chosen, note, act)
    return None


def replace_at_once(
    file: CaseFile, referral: Referral, offering: Offering, consent: Consent | None, act: Act
) -> Referral | None:
    """Ask the next agency in the act that recorded a decline: another than the one that did."""
    _check_other(referral, offering, "replace_with")
    return dispose(
        file, referral, Disposition.RE_REFER, None, act, offering=offering, consent=consent
    )


def _check_other(referral: Referral, offering: Offering, field: str) -> None:
    """Refuse to turn from an offering to the same one."""
    require(
        offering.id != referral.offering_id,
        "it was asked just now: name another",
        code="same_offering",
        field=field,
    )


def _refuse_over_open(file: CaseFile, service: PlannedService) -> None:
    """While another referral of the service is open, nothing but ``re_refer`` is true of it."""
    for other in file.referrals_of(service):
        if other.is_open:
            raise Conflict(
                "another referral of this planned service is open",
                code="referral_open",
                state=other.status,
                referrals=[other.id],
            )


def _dispose_by(
    file: CaseFile, referral: Referral, chosen: Disposition, id: UUID, act: Act
) -> None:
    """An open referral of the same planned service replaces it, and is named so from now on."""
    require(
        chosen is Disposition.RE_REFER,
        "only a re-referral is replaced by another",
        code="not_replaced",
        field="replaced_by",
    )
    successor = file.referrals.get(id)
    if (
        successor is None
        or successor is referral
        or successor.planned_service_id != referral.planned_service_id
    ):
        raise Invalid(
            "no such referral of this planned service", code="unknown_referral", field="replaced_by"
        )
    if not successor.is_open or successor.replaces_id is not None:
        raise Conflict("it cannot stand in for it", code="not_open", state=successor.status)
    successor.replaces_id = referral.id
    _dispose(file, referral, chosen, None, act, replaced_by=successor)
    file.update_link_clock(file.service(referral.planned_service_id), act)


def _again(referral: Referral, offering: Offering, consent: Consent | None) -> Request:
    """The same request to another: priority, basis and message are copied."""
    return Request(
        offering=offering,
        priority=referral.priority,
        basis_kind=referral.basis_kind,
        consent=consent,
        message=referral.message,
        outside_area_reason=referral.outside_area_reason,
        replaces=referral.id,
    )


def _dispose(
    file: CaseFile,
    referral: Referral,
    disposition: Disposition,
    note: str | None,
    act: Act,
    *,
    replaced_by: Referral | None = None,
) -> None:
    service = file.service(referral.planned_service_id)
    referral.disposition, referral.disposed_at = disposition, act.at
    referral.replaced_by_id = replaced_by.id if replaced_by else None
    for deadline in file.running(referral.id):
        file.end(deadline, act, met=deadline.kind == ClockKind.DISPOSITION)
    note_settlement(service, disposition, note, act)
    if replaced_by is None:
        file.update_link_clock(service, act)
    file.record(
        ReferralDisposed(
            file.meta(referral, act),
            status=referral.status,
            disposition=disposition,
            replaced_by=referral.replaced_by_id,
        )
    )


def redirect(
    file: CaseFile, referral: Referral, offering: Offering, act: Act, consent: Consent | None
) -> Referral:
    """Cancel as redirected and ask another offering, in one act.

    A failed one is not cancelled: the new referral is its disposition.
    """
    _check_other(referral, offering, "offering_id")
    service, request = (
        file.service(referral.planned_service_id),
        _again(referral, offering, consent),
    )
    if referral.owes_disposition:
        return refer(file, service, request, act)
    details = Details(reason=CancelReason.REDIRECTED)
    check_move(file, referral, "cancel", details, act)
    _check_request(file, service, request, act, instead_of=referral)
    # The new one is asked first, so that the service is at no moment without a request.
    successor = _draft(file, service, request, act)
    _announce(file, service, successor, request, act)
    referral.replaced_by_id = successor.id
    make_move(file, referral, "cancel", details, act)
    return successor

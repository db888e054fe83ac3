"""Settling a planned service without a referral."""

from __future__ import annotations

from casework.domain.act import Act
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import PlannedService, ServiceStatus
from casework.domain.casefile.referral_moves import SETTLEMENTS
from casework.domain.casefile.states import Disposition
from casework.domain.errors import Conflict, NotAllowedInState, require
from casework.domain.planning.events import PlannedServiceSettled


def settle(file: CaseFile, service: PlannedService, how: str, note: str | None, act: Act) -> None:
    """Settle a planned service without a referral: refused, found otherwise, not found at all."""
    if not file.case.is_open or service.status == ServiceStatus.DROPPED:
        raise NotAllowedInState("settle", service.status, [])
    why_not = _why_not_settled_so(file, service)
    if why_not is not None:
        code, detail = why_not
        raise Conflict(detail, code=code, state=service.status, allowed_actions=[])
    require(
        how in SETTLEMENTS,
        f"one of {', '.join(SETTLEMENTS)}",
        code="disposition_unknown",
        field="disposition",
    )
    note_settlement(service, Disposition(how), note, act)
    file.update_link_clock(service, act)
    file.record(PlannedServiceSettled(file.meta(service, act), settlement=Disposition(how)))


def may_settle(file: CaseFile, service: PlannedService) -> bool:
    """Whether the service can be settled now, without a referral."""
    wanted = file.case.is_open and service.status != ServiceStatus.DROPPED
    return wanted and _why_not_settled_so(file, service) is None


def _why_not_settled_so(file: CaseFile, service: PlannedService) -> tuple[str, str] | None:
    """The code and the words of what stands against settling a service directly, if anything."""
    referrals = file.referrals_of(service)
    if any(referral.is_open for referral in referrals):
        return "referral_open", "a referral of it is open"
    if any(referral.owes_disposition for referral in referrals):
        return "disposition_owed", "a referral of it still owes its disposition"
    if file.is_settled(service):
        return "already_settled", "it is settled"
    return None


def note_settlement(service: PlannedService, how: Disposition, note: str | None, act: Act) -> None:
    """The latest word on a planned service."""
    service.settlement, service.settlement_note = how, note
    service.settled_at, service.settled_by = act.at, act.by.id

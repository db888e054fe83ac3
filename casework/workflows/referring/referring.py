"""Referrals: requests, answers, service, end, and dispositions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_moves import MOVES
from casework.domain.casefile.states import BasisKind
from casework.domain.cases import checks
from casework.domain.clocks.standards import Priority
from casework.domain.directory.directory import Offering
from casework.domain.errors import Invalid, NotFound
from casework.domain.referring import referring
from casework.domain.residents.resident import Consent
from casework.workflows.context import Context
from casework.workflows.directory.matching import record_judgement
from casework.workflows.ports.unit_of_work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferCommand:
    """A request as it was sent."""

    planned_service_id: UUID
    offering_id: UUID
    priority: str
    basis_kind: str
    consent_id: UUID | None = None
    message: str | None = None
    send: bool = True
    requested_on: date | None = None
    outside_area_reason: str | None = None
    replaces: UUID | None = None


def refer(ctx: Context, command: ReferCommand) -> UUID:
    """Make a referral for a planned service and send it, unless it is to stay a draft."""
    with ctx.work("referral.send") as work:
        file = work.files.of_planned_service(command.planned_service_id, with_plan=True)
        request = referring.Request(
            offering=known_offering(work, command.offering_id),
            priority=Priority(command.priority),
            basis_kind=BasisKind(command.basis_kind),
            consent=_named_consent(work, command.consent_id),
            message=command.message,
            send=command.send,
            requested_on=command.requested_on,
            outside_area_reason=command.outside_area_reason,
            replaces=command.replaces,
        )
        referral = referring.refer(file, file.service(command.planned_service_id), request, ctx.act)
        record_judgement(ctx, work, referral)
        work.files.save(file, ctx.now)
        work.commit(referral.id)
        return referral.id


def move_referral(
    ctx: Context,
    referral_id: UUID,
    action: str,
    details: referring.Details,
    replace_with: UUID | None = None,
) -> UUID:
    """Make any move of the lifecycle table; ``replace_with`` refers to the next agency at once."""
    asks = action == "send" or replace_with is not None
    with ctx.work(MOVES[action].who) as work:
        file = work.files.of_referral(referral_id, with_plan=asks)
        referral = file.referral(referral_id)
        ctx.expect(referral.version)
        if action == "send":
            details = replace(
                details,
                offering=work.directory.offering(referral.offering_id),
                consent=_consent(work, referral.consent_id),
            )
        referring.move(file, referral, action, details, ctx.act)
        if replace_with is not None:
            _re_refer(ctx, work, file, referral, replace_with)
        work.files.save(file, ctx.now)
        work.commit(referral_id)
        return referral_id


def _re_refer(
    ctx: Context, work: Work, file: CaseFile, referral: Referral, offering_id: UUID
) -> None:
    """A worker records a decline and sends the next request in one act."""
    if ctx.actor.answers_as_provider:
        raise Invalid(
            "the sender chooses whom to ask next",
            code="replace_with_not_yours",
            field="replace_with",
        )
    offering = known_offering(work, offering_id, "replace_with")
    consent = _consent(work, referral.consent_id)
    made = referring.replace_at_once(file, referral, offering, consent, ctx.act)
    record_judgement(ctx, work, made)


def dispose_referral(
    ctx: Context,
    referral_id: UUID,
    disposition: str,
    offering_id: UUID | None,
    note: str | None,
    replaced_by: UUID | None = None,
) -> UUID:
    """Record the disposition of a failed referral."""
    with ctx.work("referral.send") as work:
        file = work.files.of_referral(referral_id, with_plan=True)
        referral = file.referral(referral_id)
        ctx.expect(referral.version)
        offering = known_offering(work, offering_id) if offering_id else None
        made = referring.dispose(
            file,
            referral,
            disposition,
            note,
            ctx.act,
            offering=offering,
            consent=_consent(work, referral.consent_id),
            replaced_by=replaced_by,
        )
        record_judgement(ctx, work, made)
        work.files.save(file, ctx.now)
        work.commit(referral_id)
        return referral_id


def signal_change(ctx: Context, referral_id: UUID, kind: str, note: str | None) -> UUID:
    """Raise a provider's (or worker's) signal that something changed with the resident."""
    with ctx.work("referral.answer") as work:
        file = work.files.of_referral(referral_id)
        referral = file.referral(referral_id)
        ctx.expect(referral.version)
        checks.raise_signal(file, kind, note, ctx.act, referral)
        work.files.save(file, ctx.now)
        work.commit(referral_id)
        return referral_id


def known_offering(work: Work, id: UUID, field: str = "offering_id") -> Offering:
    """The offering, which must exist."""
    offering = work.directory.offering(id)
    if offering is None:
        raise Invalid("no such offering", code="unknown_offering", field=field)
    return offering


def known_consent(work: Work, id: UUID, field: str) -> Consent:
    """The consent that was named, which must be one of a resident within scope."""
    try:
        return work.residents.consent(id)
    except NotFound:
        raise Invalid("no such consent", code="unknown_consent", field=field) from None


def _named_consent(work: Work, id: UUID | None) -> Consent | None:
    return known_consent(work, id, "basis.consent_id") if id is not None else None


def _consent(work: Work, id: UUID | None) -> Consent | None:
    return work.residents.consent(id) if id is not None else None


def lapse_or_resume(ctx: Context, referral_id: UUID) -> bool:
    """Lapse an unanswered referral, or resume one whose hold expired.

    Returns whether anything changed: another run may have been first.
    """
    with ctx.work("referral.answer") as work:
        file = work.files.of_referral(referral_id)
        referral = file.referral(referral_id)
        if referral.lapse_at is not None and referral.lapse_at <= ctx.now:
            referring.move(file, referral, "lapse", referring.Details(), ctx.act)
        elif referral.resume_at is not None and referral.resume_at <= ctx.now:
            referring.resume_after_hold(file, referral, ctx.act)
        else:
            return False
        work.files.save(file, ctx.now)
        work.commit()
        return True

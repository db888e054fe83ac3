"""What the catalogue warns of, for those who plan and ask; computed as the facts stand now."""

from __future__ import annotations

from uuid import UUID

from casework.domain.casefile.states import ReferralStatus
from casework.domain.directory.eligibility import facts_of
from casework.domain.planning import warnings
from casework.domain.planning.warnings import AskedElsewhere, CatalogueWarning
from casework.domain.privacy.masks import gets_everything
from casework.workflows.context import Context
from casework.workflows.ports.casefile import ConferenceView, PlanView, ReferralView
from casework.workflows.ports.unit_of_work import Reading


def of_plan(ctx: Context, reading: Reading, view: PlanView) -> list[CatalogueWarning]:
    """Of the newest version of a plan: the one that is made, was decided, or is in force."""
    newest = max(view.file.versions, key=lambda one: one.number, default=None)
    if newest is None or not newest.services or not gets_everything(ctx.actor):
        return []
    asked = [
        AskedElsewhere(
            id=one.id, service_code=one.service_code, planned_service_id=one.planned_service_id
        )
        for one in view.file.open_referrals()
        if one.is_with_provider
    ]
    known = facts_of(reading.residents.get(view.file.case.resident_id), ctx.act.today)
    return warnings.of_plan(newest.services, asked, ctx.catalogue, known)


def of_agenda(
    ctx: Context, reading: Reading, view: ConferenceView
) -> dict[UUID, list[CatalogueWarning]]:
    """Of the plans of a meeting that await its decision, by their cases."""
    if not gets_everything(ctx.actor):
        return {}
    awaiting = [row["plan_version_id"] for row in view.items if row["awaits"]]
    return {
        one.case_id: warnings.of_plan(
            one.services, one.asked, ctx.catalogue, facts_of(one.resident, ctx.act.today)
        )
        for one in reading.conferences.plans(awaiting)
    }


def of_referral(ctx: Context, view: ReferralView) -> list[CatalogueWarning]:
    """Of a referral while something can come of it."""
    it = view.referral
    if view.asked is None or not it.is_open or not gets_everything(ctx.actor):
        return []
    known = facts_of(view.resident, ctx.act.today)
    return warnings.of_request(view.asked, ctx.catalogue, known, _others(view), view.lines)


def _others(view: ReferralView) -> list[AskedElsewhere]:
    """The other referrals of the resident that an agency has, within scope."""
    return [
        AskedElsewhere(id=row["id"], service_code=row["service_code"], planned_service_id=None)
        for row in view.open_ones
        if row["id"] != view.referral.id and row["status"] != ReferralStatus.DRAFT
    ]

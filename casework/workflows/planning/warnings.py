"""What the catalogue warns of, for those who plan and ask; computed as the facts stand now."""

from __future__ import annotations

from casework.domain.casefile.referral import Referral
from casework.domain.casefile.states import ReferralStatus
from casework.domain.directory.eligibility import facts_of
from casework.domain.planning import warnings
from casework.domain.planning.warnings import AskedElsewhere, CatalogueWarning
from casework.domain.privacy.masks import gets_everything
from casework.workflows.context import Context
from casework.workflows.ports.casefile import PlanView, ReferralView
from casework.workflows.ports.unit_of_work import Reading


def of_plan(ctx: Context, reading: Reading, view: PlanView) -> list[CatalogueWarning]:
    """Of the newest version of a plan: the one that is made, was decided, or is in force."""
    newest = max(view.file.versions, key=lambda one: one.number, default=None)
    if newest is None or not newest.services or not gets_everything(ctx.actor):
        return []
    resident = reading.residents.get(view.file.case.resident_id)
    known = facts_of(resident, ctx.act.today)
    return warnings.of_plan(view.file, newest, ctx.catalogue, known)


def of_referral(ctx: Context, reading: Reading, view: ReferralView) -> list[CatalogueWarning]:
    """Of a referral while something can come of it."""
    it = view.referral
    if view.asked is None or not it.is_open or not gets_everything(ctx.actor):
        return []
    known = facts_of(view.resident, ctx.act.today)
    return warnings.of_request(view.asked, ctx.catalogue, known, _others(reading, it))


def _others(reading: Reading, it: Referral) -> list[AskedElsewhere]:
    """The other referrals of the resident that an agency has, within scope."""
    return [
        AskedElsewhere(id=row["id"], service_code=row["service_code"], planned_service_id=None)
        for row in reading.referrals.open_of([it.resident_id])
        if row["id"] != it.id and row["status"] != ReferralStatus.DRAFT
    ]

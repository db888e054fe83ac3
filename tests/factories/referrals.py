"""Referrals in each state, by the moves that lead there."""

from __future__ import annotations

from typing import Any

from factory.declarations import Dict, LazyFunction, SelfAttribute, SubFactory, Trait

from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import PlannedService
from casework.domain.casefile.referral import Referral
from casework.domain.directory.directory import Offering
from tests.factories import moves
from tests.factories.base import Factory
from tests.factories.cases import CaseFileFactory
from tests.factories.town import Town

# The shortest way to each state; every one begins with a draft.
PATHS: dict[str, tuple[str, ...]] = {
    "draft": (),
    "requested": ("send",),
    "waitlisted": ("send", "waitlist"),
    "accepted": ("send", "accept"),
    "in_progress": ("send", "accept", "start"),
    "on_hold": ("send", "accept", "hold"),
    "on_hold_after_start": ("send", "accept", "start", "hold"),
    "declined": ("send", "decline"),
    "lapsed": ("send", "lapse"),
    "failed": ("send", "accept", "fail"),
    "completed": ("send", "accept", "start", "complete"),
    "cancelled": ("send", "cancel"),
    "withdrawn": ("send", "withdraw"),
    "entered_in_error": ("send", "enter-in-error"),
}


class ReferralFactory(Factory):
    """A referral in the state its trait names, at the town's present moment.

    ``file`` is the case file it belongs to (a supported one, if none is given) and ``service``
    its planned service (the only one). A lapsed one moves the town's clock to the lapse.
    """

    class Meta:
        model = Referral

    class Params:
        draft = Trait(status="draft")
        requested = Trait(status="requested")
        waitlisted = Trait(status="waitlisted")
        accepted = Trait(status="accepted")
        in_progress = Trait(status="in_progress")
        on_hold = Trait(status="on_hold")
        on_hold_after_start = Trait(status="on_hold_after_start")
        declined = Trait(status="declined")
        lapsed = Trait(status="lapsed")
        failed = Trait(status="failed")
        completed = Trait(status="completed")
        cancelled = Trait(status="cancelled")
        withdrawn = Trait(status="withdrawn")
        entered_in_error = Trait(status="entered_in_error")

    town = LazyFunction(Town)
    file = SubFactory(CaseFileFactory, supported=True, town=SelfAttribute("..town"))
    service: PlannedService | None = None
    offering: Offering | None = None
    status = "requested"
    facts = Dict({})

    @classmethod
    def _create(
        cls,
        model_class: type[Referral],
        *,
        town: Town,
        file: CaseFile,
        service: PlannedService | None,
        offering: Offering | None,
        status: str,
        facts: dict[str, Any],
    ) -> Referral:
        referral = moves.refer(town, file, service, offering=offering, send=False, **facts)
        for action in PATHS[status]:
            moves.move(town, file, referral, action)
        return referral

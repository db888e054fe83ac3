"""Capacity: figures that agencies state on request, and offers to those who wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from casework.domain.casefile.states import ReferralStatus
from casework.domain.directory import capacity
from casework.domain.directory.entries import OFFERING, Subject, change_of, facts_of
from casework.domain.notices.notices import notice_of_stale
from casework.workflows.context import Context

# How many places one round offers at most; the rest waits for the next.
IN_A_ROUND: Final = 200


@dataclass(slots=True)
class PlacesRound:
    """The result of a round."""

    offered: int = 0
    asked: int = 0
    failed: int = 0


def state_figures(ctx: Context, id: UUID, said: capacity.CapacityStatement) -> UUID:
    """Record an agency's capacity figures, stated by the agency or an editor of its entry."""
    with ctx.work("capacity.write") as work:
        offering = work.places.figures(id, lock=True)
        ctx.expect(offering.capacity_version)
        before = facts_of(OFFERING, offering)
        event = capacity.state(offering, said, ctx.act)
        work.places.save(offering)
        after = facts_of(OFFERING, offering)
        subject = Subject(OFFERING, id, offering.provider_id)
        work.directory_editing.note([change_of(subject, "stated", before, after, ctx.act)])
        work.record([event])
        work.commit(id)
        return id


def update_places(ctx: Context, note_failure: Callable[[UUID, Exception], None]) -> PlacesRound:
    """Offer freed places, withdraw offers of places now taken, and request stale figures.

    Each referral is a transaction of its own; a failure is counted and does not stop the others.
    """
    done = PlacesRound()
    with ctx.work("referral.answer") as work:
        waiting = work.places.out_of_step(IN_A_ROUND)
    for referral_id in waiting:
        try:
            done.offered += offer_or_take_back(ctx, referral_id)
        except Exception as error:
            done.failed += 1
            note_failure(referral_id, error)
    done.asked = ask_for_figures(ctx)
    return done


def offer_or_take_back(ctx: Context, referral_id: UUID) -> bool:
    """Offer a referral a place, or withdraw the offer; False where another round did."""
    with ctx.work("referral.answer") as work:
        file = work.files.of_referral(referral_id)
        referral = file.referral(referral_id)
        if referral.status != ReferralStatus.WAITLISTED:
            return False
        is_next = work.places.line(referral.offering_id).is_next(referral_id)
        if is_next == (referral.place_offered_at is not None):
            return False
        (capacity.offer_place if is_next else capacity.take_back_offer)(file, referral, ctx.act)
        work.files.save(file, ctx.now)
        work.commit()
        return True


def ask_for_figures(ctx: Context) -> int:
    """Request new figures from agencies with stale ones, once per freshness period each."""
    with ctx.work("referral.answer") as work:
        stale = work.places.request_figures(ctx.now)
        if not stale:
            return 0
        notices = [
            notice_of_stale(
                one.offering_id, one.provider_id, one.district_code, ctx.act, tells=one.signs_in
            )
            for one in stale
        ]
        work.places.tell(notices)
        work.commit()
        return len(stale)

"""What an agency reads and answers for several requests at once, under its role's masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from casework.domain.access.policy import Actor
from casework.domain.agencies import rosters
from casework.domain.agencies.rosters import DeliveryReport, MonthlyDelivery
from casework.domain.casefile.plan import PlannedItem
from casework.domain.casefile.referral import Referral
from casework.domain.clocks.standards import ClockStatus
from casework.domain.directory import capacity
from casework.domain.directory.directory import Offering
from casework.domain.errors import Invalid, NotFound
from casework.domain.privacy.masks import MaskState, masked, states_of_referral
from casework.domain.referring.referring import allowed_actions
from casework.domain.residents.homes import VisitingService, WayIn, check_way_in, is_visiting
from casework.workflows.context import Context
from casework.workflows.ports.casefile import ReferralView, WhomToCall
from casework.workflows.ports.unit_of_work import Reading

READ, ANSWER = "referral.read", "referral.answer"
OF_RESIDENT: Final = ("name", "birth_date", "sex", "address", "phone")
OF_REFERRAL: Final = (
    "id", "status", "priority", "service_code", "field", "message", "requested_at",
    "expected_start_on", "expected_on", "place_offered_at", "started_on", "ended_on", "hold_until",
    "reason", "note", "outcome",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyRequest:
    """One request as its agency sees it; masked fields are None."""

    of: Mapping[str, Any]
    resident: Mapping[str, Any] | None
    item: PlannedItem | None
    contact: WhomToCall
    due_at: Any
    actions: list[str]
    version: int
    way_in: str | None
    coming: list[VisitingService]


def asked(ctx: Context, ids: Sequence[UUID]) -> list[AgencyRequest]:
    """The requests among some referrals that the actor still sees; one audit entry for all."""
    with ctx.reading(READ) as reading:
        views = []
        for id in ids:
            try:
                views.append(reading.referrals.get(id))
            except NotFound:  # its agency's access has ended
                continue
        reading.rosters.referrals([one.referral.id for one in views])
        return [_asked(reading, one, ctx) for one in views]


def _asked(reading: Reading, view: ReferralView, ctx: Context) -> AgencyRequest:
    it, actor = view.referral, ctx.actor
    states = states_of(view)
    told = it.disclosed or ()
    resident = {name: getattr(view.resident, name) if name in told else None
                for name in OF_RESIDENT}  # fmt: skip
    body = {name: getattr(it, name) for name in OF_REFERRAL} | {
        "case_number": view.case_number,
        "resident": masked(resident, actor, READ, "referral resident"),
        "asked": view.asked,
        "contact": view.contact,
    }
    body = masked(body, actor, READ, "referral", states)
    home = home_of(reading, view, actor)
    running = [one for one in view.deadlines if one.status(ctx.now) is ClockStatus.RUNNING]
    return AgencyRequest(
        of=body,
        resident=body["resident"],
        item=body["asked"],
        contact=body["contact"],
        due_at=min((one.due_at for one in running if one.due_at), default=None),
        actions=allowed_actions(view.case_is_open, it, actor, ctx.now, died=view.has_died),
        version=it.version,
        way_in=home["way_in"],
        coming=home["coming"],
    )


def states_of(view: ReferralView) -> list[MaskState]:
    """The mask states that a referral is in."""
    it = view.referral
    return states_of_referral(it.status, consent_is_withdrawn=view.consent_is_withdrawn)


# The home


def home_of(reading: Reading, view: ReferralView, actor: Actor) -> dict[str, Any]:
    """Access to the home and other visitors, under the actor's mask; needs the file loaded."""
    it, states = view.referral, states_of(view)
    if not (view.case_is_open and is_visiting(it)):
        states.append(MaskState.NOT_COMING)
    way = reading.rosters.way_in(it.resident_id)
    body = {
        "referral_id": it.id,
        "way_in": way.text if way else None,
        "coming": reading.rosters.coming(it),
    }
    return masked(body, actor, READ, "visit", states)


def write_way_in(ctx: Context, resident_id: UUID, text: str) -> UUID:
    """Record how to get into a resident's home, for those who visit."""
    check_way_in(text)
    with ctx.work("case.write") as work:
        resident = work.residents.get(resident_id, lock=True)
        known = work.rosters.way_in(resident.id)
        way = WayIn(
            id=known.id if known else ctx.new_id(), resident_id=resident.id, text=text,
            written_at=ctx.now, written_by=ctx.actor.id, version=known.version if known else 0,
        )  # fmt: skip
        work.rosters.save_way_in(way)
        work.commit(resident.id)
        return resident.id


# The month's roster


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLine:
    """One referral in a month: the planned quantity, and what was reported so far."""

    referral: Referral
    name: str | None
    item: PlannedItem | None
    planned: Decimal
    said: MonthlyDelivery | None


def roster(ctx: Context, ids: Sequence[UUID], month: str) -> list[RosterLine]:
    """The prefilled lines of a month, for the referrals that ran in it."""
    rosters.days_of(month)
    with ctx.reading(READ) as reading:
        found = [one for one in reading.rosters.referrals(ids) if rosters.is_in(one, month)]
        items = reading.rosters.items([one.planned_service_id for one in found])
        of = [one.id for one in found]
        said = {one.referral_id: one for one in reading.rosters.of_referrals(of, month)}
        names = {one.id: _name(reading, one.id, ctx.actor) for one in found}
        return [
            _line(one, items.get(one.planned_service_id), month, said.get(one.id), names[one.id])
            for one in found
        ]


def _name(reading: Reading, referral_id: UUID, actor: Actor) -> str | None:
    """The resident's name, while the agency may still see it."""
    view = reading.referrals.get(referral_id)
    of = {"resident": {"name": view.resident.name if "name" in (view.referral.disclosed or ())
                       else None}}  # fmt: skip
    shown = masked(of, actor, READ, "referral", states_of(view))["resident"]
    return None if shown is None else shown["name"]


def _line(
    of: Referral,
    item: PlannedItem | None,
    month: str,
    said: MonthlyDelivery | None,
    name: str | None,
) -> RosterLine:
    planned = Decimal(0) if item is None else rosters.planned_in(item, of, month)
    return RosterLine(referral=of, name=name, item=item, planned=planned, said=said)


def record_roster(ctx: Context, month: str, said: Mapping[UUID, DeliveryReport]) -> int:
    """Record a month's roster; returns how many lines changed. Idempotent."""
    rosters.check_month(month, ctx.act.today)
    with ctx.work(ANSWER) as work:
        found = work.rosters.referrals(list(said), lock=True)
        if len(found) != len(said):
            raise NotFound("no such referral")
        items = work.rosters.items([one.planned_service_id for one in found])
        before = {one.referral_id: one for one in work.rosters.of_referrals(list(said), month)}
        changed = [
            line
            for one in found
            if (line := _recorded(ctx, one, month, items, before, said[one.id])) is not None
        ]
        for line in changed:
            work.rosters.save(line)
        work.commit(len(changed))
        return len(changed)


def _recorded(
    ctx: Context,
    of: Referral,
    month: str,
    items: Mapping[UUID, PlannedItem],
    before: Mapping[UUID, MonthlyDelivery],
    said: DeliveryReport,
) -> MonthlyDelivery | None:
    """The line to be written, or None where nothing changed."""
    if not rosters.is_in(of, month):
        raise Invalid("it did not run in this month", code="not_in_month", field="referral_id")
    item, known = items.get(of.planned_service_id), before.get(of.id)
    planned = Decimal(0) if item is None else rosters.planned_in(item, of, month)
    quantity, note = said.check(planned), said.note or None
    values = (planned, quantity, said.exception, note)
    if known and (known.planned, known.delivered, known.reason, known.note) == values:
        return None
    return MonthlyDelivery(
        id=known.id if known else ctx.new_id(), referral_id=of.id, resident_id=of.resident_id,
        month=month, planned=planned, delivered=quantity, unit=item.unit if item else "visit",
        reason=said.exception, note=note, recorded_at=ctx.now, recorded_by=ctx.actor.id,
        version=known.version if known else 0,
    )  # fmt: skip


def delivered(reading: Reading, referral_id: UUID) -> list[MonthlyDelivery]:
    """What was delivered for a referral, by month."""
    return reading.rosters.of_referrals([reading.rosters.referral(referral_id).id])


# Free places


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingPlaces:
    """An offering of the actor's agency, and whether its figures are fresh."""

    offering: Offering
    is_stale: bool
    full_until: date | None


def own_places(ctx: Context) -> list[OfferingPlaces]:
    """The offerings of the actor's agency, with their places and version."""
    with ctx.reading("directory.read") as reading:
        return [_places(one, ctx) for one in reading.rosters.offerings()]


def _places(one: Offering, ctx: Context) -> OfferingPlaces:
    fresh_for = timedelta(days=ctx.catalogue[one.service_code].fresh_for_days)
    is_marked = capacity.is_marked_full(one, ctx.act.today)
    return OfferingPlaces(
        offering=one,
        is_stale=capacity.is_stale(one, fresh_for, ctx.now),
        full_until=one.full_until if is_marked else None,
    )

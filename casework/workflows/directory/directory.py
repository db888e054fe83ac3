"""Editing the directory: services, agencies, offerings, designations, and their history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from casework.domain.access.policy import Actor, may
from casework.domain.directory import editing as keep
from casework.domain.directory.answering import check_confirms
from casework.domain.directory.designations import (
    GIVEN_UNDER,
    Designation,
    check_designation,
    ended_designation,
    last_day_under,
)
from casework.domain.directory.directory import Offering, Provider, Service
from casework.domain.directory.entries import (
    DESIGNATION,
    OFFERING,
    PROVIDER,
    SERVICE,
    Subject,
    change_of,
    facts_of,
    next_state,
)
from casework.domain.errors import Forbidden, Invalid, NotFound
from casework.domain.notices.notices import notice_of_end, notice_of_service_end
from casework.workflows.context import Context
from casework.workflows.ports.results import ProviderDesignation
from casework.workflows.ports.unit_of_work import Work

ENTRIES: Final = "directory.entries"
WRITE: Final = keep.WRITE
CHANGE: Final = "directory.change"
DESIGNATE: Final = "directory.designate"
OPEN_WORK: Final = "directory.open_work"
CONFIRM, PUBLISH = "directory.confirm", "directory.publish"
STEP: Final = "directory.step"
CATALOGUE, CONFIRM_SERVICE = "catalogue.write", "catalogue.confirm"
NOTHING: Final[Mapping[str, Any]] = {}
# The policy's action for each step of an entry.
WHO: Final = {"confirm": CONFIRM, "publish": PUBLISH, "withdraw": PUBLISH}
WHO_OF_SERVICE: Final = WHO | {"confirm": CONFIRM_SERVICE}


def set_centre_phone(ctx: Context, code: str, phone: str | None) -> str:
    """Say where a community centre is called; None where it has no telephone of its own."""
    with ctx.work(WRITE) as work:
        work.directory_editing.save_centre_phone(code, phone)
        work.commit(code)
        return code


# Agencies


def add_provider(ctx: Context, facts: Mapping[str, Any]) -> UUID:
    """Add an agency; its offerings are proposed separately."""
    with ctx.work(WRITE) as work:
        _check_districts(work, [facts["district_code"]], "district_code")
        provider = keep.new_provider(facts, ctx.act)
        work.directory_editing.add_provider(provider)
        _note(ctx, work, Subject(PROVIDER, provider.id, provider.id), None, provider, "added")
        work.commit(provider.id)
        return provider.id


def change_provider(ctx: Context, id: UUID, changes: Mapping[str, Any]) -> UUID:
    """Change an agency's facts."""
    with ctx.work(CHANGE) as work:
        before = work.directory_editing.provider(id, lock=True)
        ctx.expect(before.version)
        changed = keep.changed_provider(before, changes, ctx.act)
        _save_provider(ctx, work, before, changed, "changed")
        work.commit(id)
        return id


def end_provider(ctx: Context, id: UUID, last_day: date | None, reason: str | None) -> UUID:
    """Set an agency's last day for new requests; running services go on. None removes it."""
    with ctx.work(WRITE) as work:
        before = work.directory_editing.provider(id, lock=True)
        ctx.expect(before.version)
        changed = keep.ended_provider(before, last_day, reason, ctx.act)
        _save_provider(ctx, work, before, changed, "ended" if last_day else "taken_up")
        if changed.ended_on != before.ended_on:
            _tell_workers(ctx, work, id, None, changed.ended_on)
        work.directory_editing.open_work(
            id, None
        )  # the response shows these residents: the audit entry names them
        work.commit(id)
        return id


def _save_provider(ctx: Context, work: Work, before: Provider, changed: Provider, did: str) -> None:
    if changed != before:
        work.directory_editing.save_provider(changed)
        _note(ctx, work, Subject(PROVIDER, changed.id, changed.id), before, changed, did)


def _tell_workers(
    ctx: Context, work: Work, id: UUID, services: Collection[str] | None, last_day: date | None
) -> None:
    """Tell who carries a case with an open referral to the agency that it ends, or goes on."""
    found = work.directory_editing.open_referrals(id, services)
    work.places.tell([notice_of_end(one, last_day, ctx.act) for one in found])


# Designations


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDesignation:
    """A request for a designation."""

    code: str
    valid_from: date
    valid_to: date | None
    designated_by: str


def designate(ctx: Context, provider_id: UUID, requested: NewDesignation) -> ProviderDesignation:
    """Designate an agency: by whom, from when until when."""
    with ctx.work(DESIGNATE) as work:
        provider = work.directory_editing.provider(provider_id, lock=True)
        made = Designation(
            id=ctx.new_id(),
            provider_id=provider.id,
            code=requested.code,
            valid_from=requested.valid_from,
            valid_to=requested.valid_to,
            designated_by=requested.designated_by,
            recorded_at=ctx.now,
            recorded_by=ctx.actor.id,
        )
        check_designation(made, work.directory_editing.designations(provider.id))
        work.directory_editing.add_designation(made)
        _note(ctx, work, Subject(DESIGNATION, provider.id, provider.id), None, made, "added")
        result = ProviderDesignation(id=made.id, provider_id=provider.id)
        work.commit(result)
        return result


def end_designation(ctx: Context, id: UUID, last_day: date | None) -> ProviderDesignation:
    """Set a designation's last day; None removes it."""
    with ctx.work(DESIGNATE) as work:
        known = work.directory_editing.designation(id)
        provider = work.directory_editing.provider(known.provider_id, lock=True)
        before = work.directory_editing.designation(id, lock=True)
        ctx.expect(before.version)
        others = work.directory_editing.designations(provider.id)
        changed = ended_designation(before, last_day, others, ctx.act)
        work.directory_editing.save_designation(changed)
        did = "ended" if last_day else "taken_up"
        _note(ctx, work, Subject(DESIGNATION, provider.id, provider.id), before, changed, did)
        until = last_day_under(changed.code, work.directory_editing.designations(provider.id))
        if until != last_day_under(changed.code, others):
            _tell_workers(ctx, work, provider.id, GIVEN_UNDER[changed.code], until)
        if may(ctx.actor, OPEN_WORK):
            work.directory_editing.open_work(provider.id, GIVEN_UNDER[changed.code])
        result = ProviderDesignation(id=id, provider_id=provider.id)
        work.commit(result)
        return result


# Offerings


def propose_offering(ctx: Context, provider_id: UUID, facts: Mapping[str, Any]) -> UUID:
    """Propose an entry of the list; it takes no requests until it is published."""
    with ctx.work(WRITE) as work:
        provider = work.directory_editing.provider(provider_id)
        service = _service(work, facts["service_code"])
        _check_centres(work, facts["centres"])
        rest = {name: fact for name, fact in facts.items() if name != "service_code"}
        offering = keep.new_offering(provider, service, rest, ctx.act)
        work.directory_editing.add_offering(offering)
        _note(ctx, work, Subject(OFFERING, offering.id, provider.id), None, offering, "proposed")
        work.commit(offering.id)
        return offering.id


def change_offering(ctx: Context, id: UUID, changes: Mapping[str, Any]) -> UUID:
    """Change an offering; a published one stays published, a draft becomes proposed again."""
    with ctx.work(WRITE) as work:
        before = work.directory_editing.offering(id, lock=True)
        ctx.expect(before.version)
        if "centres" in changes:
            _check_centres(work, changes["centres"])
        service = _service(work, before.service_code)
        changed = keep.changed_offering(before, service, changes, ctx.act)
        _save_offering(ctx, work, before, changed, "changed")
        work.commit(id)
        return id


def step_offering(ctx: Context, id: UUID, step: str) -> UUID:
    """Confirm, publish or withdraw an entry."""
    with ctx.work(WHO[step]) as work:
        before = work.directory_editing.offering(id, lock=True)
        ctx.expect(before.version)
        if step == "confirm":
            service = work.directory_editing.service(before.service_code)
            _check_confirms(ctx, work, service)
        state = next_state(before, step, ctx.act)
        changed = replace(before, state=state)
        _save_offering(ctx, work, before, changed, _done(step))
        work.commit(id)
        return id


def check_who_steps(actor: Actor, step: str) -> None:
    """Refuse a step that this role may not take, before any entry is loaded."""
    if not may(actor, WHO[step]):
        raise Forbidden("this role never takes this step", code="step_not_yours")


def _save_offering(ctx: Context, work: Work, before: Offering, changed: Offering, did: str) -> None:
    if changed != before:
        work.directory_editing.save_offering(changed)
        _note(ctx, work, Subject(OFFERING, changed.id, changed.provider_id), before, changed, did)


def _done(step: str) -> str:
    return {"confirm": "confirmed", "publish": "published", "withdraw": "withdrawn"}[step]


# The catalogue


def propose_service(ctx: Context, facts: Mapping[str, Any]) -> str:
    """Propose a service; it cannot be planned until it is published."""
    with ctx.work(CATALOGUE) as work:
        _check_districts(work, _districts_of(facts), "co_payments")
        service = keep.new_service(facts, ctx.act)
        work.directory_editing.add_service(service)
        _note(ctx, work, Subject(SERVICE, service.code), None, service, "proposed")
        work.commit(service.code)
        return service.code


def change_service(ctx: Context, code: str, changes: Mapping[str, Any]) -> str:
    """Change a service, its limits, co-payments or validity; what is planned stays planned."""
    with ctx.work(CATALOGUE) as work:
        before = work.directory_editing.service(code, lock=True)
        ctx.expect(before.version)
        _check_districts(work, _districts_of(changes), "co_payments")
        changed = keep.changed_service(before, changes, ctx.act)
        _save_service(ctx, work, before, changed, "changed")
        if changed.valid_to != before.valid_to:
            _tell_planners(ctx, work, before, changed)
        work.commit(code)
        return code


def step_service(ctx: Context, code: str, step: str) -> str:
    """Confirm, publish or withdraw a service."""
    with ctx.work(WHO_OF_SERVICE[step]) as work:
        before = work.directory_editing.service(code, lock=True)
        ctx.expect(before.version)
        if step == "confirm":
            _check_confirms(ctx, work, before)
        state = next_state(before, step, ctx.act)
        changed = replace(before, state=state)
        _save_service(ctx, work, before, changed, _done(step))
        work.commit(code)
        return code


def _tell_planners(ctx: Context, work: Work, before: Service, changed: Service) -> None:
    """Tell who carries a case that the service planned there ends, or goes on.

    Where it was planned for days after the last one, the former or the new.
    """
    after = min(day for day in (before.valid_to, changed.valid_to) if day is not None)
    found = work.directory_editing.planned_with(changed.code, after)
    work.places.tell([notice_of_service_end(one, changed.valid_to, ctx.act) for one in found])


def _save_service(ctx: Context, work: Work, before: Service, changed: Service, did: str) -> None:
    if changed != before:
        work.directory_editing.save_service(changed)
        _note(ctx, work, Subject(SERVICE, changed.code), before, changed, did)


# Shared helpers


def _check_confirms(ctx: Context, work: Work, service: Service) -> None:
    """The body that answers for a service confirms its entries, if somebody signs in for it."""
    body = work.directory_editing.answering().of(service.code, service.field)
    if body is not None:
        check_confirms(ctx.actor, work.directory_editing.seated(body.id))


def _note(ctx: Context, work: Work, subject: Subject, before: Any, after: Any, did: str) -> None:
    """Record who changed a thing, when, and its previous facts."""
    was = NOTHING if before is None else facts_of(subject.kind, before)
    now = facts_of(subject.kind, after)
    work.directory_editing.note([change_of(subject, did, was, now, ctx.act)])


def _service(work: Work, code: str) -> Service:
    """A service in any state, by a code from a request."""
    try:
        return work.directory_editing.service(code)
    except NotFound:
        raise Invalid("no such service", code="unknown_service", field="service_code") from None


def _districts_of(facts: Mapping[str, Any]) -> list[str]:
    return [one.district_code for one in facts.get("co_payments", ()) if one.district_code]


def _check_districts(work: Work, codes: Iterable[str], field: str) -> None:
    if work.directory_editing.unknown_districts(codes):
        raise Invalid("no such district", code="unknown_district", field=field)


def _check_centres(work: Work, codes: Iterable[str]) -> None:
    if work.directory_editing.unknown_centres(codes):
        raise Invalid("no such centre", code="unknown_centre", field="centres")

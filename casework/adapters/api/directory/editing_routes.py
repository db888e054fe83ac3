"""Maintaining agencies and their offerings: proposed, confirmed, published, and history."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import StringConstraints

from casework.adapters.api.directory import bodies as s
from casework.adapters.api.directory import list_views
from casework.adapters.api.directory import responses as r
from casework.adapters.api.directory import views as shape
from casework.adapters.api.shared.bodies import Code, EmptyBody
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.access.policy import may
from casework.domain.clocks.standards import CareField
from casework.domain.directory.designations import GIVEN_UNDER, DesignationCode
from casework.domain.directory.directory import EntryState
from casework.domain.directory.entries import DESIGNATION, OFFERING, PROVIDER, check_each_once
from casework.domain.errors import NotFound, StaleVersion
from casework.workflows.directory import directory as editing
from casework.workflows.ports.results import ProviderDesignation
from casework.workflows.ports.unit_of_work import Page, Paging, Reading

router = SubjectRouter(tags=["directory"])
READ = "directory.read"
CentreCode = Annotated[str, Path(), StringConstraints(max_length=10)]


def _provider(call: Call, reading: Reading, id: UUID) -> WithETag:
    one = reading.directory_editing.provider(id)
    return shape.provider(one, reading.directory_editing.designations(id), call.ctx.act.today)


def _centre(reading: Reading, code: str) -> dict[str, Any]:
    found = reading.directory.centre(code)
    if found is None:
        raise NotFound("no such centre")
    return list_views.centre(asdict(found))


def _offering(call: Call, reading: Reading, id: UUID) -> WithETag:
    return shape.offering(reading.directory_editing.offering(id), call.ctx.actor)


def _designation(call: Call, reading: Reading, made: UUID) -> WithETag:
    return shape.designation(reading.directory_editing.designation(made), call.ctx.act.today)


def seen_version(call: Call) -> None:
    """Refuse a change without ``If-Match``."""
    if call.ctx.expected_version is None:
        raise StaleVersion("say in If-Match which version you saw", code="precondition_required")


@router.post("/centres/{code}/phone", **operation(editing.WRITE, r.Centre, refuses=(404,)))
def set_centre_phone(code: CentreCode, body: s.SetPhone, call: Caller) -> Response:
    """Say where a community centre is called.

    A supervisor says it of the own district's. Agencies read it with each request: whom to call.
    """
    return call.change(lambda ctx: editing.set_centre_phone(ctx, code, body.phone), READ, _centre)


# Agencies


@router.post("/providers", **operation(editing.WRITE, r.Provider, status=201, refuses=(409,)))
def add_provider(body: s.AddProvider, call: Caller) -> Response:
    """Add an agency.

    A supervisor adds agencies of the own district. What it offers is proposed apart.
    """
    return call.change(
        lambda ctx: editing.add_provider(ctx, body.facts()),
        editing.ENTRIES,
        lambda reading, made: _provider(call, reading, made),
    )


@router.get("/providers/{id}", **operation(editing.ENTRIES, r.Provider, refuses=(404,)))
def get_provider(id: UUID, call: Caller) -> Response:
    """An agency as its editors see it.

    With its ``ETag`` and all its designations, past ones too.
    """
    return call.look(editing.ENTRIES, lambda reading: _provider(call, reading, id))


@router.patch("/providers/{id}", **operation(editing.CHANGE, r.Provider, refuses=(404, 412, 428)))
def change_provider(id: UUID, body: s.ChangeProvider, call: Caller) -> Response:
    """Change an agency.

    Needs ``If-Match``. An agency itself changes its telephone, hours and contacts.
    """
    seen_version(call)
    return call.change(
        lambda ctx: editing.change_provider(ctx, id, body.facts()),
        editing.ENTRIES,
        lambda reading, made: _provider(call, reading, made),
    )


@router.post("/providers/{id}/end", **operation(editing.WRITE, r.OpenWork, refuses=(404, 412)))
def end_provider(id: UUID, body: s.EndProvider, call: Caller) -> Response:
    """Say on which day an agency is asked for the last time.

    Shows what is open with it: that goes on. ``last_day`` null takes the end back.
    """
    return call.change(
        lambda ctx: editing.end_provider(ctx, id, body.last_day, body.reason),
        editing.OPEN_WORK,
        lambda reading, made: _open_work(reading, made, None),
    )


@router.get("/providers/{id}/open-work", **operation(editing.OPEN_WORK, r.OpenWork, refuses=(404,)))
def open_work_of_provider(
    id: UUID, call: Caller, designation: Annotated[DesignationCode | None, Query()] = None
) -> Response:
    """What is open with an agency: requests, and services that run.

    With ``designation``, only what is given under it.

    A supervisor also gets which referrals they are; for an account that sees no case ``referrals``
    is null.
    """
    return call.look(
        editing.OPEN_WORK,
        lambda reading: _open_work(reading, id, designation and designation.value),
    )


def _open_work(reading: Reading, id: UUID, code: str | None) -> dict[str, Any]:
    reading.directory_editing.provider(id)
    services = None if code is None else GIVEN_UNDER[code]
    return shape.open_work(reading.directory_editing.open_work(id, services), id, code)


@router.get(
    "/providers/{id}/history", **operation(editing.ENTRIES, page_of(r.Change), refuses=(404,))
)
def history_of_provider(id: UUID, call: Caller, paged: Paged) -> Response:
    """What was changed of an agency and its designations.

    Newest first: who, when, and each field before and after.
    """

    def read(reading: Reading, paging: Paging) -> Page:
        reading.directory_editing.provider(id)
        return reading.directory_editing.history((PROVIDER, DESIGNATION), id, paging)

    return call.pages(editing.ENTRIES, paged, read, shape.changed_for(call.ctx.actor))


# Designations


@router.post(
    "/providers/{id}/designations",
    **operation(editing.DESIGNATE, r.Designation, status=201, refuses=(404, 409)),
)
def designate(id: UUID, body: s.DesignateProvider, call: Caller) -> Response:
    """Designate an agency.

    By whom, and from when until when; one of a code holds at a time.
    """
    requested = editing.NewDesignation(**body.model_dump() | {"code": body.code.value})
    return call.change(
        lambda ctx: editing.designate(ctx, id, requested),
        editing.ENTRIES,
        lambda reading, made: _designation(call, reading, made.id),
    )


@router.post(
    "/designations/{id}/end",
    **operation(editing.DESIGNATE, r.EndedDesignation, refuses=(404, 409, 412)),
)
def end_designation(id: UUID, body: s.EndDesignation, call: Caller) -> Response:
    """Give a designation its last day.

    Shows what is given under it and open: that goes on. ``last_day`` null takes the end back.

    ``open`` is null for a city officer, who sees no number of a single agency.
    """
    return call.change(
        lambda ctx: editing.end_designation(ctx, id, body.last_day),
        editing.ENTRIES,
        lambda reading, made: _ended(call, reading, made),
    )


def _ended(call: Call, reading: Reading, made: ProviderDesignation) -> WithETag:
    shown = _designation(call, reading, made.id)
    is_told = may(call.ctx.actor, editing.OPEN_WORK)
    work = _open_work(reading, made.provider_id, shown["code"]) if is_told else None
    return WithETag(shown | {"open": work}, shown.etag)


# Offerings


@router.get("/directory/entries", **operation(editing.ENTRIES, page_of(r.DirectoryEntry)))
def list_entries(
    call: Caller,
    paged: Paged,
    state: Annotated[EntryState | None, Query()] = None,
    district: Annotated[Code | None, Query()] = None,
    service: Annotated[Code | None, Query()] = None,
    field: Annotated[CareField | None, Query()] = None,
    body: Annotated[UUID | None, Query(description="Identifier of the body that answers.")] = None,
) -> Response:
    """The offerings in every state, as the list is drafted.

    Of the agencies that the account may edit; of each, the body of the city that answers for it.

    ``body`` asks for those that it answers for; of a district's, for those of its agencies.
    """
    filters = {
        "state": state, "district": district, "service": service, "field": field, "body": body,
    }  # fmt: skip
    return call.pages(
        editing.ENTRIES,
        paged,
        lambda reading, paging: reading.directory_editing.entries(filters, paging),
        lambda row: shape.entry(row, call.ctx.actor),
    )


@router.get("/directory/overview", **operation(READ, page_of(r.OverviewCell)))
def overview_of_directory(
    call: Caller,
    paged: Paged,
    district: Annotated[Code | None, Query()] = None,
    service: Annotated[Code | None, Query()] = None,
) -> Response:
    """For each district and service: open, full, stale or none.

    ``open``, ``stale``, ``full``, ``none`` or ``no_entry`` for each service and district.

    ``open``: a fresh figure says there is a place. ``stale``: none does, and some figure is
    too old. ``full``: every figure is fresh, and there is no place. ``none``: nobody takes anyone.
    ``no_entry``: the list says nothing of it there, neither that it is given nor that it is not.
    """
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.directory_editing.overview(district, service, paging),
        shape.cell,
    )


@router.post("/offerings", **operation(editing.WRITE, r.Offering, status=201, refuses=(404, 409)))
def propose_offering(body: s.ProposeOffering, call: Caller) -> Response:
    """Propose that an agency gives a service in some centres.

    It is listed and asked only once it is confirmed and published.
    """
    return call.change(
        lambda ctx: editing.propose_offering(ctx, body.provider_id, body.facts()),
        editing.ENTRIES,
        lambda reading, made: _offering(call, reading, made),
    )


@router.get("/offerings/{id}", **operation(editing.ENTRIES, r.Offering, refuses=(404,)))
def get_offering(id: UUID, call: Caller) -> Response:
    """An offering as its editors see it.

    In any state, with its ``ETag``.
    """
    return call.look(editing.ENTRIES, lambda reading: _offering(call, reading, id))


@router.patch("/offerings/{id}", **operation(editing.WRITE, r.Offering, refuses=(404, 412, 428)))
def change_offering(id: UUID, body: s.ChangeOffering, call: Caller) -> Response:
    """Change where and whether an offering is given.

    Needs ``If-Match``. Its places are stated at ``/offerings/{id}/capacity``.

    A published entry stays published; a draft is proposed again, by the account that changed it.
    """
    seen_version(call)
    return call.change(
        lambda ctx: editing.change_offering(ctx, id, body.facts()),
        editing.ENTRIES,
        lambda reading, made: _offering(call, reading, made),
    )


def _step(step: str) -> dict[str, Any]:
    return operation(editing.WHO[step], r.Offering, refuses=(404, 409, 412))


def _stepped(call: Call, id: UUID, step: str) -> Response:
    return call.change(
        lambda ctx: editing.step_offering(ctx, id, step),
        editing.ENTRIES,
        lambda reading, made: _offering(call, reading, made),
    )


@router.post("/offerings/{id}/confirm", **_step("confirm"))
def confirm_offering(id: UUID, call: Caller, body: EmptyBody | None = None) -> Response:
    """Confirm a proposed entry, for the body that answers for it.

    By somebody else than its proposer.
    """
    return _stepped(call, id, "confirm")


@router.post("/offerings/{id}/publish", **_step("publish"))
def publish_offering(id: UUID, call: Caller, body: EmptyBody | None = None) -> Response:
    """Publish a confirmed entry.

    From now on it is listed for everyone, and may be asked.
    """
    return _stepped(call, id, "publish")


@router.post("/offerings/{id}/withdraw", **_step("withdraw"))
def withdraw_offering(id: UUID, call: Caller, body: EmptyBody | None = None) -> Response:
    """Take an entry out of the published list.

    It is proposed again. What was asked of it goes on.
    """
    return _stepped(call, id, "withdraw")


@router.post("/directory/entries/steps", **operation(editing.STEP, r.StepResults, is_long=True))
def step_entries(body: s.StepEntries, call: Caller) -> Response:
    """Confirm, publish or withdraw up to 100 entries.

    Each by the rules of its single step, with its own result and in its own transaction.

    One that is refused stops none of the others.
    """
    check_each_once(body.offering_ids)
    editing.check_who_steps(call.ctx.actor, body.step)
    call.once(editing.STEP)
    results = {
        id: call.part(
            editing.WHO[body.step], id, partial(editing.step_offering, id=id, step=body.step)
        )
        for id in body.offering_ids
    }
    return call.look(
        editing.ENTRIES,
        lambda reading: shape.stepped(results, reading.directory_editing.states_of(results)),
    )


@router.get(
    "/offerings/{id}/history", **operation(editing.ENTRIES, page_of(r.Change), refuses=(404,))
)
def history_of_offering(id: UUID, call: Caller, paged: Paged) -> Response:
    """What was changed of an offering.

    Newest first: who, when, and each field before and after.
    """

    def read(reading: Reading, paging: Paging) -> Page:
        reading.directory_editing.offering(id)
        return reading.directory_editing.history((OFFERING,), id, paging)

    return call.pages(editing.ENTRIES, paged, read, shape.changed_for(call.ctx.actor))

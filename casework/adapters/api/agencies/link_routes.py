"""Agencies that answer without an account: their links, what they delivered, whom they visit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Response

from casework.adapters.api.agencies import link_bodies as sl
from casework.adapters.api.agencies import responses as r
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, operation
from casework.adapters.api.shared.views import instant
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.access.policy import Actor
from casework.domain.agencies.links import AgencyLink
from casework.domain.agencies.rosters import MonthlyDelivery
from casework.domain.errors import NotFound
from casework.domain.privacy.masks import masked
from casework.domain.residents.homes import VisitingService
from casework.workflows.agencies import answer_pages, links
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(tags=["answering without an account"])


def _link(reading: Reading, one: AgencyLink, call: Call) -> WithETag:
    """A link without its secret; of its referrals those that the actor sees."""
    named = reading.rosters.referrals(reading.links.referrals_of(one.id))
    body = {
        "id": one.id,
        "provider_id": one.provider_id,
        "referral_ids": [each.id for each in named],
        "created_at": instant(one.created_at),
        "created_by": one.created_by,
        "expires_at": instant(one.expires_at),
        "revoked_at": instant(one.revoked_at),
        "revoked_by": one.revoked_by,
        "is_good": one.is_good(call.ctx.now),
        "allowed_actions": [] if one.revoked_at else ["revoke"],
    }
    return WithETag(body, one.version)


def _shown(call: Call, reading: Reading, made: UUID) -> WithETag:
    return _link(reading, reading.links.get(made), call)


@router.post(
    "/referrals/{id}/link", **operation(links.MANAGE, r.Link, status=201, refuses=(404, 409))
)
def send_link(id: UUID, body: EmptyBody, call: Caller) -> Response:
    """Send the agency a link by which it answers without an account.

    To its known address, which only supervisors and administrators change; never shown here.
    """
    return call.change(
        lambda ctx: links.send_link(ctx, call.services.linking, id),
        links.MANAGE,
        lambda reading, made: _shown(call, reading, made),
    )


@router.get("/referrals/{id}/links", **operation(links.MANAGE, page_of(r.Link), refuses=(404,)))
def list_links(id: UUID, call: Caller) -> Response:
    """The links that open a referral.

    Newest first, those that open nothing any more too.
    """

    def show(reading: Reading) -> Any:
        of = reading.rosters.referral(id).id
        found = [dict(_link(reading, one, call)) for one in reading.links.of_referral(of)]
        return {"items": found, "next_cursor": None}

    return call.look(links.MANAGE, show)


@router.post("/links/{id}/revoke", **operation(links.MANAGE, r.Link, refuses=(404, 409, 412)))
def revoke_link(id: UUID, body: EmptyBody, call: Caller) -> Response:
    """Let a link open nothing any more.

    At once: the sessions that it opened end.
    """
    return call.change(
        lambda ctx: links.revoke_link(ctx, id),
        links.MANAGE,
        lambda reading, made: _shown(call, reading, made),
    )


@router.put(
    "/providers/{id}/answering", **operation(links.KEEP, r.AnsweringByLink, refuses=(404, 409))
)
def keep_answering(id: UUID, body: sl.SetAnsweringByLink, call: Caller) -> Response:
    """Say whether an agency answers by link, and where its links and codes go.

    By a supervisor of its district or an administrator; switched off, no link opens.
    """
    services = call.services

    def show(reading: Reading, _made: UUID) -> Any:
        account = reading.links.answering_account(id)
        if account is None:
            raise NotFound("no such agency")
        return {
            "provider_id": id, "account_id": account.id, "email": account.email,
            "is_on": account.is_active,
        }  # fmt: skip

    return call.change(
        lambda ctx: links.set_answering(
            ctx,
            services.linking,
            call.authentication.passwords,
            id,
            email=body.email,
            is_on=body.is_on,
        ),
        links.KEEP,
        show,
    )


@router.get(
    "/referrals/{id}/delivered",
    **operation("referral.read", page_of(r.MonthDelivered), refuses=(404,)),
)
def list_delivered(id: UUID, call: Caller) -> Response:
    """What the agency delivered, month by month.

    As the agency wrote it into its rosters.
    """

    def show(reading: Reading) -> Any:
        lines = answer_pages.delivered(reading, id)
        return {"items": [_line(one, call.ctx.actor) for one in lines], "next_cursor": None}

    return call.look("referral.read", show)


def _line(one: MonthlyDelivery, actor: Actor) -> dict[str, Any]:
    body = {
        "id": one.id,
        "month": one.month,
        "planned": f"{one.planned:f}",
        "delivered": f"{one.delivered:f}",
        "unit": one.unit,
        "reason": one.reason,
        "note": one.note,
        "recorded_at": instant(one.recorded_at),
        "recorded_by": one.recorded_by,
    }
    return masked(body, actor, "referral.read", "delivered")


@router.get("/referrals/{id}/visit", **operation("referral.read", r.Visit, refuses=(404,)))
def get_visit(id: UUID, call: Caller) -> Response:
    """How to get into the home, and which other services come there.

    For the agency from its acceptance on, while the basis of its referral holds.
    """

    def show(reading: Reading) -> Any:
        view = reading.referrals.get(id)
        reading.rosters.referral(id)
        home = answer_pages.home_of(reading, view, call.ctx.actor)
        return home | {"coming": [_coming(one) for one in home["coming"]]}

    return call.look("referral.read", show)


def _coming(one: VisitingService) -> dict[str, Any]:
    return {
        "service_code": one.service_code,
        "field": one.field,
        "status": one.status,
        "provider": {"name": one.provider_name, "phone": one.provider_phone},
    }


@router.put("/residents/{id}/way-in", **operation("case.write", r.WayInOfResident, refuses=(404,)))
def write_way_in(id: UUID, body: sl.WriteWayIn, call: Caller) -> Response:
    """Say how to get into a resident's home.

    Disclosed to the agencies that come there, and to nobody else.
    """

    def show(reading: Reading, made: UUID) -> Any:
        resident, _ = reading.residents.with_contacts(made)
        way = reading.rosters.way_in(resident.id)
        return {"resident_id": resident.id, "way_in": way.text if way else None}

    return call.change(lambda ctx: answer_pages.write_way_in(ctx, id, body.text), "case.read", show)

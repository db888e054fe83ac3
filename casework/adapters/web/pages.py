"""The pages behind a link: a code, requests, free places, and a month's roster."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from fastapi import Request, Response
from starlette.background import BackgroundTask

from casework.adapters.http.routers import SubjectRouter
from casework.adapters.http.texts import say
from casework.adapters.web.forms import ACTIONS, Form, answer_of, ids_in
from casework.adapters.web.guest import (
    Guest,
    LinkRoute,
    _opened,
    _posted,
    drop_cookie,
    set_cookie,
    with_retries,
)
from casework.adapters.web.route import COOKIE, language, style
from casework.domain.agencies import rosters
from casework.domain.agencies.links import CodeWrong, LinkRefused, TooManyCodes
from casework.domain.agencies.rosters import EXCEPTIONS, DeliveryReport
from casework.domain.clocks.calendar import SEOUL
from casework.domain.directory.capacity import CapacityStatement
from casework.domain.errors import NotFound, Refusal
from casework.domain.referring.referring import Details
from casework.locale import find_text, text
from casework.workflows.agencies import answer_pages, links
from casework.workflows.directory import places as places_of
from casework.workflows.referring import referring

router = SubjectRouter(route_class=LinkRoute, include_in_schema=False)
PUBLIC: Final[dict[str, Any]] = {"openapi_extra": {"x-action": "public"}, "response_model": None}


@router.get("/a/style.css", **PUBLIC)
def style_sheet() -> Response:
    """The one style sheet."""
    return Response(style(), headers={"Cache-Control": "max-age=3600"}, media_type="text/css")


# Getting in


@router.get("/a/{secret}/code", **PUBLIC)
@router.get("/a/{secret}/enter", **PUBLIC)
@router.get("/a/{secret}/leave", **PUBLIC)
@router.get("/a/{secret}/answers", **PUBLIC)
def only_posted(request: Request, secret: str) -> Response:
    """Reloading a page that answered a form: redirect to the start of the link."""
    return _opened(request, secret).to()


@router.get("/a/{secret}", **PUBLIC)
def first(request: Request, secret: str) -> Response:
    """The requests; before a code was given, only where to get one."""
    guest = _opened(request, secret)
    return _requests(guest) if guest.visit.is_in else _entrance(guest)


def _entrance(guest: Guest, status: int = 200, problem: str | None = None) -> Response:
    waits = guest.visit.link.waits_for_code(guest.link_request.now)
    return guest.show("enter.html", status, waits=waits, problem=problem)


@router.post("/a/{secret}/code", **PUBLIC)
def code(request: Request, secret: str) -> Response:
    """Send a code; it leaves after the answer did."""
    guest, _ = _posted(request)
    services, ids = guest.services, (guest.services.new_id(), guest.services.new_id())
    try:
        message = links.request_code(services.linking, guest.visit, guest.link_request, *ids)
    except TooManyCodes:
        return _entrance(guest, 429, "too_many_codes")
    return guest.to(done="sent", background=BackgroundTask(services.linking.send, message))


@router.post("/a/{secret}/enter", **PUBLIC)
def enter(request: Request, secret: str) -> Response:
    """Exchange a code for a short session."""
    guest, form = _posted(request)
    try:
        carried = links.enter(
            guest.services.linking, guest.visit, guest.link_request, form.get("code", "")
        )
    except CodeWrong:
        return _entrance(guest, 422, "code_wrong")
    response = guest.to(guest.begins)
    set_cookie(guest, response, COOKIE, carried)
    return response


@router.post("/a/{secret}/leave", **PUBLIC)
def leave(request: Request, secret: str) -> Response:
    """End the session."""
    guest, _ = _posted(request)
    if guest.visit.is_in:  # merely holding the link ends no session
        links.leave(guest.services.linking, guest.visit, guest.link_request)
    response = guest.to(done="left")
    drop_cookie(guest, response)
    return response


# Requests, and answers


def _requests(
    guest: Guest,
    status: int = 200,
    problems: Mapping[UUID, str] | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    found = answer_pages.asked(guest.context(), guest.visit.referral_ids)
    return guest.show(
        "requests.html", status, asked=found, actions=ACTIONS, problems=problems or {},
        given=given or {},
    )  # fmt: skip


@router.post("/a/{secret}/answers", **PUBLIC)
def answers(request: Request, secret: str) -> Response:
    """Answer one request or several, each by itself: one that is refused keeps no other back."""
    guest, form = _posted(request)
    if not guest.visit.is_in:
        return guest.to()
    chosen = {id: form[f"do.{id}"] for id in ids_in(form, "do.") if form[f"do.{id}"]}
    _check_named(guest, chosen)
    problems: dict[UUID, str] = {}
    for id, action in chosen.items():
        try:
            _answer(guest, form, id, action)
        except Refusal as refusal:
            problems[id] = _refused(guest, refusal)
    if problems:
        return _requests(guest, 422, problems, form)
    return guest.to(done="done")


def _answer(guest: Guest, form: Form, id: UUID, action: str) -> None:
    """One answer in its own transaction, once for each form."""
    given = answer_of(form, str(id), action)
    said = f"{id} {action} {sorted((k, str(v)) for k, v in given.items())}"
    ctx = guest.context(_key(form, id), said)
    if action == "signal":
        kind, note = given.get("kind", ""), given.get("note")
        with_retries(guest.services, lambda: referring.signal_change(ctx, id, kind, note))
    else:
        details = Details(**given)
        with_retries(guest.services, lambda: referring.move_referral(ctx, id, action, details))


def _key(form: Form, about: object) -> str:
    return hashlib.sha256(f"{form.get('key', '')[:100]}\n{about}".encode()).hexdigest()


def _check_named(guest: Guest, ids: Iterable[UUID]) -> None:
    """A link opens nothing but what it names. Raises LinkRefused, before anything is done."""
    if not set(ids) <= set(guest.visit.referral_ids):
        refusal = LinkRefused("not of this link")
        _refused(guest, refusal)
        raise refusal


def _refused(guest: Guest, refusal: Refusal, action: str = "referral.answer") -> str:
    """Write a refusal down; what it says on the page, and of which field."""
    ctx, spoken = guest.context(), language(guest.request)
    store: Any = ctx.store
    store.note_refusal(ctx.actor, action, ctx.now, refusal.code, "refused")
    title, _ = say(refusal.code, refusal.detail, spoken)
    if refusal.code == "idempotency_key_reused":  # the form before was sent with another answer
        return text("page.form_used", spoken)
    fields = [one["field"] for one in refusal.facts.get("errors", ())]
    name = find_text(f"page.field.{next(iter(fields), None)}", spoken)
    return f"{title} ({name})" if name else title


# Free places


def _places(
    guest: Guest,
    status: int = 200,
    problems: Mapping[UUID, str] | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    found = answer_pages.own_places(guest.context())
    return guest.show(
        "places.html", status, places=found, problems=problems or {}, given=given or {}
    )


@router.get("/a/{secret}/places", **PUBLIC)
def places(request: Request, secret: str) -> Response:
    """How many places are free, as last stated."""
    guest = _opened(request, secret)
    return _places(guest) if guest.visit.is_in else guest.to()


@router.post("/a/{secret}/places", **PUBLIC)
def state_places(request: Request, secret: str) -> Response:
    """State them again, each offering on its own."""
    guest, form = _posted(request)
    if not guest.visit.is_in:
        return guest.to()
    problems: dict[UUID, str] = {}
    for id in ids_in(form, "free."):
        try:
            _state(guest, form, id)
        except NotFound:  # of another agency
            raise
        except Refusal as refusal:
            problems[id] = _refused(guest, refusal, "capacity.write")
    if problems:
        return _places(guest, 422, problems, form)
    return guest.to("/places", done="done")


def _state(guest: Guest, form: Form, id: UUID) -> None:
    """The places of one offering in their own transaction; an empty field says nothing."""
    given = form[f"free.{id}"]
    if given:
        said = CapacityStatement(available=_whole(given))
        seen = max(0, _whole(form.get(f"seen.{id}", "")))
        ctx = replace(guest.context(_key(form, id), given), expected_version=seen)
        with_retries(guest.services, lambda: places_of.state_figures(ctx, id, said))


def _whole(given: str) -> int:
    """A number as it was typed; what is none is refused as one that cannot be."""
    return int(given) if given.isdecimal() and len(given) < 5 else -1


# The month's roster


def _roster(
    guest: Guest,
    month: str,
    status: int = 200,
    problem: str | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    lines = answer_pages.roster(guest.context(), guest.visit.referral_ids, month)
    begins, ends = rosters.days_of(month)
    today = guest.link_request.now.astimezone(SEOUL).date()
    after = f"{ends + timedelta(days=1):%Y-%m}" if ends < today else None
    return guest.show(
        "month.html", status, lines=lines, month=month, exceptions=EXCEPTIONS, problem=problem,
        given=given or {}, before=rosters.month_before(begins), after=after,
        is_begun=begins <= today,
    )  # fmt: skip


@router.get("/a/{secret}/months/{month}", **PUBLIC)
def roster(request: Request, secret: str, month: str) -> Response:
    """A month's roster, prefilled by the plan."""
    guest = _opened(request, secret)
    return _roster(guest, month) if guest.visit.is_in else guest.to()


@router.post("/a/{secret}/months/{month}", **PUBLIC)
def record(request: Request, secret: str, month: str) -> Response:
    """Write the roster down; lines that say nothing were delivered as planned."""
    guest, form = _posted(request)
    if not guest.visit.is_in:
        return guest.to()
    rosters.days_of(month)
    ids = ids_in(form, "line.")
    _check_named(guest, ids)
    try:
        said = {id: _said(form, id) for id in ids}
        body = f"{month} {sorted((str(id), str(one)) for id, one in said.items())}"
        ctx = guest.context(_key(form, month), body)
        if said:
            with_retries(guest.services, lambda: answer_pages.record_roster(ctx, month, said))
    except NotFound:
        raise
    except Refusal as refusal:
        return _roster(guest, month, 422, _refused(guest, refusal), form)
    return guest.to(f"/months/{month}", done="done")


def _said(form: Form, id: UUID) -> DeliveryReport:
    quantity, reason = form[f"line.{id}"].strip(), form.get(f"why.{id}", "")
    return DeliveryReport(
        delivered=rosters.quantity_of(quantity) if quantity else None, reason=reason or None,
        note=form.get(f"note.{id}", "") or None,
    )  # fmt: skip

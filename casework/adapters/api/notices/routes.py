"""What people are told: held notices, the outbox, and endpoints that listen."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from casework.adapters.api.notices import bodies as sn
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.api.shared.views import instant, picked
from casework.adapters.http.responses import WithETag
from casework.adapters.http.route import GuardedRoute
from casework.domain.notices.outbox import MessageState, Subscription
from casework.workflows.notices import relay
from casework.workflows.ports.paging import Row

router = APIRouter(route_class=GuardedRoute, tags=["notices"])
RELEASE, OUTBOX, WEBHOOKS = relay.RELEASE, relay.OUTBOX, relay.WEBHOOKS
HELD = {
    "run_id": "0190…",
    "district_code": "26350",
    "notices": 412,
    "counted_at": "2026-03-27T09:00:02+09:00",
}
MESSAGE = {
    "id": "0190…",
    "kind": "digest",
    "account_id": "0190…",
    "subscription_id": None,
    "district_code": "26350",
    "digest_on": "2026-03-27",
    "state": "dead",
    "tries": 12,
    "error": "timed_out",
    "created_at": "2026-03-27T09:00:02+09:00",
    "next_at": "2026-03-28T09:00:02+09:00",
    "sent_at": None,
}
WEBHOOK = {
    "id": "0190…",
    "url": "https://clinic.example/casework",
    "kinds": ["referral_requested", "referral_stopped"],
    "provider_id": "0190…",
    "district_code": None,
    "created_at": "2026-03-27T09:00:02+09:00",
    "failures": 0,
}


def _held(row: Row) -> dict[str, Any]:
    return picked(row, "run_id", "district_code", "notices") | {
        "counted_at": instant(row["counted_at"])
    }


def _message(row: Row) -> dict[str, Any]:
    names = ("id", "kind", "account_id", "subscription_id", "district_code", "digest_on")
    instants = ("created_at", "next_at", "sent_at")
    return picked(row, *names, "state", "tries", "error") | {
        name: instant(row[name]) for name in instants
    }


def _webhook(one: Subscription) -> WithETag:
    body = {
        "id": one.id,
        "url": one.url,
        "kinds": one.kinds,
        "provider_id": one.provider_id,
        "district_code": one.district_code,
        "created_at": instant(one.created_at),
        "failures": one.failures,
    }
    return WithETag(body, one.version)


@router.get(
    "/notices/held",
    operation_id="list_held_notices",
    summary="What the brake holds back",
    **operation(RELEASE, {"items": [HELD]}),
)
def list_held(call: Caller) -> Response:
    """Runs that would have told a district far more than usual, longest held first."""
    return call.look(
        RELEASE,
        lambda reading: {"items": [_held(row) for row in reading.notices.held(reading.reach)]},
    )


@router.post(
    "/notices/release",
    operation_id="release_notices",
    summary="Let held notices go",
    **operation(RELEASE, {"district_code": "26350", "released": 412}, refuses=(404,)),
)
def release(body: sn.ReleaseNotices, call: Caller) -> Response:
    """They leave with the next round of the relay, as one digest a person."""
    return call.change(
        lambda ctx: relay.release_notices(ctx, body.district_code),
        RELEASE,
        lambda _reading, resource: resource,
    )


@router.get(
    "/outbox",
    operation_id="list_outbox",
    summary="Messages, newest first",
    **operation(OUTBOX, {"items": [MESSAGE], "next_cursor": None}),
)
def list_outbox(
    call: Caller, paged: Paged, state: Annotated[MessageState | None, Query()] = None
) -> Response:
    """Waiting, sent or dead; never what they say."""
    return call.pages(
        OUTBOX, paged, lambda reading, paging: reading.notices.outbox(state, paging), _message
    )


@router.post(
    "/outbox/{id}/replay",
    operation_id="replay_message",
    summary="Send a dead letter again",
    **operation(OUTBOX, {"id": "0190…", "state": "waiting"}, refuses=(404, 409)),
)
def replay(id: UUID, body: EmptyBody, call: Caller) -> Response:
    """Under the id it has, so that a receiver knows it again."""
    return call.change(
        lambda ctx: relay.replay(ctx, id),
        OUTBOX,
        lambda _reading, resource: {"id": resource["id"], "state": MessageState.WAITING},
    )


@router.post(
    "/webhooks",
    operation_id="create_webhook",
    summary="Tell an endpoint of notices",
    **operation(WEBHOOKS, WEBHOOK | {"secret": "whsec_…"}, status=201),
)
def subscribe(body: sn.SubscribeWebhook, call: Caller) -> Response:
    """The secret for the signatures is shown this once."""
    ctx = call.ctx
    wanted = Subscription(
        id=ctx.new_id(),
        url=body.url,
        secret=call.services.new_secret(),
        kinds=list(dict.fromkeys(body.kinds)),
        provider_id=body.provider_id,
        district_code=body.district_code,
        created_at=ctx.now,
        created_by=ctx.actor.id,
    )
    in_clear = not call.services.is_production
    return call.change(
        lambda ctx: relay.subscribe(ctx, wanted, in_clear=in_clear),
        WEBHOOKS,
        lambda reading, made: _made(reading.subscriptions.get(made["id"]), wanted),
    )


def _made(one: Subscription, wanted: Subscription) -> WithETag:
    """A repeated request made nothing, and has no secret to show."""
    shown = _webhook(one)
    if one.id == wanted.id:
        shown["secret"] = wanted.secret
    return shown


@router.get(
    "/webhooks",
    operation_id="list_webhooks",
    summary="Endpoints that listen",
    **operation(WEBHOOKS, {"items": [WEBHOOK], "next_cursor": None}),
)
def list_webhooks(call: Caller, paged: Paged) -> Response:
    """An agency sees its own."""
    return call.pages(
        WEBHOOKS, paged, lambda reading, paging: reading.subscriptions.listed(paging), _webhook
    )


@router.get(
    "/webhooks/{id}",
    operation_id="get_webhook",
    summary="An endpoint as it stands",
    **operation(WEBHOOKS, WEBHOOK, refuses=(404,)),
)
def get_webhook(id: UUID, call: Caller) -> Response:
    """With how often it failed in a row."""
    return call.look(WEBHOOKS, lambda reading: _webhook(reading.subscriptions.get(id)))


@router.delete(
    "/webhooks/{id}",
    operation_id="end_webhook",
    summary="Tell an endpoint nothing any more",
    **operation(WEBHOOKS, {"id": "0190…"}, refuses=(404,)),
)
def unsubscribe(id: UUID, call: Caller) -> Response:
    """What waits for it is dropped."""
    return call.change(
        lambda ctx: relay.unsubscribe(ctx, id), WEBHOOKS, lambda _reading, resource: resource
    )

"""Held notices, the outbox, and webhook endpoints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from casework.adapters.api.notices import bodies as sn
from casework.adapters.api.notices import responses as r
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.api.shared.views import instant, picked
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.notices.outbox import MessageState, Subscription
from casework.workflows.access import securing
from casework.workflows.notices import endpoints, relay
from casework.workflows.ports.paging import Row

router = SubjectRouter(tags=["notices"])
RELEASE, OUTBOX = relay.RELEASE, relay.OUTBOX


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


@router.get("/notices/held", **operation(RELEASE, r.AllHeldNotices))
def list_held_notices(call: Caller) -> Response:
    """What the flood limit holds back.

    Runs that would have sent a district far more than usual, longest held first.
    """
    return call.look(
        RELEASE,
        lambda reading: {"items": [_held(row) for row in reading.notices.held(reading.scope)]},
    )


@router.post("/notices/release", **operation(RELEASE, r.ReleasedNotices, refuses=(404,)))
def release_notices(body: sn.ReleaseNotices, call: Caller) -> Response:
    """Let held notices go.

    They leave with the next round of the relay, as one digest a person.
    """
    return call.change(
        lambda ctx: relay.release_notices(ctx, body.district_code),
        RELEASE,
        lambda _reading, made: asdict(made),
    )


@router.get("/outbox", **operation(OUTBOX, page_of(r.Message)))
def list_outbox(
    call: Caller, paged: Paged, state: Annotated[MessageState | None, Query()] = None
) -> Response:
    """Messages, newest first.

    Waiting, sent or dead; never what they say.
    """
    return call.pages(
        OUTBOX, paged, lambda reading, paging: reading.notices.outbox(state, paging), _message
    )


@router.post("/outbox/{id}/replay", **operation(OUTBOX, r.ReplayedMessage, refuses=(404, 409)))
def replay_message(id: UUID, body: EmptyBody, call: Caller) -> Response:
    """Send a dead letter again.

    Under the id it has, so that a receiver knows it again.
    """
    return call.change(
        lambda ctx: relay.replay(ctx, id),
        OUTBOX,
        lambda _reading, made: {"id": made, "state": MessageState.WAITING},
    )


@router.post("/webhooks", **operation(endpoints.MANAGE, r.NewWebhook, status=201))
def create_webhook(body: sn.SubscribeWebhook, call: Caller) -> Response:
    """Tell an endpoint of notices.

    The secret for the signatures is shown this once.
    """
    ctx = call.ctx
    securing.prove_anew(ctx, call.authentication, body.password)
    subscription = Subscription(
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
        lambda ctx: endpoints.subscribe(ctx, subscription, in_clear=in_clear),
        endpoints.MANAGE,
        lambda reading, made: _made(reading.subscriptions.get(made), subscription),
    )


def _made(one: Subscription, subscription: Subscription) -> WithETag:
    """A repeated request created nothing, and has no secret to show."""
    shown = _webhook(one)
    if one.id == subscription.id:
        shown["secret"] = subscription.secret
    return shown


@router.get("/webhooks", **operation(endpoints.END, page_of(r.Webhook)))
def list_webhooks(call: Caller, paged: Paged) -> Response:
    """Endpoints that listen.

    An agency sees its own, a supervisor those of the agencies of the district.
    """
    return call.pages(
        endpoints.END, paged, lambda reading, paging: reading.subscriptions.listed(paging), _webhook
    )


@router.get("/webhooks/{id}", **operation(endpoints.END, r.Webhook, refuses=(404,)))
def get_webhook(id: UUID, call: Caller) -> Response:
    """An endpoint as it stands.

    With how often it failed in a row.
    """
    return call.look(endpoints.END, lambda reading: _webhook(reading.subscriptions.get(id)))


@router.delete("/webhooks/{id}", **operation(endpoints.END, r.EndedWebhook, refuses=(404,)))
def end_webhook(id: UUID, call: Caller) -> Response:
    """Tell an endpoint nothing any more.

    What waits for it is dropped. A supervisor ends one of an agency of the district.
    """
    return call.change(
        lambda ctx: endpoints.unsubscribe(ctx, id),
        endpoints.END,
        lambda _reading, made: {"id": made},
    )

"""Endpoints that are slow, endless, broken or dead, beside many that are well."""

from __future__ import annotations

import json
import resource
import time
from collections import Counter
from contextlib import ExitStack
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from casework.adapters.notifications.channels import Channels
from casework.adapters.notifications.webhook import Webhook, new_secret
from casework.adapters.outbound.exchange import Exchange
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.domain.notices.notices import NoticeKind
from casework.domain.notices.outbox import Message, Subscription
from casework.workflows.notices.relay import Relayed, relay
from tests.adapters.notifications.test_channels import sink
from tests.adapters.outbound import peers
from tests.adapters.outbound.peers import peer
from tests.api.conftest import PASSWORD, Api

HEALTHY, MESSAGES, EACH_OF_THE_OTHERS = 20, 2000, 50
WITHIN_S = 120.0
ROUNDS = 5
MEMORY_MB = 100
OTHERS = (
    peers.dribbles,
    peers.dribbles_its_body,
    peers.never_ends,
    peers.has_headers_without_end,
    peers.always_goes_on,
    peers.says_nothing,
    peers.talks_nonsense,
    peers.hangs_up,
)


def subscribed(api: Api, url: str) -> UUID:
    """An endpoint of the city."""
    answer = api.as_("admin").post("/webhooks", {"url": url, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


def queue(api: Api, endpoint: UUID, count: int) -> None:
    """Messages that wait for an endpoint."""
    payload: dict[str, Any] = json.loads('{"about": "response"}')
    with api.application.notices.store() as store:
        for _ in range(count):
            store.add_message(
                Message(
                    id=new_id(),
                    kind=NoticeKind.ESCALATION,
                    account_id=None,
                    subscription_id=endpoint,
                    district_code=None,
                    payload=payload,
                    created_at=api.clock.now,
                    next_at=api.clock.now,
                )
            )


def states(api: Api, endpoints: list[UUID]) -> Counter[str]:
    """How many messages of these endpoints are in which state."""
    query = (
        select(t.message.c.state, func.count())
        .where(t.message.c.subscription_id.in_(endpoints))
        .group_by(t.message.c.state)
    )
    with api.engine.connect() as connection:
        return Counter({row[0]: row[1] for row in connection.execute(query)})


def one_round(api: Api, channels: Channels) -> Relayed:
    """What the relay does when its job runs."""
    return relay(
        api.application.context(), api.application.notices, channels,
        clock=api.clock, jitter=lambda: 0.0,
    )  # fmt: skip


def test_two_thousand_messages_arrive_beside_every_kind_of_bad_endpoint(api: Api) -> None:
    channels = Channels(Webhook(Exchange(private=True)))
    with ExitStack() as listening:
        url, received = listening.enter_context(sink())
        well = [subscribed(api, f"{url}&of={number}") for number in range(HEALTHY)]
        others = [
            subscribed(api, f"http://127.0.0.1:{listening.enter_context(peer(talk))}/")
            for talk in OTHERS
        ]
        others.append(subscribed(api, "http://127.0.0.1:1/"))
        broken = Subscription(
            id=new_id(), url="http://127.0.0.1:99999/", secret=new_secret(),
            kinds=[NoticeKind.ESCALATION], provider_id=None, district_code=None,
            created_at=api.clock.now, created_by=None,
        )  # fmt: skip
        with api.application.context().work("webhook.manage") as work:
            work.subscriptions.add(broken)  # as it was taken once
            work.commit(broken.id)
        others.append(broken.id)
        for endpoint in others:
            queue(api, endpoint, EACH_OF_THE_OTHERS)
        for endpoint in well:
            queue(api, endpoint, MESSAGES // HEALTHY)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        errors = set(one_round(api, channels).errors)
        rounds = 1
        while states(api, well)["waiting"] and rounds < ROUNDS:  # slow ones, on a busy machine
            api.clock.forward(minutes=1)
            errors |= set(one_round(api, channels).errors)
            rounds += 1
        took = time.monotonic() - began
        grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert states(api, well) == {"sent": MESSAGES}
    assert len(received) == MESSAGES
    assert took < WITHIN_S, took
    assert grown_mb < MEMORY_MB, grown_mb
    assert errors <= {"timed_out", "unreachable", "failed"}, errors
    left = states(api, others)
    assert left["sent"] + left["waiting"] + left["dead"] == EACH_OF_THE_OTHERS * len(others)

"""Webhook endpoints: of an agency for its own notices, of an administrator for any."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from casework.domain.errors import require
from casework.domain.notices.outbox import (
    Subscription,
    check_number_of_endpoints,
    check_subscription,
)
from casework.workflows.context import Context

MANAGE: Final = "webhook.manage"
END: Final = "webhook.end"


def subscribe(ctx: Context, subscription: Subscription, *, in_clear: bool) -> UUID:
    """Add a webhook endpoint: an agency's for its own notices, an administrator's for any."""
    with ctx.work(MANAGE) as work:
        if work.scope.bounds.provider is not None:
            subscription.provider_id = work.scope.bounds.provider
        check_subscription(subscription, in_clear=in_clear)
        provider = subscription.provider_id
        require(
            provider is None or work.directory.known_providers([provider]),
            "no such agency",
            field="provider_id",
        )
        district = subscription.district_code
        require(
            district is None or work.directory.has_district(district),
            "no such district",
            field="district_code",
        )
        if provider is not None:
            check_number_of_endpoints(work.subscriptions.number_of(provider))
        work.subscriptions.add(subscription)
        work.commit(subscription.id)
        return subscription.id


def unsubscribe(ctx: Context, id: UUID) -> UUID:
    """End a webhook subscription: whoever has it, or the district of its agency."""
    with ctx.work(END) as work:
        endpoint = work.subscriptions.get(id, lock=True)
        endpoint.ended_at = ctx.now
        work.subscriptions.end(endpoint)
        work.commit(id)
        return id

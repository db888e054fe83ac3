"""Response schemas of held notices, the outbox and webhooks."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.shared.responses import ResponseBody, absent
from casework.domain.notices.notices import NoticeKind
from casework.domain.notices.outbox import MessageState


class HeldNotices(ResponseBody):
    """Notices of one run that are held back."""

    run_id: UUID
    district_code: str
    notices: int
    counted_at: AwareDatetime


class AllHeldNotices(ResponseBody):
    """Every run whose notices are held back, longest held first."""

    items: list[HeldNotices]


class ReleasedNotices(ResponseBody):
    """How many notices were released."""

    district_code: str
    released: int


class Message(ResponseBody):
    """A message of the outbox, without what it says."""

    id: UUID
    kind: str = Field(description="What it tells of.")
    account_id: UUID | None
    subscription_id: UUID | None
    district_code: str | None
    digest_on: date | None
    state: MessageState
    tries: int
    error: str | None
    created_at: AwareDatetime
    next_at: AwareDatetime
    sent_at: AwareDatetime | None


class ReplayedMessage(ResponseBody):
    """A message that waits to be sent again."""

    id: UUID
    state: Literal[MessageState.WAITING]


class Webhook(ResponseBody):
    """An endpoint that receives notices."""

    id: UUID
    url: str
    kinds: list[NoticeKind]
    provider_id: UUID | None
    district_code: str | None
    created_at: AwareDatetime
    failures: int


class NewWebhook(Webhook):
    """An endpoint; the secret is in the answer to the request that made it, and never again."""

    secret: str = absent()


class EndedWebhook(ResponseBody):
    """An endpoint that receives nothing any more."""

    id: UUID

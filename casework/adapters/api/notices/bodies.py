"""Request bodies of notices, the outbox and webhooks."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from casework.adapters.api.shared.bodies import ONE_LINE, Body, Code, Secret
from casework.domain.notices.notices import NoticeKind


class ReleaseNotices(Body):
    """The district whose held notices may go."""

    district_code: Code


class SubscribeWebhook(Body):
    """An endpoint, and the notices it receives."""

    url: Annotated[str, Field(min_length=8, max_length=2000), ONE_LINE]
    kinds: Annotated[list[NoticeKind], Field(min_length=1, max_length=len(NoticeKind))] = Field(
        default_factory=lambda: list(NoticeKind)
    )
    provider_id: UUID | None = None
    district_code: Code | None = None
    password: Secret = Field(description="The password of whoever makes it, once more.")

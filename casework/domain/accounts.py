"""Accounts: who may sign in, as which role, belonging to what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from casework.domain.access import Actor

MAY_FAIL: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)


@dataclass(slots=True, kw_only=True)
class Account:
    """One person's (or system's) way in. The role's scope is the code or agency it names."""

    id: UUID
    username: str
    name: str
    role: str
    password_hash: str
    created_at: datetime
    centre_code: str | None = None
    district_code: str | None = None
    provider_id: UUID | None = None
    is_head: bool = False
    is_active: bool = True
    email: str | None = None
    failed_attempts: int = 0
    locked_until: datetime | None = None

    def actor(self) -> Actor:
        """Who this account acts as."""
        return Actor(
            id=self.id,
            role=self.role,
            name=self.name,
            username=self.username,
            centre_code=self.centre_code,
            district_code=self.district_code,
            provider_id=self.provider_id,
            is_head=self.is_head,
        )

    def is_locked(self, now: datetime) -> bool:
        """Whether too many wrong passwords lock it for a while."""
        return self.locked_until is not None and now < self.locked_until

    def note_failure(self, now: datetime) -> None:
        """A wrong password; after five in a row the account rests for fifteen minutes."""
        self.failed_attempts += 1
        if self.failed_attempts >= MAY_FAIL:
            self.failed_attempts, self.locked_until = 0, now + LOCKED_FOR

    def note_success(self) -> None:
        """The right password."""
        self.failed_attempts, self.locked_until = 0, None

"""Pausing the relay: after a backup was put back nothing leaves until an operator says so.

What a backup holds was true at its time: a message that waits in it may have been sent since, and
an endpoint may have ended or moved. So a relay sends from one database only, which it notes when it
begins to send. Where it finds itself in another one, that is a copy or was restored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PauseReason(StrEnum):
    """Why nothing is sent."""

    RESTORED = "restored"
    # The database is another one than what was last sent from.
    ANOTHER_DATABASE = "another_database"
    # The audit goes on from an earlier state than was exported.
    AUDIT_GOES_ON = "audit_goes_on"
    OPERATOR = "operator"


@dataclass(slots=True, kw_only=True)
class RelayState:
    """From which database the relay sends, and whether and why it is paused.

    ``database`` identifies what was last sent from; None before the first round of a relay.
    """

    database: str | None = None
    paused_at: datetime | None = None
    because: PauseReason | None = None

    @property
    def is_paused(self) -> bool:
        """Whether nothing is sent."""
        return self.paused_at is not None

    def pause(self, because: PauseReason, at: datetime) -> None:
        """Send nothing from now on; a pause that is there keeps its reason."""
        if not self.is_paused:
            self.paused_at, self.because = at, because

    def resume(self, database: str) -> None:
        """Send again, from this database."""
        self.database, self.paused_at, self.because = database, None, None

    def stands_in(self, database: str, at: datetime) -> None:
        """Note the database where none was noted; pause where it is another one."""
        if self.database is None:
            self.database = database
        elif self.database != database:
            self.pause(PauseReason.ANOTHER_DATABASE, at)

"""What comes with a move of a referral."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from casework.domain.directory.directory import Offering
from casework.domain.residents.resident import Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What comes with a move; each move takes what it needs.

    ``send`` needs the referral's ``offering`` (and its ``consent``, where it rests on one) as
    they stand now: a draft may be older than the offering's end or the consent's.
    """

    reason: str | None = None
    note: str | None = None
    requested_on: date | None = None
    answered_on: date | None = None
    expected_start_on: date | None = None
    expected_on: date | None = None
    started_on: date | None = None
    reported_on: date | None = None
    delivered: dict[str, Any] | None = None
    until: date | None = None
    full_until: date | None = None
    outcome: str | None = None
    ended_on: date | None = None
    on_behalf: dict[str, Any] | None = None
    offering: Offering | None = None
    consent: Consent | None = None

    @property
    def acted_on(self) -> date | None:
        """The day of the act, None for the day on which it is recorded."""
        days = (
            self.requested_on, self.answered_on, self.started_on, self.reported_on, self.ended_on,
        )  # fmt: skip
        return next((day for day in days if day is not None), None)

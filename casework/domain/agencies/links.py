"""Agency links: an agency answers without an account, by a secret and a one-time code.

A link belongs to one agency and names referrals. It takes two factors: the secret in its URL, and
a code sent to the agency's known address when the link is opened. An attempt is counted before its
code is compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from casework.domain.access.tokens import CLOCKS_DIFFER
from casework.domain.errors import Conflict, Refusal
from casework.domain.notices.outbox import LetterKind

LINK: Final = LetterKind.LINK
LINK_CODE: Final = LetterKind.LINK_CODE
CODE_DIGITS: Final = 6
CODE_FOR: Final = timedelta(minutes=10)
SESSION_FOR: Final = timedelta(minutes=30)
HOUR: Final = timedelta(hours=1)
# Of each code, of an hour, and of a link's whole life: then it is void.
TRIES_A_CODE: Final = 5
TRIES_AN_HOUR: Final = 10
FAILURES: Final = 30
CODES_AN_HOUR: Final = 5
OPENINGS_AN_HOUR: Final = 300
REFERRALS_A_LINK: Final = 50


class LinkRefused(Refusal):
    """Unknown, expired, revoked, used up, or of an ended agency: the answer is the same."""

    code = "link_refused"


class TooManyCodes(Conflict):
    """Codes were requested too often, or too many were wrong."""

    code = "too_many_codes"


class CodeWrong(Conflict):
    """The code is wrong or has expired."""

    code = "code_wrong"


@dataclass(slots=True, kw_only=True)
class AgencyLink:
    """A link as stored: only the digests of its secret and code.

    ``codes`` and ``tries`` are the instants of this hour; ``failures`` counts wrong codes ever.
    """

    id: UUID
    provider_id: UUID
    account_id: UUID
    digest: str
    created_at: datetime
    created_by: UUID | None
    expires_at: datetime
    message_id: UUID | None = None
    month: str | None = None
    revoked_at: datetime | None = None
    revoked_by: UUID | None = None
    counted_from: datetime | None = None
    opened: int = 0
    code_id: UUID | None = None
    code_digest: str | None = None
    code_until: datetime | None = None
    code_tries: int = 0
    codes: list[datetime] = field(default_factory=list)
    tries: list[datetime] = field(default_factory=list)
    failures: int = 0
    version: int = 1

    def is_good(self, now: datetime) -> bool:
        """Whether it is valid; at the instant it expires it is not."""
        is_worn = self.failures >= FAILURES
        return self.revoked_at is None and now < self.expires_at and not is_worn

    def count_opening(self, now: datetime) -> bool:
        """Count one more request of this hour; False where there were too many."""
        if self.counted_from is None or abs(now - self.counted_from) >= HOUR:
            self.counted_from, self.opened = now, 0
        self.opened += 1
        return self.opened <= OPENINGS_AN_HOUR

    def waits_for_code(self, now: datetime) -> bool:
        """Whether a valid code is outstanding."""
        return (
            self.code_until is not None and now < self.code_until and self.code_tries < TRIES_A_CODE
        )

    def take_code(self, code_id: UUID, digest: str, now: datetime) -> None:
        """Replace the code."""
        self.codes = _of_this_hour(self.codes, now)
        if len(self.codes) >= CODES_AN_HOUR:
            raise TooManyCodes("codes were asked for too often")
        self.codes.append(now)
        self.code_id, self.code_digest, self.code_tries = code_id, digest, 0
        self.code_until = now + CODE_FOR

    def count_attempt(self, now: datetime) -> str | None:
        """Count an attempt before comparing; returns the digest to compare with, or None."""
        self.tries = _of_this_hour(self.tries, now)
        if len(self.tries) >= TRIES_AN_HOUR or not self.waits_for_code(now):
            return None
        self.tries.append(now)
        self.code_tries += 1
        self.failures += 1  # until it turns out to be right
        return self.code_digest

    def accept_code(self, now: datetime) -> None:
        """Use up a code that was right, and uncount its attempt."""
        if now in self.tries:
            self.tries.remove(now)
        self.failures -= 1
        self.code_id = self.code_digest = self.code_until = None

    def revoke(self, by: UUID | None, now: datetime) -> None:
        """Revoke the link."""
        if self.revoked_at is not None:
            raise Conflict("it was revoked before", code="already_revoked")
        self.revoked_at, self.revoked_by = now, by


def _of_this_hour(instants: list[datetime], now: datetime) -> list[datetime]:
    """Those within an hour of now; later ones were counted before the clock was set back."""
    return [one for one in instants if abs(now - one) < HOUR]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSession:
    """A short session of a link that was opened with its code."""

    digest: str
    link_id: UUID
    started_at: datetime
    ends_at: datetime
    source: str | None

    def is_good(self, now: datetime) -> bool:
        """Whether it goes on; one that a clock ahead of this one began does not."""
        return self.started_at <= now + CLOCKS_DIFFER and now < self.ends_at

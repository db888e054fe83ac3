"""Break-glass: opening a resident outside one's own scope, with a reason, for a set time.

It grants read access only; the resident's district is notified at once, and somebody else of that
district must review whether it was justified.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from casework.domain.access.policy import OPENERS, Role
from casework.domain.act import Act
from casework.domain.clocks.calendar import Target, Unit, due_at
from casework.domain.clocks.standards import SUPERVISOR
from casework.domain.errors import Conflict, Forbidden, require
from casework.domain.events import Event, EventMetadata
from casework.domain.notices.notices import Notice, NoticeKind
from casework.domain.privacy.events import BreakGlassEnded, BreakGlassReviewed, GlassBroken
from casework.domain.residents.resident import Resident

DEFAULT_HOURS: Final = 24
MAX_HOURS: Final = 72
MAX_REASON_LENGTH: Final = 1000
REVIEW_WITHIN: Final = Target(3, Unit.WORKING_DAYS)


@dataclass(slots=True, kw_only=True)
class BreakGlass:
    """One opening of one resident by one account, until it ends, is ended or is reviewed."""

    id: UUID
    resident_id: UUID
    account_id: UUID
    # The district that was notified, whose supervisors review it.
    district_code: str
    reason: str
    opened_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
    ended_by: UUID | None = None
    reviewed_at: datetime | None = None
    reviewed_by: UUID | None = None
    review_note: str | None = None
    justified: bool | None = None
    version: int = 1

    def is_live(self, at: datetime) -> bool:
        """Whether it still grants access; at the instant it ends it does not."""
        return self.ended_at is None and at < self.ends_at

    def review_is_overdue(self, act: Act) -> bool:
        """Whether nobody reviewed it within three working days."""
        if self.reviewed_at is not None:
            return False
        calendar = act.clockwork.calendar_of(self.district_code)
        return act.at > due_at(calendar, self.opened_at, REVIEW_WITHIN)

    def allowed_actions(self, act: Act) -> list[str]:
        """What the actor may do with it now."""
        if act.by.id == self.account_id:
            return ["end"] if self.is_live(act.at) else []
        return ["close"] if self.reviewed_at is None and act.by.role == Role.SUPERVISOR else []

    def end(self, act: Act) -> Event:
        """The opener ends it."""
        if act.by.id != self.account_id:
            raise Conflict("only who opened it ends it", code="not_your_opening")
        if not self.is_live(act.at):
            raise Conflict("it has ended", code="already_ended", state="ended")
        self.ended_at, self.ended_by = act.at, act.by.id
        return BreakGlassEnded(self.meta(act))

    def close(self, act: Act, note: str, *, justified: bool) -> Event:
        """Record the review by somebody else of the resident's district; ends the access."""
        if act.by.id == self.account_id:
            raise Conflict("nobody reviews what they opened", code="own_break_glass")
        if self.reviewed_at is not None:
            raise Conflict("it was reviewed before", code="already_reviewed", state="reviewed")
        _check_text(note, "note")
        if self.is_live(act.at):
            self.ended_at, self.ended_by = act.at, act.by.id
        self.reviewed_at, self.reviewed_by = act.at, act.by.id
        self.review_note, self.justified = note, justified
        return BreakGlassReviewed(self.meta(act), justified=justified)

    def meta(self, act: Act) -> EventMetadata:
        """When something happened to this opening, and by whom."""
        return EventMetadata.of(act, self.id, resident_id=self.resident_id)


def break_glass(
    resident: Resident,
    reason: str,
    hours: int,
    act: Act,
    *,
    is_within_scope: bool,
    is_open: bool = False,
) -> tuple[BreakGlass, Event]:
    """Open a resident outside the actor's scope; returns the opening and its event."""
    if act.by.role not in OPENERS or act.by.id is None:
        raise Forbidden("only workers and supervisors open residents")
    _check_text(reason, "reason")
    require(
        1 <= hours <= MAX_HOURS,
        f"1 to {MAX_HOURS} hours",
        code="hours_out_of_range",
        field="hours",
    )
    if is_within_scope:
        raise Conflict("you see this resident as it is", code="not_needed")
    if is_open:
        raise Conflict("you have this resident open", code="already_open", state="open")
    opened = BreakGlass(
        id=act.new_id(),
        resident_id=resident.id,
        account_id=act.by.id,
        district_code=resident.district_code,
        reason=reason,
        opened_at=act.at,
        ends_at=act.at + timedelta(hours=hours),
    )
    return opened, GlassBroken(opened.meta(act), hours=hours)


def notice_of_opening(opened: BreakGlass, event: Event, resident: Resident) -> Notice:
    """The notice for the supervisors of the resident's district, at once: an id and no name."""
    return Notice(
        id=event.id,
        kind=NoticeKind.BREAK_GLASS,
        subject_type="break_glass",
        subject_id=opened.id,
        case_id=None,
        centre_code=resident.centre_code,
        district_code=resident.district_code,
        worker_id=None,
        provider_id=None,
        tell=[SUPERVISOR],
        at_once=True,
        since=opened.opened_at,
        about="opened",
    )


def _check_text(text: str, field: str) -> None:
    require(text.strip(), "say why", code=f"{field}_required", field=field)
    require(len(text) <= MAX_REASON_LENGTH, f"at most {MAX_REASON_LENGTH} characters", field=field)

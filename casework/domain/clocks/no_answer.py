"""What happens when nobody answers a referral.

The answer is due by a standard (clock kinds ``response`` and ``waitlist``); the agency, the worker
and the supervisor are told as with every clock (``deadlines.py``). If still nobody answers, the
referral is given up at the instant below: the sweep makes the move ``lapse``
(``casefile/referral_moves.py``), the worker is told (``notices/``), and a disposition is owed: what
shall become of what was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from casework.domain.clocks.calendar import Pause, Target, Unit, WorkingCalendar, due_at
from casework.domain.clocks.standards import ClockKind

# The clocks on which an answer is awaited, and after what it is given up: counted from the request,
# and from the waitlisting. A standard can say otherwise (``Standard.lapse_after``).
USUAL_LAPSE: Final = {
    ClockKind.RESPONSE: Target(10, Unit.WORKING_DAYS),
    ClockKind.WAITLIST: Target(30, Unit.WORKING_DAYS),
}


def lapses_at(
    calendar: WorkingCalendar,
    started_at: datetime,
    due: datetime,
    lapse_after: Target | None,
    pauses: Sequence[Pause] = (),
    *,
    recorded_at: datetime,
) -> datetime | None:
    """When a referral that nobody answers is given up, or None where it never is.

    What was recorded later than it happened is waited for from its recording: the agency could not
    answer what it did not see. Pauses are left out, as for the clock itself, and nothing lapses
    before it was due: what is paused or was extended is still waited for.
    """
    if lapse_after is None:
        return None
    last = due_at(calendar, max(started_at, recorded_at), lapse_after, pauses)
    return max(last, due) + timedelta(seconds=1)


def recorded_last(
    created_at: datetime, requested_at: datetime | None, answered_at: datetime | None
) -> datetime:
    """When the last of what an agency is to answer was recorded.

    What was taken over bears instants of its own days, and was recorded when it was made.
    """
    return max(at for at in (created_at, requested_at, answered_at) if at is not None)


def is_given_up(lapse_at: datetime | None, at: datetime) -> bool:
    """Whether a referral's answer is no longer waited for."""
    return lapse_at is not None and lapse_at <= at

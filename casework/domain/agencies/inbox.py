"""An agency's inbox: its requests, the answers it may give, and its response figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from casework.domain.casefile.referral_moves import MOVES, Party
from casework.domain.casefile.states import DeclineReason, ReferralStatus
from casework.domain.clocks.standards import ClockKind
from casework.domain.errors import require
from casework.domain.figures.figures import Figure, median_of

# What an agency must do while one of its clocks runs.
WANTS: Final[dict[str, str]] = {
    ClockKind.RESPONSE: "answer",
    ClockKind.WAITLIST: "place",
    ClockKind.START: "start",
    ClockKind.PROGRESS: "report",
}
# In which states a request can stand in an inbox.
STATES: Final = (
    ReferralStatus.REQUESTED,
    ReferralStatus.WAITLISTED,
    ReferralStatus.ACCEPTED,
    ReferralStatus.IN_PROGRESS,
    ReferralStatus.ON_HOLD,
)
# What can be said in an answer: the moves that are an agency's, and a signal.
ANSWERS: Final = (
    *(move.action for move in MOVES.values() if move.who is Party.ANSWERER),
    "signal",
)
MAX_ANSWERS: Final = 100
SHARE_DIGITS: Final = 4


def check_each_once(referral_ids: Sequence[UUID]) -> None:
    """Refuse two answers to one request: their order would be undefined."""
    twice = [index for index, id in enumerate(referral_ids) if id in referral_ids[:index]]
    require(
        not twice,
        "each request is answered once",
        code="answered_twice",
        field=f"answers.{twice[0]}.referral_id" if twice else "answers",
    )


class CameTo(StrEnum):
    """What a request came to by its agency's answer."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    WAITLISTED = "waitlisted"
    UNANSWERED = "unanswered"
    LAPSED = "lapsed"
    CALLED_OFF = "called_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOutcome:
    """Requests of one service with the same outcome in the same number of working days.

    One that was declined has a ``reason``; ``outcome`` is how the clock for the answer ended;
    ``days`` is None while no answer was given.
    """

    service: str
    came_to: CameTo
    count: int
    reason: DeclineReason | None = None
    outcome: Figure | None = None
    days: int | None = None


# What the state of a request says of the answer; any other says that it was called off.
_SAYS: Final = {
    ReferralStatus.DECLINED: CameTo.DECLINED,
    ReferralStatus.WAITLISTED: CameTo.WAITLISTED,
    ReferralStatus.LAPSED: CameTo.LAPSED,
    ReferralStatus.REQUESTED: CameTo.UNANSWERED,
}


def came_to(status: ReferralStatus, *, was_accepted: bool) -> CameTo:
    """What a request in a state came to; one that was accepted is that, whatever followed."""
    return CameTo.ACCEPTED if was_accepted else _SAYS.get(status, CameTo.CALLED_OFF)


@dataclass(slots=True)
class _Sums:
    by: Counter[CameTo] = field(default_factory=Counter)
    reasons: Counter[DeclineReason] = field(default_factory=Counter)
    outcomes: Counter[Figure] = field(default_factory=Counter)
    days: Counter[int] = field(default_factory=Counter)

    def take(self, one: RequestOutcome) -> None:
        self.by[one.came_to] += one.count
        if one.came_to is CameTo.DECLINED:
            self.reasons[one.reason or DeclineReason.OTHER] += one.count
        if one.outcome is not None:
            self.outcomes[one.outcome] += one.count
        if one.days is not None:
            self.days[one.days] += one.count

    def told(self) -> dict[str, Any]:
        on_time, late = self.outcomes[Figure.ON_TIME], self.outcomes[Figure.LATE]
        judged = on_time + late
        return {
            "received": self.by.total(),
            "answered": self.days.total(),
            **{name.value: self.by[name] for name in CameTo if name is not CameTo.DECLINED},
            "declined": self.by[CameTo.DECLINED],
            "declined_by_reason": {one.value: self.reasons[one] for one in sorted(self.reasons)},
            "median_working_days": median_of(self.days),
            "on_time": on_time,
            "late": late,
            "excused": self.outcomes[Figure.EXCUSED],
            "on_time_share": round(on_time / judged, SHARE_DIGITS) if judged else None,
        }


def own_figures(received: Iterable[RequestOutcome]) -> dict[str, Any]:
    """How an agency answered its requests: in total and by service."""
    whole, services = _Sums(), dict[str, _Sums]()
    for one in received:
        whole.take(one)
        services.setdefault(one.service, _Sums()).take(one)
    return whole.told() | {
        "by_service": [{"service_code": code} | services[code].told() for code in sorted(services)]
    }

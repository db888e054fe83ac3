"""An agency's desk: answers to many requests, and how it has answered so far.

Each answer is the single move's own use case. In a row they are a transaction each; all or nothing,
the same use cases run in one transaction, which is committed if every one of them went well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from casework.domain.access.policy import Reach
from casework.domain.agencies.inbox import RequestOutcome, outcome_of, own_figures
from casework.domain.errors import Conflict, Refusal
from casework.domain.figures.figures import Period, Spent, spent_in
from casework.domain.referring.referring import Details
from casework.workflows.context import Context
from casework.workflows.ports.agencies import RequestGroup
from casework.workflows.ports.results import Made
from casework.workflows.ports.unit_of_work import Reading, Work
from casework.workflows.referring.referring import move_referral, signal_change

ANSWER: Final = "inbox.answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralAnswer:
    """What an agency says to one request: a move with its details, or a signal of some kind."""

    referral_id: UUID
    action: str
    details: Details
    replace_with: UUID | None = None
    signal_kind: str = ""


class AnswersRefused(Conflict):
    """Of answers that were to be given together one or more is refused: none was given."""

    code = "answers_refused"

    def __init__(self, refusals: dict[UUID, Refusal]) -> None:
        super().__init__(f"{len(refusals)} of the answers are refused, and none was given")
        self.refusals = refusals


def give_answer(ctx: Context, answer: ReferralAnswer) -> UUID:
    """One answer, by the use case of the single move."""
    if answer.action == "signal":
        return signal_change(ctx, answer.referral_id, answer.signal_kind, answer.details.note)
    return move_referral(
        ctx, answer.referral_id, answer.action, answer.details, answer.replace_with
    )


def give_together(ctx: Context, answers: Sequence[ReferralAnswer]) -> None:
    """All of the answers in one transaction, or none of them. Refuses with every refusal."""
    given = {answer.referral_id: answer for answer in answers}
    refusals: dict[UUID, Refusal] = {}
    with ctx.work(ANSWER) as work:
        inside = replace(ctx, store=_OneTransaction(work), expected_version=None)
        for id in work.inbox.in_order(list(given)):
            try:
                give_answer(inside, given[id])
            except Refusal as refusal:
                refusals[id] = refusal
        if refusals:
            raise AnswersRefused(refusals)
        work.commit()


class _Part:
    """The transaction as one of its use cases has it: what it commits waits for the others."""

    def __init__(self, whole: Work) -> None:
        self._whole = whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    def commit(self, made: Made = None) -> None:
        """Nothing yet: the whole is committed, or nothing of it."""


class _OneTransaction:
    """A store for use cases that share a transaction that is open already."""

    def __init__(self, whole: Work) -> None:
        self._whole = whole

    @contextmanager
    def work(self, reach: Reach, _action: str, _now: datetime) -> Iterator[Work]:
        """The open transaction; its repositories go by the reach that it was opened with."""
        if not reach.is_as_wide_as(self._whole.reach):
            raise ValueError("what shares a transaction reaches as far")
        yield cast("Work", _Part(self._whole))

    def reading(
        self, _reach: Reach, _action: str, _now: datetime
    ) -> AbstractContextManager[Reading]:
        """Nothing is looked at in between."""
        raise ValueError("what shares a transaction only changes")


def agency_figures(ctx: Context, reading: Reading, period: Period) -> dict[str, Any]:
    """How the asker's agency has answered what it was asked in a period."""
    period.check()
    spent = spent_in(ctx.clockwork)
    received = [
        RequestOutcome(
            service=one.service_code,
            came_to=outcome_of(one.status, was_accepted=one.was_accepted),
            reason=one.reason,
            outcome=one.outcome,
            days=_days(one, spent),
            count=one.count,
        )
        for one in reading.inbox.asked(period)
    ]
    return {"from": period.since, "to": period.until} | own_figures(received)


def _days(one: RequestGroup, spent: Spent) -> int | None:
    """The working days until the answer; None while there is none."""
    if one.answered_on is None:
        return None
    return spent(one.district_code, one.asked_on, one.answered_on, one.pauses)

"""An agency's inbox: answering many requests at once, and its response figures.

Each answer runs the use case of the single move: in a transaction of its own, or (all or nothing)
together in one transaction, which is committed only if every one succeeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from casework.domain.agencies.inbox import RequestOutcome, came_to, own_figures
from casework.domain.errors import Conflict, Refusal
from casework.domain.figures.figures import Period, Spent, spent_in
from casework.domain.referring.referring import Details
from casework.workflows.context import Context
from casework.workflows.ports.agencies import RequestGroup
from casework.workflows.ports.unit_of_work import Reading
from casework.workflows.referring.referring import move_referral, signal_change

ANSWER: Final = "inbox.answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralAnswer:
    """An agency's answer to one request: a move with its details, or a signal."""

    referral_id: UUID
    action: str
    details: Details
    replace_with: UUID | None = None
    signal_kind: str = ""


class AnswersRefused(Conflict):
    """At least one answer of an all-or-nothing batch is refused: none was carried out."""

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
        in_order = work.inbox.in_order(list(given))
        with work.parts() as store:
            inside = replace(ctx, store=store, expected_version=None)
            for id in in_order:
                try:
                    give_answer(inside, given[id])
                except Refusal as refusal:
                    refusals[id] = refusal
        if refusals:
            raise AnswersRefused(refusals)
        work.commit()


def agency_figures(ctx: Context, reading: Reading, period: Period) -> dict[str, Any]:
    """How the actor's agency answered the requests of a period."""
    period.check()
    spent = spent_in(ctx.clockwork)
    received = [
        RequestOutcome(
            service=one.service_code,
            came_to=came_to(one.status, was_accepted=one.was_accepted),
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

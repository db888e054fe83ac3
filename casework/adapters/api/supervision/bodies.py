"""Request bodies of the worklist, supervision and jobs."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StrictBool

from casework.adapters.api.shared.bodies import Body, Cause, Instant, RecentDay, Words

Action = Literal["chase", "extend", "reassign", "redirect", "excuse"]


class ReviewDeadline(Body):
    """What a supervisor decides about an overdue clock, and why it was late."""

    action: Action
    cause: Cause
    reason: Words | None = None
    until: RecentDay | None = None
    worker_id: UUID | None = None
    offering_id: UUID | None = None


class ReviewOneDeadline(ReviewDeadline):
    """One of several reviews."""

    deadline_id: UUID


def _each_once(reviews: list[ReviewOneDeadline]) -> list[ReviewOneDeadline]:
    if len({one.deadline_id for one in reviews}) < len(reviews):
        raise ValueError("a deadline is named twice")
    return reviews


class ReviewDeadlines(Body):
    """Up to 100 reviews of as many deadlines; each succeeds or fails by itself."""

    reviews: Annotated[
        list[ReviewOneDeadline], Field(min_length=1, max_length=100), AfterValidator(_each_once)
    ]


class RunSweep(Body):
    """The instant that the sweep uses as now, and whether it is a dry run."""

    as_of: Instant | None = None
    dry_run: StrictBool = False

"""Reading the audit trail, and reviewing it month by month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from casework.domain.access.accounts import canonical_username
from casework.domain.audit import reviews as domain
from casework.domain.clocks.calendar import ONE_DAY, day_in_seoul, midnight
from casework.domain.errors import require
from casework.domain.figures.figures import Month
from casework.workflows.context import Context
from casework.workflows.ports.paging import Row
from casework.workflows.ports.unit_of_work import Page, Paging, Reading

READ, REVIEW = "audit.read", "audit.review"
MONTHS_SHOWN = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A reviewer's findings for a month."""

    month: str
    chain: str | None
    account: str | None
    findings: str
    measures: str | None


def record_review(ctx: Context, reviewed: Reviewed) -> UUID:
    """Record that a month of a chain, or of an account, was reviewed."""
    month = Month.parse(reviewed.month)
    with ctx.work(REVIEW) as work:
        chain, account = reviewed.chain, reviewed.account and canonical_username(reviewed.account)
        known = chain is None or chain in work.audit.chains()
        require(known, "no such chain", code="unknown_chain", field="chain")
        known = account is None or work.audit.has_account(account)
        require(known, "no such account", code="unknown_account", field="account")
        since, until = bounds(month)
        entries = work.audit.count(since, until, chain=chain, account=account)
        own = 0
        if chain is not None:
            own = work.audit.count(since, until, chain=chain, account=ctx.actor.username)
        made = domain.review(
            ctx.act,
            month,
            chain=chain,
            account=account,
            entries=entries,
            own=own,
            findings=reviewed.findings,
            measures=reviewed.measures,
        )
        work.audit.add(made)
        work.commit(made.id)
        return made.id


def bounds(month: Month) -> tuple[datetime, datetime]:
    """The first instant of a month in Seoul, and the first one after it."""
    return midnight(month.first), midnight(month.last + ONE_DAY)


def summary(
    ctx: Context, reading: Reading, month: Month, before: datetime | None, paging: Paging
) -> Page:
    """What each account did in a month, so far; the unusual first, without those with nothing.

    ``before`` an instant, where the month has more entries than are counted at once.
    """
    holidays = ctx.clockwork.calendar_of(None).holidays_in(month.year)
    closed = [day for day in holidays if Month.of(day) == month]
    since, until = bounds(month)
    until = max(since, min(until, ctx.now, before or until))
    return reading.audit.summary(since, until, closed, paging)


def unreviewed(ctx: Context, reading: Reading) -> list[Row]:
    """Past months without a review, by chain, and accounts left out of reviews."""
    first = reading.audit.first_at()
    if first is None:
        return []
    months = list(_months(day_in_seoul(first), ctx.act.today))[-MONTHS_SHOWN:]
    if not months:
        return []
    reviews = reading.audit.reviews_since(str(months[0]))
    chains = {(one.month, one.chain) for one in reviews}
    accounts = {(one.month, one.account) for one in reviews}
    left_out = {(one.month, one.left_out) for one in reviews if one.left_out} - accounts
    owed: list[Row] = []
    for month in map(str, months):
        owed += [
            {"month": month, "chain": chain, "account": None}
            for chain in reading.audit.chains()
            if (month, chain) not in chains
        ]
        owed += [
            {"month": month, "chain": None, "account": account}
            for of, account in sorted(left_out)
            if of == month
        ]
    return owed


def _months(first: date, today: date) -> Iterator[Month]:
    """Every past month from a day on."""
    month = Month.of(first)
    while month < Month.of(today):
        yield month
        month = Month.of(month.last + ONE_DAY)

"""How long the files of closed cases are retained, and legal holds, which put deleting off."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from casework.domain.casefile.retained import check_years
from casework.domain.cases import legal_holds
from casework.domain.errors import NotFound
from casework.workflows.context import Context
from casework.workflows.ports.paging import Paging

SCHEDULE = "standard.write"
HOLD = "case.supervise"


def set_schedule(ctx: Context, district_code: str, years: int | None, basis: str | None) -> str:
    """Set for how many years a district retains closed cases; None for as long as the law asks."""
    with ctx.work(SCHEDULE) as work:
        if years is not None:
            check_years(years)
        work.directory_editing.save_retention(district_code, years, basis)
        work.commit(district_code)
        return district_code


def place_legal_hold(ctx: Context, case_id: UUID, reason: str, review_on: date) -> UUID:
    """Put a case under legal hold, or review the hold that stands."""
    with ctx.work(HOLD) as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.version)
        legal_holds.place(file, reason, review_on, ctx.act)
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id


def end_legal_hold(ctx: Context, case_id: UUID, reason: str) -> UUID:
    """End the legal hold of a case."""
    with ctx.work(HOLD) as work:
        file = work.files.of_case(case_id, with_plan=True)
        ctx.expect(file.case.version)
        legal_holds.end(file, reason, ctx.act)
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id


def case_of_number(ctx: Context, number: str) -> UUID:
    """The case with that number, as it is stored; else NotFound."""
    with ctx.reading("case.read") as reading:
        rows = reading.cases.listed({"number": number}, Paging(limit=1)).rows
    if not rows:
        raise NotFound("no such case")
    found: UUID = rows[0]["id"]
    return found

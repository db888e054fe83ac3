"""Legal holds at the command line: for the city's privacy officer, who sees no case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Final
from uuid import UUID

from casework.bootstrap import Application
from casework.domain.access.policy import SYSTEM
from casework.domain.casefile.case_numbers import read_case_number
from casework.workflows.cases import retaining
from casework.workflows.context import Context
from casework.workflows.ports.paging import Paging, Row
from casework.workflows.ports.unit_of_work import RequestFacts

PAGE: Final = 200


def place(of: Application, number: str, because: str, review_on: date) -> None:
    """Put the case of that number under legal hold, or review the one that stands."""
    ctx, case_id = _found(of, number, "casework retention hold")
    retaining.place_legal_hold(ctx, case_id, because, review_on)


def end(of: Application, number: str, because: str) -> None:
    """End the legal hold of the case of that number."""
    ctx, case_id = _found(of, number, "casework retention release")
    retaining.end_legal_hold(ctx, case_id, because)


def standing(of: Application) -> Iterator[Row]:
    """Every case under legal hold, newest first."""
    ctx, paging = _context(of, "casework retention holds"), Paging(limit=PAGE)
    with ctx.reading("case.read") as reading:
        while True:
            page = reading.cases.listed({"legal_hold": True}, paging)
            yield from page.rows
            if page.last_key is None:
                return
            paging = Paging(limit=PAGE, after=page.last_key)


def _found(of: Application, number: str, task: str) -> tuple[Context, UUID]:
    ctx = _context(of, task, read_case_number(number))
    return ctx, retaining.case_of_number(ctx, read_case_number(number))


def _context(of: Application, task: str, asked_for: str | None = None) -> Context:
    facts = RequestFacts(task=task, asked_for=asked_for)
    return replace(of.context(SYSTEM), store=of.store.for_request(facts))

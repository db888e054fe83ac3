"""Exporting a list: all of its pages, under one audit entry with the purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from casework.domain.errors import Invalid
from casework.domain.exchange.exporting import MAX_ROWS, PAGE
from casework.workflows.ports.unit_of_work import Page, Paging, Reading


def whole(reading: Reading, read: Callable[[Reading, Paging], Page]) -> Iterator[Any]:
    """Every row of a list, page by page; refuses a list that exceeds the export limit."""
    paging, count = Paging(limit=PAGE), 0
    while True:
        page = read(reading, paging)
        count += len(page.rows)
        if count > MAX_ROWS:
            raise Invalid(
                f"more than {MAX_ROWS} rows; filter it", code="export_too_large", field="filters"
            )
        yield from page.rows
        if page.last_key is None:
            return
        paging = Paging(limit=PAGE, after=page.last_key)

"""The numbers of new cases: one counter a district and year, locked until the commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.rows.aliases import alias_of
from casework.domain.casefile.case import Case
from casework.domain.casefile.case_numbers import case_number
from casework.domain.clocks.calendar import day_in_seoul

_numbered = alias_of(t.care_case, "numbered")


def number_of(case_id: Any) -> Any:
    """The column ``case_number`` beside a column with the id of a case."""
    found = select(_numbered.c.number).where(_numbered.c.id == case_id)
    return found.scalar_subquery().label("case_number")


def give_numbers(connection: Connection, cases: Iterable[Case]) -> None:
    """Number new cases in the order given, in one statement a district and year.

    Whoever opens another case there waits for the commit, so that no number is given twice; the
    unique constraint on the number says so again.
    """
    opened: dict[tuple[str, int], list[Case]] = defaultdict(list)
    for case in cases:
        opened[case.district_code, day_in_seoul(case.opened_at).year].append(case)
    for (district, year), some in sorted(opened.items(), key=lambda one: one[0]):
        last = _counted(connection, district, year, len(some))
        for running, case in enumerate(some, last - len(some) + 1):
            case.number = case_number(district, year, running)


def _counted(connection: Connection, district: str, year: int, count: int) -> int:
    """The last of the running numbers that are taken now."""
    counter = t.case_counter
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(counter).values(district_code=district, year=year, last=count)
    taken = statement.on_conflict_do_update(
        index_elements=[counter.c.district_code, counter.c.year],
        set_={"last": counter.c.last + count},
    ).returning(counter.c.last)
    last: int = connection.execute(taken).scalar_one()
    return last

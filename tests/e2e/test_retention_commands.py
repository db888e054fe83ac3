"""Retention at the command line: a dry run by district, and a legal hold by the case's number."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date, timedelta

import pytest
from sqlalchemy import create_engine, text

from tests.e2e.test_cli import Run, database, is_one_line, run

__all__ = ["database", "run"]


@pytest.fixture
def number(run: Run, database: str) -> str:
    """The number of a case that was closed ten years ago."""
    assert run("migrate", database_url=database).code == 0
    assert run("seed", "--residents", "30", database_url=database).code == 0
    engine = create_engine(database)
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT id, number, opened_at FROM care_case ORDER BY id")
        id, found, at = cursor.fetchall()[0]
        closed = "UPDATE care_case SET status = 'closed', closed_at = ? WHERE id = ?"
        cursor.execute(closed, (f"{int(at[:4]) - 10}-02-03{at[10:]}", id))
        connection.commit()
    engine.dispose()
    return str(found)


def test_a_case_past_its_time_is_counted_held_and_deleted(
    run: Run, database: str, number: str
) -> None:
    def said(*words: str) -> dict[str, object]:
        told = run("retention", "run", *words, "--json", database_url=database)
        assert told.code == 0, told.err
        kinds = json.loads(told.out)["kinds"]
        (found,) = next(one for one in kinds if one["kind"] == "closed_cases")["districts"]
        return dict(found)

    district = number[:5]
    found = said("--dry-run")
    assert (found["district_code"], found["found"], found["deleted"]) == (district, 1, 0)
    assert str(found["oldest_on"]).endswith("-02-03")
    review = (date.today() + timedelta(days=30)).isoformat()  # noqa: DTZ011
    hold = ("retention", "hold", number, "--because", "a claim", "--review-on", review)
    assert run(*hold, database_url=database).code == 0
    told = run("retention", "holds", "--json", database_url=database)
    assert json.loads(told.out) == {"holds": [{"number": number, "review_on": review}]}
    found = said()
    assert (found["found"], found["held"], found["deleted"]) == (0, 1, 0)
    ended = ("retention", "release", number, "--because", "withdrawn")
    assert run(*ended, database_url=database).code == 0
    is_one_line(run(*ended, database_url=database), "end-legal-hold")
    assert said()["deleted"] == 1
    engine = create_engine(database)
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM care_case WHERE number = :number")
        assert connection.scalar(query, {"number": number}) == 0
    engine.dispose()


def test_a_hold_without_a_number_that_there_is_is_refused_in_one_line(
    run: Run, database: str
) -> None:
    hold = ("retention", "hold", "26350-26-00001-1", "--because", "x", "--review-on", "2027-01-01")
    is_one_line(run(*hold, database_url=database), "no such case")

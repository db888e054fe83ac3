"""The text of a traced statement has no value in it, wherever it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.adapters.telemetry.statements import LONGEST, operation_of, without_values

MARK = "카나리01가상"


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT 1", "SELECT ?"),
        ("SELECT a FROM b WHERE c = 'x' AND d=12.5", "SELECT a FROM b WHERE c = ? AND d=?"),
        ("SELECT 'it''s' || a1", "SELECT ? || a1"),
        (r"SELECT E'it\'s' , b", "SELECT ? , b"),
        ("SELECT $$it's$$, $x$a $$ b$x$, c", "SELECT ?, ?, c"),
        ("SELECT a -- of Kim\nFROM b /* and Lee */", "SELECT a ? FROM b ?"),
        ("SELECT a WHERE b = 'no end", "SELECT a WHERE b = ?"),
        ("SELECT a /* no end", "SELECT a ?"),
        ('SELECT "a_1", "Kim Yeong"', 'SELECT "a_1", "?"'),
        ("SELECT 0x1F, 1e5, 3", "SELECT ?, ?, ?"),
        ("SELECT 카나리", "SELECT ?"),
        (
            "INSERT INTO a (b) VALUES (%(b_1)s::VARCHAR(10), ?, :c_2)",
            "INSERT INTO a (b) VALUES (%(b_1)s::VARCHAR(?), ?, :c_2)",
        ),
    ],
)
def test_a_value_is_a_question_mark_and_a_parameter_stays(statement: str, shown: str) -> None:
    assert without_values(statement) == shown


@given(st.text(alphabet="a'\\$-*/\"01 가", max_size=12), st.sampled_from(["pg", "sqlite"]))
def test_no_text_that_is_written_into_a_statement_is_in_what_is_shown(
    text: str, store: str
) -> None:
    query = select(t.resident.c.id).where(t.resident.c.name == literal(f"kim{text}lee"))
    dialect = postgresql.dialect() if store == "pg" else sqlite.dialect()
    with_value = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    assert "kim" in with_value, "the control: it is there before"
    shown = without_values(with_value)
    assert "kim" not in shown
    assert "lee" not in shown


def test_what_the_application_sends_is_shown_with_its_columns_and_parameters() -> None:
    statement = insert(t.audit_pending).values(entry_id=MARK)
    assert (
        without_values(str(statement)) == "INSERT INTO audit_pending (entry_id) VALUES (:entry_id)"
    )
    assert (operation_of(str(statement)), operation_of(f"{MARK} x")) == ("INSERT", "other")


def test_a_long_statement_is_cut() -> None:
    assert len(without_values("SELECT " + "a, " * 5000)) <= LONGEST

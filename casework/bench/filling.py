"""Filling a benchmark's database: every row by INSERT … SELECT from a series of numbers.

Ids sort by their number, as real ones sort by creation time; only numbers and constants are put
into the statements.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine, text

NOW: Final = datetime(2026, 6, 10, 3, 0, tzinfo=UTC)
DUE_AT: Final = NOW - timedelta(hours=12)
LATER: Final = NOW + timedelta(days=30)
CLOCKS_A_WORKER: Final = 100
# Reminder, breach and all three tiers, in seconds after the due date.
STEPS: Final = {-1: -20 * 3600, 0: 1, 1: 9 * 3600, 2: 57 * 3600, 3: 177 * 3600}
# Every third clock was paused for two days.
PAUSED: Final = (
    '[{"began_at": "2026-06-06T00:00:00+00:00", "until": "2026-06-07", "reason": "away", '
    '"resumed_at": null, "source": null}]'
)
CENTRE, DISTRICT = "2611051000", "26110"
RESIDENT, CASE, PLANNED, REFERRAL, CLOCK, PROMISE, WORKER, STEP = 1, 2, 3, 4, 5, 6, 9, 20
PROVIDER, OFFERING = 0x30, 0x40

FACTS: Final = """
INSERT INTO district (code, name_ko, name_en) VALUES ('26110', '가상구', 'Example-gu');
INSERT INTO centre (code, district_code, name, lat, lon)
  VALUES ('2611051000', '26110', '가상동', 35.1, 129.0);
INSERT INTO service (code, field, name_ko, name_en, run_by, unit, limit_note, basis, certainty)
  VALUES
  ('MED-VISIT', 'medical', '방문진료', 'Visit', 'national', 'visit', NULL, 'Act 15', 'C');
INSERT INTO provider (id, slug, name, kind, phone, district_code, lat, lon, is_active, version)
  VALUES
  ({one}, 'example', '가상의원', 'clinic', '051-000-0000', '26110', 35.1, 129.0, true, 1);
INSERT INTO offering (id, provider_id, service_code, is_open, capacity, available,
  stated_available, waiting, unit, as_of)
  VALUES ({one}, {one}, 'MED-VISIT', true, 1, 1, 1, 0, 'visit', {at})
"""
ROWS: Final = """
INSERT INTO resident (id, name, name_key, name_initials, birth_date, sex, centre_code,
  district_code, registered_at, version)
SELECT {resident}, '가상', '가상', 'ㄱㅅ', {day}, 'female', {where}, {at}, 1 FROM {numbers};
INSERT INTO care_case (id, number, resident_id, centre_code, district_code, status, channel,
  applied_on, opened_at, urgent, plan_revision, version)
SELECT {case}, {number}, {resident}, {where}, 'supported', 'self', {day}, {at}, false, 1, 1
  FROM {numbers};
INSERT INTO planned_service (id, case_id, resident_id, service_code, field, status, ends_on,
  created_at, version)
SELECT {planned}, {case}, {resident}, 'MED-VISIT', 'medical', 'in_force', {day}, {at},
  1 FROM {numbers};
INSERT INTO referral (id, case_id, resident_id, centre_code, district_code, planned_service_id,
  service_code, field, offering_id, provider_id, status, priority, basis_kind, created_at,
  requested_at, requested_on, disposition_owed, held_with_case, ended_by_closing, version)
SELECT {referral}, {case}, {resident}, {where}, {planned}, 'MED-VISIT', 'medical', {one}, {one},
  'requested', 'routine', 'article_14_2', {at}, {at}, {day}, false, false, false,
  1 FROM {numbers};
INSERT INTO deadline (id, case_id, kind, subject_type, subject_id, resident_id, centre_code,
  district_code, worker_id, provider_id, held_by, field, service_code, priority, basis, target,
  started_at, due_at, pauses, paused_until, extensions, excused, can_wait)
SELECT {clock}, {case}, 'response', 'referral', {referral}, {resident}, {where}, {worker}, {one},
  'provider', 'medical', 'MED-VISIT', 'routine', 'city service target', '3 working_days', {at},
  {due_at}, {pauses}, {paused_until}, '[]', false, true FROM {numbers}
"""
STEP_ROWS: Final = """
INSERT INTO escalation (id, deadline_id, tier, due_at, at, tell, passed_over, quiet)
SELECT {step}, {clock}, {tier}, {due_at}, {instant}, '["worker"]', false, false FROM {numbers}
"""
# Clocks of the city's programme: of the one district and of the city by turns, every tenth overdue.
PROGRAMME_ROWS: Final = """
INSERT INTO deadline (id, kind, subject_type, subject_id, district_code, body_id, held_by, priority,
  basis, target, started_at, due_at, pauses, extensions, excused, can_wait)
SELECT {promise}, 'task', 'task', {promise}, {area}, {one}, 'owner', 'routine',
  'given', '739807 on_date', {at}, {promised}, '[]', '[]', false, true FROM {numbers}
"""


def fill(engine: Engine, size: int, due: int) -> None:
    """Put ``size`` open referrals into an empty database; the first ``due`` are due."""
    with engine.begin() as connection:
        for statement in _statements(engine, size, due):
            connection.execute(text(statement))
    tidy(engine)


def fill_programme(engine: Engine, number: int) -> None:
    """Put clocks of the programme beside what is there."""
    words = _words(engine, number, 0) | {
        "promise": _id(engine, PROMISE),
        "area": f"CASE WHEN i % 2 = 0 THEN 'city' ELSE '{DISTRICT}' END",
        "promised": f"CASE WHEN i % 10 = 1 THEN {instant(engine, DUE_AT)}"
        f" ELSE {instant(engine, LATER)} END",
    }
    with engine.begin() as connection:
        connection.execute(text(PROGRAMME_ROWS.format(**words)))
    tidy(engine)


def tidy(engine: Engine) -> None:
    """Run the maintenance that the database does in time: statistics and checkpoints."""
    raw = engine.raw_connection()
    try:
        connection: Any = raw.driver_connection
        if engine.dialect.name == "postgresql":
            connection.autocommit = True
            connection.execute("VACUUM ANALYZE")
            connection.autocommit = False
        else:
            connection.execute("ANALYZE")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()


def numbered_id(kind: int, number: int) -> UUID:
    """The id of a numbered row."""
    return UUID(f"0190{number:08x}7000800000000000{kind:04x}")


def _statements(engine: Engine, size: int, due: int) -> Iterator[str]:
    words = _words(engine, size, due)
    yield from FACTS.format(**words).split(";")
    yield from ROWS.format(**words).split(";")
    for tier, seconds in STEPS.items():
        after = timedelta(seconds=seconds)
        yield STEP_ROWS.format(
            **words,
            tier=tier,
            step=_id(engine, STEP + tier),
            instant=_either(engine, due, DUE_AT + after, LATER + after),
        )


def _words(engine: Engine, size: int, due: int) -> dict[str, str]:
    """The parameters of the templates, in the SQL of the database."""
    on_postgres = engine.dialect.name == "postgresql"
    series = (
        f"SELECT i FROM generate_series(1, {size}) AS i"
        if on_postgres
        else f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        f"WHERE i < {size}) SELECT i FROM n"
    )
    return {
        "numbers": f"({series}) AS numbered",
        "where": f"'{CENTRE}', '{DISTRICT}'",
        "one": f"'{UUID(int=1).hex}'" + "::uuid" * on_postgres,
        "day": "date " * on_postgres + "'1940-01-01'",
        "at": instant(engine, NOW - timedelta(days=5)),
        "due_at": _either(engine, due, DUE_AT, LATER),
        "pauses": _third(f"'{PAUSED}'{'::jsonb' * on_postgres}", f"'[]'{'::jsonb' * on_postgres}"),
        "paused_until": _third(instant(engine, NOW - timedelta(days=2)), "NULL"),
        "resident": _id(engine, RESIDENT),
        "case": _id(engine, CASE),
        "number": f"'{DISTRICT}-26-' || i",
        "planned": _id(engine, PLANNED),
        "referral": _id(engine, REFERRAL),
        "clock": _id(engine, CLOCK),
        "worker": _id(engine, WORKER, f"(i / {CLOCKS_A_WORKER})"),
    }


def _either(engine: Engine, due: int, early: datetime, late: datetime) -> str:
    return f"CASE WHEN i <= {due} THEN {instant(engine, early)} ELSE {instant(engine, late)} END"


def _third(value: str, otherwise: str) -> str:
    return f"CASE WHEN i % 3 = 0 THEN {value} ELSE {otherwise} END"


def instant(engine: Engine, at: datetime) -> str:
    """An instant in the format of the database."""
    if engine.dialect.name == "postgresql":
        return f"'{at.isoformat()}'::timestamptz"
    return f"'{at.replace(tzinfo=None).isoformat(timespec='microseconds')}'"


def _id(engine: Engine, kind: int, number: str = "i") -> str:
    tail = f"7000800000000000{kind:04x}"
    if engine.dialect.name == "postgresql":
        return f"('0190' || lpad(to_hex({number}), 8, '0') || '{tail}')::uuid"
    return f"('0190' || lower(printf('%08x', {number})) || '{tail}')"

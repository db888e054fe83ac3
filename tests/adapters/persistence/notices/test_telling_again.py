"""What stays overdue is told again of by an index, and it is what every overdue clock would say."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.overdue import is_overdue
from casework.bench.statements import statements
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.notices.notices import NoticeKind, digest_of, told_again_since
from casework.workflows.notices import relay as notice_relay
from tests.adapters.persistence.notices import walking
from tests.adapters.persistence.notices.test_notices import review, round_of, told_supervisors
from tests.adapters.persistence.supervision.test_sweep import sweep
from tests.api.acts import a_case, a_referral, clock, surveyed
from tests.api.conftest import DISTRICT, SUPERVISOR, WORKER, Api
from tests.api.racing import ON_POSTGRES

OTHER_WORKER = WORKER.replace("worker.", "worker2.")
ACTS = ("chase", "long_chase", "reassign", "excuse", "extend", "hold", "holiday", "survey", "open")


def told_again(api: Api) -> Counter[UUID]:
    """How often each clock was told of again."""
    query = select(t.notice.c.subject_id).where(t.notice.c.kind == NoticeKind.STILL_OVERDUE)
    with api.engine.connect() as connection:
        return Counter(connection.scalars(query))


def by_walking(api: Api) -> set[UUID]:
    """Of what a round of now has to tell again, as every overdue clock says."""
    with api.application.notices.store() as store:
        swept = store.swept_as_of()
    calendar = api.application.context().clockwork.calendar_of(DISTRICT)
    morning = digest_of(api.clock.now, calendar, swept)
    if morning is None:
        return set()
    since = told_again_since(morning, calendar)
    with api.engine.connect() as connection:
        return walking.still_overdue(connection, DISTRICT, since, api.clock.now)


def overdue(api: Api) -> list[UUID]:
    with api.engine.connect() as connection:
        return sorted(connection.scalars(select(t.deadline.c.id).where(is_overdue(api.clock.now))))


def do(api: Api, act: str, cases: list[UUID], chance: random.Random) -> bool:
    """Do something about a clock, a case or all of them; returns whether it could be done."""
    late, today = overdue(api), day_in_seoul(api.clock.now)
    case = chance.choice(cases)
    later = (today + timedelta(days=chance.randint(1, 9))).isoformat()
    if act == "open":
        cases.append(a_case(api))
        return True
    if act == "survey":
        if clock(api, "survey", case) not in late:
            return False
        surveyed(api, case)
        return True
    if act == "hold":
        body: dict[str, Any] = {"reason": "hospitalised", "until": later}
        return bool(api.as_(WORKER).post(f"/cases/{case}/hold", body).status_code == 200)
    if act == "holiday":
        body = {"on": later, "closed": True, "name": "a day of mourning"}
        return api.as_("admin").post("/holidays", body).status_code in (200, 201)
    if not late:
        return False
    verdict: dict[str, Any] = {"action": act, "cause": "staff_absent"}
    if act == "long_chase":
        until = (today + timedelta(days=chance.randint(10, 20))).isoformat()
        verdict |= {"action": "chase", "until": until}
    elif act in ("chase", "extend"):
        verdict["until"] = later
    elif act == "reassign":
        verdict["worker_id"] = str(api.id_of(chance.choice([WORKER, OTHER_WORKER])))
    path = f"/overdue/{chance.choice(late)}/review"
    return bool(api.as_(SUPERVISOR).post(path, verdict).status_code == 200)


@pytest.mark.both_stores
@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_told_again_is_what_a_walk_through_all_that_is_overdue_finds(
    api: Api, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(notice_relay, "LOOKED_AT", 3)
    chance, done, days = random.Random(seed), Counter[str](), 0
    cases = [a_case(api) for _ in range(5)]
    a_referral(api)
    for number in range(45):
        day = date(2026, 3, 3) + timedelta(days=number)
        if chance.random() < 0.9:  # the sweep may be down for a day
            sweep(api, f"{day}T09:00")
        for hour in (10, 15):
            api.clock.set(f"{day}T{hour}:00")
            expected, before = by_walking(api), told_again(api)
            round_of(api)
            assert set(told_again(api) - before) == expected, (day, hour)
            days += bool(expected)
            act = chance.choice(ACTS)
            done[act] += chance.random() < 0.5 and do(api, act, cases, chance)
    assert days > 5
    assert {one for one in ACTS if done[one]} >= {"chase", "reassign", "hold", "holiday"}, done


def of_clocks(api: Api) -> tuple[int, int]:
    """How many statements of a round look for clocks, and how many read what was told of some."""
    with statements(api.application.engine) as sent:
        round_of(api)
    looks = [one for one in sent if "heard_until" in one]
    return len(looks), sum("escalation" in one for one in looks)


@pytest.mark.both_stores
def test_a_round_looks_at_nothing_that_is_not_to_be_told_however_much_is_overdue(api: Api) -> None:
    surveys = [clock(api, "survey", a_case(api)) for _ in range(4)]
    told_supervisors(api, "2026-03-12")
    api.clock.set("2026-03-13T10:00")
    review(api, surveys[0], action="excuse")
    review(api, surveys[1], action="chase", until="2026-04-10")
    review(api, surveys[2], action="reassign", worker_id=str(api.id_of(OTHER_WORKER)))
    found = set()
    for at in ("2026-03-18T09:00", "2026-03-19T09:00", "2026-03-24T09:00", "2026-03-25T09:00"):
        sweep(api, at)
        round_of(api)
        api.clock.forward(minutes=5)
        found.add(of_clocks(api))
    assert set(told_again(api)) == {surveys[2], surveys[3]}
    with api.engine.connect() as connection:
        districts = len(connection.execute(select(t.district.c.code)).all())
    assert found == {(2 * (districts + 1), 0)}  # those of each district, and of the city


@pytest.mark.both_stores
def test_until_when_somebody_heard_is_kept_and_forgotten_once_it_is_planned_anew(api: Api) -> None:
    survey = clock(api, "survey", a_case(api))

    def heard() -> datetime | None:
        with api.engine.connect() as connection:
            query = select(t.deadline.c.heard_until).where(t.deadline.c.id == survey)
            found: datetime | None = connection.scalar(query)
            return found

    assert heard() is None
    for day in ("12", "19"):
        told_supervisors(api, f"2026-03-{day}")
    assert heard() == api.clock.now, "the morning on which it was told again"
    api.clock.set("2026-03-20T10:00")
    review(api, survey, action="chase", until="2026-03-24")
    assert heard() is None
    round_of(api)
    assert heard() is not None
    with api.engine.begin() as connection:
        steps = select(func.count()).where(t.escalation.c.deadline_id == survey)
        before = connection.scalar(steps)
    body = {"on": "2026-03-25", "closed": True, "name": "a day of mourning"}
    assert api.as_("admin").post("/holidays", body).status_code in (200, 201)
    with api.engine.begin() as connection:
        assert connection.scalar(steps) == before


@ON_POSTGRES
def test_what_is_looked_at_is_found_by_its_index_whatever_the_statistics_say(api: Api) -> None:
    a_case(api)
    sweep(api, "2026-03-12T09:00")
    with statements(api.application.engine) as sent:
        round_of(api)
    asked = [one for one in sent if "ORDER BY deadline.heard_until" in one]
    assert len(asked) >= 2
    with api.engine.connect() as connection:
        connection.execute(text("SET enable_seqscan = off"))
        for heard in ("deadline.heard_until IS NULL", "deadline.heard_until < now()"):
            plan = "\n".join(
                connection.scalars(
                    text(
                        "EXPLAIN SELECT id FROM deadline WHERE met_at IS NULL AND cancelled_at IS"
                        f" NULL AND district_code = '{DISTRICT}' AND {heard} AND due_at < now()"
                        " ORDER BY heard_until, due_at, id LIMIT 2000"
                    )
                )
            )
            assert "ix_deadline_district_heard" in plan
            assert "Sort" not in plan

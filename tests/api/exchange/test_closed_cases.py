"""Closed cases: retained by their district's schedule, deleted whole, and never under hold."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, UniqueConstraint, select

from casework import retention
from casework.adapters.persistence import tables as t
from casework.domain.exchange.retention import Expired, ExpiredCases
from casework.kept_figures import keep_figures
from casework.workflows.audit import sealing
from tests.adapters.persistence.audit.test_sealing import KEY
from tests.api import acts
from tests.api.asking import everything, refusal
from tests.api.conftest import (
    ASSESSOR,
    DISTRICT,
    FAR_SUPERVISOR,
    OTHER_DISTRICT,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)
from tests.api.directory.test_matching import as_scheduler
from tests.api.duplicates.test_merging import merge
from tests.api.racing import ON_POSTGRES
from tests.api.shared.test_guard import audit
from tests.audit import seal
from tests.proofs._kept_figures import miskept

# A case that is closed in March 2026 is retained through 2031.
LAST_DAY, THE_DAY_AFTER = "2031-12-31T23:59", "2032-01-01T00:00"


def closed(api: Api, supported: acts.Supported, by: str = WORKER) -> acts.Supported:
    """Close a case with all that is open in it."""
    what = {"reason": "refused", "end_open_referrals": True}
    answer = api.as_(by).post(f"/cases/{supported.case}/close", what)
    assert answer.status_code == 200, answer.text
    return supported


def a_life(api: Api) -> acts.Supported:
    """A case with something in every table that a case fills, closed."""
    it = acts.a_supported_case(api)
    referral = acts.a_referral(api, it)
    acts.moved(api, referral, "accept", PROVIDER)
    worker = api.as_(WORKER)
    for path, body in (
        (f"/residents/{it.resident}/notes", {"kind": "call", "text": "she was well"}),
        (f"/cases/{it.case}/signals", {"kind": "fall", "note": "in the kitchen"}),
    ):
        assert worker.post(path, body).status_code == 201
    return closed(api, it)


def done(api: Api, *, dry_run: bool = False) -> Expired:
    """Without the other kinds: the database lets nobody delete access records of this year."""
    return retention.closed_cases(api.application, dry_run=dry_run)


def set_years(api: Api, years: int | None, by: str = SUPERVISOR, code: str = DISTRICT) -> Any:
    body = {"years": years, "basis": "district records schedule 2026"}
    return api.as_(by).post(f"/districts/{code}/retention", body)


def count_figures(api: Api) -> int:
    """Let the job count what waits; how many changes it counted."""
    with as_scheduler(api) as application:
        return keep_figures(application)


def exists(api: Api, case: UUID) -> bool:
    with api.engine.connect() as connection:
        return connection.scalar(select(t.care_case.c.id).where(t.care_case.c.id == case)) == case


def left_of(api: Api, ids: set[str]) -> dict[str, int]:
    """In which tables any of these ids still stands, in whatever column; not the audit's."""
    found: dict[str, int] = {}
    with api.engine.connect() as connection:
        for table in t.metadata.sorted_tables:
            if table.name.startswith("audit_") or table.name == "idempotency":
                continue
            count = sum(
                any(str(value) in ids for value in row) for row in connection.execute(select(table))
            )
            if count:
                found[table.name] = count
    return found


def no_flaw(api: Api) -> bool:
    seal(api.application)
    return not sealing.verify(api.application.seals, KEY, api.clock.now).flaws


@pytest.mark.parametrize(
    ("when", "found"),
    [(LAST_DAY, 0), (THE_DAY_AFTER, 1), ("2032-01-02T09:00", 1)],
)
@pytest.mark.both_stores
def test_a_closed_case_is_retained_for_five_years_after_the_year_of_its_closing(
    api: Api, when: str, found: int
) -> None:
    it = a_life(api)
    shown = api.as_(WORKER).get(f"/cases/{it.case}").json()
    assert shown["retained_through"] == "2031-12-31"
    api.clock.set(when)
    before = everything(api)
    one = done(api, dry_run=True)
    assert (one.found, one.deleted) == (found, 0)
    assert everything(api) == before, "a dry run changes nothing"
    assert done(api).deleted == found
    assert exists(api, it.case) == (not found)
    assert no_flaw(api)


@pytest.mark.both_stores
def test_what_a_case_consisted_of_is_gone_with_its_resident_and_the_rest_stays(api: Api) -> None:
    it, other = a_life(api), acts.a_supported_case(api, STRANGER, FAR_SUPERVISOR)
    close_a_month(api)
    stays = months_and_places(api)
    gone = {str(it.case), str(it.resident)}
    with api.engine.connect() as connection:
        for table in (t.planned_service, t.referral, t.deadline, t.plan_version, t.signal):
            of_it = select(table.c.id).where(table.c.case_id == it.case)
            gone |= {str(one) for one in connection.scalars(of_it)}
    assert {"care_case", "referral", "deadline", "event", "note", "signal"} <= set(
        left_of(api, gone)
    )
    api.clock.set(THE_DAY_AFTER)
    number = acts.number_of(api, it.case)
    count_figures(api)
    one = done(api)
    assert count_figures(api) > 0, "figures forget the case with the next count"
    assert not miskept(api)
    assert [(part.deleted, part.residents) for part in one.districts] == [(1, 1)]
    assert left_of(api, gone) == {}
    assert exists(api, other.case)
    assert months_and_places(api) == stays
    (entry,) = [one for one in audit(api) if one["action"] == "case.prune"]
    assert (entry["asked_for"], entry["subjects"]) == (number, [str(it.resident)])
    assert no_flaw(api)
    assert api.as_(WORKER).get(f"/cases/{it.case}").status_code == 404
    assert acts.number_of(api, acts.a_case(api)) != number, "no number is given twice"


def close_a_month(api: Api) -> None:
    api.clock.set("2026-04-02T10:00")
    answer = api.as_(SUPERVISOR).post("/figures/months/2026-03/close")
    assert answer.status_code in (200, 201), answer.text


def months_and_places(api: Api) -> Any:
    """What was published of closed months, and the places of every offering."""
    offering = t.offering.c
    places = select(*offering["id", "available", "held", "waitlisted"]).order_by(offering.id)
    with api.engine.connect() as connection:
        months = [
            sorted(map(str, connection.execute(select(t.metadata.tables[name]))))
            for name in ("closed_month", "closed_total", "closed_sum")
        ]
        assert months[0]
        return months, connection.execute(places).all()


def test_a_resident_stays_while_another_case_needs_them(api: Api) -> None:
    first = a_life(api)
    api.clock.set("2030-01-15T10:00")
    second = acts.a_case(api, resident=first.resident)
    api.clock.set(THE_DAY_AFTER)
    assert [(one.deleted, one.residents) for one in done(api).districts] == [(1, 0)]
    assert not exists(api, first.case)
    shown = api.as_(WORKER).get(f"/residents/{first.resident}").json()
    assert [one["id"] for one in shown["cases"]] == [str(second)]


@pytest.mark.both_stores
def test_records_that_were_merged_go_with_the_resident_and_a_household_goes_on(api: Api) -> None:
    survivor, it = acts.a_resident(api), a_life(api)
    other, third = acts.a_resident(api), acts.a_resident(api)
    merge(api, survivor, it.resident)
    people = {"resident_ids": [str(survivor), str(other), str(third)], "kind": "family"}
    assert api.as_(WORKER).post("/households", people).status_code == 201
    api.clock.set(THE_DAY_AFTER)
    one = done(api)
    count_figures(api)
    assert [(part.deleted, part.residents) for part in one.districts] == [(1, 1)]
    assert left_of(api, {str(one) for one in (survivor, it.resident, it.case)}) == {}
    assert left_of(api, {str(other)}).keys() >= {"resident", "household_member"}
    assert no_flaw(api)


@ON_POSTGRES
def test_a_case_that_somebody_works_on_is_passed_over_and_found_by_the_next_run(api: Api) -> None:
    it, free = a_life(api), a_life(api)
    api.clock.set(THE_DAY_AFTER)
    with api.engine.connect() as connection:
        connection.execute(
            select(t.care_case.c.id).where(t.care_case.c.id == it.case).with_for_update()
        )
        assert done(api).deleted == 1
    assert (exists(api, it.case), exists(api, free.case)) == (True, False)
    assert done(api).deleted == 1


@pytest.mark.parametrize("needs", ["note", "promise", "consent", "access request"])
def test_a_resident_stays_while_something_younger_or_open_needs_them(api: Api, needs: str) -> None:
    it = a_life(api)
    if needs != "promise":
        api.clock.set("2029-03-05T10:00")
    today = api.clock.now.date().isoformat()
    path, body = {
        "note": ("notes", {"kind": "call", "text": "her son called"}),
        "promise": ("notes", {"kind": "call", "text": "call again", "come_back_on": today}),
        "consent": (
            "consents",
            {"purpose": "outreach", "given_by": "self", "given_on": today, "recipients": []},
        ),
        "access request": ("access-requests", {"received_on": today, "requested_by": "self"}),
    }[needs]
    answer = api.as_(WORKER).post(f"/residents/{it.resident}/{path}", body)
    assert answer.status_code == 201, answer.text
    api.clock.set(THE_DAY_AFTER)
    assert [(one.deleted, one.residents) for one in done(api).districts] == [(1, 0)]
    assert api.as_(WORKER).get(f"/residents/{it.resident}").json()["cases"] == []


@pytest.mark.both_stores
def test_nothing_of_a_case_under_legal_hold_is_deleted_until_it_is_ended(api: Api) -> None:
    it = a_life(api)
    body = {"reason": "a claim is before the court", "review_on": "2026-09-01"}
    assert api.as_(SUPERVISOR).post(f"/cases/{it.case}/legal-hold", body).status_code == 200
    api.clock.set(THE_DAY_AFTER)
    before = everything(api)
    one = done(api)
    assert [(part.found, part.held, part.deleted) for part in one.districts] == [(0, 1, 0)]
    after = everything(api)
    assert {name for name in before if before[name] != after[name]} == set()
    assert api.as_(SUPERVISOR).items("/cases", past_retention="true") == []
    end = f"/cases/{it.case}/legal-hold/end"
    assert api.as_(SUPERVISOR).post(end, {"reason": "withdrawn"}).status_code == 200
    assert done(api).deleted == 1, "the control: without the hold it goes"


def test_which_cases_go_next_is_told_to_whoever_sees_them(api: Api) -> None:
    it, young = a_life(api), None
    api.clock.set("2027-01-04T10:00")
    young = closed(api, acts.a_supported_case(api))
    api.clock.set(THE_DAY_AFTER)
    due = api.as_(SUPERVISOR).items("/cases", past_retention="true")
    assert [one["number"] for one in due] == [acts.number_of(api, it.case)]
    kept = api.as_(WORKER).items("/cases", past_retention="false")
    assert [one["id"] for one in kept] == [str(young.case)]
    assert api.as_(FAR_SUPERVISOR).items("/cases", past_retention="true") == []
    one = done(api, dry_run=True)
    assert one.districts == (
        ExpiredCases(
            district_code=DISTRICT, years=5, before=one.districts[0].before, found=1, held=0,
            oldest_on=one.districts[0].oldest_on,
        ),
    )  # fmt: skip
    assert str(one.districts[0].oldest_on) == "2026-03-02"


def test_a_district_retains_for_longer_than_the_law_asks_and_never_shorter(api: Api) -> None:
    it = a_life(api)
    for years in (4, 31):
        assert set_years(api, years).status_code == 422
    answer = set_years(api, 10)
    assert answer.status_code == 200, answer.text
    listed = {one["code"]: one for one in api.as_(WORKER).items("/districts")}
    assert answer.json() == listed[DISTRICT]
    assert (listed[DISTRICT]["retention_years"], listed[OTHER_DISTRICT]["retention_years"]) == (
        10,
        5,
    )
    assert listed[DISTRICT]["retention_basis"] == "district records schedule 2026"
    assert api.as_(WORKER).get(f"/cases/{it.case}").json()["retained_through"] == "2036-12-31"
    api.clock.set("2036-12-31T23:59")
    assert done(api).districts == ()
    api.clock.set("2037-01-01T00:00")
    assert done(api).deleted == 1
    assert set_years(api, None).json()["retention_years"] == 5


def test_a_schedule_is_set_by_its_own_district_and_the_admin(api: Api) -> None:
    assert refusal(set_years(api, 10, FAR_SUPERVISOR)) == (404, "not_found")
    assert refusal(set_years(api, 10, SUPERVISOR, "99999")) == (404, "not_found")
    for username in (WORKER, ASSESSOR, PROVIDER, "city", "auditor"):
        assert refusal(set_years(api, 10, username)) == (403, "forbidden")
    assert set_years(api, 10, "admin", OTHER_DISTRICT).status_code == 200


def test_what_refers_to_a_deleted_row_is_found_by_an_index() -> None:
    """Else each deleted row would be looked for in the whole of a table that may refer to it."""
    refer = {
        f"{table.name}.{key.parent.name}"
        for table in t.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in DELETED and not is_found(table, key.parent.name)
    }
    assert refer == set()


def is_found(table: Table, column: str) -> bool:
    first = [next(iter(table.primary_key.columns)).name]
    for index in table.indexes:
        condition = index.dialect_options["postgresql"]["where"]
        if condition is None or str(condition) == f"{column} IS NOT NULL":
            first.append(next(iter(index.columns)).name)
    unique = (rule for rule in table.constraints if isinstance(rule, UniqueConstraint))
    first += [next(iter(rule.columns)).name for rule in unique]
    return column in first


DELETED = {
    "resident", "care_case", "consent", "note", "referral", "deadline", "planned_service",
    "plan_version", "conference", "signal",
}  # fmt: skip

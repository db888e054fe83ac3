"""The worklist: the actor's open items, most urgent first, and nobody else's."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, select, update

from casework.adapters.persistence import tables as t
from casework.workflows.residents import residents as resident_residents
from tests.api.acts import (
    a_case,
    a_referral,
    a_resident,
    a_supported_case,
    assessed,
    clock,
    moved,
    number_of,
    surveyed,
)
from tests.api.conftest import (
    ASSESSOR,
    BASE,
    COLLEAGUE,
    FAR_SUPERVISOR,
    NEIGHBOUR,
    OTHER_PROVIDER,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)


def kinds(api: Api, username: str, **filters: Any) -> list[str]:
    return [one["kind"] for one in api.as_(username).items("/worklist", **filters)]


def note(api: Api, resident: UUID, come_back_on: date | None, by: str = WORKER) -> UUID:
    return resident_residents.write_note(
        api.context(by), resident, kind="call", with_whom="the resident", text="asked",
        come_back_on=come_back_on,
    )  # fmt: skip


def test_nobody_has_a_worklist_anonymously(api: Api) -> None:
    assert api.client.get(f"{BASE}/worklist").status_code == 401


def test_roles_that_hold_no_clock_have_no_worklist(api: Api) -> None:
    for username in ("auditor", "admin"):
        answer = api.as_(username).get("/worklist")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_an_item_says_whom_it_is_about_and_when_it_is_due(api: Api) -> None:
    resident = a_resident(api, name="가상이름")
    case = a_case(api, resident=resident)
    (item,) = api.as_(WORKER).items("/worklist")
    assert item == {
        "deadline_id": str(clock(api, "survey", case)),
        "kind": "survey",
        "note_id": None,
        "text": None,
        "held_by": "worker",
        "place_offered_at": None,
        "subject": {"type": "case", "id": str(case)},
        "resident": {
            "id": str(resident),
            "name": "가상이름",
            "phone": "010-0000-0000",
            "died_on": None,
            "address": None,
        },
        "body": None,
        "provider": None,
        "case_id": str(case),
        "case_number": number_of(api, case),
        "centre_code": api.actor(WORKER).centre_code,
        "worker_id": str(api.id_of(WORKER)),
        "field": None,
        "due_at": "2026-03-09T23:59:59+09:00",
        "overdue": False,
        "working_days_late": 0,
    }


def test_each_holder_finds_the_clock_they_hold_and_nobody_else_does(api: Api) -> None:
    surveyed(api, a_case(api))  # the assessor's
    a_referral(api)  # the agency's, and the worker still has to tell the resident of the plan
    assert kinds(api, WORKER) == ["notify_plan", "first_check"]
    assert kinds(api, ASSESSOR) == ["assessment"]
    assert kinds(api, PROVIDER) == ["response"]
    for username in (COLLEAGUE, NEIGHBOUR, STRANGER, OTHER_PROVIDER, SUPERVISOR, FAR_SUPERVISOR):
        assert kinds(api, username) == [], username


def test_a_worker_also_finds_what_others_are_late_with_on_their_cases(api: Api) -> None:
    referral = a_referral(api)
    api.clock.set("2026-03-05T23:59:59")
    assert "response" not in kinds(api, WORKER)
    api.clock.set("2026-03-06T00:00:00")
    item = api.as_(WORKER).items("/worklist", kind="response")[0]
    assert item["subject"] == {"type": "referral", "id": str(referral)}
    assert item["provider"]["name"] == "alpha 돌봄"
    assert (item["held_by"], item["overdue"], item["working_days_late"]) == ("provider", True, 1)


def test_a_case_that_nobody_carries_stands_in_the_supervisors_worklist(api: Api) -> None:
    a_case(api, by=SUPERVISOR, resident=a_resident(api))
    (item,) = api.as_(SUPERVISOR).items("/worklist")
    assert (item["kind"], item["worker_id"]) == ("survey", None)
    assert kinds(api, WORKER) == []


def test_overdue_today_and_week_change_with_the_day(api: Api) -> None:
    a_case(api)  # due on Monday 9 March
    for day, fits in (
        ("2026-03-02", {"all"}),
        ("2026-03-03", {"all", "week"}),
        ("2026-03-08", {"all", "week"}),
        ("2026-03-09", {"all", "week", "today"}),
        ("2026-03-10", {"all", "overdue"}),
    ):
        api.clock.set(f"{day}T12:00")
        found = {due for due in ("overdue", "today", "week", "all") if kinds(api, WORKER, due=due)}
        assert found == fits, day


def test_lateness_is_counted_in_working_days(api: Api) -> None:
    api.clock.set("2026-04-23T10:00")
    a_case(api)
    for moment, late in (
        ("2026-04-30T23:59:59", None),
        ("2026-05-01T00:00:00", 0),  # Labour Day, a holiday since 2026
        ("2026-05-03T12:00:00", 0),  # Sunday
        ("2026-05-04T12:00:00", 1),
        ("2026-05-05T12:00:00", 1),  # Children's Day
        ("2026-05-06T12:00:00", 2),
    ):
        api.clock.set(moment)
        (item,) = api.as_(WORKER).items("/worklist")
        assert (item["overdue"], item["working_days_late"]) == (late is not None, late or 0), moment


def test_a_paused_clock_is_not_overdue_until_the_day_after_its_last_day(api: Api) -> None:
    referral = a_referral(api)
    moved(api, referral, "accept", PROVIDER)
    api.clock.set("2026-03-17T10:00")  # the start clock is overdue since yesterday
    assert "start" in kinds(api, WORKER, due="overdue")
    moved(api, referral, "hold", PROVIDER, reason="hospitalised", until=date(2026, 3, 20))
    for moment, is_late in (("2026-03-20T23:59:59", False), ("2026-03-21T00:00:00", True)):
        api.clock.set(moment)
        assert ("start" in kinds(api, WORKER, due="overdue")) is is_late


def test_kind_and_field_filter(api: Api) -> None:
    a_supported_case(api)
    a_supported_case(api, code="MED-VISIT")
    assert kinds(api, WORKER, kind="link") == ["link", "link"]
    assert kinds(api, WORKER, field="medical") == ["link"]
    assert kinds(api, WORKER, kind="survey") == []
    for wrong in ({"kind": "nonsense"}, {"field": "nonsense"}, {"due": "yesterday"}, {"x": "1"}):
        assert api.as_(WORKER).get("/worklist", params=wrong).status_code == 422


# Notes with a follow-up date


def test_a_note_comes_back_on_its_day(api: Api) -> None:
    resident = a_resident(api)
    written = note(api, resident, date(2026, 3, 10))
    (item,) = api.as_(WORKER).items("/worklist")
    assert item["deadline_id"] is None
    assert item["subject"] == {"type": "note", "id": str(written)}
    assert (item["kind"], item["due_at"]) == ("come_back", "2026-03-10T23:59:59+09:00")
    for day, fits in (
        ("2026-03-03", {"all"}),
        ("2026-03-04", {"all", "week"}),
        ("2026-03-10", {"all", "week", "today"}),
        ("2026-03-11", {"all", "overdue"}),
    ):
        api.clock.set(f"{day}T12:00")
        found = {due for due in ("overdue", "today", "week", "all") if kinds(api, WORKER, due=due)}
        assert found == fits, day
    (item,) = api.as_(WORKER).items("/worklist")
    assert (item["overdue"], item["working_days_late"]) == (True, 1)


def test_a_note_is_only_its_writers_and_stays_whatever_else_is_written(api: Api) -> None:
    resident = a_resident(api)
    note(api, resident, date(2026, 3, 10))
    assert kinds(api, COLLEAGUE) == kinds(api, SUPERVISOR) == []
    assert kinds(api, WORKER, kind="come_back") == ["come_back"]
    assert kinds(api, WORKER, kind="survey") == kinds(api, WORKER, field="care") == []
    api.clock.forward(minutes=1)
    note(api, resident, None, by=COLLEAGUE)
    assert kinds(api, WORKER) == ["come_back"]


def test_a_supervisors_note_comes_back_to_the_supervisor(api: Api) -> None:
    note(api, a_resident(api), date(2026, 3, 10), by=SUPERVISOR)
    assert kinds(api, SUPERVISOR) == ["come_back"]


def test_a_deputy_gets_the_absent_colleagues_notes_on_those_days(api: Api) -> None:
    note(api, a_resident(api), date(2026, 3, 10))
    absence = {"worker_id": str(api.id_of(WORKER)), "deputy_id": str(api.id_of(COLLEAGUE)),
               "from": "2026-03-04", "to": "2026-03-06"}  # fmt: skip
    assert api.as_(SUPERVISOR).post("/absences", absence).status_code == 201
    for day, found in ((3, []), (4, ["come_back"]), (6, ["come_back"]), (7, [])):
        api.clock.set(f"2026-03-0{day}T12:00")
        assert kinds(api, COLLEAGUE) == found, day
        assert kinds(api, WORKER) == ["come_back"]


def test_clocks_and_notes_are_one_list_on_every_page_size(api: Api) -> None:
    for day in (9, 8, 10, 9):
        note(api, a_resident(api), date(2026, 3, day))
    a_supported_case(api)
    for _ in range(2):
        a_case(api)
    whole = api.as_(WORKER).items("/worklist")
    due = [one["due_at"] for one in whole]
    assert due == sorted(due)
    assert [one["kind"] for one in whole].count("come_back") == 4
    assert len(whole) == 9
    for limit in (1, 2, 3, 8, 9):
        assert api.as_(WORKER).items("/worklist", limit=limit) == whole, limit


# Paging


def test_no_row_comes_twice_and_none_is_missed_while_rows_are_added(api: Api) -> None:
    worker = api.as_(WORKER)
    before = {str(clock(api, "survey", a_case(api))) for _ in range(7)}
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    for n in range(20):
        page = worker.get("/worklist", params=params).json()
        seen += [one["deadline_id"] for one in page["items"]]
        params["cursor"] = page["next_cursor"]
        if params["cursor"] is None:
            break
        if n < 3:  # one before everything that was read, one after everything that is left
            a_case(api, urgent=True, urgent_reason="alone")
            a_supported_case(api)
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


def test_a_cursor_is_refused_when_it_was_altered_or_belongs_to_someone_else(api: Api) -> None:
    for _ in range(3):
        a_case(api)
    worker = api.as_(WORKER)
    cursor = worker.get("/worklist?limit=1").json()["next_cursor"]
    assert worker.get("/worklist", params={"cursor": cursor}).status_code == 200
    flipped = cursor[:-1] + ("A" if cursor[-1] != "A" else "Q")
    for altered in (flipped, cursor[4:], "", "x" * 2001):
        assert worker.get("/worklist", params={"cursor": altered}).status_code == 422, altered
    for other in ("due=week", "kind=survey"):
        assert worker.get(f"/worklist?{other}&cursor={cursor}").status_code == 422
    assert api.as_(COLLEAGUE).get("/worklist", params={"cursor": cursor}).status_code == 422


# Statements and audit


def test_a_look_is_written_down_with_everyone_it_was_about(api: Api) -> None:
    residents = {str(a_resident(api)) for _ in range(3)}
    for resident in residents:
        a_case(api, resident=UUID(resident))
    api.as_(WORKER).get("/worklist")
    with api.engine.connect() as connection:
        (entry,) = connection.execute(
            select(t.audit_entry).where(t.audit_entry.c.action == "deadline.read")
        ).all()
    assert set(entry.subjects) == residents
    assert (entry.task, entry.role, entry.outcome) == ("GET /worklist", "worker", "ok")


def statements(engine: Engine) -> list[str]:
    """Every statement from now on but those that begin or end a transaction."""
    found: list[str] = []

    def note_it(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            found.append(statement)

    event.listen(engine, "before_cursor_execute", note_it)
    return found


@pytest.mark.both_stores
def test_a_page_costs_as_many_statements_whatever_its_size(api: Api) -> None:
    for _ in range(8):
        a_case(api)
    worker = api.as_(WORKER)
    worker.get("/worklist")  # standards and catalogue are cached from here on
    asked = statements(api.application.engine)
    counts = []
    for limit in (1, 8):
        asked.clear()
        worker.get("/worklist", params={"limit": limit})
        counts.append(len(asked))
    # On SQLite the audit entry is sealed at once.
    more = 0 if api.engine.dialect.name == "postgresql" else 3
    assert counts == [5 + more] * 2, asked  # the actor, absences, clocks, notes, audit


def test_a_clock_of_another_centre_is_not_seen_by_the_worker_it_names(api: Api) -> None:
    case = a_case(api)
    with api.engine.begin() as connection:  # as after a transfer that forgot the worker
        connection.execute(
            update(t.deadline).where(t.deadline.c.case_id == case).values(centre_code="2635052000")
        )
    assert kinds(api, WORKER) == []


# Before a discharge


def resident_of(api: Api, case: UUID) -> str:
    with api.engine.connect() as connection:
        found = connection.scalar(select(t.care_case.c.resident_id).where(t.care_case.c.id == case))
    return str(found)


def test_what_must_happen_before_a_discharge_stands_on_top(api: Api) -> None:
    other = a_case(api)
    coming_home = a_case(api, discharge_on=date(2026, 3, 20))
    items = api.as_(WORKER).items("/worklist")
    assert [(one["kind"], one["resident"]["id"]) for one in items] == [
        ("survey", resident_of(api, coming_home)),
        ("discharge", resident_of(api, coming_home)),
        ("survey", resident_of(api, other)),
    ]
    surveyed(api, coming_home)
    assessed(api, coming_home)
    api.clock.set("2026-03-11T10:00")  # the other's survey is overdue by now
    paged = [api.as_(WORKER).get("/worklist", params={"limit": 1}).json()]
    while paged[-1]["next_cursor"]:
        asked = {"limit": 1, "cursor": paged[-1]["next_cursor"]}
        paged.append(api.as_(WORKER).get("/worklist", params=asked).json())
    assert [one["kind"] for page in paged for one in page["items"]] == [
        "plan", "discharge", "survey",
    ]  # fmt: skip


def test_once_somebody_is_home_the_rest_can_wait_again(api: Api) -> None:
    supported = a_supported_case(api, discharge_on=date(2026, 3, 20))
    referral = a_referral(api, supported)
    other = a_case(api)
    moved(api, referral, "accept", PROVIDER)
    assert api.as_(WORKER).items("/worklist")[0]["resident"]["id"] == str(supported.resident)
    moved(api, referral, "start", PROVIDER, started_on=date(2026, 3, 2))
    items = api.as_(WORKER).items("/worklist")
    assert "discharge" not in [one["kind"] for one in items]
    due = [one["due_at"] for one in items]
    assert due == sorted(due)
    assert resident_of(api, other) in {one["resident"]["id"] for one in items}

"""Care conferences: members once, an agenda of submitted plans, decisions, minutes."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.domain.planning import conferences as domain
from tests.api import acts
from tests.api.asking import (
    ABSENT,
    OUTSIDERS,
    Ask,
    check_nobody_and_wrong_roles,
    check_wrong,
    etag,
    everything,
    fields_of,
    refusal,
)
from tests.api.conftest import (
    ASSESSOR,
    DISTRICT,
    FAR,
    FAR_SUPERVISOR,
    NEIGHBOUR,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)

TODAY, TOMORROW = "2026-03-02", "2026-03-03"
HEAD = SUPERVISOR.replace("supervisor", "head")
MEMBERS = [{"name": "가상의사", "agency": "보건소"}, {"name": "가상간호사", "agency": "구청"}]
MEETING = {"held_on": TODAY, "members": MEMBERS}
NEVER = (WORKER, ASSESSOR, PROVIDER, *OUTSIDERS)


def meeting(api: Api, held_on: str = TODAY, by: str = SUPERVISOR) -> str:
    """The path of a new meeting."""
    made = api.as_(by).post("/conferences", MEETING | {"held_on": held_on})
    assert made.status_code == 201, made.text
    return f"/conferences/{made.json()['id']}"


def put(api: Api, path: str, *cases: UUID, by: str = SUPERVISOR) -> Any:
    return api.as_(by).post(f"{path}/agenda", {"case_ids": [str(case) for case in cases]})


def shown(api: Api, path: str, by: str = SUPERVISOR) -> dict[str, Any]:
    answer = api.as_(by).get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def decided(
    case: UUID, named: dict[str, Any], decision: str = "approve", **facts: Any
) -> dict[str, Any]:
    return named | {"case_id": str(case), "decision": decision} | facts


def results(api: Api, path: str, *decisions: dict[str, Any], **with_it: Any) -> list[Any]:
    answer = api.as_(SUPERVISOR).post(
        f"{path}/decisions", {"decisions": list(decisions)}, **with_it
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()["results"]
    assert [one["case_id"] for one in found] == [one["case_id"] for one in decisions]
    return [(one["status"], one.get("code")) for one in found]


def status_of(api: Api, case: UUID) -> str:
    found: str = api.as_(WORKER).get(f"/cases/{case}").json()["status"]
    return found


# Permissions


def test_nobody_and_no_role_without_a_row_gets_anywhere(api: Api) -> None:
    path = meeting(api)
    id = UUID(path.rpartition("/")[2])
    case, named = acts.a_submitted_plan(api)
    check_nobody_and_wrong_roles(
        api,
        [
            Ask("POST", "/conferences", None, MEETING, NEVER),
            Ask("GET", "/conferences", None, None, NEVER),
            Ask("GET", "/conferences/{id}", id, None, NEVER),
            Ask("POST", "/conferences/{id}/agenda", id, {"case_ids": [str(case)]}, NEVER),
            Ask("POST", "/conferences/{id}/decisions", id,
                {"decisions": [decided(case, named)]}, NEVER),
            Ask("GET", "/conferences/{id}/minutes", id, None, NEVER),
        ],
    )  # fmt: skip


def test_a_meeting_of_another_district_is_not_there(api: Api) -> None:
    path = meeting(api)
    case, named = acts.a_submitted_plan(api)
    put(api, path, case)
    far, before = api.as_(FAR_SUPERVISOR), everything(api)
    absent = f"/conferences/{ABSENT}"
    for ask in (
        lambda at: far.get(at),
        lambda at: far.get(f"{at}/minutes"),
        lambda at: far.post(f"{at}/agenda", {"case_ids": [str(case)]}),
        lambda at: far.post(f"{at}/decisions", {"decisions": [decided(case, named)]}),
    ):
        hidden = ask(path)
        assert refusal(hidden) == (404, "not_found")
        assert hidden.content == ask(absent).content
    assert far.items("/conferences") == []
    assert everything(api) == before


# Planning and recording


def test_a_meeting_is_recorded_and_read_by_the_district(api: Api) -> None:
    made = api.as_(SUPERVISOR).post("/conferences", MEETING)
    assert made.status_code == 201, made.text
    found = api.as_(HEAD).get(f"/conferences/{made.json()['id']}")
    assert found.json() == made.json()
    assert found.headers["etag"] == made.headers["etag"] == '"1"'
    assert made.json() | MEETING == made.json()
    assert made.json()["district_code"] == DISTRICT
    assert (made.json()["agenda"], made.json()["allowed_actions"]) == ([], ["agenda"])


def test_a_meeting_that_cannot_be_right_is_not_recorded(api: Api) -> None:
    check_wrong(
        api,
        lambda wrong: api.as_(SUPERVISOR).post("/conferences", MEETING | wrong),
        [
            ({"members": []}, "members"),
            ({"members": [MEMBERS[0], MEMBERS[0]]}, "members"),
            ({"members": [{"name": "가"}]}, "members.0.agency"),
            ({"held_on": "someday"}, "held_on"),
            ({"agenda": []}, "agenda"),
        ],
    )


def test_meetings_are_listed_newest_first_between_two_days(api: Api) -> None:
    days = ["2026-03-05", "2026-02-20", "2026-03-02", "2026-03-02", "2026-03-04"]
    for day in days:
        meeting(api, day)
    supervisor = api.as_(SUPERVISOR)

    def held(**params: Any) -> list[str]:
        return [one["held_on"] for one in supervisor.items("/conferences", **params)]

    assert held() == held(limit=2) == sorted(days, reverse=True)
    assert len({one["id"] for one in supervisor.items("/conferences", limit=1)}) == 5
    assert held(**{"from": "2026-03-02"}) == sorted(days, reverse=True)[:4]
    assert held(**{"from": "2026-03-03"}) == ["2026-03-05", "2026-03-04"]
    assert held(to="2026-03-02") == ["2026-03-02", "2026-03-02", "2026-02-20"]
    assert held(to="2026-03-01", limit=1) == ["2026-02-20"]
    assert held(**{"from": "2026-03-04", "to": "2026-03-04"}) == ["2026-03-04"]
    wrong = supervisor.get("/conferences?from=2026-03-05&to=2026-03-04")
    assert fields_of(wrong) == ["to"]
    page = supervisor.get("/conferences?limit=1").json()["next_cursor"]
    flipped = page[:-1] + ("A" if page[-1] != "A" else "B")
    assert refusal(supervisor.get(f"/conferences?limit=1&cursor={flipped}"))[0] == 422
    assert refusal(supervisor.get("/conferences?cursor=" + page + "&to=2026-03-04"))[0] == 422


def test_the_list_counts_what_is_on_the_agenda_and_what_was_decided(api: Api) -> None:
    path = meeting(api)
    (one, named), (other, _) = acts.a_submitted_plan(api), acts.a_submitted_plan(api)
    put(api, path, one, other)
    results(api, path, decided(one, named))
    (row,) = api.as_(SUPERVISOR).items("/conferences")
    assert (row["agenda"], row["decided"], row["members"]) == (2, 1, MEMBERS)


# The agenda


def test_submitted_plans_go_on_the_agenda_with_what_a_decision_must_name(api: Api) -> None:
    path = meeting(api)
    (one, named), (other, _) = acts.a_submitted_plan(api), acts.a_submitted_plan(api, NEIGHBOUR)
    answer = put(api, path, one, other)
    assert answer.status_code == 200, answer.text
    assert answer.json() == shown(api, path, HEAD)
    assert answer.json()["allowed_actions"] == ["agenda", "decisions"]
    assert [item["case_id"] for item in answer.json()["agenda"]] == [str(one), str(other)]
    assert answer.json()["agenda"][0] == named | {
        "case_id": str(one), "case_number": acts.number_of(api, one), "decision": None,
        "decided_elsewhere": False, "warnings": [],
        "allowed_actions": ["decision"],
    }  # fmt: skip
    assert answer.headers["etag"] == '"3"'


def test_what_is_on_the_agenda_already_stays_there_once(api: Api) -> None:
    path = meeting(api)
    (one, _), (other, _) = acts.a_submitted_plan(api), acts.a_submitted_plan(api)
    put(api, path, one)
    first = shown(api, path)["agenda"]
    before = everything(api)
    assert put(api, path, one).status_code == 200
    assert everything(api) == before
    both = put(api, path, one, other).json()["agenda"]
    assert both[:1] == first
    assert [item["case_id"] for item in both] == [str(one), str(other)]


def test_the_timeline_of_the_resident_tells_of_the_meeting(api: Api) -> None:
    path = meeting(api, TOMORROW)
    resident = acts.a_resident(api)
    case, _ = acts.a_submitted_plan(api, resident=resident)
    put(api, path, case)
    put(api, path, case)
    told = [
        one
        for one in api.as_(WORKER).items(f"/residents/{resident}/timeline")
        if one["event"] == "PlanPutOnAgenda"
    ]
    assert [one["data"] for one in told] == [
        {"conference_id": path.rpartition("/")[2], "held_on": TOMORROW, "plan_version": 1}
    ]


def test_all_plans_go_on_the_agenda_or_none(api: Api) -> None:
    path = meeting(api)
    good, _ = acts.a_submitted_plan(api)
    unsubmitted, decided_on = acts.a_case(api), acts.a_supported_case(api).case
    far, _ = acts.a_submitted_plan(api, STRANGER)
    closed, _ = acts.a_submitted_plan(api)
    api.as_(WORKER).post(f"/cases/{closed}/close", {"reason": "refused"})
    for wrong, code in (
        (unsubmitted, "plan_not_submitted"), (decided_on, "plan_not_submitted"),
        (closed, "plan_not_submitted"), (far, "unknown_case"), (ABSENT, "unknown_case"),
    ):  # fmt: skip
        before = everything(api)
        answer = put(api, path, good, wrong)
        assert refusal(answer) == (422, code)
        assert fields_of(answer) == ["case_ids.1"]
        assert everything(api) == before
    assert fields_of(put(api, path, far, good, unsubmitted)) == ["case_ids.0", "case_ids.2"]


def test_an_agenda_is_given_as_one_to_a_hundred_different_cases(api: Api) -> None:
    path = meeting(api)
    case, _ = acts.a_submitted_plan(api)
    before = everything(api)
    for wrong in ([], [str(case)] * 2, [str(UUID(int=n)) for n in range(101)], ["x"], None):
        answer = api.as_(SUPERVISOR).post(f"{path}/agenda", {"case_ids": wrong})
        assert answer.status_code == 422, wrong
    assert everything(api) == before
    most = put(api, path, *(UUID(int=n) for n in range(100)))
    assert refusal(most) == (422, "unknown_case"), "a hundred are read"


def test_an_agenda_has_its_bounds(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "AGENDA_HOLDS", 2)
    path = meeting(api)
    cases = [acts.a_submitted_plan(api)[0] for _ in range(3)]
    put(api, path, *cases[:2])
    before = everything(api)
    assert refusal(put(api, path, cases[2])) == (422, "agenda_full")
    assert put(api, path, *cases[:2]).status_code == 200, "they are there already"
    assert everything(api) == before


@pytest.mark.parametrize(
    ("held_on", "status"), [("2026-03-01", 422), ("2026-03-02", 200), ("2026-03-03", 200)]
)
def test_a_meeting_decides_no_plan_whose_determination_came_after_it(
    api: Api, held_on: str, status: int
) -> None:
    case, _ = acts.a_submitted_plan(api)
    answer = put(api, meeting(api, held_on), case)
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["code"] == "date_too_early"


def test_an_agenda_that_changed_since_it_was_seen_is_not_written_over(api: Api) -> None:
    path = meeting(api)
    (one, _), (other, _) = acts.a_submitted_plan(api), acts.a_submitted_plan(api)
    seen = api.as_(SUPERVISOR).get(path)
    put(api, path, one)
    before = everything(api)
    stale = api.as_(SUPERVISOR).post(
        f"{path}/agenda", {"case_ids": [str(other)]}, headers=etag(seen)
    )
    assert refusal(stale) == (412, "stale")
    assert everything(api) == before


# Decisions


def test_eleven_plans_are_decided_one_by_one_or_together(api: Api) -> None:
    path = meeting(api)
    plans = [acts.a_submitted_plan(api) for _ in range(11)]
    assert put(api, path, *(case for case, _ in plans)).status_code == 200
    first, named = plans[0]
    alone = {"decision": "approve", "conference_id": path.rpartition("/")[2]}
    assert (
        api.as_(SUPERVISOR).post(f"/cases/{first}/plan/decision", named | alone).status_code == 200
    )
    together = [decided(case, named) for case, named in plans[1:10]]
    together.append(decided(*plans[10], "return", reason="목표가 없다"))
    assert results(api, path, *together) == [(200, None)] * 10
    assert [status_of(api, case) for case, _ in plans] == ["supported"] * 10 + ["planning"]
    agenda = shown(api, path)["agenda"]
    assert [item["decision"]["decision"] for item in agenda] == ["approve"] * 10 + ["return"]
    assert agenda[10]["decision"]["reason"] == "목표가 없다"
    assert agenda[10]["decision"]["decided_by"] == str(api.id_of(SUPERVISOR))
    assert all(item["allowed_actions"] == [] for item in agenda)
    assert shown(api, path)["allowed_actions"] == ["agenda"]
    plan = api.as_(WORKER).get(f"/cases/{plans[5][0]}/plan").json()["in_force"]
    assert plan["decision"]["conference"]["members"] == MEMBERS
    assert "agenda" not in plan["decision"]["conference"], "a worker sees no other cases there"


def test_each_decision_has_a_result_of_its_own(api: Api) -> None:
    path = meeting(api)
    plans = [acts.a_submitted_plan(api) for _ in range(5)]
    (good, _), (stale, _), (hashed, _), (gone, _), (absent, _) = plans
    put(api, path, good, stale, hashed, gone)
    far, far_named = acts.a_submitted_plan(api, STRANGER)
    named = dict(plans)
    command = {"decision": "approve", "without_meeting_reason": "급하다"}
    api.as_(SUPERVISOR).post(f"/cases/{gone}/plan/decision", named[gone] | command)
    assert results(
        api,
        path,
        decided(stale, named[stale] | {"version": 2}),
        decided(hashed, named[hashed] | {"hash": "0" * 64}),
        decided(gone, named[gone]),
        decided(absent, named[absent]),
        decided(far, far_named),
        decided(ABSENT, far_named),
        decided(good, named[good]),
    ) == [
        (409, "version_changed"),
        (409, "version_changed"),
        (409, "not_allowed_in_state"),
        (409, "not_on_agenda"),
        (404, "not_found"),
        (404, "not_found"),
        (200, None),
    ]
    states = [status_of(api, case) for case in (good, stale, hashed, absent)]
    assert states == ["supported", "planning", "planning", "planning"]
    elsewhere = shown(api, path)["agenda"][3]
    assert (elsewhere["decision"], elsewhere["decided_elsewhere"]) == (None, True)


def test_a_plan_that_is_not_on_the_agenda_is_not_decided_by_that_meeting(api: Api) -> None:
    case, named = acts.a_submitted_plan(api)
    id = meeting(api).rpartition("/")[2]
    before = everything(api)
    answer = api.as_(SUPERVISOR).post(
        f"/cases/{case}/plan/decision", named | {"decision": "approve", "conference_id": id}
    )
    assert refusal(answer) == (409, "not_on_agenda")
    assert "decision" in answer.json()["allowed_actions"]
    assert everything(api) == before


def test_a_plan_that_came_back_is_put_on_the_agenda_anew(api: Api) -> None:
    path = meeting(api)
    case, named = acts.a_submitted_plan(api)
    put(api, path, case)
    results(api, path, decided(case, named, "return", reason="다시"))
    worker = api.as_(WORKER)
    last = worker.get(f"/cases/{case}/plan").json()["versions"][0]
    item = {
        name: last["services"][0][name]
        for name in (
            "id", "service_code", "content", "quantity", "unit", "per", "starts_on", "ends_on"
        )
    }  # fmt: skip
    draft = {"goals": ["집에서"], "services": [item], "heard": {"on": TODAY, "from": "딸"}}
    assert worker.put(f"/cases/{case}/plan/draft", draft).status_code == 200
    again = worker.post(f"/cases/{case}/plan/submit").json()
    assert results(api, path, decided(case, again)) == [(409, "not_on_agenda")]
    put(api, path, case)
    assert results(api, path, decided(case, named)) == [(409, "version_changed")]
    assert results(api, path, decided(case, again)) == [(200, None)]
    agenda = shown(api, path)["agenda"]
    assert [(one["version"], one["decision"]["decision"]) for one in agenda] == [
        (1, "return"), (2, "approve"),
    ]  # fmt: skip


def test_nobody_decides_on_their_own_draft_in_a_meeting_either(api: Api) -> None:
    path, supervisor = meeting(api), api.as_(SUPERVISOR)
    case = acts.a_case(api)
    acts.surveyed(api, case)
    acts.assessed(api, case)
    draft = {"goals": ["집에서"], "services": [], "heard": {"on": TODAY, "from": "딸"}}
    supervisor.put(f"/cases/{case}/plan/draft", draft)
    named = supervisor.post(f"/cases/{case}/plan/submit").json()
    put(api, path, case)
    assert shown(api, path)["agenda"][0]["allowed_actions"] == []
    assert shown(api, path, HEAD)["agenda"][0]["allowed_actions"] == ["decision"]
    assert results(api, path, decided(case, named)) == [(403, "own_draft")]
    assert status_of(api, case) == "planning"
    body = {"decisions": [decided(case, named)]}
    answer = api.as_(HEAD).post(f"{path}/decisions", body)
    assert [one["status"] for one in answer.json()["results"]] == [200]


@pytest.mark.parametrize(
    ("now", "status"),
    [("2026-03-10T23:59:59", 409), ("2026-03-11T00:00", 200), ("2026-03-12T10:00", 200)],
)
def test_a_planned_meeting_decides_nothing_before_its_day(api: Api, now: str, status: int) -> None:
    path = meeting(api, "2026-03-11")
    (one, named), (other, other_named) = acts.a_submitted_plan(api), acts.a_submitted_plan(api)
    put(api, path, one, other)
    assert shown(api, path)["allowed_actions"] == ["agenda"]
    api.clock.set(now)
    before = everything(api)
    body = {"decisions": [decided(one, named)]}
    answer = api.as_(SUPERVISOR).post(f"{path}/decisions", body)
    alone = api.as_(SUPERVISOR).post(
        f"/cases/{other}/plan/decision",
        other_named | {"decision": "approve", "conference_id": path.rpartition("/")[2]},
    )
    assert (answer.status_code, alone.status_code) == (status, status)
    if status == 409:
        assert refusal(answer) == refusal(alone) == (409, "not_held_yet")
        assert answer.json()["held_on"] == "2026-03-11"
        assert everything(api) == before
    else:
        assert status_of(api, one) == status_of(api, other) == "supported"


def test_the_clocks_of_a_decision_count_from_the_day_of_the_meeting(api: Api) -> None:
    case, named = acts.a_submitted_plan(api)
    path = meeting(api, "2026-03-04")
    put(api, path, case)
    api.clock.set("2026-03-11T10:00")
    assert results(api, path, decided(case, named)) == [(200, None)]
    found = api.as_(WORKER).get(f"/cases/{case}").json()["deadlines"]
    due = {one["kind"]: one["due_at"][:10] for one in found}
    assert due["notify_plan"] == "2026-03-11"
    assert due["first_check"] == "2026-06-04"


def test_one_to_a_hundred_decisions_on_different_cases(api: Api) -> None:
    path = meeting(api)
    case, named = acts.a_submitted_plan(api)
    put(api, path, case)
    before = everything(api)
    one = decided(case, named)
    for wrong in (
        [], [one, one], [decided(UUID(int=n), named) for n in range(101)],
        [one | {"decision": "x"}], [one | {"without_meeting_reason": "급하다"}],
    ):  # fmt: skip
        answer = api.as_(SUPERVISOR).post(f"{path}/decisions", {"decisions": wrong})
        assert answer.status_code == 422, wrong
    assert everything(api) == before


def test_repeated_decisions_under_one_key_do_only_what_is_missing(api: Api) -> None:
    path = meeting(api)
    (one, named), (late, late_named) = acts.a_submitted_plan(api), acts.a_submitted_plan(api)
    put(api, path, one)
    key = {"Idempotency-Key": "the meeting"}
    both = [decided(one, named), decided(late, late_named)]
    assert results(api, path, *both, headers=key) == [(200, None), (409, "not_on_agenda")]
    put(api, path, late)
    assert results(api, path, *both, headers=key) == [(200, None), (200, None)]
    before = everything(api)
    assert results(api, path, *both, headers=key) == [(200, None), (200, None)]
    assert everything(api) == before
    other = api.as_(SUPERVISOR).post(f"{path}/decisions", {"decisions": both[:1]}, headers=key)
    assert refusal(other) == (422, "idempotency_key_reused")


def test_a_decision_that_records_its_meeting_puts_the_plan_on_its_agenda(api: Api) -> None:
    case, named = acts.a_submitted_plan(api)
    plan = api.as_(SUPERVISOR).post(
        f"/cases/{case}/plan/decision", named | {"decision": "approve", "conference": MEETING}
    )
    id = plan.json()["in_force"]["decision"]["conference"]["id"]
    (item,) = shown(api, f"/conferences/{id}")["agenda"]
    assert (item["case_id"], item["decision"]["decision"]) == (str(case), "approve")


def test_every_change_of_a_meeting_and_every_look_is_written_down(api: Api) -> None:
    path = meeting(api)
    resident = acts.a_resident(api)
    case, named = acts.a_submitted_plan(api, resident=resident)
    put(api, path, case)
    results(api, path, decided(case, named))
    shown(api, path)
    api.as_(SUPERVISOR).get(f"{path}/minutes")
    entry = t.audit_entry.c
    with api.engine.connect() as connection:
        rows = connection.execute(
            select(entry.task, entry.subjects, entry.outcome)
            .where(entry.action == "plan.decide", entry.task.like("%/conferences%"))
            .order_by(entry.id)
        ).all()
    about = [str(resident)]
    assert [tuple(row) for row in rows] == [
        ("POST /conferences", [], "ok"),
        ("POST /conferences/{id}/agenda", about, "ok"),
        ("POST /conferences/{id}/decisions", [], "ok"),
        ("POST /conferences/{id}/decisions", about, "ok"),
        ("GET /conferences/{id}", about, "ok"),
        ("GET /conferences/{id}/minutes", about, "ok"),
    ]


# Minutes


def test_the_minutes_say_who_met_and_what_was_decided_without_a_resident_s_name(api: Api) -> None:
    path = meeting(api)
    resident = acts.a_resident(api, name="이름있는주민")
    one, named = acts.a_submitted_plan(api, resident=resident)
    back, back_named = acts.a_submitted_plan(api)
    open_one, _ = acts.a_submitted_plan(api)
    put(api, path, one, back, open_one)
    results(
        api, path, decided(one, named), decided(back, back_named, "return", reason="목표가\n없다")
    )
    english = api.as_(SUPERVISOR).get(f"{path}/minutes", headers={"Accept-Language": "en"})
    assert english.headers["content-type"] == "text/plain; charset=utf-8"
    assert english.headers["cache-control"] == "no-store"
    assert english.headers["content-language"] == "en"
    assert english.content.decode() == (
        "Minutes of a care conference\n\n"
        "District: Haeundae-gu\nHeld on: 2026-03-02\n\n"
        "Members:\n- 가상의사 (보건소)\n- 가상간호사 (구청)\n\n"
        "Agenda:\n"
        f"1. case {acts.number_of(api, one)}, plan version 1: approved\n"
        f"2. case {acts.number_of(api, back)}, plan version 1: returned\n   reason: 목표가 없다\n"
        f"3. case {acts.number_of(api, open_one)}, plan version 1: not decided here\n"
    )
    korean = api.as_(HEAD).get(f"{path}/minutes", headers={"Accept-Language": "ko"}).text
    assert korean.startswith("통합지원회의 회의록\n\n구·군: 해운대구\n개최일: 2026-03-02\n")
    assert f"1. 사례 {acts.number_of(api, one)}, 계획 판 1: 승인\n" in korean
    assert "   사유: 목표가 없다\n" in korean
    assert "이름있는주민" not in korean + english.text


def test_the_minutes_of_a_meeting_without_an_agenda_say_so(api: Api) -> None:
    text = api.as_(SUPERVISOR).get(f"{meeting(api)}/minutes").text
    assert text.endswith("Agenda: none\n")


def test_a_meeting_of_the_far_district_is_its_own(api: Api) -> None:
    path = meeting(api, by=FAR_SUPERVISOR)
    case, _ = acts.a_submitted_plan(api, STRANGER)
    assert put(api, path, case, by=FAR_SUPERVISOR).status_code == 200
    assert api.as_(SUPERVISOR).get(path).status_code == 404
    assert api.as_(FAR_SUPERVISOR).get(path).json()["district_code"] == FAR[:5]
    assert date.fromisoformat(shown(api, path, FAR_SUPERVISOR)["held_on"]) == date(2026, 3, 2)

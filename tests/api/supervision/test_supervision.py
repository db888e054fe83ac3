"""Supervision: the overdue list, explanations of due dates, and reviews."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import insert, select

from casework.adapters.api.shared import bodies as shared_bodies
from casework.adapters.api.supervision import bodies as s
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.domain.supervision.reviewing import ACTIONS, CAUSES
from tests.api.acts import (
    a_case,
    a_referral,
    a_resident,
    a_supported_case,
    clock,
    moved,
    surveyed,
)
from tests.api.asking import ABSENT, etag, fields_of, refusal
from tests.api.conftest import (
    ASSESSOR,
    BASE,
    COLLEAGUE,
    DISTRICT,
    FAR,
    FAR_SUPERVISOR,
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    OTHER_PROVIDER,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
    seoul,
)

LATE = "2026-03-12T10:00"  # a Thursday: what was asked on 2 March is five working days late
CHASE = {"action": "chase", "cause": "provider_slow"}


def swept(api: Api, moment: str) -> None:
    """Go to a moment and let the sweep raise what is due."""
    api.clock.set(moment)
    answer = api.as_(SUPERVISOR).post("/jobs/overdue/run")
    assert answer.status_code == 200, answer.text


def late_response(api: Api, **facts: Any) -> tuple[UUID, UUID]:
    """A referral and its ``response`` clock, overdue since 6 March."""
    referral = a_referral(api, **facts)
    api.clock.set(LATE)
    return referral, clock(api, "response", referral)


def reviewed(api: Api, deadline: UUID, **verdict: Any) -> dict[str, Any]:
    """Decide about it as the district's supervisor."""
    answer = api.as_(SUPERVISOR).post(
        f"/overdue/{deadline}/review", {"cause": "provider_slow"} | verdict
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def overdue(api: Api, username: str = SUPERVISOR, **filters: Any) -> list[dict[str, Any]]:
    return api.as_(username).items("/overdue", **filters)


def overdue_kinds(api: Api, username: str = SUPERVISOR, **filters: Any) -> list[str]:
    return [one["kind"] for one in overdue(api, username, **filters)]


# Who may


def paths(deadline: UUID) -> list[tuple[str, str, Any]]:
    return [
        ("GET", "/overdue", None),
        ("GET", "/overdue/summary", None),
        ("POST", f"/overdue/{deadline}/review", CHASE),
        ("POST", "/overdue/reviews", {"reviews": [CHASE | {"deadline_id": str(deadline)}]}),
        ("GET", f"/deadlines/{deadline}", None),
        ("GET", f"/deadlines/{deadline}/explanation", None),
        ("GET", f"/deadlines/{deadline}/escalations", None),
    ]


def test_nobody_supervises_anonymously(api: Api) -> None:
    _, deadline = late_response(api)
    for method, path, body in paths(deadline):
        answer = api.client.request(method, BASE + path, json=body)
        assert refusal(answer) == (401, "unauthenticated"), path


def test_a_role_without_a_row_is_refused_whatever_the_id(api: Api) -> None:
    _, deadline = late_response(api)
    never = {
        "/overdue": (PROVIDER, ASSESSOR, "auditor", "admin"),
        "/review": (WORKER, PROVIDER, ASSESSOR, "city", "auditor", "admin"),
        "/deadlines": ("auditor", "admin"),
    }
    for id in (deadline, ABSENT):
        for method, path, body in paths(id):
            part = "/review" if method == "POST" else "/" + path.split("/")[1]
            for username in never[part]:
                answer = api.as_(username).request(method, path, json=body)
                assert refusal(answer) == (403, "forbidden"), (username, path)
    assert overdue(api)[0]["last_review"] is None


def test_a_deadline_out_of_scope_looks_like_an_absent_one(api: Api) -> None:
    _, deadline = late_response(api)
    strangers = {
        "GET": (NEIGHBOUR, STRANGER, FAR_SUPERVISOR, OTHER_PROVIDER),
        "POST": (FAR_SUPERVISOR,),
    }
    for (method, path, body), (_, absent_path, _) in zip(
        paths(deadline)[2:], paths(ABSENT)[2:], strict=True
    ):
        if path == "/overdue/reviews":
            continue
        for username in strangers[method]:
            hidden = api.as_(username).request(method, path, json=body)
            absent = api.as_(username).request(method, absent_path, json=body)
            assert hidden.status_code == absent.status_code == 404, (username, path)
            assert hidden.content == absent.content


def test_those_whose_clock_it_is_may_look_at_it(api: Api) -> None:
    _, deadline = late_response(api)
    for username in (WORKER, COLLEAGUE, SUPERVISOR, PROVIDER):
        found = api.as_(username).get(f"/deadlines/{deadline}")
        assert found.status_code == 200, username
        allowed = ["review"] if username == SUPERVISOR else []
        assert found.json()["allowed_actions"] == allowed, username


# The list


def test_the_overdue_list_is_all_that_is_late_within_scope_longest_first(api: Api) -> None:
    late_response(api)
    surveyed_late = a_case(api, by=NEIGHBOUR)
    api.clock.set("2026-03-20T10:00")
    assert overdue_kinds(api) == ["response", "notify_plan", "survey"]
    assert overdue_kinds(api, WORKER) == overdue_kinds(api, COLLEAGUE)
    assert overdue_kinds(api, WORKER) == ["response", "notify_plan"]
    assert overdue_kinds(api, NEIGHBOUR) == ["survey"]
    assert overdue(api, NEIGHBOUR)[0]["subject"] == {"type": "case", "id": str(surveyed_late)}
    assert overdue(api, FAR_SUPERVISOR) == overdue(api, STRANGER) == []


def test_the_overdue_list_shows_what_the_domain_says_is_overdue(api: Api) -> None:
    referral, deadline = late_response(api)
    for moment, is_late in (("2026-03-05T23:59:59", False), ("2026-03-06T00:00:00", True)):
        api.clock.set(moment)
        assert (str(deadline) in [one["deadline_id"] for one in overdue(api)]) is is_late
        assert api.as_(WORKER).get(f"/deadlines/{deadline}").json()["overdue"] is is_late
    moved(api, referral, "accept", PROVIDER)
    assert "response" not in overdue_kinds(api)


def test_each_filter_leaves_out_what_it_does_not_name(api: Api) -> None:
    late_response(api)
    a_case(api, by=NEIGHBOUR)
    api.clock.set("2026-03-20T10:00")
    worker, alpha = str(api.id_of(WORKER)), str(api.providers["alpha"].id)
    every = ["response", "notify_plan", "survey"]
    for filters, expected in (
        ({"centre": HERE}, every[:2]),
        ({"centre": NEXT_DOOR}, every[2:]),
        ({"centre": FAR}, []),
        ({"worker": worker}, every[:2]),
        ({"kind": "survey"}, every[2:]),
        ({"field": "care"}, every[:1]),
        ({"field": "medical"}, []),
        ({"provider": alpha}, every[:1]),
        ({"held_by": "worker"}, every[1:]),
        ({"held_by": "provider", "centre": HERE}, every[:1]),
        ({"tier": 1}, []),
        ({"answered": "true"}, []),
        ({"answered": "false"}, every),
        ({"since": "2026-03-09"}, every[1:]),
        ({"since": "2026-03-09T23:59:59+09:00"}, every[1:]),
        ({"since": "2026-03-10"}, every[2:]),
    ):
        assert overdue_kinds(api, **filters) == expected, filters
    assert overdue(api, limit=1) == overdue(api)


def test_a_filter_that_cannot_be_right_is_refused(api: Api) -> None:
    for wrong in (
        "kind=nap", "field=sport", "held_by=nobody", "tier=0", "tier=99999999999999999999",
        "answered=perhaps", "since=2026-03-09T10:00:00", "since=1700000000", "since=0001-01-01",
        "worker=me", "centre=%00", "limit=0", "by=centre",
    ):  # fmt: skip
        assert api.as_(SUPERVISOR).get(f"/overdue?{wrong}").status_code in (400, 422), wrong


def test_the_list_says_who_was_told_and_how_high_it_went(api: Api) -> None:
    late_response(api)
    swept(api, "2026-03-06T09:00")
    (item,) = overdue(api)
    assert item["tier"] == 1
    assert item["told"] == [
        {"tier": 1, "to": ["worker", "provider"], "at": "2026-03-06T09:00:00+09:00"}
    ]
    swept(api, "2026-03-10T09:00")
    item = overdue(api, kind="response")[0]
    assert item["tier"] == 2
    assert [step["to"] for step in item["told"]] == [["worker", "provider"], ["supervisor"]]
    assert overdue_kinds(api, tier=2) == ["response"]
    assert overdue_kinds(api, tier=1) == ["notify_plan"]


def test_answered_is_what_was_reviewed_and_nothing_was_raised_for_since(api: Api) -> None:
    _, deadline = late_response(api)
    swept(api, "2026-03-06T09:00")
    assert overdue_kinds(api, answered="false") == ["response"]
    reviewed(api, deadline, action="chase", until="2026-03-12")
    assert overdue_kinds(api, answered="true") == ["response"]
    swept(api, "2026-03-12T08:59")
    assert overdue_kinds(api, answered="true") == ["response"]
    swept(api, "2026-03-12T09:00")  # the chase has waited long enough: tier 2
    assert "response" in overdue_kinds(api, answered="false")
    assert "response" in overdue_kinds(api, tier=2)


def test_an_extension_that_ran_out_is_late_anew(api: Api) -> None:
    _, deadline = late_response(api)
    reviewed(api, deadline, action="extend", until="2026-03-13")
    assert "response" not in overdue_kinds(api)
    api.clock.set("2026-03-14T00:00")
    item = overdue(api, kind="response", answered="false")[0]
    assert (item["tier"], item["last_review"]["action"]) == (None, "extend")


def test_paging_the_overdue_list_misses_nothing_while_more_falls_due(api: Api) -> None:
    supervisor = api.as_(SUPERVISOR)
    for _ in range(5):
        a_case(api)
    a_case(api, by=NEIGHBOUR, applied_on=date(2026, 3, 1))
    api.clock.set(LATE)
    before = {one["deadline_id"] for one in overdue(api)}
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    for _ in range(20):
        page = supervisor.get("/overdue", params=params).json()
        seen += [one["deadline_id"] for one in page["items"]]
        params["cursor"] = page["next_cursor"]
        if params["cursor"] is None:
            break
        a_case(api, applied_on=date(2026, 3, 3))
        a_case(api, applied_on=date(2026, 2, 20))
    assert len(before) == 6
    assert before <= set(seen)
    assert len(seen) == len(set(seen))


def test_a_tampered_cursor_is_refused(api: Api) -> None:
    for _ in range(2):
        a_case(api)
    api.clock.set(LATE)
    cursor = api.as_(SUPERVISOR).get("/overdue?limit=1").json()["next_cursor"]
    altered = cursor[:10] + ("A" if cursor[10] != "A" else "B") + cursor[11:]
    answer = api.as_(SUPERVISOR).get("/overdue", params={"cursor": altered})
    assert refusal(answer) == (422, "cursor_invalid")


# The summary


def test_the_summary_counts_what_the_list_shows(api: Api) -> None:
    late_response(api)
    a_case(api, by=NEIGHBOUR)
    api.clock.set("2026-03-20T10:00")
    rows = overdue(api)
    of_row = {
        "centre": lambda row: row["centre_code"],
        "field": lambda row: row["field"],
        "provider": lambda row: row["provider"] and row["provider"]["id"],
        "worker": lambda row: row["worker_id"],
        "kind": lambda row: row["kind"],
        "held_by": lambda row: row["held_by"],
        "cause": lambda row: None,
        "body": lambda row: row["body"] and row["body"]["id"],
        "area": lambda row: DISTRICT,
    }
    assert set(of_row) == set(get_args(shared_bodies.GroupedBy))
    for by, key_of in of_row.items():
        found = api.as_(SUPERVISOR).get(f"/overdue/summary?by={by}").json()
        assert (found["by"], found["total"]) == (by, len(rows))
        counted = {group["key"]: group["count"] for group in found["groups"]}
        keys = [key_of(row) for row in rows]
        assert counted == {key: keys.count(key) for key in keys}, by
        for group in found["groups"]:
            own = [row for row in rows if key_of(row) == group["key"]]
            assert group["oldest_due_at"] == min(row["due_at"] for row in own)
    assert api.as_(FAR_SUPERVISOR).get("/overdue/summary").json()["total"] == 0
    assert api.as_(NEIGHBOUR).get("/overdue/summary").json()["total"] == 1


def test_the_summary_tells_names_medians_and_what_is_new(api: Api) -> None:
    for day in (2, 3, 4, 5):
        a_case(api, applied_on=api.clock.set(f"2026-03-0{day}T10:00").date())
    api.clock.set("2026-03-16T10:00")  # due on the 9th, 10th, 11th and 12th
    (group,) = api.as_(SUPERVISOR).get("/overdue/summary").json()["groups"]
    assert group == {
        "key": HERE, "name": "우1동", "count": 4, "excused": 0, "new": 4,
        "oldest_due_at": "2026-03-09T23:59:59+09:00", "median_working_days_late": 3.5,
    }  # fmt: skip
    for since, new in (("2026-03-11", 2), ("2026-03-16", 0), ("2026-03-10T23:59:59Z", 2)):
        found = api.as_(SUPERVISOR).get(f"/overdue/summary?since={since}").json()
        assert found["groups"][0]["new"] == new, since


def test_the_summary_counts_causes_and_the_excused_apart(api: Api) -> None:
    _, deadline = late_response(api)
    reviewed(api, deadline, action="excuse", cause="resident_choice")
    found = api.as_(SUPERVISOR).get("/overdue/summary?by=cause").json()
    assert found["excused"] == 1
    counted = {group["key"]: (group["count"], group["excused"]) for group in found["groups"]}
    assert counted == {"resident_choice": (1, 1), None: (1, 0)}


def test_the_summary_looks_ahead_and_finds_the_cases_of_nobody(api: Api) -> None:
    a_case(api)  # due on 9 March
    a_case(api, by=SUPERVISOR, resident=a_resident(api))
    found = api.as_(SUPERVISOR).get("/overdue/summary").json()
    assert found["cases_without_worker"] == 1
    assert {(one["worker_id"], one["count"]) for one in found["upcoming"]} == {
        (str(api.id_of(WORKER)), 1), (None, 1),
    }  # fmt: skip
    api.clock.set("2026-02-23T10:00")  # as if it were three weeks earlier: the 14th day is 9 March
    assert len(api.as_(SUPERVISOR).get("/overdue/summary").json()["upcoming"]) == 2
    api.clock.set("2026-02-22T10:00")
    assert api.as_(SUPERVISOR).get("/overdue/summary").json()["upcoming"] == []
    assert api.as_(FAR_SUPERVISOR).get("/overdue/summary").json()["cases_without_worker"] == 0


# Reviews


def test_what_may_be_sent_is_what_the_domain_knows() -> None:
    assert get_args(s.Action) == ACTIONS
    assert get_args(shared_bodies.Cause) == CAUSES


def test_a_chase_is_recorded_and_holds_back_further_tiers(api: Api) -> None:
    _, deadline = late_response(api)
    swept(api, "2026-03-06T09:00")
    done = reviewed(api, deadline, action="chase")
    assert (done["id"], done["overdue"], done["due_at"]) == (
        str(deadline), True, "2026-03-05T23:59:59+09:00")  # fmt: skip
    assert done["last_review"] == {
        "action": "chase", "cause": "provider_slow", "reason": None, "until": "2026-03-10",
        "at": "2026-03-06T09:00:00+09:00", "by": str(api.id_of(SUPERVISOR)),
    }  # fmt: skip
    assert api.as_(SUPERVISOR).get(f"/deadlines/{deadline}").json() == done
    swept(api, "2026-03-09T12:00")
    assert overdue(api, kind="response")[0]["tier"] == 1


def test_an_extension_sets_a_new_due_date_and_explains_it(api: Api) -> None:
    _, deadline = late_response(api)
    done = reviewed(api, deadline, action="extend", cause="no_capacity", until="2026-03-20")
    assert (done["overdue"], done["due_at"]) == (False, "2026-03-20T23:59:59+09:00")
    assert done["breached_at"] == "2026-03-05T23:59:59+09:00"
    assert done["allowed_actions"] == []
    extended = {"until": "2026-03-20", "at": "2026-03-12T10:00:00+09:00", "cause": "no_capacity"}
    told = api.as_(WORKER).get(f"/deadlines/{deadline}/explanation").json()
    assert told["extensions"] == [extended]
    told = api.as_(PROVIDER).get(f"/deadlines/{deadline}/explanation").json()
    assert told["extensions"] == [extended | {"cause": None}]
    assert told["sentence"] == (
        "3 working days from 2026-03-02, extended to 2026-03-20: due 2026-03-20."
    )
    again = api.as_(SUPERVISOR).post(f"/overdue/{deadline}/review", CHASE)
    assert refusal(again) == (409, "not_overdue")
    assert again.json()["state"] == "running"


def test_a_reassignment_gives_the_case_with_its_clocks_to_another(api: Api) -> None:
    case = a_case(api)
    api.clock.set(LATE)
    deadline = clock(api, "survey", case)
    verdict = {"action": "reassign", "cause": "staff_absent"}
    done = reviewed(api, deadline, **verdict, worker_id=str(api.id_of(COLLEAGUE)))
    assert done["worker_id"] == str(api.id_of(COLLEAGUE))
    assert [one["kind"] for one in api.as_(COLLEAGUE).items("/worklist")] == ["survey"]
    assert api.as_(WORKER).items("/worklist") == []
    for worker, code in (
        (api.id_of(NEIGHBOUR), "unknown_worker"),
        (ABSENT, "unknown_worker"),
        (None, "worker_required"),
    ):
        body = verdict | {"worker_id": worker and str(worker)}
        answer = api.as_(SUPERVISOR).post(f"/overdue/{deadline}/review", body)
        assert refusal(answer) == (422, code)


def test_a_redirection_cancels_and_asks_another_agency_in_one_act(api: Api) -> None:
    referral, deadline = late_response(api)
    beta = str(api.offerings["beta", "CARE-MEALS"].id)
    done = reviewed(api, deadline, action="redirect", offering_id=beta)
    assert (done["status"], done["overdue"]) == ("cancelled", False)
    old = api.as_(SUPERVISOR).get(f"/referrals/{referral}").json()
    assert (old["status"], old["reason"]) == ("cancelled", "redirected")
    new = api.as_(SUPERVISOR).get(f"/referrals/{old['replaced_by']}").json()
    assert (new["status"], new["replaces"]) == ("requested", str(referral))
    assert new["provider"]["name"] == "beta 돌봄"
    assert [one["kind"] for one in api.as_(OTHER_PROVIDER).items("/worklist")] == ["response"]
    assert overdue_kinds(api) == ["notify_plan"]


def test_what_is_no_referral_cannot_be_redirected(api: Api) -> None:
    case = a_case(api)
    api.clock.set(LATE)
    deadline = clock(api, "survey", case)
    offering = str(api.offerings["beta", "CARE-MEALS"].id)
    for body, code in (
        ({"offering_id": offering}, "not_a_referral"),
        ({}, "offering_required"),
    ):
        answer = api.as_(SUPERVISOR).post(
            f"/overdue/{deadline}/review", {"action": "redirect", "cause": "no_capacity"} | body
        )
        assert refusal(answer) == (422, code)
    assert overdue(api)[0]["last_review"] is None


def test_an_excused_clock_stays_overdue_and_raises_no_more(api: Api) -> None:
    _, deadline = late_response(api)
    reviewed(api, deadline, action="excuse", cause="resident_choice", reason="after a funeral")
    swept(api, LATE)
    (item,) = overdue(api, kind="response")
    assert (item["overdue"], item["excused"], item["told"]) == (True, True, [])
    assert item["last_review"]["reason"] == "after a funeral"


def test_a_review_that_cannot_be_right_names_the_field(api: Api) -> None:
    _, deadline = late_response(api)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"action": "forgive"}, "action"),
        ({"cause": "bad_weather"}, "cause"),
        ({"cause": "other"}, "reason"),
        ({"until": "2026-03-11"}, "until"),
        ({"until": "12 March"}, "until"),
        ({"until": 1773273600}, "until"),
        ({"until": "9999-12-31"}, "until"),
        ({"action": "extend"}, "until"),
        ({"action": "reassign"}, "worker_id"),
        ({"action": "redirect"}, "offering_id"),
        ({"reason": ""}, "reason"),
        ({"worker_id": "someone"}, "worker_id"),
        ({"mood": "grim"}, "mood"),
    ]
    for verdict, field in wrong:
        answer = api.as_(SUPERVISOR).post(f"/overdue/{deadline}/review", CHASE | verdict)
        assert fields_of(answer) == [field], verdict
    assert overdue(api, kind="response")[0]["last_review"] is None


def test_a_review_may_name_today_but_no_day_before(api: Api) -> None:
    _, deadline = late_response(api)
    done = reviewed(api, deadline, action="extend", until="2026-03-12")
    assert done["due_at"] == "2026-03-12T23:59:59+09:00"


def test_the_law_is_never_extended(api: Api) -> None:
    case = a_supported_case(api).case
    api.clock.set("2026-06-10T10:00")  # the first check was due on 2 June
    deadline = clock(api, "first_check", case)
    answer = api.as_(SUPERVISOR).post(
        f"/overdue/{deadline}/review", CHASE | {"action": "extend", "until": "2026-06-12"}
    )
    assert refusal(answer) == (422, "statutory_limit")


def test_what_is_not_overdue_is_not_reviewed(api: Api) -> None:
    case = a_case(api)
    deadline = clock(api, "survey", case)
    answer = api.as_(SUPERVISOR).post(f"/overdue/{deadline}/review", CHASE)
    assert refusal(answer) == (409, "not_overdue")
    surveyed(api, case)
    answer = api.as_(SUPERVISOR).post(f"/overdue/{deadline}/review", CHASE)
    assert (answer.status_code, answer.json()["state"]) == (409, "met")


def test_a_review_heeds_if_match(api: Api) -> None:
    _, deadline = late_response(api)
    seen = etag(api.as_(SUPERVISOR).get(f"/deadlines/{deadline}"))
    path = f"/overdue/{deadline}/review"
    assert api.as_(SUPERVISOR).post(path, CHASE, headers=seen).status_code == 200
    stale = api.as_(SUPERVISOR).post(path, CHASE, headers=seen)
    assert refusal(stale) == (412, "stale")
    assert api.as_(SUPERVISOR).post(path, CHASE).status_code == 200


def reviews(api: Api) -> int:
    with api.engine.connect() as connection:
        return len(connection.execute(select(t.review.c.id)).all())


def test_a_repeated_review_under_one_key_is_one_review(api: Api) -> None:
    _, deadline = late_response(api)
    path, key = f"/overdue/{deadline}/review", {"Idempotency-Key": "morning"}
    first = api.as_(SUPERVISOR).post(path, CHASE, headers=key)
    again = api.as_(SUPERVISOR).post(path, CHASE, headers=key)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert reviews(api) == 1
    other = api.as_(SUPERVISOR).post(path, CHASE | {"cause": "no_capacity"}, headers=key)
    assert refusal(other) == (422, "idempotency_key_reused")


def test_a_review_is_an_event_on_the_residents_timeline_without_its_words(api: Api) -> None:
    _, deadline = late_response(api)
    reviewed(api, deadline, action="chase", cause="other", reason="they never pick up")
    with api.engine.connect() as connection:
        (event,) = connection.execute(
            select(t.event).where(t.event.c.name == "DeadlineReviewed")
        ).all()
    assert event.data["cause"] == "other"
    assert "pick up" not in str(event.data)


# Several at once


def test_several_reviews_each_have_a_result_of_their_own(api: Api) -> None:
    _, late = late_response(api)
    not_late = clock(api, "survey", a_case(api))
    gone = clock(api, "response", a_referral(api, a_supported_case(api)))
    asked = [
        CHASE | {"deadline_id": str(late)},
        CHASE | {"deadline_id": str(not_late)},
        CHASE | {"deadline_id": str(ABSENT)},
        {"action": "extend", "cause": "no_capacity", "deadline_id": str(gone)},
    ]
    answer = api.as_(SUPERVISOR).post("/overdue/reviews", {"reviews": asked})
    assert answer.status_code == 200, answer.text
    assert answer.json()["results"] == [
        {"deadline_id": str(late), "status": 200},
        {"deadline_id": str(not_late), "status": 409, "code": "not_overdue"},
        {"deadline_id": str(ABSENT), "status": 404, "code": "not_found"},
        {"deadline_id": str(gone), "status": 409, "code": "not_overdue"},
    ]
    assert reviews(api) == 1
    with api.engine.connect() as connection:
        entries = connection.execute(
            select(t.audit_entry.c.outcome, t.audit_entry.c.asked_for)
            .where(t.audit_entry.c.action == "overdue.review")
        ).all()  # fmt: skip
    assert sorted(one.outcome for one in entries) == ["ok", "ok", "refused", "refused", "refused"]
    assert str(not_late) in {one.asked_for for one in entries if one.outcome == "refused"}


def test_a_hundred_reviews_at_once_are_the_most(api: Api) -> None:
    def send(*ids: UUID) -> Any:
        body = {"reviews": [CHASE | {"deadline_id": str(id)} for id in ids]}
        return api.as_(SUPERVISOR).post("/overdue/reviews", body)

    assert send().status_code == 422
    assert send(*(new_id() for _ in range(101))).status_code == 422
    assert send(ABSENT, ABSENT).status_code == 422
    hundred = send(*(new_id() for _ in range(100)))
    assert [one["status"] for one in hundred.json()["results"]] == [404] * 100


def test_repeated_reviews_under_one_key_do_only_what_is_missing(api: Api) -> None:
    deadlines = [clock(api, "survey", a_case(api)) for _ in range(3)]
    api.clock.set(LATE)
    body = {"reviews": [CHASE | {"deadline_id": str(id)} for id in deadlines]}
    key = {"Idempotency-Key": "morning"}
    first = api.as_(SUPERVISOR).post("/overdue/reviews", body, headers=key)
    again = api.as_(SUPERVISOR).post("/overdue/reviews", body, headers=key)
    assert first.json() == again.json()
    assert reviews(api) == 3
    body["reviews"].pop()
    other = api.as_(SUPERVISOR).post("/overdue/reviews", body, headers=key)
    assert refusal(other) == (422, "idempotency_key_reused")


# Why this date?


def explained(api: Api, deadline: UUID, language: str = "en") -> dict[str, Any]:
    answer = api.as_(WORKER).get(
        f"/deadlines/{deadline}/explanation", headers={"Accept-Language": language}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_date_over_chuseok_explains_itself_in_both_languages(api: Api) -> None:
    api.clock.set("2026-09-22T10:00")
    deadline = clock(api, "response", a_referral(api))
    told = explained(api, deadline)
    assert told["start"] == "2026-09-22T10:00:00+09:00"
    assert told["target"] == {"amount": 3, "unit": "working_days"}
    assert told["basis"] == "city service target"
    assert told["left_out"] == [
        {"on": "2026-09-24", "why": "추석 전날"},
        {"on": "2026-09-25", "why": "추석"},
        {"on": "2026-09-26", "why": "추석 다음날"},
        {"on": "2026-09-27", "why": "sunday"},
    ]
    assert told["due_at"] == "2026-09-29T23:59:59+09:00"
    assert told["sentence"] == (
        "3 working days from 2026-09-22, leaving out 24–26 September (Chuseok)"
        " and 27 September (weekend): due 2026-09-29."
    )
    assert explained(api, deadline, "ko-KR,en;q=0.5")["sentence"] == (
        "2026-09-22부터 근무일 3일, 9월 24일(추석 전날), 9월 25일(추석), 9월 26일(추석 다음날),"
        " 9월 27일(주말) 제외: 기한 2026-09-29."
    )


def test_a_statutory_date_explains_how_it_rolls(api: Api) -> None:
    api.clock.set("2026-04-17T10:00")
    told = explained(api, clock(api, "first_check", a_supported_case(api).case))
    assert (told["basis"], told["target"]) == (
        "Enforcement Rule 10", {"amount": 3, "unit": "months"})  # fmt: skip
    assert told["sentence"] == (
        "3 months from 2026-04-17, leaving out 17 July (Constitution Day)"
        " and 18–19 July (weekend): due 2026-07-20."
    )


def test_an_hour_clock_and_a_fixed_day_explain_themselves(api: Api) -> None:
    deadline = clock(api, "response", a_referral(api, priority="emergency"))
    assert explained(api, deadline)["sentence"] == (
        "4 hours from 2026-03-02 10:00, nights and holidays included: due 2026-03-02 14:00."
    )
    assert explained(api, deadline, "ko")["sentence"] == (
        "2026-03-02 10:00부터 4시간, 야간과 휴일 포함: 기한 2026-03-02 14:00."
    )
    case = a_case(api, discharge_on=date(2026, 3, 7))
    assert explained(api, clock(api, "discharge", case))["sentence"] == (
        "Due on 2026-03-07, a fixed day that is never moved, although offices are closed (weekend)."
    )


def test_a_pause_explains_itself(api: Api) -> None:
    referral = a_referral(api)
    moved(api, referral, "accept", PROVIDER)
    api.clock.set("2026-03-04T10:00")
    moved(api, referral, "hold", PROVIDER, reason="hospitalised", until=date(2026, 3, 6))
    told = explained(api, clock(api, "start", referral))
    assert told["pauses"] == [
        {"from": "2026-03-04", "until": "2026-03-06", "reason": "hospitalised", "resumed_at": None}
    ]
    assert "4–6 March (paused: hospitalised)" in told["sentence"]
    assert told["due_at"] == "2026-03-19T23:59:59+09:00"
    korean = explained(api, clock(api, "start", referral), "ko")
    assert "3월 4~6일(중지: 입원)" in korean["sentence"]


# The ledger


def test_the_ledger_says_who_was_told_when_and_who_answered_with_what(api: Api) -> None:
    _, deadline = late_response(api)
    assert api.as_(SUPERVISOR).items(f"/deadlines/{deadline}/escalations") == []
    for moment in ("2026-03-04T09:00", "2026-03-06T09:00"):
        swept(api, moment)
    reviewed(api, deadline, action="chase", reason="spoke to their office")
    swept(api, "2026-03-12T09:00")
    ledger = api.as_(SUPERVISOR).items(f"/deadlines/{deadline}/escalations", limit=2)
    assert [(one["tier"], one["to"], one["passed_over"]) for one in ledger] == [
        (-1, ["provider"], False),
        (0, [], True),
        (1, ["worker", "provider"], False),
        (2, ["supervisor"], False),
    ]
    assert ledger[2]["raised_at"] == "2026-03-06T09:00:00+09:00"
    assert ledger[2]["due_at"] == "2026-03-05T23:59:59+09:00"
    assert ledger[2]["review"]["reason"] == "spoke to their office"
    assert ledger[3]["review"] is None


def test_an_act_that_comes_late_leaves_the_due_steps_in_the_ledger_quietly(api: Api) -> None:
    case = a_case(api)
    deadline = clock(api, "survey", case)
    api.clock.set(LATE)
    surveyed(api, case)
    ledger = api.as_(WORKER).items(f"/deadlines/{deadline}/escalations")
    assert [(one["tier"], one["passed_over"], one["quiet"]) for one in ledger] == [
        (-1, True, True), (0, True, True), (1, True, True), (2, False, True),
    ]  # fmt: skip
    swept(api, "2026-03-31T10:00")
    assert api.as_(WORKER).items(f"/deadlines/{deadline}/escalations") == ledger


def test_an_agency_does_not_read_what_the_supervisor_wrote(api: Api) -> None:
    _, deadline = late_response(api)
    swept(api, "2026-03-06T09:00")
    reviewed(api, deadline, action="chase", reason="spoke to their office")
    for path in ("", "/escalations"):
        told = api.as_(PROVIDER).get(f"/deadlines/{deadline}{path}")
        assert told.status_code == 200
        assert "spoke" not in told.text
        assert "spoke" in api.as_(WORKER).get(f"/deadlines/{deadline}{path}").text


def test_looking_at_a_clock_is_written_down_with_whose_it_is(api: Api) -> None:
    _, deadline = late_response(api)
    for path in ("", "/explanation", "/escalations"):
        api.as_(SUPERVISOR).get(f"/deadlines/{deadline}{path}")
    resident = api.as_(SUPERVISOR).get(f"/deadlines/{deadline}").json()["resident_id"]
    with api.engine.connect() as connection:
        entries = connection.execute(
            select(t.audit_entry.c.subjects).where(t.audit_entry.c.action == "deadline.read")
        ).all()
    assert [one.subjects for one in entries] == [[resident]] * 4


def test_a_holiday_of_a_district_counts_in_its_lateness(api: Api) -> None:
    with api.engine.begin() as connection:
        connection.execute(
            insert(t.holiday_override).values(
                id=new_id(), day=date(2026, 3, 11), closed=True, name="지역 축제",
                district_code="26350",
            )
        )  # fmt: skip
    api.application.clockwork._value = None  # what is cached for some seconds is read again
    a_case(api)
    assert seoul(LATE) == api.clock.set(LATE)
    (item,) = overdue(api)
    assert item["working_days_late"] == 2

"""The audit log as the auditor reads it: who saw whom, and the review by somebody else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit import trail
from casework.bench.statements import statements
from tests.api.acts import a_case, a_referral, a_resident
from tests.api.asking import ABSENT, check_wrong, everything, fields_of, refusal
from tests.api.conftest import (
    BASE,
    COLLEAGUE,
    DISTRICT,
    FAR,
    FAR_SUPERVISOR,
    NEIGHBOUR,
    OTHER_DISTRICT,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)
from tests.audit import seal

AUDITOR = "auditor"
REVIEW = {"month": "2026-03", "chain": DISTRICT, "findings": "nothing unusual"}


def seen(api: Api, **params: Any) -> list[dict[str, Any]]:
    """The entries that the auditor finds, newest first."""
    return api.as_(AUDITOR).items("/audit", **params)


def test_an_entry_says_who_what_when_from_where_about_whom_and_how_it_ended(api: Api) -> None:
    resident = a_resident(api)
    api.as_(WORKER).get(f"/residents/{resident}", headers={"X-Request-Id": "monday-1"})
    entry = seen(api, subject=str(resident))[0]
    assert entry.pop("id")
    assert entry == {
        "at": "2026-03-02T10:00:00+09:00",
        "actor_id": str(api.id_of(WORKER)),
        "actor": WORKER,
        "role": "worker",
        "action": "case.read",
        "task": "GET /residents/{id}",
        "subjects": [str(resident)],
        "asked_for": str(resident),
        "outcome": "ok",
        "code": None,
        "source": "testclient",
        "request_id": "monday-1",
        "chain": DISTRICT,
    }


def test_a_list_names_everybody_on_it(api: Api) -> None:
    residents = {str(a_resident(api)) for _ in range(3)}
    api.as_(WORKER).post("/residents/search", {"centre_code": api.actor(WORKER).centre_code})
    newest = seen(api, actor=WORKER, action="case.read")[0]
    assert set(newest["subjects"]) == residents
    for resident in residents:
        assert newest in seen(api, subject=resident)


def test_a_refused_look_is_found_by_the_id_that_was_asked_for_there_or_not(api: Api) -> None:
    resident = a_resident(api)
    for id in (resident, ABSENT):
        assert api.as_(STRANGER).get(f"/residents/{id}").status_code == 404
        entry = seen(api, subject=str(id))[0]
        assert (entry["actor"], entry["outcome"], entry["code"]) == (
            STRANGER,
            "refused",
            "not_found",
        )
        assert (entry["subjects"], entry["asked_for"]) == ([], str(id))
    odd = str(resident).replace("-", "").upper()
    assert api.as_(STRANGER).get(f"/residents/{odd}").status_code == 404
    assert len(seen(api, subject=str(resident), actor=STRANGER)) == 2, "however it was written"


def test_every_way_to_be_refused_is_an_entry(api: Api) -> None:
    api.client.get(f"{BASE}/residents/{ABSENT}")
    api.as_("city").get(f"/residents/{ABSENT}")
    api.as_(WORKER).get("/residents/no-id")
    api.as_(WORKER).patch(f"/residents/{ABSENT}", {"phone": "010-0000-0000"})
    api.as_(WORKER).post("/residents", {"nme": "x"})
    codes = [entry["code"] for entry in seen(api, outcome="refused")]
    assert codes == ["invalid", "precondition_required", "invalid", "forbidden", "unauthenticated"]


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"actor": WORKER}, 3),
        ({"actor": WORKER.upper()}, 3),
        ({"actor": COLLEAGUE}, 0),
        ({"action": "account.list", "actor": WORKER}, 3),
        ({"action": "case.read"}, 0),
        ({"outcome": "failed"}, 0),
        ({"from": "2026-03-02T11:00:00+09:00", "actor": WORKER}, 2),
        ({"to": "2026-03-02T11:00:00+09:00", "actor": WORKER}, 1),
        ({"from": "2026-03-02T11:00:00.000001+09:00", "actor": WORKER}, 1),
        ({"from": "2026-03-03", "actor": WORKER}, 1),
        ({"to": "2026-03-02", "actor": WORKER}, 2),
        ({"from": "2026-03-04", "actor": WORKER}, 0),
    ],
)
def test_each_filter_leaves_out_the_rest(api: Api, params: dict[str, str], found: int) -> None:
    for moment in ("2026-03-02T10:00", "2026-03-02T11:00", "2026-03-03T00:00"):
        api.clock.set(moment)
        api.as_(WORKER).get("/accounts")
    assert len(seen(api, **params)) == found


def test_an_account_is_found_by_its_id_too(api: Api) -> None:
    api.as_(WORKER).get("/accounts")
    assert seen(api, actor=str(api.id_of(WORKER))) == seen(api, actor=WORKER)
    assert seen(api, actor=str(ABSENT)) == []


def test_it_is_paged_without_gaps_and_reading_it_is_an_entry(api: Api) -> None:
    for _ in range(5):
        api.as_(WORKER).get("/accounts")
    ids = [entry["id"] for entry in seen(api, actor=WORKER, limit=2)]
    assert len(ids) == len(set(ids)) == 5
    own = seen(api, actor=AUDITOR)
    assert {(one["action"], one["task"]) for one in own} == {("audit.read", "GET /audit")}
    resident = a_resident(api)
    seen(api, subject=str(resident))
    assert seen(api, actor=AUDITOR)[0]["subjects"] == [str(resident)], "about whom was asked"


def test_what_cannot_be_asked_is_refused(api: Api) -> None:
    auditor = api.as_(AUDITOR)
    for path, field in (
        ("/audit?subject=x", "subject"),
        ("/audit?from=2026-02-30", "from"),
        ("/audit?from=2026-03-02T10:00:00", "from"),
        ("/audit?to=yesterday", "to"),
        ("/audit?from=2026-03-03&to=2026-03-01", "to"),
        ("/audit?outcome=good", "outcome"),
        ("/audit/affected", "actor"),
        ("/audit/summary?month=2026-13", "month"),
        ("/audit/reviews?month=x", "month"),
    ):
        answer = auditor.get(path)
        assert refusal(answer) == (422, "invalid") or answer.json()["code"] in (
            "month_invalid", "ends_before_start",
        ), (path, answer.text)  # fmt: skip
        assert [error["field"] for error in answer.json()["errors"]] == [field], path


# Affected residents


def test_whom_an_account_affected_in_a_period_is_one_list(api: Api) -> None:
    residents = sorted(str(a_resident(api)) for _ in range(3))
    api.clock.set("2026-03-10T10:00")
    for id in (residents[0], residents[0], residents[1]):
        api.as_(COLLEAGUE).get(f"/residents/{id}")
        api.clock.forward(minutes=1)
    api.as_(COLLEAGUE).get(f"/residents/{residents[0]}/notes")
    api.as_(NEIGHBOUR).get(f"/residents/{residents[2]}")
    found = api.as_(AUDITOR).items(
        "/audit/affected", actor=COLLEAGUE, **{"from": "2026-03-10", "to": "2026-03-10"}, limit=1
    )
    assert found == [
        {
            "resident_id": residents[0], "entries": 3, "actions": ["case.read", "note.read"],
            "first_at": "2026-03-10T10:00:00+09:00", "last_at": "2026-03-10T10:03:00+09:00",
        },
        {
            "resident_id": residents[1], "entries": 1, "actions": ["case.read"],
            "first_at": "2026-03-10T10:02:00+09:00", "last_at": "2026-03-10T10:02:00+09:00",
        },
    ]  # fmt: skip
    nobody = {"from": "2026-03-11"}
    assert api.as_(AUDITOR).items("/audit/affected", actor=COLLEAGUE, **nobody) == []


# The monthly review


def test_the_month_of_each_account_shows_what_is_unusual(api: Api) -> None:
    case = a_case(api)
    for moment in (
        "2026-03-05T07:59", "2026-03-05T08:00", "2026-03-05T19:59", "2026-03-05T20:00",
        "2026-03-07T10:00", "2026-03-08T10:00", "2026-03-02T10:00",
    ):  # fmt: skip
        api.clock.set(moment)
        api.as_(COLLEAGUE).get(f"/cases/{case}")
    api.as_(COLLEAGUE).get(f"/cases/{ABSENT}")
    api.clock.set("2026-03-31T10:00")
    rows = {
        row["username"]: row for row in api.as_(AUDITOR).items("/audit/summary", month="2026-03")
    }
    told = rows[COLLEAGUE]
    assert (told["entries"], told["residents"], told["refused"]) == (8, 1, 1)
    # Before eight, from eight in the evening, Saturday, Sunday, and twice on a substitute holiday.
    assert told["out_of_hours"] == 6
    assert (told["exports"], told["break_glass"], told["failed"]) == (0, 0, 0)
    assert STRANGER not in rows, "it did nothing"
    assert api.as_(AUDITOR).items("/audit/summary", month="2026-02") == []


@pytest.mark.both_stores
def test_the_unusual_comes_first_and_who_did_nothing_is_left_out(api: Api) -> None:
    api.clock.set("2026-03-05T10:00")
    case = a_case(api)
    opening = {"resident_id": str(a_resident(api)), "reason": "fell at home, and nobody is there"}
    assert api.as_(STRANGER).post("/break-glass", opening).status_code == 201
    for username, times in ((WORKER, 7), (COLLEAGUE, 3), (SUPERVISOR, 2)):
        for _ in range(times):
            assert api.as_(username).get(f"/cases/{case}").status_code == 200
    for _ in range(2):
        api.as_(NEIGHBOUR).get(f"/cases/{case}")
    exported = {"what": "worklist", "purpose": "supervision"}
    assert api.as_(SUPERVISOR).post("/exports", exported).status_code == 200
    api.clock.set("2026-03-05T20:00")
    api.as_(COLLEAGUE).get(f"/cases/{case}")
    api.clock.set("2026-03-06T10:00")
    for limit in (1, 2, 50):
        rows = api.as_(AUDITOR).items("/audit/summary", month="2026-03", limit=limit)
        names = [row["username"] for row in rows if row["username"] != AUDITOR]
        assert names == [STRANGER, SUPERVISOR, COLLEAGUE, NEIGHBOUR, WORKER], limit
        assert len(names) == len(set(names))
        assert all(row["entries"] for row in rows)
        assert FAR_SUPERVISOR not in names
    assert (rows[0]["break_glass"], rows[1]["exports"], rows[2]["out_of_hours"]) == (1, 1, 1)


@pytest.mark.both_stores
def test_a_summary_counts_the_newest_and_says_from_when_on(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "COUNTED_AT_ONCE", 3)
    case = a_case(api)
    for day in range(3, 8):
        api.clock.set(f"2026-03-0{day}T10:00")
        api.as_(COLLEAGUE).get(f"/cases/{case}")
    api.clock.set("2026-03-31T10:00")

    def counted(**before: str) -> tuple[int, str]:
        params = {"month": "2026-03"} | before
        rows = api.as_(AUDITOR).get("/audit/summary", params=params).json()["items"]
        (row,) = [one for one in rows if one["username"] == COLLEAGUE]
        return row["entries"], row["counted_from"]

    newest = counted()
    assert newest == (3, "2026-03-04T10:00:00.000001+09:00")
    assert counted(before=newest[1])[0] == 2
    monkeypatch.setattr(trail, "COUNTED_AT_ONCE", 300)
    assert counted() == (5, "2026-03-01T00:00:00+09:00")
    assert api.as_(AUDITOR).get(
        "/audit/summary", params={"month": "2026-03", "before": "2026-02-20"}
    ).json()["items"] == []  # fmt: skip
    wrong = api.as_(AUDITOR).get("/audit/summary", params={"month": "2026-03", "before": "noon"})
    assert fields_of(wrong) == ["before"]


@pytest.mark.both_stores
def test_a_summary_is_counted_from_the_index_of_accounts_alone(api: Api) -> None:
    a_case(api)
    api.as_(COLLEAGUE).get(f"/cases/{ABSENT}")
    with statements(api.application.engine) as made:
        api.as_(AUDITOR).get("/audit/summary", params={"month": "2026-03"})
    (counting,) = [one for one in made if "less_break_glass" in one]
    if api.engine.dialect.name == "sqlite":
        with api.engine.connect() as connection:
            params = ("x",) * counting.count("?")
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {counting}", params)
            steps = [row[-1] for row in plan]
        assert any("COVERING INDEX ix_audit_entry_of_account" in step for step in steps), steps


def owed(api: Api) -> list[tuple[Any, ...]]:
    """The reviews due: month, chain, account."""
    items = api.as_(AUDITOR).get("/audit/reviews/due").json()["items"]
    return [(one["month"], one["chain"], one["account"]) for one in items]


def test_a_month_that_is_over_is_owed_until_it_is_reviewed(api: Api) -> None:
    for username in (WORKER, STRANGER, AUDITOR):
        api.as_(username).get("/accounts" if username != AUDITOR else "/audit")
    seal(api.application)
    assert owed(api) == []
    api.clock.set("2026-03-31T23:59")
    assert refusal(api.as_(AUDITOR).post("/audit/reviews", REVIEW)) == (409, "month_not_over")
    api.clock.set("2026-04-01T00:00")
    chains = (OTHER_DISTRICT, DISTRICT, "city")
    assert owed(api) == [("2026-03", chain, None) for chain in chains]
    made = api.as_(AUDITOR).post("/audit/reviews", REVIEW)
    assert made.status_code == 201, made.text
    assert made.json()["entries"] == 1
    assert owed(api) == [("2026-03", chain, None) for chain in (OTHER_DISTRICT, "city")]
    assert api.as_(AUDITOR).items("/audit/reviews", month="2026-03") == [made.json()]
    assert api.as_(AUDITOR).items("/audit/reviews", month="2026-02") == []


def test_nobody_reviews_their_own_entries(api: Api) -> None:
    api.as_(AUDITOR).get("/audit")
    seal(api.application)
    api.clock.set("2026-04-01T09:00")
    before = everything(api)
    own = {"month": "2026-03", "account": AUDITOR, "findings": "all is well with me"}
    for written in (AUDITOR, AUDITOR.upper(), f" {AUDITOR.title()}"):
        answer = api.as_(AUDITOR).post("/audit/reviews", own | {"account": written})
        assert refusal(answer) == (409, "own_entries")
    assert everything(api) == before
    of_city = api.as_(AUDITOR).post("/audit/reviews", REVIEW | {"chain": "city"}).json()
    assert (of_city["left_out"], of_city["entries"]) == (AUDITOR, 0)
    assert owed(api) == [("2026-03", None, AUDITOR)], "another auditor's to review"
    other = api.as_(AUDITOR).post("/audit/reviews", own | {"account": WORKER})
    assert other.status_code == 201, "another's account may be"


def test_a_review_that_cannot_be_right_is_refused(api: Api) -> None:
    api.as_(WORKER).get("/accounts")
    seal(api.application)
    api.clock.set("2026-04-01T09:00")
    check_wrong(
        api,
        lambda wrong: api.as_(AUDITOR).post("/audit/reviews", REVIEW | wrong),
        [
            ({"chain": "26999"}, "chain"),
            ({"account": WORKER}, "chain"),
            ({"chain": None}, "chain"),
            ({"chain": None, "account": "nobody"}, "account"),
            ({"month": "2026-3"}, "month"),
            ({"findings": ""}, "findings"),
            ({"reviewer": "x"}, "reviewer"),
        ],
    )


# If the entry cannot be written


BREAK = {
    "sqlite": "CREATE TRIGGER full BEFORE INSERT ON audit_entry "
    "BEGIN SELECT RAISE(ABORT, 'full'); END",
    "postgresql": "ALTER TABLE audit_entry ADD CONSTRAINT full_disk CHECK (action = 'x') NOT VALID",
}


@pytest.mark.both_stores
def test_without_its_entry_nothing_leaves_and_nothing_changes(api: Api) -> None:
    resident, referral = a_resident(api), a_referral(api)
    worker = api.as_(WORKER)
    name = worker.get(f"/residents/{resident}").json()["name"]
    before = everything(api)
    with api.engine.begin() as connection:
        connection.execute(text(BREAK[api.engine.dialect.name]))
    asked = [
        worker.get(f"/residents/{resident}"),
        worker.get("/referrals"),
        worker.get("/worklist"),
        worker.post("/residents/search", {"centre_code": api.actor(WORKER).centre_code}),
        worker.post(f"/residents/{resident}/notes", {"kind": "call", "text": "x"}),
        worker.post(f"/referrals/{referral}/withdraw", {"reason": "no_longer_needed"}),
        api.as_(STRANGER).get(f"/residents/{resident}"),
        api.as_(SUPERVISOR).get("/overdue"),
        api.as_(AUDITOR).get("/audit"),
        api.client.get(f"{BASE}/residents/{resident}"),
    ]
    for answer in asked:
        assert refusal(answer) == (503, "busy"), answer.text
        assert name not in answer.text
    assert everything(api) == before
    form = {"username": WORKER, "password": "small-world-2026"}
    assert api.client.post(f"{BASE}/auth/token", data=form).status_code == 503
    assert but_for_tries(everything(api)) == but_for_tries(before)


def but_for_tries(stored: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The rows without the sign-in attempts, which are counted before anything is compared."""
    counted = {"tries", "signed_in_from"}
    kept = [n for n, column in enumerate(t.account.columns) if column.name not in counted]
    accounts = [tuple(row[n] for n in kept) for row in stored["account"]]
    return stored | {"account": accounts, "sign_in_source": []}


def test_what_a_far_supervisor_does_stands_in_the_chain_of_the_own_district(api: Api) -> None:
    api.as_(FAR_SUPERVISOR).get("/overdue")
    assert FAR.startswith(OTHER_DISTRICT)
    assert seen(api, actor=FAR_SUPERVISOR)[0]["chain"] == OTHER_DISTRICT

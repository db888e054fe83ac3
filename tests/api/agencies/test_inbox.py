"""An agency's inbox: open items by due date, and figures on its answers."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections import Counter
from datetime import date, timedelta
from random import Random
from statistics import median
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select, text, update

from casework.adapters.persistence import tables as t
from casework.bench.statements import statements
from casework.domain.access.policy import SYSTEM
from casework.domain.casefile.referral_moves import REASONS
from casework.domain.clocks.calendar import day_in_seoul
from casework.workflows.referring import referring
from tests.api.acts import a_referral, a_supported_case, make_room, moved
from tests.api.asking import refusal
from tests.api.conftest import FAR, OTHER_PROVIDER, PROVIDER, WORKER, Api

GAMMA = "provider.gamma"
TODAY = date(2026, 3, 2)


def inbox(api: Api, by: str = PROVIDER, **params: Any) -> list[dict[str, Any]]:
    """Every item, page by page."""
    return api.as_(by).items("/inbox", **params)


def ids(items: list[dict[str, Any]]) -> list[UUID]:
    """The requests of a list."""
    return [UUID(one["id"]) for one in items]


def in_every_state(api: Api) -> dict[str, UUID]:
    """One request of each state that can stand in an inbox, and others that cannot."""
    found = {name: a_referral(api) for name in ("requested", "waitlisted", "accepted", "declined")}
    moved(api, found["waitlisted"], "waitlist", PROVIDER)
    moved(api, found["accepted"], "accept", PROVIDER)
    moved(api, found["declined"], "decline", PROVIDER, reason="at_capacity")
    found["draft"] = a_referral(api, send=False)
    found["cancelled"] = a_referral(api)
    moved(api, found["cancelled"], "cancel", WORKER, reason="no_longer_needed")
    return found


def test_an_agency_finds_what_it_owes_and_nothing_else(api: Api) -> None:
    there = in_every_state(api)
    a_referral(api, provider="beta")
    items = {UUID(one["id"]): one for one in inbox(api)}
    assert set(items) == {there["requested"], there["waitlisted"], there["accepted"]}
    told = {
        name: (items[there[name]]["status"], items[there[name]]["wants"],
               items[there[name]]["deadline"]["kind"])
        for name in ("requested", "waitlisted", "accepted")
    }  # fmt: skip
    assert told == {
        "requested": ("requested", "answer", "response"),
        "waitlisted": ("waitlisted", "place", "waitlist"),
        "accepted": ("accepted", "start", "start"),
    }
    assert len(inbox(api, OTHER_PROVIDER)) == 1


def test_a_running_service_stands_there_while_a_report_is_owed(api: Api) -> None:
    plain = a_referral(api)
    moved(api, plain, "accept", PROVIDER)
    moved(api, plain, "start", PROVIDER, started_on=TODAY)
    assert inbox(api) == []
    standard = {"kind": "progress", "target": {"amount": 1, "unit": "months"},
                "basis": "agreement"}  # fmt: skip
    assert api.as_("admin").post("/standards", standard).status_code == 201
    api.clock.forward(seconds=10)
    owing = a_referral(api)
    moved(api, owing, "accept", PROVIDER)
    moved(api, owing, "start", PROVIDER, started_on=TODAY)
    (item,) = inbox(api)
    assert (item["id"], item["wants"], item["status"]) == (str(owing), "report", "in_progress")
    assert item["allowed_actions"] == ["report", "hold", "complete", "fail", "signal"]
    moved(api, owing, "hold", PROVIDER, reason="hospitalised", until=TODAY + timedelta(days=3))
    (item,) = inbox(api, status="on_hold")
    assert (item["hold_until"], item["deadline"]["status"]) == ("2026-03-05", "paused")


def test_what_is_due_first_stands_first_and_pages_show_each_once(api: Api) -> None:
    rng = Random(5)
    expected: dict[UUID, Any] = {}
    for _ in range(9):
        api.clock.forward(hours=rng.randrange(1, 30))
        priority = rng.choice(["routine", "urgent", "emergency"])
        one = a_referral(api, priority=priority)
        if rng.random() < 0.4:
            moved(api, one, rng.choice(["accept", "waitlist"]), PROVIDER)
        expected[one] = None
    with api.engine.connect() as connection:
        running = connection.execute(
            select(t.deadline.c.subject_id, t.deadline.c.due_at).where(
                t.deadline.c.met_at.is_(None), t.deadline.c.held_by == "provider"
            )
        ).all()
    in_order = [one.subject_id for one in sorted(running, key=lambda one: one.due_at)]
    whole = inbox(api)
    assert set(in_order) == set(expected)
    assert ids(whole) == in_order
    for limit in (1, 2, 4, 200):
        assert inbox(api, limit=limit) == whole
    due = [one["due_at"] for one in whole]
    assert due == sorted(due)
    assert len(set(due)) > 3


def test_a_new_request_between_two_pages_is_not_missed_and_shows_nobody_twice(api: Api) -> None:
    first = [a_referral(api) for _ in range(3)]
    page = api.as_(PROVIDER).get("/inbox", params={"limit": 2}).json()
    api.clock.forward(days=2)
    later = a_referral(api)
    rest = api.as_(PROVIDER).get("/inbox", params={"limit": 9, "cursor": page["next_cursor"]})
    assert ids(page["items"]) + ids(rest.json()["items"]) == [*first, later]
    broken = page["next_cursor"][:-2] + "AA"
    answer = api.as_(PROVIDER).get("/inbox", params={"cursor": broken})
    assert 400 <= answer.status_code < 500
    of_another = api.as_(OTHER_PROVIDER).get("/inbox", params={"cursor": page["next_cursor"]})
    assert 400 <= of_another.status_code < 500
    inside = urlsafe_b64decode(page["next_cursor"] + "==")[16:].decode()
    assert "가상주민" not in inside


def test_each_filter_leaves_what_fits_it(api: Api) -> None:
    there = in_every_state(api)
    assert ids(inbox(api, status="requested")) == [there["requested"]]
    assert ids(inbox(api, status="accepted")) == [there["accepted"]]
    assert inbox(api, status="in_progress") == []
    assert len(inbox(api, service="CARE-MEALS")) == 3
    assert inbox(api, service="MED-VISIT") == []
    assert inbox(api, centre=FAR) == []
    assert inbox(api, priority="urgent") == []
    assert len(inbox(api, priority="routine")) == 3
    due = date.fromisoformat(inbox(api, status="requested")[0]["due_at"][:10])
    # Its last day is not late; the first instant after it is.
    api.clock.set(f"{due}T09:00")
    assert ids(inbox(api, due="today")) == [there["requested"]]
    api.clock.set(f"{due}T23:59:59")
    assert inbox(api, due="overdue") == []
    api.clock.set(f"{due + timedelta(days=1)}T00:00")
    (late,) = inbox(api, due="overdue")
    assert (late["id"], late["overdue"], late["working_days_late"]) == (
        str(there["requested"]), True, 1
    )  # fmt: skip
    assert inbox(api, due="today") == []
    for name, value in (("status", "declined"), ("due", "soon"), ("state", "requested"),
                        ("limit", "0"), ("limit", "201"), ("centre", "a b")):  # fmt: skip
        assert refusal(api.as_(PROVIDER).get("/inbox", params={name: value}))[0] == 422


def test_an_item_says_what_the_request_itself_says_to_this_agency(api: Api) -> None:
    a_referral(api, message="up the hill")
    moved(api, a_referral(api), "accept", PROVIDER, note="ours")
    for item in inbox(api):
        single = api.as_(PROVIDER).get(f"/referrals/{item['id']}").json()
        shared = set(item) & set(single)
        assert {name: item[name] for name in shared} == {name: single[name] for name in shared}
        assert shared >= {"resident", "message", "allowed_actions", "status"}
        assert item["deadline"] in single["deadlines"]
        assert item["resident"]["name"].startswith("가상주민")


def test_with_the_consent_goes_the_request_and_before_that_the_name(api: Api) -> None:
    supported = a_supported_case(api)
    body = {"purpose": "provider_sharing", "given_by": "self", "given_on": "2026-03-02"}
    given = api.as_(WORKER).post(f"/residents/{supported.resident}/consents", body)
    consent = UUID(given.json()["id"])
    one = a_referral(
        api, supported, basis_kind="consent", consent_id=consent, message="by the stairs"
    )
    (item,) = inbox(api)
    assert (item["message"], item["resident"]["id"]) == ("by the stairs", str(supported.resident))
    with api.engine.begin() as connection:  # as between the withdrawal and what follows from it
        gone = update(t.consent).where(t.consent.c.id == consent)
        connection.execute(gone.values(withdrawn_at=api.clock.now))
    (item,) = inbox(api)
    assert (item["id"], item["message"], item["resident"]) == (str(one), None, None)
    with api.engine.begin() as connection:
        connection.execute(gone.values(withdrawn_at=None))
    assert api.as_(WORKER).post(f"/consents/{consent}/withdraw").status_code == 200
    assert inbox(api) == []


@pytest.mark.both_stores
def test_a_page_costs_the_same_statements_however_long_it_is(api: Api) -> None:
    for _ in range(6):
        a_referral(api)
    inbox(api)  # what rarely changes is already cached
    costs = {}
    for limit in (1, 6):
        with statements(api.application.engine) as sent:
            answer = api.as_(PROVIDER).get("/inbox", params={"limit": limit})
        assert len(answer.json()["items"]) == limit
        costs[limit] = len(sent)
    # The actor, who is away, the page, the plans of its requests, the audit entry; on PostgreSQL
    # also whose files these are, on SQLite the seal of the entry.
    expected = {"postgresql": 6, "sqlite": 8}[api.engine.dialect.name]
    assert costs == {1: expected, 6: expected}


@pytest.mark.both_stores
def test_a_page_is_read_along_its_index(api: Api) -> None:
    for _ in range(4):
        a_referral(api)
    engine, sent = api.application.engine, list[tuple[str, Any]]()

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        assert len(inbox(api, limit=50, status="requested")) == 4
    finally:
        event.remove(engine, "before_cursor_execute", note)
    (page,) = [one for one in sent if "clock_due_at" in one[0]]
    plan = plan_of(api, *page)
    along = [line for line in plan if "ix_deadline_inbox" in line]
    assert len(along) == 1
    assert not [line for line in plan if "SCAN deadline" in line or "Scan on deadline" in line]
    if engine.dialect.name == "sqlite":  # at most one page is sorted
        assert "provider_id=?" in along[0]
        assert plan.index(along[0]) < min(n for n, one in enumerate(plan) if "SCAN clocks" in one)


def plan_of(api: Api, statement: str, parameters: Any) -> list[str]:
    """The store's query plan of a statement."""
    with api.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return [str(row[-1]) for row in rows]
        # The planner would scan so few rows: what matters is whether the index fits.
        for way in ("seqscan", "bitmapscan", "sort", "hashjoin"):
            connection.execute(text(f"SET LOCAL enable_{way} = off"))
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return [str(row[0]) for row in rows]


def test_a_look_is_written_down_with_everyone_it_was_about(api: Api) -> None:
    residents = sorted(str(a_supported_case_of(api)) for _ in range(2))
    inbox(api)
    with api.engine.connect() as connection:
        entry = connection.execute(
            select(t.audit_entry).order_by(t.audit_entry.c.id.desc()).limit(1)
        ).one()
    assert (entry.action, entry.actor, entry.subjects) == ("inbox.read", PROVIDER, residents)


def a_supported_case_of(api: Api) -> UUID:
    """A request of a new resident; whose it is."""
    supported = a_supported_case(api)
    a_referral(api, supported)
    return supported.resident


# The agency's own figures


def counted_by_hand(rows: list[dict[str, Any]], api: Api) -> dict[str, Any]:
    """The same figures from the plain rows, request by request, day by day."""
    calendar = api.application.clockwork().calendar_of("26350")

    def working_days(since: date, until: date) -> int:
        days = (since + timedelta(days=n) for n in range(1, (until - since).days + 1))
        return sum(calendar.is_working(day) for day in days)

    answered = [row for row in rows if row["answered_at"]]
    took = [
        working_days(day_in_seoul(row["requested_at"]), day_in_seoul(row["answered_at"]))
        for row in answered
    ]
    on_time = sum(row["answered_at"] <= row["due_at"] for row in answered)
    lapsed = sum(row["status"] == "lapsed" for row in rows)
    judged = len(answered) + lapsed
    declined = Counter(row["reason"] for row in rows if row["status"] == "declined")
    return {
        "received": len(rows),
        "answered": len(answered),
        "accepted": sum(row["accepted_at"] is not None for row in rows),
        "declined_by_reason": dict(declined),
        "lapsed": lapsed,
        "median_working_days": median(took) if took else None,
        "on_time": on_time,
        "late": judged - on_time,
        "on_time_share": round(on_time / judged, 4) if judged else None,
    }


def lived(api: Api, rng: Random, count: int) -> None:
    """Some weeks of requests to two agencies, answered at random."""
    make_room(api)
    waiting: list[tuple[UUID, str]] = []
    for _ in range(count):
        api.clock.forward(hours=rng.randrange(2, 30))
        agency = rng.choice(["alpha", "alpha", "alpha", "beta"])
        waiting.append((a_referral(api, provider=agency), f"provider.{agency}"))
        while waiting and rng.random() < 0.45:
            one, by = waiting.pop(rng.randrange(len(waiting)))
            match rng.choice(["accept", "accept", "decline", "waitlist", "cancel"]):
                case "decline":
                    reason = rng.choice([r for r in REASONS["decline"] if r != "other"])
                    moved(api, one, "decline", by, reason=reason)
                case "cancel":
                    moved(api, one, "cancel", WORKER, reason="no_longer_needed")
                case action:
                    moved(api, one, action, by)
    api.clock.forward(days=30)
    for one, _ in waiting[::2]:
        referring.lapse_or_resume(api.application.context(SYSTEM), one)


def test_own_figures_equal_an_independent_count(api: Api) -> None:
    lived(api, Random(11), 24)
    with api.engine.connect() as connection:
        query = (
            select(*t.referral.c["requested_at", "answered_at", "accepted_at", "status", "reason",
                                 "provider_id", "service_code"], t.deadline.c.due_at)
            .join(t.deadline, t.deadline.c.subject_id == t.referral.c.id)
            .where(t.deadline.c.kind == "response")
        )  # fmt: skip
        rows = [dict(row._mapping) for row in connection.execute(query)]
    periods = (("2026-03-01", "2026-03-31"), ("2026-03-05", "2026-03-09"))
    for username in (PROVIDER, OTHER_PROVIDER):
        agency = api.actor(username).provider_id
        for since, until in periods:
            own = [
                row for row in rows
                if row["provider_id"] == agency
                and since <= str(day_in_seoul(row["requested_at"])) <= until
            ]  # fmt: skip
            answer = api.as_(username).get("/inbox/figures", params={"from": since, "to": until})
            told = answer.json()
            expected = counted_by_hand(own, api)
            assert {name: told[name] for name in expected} == expected, (username, since)
            parts = ("accepted", "declined", "waitlisted", "unanswered", "lapsed", "called_off")
            assert sum(told[name] for name in parts) == told["received"]
            assert told["declined"] == sum(told["declined_by_reason"].values())
            for part in told["by_service"]:
                assert {n: part[n] for n in expected} == expected  # there is one service
    whole = api.as_(PROVIDER).get("/inbox/figures", params={"month": "2026-03"}).json()
    assert whole["received"] > 8
    assert whole["late"] > 0


def test_figures_are_of_the_own_agency_and_of_no_other(api: Api) -> None:
    a_referral(api)
    day = {"from": "2026-03-02", "to": "2026-03-02"}
    for username, received in ((PROVIDER, 1), (OTHER_PROVIDER, 0), (GAMMA, 0)):
        told = api.as_(username).get("/inbox/figures", params=day).json()
        assert (told["received"], len(told["by_service"])) == (received, received)
    (part,) = api.as_(PROVIDER).get("/inbox/figures", params=day).json()["by_service"]
    assert part["service_code"] == "CARE-MEALS"
    assert part["on_time_share"] is None


def test_a_period_holds_its_first_and_its_last_day(api: Api) -> None:
    api.clock.set("2026-03-02T23:59:59")
    a_referral(api)
    for since, until, count in (
        ("2026-03-01", "2026-03-01", 0), ("2026-03-01", "2026-03-02", 1),
        ("2026-03-02", "2026-03-02", 1), ("2026-03-03", "2026-03-04", 0),
    ):  # fmt: skip
        told = api.as_(PROVIDER).get("/inbox/figures", params={"from": since, "to": until})
        assert told.json()["received"] == count, (since, until)

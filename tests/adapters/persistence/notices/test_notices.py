"""Notices: recipients, content, time and channel, sent once; and failed deliveries."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, insert, select, update

from casework.adapters.persistence import tables as t
from casework.domain.cases.absences import Absence
from casework.domain.notices.outbox import MAX_TRIES, Letter
from casework.workflows.cases import running
from casework.workflows.notices import relay as notice_relay
from casework.workflows.notices.relay import Relayed, relay
from casework.workflows.ports.notices import Delivery
from tests.adapters.persistence.supervision.test_sweep import sweep
from tests.api.acts import a_case, a_referral, a_supported_case, clock, moved, surveyed
from tests.api.asking import refusal
from tests.api.conftest import (
    FAR,
    FAR_SUPERVISOR,
    PASSWORD,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
    seoul,
)

HEAD = SUPERVISOR.replace("supervisor.", "head.")
MORNING = "2026-03-10T09:00"  # of the working day after a survey of 2 March was due
PERSONAL = ("name", "birth_date", "phone", "address", "sex", "note", "content", "service_code")


@dataclass
class Box:
    """Records what is sent; fails for endpoints whose address says so."""

    letters: list[Letter] = field(default_factory=list)
    down: bool = False

    settled: list[Delivery] = field(default_factory=list)
    busy: frozenset[UUID] = frozenset()

    @contextmanager
    def sending(self) -> Iterator[Box]:
        """Everything is settled as soon as it is started."""
        yield self

    def free(self, *, endpoints: bool) -> int:
        """There is room for as many."""
        return 40

    def start(self, letters: Sequence[Letter], now: datetime) -> None:
        """Deliver them, one after the other."""
        results = self.deliver(letters, now)
        self.settled += [Delivery(*one) for one in zip(letters, results, strict=True)]

    def finished(self) -> list[Delivery]:
        """What was started since the last time."""
        found, self.settled = self.settled, []
        return found

    def deliver(self, letters: Sequence[Letter], now: datetime) -> list[str | None]:
        """Deliver each message, or return an error code while this channel is down."""
        results: list[str | None] = []
        for letter in letters:
            endpoint = letter.subscription
            fails = self.down or (endpoint is not None and "dead" in endpoint.url)
            results.append("unreachable" if fails else None)
            if not fails:
                self.letters.append(letter)
        return results


def round_of(api: Api, at: str | datetime | None = None, box: Box | None = None) -> Box:
    """Run the relay once at a moment; returns what it sent."""
    if at is not None:
        api.clock.now = seoul(at) if isinstance(at, str) else at
    box = box or Box()
    relayed(api, box)
    return box


def relayed(api: Api, box: Box) -> Relayed:
    ctx = api.application.context()
    return relay(ctx, api.application.notices, box, clock=api.clock, jitter=lambda: 0.0)


def swept(api: Api, at: str) -> Box:
    """Run a sweep and the relay at a moment; returns what was sent."""
    sweep(api, at)
    return round_of(api)


def told(api: Api, box: Box) -> dict[str, list[str]]:
    """The kinds of notice each user received, by user name."""
    with api.engine.connect() as connection:
        names = dict(connection.execute(select(t.account.c.id, t.account.c.username)).all())
    found: dict[str, list[str]] = {}
    for letter in box.letters:
        if letter.message.account_id is not None:
            payload = letter.message.payload
            items = payload["items"] if letter.message.kind == "digest" else [payload]
            name = names[letter.message.account_id]
            found.setdefault(name, []).extend(item["kind"] for item in items)
    return found


def kinds(api: Api, box: Box) -> set[str]:
    return {kind for found in told(api, box).values() for kind in found}


def messages(api: Api, **which: Any) -> list[Any]:
    with api.engine.connect() as connection:
        return list(connection.execute(select(t.message).filter_by(**which)).all())


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


# Digests


def test_a_worker_gets_one_digest_a_working_day_at_nine(api: Api) -> None:
    a_case(api), a_case(api)
    sweep(api, "2026-03-10T08:59")
    assert round_of(api).letters == [], "the steps of this morning are not due yet"
    box = swept(api, MORNING)
    assert told(api, box) == {WORKER: ["escalation", "escalation"]}
    (letter,) = box.letters
    assert (letter.message.kind, letter.message.digest_on) == ("digest", date(2026, 3, 10))
    assert swept(api, "2026-03-10T15:00").letters == []
    assert swept(api, "2026-03-11T09:00").letters == [], "nothing new, nothing said"


def test_what_comes_after_the_digest_waits_for_the_next_working_day(api: Api) -> None:
    a_case(api)
    swept(api, MORNING)
    api.clock.forward(minutes=1)
    moved(api, a_referral(api), "accept", PROVIDER)
    assert round_of(api, "2026-03-10T16:00").letters == []
    box = swept(api, "2026-03-11T09:00")
    assert told(api, box)[WORKER] == ["referral_answered"]


def test_no_digest_leaves_on_a_day_off(api: Api) -> None:
    api.clock.set("2026-03-06T10:00")  # a Friday
    moved(api, a_referral(api), "accept", PROVIDER)
    for at in ("2026-03-06T10:30", "2026-03-07T09:00", "2026-03-08T12:00", "2026-03-09T08:59"):
        assert swept(api, at).letters == []
    assert told(api, swept(api, "2026-03-09T09:00"))[WORKER] == ["referral_answered"]


def test_a_digest_waits_for_the_sweep_of_its_morning_but_not_for_ever(api: Api) -> None:
    moved(api, a_referral(api), "accept", PROVIDER)
    sweep(api, "2026-03-03T08:55")
    assert round_of(api, "2026-03-03T09:01").letters == []
    assert round_of(api, "2026-03-03T09:29").letters == []
    assert told(api, round_of(api, "2026-03-03T09:30"))[WORKER] == ["referral_answered"]


def test_two_relays_at_once_send_one_digest(api: Api) -> None:
    for _ in range(3):
        a_case(api)
    sweep(api, MORNING)
    boxes = [Box() for _ in range(3)]
    threads = [threading.Thread(target=relayed, args=(api, box)) for box in boxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(box.letters) for box in boxes) == 1
    assert len(messages(api, kind="digest")) == 1


def test_after_three_days_down_everything_is_said_once_and_a_clock_set_back_says_nothing_again(
    api: Api,
) -> None:
    for _ in range(2):
        a_case(api)
    box = swept(api, "2026-03-13T11:00")  # nothing ran since the 2nd
    assert told(api, box)[SUPERVISOR] == ["escalation"] * 2
    for at in ("2026-03-12T09:00", "2026-03-10T09:00", "2026-03-13T12:00"):
        assert swept(api, at).letters == []
    assert len(messages(api, kind="digest")) == len(box.letters)


# Recipients, and urgent notices


def test_an_emergency_is_told_at_once_whatever_the_hour(api: Api) -> None:
    api.clock.set("2026-03-07T22:00")  # a Saturday night
    a_referral(api, priority="emergency")
    assert told(api, round_of(api)) == {PROVIDER: ["referral_requested"]}
    box = swept(api, "2026-03-08T02:00:01")  # four hours later: the breach
    assert told(api, box) == {WORKER: ["escalation"], PROVIDER: ["escalation"]}
    box = swept(api, "2026-03-08T06:00:01")
    assert told(api, box) == {SUPERVISOR: ["escalation"], HEAD: ["escalation"]}


def test_a_death_on_a_saturday_tells_every_active_agency_within_the_minute(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    moved(api, referral, "accept", PROVIDER)
    moved(api, referral, "start", PROVIDER, started_on=date(2026, 3, 2))
    round_of(api, "2026-03-03T09:30")
    api.clock.set("2026-03-07T17:00")
    closing = {"reason": "death", "effective_on": date(2026, 3, 7), "end_open": True}
    running.close_case(api.context(WORKER), supported.case, closing)
    box = round_of(api, "2026-03-07T17:01")
    assert told(api, box) == {PROVIDER: ["referral_stopped"]}
    (letter,) = box.letters
    assert letter.message.payload["subject"] == {"type": "referral", "id": str(referral)}
    assert letter.message.payload["about"] == "completed"
    shown = api.as_(WORKER).get(f"/referrals/{referral}").json()
    assert (shown["status"], shown["outcome"], shown["ended_on"]) == (
        "completed", "ended_early", "2026-03-07",
    )  # fmt: skip
    assert not any(one["status"] == "running" for one in shown["deadlines"])


def test_an_agency_that_was_never_asked_is_not_told_that_it_is_over(api: Api) -> None:
    referral = a_referral(api, send=False)
    moved(api, referral, "cancel", WORKER, reason="no_longer_needed")
    assert round_of(api).letters == []
    assert count(api.engine, t.notice) == 0


@pytest.mark.parametrize(
    ("action", "by", "details"),
    [
        ("cancel", WORKER, {"reason": "no_longer_needed"}),
        ("withdraw", WORKER, {"reason": "resident_asked"}),
        ("enter-in-error", SUPERVISOR, {"reason": "wrong person"}),
    ],
)
def test_an_agency_is_told_at_once_that_a_request_is_over(
    api: Api, action: str, by: str, details: dict[str, Any]
) -> None:
    moved(api, a_referral(api), action, by, **details)
    assert told(api, round_of(api)) == {PROVIDER: ["referral_stopped"]}


def test_what_an_absent_worker_would_get_goes_to_the_deputy(api: Api) -> None:
    a_case(api)
    deputy = WORKER.replace("worker.", "worker2.")
    absence = Absence(
        id=api.application.context().new_id(),
        worker_id=api.id_of(WORKER), deputy_id=api.id_of(deputy),
        from_on=date(2026, 3, 9), to_on=date(2026, 3, 10),
        centre_code=api.actor(WORKER).centre_code or "", district_code="26350",
        recorded_at=api.clock.now, recorded_by=None,
    )  # fmt: skip
    with api.engine.begin() as connection:
        values = {c.name: getattr(absence, c.name) for c in t.absence.c}
        connection.execute(insert(t.absence), [values])
    assert told(api, swept(api, MORNING)) == {deputy: ["escalation"]}


@pytest.mark.both_stores
def test_who_gets_a_case_and_who_has_to_place_one_is_told_in_the_next_digest(api: Api) -> None:
    first, second = a_case(api), a_case(api)
    here, there = api.as_(SUPERVISOR), api.as_(FAR_SUPERVISOR)
    colleague = WORKER.replace("worker.", "worker2.")
    body = {"worker_id": str(api.id_of(colleague))}
    assert here.post(f"/cases/{first}/assign", body).status_code == 200
    handover = {"from_worker_id": str(api.id_of(WORKER)), "reason": "leaves",
                "to_worker_id": str(api.id_of(colleague))}  # fmt: skip
    assert here.post("/caseloads/handover", handover).status_code == 200
    assert told(api, swept(api, "2026-03-03T09:00")) == {colleague: ["case_assigned"] * 2}
    moved_to = {"centre_code": FAR, "reason": "lives with her son"}
    assert here.post(f"/cases/{second}/transfer", moved_to).status_code == 200
    far = {one: ["case_arrived"] for one in (FAR_SUPERVISOR, FAR_SUPERVISOR.replace(
        "supervisor.", "head."))}  # fmt: skip
    assert told(api, swept(api, "2026-03-04T09:00")) == far
    api.clock.forward(hours=1)
    body = {"worker_id": str(api.id_of(STRANGER))}
    assert there.post(f"/cases/{second}/assign", body).status_code == 200
    assert told(api, swept(api, "2026-03-05T09:00")) == {STRANGER: ["case_assigned"]}


def told_supervisors(api: Api, day: str) -> list[str]:
    found = told(api, swept(api, f"{day}T09:00"))
    assert found.get(SUPERVISOR, []) == found.get(HEAD, [])
    return found.get(SUPERVISOR, [])


def review(api: Api, survey: UUID, **verdict: Any) -> None:
    body = {"cause": "staff_absent"} | verdict
    assert api.as_(SUPERVISOR).post(f"/overdue/{survey}/review", body).status_code == 200


@pytest.mark.both_stores
def test_what_stays_overdue_is_told_again_every_five_working_days(api: Api) -> None:
    survey = clock(api, "survey", a_case(api))
    assert told_supervisors(api, "2026-03-11") == []
    assert told_supervisors(api, "2026-03-12") == ["escalation"]
    for day in range(13, 28):
        again = told_supervisors(api, f"2026-03-{day}")
        assert again == (["still_overdue"] if day in (19, 26) else []), day
        assert swept(api, f"2026-03-{day}T15:00").letters == []
    with api.engine.connect() as connection:
        kinds = select(t.notice.c.kind).where(t.notice.c.subject_id == survey)
        assert Counter(connection.scalars(kinds)) == {"escalation": 2, "still_overdue": 2}


@pytest.mark.both_stores
@pytest.mark.parametrize(
    ("verdict", "days"),
    [
        ({"action": "chase", "until": "2026-03-24"}, ["03-26", "04-02"]),
        ({"action": "chase", "until": "2026-03-30"}, ["03-30", "04-06"]),
        ({"action": "excuse"}, []),
        ({"action": "reassign"}, ["03-27", "04-03"]),
    ],
)
def test_a_review_answers_it_and_a_chase_up_to_its_day(
    api: Api, verdict: dict[str, Any], days: list[str]
) -> None:
    survey = clock(api, "survey", a_case(api))
    for day in ("12", "19"):
        told_supervisors(api, f"2026-03-{day}")
    api.clock.set("2026-03-20T10:00")
    if verdict["action"] == "reassign":
        verdict = verdict | {"worker_id": str(api.id_of(WORKER.replace("worker.", "worker2.")))}
    review(api, survey, **verdict)
    on, found = date(2026, 3, 21), []
    while on <= date(2026, 4, 6):
        if "still_overdue" in told_supervisors(api, on.isoformat()):
            found.append(f"{on:%m-%d}")
        on += timedelta(days=1)
    assert found == days
    if verdict["action"] == "reassign":  # it goes on for the one who has it now
        with api.engine.connect() as connection:
            newest = select(t.notice.c.worker_id).where(t.notice.c.subject_id == survey)
            again = newest.order_by(t.notice.c.since.desc()).limit(1)
            assert str(connection.scalar(again)) == verdict["worker_id"]


@pytest.mark.both_stores
def test_the_ledger_says_when_it_was_told_again(api: Api) -> None:
    survey = clock(api, "survey", a_case(api))
    for day in ("12", "19", "26"):
        told_supervisors(api, f"2026-03-{day}")
    path = f"/deadlines/{survey}/escalations"
    ledger = api.as_(SUPERVISOR).items(path, limit=1)
    assert [(one["tier"], one["is_repeated"]) for one in ledger][-3:] == [
        (2, False), (None, True), (None, True),
    ]  # fmt: skip
    again = ledger[-1]
    assert (again["to"], again["raised_at"]) == (["supervisor"], "2026-03-26T09:00:00+09:00")
    assert (again["due_at"], again["review"]) == (ledger[0]["due_at"], None)
    assert (again["passed_over"], again["quiet"]) == (False, False)
    api.clock.set("2026-03-27T10:00")
    review(api, survey, action="excuse")
    ledger = api.as_(SUPERVISOR).items(path)
    assert [one["review"] and one["review"]["action"] for one in ledger][-3:] == [
        "excuse", None, None,
    ]  # fmt: skip


def test_what_was_done_meanwhile_is_not_told_again(api: Api) -> None:
    case = a_case(api)
    told_supervisors(api, "2026-03-12")
    api.clock.forward(hours=1)
    surveyed(api, case)
    assert "still_overdue" not in told_supervisors(api, "2026-03-19")


def test_after_three_weeks_without_a_relay_it_is_told_once(api: Api) -> None:
    a_case(api)
    told_supervisors(api, "2026-03-12")
    assert told_supervisors(api, "2026-04-06") == ["still_overdue"]
    assert told_supervisors(api, "2026-04-10") == []
    assert told_supervisors(api, "2026-04-13") == ["still_overdue"]


def test_where_nobody_carries_the_case_the_supervisors_are_told(api: Api) -> None:
    a_case(api)
    with api.engine.begin() as connection:
        connection.execute(
            update(t.account).where(t.account.c.username == WORKER).values(is_active=False)
        )
    assert told(api, swept(api, MORNING)) == {SUPERVISOR: ["escalation"], HEAD: ["escalation"]}


def test_a_message_says_nothing_personal(api: Api) -> None:
    referral = a_referral(api, priority="emergency")
    api.as_(PROVIDER).post(f"/referrals/{referral}/signal", {"kind": "hospitalised", "note": "?"})
    box = swept(api, "2026-03-10T09:00")
    assert {"signal", "escalation", "referral_requested"} <= kinds(api, box)
    said = json.dumps([letter.message.payload for letter in box.letters], default=str)
    with api.engine.connect() as connection:
        person = connection.execute(select(t.resident)).mappings().one()
    for name in ("name", "birth_date", "phone"):
        assert person[name] is None or str(person[name]) not in said
    assert "hospitalised" not in said
    assert not any(f'"{word}"' in said for word in PERSONAL)


# The flood limit


def flood(api: Api, monkeypatch: pytest.MonkeyPatch, allowed: int) -> None:
    monkeypatch.setattr("casework.domain.notices.notices.ALWAYS_ALLOWED", allowed)


def test_a_flood_is_held_until_a_supervisor_lets_it_go(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood(api, monkeypatch, 2)
    for _ in range(3):
        a_case(api)
    result = sweep(api, MORNING)
    assert (result.changed, result.held) == (3, 3), "the escalations are written all the same"
    assert round_of(api).letters == []
    held = api.as_(SUPERVISOR).get("/notices/held").json()["items"]
    assert [(one["district_code"], one["notices"]) for one in held] == [("26350", 3)]
    assert api.as_(FAR_SUPERVISOR).get("/notices/held").json()["items"] == []
    answer = api.as_(FAR_SUPERVISOR).post("/notices/release", {"district_code": "26350"})
    assert refusal(answer) == (404, "not_found")
    answer = api.as_(SUPERVISOR).post("/notices/release", {"district_code": "26350"})
    assert answer.json() == {"district_code": "26350", "released": 3}
    assert told(api, round_of(api, "2026-03-10T10:00")) == {WORKER: ["escalation"] * 3}
    answer = api.as_("admin").post("/notices/release", {"district_code": "26350"})
    assert answer.json()["released"] == 0
    answer = api.as_("admin").post("/notices/release", {"district_code": "99999"})
    assert refusal(answer) == (404, "not_found")


@pytest.mark.parametrize(("cases", "held"), [(2, 0), (3, 3)])
def test_what_is_usual_is_not_held(
    api: Api, monkeypatch: pytest.MonkeyPatch, cases: int, held: int
) -> None:
    flood(api, monkeypatch, 2)
    for _ in range(cases):
        a_case(api)
    assert sweep(api, MORNING).held == held


def test_an_emergency_always_leaves(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    flood(api, monkeypatch, 0)
    a_case(api)
    a_referral(api, priority="emergency")
    result = sweep(api, "2026-03-12T09:00")
    assert result.held == result.changed - 1 > 0
    assert "escalation" in kinds(api, round_of(api))


def test_what_a_run_left_unjudged_when_it_broke_off_is_judged_by_the_relay(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_case(api)

    def breaks(*_args: Any) -> int:
        raise RuntimeError("gone")

    with monkeypatch.context() as patch:
        patch.setattr("casework.bootstrap.apply_flood_limit", breaks)
        with pytest.raises(RuntimeError):
            sweep(api, MORNING)
    sweep(api)
    assert told(api, round_of(api)) == {WORKER: ["escalation"]}


# Webhooks


def listen(api: Api, by: str, url: str, **body: Any) -> dict[str, Any]:
    answer = api.as_(by).post("/webhooks", {"url": url, "password": PASSWORD, **body})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def heard(box: Box) -> Counter[tuple[str, str]]:
    return Counter(
        (letter.subscription.url, letter.message.kind)
        for letter in box.letters
        if letter.subscription is not None
    )


def test_an_agency_hears_of_its_own_referrals_and_an_admin_of_what_it_chose(api: Api) -> None:
    listen(api, PROVIDER, "https://alpha.example/")
    listen(api, "provider.beta", "https://beta.example/")
    listen(api, "admin", "https://city.example/", kinds=["referral_answered"])
    referral = a_referral(api)
    moved(api, referral, "accept", PROVIDER)
    assert heard(round_of(api)) == {
        ("https://alpha.example/", "referral_requested"): 1,
        ("https://alpha.example/", "referral_answered"): 1,
        ("https://city.example/", "referral_answered"): 1,
    }
    assert heard(round_of(api)) == {}


def test_a_dead_endpoint_is_tried_with_growing_patience_and_keeps_nobody_else_waiting(
    api: Api,
) -> None:
    listen(api, PROVIDER, "https://dead.example/")
    listen(api, "admin", "https://alive.example/")
    referral = a_referral(api)
    box = Box()
    done = relayed(api, box)
    assert (done.sent, done.failed, done.errors) == (1, 1, {"unreachable": 1})
    for seconds, failed in ((29, 0), (1, 1), (59, 0), (1, 1), (119, 0), (1, 1)):
        api.clock.forward(seconds=seconds)
        assert relayed(api, box).failed == failed
    moved(api, referral, "accept", PROVIDER)
    done = relayed(api, box)
    assert (done.sent, done.failed) == (1, 0), "the one that fails is left in peace"
    assert heard(box)[("https://alive.example/", "referral_answered")] == 1


def test_a_message_that_nobody_takes_is_a_dead_letter_and_can_be_replayed(api: Api) -> None:
    endpoint = listen(api, PROVIDER, "https://dead.example/")
    a_referral(api)
    tries = 0
    while not messages(api, state="dead"):
        tries += relayed(api, Box()).failed
        api.clock.forward(hours=6)
        assert tries <= MAX_TRIES
    (dead,) = api.as_("admin").items("/outbox", state="dead")
    assert (dead["error"], dead["subscription_id"]) == ("unreachable", endpoint["id"])
    assert "payload" not in dead
    with api.engine.begin() as connection:
        connection.execute(update(t.subscription).values(url="https://alive.example/"))
    again = api.as_("admin").post(f"/outbox/{dead['id']}/replay")
    assert (again.status_code, again.json()["state"]) == (200, "waiting")
    api.clock.forward(hours=7)
    (letter,) = round_of(api).letters
    assert letter.message.id == UUID(dead["id"]), "the same id, so that a receiver knows it"
    answer = api.as_("admin").post(f"/outbox/{dead['id']}/replay")
    assert refusal(answer) == (409, "not_dead")


def test_what_waits_a_day_at_a_dead_endpoint_is_given_up_with_it(api: Api) -> None:
    listen(api, PROVIDER, "https://dead.example/")
    for _ in range(3):
        a_referral(api)
    relayed(api, Box())
    assert len(messages(api, state="waiting")) == 3
    api.clock.forward(hours=25)
    assert relayed(api, Box()).dead == 3
    assert {row.error for row in messages(api, state="dead")} == {"unreachable"}


def test_a_crash_after_sending_sends_again_under_the_same_id(api: Api) -> None:
    listen(api, PROVIDER, "https://alpha.example/")
    a_referral(api)

    class Crashing(Box):
        def deliver(self, letters: Sequence[Letter], now: datetime) -> list[str | None]:
            super().deliver(letters, now)
            raise RuntimeError("killed")

    first = Crashing()
    with pytest.raises(RuntimeError):
        relayed(api, first)
    assert round_of(api).letters == [], "leased"
    api.clock.forward(seconds=61)
    again = round_of(api)
    assert [one.message.id for one in again.letters] == [one.message.id for one in first.letters]


def test_the_secret_of_a_webhook_is_shown_once_and_others_do_not_see_it_at_all(api: Api) -> None:
    made = listen(api, PROVIDER, "https://alpha.example/")
    assert made["secret"].startswith("whsec_")
    assert made["provider_id"] == str(api.providers["alpha"].id)
    shown = api.as_(PROVIDER).get(f"/webhooks/{made['id']}").json()
    assert "secret" not in shown
    assert shown["url"] == "https://alpha.example/"
    for path in (f"/webhooks/{made['id']}",):
        assert refusal(api.as_("provider.beta").get(path)) == (404, "not_found")
        assert refusal(api.as_("provider.beta").request("DELETE", path)) == (404, "not_found")
    assert api.as_("provider.beta").items("/webhooks") == []
    assert len(api.as_("admin").items("/webhooks")) == 1
    assert api.as_(PROVIDER).request("DELETE", f"/webhooks/{made['id']}").status_code == 200
    assert api.as_(PROVIDER).items("/webhooks") == []
    a_referral(api)
    assert heard(round_of(api)) == {}


def test_a_repeated_subscription_makes_one_and_shows_its_secret_no_second_time(api: Api) -> None:
    key = {"Idempotency-Key": "once"}
    body = {"url": "https://alpha.example/", "password": PASSWORD}
    first = api.as_(PROVIDER).post("/webhooks", body, headers=key).json()
    second = api.as_(PROVIDER).post("/webhooks", body, headers=key).json()
    assert first["id"] == second["id"]
    assert "secret" in first
    assert "secret" not in second
    assert count(api.engine, t.subscription) == 1


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"url": "ftp://alpha.example/"}, "url", "url_unusable"),
        ({"url": "https://user@alpha.example/"}, "url", "url_unusable"),
        ({"url": "nonsense-without-scheme"}, "url", "url_unusable"),
        ({"url": "https://a.example/", "kinds": ["everything"]}, "kinds.0", "invalid"),
        ({"url": "https://a.example/", "kinds": []}, "kinds", "invalid"),
        ({"url": "https://a.example/", "district_code": "99999"}, "district_code", "invalid"),
        (
            {"url": "https://a.example/", "provider_id": "01900000-0000-7000-8000-000000000000"},
            "provider_id", "invalid",
        ),
    ],
)  # fmt: skip
def test_an_endpoint_that_cannot_be_called_is_refused(
    api: Api, body: dict[str, Any], field: str, code: str
) -> None:
    answer = api.as_("admin").post("/webhooks", {"password": PASSWORD} | body)
    assert refusal(answer) == (422, code)
    assert answer.json()["errors"][0]["field"] == field
    assert count(api.engine, t.subscription) == 0


# End to end


def test_nothing_is_lost_while_the_post_is_down(api: Api) -> None:
    for _ in range(4):
        a_case(api)
    a_referral(api, priority="emergency")
    down = Box(down=True)
    sweep(api, MORNING)
    relayed(api, down)
    waiting = len(messages(api, state="waiting"))
    assert waiting == len(messages(api)) > 1
    api.clock.forward(minutes=1)
    box = round_of(api)
    assert len(box.letters) == waiting
    assert (
        notice_relay.relay(
            api.application.context(),
            api.application.notices,
            box,
            clock=api.clock,
            jitter=lambda: 0.0,
        ).did_something
        is False
    )


def test_what_waits_is_sent_in_bounded_batches_and_all_of_it(api: Api) -> None:
    listen(api, "admin", "https://alive.example/", kinds=["referral_requested"])
    for _ in range(3):
        a_referral(api)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Box, "free", lambda _box, *, endpoints: 1)
        patch.setattr(notice_relay, "BATCH", 1)
        assert sum(heard(round_of(api)).values()) == 3

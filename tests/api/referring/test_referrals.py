"""Referrals over HTTP: their lifecycle with its clocks, permissions, scope, and races."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import permutations
from threading import Barrier
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.unit_of_work.store import SqlWork
from casework.domain.casefile.referral_moves import MOVES
from casework.domain.errors import Invalid
from casework.domain.referring import referring as rules
from casework.workflows.planning import planning
from casework.workflows.referring import referring
from casework.workflows.residents import residents
from tests.api.acts import (
    Supported,
    a_case,
    a_referral,
    a_resident,
    a_supported_case,
    assessed,
    clock,
    make_room,
    moved,
    surveyed,
)
from tests.api.asking import ABSENT, everything, fields_of, refusal
from tests.api.conftest import (
    ASSESSOR,
    COLLEAGUE,
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
)
from tests.api.racing import ON_POSTGRES, locked, wait_for_locks

TODAY = "2026-03-02"
ON_BEHALF = {"channel": "phone", "person": "the coordinator"}
# A valid request body for every move, as the provider or the sender makes it.
BODIES: Final[dict[str, dict[str, Any]]] = {
    "send": {},
    "accept": {},
    "waitlist": {},
    "decline": {"reason": "at_capacity"},
    "start": {"started_on": TODAY},
    "report": {"reported_on": TODAY, "note": "well"},
    "signal": {"kind": "worse"},
    "hold": {"reason": "away", "until": TODAY},
    "resume": {},
    "complete": {"outcome": "ended_as_planned", "ended_on": TODAY},
    "fail": {"reason": "provider_unable"},
    "cancel": {"reason": "entered_twice"},
    "withdraw": {"reason": "resident_asked"},
    "dispose": {"disposition": "alternative"},
    "enter-in-error": {"reason": "the wrong resident"},
}
ANSWERS: Final = (
    "accept", "waitlist", "decline", "start", "report", "hold", "resume", "complete", "fail",
)  # fmt: skip
FACTS: Final = {
    "id", "status", "priority", "resident_id", "case_id", "planned_service_id", "service_code",
    "field", "offering_id", "provider", "requested_at", "replaces", "replaced_by", "deadlines",
    "history", "allowed_actions", "basis", "disclosed", "message",
}  # fmt: skip


def offering(api: Api, provider: str = "alpha", code: str = "CARE-MEALS") -> str:
    """The id of what an agency offers."""
    return str(api.offerings[provider, code].id)


def asked(
    api: Api, supported: Supported, provider: str = "alpha", by: str = WORKER, **facts: Any
) -> Any:
    """Ask an agency for the one planned service."""
    body = {
        "planned_service_id": str(supported.service), "offering_id": offering(api, provider),
        "priority": "routine", "basis": {"kind": "article_14_2"},
    } | facts  # fmt: skip
    return api.as_(by).post("/referrals", body)


def act(api: Api, by: str, referral: object, action: str, **body: Any) -> Any:
    """Make a move, with a valid request body where none is given."""
    return api.as_(by).post(f"/referrals/{referral}/{action}", body or BODIES[action])


def done(answer: Any, status: int = 200) -> dict[str, Any]:
    """The referral in a successful response."""
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def seen(api: Api, referral: object, by: str = WORKER) -> dict[str, Any]:
    """A referral as someone sees it."""
    return done(api.as_(by).get(f"/referrals/{referral}"))


def clocks(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """State and due date of each kind of clock, as they are read back."""
    return {one["kind"]: (one["status"], one["due_at"][:16]) for one in found["deadlines"]}


def case_clocks(api: Api, supported: Supported) -> list[tuple[str, str]]:
    """Kind and state of the clocks of the planned service."""
    found = api.as_(WORKER).get(f"/cases/{supported.case}").json()
    return sorted(
        (one["kind"], one["status"])
        for one in found["deadlines"]
        if one["subject"]["type"] == "planned_service"
    )


def settled(api: Api, supported: Supported) -> bool:
    """Whether the planned service is settled, as the plan says."""
    plan = api.as_(WORKER).get(f"/cases/{supported.case}/plan").json()
    return bool(plan["in_force"]["services"][0]["settled"])


# The lifecycle


def test_a_referral_lives_from_request_to_completion_with_its_clocks(api: Api) -> None:
    supported = a_supported_case(api)
    made = done(asked(api, supported, message="before noon"), 201)
    assert set(made) >= FACTS
    assert (made["status"], made["requested_at"]) == ("requested", "2026-03-02T10:00:00+09:00")
    assert made["provider"]["name"] == "alpha 돌봄"
    assert made["provider"]["phone"] == "051-000-0000"
    assert made["deadlines"][0]["held_by"] == "provider"
    assert clocks(made) == {"response": ("running", "2026-03-05T23:59")}
    assert case_clocks(api, supported) == [("link", "met")]
    referral = made["id"]

    api.clock.set("2026-03-04T09:00")
    found = done(act(api, PROVIDER, referral, "accept", expected_start_on="2026-03-09", note="ok"))
    assert (found["status"], found["accepted_at"]) == ("accepted", "2026-03-04T09:00:00+09:00")
    assert (found["expected_start_on"], found["note"]) == ("2026-03-09", "ok")
    assert clocks(found) == {
        "response": ("met", "2026-03-05T23:59"), "start": ("running", "2026-03-18T23:59"),
    }  # fmt: skip

    api.clock.set("2026-03-06T09:00")
    held = done(act(api, PROVIDER, referral, "hold", reason="hospitalised", until="2026-03-12"))
    assert (held["status"], held["hold_until"]) == ("on_hold", "2026-03-12")
    assert clocks(held)["start"] == ("paused", "2026-03-25T23:59")  # five working days left out

    api.clock.set("2026-03-10T09:00")
    found = done(act(api, PROVIDER, referral, "resume"))
    assert (found["status"], found["hold_until"]) == ("accepted", None)
    assert clocks(found)["start"] == ("running", "2026-03-20T23:59")  # two, as it turned out

    api.clock.set("2026-03-11T09:00")
    found = done(act(api, PROVIDER, referral, "start", started_on="2026-03-10"))
    assert (found["status"], found["started_on"]) == ("in_progress", "2026-03-10")
    assert clocks(found)["start"] == ("met", "2026-03-20T23:59")

    api.clock.set("2026-03-20T09:00")
    given = {"quantity": 3, "unit": "meal"}
    done(
        act(api, PROVIDER, referral, "report", reported_on="2026-03-19", note="x", delivered=given)
    )
    assert not settled(api, supported)

    api.clock.set("2026-04-30T09:00")
    ended = {"outcome": "ended_as_planned", "ended_on": "2026-04-29"}
    found = done(act(api, PROVIDER, referral, "complete", **ended))
    assert (found["status"], found["outcome"], found["ended_on"]) == ("completed", *ended.values())
    assert not [one for one in found["deadlines"] if one["status"] in ("running", "paused")]
    assert found["allowed_actions"] == []
    assert settled(api, supported)
    kept = seen(api, referral)
    assert kept["allowed_actions"] == []
    assert [one["event"] for one in kept["history"]] == [
        "ReferralDrafted", "ReferralRequested", "ReferralAccepted", "ReferralHeld",
        "ReferralResumed", "ReferralStarted", "ReferralReported", "ReferralCompleted",
    ]  # fmt: skip


def test_a_draft_is_sent_later_and_answered_from_then_on(api: Api) -> None:
    supported = a_supported_case(api)
    draft = done(asked(api, supported, send=False), 201)
    assert (draft["status"], draft["requested_at"], draft["disclosed"]) == ("draft", None, None)
    assert draft["deadlines"] == []
    assert case_clocks(api, supported) == [("link", "running")]  # no agency was asked
    api.clock.set("2026-03-05T10:00")
    sent = done(act(api, WORKER, draft["id"], "send"))
    assert (sent["status"], sent["requested_at"]) == ("requested", "2026-03-05T10:00:00+09:00")
    assert "name" in sent["disclosed"]
    assert clocks(sent) == {"response": ("running", "2026-03-10T23:59")}
    assert case_clocks(api, supported) == [("link", "met")]
    assert refusal(act(api, WORKER, draft["id"], "send")) == (409, "not_allowed_in_state")


def test_a_waiting_list_has_its_own_clock(api: Api) -> None:
    referral = a_referral(api)
    api.clock.set("2026-03-04T09:00")
    found = done(act(api, PROVIDER, referral, "waitlist", expected_on="2026-03-20"))
    assert (found["status"], found["expected_on"]) == ("waitlisted", "2026-03-20")
    assert clocks(found) == {
        "response": ("met", "2026-03-05T23:59"), "waitlist": ("running", "2026-03-18T23:59"),
    }  # fmt: skip
    api.clock.set("2026-03-10T09:00")
    found = done(act(api, PROVIDER, referral, "accept"))
    assert clocks(found) | {"response": ()} == {
        "response": (), "waitlist": ("met", "2026-03-18T23:59"),
        "start": ("running", "2026-03-24T23:59"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("priority", "response", "start"),
    [
        ("routine", "2026-03-05T23:59", "2026-03-16T23:59"),
        ("urgent", "2026-03-03T23:59", "2026-03-04T23:59"),
        ("emergency", "2026-03-02T14:00", "2026-03-03T10:00"),
    ],
)
def test_the_priority_sets_the_clocks(api: Api, priority: str, response: str, start: str) -> None:
    made = done(asked(api, a_supported_case(api), priority=priority), 201)
    assert clocks(made) == {"response": ("running", response)}
    assert clocks(done(act(api, PROVIDER, made["id"], "accept")))["start"] == ("running", start)


def test_what_comes_to_nothing_owes_a_disposition(api: Api) -> None:
    for before, action, status in (
        ((), "decline", "declined"),
        (("waitlist",), "decline", "declined"),
        (("accept",), "fail", "failed"),
        (("accept", "start"), "fail", "failed"),
        (("accept", "start", "hold"), "fail", "failed"),
        ((), "withdraw", "withdrawn"),
        (("accept", "start"), "withdraw", "withdrawn"),
    ):
        supported = a_supported_case(api)
        referral = a_referral(api, supported)
        for earlier in before:
            done(act(api, PROVIDER, referral, earlier))
        by = WORKER if action == "withdraw" else PROVIDER
        done(act(api, by, referral, action))
        found = seen(api, referral)
        assert (found["status"], found["reason"]) == (status, BODIES[action]["reason"])
        running = {one["kind"]: one for one in found["deadlines"] if one["status"] == "running"}
        assert set(running) == {"disposition"}, (before, action)
        assert running["disposition"]["held_by"] == "worker"
        assert running["disposition"]["due_at"] == "2026-03-05T23:59:59+09:00"
        assert "dispose" in seen(api, referral)["allowed_actions"]
        assert not settled(api, supported)
        assert case_clocks(api, supported) == [("link", "met")]


def test_what_is_called_off_or_was_never_right_asks_for_another_request(api: Api) -> None:
    for before, action, by, status in (
        ((), "cancel", WORKER, "cancelled"),
        (("accept", "start"), "cancel", WORKER, "cancelled"),
        ((), "enter-in-error", SUPERVISOR, "entered_in_error"),
        (("accept", "start", "complete"), "enter-in-error", SUPERVISOR, "entered_in_error"),
    ):
        supported = a_supported_case(api)
        referral = a_referral(api, supported)
        for earlier in before:
            done(act(api, PROVIDER, referral, earlier))
        found = done(act(api, by, referral, action))
        assert found["status"] == status
        assert not [one for one in found["deadlines"] if one["status"] == "running"]
        assert not settled(api, supported)
        assert case_clocks(api, supported) == [("link", "met"), ("link", "running")]


def test_a_late_answer_stays_late(api: Api) -> None:
    referral = a_referral(api)
    for moment, late in (("2026-03-05T23:59:59", False), ("2026-03-06T00:00:00", True)):
        api.clock.set(moment)
        (response,) = seen(api, referral)["deadlines"]
        assert (response["overdue"], response["status"]) == (late, "running"), moment
    found = done(act(api, PROVIDER, referral, "accept"))
    response = found["deadlines"][0]
    assert (response["status"], response["overdue"]) == ("met", False)
    assert response["breached_at"] == response["due_at"] == "2026-03-05T23:59:59+09:00"
    assert found["deadlines"][1]["breached_at"] is None


def test_a_signal_from_a_provider_starts_a_clock_on_the_worker(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    done(act(api, PROVIDER, referral, "signal", kind="fall", note="in the bathroom"))
    found = api.as_(WORKER).get(f"/cases/{supported.case}").json()
    (signal,) = found["signals"]
    assert (signal["kind"], signal["note"]) == ("fall", "in the bathroom")
    (running,) = [one for one in found["deadlines"] if one["kind"] == "signal"]
    assert (running["held_by"], running["due_at"]) == ("worker", "2026-03-03T23:59:59+09:00")
    assert fields_of(act(api, PROVIDER, referral, "signal", kind="other")) == ["note"]


# Whose decision


def test_a_worker_answers_only_on_the_providers_word_and_the_record_says_so(api: Api) -> None:
    referral = a_referral(api)
    before = everything(api)
    for action in ANSWERS:
        for by in (WORKER, SUPERVISOR):
            told = refusal(act(api, by, referral, action))
            assert told == (403, "provider_answers"), action
    assert everything(api) == before
    for n, action in enumerate(("waitlist", "accept", "start", "report", "hold", "resume")):
        word = {"channel": ("phone", "fax", "visit")[n % 3], "person": f"person {n}"}
        found = done(act(api, WORKER, referral, action, **BODIES[action], on_behalf=word))
        assert found["on_behalf"] == word, action
        assert found["history"][-1]["data"]["on_behalf"] == word["channel"]
        assert found["history"][-1]["by"] == {"id": str(api.id_of(WORKER)), "role": "worker"}
    found = done(act(api, PROVIDER, referral, "complete"))
    assert found["on_behalf"] is None


def test_a_provider_speaks_for_itself(api: Api) -> None:
    referral = a_referral(api)
    before = everything(api)
    answer = act(api, PROVIDER, referral, "accept", on_behalf=ON_BEHALF)
    assert refusal(answer) == (422, "on_behalf_not_yours")
    for wrong in ({}, {"channel": "phone"}, {"person": "x"}, {"channel": "letter", "person": "x"},
                  {"channel": "phone", "person": ""}, "phone", True, [ON_BEHALF]):  # fmt: skip
        answer = act(api, WORKER, referral, "accept", on_behalf=wrong)
        assert answer.status_code == 422, wrong
    assert everything(api) == before


def test_the_sender_sends_and_only_a_supervisor_corrects(api: Api) -> None:
    referral = a_referral(api)
    before = everything(api)
    for by, actions in (
        (PROVIDER, ("send", "cancel", "withdraw", "dispose", "enter-in-error")),
        (WORKER, ("enter-in-error",)),
        (ASSESSOR, tuple(BODIES)),
    ):
        for action in actions:
            assert refusal(act(api, by, referral, action)) == (403, "forbidden"), (by, action)
    assert everything(api) == before
    done(act(api, COLLEAGUE, referral, "cancel"))  # a colleague of the centre may


# Validation


def test_reasons_outcomes_and_dispositions_come_from_lists(api: Api) -> None:
    referral = a_referral(api)
    before = everything(api)
    for by, action, body, field in (
        (PROVIDER, "decline", {"reason": "busy"}, "reason"),
        (PROVIDER, "decline", {"reason": "other"}, "note"),
        (PROVIDER, "decline", {"reason": "other", "note": "  "}, "note"),
        (PROVIDER, "decline", {"note": "x"}, "reason"),
        (PROVIDER, "accept", {"expected_start_on": "soon"}, "expected_start_on"),
        (PROVIDER, "accept", {"note": "n" * 4001}, "note"),
        (WORKER, "cancel", {"reason": "hospitalised"}, "reason"),
        (WORKER, "withdraw", {"reason": "other"}, "note"),
        (SUPERVISOR, "enter-in-error", {"reason": " "}, "reason"),
    ):
        assert fields_of(act(api, by, referral, action, **body)) == [field], (action, body)
    done(act(api, PROVIDER, referral, "accept"))
    for action, body, field in (
        ("start", {"started_on": "2026-03-03"}, "started_on"),  # tomorrow
        ("start", {"started_on": "2026-03-01"}, "started_on"),  # the day before it was accepted
        ("hold", {"reason": "away", "until": "2026-03-01"}, "until"),
        ("hold", {"reason": "decline", "until": TODAY}, "reason"),
        ("hold", {"reason": "away"}, "until"),
    ):
        assert fields_of(act(api, PROVIDER, referral, action, **body)) == [field], (action, body)
    done(act(api, PROVIDER, referral, "start"))
    for action, body, field in (
        ("report", {"reported_on": "2026-03-03", "note": "x"}, "reported_on"),
        ("report", {"reported_on": "2026-03-01", "note": "x"}, "reported_on"),
        ("report", {"reported_on": TODAY}, "note"),
        ("complete", {"outcome": "done", "ended_on": TODAY}, "outcome"),
        ("complete", {"outcome": "transferred", "ended_on": "2026-03-03"}, "ended_on"),
        ("complete", {"outcome": "transferred", "ended_on": "2026-03-01"}, "ended_on"),
    ):
        assert fields_of(act(api, PROVIDER, referral, action, **body)) == [field], (action, body)
    amounts: tuple[Any, ...] = (0, -1, 10**6, 1e-9, "3", None)
    for amount in amounts:
        given = {"quantity": amount, "unit": "meal"}
        report: dict[str, Any] = {"reported_on": TODAY, "note": "x", "delivered": given}
        assert act(api, PROVIDER, referral, "report", **report).status_code == 422, amount
    after = everything(api)
    assert len(after["event"]) == len(before["event"]) + 2  # accepted and started, nothing else


def test_the_offering_must_fit(api: Api) -> None:
    supported, here = a_supported_case(api), t.offering.c
    closed = api.offerings["beta", "CARE-MEALS"].id
    gone = api.providers["gamma"].id
    with api.engine.begin() as connection:
        connection.execute(update(t.offering).where(here.id == closed).values(is_open=False))
    before = everything(api)
    for provider, code, told in (
        ("alpha", "MED-VISIT", "offering_mismatch"),
        ("beta", "CARE-MEALS", "offering_closed"),
        ("gamma", "CARE-MEALS", "outside_area"),
    ):
        answer = asked(api, supported, offering_id=offering(api, provider, code))
        assert refusal(answer) == (422, told)
    blank = asked(api, supported, "gamma", outside_area_reason="   ")
    assert blank.status_code == 422
    unknown = asked(api, supported, offering_id=str(ABSENT))
    assert refusal(unknown) == (422, "unknown_offering")
    assert everything(api) == before
    with api.engine.begin() as connection:
        connection.execute(
            update(t.provider).where(t.provider.c.id == gone).values(is_active=False)
        )
    inactive = asked(api, supported, "gamma", outside_area_reason="a relative")
    assert inactive.content == unknown.content
    with api.engine.begin() as connection:
        connection.execute(update(t.provider).values(is_active=True))
    made = done(asked(api, supported, "gamma", outside_area_reason="a relative"), 201)
    assert made["outside_area_reason"] == "a relative"


def test_the_plan_must_be_approved_before_anyone_is_asked(api: Api) -> None:
    service = drafted(api, a_planned_case(api))
    answer = asked(api, service)
    assert refusal(answer) == (409, "plan_not_approved")
    draft = done(asked(api, service, send=False), 201)
    assert refusal(act(api, WORKER, draft["id"], "send")) == (409, "plan_not_approved")
    approved(api, service.case)
    sent = done(act(api, WORKER, draft["id"], "send"))
    assert sent["status"] == "requested"


def test_help_in_an_urgent_case_does_not_wait_for_the_plan(api: Api) -> None:
    case = a_case(api, urgent=True, urgent_reason="alone after a fall")
    service = drafted(api, case)
    assert case_clocks(api, service) == [("link", "running")]
    made = done(asked(api, service, priority="emergency"), 201)
    assert made["status"] == "requested"
    assert case_clocks(api, service) == [("link", "met")]
    done(act(api, PROVIDER, made["id"], "accept"))
    found = done(act(api, PROVIDER, made["id"], "start"))
    assert found["status"] == "in_progress"


def a_planned_case(api: Api) -> UUID:
    """A case whose plan can be made, on an assessment of today."""
    case = a_case(api)
    surveyed(api, case)
    assessed(api, case)
    return case


def drafted(api: Api, case: UUID) -> Supported:
    """Write the draft of a plan with one service, over HTTP."""
    service = {"service_code": "CARE-MEALS", "content": "lunch", "quantity": 3, "unit": "meal",
               "per": "week", "starts_on": TODAY, "ends_on": "2027-03-01"}  # fmt: skip
    plan = {"goals": ["stay at home"], "services": [service],
            "heard": {"on": TODAY, "from": "the resident"}}  # fmt: skip
    answer = api.as_(WORKER).put(f"/cases/{case}/plan/draft", plan)
    assert answer.status_code == 200, answer.text
    resident = api.as_(WORKER).get(f"/cases/{case}").json()["resident"]["id"]
    return Supported(UUID(resident), case, UUID(answer.json()["draft"]["services"][0]["id"]))


def approved(api: Api, case: UUID) -> None:
    """Submit the draft and approve it."""
    submitted = planning.submit_plan(api.context(WORKER), case)
    command = planning.DecisionCommand(
        version=submitted.version, hash=submitted.hash, approve=True,
        without_meeting_reason="no meeting this week",
    )  # fmt: skip
    planning.decide_plan(api.context(SUPERVISOR), case, command)


def a_consent(api: Api, resident: UUID, by: str = WORKER, **facts: Any) -> str:
    """A consent to share with providers."""
    given: dict[str, Any] = {
        "purpose": "provider_sharing", "given_by": "self", "given_on": date(2026, 3, 2),
        "recipients": [], "expires_on": None,
    }  # fmt: skip
    return str(residents.record_consent(api.context(by), resident, **(given | facts)))


def on_consent(consent: object) -> dict[str, Any]:
    """The basis that names a consent."""
    return {"basis": {"kind": "consent", "consent_id": str(consent)}}


def test_a_consent_must_be_the_residents_own_and_valid(api: Api) -> None:
    supported = a_supported_case(api)
    own = supported.resident
    foreign = a_consent(api, a_resident(api, STRANGER), STRANGER)
    withdrawn = a_consent(api, own)
    residents.withdraw_consent(api.context(WORKER), UUID(withdrawn), None)
    api.clock.set("2026-03-04T10:00")
    wrong = {
        "another resident's": a_consent(api, a_resident(api)),
        "for something else": a_consent(api, own, purpose="outreach"),
        "expired": a_consent(api, own, expires_on=date(2026, 3, 3)),
        "withdrawn": withdrawn,
    }
    before = everything(api)
    for name, consent in wrong.items():
        answer = asked(api, supported, **on_consent(consent))
        assert refusal(answer) == (422, "consent_not_valid"), name
        assert fields_of(answer) == ["basis.consent_id"]
    hidden = asked(api, supported, **on_consent(foreign))
    assert refusal(hidden) == (422, "unknown_consent")
    assert hidden.content == asked(api, supported, **on_consent(ABSENT)).content
    for basis in ({"kind": "consent"}, {"kind": "law"}, {}, None, "consent",
                  {"kind": "article_14_2", "consent_id": wrong["expired"]}):  # fmt: skip
        assert asked(api, supported, basis=basis).status_code == 422, basis
    assert everything(api) == before
    last_day = a_consent(api, own, expires_on=date(2026, 3, 4))
    made = done(asked(api, supported, **on_consent(last_day)), 201)
    assert made["basis"] == {"kind": "consent", "consent_id": last_day}


def test_a_draft_is_judged_anew_when_it_is_sent(api: Api) -> None:
    supported = a_supported_case(api)
    consent = a_consent(api, supported.resident, expires_on=date(2026, 3, 3))
    draft = done(asked(api, supported, send=False, **on_consent(consent)), 201)["id"]
    api.clock.set("2026-03-04T10:00")
    assert refusal(act(api, WORKER, draft, "send")) == (422, "consent_not_valid")
    other = done(asked(api, supported, "beta", send=False), 201)["id"]
    with api.engine.begin() as connection:
        connection.execute(delete(t.offering_centre))
    assert refusal(act(api, WORKER, other, "send")) == (422, "outside_area")
    with api.engine.begin() as connection:
        connection.execute(update(t.offering).values(is_open=False))
    assert refusal(act(api, WORKER, other, "send")) == (422, "offering_closed")
    with api.engine.begin() as connection:
        connection.execute(update(t.provider).values(is_active=False))
    assert refusal(act(api, WORKER, other, "send")) == (422, "offering_required")
    assert {seen(api, one)["status"] for one in (draft, other)} == {"draft"}


def test_withdrawing_a_consent_withdraws_what_rests_on_it(api: Api) -> None:
    supported = a_supported_case(api)
    consent = a_consent(api, supported.resident)
    resting = done(asked(api, supported, **on_consent(consent)), 201)["id"]
    other = done(asked(api, supported, "beta"), 201)["id"]
    assert api.as_(WORKER).post(f"/consents/{consent}/withdraw").status_code == 200
    found = seen(api, resting)
    assert (found["status"], found["reason"]) == ("withdrawn", "consent_withdrawn")
    assert seen(api, other)["status"] == "requested"


# Redirecting


def test_a_worker_records_a_decline_and_asks_the_next_in_one_act(api: Api) -> None:
    supported = a_supported_case(api)
    first = done(asked(api, supported, message="before noon", priority="urgent"), 201)["id"]
    old = done(
        act(api, WORKER, first, "decline", reason="at_capacity", on_behalf=ON_BEHALF,
            replace_with=offering(api, "beta"))
    )  # fmt: skip
    assert (old["status"], old["disposition"]) == ("declined", "re_refer")
    assert clocks(old)["disposition"][0] == "met"
    new = seen(api, old["replaced_by"])
    assert (new["status"], new["replaces"]) == ("requested", first)
    assert (new["priority"], new["message"]) == ("urgent", "before noon")
    assert new["basis"] == {"kind": "article_14_2"}
    assert new["provider"]["name"] == "beta 돌봄"
    assert clocks(new) == {"response": ("running", "2026-03-03T23:59")}
    assert seen(api, new["id"], OTHER_PROVIDER)["status"] == "requested"


def test_where_the_next_cannot_be_asked_the_decline_is_not_recorded_either(api: Api) -> None:
    referral = a_referral(api)
    before = everything(api)
    for next_one, code in (
        (offering(api, "beta", "MED-VISIT"), "offering_mismatch"),
        (offering(api, "gamma"), "outside_area"),
        (str(ABSENT), "unknown_offering"),
        (str(referral), "unknown_offering"),
    ):
        answer = act(api, WORKER, referral, "decline", reason="at_capacity", on_behalf=ON_BEHALF,
                     replace_with=next_one)  # fmt: skip
        assert refusal(answer) == (422, code)
    answer = act(api, PROVIDER, referral, "decline", reason="at_capacity",
                 replace_with=offering(api, "beta"))  # fmt: skip
    assert refusal(answer) == (422, "replace_with_not_yours")
    assert everything(api) == before


def test_a_chain_of_referrals_names_what_came_before_and_after(api: Api) -> None:
    supported = a_supported_case(api)
    first = str(a_referral(api, supported))
    act(api, PROVIDER, first, "decline")
    disposed = done(
        act(api, WORKER, first, "dispose", disposition="re_refer",
            offering_id=offering(api, "beta"))
    )  # fmt: skip
    second = disposed["replaced_by"]
    act(api, OTHER_PROVIDER, second, "decline")
    third = done(asked(api, supported, replaces=second), 201)["id"]
    chain = [seen(api, one) for one in (first, second, third)]
    assert [one["replaces"] for one in chain] == [None, first, second]
    assert [one["replaced_by"] for one in chain] == [second, third, None]
    assert [one["disposition"] for one in chain] == ["re_refer", "re_refer", None]
    assert [one["status"] for one in chain] == ["declined", "declined", "requested"]
    again = asked(api, supported, "beta", replaces=second)
    assert refusal(again) == (409, "nothing_to_replace")
    assert refusal(act(api, WORKER, first, "dispose")) == (409, "not_allowed_in_state")


def test_the_next_is_asked_as_urgently_and_on_the_same_basis(api: Api) -> None:
    supported = a_supported_case(api)
    basis = on_consent(a_consent(api, supported.resident))
    first = done(asked(api, supported, priority="emergency", message="m", **basis), 201)["id"]
    act(api, PROVIDER, first, "decline")
    body = {"disposition": "re_refer", "offering_id": offering(api, "beta")}
    second = done(act(api, WORKER, first, "dispose", **body))["replaced_by"]
    act(api, WORKER, second, "decline", reason="duplicate", on_behalf=ON_BEHALF,
        replace_with=offering(api))  # fmt: skip
    for id in (second, seen(api, second)["replaced_by"]):
        found = seen(api, id)
        assert (found["priority"], found["message"]) == ("emergency", "m")
        assert found["basis"] == basis["basis"]


def test_on_a_closed_case_nobody_is_asked(api: Api) -> None:
    supported = a_supported_case(api)
    draft = done(asked(api, supported, "beta", send=False), 201)["id"]
    closing = {"reason": "moved_away", "end_open_referrals": True}
    assert api.as_(WORKER).post(f"/cases/{supported.case}/close", closing).status_code == 200
    before = everything(api)
    assert refusal(asked(api, supported)) == (409, "not_allowed_in_state")
    assert refusal(act(api, WORKER, draft, "send")) == (409, "not_allowed_in_state")
    assert everything(api) == before


def test_only_a_referral_of_the_same_service_can_be_replaced(api: Api) -> None:
    supported = a_supported_case(api)
    elsewhere = a_supported_case(api, STRANGER, FAR_SUPERVISOR)
    foreign = a_referral(api, elsewhere, "gamma", STRANGER)
    other = a_referral(api)
    before = everything(api)
    absent = asked(api, supported, replaces=str(ABSENT))
    assert refusal(absent) == (422, "unknown_referral")
    for id in (foreign, other, supported.service):
        assert asked(api, supported, replaces=str(id)).content == absent.content
    assert everything(api) == before


def test_a_disposition_says_what_happens_instead(api: Api) -> None:
    for disposition in ("alternative", "refused", "no_longer_needed", "unmet_need"):
        supported = a_supported_case(api)
        referral = a_referral(api, supported)
        moved(api, referral, "decline", PROVIDER, reason="at_capacity")
        api.clock.forward(minutes=5)
        found = done(act(api, WORKER, referral, "dispose", disposition=disposition, note="so"))
        assert (found["status"], found["disposition"]) == ("declined", disposition)
        assert found["disposed_at"] == api.clock.now.isoformat()
        assert clocks(found)["disposition"][0] == "met"
        assert settled(api, supported)


def test_a_disposition_must_be_owed_and_right(api: Api) -> None:
    referral = a_referral(api)
    assert refusal(act(api, WORKER, referral, "dispose")) == (409, "not_allowed_in_state")
    moved(api, referral, "decline", PROVIDER, reason="at_capacity")
    before = everything(api)
    for wrong, field in (
        ({"disposition": "nothing"}, "disposition"),
        ({"disposition": "re_refer"}, "offering_id"),
        ({"disposition": "re_refer", "offering_id": str(ABSENT)}, "offering_id"),
    ):
        assert fields_of(act(api, WORKER, referral, "dispose", **wrong)) == [field]
    assert everything(api) == before


# One open request


def test_a_second_open_request_to_the_same_provider_is_refused(api: Api) -> None:
    supported = a_supported_case(api)
    first = done(asked(api, supported, send=False), 201)["id"]
    before = everything(api)
    for facts in ({}, {"send": False}, {"priority": "emergency"}):
        answer = asked(api, supported, **facts)
        assert refusal(answer) == (409, "open_referral_exists")
        assert answer.json()["state"] == "draft"
    assert everything(api) == before
    done(asked(api, supported, "beta"), 201)
    done(act(api, WORKER, first, "cancel"))
    done(asked(api, supported), 201)


def test_the_database_alone_makes_a_second_open_request_impossible(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    supported = a_supported_case(api)
    done(asked(api, supported), 201)
    before = everything(api)
    monkeypatch.setattr(rules, "_check_request", lambda *_: None)
    assert refusal(asked(api, supported)) == (409, "open_referral_exists")
    assert everything(api) == before


@pytest.mark.both_stores
def test_of_many_requests_at_the_same_moment_one_is_made(api: Api) -> None:
    supported, barrier = a_supported_case(api), Barrier(4)

    def ask(_: int) -> Any:
        barrier.wait()
        return asked(api, supported)

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(ask, range(4)), key=lambda answer: answer.status_code)
    assert answers[0].status_code == 201
    assert {refusal(one) for one in answers[1:]} == {(409, "open_referral_exists")}
    assert [one["id"] for one in api.as_(WORKER).items("/referrals")] == [answers[0].json()["id"]]


@ON_POSTGRES
def test_of_two_requests_that_wait_for_each_other_one_is_made(api: Api) -> None:
    supported = a_supported_case(api)
    row = select(t.care_case).where(t.care_case.c.id == supported.case).with_for_update()
    with ThreadPoolExecutor(2) as pool, locked(api, row) as holder:
        waiting = [pool.submit(asked, api, supported) for _ in range(2)]
        wait_for_locks(holder, 2)
        holder.rollback()
        codes = sorted(one.result().status_code for one in waiting)
    assert codes == [201, 409]


# Scope


def test_a_provider_sees_nothing_of_a_draft(api: Api) -> None:
    draft = a_referral(api, send=False)
    absent = api.as_(PROVIDER).get(f"/referrals/{ABSENT}")
    assert absent.status_code == 404
    assert api.as_(PROVIDER).get(f"/referrals/{draft}").content == absent.content
    assert api.as_(PROVIDER).items("/referrals") == []
    for action in (*ANSWERS, "signal"):
        answer = act(api, PROVIDER, draft, action)
        assert refusal(answer) == (404, "not_found"), action
        assert answer.content == act(api, PROVIDER, ABSENT, action).content
    done(act(api, WORKER, draft, "cancel"))
    assert api.as_(PROVIDER).get(f"/referrals/{draft}").status_code == 404


def test_a_provider_sees_it_until_thirty_days_after_its_end(api: Api) -> None:
    referral = a_referral(api)
    response = clock(api, "response", referral)
    provider = api.as_(PROVIDER)
    api.clock.set("2026-03-10T10:00")
    done(act(api, PROVIDER, referral, "decline"))
    paths = (f"/referrals/{referral}", f"/deadlines/{response}/explanation")
    for moment, sees in (
        ("2026-04-08T10:00:00", True),
        ("2026-04-09T09:59:59", True),
        ("2026-04-09T10:00:00", False),
        ("2026-04-10T10:00:00", False),
    ):
        api.clock.set(moment)
        for path in paths:
            assert provider.get(path).status_code == (200 if sees else 404), (moment, path)
        assert len(provider.items("/referrals")) == sees
        told = (409, "not_allowed_in_state") if sees else (404, "not_found")
        assert refusal(act(api, PROVIDER, referral, "accept")) == told
        assert seen(api, referral)["status"] == "declined"  # the sender always does
    hidden = provider.get(f"/referrals/{referral}")
    assert hidden.content == provider.get(f"/referrals/{ABSENT}").content


def test_a_stranger_finds_what_is_absent_in_the_same_bytes(api: Api) -> None:
    referral = a_referral(api)
    before = everything(api)
    for by in (NEIGHBOUR, STRANGER, FAR_SUPERVISOR, OTHER_PROVIDER, "provider.gamma"):
        signed_in = api.as_(by)
        hidden = signed_in.get(f"/referrals/{referral}")
        assert refusal(hidden) == (404, "not_found"), by
        assert hidden.content == signed_in.get(f"/referrals/{ABSENT}").content
        assert signed_in.items("/referrals") == []
        if by in (STRANGER, "provider.gamma"):
            continue  # same scope as those that try every move below
        for action, body in BODIES.items():
            word = {"on_behalf": ON_BEHALF} if action in ANSWERS and "provider" not in by else {}
            answer, absent = (act(api, by, id, action, **body, **word) for id in (referral, ABSENT))
            assert answer.status_code in (403, 404), (by, action, answer.text)
            assert answer.content == absent.content, (by, action)
    assert everything(api) == before


def test_the_service_of_another_centre_cannot_be_referred(api: Api) -> None:
    supported = a_supported_case(api)
    before = everything(api)
    for by in (NEIGHBOUR, STRANGER, FAR_SUPERVISOR):
        hidden = asked(api, supported, by=by)
        assert refusal(hidden) == (404, "not_found"), by
        absent = asked(api, Supported(ABSENT, ABSENT, ABSENT), by=by)
        assert hidden.content == absent.content
    assert everything(api) == before


def test_lists_show_what_one_may_see_newest_first_and_filters_open_nothing(api: Api) -> None:
    supported = [a_supported_case(api) for _ in range(2)]
    mine = [str(a_referral(api, one)) for one in supported]
    other = str(a_referral(api, supported[0], "beta"))
    far = a_supported_case(api, STRANGER, FAR_SUPERVISOR)
    foreign = str(a_referral(api, far, "gamma", STRANGER))
    moved(api, UUID(mine[0]), "accept", PROVIDER)

    def ids(by: str, **filters: Any) -> list[str]:
        return [one["id"] for one in api.as_(by).items("/referrals", **filters)]

    alpha, beta, gamma = (str(api.providers[slug].id) for slug in ("alpha", "beta", "gamma"))
    assert ids(WORKER) == ids(SUPERVISOR) == ids(COLLEAGUE) == [other, mine[1], mine[0]]
    assert ids(PROVIDER) == [mine[1], mine[0]]
    assert ids(STRANGER) == ids("provider.gamma") == [foreign]
    assert ids(WORKER, status="accepted") == ids(PROVIDER, status="accepted") == [mine[0]]
    assert ids(WORKER, provider=beta) == [other]
    assert ids(WORKER, centre=HERE) == [other, mine[1], mine[0]]
    assert ids(WORKER, field="care") == [other, mine[1], mine[0]]
    for by, filters in (
        (WORKER, {"centre": NEXT_DOOR}), (WORKER, {"provider": gamma}),
        (WORKER, {"field": "medical"}), (PROVIDER, {"provider": beta}),
        (PROVIDER, {"centre": NEXT_DOOR}), (OTHER_PROVIDER, {"provider": alpha}),
        (NEIGHBOUR, {"centre": HERE}), (FAR_SUPERVISOR, {"centre": HERE}),
    ):  # fmt: skip
        assert ids(by, **filters) == [], (by, filters)
    assert ids(WORKER, overdue="true") == []
    api.clock.set("2026-03-06T00:00")
    assert ids(WORKER, overdue="true") == [other, mine[1]]
    assert ids(WORKER, overdue="false") == [mine[0]]
    for limit in (1, 2, 3):
        assert ids(WORKER, limit=limit) == [other, mine[1], mine[0]]


def test_a_cursor_opens_one_list_of_one_asker(api: Api) -> None:
    for _ in range(3):
        a_referral(api)
    cursor = api.as_(WORKER).get("/referrals?limit=1").json()["next_cursor"]
    assert api.as_(WORKER).get("/referrals", params={"cursor": cursor}).status_code == 200
    for by in (COLLEAGUE, SUPERVISOR, PROVIDER):
        assert refusal(api.as_(by).get("/referrals", params={"cursor": cursor})) == (
            422, "cursor_invalid",
        ), by  # fmt: skip
    for query in ("status=requested&", "overdue=false&"):
        answer = api.as_(WORKER).get(f"/referrals?{query}cursor={cursor}")
        assert refusal(answer) == (422, "cursor_invalid"), query
    assert api.as_(WORKER).get("/cases", params={"cursor": cursor}).status_code == 422
    for place in [*range(0, len(cursor), 4), len(cursor) - 1]:
        altered = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        answer = api.as_(WORKER).get("/referrals", params={"cursor": altered})
        assert refusal(answer) == (422, "cursor_invalid"), place
    for altered in (cursor + "!!!!", cursor + "=", cursor + "AAAA", " " + cursor, cursor + "\n"):
        assert api.as_(WORKER).get("/referrals", params={"cursor": altered}).status_code == 422


# Versions


def test_a_stale_version_moves_nothing(api: Api) -> None:
    referral = a_referral(api)
    stale = {"If-Match": api.as_(WORKER).get(f"/referrals/{referral}").headers["etag"]}
    done(act(api, PROVIDER, referral, "accept"))
    before = everything(api)
    for by, actions in (
        (PROVIDER, (*ANSWERS, "signal")),
        (WORKER, ("send", "cancel", "withdraw", "dispose")),
        (SUPERVISOR, ("enter-in-error",)),
    ):
        for action in actions:
            path = f"/referrals/{referral}/{action}"
            answer = api.as_(by).post(path, BODIES[action], headers=stale)
            assert refusal(answer) == (412, "stale"), action
    assert everything(api) == before
    fresh = api.as_(PROVIDER).get(f"/referrals/{referral}").headers["etag"]
    assert fresh != stale["If-Match"]
    for action, tag in (("start", fresh), ("report", "*")):
        path = f"/referrals/{referral}/{action}"
        answer = api.as_(PROVIDER).post(path, BODIES[action], headers={"If-Match": tag})
        assert done(answer)["status"] == "in_progress"
        assert answer.headers["etag"] != fresh


# Possible actions


def standing(api: Api) -> Iterator[tuple[str, UUID]]:
    """A referral in every state that differs in what may be done to it."""
    paths: dict[str, tuple[str, ...]] = {
        "requested": (), "waitlisted": ("waitlist",), "accepted": ("accept",),
        "in progress": ("accept", "start"), "on hold": ("accept", "hold"),
        "declined": ("decline",), "disposed of": ("decline", "dispose"),
        "completed": ("accept", "start", "complete"), "cancelled": ("cancel",),
        "entered in error": ("enter-in-error",),
    }  # fmt: skip
    yield "draft", a_referral(api, send=False)
    for name, actions in paths.items():
        referral = a_referral(api)
        for action in actions:
            by = {"referral.answer": PROVIDER, "referral.send": WORKER}.get(MOVES[action].who)
            done(act(api, by or SUPERVISOR, referral, action))
        yield name, referral
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    done(act(api, PROVIDER, referral, "decline"))
    closing = {"reason": "moved_away"}
    assert api.as_(WORKER).post(f"/cases/{supported.case}/close", closing).status_code == 200
    yield "declined, on a closed case", referral
    make_room(api)
    for name in ("draft", "requested", "waitlisted", "accepted", "in progress", "on hold"):
        supported = a_supported_case(api)
        referral = a_referral(api, supported, send=name != "draft")
        for action in paths.get(name, ()):
            done(act(api, PROVIDER, referral, action))
        died = api.as_(WORKER).post(f"/residents/{supported.resident}/died", {"on": "2026-03-02"})
        assert died.status_code == 200, died.text
        yield f"{name}, of the dead", referral


def test_what_is_allowed_is_what_works(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    referrals = dict(standing(api))

    def would_work(*_: Any) -> None:
        raise Invalid(code="would_work")

    monkeypatch.setattr(SqlWork, "commit", would_work)
    before, tried = everything(api), 0
    # The rules do not depend on the store, so one of the two senders on each is enough.
    sender = WORKER if api.engine.dialect.name == "sqlite" else SUPERVISOR
    for state, referral in referrals.items():
        for by in (sender, PROVIDER):
            if state.startswith("draft") and by == PROVIDER:
                continue  # it does not exist for them
            found = seen(api, referral, by)
            died = state.endswith("of the dead")
            works = [action for action in BODIES if _works(api, by, found, action, died)]
            assert sorted(found["allowed_actions"]) == sorted(works), (state, by)
            tried += len(BODIES)
    assert everything(api) == before
    assert tried == (2 * len(referrals) - 2) * len(BODIES)


def _works(api: Api, by: str, found: dict[str, Any], action: str, died: bool) -> bool:
    """Whether a move succeeds; if not, checks that the refusal says why and what is possible."""
    word = {"on_behalf": ON_BEHALF} if action in ANSWERS and by != PROVIDER else {}
    answer = act(api, by, found["id"], action, **BODIES[action], **word)
    told = answer.json()
    if told["code"] == "would_work":
        return True
    if answer.status_code == 403:
        assert told["code"] == "forbidden", answer.text
    elif died and told["code"] == "resident_died":
        assert (answer.status_code, told["allowed_actions"]) == (409, [])
    else:
        assert refusal(answer) == (409, "not_allowed_in_state"), answer.text
        assert told["state"] == found["status"]
        assert told["allowed_actions"] == found["allowed_actions"]
    return False


def test_a_hold_that_is_over_allows_what_follows_it_recorded_or_not(api: Api) -> None:
    referral = a_referral(api)
    done(act(api, PROVIDER, referral, "accept"))
    done(act(api, PROVIDER, referral, "hold", reason="away", until="2026-03-03"))
    for moment, allowed in (
        ("2026-03-03T23:59:59", ["resume", "fail", "signal"]),
        ("2026-03-04T00:00:00", ["start", "hold", "resume", "fail", "signal"]),
    ):
        api.clock.set(moment)
        assert seen(api, referral, PROVIDER)["allowed_actions"] == allowed
    found = done(act(api, PROVIDER, referral, "start", started_on="2026-03-04"))
    assert found["status"] == "in_progress"
    assert [one["event"] for one in found["history"]][-2:] == ["ReferralResumed", "ReferralStarted"]


# History


def test_history_and_timeline_tell_what_happened_and_never_what_was_written(api: Api) -> None:
    canary = "canary-8d1f"
    supported = a_supported_case(api)
    referral = done(asked(api, supported, message=canary), 201)["id"]
    word = {"channel": "fax", "person": canary}
    act(api, WORKER, referral, "accept", note=canary, on_behalf=word)
    act(api, PROVIDER, referral, "start")
    act(api, PROVIDER, referral, "report", reported_on=TODAY, note=canary)
    act(api, PROVIDER, referral, "signal", kind="other", note=canary)
    act(api, PROVIDER, referral, "fail", reason="other", note=canary)
    act(api, WORKER, referral, "dispose", disposition="unmet_need", note=canary)
    act(api, SUPERVISOR, referral, "enter-in-error", reason=canary)
    found = seen(api, referral)
    names = [one["event"].removeprefix("Referral") for one in found["history"]]
    assert names == [
        "Drafted", "Requested", "Accepted", "Started", "Reported", "Failed", "Disposed",
        "EnteredInError",
    ]  # fmt: skip
    timeline = api.as_(WORKER).items(f"/residents/{supported.resident}/timeline")
    of_it = [one for one in timeline if one["subject"]["id"] == referral]
    assert [one["id"] for one in of_it] == [one["id"] for one in reversed(found["history"])]
    assert {one["event"] for one in timeline} >= {"SignalRaised", "PlanApproved", "CaseOpened"}
    assert canary not in str(found["history"])
    assert canary not in str(timeline)
    with api.engine.connect() as connection:
        kept = str(connection.execute(select(t.event.c.data)).all())
    assert canary not in kept
    assert found["history"][3]["data"]["started_on"] == TODAY
    assert found["history"][5]["by"] == {"id": str(api.id_of(PROVIDER)), "role": "provider"}
    hidden = api.as_(PROVIDER).get(f"/residents/{supported.resident}/timeline")
    assert refusal(hidden) == (403, "forbidden")


# Races


def events_of(api: Api, referral: UUID) -> list[str]:
    """Names of what happened to a referral since it was requested, in order."""
    with api.engine.connect() as connection:
        found = connection.scalars(
            select(t.event.c.name).where(t.event.c.subject_id == referral).order_by(t.event.c.id)
        )
        return [name.removeprefix("Referral") for name in found][2:]


def check_one_decision(api: Api, referral: UUID, answers: dict[str, Any]) -> None:
    """Of several concurrent decisions, exactly those that returned success took effect."""
    won = {action for action, answer in answers.items() if answer.status_code == 200}
    for action, answer in answers.items():
        if action not in won:
            assert refusal(answer) == (409, "not_allowed_in_state"), (action, answer.text)
    # The sender may still withdraw what was accepted a moment before, and nothing else follows.
    assert won in ({"accept"}, {"decline"}, {"withdraw"}, {"accept", "withdraw"}), won
    names = {"accept": "Accepted", "decline": "Declined", "withdraw": "Withdrawn"}
    happened = events_of(api, referral)
    assert sorted(happened) == sorted(names[action] for action in won)
    assert seen(api, referral)["status"] == happened[-1].lower()
    running = [
        one["kind"] for one in seen(api, referral)["deadlines"] if one["status"] == "running"
    ]
    assert running == (["start"] if happened[-1] == "Accepted" else ["disposition"])


DECIDERS: Final = {"accept": PROVIDER, "decline": PROVIDER, "withdraw": WORKER}


@pytest.mark.both_stores
def test_accept_decline_and_withdraw_at_the_same_moment_make_one_decision(api: Api) -> None:
    for _ in range(3):
        referral, barrier = a_referral(api), Barrier(3)

        def decide(action: str, of: UUID = referral, at: Barrier = barrier) -> Any:
            at.wait()
            return act(api, DECIDERS[action], of, action)

        with ThreadPoolExecutor(3) as pool:
            answers = dict(zip(DECIDERS, pool.map(decide, DECIDERS), strict=True))
        check_one_decision(api, referral, answers)


@ON_POSTGRES
def test_in_whatever_order_they_wait_they_make_one_decision(api: Api) -> None:
    for order in permutations(DECIDERS):
        supported = a_supported_case(api)
        referral = a_referral(api, supported)
        row = select(t.care_case).where(t.care_case.c.id == supported.case).with_for_update()
        with ThreadPoolExecutor(3) as pool, locked(api, row) as holder:
            waiting = {}
            for n, action in enumerate(order, 1):
                waiting[action] = pool.submit(act, api, DECIDERS[action], referral, action)
                wait_for_locks(holder, n)
            holder.rollback()
            answers = {action: one.result() for action, one in waiting.items()}
        check_one_decision(api, referral, answers)


@pytest.mark.both_stores
def test_a_lapse_and_an_answer_at_the_same_moment_make_one_decision(api: Api) -> None:
    referrals = [a_referral(api) for _ in range(3)]
    api.clock.set("2026-03-17T00:00")  # from now on the sweep gives them up
    for referral in referrals:
        barrier = Barrier(2)

        def answer(of: UUID = referral, at: Barrier = barrier) -> Any:
            at.wait()
            return act(api, PROVIDER, of, "accept")

        with ThreadPoolExecutor(1) as pool:
            accepting = pool.submit(answer)
            barrier.wait()
            lapsed = referring.lapse_or_resume(api.application.context(), referral)
            accepted = accepting.result().status_code
        assert (lapsed, accepted) in ((True, 409), (False, 200))
        assert events_of(api, referral) == ["Lapsed" if lapsed else "Accepted"]


@pytest.mark.both_stores
def test_the_same_move_twice_at_the_same_moment_is_made_once(api: Api) -> None:
    moves: tuple[tuple[str, str, Callable[[], UUID]], ...] = (
        ("send", WORKER, lambda: a_referral(api, send=False)),
        ("accept", PROVIDER, lambda: a_referral(api)),
        ("cancel", WORKER, lambda: a_referral(api)),
    )
    for action, by, make in moves:
        referral, barrier = make(), Barrier(2)

        def move(
            _: int, of: UUID = referral, at: Barrier = barrier, by: str = by, action: str = action
        ) -> Any:
            at.wait()
            return act(api, by, of, action)

        with ThreadPoolExecutor(2) as pool:
            codes = sorted(answer.status_code for answer in pool.map(move, range(2)))
        assert codes == [200, 409], action

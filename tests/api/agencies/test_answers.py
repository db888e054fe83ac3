"""Bulk answers: the rules of the single moves, one by one or all or nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.domain.agencies.inbox import ANSWERS
from casework.domain.casefile.plan import PlannedItem
from casework.domain.planning import planning as plan
from casework.workflows.planning import planning
from casework.workflows.referring import referring
from tests.adapters.looking import count
from tests.api import acts
from tests.api.acts import a_referral, a_supported_case, make_room, moved
from tests.api.asking import ABSENT, everything, fields_of, refusal
from tests.api.conftest import OTHER_PROVIDER, PASSWORD, PROVIDER, SUPERVISOR, WORKER, Api
from tests.api.signing import ask

TODAY = "2026-03-02"


def give(api: Api, *answers: dict[str, Any], by: str = PROVIDER, key: str | None = None,
         **more: Any) -> Any:  # fmt: skip
    """Answer some requests."""
    headers = {"Idempotency-Key": key} if key else {}
    return api.as_(by).post("/inbox/answers", {"answers": list(answers)} | more, headers=headers)


def an(action: str, referral: UUID, **body: Any) -> dict[str, Any]:
    """One answer."""
    return {"referral_id": str(referral), "action": action} | body


def results(answer: Any) -> list[tuple[int, str | None, str | None]]:
    """Status, code and state of each."""
    assert answer.status_code == 200, answer.text
    return [(one["status"], one.get("code"), one["state"]) for one in answer.json()["results"]]


def state(api: Api, referral: UUID) -> str:
    """The state of a request, as its worker sees it."""
    return str(api.as_(WORKER).get(f"/referrals/{referral}").json()["status"])


def entries(api: Api, action: str) -> list[tuple[str, str | None, str | None, int]]:
    """Outcome, code, subject id and number of subjects of each audit entry, oldest first."""
    one = t.audit_entry.c
    query = select(one.outcome, one.code, one.asked_for, one.subjects).where(one.action == action)
    with api.engine.connect() as connection:
        rows = connection.execute(query.order_by(one.id)).all()
    return [(row.outcome, row.code, row.asked_for, len(row.subjects)) for row in rows]


def test_each_answer_is_given_and_each_says_where_its_request_stands(api: Api) -> None:
    accepted, waiting, declined, started = (a_referral(api) for _ in range(4))
    moved(api, started, "accept", PROVIDER)
    answer = give(
        api,
        an("accept", accepted, expected_start_on="2026-03-09", note="mornings"),
        an("waitlist", waiting, expected_on="2026-04-01"),
        an("decline", declined, reason="at_capacity"),
        an("start", started, started_on=TODAY),
    )
    assert [one["referral_id"] for one in answer.json()["results"]] == [
        str(one) for one in (accepted, waiting, declined, started)
    ]
    assert results(answer) == [
        (200, None, "accepted"), (200, None, "waitlisted"), (200, None, "declined"),
        (200, None, "in_progress"),
    ]  # fmt: skip
    assert answer.json()["results"][0]["allowed_actions"] == ["start", "hold", "fail", "signal"]
    shown = api.as_(WORKER).get(f"/referrals/{accepted}").json()
    assert (shown["expected_start_on"], shown["note"]) == ("2026-03-09", "mornings")
    assert [state(api, one) for one in (waiting, declined, started)] == [
        "waitlisted", "declined", "in_progress"
    ]  # fmt: skip


def test_every_answer_that_is_an_agencys_can_be_given_here(api: Api) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "start": {"started_on": TODAY}, "report": {"reported_on": TODAY, "note": "well"},
        "hold": {"reason": "away", "until": TODAY}, "decline": {"reason": "out_of_area"},
        "complete": {"outcome": "ended_as_planned", "ended_on": TODAY},
        "fail": {"reason": "provider_unable"}, "signal": {"kind": "fall"},
    }  # fmt: skip
    before = {
        "start": ("accept",), "report": ("accept", "start"), "hold": ("accept",),
        "resume": ("accept", "hold"), "complete": ("accept", "start"), "fail": ("accept",),
    }  # fmt: skip
    ends = {
        "accept": "accepted", "waitlist": "waitlisted", "decline": "declined",
        "start": "in_progress", "report": "in_progress", "hold": "on_hold",
        "resume": "accepted", "complete": "completed", "fail": "failed", "signal": "requested",
    }  # fmt: skip
    assert set(ends) == set(ANSWERS)
    make_room(api)
    given = {}
    for action in ANSWERS:
        given[action] = a_referral(api)
        for step in before.get(action, ()):
            (done,) = results(give(api, an(step, given[action], **bodies.get(step, {}))))
            assert done[0] == 200, (action, step)
    answer = give(api, *(an(name, one, **bodies.get(name, {})) for name, one in given.items()))
    assert results(answer) == [(200, None, ends[name]) for name in given]


def test_one_that_is_refused_stops_none_of_the_others(api: Api) -> None:
    first, gone, odd, last = (a_referral(api) for _ in range(4))
    moved(api, gone, "cancel", WORKER, reason="no_longer_needed")
    answer = give(
        api, an("accept", first), an("accept", gone), an("decline", odd, reason="bored"),
        an("decline", last, reason="other", note="no car"),
    )  # fmt: skip
    assert results(answer) == [
        (200, None, "accepted"), (409, "not_allowed_in_state", "cancelled"),
        (422, "reason_unknown", "requested"), (200, None, "declined"),
    ]  # fmt: skip
    assert state(api, odd) == "requested"


def test_the_rules_are_those_of_the_single_moves(api: Api) -> None:
    """Whatever is refused here is refused there, with the same code, and changes nothing."""
    asked, taken = a_referral(api), a_referral(api)
    moved(api, taken, "accept", PROVIDER)
    on_behalf = {"channel": "phone", "person": "somebody"}
    offering = str(api.offerings["beta", "CARE-MEALS"].id)
    before = everything(api)
    for referral, action, body in (
        (asked, "start", {"started_on": TODAY}), (taken, "accept", {}),
        (taken, "start", {"started_on": "2026-03-03"}),
        (taken, "start", {"started_on": "2026-03-01"}),
        (asked, "decline", {"reason": "other"}), (asked, "decline", {"reason": "died"}),
        (asked, "accept", {"on_behalf": on_behalf}), (asked, "resume", {}),
        (asked, "decline", {"reason": "at_capacity", "replace_with": offering}),
        (taken, "hold", {"reason": "away", "until": "2026-03-01"}),
        (taken, "complete", {"outcome": "ended_early", "ended_on": TODAY}),
    ):  # fmt: skip
        single = api.as_(PROVIDER).post(f"/referrals/{referral}/{action}", body)
        ((status, code, _),) = results(give(api, an(action, referral, **body)))
        assert (status, code) == refusal(single), (action, body)
        assert status >= 400
    assert everything(api) == before


def test_what_cannot_be_an_answer_is_refused_as_a_whole(api: Api) -> None:
    one, other = a_referral(api), a_referral(api)
    before = everything(api)
    for wrong, field in (
        (an("accept", one, colour="blue"), "answers.1.accept.colour"),
        (an("cancel", one, reason="other"), "answers.1"),
        (an("start", one), "answers.1.start.started_on"),
        ({"referral_id": "x", "action": "accept"}, "answers.1.accept.referral_id"),
        (an("accept", other), "answers.1.referral_id"),
    ):
        assert fields_of(give(api, an("accept", other), wrong)) == [field], wrong
    for answers in ([], [an("accept", uuid4()) for _ in range(101)]):
        assert fields_of(give(api, *answers)) == ["answers"]
    assert fields_of(give(api, an("accept", one), all_or_nothing="yes")) == ["all_or_nothing"]
    assert everything(api) == before
    assert len(results(give(api, *(an("accept", uuid4()) for _ in range(100))))) == 100


@pytest.mark.parametrize("together", [False, True])
def test_another_agencys_request_is_as_one_that_never_was(api: Api, together: bool) -> None:
    theirs, draft, ours = a_referral(api, provider="beta"), a_referral(api, send=False), ABSENT
    before = everything(api)
    answer = give(api, *(an("accept", one) for one in (theirs, draft, ours)),
                  all_or_nothing=together)  # fmt: skip
    told = answer.json()["results"]
    told = sorted(told, key=lambda one: str(one.pop("referral_id")))
    assert told[0] == told[1] == told[2]
    assert (told[0]["status"], told[0]["code"]) == (404, "not_found")
    assert answer.status_code == (409 if together else 200)
    assert everything(api) == before
    assert results(give(api, an("accept", theirs), by=OTHER_PROVIDER)) == [(200, None, "accepted")]


# All or nothing


def test_all_are_given_together_in_one_transaction(api: Api) -> None:
    home = a_supported_case(api)
    of_one_home = [a_referral(api, home), a_referral(api, home, provider="beta")]
    ours = [of_one_home[0], *(a_referral(api) for _ in range(3))]
    answer = give(api, *(an("accept", one) for one in ours), all_or_nothing=True)
    assert results(answer) == [(200, None, "accepted")] * 4
    assert [state(api, one) for one in ours] == ["accepted"] * 4
    (entry,) = entries(api, "inbox.answer")
    assert entry == ("ok", None, None, 4)
    assert entries(api, "referral.answer") == []


def two_requests_of_one_case(api: Api) -> list[UUID]:
    """A case with an approved plan of two services, both asked of one agency."""
    case = acts.a_case(api)
    acts.surveyed(api, case)
    acts.assessed(api, case)
    ctx = api.context(WORKER)
    codes, today = ("CARE-MEALS", "MED-VISIT"), ctx.act.today
    items: list[tuple[UUID | None, PlannedItem]] = [
        (None, PlannedItem(
            id=ctx.new_id(), service_code=code, content="as agreed", quantity=Decimal(1),
            unit="visit", per="week", starts_on=today, ends_on=today.replace(year=2027),
        ))
        for code in codes
    ]  # fmt: skip
    draft = plan.Draft(
        goals=["stay at home"], items=items, heard_on=today, heard_from="the resident"
    )
    planning.put_draft(ctx, case, draft)
    submitted = planning.submit_plan(ctx, case)
    decision = planning.DecisionCommand(
        version=submitted.version,
        hash=submitted.hash,
        approve=True,
        without_meeting_reason="none held",
    )
    planning.decide_plan(api.context(SUPERVISOR), case, decision)
    with api.engine.connect() as connection:
        query = select(t.planned_service.c.id, t.planned_service.c.service_code)
        rows = connection.execute(query.where(t.planned_service.c.case_id == case)).all()
    return [
        referring.refer(
            ctx,
            referring.ReferCommand(
                planned_service_id=row.id, priority="routine", basis_kind="article_14_2",
                offering_id=api.offerings["alpha", row.service_code].id,
            ),
        )
        for row in rows
    ]  # fmt: skip


@pytest.mark.parametrize("together", [False, True])
def test_two_requests_of_one_case_are_answered_in_one_bulk(api: Api, together: bool) -> None:
    first, second = two_requests_of_one_case(api)
    answer = give(
        api, an("accept", first), an("decline", second, reason="at_capacity"),
        all_or_nothing=together,
    )  # fmt: skip
    assert results(answer) == [(200, None, "accepted"), (200, None, "declined")]
    assert (state(api, first), state(api, second)) == ("accepted", "declined")
    kinds = t.deadline.c.met_at.is_(None) & t.deadline.c.cancelled_at.is_(None)
    with api.engine.connect() as connection:
        running = connection.scalars(
            select(t.deadline.c.kind).where(kinds, t.deadline.c.subject_id.in_([first, second]))
        )
        assert sorted(running) == ["disposition", "start"]


def test_where_one_is_refused_none_is_given_and_each_refusal_is_told(api: Api) -> None:
    fine, gone, odd = (a_referral(api) for _ in range(3))
    moved(api, gone, "cancel", WORKER, reason="no_longer_needed")
    before = everything(api)
    answer = give(
        api, an("accept", fine), an("accept", gone), an("decline", odd, reason="bored"),
        all_or_nothing=True, key="together",
    )  # fmt: skip
    assert refusal(answer) == (409, "answers_refused")
    told = {one["referral_id"]: (one["status"], one["code"]) for one in answer.json()["results"]}
    assert told == {
        str(gone): (409, "not_allowed_in_state"), str(odd): (422, "reason_unknown")
    }  # fmt: skip
    assert everything(api) == before
    assert entries(api, "inbox.answer") == [("refused", "answers_refused", None, 0)]
    # Nothing was done under the key, so a corrected request may use it.
    again = give(api, an("accept", fine), all_or_nothing=True, key="together")
    assert results(again) == [(200, None, "accepted")]


# Idempotency and audit


@pytest.mark.parametrize("together", [False, True])
def test_the_same_key_gives_each_answer_once(api: Api, together: bool) -> None:
    ours = [a_referral(api) for _ in range(2)]
    answers = [an("accept", one) for one in ours]
    first = give(api, *answers, key="k1", all_or_nothing=together)
    stored = everything(api)
    again = give(api, *answers, key="k1", all_or_nothing=together)
    assert again.json() == first.json()
    assert everything(api) == stored
    other = give(api, an("decline", ours[0], reason="at_capacity"), key="k1")
    assert refusal(other) == (422, "idempotency_key_reused")
    # A replay shows the current state and undoes nothing.
    moved(api, ours[0], "start", PROVIDER, started_on=api.context(PROVIDER).act.today)
    later = give(api, *answers, key="k1", all_or_nothing=together)
    assert results(later) == [(200, None, "in_progress"), (200, None, "accepted")]
    without = give(api, *answers)
    assert results(without)[1] == (409, "not_allowed_in_state", "accepted")


def test_a_mixed_bulk_that_is_sent_again_does_what_is_missing_and_no_more(api: Api) -> None:
    fine, late = a_referral(api), a_referral(api, send=False)
    answers = [an("accept", fine), an("accept", late), an("accept", ABSENT)]
    first = give(api, *answers, key="mixed")
    assert [one[:2] for one in results(first)] == [
        (200, None), (404, "not_found"), (404, "not_found")
    ]  # fmt: skip
    stored = everything(api)
    assert give(api, *answers, key="mixed").json() == first.json()
    assert everything(api) == stored
    assert api.as_(WORKER).post(f"/referrals/{late}/send").status_code == 200
    assert [one[:2] for one in results(give(api, *answers, key="mixed"))] == [
        (200, None), (200, None), (404, "not_found")
    ]  # fmt: skip
    accepted = t.event.c.name == "ReferralAccepted"
    assert count(api, t.event, accepted) == 2
    assert len([one for one in entries(api, "referral.answer") if one[0] == "ok"]) == 2


def test_each_answer_is_written_down_for_whom_it_was_about(api: Api) -> None:
    fine, gone = a_referral(api), a_referral(api)
    moved(api, gone, "cancel", WORKER, reason="no_longer_needed")
    give(api, an("accept", fine), an("accept", gone))
    assert entries(api, "referral.answer") == [("ok", None, str(fine), 1)]
    assert entries(api, "inbox.answer") == [
        ("ok", None, None, 0), ("refused", "not_allowed_in_state", str(gone), 0)
    ]  # fmt: skip
    assert entries(api, "inbox.read") == [("ok", None, None, 2)]


@pytest.mark.parametrize("together", [False, True])
def test_a_token_that_shows_nothing_answers_nothing(api: Api, together: bool) -> None:
    asked = a_referral(api)
    tokens = {}
    for name, scopes in (
        ("answers", ["inbox.answer", "referral.answer"]), ("looks", ["inbox.read"]),
        ("both", ["inbox.answer", "referral.answer", "inbox.read"]),
    ):  # fmt: skip
        asks = {"name": name, "expires_on": "2026-12-31", "scopes": scopes,
                "password": PASSWORD}  # fmt: skip
        tokens[name] = api.as_(PROVIDER).post("/me/tokens", asks).json()["secret"]
    body = {"answers": [an("accept", asked)], "all_or_nothing": together}
    before = everything(api)
    for name in ("answers", "looks"):
        assert ask(api, tokens[name], "POST", "/inbox/answers", body).status_code == 403
    assert {k: v for k, v in everything(api).items() if k != "account_token"} == {
        k: v for k, v in before.items() if k != "account_token"
    }
    assert results(ask(api, tokens["both"], "POST", "/inbox/answers", body)) == [
        (200, None, "accepted")
    ]  # fmt: skip


# Concurrency


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.both_stores
def test_of_bulks_at_once_each_request_is_answered_once(api: Api, together: bool) -> None:
    """Four people accept the same ten requests in different orders at the same time."""
    make_room(api)
    ours = [a_referral(api) for _ in range(6)]
    orders = [ours, ours[::-1], ours[3:] + ours[:3], ours[1::2] + ours[::2]]
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda order: give(api, *(an("accept", one) for one in order),
                                   all_or_nothing=together),
                orders,
            )
        )  # fmt: skip
    assert {one.status_code for one in answers} <= ({200, 409} if together else {200})
    accepted = count(api, t.event, t.event.c.name == "ReferralAccepted")
    assert accepted == len(ours)
    assert [state(api, one) for one in ours] == ["accepted"] * len(ours)
    told = [one for answer in answers for one in answer.json()["results"]]
    assert sum(one["status"] == 200 for one in told) == len(ours)
    assert {one["code"] for one in told if one["status"] != 200} == {"not_allowed_in_state"}


@pytest.mark.both_stores
def test_of_one_bulk_sent_twice_at_once_under_one_key_one_is_done(api: Api) -> None:
    ours = [a_referral(api) for _ in range(4)]
    answers = [an("accept", one) for one in ours]
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: give(api, *answers, key="twice"), range(2)))
    assert count(api, t.event, t.event.c.name == "ReferralAccepted") == len(ours)
    for one in both:
        assert results(one) == [(200, None, "accepted")] * len(ours)

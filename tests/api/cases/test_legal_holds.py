"""A legal hold: who may place it, where it is shown, how it is reviewed and ended."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from casework import legal_holds
from casework.domain.casefile.case_numbers import case_number
from casework.domain.errors import NotFound
from tests.api import acts
from tests.api.asking import (
    OUTSIDERS,
    Ask,
    check_nobody_and_wrong_roles,
    check_strangers,
    fields_of,
    refusal,
)
from tests.api.conftest import ASSESSOR, SUPERVISOR, WORKER, Api
from tests.api.shared.test_guard import audit

PLACED = {"reason": "a claim is before the court", "review_on": "2026-09-01"}


def hold(api: Api, case: UUID, **facts: Any) -> Any:
    return api.as_(SUPERVISOR).post(f"/cases/{case}/legal-hold", PLACED | facts)


def end(api: Api, case: UUID, reason: str = "the claim was withdrawn") -> Any:
    return api.as_(SUPERVISOR).post(f"/cases/{case}/legal-hold/end", {"reason": reason})


def shown(api: Api, case: UUID, by: str = WORKER) -> Any:
    return api.as_(by).get(f"/cases/{case}").json()


def events(api: Api, case: UUID) -> list[str]:
    """What the timeline of its resident says of it, the oldest first."""
    resident = shown(api, case)["resident_id"]
    return [
        one["event"]
        for one in reversed(api.as_(WORKER).items(f"/residents/{resident}/timeline"))
        if one["event"].startswith("LegalHold")
    ]


def test_a_supervisor_of_its_district_alone_holds_a_case(api: Api) -> None:
    case = acts.a_case(api)
    asks = [
        Ask("POST", "/cases/{id}/legal-hold", case, PLACED, (WORKER, ASSESSOR, *OUTSIDERS)),
        Ask("POST", "/cases/{id}/legal-hold/end", case, {"reason": "no"}, (WORKER, ASSESSOR)),
    ]
    check_nobody_and_wrong_roles(api, asks)
    check_strangers(api, asks)


def test_a_hold_is_shown_on_the_case_and_stands_in_its_history_and_the_audit(api: Api) -> None:
    case = acts.a_case(api)
    answer = hold(api, case)
    assert answer.status_code == 200, answer.text
    it = shown(api, case)
    assert it["legal_hold_review_on"] == "2026-09-01"
    assert it["legal_holds"] == [
        PLACED
        | {"at": "2026-03-02T10:00:00+09:00", "by": str(api.id_of(SUPERVISOR))}
        | {"ended_at": None, "ended_by": None, "end_reason": None}
    ]
    assert "end-legal-hold" not in it["allowed_actions"], "a worker does not end it"
    assert "end-legal-hold" in shown(api, case, SUPERVISOR)["allowed_actions"]
    (row,) = api.as_(WORKER).items("/cases", legal_hold="true")
    assert (row["id"], row["legal_hold_review_on"]) == (str(case), "2026-09-01")
    assert api.as_(WORKER).items("/cases", legal_hold="false") == []
    api.clock.forward(days=1)
    assert end(api, case).status_code == 200
    it = shown(api, case)
    assert it["legal_hold_review_on"] is None
    assert it["legal_holds"][0]["end_reason"] == "the claim was withdrawn"
    assert events(api, case) == ["LegalHoldPlaced", "LegalHoldEnded"]
    wrote = [one for one in audit(api) if one["action"] == "case.supervise"]
    assert [one["outcome"] for one in wrote] == ["ok", "ok"]
    assert {str(acts_of) for one in wrote for acts_of in one["subjects"]} == {it["resident_id"]}


def test_placed_anew_it_is_reviewed_and_both_stay_to_be_read(api: Api) -> None:
    case = acts.a_case(api)
    hold(api, case)
    hold(api, case, reason="the appeal goes on", review_on="2026-12-01")
    first, second = shown(api, case)["legal_holds"]
    assert (first["end_reason"], second["reason"]) == ("the appeal goes on", "the appeal goes on")
    assert (second["review_on"], second["ended_at"]) == ("2026-12-01", None)


@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("2026-03-01", "date_too_early"),
        ("2026-03-02", "date_too_early"),
        ("2026-03-03", None),
        ("2027-03-02", None),
        ("2027-03-03", "date_too_far"),
    ],
)
def test_the_day_of_review_is_later_than_today_and_within_a_year(
    api: Api, day: str, code: str | None
) -> None:
    answer = hold(api, acts.a_case(api), review_on=day)
    if code is None:
        assert answer.status_code == 200, answer.text
    else:
        assert (refusal(answer), fields_of(answer)) == ((422, code), ["review_on"])


def test_what_is_not_held_is_not_ended_and_no_reason_is_refused(api: Api) -> None:
    case = acts.a_case(api)
    assert refusal(end(api, case)) == (409, "not_allowed_in_state")
    assert hold(api, case, reason=" ").status_code == 422
    hold(api, case)
    assert end(api, case, reason=" ").status_code == 422
    assert shown(api, case)["legal_hold_review_on"] == "2026-09-01"


def test_an_operator_holds_a_case_by_its_number(api: Api) -> None:
    case = acts.a_case(api)
    number, day = acts.number_of(api, case), api.clock.now.date().replace(month=9)
    legal_holds.place(api.application, number, "the privacy officer says so", day)
    (one,) = shown(api, case)["legal_holds"]
    assert (one["by"], one["reason"]) == (None, "the privacy officer says so")
    assert [row["number"] for row in legal_holds.standing(api.application)] == [number]
    legal_holds.end(api.application, number, "no longer")
    assert list(legal_holds.standing(api.application)) == []
    tasks = [one["task"] for one in audit(api) if one["task"].startswith("casework retention")]
    assert {"casework retention hold", "casework retention release"} <= set(tasks)
    with pytest.raises(NotFound):
        legal_holds.place(api.application, case_number("26350", 2026, 99_999), "nobody's", day)

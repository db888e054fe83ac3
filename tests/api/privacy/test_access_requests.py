"""Access requests of residents: recorded, identity checked, answered within ten days."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.domain.agencies.rosters import DeliveryReport
from casework.workflows.agencies import answer_pages
from tests.api import acts
from tests.api.asking import (
    ABSENT,
    Ask,
    check_nobody_and_wrong_roles,
    check_strangers,
    check_wrong,
    etag,
    everything,
    refusal,
)
from tests.api.conftest import ASSESSOR, PROVIDER, SUPERVISOR, WORKER, Api

RECEIVED = {"received_on": "2026-03-02", "requested_by": "self"}
CHECKED = {"identity_checked": {"how": "identity_card"}}
GIVEN = {"answer": "given", "answered_on": "2026-03-02", "handed_over": "in_person"}


@pytest.fixture
def resident(api: Api) -> UUID:
    """A resident with some data."""
    return acts.a_resident(api)


def asked(api: Api, resident: UUID, **more: Any) -> dict[str, Any]:
    """A recorded access request."""
    answer = api.as_(WORKER).post(f"/residents/{resident}/access-requests", RECEIVED | more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_request_is_recorded_and_read_back_by_centre_and_district(
    api: Api, resident: UUID
) -> None:
    made = asked(api, resident)
    assert made["resident_id"] == str(resident)
    assert (made["identity_checked"], made["overdue"]) == (None, False)
    assert made["allowed_actions"] == ["identity", "answer"]
    for username in (WORKER, SUPERVISOR):
        assert api.as_(username).get(f"/access-requests/{made['id']}").json() == made
        assert api.as_(username).items("/access-requests") == [made]
        assert api.as_(username).items(f"/residents/{resident}/access-requests") == [made]


@pytest.mark.parametrize(
    ("received_on", "due_on"),
    [
        ("2026-03-02", "2026-03-12"),  # the first day is not counted
        ("2026-02-26", "2026-03-09"),  # the tenth day is a Sunday
        ("2026-02-19", "2026-03-03"),  # Sunday, and a substitute holiday after it
    ],
)
def test_ten_days_are_counted_as_the_civil_act_does(
    api: Api, resident: UUID, received_on: str, due_on: str
) -> None:
    assert asked(api, resident, received_on=received_on)["due_on"] == due_on


def test_it_is_overdue_from_the_day_after_and_until_it_is_answered(
    api: Api, resident: UUID
) -> None:
    made = asked(api, resident, **CHECKED)
    for moment, overdue in (
        ("2026-03-11T10:00", False), ("2026-03-12T23:59", False), ("2026-03-13T00:00", True),
    ):  # fmt: skip
        api.clock.set(moment)
        (shown,) = api.as_(SUPERVISOR).items("/access-requests")
        assert shown["overdue"] is overdue, moment
    path = f"/access-requests/{made['id']}/answer"
    assert api.as_(WORKER).post(path, GIVEN | {"answered_on": "2026-03-13"}).status_code == 200
    assert api.as_(SUPERVISOR).items("/access-requests") == []
    shown = api.as_(WORKER).get(f"/access-requests/{made['id']}").json()
    assert (shown["overdue"], shown["answer"], shown["handed_over"]) == (
        False,
        "given",
        "in_person",
    )


def test_nothing_is_handed_out_before_it_is_known_who_asks(api: Api, resident: UUID) -> None:
    made, worker = asked(api, resident), api.as_(WORKER)
    path = f"/access-requests/{made['id']}"
    before = everything(api)
    for answer in (worker.get(f"{path}/document"), worker.post(f"{path}/answer", GIVEN)):
        assert refusal(answer) == (409, "identity_not_checked")
        assert answer.json()["allowed_actions"] == ["identity", "answer"]
    assert everything(api) == before
    checked = worker.post(f"{path}/identity", {"how": "other_document"}).json()
    assert checked["identity_checked"] == {
        "how": "other_document",
        "at": "2026-03-02T10:00:00+09:00",
        "by": str(api.id_of(WORKER)),
    }
    assert worker.get(f"{path}/document").status_code == 200
    assert worker.post(f"{path}/answer", GIVEN).json()["allowed_actions"] == ["document"]
    for again in ("identity", "answer"):
        body = {"how": "identity_card"} if again == "identity" else GIVEN
        assert refusal(worker.post(f"{path}/{again}", body)) == (409, "request_answered")


def test_it_can_be_refused_for_a_reason_and_then_nothing_is_printed(
    api: Api, resident: UUID
) -> None:
    made, worker = asked(api, resident), api.as_(WORKER)
    path = f"/access-requests/{made['id']}"
    refused = {"answer": "refused", "answered_on": "2026-03-02", "reason": "Article 35(4) 2"}
    shown = worker.post(f"{path}/answer", refused).json()
    assert (shown["answer"], shown["reason"], shown["allowed_actions"]) == (
        "refused", "Article 35(4) 2", [],
    )  # fmt: skip
    assert refusal(worker.get(f"{path}/document")) == (409, "request_answered")


def test_a_stale_version_and_a_repeated_key(api: Api, resident: UUID) -> None:
    worker, key = api.as_(WORKER), {"Idempotency-Key": "one"}
    path = f"/residents/{resident}/access-requests"
    first = worker.post(path, RECEIVED, headers=key)
    assert worker.post(path, RECEIVED, headers=key).json() == first.json()
    assert len(worker.items(path)) == 1
    own = f"/access-requests/{first.json()['id']}"
    seen = etag(worker.get(own))
    assert worker.post(f"{own}/identity", {"how": "identity_card"}, headers=seen).status_code == 200
    assert refusal(worker.post(f"{own}/answer", GIVEN, headers=seen)) == (412, "stale")


def test_what_cannot_be_right_is_refused(api: Api, resident: UUID) -> None:
    worker = api.as_(WORKER)
    path = f"/residents/{resident}/access-requests"
    check_wrong(
        api,
        lambda wrong: worker.post(path, RECEIVED | wrong),
        [
            ({"received_on": "2026-03-03"}, "received_on"),
            ({"requested_by": "neighbour"}, "requested_by"),
            ({"requested_by": "agent"}, "requester"),
            ({"identity_checked": {"how": "by_heart"}}, "identity_checked.how"),
            ({"due_on": "2026-03-30"}, "due_on"),
        ],
    )
    own = f"/access-requests/{asked(api, resident, **CHECKED)['id']}/answer"
    check_wrong(
        api,
        lambda wrong: worker.post(own, GIVEN | wrong),
        [
            ({"answered_on": "2026-03-03"}, "answered_on"),
            ({"answered_on": "2026-03-01"}, "answered_on"),
            ({"handed_over": None}, "handed_over"),
            ({"handed_over": "pigeon"}, "handed_over"),
            ({"answer": "refused", "handed_over": None}, "reason"),
            ({"answer": "refused", "reason": "x"}, "handed_over"),
        ],
    )


def test_strangers_and_wrong_roles_learn_nothing(api: Api, resident: UUID) -> None:
    made = UUID(asked(api, resident, **CHECKED)["id"])
    never = (PROVIDER, ASSESSOR, "city", "auditor", "admin")
    asks = [
        Ask("POST", "/residents/{id}/access-requests", resident, RECEIVED, never),
        Ask("GET", "/access-requests/{id}", made, None, never),
        Ask("GET", "/access-requests/{id}/document", made, None, never),
        Ask("POST", "/access-requests/{id}/identity", made, {"how": "identity_card"}, never),
        Ask("POST", "/access-requests/{id}/answer", made, GIVEN, never),
    ]
    check_nobody_and_wrong_roles(api, asks)
    check_strangers(api, asks)
    assert api.as_(f"worker.{'2611051000'}").items("/access-requests") == []


# The answer


def test_the_answer_has_what_is_held_and_who_looked_and_nothing_of_anybody_else(api: Api) -> None:
    case = acts.a_supported_case(api)
    referral = acts.a_referral(api, case)
    worker, provider = api.as_(WORKER), api.as_(PROVIDER)
    resident = UUID(worker.get(f"/cases/{case.case}").json()["resident"]["id"])
    other = acts.a_resident(api)
    their = worker.get(f"/residents/{other}").json()
    own = worker.get(f"/residents/{resident}").json()
    note = {"kind": "call", "with": "neighbour", "text": "likes <b>tea</b> & chess"}
    assert worker.post(f"/residents/{resident}/notes", note).status_code == 201
    assert worker.put(f"/residents/{resident}/way-in", {"text": "knock <twice>"}).status_code == 200
    acts.moved(api, referral, "accept", PROVIDER)
    acts.moved(api, referral, "start", PROVIDER, started_on=api.clock.now.date())
    said = DeliveryReport(delivered=Decimal(7), reason="other", note="was away for a week")
    answer_pages.record_roster(api.context(PROVIDER), "2026-03", {referral: said})
    assert provider.get(f"/referrals/{referral}").status_code == 200
    assert api.as_("worker.2611051000").get(f"/residents/{resident}").status_code == 404
    made = asked(api, resident, **CHECKED)
    path = f"/access-requests/{made['id']}/document"
    answer = worker.get(path, headers={"Accept-Language": "ko"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-language"] == "ko"
    assert answer.headers["cache-control"] == "no-store"
    page = answer.text
    assert "개인정보 열람 결과" in page
    for held in (own["name"], own["birth_date"], "likes &lt;b&gt;tea&lt;/b&gt; &amp; chess",
                 "knock &lt;twice&gt;", "출입 방법", "was away for a week", "제공 수량",
                 "alpha 돌봄", "제공 항목", "접속기록", "2026-03-12"):  # fmt: skip
        assert held in page, held
    looks = page[page.index("접속기록") :]
    assert {"제공기관", "읍면동 담당자", "거부됨", "의뢰 조회"} <= set(
        looks.replace("</td>", "<td>").split("<td>")
    )
    assert str(other) not in page
    assert their["name"] not in page
    assert WORKER not in page, "an office looked, and no account"
    english = worker.get(path, headers={"Accept-Language": "en"})
    assert "What is held about you" in english.text


def test_everything_about_it_is_in_the_audit(api: Api, resident: UUID) -> None:
    made = asked(api, resident, **CHECKED)
    api.as_(WORKER).get(f"/access-requests/{made['id']}/document")
    api.as_(SUPERVISOR).items("/access-requests")
    entry = t.audit_entry.c
    query = select(entry.action, entry.subjects, entry.asked_for).order_by(entry.id.desc()).limit(3)
    with api.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    assert rows == [
        ("access_request.read", [str(resident)], None),
        ("resident.export", [str(resident)], made["id"]),
        ("access_request.write", [str(resident)], str(resident)),
    ]
    api.clock.forward(seconds=1)  # a summary counts what was before the moment it is asked for
    summary = api.as_("auditor").items("/audit/summary", month="2026-03")
    assert {row["username"]: row["exports"] for row in summary}[WORKER] == 1


def test_a_request_about_nobody_is_not_found(api: Api) -> None:
    path = f"/residents/{ABSENT}/access-requests"
    assert refusal(api.as_(WORKER).post(path, RECEIVED)) == (404, "not_found")

"""What ends, agency, designation or service: who is told, what is matched, what is not sent."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.domain.casefile.plan import PlannedItem
from casework.domain.planning.planning import Draft
from casework.workflows.planning import planning
from tests.api.acts import Supported, a_case, a_referral, a_resident, a_supported_case, moved
from tests.api.asking import everything, fields_of, refusal
from tests.api.conftest import HERE, PROVIDER, SUPERVISOR, WORKER, Api

LAST = date(2026, 3, 20)


def agency(api: Api, slug: str = "alpha") -> UUID:
    return api.providers[slug].id


def ends(api: Api, last_day: date | None, by: str = "admin") -> Any:
    tag = api.as_(by).get(f"/providers/{agency(api)}").headers["ETag"]
    body = {"last_day": last_day and last_day.isoformat(), "reason": last_day and "it moves away"}
    return api.as_(by).post(f"/providers/{agency(api)}/end", body, headers={"If-Match": tag})


def designated(api: Api, code: str, until: date | None = None) -> dict[str, Any]:
    body = {"code": code, "valid_from": "2026-01-01", "designated_by": "부산광역시",
            "valid_to": until and until.isoformat()}  # fmt: skip
    answer = api.as_("admin").post(f"/providers/{agency(api)}/designations", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def told(
    api: Api, kind: str = "agency_ends"
) -> list[tuple[str, str, list[str], UUID | None, str | None]]:
    of = t.notice.c
    query = select(of.subject_id, of.about, of.tell, of.worker_id, of.due_at).where(of.kind == kind)
    with api.engine.connect() as connection:
        return [
            (str(row.subject_id), row.about, list(row.tell), row.worker_id,
             row.due_at and row.due_at.isoformat())
            for row in connection.execute(query.order_by(of.id))
        ]  # fmt: skip


def a_request(api: Api, supported: Supported, code: str, **more: Any) -> Any:
    body = {
        "planned_service_id": str(supported.service),
        "offering_id": str(api.offerings["alpha", code].id),
        "priority": "routine", "basis": {"kind": "article_14_2"},
    }  # fmt: skip
    return api.as_(WORKER).post("/referrals", body | more)


def beginning(api: Api, starts_on: date) -> Supported:
    """A case of which a service is approved that begins on a day."""
    resident = a_resident(api)
    case = a_case(api, WORKER, resident, urgent=True, urgent_reason="nobody cooks")
    ctx = api.context(WORKER)
    item = PlannedItem(
        id=ctx.new_id(), service_code="CARE-MEALS", content="lunch", quantity=Decimal(1),
        unit="meal", per="day", starts_on=starts_on, ends_on=starts_on + timedelta(days=30),
    )  # fmt: skip
    draft = Draft(goals=["eats"], items=[(None, item)], heard_on=ctx.act.today, heard_from="her")
    planning.put_draft(ctx, case, draft)
    (service,) = api.as_(WORKER).get(f"/cases/{case}/plan").json()["draft"]["services"]
    return Supported(resident, case, UUID(service["id"]))


@pytest.mark.parametrize("by", ["admin", SUPERVISOR])
def test_the_workers_with_an_open_referral_are_told_that_an_agency_ends(api: Api, by: str) -> None:
    requested, running, over = a_referral(api), a_referral(api), a_referral(api)
    draft = a_referral(api, send=False)
    a_referral(api, provider="beta")
    moved(api, running, "accept", PROVIDER)
    moved(api, over, "decline", PROVIDER, reason="out_of_area")
    assert ends(api, LAST, by).status_code == 200
    worker = api.id_of(WORKER)
    assert sorted(told(api)) == sorted(
        (str(id), "ends", ["worker"], worker, told(api)[0][4]) for id in (requested, running, draft)
    )
    assert "2026-03-20T14:59:59" in (told(api)[0][4] or "")
    before = len(told(api))
    assert ends(api, LAST, by).status_code == 200
    assert len(told(api)) == before
    assert ends(api, None, by).status_code == 200
    assert {one[1] for one in told(api)[before:]} == {"goes_on"}
    assert len(told(api)) == 2 * before


def test_a_letter_says_that_an_agency_ends(api: Api) -> None:
    a_referral(api)
    assert ends(api, LAST).status_code == 200
    api.clock.set("2026-03-03T09:30")
    api.application.relay(api.application.context())
    with api.engine.connect() as connection:
        query = select(t.message.c.payload).where(t.message.c.account_id == api.id_of(WORKER))
        kinds = [item["kind"] for payload in connection.scalars(query) for item in payload["items"]]
    assert "agency_ends" in kinds


def test_matching_says_the_last_day_and_lists_nobody_after_it(api: Api) -> None:
    def last_days() -> dict[str, str | None]:
        body = {"service_code": "CARE-MEALS", "centre_code": HERE}
        items = api.as_(WORKER).post("/offerings/match", body).json()["items"]
        return {one["provider"]["name"].split()[0]: one["last_day"] for one in items}

    assert last_days() == {"alpha": None, "beta": None}
    assert ends(api, LAST).status_code == 200
    for moment, there in (
        ("2026-03-19", True),
        ("2026-03-20T23:59:59", True),
        ("2026-03-21", False),
    ):
        api.clock.set(moment if "T" in moment else f"{moment}T00:00")
        expected = {"beta": None} | ({"alpha": "2026-03-20"} if there else {})
        assert last_days() == expected, moment


def test_nothing_is_sent_to_an_agency_for_days_after_its_last(api: Api) -> None:
    assert ends(api, LAST).status_code == 200
    for days, status in ((-1, 201), (0, 201), (1, 422)):
        supported = beginning(api, LAST + timedelta(days=days))
        before = everything(api)
        for more in ({}, {"send": False}):
            answer = a_request(api, supported, "CARE-MEALS", **more)
            if status == 201:
                assert answer.status_code == 201, answer.text
                break
            assert refusal(answer) == (422, "provider_ended")
            assert fields_of(answer) == ["offering_id"]
        if status != 201:
            assert everything(api) == before


def test_a_draft_is_not_sent_after_the_agencys_last_day(api: Api) -> None:
    supported = a_supported_case(api)
    draft = a_request(api, supported, "CARE-MEALS", send=False).json()["id"]
    assert ends(api, LAST).status_code == 200
    api.clock.set("2026-03-21T10:00")
    answer = api.as_(WORKER).post(f"/referrals/{draft}/send")
    assert refusal(answer) == (422, "provider_ended")


def test_a_designation_that_ends_is_told_shown_and_kept_to(api: Api) -> None:
    made = designated(api, "home_visit_15")
    supported = a_supported_case(api, code="MED-VISIT")
    meals = a_referral(api)
    sent = a_request(api, supported, "MED-VISIT")
    assert sent.status_code == 201, sent.text
    admin, path = api.as_("admin"), f"/designations/{made['id']}/end"
    body = {"last_day": LAST.isoformat()}
    assert admin.post(path, body).status_code == 200
    assert [(one[0], one[1]) for one in told(api)] == [(sent.json()["id"], "ends")]
    assert str(meals) not in {one[0] for one in told(api)}
    question = {"service_code": "MED-VISIT", "centre_code": HERE}

    def found() -> dict[str, str | None]:
        items = api.as_(WORKER).post("/offerings/match", question).json()["items"]
        return {one["provider"]["name"].split()[0]: one["last_day"] for one in items}

    api.clock.set("2026-03-20T23:00")
    assert found() == {"alpha": "2026-03-20", "beta": None}
    other = a_supported_case(api, code="MED-VISIT")
    assert a_request(api, other, "MED-VISIT").status_code == 201
    last = a_supported_case(api, code="MED-VISIT")
    api.clock.set("2026-03-21T00:00")
    assert found() == {"beta": None}
    assert refusal(a_request(api, last, "MED-VISIT")) == (422, "designation_ended")
    listed = api.as_(WORKER).items("/offerings", service="MED-VISIT", centre=HERE)
    assert str(agency(api)) not in {one["provider_id"] for one in listed}


def test_a_designation_that_is_renewed_ends_nothing(api: Api) -> None:
    first = designated(api, "home_visit_15", LAST)
    a_request(api, a_supported_case(api, code="MED-VISIT"), "MED-VISIT")
    second = api.as_("admin").post(f"/providers/{agency(api)}/designations", {
        "code": "home_visit_15", "valid_from": "2026-03-21", "designated_by": "부산광역시",
    })  # fmt: skip
    assert second.status_code == 201, second.text
    body = {"last_day": "2026-03-10"}
    assert api.as_("admin").post(f"/designations/{first['id']}/end", body).status_code == 200
    assert told(api) == []


def service_ends(api: Api, last_day: date | None) -> Any:
    path = "/services/CARE-MEALS"
    tag = api.as_("admin").get(path).headers["ETag"]
    body = {"valid_to": last_day and last_day.isoformat()}
    return api.as_("admin").patch(path, body, headers={"If-Match": tag})


def test_the_workers_who_plan_or_ask_for_a_service_are_told_that_it_ends(api: Api) -> None:
    asked, planned, over = (a_supported_case(api) for _ in range(3))
    a_referral(api, asked)
    settled = api.as_(WORKER).post(
        f"/planned-services/{over.service}/settle", {"disposition": "no_longer_needed"}
    )
    assert settled.status_code == 200, settled.text
    closed = a_supported_case(api)
    body = {"reason": "refused"}
    assert api.as_(WORKER).post(f"/cases/{closed.case}/close", body).status_code == 200
    drafted = beginning(api, LAST - timedelta(days=10))
    gone = beginning(api, LAST - timedelta(days=30))  # its own last day is that of the service
    a_supported_case(api, code="MED-VISIT")
    assert service_ends(api, LAST).status_code == 200
    concerned = sorted(str(one.service) for one in (asked, planned, drafted))
    found = told(api, "service_ends")
    assert sorted(one[0] for one in found) == concerned
    assert str(gone.service) not in concerned
    assert {one[1:4] for one in map(_hashable, found)} == {("ends", ("worker",), api.id_of(WORKER))}
    assert {one[4][:19] for one in found if one[4]} == {"2026-03-20T14:59:59"}
    assert service_ends(api, LAST).status_code == 200
    assert len(told(api, "service_ends")) == len(concerned), "nothing was changed"
    assert service_ends(api, None).status_code == 200
    back = told(api, "service_ends")[len(concerned) :]
    assert sorted((one[0], one[1]) for one in back) == [(one, "goes_on") for one in concerned]


def _hashable(one: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*one[:2], tuple(one[2]), *one[3:])


def test_a_letter_says_that_a_service_ends(api: Api) -> None:
    a_supported_case(api)
    assert service_ends(api, LAST).status_code == 200
    api.clock.set("2026-03-03T09:30")
    api.application.relay(api.application.context())
    with api.engine.connect() as connection:
        query = select(t.message.c.payload).where(t.message.c.account_id == api.id_of(WORKER))
        kinds = [item["kind"] for payload in connection.scalars(query) for item in payload["items"]]
    assert kinds.count("service_ends") == 1


def test_a_service_that_ends_shows_its_last_day_and_is_not_asked_for_beyond_it(api: Api) -> None:
    question = {"service_code": "CARE-MEALS", "centre_code": HERE}

    def last_days() -> set[str | None]:
        items = api.as_(WORKER).post("/offerings/match", question).json()["items"]
        return {one["last_day"] for one in items}

    assert last_days() == {None}
    supported = a_supported_case(api)
    begin = {days: beginning(api, LAST + timedelta(days=days)) for days in (-1, 0, 1)}
    assert service_ends(api, LAST).status_code == 200
    assert last_days() == {"2026-03-20"}
    for days, status in ((-1, 201), (0, 201), (1, 422)):
        answer = a_request(api, begin[days], "CARE-MEALS")
        assert answer.status_code == status, answer.text
        if status == 422:
            assert refusal(answer) == (422, "service_not_in_force")
    draft = a_request(api, supported, "CARE-MEALS", send=False).json()["id"]
    api.clock.set("2026-03-20T23:59")
    assert last_days() == {"2026-03-20"}
    api.clock.set("2026-03-21T00:00")
    assert last_days() == set()
    answer = api.as_(WORKER).post(f"/referrals/{draft}/send")
    assert refusal(answer) == (422, "service_not_in_force")

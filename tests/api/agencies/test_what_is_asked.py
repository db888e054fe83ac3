"""An agency sees what it is asked and whom to call: with an account, and for an urgent draft."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, update

from casework.adapters import reference
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.domain.casefile.plan import PlannedItem
from casework.domain.planning.planning import Draft
from casework.workflows.planning import planning
from tests.api.acts import Supported, a_case, a_referral, a_resident, a_supported_case, moved
from tests.api.asking import refusal
from tests.api.conftest import (
    COLLEAGUE,
    DISTRICT,
    FAR_SUPERVISOR,
    HERE,
    OTHER_PROVIDER,
    PASSWORD,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

MEALS = {"content": "lunch", "quantity": 3, "unit": "meal", "per": "week"}


def shown(api: Api, referral: UUID, by: str = PROVIDER) -> dict[str, Any]:
    answer = api.as_(by).get(f"/referrals/{referral}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def phone(api: Api, username: str, number: str | None) -> None:
    with api.engine.begin() as connection:
        which = t.account.c.username == username
        connection.execute(update(t.account).where(which).values(phone=number))


def urgent_and_only_drafted(api: Api) -> tuple[Supported, PlannedItem]:
    resident = a_resident(api)
    case = a_case(api, WORKER, resident, urgent=True, urgent_reason="nobody cooks")
    ctx = api.context(WORKER)
    item = PlannedItem(
        id=ctx.new_id(), service_code="CARE-MEALS", content="supper", quantity=Decimal("1.5"),
        unit="meal", per="day", starts_on=ctx.act.today, ends_on=ctx.act.today + timedelta(days=9),
    )  # fmt: skip
    draft = Draft(goals=["eats"], items=[(None, item)], heard_on=ctx.act.today, heard_from="her")
    planning.put_draft(ctx, case, draft)
    plan = api.as_(WORKER).get(f"/cases/{case}/plan").json()
    (service,) = plan["draft"]["services"]
    return Supported(resident, case, UUID(service["id"])), item


def test_an_agency_reads_what_is_asked_and_whom_to_call(api: Api) -> None:
    phone(api, WORKER, "051-000-7001")
    referral, today = a_referral(api), api.clock.now.date()
    period = {"from": f"{today}", "to": f"{today.replace(year=2027)}"}
    for by in (PROVIDER, WORKER, SUPERVISOR):
        seen = shown(api, referral, by)
        assert seen["asked"] == MEALS | period
        assert seen["contact"] == {
            "centre": next(one.name for one in reference.centres() if one.code == HERE),
            "worker": api.actor(WORKER).name,
            "phone": "051-000-7001",
            "centre_phone": None,
        }
    (item,) = api.as_(PROVIDER).items("/inbox")
    assert item["asked"] == MEALS | period
    assert item["contact"] == shown(api, referral)["contact"]


def test_an_urgent_draft_is_read_by_the_agency_as_it_stands(api: Api) -> None:
    supported, item = urgent_and_only_drafted(api)
    referral = a_referral(api, supported, priority="urgent")
    asked = shown(api, referral)["asked"]
    assert asked == {
        "content": "supper", "quantity": 1.5, "unit": "meal", "per": "day",
        "from": f"{item.starts_on}", "to": f"{item.ends_on}",
    }  # fmt: skip
    (one,) = api.as_(PROVIDER).items("/inbox")
    assert one["asked"] == asked
    moved(api, referral, "accept", PROVIDER)
    assert shown(api, referral)["asked"] == asked


def test_a_change_that_is_only_drafted_is_not_asked_yet(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    before = shown(api, referral)["asked"]
    ctx = api.context(WORKER)
    item = PlannedItem(
        id=supported.service, service_code="CARE-MEALS", content="dinner", quantity=Decimal(5),
        unit="meal", per="week", starts_on=ctx.act.today,
        ends_on=ctx.act.today.replace(year=2027),
    )  # fmt: skip
    draft = Draft(goals=["eats"], items=[(supported.service, item)], heard_on=ctx.act.today,
                  heard_from="her")  # fmt: skip
    planning.put_draft(ctx, supported.case, draft)
    assert shown(api, referral)["asked"] == before
    named = planning.submit_plan(ctx, supported.case)
    command = planning.DecisionCommand(
        version=named.version, hash=named.hash, approve=True, without_meeting_reason="in a hurry"
    )
    planning.decide_plan(api.context(SUPERVISOR), supported.case, command)
    assert shown(api, referral)["asked"]["content"] == "dinner"


def test_where_the_worker_has_no_telephone_somebody_of_the_centre_answers(api: Api) -> None:
    phone(api, WORKER, None)
    phone(api, COLLEAGUE, "051-000-7002")
    referral = a_referral(api)
    contact = shown(api, referral)["contact"]
    assert (contact["worker"], contact["phone"]) == (api.actor(WORKER).name, "051-000-7002")
    phone(api, COLLEAGUE, None)
    assert shown(api, referral)["contact"]["phone"] is None


@pytest.mark.both_stores
def test_nobody_who_is_away_today_answers_for_the_centre(api: Api) -> None:
    """The deputy has no telephone, and the absent worker's own is nobody's to call."""
    api.clock.set("2026-03-11T10:00")
    phone(api, WORKER, "051-000-7001")
    phone(api, COLLEAGUE, None)
    referral = a_referral(api)
    body = {"worker_id": str(api.id_of(WORKER)), "deputy_id": str(api.id_of(COLLEAGUE)),
            "from": "2026-03-13", "to": "2026-03-16"}  # fmt: skip
    assert api.as_(SUPERVISOR).post("/absences", body).status_code == 201
    there, away = (
        (api.actor(WORKER).name, "051-000-7001"), (api.actor(COLLEAGUE).name, None),
    )  # fmt: skip
    for day, who in (("12", there), ("13", away), ("16", away), ("17", there)):
        api.clock.set(f"2026-03-{day}T10:00")
        contact = shown(api, referral)["contact"]
        assert (contact["worker"], contact["phone"]) == who, day


def test_the_centre_has_a_telephone_of_its_own(api: Api) -> None:
    phone(api, WORKER, None)
    phone(api, COLLEAGUE, "051-000-7002")
    referral, path = a_referral(api), f"/centres/{HERE}/phone"
    for by in (WORKER, PROVIDER, "city", "auditor"):
        assert api.as_(by).post(path, {"phone": "051-000-7000"}).status_code == 403
    far = api.as_(FAR_SUPERVISOR).post(path, {"phone": "051-000-7000"})
    assert far.content == api.as_(FAR_SUPERVISOR).post("/centres/0/phone", {"phone": None}).content
    assert far.status_code == 404
    said = api.as_(SUPERVISOR).post(path, {"phone": "051-000-7000"})
    assert (said.status_code, said.json()["phone"]) == (200, "051-000-7000")
    centres = {one["code"]: one for one in api.as_(PROVIDER).items("/centres", district=DISTRICT)}
    assert centres[HERE] == said.json()
    contact = shown(api, referral)["contact"]
    assert (contact["phone"], contact["centre_phone"]) == ("051-000-7000", "051-000-7000")
    phone(api, WORKER, "051-000-7001")
    (item,) = api.as_(PROVIDER).items("/inbox")
    contact = item["contact"]
    assert (contact["phone"], contact["centre_phone"]) == ("051-000-7001", "051-000-7000")
    assert api.as_("admin").post(path, {"phone": None}).json()["phone"] is None


def test_everybody_says_where_they_are_called_themselves(api: Api) -> None:
    phone(api, WORKER, None)
    referral = a_referral(api)
    worker = api.as_(WORKER)
    assert worker.get("/me").json()["phone"] is None
    proof = {"password": PASSWORD}
    assert refusal(worker.post("/me/phone", {"phone": "not one"} | proof)) == (422, "invalid")
    answer = worker.post("/me/phone", {"phone": "051-000-7009"} | proof)
    assert answer.status_code == 200, answer.text
    assert answer.json()["phone"] == "051-000-7009"
    assert api.as_(WORKER).get("/me").json() == answer.json()
    assert shown(api, referral)["contact"]["phone"] == "051-000-7009"
    assert api.as_(WORKER).post("/me/phone", {"phone": None} | proof).json()["phone"] is None


def test_while_the_worker_is_away_the_deputy_is_whom_to_call(api: Api) -> None:
    phone(api, WORKER, "051-000-7001")
    phone(api, COLLEAGUE, "051-000-7002")
    referral, first = a_referral(api), api.clock.now.date() + timedelta(days=1)
    away = {
        "worker_id": str(api.id_of(WORKER)), "deputy_id": str(api.id_of(COLLEAGUE)),
        "from": f"{first}", "to": f"{first + timedelta(days=1)}",
    }  # fmt: skip
    answer = api.as_(SUPERVISOR).post("/absences", away)
    assert answer.status_code == 201, answer.text
    for days, who, number in (
        (0, WORKER, "051-000-7001"), (1, COLLEAGUE, "051-000-7002"),
        (1, COLLEAGUE, "051-000-7002"), (1, WORKER, "051-000-7001"),
    ):  # fmt: skip
        api.clock.forward(days=days)
        for contact in (
            shown(api, referral)["contact"],
            api.as_(PROVIDER).items("/inbox")[0]["contact"],
        ):
            assert (contact["worker"], contact["phone"]) == (api.actor(who).name, number)


def test_where_the_deputies_end_in_nobody_the_centre_is_called(api: Api) -> None:
    phone(api, WORKER, "051-000-7001")
    api.as_(SUPERVISOR).post(f"/centres/{HERE}/phone", {"phone": "051-000-7000"})
    referral, today = a_referral(api), api.clock.now.date()
    with api.engine.begin() as connection:
        connection.execute(
            insert(t.absence).values(
                id=new_id(), worker_id=api.id_of(WORKER), deputy_id=api.id_of(COLLEAGUE),
                from_on=today, to_on=today, centre_code=HERE, district_code=DISTRICT,
                recorded_at=api.clock.now, recorded_by=api.id_of(SUPERVISOR), version=1,
            )
        )  # fmt: skip
        left = t.account.c.username == COLLEAGUE
        connection.execute(update(t.account).where(left).values(is_active=False))
    contact = shown(api, referral)["contact"]
    assert (contact["worker"], contact["phone"]) == (None, "051-000-7000")


def test_another_agency_reads_nothing_of_it(api: Api) -> None:
    referral = a_referral(api)
    assert api.as_(OTHER_PROVIDER).get(f"/referrals/{referral}").status_code == 404


def test_without_the_consent_it_rested_on_an_agency_reads_no_more_what_was_asked(
    api: Api,
) -> None:
    supported = a_supported_case(api)
    given = {"purpose": "provider_sharing", "given_by": "self", "given_on": "2026-03-02"}
    consent = api.as_(WORKER).post(f"/residents/{supported.resident}/consents", given).json()["id"]
    referral = a_referral(api, supported, basis_kind="consent", consent_id=UUID(consent))
    assert shown(api, referral)["asked"]["content"] == "lunch"
    assert api.as_(WORKER).post(f"/consents/{consent}/withdraw").status_code == 200
    seen = shown(api, referral)
    assert (seen["asked"], seen["resident"]) == (None, None)
    assert seen["contact"]["worker"] == api.actor(WORKER).name


def test_an_administrator_keeps_the_telephone_of_an_account(api: Api) -> None:
    admin, path = api.as_("admin"), f"/accounts/{api.id_of(WORKER)}"
    tag = admin.get(path).headers["ETag"]
    changed = admin.patch(path, {"phone": "051-000-7003"}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["phone"]) == (200, "051-000-7003")
    assert shown(api, a_referral(api))["contact"]["phone"] == "051-000-7003"
    made = admin.post("/accounts", {
        "username": "worker3.here", "role": "worker", "name": "홍가상", "centre": HERE,
        "phone": "051-000-7004", "password": "a-long-first-2026",
    })  # fmt: skip
    assert (made.status_code, made.json()["phone"]) == (201, "051-000-7004")
    assert made.json()["district_code"] == DISTRICT

"""A planned service is settled by the latest fact: early ends, later wishes, open siblings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests.api.acts import Supported, a_referral, a_supported_case, moved
from tests.api.asking import everything, refusal
from tests.api.conftest import OTHER_PROVIDER, PROVIDER, WORKER, Api


def service(api: Api, supported: Supported) -> dict[str, Any]:
    plan = api.as_(WORKER).get(f"/cases/{supported.case}/plan").json()
    (planned,) = plan["in_force"]["services"]
    return dict(planned)


def clocks(api: Api, supported: Supported) -> list[str]:
    shown = api.as_(WORKER).get(f"/cases/{supported.case}").json()
    return sorted(one["kind"] for one in shown["deadlines"] if one["status"] == "running")


def dispose(api: Api, referral: UUID, disposition: str, **more: Any) -> Any:
    body = {"disposition": disposition, **more}
    return api.as_(WORKER).post(f"/referrals/{referral}/dispose", body)


def a_running_service(api: Api) -> tuple[Supported, UUID]:
    supported = a_supported_case(api)  # planned for a year
    referral = a_referral(api, supported)
    moved(api, referral, "accept", PROVIDER)
    moved(api, referral, "start", PROVIDER)
    api.clock.forward(days=14)
    return supported, referral


def ended(api: Api, referral: UUID, outcome: str, **more: Any) -> dict[str, Any]:
    answer = api.as_(PROVIDER).post(
        f"/referrals/{referral}/complete",
        {"outcome": outcome, "ended_on": api.clock.now.date().isoformat(), **more},
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def told_of(api: Api, referral: UUID) -> list[tuple[str, list[str], str]]:
    of = t.notice
    query = select(of.c.kind, of.c.tell, of.c.about).where(of.c.subject_id == referral)
    with api.engine.connect() as connection:
        return [(kind, list(tell), about) for kind, tell, about in connection.execute(query)]


@pytest.mark.parametrize("outcome", ["ended_early", "transferred"])
def test_a_service_that_an_agency_ends_with_a_year_left_is_to_be_decided_upon(
    api: Api, outcome: str
) -> None:
    supported, referral = a_running_service(api)
    ended(api, referral, outcome)
    assert service(api, supported)["settled"] is False
    assert "disposition" in clocks(api, supported)
    assert ("referral_answered", ["worker"], "ended_early") in told_of(api, referral)
    shown = api.as_(WORKER).get(f"/referrals/{referral}").json()
    assert (shown["status"], "dispose" in shown["allowed_actions"]) == ("completed", True)
    assert dispose(api, referral, "no_longer_needed").status_code == 200
    assert service(api, supported)["settled"] is True
    assert "disposition" not in clocks(api, supported)


def test_a_service_that_ended_as_planned_is_settled_and_owes_nothing(api: Api) -> None:
    supported, referral = a_running_service(api)
    ended(api, referral, "ended_as_planned")
    assert service(api, supported)["settled"] is True
    assert not {"disposition", "link"} & set(clocks(api, supported))
    assert not [one for one in told_of(api, referral) if one[2] == "ended_early"]


@pytest.mark.parametrize(("days_before", "settled"), [(1, False), (0, True), (-1, True)])
def test_an_early_end_is_early_until_the_services_last_day(
    api: Api, days_before: int, settled: bool
) -> None:
    supported, referral = a_running_service(api)
    last = api.clock.now.date().fromisoformat(service(api, supported)["ends_on"])
    api.clock.set(f"{last - timedelta(days=days_before)}T10:00")
    ended(api, referral, "ended_early")
    assert service(api, supported)["settled"] is settled
    assert ("disposition" in clocks(api, supported)) is not settled


def test_an_open_sibling_answers_for_what_was_declined_and_then_the_link_clock(api: Api) -> None:
    supported = a_supported_case(api)
    one = a_referral(api, supported)
    other = a_referral(api, supported, "beta")
    api.clock.forward(hours=1)
    moved(api, one, "accept", PROVIDER)
    moved(api, other, "decline", OTHER_PROVIDER, reason="at_capacity")
    assert "disposition" not in clocks(api, supported)
    before = everything(api)
    assert refusal(dispose(api, other, "no_longer_needed")) == (409, "not_allowed_in_state")
    assert everything(api) == before
    api.clock.forward(hours=1)
    moved(api, one, "cancel", WORKER, reason="no_longer_needed")
    assert service(api, supported)["settled"] is False
    assert "link" in clocks(api, supported)


def test_an_older_disposition_does_not_settle_what_was_wanted_again(api: Api) -> None:
    supported = a_supported_case(api)
    first = a_referral(api, supported, "beta")
    api.clock.forward(hours=1)
    moved(api, first, "decline", OTHER_PROVIDER, reason="at_capacity")
    assert dispose(api, first, "no_longer_needed").status_code == 200
    assert service(api, supported)["settled"] is True
    api.clock.forward(days=1)
    again = a_referral(api, supported)
    moved(api, again, "accept", PROVIDER)
    api.clock.forward(hours=1)
    moved(api, again, "cancel", WORKER, reason="no_longer_needed")
    assert service(api, supported)["settled"] is False
    assert "link" in clocks(api, supported)


def test_what_is_asked_for_after_a_settlement_supersedes_it(api: Api) -> None:
    supported = a_supported_case(api)
    path = f"/planned-services/{supported.service}/settle"
    assert api.as_(WORKER).post(path, {"disposition": "refused"}).json()["settled"] is True
    api.clock.forward(days=1)
    again = a_referral(api, supported)
    api.clock.forward(hours=1)
    moved(api, again, "cancel", WORKER, reason="entered_twice")
    assert service(api, supported)["settled"] is False
    assert "link" in clocks(api, supported)
    assert api.as_(WORKER).post(path, {"disposition": "refused"}).json()["settled"] is True


def a_declined_one_and_an_open_one(api: Api) -> tuple[Supported, UUID, UUID]:
    supported = a_supported_case(api)
    declined = a_referral(api, supported, "beta")
    api.clock.forward(hours=1)
    moved(api, declined, "decline", OTHER_PROVIDER, reason="at_capacity")
    api.clock.forward(hours=1)
    return supported, declined, a_referral(api, supported)


def test_a_disposition_can_name_the_open_referral_that_replaces_it(api: Api) -> None:
    supported, declined, open_one = a_declined_one_and_an_open_one(api)
    assert "disposition" in clocks(api, supported)
    answer = dispose(api, declined, "re_refer", replaced_by=str(open_one))
    assert answer.status_code == 200, answer.text
    assert answer.json()["replaced_by"] == str(open_one)
    shown = api.as_(WORKER).get(f"/referrals/{open_one}").json()
    assert shown["replaces"] == str(declined)
    assert "disposition" not in clocks(api, supported)
    assert service(api, supported)["settled"] is False


def test_over_an_open_referral_nothing_but_its_replacement_is_true(api: Api) -> None:
    _, declined, open_one = a_declined_one_and_an_open_one(api)
    other = a_referral(api)
    before = everything(api)
    for body, expected in (
        ({"disposition": "no_longer_needed"}, (409, "referral_open")),
        ({"disposition": "refused", "replaced_by": str(open_one)}, (422, "not_replaced")),
        ({"disposition": "re_refer", "replaced_by": str(declined)}, (422, "unknown_referral")),
        ({"disposition": "re_refer", "replaced_by": str(other)}, (422, "unknown_referral")),
    ):
        assert refusal(dispose(api, declined, **body)) == expected, body
    assert everything(api) == before
    moved(api, open_one, "cancel", WORKER, reason="entered_twice")
    gone = dispose(api, declined, "re_refer", replaced_by=str(open_one))
    assert refusal(gone) == (409, "not_open")


def test_nothing_is_asked_for_after_the_services_last_day(api: Api) -> None:
    supported = a_supported_case(api)
    last = api.clock.now.date().fromisoformat(service(api, supported)["ends_on"])
    body = {
        "planned_service_id": str(supported.service),
        "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
        "priority": "routine",
        "basis": {"kind": "article_14_2"},
    }
    api.clock.set(f"{last + timedelta(days=1)}T10:00")
    assert refusal(api.as_(WORKER).post("/referrals", body)) == (409, "service_over")
    api.clock.set(f"{last}T23:00")
    assert api.as_(WORKER).post("/referrals", body).status_code == 201

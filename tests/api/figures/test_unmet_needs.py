"""What was wanted and not found: the register, with why, and its counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from casework.workflows.planning import planning
from casework.workflows.referring import referring
from tests.api.acts import Supported, a_referral, a_supported_case, moved, number_of
from tests.api.asking import fields_of
from tests.api.conftest import (
    FAR,
    FAR_SUPERVISOR,
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)

FAR_BY = {"by": STRANGER, "supervisor": FAR_SUPERVISOR}


def not_found(api: Api, by: str = WORKER, supervisor: str = SUPERVISOR, **facts: Any) -> Supported:
    """A planned service that nobody offers."""
    supported = a_supported_case(api, by, supervisor, **facts)
    planning.settle_service(api.context(by), supported.service, "unmet_need", None)
    return supported


def given_up(api: Api, referral: UUID) -> None:
    """Say that nothing else was found."""
    referring.dispose_referral(api.context(WORKER), referral, "unmet_need", None, None)


def register(api: Api, who: str = SUPERVISOR, /, **params: Any) -> list[dict[str, Any]]:
    """The register as someone sees it."""
    return api.as_(who).items("/unmet-needs", **params)


def counts(api: Api, who: str, by: str, **params: Any) -> dict[str, Any]:
    """Its counts by something."""
    answer = api.as_(who).get("/unmet-needs/summary", params={"by": by} | params)
    assert answer.status_code == 200, answer.text
    return {one["key"]: one["count"] for one in answer.json()["groups"]}


def test_the_register_says_what_where_since_when_and_why(api: Api) -> None:
    api.clock.set("2026-03-03T10:00")
    supported = not_found(api)
    assert register(api) == [
        {
            "planned_service_id": str(supported.service), "case_id": str(supported.case),
            "case_number": number_of(api, supported.case),
            "case_status": "supported", "service_code": "CARE-MEALS", "field": "care",
            "centre_code": HERE, "reason": "nobody_offers_it",
            "since": "2026-03-03T10:00:00+09:00",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "by", "details", "reason"),
    [
        ("decline", PROVIDER, {"reason": "at_capacity"}, "at_capacity"),
        ("withdraw", WORKER, {"reason": "resident_asked"}, "resident_asked"),
        ("fail", PROVIDER, {"reason": "provider_unable"}, "provider_unable"),
        ("lapse", None, {}, "no_answer"),
    ],
)
def test_the_reason_is_why_the_last_request_came_to_nothing(
    api: Api, action: str, by: str | None, details: dict[str, str], reason: str
) -> None:
    api.clock.set("2026-03-03T10:00")
    supported = a_supported_case(api)
    earlier = a_referral(api, supported, "beta")
    moved(api, earlier, "decline", "provider.beta", reason="out_of_area")
    referral = a_referral(api, supported, replaces=earlier)
    if action == "fail":
        moved(api, referral, "accept", PROVIDER)
    api.clock.set("2026-03-20T10:00")
    if by is None:
        api.application.sweep(api.application.context())
    else:
        moved(api, referral, action, by, **details)
    assert register(api) == []
    given_up(api, referral)
    assert [one["reason"] for one in register(api)] == [reason]
    assert [one["reason"] for one in register(api, reason=reason)] == [reason]
    assert register(api, reason="out_of_area") == []


def test_what_is_taken_up_again_leaves_the_register(api: Api) -> None:
    api.clock.set("2026-03-03T10:00")
    supported = not_found(api)
    referral = a_referral(api, supported)
    assert register(api) == []
    moved(api, referral, "cancel", WORKER, reason="no_longer_needed")
    assert len(register(api)) == 1
    again = a_referral(api, supported)
    moved(api, again, "accept", PROVIDER)
    moved(api, again, "start", PROVIDER)
    moved(api, again, "complete", PROVIDER, outcome="ended_as_planned")
    assert register(api) == []


def test_other_settlements_are_no_unmet_need(api: Api) -> None:
    for how in ("alternative", "refused", "no_longer_needed"):
        planning.settle_service(api.context(WORKER), a_supported_case(api).service, how, None)
    assert register(api) == []
    assert counts(api, SUPERVISOR, "service") == {}


def test_everyone_sees_the_register_of_their_own(api: Api) -> None:
    for by in (WORKER, NEIGHBOUR):
        not_found(api, by)
    not_found(api, **FAR_BY)
    seen = {who: sorted(one["centre_code"] for one in register(api, who)) for who in
            (WORKER, NEIGHBOUR, SUPERVISOR, FAR_SUPERVISOR)}  # fmt: skip
    assert seen == {
        WORKER: [HERE], NEIGHBOUR: [NEXT_DOOR], SUPERVISOR: [HERE, NEXT_DOOR],
        FAR_SUPERVISOR: [FAR],
    }  # fmt: skip
    assert counts(api, SUPERVISOR, "centre") == {HERE: 1, NEXT_DOOR: 1}
    assert counts(api, SUPERVISOR, "centre", centre=HERE) == {HERE: 1}


def test_the_register_is_filtered_and_paged_newest_first(api: Api) -> None:
    for day in range(3, 8):
        api.clock.set(f"2026-03-{day:02}T10:00")
        not_found(api, code="MED-VISIT" if day == 5 else "CARE-MEALS")
    pages = register(api, limit=2)
    assert [one["since"][8:10] for one in pages] == ["07", "06", "05", "04", "03"]
    assert [one["since"][8:10] for one in register(api, service="MED-VISIT")] == ["05"]
    assert len(register(api, field="care")) == 4
    between = {"from": "2026-03-04", "to": "2026-03-06"}
    assert [one["since"][8:10] for one in register(api, **between)] == ["06", "05", "04"]
    assert counts(api, WORKER, "field") == {"care": 4, "medical": 1}
    assert counts(api, WORKER, "reason", **between) == {"nobody_offers_it": 3}


def test_the_city_sees_counts_of_five_and_more_and_never_whom(
    api: Api, drawn: Callable[[int], None]
) -> None:
    drawn(0)
    for _ in range(6):
        not_found(api)
    for _ in range(4):
        not_found(api, **FAR_BY)
    assert counts(api, SUPERVISOR, "district") == {HERE[:5]: 6}
    assert counts(api, "city", "district") == {HERE[:5]: 5}  # of the four nothing is shown
    assert counts(api, "city", "service") == {"CARE-MEALS": 5}
    not_found(api, **FAR_BY)
    assert counts(api, "city", "district") == {HERE[:5]: 5, FAR[:5]: 5}
    assert api.as_("city").get("/unmet-needs/summary").json()["total"] == 10
    text = api.as_("city").get("/unmet-needs/summary").text
    assert '"oldest_since":null' in text
    assert api.as_("city").get("/unmet-needs").status_code == 403


def test_unknown_filters_are_refused(api: Api) -> None:
    for params, field in (
        ({"reason": "because"}, "reason"), ({"field": "gardening"}, "field"),
        ({"worker": "x"}, "worker"), ({"from": "yesterday"}, "from"),
        ({"month": "2026-0"}, "month"),
    ):  # fmt: skip
        assert fields_of(api.as_(SUPERVISOR).get("/unmet-needs", params=params)) == [field]
    wrong = api.as_(SUPERVISOR).get("/unmet-needs/summary", params={"by": "worker"})
    assert fields_of(wrong) == ["by"]
    assert fields_of(api.as_("city").get("/unmet-needs/summary", params={"service": "X"})) == [
        "service"
    ]
    by_centre = api.as_("city").get("/unmet-needs/summary", params={"by": "centre"})
    assert fields_of(by_centre) == ["by"]

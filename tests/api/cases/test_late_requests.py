"""What was recorded late is waited for since its recording, and due from its own day."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import acts
from tests.api.cases.test_late_entry import BY_PHONE, SECOND, a_supported_case, clock
from tests.api.conftest import WORKER, Api


def swept(api: Api, at: str, path: str) -> str:
    """What a referral is after a sweep at an instant."""
    api.clock.set(at)
    api.application.sweep(api.application.context())
    status: str = api.as_(WORKER).get(path).json()["status"]
    return status


@pytest.mark.both_stores
@pytest.mark.parametrize("how", ["asked", "sent", "corrected"])
def test_a_late_request_is_waited_for_since_it_was_recorded(api: Api, how: str) -> None:
    supported = a_supported_case(api, "2026-03-11")
    api.clock.set("2026-04-08T10:00")
    worker, day = api.as_(WORKER), {"requested_on": "2026-03-11"}
    body = {
        "planned_service_id": str(supported.service), "priority": "routine",
        "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
        "basis": {"kind": "article_14_2"},
    }  # fmt: skip
    first: dict[str, dict[str, Any]] = {"asked": day, "sent": {"send": False}, "corrected": {}}
    asked = worker.post("/referrals", body | first[how])
    path = f"/referrals/{asked.json()['id']}"
    if how == "sent":
        assert worker.post(f"{path}/send", day).status_code == 200
    if how == "corrected":
        assert worker.post(f"{path}/correct", day | {"reason": "misread"}).status_code == 200
    assert clock(api, path, "response")["due_at"] == f"2026-03-16{SECOND}"
    assert swept(api, "2026-04-08T10:01", path) == "requested"
    # Ten working days after 8 April.
    assert swept(api, "2026-04-22T23:59:59", path) == "requested"
    assert swept(api, "2026-04-23T00:00", path) == "lapsed"


def test_a_late_place_on_a_list_is_waited_for_since_it_was_recorded(api: Api) -> None:
    referral = acts.a_referral(api, a_supported_case(api, "2026-03-11"))
    path, worker = f"/referrals/{referral}", api.as_(WORKER)
    api.clock.set("2026-03-18T10:00")
    answer = worker.post(f"{path}/waitlist", {"answered_on": "2026-03-11", "on_behalf": BY_PHONE})
    assert answer.status_code == 200, answer.text
    # Thirty working days after 18 March: 1 and 5 May are holidays.
    assert swept(api, "2026-04-29T23:59:59", path) == "waitlisted"
    assert swept(api, "2026-04-30T00:00", path) == "lapsed"


def test_a_declared_holiday_leaves_a_late_request_waited_for(api: Api) -> None:
    supported = a_supported_case(api, "2026-03-11")
    api.clock.set("2026-04-08T10:00")
    path = f"/referrals/{acts.a_referral(api, supported)}"
    api.as_(WORKER).post(f"{path}/correct", {"requested_on": "2026-03-11", "reason": "misread"})
    for day in ("2026-03-20", "2026-04-15"):
        declared = api.as_("admin").post("/holidays", {"on": day, "closed": True, "name": "a day"})
        assert declared.is_success, declared.text
    assert swept(api, "2026-04-23T23:59:59", path) == "requested"
    assert swept(api, "2026-04-24T00:00", path) == "lapsed"

"""Who can take a resident on: the order, its reasons, and whom it is told to."""

from __future__ import annotations

from tests.api.acts import a_resident
from tests.api.conftest import HERE, WORKER, Api


def test_a_match_is_found_for_a_resident(api: Api) -> None:
    answer = api.as_(WORKER).post(
        "/offerings/match", {"resident_id": str(a_resident(api)), "service_code": "CARE-MEALS"}
    )
    assert answer.status_code == 200, answer.text
    assert [one["provider"]["name"] for one in answer.json()["items"]] == [
        "alpha 돌봄",
        "beta 돌봄",
    ]
    assert answer.json()["centre_code"] == HERE

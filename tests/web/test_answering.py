"""An agency answers by link: through the code, by the same rules, read back over the API."""

from __future__ import annotations

from uuid import UUID

from tests.api.conftest import WORKER
from tests.web.conftest import Agency


def test_a_request_is_answered_through_a_link_and_a_code(agency: Agency, asked: UUID) -> None:
    page = agency.enters()
    assert page.status_code == 200
    assert "열쇠는 이웃에게 있음" in page.text
    answer = agency.send("/answers", {
        f"do.{asked}": "accept", f"{asked}.accept.expected_start_on": "2026-03-05",
    })  # fmt: skip
    assert (answer.status_code, answer.history[0].status_code) == (200, 303)
    seen = agency.api.as_(WORKER).get(f"/referrals/{asked}").json()
    assert (seen["status"], seen["expected_start_on"]) == ("accepted", "2026-03-05")

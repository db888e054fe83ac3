"""Who declined is not asked again in the same breath, nor is a request redirected to itself."""

from __future__ import annotations

from typing import Any

from tests.api.acts import a_referral, clock, moved
from tests.api.asking import everything, fields_of, refusal
from tests.api.conftest import SUPERVISOR, WORKER, Api

BY_PHONE = {"channel": "phone", "person": "Example Agency"}


def meals(api: Api, slug: str) -> str:
    return str(api.offerings[slug, "CARE-MEALS"].id)


def declined(api: Api, replace_with: str) -> Any:
    referral = a_referral(api)
    body = {"reason": "at_capacity", "on_behalf": BY_PHONE, "replace_with": replace_with}
    before = everything(api)
    answer = api.as_(WORKER).post(f"/referrals/{referral}/decline", body)
    if answer.status_code != 200:
        assert everything(api) == before
    return answer


def test_the_offering_that_declines_is_not_asked_next(api: Api) -> None:
    answer = declined(api, meals(api, "alpha"))
    assert refusal(answer) == (422, "same_offering")
    assert fields_of(answer) == ["replace_with"]
    assert declined(api, meals(api, "beta")).json()["disposition"] == "re_refer"


def test_an_offering_that_nobody_has_is_named_by_its_field(api: Api) -> None:
    answer = declined(api, "01900000-0000-7000-8000-000000000000")
    assert refusal(answer) == (422, "unknown_offering")
    assert fields_of(answer) == ["replace_with"]


def test_a_late_request_is_redirected_to_another_offering_and_not_to_its_own(api: Api) -> None:
    referral = a_referral(api)
    deadline = clock(api, "response", referral)
    api.clock.set("2026-03-09T10:00")
    body = {"action": "redirect", "cause": "provider_slow", "offering_id": meals(api, "alpha")}
    before = everything(api)
    answer = api.as_(SUPERVISOR).post(f"/overdue/{deadline}/review", body)
    assert refusal(answer) == (422, "same_offering")
    assert everything(api) == before
    body["offering_id"] = meals(api, "beta")
    answer = api.as_(SUPERVISOR).post(f"/overdue/{deadline}/review", body)
    assert answer.status_code in (200, 201), answer.text


def test_who_declined_can_be_asked_again_later_by_a_decision_of_its_own(api: Api) -> None:
    referral = a_referral(api)
    moved(api, referral, "decline", "provider.alpha", reason="at_capacity")
    api.clock.forward(days=1)
    body = {"disposition": "re_refer", "offering_id": meals(api, "alpha")}
    answer = api.as_(WORKER).post(f"/referrals/{referral}/dispose", body)
    assert answer.status_code == 200, answer.text

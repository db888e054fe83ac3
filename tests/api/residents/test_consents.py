"""Consents: several in one act, their recipients, withdrawal, and what was shared on them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select

from casework import operations
from casework.adapters.persistence import tables as t
from casework.bench.statements import statements
from casework.domain.referring.referring import DISCLOSED
from tests.api.acts import (
    Supported,
    a_case,
    a_referral,
    a_resident,
    a_supported_case,
    moved,
    surveyed,
)
from tests.api.asking import (
    ABSENT,
    Ask,
    check_nobody_and_wrong_roles,
    check_strangers,
    everything,
    fields_of,
    refusal,
)
from tests.api.conftest import (
    COLLEAGUE,
    NEIGHBOUR,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

SHARING = {"purpose": "provider_sharing", "given_by": "self", "given_on": "2026-03-02"}
NEVER = ("assessor.26350", PROVIDER, "city", "auditor", "admin")


def given(api: Api, resident: UUID, **facts: Any) -> str:
    """A consent to share with providers, taken today."""
    answer = api.as_(WORKER).post(f"/residents/{resident}/consents", SHARING | facts)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def ask(api: Api, supported: Supported, consent: str, provider: str = "alpha", **facts: Any) -> Any:
    """A request that rests on a consent."""
    body = {
        "planned_service_id": str(supported.service), "priority": "routine",
        "offering_id": str(api.offerings[provider, "CARE-MEALS"].id),
        "basis": {"kind": "consent", "consent_id": consent},
    } | facts  # fmt: skip
    return api.as_(WORKER).post("/referrals", body)


def asked(api: Api, supported: Supported, consent: str, **facts: Any) -> str:
    """The id of a request that rests on a consent."""
    answer = ask(api, supported, consent, **facts)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def seen(api: Api, referral: str, by: str = PROVIDER) -> dict[str, Any]:
    answer = api.as_(by).get(f"/referrals/{referral}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


# Several in one act


def test_who_may_take_several_and_see_what_was_told(api: Api) -> None:
    resident = a_resident(api)
    body = {"consents": [SHARING]}
    asks = [
        Ask("POST", "/residents/{id}/consents/batch", resident, body, NEVER),
        Ask("GET", "/residents/{id}/disclosures", resident, None, NEVER),
    ]
    check_nobody_and_wrong_roles(api, asks)
    check_strangers(api, asks)


def test_several_consents_are_taken_in_one_act(api: Api) -> None:
    resident = a_resident(api)
    body = {"consents": [SHARING | {"recipients": ["alpha"]}, SHARING | {"purpose": "nhis_route"}]}
    path, key = f"/residents/{resident}/consents/batch", {"Idempotency-Key": "intake"}
    answer = api.as_(WORKER).post(path, body, headers=key)
    assert answer.status_code == 201, answer.text
    taken = answer.json()["items"]
    assert [one["purpose"] for one in taken] == ["provider_sharing", "nhis_route"]
    assert taken == api.as_(COLLEAGUE).items(f"/residents/{resident}/consents")
    again = api.as_(WORKER).post(path, body, headers=key)
    assert (again.status_code, again.json()["items"]) == (201, taken)
    assert len(api.as_(WORKER).items(f"/residents/{resident}/consents")) == 2
    told = [one for one in api.as_(WORKER).items(f"/residents/{resident}/timeline")
            if one["event"] == "ConsentGiven"]  # fmt: skip
    assert {one["data"]["consent_id"] for one in told} == {one["id"] for one in taken}
    given(api, resident)  # another one is not among those of that act
    assert len(api.as_(WORKER).post(path, body, headers=key).json()["items"]) == 2


def test_if_one_cannot_be_right_none_is_taken(api: Api) -> None:
    resident = a_resident(api)
    path, before = f"/residents/{resident}/consents/batch", everything(api)
    for wrong, field in (
        ({"given_on": "2026-03-03"}, "consents.1.given_on"),
        ({"expires_on": "2026-03-01"}, "consents.1.expires_on"),
        ({"purpose": "anything"}, "consents.1.purpose"),
        ({"more": 1}, "consents.1.more"),
    ):
        answer = api.as_(WORKER).post(path, {"consents": [SHARING, SHARING | wrong]})
        assert fields_of(answer) == [field]
    assert fields_of(api.as_(WORKER).post(path, {"consents": []})) == ["consents"]
    assert fields_of(api.as_(WORKER).post(path, {"consents": [SHARING] * 21})) == ["consents"]
    assert everything(api) == before
    assert api.as_(WORKER).post(path, {"consents": [SHARING] * 20}).status_code == 201


# Recipients


@pytest.mark.parametrize(
    ("named", "fits"),
    [
        ("nobody", True), ("all", True), (" ALL ", True), ("providers", True), ("제공기관", True),
        ("its id", True), ("its slug", True), ("its name", True), ("its kind", True),
        ("another id", False), ("another slug", False), ("another kind", False),
    ],
)  # fmt: skip
def test_a_consent_is_a_basis_only_for_whom_it_is(api: Api, named: str, fits: bool) -> None:
    supported = a_supported_case(api)
    alpha, beta = api.providers["alpha"], api.providers["beta"]
    recipients = {
        "nobody": [], "its id": [str(beta.id), str(alpha.id)], "its slug": ["Alpha"],
        "its name": [alpha.name], "its kind": [alpha.kind], "another id": [str(beta.id)],
        "another slug": ["beta"], "another kind": ["clinic"],
    }.get(named, [named])  # fmt: skip
    consent = given(api, supported.resident, recipients=recipients)
    before = everything(api)
    answer = ask(api, supported, consent)
    if fits:
        assert answer.status_code == 201, answer.text
        return
    assert refusal(answer) == (422, "consent_not_for_recipient")
    assert fields_of(answer) == ["basis.consent_id"]
    assert everything(api) == before
    assert ask(api, supported, consent, basis={"kind": "article_14_2"}).status_code == 201


def test_whom_it_is_for_is_judged_at_sending_and_anew_for_the_next(api: Api) -> None:
    supported = a_supported_case(api)
    consent = given(api, supported.resident, recipients=["alpha"])
    referral = asked(api, supported, consent)
    moved(api, UUID(referral), "decline", PROVIDER, reason="at_capacity")
    next_one = str(api.offerings["beta", "CARE-MEALS"].id)
    body = {"disposition": "re_refer", "offering_id": next_one}
    before = everything(api)
    answer = api.as_(WORKER).post(f"/referrals/{referral}/dispose", body)
    assert refusal(answer) == (422, "consent_not_for_recipient")
    assert everything(api) == before


@pytest.mark.parametrize(
    ("moment", "fits"),
    [("2026-03-03T23:59", True), ("2026-03-04T23:59", True), ("2026-03-05T00:00", False)],
)
def test_a_consent_carries_a_request_through_its_last_day(
    api: Api, moment: str, fits: bool
) -> None:
    supported = a_supported_case(api)
    consent = given(api, supported.resident, expires_on="2026-03-04")
    api.clock.set(moment)
    answer = ask(api, supported, consent)
    assert (answer.status_code, answer.json().get("code")) == (
        (201, None) if fits else (422, "consent_not_valid")
    )


def test_a_later_expiry_ends_nothing(api: Api) -> None:
    supported = a_supported_case(api)
    referral = asked(api, supported, given(api, supported.resident, expires_on="2026-03-04"))
    api.clock.set("2026-03-05T00:00")
    found = seen(api, referral)
    assert (found["status"], found["resident"]["phone"]) == ("requested", "010-0000-0000")
    moved(api, UUID(referral), "accept", PROVIDER)
    assert seen(api, referral)["status"] == "accepted"


# Withdrawn


STEPS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "requested": (),
    "waitlisted": (("waitlist", {}),),
    "accepted": (("accept", {}),),
    "in_progress": (("accept", {}), ("start", {"started_on": "2026-03-02"})),
    "on_hold": (("accept", {}), ("hold", {"reason": "away", "until": "2026-03-09"})),
}


@pytest.mark.parametrize("status", STEPS)
def test_a_withdrawal_ends_what_is_open_and_the_agency_reads_nothing_of_it_any_more(
    api: Api, status: str
) -> None:
    supported = a_supported_case(api)
    consent = given(api, supported.resident)
    referral = asked(api, supported, consent, message="계단이 많음")
    for action, body in STEPS[status]:
        assert api.as_(PROVIDER).post(f"/referrals/{referral}/{action}", body).status_code == 200
    assert seen(api, referral)["status"] == status
    assert seen(api, referral)["resident"]["phone"] == "010-0000-0000"
    answer = api.as_(WORKER).post(f"/consents/{consent}/withdraw", {"reason": "changed her mind"})
    assert answer.status_code == 200, answer.text
    found = seen(api, referral)
    assert (found["status"], found["reason"]) == ("withdrawn", "consent_withdrawn")
    assert (found["resident"], found["message"]) == (None, None)
    assert [one["event"] for one in found["history"]][-1] == "ReferralWithdrawn"
    assert "010-0000-0000" not in api.as_(PROVIDER).get("/worklist").text
    assert "changed her mind" not in api.as_(PROVIDER).get(f"/referrals/{referral}").text
    kept = seen(api, referral, WORKER)
    assert (kept["message"], kept["resident"]["phone"]) == ("계단이 많음", "010-0000-0000")


def test_a_draft_falls_with_its_consent_and_nobody_is_told(api: Api) -> None:
    supported = a_supported_case(api)
    consent = given(api, supported.resident)
    referral = asked(api, supported, consent, send=False)
    api.as_(WORKER).post(f"/consents/{consent}/withdraw")
    assert seen(api, referral, WORKER)["status"] == "withdrawn"
    assert refusal(api.as_(PROVIDER).get(f"/referrals/{referral}")) == (404, "not_found")
    assert (
        api.as_(WORKER).items(f"/residents/{supported.resident}/disclosures")[0]["to"]["kind"]
        == "assessor"
    )


def test_what_ended_before_the_withdrawal_keeps_its_state_and_loses_what_was_told(api: Api) -> None:
    supported = a_supported_case(api)
    consent = given(api, supported.resident)
    referral = asked(api, supported, consent)
    for action, body in (
        ("accept", {}), ("start", {"started_on": "2026-03-02"}),
        ("complete", {"outcome": "ended_as_planned", "ended_on": "2026-03-02"}),
    ):  # fmt: skip
        api.as_(PROVIDER).post(f"/referrals/{referral}/{action}", body)
    assert seen(api, referral)["resident"]["name"]
    api.as_(WORKER).post(f"/consents/{consent}/withdraw")
    found = seen(api, referral)
    assert (found["status"], found["outcome"]) == ("completed", "ended_as_planned")
    assert found["resident"] is None


def test_what_rests_on_the_law_or_another_consent_goes_on(api: Api) -> None:
    first, second = a_supported_case(api), a_supported_case(api)
    by_law = str(a_referral(api, first))
    ended, other = given(api, second.resident), given(api, second.resident)
    on_other = asked(api, second, other)
    api.as_(WORKER).post(f"/consents/{ended}/withdraw")
    for referral in (by_law, on_other):
        found = seen(api, referral)
        assert (found["status"], found["resident"]["phone"]) == ("requested", "010-0000-0000")


def test_a_replayed_answer_after_a_withdrawal_shows_what_is_seen_now(api: Api) -> None:
    supported = a_supported_case(api)
    consent = given(api, supported.resident)
    referral = asked(api, supported, consent)
    key = {"Idempotency-Key": "yes"}
    first = api.as_(PROVIDER).post(f"/referrals/{referral}/accept", headers=key)
    assert first.json()["resident"]["name"]
    api.as_(WORKER).post(f"/consents/{consent}/withdraw")
    again = api.as_(PROVIDER).post(f"/referrals/{referral}/accept", headers=key)
    assert (again.status_code, again.json()["resident"]) == (200, None)


# What was shared


def test_every_disclosure_of_a_resident_is_listed_with_its_basis(api: Api) -> None:
    supported = a_supported_case(api)
    resident = supported.resident
    consent = given(api, resident)
    api.clock.set("2026-03-03T09:00")
    first = asked(api, supported, consent)
    api.clock.set("2026-03-04T09:00")
    moved(api, UUID(first), "decline", PROVIDER, reason="at_capacity")
    body = {"disposition": "re_refer", "offering_id": str(api.offerings["beta", "CARE-MEALS"].id)}
    second = api.as_(COLLEAGUE).post(f"/referrals/{first}/dispose", body).json()["replaced_by"]
    for by in (WORKER, SUPERVISOR):
        found = api.as_(by).items(f"/residents/{resident}/disclosures")
        assert [one["to"]["kind"] for one in found] == ["provider", "provider", "assessor"]
        assert [one["referral_id"] for one in found] == [second, first, None]
        assert [one["to"]["name"] for one in found] == ["beta 돌봄", "alpha 돌봄", "해운대구"]
        assert found[0]["by"] == str(api.id_of(COLLEAGUE))
        assert found[1]["by"] == str(api.id_of(WORKER))
        assert found[1]["at"] == "2026-03-03T09:00:00+09:00"
        assert [one["what"] for one in found[:2]] == [DISCLOSED, DISCLOSED]
        assert found[1]["basis"] == {"kind": "consent", "consent_id": consent}
        assert found[2]["basis"] == {"kind": "article_12"}
        assert {"name", "phone", "contacts"} <= set(found[2]["what"])
        assert "income_tier" not in found[2]["what"]
        assert [one["consent_withdrawn_at"] for one in found] == [None] * 3
    api.as_(WORKER).post(f"/consents/{consent}/withdraw")
    found = api.as_(WORKER).items(f"/residents/{resident}/disclosures")
    assert [one["consent_withdrawn_at"] for one in found] == [
        "2026-03-04T09:00:00+09:00", "2026-03-04T09:00:00+09:00", None,
    ]  # fmt: skip


def test_the_list_pages_and_holds_no_value(api: Api) -> None:
    supported = a_supported_case(api)
    resident = supported.resident
    a_referral(api, supported)
    a_referral(api, supported, "beta", message="a word that stays")
    whole = api.as_(WORKER).items(f"/residents/{resident}/disclosures")
    assert api.as_(WORKER).items(f"/residents/{resident}/disclosures", limit=1) == whole
    assert len(whole) == 3
    for value in ("010-0000-0000", "a word that stays", "가상주민"):
        assert value not in str(whole)


def test_what_was_not_sent_disclosed_nothing(api: Api) -> None:
    resident = a_resident(api)
    case = a_case(api, resident=resident)
    assert api.as_(WORKER).items(f"/residents/{resident}/disclosures") == []
    surveyed(api, case)
    (told,) = api.as_(WORKER).items(f"/residents/{resident}/disclosures")
    assert (told["case_id"], told["by"]) == (str(case), str(api.id_of(WORKER)))
    hidden = api.as_(NEIGHBOUR).get(f"/residents/{resident}/disclosures")
    absent = api.as_(NEIGHBOUR).get(f"/residents/{ABSENT}/disclosures")
    assert (hidden.status_code, hidden.content) == (404, absent.content)


@pytest.mark.both_stores
def test_it_is_read_off_what_was_done_in_one_statement(api: Api) -> None:
    supported = a_supported_case(api)
    a_referral(api, supported)
    api.actor(WORKER)
    api.application.clockwork(), api.application.catalogue()
    with statements(api.application.engine) as sent:
        api.as_(WORKER).get(f"/residents/{supported.resident}/disclosures")
    # PostgreSQL gets the session context; SQLite seals the audit entry at once.
    more = 1 if api.engine.dialect.name == "postgresql" else 3
    assert len(sent) <= 4 + more, "\n".join(sent)  # the actor, the resident, list, audit entry


def test_every_referral_of_a_seeded_city_that_was_sent_is_a_disclosure(api: Api) -> None:
    with api.engine.begin() as connection:  # the seed requires an empty database
        for table in reversed(t.metadata.sorted_tables):
            if table.name not in ("district", "centre", "service", "standard"):
                connection.execute(delete(table))
    for _ in operations.seed(api.application, 64, 1):
        pass
    with api.engine.connect() as connection:
        sent = connection.scalar(select(func.count()).where(t.referral.c.requested_at.is_not(None)))
        told = connection.scalar(
            select(func.count()).where(
                t.referral.c.requested_at.is_not(None), t.referral.c.disclosed.is_not(None)
            )
        )
        by = connection.execute(
            select(t.event.c.subject_id, func.count())
            .where(t.event.c.name == "ReferralRequested")
            .group_by(t.event.c.subject_id)
        ).all()
    assert sent == told == len(by) > 0
    assert {count for _, count in by} == {1}

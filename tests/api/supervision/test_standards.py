"""Standards: what applies and why, who sets one, and applying it to running clocks."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from casework.adapters.api.supervision import standard_bodies as schemas
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows.mapper import to_row
from casework.domain.clocks.calendar import Target, Unit
from casework.domain.clocks.standards import PROGRAMME_KINDS, ClockKind, Standard
from casework.domain.supervision.reviewing import ReviewDecision
from casework.domain.supervision.setting_standards import NOTIFIED_ROLES, UNITS, notified_roles
from casework.workflows.cases import caseload
from casework.workflows.supervision import standards
from casework.workflows.supervision.reviews import review_deadline
from tests.api.acts import a_case, a_referral, a_supported_case, clock, moved
from tests.api.asking import ABSENT, etag, fields_of, refusal
from tests.api.conftest import (
    ASSESSOR,
    BASE,
    DISTRICT,
    FAR_SUPERVISOR,
    OTHER_DISTRICT,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
    seoul,
)
from tests.api.racing import ON_POSTGRES, locked, wait_for_locks
from tests.api.recounting import audited, due, events, planned, shipped, stored, why

TUESDAY = "2026-03-03T10:00"
HOURS, DAYS = {"amount": 4, "unit": "hours"}, {"amount": 2, "unit": "working_days"}
OWN: dict[str, Any] = {"kind": "survey", "district_code": DISTRICT, "target": DAYS}
ANSWER: dict[str, Any] = {"kind": "response", "district_code": DISTRICT, "target": DAYS}


def days(amount: int, unit: str = "working_days") -> dict[str, Any]:
    return {"amount": amount, "unit": unit}


def tier(number: int, amount: int, to: str, unit: str = "working_days") -> dict[str, Any]:
    return {"tier": number, "after": days(amount, unit), "to": to}


def added(api: Api, by: str = SUPERVISOR, **facts: Any) -> dict[str, Any]:
    """Add a standard, usually two working days for surveys of the district."""
    answer = api.as_(by).post("/standards", OWN | facts)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def changed(api: Api, standard: str | UUID, by: str = SUPERVISOR, **changes: Any) -> dict[str, Any]:
    """Change the current version of a standard."""
    seen = api.as_(by).get(f"/standards/{standard}")
    answer = api.as_(by).patch(f"/standards/{standard}", changes, headers=etag(seen))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def recalculated(
    api: Api, standard: str | UUID, by: str = SUPERVISOR, **body: Any
) -> dict[str, Any]:
    """Apply a standard to running clocks."""
    answer = api.as_(by).post(f"/standards/{standard}/recalculate", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def effective(api: Api, kind: str, by: str = WORKER, language: str = "en", **about: Any) -> Any:
    """Which standard applies."""
    answer = api.as_(by).get(
        "/standards/effective", params={"kind": kind} | about,
        headers={"Accept-Language": language},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    return answer.json()


def a_survey(api: Api, by: str = WORKER) -> UUID:
    """A clock that is set on Tuesday, 3 March, and due five working days later, on the 10th."""
    api.clock.set(TUESDAY)
    return clock(api, "survey", a_case(api, by))


# What applies


def test_everyone_who_is_signed_in_sees_what_applies(api: Api) -> None:
    path = "/standards/effective"
    assert refusal(api.client.get(BASE + path)) == (401, "unauthenticated")
    for username in (WORKER, SUPERVISOR, ASSESSOR, PROVIDER, "city", "auditor", "admin"):
        assert effective(api, "survey", username)["target"] == days(5)


def test_what_applies_names_target_standard_and_why(api: Api) -> None:
    plain = effective(api, "response")
    assert plain["target"] == days(3)
    assert plain["lapse_after"] == days(10)
    assert plain["why"] == "no narrower one fits: the one for everything of its kind"
    own = added(api, **ANSWER | {"service_code": "CARE-MEALS"})
    found = effective(api, "response", service="CARE-MEALS", district=DISTRICT)
    assert (found["target"], found["standard_id"]) == (DAYS, own["id"])
    assert found["why"] == (
        f"the most specific that fits: for the service CARE-MEALS, the district {DISTRICT}"
    )
    korean = effective(api, "response", language="ko", service="CARE-MEALS", district=DISTRICT)[
        "why"
    ]
    assert korean == f"가장 구체적인 기준: 서비스 CARE-MEALS, 구·군 {DISTRICT}"
    for about in ({}, {"service": "CARE-MEALS"}, {"district": DISTRICT},
                  {"service": "CARE-MEALS", "district": OTHER_DISTRICT},
                  {"service": "MED-VISIT", "district": DISTRICT}):  # fmt: skip
        assert effective(api, "response", **about)["standard_id"] == plain["standard_id"]


def test_priority_decides_first_and_an_emergency_takes_the_urgent_target(api: Api) -> None:
    added(api, **ANSWER)
    urgent = effective(api, "response", district=DISTRICT, priority="urgent")
    assert urgent["target"] == days(1)
    wait = effective(api, "waitlist", priority="emergency")
    assert wait["target"] == days(2)
    assert "there is no target for emergency, so that for urgent applies" in wait["why"]


def test_a_service_is_of_its_field(api: Api) -> None:
    own = added(api, **ANSWER | {"field": "care"})
    assert (
        effective(api, "response", service="CARE-MEALS", district=DISTRICT)["standard_id"]
        == (own["id"])
    )
    assert effective(api, "response", field="care", district=DISTRICT)["standard_id"] == own["id"]
    assert (
        effective(api, "response", service="MED-VISIT", district=DISTRICT)["standard_id"]
        != (own["id"])
    )


def test_a_kind_that_is_off_has_no_target_and_says_so(api: Api) -> None:
    for kind, said in (("progress", "off"), ("discharge", "day of discharge")):
        found = effective(api, kind)
        assert (found["target"], found["standard_id"]) == (None, None)
        assert said in found["why"]


def test_a_statutory_kind_shows_the_limit_of_the_law(api: Api) -> None:
    found = effective(api, "first_check")
    assert found["target"] == found["limit"] == days(3, "months")
    assert "Enforcement Rule 10" in found["why"]
    assert effective(api, "check")["limit"] == days(6, "months")
    assert effective(api, "survey")["limit"] is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"kind": "nothing"}, "kind"), ({"priority": "soon"}, "priority"), ({"kind": None}, "kind"),
     ({"service": "NO-SUCH"}, "service"), ({"district": "99999"}, "district"),
     ({"field": "sleep"}, "field"), ({"service": "CARE-MEALS", "field": "medical"}, "field"),
     ({"colour": "red"}, "colour")],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(api: Api, wrong: dict[str, Any], field: str) -> None:
    params = {k: v for k, v in ({"kind": "response"} | wrong).items() if v is not None}
    assert fields_of(api.as_(WORKER).get("/standards/effective", params=params)) == [field]


# Who sets one


def test_only_administrator_and_supervisor_set_standards(api: Api) -> None:
    id = shipped(api, "survey")
    before = stored(api)
    for method, path, body in (
        ("GET", "/standards", None),
        ("POST", "/standards", OWN),
        ("GET", f"/standards/{id}", None),
        ("PATCH", f"/standards/{id}", {"target": DAYS}),
        ("POST", f"/standards/{id}/recalculate", {}),
    ):
        answer = api.client.request(method, BASE + path, json=body)
        assert refusal(answer) == (401, "unauthenticated")
        for username in (WORKER, ASSESSOR, PROVIDER, "city", "auditor"):
            answer = api.as_(username).request(method, path, json=body)
            assert refusal(answer) == (403, "forbidden"), (username, path)
    assert stored(api) == before


def test_a_supervisor_sets_for_the_own_district_and_no_other(api: Api) -> None:
    before = stored(api)
    for scope in ({"district_code": None}, {"district_code": OTHER_DISTRICT}):
        answer = api.as_(SUPERVISOR).post("/standards", OWN | scope)
        assert refusal(answer) == (403, "district_out_of_scope")
    everywhere = shipped(api, "survey")
    answer = api.as_(SUPERVISOR).patch(
        f"/standards/{everywhere}", {"target": DAYS}, headers={"If-Match": '"1"'}
    )
    assert refusal(answer) == (403, "district_out_of_scope")
    assert stored(api) == before
    assert added(api)["district_code"] == DISTRICT


def test_another_districts_standard_does_not_exist_for_a_supervisor(api: Api) -> None:
    own = added(api)["id"]
    before = stored(api)
    for method, path, body in (
        ("GET", "/standards/{}", None),
        ("PATCH", "/standards/{}", {"target": DAYS}),
        ("POST", "/standards/{}/recalculate", {}),
        ("POST", "/standards/{}/recalculate", {"dry_run": True}),
    ):
        hidden, absent = (
            api.as_(FAR_SUPERVISOR).request(
                method, path.format(id), json=body, headers={"If-Match": '"1"'}
            )
            for id in (own, ABSENT)
        )
        assert refusal(hidden) == (404, "not_found")
        assert hidden.content == absent.content
    assert own not in [one["id"] for one in api.as_(FAR_SUPERVISOR).items("/standards")]
    assert own in [one["id"] for one in api.as_("admin").items("/standards")]
    assert stored(api) == before


def test_the_list_is_paged_and_filtered(api: Api) -> None:
    own = added(api, **ANSWER | {"service_code": "CARE-MEALS", "priority": "urgent"})
    everything = api.as_("admin").items("/standards")
    assert api.as_("admin").items("/standards", limit=7) == everything
    assert len({one["id"] for one in everything}) == len(everything) == 28
    for filters in ({"district": DISTRICT}, {"service": "CARE-MEALS"},
                    {"kind": "response", "priority": "urgent", "district": DISTRICT}):  # fmt: skip
        assert api.as_("admin").items("/standards", **filters) == [own]
    assert api.as_("admin").items("/standards", in_force=False) == []
    answer = api.as_("admin").get("/standards", params={"district": "99999"})
    assert refusal(answer) == (422, "unknown_district")


def test_an_added_standard_reads_back_with_basis_and_author(api: Api) -> None:
    steps = [tier(1, 1, "worker"), tier(1, 1, "provider"), tier(3, 2, "head")]
    own = added(api, **ANSWER | {
        "service_code": "MED-VISIT", "priority": "urgent", "lapse_after": days(8),
        "escalation": steps, "basis": "의원 협약 2026",
    })  # fmt: skip
    read = api.as_("admin").get(f"/standards/{own['id']}")
    assert read.json() | {"allowed_actions": own["allowed_actions"]} == own
    assert read.headers["etag"] == '"1"'
    expected = {
        "field": "medical", "escalation": steps, "lapse_after": days(8), "in_force": True,
        "basis": "의원 협약 2026", "set_by": str(api.id_of(SUPERVISOR)),
    }  # fmt: skip
    assert {name: own[name] for name in expected} == expected
    assert added(api)["basis"] == "district service target"
    assert added(api, "admin", kind="progress", district_code=None)["basis"] == (
        "city service target"
    )


def test_what_is_left_open_of_lapsing_is_the_usual_and_null_is_never(api: Api) -> None:
    assert added(api, **ANSWER)["lapse_after"] == days(10)
    assert added(api, **ANSWER | {"kind": "waitlist"})["lapse_after"] == days(30)
    off = added(api, **ANSWER | {"priority": "urgent", "lapse_after": None})
    assert off["lapse_after"] is None
    longer = added(api, **ANSWER | {"field": "care", "target": days(11)})
    assert longer["lapse_after"] is None
    assert added(api, **ANSWER | {"field": "housing", "target": days(10)})["lapse_after"] == days(
        10
    )


def test_a_second_standard_for_just_the_same_is_refused_with_the_first(api: Api) -> None:
    own = added(api)
    before = stored(api)
    answer = api.as_("admin").post("/standards", OWN | {"target": HOURS})
    assert refusal(answer) == (409, "standard_exists")
    assert answer.json()["standard_id"] == own["id"]
    everywhere = api.as_("admin").post("/standards", OWN | {"district_code": None})
    assert refusal(everywhere) == (409, "standard_exists")
    assert stored(api) == before
    added(api, priority="urgent")
    added(api, FAR_SUPERVISOR, district_code=OTHER_DISTRICT)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "nothing"}, "kind", "invalid"),
    ({"kind": "discharge"}, "kind", "kind_fixed"),
    ({"target": days(0)}, "target.amount", "amount_out_of_range"),
    ({"target": days(-1)}, "target.amount", "amount_out_of_range"),
    ({"target": days(367)}, "target.amount", "amount_out_of_range"),
    ({"target": days(10**12)}, "target.amount", "amount_out_of_range"),
    ({"target": days(25, "months")}, "target.amount", "amount_out_of_range"),
    ({"target": {"amount": 1.5, "unit": "days"}}, "target.amount", "invalid"),
    ({"target": {"amount": "2", "unit": "days"}}, "target.amount", "invalid"),
    ({"target": {"amount": True, "unit": "days"}}, "target.amount", "invalid"),
    ({"target": days(1, "weeks")}, "target.unit", "invalid"),
    ({"target": days(1, "on_date")}, "target.unit", "invalid"),
    ({"target": None}, "target", "invalid"),
    ({"field": "sleep"}, "field", "invalid"),
    ({"field": "care"}, "field", "scope_never_applies"),
    ({"service_code": "CARE-MEALS"}, "service_code", "scope_never_applies"),
    ({"kind": "response", "service_code": "NO-SUCH"}, "service_code", "unknown_service"),
    ({"kind": "response", "service_code": "CARE-MEALS", "field": "medical"}, "field",
     "field_of_service"),
    ({"district_code": "99999"}, "district_code", "unknown_district"),
    ({"priority": "soon"}, "priority", "invalid"),
    ({"basis": " "}, "basis", "invalid"),
    ({"colour": "red"}, "colour", "invalid"),
    ({"lapse_after": days(10)}, "lapse_after", "never_lapses"),
    ({"kind": "response", "lapse_after": days(1)}, "lapse_after", "lapse_before_due"),
    ({"kind": "response", "lapse_after": days(0)}, "lapse_after.amount", "amount_out_of_range"),
    ({"escalation": [tier(0, 1, "worker")]}, "escalation.0.tier", "tier_out_of_range"),
    ({"escalation": [tier(4, 1, "head")]}, "escalation.0.tier", "tier_out_of_range"),
    ({"escalation": [tier(1, 1, "mayor")]}, "escalation.0.to", "invalid"),
    ({"escalation": [tier(1, 0, "worker")]}, "escalation.0.after.amount", "amount_out_of_range"),
    ({"escalation": [tier(1, 4, "worker", "hours")]}, "escalation.0.after.unit",
     "escalation_unit"),
    ({"escalation": [tier(1, 1, "worker"), tier(1, 1, "worker")]}, "escalation.1", "tier_twice"),
    ({"escalation": [tier(1, 1, "worker"), tier(1, 2, "provider")]}, "escalation.1.after",
     "tier_twice"),
    ({"escalation": [tier(2, 3, "supervisor"), tier(1, 1, "worker")]}, "escalation.1.tier",
     "escalation_not_rising"),
    ({"escalation": [tier(1, 3, "worker"), tier(2, 3, "supervisor")]}, "escalation.1.after",
     "escalation_not_rising"),
    ({"escalation": [tier(1, 3, "worker"), tier(2, 4, "supervisor", "days")]},
     "escalation.1.after", "escalation_not_rising"),
]  # fmt: skip


@ON_POSTGRES
def test_of_two_who_add_the_same_at_once_one_is_refused(api: Api) -> None:
    row = to_row(
        Standard(
            id=new_id(), kind=ClockKind.SURVEY, target=Target(3, Unit.DAYS), basis="at once",
            district_code=DISTRICT,
        )
    )  # fmt: skip
    with ThreadPoolExecutor(1) as pool, locked(api, insert(t.standard).values(row)) as first:
        second = pool.submit(api.as_(SUPERVISOR).post, "/standards", OWN)
        wait_for_locks(first, 1)
        first.commit()
        assert refusal(second.result()) == (409, "standard_exists")
    assert len(api.as_(SUPERVISOR).items("/standards", district=DISTRICT)) == 1


def test_what_cannot_be_a_standard_is_refused_by_its_field_and_nothing_changes(api: Api) -> None:
    before = stored(api)
    for wrong, field, code in WRONG:
        answer = api.as_("admin").post("/standards", OWN | wrong)
        assert fields_of(answer) == [field], wrong
        assert answer.json()["code"] == code, wrong
    assert stored(api) == before


@pytest.mark.parametrize(
    ("kind", "target", "allowed"),
    [
        ("first_check", days(2, "months"), True), ("first_check", days(3, "months"), True),
        ("first_check", days(4, "months"), False), ("first_check", days(60, "days"), False),
        ("first_check", days(1, "hours"), False), ("first_check", days(1), False),
        ("check", days(6, "months"), True), ("check", days(7, "months"), False),
    ],
)  # fmt: skip
def test_the_law_allows_no_longer_target_nor_another_unit(
    api: Api, kind: str, target: dict[str, Any], allowed: bool
) -> None:
    answer = api.as_(SUPERVISOR).post("/standards", OWN | {"kind": kind, "target": target})
    if allowed:
        assert (answer.status_code, answer.json()["basis"]) == (201, "Enforcement Rule 10")
        return
    assert refusal(answer) == (422, "statutory_limit")
    assert answer.json()["article"] == "Enforcement Rule 10"
    assert "Enforcement Rule 10" in answer.json()["detail"]
    assert answer.json()["limit"] == days(6 if kind == "check" else 3, "months")


def test_the_words_of_the_schema_are_those_of_the_domain() -> None:
    assert get_args(schemas.PeriodUnit) == UNITS
    in_programme = [notified_roles(kind)[0] for kind in PROGRAMME_KINDS]
    assert get_args(schemas.NotifiedRole) == (*NOTIFIED_ROLES, *dict.fromkeys(in_programme))


# Changing one


def test_a_change_needs_the_version_that_was_seen(api: Api) -> None:
    own = added(api)["id"]
    seen = etag(api.as_(SUPERVISOR).get(f"/standards/{own}"))
    path, before = f"/standards/{own}", stored(api)
    assert refusal(api.as_(SUPERVISOR).patch(path, {"target": HOURS})) == (
        428, "precondition_required",
    )  # fmt: skip
    assert stored(api) == before
    first = api.as_(SUPERVISOR).patch(path, {"target": HOURS}, headers=seen)
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    after = stored(api)
    assert refusal(api.as_(SUPERVISOR).patch(path, {"target": DAYS}, headers=seen)) == (
        412, "stale",
    )  # fmt: skip
    assert stored(api) == after
    assert api.as_("admin").get(path).json()["target"] == HOURS


def test_what_a_change_may_not_say_is_refused(api: Api) -> None:
    own = added(api, **ANSWER)["id"]
    statutory = added(api, kind="first_check", target=days(2, "months"))["id"]
    before = stored(api)
    for id, wrong, field in (
        (own, {"kind": "start"}, "kind"), (own, {"district_code": None}, "district_code"),
        (own, {"target": None}, "target"), (own, {"basis": None}, "basis"),
        (own, {"in_force": None}, "in_force"), (own, {"target": days(0)}, "target.amount"),
        (own, {"target": days(11)}, "lapse_after"), (own, {"in_force": "no"}, "in_force"),
        (own, {"escalation": [tier(5, 1, "head")]}, "escalation.0.tier"),
        (statutory, {"target": days(4, "months")}, None),
    ):  # fmt: skip
        answer = api.as_(SUPERVISOR).patch(f"/standards/{id}", wrong, headers={"If-Match": '"1"'})
        if field is None:
            assert refusal(answer) == (422, "statutory_limit")
        else:
            assert fields_of(answer) == [field], wrong
    assert stored(api) == before


def test_a_change_concerns_new_clocks_and_leaves_those_that_run(api: Api) -> None:
    own = added(api, **ANSWER | {"target": days(5)})["id"]
    api.clock.set(TUESDAY)
    referral = a_referral(api)
    answer = clock(api, "response", referral)
    before = due(api, answer), planned(api, answer)
    steps = [tier(1, 1, "worker"), tier(3, 9, "head")]
    changed(api, own, target=days(1), escalation=steps, lapse_after=days(2))
    assert (due(api, answer), planned(api, answer)) == before
    later = clock(api, "response", a_referral(api))
    assert due(api, later).startswith("2026-03-04")
    assert planned(api, later)[3].startswith("03-17")
    api.clock.set("2026-03-05T10:00")  # recalculated for another reason, it keeps its terms
    case = UUID(api.as_(WORKER).get(f"/deadlines/{answer}").json()["case_id"])
    caseload.hold_case(api.context(WORKER), case, "away", seoul("2026-03-05T10:00").date(), None)
    assert due(api, answer).startswith("2026-03-11")
    assert 3 not in planned(api, answer)
    assert 2 in planned(api, answer)


def test_progress_runs_once_a_standard_switches_it_on_and_no_longer_when_it_ends(
    api: Api,
) -> None:
    api.clock.set(TUESDAY)
    own = added(api, kind="progress", target=days(1, "months"), priority=None)

    def starts() -> list[str]:
        referral = a_referral(api)
        moved(api, referral, "accept", PROVIDER)
        moved(api, referral, "start", PROVIDER, started_on=seoul(TUESDAY).date())
        shown = api.as_(WORKER).get(f"/referrals/{referral}").json()
        return [one["kind"] for one in shown["deadlines"] if one["status"] == "running"]

    assert starts() == ["progress"]
    assert changed(api, own["id"], in_force=False)["in_force"] is False
    assert starts() == []
    assert effective(api, "progress", district=DISTRICT)["standard_id"] is None
    added(api, kind="progress", target=days(14, "days"))
    answer = api.as_(SUPERVISOR).patch(
        f"/standards/{own['id']}", {"in_force": True}, headers={"If-Match": '"2"'}
    )
    assert refusal(answer) == (409, "standard_exists")


def test_the_standard_that_fits_everything_cannot_end(api: Api) -> None:
    for kind in ("response", "first_check"):
        id = shipped(api, kind)
        answer = api.as_("admin").patch(
            f"/standards/{id}", {"in_force": False}, headers={"If-Match": '"1"'}
        )
        assert refusal(answer) == (422, "standard_needed")
    changed(api, shipped(api, "response", "urgent"), "admin", in_force=False)
    assert effective(api, "response", priority="urgent")["target"] == days(3)


# Recalculating


def test_a_dry_run_tells_what_the_real_one_then_does(api: Api) -> None:
    survey = a_survey(api)
    own = added(api)["id"]
    before = stored(api)
    dry = recalculated(api, own, dry_run=True)
    assert stored(api) == before
    assert due(api, survey).startswith("2026-03-10")
    real = recalculated(api, own)
    assert dry == real | {"dry_run": True}
    assert real == {
        "standard_id": own, "dry_run": False, "found": 1, "changed": 1, "replanned": 0,
        "failed": 0,
        "deadlines": [
            {
                "id": str(survey),
                "kind": "survey",
                "due_at": {
                    "before": "2026-03-10T23:59:59+09:00",
                    "after": "2026-03-05T23:59:59+09:00",
                },
                "standard_id": own,
                "cancelled": False,
            }
        ],
    }  # fmt: skip
    assert due(api, survey) == "2026-03-05T23:59:59+09:00"


def test_doing_it_again_finds_nothing_more(api: Api) -> None:
    a_survey(api)
    own = added(api)["id"]
    recalculated(api, own)
    steps = stored(api)["escalation"]
    again = recalculated(api, own)
    assert (again["found"], again["changed"], again["deadlines"]) == (1, 0, [])
    assert stored(api)["escalation"] == steps


def test_the_same_key_recalculates_once(api: Api) -> None:
    a_survey(api)
    own, headers = added(api)["id"], {"Idempotency-Key": "once"}
    path = f"/standards/{own}/recalculate"
    first = api.as_(SUPERVISOR).post(path, {}, headers=headers)
    after = stored(api)
    again = api.as_(SUPERVISOR).post(path, {}, headers=headers)
    assert again.json() == first.json()
    assert again.json()["changed"] == 1
    assert stored(api) == after
    other = api.as_(SUPERVISOR).post(path, {"dry_run": True}, headers=headers)
    assert refusal(other) == (422, "idempotency_key_reused")


def test_without_a_body_it_is_no_dry_run_and_an_unknown_field_is_refused(api: Api) -> None:
    survey = a_survey(api)
    own = added(api)["id"]
    path = f"/standards/{own}/recalculate"
    for wrong, field in (({"dry": True}, "dry"), ({"dry_run": "yes"}, "dry_run")):
        assert fields_of(api.as_(SUPERVISOR).post(path, wrong)) == [field]
    assert api.as_(SUPERVISOR).request("POST", path).json()["changed"] == 1
    assert due(api, survey).startswith("2026-03-05")


def test_steps_are_planned_anew_and_the_raised_ones_stay_in_the_ledger(api: Api) -> None:
    survey = a_survey(api)
    api.clock.set("2026-03-11T09:00")
    api.as_(SUPERVISOR).post("/jobs/overdue/run", {})
    before = api.as_(SUPERVISOR).items(f"/deadlines/{survey}/escalations")
    assert [one["tier"] for one in before if one["raised_at"]] == [-1, 0, 1]
    steps = [tier(1, 1, "worker"), tier(2, 2, "supervisor"), tier(3, 4, "head")]
    own = added(api, target=days(8), escalation=steps)["id"]
    recalculated(api, own)
    assert due(api, survey).startswith("2026-03-13")
    assert planned(api, survey) == {
        -1: "03-12T09:00", 0: "03-14T00:00", 1: "03-16T09:00", 2: "03-17T09:00", 3: "03-19T09:00",
    }  # fmt: skip
    ledger = api.as_(SUPERVISOR).items(f"/deadlines/{survey}/escalations")
    assert [one for one in ledger if one in before] == before
    shown = api.as_(SUPERVISOR).get(f"/deadlines/{survey}").json()
    assert (shown["overdue"], shown["breached_at"]) == (False, "2026-03-10T23:59:59+09:00")


def test_a_target_that_ended_before_now_breaches_at_the_change_and_the_sweep_raises_it(
    api: Api,
) -> None:
    survey = a_survey(api)
    own = added(api)["id"]
    api.clock.set("2026-03-06T15:00")
    recalculated(api, own)
    shown = api.as_(WORKER).get(f"/deadlines/{survey}").json()
    assert (shown["overdue"], shown["breached_at"]) == (True, "2026-03-05T23:59:59+09:00")
    assert api.as_(SUPERVISOR).post("/jobs/overdue/run", {}).json()["changed"] == 1
    ledger = api.as_(SUPERVISOR).items(f"/deadlines/{survey}/escalations")
    assert [one["tier"] for one in ledger if not one["passed_over"]] == [1]


def test_pauses_and_extensions_survive_a_recalculation(api: Api) -> None:
    survey = a_survey(api)
    case = UUID(api.as_(WORKER).get(f"/deadlines/{survey}").json()["case_id"])
    api.clock.set("2026-03-04T09:00")
    caseload.hold_case(api.context(WORKER), case, "away", seoul("2026-03-05T10:00").date(), None)
    own = added(api)["id"]
    recalculated(api, own)
    assert due(api, survey).startswith("2026-03-09")  # the 4th and the 5th are left out
    api.clock.set("2026-03-10T09:00")
    verdict = ReviewDecision(
        action="extend", cause="other", reason="눈길", until=seoul("2026-03-20T10:00").date()
    )
    review_deadline(api.context(SUPERVISOR), survey, verdict)
    changed(api, own, target=days(1))
    made = recalculated(api, own)
    assert made["deadlines"][0]["due_at"]["before"] == made["deadlines"][0]["due_at"]["after"]
    assert due(api, survey).startswith("2026-03-20")
    explained = why(api, survey)
    assert (len(explained["pauses"]), len(explained["extensions"])) == (1, 1)
    assert explained["target"] == days(1)


def test_it_takes_the_clocks_within_scope_and_no_others(api: Api) -> None:
    here, there = a_survey(api), a_survey(api, STRANGER)
    everywhere = shipped(api, "survey")
    changed(api, everywhere, "admin", target=days(4))
    made = recalculated(api, everywhere)
    assert [one["id"] for one in made["deadlines"]] == [str(here)]
    assert due(api, there, STRANGER).startswith("2026-03-10")
    made = recalculated(api, everywhere, "admin")
    assert [one["id"] for one in made["deadlines"]] == [str(there)]
    assert due(api, there, STRANGER).startswith("2026-03-09")


def test_a_clock_with_a_more_specific_standard_is_left_to_that_one(api: Api) -> None:
    survey = a_survey(api)
    added(api)
    everywhere = shipped(api, "survey")
    changed(api, everywhere, "admin", target=days(4))
    assert recalculated(api, everywhere, "admin")["found"] == 0
    assert due(api, survey).startswith("2026-03-10")


def test_one_that_ended_gives_its_clocks_back_to_the_one_that_applies(api: Api) -> None:
    own = added(api)["id"]
    survey = a_survey(api)
    assert due(api, survey).startswith("2026-03-05")
    changed(api, own, in_force=False)
    assert due(api, survey).startswith("2026-03-05")
    recalculated(api, own)
    assert due(api, survey).startswith("2026-03-10")
    assert why(api, survey)["standard"]["id"] == str(shipped(api, "survey"))


@pytest.mark.both_stores
def test_one_that_is_switched_off_leaves_no_clock_behind(api: Api) -> None:
    """To the next standard where there is one, and to none where there is none: it says which."""
    api.clock.set(TUESDAY)
    wide = added(api, kind="progress", target=days(1, "months"), priority=None)["id"]
    own = added(api, kind="progress", target=days(14, "days"), priority=None, field="care")["id"]
    referral = a_referral(api)
    moved(api, referral, "accept", PROVIDER)
    moved(api, referral, "start", PROVIDER, started_on=seoul(TUESDAY).date())
    progress = clock(api, "progress", referral)
    assert why(api, progress)["standard"]["id"] == own
    changed(api, own, in_force=False)
    tried = recalculated(api, own, dry_run=True)
    fell_back = recalculated(api, own)
    assert fell_back["deadlines"] == tried["deadlines"]
    (told,) = fell_back["deadlines"]
    assert (told["id"], told["standard_id"], told["cancelled"]) == (str(progress), wide, False)
    assert why(api, progress)["standard"]["id"] == wide
    changed(api, wide, in_force=False)
    (tried_end,) = recalculated(api, wide, dry_run=True)["deadlines"]
    (told,) = recalculated(api, wide)["deadlines"]
    assert told == tried_end
    assert (told["id"], told["standard_id"], told["cancelled"]) == (str(progress), None, True)
    shown = api.as_(WORKER).get(f"/referrals/{referral}").json()["deadlines"]
    assert {one["status"] for one in shown if one["kind"] == "progress"} == {"cancelled"}
    assert recalculated(api, wide)["found"] == 0


def test_a_statutory_clock_gets_no_later_date_than_the_laws(api: Api) -> None:
    api.clock.set(TUESDAY)
    check = clock(api, "first_check", a_supported_case(api).case)
    by_law = due(api, check)
    assert by_law.startswith("2026-06-04")  # the 3rd is the day of the local elections
    own = added(api, kind="first_check", target=days(2, "months"))["id"]
    recalculated(api, own)
    assert due(api, check).startswith("2026-05-04")
    with api.engine.begin() as connection:  # as somebody could write it by hand
        connection.execute(
            t.standard.update()
            .where(t.standard.c.id == UUID(own))
            .values(target=Target(24, Unit.MONTHS))
        )
    assert effective(api, "first_check", district=DISTRICT)["target"] == days(3, "months")
    recalculated(api, own)
    assert due(api, check) == by_law


def test_when_a_request_lapses_follows_the_standard(api: Api) -> None:
    api.clock.set(TUESDAY)
    referral = a_referral(api)
    own = added(api, **ANSWER | {"lapse_after": days(4)})["id"]

    def lapses() -> str:
        with api.engine.connect() as connection:
            query = select(t.referral.c.lapse_at).where(t.referral.c.id == referral)
            return str(connection.scalar(query))

    assert lapses() == "2026-03-17 15:00:00+00:00"
    recalculated(api, own)
    assert lapses() == "2026-03-09 15:00:00+00:00"
    changed(api, own, lapse_after=None)
    recalculated(api, own)
    assert lapses() == "None"


def test_a_recalculation_stands_in_the_timeline_the_audit_and_the_explanation(api: Api) -> None:
    survey = a_survey(api)
    shown = api.as_(WORKER).get(f"/deadlines/{survey}").json()
    own = added(api)["id"]
    api.clock.set("2026-03-04T09:00")
    recalculated(api, own)
    (event,) = events(api, "DeadlineRecounted")
    assert (event["because"], event["reason_id"], event["by"]) == ("standard", own, "supervisor")
    assert event["subject"] == survey
    timeline = api.as_(WORKER).items(f"/residents/{shown['resident_id']}/timeline")
    assert timeline[0]["event"] == "DeadlineRecounted"
    assert ("ok", [shown["resident_id"]]) in audited(api, "standard.write")
    assert [one["target"] for one in events(api, "StandardAdded")] == ["2 working_days"]
    explained = why(api, survey)
    assert explained["basis"] == "district service target"
    assert explained["standard"] == {
        "id": own, "kind": "survey", "field": None, "service_code": None, "priority": None,
        "district_code": DISTRICT, "in_force": True,
    }  # fmt: skip
    assert explained["recounts"][0]["due_at_before"] == "2026-03-10T23:59:59+09:00"
    assert "Recalculated on 2026-03-04 by its standard." in explained["sentence"]
    assert "기준에 따라 다시 산정함" in why(api, survey, language="ko")["sentence"]


def test_a_dry_run_over_peoples_clocks_is_written_down_with_whose_they_are(api: Api) -> None:
    survey = a_survey(api)
    resident = api.as_(WORKER).get(f"/deadlines/{survey}").json()["resident_id"]
    own = added(api)["id"]
    recalculated(api, own, dry_run=True)
    assert ("ok", [resident]) in audited(api, "standard.write")


def test_one_case_that_fails_is_counted_and_stops_nobody(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = a_survey(api), a_survey(api)
    whose = api.as_(WORKER).get(f"/deadlines/{broken}").json()["case_id"]
    own, usual = added(api)["id"], standards._renew

    def breaking(ctx: Any, some: Mapping[UUID, Any], *rest: Any) -> Any:
        if whose in map(str, some):
            raise RuntimeError("broken")
        return usual(ctx, some, *rest)

    monkeypatch.setattr(standards, "_renew", breaking)
    made = recalculated(api, own)
    assert (made["found"], made["changed"], made["failed"]) == (2, 1, 1)
    assert due(api, sound).startswith("2026-03-05")
    assert due(api, broken).startswith("2026-03-10")
    monkeypatch.setattr(standards, "_renew", usual)
    assert [one["id"] for one in recalculated(api, own)["deadlines"]] == [str(broken)]

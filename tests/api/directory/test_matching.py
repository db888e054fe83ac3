"""Matching: the order of offerings, its reasons, and who may see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, make_url, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.tables.figures import provider_answers
from casework.bench.statements import statements
from casework.bootstrap import Application, build
from casework.domain.directory.matching import Factor
from tests.api.acts import a_referral, a_resident, a_supported_case, clock, moved
from tests.api.asking import ABSENT, fields_of, refusal
from tests.api.conftest import (
    ASSESSOR,
    BASE,
    FAR,
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    OTHER_PROVIDER,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
    seoul,
)

MATCH = "/offerings/match"
MEALS = {"service_code": "CARE-MEALS"}
OLD = {"fact": "age", "comparison": "at_least", "values": ["65"], "basis": "Act 2"}
GRADED = {"fact": "ltc_grade", "comparison": "one_of", "values": ["1", "2"], "basis": "Act 17"}
# The actor, the resident, what came to nothing before, and the offerings with their measurements;
# besides the audit entry.
COST = 4


def ask(api: Api, username: str = WORKER, **body: Any) -> Any:
    body = {key: str(one) if isinstance(one, UUID) else one for key, one in body.items()}
    return api.as_(username).post(MATCH, MEALS | body)


def found(api: Api, **body: Any) -> list[dict[str, Any]]:
    answer = ask(api, **body)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def names(items: list[dict[str, Any]]) -> list[str]:
    return [one["provider"]["name"].split()[0] for one in items]


def why(item: dict[str, Any], factor: str) -> dict[str, Any]:
    reason: dict[str, Any] = next(one for one in item["why"] if one["factor"] == factor)
    return reason


def set_(api: Api, table: Any, *which: Any, **values: Any) -> None:
    with api.engine.begin() as connection:
        connection.execute(update(table).where(*which).values(values))
    api.application.catalogue.forget()


def offering(api: Api, slug: str, **values: Any) -> None:
    set_(api, t.offering, t.offering.c.id == api.offerings[slug, "CARE-MEALS"].id, **values)


def rules(api: Api, *some: dict[str, Any], service: str = "CARE-MEALS") -> None:
    set_(api, t.service, t.service.c.code == service, eligibility=list(some))


# Who may match


def test_nobody_asks_anonymously_and_only_workers_and_supervisors_do(api: Api) -> None:
    body = MEALS | {"centre_code": HERE}
    assert refusal(api.client.post(BASE + MATCH, json=body)) == (401, "unauthenticated")
    for username in (ASSESSOR, PROVIDER, "city", "auditor", "admin"):
        assert refusal(api.as_(username).post(MATCH, body)) == (403, "forbidden"), username


def test_a_resident_out_of_scope_is_one_who_never_was(api: Api) -> None:
    someone = a_resident(api)
    assert ask(api, SUPERVISOR, resident_id=someone).status_code == 200
    for username in (NEIGHBOUR, STRANGER):
        hidden, absent = ask(api, username, resident_id=someone), ask(
            api, username, resident_id=ABSENT
        )  # fmt: skip
        assert refusal(hidden) == (404, "not_found")
        assert hidden.content == absent.content


def test_whoever_looks_for_a_resident_stands_in_the_record(api: Api) -> None:
    someone = a_resident(api)
    ask(api, resident_id=someone)
    with api.engine.connect() as connection:
        row = connection.execute(
            select(t.audit_entry).where(t.audit_entry.c.action == "offering.match")
        ).one()
    assert (row.actor, row.subjects, row.outcome) == (WORKER, [str(someone)], "ok")


# The request


def test_a_resident_or_a_centre_is_named_and_not_both(api: Api) -> None:
    someone = a_resident(api)
    assert refusal(ask(api)) == (422, "resident_or_centre")
    assert refusal(ask(api, resident_id=someone, centre_code=HERE)) == (422, "resident_or_centre")
    assert names(found(api, resident_id=someone)) == names(found(api, centre_code=HERE))


def test_what_nobody_has_is_refused_by_name(api: Api) -> None:
    for body, code in (
        ({"centre_code": "9999999999"}, "unknown_centre"),
        ({"centre_code": HERE, "service_code": "NO-SUCH"}, "unknown_service"),
        ({"centre_code": HERE, "nonsense": 1}, "invalid"),
        ({"centre_code": HERE, "language": "Vietnamese"}, "invalid"),
        ({"centre_code": HERE, "mobility": "swift"}, "invalid"),
        ({"centre_code": HERE, "needed_by": "soon"}, "invalid"),
    ):
        assert refusal(ask(api, **body)) == (422, code), body
    assert fields_of(ask(api, centre_code=HERE, service_code="NO-SUCH")) == ["service_code"]


def test_a_day_that_has_passed_is_refused_and_today_is_not(api: Api) -> None:
    api.clock.set("2026-03-05T09:00")
    for day, status in (("2026-03-04", 422), ("2026-03-05", 200), ("2026-03-06", 200)):
        assert ask(api, centre_code=HERE, needed_by=day).status_code == status, day
    assert refusal(ask(api, centre_code=HERE, needed_by="2026-03-04"))[1] == "needed_by_past"


def test_a_key_means_nothing_to_a_question(api: Api) -> None:
    worker, headers = api.as_(WORKER), {"Idempotency-Key": "monday"}
    for centre in (HERE, FAR):
        answer = worker.post(MATCH, MEALS | {"centre_code": centre}, headers=headers)
        assert answer.json()["centre_code"] == centre


# Which areas an offering covers


def test_only_what_is_open_and_covers_the_centre_is_found(api: Api) -> None:
    assert names(found(api, centre_code=HERE)) == ["alpha", "beta"]
    assert names(found(api, centre_code=FAR)) == ["gamma"]
    offering(api, "alpha", is_open=False)
    assert names(found(api, centre_code=HERE)) == ["beta"]
    set_(api, t.provider, t.provider.c.slug == "beta", is_active=False)
    assert found(api, centre_code=HERE) == []
    with api.engine.begin() as connection:
        connection.execute(delete(t.offering_centre).where(t.offering_centre.c.centre_code == FAR))
    assert found(api, centre_code=FAR) == []
    assert found(api, centre_code=NEXT_DOOR, service_code="MED-REHAB") == []


def test_an_answer_says_where_it_is_and_what_the_minutes_rest_on(api: Api) -> None:
    answer = ask(api, centre_code=HERE).json()
    assert answer["centre_code"] == HERE
    assert answer["estimate"] == {"from": "centre_point", "detour_factor": 1.4, "speed_kmh": 24.0}
    alpha = answer["items"][0]
    assert set(alpha) == {
        "offering_id", "provider", "distance_km", "minutes", "within_15_minutes", "last_day",
        "why",
    }  # fmt: skip
    assert alpha["offering_id"] == str(api.offerings["alpha", "CARE-MEALS"].id)
    assert alpha["provider"] == {
        "id": str(api.providers["alpha"].id), "name": "alpha 돌봄", "phone": "051-000-0000",
    }  # fmt: skip
    assert (alpha["distance_km"], alpha["minutes"], alpha["within_15_minutes"]) == (0.111, 1, True)


def test_fifteen_minutes_are_within_fifteen_minutes_and_never_null(api: Api) -> None:
    beta, (lat, lon) = api.providers["beta"], (35.1777, 129.1595)
    kilometre = 180 / (3.141592653589793 * 6371)
    for away, minutes, near in ((4.285, 15, True), (4.287, 16, False)):
        place = {"lat": lat + away * kilometre, "lon": lon}
        set_(api, t.provider, t.provider.c.id == beta.id, **place)
        item = found(api, centre_code=HERE)[1]
        assert (item["distance_km"], item["minutes"]) == (away, minutes)
        assert item["within_15_minutes"] is near


# The order and its reasons


def test_every_factor_is_named_with_value_rank_and_sentence(api: Api) -> None:
    for item in found(api, centre_code=HERE):
        assert [one["factor"] for one in item["why"]] == list(Factor)
        for one in item["why"]:
            assert one["rank"] >= 1, one
            assert one["value"], one
            assert one["says"].endswith("."), one


def test_the_reasons_are_told_in_korean_and_in_english(api: Api) -> None:
    worker, body = api.as_(WORKER), MEALS | {"centre_code": HERE}
    told = {
        language: why(
            worker.post(MATCH, body, headers={"Accept-Language": language}).json()["items"][0],
            "free_place",
        )["says"]
        for language in ("ko", "en")
    }
    assert told == {"ko": "정원 20 중 빈자리 5, 대기 0.", "en": "5 of 20 places free, 0 waiting."}


@pytest.mark.parametrize(
    ("until", "says"),
    [
        (None, "3 of 20 places free, 2 waiting."),
        (date(2026, 3, 1), "3 of 20 places free, 2 waiting."),
        (date(2026, 3, 2), "0 of 20 places free, 2 waiting; full until 2026-03-02."),
    ],
)
def test_what_is_said_of_the_places_is_what_the_rank_goes_by(
    api: Api, until: date | None, says: str
) -> None:
    offering(api, "alpha", available=5, for_waiting=2, waitlisted=2, waiting=2, full_until=until)
    items = {one["provider"]["id"]: one for one in found(api, centre_code=HERE)}
    place = why(items[str(api.providers["alpha"].id)], "free_place")
    assert (place["says"], place["rank"]) == (says, 2 if "full" in says else 1)


def test_each_factor_moves_the_nearer_one_back(api: Api) -> None:
    def first(**body: Any) -> str:
        return names(found(api, centre_code=HERE, **body))[0]

    assert first() == "alpha"
    offering(api, "beta", given_at="home")
    assert first() == "alpha"
    assert first(mobility="limited") == "beta"
    assert first(mobility="independent") == "alpha"
    set_(api, t.provider, t.provider.c.slug == "beta", languages=["ko", "vi"])
    offering(api, "beta", given_at=None)
    assert first(language="ko") == "alpha"
    assert first(language="vi") == "beta"
    offering(api, "alpha", available=0)
    assert first() == "beta"
    offering(api, "beta", available=0)
    offering(api, "alpha", as_of=seoul("2026-01-27T09:00"))
    assert first() == "beta"


def test_where_a_service_is_given_stands_on_the_service_and_on_the_offering(api: Api) -> None:
    def given_at(code: str) -> Any:
        item = found(api, centre_code=HERE, service_code=code)[0]
        return why(item, "comes_home")["value"]["given_at"]

    assert (given_at("MED-VISIT"), given_at("CARE-MEALS")) == ("home", None)
    which = t.offering.c.provider_id == api.providers["alpha"].id
    set_(api, t.offering, which, given_at="site")
    assert (given_at("MED-VISIT"), given_at("CARE-MEALS")) == ("site", "site")


def test_how_somebody_gets_about_is_known_of_a_resident(api: Api) -> None:
    offering(api, "beta", given_at="home")
    for mobility, wanted in (("limited", "beta"), ("housebound", "beta"), ("independent", "alpha"),
                             (None, "alpha")):  # fmt: skip
        someone = a_resident(api, mobility=mobility)
        assert names(found(api, resident_id=someone))[0] == wanted, mobility
    assert names(found(api, resident_id=someone, mobility="limited"))[0] == "beta"


def test_each_rule_is_shown_with_its_fact_and_refuses_nobody(api: Api) -> None:
    rules(api, OLD, GRADED)
    someone = a_resident(api, birth_date=date(1961, 3, 3), ltc_grade="1")
    for day, verdict, rank, age, of_age in (
        ("2026-03-02", "not_met", 3, "64", "not_met"),
        ("2026-03-03", "met", 1, "65", "met"),
        ("2026-03-04", "met", 1, "65", "met"),
    ):
        api.clock.set(f"{day}T09:00")
        items = found(api, resident_id=someone)
        assert names(items) == ["alpha", "beta"]
        told = why(items[0], "eligible")
        assert (told["rank"], told["value"]["verdict"]) == (rank, verdict)
        assert told["value"]["rules"] == [
            OLD | {"certainty": "C", "value": age, "verdict": of_age},
            GRADED | {"certainty": "C", "value": "1", "verdict": "met"},
        ]


def test_of_a_centre_no_fact_is_known(api: Api) -> None:
    rules(api, OLD)
    told = why(found(api, centre_code=HERE)[0], "eligible")
    assert (told["rank"], told["value"]["verdict"]) == (2, "unknown")
    assert told["value"]["rules"][0]["value"] is None


def test_the_catalogue_shows_its_rules_and_a_new_one_counts_at_once(api: Api) -> None:
    services = {one["code"]: one for one in api.as_(PROVIDER).items("/services")}
    assert [one["fact"] for one in services["NUR-BATH"]["eligibility"]] == ["ltc_grade"]
    assert (services["CARE-MEALS"]["eligibility"], services["NUR-DAY"]["given_at"]) == ([], "site")
    assert api.as_(WORKER).items("/providers")[0]["languages"] is None


# What was measured


def answered(api: Api, provider: str, *, accepts: bool, working_days: int) -> UUID:
    """A request sent on a Monday and answered that many working days later."""
    api.clock.set("2026-03-09T09:00")
    referral = a_referral(api, provider=provider)
    api.clock.set(f"2026-03-{9 + working_days:02}T15:00")
    by = f"provider.{provider}"
    if accepts:
        moved(api, referral, "accept", by)
    else:
        moved(api, referral, "decline", by, reason="out_of_area")
    return referral


@contextmanager
def as_scheduler(api: Api) -> Iterator[Application]:
    """The application as the scheduler's process builds it, with its database rights."""
    settings = api.application.settings
    url = make_url(settings.url())
    if url.get_backend_name() != "sqlite":
        url = url.set(username="casework_scheduler")
        given = {"database_url": url.render_as_string(hide_password=False)}
        settings = settings.model_copy(update=given)
    application = build(settings, now=api.clock, cheap_passwords=True)
    try:
        yield application
    finally:
        application.engine.dispose()


def remeasure(api: Api) -> int:
    """What the scheduler does every hour."""
    with as_scheduler(api) as application:
        return application.measure_answers()


def measured(api: Api) -> dict[UUID, tuple[int, float, float]]:
    with api.engine.connect() as connection:
        return {
            row.provider_id: (row.answers, row.median_days, row.accepted_share)
            for row in connection.execute(select(provider_answers))
        }


def test_five_answers_say_something_of_an_agency_and_four_do_not(api: Api) -> None:
    beta = api.providers["beta"].id
    for n in range(4):
        answered(api, "beta", accepts=n > 0, working_days=n)
    assert (remeasure(api), measured(api)) == (0, {})
    answered(api, "beta", accepts=True, working_days=4)
    assert (remeasure(api), measured(api)) == (1, {beta: (5, 2.0, 0.8)})
    alpha_item, beta_item = sorted(found(api, centre_code=HERE), key=lambda one: names([one]))
    told = why(beta_item, "answers")["value"]
    assert (told["median_working_days"], told["answers"]) == (2.0, 5)
    assert told["as_of"] == "2026-03-13T15:00:00+09:00"
    assert why(beta_item, "accepts")["value"]["accepted_share"] == 0.8
    assert why(alpha_item, "answers")["value"] == {"median_working_days": None}
    assert "too few" in why(alpha_item, "accepts")["says"]
    # Alpha is nearer; but beta accepts often, and alpha has no record.
    assert names(found(api, centre_code=HERE)) == ["beta", "alpha"]


def test_answers_are_forgotten_after_ninety_days(api: Api) -> None:
    for n in range(5):
        answered(api, "alpha", accepts=True, working_days=n % 2)
    last = seoul("2026-03-09T15:00")
    for days, seconds, rows in ((90, -1, 1), (90, 0, 1), (90, 1, 0)):
        api.clock.now = last
        api.clock.forward(days=days, seconds=seconds)
        remeasure(api)
        assert len(measured(api)) == rows, (days, seconds)


def test_a_weekend_is_no_time_an_agency_took(api: Api) -> None:
    for _ in range(5):
        api.clock.set("2026-03-06T09:00")  # a Friday
        referral = a_referral(api)
        api.clock.set("2026-03-09T09:00")
        moved(api, referral, "accept", PROVIDER)
    remeasure(api)
    assert measured(api) == {api.providers["alpha"].id: (5, 1.0, 1.0)}


def test_who_never_answers_is_known_by_it_and_what_was_entered_in_error_counts_not(
    api: Api,
) -> None:
    api.clock.set("2026-03-09T09:00")
    for _ in range(4):
        a_referral(api)
    in_error = answered(api, "alpha", accepts=True, working_days=0)
    moved(api, in_error, "enter-in-error", SUPERVISOR, reason="another resident")
    answered(api, "alpha", accepts=True, working_days=0)
    api.clock.set("2026-04-20T09:00")
    api.application.sweep(api.application.context())
    with api.engine.connect() as connection:
        lapsed = connection.scalars(select(t.referral.c.status)).all().count("lapsed")
    remeasure(api)
    (only,) = measured(api).values()
    assert lapsed == 4
    assert (only[0], only[2]) == (5, 0.2)
    assert only[1] > 3


def test_a_place_that_was_waited_for_counts_as_accepted_and_as_answered_when_it_was(
    api: Api,
) -> None:
    for _ in range(5):
        api.clock.set("2026-03-09T09:00")
        referral = a_referral(api)
        api.clock.set("2026-03-10T09:00")
        moved(api, referral, "waitlist", PROVIDER)
    remeasure(api)
    assert measured(api) == {api.providers["alpha"].id: (5, 1.0, 0.0)}
    api.clock.set("2026-03-16T09:00")
    moved(api, referral, "accept", PROVIDER)
    remeasure(api)
    assert measured(api) == {api.providers["alpha"].id: (5, 1.0, 0.2)}


def test_measuring_again_changes_nothing_and_costs_the_same_for_many(api: Api) -> None:
    expected: dict[UUID, tuple[int, float, float]] = {}
    for provider in ("alpha", "beta"):
        for n in range(5):
            answered(api, provider, accepts=n > 1, working_days=n)
        expected[api.providers[provider].id] = (5, 2.0, 0.6)
        for _ in range(2):
            with as_scheduler(api) as application:
                application.context()
                with statements(application.engine) as sent:
                    assert application.measure_answers() == len(expected)
            assert measured(api) == expected
            own = [one for one in sent if "set_config" not in one]
            assert len(own) == 3, "\n".join(own)


@pytest.mark.both_stores
def test_the_application_itself_does_not_write_what_was_measured(api: Api) -> None:
    if api.engine.dialect.name == "sqlite":  # which knows no roles
        assert api.application.measure_answers() == 0
        return
    with pytest.raises(Exception, match="permission denied"):
        api.application.measure_answers()


# What a referral records


def judged_referral(api: Api, **facts: Any) -> UUID:
    rules(api, OLD, GRADED)
    someone = a_resident(api, **({"birth_date": date(1941, 5, 6)} | facts))
    return a_referral(api, a_supported_case(api, resident=someone))


def test_what_was_judged_is_kept_as_it_was_when_the_request_was_made(api: Api) -> None:
    referral = judged_referral(api, ltc_grade="3")
    kept = {
        "on": "2026-03-02",
        "verdict": "not_met",
        "rules": [
            OLD | {"certainty": "C", "value": "84", "verdict": "met"},
            GRADED | {"certainty": "C", "value": "3", "verdict": "not_met"},
        ],
    }
    resident = api.as_(WORKER).get(f"/referrals/{referral}").json()["resident_id"]
    rules(api)
    set_(api, t.resident, t.resident.c.id == UUID(resident), ltc_grade="1")
    for username in (WORKER, SUPERVISOR):
        assert api.as_(username).get(f"/referrals/{referral}").json()["judged"] == kept, username


def test_an_agency_sees_of_it_what_rests_on_facts_it_was_told(api: Api) -> None:
    referral = judged_referral(api, ltc_grade="1")
    shown = api.as_(PROVIDER).get(f"/referrals/{referral}").json()["judged"]
    assert shown == {
        "on": "2026-03-02",
        "verdict": None,
        "rules": [OLD | {"certainty": "C", "value": "84", "verdict": "met"}],
    }
    assert refusal(api.as_(OTHER_PROVIDER).get(f"/referrals/{referral}"))[0] == 404


def test_it_stands_sealed(api: Api) -> None:
    judged_referral(api, ltc_grade="1")
    with api.engine.connect() as connection:
        (stored,) = connection.exec_driver_sql("SELECT judged FROM referral").scalars()
    assert str(stored).strip('"').startswith("v1.")


def test_where_no_rule_is_known_nothing_is_kept_and_no_statement_is_spent(api: Api) -> None:
    referral = a_referral(api)
    assert api.as_(WORKER).get(f"/referrals/{referral}").json()["judged"] is None


def test_whoever_is_asked_next_is_judged_anew(api: Api) -> None:
    referral = judged_referral(api, ltc_grade=None)
    beta = str(api.offerings["beta", "CARE-MEALS"].id)
    said = {"channel": "phone", "person": "담당자"}
    worker = api.as_(WORKER)
    answer = worker.post(
        f"/referrals/{referral}/decline",
        {"reason": "at_capacity", "on_behalf": said, "replace_with": beta},
    )
    assert answer.status_code == 200, answer.text
    successor = worker.get(f"/referrals/{answer.json()['replaced_by']}").json()
    assert [one["verdict"] for one in successor["judged"]["rules"]] == ["met", "unknown"]
    moved(api, UUID(successor["id"]), "decline", OTHER_PROVIDER, reason="at_capacity")
    alpha = str(api.offerings["alpha", "CARE-MEALS"].id)
    body = {"disposition": "re_refer", "offering_id": alpha}
    disposed = worker.post(f"/referrals/{successor['id']}/dispose", body).json()
    third = worker.get(f"/referrals/{disposed['replaced_by']}").json()
    assert third["judged"] == successor["judged"]


def test_whom_a_supervisor_redirects_to_is_judged_too(api: Api) -> None:
    referral = judged_referral(api, ltc_grade="1")
    api.clock.set("2026-03-20T09:00")
    body = {"action": "redirect", "cause": "provider_slow",
            "offering_id": str(api.offerings["beta", "CARE-MEALS"].id)}  # fmt: skip
    deadline = clock(api, "response", referral)
    supervisor = api.as_(SUPERVISOR)
    assert supervisor.post(f"/overdue/{deadline}/review", body).status_code == 200
    old = supervisor.get(f"/referrals/{referral}").json()
    new = supervisor.get(f"/referrals/{old['replaced_by']}").json()
    assert (new["judged"]["on"], new["judged"]["verdict"]) == ("2026-03-20", "met")


# The cost


@pytest.mark.parametrize("agencies", [0, 40])
def test_a_match_is_a_few_statements_however_many_agencies_there_are(
    api: Api, agencies: int
) -> None:
    _found(api, agencies)
    someone, worker = a_resident(api), api.as_(WORKER)
    api.application.clockwork()
    api.application.catalogue()
    with statements(api.application.engine) as sent:
        answer = worker.post(MATCH, MEALS | {"resident_id": str(someone)})
    assert len(answer.json()["items"]) == 2 + agencies
    own = [one for one in sent if "audit_" not in one and "set_config" not in one]
    assert len(own) == COST, "\n".join(sent)


def _found(api: Api, number: int) -> None:
    """So many further agencies beside alpha."""
    with api.engine.begin() as connection:
        agency = dict(connection.execute(
            select(t.provider).where(t.provider.c.slug == "alpha")
        ).one()._mapping)  # fmt: skip
        offer = dict(connection.execute(
            select(t.offering).where(
                t.offering.c.id == api.offerings["alpha", "CARE-MEALS"].id)
        ).one()._mapping)  # fmt: skip
        for n in range(number):
            own, offered = new_id(), new_id()
            connection.execute(insert(t.provider), [agency | {"id": own, "slug": f"more-{n}"}])
            connection.execute(insert(t.offering), [offer | {"id": offered, "provider_id": own}])
            connection.execute(
                insert(t.offering_centre), [{"offering_id": offered, "centre_code": HERE}]
            )


# What came of asking before


def _refused(api: Api, referral: UUID) -> None:
    moved(api, referral, "withdraw", WORKER, reason="resident_asked")


def _declined_by_resident(api: Api, referral: UUID) -> None:
    moved(api, referral, "decline", PROVIDER, reason="resident_refused")


def _declined(api: Api, referral: UUID) -> None:
    moved(api, referral, "decline", PROVIDER, reason="out_of_area")


def _failed(api: Api, referral: UUID) -> None:
    moved(api, referral, "accept", PROVIDER)
    moved(api, referral, "fail", PROVIDER, reason="provider_unable")


@pytest.mark.both_stores
@pytest.mark.parametrize(
    ("end", "setback"),
    [(_refused, "refused"), (_declined_by_resident, "refused"), (_declined, "declined"),
     (_failed, "failed")],
)  # fmt: skip
def test_an_agency_that_was_tried_for_this_resident_in_vain_stands_below_the_others(
    api: Api, end: Any, setback: str
) -> None:
    supported, other = a_supported_case(api), a_resident(api)
    assert names(found(api, resident_id=supported.resident)) == ["alpha", "beta"]
    end(api, a_referral(api, supported))
    offering(api, "beta", available=0)
    last, first = reversed(found(api, resident_id=supported.resident))
    assert (names([first]), names([last])) == (["beta"], ["alpha"])
    told = why(last, "history")
    counts = {"refused": 0, "failed": 0, "declined": 0, "last_on": "2026-03-02"} | {setback: 1}
    assert (told["rank"], told["value"]) == (2, counts)
    assert "1" in told["says"]
    assert why(first, "history")["rank"] == 1
    for body in ({"resident_id": other}, {"centre_code": HERE}):
        assert names(found(api, **body)) == ["alpha", "beta"]


def test_what_was_accepted_lapsed_or_called_off_is_no_setback(api: Api) -> None:
    supported = a_supported_case(api)
    moved(api, a_referral(api, supported), "cancel", WORKER, reason="no_longer_needed")
    moved(api, a_referral(api, supported), "accept", PROVIDER)
    items = found(api, resident_id=supported.resident)
    assert names(items) == ["alpha", "beta"]
    assert [why(one, "history")["rank"] for one in items] == [1, 1]


def test_a_setback_is_remembered_for_a_year(api: Api) -> None:
    supported = a_supported_case(api)
    _declined(api, a_referral(api, supported))
    ended = api.clock.now
    for seconds, rank in ((-1, 2), (0, 1), (1, 1)):
        api.clock.now = ended
        api.clock.forward(days=365, seconds=seconds)
        items = found(api, resident_id=supported.resident)
        alpha = next(one for one in items if names([one]) == ["alpha"])
        assert why(alpha, "history")["rank"] == rank, seconds

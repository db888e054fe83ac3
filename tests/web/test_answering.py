"""An agency answers by link: code, then the API's rules, with results read back over the API."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.tables.agencies import delivered
from casework.workflows.agencies import links
from casework.workflows.residents import residents
from tests.api.acts import a_referral, a_supported_case, moved
from tests.api.conftest import PROVIDER, SUPERVISOR, WORKER, Api
from tests.web.conftest import Agency, answers_by_link, sent_link

MESSAGE = "열쇠는 이웃에게 있음"


def of(agency: Agency, referral: UUID, by: str = WORKER) -> Any:
    """A referral as its sender sees it."""
    return agency.api.as_(by).get(f"/referrals/{referral}").json()


def linked_to(agency: Agency, *referrals: UUID) -> None:
    """One link to several requests, as in the morning's digest."""
    api = agency.api
    api.clock.set("2026-03-03T09:30")
    api.application.relay(api.application.context())
    agency.path = agency.mailbox.link()
    assert len(referrals) > 1


def test_a_request_is_answered_through_a_link_and_a_code(agency: Agency, asked: UUID) -> None:
    page = agency.enters()
    assert page.status_code == 200
    assert MESSAGE in page.text
    answer = agency.send("/answers", {
        f"do.{asked}": "accept", f"{asked}.accept.expected_start_on": "2026-03-05",
    })  # fmt: skip
    assert (answer.status_code, answer.history[0].status_code) == (200, 303)
    seen = of(agency, asked)
    assert (seen["status"], seen["expected_start_on"]) == ("accepted", "2026-03-05")


def test_the_page_says_what_is_asked_and_whom_to_call(agency: Agency) -> None:
    api = agency.api
    with api.engine.begin() as connection:
        worker = t.account.c.username == WORKER
        connection.execute(update(t.account).where(worker).values(phone="051-000-7001"))
    referral = a_referral(api)
    sent_link(agency, referral)
    page = agency.enters().text
    contact = of(agency, referral)["contact"]
    assert "lunch · 3 meal" in page
    assert "2026-03-02 – 2027-03-02" in page
    assert f"{contact['centre']} · {contact['worker']} · 051-000-7001" in page


def test_nothing_of_anybody_is_shown_before_the_code(agency: Agency, asked: UUID) -> None:
    shown = of(agency, asked, SUPERVISOR)["resident"]
    pages = [agency.get(), agency.post("/code"), agency.post("/enter", code="000000")]
    pages += [agency.get(f"/{where}") for where in ("places", "months/2026-03")]
    for page in pages:
        assert MESSAGE not in page.text
        for word in (shown["name"], shown["birth_date"], shown["phone"], str(asked)):
            assert word not in page.text


def test_a_morning_brings_one_link_to_all_that_was_asked(agency: Agency) -> None:
    ids = [a_referral(agency.api) for _ in range(3)]
    linked_to(agency, *ids)
    page = agency.enters()
    assert all(f"do.{id}" in page.text for id in ids)
    agency.send("/answers", {
        f"do.{ids[0]}": "accept", f"{ids[0]}.accept.expected_start_on": "2026-03-09",
        f"do.{ids[1]}": "decline", f"{ids[1]}.decline.reason": "at_capacity",
        f"do.{ids[2]}": "waitlist", f"{ids[2]}.waitlist.expected_on": "2026-03-20",
    })  # fmt: skip
    assert [of(agency, id)["status"] for id in ids] == ["accepted", "declined", "waitlisted"]
    assert of(agency, ids[1])["reason"] == "at_capacity"
    assert of(agency, ids[2])["expected_on"] == "2026-03-20"


def test_an_emergency_brings_its_link_at_once(agency: Agency) -> None:
    referral = a_referral(agency.api, priority="emergency")
    agency.api.application.relay(agency.api.application.context())
    agency.path = agency.mailbox.link()
    assert f"do.{referral}" in agency.enters().text


def test_one_that_is_refused_keeps_no_other_back(agency: Agency) -> None:
    ids = [a_referral(agency.api) for _ in range(2)]
    linked_to(agency, *ids)
    agency.enters()
    answer = agency.send("/answers", {
        f"do.{ids[0]}": "decline", f"{ids[0]}.decline.reason": "",
        f"{ids[0]}.decline.note": "적어 둔 설명", f"do.{ids[1]}": "accept",
    })  # fmt: skip
    assert answer.status_code == 422
    assert "사유를 선택하십시오" in answer.text
    assert "적어 둔 설명" in answer.text  # what was typed is not lost
    assert [of(agency, id)["status"] for id in ids] == ["requested", "accepted"]


def test_a_form_that_is_sent_twice_has_one_effect(agency: Agency, asked: UUID) -> None:
    agency.enters()
    form = dict(agency.hidden) | {f"do.{asked}": "signal", f"{asked}.signal.kind": "fall"}
    for _ in range(2):
        assert agency.browser.post(agency.path + "/answers", data=form).status_code == 200
    with agency.api.engine.connect() as connection:
        signals = connection.execute(select(t.signal.c.kind)).all()
    assert len(signals) == 1
    agency.get()  # a new form is a new word
    agency.send("/answers", {f"do.{asked}": "signal", f"{asked}.signal.kind": "fall"})
    with agency.api.engine.connect() as connection:
        assert len(connection.execute(select(t.signal.c.kind)).all()) == 2


def test_later_it_starts_signals_and_ends_on_the_same_pages(agency: Agency, asked: UUID) -> None:
    agency.enters()
    agency.send("/answers", {f"do.{asked}": "accept"})
    agency.send("/answers", {f"do.{asked}": "start", f"{asked}.start.started_on": "2026-03-02"})
    assert of(agency, asked)["status"] == "in_progress"
    agency.send("/answers", {f"do.{asked}": "signal", f"{asked}.signal.kind": "worse"})
    agency.send("/answers", {
        f"do.{asked}": "complete", f"{asked}.complete.outcome": "ended_early",
        f"{asked}.complete.ended_on": "2026-03-02",
    })  # fmt: skip
    seen = of(agency, asked)
    assert (seen["status"], seen["outcome"]) == ("completed", "ended_early")
    assert {one["by"]["role"] for one in seen["history"]} == {"worker", "provider"}


def test_the_record_says_which_link_it_was_and_from_where(agency: Agency, asked: UUID) -> None:
    agency.enters()
    agency.send("/answers", {f"do.{asked}": "accept"})
    link = agency.api.as_(WORKER).get(f"/referrals/{asked}/links").json()["items"][0]["id"]
    with agency.api.engine.connect() as connection:
        entries = connection.execute(
            select(t.audit_entry).where(t.audit_entry.c.actor == "link.alpha")
        ).all()
    by_action = {one.action: one for one in entries}
    assert set(by_action) == {links.ASK_CODE, links.ENTER, "referral.read", "referral.answer"}
    for one in (by_action["referral.read"], by_action["referral.answer"]):
        assert one.asked_for == f"link {link}"
        assert (one.role, one.source, one.outcome) == ("provider", "testclient", "ok")
        assert one.subjects
    assert by_action["referral.answer"].task == "POST /a/{secret}/answers"


def test_how_to_get_in_is_told_from_the_acceptance_on_and_to_no_other(
    agency: Agency, asked: UUID
) -> None:
    api = agency.api
    resident = of(agency, asked)["resident_id"]
    way = "초인종 대신 문을 두드릴 것"
    said = api.as_(WORKER).put(f"/residents/{resident}/way-in", {"text": way})
    assert said.json()["way_in"] == way
    assert way not in agency.enters().text
    assert api.as_(PROVIDER).get(f"/referrals/{asked}/visit").json()["way_in"] is None
    agency.send("/answers", {f"do.{asked}": "accept"})
    assert way in agency.get().text
    assert api.as_(PROVIDER).get(f"/referrals/{asked}/visit").json()["way_in"] == way
    agency.send("/answers", {f"do.{asked}": "fail", f"{asked}.fail.reason": "provider_unable"})
    assert way not in agency.get().text
    assert api.as_(WORKER).get(f"/referrals/{asked}/visit").json()["way_in"] == way


def test_who_else_comes_to_the_home_is_named(agency: Agency) -> None:
    api = agency.api
    case = a_supported_case(api)
    own, other = a_referral(api, case), a_referral(api, case, "beta")
    sent_link(agency, own)
    moved(api, other, "accept", "provider.beta")
    assert "beta 돌봄" not in agency.enters().text
    agency.send("/answers", {f"do.{own}": "accept"})
    assert "beta 돌봄" in agency.get().text


def test_what_people_go_to_themselves_comes_to_no_home(agency: Agency) -> None:
    api = agency.api
    case = a_supported_case(api)
    own, other = a_referral(api, case), a_referral(api, case, "beta")
    for id, by in ((own, PROVIDER), (other, "provider.beta")):
        moved(api, id, "accept", by)
    sent_link(agency, own)
    agency.enters()
    for of_service, of_offering, comes in (
        ("site", None, False), ("site", "home", True), ("home", "site", False), (None, None, True),
    ):  # fmt: skip
        with api.engine.begin() as connection:
            connection.execute(update(t.service).values(given_at=of_service))
            connection.execute(update(t.offering).values(given_at=of_offering))
        assert ("beta 돌봄" in agency.get().text) is comes
        shown = api.as_(PROVIDER).get(f"/referrals/{own}/visit").json()["coming"]
        assert bool(shown) is comes


def test_a_withdrawn_consent_takes_the_resident_off_the_page(agency: Agency) -> None:
    api = agency.api
    case = a_supported_case(api)
    consent = residents.record_consent(
        api.context(WORKER), case.resident, purpose="provider_sharing", given_by="self",
        given_on=api.context(WORKER).act.today,
    )  # fmt: skip
    referral = a_referral(api, case, basis_kind="consent", consent_id=consent, message=MESSAGE)
    sent_link(agency, referral)
    name = of(agency, referral)["resident"]["name"]
    assert name in agency.enters().text
    answer = api.as_(WORKER).post(f"/consents/{consent}/withdraw", {"reason": "asked"})
    assert answer.status_code == 200, answer.text
    page = agency.get()
    assert page.status_code == 200
    assert name not in page.text
    assert MESSAGE not in page.text
    assert "동의가 철회되어" in page.text


def version_of(agency: Agency, offering: UUID) -> str:
    """Which version of an offering's places the page shows."""
    shown = agency.api.as_(WORKER).get(f"/offerings/{offering}/capacity").json()
    return str(shown["version"])


def test_free_places_are_stated(agency: Agency, asked: UUID) -> None:
    offering = agency.api.offerings["alpha", "CARE-MEALS"]
    agency.enters()
    agency.get("/places")
    for given, status, free in (("20", 200, 20), ("21", 422, 20), ("x", 422, 20), ("0", 200, 0)):
        seen = version_of(agency, offering.id)
        form = {f"free.{offering.id}": given, f"seen.{offering.id}": seen}
        answer = agency.send("/places", form)
        assert answer.status_code == status, given
        found = agency.api.as_(WORKER).items("/offerings", service="CARE-MEALS")
        assert [one["capacity"]["available"] for one in found if one["id"] == str(offering.id)] == [
            free
        ]


def test_places_that_changed_meanwhile_are_not_overwritten(agency: Agency, asked: UUID) -> None:
    offering = agency.api.offerings["alpha", "CARE-MEALS"]
    agency.enters()
    agency.get("/places")
    form = {f"free.{offering.id}": "3", f"seen.{offering.id}": version_of(agency, offering.id)}
    moved(agency.api, asked, "accept", PROVIDER)
    answer = agency.send("/places", form)
    assert answer.status_code == 422
    assert "그사이에 변경되었습니다" in answer.text
    form[f"seen.{offering.id}"] = version_of(agency, offering.id)
    assert agency.send("/places", form).status_code == 200
    shown = agency.api.as_(WORKER).get(f"/offerings/{offering.id}/capacity").json()
    assert (shown["available"], shown["held"]) == (3, 1)


def test_another_agencys_places_are_not_there(agency: Agency, asked: UUID) -> None:
    other = agency.api.offerings["beta", "CARE-MEALS"]
    agency.enters()
    agency.send("/places", {f"free.{other.id}": "1", f"seen.{other.id}": "1"})
    found = agency.api.as_(WORKER).items("/offerings", service="CARE-MEALS")
    assert [one["capacity"]["available"] for one in found if one["id"] == str(other.id)] == [5]


def started(agency: Agency, referral: UUID) -> None:
    """Accepted and begun on the day of the world's beginning."""
    moved(agency.api, referral, "accept", PROVIDER)
    moved(agency.api, referral, "start", PROVIDER, started_on=agency.api.clock.now.date())


def test_a_roster_is_prefilled_and_only_exceptions_are_typed(agency: Agency) -> None:
    api = agency.api
    ids = [a_referral(api) for _ in range(2)]
    for id in ids:
        started(agency, id)
    api.clock.set("2026-04-01T08:59:59")
    api.application.relay(api.application.context())
    assert not [one for one in agency.mailbox.texts if "/months/" in one]
    api.clock.set("2026-04-01T09:00")
    for _ in range(2):  # once a month, however often
        api.application.relay(api.application.context())
    assert len([one for one in agency.mailbox.texts if "/months/2026-03" in one]) == 1
    agency.path = agency.mailbox.link()
    agency.enters()
    page = agency.get("/months/2026-03")
    # Three a week from Monday 2 March to the 31st: thirty days.
    assert [(id, value) for id, value in re.findall(
        r'id="line\.([\w-]+)"[^>]*value="([^"]*)"', page.text)] == [
        (str(id), "13") for id in sorted(ids)
    ]  # fmt: skip
    typed = {f"line.{ids[0]}": "13", f"line.{ids[1]}": "9"}
    assert agency.send("/months/2026-03", typed).status_code == 422
    typed |= {f"why.{ids[1]}": "hospitalised", f"note.{ids[1]}": "3월 20일부터"}
    assert agency.send("/months/2026-03", typed).status_code == 200
    lines = [api.as_(WORKER).get(f"/referrals/{id}/delivered").json()["items"] for id in ids]
    told = [(one["month"], one["planned"], one["delivered"], one["reason"]) for (one,) in lines]
    assert told == [
        ("2026-03", "13", "13", None), ("2026-03", "13", "9", "hospitalised")
    ]  # fmt: skip
    assert lines[1][0]["note"] == "3월 20일부터"
    assert 'value="9"' in agency.get("/months/2026-03").text


def test_a_roster_said_twice_is_written_once(agency: Agency, asked: UUID) -> None:
    started(agency, asked)
    agency.enters()
    agency.get("/months/2026-03")
    for quantity in ("13", "13", "13"):
        agency.send("/months/2026-03", {f"line.{asked}": quantity})
    with agency.api.engine.connect() as connection:
        rows = connection.execute(select(delivered)).all()
    assert [(one.delivered, one.version) for one in rows] == [("13", 1)]
    agency.send("/months/2026-03", {f"line.{asked}": "12", f"why.{asked}": "resident_absent"})
    (line,) = agency.api.as_(WORKER).get(f"/referrals/{asked}/delivered").json()["items"]
    assert (line["delivered"], line["reason"]) == ("12", "resident_absent")


def test_a_roster_of_a_month_that_has_not_begun_is_refused(agency: Agency, asked: UUID) -> None:
    started(agency, asked)
    agency.enters()
    assert agency.send("/months/2026-04", {f"line.{asked}": "13"}).status_code == 422
    assert agency.send("/months/2026-13", {f"line.{asked}": "13"}).status_code == 422
    assert agency.api.as_(WORKER).get(f"/referrals/{asked}/delivered").json()["items"] == []


def test_another_agencys_worker_reads_no_roster(agency: Agency, asked: UUID) -> None:
    for path in ("delivered", "visit"):
        answer = agency.api.as_("provider.beta").get(f"/referrals/{asked}/{path}")
        assert answer.status_code == 404


def test_the_pages_speak_korean_first_and_english_where_asked(agency: Agency, asked: UUID) -> None:
    korean, english = "인증번호 확인", "Confirm with a code"
    for said, found in (
        (None, korean),
        ("en", english),
        ("ko-KR,en;q=0.5", korean),
        ("fr", korean),
    ):
        headers = {"Accept-Language": said} if said else {"Accept-Language": ""}
        page = agency.get(headers=headers)
        assert found in page.text, said
    page = agency.get("?lang=en", headers={"Accept-Language": "ko"})
    assert english in page.text
    assert '<html lang="en">' in page.text
    assert "인증번호" not in page.text


def test_a_supervisor_decides_where_codes_go(api: Api) -> None:
    provider = api.providers["alpha"].id
    path, body = f"/providers/{provider}/answering", {"email": "alpha@agency.example"}
    assert api.as_("supervisor.26110").put(path, body).status_code == 404
    answers_by_link(api)
    bad = api.as_(SUPERVISOR).put(path, {"email": "no address"})
    assert (bad.status_code, bad.json()["code"]) == (422, "email_invalid")
    none = api.as_(SUPERVISOR).put(path, {"email": None})
    assert (none.status_code, none.json()["code"]) == (422, "email_invalid")
    off = api.as_("admin").put(path, {"email": None, "is_on": False})
    assert off.json()["is_on"] is False
    referral = a_referral(api)
    refused = api.as_(WORKER).post(f"/referrals/{referral}/link")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_known_address")


def test_nobody_signs_in_as_an_agency_that_answers_by_link(api: Api) -> None:
    answers_by_link(api)
    for password in ("", "!", "link.alpha", "small-world-2026"):
        answer = api.client.post("/api/v1/auth/token", data={
            "grant_type": "password", "username": "link.alpha", "password": password,
        })  # fmt: skip
        assert answer.status_code in (401, 422)

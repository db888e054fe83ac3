"""Forms that our pages never generated, and the validation of answers on a page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests.api.acts import a_referral, a_resident, a_supported_case, moved
from tests.api.conftest import PROVIDER, WORKER
from tests.web.conftest import Agency, sent_link


def of(agency: Agency, referral: UUID) -> dict[str, Any]:
    """A referral as its sender sees it."""
    found: dict[str, Any] = agency.api.as_(WORKER).get(f"/referrals/{referral}").json()
    return found


@pytest.mark.parametrize("shape", ["{id!s:^}", "{{{id}}}", "urn:uuid:{id}", "{hex}", "{id}.x", "x"])
@pytest.mark.parametrize(
    ("where", "prefix"), [("/answers", "do."), ("/places", "free."), ("/months/2026-03", "line.")]
)
def test_an_id_in_another_form_is_no_form_of_ours(
    agency: Agency, asked: UUID, where: str, prefix: str, shape: str
) -> None:
    name = prefix + shape.format(id=str(asked).upper(), hex=asked.hex)
    agency.enters()
    assert agency.send(where, {name: "accept"}).status_code == 400
    assert of(agency, asked)["status"] == "requested"


def test_of_a_form_that_names_another_referral_nothing_is_done_and_it_is_recorded(
    agency: Agency,
) -> None:
    own = a_referral(agency.api)
    others = [a_referral(agency.api) for _ in range(2)]
    sent_link(agency, own)
    agency.enters()
    answer = agency.send("/answers", {f"do.{own}": "accept"} | {
        f"do.{one}": "accept" for one in others
    })  # fmt: skip
    assert answer.status_code == 404
    assert {of(agency, one)["status"] for one in (own, *others)} == {"requested"}
    with agency.api.engine.connect() as connection:
        code = t.audit_entry.c.code
        found = connection.execute(
            select(t.audit_entry.c.asked_for, t.audit_entry.c.actor).where(code == "link_refused")
        ).all()
    assert [(one.actor, one.asked_for.partition(" ")[0]) for one in found] == [
        ("link.alpha", "link")
    ]


@pytest.mark.parametrize("day", ["9999-12-31", "2200-01-01", "1799-12-31", "20260310", "x"])
def test_a_day_beyond_every_calendar_is_refused_and_says_which_field(
    agency: Agency, asked: UUID, day: str
) -> None:
    moved(agency.api, asked, "accept", PROVIDER)
    agency.enters()
    answer = agency.send("/answers", {
        f"do.{asked}": "hold", f"{asked}.hold.reason": "away", f"{asked}.hold.until": day,
    })  # fmt: skip
    assert answer.status_code == 422
    assert "날짜를 적으십시오 (언제까지)" in answer.text
    assert of(agency, asked)["status"] == "accepted"


@pytest.mark.parametrize(
    ("fields", "korean", "english"),
    [
        ({"": "start"}, "날짜를 적으십시오 (시작한 날)", "A day is needed (Started on)"),
        ({"": "start", ".start.started_on": "2026-03-01"},
         "앞선 날짜보다 이릅니다 (시작한 날)", "Before what it follows (Started on)"),
        ({"": "signal"}, "달라진 점을 선택하십시오 (무엇이 달라졌습니까)",
         "Choose what has changed (What changed)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_field(
    agency: Agency, asked: UUID, fields: dict[str, str], korean: str, english: str
) -> None:
    moved(agency.api, asked, "accept", PROVIDER)
    agency.enters()
    form = {(f"{asked}{key}" if key else f"do.{asked}"): said for key, said in fields.items()}
    assert korean in agency.send("/answers", form).text
    assert english in agency.send("/answers?lang=en", form).text
    assert of(agency, asked)["status"] == "accepted"


def test_a_form_that_was_sent_with_another_answer_says_so(agency: Agency, asked: UUID) -> None:
    agency.enters()
    form = agency.hidden | {f"do.{asked}": "accept"}
    day = {f"{asked}.accept.expected_start_on": "2026-03-09"}
    where = agency.path + "/answers"
    assert agency.browser.post(where, data=form).status_code == 200
    again = agency.browser.post(where, data=form | day)
    assert again.status_code == 422
    assert "이미 다른 내용을 저장했습니다" in again.text
    assert of(agency, asked)["expected_start_on"] is None


def test_a_note_is_as_long_as_the_browser_counted_it(agency: Agency, asked: UUID) -> None:
    moved(agency.api, asked, "accept", PROVIDER)
    agency.enters()
    for note, status in (("가\r\n" * 1000 + "나", 422), ("가\r\n" * 1000, 200)):
        answer = agency.send("/answers", {
            f"do.{asked}": "signal", f"{asked}.signal.kind": "other", f"{asked}.signal.note": note,
        })  # fmt: skip
        assert answer.status_code == status


def test_progress_is_reported_as_its_clock_asks(agency: Agency, asked: UUID) -> None:
    moved(agency.api, asked, "accept", PROVIDER)
    moved(agency.api, asked, "start", PROVIDER, started_on=agency.api.clock.now.date())
    agency.enters()
    answer = agency.send("/answers", {
        f"do.{asked}": "report", f"{asked}.report.reported_on": "2026-03-02",
    })  # fmt: skip
    assert answer.status_code == 200
    assert of(agency, asked)["history"][-1]["event"] == "ReferralReported"


def test_whatever_is_shown_is_text_and_no_markup(agency: Agency) -> None:
    api, odd = agency.api, "<script>alert(1)</script><img src=x>\"'&amp;"
    resident = a_resident(api, name=f"가상 {odd}", address=odd)
    referral = a_referral(api, a_supported_case(api, resident=resident), message=odd)
    assert api.as_(WORKER).put(f"/residents/{resident}/way-in", {"text": odd}).status_code == 200
    sent_link(agency, referral)
    pages = [agency.enters(), agency.send("/answers", {f"do.{referral}": "accept"})]
    pages.append(agency.send("/answers", {
        f"do.{referral}": "fail", f"{referral}.fail.note": f"</textarea>{odd}",
    }))  # fmt: skip
    moved(api, referral, "start", PROVIDER, started_on=api.clock.now.date())
    agency.get("/months/2026-03")
    pages.append(agency.send("/months/2026-03", {
        f"line.{referral}": odd, f"why.{referral}": odd, f"note.{referral}": odd,
    }))  # fmt: skip
    pages.append(agency.get("/months/<script>"))
    for page in pages:
        assert "가상 &lt;script&gt;" in page.text or page.status_code == 422
        assert "<script" not in page.text
        assert "<img" not in page.text
        assert "</textarea>&lt;" not in page.text


@pytest.mark.parametrize("where", ["/code", "/enter", "/leave", "/answers"])
def test_the_answer_to_a_form_asked_for_again_leads_back(
    agency: Agency, asked: UUID, where: str
) -> None:
    agency.enters()
    page = agency.get(where)
    assert (page.status_code, page.history[0].status_code) == (200, 303)
    assert f"do.{asked}" in page.text
    assert agency.browser.get("/a/" + "x" * 43 + where).status_code == 404


def test_whoever_merely_holds_the_link_puts_nobody_out(agency: Agency, asked: UUID) -> None:
    agency.enters()
    inside = agency.browser.cookies["casework_link"]
    agency.browser.cookies.delete("casework_link")
    agency.get()
    assert "나갔습니다" in agency.post("/leave").text
    agency.browser.cookies.set("casework_link", inside, path=agency.path)
    assert f"do.{asked}" in agency.get().text


def test_neither_does_a_case_rest_beyond_every_calendar(agency: Agency, asked: UUID) -> None:
    where = f"/cases/{of(agency, asked)['case_id']}/hold"
    answer = agency.api.as_(WORKER).post(where, {"reason": "hospitalised", "until": "9999-12-31"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "until")


def test_by_when_a_place_was_expected_is_shown_to_who_said_so(agency: Agency, asked: UUID) -> None:
    agency.enters()
    agency.send(
        "/answers", {f"do.{asked}": "waitlist", f"{asked}.waitlist.expected_on": "2026-04-09"}
    )
    assert "<dd>2026-04-09</dd>" in agency.get().text

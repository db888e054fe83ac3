"""Invalid links: the same bytes and status for every cause, and rate limits."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from starlette.testclient import TestClient

from casework.adapters.persistence import tables as t
from casework.domain.agencies.links import CODES_AN_HOUR, FAILURES, OPENINGS_AN_HOUR, TRIES_A_CODE
from casework.workflows.access.signing_in import MAX_SOURCE_FAILURES
from tests.api.acts import a_referral, moved
from tests.api.conftest import NEIGHBOUR, PROVIDER, STRANGER, SUPERVISOR, WORKER, Api
from tests.web.conftest import Agency, sent_link

SOURCES = ("192.0.2.1", "192.0.2.2")


@pytest.fixture
def stranger(api: Api) -> Iterator[TestClient]:
    """A browser that has opened nothing."""
    with TestClient(api.client.app, base_url="http://stranger.example") as browser:
        yield browser


def told(answer: Any) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    """All that a response reveals."""
    headers = ((k, v) for k, v in answer.headers.items() if k != "x-request-id")
    return answer.status_code, answer.content, tuple(sorted(headers))


def unknown(browser: TestClient) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    """The response to a link that never existed."""
    found = told(browser.get("/a/" + "x" * 43))
    assert found[0] == 404
    return found


def links_of(api: Api, referral: UUID, by: str = SUPERVISOR) -> list[dict[str, Any]]:
    """The links of a referral."""
    found: list[dict[str, Any]] = api.as_(by).get(f"/referrals/{referral}/links").json()["items"]
    return found


def test_a_link_lasts_its_days_and_not_an_instant_longer(
    agency: Agency, asked: UUID, stranger: TestClient
) -> None:
    ends = agency.api.clock.now + timedelta(days=30)
    agency.api.clock.now = ends - timedelta(microseconds=1)
    assert stranger.get(agency.path).status_code == 200
    agency.api.clock.now = ends
    assert told(stranger.get(agency.path)) == unknown(stranger)


@pytest.mark.parametrize("by", [WORKER, SUPERVISOR])
def test_a_revoked_link_opens_nothing_and_puts_out_whoever_is_in(
    agency: Agency, asked: UUID, by: str
) -> None:
    assert f"do.{asked}" in agency.enters().text
    (link,) = links_of(agency.api, asked)
    answer = agency.api.as_(by).post(f"/links/{link['id']}/revoke")
    assert (answer.status_code, answer.json()["is_good"]) == (200, False)
    assert told(agency.get()) == unknown(agency.browser)
    again = agency.api.as_(by).post(f"/links/{link['id']}/revoke")
    assert (again.status_code, again.json()["code"]) == (409, "already_revoked")


def test_where_the_address_was_changed_nobody_is_in_and_no_code_is_good(
    agency: Agency, asked: UUID
) -> None:
    path = f"/providers/{agency.api.providers['alpha'].id}/answering"
    keeper = agency.api.as_(SUPERVISOR)
    agency.enters()
    agency.post("/code")
    code = agency.mailbox.code()
    assert keeper.put(path, {"email": "alpha@agency.example"}).status_code == 200
    assert f"do.{asked}" in agency.get().text  # the same address
    assert keeper.put(path, {"email": "new@agency.example"}).status_code == 200
    assert f"do.{asked}" not in agency.get().text
    assert agency.post("/enter", code=code).status_code == 422
    agency.post("/code")
    assert f"do.{asked}" in agency.post("/enter", code=agency.mailbox.code()).text


@pytest.mark.parametrize("by", [NEIGHBOUR, STRANGER])
def test_a_link_is_nobodys_but_its_senders(agency: Agency, asked: UUID, by: str) -> None:
    (link,) = links_of(agency.api, asked)
    assert agency.api.as_(by).post(f"/links/{link['id']}/revoke").status_code == 404
    assert agency.api.as_(by).get(f"/referrals/{asked}/links").status_code == 404
    assert agency.api.as_(by).post(f"/referrals/{asked}/link").status_code == 404
    assert agency.api.as_(PROVIDER).post(f"/links/{link['id']}/revoke").status_code == 403
    assert links_of(agency.api, asked)[0]["is_good"]


def test_every_link_that_opens_nothing_reads_the_same(
    agency: Agency, asked: UUID, stranger: TestClient
) -> None:
    api, answers = agency.api, []
    good = agency.path
    answers.append(told(stranger.get(good[:-1] + ("A" if good[-1] != "A" else "B"))))
    looked = ("", "/places", "/months/2026-03", "/months/never")
    answers += [told(stranger.get("/a/" + "y" * 43 + where)) for where in looked]
    sent = ("/code", "/enter", "/answers", "/places", "/leave", "/months/2026-03")
    form = {"token": "t"}
    answers += [told(stranger.post("/a/" + "z" * 43 + where, data=form)) for where in sent]
    answers += [told(stranger.get(f"/a/{odd}")) for odd in ("é", "%ff%fe", "a" * 3000)]
    _switch(api, is_on=False)
    answers.append(told(stranger.get(good)))
    _switch(api, is_on=True)
    with api.engine.begin() as connection:
        connection.execute(update(t.provider).values(is_active=False))
    answers.append(told(stranger.get(good)))
    with api.engine.begin() as connection:
        connection.execute(update(t.provider).values(is_active=True))
    moved(api, asked, "decline", PROVIDER, reason="at_capacity")
    assert stranger.get(good).status_code == 200  # for a month after its end
    api.clock.forward(days=29, hours=23)
    assert stranger.get(good).status_code == 200
    with api.engine.begin() as connection:  # so that the link itself would last
        connection.execute(update(t.agency_link).values(
            expires_at=api.clock.now + timedelta(days=30)))  # fmt: skip
    api.clock.forward(hours=1)
    answers.append(told(stranger.get(good)))
    assert set(answers) == {unknown(stranger)}


def _switch(api: Api, *, is_on: bool) -> None:
    path = f"/providers/{api.providers['alpha'].id}/answering"
    body = {"email": "alpha@agency.example", "is_on": is_on}
    assert api.as_(SUPERVISOR).put(path, body).status_code == 200


def test_a_link_reaches_no_referral_but_its_own(agency: Agency, asked: UUID) -> None:
    other = a_referral(agency.api)  # of the same agency, and not in this link
    agency.enters()
    answer = agency.send("/answers", {f"do.{other}": "accept"})
    assert told(answer) == unknown(agency.browser)
    agency.get()
    answer = agency.send("/months/2026-03", {f"line.{other}": "1"})
    assert told(answer) == unknown(agency.browser)
    assert agency.api.as_(WORKER).get(f"/referrals/{other}").json()["status"] == "requested"


def test_a_session_of_one_link_opens_no_other(agency: Agency, asked: UUID) -> None:
    agency.enters()
    carried = agency.browser.cookies["casework_link"]
    other = a_referral(agency.api)
    sent_link(agency, other)
    agency.browser.cookies.set("casework_link", carried, path=agency.path)
    assert f"do.{other}" not in agency.get().text
    assert "인증번호 받기" in agency.last.text


def test_whoever_has_two_links_open_is_in_both(agency: Agency, asked: UUID) -> None:
    agency.enters()
    first, other = agency.path, a_referral(agency.api)
    sent_link(agency, other)
    agency.enters()
    for path, referral in ((first, asked), (agency.path, other)):
        assert f"do.{referral}" in agency.browser.get(path).text


def test_a_forwarded_link_shows_nothing_without_a_code_of_its_own(
    agency: Agency, asked: UUID, stranger: TestClient
) -> None:
    agency.enters()
    page = stranger.get(agency.path)
    assert str(asked) not in page.text
    assert "인증번호 받기" in page.text


def test_a_session_is_short(agency: Agency, asked: UUID) -> None:
    agency.enters()
    began = agency.api.clock.now
    agency.api.clock.now = began + timedelta(minutes=30) - timedelta(microseconds=1)
    assert f"do.{asked}" in agency.get().text
    agency.api.clock.now = began + timedelta(minutes=30)
    assert f"do.{asked}" not in agency.get().text
    form = {f"do.{asked}": "accept"}
    assert agency.send("/answers", form).history[0].status_code == 303
    assert agency.api.as_(WORKER).get(f"/referrals/{asked}").json()["status"] == "requested"


def test_whoever_leaves_is_out(agency: Agency, asked: UUID) -> None:
    agency.enters()
    agency.post("/leave")
    assert "나갔습니다" in agency.last.text
    assert f"do.{asked}" not in agency.get().text


# Codes


def test_a_code_is_good_for_ten_minutes_and_once(agency: Agency, asked: UUID) -> None:
    agency.get()
    agency.post("/code")
    code, began = agency.mailbox.code(), agency.api.clock.now
    agency.api.clock.now = began + timedelta(minutes=10)
    assert agency.post("/enter", code=code).status_code == 422
    agency.api.clock.now = began + timedelta(minutes=10) - timedelta(microseconds=1)
    assert f"do.{asked}" in agency.post("/enter", code=code).text
    agency.post("/leave")
    assert agency.post("/enter", code=code).status_code == 422


def test_a_new_code_takes_the_place_of_the_one_before(agency: Agency, asked: UUID) -> None:
    agency.get()
    agency.post("/code")
    first = agency.mailbox.code()
    agency.post("/code")
    second = agency.mailbox.code()
    assert first != second
    assert agency.post("/enter", code=first).status_code == 422
    assert f"do.{asked}" in agency.post("/enter", code=second).text


def wrong(code: str) -> str:
    """A code that is not that one."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_after_five_wrong_tries_the_right_code_is_wrong_too(agency: Agency, asked: UUID) -> None:
    agency.get()
    agency.post("/code")
    code = agency.mailbox.code()
    told_of = [told(agency.post("/enter", code=wrong(code)))[0] for _ in range(TRIES_A_CODE)]
    assert told_of == [422] * TRIES_A_CODE
    assert agency.post("/enter", code=code).status_code == 422


def test_before_the_fifth_wrong_try_the_right_code_still_opens(agency: Agency, asked: UUID) -> None:
    agency.get()
    agency.post("/code")
    code = agency.mailbox.code()
    for _ in range(TRIES_A_CODE - 1):
        agency.post("/enter", code=wrong(code))
    assert f"do.{asked}" in agency.post("/enter", code=code).text


def test_in_an_hour_ten_tries_are_compared_and_five_codes_sent(agency: Agency, asked: UUID) -> None:
    agency.get()
    statuses = []
    for _ in range(CODES_AN_HOUR + 1):
        statuses.append(agency.post("/code").status_code)
        for _ in range(3):
            agency.post("/enter", code=wrong(agency.mailbox.code()))
    assert statuses == [200] * CODES_AN_HOUR + [429]
    with agency.api.engine.connect() as connection:
        row = connection.execute(select(t.agency_link)).one()
    assert (len(row.tries), row.failures) == (10, 10)
    agency.api.clock.forward(hours=1)
    agency.post("/code")
    assert f"do.{asked}" in agency.post("/enter", code=agency.mailbox.code()).text


def test_thirty_wrong_codes_wear_a_link_out(agency: Agency, asked: UUID) -> None:
    agency.get()
    for _ in range(FAILURES):
        agency.post("/code")
        agency.post("/enter", code=wrong(agency.mailbox.code()))
        agency.api.clock.forward(minutes=20)
    assert told(agency.get()) == unknown(agency.browser)


def test_a_code_opens_no_other_link(agency: Agency, asked: UUID) -> None:
    agency.get()
    agency.post("/code")
    code = agency.mailbox.code()
    sent_link(agency, a_referral(agency.api))
    agency.get()
    agency.post("/code")
    if agency.mailbox.code() != code:  # once in a million it is the same
        assert agency.post("/enter", code=code).status_code == 422


# Forms


@pytest.mark.parametrize("how", ["no token", "a wrong token", "another's token", "no cookie"])
def test_a_form_that_is_not_ours_changes_nothing(
    agency: Agency, asked: UUID, stranger: TestClient, how: str
) -> None:
    agency.enters()
    form = dict(agency.hidden) | {f"do.{asked}": "accept"}
    if how == "no token":
        del form["token"]
    elif how == "a wrong token":
        form["token"] = "0" * 64
    elif how == "another's token":
        page = stranger.get(agency.path).text
        form["token"] = re.findall(r'name="token" value="(\w+)"', page)[0]
    else:
        agency.browser.cookies.delete("casework_form")
    answer = agency.browser.post(agency.path + "/answers", data=form)
    assert answer.status_code == 403
    assert agency.api.as_(WORKER).get(f"/referrals/{asked}").json()["status"] == "requested"


def test_what_a_browser_carries_goes_nowhere_else(agency: Agency, asked: UUID) -> None:
    agency.enters()
    entered = agency.last.history[0]
    for answer in (entered, agency.browser.get("/a/" + "x" * 43)):
        for cookie in answer.headers.get_list("set-cookie"):
            assert {"HttpOnly", f"Path={agency.path}", "SameSite=strict"} <= {
                part.strip() for part in cookie.split(";")
            }
    assert len(entered.headers.get_list("set-cookie")) == 1
    assert agency.last.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'self'; form-action 'self'"
    )
    assert "<script" not in agency.last.text
    assert "style=" not in agency.last.text


def test_in_production_a_browser_takes_its_cookies_over_tls_alone(
    agency: Agency, asked: UUID
) -> None:
    app: Any = agency.api.client.app
    services = app.state.services
    app.state.services = replace(services, is_production=True)
    agency.browser = TestClient(app, base_url="https://agency.example", follow_redirects=True)
    try:
        agency.enters()
        cookies = agency.last.history[0].headers.get_list("set-cookie")
        assert [one.partition("=")[0] for one in cookies] == ["__Secure-casework_link"]
        assert {"HttpOnly", "SameSite=strict", "Secure"} <= set(cookies[0].split("; "))
        assert set(agency.browser.cookies) == {"__Secure-casework_link", "__Secure-casework_form"}
        assert f"do.{asked}" in agency.get().text
        agency.post("/leave")
        assert set(agency.browser.cookies) == {"__Secure-casework_form"}
        assert f"do.{asked}" not in agency.get().text
    finally:
        app.state.services = services


def test_a_look_changes_nothing_and_sends_nothing(agency: Agency, asked: UUID) -> None:
    before = len(agency.mailbox.texts)
    for _ in range(3):  # as a mail program looks ahead
        assert agency.get().status_code == 200
    assert len(agency.mailbox.texts) == before


# What is stored


def test_the_database_holds_neither_a_secret_nor_a_code(agency: Agency, asked: UUID) -> None:
    agency.enters()
    secret, code = agency.path.removeprefix("/a/"), agency.mailbox.code()
    carried = agency.browser.cookies["casework_link"]
    with agency.api.engine.connect() as connection:
        for table in t.metadata.sorted_tables:
            for row in connection.execute(text(f"SELECT * FROM {table.name}")):
                shown = repr(tuple(row))
                assert secret not in shown, table.name
                assert carried not in shown, table.name
                assert f"'{code}'" not in shown, table.name


def test_a_link_is_sent_where_there_is_something_to_answer(agency: Agency) -> None:
    referral = a_referral(agency.api)
    moved(agency.api, referral, "decline", PROVIDER, reason="at_capacity")
    answer = agency.api.as_(WORKER).post(f"/referrals/{referral}/link")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_in_state")


def test_production_says_no_secret_aloud(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agency.api.application.transport, "_aloud", None)
    referral = a_referral(agency.api)
    agency.api.as_(WORKER).post(f"/referrals/{referral}/link")
    relayed = agency.api.application.relay(agency.api.application.context())
    assert relayed.errors == {"no_address": 1}


# Limits


def guessed(api: Api, count: int, good: str) -> Iterator[tuple[str, Any]]:
    """The responses to guesses, from several addresses in turn.

    They are secrets that were never anybody's, and such as differ from a good one by a letter.
    """
    browsers = {
        source: TestClient(api.client.app, client=(source, 1), base_url="http://guess.example")
        for source in SOURCES
    }
    for number in range(count):
        source = SOURCES[number % len(SOURCES)]
        place = number % len(good)
        near = good[:place] + ("_" if good[place] != "_" else "-") + good[place + 1 :]
        secret = near if number % 3 == 0 else f"{number:043d}"
        yield source, told(browsers[source].get(f"/a/{secret}"))


def test_guesses_are_told_one_thing_and_soon_nothing_is_looked_at_for_them(
    agency: Agency, asked: UUID, stranger: TestClient
) -> None:
    count = int(os.environ.get("CASEWORK_PROOF_GUESSES", MAX_SOURCE_FAILURES * len(SOURCES) + 20))
    seen = Counter(guessed(agency.api, count, agency.path.removeprefix("/a/")))
    answers = {answer for _, answer in seen}
    assert answers == {unknown(stranger)}
    with agency.api.engine.connect() as connection:
        refused = connection.execute(
            select(t.audit_entry.c.source).where(t.audit_entry.c.action == "link.open")
        ).all()
    written = Counter(row.source for row in refused)
    # So many from each place were looked up and written down, and no flood after them.
    expected = {
        source: min(MAX_SOURCE_FAILURES, sum(n for (of, _), n in seen.items() if of == source))
        for source in SOURCES
    }
    assert {source: written[source] for source in SOURCES} == expected
    held = TestClient(agency.api.client.app, client=(SOURCES[0], 1))
    if expected[SOURCES[0]] == MAX_SOURCE_FAILURES:
        assert told(held.get(agency.path)) == unknown(stranger)  # for a while, from there
    assert stranger.get(agency.path).status_code == 200  # and from elsewhere as ever
    agency.api.clock.forward(minutes=15)
    assert held.get(agency.path).status_code == 200
    print(f"{count} guesses: {len(answers)} answer, {sum(written.values())} written down")


def test_a_link_is_opened_so_many_times_an_hour(agency: Agency, asked: UUID) -> None:
    agency.get()
    with agency.api.engine.begin() as connection:
        connection.execute(update(t.agency_link).values(opened=OPENINGS_AN_HOUR - 1))
    assert agency.get().status_code == 200
    assert told(agency.get()) == unknown(agency.browser)
    agency.api.clock.forward(hours=1)
    assert agency.get().status_code == 200

"""Free places on the page: how old they are, until when there is none, and who is offered one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from casework.adapters.persistence import tables as t
from tests.api.acts import a_referral, moved
from tests.api.conftest import PROVIDER, WORKER
from tests.web.conftest import Agency, sent_link

STALE = "오래된 수치"


def meals(agency: Agency) -> UUID:
    """The offering that the tests are about."""
    return agency.api.offerings["alpha", "CARE-MEALS"].id


def stored(agency: Agency, offering: UUID) -> Any:
    """It, as it is stored."""
    with agency.api.engine.connect() as connection:
        return connection.execute(select(t.offering).where(t.offering.c.id == offering)).one()


def set_to(agency: Agency, **values: Any) -> None:
    """Let all offerings have these values."""
    with agency.api.engine.begin() as connection:
        connection.execute(update(t.offering).values(values))


def test_figures_are_stale_the_moment_after_their_days(agency: Agency, asked: UUID) -> None:
    agency.enters()
    now = agency.api.clock.now
    set_to(agency, as_of=now - timedelta(days=7))
    assert STALE not in agency.get("/places").text
    set_to(agency, as_of=now - timedelta(days=7, microseconds=1))
    assert STALE in agency.get("/places").text
    assert "out of date" in agency.get("/places?lang=en").text


def test_declined_for_want_of_a_place_it_is_full_until_the_day_that_was_said(
    agency: Agency, asked: UUID
) -> None:
    agency.enters()
    agency.send("/answers", {
        f"do.{asked}": "decline", f"{asked}.decline.reason": "at_capacity",
        f"{asked}.decline.full_until": "2026-03-04",
    })  # fmt: skip
    assert str(stored(agency, meals(agency)).full_until) == "2026-03-04"
    assert "정원 마감 기한 2026-03-04" in agency.get("/places").text
    agency.api.clock.set("2026-03-04T23:59")
    agency.enters()
    assert "2026-03-04" in agency.get("/places").text
    agency.api.clock.set("2026-03-05T00:00")
    assert "정원 마감 기한 2026" not in agency.get("/places").text


def test_whoever_states_other_places_leaves_the_mark_as_it_is(agency: Agency, asked: UUID) -> None:
    agency.enters()
    set_to(agency, full_until=agency.api.clock.now.date())
    page = agency.get("/places").text
    id = meals(agency)
    assert f'name="free.{id}" inputmode="numeric" maxlength="4" value=""' in page
    seen = str(stored(agency, id).capacity_version)
    assert agency.send("/places", {f"free.{id}": "", f"seen.{id}": seen}).status_code == 200
    assert stored(agency, id).full_until is not None
    assert agency.send("/places", {f"free.{id}": "3", f"seen.{id}": seen}).status_code == 200
    assert stored(agency, id).full_until is None
    assert f'maxlength="4" value="{stored(agency, id).available}"' in agency.get("/places").text


def test_until_when_it_is_full_goes_with_no_other_reason(agency: Agency, asked: UUID) -> None:
    agency.enters()
    answer = agency.send("/answers", {
        f"do.{asked}": "decline", f"{asked}.decline.reason": "out_of_area",
        f"{asked}.decline.full_until": "2026-03-04",
    })  # fmt: skip
    assert answer.status_code == 422
    assert "정원 초과 사유일 때만" in answer.text


def test_whoever_waits_longest_is_shown_to_have_been_offered_the_place(agency: Agency) -> None:
    api = agency.api
    served, waits = a_referral(api), a_referral(api)
    moved(api, served, "accept", PROVIDER)
    sent_link(agency, waits)
    agency.enters()
    agency.send("/answers", {f"do.{waits}": "waitlist"})
    assert "빈자리 안내" not in agency.get().text
    moved(api, served, "fail", PROVIDER, reason="provider_unable")
    api.application.update_places(api.application.context())
    assert "빈자리 안내" in agency.get().text
    agency.send("/answers", {f"do.{waits}": "accept"})
    assert "빈자리 안내" not in agency.get().text


def test_each_offerings_places_are_stated_by_themselves_and_none_is_typed_twice(
    agency: Agency, asked: UUID
) -> None:
    first, other = meals(agency), agency.api.offerings["alpha", "MED-VISIT"].id
    agency.enters()
    agency.get("/places")
    form = {f"free.{first}": "999", f"free.{other}": "2"}
    for id in (first, other):
        form[f"seen.{id}"] = str(stored(agency, id).capacity_version)
    page = agency.send("/places", form)
    assert page.status_code == 422
    assert 'value="999"' in page.text
    assert page.text.count('role="alert"') == 1
    assert (stored(agency, first).available, stored(agency, other).available) == (5, 2)


def stale_mail(agency: Agency) -> None:
    """The morning's mail once the figures are stale, to an agency without open requests."""
    agency.api.clock.set("2026-03-20T10:00")
    agency.api.application.update_places(agency.api.application.context())
    agency.api.clock.set("2026-03-23T09:30")
    agency.api.application.relay(agency.api.application.context())


def test_an_agency_that_is_asked_for_its_figures_states_them_by_a_link(agency: Agency) -> None:
    stale_mail(agency)
    agency.path = agency.mailbox.link()
    assert agency.get("/places").history[0].status_code == 303  # not before the code
    page = agency.enters()
    assert STALE in page.text
    id = meals(agency)
    seen = str(stored(agency, id).capacity_version)
    assert agency.send("/places", {f"free.{id}": "4", f"seen.{id}": seen}).status_code == 200
    assert stored(agency, id).available == 4
    shown = agency.api.as_(WORKER).get(f"/offerings/{id}/capacity").json()
    assert shown["is_stale"] is False
    assert "볼 수 있는 의뢰가 없습니다" in agency.get().text


def test_a_link_to_places_alone_opens_no_request_and_ends_as_others_do(agency: Agency) -> None:
    stale_mail(agency)
    agency.path = agency.mailbox.link()
    agency.enters()
    referral = a_referral(agency.api)
    assert agency.send("/answers", {f"do.{referral}": "accept"}).status_code == 404
    agency.api.clock.forward(days=30)
    assert agency.get("/places").status_code == 404


def test_a_roster_opens_where_its_link_led(agency: Agency, asked: UUID) -> None:
    moved(agency.api, asked, "accept", PROVIDER)
    moved(agency.api, asked, "start", PROVIDER, started_on=agency.api.clock.now.date())
    agency.api.clock.set("2026-04-01T09:00")
    agency.api.application.relay(agency.api.application.context())
    agency.path = agency.mailbox.link()
    assert f"line.{asked}" in agency.enters().text


@pytest.mark.parametrize(
    ("ends", "is_due"), [("2027-01-31T23:59", False), ("2027-02-01T00:00", True)]
)
def test_no_roster_is_asked_for_what_had_ended_before_its_month(
    agency: Agency, asked: UUID, ends: str, is_due: bool
) -> None:
    api = agency.api
    moved(api, asked, "accept", PROVIDER)
    moved(api, asked, "start", PROVIDER, started_on=api.clock.now.date())
    api.clock.set(ends)
    moved(api, asked, "cancel", WORKER, reason="no_longer_needed")
    api.clock.set("2027-03-01T09:00")  # February is short: its agency still sees it
    api.application.relay(api.application.context())
    with api.engine.connect() as connection:
        months = list(connection.scalars(select(t.agency_link.c.month)))
    assert ("2027-02" in months) is is_due

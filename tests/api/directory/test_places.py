"""Places: taken by accepting, freed by ending, marked full, offered to the waiting list, stated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import tables as t
from casework.domain.directory.capacity import HOLDS_A_PLACE
from casework.domain.referring import referring
from casework.workflows.cases import caseload, running
from casework.workflows.directory.places import offer_or_take_back
from tests.api.acts import a_referral, a_supported_case, moved
from tests.api.asking import everything, refusal
from tests.api.conftest import (
    FAR_SUPERVISOR,
    NEXT_DOOR,
    OTHER_PROVIDER,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

ADMIN = "admin"


def meals(api: Api, slug: str = "alpha") -> UUID:
    """The offering that the tests are about."""
    return api.offerings[slug, "CARE-MEALS"].id


def row(api: Api) -> Any:
    """Its stored row."""
    with api.engine.connect() as connection:
        return connection.execute(select(t.offering).where(t.offering.c.id == meals(api))).one()


def places(api: Api) -> tuple[int, int]:
    """How many places are available and held; checks what must always hold."""
    it = row(api)
    with api.engine.connect() as connection:
        count = select(func.count()).where(t.referral.c.offering_id == it.id)
        held = connection.scalar(count.where(t.referral.c.status.in_(HOLDS_A_PLACE)))
        waiting = connection.scalar(count.where(t.referral.c.status == "waitlisted"))
    assert (it.held, it.waitlisted) == (held, waiting)
    return it.available, it.held


def leave(api: Api, available: int, capacity: int = 20, **values: Any) -> None:
    """Set the number of available places."""
    with api.engine.begin() as connection:
        connection.execute(
            update(t.offering)
            .where(t.offering.c.id == meals(api))
            .values(available=available, capacity=capacity, **values)
        )


def listed(api: Api, **filters: Any) -> dict[str, Any]:
    """The capacity of the offering as shown in the list."""
    found = api.as_(WORKER).items("/offerings", service="CARE-MEALS", **filters)
    return next((one["capacity"] for one in found if one["id"] == str(meals(api))), {})


def asked(api: Api) -> UUID:
    """A request to the agency for a new resident."""
    return a_referral(api)


def accepted(api: Api) -> UUID:
    """One that it took on."""
    referral = asked(api)
    moved(api, referral, "accept", PROVIDER)
    return referral


def waiting(api: Api, **facts: Any) -> UUID:
    """One that it put on its list, some minutes after the one before."""
    referral = a_referral(api, **facts)
    moved(api, referral, "waitlist", PROVIDER)
    api.clock.now += timedelta(minutes=5)
    return referral


def ended(api: Api, referral: UUID) -> None:
    """The sender calls it off."""
    moved(api, referral, "cancel", WORKER, reason="no_longer_needed")


def update_places(api: Api) -> tuple[int, int]:
    """Run the scheduler's job: how many offers changed, and how many agencies were asked."""
    done = api.application.update_places(api.application.context())
    assert done.failed == 0
    return done.offered, done.asked


def offered(api: Api, referral: UUID) -> str | None:
    """When a place was offered, as the agency sees it."""
    found: str | None = api.as_(PROVIDER).get(f"/referrals/{referral}").json()["place_offered_at"]
    return found


# Taking and freeing


def test_accepting_takes_a_place_and_everybody_sees_it(api: Api) -> None:
    referral = asked(api)
    assert places(api) == (5, 0)
    answer = api.as_(PROVIDER).post(f"/referrals/{referral}/accept", {})
    assert answer.status_code == 200, answer.text
    assert places(api) == (4, 1)
    assert (listed(api)["available"], listed(api)["free"], listed(api)["maximum"]) == (4, 4, 20)


def _cancel(api: Api, referral: UUID) -> None:
    moved(api, referral, "cancel", WORKER, reason="no_longer_needed")


def _withdraw(api: Api, referral: UUID) -> None:
    moved(api, referral, "withdraw", WORKER, reason="resident_asked")


def _fail(api: Api, referral: UUID) -> None:
    moved(api, referral, "fail", PROVIDER, reason="provider_unable")


def _in_error(api: Api, referral: UUID) -> None:
    moved(api, referral, "enter-in-error", SUPERVISOR, reason="another person")


def _complete(api: Api, referral: UUID) -> None:
    today = api.context(PROVIDER).act.today
    moved(api, referral, "start", PROVIDER, started_on=today)
    assert places(api) == (4, 1)
    moved(api, referral, "complete", PROVIDER, outcome="ended_as_planned", ended_on=today)


def _fail_on_hold(api: Api, referral: UUID) -> None:
    today = api.context(PROVIDER).act.today
    moved(api, referral, "hold", PROVIDER, reason="away", until=today)
    assert places(api) == (4, 1), "a hold keeps its place"
    _fail(api, referral)


def _after_hold(api: Api, referral: UUID) -> None:
    today = api.context(PROVIDER).act.today
    moved(api, referral, "hold", PROVIDER, reason="away", until=today + timedelta(days=3))
    moved(api, referral, "resume", PROVIDER)
    assert places(api) == (4, 1)
    _cancel(api, referral)


ENDINGS: dict[str, Callable[[Api, UUID], None]] = {
    "cancel": _cancel, "withdraw": _withdraw, "fail": _fail, "enter in error": _in_error,
    "complete": _complete, "fail on hold": _fail_on_hold, "cancel after a hold": _after_hold,
}  # fmt: skip


@pytest.mark.parametrize("way", ENDINGS)
def test_each_way_to_end_frees_the_place_once(api: Api, way: str) -> None:
    referral = accepted(api)
    assert places(api) == (4, 1)
    ENDINGS[way](api, referral)
    assert places(api) == (5, 0)
    if way != "enter in error":
        _in_error(api, referral)
        assert places(api) == (5, 0), "what has ended frees nothing a second time"


@pytest.mark.parametrize("started", [False, True])
def test_closing_the_case_frees_the_place(api: Api, started: bool) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    moved(api, referral, "accept", PROVIDER)
    today = api.context(WORKER).act.today
    if started:
        moved(api, referral, "start", PROVIDER, started_on=today)
    closing = {"reason": "refused", "effective_on": today, "end_open": True}
    running.close_case(api.context(WORKER), supported.case, closing)
    assert places(api) == (5, 0)


def test_a_transfer_keeps_the_place(api: Api) -> None:
    supported = a_supported_case(api)
    moved(api, a_referral(api, supported), "accept", PROVIDER)
    caseload.transfer_case(api.context(SUPERVISOR), supported.case, NEXT_DOOR, "moved")
    assert places(api) == (4, 1)


def test_withdrawing_the_consent_frees_the_place(api: Api) -> None:
    supported = a_supported_case(api)
    worker = api.as_(WORKER)
    given = {"purpose": "provider_sharing", "given_by": "self", "given_on": "2026-03-02"}
    consent = worker.post(f"/residents/{supported.resident}/consents", given).json()["id"]
    referral = a_referral(api, supported, basis_kind="consent", consent_id=UUID(consent))
    moved(api, referral, "accept", PROVIDER)
    assert places(api) == (4, 1)
    assert worker.post(f"/consents/{consent}/withdraw", {}).status_code == 200
    assert places(api) == (5, 0)


def test_redirecting_frees_the_place_at_the_one_agency_and_takes_none_at_the_other(
    api: Api,
) -> None:
    referral = accepted(api)
    with api.context(WORKER).work("referral.send") as work:
        file = work.files.of_referral(referral)
        offering = work.directory.offering(meals(api, "beta"))
        assert offering is not None
        ctx = api.context(WORKER)
        referring.redirect(file, file.referral(referral), offering, ctx.act, None)
        work.files.save(file, ctx.now)
        work.commit()
    assert places(api) == (5, 0)
    with api.engine.connect() as connection:
        one = select(t.offering).where(t.offering.c.id == meals(api, "beta"))
        assert connection.execute(one).one().held == 0


# The last place


def test_the_last_place_is_taken_once_and_the_loser_is_told(api: Api) -> None:
    leave(api, 1)
    first, second = asked(api), asked(api)
    provider = api.as_(PROVIDER)
    assert provider.post(f"/referrals/{first}/accept", {}).status_code == 200
    assert places(api) == (0, 1)
    before = everything(api)
    refused = provider.post(f"/referrals/{second}/accept", {}, headers={"Idempotency-Key": "k"})
    assert refusal(refused) == (409, "no_free_place")
    assert refused.json()["state"] == "requested"
    assert everything(api) == before
    shown = provider.get(f"/referrals/{second}").json()
    assert (shown["status"], "accept" in shown["allowed_actions"]) == ("requested", True)


def test_the_refused_one_is_accepted_under_the_same_key_when_a_place_is_free(api: Api) -> None:
    leave(api, 1)
    first, second = accepted(api), asked(api)
    key = {"Idempotency-Key": "again"}
    provider = api.as_(PROVIDER)
    assert provider.post(f"/referrals/{second}/accept", {}, headers=key).status_code == 409
    ended(api, first)
    assert provider.post(f"/referrals/{second}/accept", {}, headers=key).status_code == 200
    assert provider.post(f"/referrals/{second}/accept", {}, headers=key).status_code == 200
    assert places(api) == (0, 1)


def test_a_worker_on_behalf_cannot_take_more_than_there_is_either(api: Api) -> None:
    leave(api, 0)
    body = {"on_behalf": {"channel": "phone", "person": "Example Agency"}}
    refused = api.as_(WORKER).post(f"/referrals/{asked(api)}/accept", body)
    assert refusal(refused) == (409, "no_free_place")
    assert refused.json()["title"] == "No place is free"


def test_the_database_holds_no_offering_that_does_not_add_up(api: Api) -> None:
    for wrong in (
        {"available": -1}, {"available": 6, "capacity": 5}, {"held": 16}, {"held": -1},
        {"waitlisted": 1, "waiting": 0}, {"for_waiting": 1},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), api.engine.begin() as connection:
            connection.execute(
                update(t.offering).where(t.offering.c.id == meals(api)).values(**wrong)
            )


# Full until a day


def test_declining_for_want_of_a_place_marks_it_full_until_the_day_that_was_said(api: Api) -> None:
    body = {"reason": "at_capacity", "full_until": "2026-03-20"}
    answer = api.as_(PROVIDER).post(f"/referrals/{asked(api)}/decline", body)
    assert answer.status_code == 200, answer.text
    found = listed(api)
    assert (found["full"], found["full_until"], found["free"]) == (True, "2026-03-20", 0)
    assert found["available"] == 5
    assert (listed(api, free="true"), listed(api, free="false")) == ({}, found)
    api.clock.set("2026-03-20T23:59:59")
    assert listed(api)["free"] == 0
    api.clock.set("2026-03-21T00:00")
    found = listed(api, free="true")
    assert (found["full"], found["full_until"], found["free"]) == (False, None, 5)


def test_without_a_day_it_counts_as_full_for_a_fortnight(api: Api) -> None:
    moved(api, asked(api), "decline", PROVIDER, reason="at_capacity")
    assert listed(api)["full_until"] == "2026-03-16"


def test_a_mark_is_moved_to_a_later_day_only(api: Api) -> None:
    for said, stands in (("2026-04-10", "2026-04-10"), ("2026-03-05", "2026-04-10"),
                         ("2026-04-11", "2026-04-11")):  # fmt: skip
        until = date.fromisoformat(said)
        moved(api, asked(api), "decline", PROVIDER, reason="at_capacity", full_until=until)
        assert listed(api)["full_until"] == stands


def test_another_reason_marks_nothing_and_a_wrong_day_is_refused(api: Api) -> None:
    provider, referral = api.as_(PROVIDER), asked(api)
    for body, code in (
        ({"reason": "out_of_area", "full_until": "2026-03-20"}, "full_until_not_asked"),
        ({"reason": "at_capacity", "full_until": "2026-03-01"}, "until_in_past"),
    ):
        refused = provider.post(f"/referrals/{referral}/decline", body)
        assert refusal(refused) == (422, code)
        assert refused.json()["errors"][0]["field"] == "full_until"
    assert (
        provider.post(f"/referrals/{referral}/accept", {"full_until": "2026-03-20"}).json()[
            "errors"
        ][0]["field"]
        == "full_until"
    )
    assert provider.post(f"/referrals/{referral}/decline", {"reason": "out_of_area"}).is_success
    assert (listed(api)["full"], listed(api)["full_until"]) == (False, None)


def test_who_is_marked_full_may_accept_all_the_same_while_a_place_is_there(api: Api) -> None:
    other = asked(api)
    moved(api, asked(api), "decline", PROVIDER, reason="at_capacity")
    moved(api, other, "accept", PROVIDER)
    assert places(api) == (4, 1)
    assert listed(api)["full"] is True


# The waiting list


def test_a_waitlisted_referral_is_counted_among_those_who_wait(api: Api) -> None:
    referral = waiting(api)
    assert (listed(api)["waiting"], row(api).waitlisted) == (1, 1)
    moved(api, referral, "decline", PROVIDER, reason="other", note="no")
    assert (listed(api)["waiting"], row(api).waitlisted) == (0, 0)


def test_a_freed_place_is_offered_to_who_waits_longest(api: Api) -> None:
    leave(api, 1)
    holder, first, second = accepted(api), waiting(api), waiting(api)
    assert update_places(api)[0] == 0
    ended(api, holder)
    found = listed(api)
    assert (found["available"], found["for_waiting"], found["free"]) == (1, 1, 0)
    assert update_places(api)[0] == 1
    assert (offered(api, first), offered(api, second)) == ("2026-03-02T10:10:00+09:00", None)
    assert update_places(api)[0] == 0
    shown = api.as_(WORKER).get(f"/referrals/{first}").json()
    assert (shown["status"], shown["place_offered_at"]) == ("waitlisted", offered(api, first))
    assert shown["history"][-1]["event"] == "PlaceOffered"
    assert "accept" in api.as_(PROVIDER).get(f"/referrals/{first}").json()["allowed_actions"]


def held(api: Api, referral: UUID, until: str) -> None:
    """A hold of the whole case of a referral."""
    case = api.as_(WORKER).get(f"/referrals/{referral}").json()["case_id"]
    body = {"reason": "hospitalised", "until": until}
    assert api.as_(WORKER).post(f"/cases/{case}/hold", body).status_code == 200


@pytest.mark.both_stores
def test_a_place_is_not_offered_to_somebody_on_hold_until_the_hold_is_over(api: Api) -> None:
    leave(api, 1)
    holder, first, second = accepted(api), waiting(api), waiting(api)
    held(api, first, "2026-03-05")
    ended(api, holder)
    update_places(api)
    assert (offered(api, first), offered(api, second)) == (None, api.clock.now.isoformat())
    for moment, is_back in (("2026-03-05T23:59:59", False), ("2026-03-06T00:00", True)):
        api.clock.set(moment)
        update_places(api)
        assert (offered(api, first) is not None) is is_back, moment
        assert (offered(api, second) is None) is is_back, moment


@pytest.mark.both_stores
def test_a_place_is_not_offered_to_the_dead_and_an_offer_is_taken_back(api: Api) -> None:
    leave(api, 1)
    holder, first, second = accepted(api), waiting(api), waiting(api)
    ended(api, holder)
    update_places(api)
    assert (offered(api, first) is None, offered(api, second)) == (False, None)
    worker = api.as_(WORKER)
    resident = worker.get(f"/referrals/{first}").json()["resident_id"]
    today = api.clock.now.date().isoformat()
    assert worker.post(f"/residents/{resident}/died", {"on": today}).is_success
    update_places(api)
    assert (offered(api, first), offered(api, second) is None) == (None, False)
    undone = api.as_(SUPERVISOR).post(f"/residents/{resident}/died/undo", {"reason": "another"})
    assert undone.is_success
    update_places(api)
    assert (offered(api, first) is None, offered(api, second)) == (False, None)


@pytest.mark.both_stores
def test_an_offer_is_taken_back_from_whom_a_hold_keeps_and_both_are_told(api: Api) -> None:
    leave(api, 1)
    holder, first = accepted(api), waiting(api)
    ended(api, holder)
    update_places(api)
    held(api, first, "2026-03-20")
    update_places(api)
    assert offered(api, first) is None
    with api.engine.connect() as connection:
        told = connection.execute(
            select(t.notice.c.about, t.notice.c.tell)
            .where(t.notice.c.kind == "place_offered")
            .order_by(t.notice.c.id)
        ).all()
    assert [(one.about, one.tell) for one in told] == [
        ("offered", ["provider", "worker"]), ("gone", ["provider", "worker"]),
    ]  # fmt: skip
    case = api.as_(WORKER).get(f"/referrals/{first}").json()["case_id"]
    assert api.as_(WORKER).post(f"/cases/{case}/resume").status_code == 200
    update_places(api)
    assert offered(api, first) is not None


@pytest.mark.both_stores
def test_an_emergency_comes_first_and_an_offer_to_another_is_taken_back_aloud(api: Api) -> None:
    leave(api, 1)
    holder, routine, urgent = accepted(api), waiting(api), waiting(api, priority="urgent")
    first, second = (waiting(api, priority="emergency") for _ in range(2))
    ended(api, holder)
    update_places(api)
    names = {"routine": routine, "urgent": urgent, "first": first, "second": second}
    assert [name for name, id in names.items() if offered(api, id)] == ["first"]
    moved(api, first, "decline", PROVIDER, reason="cannot_reach")
    moved(api, second, "decline", PROVIDER, reason="cannot_reach")
    update_places(api)
    assert offered(api, routine) is not None
    third = waiting(api, priority="emergency")
    update_places(api)
    assert (offered(api, routine), offered(api, urgent)) == (None, None)
    assert offered(api, third) is not None
    history = api.as_(WORKER).get(f"/referrals/{routine}").json()["history"]
    assert [one["event"] for one in history][-2:] == ["PlaceOffered", "PlaceOfferEnded"]


def test_the_agency_and_the_worker_are_told_of_an_offer(api: Api) -> None:
    leave(api, 1)
    holder, first = accepted(api), waiting(api)
    ended(api, holder)
    update_places(api)
    with api.engine.connect() as connection:
        (notice,) = connection.execute(
            select(t.notice).where(t.notice.c.kind == "place_offered")
        ).all()
    assert (notice.subject_id, notice.about, notice.tell) == (
        first, "offered", ["provider", "worker"],
    )  # fmt: skip
    assert notice.provider_id == api.providers["alpha"].id
    assert notice.worker_id == api.id_of(WORKER)


def test_the_agency_sees_in_its_worklist_whom_a_place_was_offered_to(api: Api) -> None:
    leave(api, 1)
    holder, first = accepted(api), waiting(api)
    ended(api, holder)
    update_places(api)
    items = {
        one["subject"]["id"]: one["place_offered_at"]
        for one in api.as_(PROVIDER).items("/worklist")
    }
    assert items == {str(first): "2026-03-02T10:05:00+09:00"}


def test_accepting_the_offer_takes_the_place_and_the_line_moves_up(api: Api) -> None:
    leave(api, 1)
    holder, first, second = accepted(api), waiting(api), waiting(api)
    ended(api, holder)
    update_places(api)
    moved(api, first, "accept", PROVIDER)
    assert places(api) == (0, 1)
    assert row(api).for_waiting == 0
    assert update_places(api)[0] == 0
    ended(api, first)
    assert update_places(api)[0] == 1
    assert offered(api, second) is not None


def test_who_leaves_the_list_leaves_the_offer_to_the_next(api: Api) -> None:
    leave(api, 1)
    holder, first, second = accepted(api), waiting(api), waiting(api)
    ended(api, holder)
    update_places(api)
    moved(api, first, "withdraw", WORKER, reason="resident_asked")
    assert update_places(api)[0] == 1
    assert offered(api, second) is not None


def test_a_place_that_went_to_somebody_else_is_no_longer_offered(api: Api) -> None:
    leave(api, 1)
    holder, first = accepted(api), waiting(api)
    ended(api, holder)
    update_places(api)
    moved(api, asked(api), "accept", PROVIDER)
    refused = api.as_(PROVIDER).post(f"/referrals/{first}/accept", {})
    assert refusal(refused) == (409, "no_free_place")
    assert update_places(api)[0] == 1
    assert offered(api, first) is None
    history = api.as_(WORKER).get(f"/referrals/{first}").json()["history"]
    assert [one["event"] for one in history[-2:]] == ["PlaceOffered", "PlaceOfferEnded"]
    with api.engine.connect() as connection:
        kind = t.notice.c.kind == "place_offered"
        abouts = connection.scalars(select(t.notice.c.about).where(kind).order_by(t.notice.c.id))
        assert list(abouts) == ["offered", "gone"]


def test_who_is_told_to_wait_after_a_place_came_free_is_not_offered_that_place(api: Api) -> None:
    leave(api, 1)
    ended(api, accepted(api))
    late = waiting(api)
    assert update_places(api)[0] == 0
    assert offered(api, late) is None
    assert listed(api)["free"] == 1


def test_who_waits_longer_is_not_passed_over_by_who_joins_before_the_round(api: Api) -> None:
    leave(api, 1)
    holder, first = accepted(api), waiting(api)
    ended(api, holder)
    second = waiting(api)
    assert update_places(api)[0] == 1
    assert (offered(api, first) is None, offered(api, second)) == (False, None)


def test_a_place_freed_while_it_is_marked_full_goes_to_who_waits(api: Api) -> None:
    leave(api, 1)
    holder, first = accepted(api), waiting(api)
    moved(api, asked(api), "decline", PROVIDER, reason="at_capacity")
    ended(api, holder)
    assert update_places(api)[0] == 1
    assert offered(api, first) is not None
    assert listed(api)["full"] is True


def test_a_closed_offering_offers_nothing(api: Api) -> None:
    leave(api, 1)
    holder, first = accepted(api), waiting(api)
    ended(api, holder)
    leave(api, 1, is_open=False)
    assert update_places(api)[0] == 0
    leave(api, 1, is_open=True)
    assert update_places(api)[0] == 1
    leave(api, 1, is_open=False)
    assert update_places(api)[0] == 1
    assert offered(api, first) is None


def test_an_offer_that_another_round_made_is_not_made_again(api: Api) -> None:
    leave(api, 1)
    holder, first = accepted(api), waiting(api)
    assert offer_or_take_back(api.application.context(), first) is False
    ended(api, holder)
    assert offer_or_take_back(api.application.context(), first) is True
    assert offer_or_take_back(api.application.context(), first) is False
    moved(api, first, "accept", PROVIDER)
    assert offer_or_take_back(api.application.context(), first) is False


# What an agency states


def etag(api: Api, username: str = PROVIDER) -> str:
    """The version that this account sees."""
    return str(api.as_(username).get(f"/offerings/{meals(api)}/capacity").headers["ETag"])


def stated(api: Api, username: str, body: Any, seen: str | None = None) -> Any:
    """State figures, with the version of the present ones."""
    path, seen = f"/offerings/{meals(api)}/capacity", seen or etag(api)
    return api.as_(username).request("PATCH", path, json=body, headers={"If-Match": seen})


@pytest.mark.parametrize("username", [PROVIDER, SUPERVISOR, ADMIN])
def test_figures_are_stated_by_the_agency_its_district_or_an_administrator(
    api: Api, username: str
) -> None:
    api.clock.set("2026-03-12T09:00")
    answer = stated(api, username, {"maximum": 9, "available": 7, "waiting": 2})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["maximum"], body["available"], body["waiting"]) == (9, 7, 2)
    assert (body["as_of"], body["is_stale"]) == ("2026-03-12T09:00:00+09:00", False)
    assert body["stated_by"] == str(api.id_of(username))
    assert body["allowed_actions"] == ["capacity"]
    assert answer.headers["ETag"] == etag(api) == '"2"'
    assert listed(api)["as_of"] == "2026-03-12T09:00:00+09:00"
    with api.engine.connect() as connection:
        event = connection.execute(select(t.event).where(t.event.c.name == "FiguresStated")).one()
    assert (event.subject_id, event.by_id) == (meals(api), api.id_of(username))
    assert event.data["before"] == {"capacity": 20, "available": 5}


def test_others_state_no_figures(api: Api) -> None:
    before = everything(api)
    for username, expected in (
        (OTHER_PROVIDER, (404, "not_found")), (FAR_SUPERVISOR, (404, "not_found")),
        (WORKER, (403, "forbidden")), ("city", (403, "forbidden")),
    ):  # fmt: skip
        assert refusal(stated(api, username, {"available": 1}, '"1"')) == expected
        assert (
            api.as_(username).get(f"/offerings/{meals(api)}/capacity").json()["allowed_actions"]
            == []
        )
    assert everything(api) == before


def test_figures_need_the_version_that_was_seen(api: Api) -> None:
    seen = etag(api)
    path = f"/offerings/{meals(api)}/capacity"
    unseen = api.as_(PROVIDER).request("PATCH", path, json={"available": 4})
    assert refusal(unseen) == (428, "precondition_required")
    accepted(api)
    assert refusal(stated(api, PROVIDER, {"available": 5}, seen)) == (412, "stale")
    assert places(api) == (4, 1)


def test_figures_cannot_deny_what_referrals_hold(api: Api) -> None:
    accepted(api)
    waiting(api)
    for body, code, field in (
        ({"available": 20}, "places_held", "available"),
        ({"available": 0, "maximum": 0}, "places_held", "available"),
        ({"available": 1, "waiting": 0}, "referrals_waiting", "waiting"),
        ({"available": -1}, "invalid", "available"), ({"available": "1"}, "invalid", "available"),
        ({"available": 1, "held": 0}, "invalid", "held"), ({}, "invalid", "available"),
    ):  # fmt: skip
        refused = stated(api, PROVIDER, body)
        assert refusal(refused) == (422, code), body
        assert refused.json()["errors"][0]["field"] == field
    assert stated(api, PROVIDER, {"available": 19}).status_code == 200
    assert places(api) == (19, 1)


def test_stating_figures_ends_the_mark_and_offers_what_is_free(api: Api) -> None:
    first = waiting(api)
    moved(api, asked(api), "decline", PROVIDER, reason="at_capacity")
    assert listed(api)["full"] is True
    assert stated(api, PROVIDER, {"available": 2}).status_code == 200
    found = listed(api)
    assert (found["full"], found["full_until"], found["free"]) == (False, None, 1)
    assert update_places(api)[0] == 1
    assert offered(api, first) is not None


def test_an_offering_that_never_was_has_no_places(api: Api) -> None:
    path = "/offerings/01900000-0000-7000-8000-000000000000/capacity"
    assert refusal(api.as_(WORKER).get(path)) == (404, "not_found")


# Figures that become stale


def test_figures_are_shown_as_stale_once_they_are_older_than_the_services_limit(api: Api) -> None:
    for now, is_stale in (
        ("2026-03-06T08:59:59", False), ("2026-03-06T09:00:00", False),
        ("2026-03-06T09:00:01", True),
    ):  # fmt: skip
        api.clock.set(now)
        assert listed(api)["is_stale"] is is_stale, now
    with api.engine.begin() as connection:
        code = t.service.c.code == "CARE-MEALS"
        connection.execute(update(t.service).where(code).values(fresh_for_days=8))
    api.application.catalogue.forget()
    assert listed(api)["is_stale"] is False


def wanted(api: Api) -> list[Any]:
    """The notices that ask for this offering's figures."""
    with api.engine.connect() as connection:
        return list(
            connection.execute(
                select(t.notice)
                .where(t.notice.c.kind == "figures_wanted", t.notice.c.subject_id == meals(api))
                .order_by(t.notice.c.id)
            )
        )


def test_stale_figures_are_asked_for_once_in_the_time_they_may_age(api: Api) -> None:
    for now, number in (
        ("2026-03-06T09:00:00", 0), ("2026-03-06T09:00:01", 1), ("2026-03-06T09:01:00", 1),
        ("2026-03-13T09:00:00", 1), ("2026-03-13T09:00:01", 2),
    ):  # fmt: skip
        api.clock.set(now)
        update_places(api)
        assert len(wanted(api)) == number, now
    notice = wanted(api)[0]
    assert (notice.tell, notice.case_id) == (["provider"], None)
    assert notice.provider_id == api.providers["alpha"].id


def test_who_has_stated_figures_is_not_asked_until_they_are_old_again(api: Api) -> None:
    api.clock.set("2026-03-06T09:00:01")
    update_places(api)
    assert stated(api, SUPERVISOR, {"available": 3}).status_code == 200
    api.clock.set("2026-03-13T09:00:01")
    update_places(api)
    assert len(wanted(api)) == 1
    api.clock.set("2026-03-13T09:00:02")
    update_places(api)
    assert len(wanted(api)) == 2


def test_a_closed_offering_is_not_asked_for_figures(api: Api) -> None:
    leave(api, 5, is_open=False)
    api.clock.set("2026-05-06T09:00:01")
    update_places(api)
    assert wanted(api) == []


def test_where_nobody_of_the_agency_signs_in_its_district_is_asked(api: Api) -> None:
    with api.engine.begin() as connection:
        connection.execute(
            update(t.account).where(t.account.c.username == PROVIDER).values(is_active=False)
        )
    api.clock.set("2026-03-06T09:00:01")
    update_places(api)
    assert [one.tell for one in wanted(api)] == [["supervisor"]]


def test_the_request_for_figures_reaches_the_agency_with_its_digest(api: Api) -> None:
    api.clock.set("2026-03-06T09:00:01")
    update_places(api)
    api.clock.set("2026-03-09T09:31:00")
    api.application.relay(api.application.context())
    with api.engine.connect() as connection:
        payload = connection.scalars(
            select(t.message.c.payload).where(t.message.c.account_id == api.id_of(PROVIDER))
        ).one()
    said = [(one["kind"], one["subject"]["id"]) for one in payload["items"]]
    assert ("figures_wanted", str(meals(api))) in said

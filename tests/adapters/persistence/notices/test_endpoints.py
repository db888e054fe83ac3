"""What the endpoints of others may do to the messages of everybody else: nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.domain.errors import Invalid
from casework.domain.notices.notices import NoticeKind
from casework.domain.notices.outbox import (
    ENDPOINTS_OF_AN_AGENCY,
    Letter,
    Subscription,
    check_subscription,
)
from casework.workflows.ports.notices import Delivery
from tests.adapters.notifications.test_channels import letter
from tests.adapters.persistence.notices.test_notices import Box, heard, listen, round_of
from tests.api.acts import a_referral
from tests.api.asking import refusal
from tests.api.conftest import FAR_SUPERVISOR, PASSWORD, PROVIDER, SUPERVISOR, WORKER, Api

URL = "https://clinic.example/hook"


@pytest.mark.parametrize(
    "url",
    ["https://[::1/", "https://clinic.example:99999/", "https://clinic.example:0/",
     "https://clinic.example:-1/", "https://clinic.example:x/", "https://:443/", "https://",
     "ftp://clinic.example/", "https://user@clinic.example/", "https://:secret@clinic.example/",
     "https://clinic.example/#part", "https://클리닉.example/", "clinic.example"],
)  # fmt: skip
def test_an_address_that_cannot_be_called_is_refused_when_it_is_named(api: Api, url: str) -> None:
    answer = api.as_(PROVIDER).post("/webhooks", {"url": url, "password": PASSWORD})
    assert refusal(answer) in {(422, "url_unusable"), (422, "invalid")}
    assert api.as_(PROVIDER).items("/webhooks") == []


@pytest.mark.parametrize(
    ("port", "is_taken"),
    [("", True), (":443", True), (":22", False), (":25", False), (":80", False), (":1023", False),
     (":1024", True), (":65535", True)],
)  # fmt: skip
def test_in_production_a_port_of_another_service_is_refused(port: str, is_taken: bool) -> None:
    endpoint = letter(f"https://clinic.example{port}/").subscription
    assert endpoint is not None
    endpoint.kinds = [NoticeKind.ESCALATION]
    if is_taken:
        check_subscription(endpoint, in_clear=False)
    else:
        with pytest.raises(Invalid):
            check_subscription(endpoint, in_clear=False)


def test_an_agency_has_so_many_endpoints_and_not_one_more(api: Api) -> None:
    for number in range(ENDPOINTS_OF_AN_AGENCY):
        listen(api, PROVIDER, f"{URL}/{number}")
    refused = api.as_(PROVIDER).post("/webhooks", {"url": URL, "password": PASSWORD})
    assert refusal(refused) == (409, "too_many_endpoints")
    assert len(api.as_(PROVIDER).items("/webhooks")) == ENDPOINTS_OF_AN_AGENCY
    listen(api, "provider.beta", URL)  # another agency has its own
    ended = api.as_(PROVIDER).items("/webhooks")[0]["id"]
    assert api.as_(PROVIDER).request("DELETE", f"/webhooks/{ended}").status_code == 200
    listen(api, PROVIDER, URL)


def test_the_district_of_an_agency_switches_its_endpoint_off(api: Api) -> None:
    made = listen(api, PROVIDER, URL)["id"]
    everybodys = listen(api, "admin", "https://city.example/")["id"]
    path = f"/webhooks/{made}"
    assert [one["id"] for one in api.as_(SUPERVISOR).items("/webhooks")] == [made]
    assert "secret" not in api.as_(SUPERVISOR).get(path).json()
    assert api.as_(FAR_SUPERVISOR).items("/webhooks") == []
    assert refusal(api.as_(FAR_SUPERVISOR).request("DELETE", path)) == (404, "not_found")
    assert refusal(api.as_(WORKER).request("DELETE", path)) == (403, "forbidden")
    assert refusal(api.as_(SUPERVISOR).post("/webhooks", {"url": URL, "password": PASSWORD})) == (
        403,
        "forbidden",
    )
    of_the_city = api.as_(SUPERVISOR).request("DELETE", f"/webhooks/{everybodys}")
    assert refusal(of_the_city) == (404, "not_found")
    a_referral(api)
    assert api.as_(SUPERVISOR).request("DELETE", path).status_code == 200
    assert {url for url, _ in heard(round_of(api))} == {"https://city.example/"}


def to_endpoints(api: Api) -> list[Any]:
    """The messages to endpoints, with their addresses."""
    query = select(t.message, t.subscription.c.url).join(
        t.subscription, t.subscription.c.id == t.message.c.subscription_id
    )
    with api.engine.connect() as connection:
        return list(connection.execute(query).all())


def test_a_stolen_session_makes_no_endpoint(api: Api) -> None:
    guessed = api.as_(PROVIDER).post("/webhooks", {"url": URL, "password": "somebody's guess"})
    assert refusal(guessed) == (403, "password_wrong")
    assert refusal(api.as_(PROVIDER).post("/webhooks", {"url": URL}))[0] == 422
    assert api.as_(PROVIDER).items("/webhooks") == []


class Slow(Box):
    """An endpoint that takes its messages, and three seconds for each."""

    def start(self, letters: Sequence[Letter], now: datetime) -> None:
        """Settle them at once, and say that they took that long."""
        super().start(letters, now)
        self.settled = [Delivery(one.letter, one.error, took_s=3.0) for one in self.settled]


def test_a_slow_endpoint_has_a_tenth_of_the_time(api: Api) -> None:
    listen(api, PROVIDER, "https://alpha.example/")
    a_referral(api)
    assert sum(heard(round_of(api, box=Slow())).values()) == 1
    a_referral(api)
    for seconds, sent in ((26, 0), (0.9, 0), (0.2, 1)):
        api.clock.forward(seconds=seconds)
        assert sum(heard(round_of(api)).values()) == sent, seconds


class GoesBack(Box):
    """A receiver that failed or used up its time: what is left was not tried."""

    def start(self, letters: Sequence[Letter], now: datetime) -> None:
        """Nothing is sent."""
        self.settled = [Delivery(one, None, is_tried=False) for one in letters[:1]]
        self.is_over = bool(letters)

    def free(self, *, endpoints: bool) -> int:
        """Once."""
        return 0 if getattr(self, "is_over", False) else 1


def test_what_was_not_tried_waits_as_before(api: Api) -> None:
    listen(api, PROVIDER, "https://alpha.example/")
    a_referral(api)
    assert round_of(api, box=GoesBack()).letters == []
    (waits,) = to_endpoints(api)
    assert (waits.tries, waits.leased_until, waits.error) == (0, None, None)
    assert sum(heard(round_of(api)).values()) == 1


def test_a_message_that_cannot_be_settled_keeps_no_other_from_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(api, PROVIDER, "https://alpha.example/")
    listen(api, "admin", "https://city.example/", kinds=["referral_requested"])
    a_referral(api)
    answered: Any = Subscription.answered

    def poisoned(one: Subscription, *facts: Any) -> None:
        if "alpha" in one.url:
            raise ValueError("what nobody thought of")
        answered(one, *facts)

    monkeypatch.setattr(Subscription, "answered", poisoned)
    round_of(api)
    by_url = {row.url: row.state for row in to_endpoints(api)}
    assert by_url == {"https://alpha.example/": "waiting", "https://city.example/": "sent"}
    monkeypatch.undo()
    api.clock.forward(seconds=61)  # its lease is over
    assert {url for url, _ in heard(round_of(api))} == {"https://alpha.example/"}

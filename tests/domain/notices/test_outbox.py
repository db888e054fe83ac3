"""The outbox: how long a message is retried, and the back-off of a failing endpoint."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from casework.domain.errors import Invalid
from casework.domain.notices.outbox import (
    Message,
    MessageState,
    Subscription,
    check_subscription,
    wait_after,
)
from tests.domain.helpers import field_of, refused
from tests.domain.notices.test_notices import AGENCY, HERE, a_notice
from tests.factories import seoul

NOW = seoul("2026-04-06T09:00")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def a_message(**facts):
    usual: dict[str, Any] = {
        "id": UUID(int=1), "kind": "digest", "account_id": UUID(int=2), "subscription_id": None,
        "district_code": HERE, "payload": {}, "created_at": NOW, "next_at": NOW,
    }  # fmt: skip
    return Message(**(usual | facts))


def an_endpoint(**facts):
    usual: dict[str, Any] = {
        "id": UUID(int=3), "url": "https://clinic.example/hook", "secret": "whsec_",
        "kinds": ["escalation"], "provider_id": None, "district_code": None, "created_at": NOW,
        "created_by": None,
    }  # fmt: skip
    return Subscription(**(usual | facts))


def test_a_message_that_was_taken_is_sent():
    message = a_message(tries=3, error="timed_out", leased_until=NOW)
    message.arrived(NOW + MINUTE)
    assert (message.state, message.sent_at) == (MessageState.SENT, NOW + MINUTE)
    assert (message.error, message.leased_until, message.tries) == (None, None, 3)


@pytest.mark.parametrize(
    ("tries", "age", "state"),
    [
        (1, 25 * HOUR, "waiting"), (2, 24 * HOUR, "waiting"), (2, 24 * HOUR + MINUTE, "dead"),
        (11, HOUR, "waiting"), (12, HOUR, "dead"), (13, HOUR, "dead"),
    ],
)  # fmt: skip
def test_twelve_tries_or_a_day_make_a_dead_letter(tries, age, state):
    message = a_message(tries=tries, leased_until=NOW)
    message.failed("status_500", NOW + age, MINUTE)
    assert (message.state, message.error, message.leased_until) == (state, "status_500", None)
    assert message.next_at == NOW + age + MINUTE


def test_a_dead_letter_is_tried_anew_from_now():
    message = a_message(state="dead", tries=12)
    message.replay(NOW + HOUR)
    assert (message.state, message.tries, message.next_at) == ("waiting", 0, NOW + HOUR)
    assert message.created_at == NOW


@pytest.mark.parametrize(
    ("failures", "jitter", "wait"),
    [
        (0, 0.0, 30), (1, 0.0, 30), (1, 1.0, 36), (2, 0.0, 60), (3, 0.5, 132),
        (10, 0.0, 15_360), (11, 0.0, 21_600), (12, 1.0, 25_920), (40, 0.0, 21_600),
    ],
)  # fmt: skip
def test_each_failure_doubles_the_wait_up_to_six_hours(failures, jitter, wait):
    assert wait_after(failures, jitter) == timedelta(seconds=wait)


def test_several_failures_of_one_batch_are_one():
    endpoint = an_endpoint()
    for _ in range(3):
        endpoint.failed(NOW, MINUTE)
    assert (endpoint.failures, endpoint.retry_at) == (1, NOW + MINUTE)
    endpoint.failed(NOW + MINUTE, 2 * MINUTE)
    assert (endpoint.failures, endpoint.retry_at) == (2, NOW + 3 * MINUTE)
    endpoint.answered(NOW, timedelta(seconds=1))
    assert (endpoint.failures, endpoint.retry_at) == (0, None)


@pytest.mark.parametrize(("took", "rests"), [(0, 0), (1, 0), (1.5, 13.5), (5, 45)])
def test_a_slow_endpoint_rests_nine_times_as_long_as_it_took(took: float, rests: float) -> None:
    endpoint = an_endpoint()
    endpoint.answered(NOW, timedelta(seconds=took))
    assert endpoint.retry_at == (NOW + timedelta(seconds=rests) if rests else None)


@pytest.mark.parametrize(
    ("facts", "wants_notice"),
    [
        ({}, True),
        ({"kinds": ["signal"]}, False),
        ({"provider_id": AGENCY}, True),
        ({"provider_id": UUID(int=99)}, False),
        ({"district_code": HERE}, True),
        ({"district_code": "26110"}, False),
        ({"district_code": "26110", "provider_id": AGENCY}, False),
    ],
)
def test_an_endpoint_hears_what_it_asked_for(facts, wants_notice):
    assert an_endpoint(**facts).wants_notice(a_notice()) is wants_notice


@pytest.mark.parametrize(
    "url",
    ["http://clinic.example/", "ftp://clinic.example/", "https:///x", "https://a@clinic.example/",
     "https://clinic.example/#part", "clinic.example"],
)  # fmt: skip
def test_an_address_is_https_and_names_a_host(url):
    endpoint = an_endpoint(url=url)
    with refused(Invalid, "url_unusable", endpoint) as caught:
        check_subscription(endpoint, in_clear=False)
    assert field_of(caught) == "url"


def test_in_clear_is_for_trying_out():
    check_subscription(an_endpoint(url="http://127.0.0.1:9/"), in_clear=True)
    check_subscription(an_endpoint(), in_clear=False)


@pytest.mark.parametrize("kinds", [[], ["laundry"], ["escalation", "laundry"]])
def test_an_endpoint_asks_for_kinds_that_there_are(kinds):
    endpoint = an_endpoint(kinds=kinds)
    with refused(Invalid, "kind_unknown", endpoint) as caught:
        check_subscription(endpoint, in_clear=False)
    assert field_of(caught) == "kinds"

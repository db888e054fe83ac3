"""Tries to sign in that were cut off, at the same moment, and by whoever knows a user name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from casework.adapters.identity import Argon2Passwords
from casework.adapters.notifications.texts import subject_of, text_of
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.rows.mapper import from_row
from casework.domain.notices.outbox import Message
from casework.workflows.access.attempts import begin_attempt
from casework.workflows.ports.unit_of_work import RequestFacts
from tests.api.conftest import COLLEAGUE, WORKER, Api
from tests.api.signing import from_elsewhere, sign_in, stored

pytestmark = pytest.mark.both_stores
MINUTE = timedelta(minutes=1)


def test_six_sign_ins_that_a_lost_database_cut_off_lock_nobody_out(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any) -> bool:
        raise psycopg.OperationalError("the connection is lost")

    with monkeypatch.context() as gone:
        gone.setattr(Argon2Passwords, "matches", lost)
        assert [sign_in(api, WORKER).status_code for _ in range(6)] == [503] * 6
    assert sign_in(api, WORKER).status_code == 200


@pytest.mark.parametrize("count", [6, 9])
def test_sign_ins_that_a_restart_cut_off_lock_nobody_out(api: Api, count: int) -> None:
    cut_off(api, count)
    assert sign_in(api, WORKER).status_code == 200
    api.clock.forward(seconds=15)
    assert sign_in(api, WORKER).status_code == 200
    assert stored(api, WORKER).tries == []


def test_however_many_a_restart_cut_off_they_are_forgotten_after_fifteen_seconds(api: Api) -> None:
    cut_off(api, 30)
    assert sign_in(api, WORKER).status_code == 401
    api.clock.forward(seconds=14.999)
    assert sign_in(api, WORKER).status_code == 401
    api.clock.forward(seconds=0.001)
    assert sign_in(api, WORKER).status_code == 200
    assert sign_in(api, COLLEAGUE).status_code == 200, "nor did their place fail"


def cut_off(api: Api, count: int) -> None:
    """Begin to sign in, and be killed before anything is compared."""
    authentication = api.application.authentication(RequestFacts())
    for _ in range(count):
        begin_attempt(authentication, WORKER, "testclient", api.clock.now)


def test_six_honest_sign_ins_at_the_same_moment_all_get_in(api: Api) -> None:
    barrier = Barrier(6)

    def enter(_: int) -> int:
        barrier.wait()
        return int(sign_in(api, WORKER).status_code)

    with ThreadPoolExecutor(6) as pool:
        for _ in range(3):
            assert list(pool.map(enter, range(6))) == [200] * 6


# Whoever only knows the user name


def test_whoever_guesses_elsewhere_keeps_the_owner_out_of_no_place(api: Api) -> None:
    with from_elsewhere(api) as guesser:
        for _ in range(12):
            sign_in(guesser, WORKER, "wrong")
        assert sign_in(guesser, WORKER).status_code == 401, "that place waits"
        for _ in range(24):
            sign_in(guesser, WORKER, "wrong")
            api.clock.forward(minutes=20)
            assert sign_in(api, WORKER).status_code == 200


def test_guesses_from_everywhere_slow_the_owner_by_a_minute_and_only_where_nobody_knows_them(
    api: Api,
) -> None:
    assert sign_in(api, WORKER).status_code == 200
    with ExitStack() as places:
        guessers = [places.enter_context(from_elsewhere(api, f"10.0.1.{n}")) for n in range(30)]
        for guesser in guessers:
            sign_in(guesser, WORKER, "wrong")
        new = places.enter_context(from_elsewhere(api, "10.9.9.9"))
        assert sign_in(api, WORKER).status_code == 200, "where the owner is known"
        assert sign_in(new, WORKER).status_code == 401
        api.clock.forward(seconds=59)
        assert sign_in(new, WORKER).status_code == 401
        api.clock.forward(seconds=1)
        assert sign_in(new, WORKER).status_code == 200
        assert sign_in(new, WORKER).status_code == 200, "from now on it is known too"


def test_an_hour_of_wrong_passwords_where_the_owner_sits_costs_the_owner_a_minute(api: Api) -> None:
    assert sign_in(api, WORKER).status_code == 200
    for _ in range(60):
        sign_in(api, WORKER, "wrong")
        api.clock.forward(minutes=1)
    assert sign_in(api, WORKER).status_code == 200


# The owner is told


def messages(api: Api) -> list[Message]:
    """The messages to the worker of wrong tries."""
    with api.engine.connect() as connection:
        rows = connection.execute(
            select(t.message).where(
                t.message.c.account_id == api.id_of(WORKER), t.message.c.kind == "sign_in_failed"
            )
        ).all()
    return [from_row(Message, row) for row in rows]


def test_the_owner_is_told_once_and_of_nothing_but_their_account(api: Api) -> None:
    for n in range(4):
        sign_in(api, WORKER, f"wrong {n}")
    assert messages(api) == []
    for n in range(8):
        sign_in(api, WORKER, f"wrong again {n}")
        sign_in(api, "nobody", f"wrong again {n}")
    (told,) = messages(api)
    assert told.payload["subject"] == {"type": "account", "id": str(api.id_of(WORKER))}
    for language, says in (("en", "within an hour"), ("ko", "한 시간")):
        assert says in text_of(told, language)
        assert subject_of(told, language)
    sent = api.application.relay(api.application.context())
    assert sent.sent == 1

"""The relay is paused after a restore: nothing leaves until an operator says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from casework import relay_control
from casework.adapters.persistence import tables as t
from casework.domain.notices.pausing import PauseReason
from casework.workflows.notices.relay import send_one
from tests.adapters.persistence.notices.test_notices import (
    Box,
    messages,
    relayed,
    round_of,
    swept,
)
from tests.api.acts import a_case, a_referral
from tests.api.conftest import Api
from tests.e2e.test_cli import KEYS, Run, documents, run

__all__ = ["run"]
MORNING = "2026-03-10T09:00"


def move_to_another_database(api: Api) -> None:
    """As after `pg_restore` or a copied file: what was noted is not where it stands."""
    with api.engine.begin() as connection:
        connection.execute(update(t.relay_state).values(database="another/16384"))


def status(api: Api) -> relay_control.RelayStatus:
    return relay_control.status(api.engine, api.clock.now)


@pytest.fixture
def waiting(api: Api) -> Api:
    """An application whose relay has sent before, with a digest that is due."""
    round_of(api)
    a_case(api)
    return api


def test_a_relay_that_was_never_restored_sends(waiting: Api) -> None:
    assert len(swept(waiting, MORNING).letters) == 1
    assert status(waiting).is_paused is False


@pytest.mark.both_stores
def test_in_another_database_than_it_sent_from_it_sends_nothing(waiting: Api) -> None:
    move_to_another_database(waiting)
    assert swept(waiting, MORNING).letters == []
    assert relayed(waiting, Box()).is_paused
    found = status(waiting)
    assert (found.is_paused, found.because) == (True, PauseReason.ANOTHER_DATABASE)
    assert found.paused_at == waiting.clock.now
    ready = waiting.client.get("/health/ready").json()
    assert (ready["status"], ready["sending"]) == ("degraded", False)
    assert 'casework_ready{part="sending"} 0.0' in waiting.client.get("/metrics").text


@pytest.mark.both_stores
def test_readiness_says_so_before_the_first_round(waiting: Api) -> None:
    move_to_another_database(waiting)
    assert waiting.client.get("/health/ready").json()["sending"] is False


def test_a_message_of_its_own_request_is_not_sent_either(waiting: Api) -> None:
    a_referral(waiting, priority="emergency")
    waiting.application.relay(waiting.application.context())
    move_to_another_database(waiting)
    box = Box()
    with waiting.engine.begin() as connection:
        connection.execute(update(t.message).values(state="waiting", sent_at=None))
    (one, *_) = messages(waiting)
    done = send_one(
        waiting.application.notices, box, one.id, clock=waiting.clock, jitter=lambda: 0.0
    )
    assert (done.is_paused, box.letters) == (True, [])


@pytest.mark.both_stores
def test_resumed_it_sends_what_was_written_since_and_sets_aside_what_was_before(
    waiting: Api,
) -> None:
    a_referral(waiting, priority="emergency")
    round_of(waiting, box=Box(down=True))
    move_to_another_database(waiting)
    waiting.clock.forward(minutes=5)
    assert round_of(waiting).letters == []
    assert relay_control.resume(waiting.engine, waiting.clock.now, set_aside=True) == 1
    (dead,) = messages(waiting, state="dead")
    assert dead.error == relay_control.SET_ASIDE
    assert round_of(waiting).letters == []
    assert len(swept(waiting, MORNING).letters) > 0
    assert status(waiting).is_paused is False


def test_resumed_with_all_it_sends_what_was_before_too(waiting: Api) -> None:
    a_referral(waiting, priority="emergency")
    round_of(waiting, box=Box(down=True))
    move_to_another_database(waiting)
    waiting.clock.forward(minutes=5)
    round_of(waiting)
    assert relay_control.resume(waiting.engine, waiting.clock.now, set_aside=False) == 0
    assert len(round_of(waiting).letters) == 1


def test_both_acts_of_an_operator_are_in_the_audit(waiting: Api) -> None:
    relay_control.pause_by_operator(waiting.engine, waiting.clock.now)
    assert status(waiting).because == PauseReason.OPERATOR
    assert swept(waiting, MORNING).letters == []
    relay_control.resume(waiting.engine, waiting.clock.now, set_aside=False)
    query = select(t.audit_entry.c.action).where(t.audit_entry.c.action.like("sending.%"))
    with waiting.engine.connect() as connection:
        assert sorted(connection.scalars(query)) == ["sending.pause", "sending.resume"]


def test_a_pause_keeps_its_first_reason(waiting: Api) -> None:
    relay_control.pause_by_operator(waiting.engine, waiting.clock.now)
    move_to_another_database(waiting)
    waiting.clock.forward(hours=1)
    round_of(waiting)
    assert status(waiting).because == PauseReason.OPERATOR


@pytest.mark.both_stores
@pytest.mark.parametrize(
    "row",
    [
        {"id": 2},
        {"id": 1, "because": "restored"},
        {"id": 1, "because": "for_fun", "paused_at": None},
    ],
)
def test_the_database_holds_one_state_whose_pause_has_a_reason(api: Api, row: Any) -> None:
    with pytest.raises(IntegrityError), api.engine.begin() as connection:
        connection.execute(insert(t.relay_state), [row])


def test_an_audit_that_goes_on_after_a_restore_pauses_the_relay(
    run: Run, store: Any, tmp_path: Path
) -> None:
    url = store.url.replace("//casework_app:", "//casework_scheduler:", 1)
    ring = str(tmp_path / "keyring.json")
    given = KEYS | {"database_url": url, "migration_url": store.owner_url, "key_ring": ring}
    assert run("migrate", **given).code == 0
    assert run("audit", "begin", **given).code == 0
    assert run("sending", "status", **given).code == 0
    assert run("audit", "begin", "--because", "a disk was lost", **given).code == 0
    said = run("sending", "status", "--json", **given)
    (found,) = documents(said.out)
    assert (said.code, found["is_paused"], found["because"]) == (1, True, "audit_goes_on")
    assert "paused since" in run("sending", "status", **given).out
    assert run("sending", "resume", "--json", **given).out == (
        '{"is_paused": false, "set_aside": 0}\n'
    )
    assert run("sending", "status", **given).code == 0
    assert run("sending", "pause", **given).out == "paused\n"
    assert run("sending", "status", **given).code == 1

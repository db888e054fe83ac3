"""How far a replica is behind, from what both servers say of the primary's log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from casework import stores
from casework.adapters.persistence.engine import replica as replicas
from casework.adapters.persistence.engine.replica import (
    Mark,
    NoReplica,
    Replica,
    TooFarBehind,
    rest_of,
)
from casework.adapters.persistence.engine.timeouts import time_allowed, time_left
from casework.settings import Settings, SettingsError

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLUSTER = 7
MOST = timedelta(seconds=30)
PRIMARY = "postgresql://casework_app:a@here/casework"


class Standing:
    """An engine of a standby that says where it stands, or fails."""

    def __init__(self) -> None:
        self.says: dict[str, Any] = {}
        self.asked = 0

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """A connection that answers what it is."""
        self.asked += 1
        if not self.says:
            raise OperationalError("SELECT 1", {}, Exception("gone"))
        usual = {"follows": True, "replayed": 0, "last": None, "cluster": CLUSTER}
        row = SimpleNamespace(**(usual | self.says))
        yield SimpleNamespace(execute=lambda _query: SimpleNamespace(one=lambda: row))


@pytest.fixture
def standing() -> Standing:
    """The standby."""
    return Standing()


@pytest.fixture
def replica(standing: Standing) -> Replica:
    """A replica that may be half a minute behind."""
    return Replica(standing, standing, MOST)  # type: ignore[arg-type]


def at(seconds: float, flushed: int) -> Mark:
    """Where the primary's log ended so long after noon."""
    return Mark(NOON + timedelta(seconds=seconds), flushed, CLUSTER)


def behind(replica: Replica, mark: Mark) -> float:
    """The seconds that it says to be behind."""
    with replica.connect(mark) as (_connection, found):
        return found.total_seconds()


def test_with_all_of_the_log_it_is_not_behind_however_long_ago_the_last_change_was(
    replica: Replica, standing: Standing
) -> None:
    standing.says = {"replayed": 100, "last": NOON - timedelta(days=1)}
    assert behind(replica, at(0, 100)) == 0


def test_with_a_part_of_the_log_it_is_as_old_as_the_last_change_it_knows(
    replica: Replica, standing: Standing
) -> None:
    standing.says = {"replayed": 99, "last": NOON - timedelta(seconds=4)}
    assert behind(replica, at(0, 100)) == 4


def test_what_was_in_the_log_when_it_was_asked_before_and_is_known_now_is_younger_than_that(
    replica: Replica, standing: Standing
) -> None:
    standing.says = {"replayed": 50, "last": NOON - timedelta(days=1)}
    with pytest.raises(TooFarBehind):
        behind(replica, at(0, 100))  # a change after a day of rest, which is on its way
    standing.says |= {"replayed": 150}
    assert behind(replica, at(2, 200)) == 2


@pytest.mark.parametrize(("seconds", "is_used"), [(29.9, True), (30, True), (30.1, False)])
def test_it_is_used_as_far_behind_as_it_may_be(
    replica: Replica, standing: Standing, seconds: float, is_used: bool
) -> None:
    standing.says = {"replayed": 99, "last": NOON - timedelta(seconds=seconds)}
    if is_used:
        assert behind(replica, at(0, 100)) == pytest.approx(seconds)
    else:
        with pytest.raises(TooFarBehind):
            behind(replica, at(0, 100))
    assert replica.is_used is is_used
    assert replica.behind == timedelta(seconds=seconds)


@pytest.mark.parametrize("says", [{"follows": False}, {"cluster": 8}, {"replayed": None}])
def test_what_is_no_replica_of_this_database_is_never_used(
    replica: Replica, standing: Standing, says: dict[str, Any]
) -> None:
    standing.says = {"replayed": 100, "last": NOON} | says
    with pytest.raises(NoReplica):
        behind(replica, at(0, 100))
    assert (replica.is_used, replica.behind) == (False, None)


def test_one_that_failed_is_asked_by_no_request_until_it_was_looked_at_aside(
    replica: Replica, standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert replica.is_open(), "nobody knows yet"
    with pytest.raises(OperationalError):
        behind(replica, at(0, 100))
    standing.says = {"replayed": 100, "last": NOON}
    looked: list[Callable[[], None]] = []

    def thread(target: Callable[[], None], **_: Any) -> Any:
        return SimpleNamespace(start=lambda: looked.append(target))

    monkeypatch.setattr(replicas, "Thread", thread)
    assert not replica.is_open()
    assert looked == [], "it failed just now"
    monkeypatch.setattr(replicas, "PAUSE_S", 0)
    monkeypatch.setattr(replicas, "mark_of", lambda _primary: at(9, 100))
    assert not replica.is_open()
    looked[0]()
    assert replica.is_open()


def test_a_refusal_while_reading_says_nothing_of_the_replica(
    replica: Replica, standing: Standing
) -> None:
    standing.says = {"replayed": 100, "last": NOON}
    with pytest.raises(LookupError), replica.connect(at(0, 100)):
        raise LookupError
    assert replica.is_used


def test_it_has_a_share_of_the_request_s_time_and_the_primary_nearly_all_of_it(
    replica: Replica, standing: Standing
) -> None:
    standing.says = {"replayed": 100, "last": NOON}
    with time_allowed(5):
        before = time_left()
        with replica.connect(at(0, 100)):
            assert time_left() == pytest.approx(1.5, abs=0.2)
        assert time_left() == pytest.approx(5, abs=0.2)
    with time_allowed(1), rest_of(before):
        assert time_left() == pytest.approx(4, abs=0.2)
    with time_allowed(4.9), rest_of(before):
        assert time_left() == pytest.approx(4.9, abs=0.2)


@pytest.mark.parametrize(
    ("primary", "replica", "why"),
    [
        (PRIMARY, "sqlite:///there.sqlite", "are of PostgreSQL"),
        ("sqlite:///here.sqlite", PRIMARY, "are of PostgreSQL"),
        (PRIMARY, "postgresql://postgres:a@there/casework", "another role or database"),
        (PRIMARY, "postgresql://casework_app:a@there/other", "another role or database"),
    ],
)
def test_a_replica_is_asked_as_the_same_role_in_the_same_database(
    primary: str, replica: str, why: str
) -> None:
    settings = Settings(database_url=primary, replica_url=replica)
    with pytest.raises(SettingsError, match=why):
        stores.open_replica(settings, None, None)  # type: ignore[arg-type]

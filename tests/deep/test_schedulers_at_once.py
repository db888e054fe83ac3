"""Two schedulers beside each other for a week: all jobs of both, at the same moments."""

from __future__ import annotations

from sqlalchemy import update

from casework.adapters.persistence import tables as t
from tests.adapters.scheduler.test_schedulers_at_once import (
    assert_whole,
    round_of_all,
    rounds,
    two_schedulers,
)
from tests.api.conftest import Api
from tests.proofs._invariants import SERVED_BESIDES

ROUNDS, PLACES = 20, 500


def test_many_rounds_of_two_schedulers_do_everything_once(api: Api) -> None:
    with api.engine.begin() as connection:
        plenty = {"capacity": PLACES + SERVED_BESIDES, "available": PLACES}
        connection.execute(update(t.offering).values(plenty))
    with two_schedulers(api) as schedulers:
        assert rounds(api, schedulers, ROUNDS) == []
        round_of_all(schedulers, ROUNDS)
        assert_whole(api, schedulers, ROUNDS)

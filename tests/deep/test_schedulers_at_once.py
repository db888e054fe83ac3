"""Two schedulers beside each other for a week: all jobs of both, at the same moments."""

from __future__ import annotations

from tests.adapters.scheduler.test_schedulers_at_once import (
    assert_whole,
    round_of_all,
    rounds,
    two_schedulers,
)
from tests.api.acts import make_room
from tests.api.conftest import Api

ROUNDS = 20


def test_many_rounds_of_two_schedulers_do_everything_once(api: Api) -> None:
    make_room(api)
    with two_schedulers(api) as schedulers:
        assert rounds(api, schedulers, ROUNDS) == []
        round_of_all(schedulers, ROUNDS)
        assert_whole(api, schedulers, ROUNDS)

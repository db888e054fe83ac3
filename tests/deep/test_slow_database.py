"""A database that answers late: nobody waits longer than six seconds, and nobody for the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.api.acts import a_resident
from tests.api.conftest import WORKER, Api
from tests.api.racing import ON_POSTGRES
from tests.deep.test_lost_database import AT_MOST_S, Fragile, check_busy, fragile, note
from tests.patience import Watch

__all__ = ["fragile"]


@ON_POSTGRES
@pytest.mark.parametrize("late_s", [0.3, 0.7, 1.6])
def test_a_server_that_answers_late_keeps_nobody_longer_than_six_seconds(
    fragile: Fragile, late_s: float
) -> None:
    api, way = fragile.api, fragile.way
    assert way is not None
    resident = a_resident(api)
    way.slow(late_s)

    def ask(n: int) -> tuple[Any, float]:
        began = time.monotonic()
        answer = note(api, resident) if n % 2 else api.as_(WORKER).get(f"/residents/{resident}")
        return answer, time.monotonic() - began

    with Watch() as watch, ThreadPoolExecutor(4) as pool:
        asked = list(pool.map(ask, range(8)))
    for answer, seconds in asked:
        if answer.status_code not in (200, 201):
            check_busy(answer)
        assert seconds - watch.late < AT_MOST_S
    way.slow(0)
    time.sleep(1.1)  # nobody tries for a second
    assert note(api, resident).status_code == 201


@contextmanager
def in_the_loop(api: Api) -> Iterator[list[str]]:
    """The statements that are sent from the thread that serves all connections."""
    found: list[str] = []

    def note_it(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        found.append(statement)

    engine = api.application.engine
    event.listen(engine, "before_cursor_execute", note_it)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note_it)


def test_what_is_read_again_after_some_seconds_is_read_in_the_request_s_own_thread(
    api: Api,
) -> None:
    resident = a_resident(api)
    with in_the_loop(api) as found:
        for ask in (lambda: note(api, resident), lambda: api.as_(WORKER).get("/worklist")):
            api.application.clockwork.forget()
            api.application.catalogue.forget()
            assert ask().status_code < 400
    assert found == []


def test_the_control_what_is_read_in_the_loop_is_seen(api: Api) -> None:
    async def read() -> None:
        api.application.clockwork.forget()
        api.application.clockwork()

    with in_the_loop(api) as found:
        asyncio.run(read())
    assert found

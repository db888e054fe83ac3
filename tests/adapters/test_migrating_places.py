"""The migration of places: referrals that hold one already are counted, and there is a way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.script import Script, ScriptDirectory
from sqlalchemy import inspect, text

from casework.adapters.persistence.schema import migrations
from tests.api.acts import a_referral, moved
from tests.api.conftest import PROVIDER, Api
from tests.conftest import Store


def this_one() -> Script:
    """The migration under test, whatever its number."""
    (found,) = [
        script
        for script in ScriptDirectory(str(migrations.MIGRATIONS)).walk_revisions()
        if Path(script.path).stem.endswith("_places")
    ]
    return found


def busy(api: Api) -> None:
    """Three of an agency's referrals hold a place, one on hold; one waits, one was only asked."""
    referrals = [a_referral(api) for _ in range(5)]
    for referral in referrals[:3]:
        moved(api, referral, "accept", PROVIDER)
    until = api.context(PROVIDER).act.today
    moved(api, referrals[0], "hold", PROVIDER, reason="away", until=until)
    moved(api, referrals[3], "waitlist", PROVIDER)


def figures(api: Api, *more: str) -> Any:
    """The figures of that agency's offering."""
    names = ", ".join(("capacity", "available", "waiting", *more))
    query = f"SELECT {names} FROM offering WHERE service_code = 'CARE-MEALS' AND provider_id = :id"
    with api.engine.connect() as connection:
        id = api.providers["alpha"].id
        given = id.hex if api.engine.dialect.name == "sqlite" else id
        return tuple(connection.execute(text(query), {"id": given}).one())


def stated(api: Api, capacity: int, available: int, waiting: int) -> None:
    """Every agency's figures, as they could stand before anything held them together."""
    with api.engine.begin() as connection:
        connection.execute(
            text("UPDATE offering SET capacity = :c, available = :a, waiting = :w"),
            {"c": capacity, "a": available, "w": waiting},
        )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((20, 5, 0), (20, 5, 1, 3, 1, 0)),
        ((20, 17, 4), (20, 17, 4, 3, 1, 0)),
        ((20, 18, 4), (20, 17, 4, 3, 1, 0)),
        ((3, 3, 0), (3, 0, 1, 3, 1, 0)),
        ((2, 2, 0), (3, 0, 1, 3, 1, 0)),
        ((4, 9, -1), (9, 6, 1, 3, 1, 0)),
    ],
)
def test_what_referrals_hold_is_counted_and_the_rules_hold(
    api: Api, store: Store, before: tuple[int, int, int], after: tuple[int, ...]
) -> None:
    busy(api)
    api.engine.dispose()
    api.application.engine.dispose()
    migrations.downgrade(store.owner_url, str(this_one().down_revision))
    assert "held" not in {one["name"] for one in inspect(api.engine).get_columns("offering")}
    assert figures(api) == (20, 2, 1)
    stated(api, *before)
    api.engine.dispose()
    migrations.upgrade(store.owner_url)
    assert figures(api, "held", "waitlisted", "for_waiting") == after

"""The demo city's residents, each with their history until now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from random import Random
from typing import Any

from casework.demo.city import by_district, city_on
from casework.demo.scenarios import scenario_for
from casework.demo.story import Story
from casework.domain.access.accounts import Account
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.directory.directory import Centre, Offering, Service


def build_world(
    *,
    seed: int,
    now: datetime,
    residents: int,
    centres: Sequence[Centre],
    services: Iterable[Service],
    offerings: Iterable[Offering],
    accounts: Iterable[Account],
    clockwork: Clockwork,
) -> Iterator[list[Any]]:
    """The records of one resident after the other, parents before children.

    The same seed on the same day gives the same people, acts and ids; ``now`` decides only which
    planned steps have been raised. Every step, lapse and resumption that is due has happened. From
    128 residents on, each of Busan's districts has a clock of its most usual kinds overdue.
    """
    city = city_on(now, services, offerings, accounts, clockwork)
    areas = list(by_district(centres).values())
    for n in range(residents):
        place, district = divmod(n, len(areas))
        area = areas[district]
        centre = area[(place + place // len(area)) % len(area)]
        rng = Random(f"{seed}/{n}")  # noqa: S311 - a made-up life, no secret
        story = Story(city, centre, rng)
        scenario_for(district, place)(story)
        yield story.tell()

"""Matching on the real map: every centre and every district, against an independent count."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any

from tests.api.conftest import SignedIn
from tests.api.directory.test_match_on_the_map import SEED, City, city, compare

__all__ = ["city"]


def questions(city: City) -> Iterator[tuple[str, str]]:
    """Every centre, and in every district every service; for the proof each of them in each."""
    services = sorted(city.services)
    if "CASEWORK_PROOF_MAP" in os.environ:
        yield from product(sorted(city.centres), services)
        return
    of_district: dict[str, list[str]] = defaultdict(list)
    for code, row in sorted(city.centres.items()):
        of_district[row["district_code"]].append(code)
    for codes in of_district.values():
        each = -(-len(services) // len(codes))
        for n, code in enumerate(codes):
            for k in range(each):
                yield code, services[(n * each + k) % len(services)]


def test_for_every_centre_and_district_matching_equals_another_count(city: City) -> None:
    rng = Random(SEED)
    clients: dict[str, SignedIn] = {}
    asked, offered, districts = set(), 0, set()
    for centre, service in questions(city):
        by = clients.setdefault(centre, city.as_(f"worker.{centre}"))
        body: dict[str, Any] = {"centre_code": centre, "service_code": service}
        wishes = {
            "mobility": "limited", "language": rng.choice(("ko", "vi", "en")),
            "needed_by": rng.choice(("2026-11-20", "2026-11-23", "2026-11-25", "2026-12-01")),
        }  # fmt: skip
        body |= {name: wish for name, wish in wishes.items() if rng.random() < 0.4}
        offered += compare(city, by, body, centre, None)
        asked.add(centre)
        districts.add((centre[:5], service))
    assert asked == set(city.centres)
    assert len(asked) == 205
    assert len(districts) == 16 * len(city.services)
    assert offered > 1000  # the question was not trivial

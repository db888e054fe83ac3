"""Matching on the real map, against an independent count; tests/deep covers every centre.

The expected result is computed here from the plain rows, with another distance formula, another
order of steps, and nothing of `casework.domain.directory.matching` or `covering`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from math import asin, cos, pi, sin, sqrt
from random import Random
from typing import Any
from uuid import UUID

import pytest
from holidays import country_holidays
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from casework import operations
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import decrypt_row
from casework.adapters.persistence.tables.directory import designation
from casework.adapters.persistence.tables.figures import provider_answers
from casework.domain.access.policy import Actor
from casework.domain.directory.designations import DesignationCode
from tests.api.conftest import Api, SignedIn

NOW = "2026-11-20T12:00"  # a Friday
TODAY = date(2026, 11, 20)
RESIDENTS, SEED = 24, 3
CLOSED = country_holidays("KR", years=2026)
DESIGNATIONS = (None, *DesignationCode)
FACTORS = [
    "eligible", "history", "comes_home", "language", "free_place", "fresh", "in_time",
    "answers", "accepts", "travel",
]  # fmt: skip
OF_NO_USE = ("district", "centre", "service", "standard")


@pytest.fixture
def city(api: Api) -> City:
    """A seeded city with a randomised directory, so that every factor decides somewhere."""
    with api.engine.begin() as connection:  # the seed requires an empty database
        for table in reversed(t.metadata.sorted_tables):
            if table.name not in OF_NO_USE:
                connection.execute(delete(table))
    api.clock.set(NOW)
    for _ in operations.seed(api.application, RESIDENTS, SEED):
        pass
    with api.engine.begin() as connection:
        shake(connection, Random(SEED), api.clock.now)
    return City(api)


def shake(connection: Connection, rng: Random, now: datetime) -> None:
    """Full and closed offerings, figures at the edge of stale, languages, measured answers."""
    week, second = timedelta(days=7), timedelta(seconds=1)
    offerings, providers = (
        connection.scalars(select(table.c.id).order_by(table.c.id)).all()
        for table in (t.offering, t.provider)
    )
    rewrite(connection, t.offering, [
        {
            "of": id, "available": rng.choice((0, 1, 1, 2)),
            "stated_available": rng.choice((0, 1, 2)), "is_open": rng.random() < 0.85,
            "as_of": now - rng.choice((second, week - second, week, week + second, 3 * week)),
            "given_at": rng.choice((None, None, "home", "site")),
            "full_until": rng.choice((None, None, None, TODAY, TODAY - timedelta(days=1))),
            "state": rng.choice((*["published"] * 9, "confirmed")),
        }
        for id in offerings
    ])  # fmt: skip
    connection.execute(
        update(t.offering)
        .where(t.offering.c.available == 2)
        .values(for_waiting=2, waitlisted=9, waiting=9)
    )
    rewrite(connection, t.provider, [
        {
            "of": id, "languages": rng.choice((None, ["ko"], ["ko", "vi"], ["vi"])),
            "is_active": rng.random() < 0.95,
            "ended_on": rng.choice((*[None] * 8, TODAY, TODAY - timedelta(days=1))),
        }
        for id in providers
    ])  # fmt: skip
    connection.execute(insert(provider_answers), [
        {
            "provider_id": id, "answers": rng.randint(5, 60), "as_of": now,
            "median_days": rng.choice((0.0, 1.0, 1.5, 3.0, 3.5, 8.0)),
            "accepted_share": rng.choice((0.0, 0.49, 0.5, 0.79, 0.8, 1.0)),
        }
        for id in providers
        if rng.random() < 0.6
    ])  # fmt: skip
    rule = {"fact": "age", "comparison": "at_least", "values": ["75"], "basis": "invented"}
    lives = {"fact": "lives_alone", "comparison": "one_of", "values": ["yes"], "basis": "invented"}
    connection.execute(
        update(t.service).where(t.service.c.code == "CARE-MEALS").values(fresh_for_days=21)
    )
    for code, rules in (("CARE-MEALS", [rule]), ("MED-VISIT", [rule, lives])):
        connection.execute(
            update(t.service).where(t.service.c.code == code).values(eligibility=rules)
        )


def rewrite(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    """Each row by its id, in the column ``of``."""
    names = [name for name in rows[0] if name != "of"]
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    connection.execute(update(table).where(table.c.id == bindparam("of")).values(values), rows)


@dataclass
class City:
    """The plain rows of a city, and what follows from them."""

    api: Api

    def rows(self, table: Any) -> list[dict[str, Any]]:
        vault = self.api.application.vault
        with self.api.engine.connect() as connection:
            rows = connection.execute(select(table)).all()
        return [
            decrypt_row(table, dict(row._mapping), row._mapping.get("id"), vault) for row in rows
        ]

    @cached_property
    def accounts(self) -> dict[str, dict[str, Any]]:
        return {row["username"]: row for row in self.rows(t.account)}

    @cached_property
    def centres(self) -> dict[str, dict[str, Any]]:
        return {row["code"]: row for row in self.rows(t.centre)}

    @cached_property
    def services(self) -> dict[str, dict[str, Any]]:
        return {row["code"]: row for row in self.rows(t.service)}

    @cached_property
    def agencies(self) -> dict[UUID, dict[str, Any]]:
        return {row["id"]: row for row in self.rows(t.provider)}

    @cached_property
    def designated(self) -> dict[UUID, set[str]]:
        """What each agency is designated as, from the law's first day on."""
        found: dict[UUID, set[str]] = defaultdict(set)
        for row in self.rows(designation):
            assert row["valid_to"] is None
            found[row["provider_id"]].add(row["code"])
        return found

    @cached_property
    def answers(self) -> dict[UUID, dict[str, Any]]:
        return {row["provider_id"]: row for row in self.rows(provider_answers)}

    @cached_property
    def offered(self) -> dict[str, list[dict[str, Any]]]:
        """What is open and whose agency is active, for each centre."""
        offerings = {row["id"]: row for row in self.rows(t.offering)}
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.rows(t.offering_centre):
            one = offerings[row["offering_id"]]
            agency = self.agencies[one["provider_id"]]
            accepts_requests = agency["is_active"] and (agency["ended_on"] or TODAY) >= TODAY
            if one["is_open"] and one["state"] == "published" and accepts_requests:
                found[row["centre_code"]].append(one)
        return found

    def way(self, centre: str, provider: UUID) -> float:
        """The great-circle distance, computed from the chord."""
        here, there = (point(one) for one in (self.centres[centre], self.agencies[provider]))
        chord = sqrt(sum((a - b) ** 2 for a, b in zip(here, there, strict=True)))
        return 2 * 6371.0 * asin(chord / 2)

    def expected(
        self, centre: str, service: str, asked: dict[str, Any], person: dict[str, Any] | None
    ) -> list[dict[str, Any]]:
        """The expected match: for each offering its figures and ranks, in order."""
        found = []
        offers = [one for one in self.offered[centre] if one["service_code"] == service]
        ways = {one["id"]: self.way(centre, one["provider_id"]) for one in offers}
        metres = sorted({round(way * 1000) for way in ways.values()})
        for one in offers:
            agency = self.agencies[one["provider_id"]]
            said = self.answers.get(agency["id"])
            way = ways[one["id"]]
            ranks = [
                self.eligible(service, person),
                1,  # nobody here was referred before
                at_home(one["given_at"] or self.services[service]["given_at"], asked, person),
                spoken(agency["languages"], asked.get("language")),
                1 if self.free(one) else 2,
                2 if self.api.clock.now > one["as_of"] + self.fresh_for(service) else 1,
                in_time(said, asked.get("needed_by")),
                2 if said is None else 1 + (said["median_days"] > 1) + (said["median_days"] > 3),
                2 if said is None else 3 - (said["accepted_share"] >= 0.5)
                - (said["accepted_share"] >= 0.8),
                1 + metres.index(round(way * 1000)),
            ]  # fmt: skip
            found.append(
                {"id": str(one["id"]), "ranks": ranks, "km": way, "minutes": way * 1.4 / 24 * 60}
            )
        return sorted(found, key=lambda one: (one["ranks"], one["id"]))

    def fresh_for(self, service: str) -> timedelta:
        return timedelta(days=self.services[service]["fresh_for_days"])

    def free(self, one: dict[str, Any]) -> bool:
        """Whether a place is left beyond the waiting list, and the offering is not marked full."""
        until = one["full_until"]
        is_full = until is not None and until >= TODAY
        return one["available"] > one["for_waiting"] and not is_full

    def eligible(self, service: str, person: dict[str, Any] | None) -> int:
        rules = self.services[service]["eligibility"] or []
        return max([1, *(rank_of_rule(rule, person) for rule in rules)])

    def holes(
        self,
        centres: list[str],
        service: str | None,
        designation: str | None,
        *,
        as_stated: bool = False,
    ) -> dict[str, tuple[str, float | None]]:
        """Which centres are badly covered, how, and how far the nearest that accepts is.

        The city goes by the free places that were stated.
        """
        found: dict[str, tuple[str, float | None]] = {}
        for centre in sorted(centres):
            offers = [
                one
                for one in self.offered[centre]
                if service in (None, one["service_code"])
                and (designation is None
                     or designation in self.designated[one["provider_id"]])
            ]  # fmt: skip
            free = [self.way(centre, one["provider_id"]) for one in offers
                    if (one["stated_available"] > 0 if as_stated else self.free(one))]  # fmt: skip
            if not offers:
                found[centre] = ("nobody", None)
            elif not free:
                found[centre] = ("full", None)
            elif min(free) * 1.4 / 24 * 60 > 15:
                found[centre] = ("far", round(min(free), 3))
        return found

    def as_(self, username: str) -> SignedIn:
        row = self.accounts[username]
        names = ("id", "role", "username", "centre_code", "district_code")
        return SignedIn(self.api, Actor(**{name: row[name] for name in names}))


def point(of: dict[str, Any]) -> tuple[float, float, float]:
    """On the unit sphere."""
    lat, lon = of["lat"] * pi / 180, of["lon"] * pi / 180
    return cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)


def rank_of_rule(rule: dict[str, Any], person: dict[str, Any] | None) -> int:
    """Met, unknown, not met."""
    if person is None:
        return 2
    born = person["birth_date"]
    alone = {True: "yes", False: "no", None: None}[person["lives_alone"]]
    years = sum(born.replace(year=born.year + n, day=min(born.day, 28)) <= TODAY
                for n in range(1, 120))  # fmt: skip
    fact = {"age": str(years), "lives_alone": alone}.get(rule["fact"], person.get(rule["fact"]))
    if fact is None:
        return 2
    holds = {
        "at_least": lambda: int(fact) >= int(rule["values"][0]),
        "one_of": lambda: fact in rule["values"],
        "known": lambda: True,
    }[rule["comparison"]]()
    return 1 if holds else 3


def at_home(where: str | None, asked: dict[str, Any], person: dict[str, Any] | None) -> int:
    how = asked.get("mobility") or (person["mobility"] if person else None)
    return {"home": 1, None: 2, "site": 3}[where] if how in ("limited", "housebound") else 1


def spoken(listed: list[str] | None, wanted: str | None) -> int:
    if wanted is None or wanted in (listed or ["ko"]):
        return 1
    return 3 if listed else 2


def in_time(said: dict[str, Any] | None, needed_by: str | None) -> int:
    if needed_by is None:
        return 1
    if said is None:
        return 2
    closed, day, left = CLOSED, TODAY, said["median_days"]
    while left > 0:
        day += timedelta(days=1)
        left -= 1 if day.weekday() < 5 and day not in closed else 0
    return 1 if day <= date.fromisoformat(needed_by) else 3


def compare(
    city: City, by: SignedIn, body: dict[str, Any], centre: str, person: dict[str, Any] | None
) -> int:
    """Compare a match with the expected one; returns the number of offerings."""
    answer = by.post("/offerings/match", body)
    assert answer.status_code == 200, answer.text
    expected = city.expected(centre, body["service_code"], body, person)
    items = answer.json()["items"]
    assert [one["offering_id"] for one in items] == [one["id"] for one in expected], body
    for item, wanted in zip(items, expected, strict=True):
        assert [one["factor"] for one in item["why"]] == FACTORS
        assert [one["rank"] for one in item["why"]] == wanted["ranks"], (body, item)
        assert all(one["value"] and one["says"] for one in item["why"])
        assert item["distance_km"] == pytest.approx(wanted["km"], abs=0.00051)
        assert wanted["minutes"] <= item["minutes"] < wanted["minutes"] + 1 + 1e-6
        assert item["within_15_minutes"] is (wanted["minutes"] <= 15)
    return len(items)


def test_for_residents_matching_equals_another_count_by_their_facts(city: City) -> None:
    verdicts = set()
    residents = city.rows(t.resident)
    for person in residents:
        centre = person["centre_code"]
        by = city.as_(f"supervisor.{centre[:5]}")
        for service in ("CARE-MEALS", "MED-VISIT", "NUR-BATH", "CARE-DISABILITY"):
            body = {"resident_id": str(person["id"]), "service_code": service}
            compare(city, by, body, centre, person)
            verdicts.add((service, city.eligible(service, person)))
    assert len(residents) == RESIDENTS
    assert verdicts >= {("CARE-MEALS", 1), ("CARE-MEALS", 3), ("NUR-BATH", 1), ("NUR-BATH", 2),
                        ("MED-VISIT", 1), ("MED-VISIT", 3)}  # fmt: skip


def test_the_holes_of_the_city_and_of_every_district_equal_another_count(city: City) -> None:
    officer, kinds = city.as_("city"), set()
    for service in (None, *sorted(city.services)):
        for code in DESIGNATIONS if service in (None, "MED-VISIT") else (None,):
            params = {"service": service, "designation": code, "limit": 200}
            params = {name: value for name, value in params.items() if value is not None}
            expected = city.holes(list(city.centres), service, code, as_stated=True)
            assert shown(officer.items("/coverage", **params)) == expected, params
            kinds |= {kind for kind, _ in expected.values()}
    assert kinds == {"nobody", "full", "far"}
    districts = sorted({row["district_code"] for row in city.centres.values()})
    for district in districts:
        own = [code for code, row in city.centres.items() if row["district_code"] == district]
        for service in ("MED-REHAB", "CARE-MEALS"):
            found = city.as_(f"supervisor.{district}").items("/coverage", service=service)
            assert shown(found) == city.holes(own, service, None), (district, service)
    assert len(districts) == 16


def shown(items: list[dict[str, Any]]) -> dict[str, tuple[str, float | None]]:
    return {one["centre_code"]: (one["hole"], one["distance_km"]) for one in items}

"""The facts the product ships: districts, community centres and the catalogue of services."""

from __future__ import annotations

import csv
from collections import defaultdict
from importlib.resources import files

from casework.domain.clocks.standards import CareField
from casework.domain.directory.directory import Centre, CoPayment, District, Limit, Service
from casework.domain.directory.eligibility import Rule, rule_of


def districts() -> list[District]:
    """The city's districts, in the order of their codes."""
    return [
        District(code=row["code"], name_ko=row["name_ko"], name_en=row["name_en"])
        for row in rows("districts.csv")
    ]


def centres() -> list[Centre]:
    """The community centres, in the order of their codes; degrees in WGS 84."""
    return [
        Centre(
            code=row["code"],
            district_code=row["district_code"],
            name=row["name"],
            lat=float(row["lat"]),
            lon=float(row["lon"]),
        )
        for row in rows("centres.csv")
    ]


def services() -> list[Service]:
    """The catalogue of services; an empty ``limit_note`` means that no limit is known."""
    rules, places = _eligibility(), _given_at()
    limits, co_payments = _limits(), _co_payments()
    return [
        Service(
            code=row["code"],
            field=CareField(row["field"]),
            name_ko=row["name_ko"],
            name_en=row["name_en"],
            run_by=row["run_by"],
            unit=row["unit"],
            limit_note=row["limit_note"] or None,
            basis=row["basis"],
            certainty=row["certainty"],
            eligibility=tuple(rules.get(row["code"], ())),
            given_at=places.get(row["code"]),
            limits=tuple(limits.get(row["code"], ())),
            co_payments=tuple(co_payments.get(row["code"], ())),
        )
        for row in rows("services.csv")
    ]


def _eligibility() -> dict[str, list[Rule]]:
    """Whom each service is for; several values of a rule stand beside each other."""
    found: dict[str, list[Rule]] = defaultdict(list)
    for row in rows("eligibility.csv"):
        found[row["service_code"]].append(rule_of(row | {"values": row["values"].split()}))
    return found


def _given_at() -> dict[str, str]:
    return {row["service_code"]: row["given_at"] for row in rows("given-at.csv")}


def _limits() -> dict[str, list[Limit]]:
    found: dict[str, list[Limit]] = {}
    for row in rows("service-limits.csv"):
        limit = Limit(quantity=int(row["quantity"]), unit=row["unit"], per=row["per"])
        found.setdefault(row["service_code"], []).append(limit)
    return found


def _co_payments() -> dict[str, list[CoPayment]]:
    """What the city is known to require; what is not listed is unknown, not absent."""
    found: dict[str, list[CoPayment]] = {}
    for row in rows("co-payments.csv"):
        paid = CoPayment(
            income_tier=row["income_tier"],
            district_code=row["district_code"] or None,
            share_percent=int(row["share_percent"]) if row["share_percent"] else None,
            won_per_unit=int(row["won_per_unit"]) if row["won_per_unit"] else None,
        )
        found.setdefault(row["service_code"], []).append(paid)
    return found


def common_passwords() -> frozenset[str]:
    """The commonest passwords, in small letters and without blanks."""
    text = files("casework").joinpath("data", "common-passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a data file, each by the names of its columns."""
    text = files("casework").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))

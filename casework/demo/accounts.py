"""The demo's accounts: everyone who works for the demo city."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from random import Random
from typing import Any, Final
from uuid import UUID

from casework.demo import names
from casework.domain.access.accounts import Account
from casework.domain.access.policy import Role
from casework.domain.directory.directory import Centre, District, Provider

NAMED_BY: Final = 20_260_327  # the names are the same in every demo
PHONES_FROM: Final = 5_000  # the numbers below are those of agencies


def demo_accounts(
    districts: Iterable[District],
    centres: Iterable[Centre],
    providers: Iterable[Provider],
    password_hash: str,
    new_id: Callable[[], UUID],
    now: datetime,
) -> list[Account]:
    """Two workers a centre, three people a district, one a provider, and the city's own three.

    One supervisor of each district heads it, and the one of a provider leads it. They all share one
    password, whose hash is given.
    """
    rng = Random(NAMED_BY)  # noqa: S311 - names, not secrets
    return [
        Account(
            id=new_id(),
            username=username,
            name=name or names.person(rng),
            role=role,
            password_hash=password_hash,
            created_at=now,
            is_demo=True,
            phone=names.landline(PHONES_FROM + number),
            **belongs,
        )
        for number, (username, role, name, belongs) in enumerate(
            _people(list(districts), centres, providers)
        )
    ]


def _people(
    districts: Sequence[District], centres: Iterable[Centre], providers: Iterable[Provider]
) -> Iterator[tuple[str, Role, str, dict[str, Any]]]:
    """Username, role, name where it is not a person's, and what each belongs to."""
    for centre in centres:
        area = {"centre_code": centre.code, "district_code": centre.district_code}
        yield f"worker.{centre.code}", Role.WORKER, "", area
        yield f"worker2.{centre.code}", Role.WORKER, "", area
    for district in districts:
        yield from _of_district(district)
    for provider in providers:
        name = f"{provider.name} 담당자"
        leads = {"provider_id": provider.id, "is_head": True}
        yield f"provider.{provider.slug}", Role.PROVIDER, name, leads
    for role in (Role.CITY, Role.AUDITOR, Role.ADMIN):
        yield role.value, role, "", {}


def _of_district(district: District) -> Iterator[tuple[str, Role, str, dict[str, Any]]]:
    area = {"district_code": district.code}
    yield f"supervisor.{district.code}", Role.SUPERVISOR, "", area
    yield f"head.{district.code}", Role.SUPERVISOR, "", area | {"is_head": True}
    yield f"assessor.{district.code}", Role.ASSESSOR, "", area

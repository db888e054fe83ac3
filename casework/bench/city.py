"""A city to be served: some lives that the product itself writes, copied as often as is wished.

For the benchmark over HTTP one life began today and one three weeks ago, so that its clocks are
overdue. A large city has lives of several ages, with as many referrals and events as are wished:
what was asked for was answered, and what fell due was raised by the product's own sweep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Final
from uuid import UUID

from sqlalchemy import Engine

from casework.adapters import reference
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows import bulk
from casework.bench.copying import Copy, Template, copy_lives
from casework.bench.filling import OFFERING, PROVIDER, WORKER, numbered_id, tidy
from casework.bench.lives import (
    PLANNED,
    SERVICES,
    Life,
    OpenAt,
    Story,
    Ways,
    kind_of,
    live,
    read_back,
)
from casework.bench.names import worker_name
from casework.bench.processes import BenchmarkFailed
from casework.domain.access.accounts import Account
from casework.domain.access.policy import Role
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.directory.directory import Centre, Offering, Provider, ProviderKind
from casework.domain.duplicates.likeness import LikenessReason
from casework.domain.duplicates.suspicions import Suspicion

RESIDENTS_A_WORKER: Final = 50
# Every fifth life is three weeks old.
LATE_EVERY: Final = 5
LATE_BY: Final = timedelta(days=21)
# How old the lives of a large city are, in turns.
AGES: Final = tuple(timedelta(days=days) for days in (0, 21, 120, 0, 60, 120, 0, 60, 120, 120))
JUST_NOW: Final = timedelta(minutes=5)
AGENCIES: Final = 4
REFERRALS_AN_AGENCY: Final = 2500
PLACES: Final = 1_000_000
CHUNK: Final = 10_000
PAIR_EVERY: Final = 500
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class City:
    """What a filled database holds, as far as requests are made of it."""

    residents: int
    workers: int
    ways: Ways
    offerings: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Amounts:
    """How large a city is; of events there are at least so many."""

    residents: int
    referrals: int
    events: int


def is_late(number: int) -> bool:
    """Whether a numbered life is the one that began three weeks ago."""
    return number % LATE_EVERY == 0


def supervisor_name() -> str:
    """What the supervisor of the first district signs in with."""
    return "bench.supervisor"


def agency_name() -> str:
    """What the first agency signs in with."""
    return "bench.agency"


def auditor_name() -> str:
    """What who reads the audit signs in with."""
    return "bench.auditor"


def assessor_name() -> str:
    """What the assessor of the first district signs in with."""
    return "bench.assessor"


def worker_of(number: int) -> int:
    """The worker of a numbered life."""
    return (number - 1) // RESIDENTS_A_WORKER


def fill_city(owner: Engine, open_at: OpenAt, residents: int, digest: str, told: Told) -> City:
    """Fill a migrated, empty database; ``digest`` is that of everybody's password.

    ``owner`` is its owner, with the vault; ``told`` is called with how many lives there are.
    """
    now = datetime.now(UTC)
    _facts(owner)
    workers = -(-residents // RESIDENTS_A_WORKER)
    every = [centre.code for centre in _centres()]
    offering = Offers(AGENCIES, PLANNED, lambda _which: every)
    offerings = _staff(owner, workers, digest, now, offering)
    stories = {late: Story(LATE_BY if late else JUST_NOW) for late in (False, True)}
    whose = {
        late: live(open_at, now, story, offerings[:PLANNED], which=late)
        for late, story in stories.items()
    }
    product = open_at(now)
    lives = read_back(owner, product.vault, whose)
    if lives[False].ways != lives[True].ways:
        raise AssertionError("both lives were lived by the same acts")
    templates = {late: Template(life) for late, life in lives.items()}
    copy_lives(
        owner, product.vault, lambda number: (templates[is_late(number)], copy_of(number)),
        residents, told,
    )  # fmt: skip
    tidy(owner)
    return City(
        residents, workers, lives[False].ways,
        tuple(one.id for code in SERVICES[1:PLANNED] for one in offerings
              if one.service_code == code),
    )  # fmt: skip


def fill_large_city(
    owner: Engine, open_at: OpenAt, of: Amounts, digest: str, now: datetime, told: Told
) -> City:
    """Fill a migrated, empty database with as many residents, referrals and events.

    Raises BenchmarkFailed where a resident would have more referrals than there are services.
    """
    if of.referrals > of.residents * len(SERVICES):
        raise BenchmarkFailed(f"a resident has at most {len(SERVICES)} referrals")
    _facts(owner)
    workers = -(-of.residents // RESIDENTS_A_WORKER)
    centres = _centres()
    rounds = max(1, of.referrals // (len(centres) * REFERRALS_AN_AGENCY))
    near = _centres_near()
    offering = Offers(rounds * len(centres), len(SERVICES), lambda at: near[at % len(centres)])
    offerings = _staff(owner, workers, digest, now, offering)
    lives, story_of = _lived(owner, open_at, of, now, offerings[: len(SERVICES)])
    templates = {story: Template(life) for story, life in lives.items()}
    copy_lives(
        owner, open_at(now).vault,
        lambda number: (templates[story_of(number)], copy_of(number, rounds)),
        of.residents, told, with_audit=True,
    )  # fmt: skip
    _suspect(owner, of.residents, now)
    longest = max(lives.values(), key=lambda life: len(life.rows.get(t.referral, ())))
    return City(of.residents, workers, longest.ways, ())


def _facts(owner: Engine) -> None:
    bulk.load_facts(
        owner, reference.districts(), reference.centres(), reference.services(), SHIPPED
    )


@cache
def _centres() -> list[Centre]:
    return reference.centres()


def copy_of(number: int, rounds: int = 0) -> Copy:
    """Where a numbered life is; a centre has ``rounds`` agencies, or the first serves all."""
    centres, worker = _centres(), worker_of(number)
    where = worker % len(centres)
    agency = where + len(centres) * (number % rounds) if rounds else 0
    return Copy(number, worker, centres[where], agency)


def _suspect(owner: Engine, residents: int, now: datetime) -> None:
    """Pairs of neighbours that may be one person, as the nightly check would have found them."""
    kind, pairs = kind_of(t.resident, 0), []
    for number in range(PAIR_EVERY, residents, PAIR_EVERY):
        here, there = (copy_of(which).centre for which in (number, number + 1))
        pairs.append(
            Suspicion(
                id=new_id(), resident_id=numbered_id(kind, number),
                other_id=numbered_id(kind, number + 1), centre_code=here.code,
                district_code=here.district_code, other_centre_code=there.code,
                other_district_code=there.district_code, reasons=[LikenessReason.NEAR_NAME],
                found_at=now,
            )
        )  # fmt: skip
    with owner.begin() as connection:
        bulk.insert_all(connection, pairs)


# Whose story a number tells


def share(total: int, number: int, of: int) -> int:
    """What falls to a number where a total is spread evenly over the numbers 1 to ``of``."""
    return total * number // of - total * (number - 1) // of


def _base(of: Amounts, number: int) -> Story:
    """The story of a number, without notes."""
    age = AGES[number % len(AGES)] or JUST_NOW
    referrals = share(of.referrals, number, of.residents)
    return Story(age, referrals, is_answered=age > JUST_NOW)


def _lived(
    owner: Engine, open_at: OpenAt, of: Amounts, now: datetime, offerings: list[Offering]
) -> tuple[dict[Story, Life], Callable[[int], Story]]:
    """All lives of which a city consists, and whose a number is."""
    how_many = Counter(_base(of, number) for number in range(1, of.residents + 1))
    numbers = iter(range(1_000_000))

    def all_of(stories: Iterator[Story]) -> dict[Story, Life]:
        whose = {
            story: live(open_at, now, story, offerings, which=next(numbers)) for story in stories
        }
        return _settled(owner, open_at, now, whose)

    bare = all_of(iter(how_many))
    written = sum(len(bare[story].rows[t.event]) * count for story, count in how_many.items())
    missing = max(0, of.events - written)

    @lru_cache(maxsize=CHUNK)
    def story_of(number: int) -> Story:
        base, notes = _base(of, number), share(missing, number, of.residents)
        return Story(base.age, base.referrals, notes, base.is_answered)

    stories = {story_of(number) for number in range(1, of.residents + 1)}
    lives = {story: life for story, life in bare.items() if story in stories}
    return lives | all_of(iter(stories - lives.keys())), story_of


def _settled(
    owner: Engine, open_at: OpenAt, now: datetime, whose: dict[Story, UUID]
) -> dict[Story, Life]:
    """The lives once what is due was raised by the sweep, and everybody was told."""
    product = open_at(now)
    product.sweep(product.context())
    product.relay(product.context())
    return read_back(owner, product.vault, whose, with_audit=True)


# Who works there


def _centres_near() -> list[list[str]]:
    """For each centre, those of its district."""
    centres = _centres()
    return [
        [one.code for one in centres if one.district_code == centre.district_code]
        for centre in centres
    ]


@dataclass(frozen=True, slots=True)
class Offers:
    """How many agencies there are, how many services each offers, and to which centres."""

    agencies: int
    services: int
    reaches: Callable[[int], list[str]]


def _staff(owner: Engine, workers: int, digest: str, now: datetime, of: Offers) -> list[Offering]:
    """Accounts and agencies; returns what the agencies offer, agency by agency."""
    made = [_agency(which, of, now) for which in range(of.agencies)]
    offerings = [offering for _, offered in made for offering in offered]
    with owner.begin() as connection:
        bulk.insert_all(connection, [*(agency for agency, _ in made), *offerings])
        bulk.insert_all(connection, _accounts(workers, digest, now - max(AGES) - timedelta(days=1)))
    return offerings


def _agency(which: int, of: Offers, now: datetime) -> tuple[Provider, list[Offering]]:
    centres = _centres()
    at = centres[which % len(centres)]
    agency = Provider(
        id=numbered_id(PROVIDER, which), slug=f"bench-{which}", name=f"가상 {which}",
        phone="051-000-0000", kind=ProviderKind.HOME_CARE, district_code=at.district_code,
        lat=at.lat, lon=at.lon,
    )  # fmt: skip
    return agency, [
        Offering(
            id=numbered_id(OFFERING + number, which), provider_id=agency.id, service_code=code,
            is_open=True, capacity=PLACES, available=PLACES, stated_available=PLACES, waiting=0,
            unit="visit", as_of=now, centres=of.reaches(which),
        )
        for number, code in enumerate(SERVICES[: of.services])
    ]  # fmt: skip


def _accounts(workers: int, digest: str, since: datetime) -> Iterator[Account]:
    centres = _centres()
    for number in range(workers):
        at = centres[number % len(centres)]
        yield Account(
            id=numbered_id(WORKER, number), username=worker_name(number), name="가상",
            role=Role.WORKER, password_hash=digest, created_at=since, centre_code=at.code,
            district_code=at.district_code,
        )  # fmt: skip
    for username, role, belongs in (
        (supervisor_name(), Role.SUPERVISOR, {"district_code": centres[0].district_code}),
        (agency_name(), Role.PROVIDER, {"provider_id": numbered_id(PROVIDER, 0)}),
        (assessor_name(), Role.ASSESSOR, {"district_code": centres[0].district_code}),
        (auditor_name(), Role.AUDITOR, {}),
    ):
        yield Account(
            id=new_id(), username=username, name="가상", role=role, password_hash=digest,
            created_at=since, **belongs,
        )  # fmt: skip

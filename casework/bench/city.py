"""A city to be served: two lives that the product itself writes, copied as often as is wished.

One life began today and one three weeks ago, so that its clocks are overdue. Each has a case, a
plan of three services, and one of these asked for; the others are there to be asked for. A copy
has ids of its own number, a name, a centre and a worker; what is encrypted is encrypted for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import Connection, Engine, Table, text

from casework.adapters import reference
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import (
    EncryptedJson,
    columns_with_ciphertext,
)
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.engine.types import to_json
from casework.adapters.persistence.rows import bulk
from casework.adapters.persistence.scope import session_context
from casework.bench.filling import WORKER, numbered_id, tidy
from casework.bench.lives import SERVICES, Life, OpenAt, Ways, live, tables_of_lives
from casework.domain.access.accounts import Account
from casework.domain.access.policy import Role
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.directory.directory import Offering, Provider, ProviderKind
from casework.domain.residents.names import initials_of, name_key
from casework.workflows.ports.vault import Place, Vault

RESIDENTS_A_WORKER: Final = 50
# Every fifth life is three weeks old.
LATE_EVERY: Final = 5
LATE_BY: Final = timedelta(days=21)
AGENCIES: Final = 4
PLACES: Final = 1_000_000
BATCH: Final = 500
SYLLABLES: Final = "가나다라마바사아자차카타파하고노도로모보소오조초코토포호"
# Ids and codes of places, where they are all of a text.
ID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PUT_IN: Final = re.compile(f'(?<=")(?:{ID}|[0-9]{{5,10}})(?=")')
NAMES: Final = [
    f"{last}{one}{two}" for last in "김이박최" for one in SYLLABLES for two in SYLLABLES
]


@dataclass(frozen=True, slots=True)
class City:
    """What a filled database holds, as far as requests are made of it."""

    residents: int
    workers: int
    ways: Ways
    offerings: tuple[UUID, ...]


def is_late(number: int) -> bool:
    """Whether a numbered life is the one that began three weeks ago."""
    return number % LATE_EVERY == 0


def worker_name(number: int) -> str:
    """What a numbered worker signs in with."""
    return f"bench.worker.{number}"


def supervisor_name() -> str:
    """What the supervisor of the first district signs in with."""
    return "bench.supervisor"


def worker_of(number: int) -> int:
    """The worker of a numbered life."""
    return (number - 1) // RESIDENTS_A_WORKER


def fill_city(
    owner: Engine, open_at: OpenAt, residents: int, digest: str, told: Callable[[int], None]
) -> City:
    """Fill a migrated, empty database; ``digest`` is that of everybody's password.

    ``owner`` is its owner, with the vault; ``told`` is called with how many lives there are.
    """
    now = datetime.now(UTC)
    bulk.load_facts(
        owner, reference.districts(), reference.centres(), reference.services(), SHIPPED
    )
    workers = -(-residents // RESIDENTS_A_WORKER)
    offerings = _staff(owner, workers, digest, now)
    product = open_at(now)
    lives = {}
    for late, at in ((False, now - timedelta(minutes=5)), (True, now - LATE_BY)):
        lives[late] = live(owner, open_at(at), offerings[0], name="다른이" if late else "어떤이")
    if lives[False].ways != lives[True].ways:
        raise AssertionError("both lives were lived by the same acts")
    _copy(owner, product.vault, lives, residents, told)
    tidy(owner)
    return City(
        residents, workers, lives[False].ways,
        tuple(one.id for one in offerings if one.service_code != SERVICES[0]),
    )  # fmt: skip


def _staff(owner: Engine, workers: int, digest: str, now: datetime) -> list[Offering]:
    """Accounts and agencies; returns what the agencies offer, the first service first."""
    centres = reference.centres()
    since = now - LATE_BY - timedelta(days=1)
    first = centres[0]
    accounts = [
        Account(
            id=numbered_id(WORKER, number), username=worker_name(number), name="가상",
            role=Role.WORKER, password_hash=digest, created_at=since,
            centre_code=(at := centres[number % len(centres)]).code, district_code=at.district_code,
        )
        for number in range(workers)
    ]  # fmt: skip
    accounts.append(
        Account(
            id=new_id(), username=supervisor_name(), name="가상", role=Role.SUPERVISOR,
            password_hash=digest, created_at=since, district_code=first.district_code,
        )
    )  # fmt: skip
    agencies = [
        Provider(
            id=new_id(), slug=f"bench-{number}", name=f"가상 {number}", phone="051-000-0000",
            kind=ProviderKind.HOME_CARE, district_code=first.district_code, lat=first.lat,
            lon=first.lon,
        )
        for number in range(AGENCIES)
    ]  # fmt: skip
    offerings = [
        Offering(
            id=new_id(), provider_id=agency.id, service_code=code, is_open=True, capacity=PLACES,
            available=PLACES, stated_available=PLACES, waiting=0, unit="visit", as_of=now,
            centres=[centre.code for centre in centres],
        )
        for code in SERVICES
        for agency in agencies
    ]  # fmt: skip
    with owner.begin() as connection:
        bulk.insert_all(connection, [*agencies, *offerings, *accounts])
    return offerings


# Copying


def _copy(
    owner: Engine,
    vault: Vault,
    lives: dict[bool, Life],
    residents: int,
    told: Callable[[int], None],
) -> None:
    """Insert the copies, batch by batch; a batch is one transaction, made ready before it."""
    texts = {late: _Template(life) for late, life in lives.items()}
    for first in range(1, residents + 1, BATCH):
        numbers = range(first, min(first + BATCH, residents + 1))
        ready = {
            table: [
                row
                for number in numbers
                for row in texts[is_late(number)].rows(table, number, vault)
            ]
            for table in tables_of_lives()
        }
        with owner.begin() as connection:
            session_context.set_system_context(connection)
            for table, rows in ready.items():
                if rows:
                    _insert(connection, table, rows)
        told(numbers[-1])


def _insert(connection: Connection, table: Table, rows: list[bytes]) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.c if column.computed is None)
    connection.execute(
        text(
            f'INSERT INTO "{table.name}" ({names}) SELECT {names} FROM '
            f'jsonb_populate_recordset(NULL::"{table.name}", CAST(:rows AS jsonb))'
        ),
        {"rows": f"[{','.join(one.decode() for one in rows)}]"},
    )


class _Template:
    """The rows of a life as texts, in which ids, place, name and number are put in."""

    def __init__(self, life: Life) -> None:
        centre = reference.centres()[0]
        self._centres = reference.centres()
        self._kinds = {str(id): kind for id, kind in life.kinds.items()}
        self._worker = str(numbered_id(WORKER, 0))
        self._centre, self._district = centre.code, centre.district_code
        self._rows = {table: [to_json(row) for row in rows] for table, rows in life.rows.items()}

    def rows(self, table: Table, number: int, vault: Vault) -> Iterator[bytes]:
        """The rows of a numbered copy in a table, as JSON."""
        if table not in self._rows:
            return
        worker = worker_of(number)
        centre = self._centres[worker % len(self._centres)]
        words = {
            self._worker: str(numbered_id(WORKER, worker)),
            self._centre: centre.code,
            self._district: centre.district_code,
        }

        def put_in(found: re.Match[str]) -> str:
            word = found.group()
            kind = self._kinds.get(word)
            return words.get(word, word) if kind is None else str(numbered_id(kind, number))

        for row in self._rows[table]:
            made = PUT_IN.sub(put_in, row)
            yield _own(table, made, number, centre.district_code, vault)


def _own(table: Table, made: str, number: int, district: str, vault: Vault) -> bytes:
    """A copied row with what is the copy's own: its name, its number, its ciphertexts."""
    sealed = columns_with_ciphertext(table)
    if not sealed and table not in (t.care_case, t.resident):
        return made.encode()
    row = orjson.loads(made)
    if table is t.resident:
        name = NAMES[number % len(NAMES)]
        row |= {"name": name, "name_key": name_key(name), "name_initials": initials_of(name)}
        row["birth_date"] = str(date(1930, 1, 1) + timedelta(days=number % 9000))
    if table is t.care_case:
        row["number"] = f"{district}-00-{number:06}"
    for column in sealed:
        if (value := row[column.name]) is not None:
            place = Place(table.name, column.name, UUID(row["id"]))
            plain = to_json(value) if isinstance(column.type, EncryptedJson) else value
            row[column.name] = vault.encrypt(plain, place)
    return orjson.dumps(row)

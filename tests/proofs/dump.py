"""What a stolen dump reveals without the keys: nothing that is encrypted at rest.

    python3 dev.py proof dump --people 1000 --seed 1

Invented people are registered over HTTP with numbers, telephones, addresses and notes. The attacker
has everything of both stores but the key ring: each table, SQLite's file and its log, PostgreSQL's
heap files, write-ahead log and a server log of every statement; they know names, birth dates and
sexes, the whole of every request but its number, and the source code. Their word list has each true
number among a hundred of the same birth date and sex. They search for it as it is and encoded, by
every hash with and without guessable keys, by an index under keys of their own, as a part of a
request's digest, and try guessable keys on encrypted values. As a control, one column of unkeyed
hashes is added to the dump, and must give every number away. Exits 1 where any number, telephone,
address or note was found, or the control was not.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import platform
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, inspect, make_url, text
from starlette.testclient import TestClient

from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.vault import KeyVault
from casework.adapters.vault.ring import make_ring
from casework.domain.residents.registration_numbers import written
from casework.workflows.ports.vault import Place
from tests.api.conftest import BASE, HERE, WORKER, Api
from tests.proofs._world import STORES, database, root_of, small_world

CANDIDATES = 100
HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s", "sha3_256")
GUESSES = (
    "",
    "casework",
    "secret",
    "rrn",
    "resident",
    "resident.rrn",
    "blind index: rrn",
    "0" * 32,
)
TOKEN = re.compile(rb"[0-9A-Za-z_+/-]{16,}")
HEAD = 16


@dataclass(frozen=True)
class Person:
    """What is true of one invented person."""

    name: str
    born: date
    sex: str
    number: str
    phone: str
    address: str
    note: str

    def body(self, number: str) -> dict[str, Any]:
        """The request that registers them, had they that number."""
        return {
            "name": self.name, "birth_date": self.born.isoformat(), "sex": self.sex,
            "centre_code": HERE, "rrn": written(number), "phone": self.phone,
            "address": self.address, "confirm_new": True,
        }  # fmt: skip


@dataclass
class Dump:
    """Everything but the keys: bytes to search, and the heads of whatever could be a hash."""

    content: bytes
    heads: set[bytes] = field(init=False)
    sealed: list[tuple[UUID, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find what looks like a hash."""
        self.heads = {found[0][:HEAD] for found in TOKEN.finditer(self.content)}


def invent(rng: Random, count: int) -> list[Person]:
    """Invented people."""
    return [_invented(rng, n) for n in range(count)]


def _invented(rng: Random, n: int) -> Person:
    born = date(1926, 1, 1) + timedelta(days=rng.randrange(18_000))
    sex = rng.choice(("female", "male"))
    return Person(
        name=f"가상{n:05}", born=born, sex=sex, number=_a_number(rng, born, sex),
        phone=f"010-{rng.randrange(10_000):04}-{rng.randrange(10_000):04}",
        address=f"부산광역시 가상로 {rng.randrange(10**9)}",
        note=f"방문 기록 {rng.randrange(10**12)}",
    )  # fmt: skip


def _a_number(rng: Random, born: date, sex: str) -> str:
    return f"{born:%y%m%d}{1 if sex == 'male' else 2}{rng.randrange(10**6):06}"


def store(world: Api, people: list[Person]) -> None:
    """Register them and write a note on each, over HTTP and with idempotency keys."""
    application = world.application
    application.settings = application.settings.model_copy(update={"rrn": True})
    with TestClient(application.app()) as client:
        worker = replace(world, client=client).as_(WORKER)
        for n, person in enumerate(people):
            key = {"Idempotency-Key": f"person-{n}"}
            made = worker.request(
                "POST", "/residents", content=_as_sent(person, person.number),
                headers=key | {"Content-Type": "application/json"},
            )  # fmt: skip
            assert made.status_code == 201, made.text
            path = f"/residents/{made.json()['id']}"
            note = {"kind": "visit", "text": person.note, "with": person.phone}
            assert worker.post(f"{path}/notes", note, headers=key).status_code == 201
            shown = worker.post(f"{path}/rrn/reveal", {"purpose": "identity_check"}, headers=key)
            assert shown.json()["rrn"] == written(person.number)


def _as_sent(person: Person, number: str) -> bytes:
    return json.dumps(person.body(number)).encode()


@contextmanager
def telling(engine: Engine) -> Iterator[None]:
    """PostgreSQL logs every statement with its parameters inside the block."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            name = connection.scalar(text("SELECT current_database()"))
            connection.execute(text(f"ALTER DATABASE \"{name}\" SET log_statement = 'all'"))
    yield


def dumped(world: Api, engine: Engine, *, files: bool) -> Dump:
    """What the attacker has. ``files``: the server's own files too, where it is ours alone."""
    parts = [_tables(engine)]
    if engine.dialect.name == "sqlite":
        path = str(make_url(world.application.settings.url()).database)
        parts += [Path(path + more).read_bytes() for more in ("", "-wal")]
    else:
        parts += _of_the_server(engine, files)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, rrn FROM resident WHERE rrn IS NOT NULL"))
        sealed = [(UUID(str(id)), rrn) for id, rrn in rows]
    return Dump(b"\n".join(parts), sealed=sealed)


def _tables(engine: Engine) -> bytes:
    with engine.connect() as connection:
        return "\n".join(
            str(tuple(row))
            for table in inspect(connection).get_table_names()
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))
        ).encode()


def _of_the_server(engine: Engine, files: bool) -> list[bytes]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        home = Path(str(connection.scalar(text("SHOW data_directory"))))
        oid = connection.scalar(
            text("SELECT oid FROM pg_database WHERE datname = current_database()")
        )
    log = home.parent / "log"
    parts = [log.read_bytes()] if log.is_file() else []
    if files:
        folders = (home / "base" / str(oid), home / "pg_wal")
        parts += [
            one.read_bytes() for folder in folders for one in folder.iterdir() if one.is_file()
        ]
    return parts


def word_list(rng: Random, person: Person, candidates: int) -> list[str]:
    """The true number among others of the same birth date and sex."""
    others = (_a_number(rng, person.born, person.sex) for _ in range(candidates - 1))
    return [person.number, *others]


def recovered(
    dump: Dump, people: list[Person], seed: int, candidates: int, *, plain_only: bool = False
) -> dict[str, set[str]]:
    """The true numbers that each way of looking finds."""
    rng = Random(seed + 1)
    found: dict[str, set[str]] = {
        "as it is": set(), "hash": set(), "own index": set(), "request digest": set(),
        "guessed key": set(),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        make_ring(Path(folder) / "ring", b"attacker" * 4, datetime.now(UTC))
        own = KeyVault(Path(folder) / "ring", b"attacker" * 4)
        for person in people:
            for number in word_list(rng, person, candidates):
                if number == person.number and _stands(dump, number):
                    found["as it is"].add(number)
                if any(head in dump.heads for head in _hashed(number)):
                    found["hash"].add(number)
                if plain_only:
                    continue
                if own.blind("rrn", number).partition(".")[2].encode()[:HEAD] in dump.heads:
                    found["own index"].add(number)
                if any(head in dump.heads for head in _digests(person, number)):
                    found["request digest"].add(number)
    found["guessed key"] = set(_opened(dump))
    return found


def _stands(dump: Dump, number: str) -> bool:
    """Whether the dump contains it, as it is or encoded."""
    return any(
        form in dump.content
        for plain in (number.encode(), written(number).encode())
        for form in (plain, plain[::-1], plain.hex().encode(), base64.b64encode(plain)[:-4])
    )


def _hashed(number: str) -> Iterator[bytes]:
    for plain in (number.encode(), written(number).encode()):
        for name in HASHES:
            yield from _heads(hashlib.new(name, plain).digest())
        for key in GUESSES:
            yield from _heads(hmac.digest(key.encode(), plain, "sha256"))
            yield from _heads(hashlib.sha256(key.encode() + plain).digest())


def _digests(person: Person, number: str) -> Iterator[bytes]:
    """What a request with that number would leave behind, were its digest not keyed."""
    request = f"POST {BASE}/residents\n".encode() + _as_sent(person, number)
    yield from _heads(hashlib.sha256(request).digest())
    for key in GUESSES:
        yield from _heads(hmac.digest(key.encode(), request, "sha256"))


def _heads(digest: bytes) -> tuple[bytes, ...]:
    return (
        digest.hex().encode()[:HEAD],
        digest.hex().upper().encode()[:HEAD],
        base64.b64encode(digest)[:HEAD],
        base64.urlsafe_b64encode(digest)[:HEAD],
    )


def _opened(dump: Dump) -> Iterator[str]:
    """What guessable keys decrypt, with the associated data that the source code names."""
    keys = [AESGCM(hashlib.sha256(guess.encode()).digest()) for guess in GUESSES]
    for id, sealed in dump.sealed:
        form, key, body = sealed.split(".")
        raw, place = base64.urlsafe_b64decode(body), Place("resident", "rrn", id)
        bound = f"{form}|{key}|{place.table}|{place.column}|{place.row}".encode()
        for cipher in keys:
            try:
                yield cipher.decrypt(raw[:12], raw[12:], bound).decode()
            except InvalidTag:
                continue


def leaks(dump: Dump, people: list[Person]) -> dict[str, int]:
    """How many telephones, addresses and notes are readable."""
    return {
        name: sum(getattr(person, name).encode() in dump.content for person in people)
        for name in ("phone", "address", "note")
    }


def with_unkeyed_hashes(dump: Dump, people: list[Person]) -> Dump:
    """The control: the same dump with one column of plain SHA-256 more."""
    column = "\n".join(hashlib.sha256(one.number.encode()).hexdigest() for one in people)
    return Dump(dump.content + b"\n" + column.encode(), dump.sealed)


def attack(world: Api, people: list[Person], seed: int, candidates: int, *, files: bool) -> Any:
    """What the attacker finds in the dump of one store, and in the control's."""
    engine = open_engine(root_of(world.application.settings.url()))
    try:
        with telling(engine):
            world.application.engine.dispose()
            store(world, people)
        dump = dumped(world, engine, files=files)
    finally:
        engine.dispose()
    found = recovered(dump, people, seed, candidates)
    control = recovered(
        with_unkeyed_hashes(dump, people), people, seed, candidates, plain_only=True
    )
    true = {person.number for person in people}
    return {
        "bytes": len(dump.content),
        "sealed": len(dump.sealed),
        "names": sum(person.name.encode() in dump.content for person in people),
        "recovered": {name: len(numbers & true) for name, numbers in found.items()},
        "leaks": leaks(dump, people),
        "control": len(control["hash"] & true),
    }


def is_proven(result: dict[str, Any], people: int) -> bool:
    """Whether nothing was found, and it was looked for where there is something to find."""
    looked = result["sealed"] == people and result["names"] == people
    silent = not any((*result["recovered"].values(), *result["leaks"].values()))
    return bool(looked and silent and result["control"] == people)


def main() -> int:
    """Run the proof and print what it found."""
    parser = argparse.ArgumentParser(prog="proof dump", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    began, stores = time.monotonic(), {}
    people = invent(Random(options.seed), options.people)
    for name in STORES:
        with database(name) as url, small_world(url) as world:
            stores[name] = attack(world, people, options.seed, CANDIDATES, files=True)
        print(f"{name}: {stores[name]}", file=sys.stderr)
    result = {
        "proof": "dump", "people": options.people, "words": options.people * CANDIDATES,
        "seed": options.seed, "stores": stores, "machine": platform.platform(),
        "python": platform.python_version(), "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
    return 0 if all(is_proven(one, options.people) for one in stores.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

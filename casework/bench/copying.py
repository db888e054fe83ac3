"""Copying lives by COPY: their rows as lines in which is put in what each copy has of its own.

A copy has ids of its own number, a worker, a centre, an agency, a name, a telephone and a number
of its case; what is encrypted is encrypted for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import JSON, Column, Engine, Table

from casework.adapters import reference
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import (
    EncryptedJson,
    columns_with_ciphertext,
    encrypt_row,
)
from casework.adapters.persistence.engine.types import to_json
from casework.bench.filling import OFFERING, PROVIDER, WORKER, numbered_id
from casework.bench.lives import SERVICES, Life, kind_of, tables_of_lives
from casework.bench.names import name_of, spread, worker_name
from casework.domain.casefile.case_numbers import case_number
from casework.domain.directory.directory import Centre
from casework.domain.residents.names import (
    digits_of,
    initials_of,
    last_digits_of,
    name_and_birth,
    name_key,
)
from casework.workflows.ports.vault import Place, Vault

# Residents whose rows are one transaction.
BATCH: Final = 500
NO_YEAR: Final = 2000
FIRST_BIRTH: Final = date(1930, 1, 1)
BIRTHS: Final = 9131
ID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Where in a line is put in what a copy has of its own: single bytes that no text has.
NUMBER, WORKS, CENTRE, DISTRICT, AGENCY, USER = "\x01", "\x02", "\x03", "\x04", "\x05", "\x06"
MARKED: Final = re.compile("[\x01-\x06]")
# What of a resident and a case is the copy's own.
OWN: Final = {
    t.resident.name: (
        "name", "name_key", "name_initials", "birth_date", "phone", "phone_digits", "phone_ending",
        "name_birth_index",
    ),
    t.care_case.name: ("number",),
}  # fmt: skip
ESCAPED: Final = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a life: its number, whose it is and where, and its agency."""

    number: int
    worker: int
    centre: Centre
    agency: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """A value that is encrypted for each copy."""

    column: Column[Any]
    kind: int
    plain: str
    is_marked: bool

    def made(self, copy: Copy, vault: Vault) -> str:
        """The value of a copy, as it stands in a line."""
        place = Place(
            self.column.table.name, self.column.name, numbered_id(self.kind, copy.number)
        )  # fmt: skip
        plain = put_in(self.plain, copy) if self.is_marked else self.plain
        value = vault.encrypt(plain, place)
        return f'"{value}"' if isinstance(self.column.type, EncryptedJson) else value


@dataclass(frozen=True, slots=True)
class Own:
    """A value that each copy has of its own."""

    name: str


class Template:
    """The rows of a life as lines of COPY."""

    def __init__(self, life: Life) -> None:
        self._kinds = {str(id): kind for id, kind in life.kinds.items()}
        centre = reference.centres()[0]
        self._codes = {
            centre.code: CENTRE, centre.district_code: DISTRICT, worker_name(0): USER,
        }  # fmt: skip
        self._ids = {str(numbered_id(WORKER, 0)): _id(WORKS, WORKER)}
        for kind in (PROVIDER, *(OFFERING + which for which in range(len(SERVICES)))):
            self._ids[str(numbered_id(kind, 0))] = _id(AGENCY, kind)
        self._parts = {table: list(self._of(table, rows)) for table, rows in life.rows.items()}

    def lines(self, table: Table, copy: Copy, own: Mapping[str, str], vault: Vault) -> str:
        """The rows of a copy in a table, a line each."""
        if table not in self._parts:
            return ""
        made = "".join(
            part if isinstance(part, str)
            else own[part.name] if isinstance(part, Own) else part.made(copy, vault)
            for part in self._parts[table]
        )  # fmt: skip
        return put_in(made, copy)

    def _of(self, table: Table, rows: list[dict[str, Any]]) -> Iterator[str | Sealed | Own]:
        sealed, own = columns_with_ciphertext(table), OWN.get(table.name, ())
        text = ""
        for row in rows:
            for at, column in enumerate(stored_columns(table)):
                text += "\t" if at else ""
                value = row[column.name]
                if column.name in own:
                    yield from (text, Own(f"{table.name}.{column.name}"))
                    text = ""
                elif column in sealed and value is not None:
                    is_json = isinstance(column.type, EncryptedJson)
                    plain = self._marked(to_json(value)) if is_json else value
                    is_marked = MARKED.search(plain) is not None
                    yield from (text, Sealed(column, self._kinds[row["id"]], plain, is_marked))
                    text = ""
                else:
                    text += self._cell(column, value)
            text += "\n"
        yield text

    def _cell(self, column: Column[Any], value: Any) -> str:
        if value is None:
            return r"\N"
        if isinstance(column.type, JSON) or isinstance(value, dict | list):
            return self._marked(json.dumps(value, ensure_ascii=False)).translate(ESCAPED)
        made = str(value)
        return self._codes.get(made, self._ids_marked(made)).translate(ESCAPED)

    def _marked(self, document: str) -> str:
        """A JSON document with marks where its codes and ids were."""
        for code, mark in self._codes.items():
            document = document.replace(f'"{code}"', f'"{mark}"')
        return self._ids_marked(document)

    def _ids_marked(self, text: str) -> str:
        return ID.sub(lambda found: self._mark_of(found.group()), text)

    def _mark_of(self, id: str) -> str:
        kind = self._kinds.get(id)
        return self._ids.get(id, id) if kind is None else _id(NUMBER, kind)


def put_in(text: str, copy: Copy) -> str:
    """A text with what a copy has of its own in the place of the marks."""
    return (
        text.replace(NUMBER, _part(copy.number))
        .replace(WORKS, _part(copy.worker))
        .replace(AGENCY, _part(copy.agency))
        .replace(CENTRE, copy.centre.code)
        .replace(DISTRICT, copy.centre.district_code)
        .replace(USER, worker_name(copy.worker))
    )


Source = Callable[[int], tuple[Template, Copy]]


def stored_columns(table: Table) -> list[Column[Any]]:
    """The columns that are written: the database computes the others."""
    return [column for column in table.c if column.computed is None]


def _part(number: int) -> str:
    """The part of a numbered id in which its number stands."""
    return f"{number >> 16:04x}-{number & 0xFFFF:04x}"


def _id(mark: str, kind: int) -> str:
    return f"0190{mark}{str(numbered_id(kind, 0))[13:]}"


def birth_of(number: int) -> date:
    """When a numbered resident was born."""
    return FIRST_BIRTH + timedelta(days=spread(number) % BIRTHS)


def phone_of(number: int) -> str:
    """The telephone of a numbered resident, of a block that is given to nobody."""
    mixed = spread(number)
    return f"010-0{mixed % 1000:03}-{mixed // 1000 % 10_000:04}"


def case_number_of(copy: Copy) -> str:
    """The number of the case of a copy: of a year in which none was made."""
    return case_number(copy.centre.district_code, NO_YEAR, copy.number)


def own_values(copy: Copy, vault: Vault, resident_kind: int) -> dict[str, str]:
    """What a copy has of its own, by table and column."""
    name, birth, phone = name_of(copy.number), birth_of(copy.number), phone_of(copy.number)
    row = {
        "name": name, "name_key": name_key(name), "name_initials": initials_of(name),
        "birth_date": birth.isoformat(), "phone": phone, "phone_digits": digits_of(phone),
        "phone_ending": last_digits_of(phone), "name_birth_index": name_and_birth(name, birth),
    }  # fmt: skip
    encrypt_row(t.resident, row, numbered_id(resident_kind, copy.number), vault)
    made = {f"{t.resident.name}.{column}": str(value) for column, value in row.items()}
    return made | {f"{t.care_case.name}.number": case_number_of(copy)}


def copy_lives(
    owner: Engine,
    vault: Vault,
    source: Source,
    residents: int,
    told: Callable[[int], None],
    *,
    with_audit: bool = False,
) -> None:
    """Write numbered copies, 1 to ``residents``, batch by batch; a batch is one transaction.

    ``source`` tells of a number whose life it is, and where.

    ``told`` is called with how many there are. While one batch is written the next is prepared.
    """
    tables = tables_of_lives(with_audit=with_audit)
    with ThreadPoolExecutor(max_workers=1) as pool:
        writing = None
        for first in range(1, residents + 1, BATCH):
            numbers = range(first, min(first + BATCH, residents + 1))
            ready = _prepared(tables, numbers, source, vault)
            if writing is not None:
                told(writing.result())
            writing = pool.submit(_write, owner, ready, numbers[-1])
        if writing is not None:
            told(writing.result())


def _prepared(
    tables: list[Table],
    numbers: range,
    source: Source,
    vault: Vault,
) -> dict[Table, str]:
    resident = kind_of(t.resident, 0)
    lines: dict[Table, list[str]] = {table: [] for table in tables}
    for number in numbers:
        template, copy = source(number)
        own = own_values(copy, vault, resident)
        for table in tables:
            lines[table].append(template.lines(table, copy, own, vault))
    return {table: "".join(all) for table, all in lines.items()}


def _write(owner: Engine, ready: Mapping[Table, str], last: int) -> int:
    """Write a batch; returns its last number."""
    raw = owner.raw_connection()
    try:
        connection: Any = raw.driver_connection
        with connection.transaction(), connection.cursor() as cursor:
            for table, text in ready.items():
                if text:
                    names = ", ".join(f'"{column.name}"' for column in stored_columns(table))
                    with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copying:
                        copying.write(text)
    finally:
        raw.close()
    return last

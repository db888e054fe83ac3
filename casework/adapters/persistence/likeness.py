"""Who may be alike, by index: a bounded handful of rows, which the domain's rule then compares."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, select, union, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence import tables_duplicates as td
from casework.adapters.persistence.mapper import from_row
from casework.adapters.persistence.sealing import needed, vault_of
from casework.domain.likeness import Likeness, near_dates
from casework.domain.residents import Resident
from casework.workflows.ports_vault import Vault

# A date and those a slip makes of it are about forty; a district of 60,000 has three a day.
MOST_OF_BLOCK: Final = 1000
# More residents than these under one telephone is an institution, not a likeness.
MOST_OF_PHONE: Final = 50


def candidates(
    connection: Connection,
    likeness: Likeness,
    but: UUID,
    sees: ColumnElement[bool],
    numbered: Collection[UUID],
) -> list[Resident]:
    """Residents of the asker's reach (``sees``, on ``resident``) to compare with; those who are
    ``numbered`` alike are among them.
    """
    one, vault = t.resident, vault_of(connection)
    blocks = _blocks(likeness, sees, needed(vault))
    if numbered:
        blocks.append(select(one.c.id).where(one.c.id.in_(numbered), sees))
    wanted = union(*blocks).subquery()
    query = select(one).where(one.c.id.in_(select(wanted.c.id)), sees, one.c.id != but)
    rows = connection.execute(query.order_by(one.c.id).limit(MOST_OF_BLOCK))
    return [from_row(Resident, row, vault) for row in rows]


def _blocks(likeness: Likeness, sees: ColumnElement[bool], vault: Vault) -> list[Select[Any]]:
    """By birth date in the district, by name and birth date anywhere, by telephone anywhere."""
    one = t.resident
    days = sorted({likeness.birth_date, *near_dates(likeness.birth_date)})
    near = select(one.c.id).where(
        one.c.district_code == likeness.district_code, one.c.birth_date.in_(days), sees
    )
    same = select(one.c.id).where(
        one.c.name == likeness.name, one.c.birth_date == likeness.birth_date, sees
    )
    blocks = [near, same]
    if likeness.phone_digits is not None:
        forms = vault.blinds("phone", likeness.phone_digits)
        phone = select(one.c.id).where(one.c.phone_digits.in_(forms), sees)
        few = phone.order_by(one.c.id).limit(MOST_OF_PHONE).subquery()
        blocks.append(select(few.c.id))
    return blocks


def place(connection: Connection, resident: Resident) -> None:
    """The queue's pairs follow a resident who moved."""
    pair = td.duplicate_suspicion
    for which, centre, district in (
        (pair.c.resident_id, "centre_code", "district_code"),
        (pair.c.other_id, "other_centre_code", "other_district_code"),
    ):
        connection.execute(
            update(pair)
            .where(which == resident.id)
            .values({centre: resident.centre_code, district: resident.district_code})
        )

"""Candidate duplicates, by index: a bounded number of rows, which the domain compares."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, false, select, union, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import require_vault, vault_of
from casework.adapters.persistence.rows.mapper import from_row
from casework.domain.duplicates.likeness import DuplicateCandidate, Likeness, near_dates
from casework.domain.residents.names import name_and_birth
from casework.domain.residents.resident import Resident
from casework.workflows.ports.vault import Vault

# A date and those a slip makes of it are about forty; a district of 60,000 has three a day.
MAX_IN_BLOCK: Final = 1000
# More residents than these under one telephone is an institution, not a likeness.
MAX_WITH_PHONE: Final = 50


def candidates(
    connection: Connection, likeness: Likeness, but: UUID, sees: ColumnElement[bool]
) -> list[DuplicateCandidate]:
    """Residents within the actor's scope (``sees``, on ``resident``) to compare with."""
    one, vault = t.resident, require_vault(vault_of(connection))
    number, blocks = _same_number(likeness, vault), _blocks(likeness, sees, vault)
    if number is not None:
        blocks.append(select(one.c.id).where(number, sees))
    wanted = union(*blocks).subquery()
    query = select(one, (false() if number is None else number).label("has_same_number")).where(
        one.c.id.in_(select(wanted.c.id)), sees, one.c.id != but
    )
    rows = connection.execute(query.order_by(one.c.id).limit(MAX_IN_BLOCK))
    return [
        DuplicateCandidate(from_row(Resident, row, vault), bool(row.has_same_number))
        for row in rows
    ]


def _same_number(likeness: Likeness, vault: Vault) -> ColumnElement[bool] | None:
    """Who has the same registration number, where numbers are stored."""
    if likeness.rrn is None:
        return None
    return t.resident.c.rrn_index.in_(vault.blinds("rrn", likeness.rrn))


def _blocks(likeness: Likeness, sees: ColumnElement[bool], vault: Vault) -> list[Select[Any]]:
    """By birth date in the district, by name and birth date anywhere, by telephone anywhere."""
    one = t.resident
    days = sorted({likeness.birth_date, *near_dates(likeness.birth_date)})
    near = select(one.c.id).where(
        one.c.district_code == likeness.district_code, one.c.birth_date.in_(days), sees
    )
    person = name_and_birth(likeness.name, likeness.birth_date)
    known = vault.blinds("name and birth date", person)
    same = select(one.c.id).where(one.c.name_birth_index.in_(known), sees)
    blocks = [near, same]
    if likeness.phone_digits is not None:
        forms = vault.blinds("phone", likeness.phone_digits)
        phone = select(one.c.id).where(one.c.phone_digits.in_(forms), sees)
        few = phone.limit(MAX_WITH_PHONE).subquery()
        blocks.append(select(few.c.id))
    return blocks


def place(connection: Connection, resident: Resident) -> None:
    """The queue's pairs follow a resident who moved."""
    pair = t.duplicate_suspicion
    for which, centre, district in (
        (pair.c.resident_id, "centre_code", "district_code"),
        (pair.c.other_id, "other_centre_code", "other_district_code"),
    ):
        connection.execute(
            update(pair)
            .where(which == resident.id)
            .values({centre: resident.centre_code, district: resident.district_code})
        )

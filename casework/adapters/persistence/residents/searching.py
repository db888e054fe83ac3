"""Residents found by what is known of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, select, union

from casework.adapters.persistence import tables as t
from casework.domain.access.policy import Actor
from casework.domain.privacy.masks import searches_masked_contacts
from casework.domain.residents.resident import digits_of
from casework.workflows.ports.paging import Row
from casework.workflows.ports.vault import Vault


def found_by(filters: Row, sees: ColumnElement[bool], actor: Actor, vault: Vault) -> Select[Any]:
    """Residents by name, birth date, centre, or a telephone of theirs or of a contact."""
    query = select(t.resident).where(sees, t.resident.c.merged_into_id.is_(None))
    if filters.get("centre_code") is not None:
        query = query.where(t.resident.c.centre_code == filters["centre_code"])
    written = t.resident.alias("written")
    fits = [
        written.c[name] == filters[name]
        for name in ("name", "birth_date")
        if filters.get(name) is not None
    ]
    if filters.get("phone") is not None:
        fits.append(written.c.id.in_(_with_phone(filters["phone"], actor, vault)))
    if fits:
        # A join, and not a list to be in: PostgreSQL would look through a whole centre for it.
        whose = func.coalesce(written.c.merged_into_id, written.c.id)
        found = select(whose.label("id")).where(*fits).distinct().subquery()
        query = query.join(found, found.c.id == t.resident.c.id)
    return query


def _with_phone(phone: str, actor: Actor, vault: Vault) -> CompoundSelect[Any]:
    """Residents with that telephone, or close to somebody who has it; each by its index."""
    forms = vault.blinds("phone", digits_of(phone) or "")
    of_contact = t.contact.c.phone_digits.in_(forms)
    return union(
        select(t.resident.c.id).where(t.resident.c.phone_digits.in_(forms)),
        select(t.contact.c.resident_id).where(of_contact, *_contacts_shown(actor)),
    )


def _contacts_shown(actor: Actor) -> list[ColumnElement[bool]]:
    """Which contacts' telephones may be searched by: those the actor would be shown."""
    return [] if searches_masked_contacts(actor) else [t.contact.c.may_be_told]

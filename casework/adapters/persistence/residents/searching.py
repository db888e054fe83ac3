"""Residents found by what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, func, select, union

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.rows.aliases import alias_of
from casework.domain.access.policy import Actor
from casework.domain.privacy.masks import searches_masked_contacts
from casework.domain.residents.names import (
    LAST_DIGITS,
    SHORTEST_PART,
    digits_of,
    name_key,
    wanted_initials,
    wanted_mixture,
)
from casework.workflows.ports.paging import Row
from casework.workflows.ports.vault import Vault

# What a case is called here, and was called in the files that it was taken over from.
_written = alias_of(t.resident, "written")
_CASE_NUMBERS: Final = {
    "case_number": t.care_case.c.number,
    "former_number": t.care_case.c.former_number,
}
Sees = Callable[[Any], ColumnElement[bool]]


def found_by(filters: Row, sees: Sees, actor: Actor, vault: Vault) -> Select[Any]:
    """Residents by name, birth date, centre, case, or a telephone of theirs or of a contact.

    ``sees`` gives the scope on a table, or on an alias of it.
    """
    query = select(t.resident).where(sees(t.resident), t.resident.c.merged_into_id.is_(None))
    if filters.get("centre_code") is not None:
        query = query.where(t.resident.c.centre_code == filters["centre_code"])
    for name, column in _CASE_NUMBERS.items():
        if filters.get(name) is not None:
            of_case = select(t.care_case.c.resident_id).where(
                column == filters[name], sees(t.care_case)
            )
            query = query.where(t.resident.c.id.in_(of_case))
    written = _written
    fits = _fits(written, filters, actor, vault)
    if fits:
        # A join, and not a list to be in: PostgreSQL would look through a whole centre for it.
        whose = func.coalesce(written.c.merged_into_id, written.c.id).label("id")
        some = select(whose).where(*fits)
        if filters.get("name") is None:
            found = some.distinct().subquery()
        else:
            # No index finds a part of a name: of others' records only merged ones are read.
            merged = some.where(written.c.merged_into_id.is_not(None))
            found = union(some.where(sees(written)), merged).subquery()
        query = query.join(found, found.c.id == t.resident.c.id)
    return query


def _fits(written: Any, filters: Row, actor: Actor, vault: Vault) -> list[ColumnElement[bool]]:
    """What was written of a resident, or of one who was merged into them."""
    fits: list[ColumnElement[bool]] = []
    if filters.get("name") is not None:
        fits.append(_named(written, filters["name"]))
    if filters.get("birth_date") is not None:
        fits.append(written.c.birth_date == filters["birth_date"])
    if filters.get("phone") is not None:
        fits.append(written.c.id.in_(_with_phone(filters["phone"], actor, vault)))
    return fits


def _named(written: Any, given: str) -> ColumnElement[bool]:
    """By part of the name, its initial consonants, or a mixture; one letter is a name."""
    key, initials = name_key(given), wanted_initials(given)
    mixture = wanted_mixture(given)
    if mixture is not None:
        of_all, pattern = mixture
        return and_(
            written.c.name_initials.contains(of_all, autoescape=True),
            written.c.name_key.regexp_match(pattern),
        )
    if initials is not None and len(initials) >= SHORTEST_PART:
        found: ColumnElement[bool] = written.c.name_initials.contains(initials, autoescape=True)
        return found
    if len(key) >= SHORTEST_PART:
        found = written.c.name_key.contains(key, autoescape=True)
        return found
    found = written.c.name_key == key
    return found


def _with_phone(phone: str, actor: Actor, vault: Vault) -> CompoundSelect[Any]:
    """Residents with that telephone, or close to somebody who has it; each by its index."""
    digits = digits_of(phone) or ""
    is_end = len(digits) == LAST_DIGITS
    name, purpose = ("phone_ending", "end of phone") if is_end else ("phone_digits", "phone")
    forms = vault.blinds(purpose, digits)
    of_contact = t.contact.c[name].in_(forms)
    return union(
        select(t.resident.c.id).where(t.resident.c[name].in_(forms)),
        select(t.contact.c.resident_id).where(of_contact, *_contacts_shown(actor)),
    )


def _contacts_shown(actor: Actor) -> list[ColumnElement[bool]]:
    """Which contacts' telephones may be searched by: those the actor would be shown."""
    return [] if searches_masked_contacts(actor) else [t.contact.c.may_be_told]

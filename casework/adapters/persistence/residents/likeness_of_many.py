"""Candidate duplicates of many new residents at once, those among themselves included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import require_vault, vault_of
from casework.adapters.persistence.residents.likeness import MAX_IN_BLOCK, MAX_WITH_PHONE
from casework.adapters.persistence.rows.many import is_one_of, planned_each_time
from casework.adapters.persistence.rows.mapper import from_row
from casework.domain.duplicates.likeness import (
    DuplicateCandidate,
    Likeness,
    likeness_of,
    near_dates,
)
from casework.domain.residents.names import name_and_birth, name_key
from casework.domain.residents.resident import Resident

_one = t.resident.c


class _Keys(NamedTuple):
    """By what one is compared at all: the first three within a district, the others anywhere."""

    district: str
    born: date
    name: str
    person: str
    phone: str | None


class CandidatesOfMany:
    """What ``likeness.candidates`` finds for each of many, read in a statement for each way.

    A near birth date alone is no likeness, so of those only the ones of the same name are read. Of
    a telephone of more than ``MAX_WITH_PHONE`` it may find other ones, as each search may. What
    others commit meanwhile is not seen; what is added here is.
    """

    def __init__(
        self, connection: Connection, expected: Sequence[Likeness], sees: ColumnElement[bool]
    ) -> None:
        self._connection, self._sees = connection, sees
        self._vault = require_vault(vault_of(connection))
        self._keys = {one: _keys_of(one) for one in expected}
        self._born: dict[tuple[str, date], set[UUID]] = defaultdict(set)
        self._named: dict[tuple[str, str], dict[UUID, date]] = defaultdict(dict)
        self._person: dict[str, set[UUID]] = defaultdict(set)
        self._phone: dict[str, set[UUID]] = defaultdict(set)
        self._read(list(self._keys.values()))
        wanted = set(chain.from_iterable(map(self._ids, self._keys.values())))
        self._candidates = {one.resident.id: one for one in self._loaded(wanted)}

    def knows(self, likeness: Likeness) -> bool:
        """Whether the candidates of this one were read; those of a number never are."""
        return likeness in self._keys and likeness.rrn is None

    def of(self, likeness: Likeness) -> list[DuplicateCandidate]:
        """The candidates to compare with it, in the order of their ids."""
        found = sorted(self._ids(self._keys[likeness]))[:MAX_IN_BLOCK]
        return [self._candidates[id] for id in found if id in self._candidates]

    def add(self, resident: Resident) -> None:
        """One who is registered now is a candidate for those who follow."""
        keys = self._keys[likeness_of(resident)]
        self._enter_local(resident.id, keys.district, keys.born, keys.name)
        self._person[keys.person].add(resident.id)
        if keys.phone is not None:
            self._phone[keys.phone].add(resident.id)
        self._candidates[resident.id] = DuplicateCandidate(resident)

    def _ids(self, of: _Keys) -> set[UUID]:
        found = set(self._born.get((of.district, of.born), ()))
        found |= self._person.get(of.person, set())
        if named := self._named.get((of.district, of.name)):
            near = near_dates(of.born)
            found |= {id for id, day in named.items() if day in near}
        if of.phone is not None and (with_phone := self._phone.get(of.phone)):
            found |= set(sorted(with_phone)[:MAX_WITH_PHONE])
        return found

    def _enter_local(self, id: UUID, district: str, born: date, name: str) -> None:
        self._born[district, born].add(id)
        self._named[district, name][id] = born

    def _read(self, wanted: Sequence[_Keys]) -> None:
        for district in {one.district for one in wanted}:
            some = [one for one in wanted if one.district == district]
            for row in self._of_district(district, some):
                self._enter_local(row.id, district, row.birth_date, row.name_key)
        persons = {one.person for one in wanted}
        for person, id in self._indexed(_one.name_birth_index, "name and birth date", persons):
            self._person[person].add(id)
        phones = {one.phone for one in wanted if one.phone is not None}
        for phone, id in self._indexed(_one.phone_digits, "phone", phones, MAX_WITH_PHONE):
            self._phone[phone].add(id)

    def _of_district(self, district: str, some: Sequence[_Keys]) -> Iterator[Any]:
        """Those born on the day of one of them, and those of the name of one of them."""
        light = select(_one.id, _one.birth_date, _one.name_key).where(
            _one.district_code == district, self._sees
        )
        days, names = {one.born for one in some}, {one.name for one in some}
        for column, values in ((_one.birth_date, days), (_one.name_key, names)):
            yield from self._run(light.where(self._is_one_of(column, values)))

    def _indexed(
        self, column: Any, purpose: str, values: set[str], at_most: int | None = None
    ) -> Iterator[tuple[str, UUID]]:
        """Each of the values with the residents found by its blind index."""
        forms = {form: value for value in values for form in self._vault.blinds(purpose, value)}
        if not forms:
            return
        found = self._is_one_of(column, forms.keys())
        query = select(_one.id, column.label("form")).where(found, self._sees)
        if at_most is not None:
            rank = func.row_number().over(partition_by=column, order_by=_one.id).label("rank")
            ranked = query.add_columns(rank).subquery()
            query = select(ranked.c.id, ranked.c.form).where(ranked.c.rank <= at_most)
        for id, form in self._run(query):
            yield forms[form], id

    def _loaded(self, ids: set[UUID]) -> Iterator[DuplicateCandidate]:
        if not ids:
            return
        query = select(t.resident).where(self._is_one_of(_one.id, ids), self._sees)
        for row in self._run(query):
            yield DuplicateCandidate(from_row(Resident, row, self._vault))

    def _run(self, query: Select[Any]) -> Any:
        return self._connection.execute(planned_each_time(query))

    def _is_one_of(self, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
        return is_one_of(self._connection, column, sorted(values))


def _keys_of(likeness: Likeness) -> _Keys:
    return _Keys(
        district=likeness.district_code,
        born=likeness.birth_date,
        name=name_key(likeness.name),
        person=name_and_birth(likeness.name, likeness.birth_date),
        phone=likeness.phone_digits,
    )

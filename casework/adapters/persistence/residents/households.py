"""Households: each with the members within the actor's scope, and the number of others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.faults import is_taken
from casework.adapters.persistence.rows.mapper import from_row, to_row
from casework.adapters.persistence.rows.saving import update_row
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Scope
from casework.domain.errors import Conflict, NotFound
from casework.domain.residents.households import Household, HouseholdMember
from casework.workflows.ports.paging import Row

_home, _member = t.household, t.household_member


class SqlHouseholds:
    """The repository of households for one transaction of one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about

    def get(self, id: UUID, *, lock: bool = False) -> Household:
        query = select(_home).where(_home.c.id == id, _home.c.id.in_(self._seen_households()))
        row = self._connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFound("no such household")
        found: Household = from_row(Household, row)
        return found

    def _seen_households(self) -> Any:
        return (
            select(_member.c.household_id)
            .join(t.resident, t.resident.c.id == _member.c.resident_id)
            .where(_member.c.left_at.is_(None), seen(t.resident, self._scope, self._now))
        )

    def member(self, household_id: UUID, resident_id: UUID) -> HouseholdMember | None:
        row = self._connection.execute(
            select(_member).where(
                _member.c.household_id == household_id,
                _member.c.resident_id == resident_id,
                _member.c.left_at.is_(None),
            )
        ).first()
        return None if row is None else from_row(HouseholdMember, row)

    def of_residents(self, ids: Sequence[UUID]) -> list[HouseholdMember]:
        """Since when residents who were loaded before live with others, and till when."""
        query = select(_member).where(_member.c.resident_id.in_(ids)).order_by(_member.c.joined_at)
        return [from_row(HouseholdMember, row) for row in self._connection.execute(query)]

    def add(self, household: Household, members: Sequence[HouseholdMember]) -> None:
        self._connection.execute(insert(_home), [to_row(household)])
        self._put(members)

    def save(
        self, household: Household, joined: HouseholdMember | None, left: HouseholdMember | None
    ) -> None:
        update_row(self._connection, _home, to_row(household))
        if joined is not None:
            self._put([joined])
        if left is not None:
            row = to_row(left)
            self._connection.execute(
                update(_member).where(_member.c.id == row.pop("id")).values(row)
            )

    def _put(self, members: Sequence[HouseholdMember]) -> None:
        try:
            self._connection.execute(insert(_member), [to_row(one) for one in members])
        except IntegrityError as error:
            if is_taken(error):
                raise Conflict(
                    "someone of these lives in a household already", code="in_household"
                ) from None
            raise

    def shown(self, id: UUID) -> Row:
        self.get(id)
        return self._shown(_home.c.id == id) or {}

    def of(self, resident_id: UUID) -> Row | None:
        own = select(_member.c.household_id).where(
            _member.c.resident_id == resident_id, _member.c.left_at.is_(None)
        )
        return self._shown(_home.c.id.in_(own))

    def _shown(self, which: Any) -> Row | None:
        """Names of the members within scope; of the others, how many they are."""
        sees = seen(t.resident, self._scope, self._now)
        rows = self._connection.execute(
            select(_home, t.resident.c.id.label("member_id"), *t.resident.c["name", "died_on"])
            .select_from(_home)
            .join(_member, and_(_member.c.household_id == _home.c.id, _member.c.left_at.is_(None)))
            .outerjoin(t.resident, and_(t.resident.c.id == _member.c.resident_id, sees))
            .where(which)
            .order_by(_member.c.resident_id)
        ).all()
        if not rows:
            return None
        members = [
            {"id": row.member_id, "name": row.name, "died_on": row.died_on}
            for row in rows
            if row.member_id is not None
        ]
        self._about.update(one["id"] for one in members)
        first = dict(rows[0]._mapping)
        return {
            "household": from_row(Household, first),
            "members": members,
            "others": len(rows) - len(members),
        }

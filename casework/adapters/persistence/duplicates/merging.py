"""Merges: whose children move to the survivor, recorded row by row, and undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Table, delete, insert, or_, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows.mapper import from_row, stored, to_row
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Scope
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_moves import OPEN
from casework.domain.duplicates import moved_by_merge
from casework.domain.duplicates.likeness import ordered
from casework.domain.duplicates.merged_facts import OpenRequest
from casework.domain.duplicates.merging import Merge
from casework.domain.duplicates.moved_by_merge import (
    BACK_WITH_ITS_CASE,
    ONE_EACH,
    SEEN_BY_VERSION,
    WITH_ITS_CASE,
    WITH_ITS_REFERRAL,
    WITH_THE_RECORD,
    Child,
)
from casework.domain.duplicates.suspicions import Suspicion, SuspicionState
from casework.domain.errors import NotFound
from casework.domain.notices.notices import Notice
from casework.domain.residents.resident import Contact, Resident
from casework.workflows.ports.paging import Row

TABLES: Final[dict[Child, Table]] = {
    kind: t.metadata.tables[kind] for kind in Child if kind in t.metadata.tables
}
_member, _pair, _child = t.household_member, t.duplicate_suspicion, t.merge_child
MovedRows = dict[Child, list[UUID]]


class SqlMerges:
    """The repository of merges for one transaction of one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about

    # Looking

    def pair(self, one: UUID, other: UUID) -> dict[UUID, Resident]:
        """The lock lets others refer to the residents meanwhile."""
        query = (
            select(t.resident)
            .where(
                t.resident.c.id.in_(ordered(one, other)),
                seen(t.resident, self._scope, self._now),
            )
            .order_by(t.resident.c.id)
            .with_for_update(key_share=True)
        )
        found = [
            from_row(Resident, row, vault_of(self._connection))
            for row in self._connection.execute(query)
        ]
        self._about.update(resident.id for resident in found)
        return {resident.id: resident for resident in found}

    def cases_of(self, resident_id: UUID) -> list[UUID]:
        case = t.care_case
        query = select(case.c.id).where(case.c.resident_id == resident_id).order_by(case.c.id)
        return list(self._connection.scalars(query.with_for_update()))

    def get(self, id: UUID, *, lock: bool = False) -> Merge:
        query = (
            select(t.resident_merge)
            .join(t.resident, t.resident.c.id == t.resident_merge.c.survivor_id)
            .where(t.resident_merge.c.id == id, seen(t.resident, self._scope, self._now))
        )
        if lock:
            query = query.with_for_update(of=t.resident_merge)
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such merge")
        found: Merge = from_row(Merge, row, vault_of(self._connection))
        self._about |= {found.survivor_id, found.duplicate_id}
        return found

    def into(self, resident_id: UUID) -> list[Row]:
        made, former = t.resident_merge, t.resident
        query = (
            select(made.c.id.label("merge_id"), made.c.duplicate_id.label("id"), made.c.merged_at)
            .join(former, former.c.id == made.c.duplicate_id)
            .where(former.c.merged_into_id == resident_id, made.c.undone_at.is_(None))
            .order_by(made.c.id)
        )
        found: list[Row] = [dict(row._mapping) for row in self._connection.execute(query)]
        self._about.update(row["id"] for row in found)
        return found

    def moved_rows(self, merge_id: UUID) -> dict[tuple[str, UUID], Any]:
        rows = self._connection.execute(select(_child).where(_child.c.merge_id == merge_id))
        return {(row.kind, row.child_id): row.before for row in rows}

    def crossing(self, survivor_id: UUID, moved_rows: Iterable[tuple[str, UUID]]) -> list[UUID]:
        ids = _by_kind(moved_rows)
        rows = self._connection.execute(
            select(t.referral)
            .where(
                t.referral.c.resident_id == survivor_id,
                t.referral.c.ended_at.is_(None),
                t.referral.c.consent_id.is_not(None),
            )
            .order_by(t.referral.c.id)
        )
        vault = vault_of(self._connection)
        open_ones = [from_row(Referral, row, vault) for row in rows]
        return moved_by_merge.crossing(open_ones, set(ids[Child.CASE]), set(ids[Child.CONSENT]))

    def open_requests(self, resident_ids: list[UUID]) -> list[OpenRequest]:
        one = t.referral.c
        query = (
            select(
                *t.referral.c["id", "case_id", "resident_id", "provider_id", "disclosed"],
                t.care_case.c.worker_id,
            )
            .join(t.care_case, t.care_case.c.id == one.case_id)
            .where(
                one.resident_id.in_(resident_ids),
                one.status.in_(sorted(OPEN)),
                one.requested_at.is_not(None),
            )
            .order_by(one.id)
        )
        return [
            OpenRequest(**dict(row._mapping) | {"disclosed": frozenset(row.disclosed or ())})
            for row in self._connection.execute(query)
        ]

    def tell(self, notices: Sequence[Notice]) -> None:
        if notices:
            self._connection.execute(insert(t.notice), [to_row(one) for one in notices])

    # Moving

    def move_rows(self, made: Merge, before: dict[UUID, dict[str, Any]]) -> list[UUID]:
        before = dict(before)
        self._connection.execute(
            insert(t.resident_merge), [stored(made, vault_of(self._connection))]
        )
        ids: MovedRows = defaultdict(list)
        for kind in WITH_THE_RECORD:
            table = TABLES[kind]
            ids[kind] = self._ids(table, table.c.resident_id == made.duplicate_id)
            self._hand(kind, table.c.id.in_(ids[kind]), made.survivor_id)
        self._hand_of_cases(WITH_ITS_CASE, ids[Child.CASE], made.survivor_id)
        for kind in ONE_EACH:
            before |= self._move_only(kind, made, ids)
        former = t.resident.c.merged_into_id == made.duplicate_id
        ids[Child.FORMER_RECORD] = self._ids(t.resident, former)
        self._connection.execute(
            update(t.resident).where(former).values(merged_into_id=made.survivor_id)
        )
        ids[Child.CONTACT] = self._copy_contacts(made)
        self._move_household(made, ids)
        self._rest_pairs(made, ids)
        rows = [
            {"merge_id": made.id, "kind": kind, "child_id": id, "before": before.get(id)}
            for kind, of_kind in ids.items()
            for id in of_kind
        ]
        if rows:
            self._connection.execute(insert(_child), rows)
        return sorted(ids[Child.CASE])

    def return_rows(self, made: Merge, moved_rows: Mapping[tuple[str, UUID], Any]) -> list[UUID]:
        ids = _by_kind(moved_rows)
        for kind in WITH_THE_RECORD:
            table = TABLES[kind]
            here = table.c.resident_id == made.survivor_id
            self._hand(kind, table.c.id.in_(ids[kind]) & here, made.duplicate_id)
        self._hand_of_cases(BACK_WITH_ITS_CASE, ids[Child.CASE], made.duplicate_id)
        for kind in ONE_EACH:
            for id in ids[kind]:
                was = moved_rows[kind, id]["version"]
                as_it_was = (TABLES[kind].c.id == id) & (TABLES[kind].c.version == was)
                self._hand(kind, as_it_was, made.duplicate_id)
        self._connection.execute(
            update(t.resident)
            .where(t.resident.c.id.in_(ids[Child.FORMER_RECORD]))
            .values(merged_into_id=made.duplicate_id)
        )
        self._connection.execute(delete(t.contact).where(t.contact.c.id.in_(ids[Child.CONTACT])))
        self._hand(
            Child.HOUSEHOLD_MEMBER, _member.c.id.in_(ids[Child.HOUSEHOLD_MEMBER]), made.duplicate_id
        )
        self._connection.execute(
            update(_member)
            .where(_member.c.id.in_(ids[Child.HOUSEHOLD_LEFT]))
            .values(left_at=None, left_by=None)
        )
        self._wake_pairs(ids)
        row = stored(made, vault_of(self._connection))
        self._connection.execute(
            update(t.resident_merge).where(t.resident_merge.c.id == row.pop("id")).values(row)
        )
        return sorted(ids[Child.CASE])

    def _ids(self, table: Any, which: Any) -> list[UUID]:
        return list(self._connection.scalars(select(table.c.id).where(which)))

    def _hand(self, kind: Child, which: Any, to: UUID) -> None:
        """Move rows to another resident."""
        table = TABLES[kind]
        values: dict[Any, Any] = {"resident_id": to}
        if kind in SEEN_BY_VERSION:
            values["version"] = table.c.version + 1
        self._connection.execute(update(table).where(which).values(values))

    def _hand_of_cases(self, kinds: Iterable[Child], cases: list[UUID], to: UUID) -> None:
        """What hangs on cases and on their referrals, those last: they are locked by then."""
        for kind in kinds:
            self._hand(kind, TABLES[kind].c.case_id.in_(cases), to)
        referrals = select(t.referral.c.id).where(t.referral.c.case_id.in_(cases))
        for kind in WITH_ITS_REFERRAL:
            self._hand(kind, TABLES[kind].c.referral_id.in_(referrals), to)

    def _move_only(self, kind: Child, made: Merge, ids: MovedRows) -> dict[UUID, dict[str, Any]]:
        """What the survivor lacks and now has, each in its version.

        Once written again it is no longer what was moved.
        """
        table = TABLES[kind]
        if self._ids(table, table.c.resident_id == made.survivor_id):
            return {}
        theirs = table.c.resident_id == made.duplicate_id
        found = self._connection.execute(select(table.c.id, table.c.version).where(theirs)).all()
        ids[kind] = [row.id for row in found]
        self._hand(kind, theirs, made.survivor_id)
        return {row.id: {"version": row.version} for row in found}

    def _copy_contacts(self, made: Merge) -> list[UUID]:
        """The duplicate keeps its contacts; the survivor gets those that it lacks."""
        query = select(t.contact).where(
            t.contact.c.resident_id.in_([made.survivor_id, made.duplicate_id])
        )
        rows = self._connection.execute(query.order_by(t.contact.c.id))
        vault = vault_of(self._connection)
        contacts: list[Contact] = [from_row(Contact, row, vault) for row in rows]
        copies = [
            moved_by_merge.copied(contact, made, new_id())
            for contact in moved_by_merge.lacking(contacts, made)
        ]
        if copies:
            self._connection.execute(insert(t.contact), [stored(one, vault) for one in copies])
        return [contact.id for contact in copies]

    def _move_household(self, made: Merge, ids: MovedRows) -> None:
        """The survivor takes the duplicate's place in a household, unless they have their own."""
        lives = _member.c.left_at.is_(None)
        own = self._ids(_member, lives & (_member.c.resident_id == made.survivor_id))
        theirs = lives & (_member.c.resident_id == made.duplicate_id)
        place = moved_by_merge.place_in_household(survivor_has_one=bool(own))
        ids[place] = self._ids(_member, theirs)
        if place is Child.HOUSEHOLD_MEMBER:
            self._hand(place, theirs, made.survivor_id)
        else:
            self._connection.execute(
                update(_member).where(theirs).values(left_at=made.merged_at, left_by=made.merged_by)
            )

    def _rest_pairs(self, made: Merge, ids: MovedRows) -> None:
        """The queue's pairs with the duplicate rest; what was open in them is the survivor's."""
        with_it = or_(
            _pair.c.resident_id == made.duplicate_id, _pair.c.other_id == made.duplicate_id
        )
        rows = self._connection.execute(select(_pair).where(with_it, ~_pair.c.is_parked))
        pairs: list[Suspicion] = [
            from_row(Suspicion, row, vault_of(self._connection)) for row in rows
        ]
        ids[Child.PAIR] = [pair.id for pair in pairs]
        self._connection.execute(
            update(_pair).where(_pair.c.id.in_(ids[Child.PAIR])).values(is_parked=True)
        )
        for pair in pairs:
            suspicion = moved_by_merge.suspicion_of_survivor(pair, made, new_id())
            if suspicion is not None and not self._is_queued(suspicion):
                ids[Child.PAIR_ADDED].append(suspicion.id)
                self._connection.execute(
                    insert(_pair), [stored(suspicion, vault_of(self._connection))]
                )

    def _is_queued(self, suspicion: Suspicion) -> bool:
        same = (_pair.c.resident_id == suspicion.resident_id) & (
            _pair.c.other_id == suspicion.other_id
        )
        return bool(self._ids(_pair, same))

    def _wake_pairs(self, ids: MovedRows) -> None:
        self._connection.execute(
            delete(_pair).where(
                _pair.c.id.in_(ids[Child.PAIR_ADDED]), _pair.c.state == SuspicionState.OPEN
            )
        )
        self._connection.execute(
            update(_pair).where(_pair.c.id.in_(ids[Child.PAIR])).values(is_parked=False)
        )


def _by_kind(moved_rows: Iterable[tuple[str, UUID]]) -> MovedRows:
    ids: MovedRows = defaultdict(list)
    for kind, id in moved_rows:
        ids[Child(kind)].append(id)
    return ids

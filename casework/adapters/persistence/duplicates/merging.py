"""Merges: whose children move to the survivor, written down row by row, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, delete, insert, or_, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows.mapper import from_row, stored
from casework.adapters.persistence.scope.registry import seen
from casework.adapters.persistence.tables.audit import access_request
from casework.domain.access.policy import Reach
from casework.domain.duplicates.likeness import ordered
from casework.domain.duplicates.merging import Merge
from casework.domain.duplicates.suspicions import Suspicion, SuspicionState
from casework.domain.errors import NotFound
from casework.domain.residents.resident import Contact, Resident
from casework.workflows.ports.paging import Row

# What moves by itself, what moves with its case, and what with its case's referrals.
MOVED: Final = (t.care_case, t.consent, t.note, access_request)
OF_CASES: Final = (
    t.assessment,
    t.care_check,
    t.signal,
    t.planned_service,
    t.referral,
    t.deadline,
)
OF_REFERRALS: Final = (t.delivered,)
# Of which a resident has one: it moves where the survivor has none, and else it stays.
ONE_EACH: Final = (t.way_in,)
# Whoever saw a version of one has to look again.
SEEN_BY_VERSION: Final = (t.care_case, t.consent, t.referral, t.signal, access_request)
CASES, CONSENTS = t.care_case.name, t.consent.name
_member, _pair, _child = t.household_member, t.duplicate_suspicion, t.merge_child
MovedRows = dict[str, list[UUID]]


class SqlMerges:
    """For one transaction of one asker."""

    def __init__(
        self, connection: Connection, reach: Reach, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._reach, self._now, self._about = connection, reach, now, about

    # Looking

    def pair(self, one: UUID, other: UUID) -> dict[UUID, Resident]:
        """Those of two records that are within reach, locked, the lower id first.

        They are the records themselves, not those they lead to. The lock lets others refer to the
        residents meanwhile.
        """
        query = (
            select(t.resident)
            .where(
                t.resident.c.id.in_(ordered(one, other)),
                seen(t.resident, self._reach, self._now),
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
        """The cases of a resident, locked, ids ascending."""
        case = t.care_case
        query = select(case.c.id).where(case.c.resident_id == resident_id).order_by(case.c.id)
        return list(self._connection.scalars(query.with_for_update()))

    def get(self, id: UUID, *, lock: bool = False) -> Merge:
        """A merge whose survivor is within reach."""
        query = (
            select(t.resident_merge)
            .join(t.resident, t.resident.c.id == t.resident_merge.c.survivor_id)
            .where(t.resident_merge.c.id == id, seen(t.resident, self._reach, self._now))
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
        """The records that lead to a resident, each with the merge that is to be undone for it."""
        made, former = t.resident_merge, t.resident
        query = (
            select(made.c.id.label("merge_id"), made.c.duplicate_id.label("id"), made.c.merged_at)
            .join(former, former.c.id == made.c.duplicate_id)
            .where(former.c.merged_into_id == resident_id, made.c.undone_at.is_(None))
            .order_by(made.c.id)
        )
        return [dict(row._mapping) for row in self._connection.execute(query)]

    def moved_rows(self, merge_id: UUID) -> dict[tuple[str, UUID], Any]:
        """What a merge moved, by kind and id, with what stood there before where that was noted."""
        rows = self._connection.execute(select(_child).where(_child.c.merge_id == merge_id))
        return {(row.kind, row.child_id): row.before for row in rows}

    def crossing(self, survivor_id: UUID, moved_rows: Iterable[tuple[str, UUID]]) -> list[UUID]:
        """Open referrals that would rest on the other's consent if the two were two again."""
        ids = _by_kind(moved_rows)
        cases, consents = set(ids[CASES]), set(ids[CONSENTS])
        rows = self._connection.execute(
            select(*t.referral.c["id", "case_id", "consent_id"])
            .where(
                t.referral.c.resident_id == survivor_id,
                t.referral.c.ended_at.is_(None),
                t.referral.c.consent_id.is_not(None),
            )
            .order_by(t.referral.c.id)
        )
        return [row.id for row in rows if (row.case_id in cases) != (row.consent_id in consents)]

    # Moving

    def move_rows(self, made: Merge, before: dict[UUID, dict[str, Any]]) -> list[UUID]:
        """Make everything of the duplicate the survivor's; returns the cases.

        ``before`` tells of cases whose worker that changes.
        """
        before = dict(before)
        self._connection.execute(
            insert(t.resident_merge), [stored(made, vault_of(self._connection))]
        )
        ids: MovedRows = defaultdict(list)
        for table in MOVED:
            ids[table.name] = self._ids(table, table.c.resident_id == made.duplicate_id)
            self._hand(table, table.c.id.in_(ids[table.name]), made.survivor_id)
        self._hand_of_cases(OF_CASES, ids[CASES], made.survivor_id)
        for table in ONE_EACH:
            before |= self._move_only(table, made, ids)
        former = t.resident.c.merged_into_id == made.duplicate_id
        ids["resident"] = self._ids(t.resident, former)
        self._connection.execute(
            update(t.resident).where(former).values(merged_into_id=made.survivor_id)
        )
        ids["contact"] = self._copy_contacts(made)
        self._move_household(made, ids)
        self._rest_pairs(made, ids)
        rows = [
            {"merge_id": made.id, "kind": kind, "child_id": id, "before": before.get(id)}
            for kind, of_kind in ids.items()
            for id in of_kind
        ]
        if rows:
            self._connection.execute(insert(_child), rows)
        return sorted(ids[CASES])

    def return_rows(self, made: Merge, moved_rows: Mapping[tuple[str, UUID], Any]) -> list[UUID]:
        """What the merge moved is the duplicate's again. Returns the cases."""
        ids = _by_kind(moved_rows)
        for table in MOVED:
            here = table.c.resident_id == made.survivor_id
            self._hand(table, table.c.id.in_(ids[table.name]) & here, made.duplicate_id)
        self._hand_of_cases((*OF_CASES, t.event), ids[CASES], made.duplicate_id)
        for table in ONE_EACH:
            for id in ids[table.name]:
                as_it_was = (table.c.id == id) & (
                    table.c.version == moved_rows[table.name, id]["version"]
                )
                self._hand(table, as_it_was, made.duplicate_id)
        self._connection.execute(
            update(t.resident)
            .where(t.resident.c.id.in_(ids["resident"]))
            .values(merged_into_id=made.duplicate_id)
        )
        self._connection.execute(delete(t.contact).where(t.contact.c.id.in_(ids["contact"])))
        self._hand(_member, _member.c.id.in_(ids["household_member"]), made.duplicate_id)
        self._connection.execute(
            update(_member)
            .where(_member.c.id.in_(ids["household_left"]))
            .values(left_at=None, left_by=None)
        )
        self._wake_pairs(ids)
        row = stored(made, vault_of(self._connection))
        self._connection.execute(
            update(t.resident_merge).where(t.resident_merge.c.id == row.pop("id")).values(row)
        )
        return sorted(ids[CASES])

    def _ids(self, table: Any, which: Any) -> list[UUID]:
        return list(self._connection.scalars(select(table.c.id).where(which)))

    def _hand(self, table: Any, which: Any, to: UUID) -> None:
        """Rows become a resident's."""
        values: dict[Any, Any] = {"resident_id": to}
        if table in SEEN_BY_VERSION:
            values["version"] = table.c.version + 1
        self._connection.execute(update(table).where(which).values(values))

    def _hand_of_cases(self, tables: Iterable[Any], cases: list[UUID], to: UUID) -> None:
        """What hangs on cases and on their referrals, those last: they are locked by then."""
        for table in tables:
            self._hand(table, table.c.case_id.in_(cases), to)
        referrals = select(t.referral.c.id).where(t.referral.c.case_id.in_(cases))
        for table in OF_REFERRALS:
            self._hand(table, table.c.referral_id.in_(referrals), to)

    def _move_only(self, table: Any, made: Merge, ids: MovedRows) -> dict[UUID, dict[str, Any]]:
        """What the survivor lacks and now has, each in its version.

        Once written again it is no longer what was moved.
        """
        if self._ids(table, table.c.resident_id == made.survivor_id):
            return {}
        theirs = table.c.resident_id == made.duplicate_id
        found = self._connection.execute(select(table.c.id, table.c.version).where(theirs)).all()
        ids[table.name] = [row.id for row in found]
        self._hand(table, theirs, made.survivor_id)
        return {row.id: {"version": row.version} for row in found}

    def _copy_contacts(self, made: Merge) -> list[UUID]:
        """The duplicate keeps its contacts; the survivor gets those that it lacks."""
        query = select(t.contact).where(
            t.contact.c.resident_id.in_([made.survivor_id, made.duplicate_id])
        )
        rows = self._connection.execute(query.order_by(t.contact.c.id))
        vault = vault_of(self._connection)
        contacts: list[Contact] = [from_row(Contact, row, vault) for row in rows]
        known = {(c.name, c.phone) for c in contacts if c.resident_id == made.survivor_id}
        theirs = (contact for contact in contacts if contact.resident_id == made.duplicate_id)
        lacking = [contact for contact in theirs if (contact.name, contact.phone) not in known]
        for contact in lacking:
            contact.id, contact.resident_id = new_id(), made.survivor_id
        if lacking:
            self._connection.execute(insert(t.contact), [stored(one, vault) for one in lacking])
        return [contact.id for contact in lacking]

    def _move_household(self, made: Merge, ids: MovedRows) -> None:
        """The survivor takes the duplicate's place in a household, unless they have their own."""
        lives = _member.c.left_at.is_(None)
        own = self._ids(_member, lives & (_member.c.resident_id == made.survivor_id))
        theirs = lives & (_member.c.resident_id == made.duplicate_id)
        if own:
            ids["household_left"] = self._ids(_member, theirs)
            self._connection.execute(
                update(_member).where(theirs).values(left_at=made.merged_at, left_by=made.merged_by)
            )
        else:
            ids["household_member"] = self._ids(_member, theirs)
            self._hand(_member, theirs, made.survivor_id)

    def _rest_pairs(self, made: Merge, ids: MovedRows) -> None:
        """The queue's pairs with the duplicate rest; what was open in them is the survivor's."""
        with_it = or_(
            _pair.c.resident_id == made.duplicate_id, _pair.c.other_id == made.duplicate_id
        )
        rows = self._connection.execute(select(_pair).where(with_it, ~_pair.c.is_parked))
        pairs: list[Suspicion] = [
            from_row(Suspicion, row, vault_of(self._connection)) for row in rows
        ]
        ids["suspicion"] = [pair.id for pair in pairs]
        self._connection.execute(
            update(_pair).where(_pair.c.id.in_(ids["suspicion"])).values(is_parked=True)
        )
        for pair in pairs:
            third = pair.other_id if pair.resident_id == made.duplicate_id else pair.resident_id
            if pair.state != SuspicionState.DIFFERENT and third != made.survivor_id:
                ids["suspicion_added"] += self._pass_on(pair, third, made)

    def _pass_on(self, pair: Suspicion, third: UUID, made: Merge) -> list[UUID]:
        """The same question about the survivor, unless it is in the queue.

        The survivor's place is written when everything else follows them.
        """
        first, second = ordered(made.survivor_id, third)
        if self._ids(_pair, (_pair.c.resident_id == first) & (_pair.c.other_id == second)):
            return []
        place = pair.centre_code, pair.district_code
        if pair.other_id == third:
            place = pair.other_centre_code, pair.other_district_code
        asked = Suspicion(
            id=new_id(),
            resident_id=first,
            centre_code=place[0],
            district_code=place[1],
            other_id=second,
            other_centre_code=place[0],
            other_district_code=place[1],
            reasons=pair.reasons,
            found_at=made.merged_at,
        )
        self._connection.execute(insert(_pair), [stored(asked, vault_of(self._connection))])
        return [asked.id]

    def _wake_pairs(self, ids: MovedRows) -> None:
        self._connection.execute(
            delete(_pair).where(
                _pair.c.id.in_(ids["suspicion_added"]), _pair.c.state == SuspicionState.OPEN
            )
        )
        self._connection.execute(
            update(_pair).where(_pair.c.id.in_(ids["suspicion"])).values(is_parked=False)
        )


def _by_kind(moved_rows: Iterable[tuple[str, UUID]]) -> MovedRows:
    ids: MovedRows = defaultdict(list)
    for kind, id in moved_rows:
        ids[kind].append(id)
    return ids

"""Households: linking residents within the actor's scope; a link grants no access."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from casework.domain.residents import households
from casework.domain.residents.death import check_lives
from casework.domain.residents.events import HouseholdJoined, HouseholdLeft
from casework.domain.residents.households import HouseholdKind
from casework.workflows.context import Context


def make_household(
    ctx: Context, resident_ids: Sequence[UUID], kind: str, *, confirmed: bool = False
) -> UUID:
    """Link residents who live together, all of them within the actor's scope.

    The dead only where that is ``confirmed``.
    """
    with ctx.work("case.write") as work:
        people = [work.residents.get(id, lock=True) for id in sorted(resident_ids)]
        for one in people:
            check_lives(one.died_on, confirmed=confirmed)
        found = [one.id for one in people]
        household, members = households.found(HouseholdKind(kind), found, ctx.act)
        work.households.add(household, members)
        work.record([households.event_of(HouseholdJoined, one, ctx.act) for one in members])
        work.commit(household.id)
        return household.id


def join_household(
    ctx: Context, household_id: UUID, resident_id: UUID, *, confirmed: bool = False
) -> UUID:
    """Add a member; the actor must see them and some member of the household."""
    with ctx.work("case.write") as work:
        household = work.households.get(household_id, lock=True)
        ctx.expect(household.version)
        resident = work.residents.get(resident_id)
        check_lives(resident.died_on, confirmed=confirmed)
        member = households.join(household, resident.id, ctx.act)
        work.households.save(household, member, None)
        work.record([households.event_of(HouseholdJoined, member, ctx.act)])
        work.commit(household.id)
        return household.id


def leave_household(ctx: Context, household_id: UUID, resident_id: UUID) -> UUID:
    """Remove a member whom the actor sees."""
    with ctx.work("case.write") as work:
        household = work.households.get(household_id, lock=True)
        ctx.expect(household.version)
        resident = work.residents.get(resident_id)
        member = work.households.member(household.id, resident.id)
        left = households.leave(household, member, ctx.act)
        work.households.save(household, None, left)
        work.record([households.event_of(HouseholdLeft, left, ctx.act)])
        work.commit(household.id)
        return household.id

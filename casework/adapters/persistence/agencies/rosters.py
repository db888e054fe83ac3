"""What agencies delivered by month, and how to get into a resident's home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, func, insert, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.referral_views import items_of
from casework.adapters.persistence.engine.encrypted_columns import decrypted, encrypt_row, vault_of
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.rows.offerings import offering_of
from casework.adapters.persistence.rows.saving import update_row
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Scope
from casework.domain.agencies.rosters import DeliveryException, MonthlyDelivery
from casework.domain.casefile.plan import PlannedItem
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField
from casework.domain.directory.directory import EntryState, Offering
from casework.domain.directory.matching import GivenAt
from casework.domain.errors import NotFound
from casework.domain.residents.homes import VisitingService, WayIn

_QUANTITIES: Final = ("planned", "delivered")
_COMING: Final = (ReferralStatus.ACCEPTED, ReferralStatus.IN_PROGRESS, ReferralStatus.ON_HOLD)


class SqlRosters:
    """The repository of what was delivered, for one transaction of one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about
        self._vault = vault_of(connection)

    def referrals(self, ids: Sequence[UUID], *, lock: bool = False) -> list[Referral]:
        query = (
            select(t.referral)
            .where(t.referral.c.id.in_(ids), seen(t.referral, self._scope, self._now))
            .order_by(t.referral.c.id)
        )
        rows = self._connection.execute(query.with_for_update() if lock else query).all()
        found = [from_row(Referral, row, self._vault) for row in rows]
        self._about.update(one.resident_id for one in found)
        session_context.allow_residents(self._connection, [one.resident_id for one in found])
        return found

    def referral(self, id: UUID) -> Referral:
        for found in self.referrals([id]):
            return found
        raise NotFound("no such referral")

    # What was delivered

    def of_referrals(self, ids: Sequence[UUID], month: str | None = None) -> list[MonthlyDelivery]:
        of = t.delivered
        query = select(of).where(of.c.referral_id.in_(ids)).order_by(of.c.month, of.c.referral_id)
        if month is not None:
            query = query.where(of.c.month == month)
        return [self._line(row) for row in self._connection.execute(query)]

    def of_residents(self, ids: Sequence[UUID]) -> list[MonthlyDelivery]:
        """What was delivered to residents who were loaded before, by month."""
        of = t.delivered
        query = select(of).where(of.c.resident_id.in_(ids)).order_by(of.c.month, of.c.referral_id)
        return [self._line(row) for row in self._connection.execute(query)]

    def _line(self, row: Any) -> MonthlyDelivery:
        values = {one.name: row._mapping[one.name] for one in fields(MonthlyDelivery)}
        values |= {name: Decimal(values[name]) for name in _QUANTITIES}
        values["note"] = decrypted(t.delivered, "note", row.note, row.id, self._vault)
        if values["reason"] is not None:
            values["reason"] = DeliveryException(values["reason"])
        return MonthlyDelivery(**values)

    def save(self, line: MonthlyDelivery) -> None:
        row = asdict(line) | {name: f"{getattr(line, name):f}" for name in _QUANTITIES}
        row = encrypt_row(t.delivered, row, line.id, self._vault)
        if line.version == 0:
            self._connection.execute(insert(t.delivered), [row | {"version": 1}])
        else:
            update_row(self._connection, t.delivered, row)

    def items(self, services: Sequence[UUID]) -> dict[UUID, PlannedItem]:
        return items_of(self._connection, services)

    # The home

    def way_in(self, resident_id: UUID) -> WayIn | None:
        return next(iter(self.ways_in([resident_id])), None)

    def ways_in(self, ids: Sequence[UUID]) -> list[WayIn]:
        """Those into the homes of residents who were loaded before."""
        of = t.way_in
        query = select(of).where(of.c.resident_id.in_(ids)).order_by(of.c.id)
        return [self._way(row) for row in self._connection.execute(query)]

    def _way(self, row: Any) -> WayIn:
        values = dict(row._mapping)
        values["text"] = decrypted(t.way_in, "text", row.text, row.id, self._vault)
        return WayIn(**values)

    def save_way_in(self, way: WayIn) -> None:
        row = encrypt_row(t.way_in, asdict(way), way.id, self._vault)
        if way.version == 0:
            self._connection.execute(insert(t.way_in), [row | {"version": 1}])
        else:
            update_row(self._connection, t.way_in, row)

    def coming(self, referral: Referral) -> list[VisitingService]:
        """Services that people go to themselves are left out, and the actor's own."""
        of = t.referral.c
        given_at = func.coalesce(t.offering.c.given_at, t.service.c.given_at)
        query = (
            select(of.service_code, of.field, of.status, t.provider.c.name, t.provider.c.phone)
            .join(t.provider, t.provider.c.id == of.provider_id)
            .join(t.offering, t.offering.c.id == of.offering_id)
            .join(t.service, t.service.c.code == of.service_code)
            .where(
                of.resident_id == referral.resident_id,
                of.id != referral.id,
                of.status.in_(_COMING),
                func.coalesce(given_at, "") != GivenAt.SITE,
            )
            .order_by(of.id)
        )
        return [
            VisitingService(
                service_code=row.service_code, field=CareField(row.field),
                status=ReferralStatus(row.status), provider_name=row.name, provider_phone=row.phone,
            )
            for row in self._connection.execute(query)
        ]  # fmt: skip

    # Places

    def offerings(self) -> list[Offering]:
        of = t.offering
        own = of.c.provider_id == self._scope.actor.provider_id
        listed = (
            select(of).where(own, of.c.state == EntryState.PUBLISHED).order_by(of.c.service_code)
        )
        rows = self._connection.execute(listed)
        return [offering_of(row._mapping, centres=[]) for row in rows]

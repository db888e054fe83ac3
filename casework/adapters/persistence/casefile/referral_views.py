"""A referral with what is shown beside it: one row, for a single one and for a list alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, exists, func, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.rows.aliases import alias_of
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.scope.standing_in import covers, stand_ins
from casework.domain.access.policy import Role
from casework.domain.casefile.plan import PlannedItem, PlanVersion, items_asked
from casework.domain.casefile.referral import Referral
from casework.domain.clocks.deadlines import Deadline
from casework.domain.events import Event
from casework.domain.residents.resident import Resident
from casework.workflows.ports.casefile import ReferralView, WhomToCall
from casework.workflows.ports.vault import Vault

# Name and telephone of who has somebody's work: neither, where the deputies end in nobody.
Called = tuple[str | None, str | None]
WhoIsThere = Mapping[UUID, Called]
# Made once: an alias makes all columns of its table anew.
_carries, _there = alias_of(t.account, "carries"), alias_of(t.account, "there")
_absence = alias_of(t.absence, "absence")


def viewed(today: Any, *more: Any) -> Select[Any]:
    """Referrals with case, agency, resident, consent and whom to call; without any scope."""
    return (
        select(
            t.referral,
            t.care_case.c.status.label("case_status"),
            t.care_case.c.number.label("case_number"),
            t.provider.c.name.label("provider_name"),
            t.provider.c.phone.label("provider_phone"),
            t.centre.c.name.label("centre_name"),
            _carries.c.id.label("carried_by"),
            _carries.c.name.label("worker_name"),
            _carries.c.phone.label("worker_phone"),
            exists().where(t.absence.c.worker_id == _carries.c.id).label("is_ever_away"),
            t.centre.c.phone.label("centre_phone"),
            func.coalesce(t.centre.c.phone, _of_the_centre(today)).label("phone_there"),
            t.consent.c.id.label("consent_known"),
            t.consent.c.withdrawn_at.label("consent_withdrawn_at"),
            *(column.label(f"of_{column.name}") for column in t.resident.c),
            *more,
        )
        .join(t.care_case, t.care_case.c.id == t.referral.c.case_id)
        .join(t.centre, t.centre.c.code == t.care_case.c.centre_code)
        .outerjoin(_carries, _carries.c.id == t.care_case.c.worker_id)
        .join(t.provider, t.provider.c.id == t.referral.c.provider_id)
        .join(t.resident, t.resident.c.id == t.referral.c.resident_id)
        .outerjoin(t.consent, t.consent.c.id == t.referral.c.consent_id)
    )


def _of_the_centre(today: Any) -> Any:
    """The telephone of somebody at the centre who is there today, where it has none of its own."""
    there, absence = _there, _absence
    is_away = select(absence.c.id).where(absence.c.worker_id == there.c.id, covers(absence, today))
    return (
        select(there.c.phone)
        .where(
            there.c.centre_code == t.care_case.c.centre_code,
            there.c.role == Role.WORKER,
            there.c.is_active,
            there.c.phone.is_not(None),
            ~is_away.correlate(there).exists(),
        )
        .order_by(there.c.username)
        .limit(1)
        .scalar_subquery()
    )


def who_is_there(connection: Connection, today: date) -> WhoIsThere:
    """Of everybody who is away today, name and telephone of who has their work."""
    away = stand_ins(connection, today)
    acting = {id: away.acting_for(id) for id in away.deputies}
    if not acting:
        return {}
    deputies = t.account.c
    query = select(deputies.id, deputies.name, deputies.phone).where(
        deputies.id.in_([id for id in acting.values() if id is not None])
    )
    known: dict[UUID | None, Called] = {
        row.id: (row.name, row.phone) for row in connection.execute(query)
    }
    return {id: known.get(to, (None, None)) for id, to in acting.items()}


def _whom_to_call(row: Any, there: WhoIsThere) -> WhomToCall:
    """The worker, or who has the work today; without a telephone of theirs the centre's."""
    name, phone = there.get(row.carried_by, (row.worker_name, row.worker_phone))
    return WhomToCall(
        centre=row.centre_name,
        worker=name,
        phone=phone or row.phone_there,
        centre_phone=row.centre_phone,
    )


def items_of(connection: Connection, services: Sequence[UUID]) -> dict[UUID, PlannedItem]:
    """What the plans ask for planned services, whose case files the transaction may read."""
    cases = select(t.planned_service.c.case_id).where(t.planned_service.c.id.in_(services))
    query = select(t.plan_version).where(t.plan_version.c.case_id.in_(cases))
    vault = vault_of(connection)
    versions = [from_row(PlanVersion, row, vault) for row in connection.execute(query)]
    return {id: item for id, item in items_asked(versions).items() if id in services}


def view_of(
    row: Any,
    vault: Vault | None,
    *,
    there: WhoIsThere,
    deadlines: list[Deadline],
    history: list[Event],
    asked: PlannedItem | None = None,
) -> ReferralView:
    """What a row of ``viewed`` shows, with clocks and history where they were read."""
    referral: Referral = from_row(Referral, row, vault)
    return ReferralView(
        referral=referral,
        resident=from_row(Resident, row, vault, "of_"),
        # One that cannot be seen is no basis either.
        consent_is_withdrawn=referral.consent_id is not None
        and (row.consent_known is None or row.consent_withdrawn_at is not None),
        case_number=row.case_number,
        case_is_open=row.case_status != "closed",
        provider_name=row.provider_name,
        provider_phone=row.provider_phone,
        asked=asked,
        contact=_whom_to_call(row, there),
        deadlines=deadlines,
        history=history,
    )

"""A referral with what is shown beside it: one row, for a single one and for a list alike."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.rows.mapper import from_row
from casework.domain.casefile.referral import Referral
from casework.domain.clocks.deadlines import Deadline
from casework.domain.events import Event
from casework.domain.residents.resident import Resident
from casework.workflows.ports.casefile import ReferralView
from casework.workflows.ports.vault import Vault


def viewed(*more: Any) -> Select[Any]:
    """Referrals with case, agency, resident and the consent they rest on; without any scope."""
    return (
        select(
            t.referral,
            t.care_case.c.status.label("case_status"),
            t.care_case.c.number.label("case_number"),
            t.provider.c.name.label("provider_name"),
            t.provider.c.phone.label("provider_phone"),
            t.consent.c.id.label("consent_known"),
            t.consent.c.withdrawn_at.label("consent_withdrawn_at"),
            *(column.label(f"of_{column.name}") for column in t.resident.c),
            *more,
        )
        .join(t.care_case, t.care_case.c.id == t.referral.c.case_id)
        .join(t.provider, t.provider.c.id == t.referral.c.provider_id)
        .join(t.resident, t.resident.c.id == t.referral.c.resident_id)
        .outerjoin(t.consent, t.consent.c.id == t.referral.c.consent_id)
    )


def view_of(
    row: Any, vault: Vault | None, *, deadlines: list[Deadline], history: list[Event]
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
        deadlines=deadlines,
        history=history,
    )

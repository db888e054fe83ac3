"""Disclosures of a resident's data, derived from the acts that disclosed it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    and_,
    literal,
    null,
    select,
    union_all,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.case_numbers import number_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.residents.residents import SqlResidents
from casework.domain.casefile.events import PreSurveyRecorded
from casework.domain.casefile.referral_events import ReferralRequested
from casework.domain.events import Event
from casework.domain.privacy.disclosures import (
    ARTICLE_12,
    ASSESSOR,
    PROVIDER,
    Disclosure,
    disclosed_to_assessors,
)
from casework.workflows.ports.unit_of_work import Page, Paging


class SqlDisclosures:
    """Disclosures of residents' data, for one transaction of one actor."""

    def __init__(self, connection: Connection, residents: SqlResidents) -> None:
        self._connection, self._residents = connection, residents

    def of_resident(self, resident_id: UUID, paging: Paging) -> Page:
        self._residents.get(resident_id)
        told = union_all(_to_providers(resident_id), _to_assessors(resident_id)).subquery()
        keys = [told.c.at, told.c.id]
        return page(
            self._connection, select(told), keys, paging, newest_first=True, make=_disclosure
        )


def _to_providers(resident_id: UUID) -> Select[Any]:
    """Each sent referral, by any actor; it is sent once and never changed."""
    sent, it = t.event, t.referral
    return (
        select(
            it.c.id,
            it.c.requested_at.label("at"),
            literal(PROVIDER, String).label("to_kind"),
            it.c.provider_id.label("to_id"),
            t.provider.c.name.label("to_name"),
            it.c.disclosed.label("what"),
            it.c.basis_kind,
            it.c.consent_id,
            sent.c.by_id.label("by"),
            it.c.id.label("referral_id"),
            it.c.case_id,
            number_of(it.c.case_id),
            t.consent.c.withdrawn_at.label("consent_withdrawn_at"),
        )
        .join(t.provider, t.provider.c.id == it.c.provider_id)
        .outerjoin(t.consent, t.consent.c.id == it.c.consent_id)
        .outerjoin(sent, _is_of(it, ReferralRequested))
        .where(it.c.resident_id == resident_id, it.c.requested_at.is_not(None))
    )


def _to_assessors(resident_id: UUID) -> Select[Any]:
    """Each case that the pre-survey sent for assessment."""
    sent, it = t.event, t.care_case
    return (
        select(
            it.c.id,
            it.c.sent_for_assessment_at,
            literal(ASSESSOR, String),
            null(),
            t.district.c.name_ko,
            null(),
            literal(ARTICLE_12, String),
            null(),
            sent.c.by_id,
            null(),
            it.c.id,
            it.c.number,
            null(),
        )
        .join(t.district, t.district.c.code == it.c.district_code)
        .outerjoin(sent, _is_of(it, PreSurveyRecorded))
        .where(it.c.resident_id == resident_id, it.c.sent_for_assessment_at.is_not(None))
    )


def _is_of(it: Table, happened: type[Event]) -> ColumnElement[bool]:
    return and_(t.event.c.subject_id == it.c.id, t.event.c.name == happened.__name__)


def _disclosure(row: Any) -> Disclosure:
    values: dict[str, Any] = dict(row._mapping)
    if values["to_kind"] == ASSESSOR:
        values["what"] = disclosed_to_assessors()
    return Disclosure(**values)

"""What sending a referral needs (rule 3): a plan, an offering that fits, and a basis."""

from __future__ import annotations

from datetime import date
from typing import Final

from casework.domain.act import Act
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import PlannedService, ServiceStatus
from casework.domain.casefile.states import BasisKind
from casework.domain.directory.directory import EntryState, Offering, covers_day
from casework.domain.errors import Conflict, Invalid, require
from casework.domain.residents.resident import Consent, ConsentPurpose

DISCLOSED: Final = ["name", "birth_date", "sex", "address", "phone", "service", "message"]


def check_plan(file: CaseFile, service: PlannedService, act: Act) -> None:
    """Sending needs a version in force, or an urgent case, whose help need not wait.

    Nothing is asked for days after the planned service's last one.
    """
    if service.ends_on < act.today:
        raise Conflict(
            f"the planned service ended on {service.ends_on}",
            code="service_over",
            state=service.status,
            allowed_actions=[],
        )
    if service.status != ServiceStatus.IN_FORCE and not file.case.urgent:
        raise Conflict("the plan is not approved", code="plan_not_approved", state=file.case.status)


def check_offering(
    file: CaseFile,
    service: PlannedService,
    offering: Offering,
    outside_area_reason: str | None,
    act: Act,
) -> None:
    """The offering is open, of this service, and covers the centre (or someone says why not)."""
    item = file.asked(service)
    begins = max(act.today, item.starts_on) if item else act.today
    check_listed(offering, begins, act)
    require(
        offering.service_code == service.service_code,
        "this offering is for another service",
        code="offering_mismatch",
        field="offering_id",
    )
    require(
        offering.is_open,
        "this offering is closed",
        code="offering_closed",
        field="offering_id",
    )
    check_area(file, offering, outside_area_reason)


def check_area(file: CaseFile, offering: Offering, outside_area_reason: str | None) -> None:
    """The offering covers the resident's centre, or someone says why it is asked all the same."""
    require(
        file.case.centre_code in offering.centres or (outside_area_reason or "").strip(),
        "this offering does not cover the resident's centre; say why it is asked",
        code="outside_area",
        field="outside_area_reason",
    )


def check_listed(offering: Offering, begins: date, act: Act) -> None:
    """It stands in the published list, of an agency and a service that are there when it begins.

    Asked only when a request is sent: what runs goes on, whatever ends.
    """
    require(
        offering.state == EntryState.PUBLISHED,
        "this offering is not published",
        code="offering_not_published",
        field="offering_id",
    )
    check_there(offering, begins, "offering_id")
    require(
        offering.service_state == EntryState.PUBLISHED
        and covers_day(act.today, offering.service_from, None)
        and covers_day(begins, None, offering.service_to),
        f"this service is not in force on {begins}",
        code="service_not_in_force",
        field="offering_id",
    )


def check_there(offering: Offering, on: date, field: str) -> None:
    """Its agency, and what it is designated as, have not ended before a day."""
    require(
        covers_day(on, None, offering.provider_ended_on),
        f"the last day of this provider is {offering.provider_ended_on}",
        code="provider_ended",
        field=field,
    )
    require(
        covers_day(on, None, offering.designated_to),
        f"the last day of its designation is {offering.designated_to}",
        code="designation_ended",
        field=field,
    )


def check_basis(
    file: CaseFile, basis_kind: BasisKind, consent: Consent | None, offering: Offering, act: Act
) -> None:
    """A disclosure needs its basis at the moment of sending: an article, or a valid consent.

    The consent must be for whom it is sent to: one agency's is no basis for another.
    """
    if basis_kind == BasisKind.ARTICLE_14_2:
        return
    if (
        consent is None
        or consent.resident_id != file.case.resident_id
        or consent.purpose != ConsentPurpose.PROVIDER_SHARING
        or not consent.is_valid(act.today)
    ):
        raise Invalid(
            "no valid consent to share with a provider",
            code="consent_not_valid",
            field="basis.consent_id",
        )
    require(
        consent.is_for(offering.recipients),
        "this consent is not for this provider",
        code="consent_not_for_recipient",
        field="basis.consent_id",
    )

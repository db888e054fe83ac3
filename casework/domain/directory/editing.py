"""Editing services, agencies and offerings: who may change what, and which values are valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from casework.domain.access.policy import Actor, Role, scope_of
from casework.domain.act import Act
from casework.domain.clocks.standards import CareField
from casework.domain.directory.directory import (
    INCOME_TIERS,
    EntryState,
    Offering,
    Provider,
    Service,
)
from casework.domain.errors import Forbidden, one_of, require

WRITE: Final = "directory.write"
# The fields that an agency may change of its own; directory editors may change all.
OWN_OF_PROVIDER: Final = frozenset({"phone", "opening_hours", "contacts"})
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
PERS: Final = ("week", "month", "year", "once")
# Busan and the waters around it: what lies outside was mistyped.
LATITUDES, LONGITUDES = (34.5, 36.0), (128.5, 129.9)


# Agencies


def new_provider(facts: Mapping[str, Any], act: Act) -> Provider:
    """An agency of the actor's district, or of any for an editor of the whole directory."""
    _check_district(act.by, facts["district_code"])
    provider = Provider(id=act.new_id(), **facts)
    check_provider(provider)
    return provider


def changed_provider(provider: Provider, changes: Mapping[str, Any], act: Act) -> Provider:
    """The changed agency; an agency itself may change only its contact details."""
    _check_own(act.by, changes)
    changed = replace(provider, **changes)
    check_provider(changed)
    if changed == provider:
        return provider
    return changed


def ended_provider(
    provider: Provider, last_day: date | None, reason: str | None, act: Act
) -> Provider:
    """The agency with its last day for new requests; None removes an end."""
    require(
        last_day is None or (reason or "").strip(),
        "say why it ends",
        code="reason_required",
        field="reason",
    )
    return replace(
        provider,
        ended_on=last_day,
        end_reason=None if last_day is None else reason,
    )


def check_provider(provider: Provider) -> None:
    """It lies in or near the city, and no opening hour ends before it begins."""
    require(
        LATITUDES[0] <= provider.lat <= LATITUDES[1],
        "not near the city",
        code="place_out_of_range",
        field="lat",
    )
    require(
        LONGITUDES[0] <= provider.lon <= LONGITUDES[1],
        "not near the city",
        code="place_out_of_range",
        field="lon",
    )
    for n, hours in enumerate(provider.opening_hours):
        require(
            hours["opens"] < hours["closes"],
            "it would close before it opens",
            code="hours_backwards",
            field=f"opening_hours.{n}.closes",
        )


# Offerings


def new_offering(
    provider: Provider, service: Service, facts: Mapping[str, Any], act: Act
) -> Offering:
    """A proposed entry: this agency gives this service in these centres."""
    _check_unit(facts, service)
    offering = Offering(
        id=act.new_id(),
        provider_id=provider.id,
        service_code=service.code,
        as_of=act.at,
        stated_by=act.by.id,
        state=EntryState.PROPOSED,
        proposed_by=act.by.id,
        stated_available=facts["available"],
        **facts,
    )
    check_offering(offering)
    return offering


def changed_offering(
    offering: Offering, service: Service, changes: Mapping[str, Any], act: Act
) -> Offering:
    """The changed offering; its capacity figures are stated separately."""
    if "unit" in changes:
        _check_unit(changes, service)
    changed = replace(offering, **changes)
    check_offering(changed)
    if changed == offering:
        return offering
    return replace(changed, **_proposed_again(offering, act))


def _check_unit(facts: Mapping[str, Any], service: Service) -> None:
    require(
        facts["unit"] == service.unit,
        f"the service is counted by {service.unit}",
        code="unit_of_service",
        field="unit",
    )


def check_offering(offering: Offering) -> None:
    """No more free places than there are, and a centre where it is given."""
    require(
        0 <= offering.available <= offering.capacity,
        "more free places than there are",
        code="figures_disagree",
        field="capacity.available",
    )
    require(offering.centres, "it is given nowhere", code="no_centre", field="centres")


# Services


def new_service(facts: Mapping[str, Any], act: Act) -> Service:
    """A proposed entry of the catalogue."""
    service = Service(**_with_known_field(facts), state=EntryState.PROPOSED, proposed_by=act.by.id)
    check_service(service)
    return service


def changed_service(service: Service, changes: Mapping[str, Any], act: Act) -> Service:
    """The changed service."""
    changed = replace(service, **_with_known_field(changes))
    check_service(changed)
    if changed == service:
        return service
    return replace(changed, **_proposed_again(service, act))


def _with_known_field(facts: Mapping[str, Any]) -> dict[str, Any]:
    if "field" not in facts:
        return dict(facts)
    known = one_of(CareField, facts["field"], code="unknown_field", field="field")
    return {**facts, "field": known}


def check_service(service: Service) -> None:
    """Valid from before until after, with one co-payment for each case."""
    require(
        service.valid_from is None
        or service.valid_to is None
        or service.valid_from <= service.valid_to,
        "it would end before it begins",
        code="date_too_early",
        field="valid_to",
    )
    known: set[tuple[str, str | None]] = set()
    for n, one in enumerate(service.co_payments):
        where = f"co_payments.{n}"
        require(
            one.income_tier in INCOME_TIERS,
            f"one of {', '.join(INCOME_TIERS)}",
            code="unknown_income_tier",
            field=f"{where}.income_tier",
        )
        require(
            (one.share_percent is None) != (one.won_per_unit is None),
            "either a share or an amount",
            code="co_payment_unclear",
            field=where,
        )
        require(
            (one.income_tier, one.district_code) not in known,
            "said twice",
            code="co_payment_twice",
            field=where,
        )
        known.add((one.income_tier, one.district_code))


# Who


def _proposed_again(entry: Service | Offering, act: Act) -> dict[str, Any]:
    """A changed draft is proposed by the actor who changed it, for another to confirm.

    A published entry stays published: its centres and opening change every week.
    """
    if entry.state == EntryState.PUBLISHED:
        return {}
    return {"state": EntryState.PROPOSED, "proposed_by": act.by.id}


def _check_district(by: Actor, code: str) -> None:
    if not scope_of(by, WRITE).bounds.hold_district(code):
        raise Forbidden("only in one's own district", code="district_out_of_scope")


def _check_own(by: Actor, changes: Mapping[str, Any]) -> None:
    if by.role == Role.PROVIDER and not OWN_OF_PROVIDER.issuperset(changes):
        raise Forbidden("an agency does not change this of itself", code="field_not_yours")

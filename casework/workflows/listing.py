"""Putting agencies and what they offer into the directory."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from casework.domain.directory import Offering, Provider
from casework.domain.errors import Invalid
from casework.domain.listing import NewOffering, check_offering, check_provider
from casework.workflows.context import Context
from casework.workflows.ports import Work

ACTION = "import.directory"


def enter_provider(ctx: Context, facts: dict[str, Any]) -> UUID:
    """Put an agency into the directory."""
    with ctx.work(ACTION) as work:
        provider = Provider(**facts, id=ctx.new_id())
        check_provider(provider, work.listing.provider_by_slug(provider.slug))
        if not work.directory.has_district(provider.district_code):
            raise Invalid("no such district", code="unknown_district", field="district_code")
        work.listing.add_provider(provider)
        work.commit(201, {"id": provider.id})
        return provider.id


def enter_offering(ctx: Context, given: NewOffering) -> UUID:
    """Put what an agency offers into the directory; without centres, in its whole district."""
    with ctx.work(ACTION) as work:
        provider = _provider(work, given.provider)
        service = ctx.catalogue.get(given.service_code)
        if service is None:
            raise Invalid("no such service", code="unknown_service", field="service_code")
        of_district = work.listing.centres_of(provider.district_code)
        offering = Offering(
            id=ctx.new_id(),
            provider_id=provider.id,
            service_code=service.code,
            is_open=given.is_open,
            capacity=given.capacity,
            available=given.available,
            waiting=given.waiting,
            unit=given.unit,
            as_of=ctx.now,
            centres=list(given.centres) or of_district,
        )
        known = [code for code in given.centres if work.directory.centre_district(code)]
        check_offering(offering, provider, service, {*known, *of_district})
        if work.listing.offers(provider.id, service.code):
            raise _there()
        work.listing.add_offering(offering)
        work.commit(201, {"id": offering.id})
        return offering.id


def _provider(work: Work, slug: str) -> Provider:
    found = work.listing.provider_by_slug(slug)
    if found is None:
        raise Invalid("no such agency", code="unknown_provider", field="provider")
    return found


def _there() -> Invalid:
    return Invalid("the agency offers this already", code="offering_exists", field="service_code")

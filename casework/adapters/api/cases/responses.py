"""Response schemas of transfers, handovers and absences."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from casework.adapters.api.casefile.responses import Case
from casework.adapters.api.shared.responses import ResponseBody


class StoppedReferral(ResponseBody):
    """An open referral whose offering does not reach the new centre."""

    id: UUID
    service_code: str
    provider_id: UUID


class TransferredCase(Case):
    """A case in its new centre, and the open referrals that do not reach it there."""

    stops_at_border: list[StoppedReferral]


class LeftDistrict(ResponseBody):
    """A case that is out of the reader's district now."""

    id: UUID
    stops_at_border: list[StoppedReferral]


class HandedOver(ResponseBody):
    """The cases that have a new worker."""

    moved: list[UUID]


class Absence(ResponseBody):
    """Who is away, and who deputises."""

    id: UUID
    worker_id: UUID
    from_: date = Field(alias="from")
    to: date
    ended_on: date | None = Field(
        description="The last day away, where it ended before: of one called off, before the first."
    )
    deputy_id: UUID

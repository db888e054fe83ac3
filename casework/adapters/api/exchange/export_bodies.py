"""Request bodies of exports."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt

from casework.adapters.api.figures.bodies import GroupedBy
from casework.adapters.api.shared import bodies as shared
from casework.adapters.api.shared.bodies import Body, Code
from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField, ClockKind
from casework.domain.errors import Invalid
from casework.domain.exchange.exporting import ExportOf, ExportPurpose
from casework.workflows.ports.supervision import WorkKind


class ExportFilters(Body):
    """What is left out; each is that of the plain list, and of no other."""

    due: shared.Due | None = None
    kind: WorkKind | None = None
    field: CareField | None = None
    status: Code | None = Field(default=None, description="State of the cases or referrals.")
    centre: Code | None = None
    worker: UUID | None = Field(default=None, description="Identifier of the worker.")
    provider: UUID | None = Field(default=None, description="Identifier of the agency.")
    held_by: shared.Holder | None = None
    tier: StrictInt | None = Field(
        default=None, ge=1, le=9, description="The highest tier that was raised."
    )
    answered: StrictBool | None = Field(
        default=None, description="Whether it was reviewed, and nothing was raised since."
    )
    since: shared.Instant | shared.RecentDay | None = None
    month: str | None = Field(default=None, max_length=7)
    district: Code | None = None
    by: GroupedBy | None = Field(default=None, description="What to group by.")
    service: Code | None = None
    is_open: StrictBool | None = Field(default=None, alias="open")


FILTERS_OF: Final[dict[str, frozenset[str]]] = {
    ExportOf.WORKLIST: frozenset({"due", "kind", "field"}),
    ExportOf.OVERDUE: frozenset(
        {"centre", "worker", "kind", "field", "provider", "held_by", "tier", "answered", "since"}
    ),
    ExportOf.CASES: frozenset({"status", "centre", "worker"}),
    ExportOf.RESIDENTS: frozenset({"centre"}),
    ExportOf.REFERRALS: frozenset({"status", "field", "provider", "centre"}),
    ExportOf.FIGURES: frozenset({"month", "district", "centre", "field", "provider", "by"}),
    ExportOf.PROVIDERS: frozenset(),
    ExportOf.OFFERINGS: frozenset({"service", "centre", "is_open"}),
}


STATES_OF: Final[dict[str, frozenset[str]]] = {
    ExportOf.CASES: frozenset(CaseStatus),
    ExportOf.REFERRALS: frozenset(ReferralStatus),
}


class ExportList(Body):
    """Which list is taken away, as what, and what for."""

    what: ExportOf = Field(description="Which list.")
    format: Literal["csv", "xlsx"] = "csv"
    purpose: ExportPurpose
    filters: ExportFilters = Field(default_factory=ExportFilters)

    def check(self) -> None:
        """Refuse a filter that the list does not have, and a kind that is none of its clocks."""
        for name in sorted(self.filters.model_fields_set - FILTERS_OF[self.what]):
            raise Invalid("this list has no such filter", field=f"filters.{name}")
        status = self.filters.status
        if status is not None and status not in STATES_OF[self.what]:
            raise Invalid("no such state", field="filters.status")
        kind = self.filters.kind
        if self.what == ExportOf.OVERDUE and kind is not None and kind not in list(ClockKind):
            raise Invalid("no clock of this kind", field="filters.kind")

"""Lists that leave as files: what there is to export, and what for.

An export needs a purpose; its code is recorded in the audit with every resident in the list.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ExportOf(StrEnum):
    """What can be exported."""

    WORKLIST = "worklist"
    OVERDUE = "overdue"
    CASES = "cases"
    RESIDENTS = "residents"
    REFERRALS = "referrals"
    FIGURES = "figures"
    PROVIDERS = "providers"
    OFFERINGS = "offerings"


class ExportPurpose(StrEnum):
    """What a list is taken away for."""

    VISIT_PLANNING = "visit_planning"
    CASE_CONFERENCE = "case_conference"
    SUPERVISION = "supervision"
    STATISTICS = "statistics"
    REPORTING = "reporting"
    CONTACTING_PROVIDERS = "contacting_providers"
    DATA_CORRECTION = "data_correction"


# The action of the plain list, whose scope, mask and audit the export has.
ACTION: Final[dict[str, str]] = {
    ExportOf.WORKLIST: "deadline.read",
    ExportOf.OVERDUE: "overdue.read",
    ExportOf.CASES: "case.read",
    ExportOf.RESIDENTS: "case.read",
    ExportOf.REFERRALS: "referral.read",
    ExportOf.FIGURES: "figures.read",
    ExportOf.PROVIDERS: "directory.read",
    ExportOf.OFFERINGS: "directory.read",
}
MAX_ROWS: Final = 20_000
PAGE: Final = 200

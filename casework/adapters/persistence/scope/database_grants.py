"""The grants of the database roles on each table.

Every table is listed here once; a test fails for one that is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class RowKind(StrEnum):
    """What the rows of a table are."""

    # Data of residents or of an area: policies filter the rows, as the registry defines.
    PERSONAL = "personal"
    # For the following every row is admitted: only the grants on the table apply.
    ACCOUNT = "account"
    CONFIGURATION = "configuration"
    FACT = "fact"  # loaded by a migration
    MACHINERY = "machinery"
    AUDIT = "audit"  # insert-only


@dataclass(frozen=True)
class Rights:
    """What each role may do with a table: some of SELECT, INSERT, UPDATE, DELETE, as letters."""

    app: str = "SIU"
    scheduler: str = "SIU"
    figures: str = ""


RIGHTS: Final[dict[RowKind, Rights]] = {
    RowKind.ACCOUNT: Rights(scheduler="S"),
    RowKind.CONFIGURATION: Rights(scheduler="S"),
    RowKind.FACT: Rights(app="S", scheduler="S", figures="S"),
    RowKind.AUDIT: Rights(app="SI", scheduler="SI"),
}
# One line per table.
TABLES: Final[dict[str, RowKind]] = {
    "resident": RowKind.PERSONAL,
    "contact": RowKind.PERSONAL,
    "consent": RowKind.PERSONAL,
    "note": RowKind.PERSONAL,
    "care_case": RowKind.PERSONAL,
    "assessment": RowKind.PERSONAL,
    "care_check": RowKind.PERSONAL,
    "correction": RowKind.PERSONAL,
    "signal": RowKind.PERSONAL,
    "plan_version": RowKind.PERSONAL,
    "planned_service": RowKind.PERSONAL,
    "agenda_item": RowKind.PERSONAL,
    "conference": RowKind.PERSONAL,
    "referral": RowKind.PERSONAL,
    "deadline": RowKind.PERSONAL,
    "escalation": RowKind.PERSONAL,
    "review": RowKind.PERSONAL,
    "event": RowKind.PERSONAL,
    "break_glass": RowKind.PERSONAL,
    "account": RowKind.ACCOUNT,
    "account_token": RowKind.ACCOUNT,
    "recovery_code": RowKind.ACCOUNT,
    "absence": RowKind.ACCOUNT,
    "refresh_token": RowKind.ACCOUNT,
    "sign_in_source": RowKind.ACCOUNT,
    "district": RowKind.FACT,
    "centre": RowKind.FACT,
    "alembic_version": RowKind.FACT,
    "service": RowKind.CONFIGURATION,
    "designation": RowKind.CONFIGURATION,
    "directory_change": RowKind.CONFIGURATION,
    "provider": RowKind.CONFIGURATION,
    "offering": RowKind.CONFIGURATION,
    "offering_centre": RowKind.CONFIGURATION,
    "provider_answers": RowKind.CONFIGURATION,
    "standard": RowKind.CONFIGURATION,
    "holiday_override": RowKind.CONFIGURATION,
    "recount": RowKind.CONFIGURATION,
    "configuration": RowKind.CONFIGURATION,
    "key_check": RowKind.CONFIGURATION,
    "closed_month": RowKind.CONFIGURATION,
    "figure_change": RowKind.MACHINERY,
    "figure_entry": RowKind.PERSONAL,
    "figure_total": RowKind.PERSONAL,
    "figure_day": RowKind.MACHINERY,
    "city_total": RowKind.PERSONAL,
    "city_sum": RowKind.PERSONAL,
    "closed_total": RowKind.PERSONAL,
    "closed_sum": RowKind.PERSONAL,
    "idempotency": RowKind.MACHINERY,
    "job_run": RowKind.MACHINERY,
    "notice": RowKind.MACHINERY,
    "run_notices": RowKind.MACHINERY,
    "subscription": RowKind.MACHINERY,
    "message": RowKind.MACHINERY,
    "addressee": RowKind.MACHINERY,
    "relay_state": RowKind.MACHINERY,
    "case_counter": RowKind.MACHINERY,
    "duplicate_check": RowKind.MACHINERY,
    "duplicate_suspicion": RowKind.MACHINERY,
    "resident_merge": RowKind.MACHINERY,
    "merge_child": RowKind.MACHINERY,
    "household": RowKind.MACHINERY,
    "household_member": RowKind.MACHINERY,
    "account_grant_log": RowKind.AUDIT,
    "audit_entry": RowKind.AUDIT,
    "audit_seal": RowKind.AUDIT,
    "audit_head": RowKind.AUDIT,
    "audit_pending": RowKind.AUDIT,
    "audit_review": RowKind.AUDIT,
    "access_request": RowKind.PERSONAL,
    "import_file": RowKind.PERSONAL,
    "import_row": RowKind.PERSONAL,
    "answering": RowKind.ACCOUNT,
    "agency_link": RowKind.MACHINERY,
    "link_referral": RowKind.MACHINERY,
    "link_session": RowKind.MACHINERY,
    "delivered": RowKind.PERSONAL,
    "way_in": RowKind.PERSONAL,
    "body": RowKind.PERSONAL,
    "body_answers": RowKind.PERSONAL,
    "seat": RowKind.PERSONAL,
}
# Tables whose grants differ from those of their class.
OWN_RIGHTS: Final[dict[str, Rights]] = {
    "contact": Rights(app="SIUD"),
    # Loaded like every fact, but for how long closed cases are retained, and a centre's telephone:
    # both are set by the district.
    "district": Rights(app="SU", scheduler="S", figures="S"),
    "centre": Rights(app="SU", scheduler="S", figures="S"),
    # What the scheduler lets lapse leaves the line of its offering; files of offerings come in.
    "offering": Rights(scheduler="SIU"),
    "escalation": Rights(app="SIUD", scheduler="SIUD"),
    "message": Rights(app="SIUD", scheduler="SIUD"),
    "idempotency": Rights(app="SIUD"),
    # Rotating and retiring keys is done by whoever serves.
    "key_check": Rights(app="SID", scheduler="SI"),
    "duplicate_check": Rights(app="SIUD", scheduler="SIUD"),
    "duplicate_suspicion": Rights(app="SIUD", scheduler="SIUD"),
    "recovery_code": Rights(app="SIUD", scheduler=""),
    "account_token": Rights(scheduler=""),
    "audit_seal": Rights(app="S", scheduler="SI"),
    "audit_head": Rights(app="S", scheduler="SIU"),
    # A trigger of the owner puts there what waits; the check of the chains looks at it.
    "audit_pending": Rights(app="S", scheduler="SD"),
    "refresh_token": Rights(scheduler=""),
    "sign_in_source": Rights(scheduler=""),
    "alembic_version": Rights(app="S", scheduler="S"),
    "closed_month": Rights(scheduler="S", figures="S"),
    # Triggers of the owner put there what was changed; the scheduler counts it, and keeps the sums.
    "figure_change": Rights(app="S", scheduler="SID"),
    "figure_entry": Rights(app="S", scheduler="SIUD"),
    "figure_total": Rights(app="S", scheduler="SIUD"),
    "city_total": Rights(app="S", scheduler="SIUD"),
    "city_sum": Rights(app="S", scheduler="SIUD"),
    "figure_day": Rights(app="S", scheduler="SIUD"),
    # Whoever closes a month puts its cells there.
    "closed_total": Rights(app="SI", scheduler="SIUD"),
    "closed_sum": Rights(app="SI", scheduler="SIUD"),
    # The scheduler works through files of the directory that were sent in.
    "provider": Rights(scheduler="SI"),
    "provider_answers": Rights(app="S", scheduler="SIUD"),
    "service": Rights(scheduler="S", figures="S"),
    "offering_centre": Rights(app="SID", scheduler="SI"),
    "directory_change": Rights(app="SI", scheduler="SI"),
    "link_session": Rights(app="SIUD", scheduler=""),
    "body": Rights(scheduler="S"),
    # What it answers for no more, and a seat that would begin after its body's end, are taken out.
    "body_answers": Rights(app="SIUD", scheduler="S"),
    "seat": Rights(app="SIUD", scheduler="S"),
    # Read without its secrets, as below. The scheduler makes links, and opens none.
    "account": Rights(scheduler=""),
    "agency_link": Rights(scheduler="I"),
    # What no job reads or writes.
    "access_request": Rights(scheduler=""),
    "account_grant_log": Rights(app="SI", scheduler=""),
    "audit_review": Rights(app="SI", scheduler=""),
    "delivered": Rights(scheduler=""),
    "way_in": Rights(scheduler=""),
}


# Of these tables a role reads all columns but the secrets, and by no right on the whole table.
READ_WITHOUT_SECRETS: Final[dict[str, tuple[str, ...]]] = {"scheduler": ("account", "agency_link")}
# A row that must stay as it is until the commit is locked, for which a right to change some
# column of it is needed: one that says nothing of the account.
LOCKED_BY: Final[dict[str, dict[str, str]]] = {"scheduler": {"account": "version"}}


def rights_on(table: str) -> Rights:
    """The grants of each role on a table."""
    return OWN_RIGHTS.get(table) or RIGHTS.get(TABLES[table], Rights())

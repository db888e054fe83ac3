"""What the roles of the database may do with each table.

Every table stands here once; a test fails for one that does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What the rows of a table are."""

    # Of people in need of help: policies tell the rows apart, and whose they are the registry says.
    PERSONAL = "personal"
    # Of what follows every row is let through: what a role may do with the table is all there is.
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


RIGHTS: Final[dict[Kind, Rights]] = {
    Kind.ACCOUNT: Rights(scheduler="S"),
    Kind.CONFIGURATION: Rights(scheduler="S"),
    Kind.FACT: Rights(app="S", scheduler="S", figures="S"),
    Kind.AUDIT: Rights(app="SI", scheduler="SI"),
}
# One line a table.
TABLES: Final[dict[str, Kind]] = {
    "resident": Kind.PERSONAL,
    "contact": Kind.PERSONAL,
    "consent": Kind.PERSONAL,
    "note": Kind.PERSONAL,
    "care_case": Kind.PERSONAL,
    "assessment": Kind.PERSONAL,
    "care_check": Kind.PERSONAL,
    "signal": Kind.PERSONAL,
    "plan_version": Kind.PERSONAL,
    "planned_service": Kind.PERSONAL,
    "agenda_item": Kind.PERSONAL,
    "conference": Kind.PERSONAL,
    "referral": Kind.PERSONAL,
    "deadline": Kind.PERSONAL,
    "escalation": Kind.PERSONAL,
    "review": Kind.PERSONAL,
    "event": Kind.PERSONAL,
    "break_glass": Kind.PERSONAL,
    "account": Kind.ACCOUNT,
    "account_token": Kind.ACCOUNT,
    "recovery_code": Kind.ACCOUNT,
    "absence": Kind.ACCOUNT,
    "refresh_token": Kind.ACCOUNT,
    "sign_in_source": Kind.ACCOUNT,
    "district": Kind.FACT,
    "centre": Kind.FACT,
    "alembic_version": Kind.FACT,
    "service": Kind.CONFIGURATION,
    "designation": Kind.CONFIGURATION,
    "directory_change": Kind.CONFIGURATION,
    "provider": Kind.CONFIGURATION,
    "offering": Kind.CONFIGURATION,
    "offering_centre": Kind.CONFIGURATION,
    "provider_answers": Kind.CONFIGURATION,
    "standard": Kind.CONFIGURATION,
    "holiday_override": Kind.CONFIGURATION,
    "recount": Kind.CONFIGURATION,
    "configuration": Kind.CONFIGURATION,
    "closed_month": Kind.CONFIGURATION,
    "idempotency": Kind.MACHINERY,
    "job_run": Kind.MACHINERY,
    "notice": Kind.MACHINERY,
    "run_notices": Kind.MACHINERY,
    "subscription": Kind.MACHINERY,
    "message": Kind.MACHINERY,
    "addressee": Kind.MACHINERY,
    "duplicate_check": Kind.MACHINERY,
    "duplicate_suspicion": Kind.MACHINERY,
    "resident_merge": Kind.MACHINERY,
    "merge_child": Kind.MACHINERY,
    "household": Kind.MACHINERY,
    "household_member": Kind.MACHINERY,
    "account_grant_log": Kind.AUDIT,
    "audit_entry": Kind.AUDIT,
    "audit_seal": Kind.AUDIT,
    "audit_head": Kind.AUDIT,
    "audit_pending": Kind.AUDIT,
    "audit_review": Kind.AUDIT,
    "access_request": Kind.PERSONAL,
    "import_file": Kind.PERSONAL,
    "import_row": Kind.PERSONAL,
    "answering": Kind.ACCOUNT,
    "agency_link": Kind.MACHINERY,
    "link_referral": Kind.MACHINERY,
    "link_session": Kind.MACHINERY,
    "delivered": Kind.PERSONAL,
    "way_in": Kind.PERSONAL,
}
# Where the rights of a table are not those of its class.
OWN_RIGHTS: Final[dict[str, Rights]] = {
    "contact": Rights(app="SIUD"),
    # What the scheduler lets lapse leaves the line of its offering; files of offerings come in.
    "offering": Rights(scheduler="SIU"),
    "escalation": Rights(app="SIUD", scheduler="SIUD"),
    "message": Rights(app="SIUD", scheduler="SIUD"),
    "idempotency": Rights(app="SIUD"),
    "duplicate_check": Rights(app="SIUD", scheduler="SIUD"),
    "duplicate_suspicion": Rights(app="SIUD", scheduler="SIUD"),
    "recovery_code": Rights(app="SIUD", scheduler=""),
    "account_token": Rights(scheduler=""),
    "audit_seal": Rights(app="S", scheduler="SI"),
    "audit_head": Rights(app="S", scheduler="SIU"),
    # A trigger of the owner puts there what waits; whoever checks the chains looks at it.
    "audit_pending": Rights(app="S", scheduler="SD"),
    "refresh_token": Rights(scheduler=""),
    "sign_in_source": Rights(scheduler=""),
    "alembic_version": Rights(app="S", scheduler="S"),
    "closed_month": Rights(scheduler="S", figures="S"),
    # The scheduler works through files of the directory that were sent in.
    "provider": Rights(scheduler="SI"),
    "provider_answers": Rights(app="S", scheduler="SIUD"),
    "service": Rights(scheduler="S", figures="S"),
    "offering_centre": Rights(app="SID", scheduler="SI"),
    "directory_change": Rights(app="SI", scheduler="SI"),
    "link_session": Rights(app="SIUD", scheduler=""),
}


def rights_on(table: str) -> Rights:
    """What each role may do with a table."""
    return OWN_RIGHTS.get(table) or RIGHTS.get(TABLES[table], Rights())

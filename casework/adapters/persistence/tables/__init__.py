"""The tables, by subject. Uniqueness and states are constraints, so that no race breaks them."""

from __future__ import annotations

from casework.adapters.persistence.tables.access import (
    absence,
    account,
    account_grant_log,
    account_token,
    recovery_code,
    refresh_token,
    sign_in_source,
)
from casework.adapters.persistence.tables.agencies import (
    agency_link,
    answering,
    delivered,
    link_referral,
    link_session,
    way_in,
)
from casework.adapters.persistence.tables.audit import (
    access_request,
    audit_entry,
    audit_head,
    audit_pending,
    audit_review,
    audit_seal,
)
from casework.adapters.persistence.tables.base import (
    metadata,
)
from casework.adapters.persistence.tables.casefile import (
    assessment,
    care_case,
    care_check,
    case_counter,
    correction,
    event,
    plan_version,
    planned_service,
    referral,
    signal,
)
from casework.adapters.persistence.tables.clocks import (
    RUNNING,
    deadline,
    escalation,
    holiday_override,
    recount,
    review,
    standard,
)
from casework.adapters.persistence.tables.directory import (
    centre,
    designation,
    directory_change,
    district,
    offering,
    offering_centre,
    provider,
    service,
)
from casework.adapters.persistence.tables.duplicates import (
    duplicate_check,
    duplicate_suspicion,
    household,
    household_member,
    merge_child,
    resident_merge,
)
from casework.adapters.persistence.tables.exchange import (
    import_file,
    import_row,
)
from casework.adapters.persistence.tables.figures import (
    city_sum,
    city_total,
    closed_month,
    closed_sum,
    closed_total,
    figure_change,
    figure_day,
    figure_entry,
    figure_total,
    provider_answers,
)
from casework.adapters.persistence.tables.notices import (
    addressee,
    message,
    notice,
    relay_state,
    run_notices,
    subscription,
)
from casework.adapters.persistence.tables.operations import (
    configuration,
    idempotency,
    job_run,
    key_check,
)
from casework.adapters.persistence.tables.planning import (
    agenda_item,
    conference,
)
from casework.adapters.persistence.tables.privacy import (
    break_glass,
)
from casework.adapters.persistence.tables.programme import (
    body,
    body_answers,
    seat,
)
from casework.adapters.persistence.tables.residents import (
    consent,
    contact,
    note,
    resident,
)

__all__ = [
    "RUNNING", "absence", "access_request", "account", "account_grant_log", "account_token",
    "addressee", "agency_link", "agenda_item", "answering", "assessment", "audit_entry",
    "audit_head", "audit_pending", "audit_review", "audit_seal", "body", "body_answers",
    "break_glass", "care_case",
    "care_check", "case_counter", "centre", "city_sum", "city_total", "closed_month", "closed_sum",
    "closed_total", "conference", "configuration", "consent", "contact", "correction", "deadline",
    "delivered", "designation", "directory_change", "district", "duplicate_check",
    "duplicate_suspicion", "escalation", "event", "figure_change", "figure_day", "figure_entry",
    "figure_total", "holiday_override", "household", "household_member", "idempotency",
    "import_file", "import_row", "job_run", "key_check", "link_referral", "link_session",
    "merge_child", "message", "metadata", "note", "notice", "offering", "offering_centre",
    "plan_version", "planned_service", "provider", "provider_answers", "recount", "recovery_code",
    "referral", "refresh_token", "relay_state", "resident", "resident_merge", "review",
    "run_notices", "seat", "service", "sign_in_source", "signal", "standard", "subscription",
    "way_in",
]  # fmt: skip

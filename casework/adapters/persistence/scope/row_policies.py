# ruff: noqa: S608 - every part of these conditions is written here
"""Row-level security on PostgreSQL, table by table: who sees and who writes which rows.

Every table stands here once, with its class; a test fails for one that does not. The conditions
rest on what a transaction says of its asker (``asking.py``): settings that are not set are NULL,
and NULL lets nothing through. Each is wrapped in a SELECT, so that it is worked out once a query.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class RowKind(StrEnum):
    """What the rows of a table are, and so whose they are."""

    RESIDENT = "resident"  # the resident itself
    CASE = "case"  # the case itself
    REFERRAL = "referral"
    CLOCK = "clock"
    OF_RESIDENT = "of_resident"  # a child, by ``resident_id``
    CONSENT = "consent"  # a child on which an agency's referrals may rest
    NOTE = "note"  # a child that no assessor reads
    OF_CASE = "of_case"  # a child, by ``case_id``
    COUNTED = "counted"  # a child of a case that the city's figures count
    AGENDA = "agenda"
    OF_CLOCK = "of_clock"  # a child, by ``deadline_id``
    EVENT = "event"
    MEETING = "meeting"
    OPENING = "opening"  # break-glass
    IMPORTED = "imported"  # a file that was taken in, and its rows
    # The rows of what follows are not told apart; the roles' rights on them are.
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


OPEN_KINDS: Final = frozenset(
    {RowKind.ACCOUNT, RowKind.CONFIGURATION, RowKind.FACT, RowKind.MACHINERY, RowKind.AUDIT}
)
RIGHTS: Final[dict[RowKind, Rights]] = {
    RowKind.ACCOUNT: Rights(scheduler="S"),
    RowKind.CONFIGURATION: Rights(scheduler="S"),
    RowKind.FACT: Rights(app="S", scheduler="S", figures="S"),
    RowKind.AUDIT: Rights(app="SI", scheduler="SI"),
}
# One line a table.
TABLES: Final[dict[str, RowKind]] = {
    "resident": RowKind.RESIDENT,
    "contact": RowKind.OF_RESIDENT,
    "consent": RowKind.CONSENT,
    "note": RowKind.NOTE,
    "care_case": RowKind.CASE,
    "assessment": RowKind.OF_CASE,
    "care_check": RowKind.OF_CASE,
    "signal": RowKind.OF_CASE,
    "plan_version": RowKind.COUNTED,
    "planned_service": RowKind.COUNTED,
    "agenda_item": RowKind.AGENDA,
    "conference": RowKind.MEETING,
    "referral": RowKind.REFERRAL,
    "deadline": RowKind.CLOCK,
    "escalation": RowKind.OF_CLOCK,
    "review": RowKind.OF_CLOCK,
    "event": RowKind.EVENT,
    "break_glass": RowKind.OPENING,
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
    "closed_month": RowKind.CONFIGURATION,
    "idempotency": RowKind.MACHINERY,
    "job_run": RowKind.MACHINERY,
    "notice": RowKind.MACHINERY,
    "run_notices": RowKind.MACHINERY,
    "subscription": RowKind.MACHINERY,
    "message": RowKind.MACHINERY,
    "addressee": RowKind.MACHINERY,
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
    "access_request": RowKind.OF_RESIDENT,
    "import_file": RowKind.IMPORTED,
    "import_row": RowKind.IMPORTED,
    "answering": RowKind.ACCOUNT,
    "agency_link": RowKind.MACHINERY,
    "link_referral": RowKind.MACHINERY,
    "link_session": RowKind.MACHINERY,
    "delivered": RowKind.OF_RESIDENT,
    "way_in": RowKind.OF_RESIDENT,
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


# What the asker said of itself


def _said(name: str, kind: str = "") -> str:
    cast = f"::{kind}" if kind else ""
    return f"(SELECT nullif(current_setting('casework.{name}', true), '')){cast}"


_ALL, _CITY = f"{_said('reach')} = 'all'", f"{_said('reach')} = 'city'"
_IS_STAFF = f"{_said('agency')} IS NULL AND {_said('reach')} = 'own'"
_SENT = (
    "{0}.district_code = " + _said("sent") + " AND {0}.sent_for_assessment_at IS NOT NULL"
    " AND ({0}.determined_at IS NULL OR {0}.determined_at > "
    + _said("determined_since", "timestamptz")
    + ")"
)
_ASKED = (
    "{0}.provider_id = " + _said("agency", "uuid") + " AND {0}.requested_at IS NOT NULL"
    " AND ({0}.ended_at IS NULL OR {0}.ended_at > " + _said("ended_since", "timestamptz") + ")"
)
# What a condition needs of another table is asked of a function of the owner: a condition that
# asked the other table itself would meet the conditions there, and those this one again.
FUNCTIONS: Final = {
    "casework_cases_sent": f"SELECT c.id FROM care_case c WHERE {_SENT.format('c')}",
    "casework_residents_sent": f"SELECT c.resident_id FROM care_case c WHERE {_SENT.format('c')}",
    "casework_referrals_asked": f"SELECT r.id FROM referral r WHERE {_ASKED.format('r')}",
    "casework_cases_asked": f"SELECT r.case_id FROM referral r WHERE {_ASKED.format('r')}",
    "casework_residents_asked": f"SELECT r.resident_id FROM referral r WHERE {_ASKED.format('r')}",
    "casework_consents_asked": f"SELECT r.consent_id FROM referral r WHERE {_ASKED.format('r')}",
    "casework_residents_opened": (
        "SELECT b.resident_id FROM break_glass b"
        f" WHERE b.account_id = {_said('account', 'uuid')} AND b.ended_at IS NULL"
        f" AND b.ends_at > {_said('now', 'timestamptz')}"
    ),
    "casework_meetings_on_cases": (
        "SELECT v.conference_id FROM plan_version v JOIN care_case c ON c.id = v.case_id"
        f" WHERE v.conference_id IS NOT NULL AND (c.centre_code = {_said('centre')}"
        f" OR c.district_code = {_said('district')} OR ({_SENT.format('c')}))"
    ),
}
# Numbers for whoever sees no case, but keeps accounts or the directory: counted by the owner, too.
COUNTS: Final = {
    "casework_open_cases": (
        "SELECT count(*) FROM care_case c WHERE c.worker_id = $1 AND c.status <> 'closed'"
    ),
    "casework_open_requests": (
        "SELECT count(*) FROM referral r WHERE r.offering_id = $1"
        " AND r.status IN ('requested', 'waitlisted', 'accepted')"
    ),
    "casework_running_services": (
        "SELECT count(*) FROM referral r WHERE r.offering_id = $1"
        " AND r.status IN ('in_progress', 'on_hold')"
    ),
}


def _any_of(*conditions: str) -> str:
    return " OR ".join(f"({condition})" for condition in conditions)


def _placed(row: str, resident_id: str) -> list[str]:
    """Rows with a place of their own, and those of a resident whose file is being worked on."""
    return [
        _ALL,
        f"{row}.centre_code = {_said('centre')}",
        f"{row}.district_code = {_said('district')}",
        f"{resident_id} = ANY ({_said('unit')}::uuid[])",
    ]


def _opened(resident_id: str) -> str:
    return f"{resident_id} IN (SELECT casework_residents_opened())"


# The conditions to write are those to see, but for what is only looked at.


def _resident(row: str) -> list[str]:
    return [
        *_placed(row, f"{row}.id"),
        f"{row}.id IN (SELECT casework_residents_sent())",
        f"{row}.id IN (SELECT casework_residents_asked())",
    ]


def _case(row: str) -> list[str]:
    return [
        *_placed(row, f"{row}.resident_id"),
        _SENT.format(row),
        f"{row}.id IN (SELECT casework_cases_asked())",
    ]


def _referral(row: str) -> list[str]:
    return [*_placed(row, f"{row}.resident_id"), _of_case_sent(row), _ASKED.format(row)]


def _clock(row: str) -> list[str]:
    of_agency = (
        f"{row}.provider_id = {_said('agency', 'uuid')}"
        f" AND {row}.subject_id IN (SELECT casework_referrals_asked())"
    )
    # Whom a referral asks, and how that goes, is no part of what was sent to be assessed.
    of_assessor = f"{_of_case_sent(row)} AND {row}.subject_type <> 'referral'"
    return [*_placed(row, f"{row}.resident_id"), of_assessor, of_agency]


def _of_case_sent(row: str) -> str:
    return (
        f"{row}.district_code = {_said('sent')} AND {row}.case_id IN (SELECT casework_cases_sent())"
    )


def _meeting(row: str) -> list[str]:
    return [
        _ALL,
        f"{row}.district_code = {_said('district')}",
        f"{row}.district_code = {_said('home')}",
        f"{row}.id IN (SELECT casework_meetings_on_cases())",
    ]


def _opening(row: str) -> list[str]:
    return [
        _ALL,
        f"{row}.account_id = {_said('account', 'uuid')}",
        f"{row}.district_code = {_said('district')}",
    ]


def _imported(row: str) -> list[str]:
    """One's own; what matched nobody is worked off, and found again, in its district."""
    return [
        _ALL,
        f"{row}.account_id = {_said('account', 'uuid')}",
        f"{row}.district_code = {_said('district')}",
        f"{row}.district_code = {_said('home')}",
    ]


_PARENTS: Final = {
    "resident": ("resident_id", _resident),
    "care_case": ("case_id", _case),
    "deadline": ("deadline_id", _clock),
}


def _has(parent: str, row: str, *, to_write: bool) -> str:
    """Its parent is there for the asker; to write, for more than a look."""
    key, conditions = _PARENTS[parent]
    found = f"SELECT 1 FROM {parent} p WHERE p.id = {row}.{key}"
    return (
        f"EXISTS ({found} AND ({_any_of(*conditions('p'))}))" if to_write else f"EXISTS ({found})"
    )


def _child(parent: str, row: str, *, to_write: bool, staff: str = _IS_STAFF) -> list[str]:
    has = _has(parent, row, to_write=to_write)
    # An agency's own work goes on in the file of the resident that it has open.
    in_hand = f"{_said('unit')} IS NOT NULL AND {_has(parent, row, to_write=True)}"
    return [_ALL, f"{staff} AND {has}", in_hand]


def _event(row: str, *, to_write: bool) -> list[str]:
    return [
        *_child("resident", row, to_write=to_write),
        f"{row}.resident_id IS NULL AND {_said('reach')} IS NOT NULL",
        f"{row}.subject_id IN (SELECT casework_referrals_asked())",
    ]


def _agenda(row: str, *, to_write: bool) -> list[str]:
    own = f"k.id = {row}.conference_id AND k.district_code = {_said('district')}"
    return [
        *_child("care_case", row, to_write=to_write),
        f"EXISTS (SELECT 1 FROM conference k WHERE {own})",
    ]


def condition(table: str, *, to_write: bool) -> str:
    """Which rows of a table the asker sees, or writes."""
    kind, row = TABLES[table], table
    no_assessor = f"{_IS_STAFF} AND {_said('sent')} IS NULL"
    looked_at = [] if to_write else [_opened(f"{row}.resident_id")]
    counted = [] if to_write else [_CITY]
    conditions = {
        RowKind.RESIDENT: lambda: [*_resident(row), *([] if to_write else [_opened(f"{row}.id")])],
        RowKind.CASE: lambda: [*_case(row), *counted, *looked_at],
        RowKind.REFERRAL: lambda: [*_referral(row), *counted, *looked_at],
        RowKind.CLOCK: lambda: [*_clock(row), *counted, *looked_at],
        RowKind.OF_RESIDENT: lambda: _child("resident", row, to_write=to_write),
        RowKind.CONSENT: lambda: [
            *_child("resident", row, to_write=to_write),
            *([] if to_write else [f"{row}.id IN (SELECT casework_consents_asked())"]),
        ],
        RowKind.NOTE: lambda: _child("resident", row, to_write=to_write, staff=no_assessor),
        RowKind.OF_CASE: lambda: _child("care_case", row, to_write=to_write),
        RowKind.COUNTED: lambda: [*_child("care_case", row, to_write=to_write), *counted],
        RowKind.AGENDA: lambda: _agenda(row, to_write=to_write),
        RowKind.OF_CLOCK: lambda: [_ALL, *counted, _has("deadline", row, to_write=to_write)],
        RowKind.EVENT: lambda: _event(row, to_write=to_write),
        RowKind.MEETING: lambda: [*_meeting(row), *counted],
        RowKind.OPENING: lambda: _opening(row),
        RowKind.IMPORTED: lambda: _imported(row),
    }[kind]()
    return _any_of(*conditions)


def policies(table: str) -> dict[str, str]:
    """The policies of a table by their names, as what follows ``ON table``."""
    if TABLES[table] in OPEN_KINDS:
        return {}
    see, write = condition(table, to_write=False), condition(table, to_write=True)
    return {
        "casework_see": f"FOR SELECT USING ({see})",
        "casework_add": f"FOR INSERT WITH CHECK ({write})",
        "casework_change": f"FOR UPDATE USING ({write}) WITH CHECK ({write})",
        "casework_remove": f"FOR DELETE USING ({write})",
    }

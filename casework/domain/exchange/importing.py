"""File imports: an import with its position, a result for each row, and a queue.

A file is processed batch by batch. Each batch commits with its results and the position, so that
an interrupted run continues there. Cells are stored, encrypted at rest, until their row has a
result; those of an unmatched row until it is assigned or dismissed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from casework.domain.access.policy import Actor, Role, Scope, scope_of
from casework.domain.errors import Conflict, Forbidden, Refusal


class FileKind(StrEnum):
    """What a file holds."""

    PROVIDERS = "providers"
    OFFERINGS = "offerings"
    RESIDENTS = "residents"
    CASES = "cases"
    ASSESSMENTS = "assessments"
    RUNNING_CASES = "running_cases"


class Mode(StrEnum):
    """What becomes of the good rows of a file that has bad ones."""

    ROW_BY_ROW = "row_by_row"
    ALL_OR_NOTHING = "all_or_nothing"


class ImportState(StrEnum):
    """Where an import stands."""

    WAITING = "waiting"
    CHECKING = "checking"  # all or nothing: first everything is tried
    APPLYING = "applying"
    DONE = "done"
    REFUSED = "refused"  # all or nothing, and it is nothing
    STOPPED = "stopped"  # by its sender, or as they lost the right


class Outcome(StrEnum):
    """What became of a row."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    UNMATCHED = "unmatched"


class Dismissal(StrEnum):
    """Why a result that matched nobody is put aside."""

    NOT_OURS = "not_ours"
    SENT_TWICE = "sent_twice"
    NOT_READABLE = "not_readable"
    NO_CASE = "no_case"


# What is said of a row of the queue that somebody gave to a resident.
ASSIGNED: Final = "assigned"
ENDED: Final = frozenset({ImportState.DONE, ImportState.REFUSED, ImportState.STOPPED})
# The action of the policy that each kind needs, and the one that its rows are carried out by.
ACTION: Final[dict[FileKind, str]] = {
    FileKind.PROVIDERS: "import.directory",
    FileKind.OFFERINGS: "import.directory",
    FileKind.RESIDENTS: "import.residents",
    FileKind.CASES: "import.residents",
    FileKind.ASSESSMENTS: "import.assessments",
    FileKind.RUNNING_CASES: "import.residents",
}
BY: Final[dict[FileKind, str]] = {
    FileKind.RESIDENTS: "case.write",
    FileKind.CASES: "case.write",
    FileKind.ASSESSMENTS: "assessment.write",
    FileKind.RUNNING_CASES: "case.supervise",
}
# All or nothing is one transaction, which others wait for: so many rows take some tens of seconds.
MAX_AT_ONCE: Final = 5_000
# What says that the row is there already, and not that it is wrong.
DUPLICATE_CODES: Final = frozenset(
    {
        "possible_duplicate",
        "duplicate_in_file",
        "slug_taken",
        "offering_exists",
        "open_case_exists",
        "assessment_exists",
        "already_taken_over",
    }
)


@dataclass(slots=True, kw_only=True)
class ImportFile:
    """A file that was taken in. ``position`` is the last row that has its result."""

    id: UUID
    kind: FileKind
    mode: Mode
    dry_run: bool
    state: ImportState
    account_id: UUID | None
    district_code: str | None
    created_at: datetime
    rows: int
    unknown_columns: int
    # The salt of the row keys' hashes: once it is deleted, they reveal nothing.
    salt: str | None
    digest: str
    position: int = 0
    accepted: int = 0
    refused: int = 0
    duplicate: int = 0
    unmatched: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    code: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the import has ended."""
        return self.state in ENDED

    @property
    def is_writing(self) -> bool:
        """Whether what is accepted now stays."""
        return not self.dry_run and self.state == ImportState.APPLYING

    @property
    def was_written(self) -> bool:
        """Whether its accepted rows were written."""
        return not self.dry_run and (
            self.state == ImportState.DONE
            or (self.mode == Mode.ROW_BY_ROW and self.state != ImportState.REFUSED)
        )

    @property
    def is_one_piece(self) -> bool:
        """Whether it is now to be written as a whole."""
        return self.mode == Mode.ALL_OR_NOTHING and self.state == ImportState.APPLYING

    def begin(self, at: datetime) -> None:
        """Start, where it only waited."""
        if self.state == ImportState.WAITING:
            whole = self.mode == Mode.ALL_OR_NOTHING and not self.dry_run
            self.state = ImportState.CHECKING if whole else ImportState.APPLYING
            self.started_at = at

    def count(self, results: list[ImportRow]) -> None:
        """Take over the results of the next rows."""
        for row in results:
            name = str(row.outcome)
            setattr(self, name, getattr(self, name) + 1)
            self.position = row.number

    def go_on(self, at: datetime) -> None:
        """After the last row: write what was tried, or end."""
        if self.position < self.rows:
            return
        if self.state == ImportState.CHECKING and self.refused == 0:
            self.state = ImportState.APPLYING
            self.start_over()
        elif self.state == ImportState.CHECKING or (self.is_one_piece and self.refused):
            self.end(ImportState.REFUSED, at, "rows_refused")
        else:
            self.end(ImportState.DONE, at)

    def start_over(self) -> None:
        """Count from the first row again."""
        self.position = self.accepted = self.refused = self.duplicate = self.unmatched = 0

    def end(self, state: ImportState, at: datetime, code: str | None = None) -> None:
        """End the import and delete its salt."""
        self.state, self.ended_at, self.code, self.salt = state, at, code, None

    def stop(self, at: datetime) -> None:
        """End it early; what was written stays."""
        if self.has_ended:
            raise Conflict("it has ended", code="import_ended", state=self.state)
        self.end(ImportState.STOPPED, at, "stopped")


@dataclass(slots=True, kw_only=True)
class ImportRow:
    """A row: its cells until it has a result, then the result."""

    id: UUID
    import_id: UUID
    account_id: UUID | None
    district_code: str | None
    number: int
    # Where the row stands in the sheet, as a person counts.
    line: int
    cells: dict[str, Any] | None
    outcome: Outcome | None = None
    errors: list[dict[str, str]] = field(default_factory=list)
    key: str | None = None
    external_id: str | None = None
    subject_id: UUID | None = None
    resident_id: UUID | None = None
    centre_code: str | None = None
    waits: bool = False
    resolved_at: datetime | None = None
    resolved_by: UUID | None = None
    resolution: str | None = None

    def refuse(self, error: Refusal) -> None:
        """Take over a refusal: which field, which code, why."""
        of_fields = [
            {
                "field": one.get("field", ""),
                "code": one.get("code", error.code),
                "message": one.get("message", error.detail),
            }
            for one in error.facts.get("errors", [])
        ]
        self.errors = of_fields or [{"field": "", "code": error.code, "message": error.detail}]
        candidates = error.facts.get("candidates")
        self.resident_id = candidates[0]["id"] if candidates else None
        is_there = any(one["code"] in DUPLICATE_CODES for one in self.errors)
        self.outcome = Outcome.DUPLICATE if is_there else Outcome.REFUSED

    def accept(self, subject_id: UUID | None, resident_id: UUID | None) -> None:
        """It was carried out."""
        self.outcome = Outcome.ACCEPTED
        self.subject_id, self.resident_id = subject_id, resident_id

    def start_over(self) -> None:
        """Forget the result: the row is carried out again."""
        self.outcome, self.errors, self.waits, self.centre_code = None, [], False, None
        self.subject_id = self.resident_id = None

    def take_back(self) -> None:
        """What it made was rolled back with the whole: its outcome stays."""
        if self.subject_id == self.resident_id:
            self.resident_id = None
        self.subject_id, self.waits = None, False

    def wait(self, code: str, why: str) -> None:
        """Queue the row: no resident matches it, or more than one."""
        self.outcome, self.waits = Outcome.UNMATCHED, True
        self.errors = [{"field": "", "code": code, "message": why}]

    def expect_waiting(self) -> None:
        """Refuse to resolve it twice."""
        if not self.waits:
            raise Conflict("it was dealt with before", code="already_resolved")

    def resolve(self, resolution: str, by: UUID | None, at: datetime) -> None:
        """Mark the row as resolved; its cells are deleted."""
        self.expect_waiting()
        self.waits, self.cells = False, None
        self.resolution, self.resolved_by, self.resolved_at = resolution, by, at


def scope_for(actor: Actor, kind: FileKind) -> Scope:
    """The actor's scope for imports of this kind; refuses a role that may not import it."""
    found = scope_of(actor, ACTION[kind])
    if kind in BY:
        scope_of(actor, BY[kind])
        if found.is_unbounded and actor.role != Role.ADMIN and actor.id is None:
            raise Forbidden("name whose residents these are", code="account_required")
    return found

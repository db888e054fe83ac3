"""Response schemas of imports, their rows, and results that matched nobody."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.shared.responses import ResponseBody
from casework.domain.exchange.importing import Dismissal, FileKind, ImportState, Mode, Outcome


class Import(ResponseBody):
    """A file that was taken in: how far it is, and what became of its rows."""

    id: UUID
    kind: FileKind
    mode: Mode
    dry_run: bool
    state: ImportState
    kept: bool
    rows: int
    position: int
    unknown_columns: int
    accepted: int
    refused: int
    duplicate: int
    unmatched: int
    code: str | None
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    allowed_actions: list[str]


class RowError(ResponseBody):
    """What is wrong with a row."""

    field: str = Field(description="Name of the column.")
    code: str
    reason: str


class ImportRow(ResponseBody):
    """What became of a row; nothing of what it holds."""

    line: int
    outcome: Outcome
    subject_id: UUID | None
    resident_id: UUID | None
    errors: list[RowError]


class SentResult(ResponseBody):
    """A result as it was sent: what a person needs to tell whom it is about."""

    name: str | None
    birth_date: str | None = Field(description="As it was sent.")
    external_id: str | None
    centre_code: str | None = Field(description="As it was sent.")
    assessed_on: str | None = Field(description="As it was sent.")
    received_on: str | None = Field(description="As it was sent.")
    assessor: str | None
    determination: str | None = Field(description="As it was sent.")


class UnmatchedResult(ResponseBody):
    """A result that matched nobody; of one that was dealt with, only how."""

    id: UUID
    why: str = Field(description="Code of why it matched nobody.")
    reason: str = Field(description="The same in words.")
    result: SentResult | None
    needs: dict[str, str] = Field(description="The need of each field, as it was sent.")
    resolution: Dismissal | Literal["assigned"] | None
    resolved_at: AwareDatetime | None
    resolved_by: UUID | None
    resident_id: UUID | None
    allowed_actions: list[str]

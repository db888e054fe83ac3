"""Response views of meetings: in a list, with their agenda, and as minutes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from casework.adapters.api.shared.views import instant
from casework.adapters.http.responses import WithETag
from casework.domain.access.policy import Actor
from casework.domain.act import Act
from casework.domain.planning.conferences import AGENDA_HOLDS, is_held
from casework.locale import text
from casework.workflows.ports.casefile import ConferenceView
from casework.workflows.ports.paging import Row

FIELDS: Final = ("id", "district_code", "held_on", "members", "recorded_by")


def conference(
    view: ConferenceView, act: Act, warnings: Mapping[UUID, list[dict[str, Any]]]
) -> WithETag:
    """A meeting with its agenda, and what the actor may do to it and to each plan now.

    ``warnings`` are of the plans that await its decision, by their cases.
    """
    it, held = view.conference, is_held(view.conference, act.today)
    agenda = [
        _item(view, row, act.by, held)
        | {"warnings": warnings.get(row["case_id"], []) if row["awaits"] else []}
        for row in view.items
    ]
    allowed = {
        "agenda": len(agenda) < AGENDA_HOLDS,
        "decisions": any(one["allowed_actions"] for one in agenda),
    }
    stamp = 1 + len(view.items) + sum(row["decision"] is not None for row in view.items)
    stamp += len(it.corrections)
    body: dict[str, Any] = {name: getattr(it, name) for name in FIELDS}
    return WithETag(
        body
        | {
            "recorded_at": instant(it.recorded_at),
            "corrections": [_correction(one) for one in it.corrections],
            "agenda": agenda,
            "allowed_actions": [name for name, may in allowed.items() if may],
        },
        stamp,
    )


def _correction(one: dict[str, Any]) -> dict[str, Any]:
    return one | {"corrected_at": instant(datetime.fromisoformat(one["corrected_at"]))}


def _item(view: ConferenceView, row: Row, actor: Actor, held: bool) -> dict[str, Any]:
    """A plan on the agenda. What another meeting decided, or none, is said without its reason."""
    own = actor.id in (row["drafted_by"], row["submitted_by"])
    here = row["conference_id"] == view.conference.id
    return {
        "case_id": row["case_id"],
        "case_number": row["case_number"],
        "version": row["number"],
        "hash": row["hash"],
        "decision": {
            "decision": row["decision"],
            "reason": row["decision_reason"],
            "decided_at": instant(row["decided_at"]),
            "decided_by": row["decided_by"],
        }
        if here
        else None,
        "decided_elsewhere": row["decision"] is not None and not here,
        "allowed_actions": ["decision"] if held and row["awaits"] and not own else [],
    }


def conference_row(row: Row) -> dict[str, Any]:
    """A meeting in a list, with how many plans it has and how many of them it has decided."""
    return {name: row[name] for name in (*FIELDS, "agenda", "decided")} | {
        "recorded_at": instant(row["recorded_at"])
    }


def minutes(view: ConferenceView, language: str) -> str:
    """The minutes as text; cases by their reference, since the text leaves the system."""
    district = view.district["name_ko" if language == "ko" else "name_en"]
    agenda = text("document.minutes.agenda", language)
    lines = [
        text("document.minutes.title", language),
        "",
        f"{text('document.minutes.district', language)}: {district}",
        f"{text('document.minutes.held_on', language)}: {view.conference.held_on}",
        "",
        f"{text('document.minutes.members', language)}:",
        *(f"- {_line(one['name'])} ({_line(one['agency'])})" for one in view.conference.members),
        "",
        f"{agenda}:" if view.items else f"{agenda}: {text('document.minutes.none', language)}",
    ]
    for number, row in enumerate(view.items, start=1):
        lines += _decided(view, row, number, language)
    return "\n".join(lines) + "\n"


def _decided(view: ConferenceView, row: Row, number: int, language: str) -> list[str]:
    here = row["conference_id"] == view.conference.id
    decision = row["decision"] if here else "none"
    said = text(f"document.minutes.decision.{decision}", language)
    case = text(
        "document.minutes.of_case", language, case=row["case_number"], version=row["number"]
    )
    lines = [f"{number}. {case}: {said}"]
    if here and row["decision_reason"]:
        reason = text("document.minutes.reason", language)
        lines.append(f"   {reason}: {_line(row['decision_reason'])}")
    return lines


def _line(given: str) -> str:
    """What somebody wrote, on one line, so that it cannot pass for a line of the minutes."""
    return " ".join(given.split())

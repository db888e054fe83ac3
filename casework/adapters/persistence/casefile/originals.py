"""What a loaded case file was, so that a save writes what changed and counts the versions of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from casework.adapters.persistence.rows.mapper import to_row
from casework.domain.casefile.case import Assessment, Check, Signal
from casework.domain.casefile.correction import Correction
from casework.domain.casefile.plan import PlannedService, PlanVersion
from casework.domain.casefile.referral import Referral
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import ClockSubjectType
from casework.domain.supervision.reviewing import Review

# Written by the first transaction that finds a breach, never by an aggregate's save.
NEVER_SAVED = frozenset({"id", "breached_at"})
# What is locked together with its case, and has a version of its own.
VERSIONED = (PlanVersion, PlannedService, Referral, Signal)
# A part of a file with the columns that changed: none where it is as it was, None where it is new.
Part = tuple[Any, dict[str, Any] | None]


@dataclass
class Originals:
    """What was loaded, in plain text, so that a save writes only what changed."""

    rows: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    def remember(self, things: Sequence[Any]) -> None:
        """Keep each thing as it is stored now."""
        for thing in things:
            # Copies of lists and mappings, so that one that is changed in place is noticed.
            self.rows[thing.id] = {
                name: value.copy() if isinstance(value, list | dict) else value
                for name, value in to_row(thing).items()
            }

    def changes(self, thing: Any) -> dict[str, Any] | None:
        """The columns that differ from what is stored; None for a new thing."""
        row = to_row(thing)
        before = self.rows.get(thing.id)
        if before is None:
            return None
        return {k: v for k, v in row.items() if v != before[k] and k not in NEVER_SAVED}

    def counted(self, parts: Sequence[Any]) -> list[Part]:
        """The parts of a file with their changes, after the version of each changed one is raised.

        The case, which comes first, has the version of what is shown with it beside its plan and
        its referrals: a check, a signal, a review and its own clocks as well. The revision of its
        plan is that of all its versions.
        """
        found = [(thing, self.changes(thing)) for thing in parts]
        (case, changes), *others = found
        touched = [thing for thing, of in others if of != {}]
        for thing, of in others:
            if of and isinstance(thing, VERSIONED):
                _raise(thing, of, "version")
        if changes or (changes is not None and any(map(_is_shown_with_case, touched))):
            _raise(case, changes, "version")
        if changes is not None and any(isinstance(thing, PlanVersion) for thing in touched):
            _raise(case, changes, "plan_revision")
        return found


def written(thing: Any, changes: dict[str, Any]) -> dict[str, Any]:
    """The columns that are written of a part that is there; none where nothing is.

    A clock whose steps are planned again is written even where it is unchanged: the holder of its
    row lock, aggregate or sweep, alone changes its steps. Until when somebody heard of it is looked
    for anew.
    """
    if not isinstance(thing, Deadline):
        return changes
    if not changes and thing.planned is None:
        return {}
    return (changes or {"due_at": thing.due_at}) | {"heard_until": None}


def _raise(thing: Any, changes: dict[str, Any], name: str) -> None:
    changes[name] = getattr(thing, name) + 1
    setattr(thing, name, changes[name])


def _is_shown_with_case(thing: Any) -> bool:
    if isinstance(thing, Deadline):
        return thing.subject_type == ClockSubjectType.CASE
    return isinstance(thing, Assessment | Check | Correction | Signal | Review)

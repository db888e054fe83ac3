"""Corrections of a plan's days: of its decision, of the meeting that took it, of the telling."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.recounts import RecountedClock
from casework.domain.errors import Invalid
from casework.domain.planning import conferences, correcting
from casework.domain.planning.conferences import Submission
from casework.workflows.context import Context
from casework.workflows.ports.results import Corrected
from casework.workflows.ports.unit_of_work import Work


def correct_notification(ctx: Context, case_id: UUID, on: date, to: str, reason: str) -> UUID:
    """Put right when, and who, was notified of the plan."""
    with ctx.work("case.write") as work:
        file = work.files.to_correct(case_id)
        ctx.expect(file.case.version)
        correcting.correct_notification(file, on, to, reason, ctx.act)
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id


def correct_decision(ctx: Context, case_id: UUID, number: int, on: date, reason: str) -> UUID:
    """Put right on which day a version was decided without a meeting."""
    with ctx.work("plan.decide") as work:
        file = work.files.to_correct(case_id)
        ctx.expect(file.case.plan_revision)
        version = next((one for one in file.versions if one.number == number), None)
        if version is None:
            raise Invalid("no such version", code="unknown_version", field="version")
        if version.conference_id is not None:
            raise Invalid(
                "a meeting decides on its own day: put that right",
                code="how_decided",
                field="version",
            )
        correcting.correct_decision(file, version, on, reason, ctx.act, "decided_on")
        work.files.save(file, ctx.now)
        work.commit(case_id)
        return case_id


def correct_conference(ctx: Context, conference_id: UUID, held_on: date, reason: str) -> Corrected:
    """Put the day of a meeting right, and with it that of every decision it took.

    The cases are locked first, as a decision does, then the meeting: what is decided meanwhile is
    decided after this, on the other day.
    """
    with ctx.work("plan.decide") as work:
        conference = work.conferences.get(conference_id)
        ctx.expect(work.conferences.stamp(conference_id))
        files = {id: work.files.to_correct(id) for id in work.conferences.decided(conference_id)}
        conference = work.conferences.to_correct(conference_id)
        decided = work.conferences.decided(conference_id)
        conferences.correct_day(conference, held_on, reason, _waiting(work, conference_id), ctx.act)
        moved = []
        for case_id, versions in decided.items():
            file = files.get(case_id) or work.files.to_correct(case_id)
            moved += _decide_on(ctx, file, versions, held_on, reason)
            work.files.save(file, ctx.now)
        work.conferences.save(conference)
        made = Corrected(id=conference_id, recounted=moved)
        work.commit(made)
        return made


def _decide_on(
    ctx: Context, file: CaseFile, versions: list[UUID], on: date, reason: str
) -> list[RecountedClock]:
    """Move the decisions of a case, in the order in which none passes another."""
    own = [one for one in file.versions if one.id in versions]
    own.sort(
        key=lambda one: one.number,
        reverse=any(one.decided_on < on for one in own if one.decided_on),
    )
    moved = []
    for version in own:
        moved += correcting.correct_decision(file, version, on, reason, ctx.act, "held_on")
    return moved


def _waiting(work: Work, conference_id: UUID) -> list[Submission]:
    """What the meeting is still to decide."""
    items = work.conferences.shown(conference_id).items
    found = work.conferences.submissions([row["case_id"] for row in items if row["awaits"]])
    return [one for one in found.values() if one is not None]

"""Lists as they go out: directory, accounts, worklist, overdue, ledger, runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from statistics import median
from typing import Any

from casework.adapters.api import render, render_capacity, render_standards
from casework.adapters.http.call import WithETag
from casework.domain.access.policy import Actor, is_guest, may
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.clocks.deadlines import Clockwork, Deadline, Explanation
from casework.domain.clocks.schedule import is_late, next_slot
from casework.domain.directory.directory import Service
from casework.domain.privacy.masks import covered
from casework.workflows.ports.paging import Row
from casework.workflows.ports.supervision import JobView
from casework.workflows.supervision.overdue import SweepResult

READ = "deadline.read"
COUNTS = ("found", "changed", "failed", "held")


def picked(row: Row, *names: str) -> dict[str, Any]:
    """Some columns of a row under their own names."""
    return {name: row[name] for name in names}


# The directory


def district(row: Row) -> dict[str, Any]:
    """A district in both languages."""
    return {"code": row["code"], "name": row["name_ko"], "name_en": row["name_en"]}


def centre(row: Row) -> dict[str, Any]:
    """A community centre and the point that stands for it."""
    return picked(row, "code", "name", "district_code", "lat", "lon")


def service(row: Row) -> dict[str, Any]:
    """A service of the catalogue; ``limit_note`` None means that no limit is known."""
    names = ("code", "field", "run_by", "unit", "limit_note", "basis", "certainty")
    return picked(row, *names, "fresh_for_days") | {
        "name": row["name_ko"],
        "name_en": row["name_en"],
        "eligibility": row["eligibility"] or [],
        "given_at": row["given_at"],
        "limits": row["limits"] or [],
        "co_payments": row["co_payments"] or [],
        "valid_from": row["valid_from"],
        "valid_to": row["valid_to"],
    }


def provider(row: Row) -> dict[str, Any]:
    """An agency."""
    names = ("id", "slug", "name", "kind", "phone", "district_code", "designations", "lat", "lon",
             "languages", "ended_on")  # fmt: skip
    return picked(row, *names) | {
        "opening_hours": row["opening_hours"] or [],
        "contacts": row["contacts"] or [],
    }


def offering(row: Row, services: Mapping[str, Service], now: datetime) -> dict[str, Any]:
    """Who gives what where, with its places and how old that figure is."""
    return picked(row, "id", "provider_id", "service_code", "centres") | {
        "open": row["is_open"],
        "provider": {
            "id": row["provider_id"],
            "name": row["provider_name"],
            "phone": row["provider_phone"],
        },
        "capacity": render_capacity.figures(row, services, now),
        "distance_km": row.get("distance_km"),
    }


def account(row: Row) -> dict[str, Any]:
    """Someone who can be given work; nothing of how they sign in but the name."""
    return picked(
        row, "id", "username", "name", "role", "centre_code", "district_code", "provider_id"
    )


# Clocks


class Lateness:
    """How late things are on one day, in working days of their district."""

    def __init__(self, clockwork: Clockwork, now: datetime) -> None:
        self._clockwork, self._today = clockwork, day_in_seoul(now)
        self._known: dict[tuple[str, date], int] = {}

    def of(self, row: Row) -> int:
        """Working days since the due day of an overdue row."""
        key = row["district_code"], day_in_seoul(row["due_at"])
        if key not in self._known:
            calendar = self._clockwork.calendar_of(key[0])
            self._known[key] = calendar.working_days(key[1], self._today)
        return self._known[key]


def work_item(lateness: Lateness, actor: Actor) -> Callable[[Row], dict[str, Any]]:
    """An item of the worklist; a note to come back to has no ``deadline_id``."""

    def show(row: Row) -> dict[str, Any]:
        is_note = row["subject_type"] == "note"
        agency = {name: row[f"provider_{name}"] for name in ("id", "name", "phone")}
        body = picked(row, "kind", "held_by", "case_id", "centre_code", "worker_id", "field") | {
            "deadline_id": None if is_note else row["id"],
            "subject": {"type": row["subject_type"], "id": row["subject_id"]},
            "resident": {name: row[f"resident_{name}"] for name in ("id", "name", "phone")},
            "provider": agency if agency["id"] else None,
            "due_at": render.instant(row["due_at"]),
            "overdue": bool(row["is_overdue"]),
            "place_offered_at": render.instant(row.get("place_offered_at")),
            "working_days_late": lateness.of(row) if row["is_overdue"] else 0,
        }
        return covered(body, actor, READ, "work item")

    return show


def overdue_item(lateness: Lateness, actor: Actor) -> Callable[[Row], dict[str, Any]]:
    """The same item with its tier, who was told when, and the last review."""
    item = work_item(lateness, actor)

    def show(row: Row) -> dict[str, Any]:
        return item(row) | {
            "tier": row["tier"],
            "told": [
                {"tier": step["tier"], "to": step["tell"], "at": render.instant(step["raised_at"])}
                for step in row["told"]
            ],
            "last_review": review(row["last_review"]),
            "excused": row["excused"],
        }

    return show


def review(row: Row | None) -> dict[str, Any] | None:
    """What was decided about a clock, when and by whom."""
    if row is None:
        return None
    return picked(row, "action", "cause", "reason", "until") | {
        "at": render.instant(row["reviewed_at"]),
        "by": row["reviewed_by"],
    }


def deadline(clock: Deadline, last_review: Row | None, actor: Actor, now: datetime) -> WithETag:
    """A clock with whose it is, what was last decided, and whether the asker may decide now."""
    may_review = may(actor, "overdue.review") and not is_guest(actor, clock)
    may_review = may_review and clock.is_overdue(now)
    sees_reviews = may(actor, "overdue.read")
    body = render.deadline(clock, now) | {
        "resident_id": clock.resident_id,
        "case_id": clock.case_id,
        "centre_code": clock.centre_code,
        "district_code": clock.district_code,
        "worker_id": clock.worker_id,
        "provider_id": clock.provider_id,
        "field": clock.field,
        "service_code": clock.service_code,
        "priority": clock.priority,
        "excused": clock.excused,
        "extended_until": clock.extended_until,
        "deferred_until": clock.deferred_until,
        "last_review": review(last_review) if sees_reviews else None,
        "allowed_actions": ["review"] if may_review else [],
    }
    return WithETag(covered(body, actor, READ, "deadline"), clock.stamp)


def explanation(
    of: Explanation, recounts: Iterable[Row], sentence: str, actor: Actor
) -> dict[str, Any]:
    """Why a clock shows the date it shows; ``sentence`` says the same in words."""
    body = {
        "start": render.instant(of.start),
        "rule": of.rule,
        "basis": of.basis,
        "target": render.target(of.target),
        "left_out": [{"on": on, "why": why} for on, why in of.left_out],
        "pauses": [render.pause(one) for one in of.pauses],
        "extensions": [_extension(one, actor) for one in of.extensions],
        "standard": render_standards.standard_of_clock(of.standard),
        "recounts": [render_standards.recounted(one) for one in recounts],
        "due_at": render.instant(of.due_at),
        "sentence": sentence,
    }
    return covered(body, actor, READ, "explanation")


def _extension(one: dict[str, Any], actor: Actor) -> dict[str, Any]:
    body = {"until": one["until"], "at": render.instant(one["at"]), "cause": one["cause"]}
    return covered(body, actor, READ, "extension")


def ledger_entry(actor: Actor) -> Callable[[Row], dict[str, Any]]:
    """A raised step, and what a supervisor decided about it."""

    def show(row: Row) -> dict[str, Any]:
        body = picked(row, "tier", "passed_over", "quiet") | {
            "due_at": render.instant(row["due_at"]),
            "at": render.instant(row["at"]),
            "raised_at": render.instant(row["raised_at"]),
            "to": row["tell"],
            "review": review(row) if row["review_id"] is not None else None,
        }
        return covered(body, actor, READ, "step")

    return show


# The summary


def groups(rows: Iterable[Row], lateness: Lateness, since: datetime) -> list[dict[str, Any]]:
    """Overdue clocks counted by their key, the largest group first."""
    by_key: dict[tuple[Any, Any], list[Row]] = defaultdict(list)
    for row in rows:
        by_key[row["key"], row["name"]].append(row)
    found = [
        {
            "key": key,
            "name": name,
            "count": len(of_key),
            "oldest_due_at": render.instant(min(row["due_at"] for row in of_key)),
            "median_working_days_late": median(lateness.of(row) for row in of_key),
            "new": sum(row["due_at"] >= since for row in of_key),
            "excused": sum(bool(row["excused"]) for row in of_key),
        }
        for (key, name), of_key in by_key.items()
    ]
    return sorted(found, key=lambda group: (-group["count"], str(group["key"])))


# Jobs


def run(row: Row) -> dict[str, Any]:
    """A run as it was recorded; without ``ended_at`` it has not ended."""
    return picked(row, "job", "dry_run", "started_by", "error", *COUNTS) | {
        "run_id": row["id"],
        "as_of": render.instant(row["as_of"]),
        "slot": render.instant(row["slot"]),
        "started_at": render.instant(row["started_at"]),
        "ended_at": render.instant(row["ended_at"]),
    }


def job(view: JobView, now: datetime, minutes: int) -> dict[str, Any]:
    """A job as it stands; ``next_tick_at`` is when a scheduler will wake it, if one runs."""
    tick, success = view.last_tick, view.last_success
    ticked_at = tick["ended_at"] if tick else None
    return {
        "every_minutes": minutes,
        "next_tick_at": render.instant(next_slot(now, minutes)),
        "last_tick_at": render.instant(ticked_at),
        "late": ticked_at is None or is_late(ticked_at, now, now, minutes),
        "last_run": run(view.last_run) if view.last_run else None,
        "last_success": run(success) if success else None,
        "in_flight": [run(one) for one in view.in_flight],
    }


def result(of: SweepResult) -> dict[str, Any]:
    """What a run found and did."""
    return {
        "run_id": of.run_id,
        "as_of": render.instant(of.as_of),
        "dry_run": of.dry_run,
        "found": of.found,
        "changed": of.changed,
        "failed": of.failed,
        "held": of.held,
    }


def result_of_run(row: Row) -> dict[str, Any]:
    """The same, of a run that was carried out before."""
    return picked(row, "dry_run", *COUNTS) | {
        "run_id": row["id"],
        "as_of": render.instant(row["as_of"]),
    }

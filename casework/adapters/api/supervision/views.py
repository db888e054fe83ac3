"""Response views of worklist, overdue list, deadlines, ledger and summary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain, repeat
from statistics import median
from typing import Any, Final

from casework.adapters.api.shared import views as shared_views
from casework.adapters.api.shared.views import Lateness, picked
from casework.adapters.api.supervision import standard_views
from casework.adapters.http.responses import WithETag
from casework.domain.access.policy import Actor, is_guest, may
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.explaining import Explanation
from casework.domain.privacy.masks import masked
from casework.workflows.ports.paging import Row

READ = "deadline.read"
_OF_ITEM: Final = (
    "kind",
    "held_by",
    "case_id",
    "case_number",
    "centre_code",
    "worker_id",
    "field",
)


# The directory


# Clocks


def work_item(lateness: Lateness, actor: Actor) -> Callable[[Row], dict[str, Any]]:
    """An item of the worklist; a note to come back to has no ``deadline_id``."""
    sees_resident = may(actor, "case.read")

    def show(row: Row) -> dict[str, Any]:
        is_note = row["subject_type"] == "note"
        body = picked(row, *_OF_ITEM) | {
            "deadline_id": None if is_note else row["id"],
            "note_id": row["id"] if is_note else None,
            "text": row["text"] if is_note else None,
            "subject": {"type": row["subject_type"], "id": row["subject_id"]},
            "resident": None
            if row["resident_id"] is None
            else _person(row, sees_resident=sees_resident),
            "body": _body(row.get("body_id"), row.get("body_name")),
            "provider": _agency(row),
            "due_at": shared_views.instant(row["due_at"]),
            "overdue": bool(row["is_overdue"]),
            "place_offered_at": shared_views.instant(row.get("place_offered_at")),
            "working_days_late": lateness.of(row) if row["is_overdue"] else 0,
        }
        return masked(body, actor, READ, "work item")

    return show


def _body(id: Any, name: str | None) -> dict[str, Any] | None:
    """The body of the programme that holds a clock."""
    return None if id is None else {"id": id, "name": name}


def _person(row: Row, *, sees_resident: bool) -> dict[str, Any]:
    """Whom it is about. Where they live, and that they died, is for those who see the resident."""
    return {
        "id": row["resident_id"],
        "name": row["resident_name"],
        "phone": row["resident_phone"],
        "address": row["resident_address"] if sees_resident else None,
        "died_on": row["resident_died_on"] if sees_resident else None,
    }


def _agency(row: Row) -> dict[str, Any] | None:
    """The agency that is asked, with its telephone, where there is one."""
    if row["provider_id"] is None:
        return None
    return {
        "id": row["provider_id"], "name": row["provider_name"], "phone": row["provider_phone"]
    }  # fmt: skip


def overdue_item(lateness: Lateness, actor: Actor) -> Callable[[Row], dict[str, Any]]:
    """The same item with its tier, who was notified when, and the last review."""
    item = work_item(lateness, actor)

    def show(row: Row) -> dict[str, Any]:
        return item(row) | {
            "tier": row["tier"],
            "told": [
                {
                    "tier": step["tier"],
                    "to": step["tell"],
                    "at": shared_views.instant(step["raised_at"]),
                }
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
        "at": shared_views.instant(row["reviewed_at"]),
        "by": row["reviewed_by"],
    }


def deadline(
    clock: Deadline,
    case_number: str | None,
    body_name: str | None,
    last_review: Row | None,
    actor: Actor,
    now: datetime,
) -> WithETag:
    """A clock with whose it is, what was last decided, and whether the actor may decide now."""
    may_review = may(actor, "overdue.review") and not is_guest(actor, clock)
    may_review = may_review and clock.is_overdue(now) and not clock.is_of_programme
    sees_reviews = may(actor, "overdue.read")
    body = shared_views.deadline(clock, now) | {
        "resident_id": clock.resident_id,
        "case_id": clock.case_id,
        "case_number": case_number,
        "centre_code": clock.centre_code,
        "district_code": clock.district_code,
        "worker_id": clock.worker_id,
        "body": _body(clock.body_id, body_name),
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
    return WithETag(masked(body, actor, READ, "deadline"), clock.stamp)


def explanation(
    of: Explanation, recounts: Iterable[Row], sentence: str, actor: Actor
) -> dict[str, Any]:
    """Why a clock shows the date it shows; ``sentence`` says the same in words."""
    body = {
        "start": shared_views.instant(of.start),
        "rule": of.rule,
        "basis": of.basis,
        "target": shared_views.target(of.target),
        "left_out": [{"on": on, "why": why} for on, why in of.left_out],
        "pauses": [shared_views.pause(one) for one in of.pauses],
        "extensions": [_extension(one, actor) for one in of.extensions],
        "standard": standard_views.standard_of_clock(of.standard),
        "recounts": [standard_views.recounted(one) for one in recounts],
        "due_at": shared_views.instant(of.due_at),
        "sentence": sentence,
    }
    return masked(body, actor, READ, "explanation")


def _extension(one: dict[str, Any], actor: Actor) -> dict[str, Any]:
    body = {"until": one["until"], "at": shared_views.instant(one["at"]), "cause": one["cause"]}
    return masked(body, actor, READ, "extension")


def ledger_entry(actor: Actor) -> Callable[[Row], dict[str, Any]]:
    """A raised step, and what a supervisor decided about it."""

    def show(row: Row) -> dict[str, Any]:
        body = picked(row, "passed_over", "quiet") | {
            "tier": None if row["is_repeated"] else row["tier"],
            "is_repeated": row["is_repeated"],
            "due_at": shared_views.instant(row["due_at"]),
            "at": shared_views.instant(row["at"]),
            "raised_at": shared_views.instant(row["raised_at"]),
            "to": row["tell"],
            "review": review(row) if row["review_id"] is not None else None,
        }
        return masked(body, actor, READ, "step")

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
            "count": sum(row["count"] for row in of_key),
            "oldest_due_at": shared_views.instant(min(row["due_at"] for row in of_key)),
            "median_working_days_late": median(
                chain.from_iterable(repeat(lateness.of(row), row["count"]) for row in of_key)
            ),
            "new": sum(row["count"] for row in of_key if row["due_at"] >= since),
            "excused": sum(row["count"] for row in of_key if row["excused"]),
        }
        for (key, name), of_key in by_key.items()
    ]
    return sorted(found, key=lambda group: (-group["count"], str(group["key"])))


# Jobs

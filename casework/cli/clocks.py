"""The overdue sweep, and when a clock is due."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Annotated

import typer

from casework import operations
from casework.adapters.calendar import korean_calendar
from casework.adapters.persistence.supervision import configuration
from casework.cli.shared import CommandError, Json, opened, read_day, read_instant
from casework.domain.clocks.calendar import KNOWN_YEARS, midnight
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import ClockKind, ClockSubject, Priority
from casework.settings import Settings

app = typer.Typer()


@app.command()
def sweep(
    job: Annotated[str, typer.Argument(help="The only one: overdue.")] = "overdue",
    as_of: Annotated[
        str | None, typer.Option(help="RFC 3339 with offset; now if left out.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Raise every step that is due and not yet raised, lapse and resume referrals."""
    if job != "overdue":
        raise CommandError(f"there is no sweep {job!r}; the only one is overdue")
    moment = read_instant(as_of)
    with opened() as application:
        operations.check_start(application)
        result = application.sweep(application.context(), moment, dry_run)
    if result is None:
        raise CommandError("another sweep took this slot")
    shown = {
        "run_id": result.run_id,
        "as_of": result.as_of.isoformat(),
        "dry_run": result.dry_run,
        "found": result.found,
        "changed": result.changed,
        "failed": result.failed,
        "held": result.held,
    }
    if as_json:
        typer.echo(json.dumps(shown, default=str))
    else:
        typer.echo(f"found {result.found}, changed {result.changed}, failed {result.failed}")


@app.command()
def due(
    kind: Annotated[str, typer.Argument(help="survey, response, first_check, …")],
    from_: Annotated[str, typer.Option("--from", help="The day it starts, YYYY-MM-DD.")],
    to: Annotated[str | None, typer.Option(help="Up to this day, inclusive.")] = None,
    priority: Annotated[str, typer.Option(help="routine, urgent or emergency.")] = "routine",
    district: Annotated[str | None, typer.Option(help="A district's own standards.")] = None,
    as_json: Json = False,
) -> None:
    """When a clock is due that starts on a day, for one day or each day of a range."""
    known = [one.value for one in ClockKind]
    if kind not in known:
        raise CommandError(f"no kind {kind!r}; one of {', '.join(known)}")
    if priority not in [one.value for one in Priority]:
        raise CommandError(f"no priority {priority!r}; one of routine, urgent, emergency")
    first = read_day(from_)
    last = read_day(to) if to else first
    if last < first:
        raise CommandError("--to lies before --from")
    if first.year < KNOWN_YEARS[0] or last.year >= KNOWN_YEARS[-1]:
        raise CommandError(
            f"the holidays are known from {KNOWN_YEARS[0]} to {KNOWN_YEARS[-1]} only"
        )
    rows = _due_rows(ClockKind(kind), first, last, priority, district)
    if as_json:
        typer.echo(json.dumps(rows))
    else:
        for row in rows:
            typer.echo(f"{row['from']}  {row['due_on']}")


def _due_rows(
    kind: ClockKind, first: date, last: date, priority: str, district: str | None
) -> list[dict[str, str]]:
    settings = Settings()
    clockwork = Clockwork(SHIPPED, korean_calendar())  # as shipped: no database is asked
    if settings.database_url:
        with opened(settings) as application:
            clockwork = configuration.read_clockwork(application.engine, korean_calendar)
    about = ClockSubject.for_counting(district_code=district or "", priority=Priority(priority))
    rows = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        due_at = clockwork.due_of(kind, about, midnight(day))
        if due_at is None:
            raise CommandError(f"no standard switches {kind.value} on")
        rows.append(
            {
                "from": day.isoformat(),
                "due_on": due_at.date().isoformat(),
                "due_at": due_at.isoformat(),
            }
        )
    return rows

"""A small town: its clock, its ids, its calendar, its standards and its people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import count
from uuid import UUID

from casework.adapters.calendar import korean_calendar
from casework.domain.access.policy import Actor
from casework.domain.act import Act
from casework.domain.clocks.calendar import SEOUL, WorkingCalendar
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import CareField, Standard
from casework.domain.directory.directory import Offering, Service
from casework.domain.residents.resident import Consent
from tests.factories.people import ActorFactory

_ids = count(1)


@cache
def korean_days() -> WorkingCalendar:
    """The working days of Korea, worked out once."""
    return korean_calendar()


def seoul(text: str) -> datetime:
    """An instant as a clock in Busan shows it: ``2026-04-01T10:00``, or a day at 10:00."""
    at = datetime.fromisoformat(text if "T" in text else f"{text}T10:00")
    return at.replace(tzinfo=SEOUL)


def new_id() -> UUID:
    """Ids that count up, so that a failure reads the same each time."""
    return UUID(int=next(_ids))


def _service(code: str, field: CareField) -> Service:
    return Service(
        code=code,
        field=field,
        name_ko=code,
        name_en=code,
        run_by="city",
        unit="visit",
        limit_note=None,
        basis="Act 18",
        certainty="C",
    )


CATALOGUE = {
    code: _service(code, field)
    for code, field in {
        "CARE-MEALS": CareField.CARE,
        "CARE-HOUSEWORK": CareField.CARE,
        "MED-VISIT": CareField.MEDICAL,
        "NUR-BATH": CareField.NURSING,
    }.items()
}


class Town:
    """The setting of a test. ``now`` is set by the test; nothing here reads a real clock."""

    def __init__(
        self,
        at: str = "2026-04-01T10:00",
        *,
        standards: Sequence[Standard] = SHIPPED,
        calendar: WorkingCalendar | None = None,
    ) -> None:
        self.now = seoul(at)
        self.calendar = calendar or korean_days()
        self.clockwork = Clockwork(standards, self.calendar)
        self.catalogue = CATALOGUE
        self.worker: Actor = ActorFactory(worker=True)
        self.supervisor: Actor = ActorFactory(supervisor=True)
        self.assessor: Actor = ActorFactory(assessor=True)
        self.offerings: dict[UUID, Offering] = {}
        self.consents: dict[UUID, Consent] = {}

    @property
    def today(self) -> date:
        """The day it is."""
        return self.now.date()

    def go_to(self, when: str | datetime) -> Town:
        """Set the clock."""
        self.now = seoul(when) if isinstance(when, str) else when.astimezone(SEOUL)
        return self

    def wait(self, **how_long: float) -> Town:
        """Let time pass: ``wait(days=3)``."""
        self.now += timedelta(**how_long)
        return self

    def act(self, by: Actor | None = None) -> Act:
        """An act of someone (the worker, if nobody is named) at this moment."""
        return Act(by=by or self.worker, at=self.now, new_id=new_id, clockwork=self.clockwork)

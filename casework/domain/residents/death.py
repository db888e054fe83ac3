"""Death is a fact of the resident: nothing opens for the dead unless somebody says so."""

from __future__ import annotations

from datetime import date

from casework.domain.act import Act
from casework.domain.errors import Conflict
from casework.domain.events import EventMetadata
from casework.domain.residents.events import DeathRecorded, DeathTakenBack
from casework.domain.residents.resident import Resident


def record_death(resident: Resident, on: date, act: Act) -> DeathRecorded:
    """The resident died on a day that is not in the future; what was to come back to ends."""
    if resident.died_on is not None:
        raise resident_died(resident.died_on, "the death was recorded before")
    act.not_future(on, "on")
    act.not_before(on, resident.birth_date, "on")
    resident.died_on = on
    return DeathRecorded(_meta(resident, act), died_on=on)


def take_back_death(resident: Resident, act: Act) -> DeathTakenBack:
    """The resident lives after all; what was to come back to is there again."""
    if resident.died_on is None:
        raise Conflict(
            "no death is recorded", code="no_death_recorded", state="alive", allowed_actions=[]
        )
    died_on, resident.died_on = resident.died_on, None
    return DeathTakenBack(_meta(resident, act), died_on=died_on)


def check_lives(died_on: date | None, *, confirmed: bool = False) -> None:
    """Refuse what would open for the dead, unless whoever asks knows of the death."""
    if died_on is not None and not confirmed:
        raise resident_died(died_on, f"the resident died on {died_on}")


def check_lived(died_on: date | None, on: date, *, tells_day: bool) -> None:
    """Refuse what began on the day of a death or after it; an agency is not told which day."""
    if died_on is None or on < died_on:
        return
    if tells_day:
        raise resident_died(died_on, f"the resident died on {died_on}")
    raise Conflict("the resident died", code="resident_died", state="died", allowed_actions=[])


def resident_died(on: date, detail: str) -> Conflict:
    """The refusal that says since when the resident is dead."""
    return Conflict(detail, code="resident_died", state="died", allowed_actions=[], died_on=on)


def _meta(resident: Resident, act: Act) -> EventMetadata:
    return EventMetadata.of(act, resident.id, resident_id=resident.id)

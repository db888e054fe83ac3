"""What a dataclass holds as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from casework.adapters.persistence.rows.plain import as_dict
from casework.domain.casefile.plan import PlannedItem
from casework.domain.clocks.calendar import Pause, PauseSource, Target, Unit
from casework.domain.clocks.standards import EscalationTier, Part

AT = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
DAY = date(2026, 9, 30)


@dataclass
class Box:
    """Something with all kinds of things in it."""

    inner: Any = None
    many: list[Any] = field(default_factory=list)
    named: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    "thing",
    [
        Pause(began_at=AT, until=DAY, reason="away", resumed_at=None, source=PauseSource.CASE),
        EscalationTier(1, Target(2, Unit.WORKING_DAYS), next(iter(Part))),
        PlannedItem(
            id=UUID(int=1), service_code="meals", content="lunch", quantity=Decimal("1.5"),
            unit="hour", per="week", starts_on=DAY, ends_on=DAY, provider_id=None,
        ),
        Box(inner=Box(inner=(1, Box(many=[{"a": [1]}]))), many=[Box()], named={"b": {"c": [2]}}),
    ],
    ids=["pause", "tier", "item", "boxes"],
)  # fmt: skip
def test_the_fields_are_those_that_asdict_has(thing: Any) -> None:
    assert as_dict(thing) == asdict(thing)


def test_what_is_changed_in_place_later_is_not_changed_in_what_was_taken() -> None:
    box = Box(many=[1], named={"a": [1]})
    taken = as_dict(box)
    box.many.append(2)
    box.named["a"].append(2)
    assert taken == {"inner": None, "many": [1], "named": {"a": [1]}}

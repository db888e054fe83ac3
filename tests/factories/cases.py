"""Case files in each state, by the way that leads there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from factory.declarations import LazyFunction, SubFactory, Trait

from casework.domain.casefile.casefile import CaseFile
from casework.domain.cases import intake
from casework.domain.residents.resident import Resident
from tests.factories import moves
from tests.factories.base import Factory
from tests.factories.people import ResidentFactory
from tests.factories.town import Town

STAGES: list[tuple[str, Callable[[Town, CaseFile, Sequence[str]], Any]]] = [
    ("applied", lambda town, file, codes: None),
    ("surveying", lambda town, file, codes: moves.survey(town, file)),
    ("planning", lambda town, file, codes: moves.assess(town, file)),
    ("drafted", lambda town, file, codes: moves.draft(town, file, *codes)),
    ("submitted", lambda town, file, codes: moves.submit(town, file)),
    ("supported", lambda town, file, codes: moves.decide(town, file)),
]


class CaseFileFactory(Factory):
    """A case file, as far as its trait says; everything happens at the town's present moment."""

    class Meta:
        model = CaseFile

    class Params:
        applied = Trait(stage="applied")
        surveying = Trait(stage="surveying")
        planning = Trait(stage="planning")
        drafted = Trait(stage="drafted")
        submitted = Trait(stage="submitted")
        supported = Trait(stage="supported")
        urgent = Trait(is_urgent=True)

    town = LazyFunction(Town)
    resident = SubFactory(ResidentFactory)
    stage = "applied"
    is_urgent = False
    services: Sequence[str] = ("CARE-MEALS",)
    channel = "self"
    applied_on: date | None = None
    discharge_on: date | None = None

    @classmethod
    def _create(
        cls,
        model_class: type[CaseFile],
        *,
        town: Town,
        resident: Resident,
        stage: str,
        is_urgent: bool,
        services: Sequence[str],
        channel: str,
        applied_on: date | None,
        discharge_on: date | None,
    ) -> CaseFile:
        application = intake.CareApplication(
            channel=channel,
            applied_on=applied_on or town.today,
            discharge_on=discharge_on,
            urgent=is_urgent,
            urgent_reason="nothing to eat in the house" if is_urgent else None,
        )
        file = intake.open_case(resident, application, town.act(), town.worker.id)
        for name, reach in STAGES:
            reach(town, file, services)
            if name == stage:
                break
        return file

"""Applications with a broken rule: the stories must catch each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import Engine, insert, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.figures import keeping
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.supervision import come_back, sweeping
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.referral import Referral
from casework.domain.cases import checks_in_error, correcting
from casework.domain.referring import correcting as referral_correcting
from casework.domain.referring import moving
from casework.workflows.access import accounts


@contextmanager
def a_clock_runs_on() -> Iterator[None]:
    """A declined or failed request keeps the clock that ran."""
    proper = moving._follow_clocks

    def careless(file: Any, referral: Any, row: Any, details: Any, act: Any) -> None:
        if row.action not in ("decline", "fail", "cancel"):
            proper(file, referral, row, details, act)

    with patch.object(moving, "_follow_clocks", careless):
        yield


@contextmanager
def a_step_is_told_twice() -> Iterator[None]:
    """A sweep writes the notice of a step again after it has claimed it."""
    proper = sweeping.SqlSweepStore.raise_due

    def careless(self: Any, run_id: UUID, as_of: Any, limit: int) -> Any:
        raised = proper(self, run_id, as_of, limit)
        _tell_again(self._engine, run_id)
        return raised

    with patch.object(sweeping.SqlSweepStore, "raise_due", careless):
        yield


def _tell_again(engine: Engine, run_id: UUID) -> None:
    step = t.escalation.c
    query = select(t.event).join(t.escalation, step.id == t.event.c.id).where(step.run_id == run_id)
    with engine.begin() as connection:
        session_context.set_system_context(connection)
        for row in connection.execute(query).all():
            connection.execute(insert(t.event), [dict(row._mapping) | {"id": new_id()}])


@contextmanager
def an_event_forgets_its_clocks() -> Iterator[None]:
    """The event of a hold leaves out the clocks that it recounts."""
    proper = CaseFile.recount

    def careless(self: CaseFile, deadline: Any, act: Any) -> None:
        proper(self, deadline, act)
        self._touched.pop(deadline.id, None)

    with patch.object(CaseFile, "recount", careless):
        yield


@contextmanager
def a_sweep_overlooks_a_hold() -> Iterator[None]:
    """Holds of a case that ran out are never noticed."""
    with patch.object(sweeping.SqlSweepStore, "cases_to_resume", lambda _self, _as_of: []):
        yield


@contextmanager
def a_call_back_stays_behind() -> Iterator[None]:
    """A call-back stays with who wrote it, wherever its case goes."""
    with patch.object(come_back, "_whose", lambda people, _by: t.note.c.written_by.in_(people)):
        yield


@contextmanager
def who_leaves_keeps_the_cases() -> Iterator[None]:
    """An account is disabled whatever it carries."""
    with patch.object(accounts, "refuse_carrier", lambda _editor, _account: None):
        yield


@contextmanager
def a_correction_counts_nothing() -> Iterator[None]:
    """A correction moves the start of a clock, and leaves its due date."""

    def careless(*_: Any, **__: Any) -> list[Any]:
        return []

    with patch.object(correcting, "recount", careless), \
            patch.object(referral_correcting, "recount", careless):  # fmt: skip
        yield


@contextmanager
def an_early_end_looks_served() -> Iterator[None]:
    """A service that ended early leaves no clock: it looks served."""
    with patch.object(Referral, "served", lambda self, _service: self.status == "completed"):
        yield


@contextmanager
def a_check_in_error_leaves_what_it_began() -> Iterator[None]:
    """A check that never was has the next one still awaited, beside the one that it met."""

    def careless(*_: Any) -> list[Any]:
        return []

    with patch.object(checks_in_error, "begun_by", careless):
        yield


@contextmanager
def what_counted_before_stays() -> Iterator[None]:
    """What changed is added to the kept figures, and what it was is not taken away."""
    proper = keeping.Corrections.add

    def careless(self: keeping.Corrections, entry: Any, times: int) -> None:
        if times > 0:
            proper(self, entry, times)

    with patch.object(keeping.Corrections, "add", careless):
        yield


CONTROLS: dict[str, Callable[[], Any]] = {
    control.__name__: control
    for control in (
        a_clock_runs_on, a_step_is_told_twice, an_event_forgets_its_clocks,
        a_sweep_overlooks_a_hold, a_call_back_stays_behind, who_leaves_keeps_the_cases,
        a_correction_counts_nothing, an_early_end_looks_served,
        a_check_in_error_leaves_what_it_began, what_counted_before_stays,
    )
}  # fmt: skip

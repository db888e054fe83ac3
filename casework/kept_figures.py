"""Keeping the figures: its wiring, beside the composition root."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Final

from casework.adapters.persistence.figures.keeping import CountedElsewhere, figure_keeping
from casework.bootstrap import Application
from casework.domain.clocks.deadlines import Clockwork
from casework.workflows.figures.keeping import Keeping, keep

# So many batches one round counts at most.
BATCHES: Final = 100


def keeping_of(application: Application, wait_s: float = 60.0) -> Keeping:
    """What keeping the figures of an application needs.

    It waits so many seconds for another process that counts, and then raises CountedElsewhere.
    """

    def clockwork() -> Clockwork:
        application.clockwork.forget()
        return application.clockwork()

    return Keeping(
        store=partial(figure_keeping, application.engine, wait_s),
        clockwork=clockwork,
        now=application.now,
    )


def keep_figures(application: Application) -> int:
    """One round: count what waits; returns how many changes were counted.

    It ends where another process counts, which is that of another scheduler.
    """
    counted = 0
    with suppress(CountedElsewhere):
        for changes in islice(keep(keeping_of(application, wait_s=0)), BATCHES):
            counted += changes
    return counted

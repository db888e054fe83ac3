"""Keeping the figures: its wiring, beside the composition root."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Final

from casework.adapters.persistence.figures.keeping import figure_keeping
from casework.bootstrap import Application
from casework.domain.clocks.deadlines import Clockwork
from casework.workflows.figures.keeping import Keeping, keep

# So many batches one round counts at most.
BATCHES: Final = 100


def keeping_of(application: Application) -> Keeping:
    """What keeping the figures of an application needs."""

    def clockwork() -> Clockwork:
        application.clockwork.forget()
        return application.clockwork()

    return Keeping(
        store=partial(figure_keeping, application.engine),
        clockwork=clockwork,
        now=application.now,
    )


def keep_figures(application: Application) -> int:
    """One round: count what waits; returns how many changes were counted."""
    return sum(islice(keep(keeping_of(application)), BATCHES))

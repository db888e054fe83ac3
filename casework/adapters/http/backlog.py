"""The backlog of an installation as metrics: numbers and instants by kind, of no place or person.

An instant is told in seconds since 1970, so that its age is reckoned where it is watched; of what
there is none has no sample.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from casework.workflows.ports.supervision import (
    Backlog,
    ClockBacklog,
    ClockCounts,
    Waiting,
    Watched,
)

# A standard may have any tiers; a label has few values.
HIGHEST_TIER: Final = 5


def collected(watched: Watched) -> CollectorRegistry:
    """All of it, in a registry of its own."""
    metrics = _Metrics()
    metrics.one(
        "casework_backlog_read", "Whether the backlog could be read.", watched.backlog is not None
    )
    if watched.backlog is not None:
        _add_sweep(metrics, watched.backlog)
        _add_queues(metrics, watched.backlog)
    if watched.clocks is not None:
        _add_clocks(metrics, watched.clocks)
    exported = "When heads of the audit were exported last."
    metrics.instant("casework_audit_exported_timestamp_seconds", exported, watched.exported_at)
    for place, space in watched.space.items():
        free, total = "Free bytes on the disk of a place.", "All bytes of it."
        metrics.one("casework_disk_free_bytes", free, space.free, place=place)
        metrics.one("casework_disk_total_bytes", total, space.total, place=place)
    return metrics.registry


def _add_clocks(metrics: _Metrics, counts: ClockCounts) -> None:
    counted = "When the clocks were counted that are told here."
    metrics.instant("casework_clocks_counted_timestamp_seconds", counted, counts.counted_at)
    for clock in counts.clocks:
        running, kind = "Clocks that run, by kind.", clock.kind.value
        metrics.one("casework_clocks_running", running, clock.running, kind=kind)
        for tier, number in _by_tier(clock).items():
            overdue = "Those that are overdue, by the highest tier that was raised."
            metrics.one("casework_clocks_overdue", overdue, number, kind=kind, tier=tier)
        oldest = "When the one was due that is overdue for longest."
        name = "casework_clocks_oldest_overdue_timestamp_seconds"
        metrics.instant(name, oldest, clock.oldest_due_at, kind=kind)


def _add_sweep(metrics: _Metrics, backlog: Backlog) -> None:
    if backlog.sweep is not None:
        sweep = backlog.sweep
        metrics.one("casework_sweep_seconds", "How long the last sweep took.", sweep.seconds)
        metrics.one("casework_sweep_found", "What it found due.", sweep.found)
        metrics.one("casework_sweep_changed", "What it changed.", sweep.changed)
        metrics.one("casework_sweep_failed", "What it could not change.", sweep.failed)


def _by_tier(clock: ClockBacklog) -> dict[str, int]:
    found = dict.fromkeys(("0", "1", "2"), 0)
    for tier, number in clock.overdue.items():
        name = str(min(tier, HIGHEST_TIER))
        found[name] = found.get(name, 0) + number
    return found


def _add_queues(metrics: _Metrics, backlog: Backlog) -> None:
    for name, queue in (
        ("notices", backlog.notices),
        ("messages", backlog.messages),
        ("audit", backlog.unsealed),
        ("imports", backlog.imports),
        ("figures", backlog.figures),
    ):
        metrics.queue(name, queue)
    metrics.one("casework_messages_dead", "Messages that were given up.", backlog.dead_messages)
    resting = "Endpoints that rest after they failed."
    metrics.one("casework_endpoints_resting", resting, backlog.resting_endpoints)
    sealed = "When the last entry of the audit was sealed."
    metrics.instant("casework_audit_sealed_timestamp_seconds", sealed, backlog.sealed_at)


class _Metrics:
    """Gauges by their names, each made when it is first set."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}

    def one(self, name: str, says: str, value: float, **labels: str) -> None:
        """A number."""
        if name not in self._gauges:
            self._gauges[name] = Gauge(name, says, list(labels), registry=self.registry)
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def instant(self, name: str, says: str, at: datetime | None, **labels: str) -> None:
        """An instant, if there is one."""
        if at is not None:
            self.one(name, says, at.timestamp(), **labels)

    def queue(self, name: str, waiting: Waiting) -> None:
        """A queue: how many wait, and since when the first does."""
        self.one("casework_waiting", "What waits in a queue.", waiting.count, queue=name)
        since = "Since when the first waits that could go on."
        self.instant("casework_waiting_since_timestamp_seconds", since, waiting.since, queue=name)

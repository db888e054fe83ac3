"""What the commands of the benchmarks share: how far one is, how it ends, and how it is shown."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress

from casework import bootstrap
from casework.bench.processes import BenchmarkFailed
from casework.bench.sides import Progress as Told
from casework.cli.shared import COLUMNS, CommandError, notes
from casework.settings import Settings

Result = dict[str, Any]


@contextmanager
def ending() -> Iterator[None]:
    """What was started and made is removed on SIGTERM too; why it failed is one line."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    except BenchmarkFailed as error:
        raise CommandError(str(error)) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def measured(measure: Callable[[Told], Result]) -> Result:
    """What it measures, while it is told how far it is."""
    with Progress(*COLUMNS, console=notes) as bar:
        task = bar.add_task("preparing PostgreSQL", total=None)
        return measure(
            Told(
                doing=lambda what: bar.update(task, description=what),
                total=lambda steps: bar.update(task, total=steps),
                step=lambda: bar.advance(task),
            )
        )


def show(result: Result, report: Any, *, as_json: bool) -> None:
    """One JSON document, or the lines and tables that ``report`` makes of it."""
    if as_json:
        typer.echo(json.dumps(result))
        return
    for line in report.lines_of(result):
        typer.echo(line)
    out = Console()
    for table in report.tables_of(result):
        out.print(table)


def opened(settings: Settings, now: Any) -> bootstrap.Application:
    """The product, at the instant that ``now`` tells, or at the present one."""
    return bootstrap.build(settings, now=now or bootstrap.utc_now)

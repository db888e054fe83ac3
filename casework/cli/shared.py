"""What the commands have in common: an open application, options, progress, one-line errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from casework import bootstrap, operations
from casework.settings import Settings

notes = Console(stderr=True)


COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)


Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


Username = Annotated[str, typer.Argument(help="What one signs in with.")]


Residents = Annotated[int, typer.Option(min=0, max=1_000_000, help="Invented residents.")]


Seed = Annotated[int, typer.Option(help="The same seed on the same day, the same world.")]


Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")]


class CommandError(Exception):
    """The command cannot be carried out; the message is the one line that is printed."""


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[bootstrap.Application]:
    """The wired application for one command."""
    application = bootstrap.build(settings or Settings())
    try:
        yield application
    finally:
        application.engine.dispose()


@contextmanager
def opened_current() -> Iterator[bootstrap.Application]:
    """The same, on a database with the present schema."""
    with opened() as application:
        if not operations.is_current(application):
            raise CommandError("the schema is not current: run `casework migrate`")
        yield application


@contextmanager
def opened_ready() -> Iterator[bootstrap.Application]:
    """The same, where nothing that is checked before a start speaks against it."""
    with opened_current() as application:
        operations.check_start(application)
        yield application


def read_instant(text: str | None) -> datetime | None:
    """An instant of RFC 3339 with its offset; None where nothing is given."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None and found.astimezone(UTC):
            return found
    except (ValueError, OverflowError):
        pass
    raise CommandError(f"{text!r} is no instant of RFC 3339 with its offset")


def read_day(text: str) -> date:
    """A date, YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is no date (YYYY-MM-DD)") from None

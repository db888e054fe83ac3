"""Whether the relay sends: see it, pause it, let it go on."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from casework import relay_control
from casework.cli.shared import Json, opened_current, opened_ready
from casework.domain.clocks.calendar import SEOUL

app = typer.Typer(no_args_is_help=True, help="Whether messages leave: see, pause, resume.")


@app.command("status")
def status(as_json: Json = False) -> None:
    """Say whether the relay is paused, since when and why, and how much waits; exit 1 if it is."""
    with opened_current() as application:
        found = relay_control.status(application.engine, application.now())
    said = {
        name: value.astimezone(SEOUL).isoformat() if name.endswith("_at") and value else value
        for name, value in asdict(found).items()
    }
    if as_json:
        typer.echo(json.dumps(said))
    elif found.is_paused:
        typer.echo(f"paused since {said['paused_at']}: {found.because}; {found.waiting} wait")
    else:
        typer.echo(f"sending; {found.waiting} wait")
    if found.is_paused:
        raise typer.Exit(1)


@app.command("pause")
def pause(as_json: Json = False) -> None:
    """Let nothing leave until `sending resume`; what is written meanwhile waits."""
    with opened_ready() as application:
        relay_control.pause_by_operator(application.engine, application.now())
    typer.echo(json.dumps({"is_paused": True}) if as_json else "paused")


@app.command("resume")
def resume(
    set_aside: Annotated[
        bool,
        typer.Option(
            "--set-aside/--send-all",
            help="What was written before the pause: make dead letters of it, which can be"
            " replayed one by one, or send it too.",
        ),
    ] = True,
    as_json: Json = False,
) -> None:
    """Let mails and webhooks leave again, from this database."""
    with opened_ready() as application:
        gone = relay_control.resume(application.engine, application.now(), set_aside=set_aside)
    if as_json:
        typer.echo(json.dumps({"is_paused": False, "set_aside": gone}))
    else:
        typer.echo(f"sending; {gone} messages from before the pause are set aside")

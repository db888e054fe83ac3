"""The database: its schema, its roles, the demo city."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer
from rich.progress import Progress

from casework import bootstrap, operations
from casework.cli.shared import COLUMNS, Json, Residents, Seed, notes, opened
from casework.settings import Settings

app = typer.Typer()


@app.command()
def migrate() -> None:
    """Bring the database to the present schema and load the shipped facts."""
    with opened() as application:
        operations.migrate(application)
    typer.echo("the schema is current")


@app.command()
def roles(
    prefix: Annotated[str | None, typer.Option(help="The prefix of their names.")] = None,
    passwords_from_env: Annotated[
        bool, typer.Option("--passwords-from-env", help="CASEWORK_ROLE_PASSWORD_APP and so on.")
    ] = False,
    print_sql: Annotated[
        bool, typer.Option("--print-sql", help="Print the statements; change nothing.")
    ] = False,
    grant: Annotated[
        bool, typer.Option("--grant", help="Only grant the rights and reinstall the policies.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Create the roles of PostgreSQL (owner, app, scheduler, figures); idempotent.

    Run it as a role that may create roles, before or after the first migration.
    """
    settings = Settings()
    if prefix is not None:
        settings = Settings.model_validate(settings.model_dump() | {"role_prefix": prefix})
    if grant:
        done = operations.grant_roles(settings)
        typer.echo(
            json.dumps(done) if as_json else f"installed policies on {len(done['walled'])} tables"
        )
        return
    passwords = _role_passwords() if passwords_from_env else {}
    done = operations.make_roles(settings, passwords, dry_run=print_sql)
    if as_json:
        typer.echo(json.dumps(done))
    elif print_sql:
        typer.echo("".join(f"{statement};\n" for statement in done["statements"]), nl=False)
    else:
        for name in done["roles"].values():
            typer.echo(f"{'made' if name in done['made'] else 'there'}  {name}")


def _role_passwords() -> dict[str, str]:
    """The passwords from the environment; a role without one keeps its password."""
    variables = {part: f"CASEWORK_ROLE_PASSWORD_{part.upper()}" for part in operations.ROLE_PARTS}
    return {part: os.environ[name] for part, name in variables.items() if os.environ.get(name)}


@app.command()
def seed(residents: Residents = 2000, seed: Seed = 1) -> None:
    """Fill an empty, migrated database with an invented city; never in production."""
    with opened() as application:
        operations.check_keys(application)
        fill(application, residents, seed)
        print_accounts(application)


def fill(application: bootstrap.Application, residents: int, seed: int) -> None:
    """Seed the database, with a progress bar."""
    operations.check_seedable(application)
    with Progress(*COLUMNS, console=notes) as progress:
        task = progress.add_task("residents", total=residents)
        for done in operations.seed(application, residents, seed):
            progress.update(task, completed=done)


def print_accounts(application: bootstrap.Application) -> None:
    """The accounts of the demo, and their one password."""
    typer.echo("accounts: worker.<centre code>, worker2.<centre code>, supervisor.<district code>,")
    typer.echo("          assessor.<district code>, provider.<slug>, city, auditor, admin")
    typer.echo("          for example worker.2635051000, supervisor.26350")
    typer.echo(f"password: {application.settings.demo_password}")

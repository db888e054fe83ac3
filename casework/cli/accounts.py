"""Accounts: who may sign in."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from casework import bootstrap
from casework.cli.shared import CommandError, Json, Username, opened_ready
from casework.domain.access.accounts import NewAccount, canonical_username, role_of
from casework.domain.access.policy import Role
from casework.workflows.access import accounts
from casework.workflows.cases import leaving
from casework.workflows.ports.unit_of_work import RequestFacts

app = typer.Typer(no_args_is_help=True, help="Who may sign in.")


def _register(
    application: bootstrap.Application, what: str, username: str | None = None
) -> accounts.AccountTools:
    return application.register(
        f"casework account {what}", username, as_owner=what == "prune-history"
    )


def _password() -> str:
    """The password: the first line of stdin, or typed twice; never an argument."""
    try:
        if sys.stdin.isatty():
            found: str = typer.prompt(
                "Password", hide_input=True, confirmation_prompt="Once more", err=True
            )
        else:
            found = sys.stdin.readline().rstrip("\r\n")
        found.encode()
    except UnicodeError:
        raise CommandError("the password is not text in UTF-8") from None
    if not found:
        raise CommandError("no password was given: pipe it in, or type it at the prompt")
    return found


@app.command("add")
def account_add(
    username: Username,
    role: Annotated[str, typer.Option(help=", ".join(Role))],
    name: Annotated[str, typer.Option(help="The person, or the system.")],
    centre: Annotated[str | None, typer.Option(help="Of a worker or a system: its code.")] = None,
    district: Annotated[
        str | None, typer.Option(help="Of a supervisor, an assessor or a system.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Of a provider: the agency's slug.")] = None,
    head: Annotated[
        bool, typer.Option("--head", help="Heads the district, or leads the agency.")
    ] = False,
    email: Annotated[str | None, typer.Option(help="Where notices go by mail.")] = None,
    phone: Annotated[str | None, typer.Option(help="Where agencies and colleagues call.")] = None,
) -> None:
    """Add an account. Its first password is read from a pipe, or typed twice."""
    requested = NewAccount(
        username=canonical_username(username), role=role_of(role), name=name,
        centre=centre, district=district,
        provider=provider, is_head=head, email=email, phone=phone,
    )  # fmt: skip
    requested.check()
    with opened_ready() as application:
        accounts.add_account(_register(application, "add", username), requested, _password())
    typer.echo(f"added {username}")


@app.command("list")
def account_list(as_json: Json = False) -> None:
    """List the accounts, those that are disabled too."""
    with opened_ready() as application:
        rows = accounts.list_accounts(_register(application, "list"))
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    for row in rows:
        belongs = row["centre"] or row["district"] or row["provider"] or ""
        marks = ["head"] * row["head"] + ["disabled"] * (not row["active"])
        typer.echo("  ".join([row["username"], row["role"], belongs, row["name"], *marks]))


@app.command("disable")
def account_disable(
    username: Username,
    hand_over_to: Annotated[
        str | None, typer.Option(help="Who gets its open cases: a worker of the same centre.")
    ] = None,
) -> None:
    """Let an account in no longer, from its next request on. What it did stays its own.

    Refused while it carries open cases, unless they are handed over in the same act.
    """
    with opened_ready() as application:
        if hand_over_to is None:
            accounts.set_active(_register(application, "disable", username), username, active=False)
        else:
            facts = RequestFacts(task="casework account disable", asked_for=username)
            ctx = application.context(facts=facts)
            leaving.disable_and_hand_over(ctx, username, canonical_username(hand_over_to))
    given = f"; its open cases go to {hand_over_to}" if hand_over_to else ""
    typer.echo(f"disabled {username}{given}")


@app.command("enable")
def account_enable(username: Username) -> None:
    """Let a disabled account in again, with the password it had."""
    with opened_ready() as application:
        accounts.set_active(_register(application, "enable", username), username, active=True)
    typer.echo(f"enabled {username}")


@app.command("email")
def account_email(
    username: Username,
    address: Annotated[str | None, typer.Argument(help="None is kept if left out.")] = None,
) -> None:
    """Say where the notices of an account go by mail."""
    with opened_ready() as application:
        accounts.set_email(_register(application, "email", username), username, address)
    typer.echo(f"notices of {username} go to {address or 'no address'}")


@app.command("password")
def account_password(username: Username) -> None:
    """Set a new password, read from a pipe or typed twice; ends what is signed in, and a lock."""
    with opened_ready() as application:
        accounts.set_password(_register(application, "password", username), username, _password())
    typer.echo(f"set the password of {username}")


@contextmanager
def open_register(what: str, username: str | None) -> Iterator[accounts.AccountTools]:
    """The dependencies of one account command."""
    with opened_ready() as application:
        yield _register(application, what, username)

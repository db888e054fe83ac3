"""`casework account …`: grants, identities, lost second factors, and who was allowed what when."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from casework.cli.accounts import app as app
from casework.cli.accounts import open_register
from casework.cli.shared import Json, Username, read_instant
from casework.domain.access.grant_log import GrantEntry
from casework.workflows.access import accounts

Action = Annotated[str, typer.Argument(help="Of the policy, for example figures.read.")]


@app.command("grant")
def grant(username: Username, action: Action) -> None:
    """Grant a system an action, as far as what its account belongs to."""
    with open_register("grant", username) as register:
        accounts.change(
            register,
            username,
            "account.grant",
            lambda editor, account: accounts.give(editor, account, action),
        )
    typer.echo(f"granted {action} to {username}")


@app.command("revoke")
def revoke(username: Username, action: Action) -> None:
    """Take a grant away from a system, from its next request on."""
    with open_register("revoke", username) as register:
        accounts.change(
            register,
            username,
            "account.revoke",
            lambda editor, account: accounts.take(editor, account, action),
        )
    typer.echo(f"revoked {action} from {username}")


@app.command("link")
def link(
    username: Username,
    issuer: Annotated[str, typer.Argument(help="As CASEWORK_OIDC_ISSUER has it.")],
    subject: Annotated[str, typer.Argument(help="`sub` of the person's tokens.")],
) -> None:
    """Say who an account is at the identity provider."""
    _identify("link", username, f"{issuer} {subject}")
    typer.echo(f"linked {username}")


@app.command("unlink")
def unlink(username: Username) -> None:
    """Take that back: tokens of the identity provider open this account no longer."""
    _identify("unlink", username, None)
    typer.echo(f"unlinked {username}")


@app.command("reset-totp")
def reset_totp(username: Username) -> None:
    """Remove the second factor that somebody has lost; ends what is signed in."""
    with open_register("reset-totp", username) as register:
        accounts.change(register, username, "account.reset_totp", accounts.drop_totp)
    typer.echo(f"{username} has no second factor")


def _identify(what: str, username: str, external_id: str | None) -> None:
    with open_register(what, username) as register:
        accounts.change(
            register,
            username,
            f"account.{what}",
            lambda editor, account: accounts.identify(editor, account, external_id),
        )


@app.command("history")
def history(
    username: Username,
    at: Annotated[str | None, typer.Option(help="RFC 3339: what was allowed then.")] = None,
    as_json: Json = False,
) -> None:
    """Who allowed an account what, and when; or all that it was allowed at an instant."""
    moment = read_instant(at)
    with open_register("history", username) as register:
        if moment is None:
            entries = accounts.history(register, username)
            _tell([_shown(one) for one in entries], as_json)
        else:
            _tell(accounts.rights_at(register, username, moment), as_json)


@app.command("prune-history")
def prune_history(
    before: Annotated[str, typer.Option(help="RFC 3339, three years ago or more.")],
) -> None:
    """Forget what was superseded before an instant; never what is younger than three years."""
    moment = read_instant(before)
    with open_register("prune-history", None) as register:
        gone = accounts.prune_history(register, moment) if moment else 0
    typer.echo(f"deleted {gone} entries")


def _shown(entry: GrantEntry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "act": entry.act,
        "by": entry.by,
        "about": entry.about,
        "state": entry.state,
    }


def _tell(found: list[dict[str, Any]] | dict[str, Any] | None, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    elif isinstance(found, list):
        for one in found:
            words = (one["at"], one["act"], one["about"] or "", f"by {one['by']}")
            typer.echo("  ".join(word for word in words if word))
    elif found is None:
        typer.echo("there was no such account then")
    else:
        for name, value in found.items():
            typer.echo(f"{name}: {json.dumps(value, ensure_ascii=False)}")

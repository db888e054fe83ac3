"""Response views of accounts and tokens, without any credential."""

from __future__ import annotations

from typing import Any, Final

from casework.adapters.api.shared.views import instant
from casework.adapters.http.responses import WithETag
from casework.domain.access.accounts import Account
from casework.domain.access.policy import Actor
from casework.domain.access.tokens import AccountToken
from casework.workflows.ports.paging import Row

TOKEN: Final = (
    "id", "name", "scopes", "created_at", "expires_at", "last_used_on", "revoked_at",
)  # fmt: skip


def token(row: Row) -> dict[str, Any]:
    """A token, of which nothing but its name tells it from another."""
    return {
        "id": row["id"],
        "name": row["name"],
        "scopes": row["scopes"],
        "created_at": instant(row["created_at"]),
        "expires_at": instant(row["expires_at"]),
        "last_used_on": row["last_used_on"],
        "revoked_at": instant(row["revoked_at"]),
    }


def token_of(it: AccountToken) -> dict[str, Any]:
    """The same, of the domain's object."""
    return token({name: getattr(it, name) for name in TOKEN})


def account(it: Account, open_cases: int) -> WithETag:
    """An account as its administrator sees it."""
    shown = {
        name: getattr(it, name)
        for name in (
            "id", "username", "name", "role", "centre_code", "district_code", "provider_id",
            "is_head", "is_active", "email", "phone", "must_change_password", "has_totp", "grants",
        )
    }  # fmt: skip
    shown |= {"is_linked": it.external_id is not None, "open_cases": open_cases}
    return WithETag(shown, it.version)


def own_account(actor: Actor) -> dict[str, Any]:
    """Who is signed in, how they are called, and how far they see."""
    scope = {
        "centre": actor.centre_code,
        "district": actor.district_code,
        "provider": actor.provider_id,
    }
    return {
        "id": actor.id,
        "username": actor.username,
        "name": actor.name,
        "role": actor.role,
        "is_head": actor.is_head,
        "phone": actor.phone,
        "scope": {k: v for k, v in scope.items() if v is not None},
    }

"""Response schemas of accounts, tokens and signing in."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.shared.responses import ResponseBody, absent
from casework.domain.access.policy import Role


class Tokens(ResponseBody):
    """What a sign-in gives."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    refresh_token: str


class OwnScope(ResponseBody):
    """What an account belongs to; empty where it is not tied to a place."""

    centre: str = absent()
    district: str = absent()
    provider: UUID = absent()


class OwnAccount(ResponseBody):
    """The account that is signed in."""

    id: UUID
    username: str
    name: str
    role: Role
    is_head: bool
    phone: str | None
    scope: OwnScope


class Enrolment(ResponseBody):
    """The secret of a second factor, shown once."""

    secret: str
    otpauth_uri: str


class RecoveryCodeList(ResponseBody):
    """Codes that each replace the second factor once, shown once."""

    recovery_codes: list[str]


class Token(ResponseBody):
    """A token, without anything that could be used to sign in."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: AwareDatetime
    expires_at: AwareDatetime
    last_used_on: date | None
    revoked_at: AwareDatetime | None


class NewToken(Token):
    """A token; the secret is in the answer to the request that made it, and never again."""

    secret: str = absent()


class AccountRow(ResponseBody):
    """Somebody who can be given work."""

    id: UUID
    username: str
    name: str
    role: Role
    centre_code: str | None
    district_code: str | None
    provider_id: UUID | None


class Account(AccountRow):
    """An account as an administrator sees it."""

    is_head: bool
    is_active: bool
    email: str | None
    phone: str | None
    must_change_password: bool
    has_totp: bool
    is_linked: bool
    grants: list[str]
    open_cases: int = Field(description="How many open cases it carries.")

"""What signing in needs from outside: passwords, tokens, the accounts in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.access.grant_log import GrantEntry
from casework.domain.access.tokens import AccountToken
from casework.domain.errors import Refusal
from casework.workflows.ports.paging import Page, Paging
from casework.workflows.ports.vault import Vault


class Unauthenticated(Refusal):
    """Nobody we know is asking; the same words whatever the cause."""

    code = "unauthenticated"


class SignInRefused(Unauthenticated):
    """A refused attempt, written down in the transaction that counted it."""

    code = "invalid_credentials"


class IssuerUnreachable(Refusal):
    """The keys of the identity provider cannot be had, and none are known yet."""

    code = "busy"


class Passwords(Protocol):
    """How passwords are kept and compared."""

    def digest(self, password: str) -> str:
        """What is stored of a password."""
        ...

    def matches(self, digest: str | None, password: str) -> bool:
        """Whether the password is right; takes as long where there is no digest at all."""
        ...


class Tokens(Protocol):
    """What a signed-in client carries."""

    lifetime: timedelta

    def issue(self, account_id: UUID, now: datetime) -> str:
        """An access token for that account."""
        ...

    def account_of(self, token: str, now: datetime) -> UUID:
        """Whose token it is; raises Unauthenticated for anything but a valid one."""
        ...

    def new_secret(self) -> tuple[str, str]:
        """A random refresh token and the digest under which it is stored."""
        ...

    def digest(self, secret: str) -> str:
        """The digest of a secret that was sent."""
        ...

    def random(self, size: int) -> bytes:
        """Bytes that nobody can guess."""
        ...


class Issuer(Protocol):
    """An identity provider whose access tokens are taken."""

    def is_of(self, token: str) -> bool:
        """Whether it says that it comes from there; nothing is believed yet."""
        ...

    def external_id_of(self, token: str, now: datetime) -> str:
        """Issuer and subject of a valid token. Raises Unauthenticated, or IssuerUnreachable."""
        ...


@dataclass(slots=True, kw_only=True)
class RefreshToken:
    """A refresh token as stored; those that descend from one sign-in are a family."""

    id: UUID
    account_id: UUID
    family_id: UUID
    digest: str
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None


class SignInStore(Protocol):
    """Accounts and refresh tokens, in one transaction."""

    def by_username(self, username: str) -> Account | None:
        """The account of that name, locked, active or not."""
        ...

    def locked(self, id: UUID) -> Account | None:
        """An account, locked."""
        ...

    def by_id(self, id: UUID) -> Account | None:
        """An account as it stands now."""
        ...

    def by_external_id(self, external_id: str) -> Account | None:
        """The account that a subject of the identity provider signs in as."""
        ...

    def by_token(self, digest: str) -> tuple[Account, AccountToken] | None:
        """A token and its account, as they stand now."""
        ...

    def note_use(self, token_id: UUID, day: date) -> None:
        """The token was used that day."""
        ...

    def save_attempts(self, account: Account) -> None:
        """The tries that count, and until when the account rests."""
        ...

    def begin_source_try(self, source: str, now: datetime) -> bool:
        """Count a try from there; False where too many failed recently, and nothing is counted."""
        ...

    def take_back_source_try(self, source: str) -> None:
        """It was right, and counts no more."""
        ...

    def totp_sealed(self, account_id: UUID) -> str | None:
        """The sealed secret of an account's second factor, enrolled or half enrolled."""
        ...

    def use_recovery_code(self, account_id: UUID, digest: str, now: datetime) -> bool:
        """Use a recovery code up; False where there is no such unused one."""
        ...

    def save_step(self, account: Account) -> None:
        """The last step of the second factor that was accepted."""
        ...

    def refresh_token(self, digest: str) -> RefreshToken | None:
        """A refresh token by digest, locked."""
        ...

    def add_refresh_token(self, token: RefreshToken) -> None:
        """A new refresh token."""
        ...

    def use_refresh_token(self, id: UUID, now: datetime) -> None:
        """It was exchanged."""
        ...

    def revoke_family(self, family_id: UUID, now: datetime) -> None:
        """Every token that descends from one sign-in is void."""
        ...

    def note(self, account: Account | None, action: str, now: datetime, code: str | None) -> None:
        """The audit entry; ``code`` None says it went well."""
        ...

    def commit(self) -> None:
        """Keep it."""
        ...


class AccountAdministration(Protocol):
    """What is kept of accounts, in a transaction of whoever keeps them."""

    def get(self, id: UUID) -> Account:
        """An account as it stands now. Raises NotFound."""
        ...

    def by_username(self, username: str) -> Account | None:
        """The account of that name, locked."""
        ...

    def locked(self, id: UUID) -> Account | None:
        """An account, locked."""
        ...

    def add(self, account: Account) -> None:
        """A new account. Raises Conflict ``username_taken``."""
        ...

    def save(self, account: Account) -> None:
        """A changed account. Raises Conflict ``already_linked``."""
        ...

    def log(self, entry: GrantEntry) -> None:
        """What the account is allowed from now on."""
        ...

    def entries(self, account_id: UUID) -> list[GrantEntry]:
        """All that was allowed to an account, in order."""
        ...

    def prune(self, before: datetime) -> int:
        """Forget entries that a later one before that instant has superseded; how many."""
        ...

    def sign_out(self, account_id: UUID, now: datetime) -> None:
        """Void every refresh token of an account."""
        ...

    def tokens(self, account_id: UUID) -> list[AccountToken]:
        """The tokens of an account, newest first, ended ones too."""
        ...

    def listed_tokens(self, account_id: UUID, paging: Paging) -> Page:
        """The tokens of an account page by page, newest first, without their digests."""
        ...

    def token(self, id: UUID, *, lock: bool = True) -> AccountToken | None:
        """A token, locked where it is to be changed."""
        ...

    def add_token(self, token: AccountToken) -> None:
        """A new token."""
        ...

    def save_token(self, token: AccountToken) -> None:
        """A token that was revoked."""
        ...

    def totp_sealed(self, account_id: UUID) -> str | None:
        """The sealed secret of an account's second factor, enrolled or half enrolled."""
        ...

    def save_totp_sealed(self, account_id: UUID, sealed: str | None) -> None:
        """Keep this sealed secret, or none."""
        ...

    def save_recovery_codes(self, account_id: UUID, digests: Iterable[str]) -> None:
        """These recovery codes, and no older ones."""
        ...

    def district_of(self, centre_code: str) -> str | None:
        """The district of a centre, or None where there is no such centre."""
        ...

    def has_district(self, code: str) -> bool:
        """Whether there is that district."""
        ...

    def provider_id(self, slug: str) -> UUID | None:
        """The active agency of that slug."""
        ...

    def open_cases(self, account_id: UUID) -> int:
        """How many open cases an account carries."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """What signing in needs."""

    passwords: Passwords
    tokens: Tokens
    store: Callable[[], AbstractContextManager[SignInStore]]
    new_id: Callable[[], UUID]
    vault: Vault
    common: frozenset[str] = frozenset()
    issuer: Issuer | None = None
    totp_is_required: bool = False
    is_local: bool = True


@dataclass(frozen=True, slots=True)
class Issued:
    """What a client gets: lifetime in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int

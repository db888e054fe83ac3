"""The ports of authentication: passwords, tokens, accounts in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.access.grant_log import GrantEntry
from casework.domain.access.tokens import AccountToken, RefreshToken
from casework.domain.errors import Refusal
from casework.domain.notices.outbox import Message
from casework.workflows.ports.paging import Page, Paging
from casework.workflows.ports.vault import Vault


class Unauthenticated(Refusal):
    """The request has no valid credentials; the same answer whatever the cause."""

    code = "unauthenticated"


class SignInRefused(Unauthenticated):
    """A refused attempt, audited in the transaction that counted it."""

    code = "invalid_credentials"


class IssuerUnreachable(Refusal):
    """The identity provider's keys cannot be fetched, and none are cached."""

    code = "busy"


class Passwords(Protocol):
    """How passwords are hashed and compared."""

    # A refusal leaves at a whole multiple of so many seconds after it was asked for, so that how
    # long it took tells nothing of why; 0: at once.
    refusal_step_s: float

    def digest(self, password: str) -> str:
        """The hash of a password, as stored."""
        ...

    def matches(self, digest: str | None, password: str) -> bool:
        """Whether the password is right; takes the same time where there is no digest."""
        ...


class Tokens(Protocol):
    """The tokens of a signed-in client."""

    lifetime: timedelta

    def issue(self, account_id: UUID, now: datetime) -> str:
        """An access token for that account."""
        ...

    def read(self, token: str, now: datetime) -> tuple[UUID, datetime]:
        """The account of a valid access token, and when it was issued, to the second.

        Raises Unauthenticated for any other.
        """
        ...

    def new_secret(self) -> tuple[str, str]:
        """A random refresh token and the digest under which it is stored."""
        ...

    def digest(self, secret: str) -> str:
        """The digest of a received secret."""
        ...

    def random(self, size: int) -> bytes:
        """Cryptographically random bytes."""
        ...


class Issuer(Protocol):
    """An identity provider whose access tokens are accepted."""

    def is_of(self, token: str) -> bool:
        """Whether the token claims this issuer; nothing is verified yet."""
        ...

    def external_id_of(self, token: str, now: datetime) -> str:
        """Issuer and subject of a valid token. Raises Unauthenticated, or IssuerUnreachable."""
        ...


class SignInStore(Protocol):
    """Accounts and refresh tokens, in one transaction."""

    def by_username(self, username: str) -> Account | None:
        """The account of that name, locked, active or not."""
        ...

    def locked(self, id: UUID) -> Account | None:
        """An account, locked."""
        ...

    def by_id(self, id: UUID) -> Account | None:
        """An account, not locked."""
        ...

    def by_external_id(self, external_id: str) -> Account | None:
        """The account that a subject of the identity provider signs in as."""
        ...

    def by_token(self, digest: str) -> tuple[Account, AccountToken] | None:
        """A token and its account, not locked."""
        ...

    def note_use(self, token_id: UUID, day: date) -> None:
        """Record the day of a token's last use."""
        ...

    def save_attempts(self, account: Account) -> None:
        """Save what was tried to sign in to an account, and where that succeeded."""
        ...

    def save_attempts_of_nobody(self, now: datetime) -> None:
        """Write as much for an account that there is not, so that no time tells the two apart."""
        ...

    def may_source_try(self, source: str, now: datetime) -> bool:
        """Whether a source may try; not where too many failed recently."""
        ...

    def note_source_failure(self, source: str, now: datetime) -> None:
        """Count an attempt from a source that failed."""
        ...

    def tell(self, message: Message) -> None:
        """Add a message to the owner of an account."""
        ...

    def totp_sealed(self, account_id: UUID) -> str | None:
        """The encrypted secret of an account's second factor, confirmed or not."""
        ...

    def use_recovery_code(self, account_id: UUID, digest: str, now: datetime) -> bool:
        """Use a recovery code up; False where there is no such unused one."""
        ...

    def save_step(self, account: Account) -> None:
        """Save the last accepted step of the second factor."""
        ...

    def refresh_token(self, digest: str) -> RefreshToken | None:
        """A refresh token by digest, locked."""
        ...

    def add_refresh_token(self, token: RefreshToken) -> None:
        """Add a refresh token."""
        ...

    def use_refresh_token(self, id: UUID, now: datetime) -> None:
        """Mark a refresh token as used."""
        ...

    def revoke_family(self, family_id: UUID, now: datetime) -> None:
        """Revoke every token that descends from one sign-in."""
        ...

    def note(self, account: Account | None, action: str, now: datetime, code: str | None) -> None:
        """Write the audit entry; ``code`` None means success."""
        ...

    def commit(self) -> None:
        """Commit the transaction."""
        ...


class AccountAdministration(Protocol):
    """Stored accounts, in a transaction of their administrator."""

    def get(self, id: UUID) -> Account:
        """An account, not locked. Raises NotFound."""
        ...

    def by_username(self, username: str) -> Account | None:
        """The account of that name, locked."""
        ...

    def locked(self, id: UUID) -> Account | None:
        """An account, locked."""
        ...

    def add(self, account: Account) -> None:
        """Add an account. Raises Conflict ``username_taken``."""
        ...

    def save(self, account: Account) -> None:
        """Save an account. Raises Conflict ``already_linked``."""
        ...

    def log(self, entry: GrantEntry) -> None:
        """Add an entry to the grant log."""
        ...

    def entries(self, account_id: UUID) -> list[GrantEntry]:
        """The grant log of an account, in order."""
        ...

    def prune(self, before: datetime) -> int:
        """Delete entries superseded by a later one before that instant; returns how many."""
        ...

    def sign_out(self, account: Account, now: datetime) -> None:
        """Revoke every refresh token of an account, and end its access tokens."""
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
        """Add a token."""
        ...

    def save_token(self, token: AccountToken) -> None:
        """Save a revoked token."""
        ...

    def totp_sealed(self, account_id: UUID) -> str | None:
        """The encrypted secret of an account's second factor, confirmed or not."""
        ...

    def save_totp_sealed(self, account_id: UUID, sealed: str | None) -> None:
        """Store this encrypted secret, or remove it."""
        ...

    def save_recovery_codes(self, account_id: UUID, digests: Iterable[str]) -> None:
        """Replace the recovery codes."""
        ...

    def district_of(self, centre_code: str) -> str | None:
        """The district of a centre, or None where there is no such centre."""
        ...

    def has_district(self, code: str) -> bool:
        """Whether the district exists."""
        ...

    def provider_id(self, slug: str) -> UUID | None:
        """The active agency of that slug."""
        ...

    def open_cases(self, account_id: UUID) -> int:
        """How many open cases an account carries."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """The dependencies of signing in."""

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
    """The tokens that a client gets; the lifetime is in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int

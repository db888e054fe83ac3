"""Sign-in attempts: begun before the password is compared, then found right or wrong.

One that was begun and is neither, since the process or the database was lost, counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from casework.domain.access import totp
from casework.domain.access.accounts import Account
from casework.domain.access.policy import Role
from casework.domain.access.tries import SIGNED_IN
from casework.domain.notices.outbox import of_wrong_tries
from casework.workflows.ports.access import Authentication, SignInStore
from casework.workflows.ports.vault import Place

# Compared where no second factor is enrolled, so that the time is the same.
NO_SECRET: Final = bytes(totp.SECRET_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The credentials that were sent."""

    password: str
    code: str | None = None
    recovery_code: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt. ``digest`` None: no password can be right."""

    account_id: UUID
    digest: str | None
    at: datetime
    source: str | None

    @property
    def place(self) -> str:
        """Where it counts: for its source, or for those who are signed in."""
        return self.source or SIGNED_IN


def begin_attempt(
    authentication: Authentication, who: str | UUID, source: str | None, now: datetime
) -> Attempt:
    """Count an attempt, for the account and for its source, and commit that.

    A concurrent attempt sees it counted. For an unknown account the same statements run.
    """
    with authentication.store() as store:
        account = store.by_username(who) if isinstance(who, str) else store.locked(who)
        may = source is None or store.may_source_try(source, now)
        counted = account if account is not None else _nobody(authentication, now)
        may = may and counted.count_attempt(source or SIGNED_IN, now)
        may = may and account is not None and account.is_active
        _save(store, account, now)
        store.commit()
    return Attempt(counted.id, counted.password_hash if may else None, now, source)


def _nobody(authentication: Authentication, now: datetime) -> Account:
    """An account that is not stored: of a system that belongs to nothing and may do nothing."""
    return Account(
        id=authentication.new_id(), username="", name="", role=Role.INTEGRATION,
        password_hash="", created_at=now,
    )  # fmt: skip


def settle_attempt(
    authentication: Authentication,
    store: SignInStore,
    tried: Attempt,
    given: Credentials,
    *,
    right: bool,
    with_factor: bool = True,
) -> Account:
    """The account, locked, if all credentials are right.

    Raises WrongCredentials where one is not, having counted that: the caller commits both.
    """
    account = store.locked(tried.account_id)
    sealed = store.totp_sealed(tried.account_id)
    step = accepted_step(authentication, account, sealed, given.code, tried.at)
    if account is None or not right or not _is_as_compared(account, tried):
        _note_wrong(authentication, store, account, tried)
        raise WrongCredentials
    if with_factor and account.has_totp:
        if step is not None:
            account.totp_step = step
            store.save_step(account)
        elif not _recovers(authentication, store, account, given, tried.at):
            _note_wrong(authentication, store, account, tried)
            raise WrongCredentials
    account.note_right(tried.place, tried.at)
    store.save_attempts(account)
    return account


def _is_as_compared(account: Account, tried: Attempt) -> bool:
    """Whether it is active, and its password the one that was compared."""
    return account.is_active and account.password_hash == tried.digest


def _note_wrong(
    authentication: Authentication, store: SignInStore, account: Account | None, tried: Attempt
) -> None:
    """Count a wrong attempt, unless it was never compared; for an unknown account as for any."""
    counted = account if account is not None else _nobody(authentication, tried.at)
    if tried.digest is not None and counted.note_wrong(tried.place, tried.at):
        store.tell(of_wrong_tries(counted, authentication.new_id(), tried.at))
    _save(store, account, tried.at)
    if tried.source is not None:
        store.note_source_failure(tried.source, tried.at)


def _save(store: SignInStore, account: Account | None, now: datetime) -> None:
    if account is None:
        store.save_attempts_of_nobody(now)
    else:
        store.save_attempts(account)


class WrongCredentials(Exception):
    """Some credential is wrong; which one is not disclosed."""


def accepted_step(
    authentication: Authentication,
    account: Account | None,
    sealed: str | None,
    code: str | None,
    now: datetime,
) -> int | None:
    """The step of the second factor that a code belongs to, or None."""
    secret = _secret_of(authentication, account, sealed)
    last = account.totp_step if account is not None else None
    step = totp.accepted_step(secret or NO_SECRET, code or "", now, last)
    return None if secret is None else step


def _secret_of(
    authentication: Authentication, account: Account | None, sealed: str | None
) -> bytes | None:
    """The secret, if one is enrolled and can be decrypted."""
    if account is None or sealed is None:
        return None
    try:
        return totp.from_text(authentication.vault.decrypt(sealed, place_of(account)))
    except ValueError:  # copied from another row, or its key is gone: no code is right
        return None


def place_of(account: Account) -> Place:
    """Where the secret of a second factor is stored."""
    return Place("account", "totp_sealed", account.id)


def _recovers(
    authentication: Authentication,
    store: SignInStore,
    account: Account,
    given: Credentials,
    now: datetime,
) -> bool:
    if given.recovery_code is None:
        return False
    digest = authentication.tokens.digest(totp.plain_recovery_code(given.recovery_code))
    return store.use_recovery_code(account.id, digest, now)

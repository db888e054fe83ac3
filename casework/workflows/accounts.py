"""Keeping accounts: adding them, letting them in or no longer, and giving them passwords."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from casework.domain.accounts import Account, NewAccount, check_email, check_password
from casework.domain.errors import NotFound, require
from casework.workflows.signing_in import Passwords


class RegisterBook(Protocol):
    """The accounts with what they belong to, in one transaction."""

    def by_username(self, username: str) -> Account | None:
        """The account of that name, locked."""
        ...

    def add(self, account: Account) -> None:
        """A new account. Raises Conflict ``username_taken``."""
        ...

    def save(self, account: Account) -> None:
        """A changed account."""
        ...

    def sign_out(self, account_id: UUID, now: datetime) -> None:
        """Void every refresh token of an account."""
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

    def every(self) -> list[dict[str, Any]]:
        """Every account, by user name, with nothing of its password."""
        ...

    def note_by_system(self, action: str, now: datetime) -> None:
        """The audit entry: at the command line it is the system that acts."""
        ...

    def commit(self) -> None:
        """Keep it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What keeping accounts needs."""

    passwords: Passwords
    new_id: Callable[[], UUID]
    now: Callable[[], datetime]
    book: Callable[[], AbstractContextManager[RegisterBook]]


def add_account(register: Register, asked: NewAccount, password: str) -> UUID:
    """A new account; returns its id."""
    asked.check()
    check_password(password, asked.username)
    password_hash = register.passwords.digest(password)  # slow, and so before the transaction
    with register.book() as book:
        account = Account(
            id=register.new_id(),
            username=asked.username,
            name=asked.name.strip(),
            role=asked.role,
            password_hash=password_hash,
            created_at=register.now(),
            is_head=asked.is_head,
            email=asked.email,
            **_belonging(book, asked),
        )
        book.add(account)
        book.note_by_system("account.add", register.now())
        book.commit()
        return account.id


def _belonging(book: RegisterBook, asked: NewAccount) -> dict[str, Any]:
    """The codes and the id of what the account belongs to, which must be there."""
    if asked.centre is not None:
        district = book.district_of(asked.centre)
        require(district, "no such centre", code="unknown_centre", field="centre")
        return {"centre_code": asked.centre, "district_code": district}
    if asked.district is not None:
        known = book.has_district(asked.district)
        require(known, "no such district", code="unknown_district", field="district")
        return {"district_code": asked.district}
    if asked.provider is not None:
        provider = book.provider_id(asked.provider)
        require(provider, "no such provider", code="unknown_provider", field="provider")
        return {"provider_id": provider}
    return {}


def list_accounts(register: Register) -> list[dict[str, Any]]:
    """Every account, by user name."""
    with register.book() as book:
        rows = book.every()
        book.note_by_system("account.list", register.now())
        book.commit()
    return rows


def let_in(register: Register, username: str, *, active: bool) -> int:
    """Let an account in, or no longer, at once; returns how many open cases it carries."""
    with register.book() as book:
        account = _known(book, username)
        if account.is_active != active:
            account.is_active = active
            book.save(account)
            book.sign_out(account.id, register.now())
        cases = book.open_cases(account.id)
        book.note_by_system("account.enable" if active else "account.disable", register.now())
        book.commit()
    return cases


def set_email(register: Register, username: str, email: str | None) -> None:
    """Where an account's notices go by mail; None where it is to get none."""
    check_email(email)
    with register.book() as book:
        account = _known(book, username)
        account.email = email
        book.save(account)
        book.note_by_system("account.email", register.now())
        book.commit()


def set_password(register: Register, username: str, password: str) -> None:
    """A new password; whoever is signed in with the old one is signed out."""
    check_password(password, username)
    password_hash = register.passwords.digest(password)
    with register.book() as book:
        account = _known(book, username)
        account.take_password(password_hash)
        book.save(account)
        book.sign_out(account.id, register.now())
        book.note_by_system("account.password", register.now())
        book.commit()


def _known(book: RegisterBook, username: str) -> Account:
    # What was typed may be no text at all, which no database is to be asked for.
    account = book.by_username(username) if username.isprintable() else None
    if account is None:
        raise NotFound(f"no account {username!r}")
    return account

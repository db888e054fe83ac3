"""Account administration: adding accounts, changing their rights, enabling and disabling them.

The command line acts as the system, HTTP requests as an administrator; the functions below take
the transaction of either. Each change of an account's rights is written to its grant log.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from casework.domain.access.accounts import Account, NewAccount, check_email, check_password
from casework.domain.access.grant_log import GrantAct, GrantEntry, check_prunable, entry_of, replay
from casework.domain.access.policy import SYSTEM, Actor, Role, grantable
from casework.domain.errors import Conflict, NotFound, require
from casework.domain.text import clean_line
from casework.workflows.access import securing
from casework.workflows.ports.access import AccountAdministration, Passwords

MAX_EXTERNAL_ID_LENGTH: Final = 512


class CommandLineAccounts(AccountAdministration, Protocol):
    """The accounts with what they belong to, in one transaction of the command line."""

    def every(self) -> list[dict[str, Any]]:
        """Every account, by user name, without its password hash."""
        ...

    def note_by_system(self, action: str, now: datetime) -> None:
        """The audit entry: at the command line it is the system that acts."""
        ...

    def commit(self) -> None:
        """Commit the transaction."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTools:
    """The dependencies of account administration."""

    passwords: Passwords
    new_id: Callable[[], UUID]
    now: Callable[[], datetime]
    store: Callable[[], AbstractContextManager[CommandLineAccounts]]
    common: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AccountEditor:
    """The administering actor, the time and the transaction."""

    register: AccountAdministration
    by: Actor
    now: datetime
    new_id: Callable[[], UUID]

    def log(self, account: Account, act: GrantAct, about: str | None = None) -> None:
        """Write the account's rights from now on to its grant log."""
        entry = entry_of(account, act, self.by, self.now, self.new_id(), about)
        self.register.log(entry)

    def save(self, account: Account, act: GrantAct, about: str | None = None) -> None:
        """Save a changed account and log the change."""
        self.register.save(account)
        self.log(account, act, about)


# Changes of an account, in the transaction of the caller


def create(editor: AccountEditor, requested: NewAccount, password_hash: str) -> UUID:
    """Create an account whose owner must change the password first."""
    account = Account(
        id=editor.new_id(),
        username=requested.username,
        name=clean_line(requested.name),
        role=requested.role,
        password_hash=password_hash,
        created_at=editor.now,
        is_head=requested.is_head,
        email=requested.email,
        phone=requested.phone,
        must_change_password=True,
        **belonging(editor.register, requested),
    )
    editor.register.add(account)
    editor.log(account, GrantAct.CREATED)
    return account.id


def belonging(store: AccountAdministration, requested: NewAccount) -> dict[str, Any]:
    """The codes and the id of what the account belongs to, which must exist."""
    if requested.centre is not None:
        district = store.district_of(requested.centre)
        require(district, "no such centre", code="unknown_centre", field="centre")
        return {"centre_code": requested.centre, "district_code": district}
    if requested.district is not None:
        known = store.has_district(requested.district)
        require(known, "no such district", code="unknown_district", field="district")
        return {"district_code": requested.district}
    if requested.provider is not None:
        provider = store.provider_id(requested.provider)
        require(provider, "no such provider", code="unknown_provider", field="provider")
        return {"provider_id": provider}
    return {}


def move(editor: AccountEditor, account: Account, requested: NewAccount) -> None:
    """Change role or place; the account loses grants, sessions and tokens of the old one."""
    requested.check()
    place: dict[str, Any] = {"centre_code": None, "district_code": None, "provider_id": None}
    place |= belonging(editor.register, requested)
    place |= {"role": requested.role, "is_head": requested.is_head}
    if all(getattr(account, name) == value for name, value in place.items()):
        return
    refuse_carrier(editor, account)
    for name, value in place.items():
        setattr(account, name, value)
    account.grants = []
    end_credentials(editor, account)
    editor.save(account, GrantAct.CHANGED)


def refuse_carrier(editor: AccountEditor, account: Account) -> None:
    """Refuse while the account carries open cases: they would be nobody's."""
    carried = editor.register.open_cases(account.id)
    if carried:
        raise Conflict("hand its open cases over first", code="carries_cases", cases=carried)


def activate(editor: AccountEditor, account: Account, *, active: bool) -> None:
    """Enable or disable an account; disabling ends its sessions and revokes its tokens.

    An account that carries open cases is not disabled.
    """
    if account.is_active == active:
        return
    if not active:
        refuse_carrier(editor, account)
    account.is_active = active
    end_credentials(editor, account)
    editor.save(account, GrantAct.ENABLED if active else GrantAct.DISABLED)


def end_credentials(editor: AccountEditor, account: Account) -> None:
    """End every session of an account, and every token."""
    securing.end_credentials(editor.register, account, editor.by, editor.now, editor.new_id)


def reset_password(editor: AccountEditor, account: Account, password_hash: str) -> None:
    """Set a password that its owner must change; ends all sessions and tokens."""
    account.take_password(password_hash, first=True)
    end_credentials(editor, account)
    editor.save(account, GrantAct.PASSWORD_RESET)


def drop_totp(editor: AccountEditor, account: Account) -> None:
    """Remove the second factor that the owner has lost."""
    account.drop_totp()
    editor.register.save_totp_sealed(account.id, None)
    editor.register.save_recovery_codes(account.id, ())
    editor.register.sign_out(account, editor.now)
    editor.save(account, GrantAct.TOTP_REMOVED)


def give(editor: AccountEditor, account: Account, action: str) -> None:
    """Grant a system's account an action, within the scope it belongs to."""
    require(
        action in grantable(account.actor()) and account.role is Role.INTEGRATION,
        "not an action that this account can be granted",
        code="not_grantable",
        field="action",
    )
    if action not in account.grants:
        account.grants = sorted([*account.grants, action])
        editor.save(account, GrantAct.GRANTED, action)


def take(editor: AccountEditor, account: Account, action: str) -> None:
    """Revoke a grant and every token: granted again, it must not revive one that was given out."""
    if action not in account.grants:
        raise NotFound("no such grant")
    account.grants = [one for one in account.grants if one != action]
    end_credentials(editor, account)
    editor.save(account, GrantAct.GRANT_REVOKED, action)


def identify(editor: AccountEditor, account: Account, external_id: str | None) -> None:
    """Link the account to an identity at the identity provider; None unlinks it.

    Whoever was signed in by the identity of before keeps no token.
    """
    require(
        external_id is None or len(external_id) <= MAX_EXTERNAL_ID_LENGTH,
        f"issuer and subject have at most {MAX_EXTERNAL_ID_LENGTH} characters",
        code="identity_invalid",
        field="subject",
    )
    if account.external_id != external_id:
        if account.external_id is not None:
            end_credentials(editor, account)
        account.external_id = external_id
        editor.save(account, GrantAct.LINKED if external_id else GrantAct.UNLINKED)


# At the command line


def add_account(register: AccountTools, requested: NewAccount, password: str) -> UUID:
    """Add an account; returns its id."""
    requested.check()
    check_password(password, requested.username, register.common)
    password_hash = register.passwords.digest(password)  # slow, so outside the transaction
    with register.store() as store:
        id = create(_system(register, store), requested, password_hash)
        store.note_by_system("account.add", register.now())
        store.commit()
        return id


def list_accounts(register: AccountTools) -> list[dict[str, Any]]:
    """Every account, by user name."""
    with register.store() as store:
        rows = store.every()
        store.note_by_system("account.list", register.now())
        store.commit()
    return rows


def set_active(register: AccountTools, username: str, *, active: bool) -> None:
    """Enable or disable an account at once."""
    change(
        register, username, "account.enable" if active else "account.disable",
        lambda editor, account: activate(editor, account, active=active),
    )  # fmt: skip


def set_email(register: AccountTools, username: str, email: str | None) -> None:
    """Set the mail address for an account's notices; None for no mail."""
    check_email(email)
    with register.store() as store:
        account = _known(store, username)
        account.email = email
        store.save(account)
        store.note_by_system("account.email", register.now())
        store.commit()


def set_password(register: AccountTools, username: str, password: str) -> None:
    """Set a password that its owner must change; ends all sessions."""
    check_password(password, username, register.common)
    password_hash = register.passwords.digest(password)
    change(
        register, username, "account.password",
        lambda editor, account: reset_password(editor, account, password_hash),
    )  # fmt: skip


def change(
    register: AccountTools,
    username: str,
    action: str,
    what: Callable[[AccountEditor, Account], object],
) -> None:
    """Change an account as the system, in one transaction."""
    with register.store() as store:
        what(_system(register, store), _known(store, username))
        store.note_by_system(action, register.now())
        store.commit()


def history(register: AccountTools, username: str) -> list[GrantEntry]:
    """The grant log of an account, in order."""
    with register.store() as store:
        entries = store.entries(_known(store, username).id)
        store.note_by_system("account.history", register.now())
        store.commit()
    return entries


def rights_at(register: AccountTools, username: str, at: datetime) -> dict[str, Any] | None:
    """An account's rights at an instant; None before it existed."""
    return replay(history(register, username), at)


def prune_history(register: AccountTools, before: datetime, *, dry_run: bool = False) -> int:
    """Delete entries superseded before an instant at least three years ago; returns how many.

    A ``dry_run`` says how many there are.
    """
    check_prunable(before, register.now())
    with register.store() as store:
        gone = store.prune(before)
        if not dry_run:
            store.note_by_system("account.prune", register.now())
            store.commit()
    return gone


def as_asked(account: Account, provider: str | None) -> NewAccount:
    """The account as a creation request, ``provider`` being its agency's slug."""
    belongs_to_centre = account.centre_code is not None
    return NewAccount(
        username=account.username,
        role=account.role,
        name=account.name,
        centre=account.centre_code,
        district=None if belongs_to_centre else account.district_code,
        provider=provider,
        is_head=account.is_head,
        email=account.email,
        phone=account.phone,
    )


def moved(requested: NewAccount, changes: dict[str, Any]) -> NewAccount:
    """The same with another role or place. A change of either must name all that it needs."""
    if not {"role", "centre", "district", "provider", "is_head"} & set(changes):
        return requested
    gone = {"centre": None, "district": None, "provider": None, "is_head": False}
    return replace(requested, **(gone | changes))


def _system(register: AccountTools, store: AccountAdministration) -> AccountEditor:
    return AccountEditor(store, SYSTEM, register.now(), register.new_id)


def _known(store: AccountAdministration, username: str) -> Account:
    # The input may not be valid text, which must not reach a database query.
    account = store.by_username(username) if username.isprintable() else None
    if account is None:
        raise NotFound(f"no account {username!r}")
    return account

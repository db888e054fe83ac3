"""Accounts: who may sign in, as which role, belonging to what."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from casework.domain.access import tries
from casework.domain.access.policy import Actor, CredentialScope, Role
from casework.domain.access.tries import Try
from casework.domain.errors import require
from casework.domain.text import clean_line

PASSWORD_LENGTHS: Final = range(12, 1025)
NAME_LENGTHS: Final = range(1, 121)
# Lower case only: accounts that differ only in case are indistinguishable in a list.
# The user name of an agency that answers by link: this prefix and its slug. It cannot sign in.
BY_LINK: Final = "link."
USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,119}")
EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
MAX_EMAIL_LENGTH: Final = 254
# What an account of a role belongs to; the others belong to the city as a whole.
BELONGS_TO: Final[dict[Role, str]] = {
    Role.WORKER: "centre",
    Role.SUPERVISOR: "district",
    Role.ASSESSOR: "district",
    Role.PROVIDER: "provider",
}
# A system belongs to one of these, or to none, and then it is granted nothing.
SYSTEM_BELONGS_TO: Final = ("centre", "district", "provider")
# Who enrols a second factor: everyone who works for the city or a district.
STAFF: Final = frozenset(Role) - {Role.PROVIDER, Role.INTEGRATION}
CHANGE_PASSWORD: Final = CredentialScope(
    frozenset({"account.self", "account.secure"}), "password_change_required"
)
ENROL: Final = CredentialScope(
    CHANGE_PASSWORD.actions | {"account.second_factor"}, "totp_enrolment_required"
)


@dataclass(slots=True, kw_only=True)
class Account:
    """The account of a person or system, with its role and the place or agency it belongs to."""

    id: UUID
    username: str
    name: str
    role: Role
    password_hash: str
    created_at: datetime
    centre_code: str | None = None
    district_code: str | None = None
    provider_id: UUID | None = None
    is_head: bool = False
    is_active: bool = True
    email: str | None = None
    # Where those whom this one asks, and who ask back, call.
    phone: str | None = None
    # The tries of the last hour that were wrong, and those that are being compared.
    tries: list[Try] = field(default_factory=list)
    # Where it was signed in to, and when last.
    signed_in_from: dict[str, datetime] = field(default_factory=dict)
    # When all that had been given out was ended.
    signed_out_at: datetime | None = None
    must_change_password: bool = False
    is_demo: bool = False
    external_id: str | None = None
    totp_confirmed_at: datetime | None = None
    totp_step: int | None = None
    grants: list[str] = field(default_factory=list)
    version: int = 1

    @property
    def has_totp(self) -> bool:
        """Whether signing in requires a second factor."""
        return self.totp_confirmed_at is not None

    def lets_in(self, issued_at: datetime) -> bool:
        """Whether an access token of that instant still counts.

        Tokens tell whole seconds, so one of the very second of signing out is of after it.
        """
        ended = self.signed_out_at
        return self.is_active and (ended is None or issued_at > ended - timedelta(seconds=1))

    def due_first(self, *, totp_is_required: bool) -> CredentialScope | None:
        """The scope of a password sign-in that must first change something, or None."""
        if self.must_change_password:
            return CHANGE_PASSWORD
        if totp_is_required and self.role in STAFF and not self.has_totp:
            return ENROL
        return None

    def actor(self, credential_scope: CredentialScope | None = None) -> Actor:
        """The actor of this account, with a credential that may have a narrower scope."""
        return Actor(
            id=self.id,
            role=self.role,
            name=self.name,
            username=self.username,
            centre_code=self.centre_code,
            district_code=self.district_code,
            provider_id=self.provider_id,
            is_head=self.is_head,
            phone=self.phone,
            grants=frozenset(self.grants),
            credential_scope=credential_scope,
        )

    def actor_for(self, issued_at: datetime, *, totp_is_required: bool) -> Actor | None:
        """The actor of an access token of that instant; None where it lets nobody in."""
        if not self.lets_in(issued_at):
            return None
        return self.actor(self.due_first(totp_is_required=totp_is_required))

    def count_attempt(self, source: str, now: datetime) -> bool:
        """Count a try before it is compared; False where this place has to wait."""
        self.tries = tries.still_counted(self.tries, now)
        if not tries.may_begin(self.tries, self.signed_in_from, source, now):
            return False
        self.tries.append(Try(now, source))
        return True

    def note_wrong(self, source: str, at: datetime) -> bool:
        """The try of then was wrong; returns whether the owner is to be told."""
        self.tries = tries.after_wrong(self.tries, at, source)
        return tries.is_told(self.tries, at)

    def note_right(self, source: str, at: datetime) -> None:
        """The try of then was right, and is no try any more; wrong ones stay counted."""
        self.tries = tries.after_right(self.tries, at, source)
        self.signed_in_from = tries.remembered(self.signed_in_from, source, at)

    def take_password(self, password_hash: str, *, first: bool = False) -> None:
        """Set a password and clear the failed attempts.

        One set by somebody else is a ``first`` password: its owner must change it.
        """
        self.password_hash, self.must_change_password, self.tries = password_hash, first, []

    def drop_totp(self) -> None:
        """Remove the second factor."""
        self.totp_confirmed_at, self.totp_step = None, None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """A creation request: a centre or district by code, an agency by its slug."""

    username: str
    role: Role
    name: str
    centre: str | None = None
    district: str | None = None
    provider: str | None = None
    is_head: bool = False
    email: str | None = None
    phone: str | None = None

    def check(self) -> None:
        """Refuse an invalid account, before a password is requested."""
        require(
            USERNAME.fullmatch(self.username),
            "a user name has 2 to 120 of a-z, 0-9 and . _ @ + -, and begins with one of the first",
            code="username_invalid",
            field="username",
        )
        require(
            not self.username.startswith(BY_LINK),
            f"{BY_LINK}… is for agencies that answer by link",
            code="username_invalid",
            field="username",
        )
        check_name(self.name)
        check_email(self.email)
        self._check_belonging(self._belongs_to())
        require(
            self.role in (Role.SUPERVISOR, Role.PROVIDER) or not self.is_head,
            "only a supervisor heads a district, and only an agency's account leads its agency",
            code="head_is_supervisor",
            field="head",
        )

    def _belongs_to(self) -> str | None:
        """The kind of place that the role belongs to; a system states its own."""
        if self.role == Role.INTEGRATION:
            named = [kind for kind in SYSTEM_BELONGS_TO if getattr(self, kind) is not None]
            return named[0] if named else None
        return BELONGS_TO.get(self.role)

    def _check_belonging(self, belongs_to: str | None) -> None:
        """Refuse unless exactly the place that the role requires is named."""
        for kind in ("centre", "district", "provider"):
            named = getattr(self, kind)
            wanted, given = kind == belongs_to, bool(named and named.isprintable())
            require(
                wanted or named is None,
                f"an account of the role {self.role} belongs to no {kind}",
                code="belongs_elsewhere",
                field=kind,
            )
            require(
                given or not wanted,
                f"an account of the role {self.role} needs its {kind}",
                code="belonging_required",
                field=kind,
            )


def role_of(text: str) -> Role:
    """The role of that name; refuses one that there is not."""
    require(
        text in list(Role), f"no such role; one of {', '.join(Role)}",
        code="unknown_role", field="role",
    )  # fmt: skip
    return Role(text)


def canonical_username(given: str) -> str:
    """A user name as it is stored, however it was typed: capitals make no difference."""
    return clean_line(given).lower()


def check_name(name: str) -> None:
    """Refuse an invalid name of a person, a system or a token."""
    require(
        name.isprintable() and len(clean_line(name)) in NAME_LENGTHS,
        "a name has 1 to 120 printable characters",
        code="name_invalid",
        field="name",
    )


def check_email(email: str | None) -> None:
    """Refuse an invalid mail address; None means that none is known."""
    require(
        email is None or (len(email) <= MAX_EMAIL_LENGTH and EMAIL.fullmatch(email)),
        "not an address of the form name@host",
        code="email_invalid",
        field="email",
    )


def check_password(
    password: str, username: str, common: Container[str] = (), field: str = "password"
) -> None:
    """Refuse a password that is too short, too long, the user name, or a common one."""
    require(
        len(password) in PASSWORD_LENGTHS,
        f"a password has at least {PASSWORD_LENGTHS.start} characters, and at most 1024",
        code="password_length",
        field=field,
    )
    bare = "".join(password.split()).lower()
    require(
        bare != canonical_username(username),
        "a password is not the user name",
        code="password_is_username",
        field=field,
    )
    require(
        bare not in common and bare.rstrip("0123456789!@#$*.~") not in common,
        "a password is not one of the commonest",
        code="password_common",
        field=field,
    )

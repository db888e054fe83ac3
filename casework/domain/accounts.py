"""Accounts: who may sign in, as which role, belonging to what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from casework.domain.access import Actor, Role
from casework.domain.errors import require

MAY_FAIL: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
PASSWORD_LENGTHS: Final = range(12, 1025)
NAME_LENGTHS: Final = range(1, 121)
# Small letters only: two accounts that differ in a capital are one to whoever reads a list.
USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,119}")
EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
LONGEST_EMAIL: Final = 254
# What an account of a role belongs to; the others belong to the city as a whole.
BELONGS_TO: Final[dict[Role, str]] = {
    Role.WORKER: "centre",
    Role.SUPERVISOR: "district",
    Role.ASSESSOR: "district",
    Role.PROVIDER: "provider",
}


@dataclass(slots=True, kw_only=True)
class Account:
    """One person's (or system's) way in. The role's scope is the code or agency it names."""

    id: UUID
    username: str
    name: str
    role: str
    password_hash: str
    created_at: datetime
    centre_code: str | None = None
    district_code: str | None = None
    provider_id: UUID | None = None
    is_head: bool = False
    is_active: bool = True
    email: str | None = None
    failed_attempts: int = 0
    locked_until: datetime | None = None

    def actor(self) -> Actor:
        """Who this account acts as."""
        return Actor(
            id=self.id,
            role=self.role,
            name=self.name,
            username=self.username,
            centre_code=self.centre_code,
            district_code=self.district_code,
            provider_id=self.provider_id,
            is_head=self.is_head,
        )

    def is_locked(self, now: datetime) -> bool:
        """Whether too many wrong passwords lock it for a while."""
        return self.locked_until is not None and now < self.locked_until

    def note_failure(self, now: datetime) -> None:
        """A wrong password; after five in a row the account rests for fifteen minutes."""
        self.failed_attempts += 1
        if self.failed_attempts >= MAY_FAIL:
            self.failed_attempts, self.locked_until = 0, now + LOCKED_FOR

    def note_success(self) -> None:
        """The right password."""
        self.failed_attempts, self.locked_until = 0, None

    def take_password(self, password_hash: str) -> None:
        """A new password, and nothing held against the account any longer."""
        self.password_hash = password_hash
        self.note_success()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account as it is asked for: a centre or district by code, an agency by its slug."""

    username: str
    role: str
    name: str
    centre: str | None = None
    district: str | None = None
    provider: str | None = None
    is_head: bool = False
    email: str | None = None

    def check(self) -> None:
        """Refuse what no account can be, before anybody is asked for a password."""
        require(
            USERNAME.fullmatch(self.username),
            "a user name has 2 to 120 of a-z, 0-9 and . _ @ + -, and begins with one of the first",
            code="username_invalid",
            field="username",
        )
        known = [one.value for one in Role]
        require(
            self.role in known, f"no such role; one of {', '.join(known)}",
            code="unknown_role", field="role",
        )  # fmt: skip
        require(
            self.name.isprintable() and len(self.name.strip()) in NAME_LENGTHS,
            "a name has 1 to 120 printable characters",
            code="name_invalid",
            field="name",
        )
        check_email(self.email)
        self._check_belonging(BELONGS_TO.get(Role(self.role)))
        require(
            self.role == Role.SUPERVISOR or not self.is_head,
            "only a supervisor heads a district",
            code="head_is_supervisor",
            field="head",
        )

    def _check_belonging(self, belongs_to: str | None) -> None:
        """Exactly what the role asks for is named, and nothing else."""
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


def check_email(email: str | None) -> None:
    """Refuse what no mail server would take; None means that none is known."""
    require(
        email is None or (len(email) <= LONGEST_EMAIL and EMAIL.fullmatch(email)),
        "not an address of the form name@host",
        code="email_invalid",
        field="email",
    )


def check_password(password: str, username: str) -> None:
    """Refuse a password that is short, endless, or the user name over again."""
    require(
        len(password) in PASSWORD_LENGTHS,
        f"a password has at least {PASSWORD_LENGTHS.start} characters, and at most 1024",
        code="password_length",
        field="password",
    )
    require(
        "".join(password.split()).lower() != username,
        "a password is not the user name",
        code="password_is_username",
        field="password",
    )

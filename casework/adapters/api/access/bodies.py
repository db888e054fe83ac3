"""Bodies about accounts, one's own and others', their second factor and their tokens."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from casework.adapters.api.shared.bodies import ONE_LINE, Body, Code, Day, Phone, Secret, Short
from casework.domain.access.accounts import canonical_username
from casework.domain.access.policy import Role

Username = Annotated[
    str, Field(min_length=1, max_length=120), AfterValidator(canonical_username), ONE_LINE
]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9._-]+$")]
Action = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z_]+\.[a-z_]+$")]
Totp = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Email = Annotated[str, Field(min_length=3, max_length=254), ONE_LINE]


OWN_ADDRESS: Final[Any] = Field(
    default=None, description="The own password, once more, where the own address is to change."
)


class ChangePassword(Body):
    """The password one has, and the one to come."""

    current_password: Secret
    new_password: Secret


class BeginTotp(Body):
    """The password once more."""

    password: Secret


class ConfirmTotp(Body):
    """The first code that the authenticator shows."""

    code: Totp = Field(description="The code that the authenticator shows.")


class DisableTotp(Body):
    """The password, and a code or a recovery code."""

    password: Secret
    code: Totp | None = Field(default=None, description="The code that the authenticator shows.")
    recovery_code: Annotated[str, Field(min_length=1, max_length=40), ONE_LINE] | None = None


class MakeToken(Body):
    """What it is for, its last day, and the actions of the policy it is good for."""

    name: Short
    expires_on: Day
    scopes: Annotated[list[Action], Field(min_length=1, max_length=60)]
    password: Secret = Field(description="The password of whoever makes it, once more.")


class CreateAccount(Body):
    """An account with a first password; what it belongs to follows from the role."""

    username: Username
    role: Role
    name: Short
    centre: Code | None = None
    district: Code | None = None
    provider: Slug | None = Field(default=None, description="Short name of the agency.")
    is_head: bool = False
    email: Email | None = None
    phone: Phone | None = None
    password: Secret


class ChangeAccount(Body):
    """What is to change; a role or a place is named with all that goes with it."""

    name: Short = ""
    email: Email | None = None
    phone: Phone | None = None
    is_active: bool = True
    hand_over_to: UUID | None = Field(
        default=None,
        description="The worker of the same centre who gets the open cases of one who leaves.",
    )
    role: Role = Role.WORKER
    centre: Code | None = None
    district: Code | None = None
    provider: Slug | None = Field(default=None, description="Short name of the agency.")
    is_head: bool = False
    password: Secret | None = OWN_ADDRESS


class SetOwnPhone(Body):
    """Where one is called, null where one is not; and the password once more."""

    phone: Phone | None
    password: Secret


class ResetPassword(Body):
    """A password that its owner must change."""

    password: Secret


class GrantAction(Body):
    """An action that a system's account is granted."""

    action: Action

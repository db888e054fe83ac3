"""Accounts as an administrator keeps them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from casework.adapters.api.access import bodies as s
from casework.adapters.api.access import views as render
from casework.adapters.api.access.own_account_routes import shown
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.responses import WithETag
from casework.adapters.http.route import GuardedRoute
from casework.domain.access.accounts import NewAccount
from casework.domain.access.tokens import NewToken
from casework.domain.errors import StaleVersion
from casework.workflows.access import administering
from casework.workflows.access.securing import MANAGE
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Reading

router = APIRouter(route_class=GuardedRoute, tags=["accounts"])


def _shown(reading: Reading, id: UUID) -> WithETag:
    return render.account(
        reading.account_administration.get(id), reading.account_administration.open_cases(id)
    )


def _after(reading: Reading, made: dict[str, Any]) -> WithETag:
    return _shown(reading, made["id"])


@router.post(
    "/accounts",
    operation_id="create_account",
    summary="Add an account",
    **operation(MANAGE, render.ACCOUNT, status=201),
)
def create(body: s.CreateAccount, call: Caller) -> Response:
    """With a first password, which its owner changes before anything else."""
    told = body.model_dump(exclude={"password"})
    asked = NewAccount(**told | {"role": body.role.value})
    return call.change(
        lambda ctx: administering.create_account(ctx, call.authentication, asked, body.password),
        MANAGE,
        _after,
    )


@router.get(
    "/accounts/{id}",
    operation_id="get_account",
    summary="An account as it stands",
    **operation(MANAGE, render.ACCOUNT, refuses=(404,)),
)
def get_account(id: UUID, call: Caller) -> Response:
    """With its ``ETag``, and how many open cases it carries."""
    return call.look(MANAGE, lambda reading: _shown(reading, id))


@router.patch(
    "/accounts/{id}",
    operation_id="change_account",
    summary="Change an account",
    **operation(MANAGE, render.ACCOUNT, refuses=(404, 409, 412, 428)),
)
def change(id: UUID, body: s.ChangeAccount, call: Caller) -> Response:
    """Needs ``If-Match``. Who is let in no longer loses sessions and tokens at once.

    Another role or place takes grants and tokens away, and is refused while open cases are carried.
    """
    if call.ctx.expected_version is None:
        raise StaleVersion("say in If-Match which version you saw", code="precondition_required")
    changes = body.model_dump(exclude_unset=True)
    if "role" in changes:
        changes["role"] = body.role.value
    return call.change(lambda ctx: administering.change_account(ctx, id, changes), MANAGE, _after)


@router.post(
    "/accounts/{id}/reset-password",
    operation_id="reset_password",
    summary="Give a password that must be changed",
    **operation(MANAGE, render.ACCOUNT, refuses=(404, 409)),
)
def reset_password(id: UUID, body: s.ResetPassword, call: Caller) -> Response:
    """Signs its owner out everywhere."""
    return call.change(
        lambda ctx: administering.reset_password(ctx, call.authentication, id, body.password),
        MANAGE,
        _after,
    )


@router.post(
    "/accounts/{id}/reset-totp",
    operation_id="reset_totp",
    summary="Remove a lost second factor",
    **operation(MANAGE, render.ACCOUNT, refuses=(404, 409)),
)
def reset_totp(id: UUID, call: Caller, body: EmptyBody | None = None) -> Response:
    """Signs its owner out everywhere."""
    return call.change(lambda ctx: administering.reset_totp(ctx, id), MANAGE, _after)


@router.post(
    "/accounts/{id}/grants",
    operation_id="grant",
    summary="Grant a system an action",
    **operation(MANAGE, render.ACCOUNT, refuses=(404, 409)),
)
def grant(id: UUID, body: s.GrantAction, call: Caller) -> Response:
    """As far as what its account belongs to: a centre, a district or an agency."""
    return call.change(
        lambda ctx: administering.set_grant(ctx, id, body.action, given=True), MANAGE, _after
    )


@router.post(
    "/accounts/{id}/grants/revoke",
    operation_id="revoke_grant",
    summary="Take a grant away",
    **operation(MANAGE, render.ACCOUNT, refuses=(404, 409)),
)
def revoke_grant(id: UUID, body: s.GrantAction, call: Caller) -> Response:
    """From the next request on."""
    return call.change(
        lambda ctx: administering.set_grant(ctx, id, body.action, given=False), MANAGE, _after
    )


@router.post(
    "/accounts/{id}/tokens",
    operation_id="make_token_for",
    summary="Make a token for a system",
    **operation(MANAGE, render.TOKEN | {"secret": "cwk_…"}, status=201, refuses=(404, 409)),
)
def make_token(id: UUID, body: s.MakeToken, call: Caller) -> Response:
    """The secret is shown this once. People make their own."""
    asked = NewToken(**body.model_dump())
    made: dict[UUID, str] = {}

    def make(ctx: Context) -> None:
        token_id, secret = administering.make_token_for(ctx, call.authentication, id, asked)
        made[token_id] = secret

    return call.change(make, MANAGE, lambda reading, known: shown(reading, known["id"], made))


@router.get(
    "/accounts/{id}/tokens",
    operation_id="list_tokens_of",
    summary="The tokens of an account",
    **operation(MANAGE, {"items": [render.TOKEN], "next_cursor": None}, refuses=(404,)),
)
def list_tokens(id: UUID, call: Caller, paged: Paged) -> Response:
    """Newest first, ended ones too."""
    return call.pages(
        MANAGE,
        paged,
        lambda reading, paging: reading.account_administration.listed_tokens(id, paging),
        render.token,
    )  # fmt: skip


@router.post(
    "/accounts/{id}/tokens/{token_id}/revoke",
    operation_id="revoke_token_of",
    summary="End a token of an account",
    **operation(MANAGE, render.TOKEN, refuses=(404,)),
)
def revoke_token(id: UUID, token_id: UUID, call: Caller, body: EmptyBody | None = None) -> Response:
    """From the next request on."""
    return call.change(
        lambda ctx: administering.revoke_token_of(ctx, id, token_id),
        MANAGE,
        lambda reading, made: shown(reading, made["id"], {}),
    )

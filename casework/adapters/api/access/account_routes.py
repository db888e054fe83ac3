"""Accounts, administered by an administrator."""

from __future__ import annotations

from uuid import UUID

from fastapi import Response

from casework.adapters.api.access import bodies as s
from casework.adapters.api.access import responses as r
from casework.adapters.api.access import views as render
from casework.adapters.api.access.own_account_routes import shown
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.access.accounts import NewAccount
from casework.domain.access.tokens import NewToken
from casework.domain.errors import StaleVersion
from casework.workflows.access import administering, securing
from casework.workflows.access.securing import MANAGE
from casework.workflows.cases import leaving
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(tags=["accounts"])


def _shown(reading: Reading, id: UUID) -> WithETag:
    return render.account(
        reading.account_administration.get(id), reading.account_administration.open_cases(id)
    )


def _after(reading: Reading, made: UUID) -> WithETag:
    return _shown(reading, made)


@router.post("/accounts", **operation(MANAGE, r.Account, status=201))
def create_account(body: s.CreateAccount, call: Caller) -> Response:
    """Add an account.

    With a first password, which its owner changes before anything else.
    """
    requested = NewAccount(**body.model_dump(exclude={"password"}))
    return call.change(
        lambda ctx: administering.create_account(
            ctx, call.authentication, requested, body.password
        ),
        MANAGE,
        _after,
    )


@router.get("/accounts/{id}", **operation(MANAGE, r.Account, refuses=(404,)))
def get_account(id: UUID, call: Caller) -> Response:
    """An account as it stands.

    With its ``ETag``, and how many open cases it carries.
    """
    return call.look(MANAGE, lambda reading: _shown(reading, id))


@router.patch(
    "/accounts/{id}",
    **operation(MANAGE, r.Account, refuses=(404, 409, 412, 428), is_long=True),
)
def change_account(id: UUID, body: s.ChangeAccount, call: Caller) -> Response:
    """Change an account.

    Needs ``If-Match``. Who is let in no longer loses sessions and tokens at once.

    Another role or place takes grants, sessions and tokens away. The own mail address or telephone
    changes with the own password. Who carries open cases is neither disabled
    nor moved, unless ``hand_over_to`` names who gets them in the same act.
    """
    if call.ctx.expected_version is None:
        raise StaleVersion("say in If-Match which version you saw", code="precondition_required")
    changes = body.model_dump(exclude_unset=True, exclude={"hand_over_to", "password"})
    securing.prove_for_address(call.ctx, call.authentication, id, changes, body.password)
    return call.change(
        lambda ctx: leaving.change_account(ctx, id, changes, body.hand_over_to), MANAGE, _after
    )


@router.post("/accounts/{id}/reset-password", **operation(MANAGE, r.Account, refuses=(404, 409)))
def reset_password(id: UUID, body: s.ResetPassword, call: Caller) -> Response:
    """Give a password that must be changed.

    Signs its owner out everywhere.
    """
    return call.change(
        lambda ctx: administering.reset_password(ctx, call.authentication, id, body.password),
        MANAGE,
        _after,
    )


@router.post("/accounts/{id}/reset-totp", **operation(MANAGE, r.Account, refuses=(404, 409)))
def reset_totp(id: UUID, call: Caller, body: EmptyBody | None = None) -> Response:
    """Remove a lost second factor.

    Signs its owner out everywhere.
    """
    return call.change(lambda ctx: administering.reset_totp(ctx, id), MANAGE, _after)


@router.post("/accounts/{id}/grants", **operation(MANAGE, r.Account, refuses=(404, 409)))
def grant(id: UUID, body: s.GrantAction, call: Caller) -> Response:
    """Grant a system an action.

    As far as what its account belongs to: a centre, a district or an agency.
    """
    return call.change(
        lambda ctx: administering.set_grant(ctx, id, body.action, given=True), MANAGE, _after
    )


@router.post("/accounts/{id}/grants/revoke", **operation(MANAGE, r.Account, refuses=(404, 409)))
def revoke_grant(id: UUID, body: s.GrantAction, call: Caller) -> Response:
    """Take a grant away.

    From the next request on; every token of the account ends.
    """
    return call.change(
        lambda ctx: administering.set_grant(ctx, id, body.action, given=False), MANAGE, _after
    )


@router.post(
    "/accounts/{id}/tokens", **operation(MANAGE, r.NewToken, status=201, refuses=(404, 409))
)
def make_token_for(id: UUID, body: s.MakeToken, call: Caller) -> Response:
    """Make a token for a system.

    The secret is shown this once. People make their own.
    """
    securing.prove_anew(call.ctx, call.authentication, body.password)
    requested = NewToken(**body.model_dump(exclude={"password"}))
    made: dict[UUID, str] = {}

    def make(ctx: Context) -> UUID:
        token_id, secret = administering.make_token_for(ctx, call.authentication, id, requested)
        made[token_id] = secret
        return token_id

    return call.change(
        make, MANAGE, lambda reading, known: shown(reading, known, made), afterwards=True
    )


@router.get("/accounts/{id}/tokens", **operation(MANAGE, page_of(r.Token), refuses=(404,)))
def list_tokens_of(id: UUID, call: Caller, paged: Paged) -> Response:
    """The tokens of an account.

    Newest first, ended ones too.
    """
    return call.pages(
        MANAGE,
        paged,
        lambda reading, paging: reading.account_administration.listed_tokens(id, paging),
        render.token,
    )  # fmt: skip


@router.post(
    "/accounts/{id}/tokens/{token_id}/revoke", **operation(MANAGE, r.Token, refuses=(404,))
)
def revoke_token_of(
    id: UUID, token_id: UUID, call: Caller, body: EmptyBody | None = None
) -> Response:
    """End a token of an account.

    From the next request on.
    """
    return call.change(
        lambda ctx: administering.revoke_token_of(ctx, id, token_id),
        MANAGE,
        lambda reading, made: shown(reading, made, {}),
    )

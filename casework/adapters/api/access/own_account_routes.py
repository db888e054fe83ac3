"""One's own account: password, second factor, sessions, tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import Response

from casework.adapters.api.access import bodies as s
from casework.adapters.api.access import responses as r
from casework.adapters.api.access import views as render
from casework.adapters.api.shared import responses as shared_responses
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.responses import respond
from casework.adapters.http.routers import SubjectRouter
from casework.domain.access.tokens import NewToken
from casework.domain.errors import NotFound
from casework.workflows.access import securing
from casework.workflows.access.attempts import Credentials
from casework.workflows.access.securing import CONTACT, SECOND_FACTOR, SECURE, TOKENS
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(tags=["signing in"])


@router.post("/me/password", **operation(SECURE, shared_responses.NothingMore, use_key=False))
def change_password(body: s.ChangePassword, call: Caller) -> Response:
    """Change my password.

    Signs out everywhere. A wrong present password counts as a try to sign in.
    """
    given = Credentials(password=body.current_password)
    securing.change_password(call.ctx, call.authentication, given, body.new_password)
    return respond({}, 200)


@router.post("/me/phone", **operation(CONTACT, r.OwnAccount, use_key=False))
def set_own_phone(body: s.SetOwnPhone, call: Caller) -> Response:
    """Say where agencies and colleagues call me.

    A worker's stands with each request to an agency; without it that of the centre does. The
    password is asked for once more.
    """
    securing.prove_anew(call.ctx, call.authentication, body.password)
    securing.set_own_phone(call.ctx, body.phone)
    return respond(render.own_account(replace(call.ctx.actor, phone=body.phone)), 200)


@router.post(
    "/me/sessions/revoke-all", **operation(SECURE, shared_responses.NothingMore, use_key=False)
)
def end_sessions(call: Caller, body: EmptyBody | None = None) -> Response:
    """Sign out everywhere.

    Ends every session, its access tokens too, and every token of one's own.
    """
    securing.end_sessions(call.ctx)
    return respond({}, 200)


@router.post("/me/totp", **operation(SECOND_FACTOR, r.Enrolment, refuses=(409,), use_key=False))
def begin_totp(body: s.BeginTotp, call: Caller) -> Response:
    """Begin to enrol a second factor.

    The secret is shown this once, and in force once its first code is confirmed.
    """
    given = Credentials(password=body.password)
    secret, uri = securing.begin_totp(call.ctx, call.authentication, given)
    return respond({"secret": secret, "otpauth_uri": uri}, 200)


@router.post(
    "/me/totp/confirm",
    **operation(SECOND_FACTOR, r.RecoveryCodeList, refuses=(409,), use_key=False),
)
def confirm_totp(body: s.ConfirmTotp, call: Caller) -> Response:
    """Put the second factor in force.

    Ten recovery codes, shown this once, each good once. Signs out everywhere.
    """
    codes = securing.confirm_totp(call.ctx, call.authentication, body.code)
    return respond({"recovery_codes": codes}, 200)


@router.post(
    "/me/totp/disable",
    **operation(SECOND_FACTOR, shared_responses.NothingMore, refuses=(409,), use_key=False),
)
def disable_totp(body: s.DisableTotp, call: Caller) -> Response:
    """Remove my second factor.

    By password and a code. Signs out everywhere.
    """
    given = Credentials(password=body.password, code=body.code, recovery_code=body.recovery_code)
    securing.disable_totp(call.ctx, call.authentication, given)
    return respond({}, 200)


@router.post("/me/tokens", **operation(TOKENS, r.NewToken, status=201, refuses=(409,)))
def make_token(body: s.MakeToken, call: Caller) -> Response:
    """Make a token of my own.

    The secret is shown this once; it goes where an access token goes. Changing the password and
    signing out everywhere end it.
    """
    securing.prove_anew(call.ctx, call.authentication, body.password)
    requested = NewToken(**body.model_dump(exclude={"password"}))
    made: dict[UUID, str] = {}

    def make(ctx: Context) -> UUID:
        id, secret = securing.make_own_token(ctx, call.authentication, requested)
        made[id] = secret
        return id

    return call.change(
        make, TOKENS, lambda reading, known: shown(reading, known, made), afterwards=True
    )


def shown(reading: Reading, id: UUID, secrets: dict[UUID, str]) -> dict[str, Any]:
    """A token; with its secret only in the answer to the request that made it."""
    token = reading.account_administration.token(id, lock=False)
    if token is None:
        raise NotFound("no such token")
    return render.token_of(token) | ({"secret": secrets[id]} if id in secrets else {})


@router.get("/me/tokens", **operation(TOKENS, page_of(r.Token)))
def list_tokens(call: Caller, paged: Paged) -> Response:
    """My tokens.

    Newest first, ended ones too.
    """
    me = securing.id_of(call.ctx)
    return call.pages(
        TOKENS,
        paged,
        lambda reading, paging: reading.account_administration.listed_tokens(me, paging),
        render.token,
    )  # fmt: skip


@router.post("/me/tokens/{id}/revoke", **operation(TOKENS, r.Token, refuses=(404,)))
def revoke_token(id: UUID, call: Caller, body: EmptyBody | None = None) -> Response:
    """End a token of mine.

    From the next request on.
    """
    return call.change(
        lambda ctx: securing.revoke_own_token(ctx, id),
        TOKENS,
        lambda reading, made: shown(reading, made, {}),
    )

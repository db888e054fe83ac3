"""One's own way in: password, second factor, sessions, tokens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from casework.adapters.api.access import bodies as s
from casework.adapters.api.access import views as render
from casework.adapters.api.shared.bodies import EmptyBody
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.responses import respond
from casework.adapters.http.route import GuardedRoute
from casework.domain.access.tokens import NewToken
from casework.domain.errors import NotFound
from casework.workflows.access import securing
from casework.workflows.access.attempts import Credentials
from casework.workflows.access.securing import SECOND_FACTOR, SECURE, TOKENS
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Reading

router = APIRouter(route_class=GuardedRoute, tags=["signing in"])


@router.post(
    "/me/password",
    operation_id="change_password",
    summary="Change my password",
    **operation(SECURE, {}, use_key=False),
)
def change_password(body: s.ChangePassword, call: Caller) -> Response:
    """Signs out everywhere. A wrong present password counts as a try to sign in."""
    given = Credentials(password=body.current_password)
    securing.change_password(call.ctx, call.authentication, given, body.new_password)
    return respond({}, 200)


@router.post(
    "/me/sessions/revoke-all",
    operation_id="end_sessions",
    summary="Sign out everywhere",
    **operation(SECURE, {}, use_key=False),
)
def end_sessions(call: Caller, body: EmptyBody | None = None) -> Response:
    """Voids every refresh token; an access token ends by itself within ten minutes."""
    securing.end_sessions(call.ctx)
    return respond({}, 200)


@router.post(
    "/me/totp",
    operation_id="begin_totp",
    summary="Begin to enrol a second factor",
    **operation(
        SECOND_FACTOR,
        {"secret": "…", "otpauth_uri": "otpauth://totp/casework%3Alee.u1?secret=…"},
        refuses=(409,),
        use_key=False,
    ),
)
def begin_totp(body: s.BeginTotp, call: Caller) -> Response:
    """The secret is shown this once, and in force once its first code is confirmed."""
    given = Credentials(password=body.password)
    secret, uri = securing.begin_totp(call.ctx, call.authentication, given)
    return respond({"secret": secret, "otpauth_uri": uri}, 200)


@router.post(
    "/me/totp/confirm",
    operation_id="confirm_totp",
    summary="Put the second factor in force",
    **operation(
        SECOND_FACTOR, {"recovery_codes": ["abcd-efgh-ijkl-mnop"]}, refuses=(409,), use_key=False
    ),
)
def confirm_totp(body: s.ConfirmTotp, call: Caller) -> Response:
    """Ten recovery codes, shown this once, each good once. Signs out everywhere."""
    codes = securing.confirm_totp(call.ctx, call.authentication, body.code)
    return respond({"recovery_codes": codes}, 200)


@router.post(
    "/me/totp/disable",
    operation_id="disable_totp",
    summary="Remove my second factor",
    **operation(SECOND_FACTOR, {}, refuses=(409,), use_key=False),
)
def disable_totp(body: s.DisableTotp, call: Caller) -> Response:
    """By password and a code. Signs out everywhere."""
    given = Credentials(password=body.password, code=body.code, recovery_code=body.recovery_code)
    securing.disable_totp(call.ctx, call.authentication, given)
    return respond({}, 200)


@router.post(
    "/me/tokens",
    operation_id="make_token",
    summary="Make a token of my own",
    **operation(TOKENS, render.TOKEN | {"secret": "cwk_…"}, status=201, refuses=(409,)),
)
def make_token(body: s.MakeToken, call: Caller) -> Response:
    """The secret is shown this once; it goes where an access token goes."""
    asked = NewToken(**body.model_dump())
    made: dict[UUID, str] = {}

    def make(ctx: Context) -> None:
        id, secret = securing.make_own_token(ctx, call.authentication, asked)
        made[id] = secret

    return call.change(make, TOKENS, lambda reading, known: shown(reading, known["id"], made))


def shown(reading: Reading, id: UUID, secrets: dict[UUID, str]) -> dict[str, Any]:
    """A token; with its secret only in the answer to the request that made it."""
    token = reading.account_administration.token(id, lock=False)
    if token is None:
        raise NotFound("no such token")
    return render.token_of(token) | ({"secret": secrets[id]} if id in secrets else {})


@router.get(
    "/me/tokens",
    operation_id="list_tokens",
    summary="My tokens",
    **operation(TOKENS, {"items": [render.TOKEN], "next_cursor": None}),
)
def list_tokens(call: Caller, paged: Paged) -> Response:
    """Newest first, ended ones too."""
    me = securing.id_of(call.ctx)
    return call.pages(
        TOKENS,
        paged,
        lambda reading, paging: reading.account_administration.listed_tokens(me, paging),
        render.token,
    )  # fmt: skip


@router.post(
    "/me/tokens/{id}/revoke",
    operation_id="revoke_token",
    summary="End a token of mine",
    **operation(TOKENS, render.TOKEN, refuses=(404,)),
)
def revoke_token(id: UUID, call: Caller, body: EmptyBody | None = None) -> Response:
    """From the next request on."""
    return call.change(
        lambda ctx: securing.revoke_own_token(ctx, id),
        TOKENS,
        lambda reading, made: shown(reading, made["id"], {}),
    )

"""Signing in, and who I am."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Form, Request, Response

from casework.adapters.api.access import responses as r
from casework.adapters.api.access import views
from casework.adapters.api.shared import responses as shared_responses
from casework.adapters.api.shared.routing import Caller, operation
from casework.adapters.http.responses import respond
from casework.adapters.http.routers import SubjectRouter
from casework.adapters.http.services import Services
from casework.domain.errors import Invalid
from casework.workflows.access import signing_in
from casework.workflows.access.attempts import Credentials

router = SubjectRouter(tags=["signing in"])


@router.post("/auth/token", **operation("public", r.Tokens, refuses=(401, 422, 503), use_key=False))
def sign_in(
    request: Request,
    grant_type: Annotated[Literal["password", "refresh_token"], Form()] = "password",
    username: Annotated[str | None, Form(max_length=120)] = None,
    password: Annotated[str | None, Form(max_length=1024)] = None,
    totp: Annotated[str | None, Form(max_length=10)] = None,
    recovery_code: Annotated[str | None, Form(max_length=40)] = None,
    refresh_token: Annotated[str | None, Form(max_length=200)] = None,
    scope: Annotated[str | None, Form(max_length=200)] = None,
    client_id: Annotated[str | None, Form(max_length=200)] = None,
    client_secret: Annotated[str | None, Form(max_length=200)] = None,
) -> Response:
    """Exchange name and password for tokens.

    The OAuth2 password form; ``grant_type=refresh_token`` rotates.

    Where a second factor is enrolled, ``totp`` or ``recovery_code`` goes with the password. Without
    it the refusal is that of a wrong password: a client shows the field to everybody.
    """
    services: Services = request.app.state.services
    authentication, now = services.authentication(request.state.facts), services.now()
    if grant_type == "refresh_token":
        if not refresh_token:
            raise Invalid("send the refresh token", field="refresh_token")
        issued = signing_in.refresh(authentication, refresh_token, now)
    else:
        if not username or not password:
            raise Invalid("send name and password", field="username")
        source = request.client.host if request.client else "unknown"
        credentials = Credentials(password=password, code=totp, recovery_code=recovery_code)
        issued = signing_in.sign_in(authentication, username, credentials, source, now)
    return respond(
        {
            "access_token": issued.access_token,
            "token_type": "bearer",
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh_token,
        },
        200,
    )


@router.post(
    "/auth/revoke",
    **operation("public", shared_responses.NothingMore, refuses=(422, 503), use_key=False),
)
def sign_out(
    request: Request, token: Annotated[str, Form(min_length=1, max_length=200)]
) -> Response:
    """End what descends from one sign-in.

    By any refresh token of it (RFC 7009). The answer is the same for what is no token.
    """
    services: Services = request.app.state.services
    signing_in.sign_out(services.authentication(request.state.facts), token, services.now())
    return respond({}, 200)


@router.get("/me", **operation("account.self", r.OwnAccount))
def who_am_i(call: Caller) -> Response:
    """Who I am and how far I see.

    Id, name, role and scope of the signed-in account.
    """
    return respond(views.own_account(call.ctx.actor), 200)

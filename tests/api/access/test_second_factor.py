"""The second factor: self-enrolled, required at sign-in, each code valid once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.asking import ABSENT
from tests.api.conftest import PASSWORD, PROVIDER, WORKER, Api
from tests.api.shared.test_guard import routes, send
from tests.api.signing import (
    FIRST,
    OWN,
    ask,
    change,
    code,
    create,
    enrol,
    refresh,
    refused,
    settle_in,
    sign_in,
    stored,
)


def token_of(api: Api) -> str:
    """A worker's access token."""
    return str(sign_in(api, WORKER).json()["access_token"])


def headers_of(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "x-request-id"}


def test_once_enrolled_signing_in_takes_a_code(api: Api) -> None:
    session = sign_in(api, WORKER).json()
    secret, recovery = enrol(api, session["access_token"])
    assert len(set(recovery)) == 10
    assert refresh(api, session["refresh_token"]).status_code == 401  # signed out everywhere
    api.clock.forward(seconds=30)
    assert sign_in(api, WORKER, totp=code(api, secret)).status_code == 200


def test_a_missing_or_wrong_code_reads_as_a_wrong_password(api: Api) -> None:
    secret, _ = enrol(api, token_of(api))
    api.clock.forward(minutes=5)
    wrong = sign_in(api, WORKER, "wrong")
    assert refused(wrong) == (401, "invalid_credentials")
    givens: tuple[Callable[[], dict[str, str]], ...] = (
        dict,
        lambda: {"totp": ""},
        lambda: {"totp": "000000"},
        lambda: {"totp": code(api, secret, -2)},
        lambda: {"totp": code(api, secret, 2)},
        lambda: {"recovery_code": "aaaa-bbbb-cccc-dddd"},
    )
    for given in givens:
        api.clock.forward(hours=2)
        answer = sign_in(api, WORKER, **given())
        assert answer.content == wrong.content, given()
        assert headers_of(answer) == headers_of(wrong)
    api.clock.forward(hours=2)
    assert sign_in(api, WORKER, "wrong", totp=code(api, secret)).content == wrong.content
    assert sign_in(api, WORKER, totp=code(api, secret)).status_code == 200


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_clock_may_be_off_by_a_step_and_no_code_is_good_twice(api: Api, steps: int) -> None:
    secret, _ = enrol(api, token_of(api))
    api.clock.forward(minutes=5)
    given = code(api, secret, steps)
    assert sign_in(api, WORKER, totp=given).status_code == 200
    assert refused(sign_in(api, WORKER, totp=given)) == (401, "invalid_credentials")
    earlier = code(api, secret, steps - 1)
    assert sign_in(api, WORKER, totp=earlier).status_code == 401
    assert sign_in(api, WORKER, totp=code(api, secret, 2)).status_code == 401


def test_the_code_that_confirmed_it_signs_nobody_in(api: Api) -> None:
    secret, _ = enrol(api, token_of(api))
    assert sign_in(api, WORKER, totp=code(api, secret)).status_code == 401
    assert sign_in(api, WORKER, totp=code(api, secret, 1)).status_code == 200


def test_wrong_codes_are_tries(api: Api) -> None:
    secret, _ = enrol(api, token_of(api))
    api.clock.forward(minutes=5)
    for _ in range(5):
        sign_in(api, WORKER, totp="000000")
    assert sign_in(api, WORKER, totp=code(api, secret)).status_code == 401
    api.clock.forward(minutes=15)
    assert sign_in(api, WORKER, totp=code(api, secret)).status_code == 200


def test_a_recovery_code_is_good_once(api: Api) -> None:
    _, recovery = enrol(api, token_of(api))
    typed = recovery[3].upper().replace("-", " ")
    assert sign_in(api, WORKER, recovery_code=typed).status_code == 200
    assert sign_in(api, WORKER, recovery_code=recovery[3]).status_code == 401
    assert sign_in(api, WORKER, recovery_code=recovery[4]).status_code == 200


def test_a_recovery_code_is_not_used_up_by_a_wrong_password(api: Api) -> None:
    _, recovery = enrol(api, token_of(api))
    assert sign_in(api, WORKER, "wrong", recovery_code=recovery[0]).status_code == 401
    assert sign_in(api, WORKER, recovery_code=recovery[0]).status_code == 200


def test_neither_secret_nor_recovery_code_is_kept_as_it_was_shown(api: Api) -> None:
    token = token_of(api)
    begun = ask(api, token, "POST", "/me/totp", {"password": PASSWORD}).json()
    sealed = stored(api, WORKER).totp_sealed
    assert begun["secret"] in begun["otpauth_uri"]
    assert begun["secret"] not in str(stored(api, WORKER))
    assert sealed.startswith("v1.")
    again = ask(api, token, "POST", "/me/totp", {"password": PASSWORD}).json()
    assert again["secret"] != begun["secret"]


def test_a_secret_that_stands_elsewhere_opens_nothing(api: Api) -> None:
    """The secret was copied to another account by somebody who can write to the database."""
    secret, _ = enrol(api, token_of(api))
    row = stored(api, WORKER)
    change(api, "city", totp_sealed=row.totp_sealed, totp_confirmed_at=row.totp_confirmed_at)
    api.clock.forward(minutes=1)
    assert refused(sign_in(api, "city", totp=code(api, secret))) == (401, "invalid_credentials")


def test_what_is_not_begun_is_not_confirmed_and_what_is_there_is_not_begun_again(
    api: Api,
) -> None:
    token = token_of(api)
    confirm = ask(api, token, "POST", "/me/totp/confirm", {"code": "000000"})
    assert refused(confirm) == (409, "totp_not_begun")
    begin = ask(api, token, "POST", "/me/totp", {"password": "wrong"})
    assert refused(begin) == (403, "password_wrong")
    ask(api, token, "POST", "/me/totp", {"password": PASSWORD})
    wrong = ask(api, token, "POST", "/me/totp/confirm", {"code": "000000"})
    assert refused(wrong) == (403, "code_wrong")
    assert sign_in(api, WORKER).status_code == 200  # not in force yet
    enrol(api, token)
    for path, body, known in (
        ("/me/totp", {"password": PASSWORD}, "totp_enrolled"),
        ("/me/totp/confirm", {"code": "000000"}, "totp_not_begun"),
    ):
        assert refused(ask(api, token, "POST", path, body)) == (409, known)


def test_it_is_removed_by_password_and_code_together(api: Api) -> None:
    token = token_of(api)
    none = ask(api, token, "POST", "/me/totp/disable", {"password": PASSWORD})
    assert refused(none) == (409, "totp_not_enrolled")
    secret, recovery = enrol(api, token)
    api.clock.forward(minutes=1)
    for body in (
        {"password": PASSWORD},
        {"password": PASSWORD, "code": "000000"},
        {"password": "wrong", "code": code(api, secret)},
    ):
        answer = ask(api, token, "POST", "/me/totp/disable", body)
        assert refused(answer) == (403, "password_wrong"), body
    body = {"password": PASSWORD, "code": code(api, secret)}
    assert ask(api, token, "POST", "/me/totp/disable", body).status_code == 200
    assert stored(api, WORKER).totp_sealed is None
    assert sign_in(api, WORKER).status_code == 200
    assert recovery


def test_an_administrator_removes_one_that_was_lost_and_not_the_own(api: Api) -> None:
    enrol(api, token_of(api))
    admin = api.as_("admin")
    done = admin.post(f"/accounts/{api.id_of(WORKER)}/reset-totp")
    assert (done.status_code, done.json()["has_totp"]) == (200, False)
    assert sign_in(api, WORKER).status_code == 200
    assert refused(admin.post(f"/accounts/{api.id_of('admin')}/reset-totp")) == (409, "own_account")


# Where it is mandatory


@pytest.fixture
def strict(api: Api) -> Api:
    """The small world where staff must have one."""
    demand_one_of_staff(api)
    return api


def demand_one_of_staff(api: Api) -> None:
    """From now on staff must have one."""
    api.application.settings = api.application.settings.model_copy(update={"require_totp": "staff"})


def test_where_staff_must_have_one_they_enrol_before_anything_else(api: Api) -> None:
    create(api)
    demand_one_of_staff(api)
    first = sign_in(api, "new.worker", FIRST).json()["access_token"]
    assert refused(ask(api, first, "GET", "/worklist")) == (403, "password_change_required")
    assert refused(ask(api, first, "POST", "/me/totp", {})) == (403, "password_change_required")
    token = settle_in(api)
    opened = {"POST /auth/token", "POST /auth/revoke", "GET /me", "POST /me/password",
              "POST /me/sessions/revoke-all", "POST /me/totp", "POST /me/totp/confirm",
              "POST /me/totp/disable"}  # fmt: skip
    for route in sorted(set(routes()) - opened):
        answer = send(api, None, route, ABSENT, headers={"Authorization": f"Bearer {token}"})
        assert refused(answer) == (403, "totp_enrolment_required"), route
    secret, _ = enrol(api, token, OWN)
    api.clock.forward(seconds=30)
    later = sign_in(api, "new.worker", OWN, totp=code(api, secret)).json()["access_token"]
    assert ask(api, later, "GET", "/worklist").status_code == 200


def test_staff_must_have_one_and_an_agency_need_not(strict: Api) -> None:
    assert strict.as_(PROVIDER).get("/worklist").status_code == 200
    assert refused(strict.as_(WORKER).get("/worklist")) == (403, "totp_enrolment_required")


def test_an_agency_has_no_second_factor(api: Api) -> None:
    assert refused(api.as_(PROVIDER).post("/me/totp", {"password": PASSWORD})) == (403, "forbidden")

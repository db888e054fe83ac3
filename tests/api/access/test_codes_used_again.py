"""A code of the second factor that is seen and sent again: refused, wherever it was good for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from casework.adapters.persistence.access.sign_in import SqlSignInStore
from casework.domain.access import totp
from tests.api.conftest import PASSWORD, WORKER, Api
from tests.api.signing import ask, code, enrol, refused, sign_in, stored

AT_ONCE, ROUNDS = 4, 3
SIGN_IN_REFUSED, STEP_UP_REFUSED = (401, "invalid_credentials"), (403, "password_wrong")


@pytest.fixture
def session(api: Api) -> str:
    """An access token of a worker who has no second factor yet."""
    return str(sign_in(api, WORKER).json()["access_token"])


def disable(api: Api, token: str, given: str) -> Any:
    """Remove the second factor, which asks for password and code once more."""
    body = {"password": PASSWORD, "code": given}
    return ask(api, token, "POST", "/me/totp/disable", body)


def at_once(count: int, act: Callable[[], Any]) -> list[Any]:
    """The same act that often at the same moment."""
    barrier = Barrier(count)

    def do(_: int) -> Any:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(do, range(count)))


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_that_signed_in_takes_no_second_factor_away(
    api: Api, session: str, steps: int
) -> None:
    secret, _ = enrol(api, session)
    api.clock.forward(minutes=5)
    given = code(api, secret, steps)
    token = sign_in(api, WORKER, totp=given).json()["access_token"]
    assert refused(disable(api, token, given)) == STEP_UP_REFUSED
    assert refused(disable(api, token, code(api, secret, steps - 1))) == STEP_UP_REFUSED
    assert stored(api, WORKER).totp_sealed is not None
    api.clock.forward(minutes=1)
    assert disable(api, token, code(api, secret)).status_code == 200


def test_the_code_that_confirmed_a_second_factor_does_not_take_it_away(
    api: Api, session: str
) -> None:
    secret, _ = enrol(api, session)
    for steps in (0, -1):
        assert refused(disable(api, session, code(api, secret, steps))) == STEP_UP_REFUSED
    assert disable(api, session, code(api, secret, 1)).status_code == 200


def test_a_second_factor_is_confirmed_once_by_a_code(api: Api, session: str) -> None:
    secret, _ = enrol(api, session)
    again = ask(api, session, "POST", "/me/totp/confirm", {"code": code(api, secret)})
    assert refused(again) == (409, "totp_not_begun")


def test_a_code_of_the_former_second_factor_is_none_of_the_new_one(api: Api, session: str) -> None:
    former, _ = enrol(api, session)
    api.clock.forward(minutes=1)
    used = code(api, former)
    assert disable(api, session, used).status_code == 200
    session = sign_in(api, WORKER).json()["access_token"]  # with the factor its sessions ended
    begun = ask(api, session, "POST", "/me/totp", {"password": PASSWORD})
    assert begun.status_code == 200
    confirm = ask(api, session, "POST", "/me/totp/confirm", {"code": used})
    assert refused(confirm) == (403, "code_wrong")
    secret, _ = enrol(api, session)
    assert refused(sign_in(api, WORKER, totp=used)) == SIGN_IN_REFUSED
    assert refused(sign_in(api, WORKER, totp=code(api, secret))) == SIGN_IN_REFUSED


def test_an_older_code_is_refused_after_a_newer_one_though_nobody_used_it(
    api: Api, session: str
) -> None:
    secret, _ = enrol(api, session)
    api.clock.forward(minutes=5)
    older, present, newer = (code(api, secret, steps) for steps in (-1, 0, 1))
    assert sign_in(api, WORKER, totp=newer).status_code == 200
    for given in (older, present, newer):
        assert refused(sign_in(api, WORKER, totp=given)) == SIGN_IN_REFUSED
    api.clock.forward(seconds=60)
    assert sign_in(api, WORKER, totp=code(api, secret)).status_code == 200


def test_of_many_sign_ins_with_one_code_at_the_same_moment_one_gets_in(
    api: Api, session: str
) -> None:
    secret, _ = enrol(api, session)
    for _ in range(ROUNDS):
        api.clock.forward(hours=2)
        given = code(api, secret)
        answers = at_once(AT_ONCE, partial(sign_in, api, WORKER, totp=given))
        found = Counter(answer.status_code for answer in answers)
        assert found == {200: 1, 401: AT_ONCE - 1}


def test_of_a_sign_in_and_a_removal_with_one_code_at_the_same_moment_one_is_done(
    api: Api, session: str
) -> None:
    secret, _ = enrol(api, session)
    api.clock.forward(minutes=5)
    given, turns = code(api, secret), iter((True, False))

    def act() -> tuple[str, int]:
        if next(turns):
            return "in", sign_in(api, WORKER, totp=given).status_code
        return "removed", disable(api, session, given).status_code

    done = dict(at_once(2, act))
    if done["removed"] == 200:  # whoever comes after that needs no code any more
        assert stored(api, WORKER).totp_sealed is None
    else:
        assert done == {"in": 200, "removed": 403}
        assert stored(api, WORKER).totp_sealed is not None


def test_of_many_confirmations_at_the_same_moment_one_shows_recovery_codes(
    api: Api, session: str
) -> None:
    begun = ask(api, session, "POST", "/me/totp", {"password": PASSWORD}).json()
    given = code(api, totp.from_text(begun["secret"]))
    answers = at_once(
        AT_ONCE, lambda: ask(api, session, "POST", "/me/totp/confirm", {"code": given}).status_code
    )
    assert Counter(answers) == {200: 1, 409: AT_ONCE - 1}


def test_the_control_where_no_step_is_remembered_a_code_is_good_twice(
    api: Api, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqlSignInStore, "save_step", lambda *_: None)
    secret, _ = enrol(api, session)
    api.clock.forward(minutes=5)
    given = code(api, secret)
    answers = at_once(AT_ONCE, lambda: sign_in(api, WORKER, totp=given).status_code)
    assert answers == [200] * AT_ONCE
    assert sign_in(api, WORKER, totp=given).status_code == 200

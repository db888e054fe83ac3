"""Signing in: the form, what refusals reveal, lockout, tokens and their expiry."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from joserfc import jwe, jwt
from joserfc.jwk import OctKey
from sqlalchemy import func, insert, select

from casework.adapters.identity import AUDIENCE, ISSUER, TOKEN_TYPE
from casework.adapters.persistence import tables as t
from tests.api.acts import a_referral
from tests.api.conftest import (
    ASSESSOR,
    BASE,
    BEGINS,
    COLLEAGUE,
    DISTRICT,
    HERE,
    NEXT_DOOR,
    PASSWORD,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)
from tests.api.racing import ON_POSTGRES, locked, wait_for_locks
from tests.api.signing import change, shut

TOKEN = BASE + "/auth/token"
KEY = b"t" * 32
MINUTES_LOCKED = 15


def asked(api: Api, **form: str) -> Any:
    """Post the token form."""
    return api.client.post(TOKEN, data=form)


def signed_in(api: Api, username: str = WORKER, password: str = PASSWORD) -> Any:
    """Attempt to sign in with name and password."""
    return asked(api, grant_type="password", username=username, password=password)


def refreshed(api: Api, refresh_token: str) -> Any:
    """Attempt to refresh with a refresh token."""
    return asked(api, grant_type="refresh_token", refresh_token=refresh_token)


def me(api: Api, token: str, scheme: str = "Bearer") -> Any:
    """The account that a token identifies."""
    return api.client.get(BASE + "/me", headers={"Authorization": f"{scheme} {token}"})


def entries(api: Api, *actions: str) -> list[tuple[Any, ...]]:
    """Actor, action, outcome and code of the audit entries, oldest first."""
    entry = t.audit_entry.c
    with api.engine.connect() as connection:
        rows = connection.execute(
            select(entry.actor, entry.action, entry.outcome, entry.code).order_by(entry.id)
        )
        return [tuple(row) for row in rows if not actions or row.action in actions]


def is_refused(answer: Any, code: str = "invalid_credentials") -> bool:
    """Whether it is a 401 problem document with that code."""
    told = answer.json().get("code") == code and answer.headers["www-authenticate"] == "Bearer"
    return bool(answer.status_code == 401 and told)


# The form


def test_name_and_password_give_tokens_and_nothing_keeps_the_answer(api: Api) -> None:
    answer = signed_in(api)
    assert answer.status_code == 200
    given = answer.json()
    assert set(given) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (given["token_type"], given["expires_in"]) == ("bearer", 600)
    assert answer.headers["cache-control"] == "no-store"


def test_the_token_says_who_i_am(api: Api) -> None:
    alpha = str(api.providers["alpha"].id)
    for username, role, scope in (
        (WORKER, "worker", {"centre": HERE, "district": DISTRICT}),
        (SUPERVISOR, "supervisor", {"district": DISTRICT}),
        (ASSESSOR, "assessor", {"district": DISTRICT}),
        (PROVIDER, "provider", {"provider": alpha}),
        ("city", "city", {}),
    ):
        found = me(api, signed_in(api, username).json()["access_token"]).json()
        assert found["id"] == str(api.id_of(username))
        assert (found["username"], found["role"]) == (username, role)
        assert found["name"]
        assert found["scope"] == scope


def test_the_grant_is_a_password_where_none_is_named(api: Api) -> None:
    assert asked(api, username=WORKER, password=PASSWORD).status_code == 200


def test_a_form_that_cannot_be_right_names_the_field(api: Api) -> None:
    for form, field in (
        ({}, "username"),
        ({"username": WORKER}, "username"),
        ({"password": PASSWORD}, "username"),
        ({"username": "", "password": ""}, "username"),
        ({"username": "n" * 121, "password": PASSWORD}, "username"),
        ({"username": WORKER, "password": "p" * 1025}, "password"),
        ({"username": WORKER, "password": PASSWORD, "totp": "1" * 11}, "totp"),
        ({"grant_type": "refresh_token"}, "refresh_token"),
        ({"grant_type": "refresh_token", "refresh_token": "r" * 201}, "refresh_token"),
        ({"grant_type": "client_credentials"}, "grant_type"),
    ):
        answer = asked(api, **form)
        assert answer.status_code == 422, form
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert entries(api, "auth.sign_in", "auth.refresh") == []  # nobody's password was tried


def test_what_is_no_form_is_refused_and_never_a_failure_of_ours(api: Api) -> None:
    form = "application/x-www-form-urlencoded"
    parts = "multipart/form-data; boundary=x"
    part = b"--x\r\nContent-Disposition: form-data; name=username\r\n\r\n"
    for content_type, body in (
        ("application/json", json.dumps({"username": WORKER, "password": PASSWORD}).encode()),
        (form, b"username=%00&password=x"),
        (form, b"username=x&password=%00"),
        (form, b"grant_type=refresh_token&refresh_token=%00"),
        (form, b"\xff\xfe\x00"),
        (form, b"username=%ff&username=%fe&password="),
        (form, b"&".join(b"a%d=1" % n for n in range(2000))),
        (parts, part + WORKER.encode() + b"\r\n--x--\r\n"),
        (parts, b"no parts at all"),
        ("multipart/form-data", b"no boundary"),
        ("text/plain", b"username=a&password=b"),
    ):
        answer = api.client.post(TOKEN, content=body, headers={"Content-Type": content_type})
        assert 400 <= answer.status_code < 500, (body[:40], answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] in ("malformed", "invalid", "type_not_taken")


def test_neither_password_nor_name_comes_back_or_is_written_down(api: Api) -> None:
    canary = "canary-8d1f"
    answers = [signed_in(api, canary, canary), refreshed(api, canary)]
    answers += [asked(api, grant_type=canary), asked(api, username=canary * 20, password=canary)]
    assert [answer.status_code for answer in answers] == [401, 401, 422, 422]
    assert not any(canary in answer.text for answer in answers)
    with api.engine.connect() as connection:
        for table in (t.audit_entry, t.sign_in_source, t.refresh_token):
            assert canary not in str(connection.execute(select(table)).all())


# What refusals reveal


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each comparison of a password with a digest, which is what takes the time."""
    done: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, digest: Any, password: Any) -> bool:
        done.append(str(digest))
        return verify(self, digest, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    return done


def test_every_failure_reads_the_same_and_takes_one_comparison(
    api: Api, verifications: list[str]
) -> None:
    change(api, COLLEAGUE, is_active=False)
    shut(api, SUPERVISOR)
    first = signed_in(api, WORKER, "wrong")
    assert is_refused(first)
    for username, password in (
        ("nobody", "wrong"),
        (WORKER + "1", PASSWORD),
        (WORKER.upper(), PASSWORD.upper()),
        (WORKER, PASSWORD + " "),
        (COLLEAGUE, PASSWORD),
        (COLLEAGUE, "wrong"),
        (SUPERVISOR, PASSWORD),
        (SUPERVISOR, "wrong"),
    ):
        answer = signed_in(api, username, password)
        assert answer.content == first.content, username
        assert _headers(answer) == _headers(first), username
    assert len(verifications) == 9
    costs = {digest.rsplit("$", 2)[0] for digest in verifications}
    assert len(costs) == 1, "a stranger's digest costs what everyone's costs"
    verifications.clear()
    assert signed_in(api).status_code == 200
    assert len(verifications) == 1


def _headers(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "x-request-id"}


def test_a_refused_refresh_reads_the_same_whatever_the_cause(api: Api) -> None:
    used, revoked, unused = (signed_in(api).json()["refresh_token"] for _ in range(3))
    first = refreshed(api, "no such token")
    assert is_refused(first)
    refreshed(api, used)
    later = refreshed(api, revoked).json()["refresh_token"]
    refreshed(api, revoked)
    assert refreshed(api, used).content == refreshed(api, later).content == first.content
    change(api, WORKER, is_active=False)
    assert refreshed(api, unused).content == first.content


# Lockout


def fail(api: Api, times: int, username: str = WORKER) -> None:
    """Try that many wrong passwords in a row."""
    for _ in range(times):
        assert is_refused(signed_in(api, username, "wrong"))


def test_four_failures_lock_nothing_and_are_forgotten_after_success(api: Api) -> None:
    for _ in range(2):
        fail(api, 4)
        assert signed_in(api).status_code == 200


def test_five_failures_lock_the_account_for_fifteen_minutes(api: Api) -> None:
    fail(api, 5)
    for moment in ("2026-03-02T10:00:00", "2026-03-02T10:14:59.999999"):
        api.clock.set(moment)
        assert is_refused(signed_in(api)), moment
    assert signed_in(api, COLLEAGUE).status_code == 200
    api.clock.set("2026-03-02T10:15:00")
    assert signed_in(api).status_code == 200


def test_attempts_while_locked_do_not_prolong_the_lock(api: Api) -> None:
    fail(api, 5)
    api.clock.set("2026-03-02T10:14")
    fail(api, 5)
    api.clock.set("2026-03-02T10:15")
    assert signed_in(api).status_code == 200


def test_after_the_lock_it_takes_five_more_failures(api: Api) -> None:
    fail(api, 5)
    api.clock.set("2026-03-02T10:15")
    fail(api, 4)
    assert signed_in(api).status_code == 200
    fail(api, 5)
    assert is_refused(signed_in(api))


def test_a_lock_leaves_those_alone_who_are_signed_in(api: Api) -> None:
    given = signed_in(api).json()
    fail(api, 5)
    assert me(api, given["access_token"]).status_code == 200
    assert refreshed(api, given["refresh_token"]).status_code == 200


@pytest.mark.both_stores
def test_wrong_passwords_at_the_same_moment_are_all_counted(api: Api) -> None:
    barrier = Barrier(5)

    def guess(_: int) -> int:
        barrier.wait()
        return int(signed_in(api, WORKER, "wrong").status_code)

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(guess, range(5))) == [401] * 5
    assert is_refused(signed_in(api))


def failures_from(api: Api, source: str, count: int, since: datetime) -> None:
    """Record that many failed attempts from an address, for one account after another."""
    with api.engine.begin() as connection:
        connection.execute(
            insert(t.sign_in_source),
            [{"source": source, "failed_attempts": count, "counted_from": since}],
        )


def test_a_hundred_failures_from_one_place_lock_that_place_for_every_account(api: Api) -> None:
    failures_from(api, "testclient", 98, api.clock.now)
    fail(api, 1, "nobody")
    assert signed_in(api).status_code == 200
    fail(api, 1, "nobody")
    for moment in (BEGINS, "2026-03-02T10:14:59.999999"):
        api.clock.set(moment)
        assert is_refused(signed_in(api)), moment
    api.clock.set("2026-03-02T10:15")
    assert signed_in(api).status_code == 200


def test_failures_from_one_place_are_counted_within_fifteen_minutes(api: Api) -> None:
    failures_from(api, "elsewhere", 500, api.clock.now)
    failures_from(api, "testclient", 99, api.clock.now - timedelta(minutes=15, seconds=1))
    fail(api, 1, "nobody")
    assert signed_in(api).status_code == 200


# Refreshing


def test_a_refresh_token_is_exchanged_for_new_tokens(api: Api) -> None:
    first = signed_in(api).json()
    second = refreshed(api, first["refresh_token"]).json()
    assert set(second) == set(first)
    assert second["refresh_token"] != first["refresh_token"]
    assert me(api, second["access_token"]).json()["username"] == WORKER


def test_a_refresh_token_that_comes_twice_voids_its_family_and_no_other(api: Api) -> None:
    stolen, other = (signed_in(api).json()["refresh_token"] for _ in range(2))
    second = refreshed(api, stolen).json()["refresh_token"]
    third = refreshed(api, second).json()["refresh_token"]
    assert is_refused(refreshed(api, stolen))
    assert is_refused(refreshed(api, third))
    assert refreshed(api, other).status_code == 200


def check_one_exchange(api: Api, answers: list[Any]) -> None:
    """One exchange succeeded, and the other one, which may be a thief's, voided the family."""
    first, second = sorted(answers, key=lambda answer: int(answer.status_code))
    assert first.status_code == 200
    assert is_refused(second)
    assert is_refused(refreshed(api, first.json()["refresh_token"]))


@pytest.mark.both_stores
def test_of_two_exchanges_at_the_same_moment_one_succeeds(api: Api) -> None:
    token, barrier = signed_in(api).json()["refresh_token"], Barrier(2)

    def exchange(_: int) -> Any:
        barrier.wait()
        return refreshed(api, token)

    with ThreadPoolExecutor(2) as pool:
        check_one_exchange(api, list(pool.map(exchange, range(2))))


@ON_POSTGRES
def test_of_two_exchanges_that_wait_for_each_other_one_succeeds(api: Api) -> None:
    token = signed_in(api).json()["refresh_token"]
    with (
        ThreadPoolExecutor(2) as pool,
        locked(api, select(t.refresh_token).with_for_update()) as holder,
    ):
        waiting = [pool.submit(refreshed, api, token) for _ in range(2)]
        wait_for_locks(holder, 2)
        holder.rollback()
        answers = [one.result() for one in waiting]
    check_one_exchange(api, answers)


def test_a_refresh_token_lives_twelve_hours(api: Api) -> None:
    early, late = (signed_in(api).json()["refresh_token"] for _ in range(2))
    api.clock.set("2026-03-02T21:59:59")
    assert refreshed(api, early).status_code == 200
    api.clock.set("2026-03-02T22:00:00")
    assert is_refused(refreshed(api, late))


def test_an_access_token_refreshes_nothing_and_a_refresh_token_opens_nothing(api: Api) -> None:
    given = signed_in(api).json()
    assert is_refused(refreshed(api, given["access_token"][:200]))
    assert is_refused(me(api, given["refresh_token"]), "unauthenticated")


def test_no_secret_is_kept_as_it_was_sent(api: Api) -> None:
    secret = signed_in(api).json()["refresh_token"]
    with api.engine.connect() as connection:
        kept = "".join(
            str(connection.execute(select(one)).all()) for one in (t.account, t.refresh_token)
        )
    assert secret not in kept
    assert PASSWORD not in kept
    assert "$argon2id$" in kept


# Access tokens


def test_an_access_token_lives_ten_minutes(api: Api) -> None:
    token = signed_in(api).json()["access_token"]
    api.clock.forward(minutes=9, seconds=59)
    assert me(api, token).status_code == 200
    api.clock.forward(seconds=1)
    assert is_refused(me(api, token), "unauthenticated")


def forged(
    api: Api, header: dict[str, Any] | None = None, key: bytes = KEY, **claims: Any
) -> str:  # fmt: skip
    """A valid token except for the named claims; a claim of None is left out."""
    now = int(api.clock.now.timestamp())
    usual = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": str(api.id_of(WORKER)), "iat": now, "exp": now + 600,
    }  # fmt: skip
    said = {name: value for name, value in (usual | claims).items() if value is not None}
    of_type = {"alg": "HS256", "typ": TOKEN_TYPE} | (header or {})
    return jwt.encode(of_type, said, OctKey.import_key(key), algorithms=[of_type["alg"]])


def unsigned(api: Api, alg: str) -> str:
    """A token that says it needs no signature."""
    payload = forged(api).split(".")[1]
    header = json.dumps({"alg": alg, "typ": TOKEN_TYPE}).encode()
    return f"{urlsafe_b64encode(header).decode().rstrip('=')}.{payload}."


def test_a_token_made_as_ours_are_is_taken(api: Api) -> None:
    assert me(api, forged(api)).status_code == 200  # or the refusals below would prove nothing


def test_a_forged_or_altered_token_is_refused_in_the_same_bytes(api: Api) -> None:
    now = int(api.clock.now.timestamp())
    right = forged(api)
    head, payload, signature = right.split(".")
    nobody = api.client.get(BASE + "/me")
    assert is_refused(nobody, "unauthenticated")
    for name, token in {
        "no signature": f"{head}.{payload}.",
        "alg none": unsigned(api, "none"),
        "alg None": unsigned(api, "None"),
        "another algorithm": forged(api, {"alg": "HS512"}, KEY * 2),
        "another key": forged(api, key=b"x" * 32),
        "the cursor's key": forged(api, key=b"c" * 32),
        "another type": forged(api, {"typ": "JWT"}),
        "no type": forged(api, {"typ": ""}),
        "another issuer": forged(api, iss="elsewhere"),
        "no issuer": forged(api, iss=None),
        "another audience": forged(api, aud="another-api"),
        "no audience": forged(api, aud=None),
        "no end": forged(api, exp=None),
        "an end that is text": forged(api, exp="9999999999"),
        "ended": forged(api, exp=now),
        "not yet": forged(api, nbf=now + 60),
        "nobody": forged(api, sub=None),
        "an unknown subject": forged(api, sub=str(uuid4())),
        "a subject that is no id": forged(api, sub="worker"),
        "a number as its subject": forged(api, sub=7),
        "encrypted": jwe.encrypt_compact(
            {"alg": "dir", "enc": "A128CBC-HS256"}, b"{}", OctKey.import_key(KEY)
        ),
        "cut": right[:-1],
        "longer": right + "A",
        "twice": right + "." + right,
        "padded": right + "=",
        "another payload": f"{head}.{_about(payload, str(api.id_of(SUPERVISOR)))}.{signature}",
        "empty": "",
        "two dots": "..",
        "long": "a" * 60_000,
        "a NUL": "\x00",
    }.items():
        answer = me(api, token)
        assert is_refused(answer, "unauthenticated"), (name, answer.text)
        assert answer.content == nobody.content, name


def _about(payload: str, sub: str) -> str:
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return urlsafe_b64encode(json.dumps(claims | {"sub": sub}).encode()).decode().rstrip("=")


def test_every_character_of_a_token_counts(api: Api) -> None:
    token = forged(api)
    for place in [*range(0, len(token), 11), len(token) - 1]:
        other = "A" if token[place] != "A" else "B"
        answer = me(api, token[:place] + other + token[place + 1 :])
        assert answer.status_code == 401, place


def test_a_signature_of_ours_over_something_else_opens_nothing(api: Api) -> None:
    body = b"something else"
    signature = urlsafe_b64encode(hmac.digest(KEY, body, "sha256")).decode().rstrip("=")
    assert me(api, f"{urlsafe_b64encode(body).decode()}..{signature}").status_code == 401


def test_a_token_counts_only_in_its_header(api: Api) -> None:
    token = forged(api)
    assert me(api, token, "bearer").status_code == 200
    for scheme in ("Basic", "Token", ""):
        assert me(api, token, scheme).status_code == 401, scheme
    assert api.client.get(f"{BASE}/me?access_token={token}").status_code == 401
    cookie = {"Cookie": f"access_token={token}"}
    assert api.client.get(BASE + "/me", headers=cookie).status_code == 401


# Rights are read afresh


def test_deactivation_acts_at_once(api: Api) -> None:
    given = signed_in(api).json()
    change(api, WORKER, is_active=False)
    assert is_refused(me(api, given["access_token"]), "unauthenticated")
    assert is_refused(refreshed(api, given["refresh_token"]))
    assert is_refused(signed_in(api))
    change(api, WORKER, is_active=True)
    assert me(api, given["access_token"]).status_code == 200


def test_another_role_acts_at_once(api: Api) -> None:
    referral = a_referral(api)
    bearer = {"Authorization": f"Bearer {signed_in(api).json()['access_token']}"}
    path = f"{BASE}/referrals/{referral}"
    assert api.client.get(path, headers=bearer).status_code == 200
    change(api, WORKER, role="city", centre_code=None, district_code=None)
    assert api.client.get(path, headers=bearer).status_code == 403
    change(api, WORKER, role="supervisor", district_code=DISTRICT)
    allowed = api.client.get(path, headers=bearer).json()["allowed_actions"]
    assert "enter-in-error" in allowed


def test_another_centre_acts_at_once(api: Api) -> None:
    path = f"{BASE}/referrals/{a_referral(api)}"
    bearer = {"Authorization": f"Bearer {signed_in(api).json()['access_token']}"}
    assert api.client.get(path, headers=bearer).status_code == 200
    change(api, WORKER, centre_code=NEXT_DOOR)
    assert api.client.get(path, headers=bearer).status_code == 404


# Audit entries


def test_each_attempt_leaves_one_entry_with_its_outcome(api: Api) -> None:
    given = signed_in(api).json()
    signed_in(api, WORKER, "wrong")
    signed_in(api, "nobody", "wrong")
    refreshed(api, given["refresh_token"])
    refreshed(api, given["refresh_token"])
    refreshed(api, "no such token")
    me(api, "no token")
    refused = ("refused", "invalid_credentials")
    assert entries(api) == [
        (WORKER, "auth.sign_in", "ok", None),
        (WORKER, "auth.sign_in", *refused),
        (None, "auth.sign_in", *refused),
        (WORKER, "auth.refresh", "ok", None),
        (WORKER, "auth.refresh", *refused),
        (None, "auth.refresh", *refused),
        (None, "account.self", "refused", "unauthenticated"),
    ]
    with api.engine.connect() as connection:
        assert set(connection.scalars(select(t.audit_entry.c.source))) == {"testclient"}
        assert connection.scalar(select(func.count(t.audit_entry.c.request_id.distinct()))) == 7

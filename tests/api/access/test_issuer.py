"""Tokens of an identity provider that this test runs itself: keys, faults, outages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from casework.adapters.identity.oidc import TAKES_S, OidcIssuer
from casework.adapters.outbound.exchange import Exchange
from casework.domain.access.accounts import Account
from casework.workflows.access import accounts
from tests.api.broken_tokens import signed
from tests.api.conftest import BASE, PASSWORD, WORKER, Api
from tests.api.signing import ask, change, refused, sign_in, stored

AUDIENCE, SUBJECT = "casework-busan", "f3b1-가상-0001"
RSA, OTHER = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
Key = RSAKey | ECKey


@dataclass
class Provider:
    """An identity provider on a socket of its own."""

    url: str = ""
    keys: dict[str, Key] = field(default_factory=lambda: {"one": RSA, "two": EC})
    # Responses that replace the usual ones, by path; and the number of requests.
    instead: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    says: str | None = None
    # Writes the whole response to /keys itself.
    writes: Callable[[BaseHTTPRequestHandler], None] | None = None

    def answer(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        self.asked.append(path)
        if path in self.instead:
            return self.instead[path]
        if path == "/.well-known/openid-configuration":
            told = {"issuer": self.says or self.url, "jwks_uri": f"{self.url}/keys"}
            return 200, json.dumps(told).encode()
        if path == "/keys":
            keys = [
                key.as_dict(private=False) | {"kid": kid, "use": "sig"}
                for kid, key in self.keys.items()
            ]
            return 200, json.dumps({"keys": keys}).encode()
        return 404, b""


@pytest.fixture
def provider() -> Iterator[Provider]:
    """The provider, serving."""
    it = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = it.answer(self.path)
            if it.writes is not None and self.path == "/keys":
                it.writes(self)
                return
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body.decode())
                body = b""
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield it
    server.shutdown()
    thread.join(10)
    server.server_close()


class Seconds:
    """A clock that only advances when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """The application with that provider, whose worker is known to it."""

    api: Api
    provider: Provider
    seconds: Seconds

    def use(self, total_s: float = TAKES_S, **more: Any) -> None:
        """Configure the provider again, with no keys cached."""
        self.api.application.issuer = OidcIssuer(
            self.provider.url,
            AUDIENCE,
            ("RS256", "ES256"),
            exchange=Exchange(private=True, total_s=total_s),
            monotonic=self.seconds,
            **more,
        )

    def token(self, header: dict[str, Any] | None = None, key: Any = RSA, **claims: Any) -> str:
        """A valid token except for the named claims; a claim of None is left out."""
        now = int(self.api.clock.now.timestamp())
        usual = {"iss": self.provider.url, "aud": AUDIENCE, "sub": SUBJECT, "iat": now,
                 "exp": now + 300, "azp": "web", "scope": "openid"}  # fmt: skip
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        head = {"alg": "RS256", "typ": "at+jwt", "kid": "one"} | (header or {})
        head = {name: value for name, value in head.items() if value is not None}
        return jwt.encode(head, said, key, algorithms=[head["alg"]], default_type=None)

    def me(self, token: str) -> Any:
        """The account that a token identifies."""
        return ask(self.api, token, "GET", "/me")


@pytest.fixture
def world(api: Api, provider: Provider) -> World:
    """The application with that provider."""
    found = World(api, provider, Seconds())
    found.use()
    change(api, WORKER, external_id=f"{provider.url} {SUBJECT}")
    return found


def test_a_token_of_the_provider_is_taken_for_the_account_it_is_linked_to(world: World) -> None:
    assert world.me(world.token()).json()["username"] == WORKER
    assert world.me(world.token({"alg": "ES256", "kid": "two"}, EC)).status_code == 200
    assert world.provider.asked == ["/.well-known/openid-configuration", "/keys"]  # once


def test_what_tells_an_access_token_from_others_is_heeded(world: World) -> None:
    now = int(world.api.clock.now.timestamp())
    for header, claims in (
        ({"typ": "JWT"}, {}), ({"typ": "application/at+jwt"}, {}), ({}, {"typ": "Bearer"}),
        ({}, {"aud": ["other", AUDIENCE]}), ({}, {"nbf": now + 60}),
        ({}, {"exp": now - 59, "iat": now - 300}),
        ({}, {"iat": now + 60}), ({}, {"exp": now + 300.5}),
    ):  # fmt: skip
        assert world.me(world.token(header, **claims)).status_code == 200, (header, claims)


def test_a_token_of_the_provider_that_is_not_right_is_refused_in_the_same_bytes(
    world: World,
) -> None:
    now = int(world.api.clock.now.timestamp())
    nobody = world.api.client.get(BASE + "/me")
    pem = RSA.as_pem(private=False)
    wrong: dict[str, Callable[[], str]] = {
        "another key": lambda: world.token(key=OTHER),
        "a key of another name": lambda: world.token({"kid": "two"}),
        "a key nobody knows": lambda: world.token({"kid": "three"}, OTHER),
        "no key's name": lambda: world.token({"kid": None}),
        "another kind of key": lambda: world.token({"alg": "ES256", "kid": "one"}, EC),
        "an algorithm it does not use": lambda: world.token({"alg": "PS256"}),
        "a public key as the secret": lambda: signed(
            {"alg": "HS256", "typ": "at+jwt", "kid": "one"},
            {
                "iss": world.provider.url,
                "aud": AUDIENCE,
                "sub": SUBJECT,
                "iat": now,
                "exp": now + 300,
            },
            pem,
        ),
        "a key it brings": lambda: world.token({"jwk": OTHER.as_dict(private=False)}, OTHER),
        "a key it points to": lambda: world.token({"jku": f"{world.provider.url}/keys"}),
        "no type": lambda: world.token({"typ": None}),
        "an id token": lambda: world.token({"typ": "JWT"}, nonce="n"),
        "an id token, by its hash": lambda: world.token({"typ": "JWT"}, at_hash="h"),
        "an id token, as Keycloak says": lambda: world.token({"typ": "JWT"}, typ="ID"),
        "a refresh token": lambda: world.token({"typ": "JWT"}, typ="Refresh"),
        "another type": lambda: world.token({"typ": "logout+jwt"}),
        "another issuer": lambda: world.token(iss="https://elsewhere.example"),
        "the issuer with a slash": lambda: world.token(iss=world.provider.url + "/"),
        "another audience": lambda: world.token(aud="another-api"),
        "no audience": lambda: world.token(aud=None),
        "no subject": lambda: world.token(sub=None),
        "another subject": lambda: world.token(sub="somebody-else"),
        "a subject that is a number": lambda: world.token(sub=7),
        "no end": lambda: world.token(exp=None),
        "ended": lambda: world.token(exp=now - 60, iat=now - 300),
        "ended before it began": lambda: world.token(exp=now - 1),
        "an end that is text": lambda: world.token(exp=str(now + 300)),
        "an end that is true": lambda: world.token(exp=True),
        "no beginning": lambda: world.token(iat=None),
        "begun later": lambda: world.token(iat=now + 61),
        "not yet": lambda: world.token(nbf=now + 61),
        "cut": lambda: world.token()[:-2],
        "unsigned": lambda: world.token().rpartition(".")[0] + ".",
    }
    for name, token in wrong.items():
        answer = world.me(token())
        assert answer.content == nobody.content, (name, answer.text)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), name
    assert world.me(world.token()).status_code == 200


def test_a_person_who_is_disabled_or_no_longer_linked_is_let_in_no_longer(world: World) -> None:
    change(world.api, WORKER, is_active=False)
    assert refused(world.me(world.token())) == (401, "unauthenticated")
    change(world.api, WORKER, is_active=True, external_id=None)
    assert refused(world.me(world.token())) == (401, "unauthenticated")


def test_new_keys_are_found_at_most_once_a_minute(world: World) -> None:
    assert world.me(world.token()).status_code == 200
    world.provider.keys = {"three": OTHER}
    later = world.token({"kid": "three"}, OTHER)
    assert world.me(later).status_code == 401
    asked = len(world.provider.asked)
    for _ in range(5):
        world.me(later)
    assert len(world.provider.asked) == asked
    world.seconds.now += 60
    assert world.me(later).status_code == 200
    assert world.me(world.token()).status_code == 401  # the old key is gone with its set


def test_a_key_that_was_withdrawn_is_good_for_an_hour_at_most(world: World) -> None:
    assert world.me(world.token()).status_code == 200
    world.provider.keys = {"three": OTHER}
    world.seconds.now += 3600
    assert world.me(world.token()).status_code == 200
    world.seconds.now += 1
    assert world.me(world.token()).status_code == 401


def test_while_the_provider_is_away_known_keys_go_on(world: World) -> None:
    assert world.me(world.token()).status_code == 200
    world.provider.instead["/keys"] = (500, b"")
    for _ in range(3):
        world.seconds.now += 3601
        assert world.me(world.token()).status_code == 200
    world.provider.instead.clear()
    assert world.me(world.token({"alg": "ES256", "kid": "two"}, EC)).status_code == 200


@pytest.mark.parametrize(
    "instead",
    [(500, b""), (200, b"<html>"), (200, b"[]"), (200, b'{"keys": 7}'), (200, b'{"keys": [7]}'),
     (302, b"http://127.0.0.1:9/keys"), (200, b'{"keys": []}' + b" " * 300_000)],
)  # fmt: skip
def test_where_no_key_was_ever_had_it_is_busy_and_nobody_is_let_in(
    world: World, instead: tuple[int, bytes]
) -> None:
    world.provider.instead["/keys"] = instead
    answer = world.me(world.token())
    assert refused(answer) == (503, "busy")
    assert answer.headers["retry-after"] == "1"
    # A request without a token of the provider does not wait for it.
    assert sign_in(world.api, WORKER).status_code == 200
    assert world.api.as_(WORKER).get("/me").status_code == 200
    world.provider.instead.clear()
    world.seconds.now += 60
    assert world.me(world.token()).status_code == 200


def test_keys_are_taken_only_where_the_provider_says_it_is_the_provider(world: World) -> None:
    world.provider.says = "https://elsewhere.example"
    assert refused(world.me(world.token())) == (503, "busy")
    assert "/keys" not in world.provider.asked
    world.use(jwks_url=f"{world.provider.url}/keys")
    assert world.me(world.token()).status_code == 200


def test_no_key_is_fetched_for_what_is_not_of_the_provider(world: World) -> None:
    for token in ("a.b.c", world.token(iss="https://elsewhere.example"),
                  world.token({"alg": "PS256"}), world.token({"typ": None}),
                  world.token({"kid": None})):  # fmt: skip
        assert world.me(token).status_code == 401
    assert world.provider.asked == []


def test_passwords_can_be_switched_off_where_the_provider_is(world: World) -> None:
    api, session = world.api, sign_in(world.api, WORKER).json()
    api.application.settings = api.application.settings.model_copy(update={"local_sign_in": "off"})
    for answer in (
        sign_in(api, WORKER),
        sign_in(api, WORKER, "wrong"),
        sign_in(api, "nobody", PASSWORD),
        api.client.post(BASE + "/auth/token", data={
            "grant_type": "refresh_token", "refresh_token": session["refresh_token"]}),
    ):  # fmt: skip
        assert refused(answer) == (403, "local_sign_in_off")
    assert world.me(world.token()).status_code == 200


def test_an_account_is_linked_at_the_command_line_and_an_identity_is_one_accounts(
    world: World,
) -> None:
    application = world.api.application
    accounts.change(
        application.register("casework account unlink", WORKER), WORKER, "account.unlink",
        lambda keeper, account: accounts.identify(keeper, account, None),
    )  # fmt: skip
    assert world.me(world.token()).status_code == 401

    def link(keeper: accounts.AccountEditor, account: Account) -> None:
        accounts.identify(keeper, account, f"{world.provider.url} {SUBJECT}")

    accounts.change(application.register("x", "city"), "city", "account.link", link)
    assert world.me(world.token()).json()["username"] == "city"
    with pytest.raises(Exception, match="another account has this identity"):
        accounts.change(application.register("x", WORKER), WORKER, "account.link", link)
    assert stored(world.api, WORKER).external_id is None

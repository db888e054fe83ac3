"""Every kind of invalid token, each with one difference from a valid one."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from joserfc import jwe, jwt
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import insert

from casework.adapters.identity import AUDIENCE, ISSUER, TOKEN_TYPE
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from tests.api.conftest import COLLEAGUE, SUPERVISOR, WORKER, Api
from tests.api.signing import change, sign_in

KEY = b"t" * 32
Header = dict[str, str]


def b64(told: object) -> str:
    """A part of a token."""
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def signed(header: Any, claims: Any, key: bytes = KEY) -> str:
    """A token of any header and claims with a valid signature."""
    said = f"{b64(header)}.{b64(claims)}"
    return f"{said}.{b64(hmac.digest(key, said.encode(), 'sha256'))}"


def right(api: Api) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a valid token."""
    now = int(api.clock.now.timestamp())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": str(api.id_of(WORKER)), "iat": now,
              "exp": now + 600}  # fmt: skip
    return {"alg": "HS256", "typ": TOKEN_TYPE}, claims


def broken(api: Api) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and headers of each kind; what ends an account's access is done to a colleague."""
    for name, token in (*_headers(api), *_claims(api), *_forms(api), *_others(api)):
        yield name, {"Authorization": f"Bearer {token}"}
    token = signed(*right(api))
    for name, value in (
        ("no scheme", token), ("another scheme", f"Basic {token}"), ("a scheme that is like it",
         f"Bearers {token}"), ("two blanks", f"Bearer  {token}"), ("a tab", f"Bearer\t{token}"),
        ("nothing after the scheme", "Bearer "), ("two tokens", f"Bearer {token}, {token}"),
        ("two tokens and a blank", f"Bearer {token} {token}"),
        ("two schemes", f"Bearer Bearer {token}"), ("quoted", f'Bearer "{token}"'),
    ):  # fmt: skip
        yield name, {"Authorization": value}
    yield "odd bytes", {"Authorization": f"Bearer {token}é".encode()}
    yield "no header", {}
    yield "in a cookie", {"Cookie": f"access_token={token}"}


def _headers(api: Api) -> Iterator[tuple[str, str]]:
    header, claims = right(api)
    said = f"{b64(header)}.{b64(claims)}"
    for alg in ("none", "None", "NONE", ""):
        yield f"alg {alg!r}", f"{b64(header | {'alg': alg})}.{b64(claims)}."
    yield "alg none with a signature", signed(header | {"alg": "none"}, claims)
    yield "no alg", signed({"typ": TOKEN_TYPE}, claims)
    for alg in ("HS384", "HS512"):
        key = OctKey.import_key(KEY * 2)
        yield alg, jwt.encode(header | {"alg": alg}, claims, key, algorithms=[alg])
    rsa = RSAKey.generate_key(2048)
    yield "RS256", jwt.encode(header | {"alg": "RS256"}, claims, rsa)
    yield "a public key as the secret", signed(header, claims, rsa.as_pem(private=False))
    for typ in ("JWT", "", "AT+JWT", "application/at+jwt", None):
        yield f"typ {typ!r}", signed({"alg": "HS256", "typ": typ}, claims)
    yield "no typ", signed({"alg": "HS256"}, claims)
    jwk = {"kty": "oct", "k": b64(b"x" * 32)}
    for name, value in (
        ("kid", "../../dev/null"), ("jku", "http://127.0.0.1:9/keys"), ("jwk", jwk),
        ("x5u", "http://127.0.0.1:9/x"), ("x5c", ["AAAA"]), ("crit", ["exp"]), ("crit", []),
        ("cty", "JWT"), ("b64", False), ("zip", "DEF"),
    ):  # fmt: skip
        secret = b"x" * 32 if name == "jwk" else KEY
        yield f"header {name} {value!r}"[:40], signed(header | {name: value}, claims, secret)
    yield "a header that is a list", signed([header], claims)
    yield "a header that is deep", f"{b64(b'[' * 5000)}.{b64(claims)}.{b64(b's')}"
    yield "a signature over something else", f"{said}.{b64(hmac.digest(KEY, b'x', 'sha256'))}"


def _claims(api: Api) -> Iterator[tuple[str, str]]:
    header, claims = right(api)
    now = claims["iat"]
    for name in claims:
        yield f"no {name}", signed(header, {k: v for k, v in claims.items() if k != name})
        yield f"{name} is null", signed(header, claims | {name: None})
    for name, value in (
        ("iss", "elsewhere"), ("iss", ISSUER.upper()), ("aud", "another-api"), ("aud", [AUDIENCE]),
        ("aud", ["another", AUDIENCE]), ("sub", str(uuid4())), ("sub", WORKER), ("sub", 7),
        ("sub", claims["sub"].upper()), ("sub", f"{{{claims['sub']}}}"), ("sub", ""),
        ("exp", now), ("exp", now - 1), ("exp", -1), ("exp", str(now + 600)), ("exp", True),
        ("exp", float("nan")), ("exp", float("inf")), ("exp", now + 600.5), ("exp", [now + 600]),
        ("exp", now + 601), ("exp", 10**12), ("iat", now + 61), ("iat", str(now)), ("iat", -1),
        ("iat", now - 601), ("nbf", now + 60), ("nbf", now), ("scope", "admin"), ("role", "admin"),
    ):  # fmt: skip
        yield f"{name} {value!r}"[:40], signed(header, claims | {name: value})
    yield "claims that are a list", signed(header, [claims])
    yield "claims that are no JSON", signed(header, b"{")
    yield "claims twice", signed(header, b'{"sub":"x",' + json.dumps(claims).encode())


def _forms(api: Api) -> Iterator[tuple[str, str]]:
    header, claims = right(api)
    token = signed(header, claims)
    head, payload, signature = token.split(".")
    other = b64(claims | {"sub": str(api.id_of(SUPERVISOR))})
    yield from {
        "another key": signed(header, claims, b"x" * 32), "the cursor's key":
            signed(header, claims, b"c" * 32), "an empty key": signed(header, claims, b""),
        "no signature": f"{head}.{payload}.", "two parts": f"{head}.{payload}",
        "another payload": f"{head}.{other}.{signature}", "cut": token[:-1], "longer": token + "A",
        "four parts": f"{token}.{signature}", "twice": f"{token}.{token}", "padded": token + "=",
        "padded inside": f"{head}=.{payload}.{signature}", "a signature padded":
            f"{head}.{payload}.{signature}=", "trailing data": f"{token}~", "two dots": "..",
        "one dot": ".", "slashes": f"{head}.{payload}.{'/' * 43}", "empty parts": f".{payload}.",
        "the last bits of its signature": _other_bits(token), "huge": "a" * 60_000,
        "huge and right": signed(header, claims | {"x": "y" * 20_000}), "words": "let-me-in",
        "encrypted": jwe.encrypt_compact({"alg": "dir", "enc": "A128CBC-HS256"}, b"{}",
                                         OctKey.import_key(KEY)),
        "a token in a token": signed(header, token.encode()),
    }.items()  # fmt: skip


def _other_bits(token: str) -> str:
    """The same signature bytes, encoded with other unused bits in the last character."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + letters[letters.index(token[-1]) ^ 1]


def _others(api: Api) -> Iterator[tuple[str, str]]:
    """Credentials that are valid for something else, or were valid before."""
    session = sign_in(api, WORKER).json()
    yield "a refresh token", session["refresh_token"]
    yield "an id token", signed({"alg": "HS256", "typ": "JWT"}, right(api)[1] | {"nonce": "n"})
    good = _own(api)
    ended, expired = _own(api, revoked_at=api.clock.now), _own(api, expires_at=api.clock.now)
    yield "a token of one's own, revoked", ended
    yield "a token of one's own, expired", expired
    yield "a token of one's own, cut", good[:-1]
    yield "a token of one's own, longer", good + "A"
    yield "a token of one's own, in other letters", good.swapcase()
    yield "a token of one's own, without its beginning", good.removeprefix("cwk_")
    yield "a token of one's own that is none", "cwk_" + "A" * 43
    yield "the beginning alone", "cwk_"
    yield "the digest of one", api.application.tokens.digest(good)
    theirs, own = sign_in(api, COLLEAGUE).json()["access_token"], _own(api, COLLEAGUE)
    change(api, COLLEAGUE, is_active=False)
    yield "of an account that is disabled", theirs
    yield "a disabled account's own", own


def _own(api: Api, username: str = WORKER, **facts: Any) -> str:
    """An API token, with its row in the database."""
    secret, now = "cwk_" + api.application.tokens.new_secret()[0], api.clock.now
    row = {
        "id": new_id(), "account_id": api.id_of(username), "name": "x", "scopes": ["case.read"],
        "digest": api.application.tokens.digest(secret), "created_at": now,
        "expires_at": api.clock.now.replace(year=2027),
    }  # fmt: skip
    with api.engine.begin() as connection:
        connection.execute(insert(t.account_token), [row | facts])
    return secret

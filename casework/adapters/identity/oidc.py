"""Access tokens of an OpenID Connect issuer, verified against the key set that it publishes.

Keys are fetched when a token needs them, cached for an hour, and fetched again for an unknown key
at most once a minute. While the issuer is unreachable, known keys stay valid.
"""

from __future__ import annotations

import json
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from structlog import get_logger

from casework.adapters.outbound.exchange import Exchange
from casework.workflows.ports.access import IssuerUnreachable, Unauthenticated

TAKES_S: Final = 3.0
# How long a request waits for keys that another one fetches: each keeps a thread meanwhile.
WAITS_S: Final = 0.2
LARGEST: Final = 256 * 1024
CACHE_S: Final = 3600.0
AGAIN_S: Final = 60.0
LEEWAY_S: Final = 60
# Of what public keys are; a secret that is published is none.
KEY_TYPES: Final = ("RSA", "EC", "OKP")
TYPES: Final = ("jwt", "at+jwt", "application/at+jwt")
# Only an ID token, which is for the client that requested it, has these.
OF_AN_ID_TOKEN: Final = ("at_hash", "c_hash", "s_hash", "nonce")
# Headers that would choose or bring the key, or change how the rest is read.
NEVER: Final = ("jku", "jwk", "x5u", "x5c", "crit", "cty", "zip", "enc", "b64")
MAX_SUBJECT_LENGTH: Final = 255
log = get_logger("casework.oidc")


class OidcIssuer:
    """One issuer, one audience, asymmetric algorithms only."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        algorithms: tuple[str, ...],
        jwks_url: str | None = None,
        *,
        exchange: Exchange,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer, self._audience, self._algorithms = issuer, audience, algorithms
        self._jwks_url, self._monotonic, self._exchange = jwks_url, monotonic, exchange
        self._lock = threading.Lock()
        # As published, and as it is used, by name.
        self._keys: dict[str, tuple[dict[str, Any], Any]] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None

    def is_of(self, token: str) -> bool:
        """Compares the issuer and whether the algorithm is one of its own."""
        try:
            head, claims, _ = token.split(".")
            header, said = _peek(head), _peek(claims)
        except ValueError:
            return False
        return header.get("alg") in self._algorithms and said.get("iss") == self._issuer

    def external_id_of(self, token: str, now: datetime) -> str:
        header = _peek(token.partition(".")[0])
        if not self._fits(header):
            raise Unauthenticated("sign in first")
        key = self._key(header["kid"], header["alg"])
        if key is None:
            raise Unauthenticated("sign in first")
        try:
            found = jwt.decode(token, key, algorithms=list(self._algorithms))
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise Unauthenticated("sign in first") from error
        if not self._is_right(found.claims, now.timestamp()):
            raise Unauthenticated("sign in first")
        return f"{self._issuer} {found.claims['sub']}"

    def _fits(self, header: dict[str, Any]) -> bool:
        kid, kind = header.get("kid"), header.get("typ")
        return (
            header.get("alg") in self._algorithms
            and isinstance(kind, str)
            and kind.lower() in TYPES
            and isinstance(kid, str)
            and 0 < len(kid) <= MAX_SUBJECT_LENGTH
            and not any(name in header for name in NEVER)
        )

    def _is_right(self, claims: dict[str, Any], now: float) -> bool:
        """Issuer, audience and times; an access token and no other kind."""
        audience = claims.get("aud")
        named = [audience] if isinstance(audience, str) else audience
        subject = claims.get("sub")
        if any(name in claims for name in OF_AN_ID_TOKEN):
            return False
        if claims.get("typ", "Bearer") != "Bearer":  # as Keycloak tells its kinds apart
            return False
        return (
            claims.get("iss") == self._issuer
            and isinstance(named, list)
            and self._audience in named
            and isinstance(subject, str)
            and 0 < len(subject) <= MAX_SUBJECT_LENGTH
            and subject.isprintable()
            and self._is_now(claims, now)
        )

    def _is_now(self, claims: dict[str, Any], now: float) -> bool:
        begun, ends = _time(claims.get("iat")), _time(claims.get("exp"))
        not_before = _time(claims.get("nbf", 0))
        if begun is None or ends is None or not_before is None:
            return False
        latest, earliest = now + LEEWAY_S, now - LEEWAY_S
        return begun <= latest and not_before <= latest and earliest < ends and begun <= ends

    # Keys

    def _key(self, kid: str, alg: str) -> Any:
        """The key of that name, if it is one for this algorithm.

        With a known key nobody waits: one caller fetches again, the others go on. For an unknown
        one the others wait a moment. Raises IssuerUnreachable where it is not known by then.
        """
        known = kid in self._keys
        if not known or self._is_stale():
            if self._lock.acquire(timeout=0 if known else WAITS_S):
                try:
                    if self._is_stale() or kid not in self._keys:
                        self._refetch()
                finally:
                    self._lock.release()
            elif kid not in self._keys:
                raise IssuerUnreachable("the identity provider has not answered yet")
        if not self._keys:
            raise IssuerUnreachable("the identity provider cannot be reached")
        said, key = self._keys.get(kid, ({}, None))
        fits = said.get("use", "sig") == "sig" and said.get("alg", alg) == alg
        return key if fits else None

    def _is_stale(self) -> bool:
        return self._fetched_at is None or self._monotonic() - self._fetched_at > CACHE_S

    def _refetch(self) -> None:
        """Fetch the keys, at most once a minute; what is known stays where that fails."""
        now = self._monotonic()
        if self._tried_at is not None and now - self._tried_at < AGAIN_S:
            return
        self._tried_at = now
        try:
            found = self._fetch(self._jwks_url or self._discovered())["keys"]
            keys = _usable(found)
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            log.warning("no keys from the issuer", error=type(error).__name__)
            return
        self._keys, self._fetched_at = keys, now

    def _discovered(self) -> str:
        """Where the issuer says that its keys are; it must be the issuer that says so."""
        told = self._fetch(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if told["issuer"] != self._issuer:
            raise ValueError("the document is another issuer's")
        address: str = told["jwks_uri"]
        if address.partition(":")[0] not in (self._issuer.partition(":")[0], "https"):
            raise ValueError("the keys are not where the issuer is")
        return address

    def _fetch(self, url: str) -> dict[str, Any]:
        status, body = self._exchange.fetch(url, {"Accept": "application/json"}, largest=LARGEST)
        if status != HTTPStatus.OK:
            raise ValueError(f"status {status}")
        found: dict[str, Any] = json.loads(body)
        return found


def _usable(found: Iterable[dict[str, Any]]) -> dict[str, tuple[dict[str, Any], Any]]:
    """The published keys that are some, by name. Raises ValueError where none of them is."""
    keys = {}
    named = [one for one in found if isinstance(one.get("kid"), str)]
    for one in named:
        if one.get("kty") not in KEY_TYPES:
            continue
        try:
            keys[one["kid"]] = one, KeySet.import_key_set({"keys": [one]}).keys[0]
        except (JoseError, ValueError, TypeError, LookupError, AttributeError) as error:
            log.warning("a key of the issuer is none", error=type(error).__name__)
    if named and not keys:
        raise ValueError("no key is usable")
    return keys


def _time(value: object) -> float | None:
    """A NumericDate, or None for what is none: text, a truth value, NaN, the far future."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 2**40 else None


def _peek(part: str) -> dict[str, Any]:
    """What a part of a token says; raises ValueError where it is no object."""
    try:
        found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found

"""Passwords and tokens."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from casework.workflows.ports.access import Unauthenticated

ISSUER = "casework"
AUDIENCE = "casework-api"
ALGORITHM = "HS256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068's type of an access token

HEADER = {"alg": ALGORITHM, "typ": TOKEN_TYPE}
CLAIMS = {"iss", "aud", "sub", "iat", "exp"}
LEEWAY_S = 60


# Longer than a password takes to compare on a machine that is not overloaded.
REFUSAL_STEP_S = 0.2


class Argon2Passwords:
    """Argon2id digests; ``cheap`` saves time in tests, where nothing is protected."""

    def __init__(self, *, cheap: bool = False, refusal_step_s: float | None = None) -> None:
        usual_step_s = 0 if cheap else REFUSAL_STEP_S
        self.refusal_step_s = usual_step_s if refusal_step_s is None else refusal_step_s
        self._hasher = (
            PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if cheap else PasswordHasher()
        )
        self._nobody = _digest_of_nothing(self._hasher)

    def digest(self, password: str) -> str:
        """Argon2id with its parameters and salt."""
        return self._hasher.hash(password)

    def matches(self, digest: str | None, password: str) -> bool:
        """Without a digest a dummy is compared, so that it takes as long."""
        try:
            return self._hasher.verify(digest or self._nobody, password) and digest is not None
        except (VerifyMismatchError, InvalidHashError):
            return False


def _digest_of_nothing(hasher: PasswordHasher) -> str:
    """A digest that no password has, of the same cost, which takes no time to make."""
    salt, random = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${random}"


class JwtTokens:
    """Access tokens: signed, short-lived, of one fixed algorithm, issuer, audience and type."""

    def __init__(self, key: bytes, lifetime: timedelta = timedelta(minutes=10)) -> None:
        self._key, self.lifetime = OctKey.import_key(key), lifetime

    def issue(self, account_id: UUID, now: datetime) -> str:
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(account_id),
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
        }
        return jwt.encode(HEADER, claims, self._key)

    def read(self, token: str, now: datetime) -> tuple[UUID, datetime]:
        """Header and claims must be exactly those that ``issue`` writes."""
        try:
            found = jwt.decode(token, self._key, algorithms=[ALGORITHM])
            claims = found.claims
            if found.header != HEADER or not _is_right(claims, now, self.lifetime):
                raise Unauthenticated("sign in first")
            id = UUID(claims["sub"])
            if str(id) != claims["sub"]:
                raise Unauthenticated("sign in first")
            return id, datetime.fromtimestamp(claims["iat"], UTC)
        except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise Unauthenticated("sign in first") from error

    def new_secret(self) -> tuple[str, str]:
        secret = secrets.token_urlsafe(32)
        return secret, self.digest(secret)

    def digest(self, secret: str) -> str:
        """SHA-256: the secret is random enough to need no salt."""
        return hashlib.sha256(secret.encode()).hexdigest()

    def random(self, size: int) -> bytes:
        return secrets.token_bytes(size)


def _is_right(claims: dict[str, Any], now: datetime, lifetime: timedelta) -> bool:
    """Whether every claim is there, of its type, and good at the caller's moment; and no other.

    A token of ours that is not yet valid was signed by a clock ahead of this one.
    """
    if set(claims) != CLAIMS or (claims["iss"], claims["aud"]) != (ISSUER, AUDIENCE):
        return False
    begun, ends, moment = claims["iat"], claims["exp"], now.timestamp()
    if type(begun) is not int or type(ends) is not int:
        return False
    return begun <= moment + LEEWAY_S and moment < ends <= begun + lifetime.total_seconds()

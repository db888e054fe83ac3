"""Passwords and tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from casework.workflows.signing_in import Unauthenticated

ISSUER = "casework"
AUDIENCE = "casework-api"
ALGORITHM = "HS256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068's type of an access token


class Argon2Passwords:
    """Argon2id digests. ``cheap`` spares the time in tests, where nothing is protected."""

    def __init__(self, *, cheap: bool = False) -> None:
        self._hasher = (
            PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if cheap else PasswordHasher()
        )
        self._nobody = self._hasher.hash(secrets.token_hex())

    def digest(self, password: str) -> str:
        """What is stored of a password."""
        return self._hasher.hash(password)

    def matches(self, digest: str | None, password: str) -> bool:
        """Compare; without a digest a stranger's is compared, so that it takes as long."""
        try:
            return self._hasher.verify(digest or self._nobody, password) and digest is not None
        except (VerifyMismatchError, InvalidHashError):
            return False


class JwtTokens:
    """Access tokens: signed, short-lived, of one fixed algorithm, issuer, audience and type."""

    def __init__(self, key: bytes, lifetime: timedelta = timedelta(minutes=10)) -> None:
        self._key, self.lifetime = OctKey.import_key(key), lifetime

    def issue(self, account_id: UUID, now: datetime) -> str:
        """An access token for that account."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(account_id),
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
        }
        return jwt.encode({"alg": ALGORITHM, "typ": TOKEN_TYPE}, claims, self._key)

    def account_of(self, token: str, now: datetime) -> UUID:
        """Whose token it is."""
        try:
            found = jwt.decode(token, self._key, algorithms=[ALGORITHM])
            if found.header.get("typ") != TOKEN_TYPE:
                raise Unauthenticated("sign in first")
            _claims(now).validate(found.claims)
            if found.claims["exp"] <= now.timestamp():
                raise Unauthenticated("sign in again")
            return UUID(found.claims["sub"])
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Unauthenticated("sign in first") from error

    def new_secret(self) -> tuple[str, str]:
        """A random refresh token and its digest."""
        secret = secrets.token_urlsafe(32)
        return secret, self.digest(secret)

    def digest(self, secret: str) -> str:
        """SHA-256 of a refresh token: it is random enough to need no salt."""
        return hashlib.sha256(secret.encode()).hexdigest()


def _claims(now: datetime) -> jwt.JWTClaimsRegistry:
    """What a token must claim, judged at the caller's moment and not the machine's."""
    return jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        sub={"essential": True},
        exp={"essential": True},
    )

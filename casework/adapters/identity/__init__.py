"""Passwords and tokens."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
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
READ_AT_MOST = 10_000


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
        self._checked = CheckedTokens()

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
        """Header and claims must be exactly those that ``issue`` writes.

        What is signed is checked once for each token, whether it is good now with each request.
        """
        try:
            digest = hashlib.sha256(token.encode()).digest()
            found = self._checked.get(digest)
            if found is None:
                found = self._decoded(token)
                self._checked.remember(digest, found)
        except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise Unauthenticated("sign in first") from error
        if not found.is_good(now, self.lifetime):
            raise Unauthenticated("sign in first")
        return found.account_id, found.issued_at

    def _decoded(self, token: str) -> CheckedToken:
        """What a token of ours says. Raises ValueError or JoseError for any other one."""
        found = jwt.decode(token, self._key, algorithms=[ALGORITHM])
        claims = found.claims
        if found.header != HEADER or not _are_ours(claims):
            raise ValueError("no token of ours")
        id = UUID(claims["sub"])
        if str(id) != claims["sub"]:
            raise ValueError("no id as we write it")
        issued_at = datetime.fromtimestamp(claims["iat"], UTC)
        return CheckedToken(id, issued_at, claims["iat"], claims["exp"])

    def new_secret(self) -> tuple[str, str]:
        secret = secrets.token_urlsafe(32)
        return secret, self.digest(secret)

    def digest(self, secret: str) -> str:
        """SHA-256: the secret is random enough to need no salt."""
        return hashlib.sha256(secret.encode()).hexdigest()

    def random(self, size: int) -> bytes:
        return secrets.token_bytes(size)


def _are_ours(claims: dict[str, Any]) -> bool:
    """Whether every claim is there and of its type, and no other."""
    if set(claims) != CLAIMS or (claims["iss"], claims["aud"]) != (ISSUER, AUDIENCE):
        return False
    return type(claims["iat"]) is int and type(claims["exp"]) is int


@dataclass(frozen=True, slots=True)
class CheckedToken:
    """What a token says whose signature was right; when it begins and ends in seconds."""

    account_id: UUID
    issued_at: datetime
    begins: int
    ends: int

    def is_good(self, now: datetime, lifetime: timedelta) -> bool:
        """Whether it is good at this moment.

        A token of ours that is not yet valid was signed by a clock ahead of this one.
        """
        moment = now.timestamp()
        is_begun = self.begins <= moment + LEEWAY_S
        return is_begun and moment < self.ends <= self.begins + lifetime.total_seconds()


class CheckedTokens:
    """The tokens that were read last, by their digests: a signature costs more than the rest."""

    def __init__(self, at_most: int = READ_AT_MOST) -> None:
        self._at_most, self._lock = at_most, Lock()
        self._known: OrderedDict[bytes, CheckedToken] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, digest: bytes) -> CheckedToken | None:
        """What the token of a digest says, where it is known."""
        return self._known.get(digest)

    def remember(self, digest: bytes, token: CheckedToken) -> None:
        """Keep a token whose signature was right, instead of the one that was read first."""
        with self._lock:
            self._known[digest] = token
            if len(self._known) > self._at_most:
                self._known.popitem(last=False)

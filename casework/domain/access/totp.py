"""Time-based one-time passwords (RFC 6238: SHA-1, six digits, thirty seconds)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

SECRET_BYTES: Final = 20
STEP_SECONDS: Final = 30
DIGITS: Final = 6
# A clock may be off by one step, either way.
TOLERATED_STEPS: Final = (-1, 0, 1)
RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 10
ISSUER: Final = "casework"


def step_at(moment: datetime) -> int:
    """The number of the step an instant falls into."""
    return int(moment.timestamp()) // STEP_SECONDS


def code_of(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of one step (RFC 4226)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def accepted_step(secret: bytes, code: str, now: datetime, last: int | None) -> int | None:
    """The step a code belongs to, or None; no step is accepted twice, nor one before it.

    Every step is compared, whichever is right, so that the timing reveals nothing.
    """
    given, found = code.encode(), None
    for off in TOLERATED_STEPS:
        step = step_at(now) + off
        is_equal = hmac.compare_digest(code_of(secret, step).encode(), given)
        if is_equal and (last is None or step > last):
            found = step
    return found


def as_text(secret: bytes) -> str:
    """A secret as it is typed into an authenticator."""
    return base64.b32encode(secret).decode()


def from_text(text: str) -> bytes:
    """The secret from its text."""
    return base64.b32decode(text)


def otpauth_uri(secret: str, username: str) -> str:
    """What an authenticator reads from a QR code."""
    label = quote(f"{ISSUER}:{username}", safe="")
    told = urlencode({"secret": secret, "issuer": ISSUER, "digits": DIGITS, "period": STEP_SECONDS})
    return f"otpauth://totp/{label}?{told}"


def recovery_code(random: bytes) -> str:
    """A recovery code as it is written down: four groups of four."""
    text = base64.b32encode(random).decode().lower()
    return "-".join(text[n : n + 4] for n in range(0, len(text), 4))


def plain_recovery_code(typed: str) -> str:
    """The same code, however it was typed: blanks, hyphens and capitals do not matter."""
    return "".join(one for one in typed.lower() if one.isalnum())

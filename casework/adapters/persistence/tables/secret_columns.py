"""The columns by which somebody is let in, or that tell how it was tried."""

from __future__ import annotations

from typing import Final

# Only whoever signs people in, and opens links for agencies, reads them.
SECRETS: Final[dict[str, frozenset[str]]] = {
    "account": frozenset({"password_hash", "totp_sealed", "totp_step", "tries", "signed_in_from"}),
    "agency_link": frozenset({"digest", "code_digest"}),
}

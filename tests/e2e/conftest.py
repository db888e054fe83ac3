"""What every test of the command line is spared."""

from __future__ import annotations

import pytest

from casework.adapters.identity import Argon2Passwords


@pytest.fixture(autouse=True)
def asked_for_cheap(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Digests that cost no time, for commands in this process; whether each asked for such."""
    found: list[bool] = []

    def passwords(*, cheap: bool = False) -> Argon2Passwords:
        found.append(cheap)
        return Argon2Passwords(cheap=True)

    monkeypatch.setattr("casework.bootstrap.Argon2Passwords", passwords)
    return found

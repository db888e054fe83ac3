"""Signing in as the users of a benchmark."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

import httpx2

from casework.bench.asking import API
from casework.bench.processes import BenchmarkFailed, Served

# An access token lasts ten minutes.
RENEW_AFTER_S: Final = 240.0
WITHIN_S: Final = 30.0
# A machine may be so busy that the first answer is 503; signing in is not what is measured.
TRIES, PAUSE_S = 10, 1.0


@dataclass(slots=True)
class Tokens:
    """The access tokens of users, renewed before they end."""

    password: str
    _known: dict[str, tuple[float, str]] = field(default_factory=dict)

    def of(self, server: Served, username: str) -> str:
        """A token of a user who signs in with name and password. Raises BenchmarkFailed."""
        at, token = self._known.get(username, (0.0, ""))
        if not token or time.monotonic() - at > RENEW_AFTER_S:
            token = self._sign_in(server, username)
            self._known[username] = time.monotonic(), token
        return token

    def _sign_in(self, server: Served, username: str) -> str:
        for _ in range(TRIES):
            try:
                answer = httpx2.post(
                    f"http://{server.host}:{server.port}{API}/auth/token",
                    data={"username": username, "password": self.password},
                    timeout=WITHIN_S,
                )
            except httpx2.HTTPError as error:
                why = type(error).__name__
                raise BenchmarkFailed(f"{username} cannot sign in: {why}") from None
            if answer.status_code != 503:
                break
            time.sleep(PAUSE_S)
        if answer.status_code != 200:
            raise BenchmarkFailed(f"{username} cannot sign in: {answer.status_code}")
        return str(answer.json()["access_token"])

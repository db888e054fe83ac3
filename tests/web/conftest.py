"""An agency that answers by link: its mailbox, and a browser without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from tests.api import conftest as world
from tests.api.acts import a_referral
from tests.api.conftest import SUPERVISOR, WORKER, Api

api, application, owner = world.api, world.application, world.owner


class Mailbox:
    """The messages to an agency, read from the console channel."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
        self.texts: list[str] = []
        monkeypatch.setattr(api.application.transport, "_aloud", self.texts.append)

    def link(self) -> str:
        """The path of the newest link."""
        return str(re.findall(r"https?://[^/\s]+(/a/[\w-]+)", "\n".join(self.texts))[-1])

    def code(self) -> str:
        """The newest code."""
        return str(re.findall(r"\b(\d{6})\b", self.texts[-1])[-1])


@dataclass
class Agency:
    """An agency with a browser of its own."""

    api: Api
    mailbox: Mailbox
    browser: TestClient
    path: str = ""
    last: Any = None
    hidden: dict[str, str] = field(default_factory=dict)

    def get(self, where: str = "", **with_it: Any) -> Any:
        """Ask for a page of the link."""
        return self._noted(self.browser.get(self.path + where, **with_it))

    def post(self, where: str, **fields: str) -> Any:
        """Send the form of the last page."""
        return self._noted(self.browser.post(self.path + where, data=self.hidden | fields))

    def send(self, where: str, fields: dict[str, str]) -> Any:
        """The same, for fields whose names are no words."""
        return self.post(where, **fields)

    def _noted(self, answer: Any) -> Any:
        found = dict(re.findall(r'name="(token|key)" value="([^"]*)"', answer.text))
        self.hidden, self.last = found or self.hidden, answer
        return answer

    def enters(self) -> Any:
        """Enter the code, and arrive at the requests."""
        self.get()
        self.post("/code")
        return self.post("/enter", code=self.mailbox.code())


def answers_by_link(api: Api, provider: str = "alpha", by: str = SUPERVISOR) -> None:
    """From now on an agency answers by link."""
    id = api.providers[provider].id
    answer = api.as_(by).put(f"/providers/{id}/answering", {"email": f"{provider}@agency.example"})
    assert answer.status_code == 200, answer.text


@pytest.fixture
def mailbox(api: Api, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """The console of agency alpha."""
    return Mailbox(monkeypatch, api)


@pytest.fixture
def agency(api: Api, mailbox: Mailbox) -> Iterator[Agency]:
    """Agency alpha, which answers by link."""
    answers_by_link(api)
    browser = TestClient(api.client.app, base_url="http://agency.example", follow_redirects=True)
    yield Agency(api, mailbox, browser)
    browser.close()


def sent_link(agency: Agency, referral: UUID, by: str = WORKER) -> str:
    """Send a link for a referral; where it leads."""
    answer = agency.api.as_(by).post(f"/referrals/{referral}/link")
    assert answer.status_code == 201, answer.text
    agency.api.application.relay(agency.api.application.context())
    agency.path = agency.mailbox.link()
    return agency.path


@pytest.fixture
def asked(agency: Agency) -> UUID:
    """A request to agency alpha, whose link has arrived."""
    referral = a_referral(agency.api, message="열쇠는 이웃에게 있음")
    sent_link(agency, referral)
    return referral

"""Who opened a link: the visit behind it, its cookies, and what was posted with it."""

from __future__ import annotations

import hashlib
import hmac
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from casework.adapters.http.call import TRIES
from casework.adapters.http.problems import Problem
from casework.adapters.http.services import Services
from casework.adapters.web.forms import Form
from casework.adapters.web.route import COOKIE, PageRoute, language, page
from casework.domain.agencies import rosters
from casework.domain.agencies.links import SESSION_FOR
from casework.domain.clocks.calendar import SEOUL
from casework.locale import LANGUAGES
from casework.workflows.agencies import links
from casework.workflows.agencies.links import LinkRequest, LinkVisit
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Replay

DONE: Final = ("done", "sent", "left")
ONLY_POSTED: Final = ("/code", "/enter", "/leave", "/answers")
FORM_COOKIE: Final = "casework_form"


@dataclass(frozen=True, slots=True)
class Guest:
    """The visitor who opened a link: their request, and as whom they act."""

    services: Services
    request: Request
    link_request: LinkRequest
    visit: LinkVisit
    form_cookie: str

    @property
    def path(self) -> str:
        """Where the pages of this link begin."""
        return f"/a/{self.link_request.secret}"

    @property
    def begins(self) -> str:
        """The page that this link is about: a month's roster, free places, or requests."""
        if self.visit.link.month:
            return f"/months/{self.visit.link.month}"
        return "" if self.visit.referral_ids else "/places"

    @property
    def token(self) -> str:
        """What every form of this browser for this link carries."""
        return self.services.linking.keys.form_token(self.form_cookie, str(self.visit.link.id))

    def context(self, key: str | None = None, said: str = "") -> Context:
        """The agency as the actor; the audit names the link and the source."""
        services = self.services
        digest = hmac.digest(services.cursor_key, said.encode(), hashlib.sha256).hex()
        facts = replace(
            self.link_request.facts, asked_for=f"link {self.visit.link.id}", idempotency_key=key,
            digest=digest,
        )  # fmt: skip
        return Context(
            actor=self.visit.actor, now=self.link_request.now, new_id=services.new_id,
            clockwork=services.clockwork(), catalogue=services.catalogue(),
            store=services.store.for_request(facts), similarity=services.similarity,
        )  # fmt: skip

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page of this link."""
        spoken = language(self.request)
        done = self.request.query_params.get("done")
        response = page(
            self.request, template, status, path=self.path, token=self.token,
            key=self.services.linking.keys.new_secret(), here=self._here(),
            done=done if done in DONE and self.request.method == "GET" else None,
            service=lambda code: self._service(code, spoken), day=_day, moment=_moment,
            plain=_plain, is_in=self.visit.is_in, month_now=self._month(), **values,
        )  # fmt: skip
        return self._with_form_cookie(response)

    def _with_form_cookie(self, response: Response) -> Response:
        if carried(self.services, self.request, FORM_COOKIE) != self.form_cookie:
            set_cookie(self, response, FORM_COOKIE, self.form_cookie)
        return response

    def _service(self, code: str, spoken: str) -> str:
        known = self.services.catalogue().get(code)
        return code if known is None else known.name_ko if spoken == "ko" else known.name_en

    def _here(self) -> str:
        """The address under which this page can be requested again."""
        path = self.request.url.path
        only_posted = any(path == self.path + one for one in ONLY_POSTED)
        return self.path if only_posted else path

    def _month(self) -> str:
        return rosters.month_before(self.link_request.now.astimezone(SEOUL).date())

    def to(self, where: str = "", done: str | None = None, **with_it: Any) -> Response:
        """Go on to a page by a GET, so that a reload repeats nothing."""
        asked = {"lang": self.request.query_params.get("lang"), "done": done}
        query = "&".join(f"{k}={v}" for k, v in asked.items() if v in (*DONE, *LANGUAGES))
        headers = {"Location": self.path + where + (f"?{query}" if query else "")}
        return Response(None, 303, headers | {"Cache-Control": "no-store"}, **with_it)


def named(services: Services, name: str) -> str:
    """A cookie's name; in production one that a browser takes over TLS alone."""
    return f"__Secure-{name}" if services.is_production else name


def carried(services: Services, request: Request, name: str) -> str | None:
    """What a browser carries in a cookie, if it carries it."""
    return request.cookies.get(named(services, name))


def drop_cookie(guest: Guest, response: Response) -> None:
    """Take the session out of the browser, with the attributes it was set with."""
    services = guest.services
    response.delete_cookie(
        named(services, COOKIE), path=guest.path, httponly=True, samesite="strict",
        secure=services.is_production,
    )  # fmt: skip


def set_cookie(guest: Guest, response: Response, name: str, value: str) -> None:
    """A cookie that only the pages of this link get."""
    path = guest.path if name == COOKIE else "/a"  # each open link has its own session
    response.set_cookie(
        named(guest.services, name), value,
        max_age=int(SESSION_FOR.total_seconds()) if name == COOKIE else None,
        path=path, httponly=True, samesite="strict", secure=guest.services.is_production,
    )  # fmt: skip


def _opened(request: Request, secret: str) -> Guest:
    """The link behind an address. Raises LinkRefused."""
    services: Services = request.app.state.services
    asked = LinkRequest(
        secret, carried(services, request, COOKIE), request.state.facts, services.now()
    )
    visit = links.open_visit(services.linking, asked)
    request.state.visit = visit
    form_cookie = carried(services, request, FORM_COOKIE) or services.linking.keys.new_secret()
    return Guest(services, request, asked, visit, form_cookie)


class LinkRoute(PageRoute):
    """A page behind a link: nothing is read of what is posted to one that nobody has."""

    async def admit(self, request: Request) -> None:
        """Open the link."""
        request.state.guest = await run_in_threadpool(
            _opened, request, request.path_params["secret"]
        )


def _posted(request: Request) -> tuple[Guest, Form]:
    """The opened link with its form, one of ours. Raises Problem ``form_expired``."""
    guest: Guest = request.state.guest
    form = Form.of(request._body)
    if carried(guest.services, request, FORM_COOKIE) is None or not hmac.compare_digest(
        form.get("token", "").encode(), guest.token.encode()
    ):
        raise Problem("the form is too old; go back and try again", code="form_expired")
    return guest, form


def with_retries(services: Services, use_case: Callable[[], Any]) -> None:
    """Retry after a deadlock; what was carried out before is not repeated."""
    for attempt in range(1, TRIES + 1):
        try:
            use_case()
            return
        except Replay:
            return
        except Exception as error:
            if services.fault(error) != "retry" or attempt == TRIES:
                raise
            time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 - jitter


def _day(value: date | None) -> str:
    return "" if value is None else value.isoformat()


def _moment(value: Any) -> str:
    return "" if value is None else f"{value.astimezone(SEOUL):%Y-%m-%d %H:%M}"


def _plain(value: Any) -> str:
    """A quantity without zeros that say nothing."""
    return "" if value is None else f"{value.normalize():f}"

"""Agency links: sent, opened with a code, revoked; the agency then acts as its account.

Every refused link gets the same answer, whatever the cause.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from casework.domain.access.accounts import BY_LINK, Account, check_email
from casework.domain.access.grant_log import GrantAct, entry_of
from casework.domain.access.policy import Actor, Role
from casework.domain.agencies import rosters
from casework.domain.agencies.links import (
    LINK,
    LINK_CODE,
    REFERRALS_A_LINK,
    SESSION_FOR,
    AgencyLink,
    CodeWrong,
    LinkRefused,
    LinkSession,
    TooManyCodes,
)
from casework.domain.clocks.calendar import morning_of
from casework.domain.clocks.standards import REFERRAL
from casework.domain.errors import Conflict, NotAllowedInState, NotFound, require
from casework.domain.notices.notices import NoticeKind
from casework.domain.notices.outbox import LetterKind, Message
from casework.workflows.context import Context
from casework.workflows.ports.access import Passwords
from casework.workflows.ports.links import Linking, LinkStore
from casework.workflows.ports.notices import Notices, NoticeStore
from casework.workflows.ports.unit_of_work import RequestFacts, Work

MANAGE, KEEP = "link.manage", "answering.manage"
OPEN, ASK_CODE, ENTER = "link.open", "link.ask_code", "link.enter"
SOURCE_LENGTH: Final = 80


# Use cases of the city's staff


def set_answering(
    ctx: Context, linking: Linking, passwords: Passwords, provider_id: UUID, *,
    email: str | None, is_on: bool,
) -> UUID:  # fmt: skip
    """Set whether an agency answers by link, and the address for its links and codes."""
    check_email(email)
    require(email or not is_on, "an address is needed", code="email_invalid", field="email")
    password = passwords.digest(linking.keys.new_secret())  # slow; nobody knows it
    with ctx.work(KEEP) as work:
        links = work.notices.links
        agency = links.agency(provider_id)
        if agency is None or not work.scope.bounds.hold_district(agency.district_code):
            raise NotFound("no such agency")
        account = links.answering_account(provider_id)
        if account is None:
            account = Account(
                id=ctx.new_id(), username=BY_LINK + agency.slug, name=agency.name,
                role=Role.PROVIDER, password_hash=password, created_at=ctx.now,
                provider_id=provider_id, email=email, is_active=is_on,
            )  # fmt: skip
            work.account_administration.add(account)
            links.add_answering(provider_id, account.id)
            act = GrantAct.CREATED
        else:
            act = GrantAct.ENABLED if is_on else GrantAct.DISABLED
            changed = account.is_active != is_on
            if account.email != email:
                links.forget_address(provider_id)
            account.email, account.is_active = email, is_on
            work.account_administration.save(account)
            if not changed:
                work.commit(provider_id)
                return provider_id
        work.account_administration.log(entry_of(account, act, ctx.actor, ctx.now, ctx.new_id()))
        work.commit(provider_id)
        return provider_id


def send_link(ctx: Context, linking: Linking, referral_id: UUID) -> UUID:
    """Send the agency of a referral a link to it, at its known address; returns the link's id."""
    with ctx.work(MANAGE) as work:
        referral = work.rosters.referral(referral_id)
        if not referral.is_with_provider:
            raise NotAllowedInState("link", referral.status, [])
        if linking.address is None:
            raise Conflict("this installation sends no links", code="links_off")
        account = work.notices.links.answering_account(referral.provider_id)
        if account is None or not account.is_active or account.email is None:
            raise Conflict("no address of this agency is known", code="no_known_address")
        message = _message(ctx, account.id, LINK, referral.district_code)
        link = _new_link(ctx, linking, referral.provider_id, account.id, message.id)
        message.payload["link_id"] = str(link.id)
        work.notices.add_message(message)
        work.notices.links.add(link, [referral_id])
        work.commit(link.id)
        return link.id


def revoke_link(ctx: Context, link_id: UUID) -> UUID:
    """Revoke a link and end its sessions."""
    with ctx.work(MANAGE) as work:
        link = _link_within_scope(work, link_id)
        ctx.expect(link.version)
        link.revoke(ctx.actor.id, ctx.now)
        work.notices.links.revoke(link)
        work.notices.links.end_sessions(link.id)
        work.commit(link_id)
        return link_id


def _link_within_scope(work: Work, link_id: UUID) -> AgencyLink:
    """A link to a referral within the actor's scope, else NotFound."""
    link = work.notices.links.get(link_id)
    if not work.rosters.referrals(work.notices.links.referrals_of(link_id)):
        raise NotFound("no such link")
    return link


# Steps of the relay


def create_links(ctx: Context, linking: Linking, store: NoticeStore) -> None:
    """Create the links of messages to agencies that answer by link, before they are sent."""
    if linking.address is None:
        return
    for message, provider_id in store.links.without_link():
        named = [UUID(str(one)) for one in _named(message)][:REFERRALS_A_LINK]
        requested = store.links.requested_of(provider_id, named)
        if (requested or _wants_figures(message)) and message.account_id is not None:
            link = _new_link(ctx, linking, provider_id, message.account_id, message.id)
            store.links.add(link, requested)
            store.links.set_link_of(message, link.id)


def request_rosters(ctx: Context, linking: Linking, notices: Notices) -> int:
    """Send every agency that answers by link one link to the roster of the past month.

    From 09:00 on the first day of the next month; once per agency and month.
    """
    today = ctx.act.today
    if linking.address is None or ctx.now < morning_of(today.replace(day=1)):
        return 0
    month = rosters.month_before(today)
    since = ctx.now - linking.after_end
    with notices.store() as store:
        due = store.links.rosters_due(month, rosters.days_of(month), since)
        for (provider_id, account_id), referrals in due.items():
            message = _message(ctx, account_id, LINK, None)
            link = _new_link(ctx, linking, provider_id, account_id, message.id)
            link.month = month
            message.payload |= {"link_id": str(link.id), "month": month}
            store.add_message(message)
            store.links.add(link, referrals)
    return len(due)


def _items(message: Message) -> list[dict[str, Any]]:
    """The items of a message."""
    found: list[dict[str, Any]] = message.payload.get("items", [message.payload])
    return found


def _wants_figures(message: Message) -> bool:
    """Whether it requests capacity figures, which any link's page lets the agency state."""
    return any(item.get("kind") == NoticeKind.FIGURES_WANTED for item in _items(message))


def _named(message: Message) -> list[str]:
    """The referrals that a message names."""
    subjects = [item.get("subject") or {} for item in _items(message)]
    return list(dict.fromkeys(one["id"] for one in subjects if one.get("type") == REFERRAL))


def _new_link(
    ctx: Context, linking: Linking, provider_id: UUID, account_id: UUID, message_id: UUID
) -> AgencyLink:
    id = ctx.new_id()
    return AgencyLink(
        id=id, provider_id=provider_id, account_id=account_id, message_id=message_id,
        digest=linking.keys.digest_of(linking.keys.secret_of(id)), created_at=ctx.now,
        created_by=ctx.actor.id, expires_at=ctx.now + linking.lasts,
    )  # fmt: skip


def _message(
    ctx: Context, account_id: UUID, kind: LetterKind, district_code: str | None
) -> Message:
    return Message(
        id=ctx.new_id(), kind=kind, account_id=account_id, subscription_id=None,
        district_code=district_code, payload={}, created_at=ctx.now, next_at=ctx.now,
    )  # fmt: skip


# Use cases of a link's holder


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """A request with the secret of a link and the browser's session cookie."""

    secret: str
    carried: str | None
    facts: RequestFacts
    now: datetime

    @property
    def source(self) -> str:
        """The source that the rate limit counts by."""
        return f"link {self.facts.source or 'unknown'}"[:SOURCE_LENGTH]


@dataclass(frozen=True, slots=True)
class LinkVisit:
    """A valid link. Unless ``is_in``, nothing of its referrals may be shown."""

    link: AgencyLink
    actor: Actor
    referral_ids: list[UUID]
    is_in: bool


def open_visit(linking: Linking, link_request: LinkRequest) -> LinkVisit:
    """Look a link up and count the request. Raises LinkRefused, whatever the cause."""
    with linking.store(link_request.facts) as store:
        visit = _visit(linking, store, link_request)
        # Past the rate limit no audit entries are written: they would flood the audit.
        if visit is None:
            if not store.is_rate_limited(link_request.source, link_request.now):
                store.note_link(None, OPEN, link_request.now, LinkRefused.code)
            store.note_source_failure(link_request.source, link_request.now)
        store.commit()
    if visit is None:
        raise LinkRefused("this link opens nothing")
    return visit


def _visit(linking: Linking, store: LinkStore, link_request: LinkRequest) -> LinkVisit | None:
    now = link_request.now
    link = store.links.by_digest(linking.keys.digest_of(link_request.secret))
    if link is None or store.is_rate_limited(link_request.source, now) or not link.is_good(now):
        return None
    account = store.links.acts_as(link)
    if account is None or not store.links.reaches(link.id, now - linking.after_end):
        return None
    within = link.count_opening(now)
    store.links.save(link)
    if not within:
        return None
    session = store.links.session(linking.keys.digest_of(link_request.carried or ""))
    is_in = session is not None and session.link_id == link.id and session.is_good(now)
    return LinkVisit(link, account.actor(), store.links.referrals_of(link.id), is_in)


def request_code(
    linking: Linking, visit: LinkVisit, link_request: LinkRequest, new_id: UUID, message_id: UUID
) -> UUID:
    """Send a code to the agency's known address; returns the message. Raises TooManyCodes."""
    with linking.store(link_request.facts) as store:
        link = store.links.get(visit.link.id)
        digest = linking.keys.code_digest(link.id, linking.keys.code_of(new_id))
        try:
            link.take_code(new_id, digest, link_request.now)
        except TooManyCodes as refusal:
            store.note_link(visit.actor, ASK_CODE, link_request.now, refusal.code)
            store.commit()
            raise
        store.links.save(link)
        store.add_message(
            Message(
                id=message_id, kind=LINK_CODE, account_id=link.account_id, subscription_id=None,
                district_code=None, payload={"code_id": str(new_id)}, created_at=link_request.now,
                next_at=link_request.now,
            )
        )  # fmt: skip
        store.note_link(visit.actor, ASK_CODE, link_request.now, None)
        store.commit()
    return message_id


def enter(linking: Linking, visit: LinkVisit, tried: LinkRequest, code: str) -> str:
    """Exchange a code for a session; returns the secret for the session cookie.

    The attempt is counted and committed before the code is compared. Raises CodeWrong.
    """
    with linking.store(tried.facts) as store:
        link = store.links.get(visit.link.id)
        expected = link.count_attempt(tried.now)
        store.links.save(link)
        store.commit()
    given = linking.keys.code_digest(visit.link.id, code)
    right = hmac.compare_digest(expected or "", given)
    carried = linking.keys.new_secret()
    with linking.store(tried.facts) as store:
        link = store.links.get(visit.link.id)
        right = right and link.code_digest == expected  # used up, or sent again, since
        if right:
            link.accept_code(tried.now)
            store.links.save(link)
            store.links.add_session(
                LinkSession(
                    digest=linking.keys.digest_of(carried), link_id=link.id,
                    started_at=tried.now, ends_at=tried.now + SESSION_FOR,
                    source=tried.facts.source,
                ),
                tried.now,
            )  # fmt: skip
        store.note_link(visit.actor, ENTER, tried.now, None if right else CodeWrong.code)
        store.commit()
    if not right:
        raise CodeWrong("not the code that was sent")
    return carried


def leave(linking: Linking, visit: LinkVisit, left: LinkRequest) -> None:
    """End the sessions of a link."""
    with linking.store(left.facts) as store:
        store.links.end_sessions(visit.link.id)
        store.commit()

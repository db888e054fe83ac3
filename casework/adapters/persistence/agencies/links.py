"""Links, their sessions, and the messages that carry them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, and_, delete, exists, insert, or_, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.notices.outbox import SqlOutbox
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.rows.saving import update_row
from casework.adapters.persistence.scope import session_context
from casework.domain.access.accounts import Account
from casework.domain.agencies.links import LINK_CODE, AgencyLink, LinkSession
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import midnight
from casework.domain.directory.directory import Provider
from casework.domain.errors import NotFound
from casework.domain.notices.outbox import Letter, Message, MessageState

_link: Final = t.agency_link
_NAMES: Final = tuple(one.name for one in fields(AgencyLink))
_INSTANTS: Final = ("codes", "tries")


def _row(link: AgencyLink) -> dict[str, Any]:
    row = asdict(link)
    return row | {name: [one.isoformat() for one in row[name]] for name in _INSTANTS}


def _of(row: Any) -> AgencyLink:
    values = {name: row._mapping[name] for name in _NAMES}
    for name in _INSTANTS:
        values[name] = [datetime.fromisoformat(one) for one in values[name]]
    return AgencyLink(**values)


class SqlLinks:
    """The repository of links for one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def answering_account(self, provider_id: UUID) -> Account | None:
        row = self._connection.execute(
            select(t.account)
            .join(t.answering, t.answering.c.account_id == t.account.c.id)
            .where(t.answering.c.provider_id == provider_id)
        ).first()
        return None if row is None else from_row(Account, row)

    def add_answering(self, provider_id: UUID, account_id: UUID) -> None:
        row = {"provider_id": provider_id, "account_id": account_id}
        self._connection.execute(insert(t.answering), [row])

    def add(self, link: AgencyLink, referral_ids: Sequence[UUID]) -> None:
        self._connection.execute(insert(_link), [_row(link)])
        rows = [{"link_id": link.id, "referral_id": one} for one in dict.fromkeys(referral_ids)]
        if rows:
            self._connection.execute(insert(t.link_referral), rows)

    def _one(self, *where: Any) -> AgencyLink | None:
        row = self._connection.execute(select(_link).where(*where).with_for_update()).first()
        return None if row is None else _of(row)

    def by_digest(self, digest: str) -> AgencyLink | None:
        return self._one(_link.c.digest == digest)

    def get(self, id: UUID) -> AgencyLink:
        found = self._one(_link.c.id == id)
        if found is None:
            raise NotFound("no such link")
        return found

    def save(self, link: AgencyLink) -> None:
        row = _row(link)
        self._connection.execute(update(_link).where(_link.c.id == row.pop("id")).values(row))

    def revoke(self, link: AgencyLink) -> None:
        """A link that was revoked."""
        update_row(self._connection, _link, _row(link))

    def referrals_of(self, link_id: UUID) -> list[UUID]:
        of = t.link_referral.c
        query = select(of.referral_id).where(of.link_id == link_id).order_by(of.referral_id)
        return list(self._connection.scalars(query))

    def of_referral(self, referral_id: UUID) -> list[AgencyLink]:
        of = t.link_referral.c
        query = (
            select(_link)
            .join(t.link_referral, of.link_id == _link.c.id)
            .where(of.referral_id == referral_id)
            .order_by(_link.c.id.desc())
        )
        return [_of(row) for row in self._connection.execute(query)]

    def acts_as(self, link: AgencyLink) -> Account | None:
        row = self._connection.execute(
            select(t.account)
            .join(t.provider, t.provider.c.id == t.account.c.provider_id)
            .where(
                t.account.c.id == link.account_id,
                t.account.c.is_active,
                t.account.c.provider_id == link.provider_id,
                t.provider.c.is_active,
            )
        ).first()
        return None if row is None else from_row(Account, row)

    def reaches(self, link_id: UUID, ended_since: datetime) -> bool:
        of, named = t.referral.c, t.link_referral.c
        query = (
            select(of.id)
            .join(t.link_referral, named.referral_id == of.id)
            .where(
                named.link_id == link_id,
                of.requested_at.is_not(None),
                or_(of.ended_at.is_(None), of.ended_at > ended_since),
            )
            .limit(1)
        )
        if self._connection.scalar(query) is not None:
            return True
        # One that names none is about the agency's places alone.
        names_any = select(named.link_id).where(named.link_id == link_id).limit(1)
        return self._connection.scalar(names_any) is None

    def agency(self, provider_id: UUID) -> Provider | None:
        row = self._connection.execute(
            select(t.provider).where(t.provider.c.id == provider_id, t.provider.c.is_active)
        ).first()
        return None if row is None else from_row(Provider, row)

    # Sessions

    def end_sessions(self, link_id: UUID) -> None:
        of = t.link_session
        self._connection.execute(delete(of).where(of.c.link_id == link_id))

    def forget_address(self, provider_id: UUID) -> None:
        """The links stay valid; new codes go to the new address."""
        of, own = t.link_session, _link.c.provider_id == provider_id
        self._connection.execute(delete(of).where(of.c.link_id.in_(select(_link.c.id).where(own))))
        void = {"code_id": None, "code_digest": None, "code_until": None}
        self._connection.execute(update(_link).where(own).values(void))

    def add_session(self, session: LinkSession, now: datetime) -> None:
        of = t.link_session
        self._connection.execute(delete(of).where(of.c.ends_at <= now))
        self._connection.execute(insert(of), [asdict(session)])

    def session(self, digest: str) -> LinkSession | None:
        of = t.link_session
        row = self._connection.execute(select(of).where(of.c.digest == digest)).first()
        return None if row is None else LinkSession(**row._mapping)

    # Messages

    def without_link(self) -> list[tuple[Message, UUID]]:
        message = t.message
        has_one = exists(_link.c.id).where(_link.c.message_id == message.c.id)
        query = (
            select(message, t.answering.c.provider_id.label("of_provider"))
            .join(t.answering, t.answering.c.account_id == message.c.account_id)
            .where(message.c.state == MessageState.WAITING, message.c.kind != LINK_CODE, ~has_one)
            .order_by(message.c.id)
        )
        rows = self._connection.execute(query).all()
        return [(from_row(Message, row), row.of_provider) for row in rows]

    def set_link_of(self, message: Message, link_id: UUID) -> None:
        said = message.payload | {"link_id": str(link_id)}
        of = t.message
        self._connection.execute(update(of).where(of.c.id == message.id).values(payload=said))

    def requested_of(self, provider_id: UUID, ids: Sequence[UUID]) -> list[UUID]:
        """Read for the system itself."""
        session_context.set_system_context(self._connection)
        of = t.referral.c
        query = select(of.id).where(
            of.id.in_(ids), of.provider_id == provider_id, of.requested_at.is_not(None)
        )
        return list(self._connection.scalars(query.order_by(of.id)))

    def rosters_due(
        self, month: str, days: tuple[date, date], ended_since: datetime
    ) -> dict[tuple[UUID, UUID], list[UUID]]:
        """Read for the system itself."""
        session_context.set_system_context(self._connection)
        of, answers = t.referral.c, t.answering.c
        accepts_requests = exists(_link.c.id).where(
            _link.c.provider_id == of.provider_id, _link.c.month == month
        )
        query = (
            select(answers.provider_id, answers.account_id, of.id)
            .select_from(t.answering)
            .join(t.account, t.account.c.id == answers.account_id)
            .join(t.provider, t.provider.c.id == answers.provider_id)
            .join(t.referral, of.provider_id == answers.provider_id)
            .where(
                t.account.c.is_active,
                t.provider.c.is_active,
                of.started_on <= days[1],
                of.status != ReferralStatus.ENTERED_IN_ERROR,
                or_(
                    of.ended_on >= days[0],
                    and_(
                        of.ended_on.is_(None),
                        or_(of.ended_at.is_(None), of.ended_at >= midnight(days[0])),
                    ),
                ),
                or_(of.ended_at.is_(None), of.ended_at > ended_since),
                ~accepts_requests,
            )
            .order_by(answers.provider_id, of.id)
        )
        found: dict[tuple[UUID, UUID], list[UUID]] = {}
        for provider_id, account_id, referral_id in self._connection.execute(query):
            found.setdefault((provider_id, account_id), []).append(referral_id)
        return found

    def claim(self, message_id: UUID, now: datetime, until: datetime) -> list[Letter]:
        return SqlOutbox(self._connection).claim_one(message_id, now, until)

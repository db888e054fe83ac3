"""The audit as it is read: who saw whom, how much in a month, and who reviewed it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    distinct,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row, to_row
from casework.adapters.persistence.tables.audit import audit_head, audit_review
from casework.domain.access.accounts import canonical_username
from casework.domain.audit.chain import CHAIN_LIST, CITY
from casework.domain.audit.reviews import (
    BREAK_GLASS,
    COUNTED_AT_ONCE,
    EXPORT_TASKS,
    EXPORTS,
    AuditReview,
    office_hours,
)
from casework.workflows.ports.paging import Row
from casework.workflows.ports.unit_of_work import Page, Paging

_entry = t.audit_entry
_CHAIN: ColumnElement[str] = func.coalesce(_entry.c.district_code, CITY)
SHOWN = tuple(column for column in _entry.c if column.name != "district_code")


class SqlAuditTrail:
    """The audit trail, in one transaction of one actor; it contains no person's name."""

    def __init__(self, connection: Connection, about: set[UUID]) -> None:
        self._connection, self._about = connection, about

    def entries(self, filters: Row, paging: Paging) -> Page:
        query = self._during(select(*SHOWN, _CHAIN.label("chain")), filters)
        if filters.get("subject") is not None:
            query = query.where(self._is_about(filters["subject"]))
            self._about.add(filters["subject"])
        for name in ("action", "outcome"):
            if filters.get(name) is not None:
                query = query.where(_entry.c[name] == filters[name])
        if filters.get("actor") is not None:
            query = query.where(self._is_by(filters["actor"]))
        return page(self._connection, query, [_entry.c.at, _entry.c.id], paging, newest_first=True)

    def affected(self, actor: str, since: datetime | None, until: datetime, paging: Paging) -> Page:
        subject = self._subjects()
        actions = func.string_agg(distinct(_entry.c.action), ",")
        if self._on_sqlite:
            actions = func.group_concat(distinct(_entry.c.action))
        id = subject.c.value
        counted = (
            select(
                id.label("resident_id"),
                func.count().label("entries"),
                func.min(_entry.c.at).label("first_at"),
                func.max(_entry.c.at).label("last_at"),
                actions.label("actions"),
            )
            .select_from(_entry)
            .join(subject, literal(value=True))
            .where(self._is_by(actor))
            .group_by(id)
        )
        of = self._during(counted, {"since": since, "until": until}).subquery()

        def make(row: Any) -> Row:
            return dict(row._mapping) | {"actions": sorted(row.actions.split(","))}

        return page(self._connection, select(of), [of.c.resident_id], paging, make=make)

    def summary(
        self, since: datetime, until: datetime, closed: Iterable[date], paging: Paging
    ) -> Page:
        """Every page is of the first one's instant, so that no account comes twice.

        From the index of accounts alone, and no more than are counted at once.
        """
        as_of = paging.after[0] if paging.after is not None else until.isoformat()
        until = datetime.fromisoformat(as_of)
        since = self._first_counted(since, until)
        during = and_(_entry.c.at >= since, _entry.c.at < until)
        of = self._by_account(during, office_hours(since, until, frozenset(closed)), as_of)
        keys = [of.c.as_of, *(of.c[_rank(name)] for name in UNUSUAL), of.c.username]
        found = page(self._connection, select(of), keys, paging)
        residents = self._residents(during, [row["username"] for row in found.rows])
        left_out = {"as_of", *map(_rank, UNUSUAL)}
        rows = [
            {name: value for name, value in row.items() if name not in left_out}
            | {"residents": residents.get(row["username"], 0), "counted_from": since}
            for row in found.rows
        ]
        return Page(rows, found.last_key)

    def _first_counted(self, since: datetime, until: datetime) -> datetime:
        """From when on there are as many entries as are counted at once, or fewer."""
        query = select(_entry.c.at).where(_entry.c.at >= since, _entry.c.at < until)
        query = query.order_by(_entry.c.at.desc()).offset(COUNTED_AT_ONCE).limit(1)
        last_left_out: datetime | None = self._connection.scalar(query)
        return since if last_left_out is None else last_left_out + INSTANT

    def _by_account(
        self, during: ColumnElement[bool], hours: Iterable[tuple[datetime, datetime]], as_of: str
    ) -> Subquery:
        account, counts = t.account.c, _counts(hours)
        return (
            select(
                *(account[name] for name in ("id", "username", "role", "district_code")),
                *(count.label(name) for name, count in counts.items()),
                *((-counts[name]).label(_rank(name)) for name in UNUSUAL),
                cast(literal(as_of), String).label("as_of"),
            )
            # From the account outwards: SQLite would look up each entry of the month otherwise.
            .outerjoin(_entry, and_(_entry.c.actor == account.username, during))
            .group_by(account.id)
            .having(counts["entries"] > 0)
            .subquery()
        )

    def _residents(self, during: ColumnElement[bool], names: list[str]) -> dict[str, int]:
        subject = self._subjects()
        query = (
            select(_entry.c.actor, func.count(distinct(subject.c.value)).label("residents"))
            .select_from(_entry)
            .join(subject, literal(value=True))
            .where(during, _entry.c.actor.in_(names))
            .group_by(_entry.c.actor)
        )
        return {row.actor: row.residents for row in self._connection.execute(query)}

    def viewers(self, resident_ids: Sequence[UUID]) -> list[Row]:
        """Who looked at, changed or was refused residents, newest first: no name, but where."""
        query = (
            select(
                *_entry.c["at", "role", "action", "outcome"],
                t.centre.c.name.label("centre"),
                t.provider.c.name.label("agency"),
                t.district.c.name_ko.label("district"),
            )
            .outerjoin(t.account, t.account.c.id == _entry.c.actor_id)
            .outerjoin(t.centre, t.centre.c.code == t.account.c.centre_code)
            .outerjoin(t.provider, t.provider.c.id == t.account.c.provider_id)
            .outerjoin(t.district, t.district.c.code == t.account.c.district_code)
            .where(or_(*map(self._is_about, resident_ids)))
            .order_by(_entry.c.at.desc(), _entry.c.id.desc())
        )
        return [dict(row._mapping) for row in self._connection.execute(query)]

    # Reviews

    def add(self, review: AuditReview) -> None:
        self._connection.execute(insert(audit_review), [to_row(review)])

    def review(self, id: UUID) -> AuditReview:
        row = self._connection.execute(select(audit_review).where(audit_review.c.id == id)).one()
        found: AuditReview = from_row(AuditReview, row)
        return found

    def reviews(self, month: str | None, paging: Paging) -> Page:
        query = select(audit_review)
        if month is not None:
            query = query.where(audit_review.c.month == month)
        keys = [audit_review.c.month, audit_review.c.id]
        return page(
            self._connection,
            query,
            keys,
            paging,
            newest_first=True,
            make=lambda row: from_row(AuditReview, row),
        )

    def reviews_since(self, month: str) -> list[AuditReview]:
        query = select(audit_review).where(audit_review.c.month >= month)
        return [from_row(AuditReview, row) for row in self._connection.execute(query)]

    def chains(self) -> list[str]:
        query = select(audit_head.c.chain).where(audit_head.c.chain != CHAIN_LIST)
        return list(self._connection.scalars(query.order_by(audit_head.c.chain)))

    def first_at(self) -> datetime | None:
        found: datetime | None = self._connection.scalar(select(func.min(_entry.c.at)))
        return found

    def has_account(self, username: str) -> bool:
        query = select(t.account.c.id).where(t.account.c.username == canonical_username(username))
        return self._connection.scalar(query) is not None

    def count(
        self, since: datetime, until: datetime, *, chain: str | None, account: str | None
    ) -> int:
        query = self._during(
            select(func.count()).select_from(_entry), {"since": since, "until": until}
        )
        if chain is not None:
            query = query.where(_CHAIN.in_([chain]))
        if account is not None:
            query = query.where(_entry.c.actor == account)
        return self._connection.scalar(query) or 0

    # Where the stores differ

    @property
    def _on_sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"

    def _subjects(self) -> Any:
        """The subjects of an entry, a row each."""
        expand = func.json_each if self._on_sqlite else func.jsonb_array_elements_text
        return expand(_entry.c.subjects).table_valued("value")

    def _is_about(self, resident_id: UUID) -> ColumnElement[bool]:
        """An entry that names a resident, or records a refused request for that id."""
        refused = and_(_entry.c.outcome != "ok", _entry.c.asked_for == str(resident_id))
        if self._on_sqlite:
            return or_(func.instr(_entry.c.subjects, str(resident_id)) > 0, refused)
        return or_(type_coerce(_entry.c.subjects, JSONB).contains([str(resident_id)]), refused)

    def _is_by(self, actor: str) -> ColumnElement[bool]:
        """By user name, which never changes, or by the id of an account."""
        try:
            known = select(t.account.c.username).where(t.account.c.id == UUID(actor))
        except ValueError:
            return _entry.c.actor == canonical_username(actor)
        return _entry.c.actor == known.scalar_subquery()

    def _during(self, query: Select[Any], filters: Row) -> Select[Any]:
        if filters.get("since") is not None:
            query = query.where(_entry.c.at >= filters["since"])
        if filters.get("until") is not None:
            query = query.where(_entry.c.at < filters["until"])
        return query


INSTANT = timedelta(microseconds=1)
# What is unusual, the rarest first: by these the accounts are ordered.
UNUSUAL = ("break_glass", "exports", "out_of_hours", "refused", "failed")


def _rank(name: str) -> str:
    return f"less_{name}"


def _counts(hours: Iterable[tuple[datetime, datetime]]) -> dict[str, Any]:
    """What is counted of the entries of an account, by its name."""
    at, action = _entry.c.at, _entry.c.action
    at_work = or_(false(), *(and_(at >= begins, at < ends) for begins, ends in hours))
    return {
        "entries": func.count(_entry.c.id),
        "refused": _how_many(_entry.c.outcome == "refused"),
        "failed": _how_many(_entry.c.outcome == "failed"),
        "out_of_hours": _how_many(not_(at_work)),
        "exports": _how_many(or_(action.in_(EXPORTS), _entry.c.task.in_(EXPORT_TASKS))),
        "break_glass": _how_many(action.startswith(BREAK_GLASS)),
    }


def _how_many(condition: ColumnElement[bool]) -> Any:
    return func.sum(case((condition, 1), else_=0))

"""Everything that is held of a resident, as one page that can be printed."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from html import escape
from typing import Any, Final
from uuid import UUID

from casework.domain.agencies.rosters import MonthlyDelivery
from casework.domain.clocks.calendar import SEOUL, Target
from casework.domain.privacy.access_requests import AccessRequest
from casework.locale import find_text, text
from casework.workflows.ports.casefile import CaseView
from casework.workflows.ports.paging import Row
from casework.workflows.ports.residents import ResidentRecord

STYLE: Final = (
    "body{font:11pt/1.5 sans-serif;margin:2em auto;max-width:48em}"
    "h1{font-size:16pt}h2{font-size:13pt;border-bottom:1px solid;margin-top:2em}"
    "h3{font-size:11pt}table{border-collapse:collapse;width:100%;margin:.5em 0}"
    "th,td{border:1px solid #888;padding:.2em .5em;text-align:left;vertical-align:top}"
    "th{width:30%}.looks th{width:auto}"
    "@media print{body{margin:0;max-width:none}table,h2,h3{break-inside:avoid}}"
)
_DIGEST: Final = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY_OF_CONTENT: Final = f"default-src 'none'; style-src 'sha256-{_DIGEST}'"
# How a record hangs together inside, and what only the system itself needs.
INSIDE: Final = frozenset({"version", "hash", "ended_by_closing", "phone_digits", "data"})


def document(held: ResidentRecord, request: AccessRequest, language: str, now: datetime) -> str:
    """The page. Nobody else's record is in it; who looked is shown by role and office."""
    return _Page(language).whole(held, request, now)


class _Page:
    def __init__(self, language: str) -> None:
        self._language = language

    def whole(self, held: ResidentRecord, request: AccessRequest, now: datetime) -> str:
        """All of it."""
        title = self._title("title")
        parts = [
            self._section("request", [request]),
            self._section("earlier", (one for one in held.requests if one.id != request.id)),
            self._section("resident", [held.resident]),
            self._section("former", held.former),
            self._section("contacts", held.contacts),
            self._section("homes", held.homes),
            self._section("ways_in", held.ways_in),
            self._section("consents", held.consents),
            *(self._case(view, held.delivered) for view in held.cases),
            self._section("signals", held.signals),
            self._section("notes", held.notes),
            self._events(held.events),
            self._viewers(held.viewers),
        ]
        made = f"<p>{self._title('made')}: {_text_of(now)}</p>"
        return (
            f'<!doctype html><html lang="{self._language}"><head><meta charset="utf-8">'
            f"<title>{title}</title><style>{STYLE}</style></head><body>"
            f"<h1>{title}</h1>{made}{''.join(parts)}</body></html>"
        )

    def _case(self, view: CaseView, delivered: Sequence[MonthlyDelivery]) -> str:
        file = view.file
        agencies = {id: str(row["name"]) for id, row in view.providers.items()}
        referrals = (
            f"{self._record(one)}"
            f"<p>{self._title('to')}: {escape(agencies.get(one.provider_id, '–'))}</p>"
            f"{self._delivered(line for line in delivered if line.referral_id == one.id)}"
            for one in file.referrals.values()
        )
        return (
            self._section("case", [file.case])
            + self._section("assessments", view.assessments)
            + self._section("checks", view.checks)
            + self._section("plans", file.versions)
            + self._section("services", file.services.values())
            + self._section("corrections", view.corrections)
            + f"<h2>{self._title('referrals')}</h2>"
            + ("".join(referrals) or self._nothing())
        )

    def _delivered(self, lines: Iterable[MonthlyDelivery]) -> str:
        """What the agency reported of its months, under the request it belongs to."""
        told = "".join(self._record(one) for one in lines)
        return told and f"<h3>{self._title('delivered')}</h3>{told}"

    def _section(self, name: str, records: Iterable[Any]) -> str:
        body = "".join(self._record(one) for one in records)
        return f"<h2>{self._title(name)}</h2>{body or self._nothing()}"

    def _record(self, record: Any) -> str:
        rows = "".join(
            f"<tr><th>{self._label(name)}</th><td>{self._value(value)}</td></tr>"
            for name, value in _told(record)
        )
        return f"<table>{rows}</table>"

    def _events(self, events: Iterable[Any]) -> str:
        items = "".join(
            f"<li>{_text_of(one.at)} {escape(one.name)}, {self._word(one.by_role)}</li>"
            for one in events
        )
        return f"<h2>{self._title('events')}</h2><ul>{items}</ul>"

    def _viewers(self, viewers: Iterable[Row]) -> str:
        names = ("at", "role", "office", "action", "outcome")
        head = "".join(f"<th>{self._label(name)}</th>" for name in names)
        rows = "".join(
            f"<tr><td>{_text_of(row['at'])}</td><td>{self._word(row['role'])}</td>"
            f"<td>{escape(_office_of(row))}</td><td>{self._word(row['action'])}</td>"
            f"<td>{self._word(row['outcome'])}</td></tr>"
            for row in viewers
        )
        table = f'<table class="looks"><tr>{head}</tr>{rows}</table>'
        return f"<h2>{self._title('lookers')}</h2>{table}"

    def _value(self, value: Any) -> str:
        match value:
            case bool():
                return self._word("yes" if value else "no")
            case datetime() | date():
                return _text_of(value)
            case Target():
                return f"{value.amount} {self._word(value.unit)}"
            case Mapping():
                shown = (
                    f"{self._label(str(k))}: {self._value(v)}"
                    for k, v in value.items()
                    if not _is_inside(str(k), v)
                )
                return "<br>".join(shown)
            case list() | tuple() | set() | frozenset():
                return "<br>".join(self._value(one) for one in value)
            case UUID():
                return ""
        if is_dataclass(value):
            return "<br>".join(
                f"{self._label(name)}: {self._value(inner)}" for name, inner in _told(value)
            )
        return self._word(str(value))

    def _title(self, name: str) -> str:
        return escape(text(f"document.section.{name}", self._language))

    def _label(self, name: str) -> str:
        known = find_text(f"document.field.{name}", self._language)
        return escape(known or (name if self._language == "ko" else name.replace("_", " ")))

    def _word(self, code: str | None) -> str:
        """A code in words; what is no code stays as it is."""
        shown = code or "–"
        return escape(find_text(f"document.code.{shown}", self._language) or shown)

    def _nothing(self) -> str:
        return f"<p>{self._title('nothing')}</p>"


def _told(record: Any) -> list[tuple[str, Any]]:
    """The fields of a record that say something of the resident."""
    found = ((one.name, getattr(record, one.name)) for one in fields(record))
    return [(name, value) for name, value in found if not _is_inside(name, value)]


def _is_inside(name: str, value: Any) -> bool:
    """Empty, an inner reference, or who of the staff: that stands under who looked, by office."""
    is_reference = isinstance(value, UUID) or name == "id" or name.endswith(("_id", "_by_id"))
    return value in (None, "", [], {}, ()) or is_reference or name in INSIDE


def _office_of(row: Row) -> str:
    return str(row["centre"] or row["agency"] or row["district"] or "–")


def _text_of(at: date | datetime) -> str:
    if isinstance(at, datetime):
        return at.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M")
    return at.isoformat()

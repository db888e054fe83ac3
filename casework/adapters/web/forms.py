"""The form fields of an answer, action by action, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from casework.adapters.http.limits import check_text
from casework.adapters.http.problems import Problem
from casework.domain.casefile.case import SIGNALS
from casework.domain.casefile.referral_moves import OUTCOMES, REASONS
from casework.domain.errors import Invalid
from casework.domain.text import clean_text

MAX_FIELDS: Final = 10_000
MAX_NOTE_LENGTH: Final = 2000
# A year far off would lie beyond every calendar.
_DAY: Final = re.compile(r"(1[89]|2[01])[0-9]{2}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an answer: a date, a choice of codes, or a note."""

    name: str
    kind: str = "date"
    codes: tuple[str, ...] = ()
    words: str = ""
    is_needed: bool = False


def _choice(name: str, codes: tuple[str, ...], words: str) -> Field:
    return Field(name, "choice", codes, words, True)


NOTE: Final = Field("note", "note")
# In the order in which they are offered.
ACTIONS: Final[dict[str, tuple[Field, ...]]] = {
    "accept": (Field("expected_start_on"), NOTE),
    "waitlist": (Field("expected_on"), NOTE),
    "decline": (_choice("reason", REASONS["decline"], "page.reason."), Field("full_until"), NOTE),
    "start": (Field("started_on", is_needed=True),),
    "report": (Field("reported_on", is_needed=True), NOTE),
    "signal": (_choice("kind", SIGNALS, "page.signal."), NOTE),
    "hold": (
        _choice("reason", REASONS["hold"], "page.reason."),
        Field("until", is_needed=True),
        NOTE,
    ),
    "resume": (),
    "complete": (
        _choice("outcome", OUTCOMES, "page.outcome."),
        Field("ended_on", is_needed=True),
        NOTE,
    ),
    "fail": (_choice("reason", REASONS["fail"], "page.reason."), Field("ended_on"), NOTE),
}


class Form(dict[str, str]):
    """The fields of a body, each once, its text cleaned."""

    @classmethod
    def of(cls, body: bytes) -> Form:
        """Read a body as a browser sends it. Raises Problem ``malformed``."""
        try:
            pairs = parse_qsl(
                body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body),
                errors="strict", max_num_fields=MAX_FIELDS,
            )  # fmt: skip
        except ValueError:
            raise Problem("not a form", code="malformed") from None
        for name, value in pairs:
            check_text(name + value)
        if len(dict(pairs)) != len(pairs):
            raise Problem("a field twice", code="malformed")
        return cls((name, clean_text(value)) for name, value in pairs)


def answer_of(form: Mapping[str, str], prefix: str, action: str) -> dict[str, Any]:
    """What was filled in for an action; other actions' fields are not looked at."""
    if action not in ACTIONS:
        raise Invalid("no such answer", code="invalid", field=prefix)
    found: dict[str, Any] = {}
    for field in ACTIONS[action]:
        text = form.get(f"{prefix}.{action}.{field.name}", "")
        if text:
            found[field.name] = _date(text, field.name) if field.kind == "date" else text
        elif field.is_needed and field.kind == "date":  # of a choice its rule says what is wrong
            raise Invalid("a day is needed", code="date_required", field=field.name)
    if len(found.get("note", "")) > MAX_NOTE_LENGTH:
        raise Invalid("at most 2000 characters", field="note")
    return found


def _date(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        said = "a day from 1800 to 2199, written YYYY-MM-DD"
        raise Invalid(said, code="date_required", field=name) from None


def ids_in(form: Mapping[str, str], prefix: str) -> list[UUID]:
    """The ids behind a prefix in the names of fields: ``line.<id>``. Raises Problem."""
    names = [one.removeprefix(prefix) for one in form if one.startswith(prefix)]
    try:
        found = {UUID(one): one for one in names}
    except ValueError:
        found = {}
    # Written as we write them: of an id in another form no field would be found.
    if sorted(names) != sorted(str(id) for id in found):
        raise Problem("not one of our forms", code="malformed")
    return sorted(found)

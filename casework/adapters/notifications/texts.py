"""What a person reads in a mail: case references, codes in words and days; nothing personal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from casework.domain.agencies.links import LINK, LINK_CODE
from casework.domain.clocks.calendar import SEOUL
from casework.domain.notices.outbox import DIGEST, Message
from casework.locale import text


def subject_of(message: Message, language: str) -> str:
    """The subject line of a mail."""
    if message.kind == DIGEST:
        return text("letter.subject.digest", language, count=message.payload.get("count", 1))
    return text(
        "letter.subject.code" if message.kind == LINK_CODE else "letter.subject.one", language
    )


def text_of(message: Message, language: str) -> str:
    """One line for each thing, and how many more there are."""
    if message.kind in (LINK, LINK_CODE):  # all that these say is added as they leave
        return ""
    items = message.payload["items"] if message.kind == DIGEST else [message.payload]
    lines = [_line(item, language) for item in items]
    more = message.payload.get("count", len(items)) - len(items)
    if more > 0:
        lines.append(text("letter.more", language, more=more))
    return "\n".join(lines) + "\n"


def added_to(message: Message, language: str, url: str | None, code: str | None) -> str:
    """What a message to an agency without an account says besides: its link, or a code."""
    lines = [text("letter.link", language), url] if url else []
    if code:
        lines += [text("letter.code", language, code=code), text("letter.beware", language)]
    return "".join(f"{line}\n" for line in lines)


def _line(item: dict[str, Any], language: str) -> str:
    # What is about no case is named by what it is about.
    about, id = item["subject"]["type"], item["subject"]["id"]
    if item["case_id"] is not None:
        about, id = "case", item["case_number"]
    kind = text(f"letter.kind.{item['kind']}", language)
    parts = [f"{kind} ({item['about']})", text(f"letter.about.{about}", language, id=id)]
    if item["due_at"] is not None:
        due = datetime.fromisoformat(item["due_at"]).astimezone(SEOUL)
        parts.append(text("letter.due", language, due=f"{due:%Y-%m-%d %H:%M}"))
    return "- " + ", ".join(parts)

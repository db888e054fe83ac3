"""Cursors: the key of the last row, signed together with the query it belongs to."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from casework.domain.errors import Invalid

_TAG_BYTES = 16


def write_cursor(key: bytes, question: str, last: tuple[Any, ...] | None) -> str | None:
    """An opaque cursor, or None where no row follows."""
    if last is None:
        return None
    body = orjson.dumps([_tagged(value) for value in last])
    return _text(_tag(key, question, body) + body)


def read_cursor(key: bytes, question: str, cursor: str | None) -> tuple[Any, ...] | None:
    """Return the key. Refuses a cursor that was altered, or belongs to another query."""
    if cursor is None:
        return None
    try:
        raw = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        # Decoding ignores meaningless characters and bits: accept only the exact text we issued.
        if _text(raw) == cursor and hmac.compare_digest(tag, _tag(key, question, body)):
            return tuple(_untagged(one) for one in orjson.loads(body))
    except (ValueError, TypeError):
        why = "unreadable"
    else:
        why = "altered, or of another list"
    raise Invalid(f"the cursor is {why}", code="cursor_invalid", field="cursor")


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _tag(key: bytes, question: str, body: bytes) -> bytes:
    return hmac.digest(key, question.encode() + b"\n" + body, hashlib.sha256)[:_TAG_BYTES]


def _tagged(value: Any) -> list[Any]:
    match value:
        case datetime():
            return ["t", value.isoformat()]
        case date():
            return ["d", value.isoformat()]
        case UUID():
            return ["u", str(value)]
        case _:
            return ["v", value]


def _untagged(one: list[Any]) -> Any:
    kind, value = one
    match kind:
        case "t":
            return datetime.fromisoformat(value)
        case "d":
            return date.fromisoformat(value)
        case "u":
            return UUID(value)
    return value

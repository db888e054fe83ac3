"""Refusals as RFC 9457 problem documents, in the reader's language; the code never changes."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Response

from casework.adapters.http.texts import say
from casework.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    StaleVersion,
)
from casework.workflows.ports.access import Unauthenticated

_STATUS: dict[type[Refusal], int] = {
    NotFound: 404,
    Forbidden: 403,
    Conflict: 409,
    Invalid: 422,
    StaleVersion: 412,
    Unauthenticated: 401,
}
_STATUS_BY_CODE = {
    "form_expired": 403,
    "precondition_required": 428,
    "body_too_large": 413,
    "body_too_slow": 408,
    "type_not_taken": 415,
    "uri_too_long": 414,
    "headers_too_large": 431,
    "too_many_requests": 429,
    "in_flight": 409,
    "busy": 503,
    "storage_full": 503,
    "method_not_allowed": 405,
    "malformed": 400,
    "internal_error": 500,
}


# Seconds until it may be better; one where nothing is said.
_RETRY_AFTER = {"storage_full": 60}


class Problem(Refusal):
    """A refusal by the HTTP layer itself, before any use case."""


def of_fault(fault: str | None) -> Problem:
    """The refusal where the database cannot, for now: its disk is full, or it is busy."""
    if fault == "full":
        return Problem("", code="storage_full")
    return Problem("", code="busy")


def retry_after(refusal: Refusal) -> str:
    """When to try again, as the header says it: in seconds."""
    return str(getattr(refusal, "retry_after", _RETRY_AFTER.get(refusal.code, 1)))


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal."""
    if refusal.code in _STATUS_BY_CODE:
        return _STATUS_BY_CODE[refusal.code]
    return next((status for kind, status in _STATUS.items() if isinstance(refusal, kind)), 400)


def language_of(accept_language: str | None) -> str:
    """``ko`` or ``en``, the first one requested; Korean where neither is."""
    for part in (accept_language or "").split(","):
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in ("ko", "en"):
            return tag
    return "en" if accept_language in (None, "", "*", "*/*") else "ko"


def problem(refusal: Refusal, accept_language: str | None) -> Response:
    """The response to a refusal. An absent subject looks the same as a hidden one."""
    status = status_of(refusal)
    title, detail = say(refusal.code, refusal.detail, language_of(accept_language))
    document: dict[str, Any] = {
        "type": f"urn:casework:problem:{refusal.code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": refusal.code,
    }
    document |= {key: value for key, value in refusal.facts.items() if key not in document}
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    elif status in (429, 503):
        headers["Retry-After"] = retry_after(refusal)
    return Response(
        orjson.dumps(document, default=str),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )

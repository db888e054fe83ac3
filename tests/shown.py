"""Whoever is shown is recorded: residents in an answer are subjects of its audit entry.

Every answer that a test of the API gets is remembered by the ids in it; when the test ends, those
that are residents are compared with the subjects of the entries of its request. An id that a
refusal only repeats from the request is not shown by it. The audit shows ids and nothing else of
anybody; that somebody read it is an entry, whoever stands on the page.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from casework.adapters.persistence import tables as t

_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_REFUSED = 400
_AUDIT = "/api/v1/audit"


class Shown:
    """The answers of a test."""

    def __init__(self) -> None:
        self._answers: list[tuple[str, str, set[bytes]]] = []

    def note(self, response: Any) -> None:
        """Remember an answer; an event hook of the client."""
        request = response.request
        response.read()
        ids = set(_ID.findall(response.content))
        if response.status_code >= _REFUSED:
            ids -= set(_ID.findall(_sent(request) + str(request.url).encode()))
        if ids and not request.url.path.startswith(_AUDIT):
            asked = f"{request.method} {request.url.path} {response.status_code}"
            self._answers.append((asked, response.headers.get("x-request-id", ""), ids))

    def unrecorded(self, connection: Connection) -> list[str]:
        """What was asked, where somebody was shown whom no entry of the request names."""
        if not self._answers:
            return []
        residents = {str(one).encode(): one for one in connection.scalars(select(t.resident.c.id))}
        entry = t.audit_entry
        named: dict[str, set[UUID]] = defaultdict(set)
        for request_id, subjects in connection.execute(
            select(entry.c.request_id, entry.c.subjects)
        ):
            named[request_id].update(UUID(one) for one in subjects)
        return [
            f"{asked} shows {len(missing)} whom its entry does not name"
            for asked, request_id, ids in self._answers
            if (missing := {residents[one] for one in ids if one in residents} - named[request_id])
        ]


def _sent(request: Any) -> bytes:
    """The body of a request; nothing of an upload, which was streamed and is not kept."""
    is_upload = str(request.headers.get("content-type", "")).startswith("multipart/")
    return b"" if is_upload else bytes(request.content)

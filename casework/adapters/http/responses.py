"""Responses: JSON, status, ETag."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from fastapi import Response

from casework.domain.clocks.calendar import SEOUL

# Until when what is told knows what happened; on what may be read at a replica.
DATA_AS_OF: Final = "Data-As-Of"


class WithETag(dict[str, Any]):
    """A body that is a single resource; ``etag`` is its version."""

    def __init__(self, body: Mapping[str, Any], etag: int) -> None:
        super().__init__(body)
        self.etag = etag


def respond(body: Any, status: int) -> Response:
    """A JSON response that caches must not store."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(body, WithETag):
        headers["ETag"] = f'"{body.etag}"'
        body = dict(body)
    return Response(
        orjson.dumps(body, default=str),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )


def dated(response: Response, as_of: datetime | None) -> Response:
    """The response, which says until when it knows what happened, where that may be a while ago."""
    if as_of is not None:
        response.headers[DATA_AS_OF] = as_of.astimezone(SEOUL).isoformat()
    return response


def expected_version(if_match: str | None) -> int | None:
    """The version in ``If-Match``; one that cannot be ours is never the present one."""
    if if_match is None or if_match.strip() == "*":
        return None
    bare = if_match.strip().removeprefix("W/").strip('"')
    return int(bare) if bare.isdecimal() and len(bare) < 10 else -1

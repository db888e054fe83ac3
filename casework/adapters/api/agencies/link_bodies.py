"""Request bodies about agencies that answer without an account."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from casework.adapters.api.shared.bodies import LINES, ONE_LINE, Body
from casework.domain.residents.homes import MAX_LENGTH


class SetAnsweringByLink(Body):
    """Whether an agency answers by link, and where its links and codes go."""

    email: Annotated[str | None, Field(max_length=254), ONE_LINE] = None
    is_on: Annotated[bool, Field(strict=True)] = True


class WriteWayIn(Body):
    """How to get into a home."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH), LINES]

"""Refusals: each states a fact, has a stable code, and belongs to one of four kinds."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

E = TypeVar("E", bound=StrEnum)


class Refusal(Exception):
    """A request is refused, and nothing has changed."""

    code = "refused"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str | None = None,
        about: Iterable[UUID] = (),
        **facts: Any,
    ) -> None:
        """``about`` are the residents of whom the refusal shows something, for its audit entry."""
        super().__init__(detail or (code or self.code))
        self.code = code or self.code
        self.about = frozenset(about)
        self.detail = detail
        self.facts = facts


class NotFound(Refusal):
    """It does not exist, or not within the actor's scope: the answer is the same."""

    code = "not_found"


class Forbidden(Refusal):
    """The actor's role may never do this."""

    code = "forbidden"


class Conflict(Refusal):
    """The present state does not allow it."""

    code = "conflict"


class Invalid(Refusal):
    """The request is invalid; ``errors`` names the fields."""

    code = "invalid"

    def __init__(
        self, detail: str = "", *, code: str | None = None, field: str | None = None, **facts: Any
    ) -> None:
        super().__init__(detail, code=code, **facts)
        if field is not None:
            self.facts.setdefault("errors", []).append({"field": field, "message": detail})


class NotAllowedInState(Conflict):
    """The transition table has no such move from this state."""

    code = "not_allowed_in_state"

    def __init__(self, action: str, state: str, allowed_actions: list[str]) -> None:
        super().__init__(
            f"{action} is not possible while {state}", state=state, allowed_actions=allowed_actions
        )


class StaleVersion(Refusal):
    """Someone else changed it since it was read."""

    code = "stale"


def require(condition: object, detail: str, *, code: str = "invalid", field: str) -> None:
    """Refuse with :class:`Invalid`, naming ``field``, unless ``condition`` holds."""
    if not condition:
        raise Invalid(detail, code=code, field=field)


def one_of(kind: type[E], value: str | None, *, code: str, field: str) -> E:
    """The member of ``kind`` with that value; refuses, naming ``field``, what it does not list."""
    try:
        return kind(value or "")
    except ValueError:
        raise Invalid(f"one of {', '.join(kind)}", code=code, field=field) from None

"""Routers that are passed over at once where a path is none of theirs."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from casework.adapters.http.route import GuardedRoute


class SubjectRouter(APIRouter):
    """The routes of a subject, each of them guarded.

    A path is compared with each route in turn, some two hundred of them: with those of this router
    only where it has one of the words that its routes begin with.
    """

    def __init__(self, *, route_class: type[APIRoute] = GuardedRoute, **options: Any) -> None:
        super().__init__(route_class=route_class, **options)

    @cached_property
    def _first_words(self) -> frozenset[str] | None:
        """The words; None where a route begins with a parameter. Asked when all are added."""
        words = {getattr(route, "path", "{").split("/")[1] for route in self.routes}
        return None if any(word.startswith("{") for word in words) else frozenset(words)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a route of this router has the path, at once where none can."""
        words = self._first_words
        if words is not None and words.isdisjoint(scope["path"].split("/")):
            return Match.NONE, {}
        return super().matches(scope)

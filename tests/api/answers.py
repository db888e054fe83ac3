"""Every response that a test gets is validated against its type in the OpenAPI document.

A field that is unknown, missing or of another type fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from casework.adapters.api import health
from casework.adapters.api.app import BASE, ROUTERS
from casework.adapters.api.shared.document import PROBLEM, may_be_out_of_sight, response_types
from casework.adapters.api.shared.responses import OutOfSight, Problem
from casework.adapters.api.shared.routing import REFERENCE
from casework.adapters.http.route import GuardedRoute

Route = tuple[str, re.Pattern[str], GuardedRoute]


@cache
def _routes() -> list[Route]:
    """Every operation in the application's matching order."""
    prefixed = [(BASE, router) for router in ROUTERS] + [("", health.router)]
    return [
        (method, re.compile(re.escape(prefix) + route.path_regex.pattern.removeprefix("^")), route)
        for prefix, router in prefixed
        for route in router.routes
        if isinstance(route, GuardedRoute)
        for method in route.methods or ()
    ]


def check(response: Any) -> None:
    """Fail if a response is not of its type; an event hook of the client."""
    kind = response.headers.get("content-type", "")
    if "json" not in kind or response.request.method == "HEAD":
        return
    response.read()
    asked = f"{response.request.method} {response.request.url.path} {response.status_code}"
    if kind == PROBLEM:
        validate(adapter(Problem), response.content, asked)
        return
    route = _route(response.request)
    if route is not None:
        content = route.responses[response.status_code]["content"]["application/json"]
        names = list(names_in(content["schema"]))
        if may_be_out_of_sight(response.request.method.lower(), route.openapi_extra or {}):
            names.append(OutOfSight.__name__)
        validate(adapter(*names), response.content, asked)


def _route(request: Any) -> GuardedRoute | None:
    path = request.url.path
    return next(
        (
            route
            for method, pattern, route in _routes()
            if method == request.method and pattern.match(path)
        ),
        None,
    )


@cache
def adapter(*names: Any) -> TypeAdapter[Any]:
    """The validator of these types, which are named or given."""
    known = response_types()
    types = [known[one] if isinstance(one, str) else one for one in names]
    union: Any = types[0]
    for one in types[1:]:
        union = union | one
    return TypeAdapter(union)


def names_in(schema: dict[str, Any]) -> Iterator[str]:
    """The names of the types that a schema refers to."""
    for one in schema.get("anyOf", [schema]):
        yield one["$ref"].removeprefix(REFERENCE)


def validate(against: TypeAdapter[Any], content: bytes, asked: str) -> None:
    """Fail the test, naming the fault but none of the values."""
    try:
        against.validate_json(content, strict=True)
    except ValidationError as error:
        wrong = [(".".join(map(str, one["loc"])), one["type"]) for one in error.errors()]
        raise AssertionError(f"{asked} is not of its type: {wrong}") from None

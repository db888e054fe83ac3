"""How an operation is declared: its action in the policy, its answers, its paging."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Query

from casework.adapters.http.call import Call, current_call

Caller = Annotated[Call, Depends(current_call)]


def _paging(
    limit: Annotated[int, Query(ge=1, le=200, description="rows a page")] = 50,
    cursor: Annotated[str | None, Query(max_length=2000, description="next_cursor")] = None,
) -> tuple[int, str | None]:
    return limit, cursor


Paged = Annotated[tuple[int, str | None], Depends(_paging)]

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_SAYS = {
    400: "the request cannot be read",
    401: "nobody is signed in",
    403: "this role never does this",
    404: "absent, or out of the asker's scope",
    409: "the present state does not allow it",
    412: "changed since it was read",
    413: "a body over 1 MiB",
    422: "fields cannot be right",
    428: "If-Match is missing",
    503: "busy; try again",
}


def operation(
    action: str,
    example: Any,
    *,
    status: Literal[200, 201] = 200,
    refuses: tuple[int, ...] = (),
    use_key: bool = True,
    is_long: bool = False,
    media_type: str = "application/json",
) -> dict[str, Any]:
    """The keyword arguments of a route: policy entry, example answer, refusals.

    Every guarded operation may also answer 401, 403, 422 and 503. ``use_key`` False says that
    an idempotency key has no meaning here; one that ``is_long`` may take half a minute.
    """
    codes = sorted({401, 403, 422, 503, *refuses} if action != "public" else {*refuses})
    responses: dict[int | str, dict[str, Any]] = {
        code: {"description": _SAYS[code], "content": _PROBLEM} for code in codes
    }
    responses[status] = {
        "description": "done" if status == 200 else "made",
        "content": {media_type: {"example": example}},
    }
    extra: dict[str, Any] = {"x-action": action}
    if is_long:
        extra["x-long"] = True
    if not use_key:
        extra["x-no-key"] = True
    if action == "public":
        extra["security"] = []
    return {
        "openapi_extra": extra,
        "responses": responses,
        "status_code": status,
        "response_model": None,
    }

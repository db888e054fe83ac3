"""How an operation is declared: its action in the policy, its responses, its paging.

Its identifier is the name of its function, its summary the first line of the docstring.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query, Response

from casework.adapters.api.shared.responses import ResponseBody
from casework.adapters.http.call import MAY_BE_STALE, Call, current_call
from casework.adapters.http.responses import DATA_AS_OF

Caller = Annotated[Call, Depends(current_call)]


async def _paging(
    limit: Annotated[int, Query(ge=1, le=200, description="rows a page")] = 50,
    cursor: Annotated[str | None, Query(max_length=2000, description="next_cursor")] = None,
) -> tuple[int, str | None]:
    return limit, cursor


Paged = Annotated[tuple[int, str | None], Depends(_paging)]

REFERENCE: Final = "#/components/schemas/"
_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": f"{REFERENCE}Problem"}}}
_SAYS: Final = {
    400: "the request cannot be read",
    401: "nobody is signed in",
    403: "this role never does this",
    404: "absent, or out of the asker's scope",
    409: "the present state does not allow it",
    412: "changed since it was read",
    413: "a body over 1 MiB",
    422: "fields cannot be right",
    428: "If-Match is missing",
    503: "busy, or no room to write; try again",
}
_AS_OF: Final = {
    "description": "Until when the answer knows what happened: now, or some seconds ago.",
    "required": True,
    "schema": {"type": "string", "format": "date-time"},
}
_DONE: Final = {200: "done", 201: "made"}


@dataclass(frozen=True)
class File:
    """A response that is no JSON: its media types, the usual one first, and how it begins."""

    media_types: tuple[str, ...]
    example: str


SHEET: Final = (
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)


def operation(
    action: str,
    answer: type[ResponseBody] | tuple[type[ResponseBody], ...] | File,
    *,
    status: Literal[200, 201] = 200,
    also: Literal[200, 503] | None = None,
    refuses: tuple[int, ...] = (),
    use_key: bool = True,
    is_long: bool = False,
    may_be_stale: bool = False,
) -> dict[str, Any]:
    """The keyword arguments of a route: policy entry, response schema, refusals.

    Every guarded operation may also answer 401, 403, 422 and 503. ``answer`` is several types
    where it depends on what was done, and ``also`` another status under which it is given.
    ``use_key`` False says that an idempotency key has no meaning here; one that ``is_long`` may
    take half a minute; one that ``may_be_stale`` only tells, and may be read at a replica.
    """
    codes = sorted({401, 403, 422, 503, *refuses} if action != "public" else {*refuses})
    responses: dict[int | str, dict[str, Any]] = {
        code: {"description": _SAYS[code], "content": _PROBLEM} for code in codes
    }
    for each in (status, also) if also else (status,):
        said = "replaced" if (status, each) == (201, 200) else _DONE.get(each, _SAYS.get(each))
        responses[each] = {"description": said, "content": _content(answer)}
    if may_be_stale:
        responses[status]["headers"] = {DATA_AS_OF: _AS_OF}
    extra: dict[str, Any] = {"x-action": action}
    if may_be_stale:
        extra[MAY_BE_STALE] = True
    if is_long:
        extra["x-long"] = True
    if not use_key:
        extra["x-no-key"] = True
    if action == "public":
        extra["security"] = []
    made = {
        "openapi_extra": extra,
        "responses": responses,
        "status_code": status,
        "response_model": None,
    }
    # Without a media type of its own, or the framework would document JSON beside the file.
    return made | ({"response_class": Response} if isinstance(answer, File) else {})


def _content(answer: type[ResponseBody] | tuple[type[ResponseBody], ...] | File) -> dict[str, Any]:
    """By media type: the schema of an answer. That of a file is text, or bytes."""
    if isinstance(answer, File):
        text, *others = answer.media_types
        shown: dict[str, Any] = {"schema": {"type": "string"}, "example": answer.example}
        return {text: shown} | {
            one: {"schema": {"type": "string", "format": "binary"}} for one in others
        }
    types = answer if isinstance(answer, tuple) else (answer,)
    schemas = [{"$ref": REFERENCE + one.__name__} for one in types]
    return {"application/json": {"schema": schemas[0] if len(types) == 1 else {"anyOf": schemas}}}

"""Limits of a request body: 1 MiB, valid UTF-8 JSON, limited depth, no NUL or lone surrogates."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from starlette.types import Scope

from casework.adapters.http.problems import Problem

MAX_BODY: Final = 1024 * 1024
MAX_UPLOAD: Final = 16 * 1024 * 1024
# Of somebody who is not known: signing in.
MAX_UNKNOWN: Final = 64 * 1024
MAX_FIELDS: Final = 100
MAX_DEPTH: Final = 32
MAX_DIGITS: Final = 15
MAX_ADDRESS: Final = 8 * 1024
MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 64 * 1024
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def problem_of_head(scope: Scope) -> Problem | None:
    """What is wrong with the size of an address or of the headers."""
    address = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    if address > MAX_ADDRESS:
        return Problem(f"at most {MAX_ADDRESS} bytes", code="uri_too_long")
    headers = scope["headers"]
    size = sum(len(name) + len(value) for name, value in headers)
    if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        return Problem(f"at most {MAX_HEADERS} headers of 64 KiB", code="headers_too_large")
    return None


def read_json(body: bytes) -> Any:
    """The JSON of a body. Refuses NUL, NaN, lone surrogates, and too deep or too large values."""
    try:
        found = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise Problem("not valid JSON in UTF-8", code="malformed") from error
    _check(found, 0)
    return found


def check_form(body: bytes) -> None:
    """Refuse a form of fields with NUL or lone surrogates, or that is none in UTF-8."""
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError as error:
        raise Problem("not a form", code="malformed") from error
    for name, value in pairs:
        check_text(name + value)


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Problem(f"nested deeper than {MAX_DEPTH}", code="malformed")
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            check_text(key)
            _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)
    elif (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (abs(value) >= 10**MAX_DIGITS)
    ):
        raise Problem(f"a number of more than {MAX_DIGITS} digits", code="malformed")


def check_text(text: str) -> None:
    """Refuse NUL and lone surrogates, which a database cannot store."""
    if _UNSTORABLE.search(text):
        raise Problem("a character that cannot be stored", code="malformed")


def storable(text: str) -> str:
    """The same with ``?`` for what a database cannot store: for the record of the request."""
    return _UNSTORABLE.sub("?", text)

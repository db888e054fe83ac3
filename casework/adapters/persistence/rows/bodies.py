"""What a body answers for, as rows: one for each field and each service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from casework.adapters.persistence.tables.programme import FIELD, SERVICE
from casework.domain.programme.bodies import Body


def answers_of(body: Body) -> set[tuple[str, str]]:
    """What a body answers for, as its rows name it."""
    return {(FIELD, str(one)) for one in body.fields} | {(SERVICE, one) for one in body.services}


def answer_rows(body: Body, answers: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """The rows of what a body answers for."""
    said = {"body_id": body.id, "area": body.area, "until": body.valid_to}
    return [said | {"what": what, "code": code} for what, code in sorted(answers)]

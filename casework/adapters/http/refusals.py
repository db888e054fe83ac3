"""Map an error to the problem response, and to its audit record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from structlog import get_logger

from casework.adapters.http.deadlines import time_to_record
from casework.adapters.http.problems import Problem, of_fault, problem
from casework.adapters.http.services import Services
from casework.domain.access.policy import Actor
from casework.domain.errors import Invalid, Refusal
from casework.workflows.ports.access import SignInRefused
from casework.workflows.ports.unit_of_work import RequestFacts

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


log = get_logger("casework.http")


def refuse(
    services: Services,
    request: Request,
    actor: Actor | None,
    now: datetime,
    action: str,
    error: Exception,
) -> Response:
    """The problem for an error, recorded before it is returned."""
    facts: RequestFacts = request.state.facts
    refusal, outcome = classify_error(services, facts, error)
    actor = actor or getattr(request.state, "actor", None)
    try:
        # Of too many requests only the first refusal is recorded: the others would be a flood.
        if not isinstance(error, SignInRefused) and getattr(error, "is_first", True):
            store = services.store.for_request(facts)
            with services.time_allowed(time_to_record(request)):
                store.note_refusal(actor, action, now, refusal.code, outcome, refusal.about)
    except Exception as unwritten:
        log.error("audit entry not written", task=facts.task, error=type(unwritten).__name__)
        refusal = of_fault(services.fault(unwritten))
    response = problem(refusal, request.headers.get("accept-language"))
    response.headers["X-Request-Id"] = facts.request_id or ""
    return response


def classify_error(
    services: Services, facts: RequestFacts, error: Exception
) -> tuple[Refusal, str]:
    """A refusal, or an internal error, which is logged; with the outcome to record."""
    refusal = refusal_for(services, facts, error)
    if refusal is not None:
        return refusal, "refused"
    log.error("request failed", task=facts.task, error=type(error).__name__, exc_info=error)
    return Problem("", code="internal_error"), "failed"


def refusal_for(services: Services, facts: RequestFacts, error: Exception) -> Refusal | None:
    """The refusal that an error maps to, None for an unexpected one."""
    match error:
        case Refusal():
            return error
        case RequestValidationError():
            return Invalid(
                "fields cannot be right",
                errors=[
                    {
                        "field": ".".join(map(shown_name, one["loc"][1:])) or str(one["loc"][0]),
                        "message": _message(one),
                    }
                    for one in error.errors()
                ],
            )
        case HTTPException(status_code=status):
            return Problem("", code="malformed" if status == 400 else "invalid")
    fault = services.fault(error)
    if fault == "locked" and facts.idempotency_key is not None:
        return Problem("", code="in_flight")
    return of_fault(fault) if fault else None


def shown_name(part: object) -> str:
    """A part of a field's name, or ``?`` for one that the client made up."""
    name = str(part)
    return name if isinstance(part, int) or _NAME.fullmatch(name) else "?"


def _message(error: Mapping[str, Any]) -> str:
    """What is wrong with a field, without what was sent in it."""
    match error["type"]:
        case "union_tag_invalid":
            return f"one of {error['ctx']['expected_tags']}"
        case "uuid_parsing":
            return "a UUID"
    return str(error["msg"])

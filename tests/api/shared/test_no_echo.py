"""Invalid input is never repeated in the refusal, in any operation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from casework.adapters.api.app import ROUTERS
from casework.adapters.http.problems import problem
from casework.adapters.http.refusals import refusal_for  # the one place that formats it
from casework.workflows.ports.unit_of_work import RequestFacts

MARK = "9z7q"  # in none of our texts
ODD: tuple[Any, ...] = (
    MARK, f"홍길동 {MARK}", MARK * 2000, {MARK: MARK}, [MARK], [{MARK: [MARK]}], [[MARK]],
    f"2026-13-{MARK}", f"1e{MARK}", {"kind": MARK}, {"amount": MARK, "unit": MARK},
)  # fmt: skip


def bodies() -> dict[str, type[BaseModel]]:
    """The schema of every body, by the name of its operation."""
    found: dict[str, type[BaseModel]] = {}
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.body_field is not None:
                annotation: Any = route.body_field.field_info.annotation
                models = [annotation, *getattr(annotation, "__args__", ())]
                found |= {
                    str(route.operation_id): model
                    for model in models
                    if isinstance(model, type) and issubclass(model, BaseModel)
                }
    return found


BODIES = bodies()


def wrongs(schema: dict[str, Any], whole: dict[str, Any], depth: int = 0) -> Iterator[Any]:
    """Invalid values for a schema, including its nested fields."""
    schema = whole["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    yield from ODD
    if depth > 3:
        return
    for name, inner in schema.get("properties", {}).items():
        yield from ({name: wrong} for wrong in wrongs(inner, whole, depth + 1))
    for inner in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from wrongs(inner, whole, depth + 1)
    if "items" in schema:
        yield from ([wrong] for wrong in wrongs(schema["items"], whole, depth + 1))


def shown(error: ValidationError) -> str:
    """The response to a request body that failed with this error."""
    errors: list[Any] = [dict(one) | {"loc": ("body", *one["loc"])} for one in error.errors()]
    services: Any = None
    refusal = refusal_for(services, RequestFacts(), RequestValidationError(errors))
    assert refusal is not None
    answer = problem(refusal, "en")
    assert answer.status_code == 422
    return bytes(answer.body).decode()


def test_there_is_a_schema_for_every_operation_that_has_a_body() -> None:
    assert len(BODIES) > 45


@pytest.mark.parametrize("name", sorted(BODIES))
def test_no_value_that_was_sent_comes_back(name: str) -> None:
    schema = BODIES[name].model_json_schema(by_alias=True)
    refused = 0
    for body in wrongs(schema, schema):
        said = answer_to(BODIES[name], body)
        refused += said is not None
        assert MARK not in (said or ""), body
    assert refused >= len(ODD)


def answer_to(model: type[BaseModel], body: Any) -> str | None:
    """The response to a request body, or None if it is valid."""
    try:
        model.model_validate(body)
    except ValidationError as error:
        return shown(error)
    return None


def test_the_control_that_shows_input_would_be_seen() -> None:
    with pytest.raises(ValidationError) as found:
        BODIES["refer"].model_validate({"priority": MARK})
    assert MARK in str(found.value)
    assert MARK not in shown(found.value)

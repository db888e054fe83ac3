"""Examples of bodies, made from their schemas: one value for each name, format or type."""

from __future__ import annotations

from typing import Any, Final

from casework.adapters.api.shared.routing import REFERENCE
from casework.adapters.api.shared.samples import ALSO_SHOWN, EMPTY, SAMPLES, SAMPLES_OF, UNSET
from casework.adapters.http.texts import say

BY_FORMAT: Final[dict[str, Any]] = {
    "uuid": "01900000-0000-7000-8000-000000000001",
    "date": "2026-03-27",
    "date-time": "2026-03-27T09:00:00+09:00",
    "binary": "(a file)",
}
BY_TYPE: Final[dict[str, Any]] = {
    "boolean": True,
    "integer": 1,
    "number": 1.5,
    "string": "text",
    "null": None,
}
CODES: Final = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    408: "body_too_slow",
    409: "not_allowed_in_state",
    412: "stale",
    413: "body_too_large",
    415: "type_not_taken",
    422: "invalid",
    428: "precondition_required",
    429: "too_many_requests",
    503: "busy",
}


def problem_example(status: int) -> dict[str, Any]:
    """A refusal as it is answered to a reader of English."""
    code = CODES[status]
    title = say(code, "", "en")[0]
    facts: dict[str, Any] = {}
    if status == 409:
        facts = {"state": "accepted", "allowed_actions": ["start", "hold", "fail", "signal"]}
    elif status == 422:
        facts = {"errors": [{"field": "birth_date", "message": "a date in the future"}]}
    return {
        "type": f"urn:casework:problem:{code}",
        "title": title,
        "status": status,
        "detail": title,
        "code": code,
    } | facts


class Examples:
    """Makes examples of the schemas of one document."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas
        self._made: dict[tuple[str, bool], Any] = {}

    def of_body(self, schema: dict[str, Any], which: str) -> Any:
        """A request with what it needs, an answer with everything it always has."""
        return self._value(schema, "", in_request=which == "request")

    def _value(self, schema: dict[str, Any], name: str, *, in_request: bool) -> Any:
        if "example" in schema or "examples" in schema:
            return schema["example"] if "example" in schema else schema["examples"][0]
        if "$ref" in schema:
            return self._component(
                schema["$ref"].removeprefix(REFERENCE), name, in_request=in_request
            )
        if "const" in schema:
            return schema["const"]
        choices = schema.get("anyOf") or schema.get("oneOf") or []
        if name in UNSET and any(one.get("type") == "null" for one in choices):
            return None
        known = SAMPLES.get(name)
        if known is not None and _fits(known, schema, self._schemas):
            return known
        if "enum" in schema:
            return schema["enum"][0]
        if choices:
            return self._value(choices[0], name, in_request=in_request)
        return self._of_type(schema, name, in_request=in_request)

    def _of_type(self, schema: dict[str, Any], name: str, *, in_request: bool) -> Any:
        match schema.get("type"):
            case "array":
                if name in EMPTY and not schema.get("minItems"):
                    return []
                one = self._value(schema["items"], name, in_request=in_request)
                return [_another(one, n) for n in range(schema.get("minItems") or 1)]
            case "object" | None:
                return self._object(schema, in_request=in_request)
            case "integer" | "number" as kind:
                return schema.get("minimum") or BY_TYPE[kind]
        return BY_FORMAT.get(schema.get("format", ""), BY_TYPE[schema["type"]])

    def _component(self, component: str, name: str, *, in_request: bool) -> Any:
        schema = self._schemas[component]
        if "properties" not in schema:  # a closed list: the name may say which of it
            return self._value(schema, name, in_request=in_request)
        key = (component, in_request)
        if key not in self._made:
            own = SAMPLES_OF.get(component, {})
            self._made[key] = self._object(schema, in_request=in_request) | own
        return self._made[key]

    def _object(self, schema: dict[str, Any], *, in_request: bool) -> dict[str, Any]:
        properties, needed = schema.get("properties", {}), set(schema.get("required", ()))
        if in_request and not needed:
            needed = set(properties)
        shown = needed | (ALSO_SHOWN & properties.keys() if not in_request else set())
        return {
            name: self._value(inner, name, in_request=in_request)
            for name, inner in properties.items()
            if name in shown
        }


def _another(value: Any, n: int) -> Any:
    """The n-th of several that differ, where they are identifiers."""
    if value == BY_FORMAT["uuid"]:
        return f"{value[:-1]}{n + 1}"
    return value


def _fits(value: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Whether a value that a name has elsewhere is of the type that it has here."""
    if "$ref" in schema:
        return _fits(value, schemas[schema["$ref"].removeprefix(REFERENCE)], schemas)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return any(_fits(value, one, schemas) for one in choices)
    if "enum" in schema:
        return value in schema["enum"]
    match value:
        case bool():
            return schema.get("type") == "boolean"
        case int():
            return schema.get("type") in ("integer", "number")
        case float():
            return schema.get("type") == "number"
        case str():
            return schema.get("type") == "string" and "format" not in schema
        case list():
            return schema.get("type") == "array" and all(
                _fits(one, schema["items"], schemas) for one in value
            )
    return schema.get("type") == "object" and "properties" not in schema

"""The OpenAPI document: what the framework generates from the routes, and additions.

Added are: the response schemas, the headers and refusals that operations share, a description of
every parameter and property, and an example of every body.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from casework.adapters.api.shared.examples import Examples, problem_example
from casework.adapters.api.shared.fields import DESCRIPTIONS, IN_PATH
from casework.adapters.api.shared.responses import OutOfSight, Problem, ResponseBody
from casework.adapters.api.shared.routing import REFERENCE

METHODS: Final = ("get", "put", "post", "delete", "patch")
PROBLEM: Final = "application/problem+json"


def document(app: FastAPI, token_url: str) -> dict[str, Any]:
    """The document of an application, in which people sign in at ``token_url``."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        routes=app.routes,
        summary="Integrated community care: cases, referrals, clocks",
        separate_input_output_schemas=False,
    )
    parts = made.setdefault("components", {})
    parts["securitySchemes"] = {
        "bearer": {
            "type": "oauth2",
            "flows": {"password": {"tokenUrl": token_url, "scopes": {}}},
        }
    }
    made["security"] = [{"bearer": []}]
    for _path, method, operation in operations(made):
        _say_what_all_share(method, operation)
    _add_schemas(parts.setdefault("schemas", {}), made)
    _describe(made)
    _show(made)
    return made


def operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation with its path and method."""
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield path, method, operation


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every body of an operation: ``request`` or the status, its media type, and what it says."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield "request", media_type, content
    for status, answer in operation["responses"].items():
        for media_type, content in answer.get("content", {}).items():
            yield status, media_type, content


def response_types() -> dict[str, type[ResponseBody]]:
    """Every response schema by its name. Raises RuntimeError where two have the same name."""
    found: dict[str, type[ResponseBody]] = {}
    waiting: list[type[ResponseBody]] = [ResponseBody]
    while waiting:
        for each in waiting.pop().__subclasses__():
            if found.setdefault(each.__name__, each) is not each:
                raise RuntimeError(f"two types of answers are called {each.__name__}")
            waiting.append(each)
    return found


def _add_schemas(schemas: dict[str, Any], made: dict[str, Any]) -> None:
    """The response schemas, with those that they contain."""
    known = response_types()
    names = {*_referred(made["paths"]), OutOfSight.__name__, Problem.__name__} & known.keys()
    types: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (known[name], "validation") for name in sorted(names)
    ]
    _, found = models_json_schema(types, ref_template=REFERENCE + "{model}")
    for name, schema in found["$defs"].items():
        said = _without_null(schema)
        if schemas.setdefault(name, said) != said:
            raise RuntimeError(f"two types are called {name}")


def _without_null(part: Any) -> Any:
    """A schema without defaults that are null, as the framework writes those of requests."""
    if isinstance(part, list):
        return [_without_null(one) for one in part]
    if isinstance(part, dict):
        return {name: _without_null(one) for name, one in part.items() if one is not None}
    return part


def _referred(part: Any) -> set[str]:
    """The names of the schemas that a part refers to."""
    if isinstance(part, list):
        return {name for one in part for name in _referred(one)}
    if not isinstance(part, dict):
        return set()
    found = {name for one in part.values() for name in _referred(one)}
    reference = part.get("$ref")
    return found | ({reference.removeprefix(REFERENCE)} if isinstance(reference, str) else set())


def _say_what_all_share(method: str, operation: dict[str, Any]) -> None:
    """The headers an operation supports, and the refusals that all such operations may return."""
    answers, heard = operation["responses"], operation.setdefault("parameters", [])
    shared = {"400": "the request cannot be read", "429": "asked too often"}
    if "requestBody" in operation:
        shared["408"] = "the body took too long to come"
        shared["413"] = "a body over 1 MiB"
        shared["415"] = "a body of a type that is not taken here"
    if may_be_out_of_sight(method, operation):
        for answer in answers.values():
            _add_out_of_sight(answer.get("content", {}).get("application/json"))
    operation.pop("x-long", None)
    operation.pop("x-takes-file", None)
    operation.pop("x-may-be-stale", None)
    if method == "post" and not operation.pop("x-no-key", False):
        shared["409"] = "the present state does not allow it, or the same request is in flight"
        heard.append(_header("Idempotency-Key", "the same key and body have one effect", 255))
    if {"412", "428"} & set(answers):
        heard.append(_header("If-Match", "the ETag that was seen", 100))
    for code, says in shared.items():
        answers.setdefault(
            code,
            {
                "description": says,
                "content": {PROBLEM: {"schema": {"$ref": REFERENCE + Problem.__name__}}},
            },
        )


def may_be_out_of_sight(method: str, operation: dict[str, Any]) -> bool:
    """Whether an answer may say that its subject is out of sight, instead of showing it.

    That is so where a request is repeated under its key by somebody whose rights have changed.
    """
    shows = not any(operation.get(name) for name in ("x-no-key", "x-long"))
    return method == "post" and shows


def _add_out_of_sight(content: dict[str, Any] | None) -> None:
    """Beside the one type that is shown; where there are several, they say it already."""
    if content is not None and "$ref" in content["schema"]:
        other = {"$ref": REFERENCE + OutOfSight.__name__}
        content["schema"] = {"anyOf": [content["schema"], other]}


def _header(name: str, says: str, longest: int) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": says,
        "schema": {"type": "string", "minLength": 1, "maxLength": longest},
    }


def _describe(made: dict[str, Any]) -> None:
    """What each parameter and property is, where it does not say so itself."""
    for path, _method, operation in operations(made):
        for parameter in operation["parameters"]:
            name = parameter["name"]
            if parameter["in"] == "path" and name in IN_PATH:
                parameter.setdefault("description", IN_PATH[name].format(_noun(path, name)))
            elif name in DESCRIPTIONS:
                parameter.setdefault("description", DESCRIPTIONS[name])
    for schema in [
        *made["components"]["schemas"].values(),
        *(
            content["schema"]
            for _path, _method, operation in operations(made)
            for _which, _type, content in bodies(operation)
        ),
    ]:
        for name, inner in schema.get("properties", {}).items():
            if name in DESCRIPTIONS:
                inner.setdefault("description", DESCRIPTIONS[name])


def _noun(path: str, name: str) -> str:
    """What a parameter in a path is of: ``referral`` in ``/referrals/{id}``."""
    plural = path.partition(f"/{{{name}}}")[0].rpartition("/")[2].replace("-", " ")
    if plural.endswith("ies"):
        return plural.removesuffix("ies") + "y"
    return plural if plural.endswith("ss") or plural == "staff" else plural.removesuffix("s")


def _show(made: dict[str, Any]) -> None:
    """An example of every body that has none."""
    examples = Examples(made["components"]["schemas"])
    for _path, _method, operation in operations(made):
        for which, media_type, content in bodies(operation):
            if media_type == PROBLEM:
                content.setdefault("example", problem_example(int(which)))
            else:
                content.setdefault("example", examples.of_body(content["schema"], which))

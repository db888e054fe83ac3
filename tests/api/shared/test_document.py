"""The OpenAPI document describes the input and output of every operation, with examples."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from casework.adapters.api import health
from casework.adapters.api.app import ROUTERS, create_app
from casework.adapters.api.shared.document import bodies, operations
from casework.adapters.api.shared.fields import DESCRIPTIONS
from casework.adapters.api.shared.routing import REFERENCE
from casework.adapters.api.shared.samples import ALSO_SHOWN, EMPTY, SAMPLES, SAMPLES_OF, UNSET
from casework.adapters.http.route import GuardedRoute


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document of an application without a database."""
    return create_app(None, None).openapi()  # type: ignore[arg-type]


def every_body(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every request and response body with its location."""
    for path, method, operation in operations(document):
        for which, media_type, content in bodies(operation):
            yield f"{method.upper()} {path} {which} {media_type}", content


def properties(part: Any, name: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every property of every schema: the schema's name, its own name, and its definition."""
    if isinstance(part, list):
        for one in part:
            yield from properties(one, name)
    elif isinstance(part, dict):
        for key, inner in part.items():
            if key == "properties" and part.get("type", "object") == "object":
                yield from ((name, each, said) for each, said in inner.items())
                for each in inner.values():
                    yield from properties(each, name)
            elif key not in ("example", "examples", "default"):
                yield from properties(inner, key if name == "schemas" else name or key)


def test_every_route_is_an_operation_named_after_its_function(document: dict[str, Any]) -> None:
    routes = [
        route
        for router in (*ROUTERS, health.router)
        for route in router.routes
        if isinstance(route, GuardedRoute)
    ]
    named = [operation["operationId"] for _path, _method, operation in operations(document)]
    assert len(named) == len(set(named)) == 238
    assert sorted(named) == sorted(route.endpoint.__name__ for route in routes)


def test_every_operation_has_a_summary_and_says_more(document: dict[str, Any]) -> None:
    poor = [
        operation["operationId"]
        for _path, _method, operation in operations(document)
        if not operation["summary"] or operation["summary"].endswith(".")
    ]
    assert poor == []


def test_every_body_has_a_schema_and_an_example_that_is_of_it(document: dict[str, Any]) -> None:
    components = {"components": document["components"]}
    wrong, seen = [], set()
    for where, content in every_body(document):
        if not content.get("schema") or "example" not in content:
            wrong.append(where)
            continue
        same = json.dumps([content["schema"], content["example"]])
        if same in seen:  # every operation declares a problem response
            continue
        seen.add(same)
        validator = jsonschema_rs.Draft202012Validator(
            content["schema"] | components, validate_formats=True
        )
        wrong += [f"{where}: {error}" for error in validator.iter_errors(content["example"])]
    assert wrong == []


def test_every_parameter_and_property_has_a_description(document: dict[str, Any]) -> None:
    bare = [
        f"{path} {parameter['name']}"
        for path, _method, operation in operations(document)
        for parameter in operation["parameters"]
        if not parameter.get("description")
    ]
    bare += [f"{of}.{name}" for of, name, said in properties(document) if "description" not in said]
    assert bare == []


def test_every_name_of_the_vocabulary_is_used(document: dict[str, Any]) -> None:
    used = {name for _of, name, _said in properties(document)} | {
        parameter["name"]
        for _path, _method, operation in operations(document)
        for parameter in operation["parameters"]
    }
    known = {*DESCRIPTIONS, *SAMPLES, *UNSET, *EMPTY, *ALSO_SHOWN}
    assert known - used == set()
    assert SAMPLES_OF.keys() <= document["components"]["schemas"].keys()


def test_components_have_plain_names_of_their_own(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    titles = Counter(schema.get("title", name) for name, schema in schemas.items())
    assert [title for title, times in titles.items() if times > 1] == []
    assert [name for name in schemas if "__" in name or "[" in name] == []
    # A client generator makes one variable of both, and its code fails a type checker.
    lists = {
        name: {one for one, said in schema.get("properties", {}).items() if "items" in said}
        for name, schema in schemas.items()
    }
    snake = {name: re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in schemas}
    assert [name for name in schemas if snake[name] in lists[name]] == []


def test_nothing_refers_to_what_is_not_there(document: dict[str, Any]) -> None:
    wanted = set(re.findall(r"'\$ref': '([^']+)'", str(document)))
    schemas = document["components"]["schemas"]
    assert {one.removeprefix(REFERENCE) for one in wanted} <= schemas.keys()
    # Every component is used; a closed list may be part of a parameter alone.
    assert schemas.keys() <= {one.removeprefix(REFERENCE) for one in wanted}

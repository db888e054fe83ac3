"""A client is generated from the document, is well typed, and walks the README's chain."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from casework.adapters.api.app import create_app
from casework.adapters.api.shared.document import operations
from tests.api import conftest as world
from tests.api.conftest import PASSWORD, Api
from tests.serving import served

api, application, owner = world.api, world.application, world.owner
WALK = Path(__file__).with_name("walk_with_client.py")
CONFIGURATION = "package_name_override: casework_client\npost_hooks: []\nliteral_enums: true\n"
TAKES_AT_MOST_S = 600


def run(folder: Path, *command: str) -> str:
    """Run a command in a folder where the client can be imported; returns its output."""
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True, text=True, timeout=TAKES_AT_MOST_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def document() -> dict[str, object]:
    """The document that a client is generated from."""
    return create_app(None, None).openapi()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def client(document: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a generated client."""
    if find_spec("openapi_python_client") is None:
        assert "CI" not in os.environ, "there is no generator, and in CI there must be one"
        pytest.skip("the extra `client` is not installed")
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "config.yml").write_text(CONFIGURATION, encoding="utf-8")
    said = run(
        folder, "-m", "openapi_python_client", "generate", "--path", "openapi.json",
        "--meta", "none", "--output-path", "casework_client", "--config", "config.yml",
    )  # fmt: skip
    assert "warning" not in said.lower(), said  # it warns of what it leaves out
    shutil.copy(WALK, folder)
    return folder


def test_the_client_has_the_operations_of_the_document(
    document: dict[str, object], client: Path
) -> None:
    made = {path.stem for path in (client / "casework_client" / "api").glob("*/*.py")}
    named = {str(operation["operationId"]) for _path, _method, operation in operations(document)}
    assert made - {"__init__"} == named


def test_the_client_and_the_walk_are_well_typed(client: Path) -> None:
    # Without the configuration of this project, which knows nothing of it.
    run(
        client, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=.mypy_cache",
        "casework_client", WALK.name,
    )  # fmt: skip


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_the_client_walks_from_an_application_to_an_answer(api: Api, client: Path) -> None:
    with served(api.client.app) as address:
        run(client, WALK.name, address, PASSWORD, api.clock.now.date().isoformat())

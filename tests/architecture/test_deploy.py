"""The files under `deploy/` name commands and settings that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casework.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
# Read by `casework roles` alone: passwords of roles that it makes.
OF_ROLES = "CASEWORK_ROLE_PASSWORD_"
# Of the proxy.
NO_SETTING = {"CASEWORK_HOST"}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def settings_in(text: str) -> set[str]:
    """The names of settings of ours that a file sets."""
    named = set(re.findall(r"\bCASEWORK_[A-Z_]+\b", text)) - NO_SETTING
    return {name for name in named if not name.startswith(OF_ROLES)}


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "casework.env.example"])
def test_every_setting_that_is_named_is_one(name: str) -> None:
    known = {f"CASEWORK_{field.upper()}" for field in Settings.model_fields} | {"CASEWORK_SCHEMA"}
    assert settings_in((DEPLOY / name).read_text()) <= known


def test_everything_that_production_demands_is_asked_for() -> None:
    text = "".join((DEPLOY / name).read_text() for name in ("compose.yaml", "casework.env.example"))
    demanded = {"TOKEN_KEY", "CURSOR_KEY", "MASTER_KEY", "AUDIT_KEY", "KEY_RING", "DATABASE_URL"}
    assert {f"CASEWORK_{one}" for one in demanded} <= settings_in(text)


@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.stem)
def test_a_unit_runs_the_command_whose_name_it_has(unit: Path) -> None:
    text = unit.read_text()
    command = unit.stem.removeprefix("casework-")
    assert re.search(rf"^ExecStart=/opt/casework/bin/casework {command}\b", text, re.MULTILINE)
    assert f"EnvironmentFile=/etc/casework/{command}.env" in text

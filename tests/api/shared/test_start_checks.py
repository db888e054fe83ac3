"""What is refused before anything is served: here, that production is ever a demo."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from casework import start_checks
from casework.adapters.persistence import tables as t
from casework.settings import Settings, SettingsError
from tests.api.asking import refusal
from tests.api.conftest import WORKER, Api


def production(api: Api) -> Settings:
    """The settings of the test's application, in production."""
    return api.application.settings.model_copy(update={"mode": "production"})


@pytest.mark.both_stores
def test_production_does_not_start_on_a_database_that_the_demo_was_seeded_into(api: Api) -> None:
    with pytest.raises(SettingsError, match="the demo's invented accounts"):
        start_checks.check_not_demo(production(api), api.engine)
    start_checks.check_not_demo(api.application.settings, api.engine)  # development goes on


def test_one_account_of_the_demo_is_enough_disabled_as_it_may_be(api: Api) -> None:
    account = t.account
    worker = account.c.username == WORKER
    with api.engine.begin() as connection:
        connection.execute(update(account).values(is_demo=False))
    start_checks.check_not_demo(production(api), api.engine)
    with api.engine.begin() as connection:
        connection.execute(update(account).where(worker).values(is_demo=True, is_active=False))
    with pytest.raises(SettingsError, match="createdb"):
        start_checks.check_not_demo(production(api), api.engine)


@pytest.mark.parametrize("password", ["care-at-home-2026", "Care-at-home-2026", "care-at-home-77"])
def test_the_password_of_the_demo_is_nobodys_own(api: Api, password: str) -> None:
    body: dict[str, Any] = {"current_password": "whatever it is", "new_password": password}
    answer = api.as_(WORKER).post("/me/password", body)
    assert refusal(answer) == (422, "password_common")

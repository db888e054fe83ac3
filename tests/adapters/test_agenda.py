"""The migration that brings agendas finds what meetings had decided before."""

from __future__ import annotations

from sqlalchemy import inspect, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.schema import migrations
from tests.adapters.clearing import put_in_clear
from tests.api import acts
from tests.api.conftest import SUPERVISOR, Api
from tests.conftest import Store

MEETING = {"held_on": "2026-03-02", "members": [{"name": "가상의사", "agency": "보건소"}]}


def test_what_a_meeting_decided_before_there_were_agendas_is_on_its_agenda(
    api: Api, store: Store
) -> None:
    supervisor = api.as_(SUPERVISOR)
    case, named = acts.a_submitted_plan(api)
    approval = named | {"decision": "approve"}
    decided = supervisor.post(f"/cases/{case}/plan/decision", approval | {"conference": MEETING})
    meeting = decided.json()["in_force"]["decision"]["conference"]["id"]
    acts.a_supported_case(api)  # decided without a meeting: on no agenda
    before = supervisor.get(f"/conferences/{meeting}").json()
    put_in_clear(api.engine, api.application.vault)  # there was no key either
    api.engine.dispose()
    migrations.downgrade(store.owner_url, "0001")
    assert "agenda_item" not in inspect(api.engine).get_table_names()
    api.application.settings = api.application.settings.model_copy(
        update={"migration_url": store.owner_url}
    )
    api.application.migrate()
    after = supervisor.get(f"/conferences/{meeting}").json()
    assert after["agenda"] == before["agenda"]
    assert [one["decision"]["decision"] for one in after["agenda"]] == ["approve"]
    with api.engine.connect() as connection:
        assert len(connection.execute(select(t.agenda_item)).all()) == 1

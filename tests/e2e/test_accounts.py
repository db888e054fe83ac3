"""Accounts at the command line: the first account of a production system, on either store."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.ids import new_id
from casework.bootstrap import build
from casework.operations import uploader
from casework.settings import Settings
from casework.workflows.access.attempts import Credentials
from casework.workflows.access.signing_in import SignInRefused, refresh, sign_in
from casework.workflows.cases import intake
from casework.workflows.ports.unit_of_work import RequestFacts
from casework.workflows.residents import residents
from tests.conftest import Store
from tests.e2e.test_cli import Run, Said, begun, is_one_line, run

__all__ = ["run"]

PASSWORD, OTHER = "twelve-chars", "another-twelve"
ADMIN = ("admin.kim", "--role", "admin", "--name", "김관리")
WORKER = ("lee.u1", "--role", "worker", "--name", "이담당", "--centre", "2635051000")
Account = Callable[..., Said]


@pytest.fixture(autouse=True)
def in_earnest(asked_for_cheap: list[bool]) -> Iterator[None]:
    """Although cheap digests are stored here, the command requested those of production."""
    yield
    assert not any(asked_for_cheap)


@pytest.fixture
def account(run: Run, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    """Run `casework account …` in production, with a password on stdin where one is given."""
    production = begun(run, tmp_path, store.url, store.owner_url)
    assert run("migrate", **production).code == 0

    def account(*arguments: str, password: str | None = None) -> Said:
        monkeypatch.setattr(sys, "stdin", io.StringIO("" if password is None else password))
        return run("account", *arguments, **production)

    return account


class Terminal(io.StringIO):
    """A terminal as stdin."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def stored(store: Store, query: Any) -> list[Any]:
    engine = open_engine(store.owner_url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(query).all())
    finally:
        engine.dispose()


def accounts(store: Store) -> list[Any]:
    return stored(store, select(t.account).order_by(t.account.c.username))


def audited(store: Store) -> list[tuple[Any, ...]]:
    """What was recorded since the audit was begun."""
    entry = t.audit_entry.c
    query = select(entry.action, entry.asked_for, entry.role, entry.actor_id, entry.task)
    query = query.where(entry.action != "audit.begin")
    return [tuple(row) for row in stored(store, query.order_by(entry.id))]


def signed_in(username: str, password: str) -> Any:
    """The tokens that name and password are exchanged for, by the settings of the last command."""
    application = build(Settings())
    try:
        return sign_in(
            application.authentication(RequestFacts()),
            username,
            Credentials(password=password),
            "test",
            datetime.now(UTC),
        )
    finally:
        application.engine.dispose()


def test_production_gets_its_first_way_in(account: Account, store: Store) -> None:
    said = account("add", *ADMIN, password=f"{PASSWORD}\n")
    assert (said.code, said.out, said.err) == (0, "added admin.kim\n", "")
    (row,) = accounts(store)
    assert (row.username, row.name, row.role, row.is_active) == (
        "admin.kim", "김관리", "admin", True
    )  # fmt: skip
    assert row.password_hash.startswith("$argon2id$")
    assert signed_in("admin.kim", PASSWORD).access_token
    with pytest.raises(SignInRefused):
        signed_in("admin.kim", OTHER)
    first = audited(store)[0]
    assert first == ("account.add", "admin.kim", "system", None, "casework account add")


def test_each_role_belongs_to_what_it_works_for(account: Account, store: Store) -> None:
    engine = open_engine(store.owner_url)
    provider = {
        "id": new_id(), "slug": "alpha", "name": "알파", "kind": "home-care", "phone": "051",
        "district_code": "26350", "lat": 35.0, "lon": 129.0, "is_active": True,
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(insert(t.provider), [provider])
    engine.dispose()
    for arguments in (
        WORKER,
        ("kim.hd", "--role", "supervisor", "--name", "김과장", "--district", "26350", "--head"),
        ("assessor.hd", "--role", "assessor", "--name", "박조사", "--district", "26350"),
        ("alpha", "--role", "provider", "--name", "알파", "--provider", "alpha"),
        ("city", "--role", "city", "--name", "시청"),
    ):
        assert account("add", *arguments, password=PASSWORD).code == 0, arguments
    listed = json.loads(account("list", "--json").out)
    assert [
        (row["username"], row["centre"], row["district"], row["provider"], row["head"])
        for row in listed
    ] == [
        ("alpha", None, None, "alpha", False),
        ("assessor.hd", None, "26350", None, False),
        ("city", None, None, None, False),
        ("kim.hd", None, "26350", None, True),
        ("lee.u1", "2635051000", "26350", None, False),
    ]
    assert all(row["active"] for row in listed)
    assert "password" not in json.dumps(listed)
    assert "argon2" not in json.dumps(listed)
    lines = account("list").out.splitlines()
    assert lines[3] == "kim.hd  supervisor  26350  김과장  head"


WRONG: list[tuple[str, tuple[str, ...]]] = [
    ("a user name has", ("K!m", *ADMIN[1:])),
    ("a user name has", ("k", *ADMIN[1:])),
    ("a user name has", ("kim hd", *ADMIN[1:])),
    ("no such role; one of worker, ", ("kim", "--role", "king", "--name", "김")),
    ("a name has", ("kim", "--role", "admin", "--name", " ")),
    ("a name has", ("kim", "--role", "admin", "--name", "김\n관리")),
    ("worker needs its centre", ("kim", "--role", "worker", "--name", "김")),
    ("worker belongs to no district", (*WORKER, "--district", "26350")),
    ("supervisor needs its district", ("kim", "--role", "supervisor", "--name", "김")),
    ("provider needs its provider", ("kim", "--role", "provider", "--name", "김")),
    ("admin belongs to no centre", (*ADMIN, "--centre", "2635051000")),
    ("admin belongs to no centre", (*ADMIN, "--centre", "")),
    ("only a supervisor heads", (*WORKER, "--head")),
    ("no such centre", (*WORKER[:-1], "1")),
    ("no such district", ("kim", "--role", "assessor", "--name", "김", "--district", "1")),
    ("no such provider", ("kim", "--role", "provider", "--name", "김", "--provider", "x")),
    (
        "needs its provider",
        ("kim", "--role", "provider", "--name", "김", "--provider", "\udcff"),
    ),
    ("'--role'", ("kim", "--name", "김")),
    ("'--name'", ("kim", "--role", "admin")),
    ("No such option: --password", (*ADMIN, "--password", PASSWORD)),
]


def test_an_account_that_cannot_be_right_is_refused_in_one_line(
    account: Account, store: Store
) -> None:
    for words, arguments in WRONG:
        is_one_line(account("add", *arguments, password=PASSWORD), words)
    assert accounts(store) == []
    assert audited(store) == []


NO_PASSWORDS: list[tuple[str | None, str]] = [
    (None, "no password was given"),
    ("\n", "no password was given"),
    ("eleven-char", "at least 12 characters"),
    ("x" * 1025, "at most 1024"),
    ("twelve-\udcffchars", "not text in UTF-8"),
    ("administrator1", "not the user name"),
]


def test_a_password_that_is_none_is_refused(account: Account, store: Store) -> None:
    for password, words in NO_PASSWORDS:
        is_one_line(
            account("add", "administrator1", "--role", "admin", "--name", "김", password=password),
            words,
        )
    assert accounts(store) == []


def test_a_password_has_twelve_to_1024_characters(account: Account) -> None:
    for n, password in enumerate(["x" * 12, "x" * 1024, "가나다라마바사아자차카타"]):
        assert account("add", f"admin{n}", *ADMIN[1:], password=password + "\r\n").code == 0
        assert signed_in(f"admin{n}", password).access_token


def test_a_user_name_is_given_once(account: Account, store: Store) -> None:
    account("add", *ADMIN, password=PASSWORD)
    before = accounts(store)
    is_one_line(account("add", *ADMIN, password=OTHER), "there is an account 'admin.kim'")
    assert accounts(store) == before


def test_at_a_terminal_the_password_is_typed_twice(
    account: Account, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter([PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda *_a, **_k: next(typed))
    monkeypatch.setattr(io, "StringIO", Terminal)
    said = account("add", *ADMIN)
    assert (said.code, said.out) == (0, "added admin.kim\n")
    assert next(typed, None) is None, "both were asked for"
    assert signed_in("admin.kim", PASSWORD).access_token


def test_a_disabled_account_is_let_in_no_longer_and_its_tokens_end(
    account: Account, store: Store
) -> None:
    account("add", *ADMIN, password=PASSWORD)
    tokens = signed_in("admin.kim", PASSWORD)
    assert account("disable", "admin.kim").out == "disabled admin.kim\n"
    with pytest.raises(SignInRefused):
        signed_in("admin.kim", PASSWORD)
    (row,) = json.loads(account("list", "--json").out)
    assert row["active"] is False
    assert account("list").out.endswith("  disabled\n")
    assert account("disable", "admin.kim").code == 0, "it is so already"
    assert account("enable", "admin.kim").out == "enabled admin.kim\n"
    assert signed_in("admin.kim", PASSWORD).access_token
    application = build(Settings())
    with pytest.raises(SignInRefused):
        refresh(application.authentication(RequestFacts()), tokens.refresh_token, datetime.now(UTC))
    application.engine.dispose()
    actions = [action for action, _, role, _, _ in audited(store) if role == "system"]
    assert actions == [
        "account.add", "account.disable", "account.list", "account.list", "account.disable",
        "account.enable",
    ]  # fmt: skip


def a_case_of(username: str) -> tuple[UUID, UUID]:
    """A case that an account opened and carries; and the id of the account."""
    application = build(Settings())
    try:
        actor = uploader(application, username)
        ctx = application.context(actor)
        facts = {"name": "가상주민", "birth_date": date(1941, 5, 6), "sex": "female",
                 "centre_code": actor.centre_code}  # fmt: skip
        resident = residents.register_resident(ctx, facts, [], confirm_new=True).id
        asked = {"channel": "self", "applied_on": ctx.act.today}
        assert actor.id is not None
        return intake.open_case(ctx, resident, asked, None), actor.id
    finally:
        application.engine.dispose()


def test_the_open_cases_of_who_is_disabled_go_to_a_colleague_in_the_same_act(
    account: Account, store: Store
) -> None:
    colleague, elsewhere = ("kim.u1", *WORKER[1:]), ("park.u2", *WORKER[1:-1], "2635052000")
    for arguments in (WORKER, colleague, elsewhere):
        assert account("add", *arguments, password=PASSWORD).code == 0
    case, leaver = a_case_of("lee.u1")
    worker = select(t.care_case.c.worker_id).where(t.care_case.c.id == case)
    before = stored(store, worker)
    assert before == [(leaver,)]
    is_one_line(account("disable", "lee.u1"), "hand its open cases over first")
    for heir in ("lee.u1", "park.u2"):
        said = account("disable", "lee.u1", "--hand-over-to", heir)
        is_one_line(said, "no such worker in this centre")
    is_one_line(account("disable", "lee.u1", "--hand-over-to", "nobody"), "no account")
    assert (stored(store, worker), signed_in("lee.u1", PASSWORD) is None) == (before, False)
    said = account("disable", "lee.u1", "--hand-over-to", "KIM.u1")
    assert said.out == "disabled lee.u1; its open cases go to KIM.u1\n"
    (heir,) = (row.id for row in accounts(store) if row.username == "kim.u1")
    assert stored(store, worker) == [(heir,)]
    with pytest.raises(SignInRefused):
        signed_in("lee.u1", PASSWORD)
    said_of = ("lee.u1", "system", None, "casework account disable")
    assert said_of in [one[1:] for one in audited(store)]


def test_a_new_password_ends_the_old_one_its_tokens_and_a_lock(
    account: Account, store: Store
) -> None:
    account("add", *ADMIN, password=PASSWORD)
    tokens = signed_in("admin.kim", PASSWORD)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            signed_in("admin.kim", "wrong-password")
    with pytest.raises(SignInRefused):
        signed_in("admin.kim", PASSWORD)
    is_one_line(account("password", "admin.kim", password="short"), "at least 12")
    said = account("password", "admin.kim", password=OTHER)
    assert said.out == "set the password of admin.kim\n"
    assert signed_in("admin.kim", OTHER).access_token
    with pytest.raises(SignInRefused):
        signed_in("admin.kim", PASSWORD)
    application = build(Settings())
    with pytest.raises(SignInRefused):
        refresh(application.authentication(RequestFacts()), tokens.refresh_token, datetime.now(UTC))
    application.engine.dispose()


def test_an_account_that_is_not_there_is_said_so(account: Account, store: Store) -> None:
    for command in ("disable", "enable", "password"):
        for username in ("nobody", "\udcff"):
            is_one_line(account(command, username, password=PASSWORD), "no account")
    assert audited(store) == []


@pytest.mark.parametrize("command", ["list", "disable admin", "password admin"])
def test_accounts_need_a_current_schema_and_a_configured_database(
    run: Run, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD))
    is_one_line(run("account", *command.split()), "schema is not current")
    is_one_line(run("account", *command.split(), mode="production"), "production needs")


def test_an_account_has_an_address_for_its_notices(account: Account, store: Store) -> None:
    assert account("add", *ADMIN, "--email", "kim@example.org", password=PASSWORD).code == 0
    assert [row.email for row in accounts(store)] == ["kim@example.org"]
    said = account("email", ADMIN[0], "other@example.org")
    assert (said.code, said.out) == (0, f"notices of {ADMIN[0]} go to other@example.org\n")
    assert [row.email for row in accounts(store)] == ["other@example.org"]
    is_one_line(account("email", ADMIN[0], "nobody"), "not an address")
    is_one_line(account("email", "stranger", "a@example.org"), "stranger")
    assert account("email", ADMIN[0]).code == 0
    assert [row.email for row in accounts(store)] == [None]
    assert [one[0] for one in audited(store)] == ["account.add", "account.email", "account.email"]

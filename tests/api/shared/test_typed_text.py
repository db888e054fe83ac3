"""What people type is cleaned where it comes in, in every body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import StringConstraints

from casework.adapters.api.shared.bodies import LINES, ONE_LINE, Body
from tests.api import acts
from tests.api.asking import fields_of
from tests.api.conftest import BASE, HERE, PASSWORD, WORKER, Api

# Compared as they are, a month that is parsed, or what an answer said and nobody keeps.
AS_TYPED = {
    ("ChangePassword", "current_password"), ("ChangePassword", "new_password"),
    ("BeginTotp", "password"), ("MakeToken", "password"), ("SubscribeWebhook", "password"),
    ("DisableTotp", "password"), ("CreateAccount", "password"),
    ("ResetPassword", "password"), ("AddStaff", "password"), ("ExportFilters", "month"),
    ("SetOwnPhone", "password"), ("ChangeAccount", "password"), ("ChangeStaff", "password"),
    *((body, name) for body in ("NamedVersion", "ConferenceDecision", "DecidePlan")
      for name in ("hash", "warnings")),
    ("JudgedRule", "value"),  # of an answer
}  # fmt: skip


def bodies(of: type[Body] = Body) -> Iterator[type[Body]]:
    for one in of.__subclasses__():
        yield one
        yield from bodies(one)


def texts(hint: Any, *notes: Any) -> Iterator[tuple[Any, ...]]:
    """The notes of each ``str`` in a type."""
    if hint is str:
        yield notes
    elif get_origin(hint) is Annotated:
        yield from texts(get_args(hint)[0], *notes, *hint.__metadata__)
    else:
        for one in get_args(hint):
            yield from texts(one, *notes)


def is_clean(notes: tuple[Any, ...]) -> bool:
    forms = [str(one.pattern) for one in notes if isinstance(one, StringConstraints)]
    is_strict = any(form != "None" and "\\w" not in form for form in forms)
    return ONE_LINE in notes or LINES in notes or is_strict


def test_every_text_of_every_body_is_cleaned_or_has_a_form_without_invisible_letters(
    api: Api,
) -> None:
    found = {
        (body.__name__, name)
        for body in bodies()
        for name, hint in get_type_hints(body, include_extras=True).items()
        if name != "model_config"
        for notes in texts(hint)
        if not is_clean(notes)
    }
    assert found - AS_TYPED == set()


def test_invisible_text_is_no_text(api: Api) -> None:
    worker = api.as_(WORKER)
    person = {"name": "\u3164\u200b", "birth_date": "1940-05-09", "sex": "female",
              "centre_code": HERE}  # fmt: skip
    assert fields_of(worker.post("/residents", person)) == ["name"]
    resident = acts.a_resident(api)
    note = {"kind": "call", "text": "\u200b\u202e\n"}
    assert fields_of(worker.post(f"/residents/{resident}/notes", note)) == ["text"]
    assert fields_of(worker.put(f"/residents/{resident}/way-in", {"text": "\u3164"})) == ["text"]


def test_a_user_name_is_known_in_any_case_and_a_password_is_not(api: Api) -> None:
    def signed_in(username: str, password: str) -> int:
        form = {"grant_type": "password", "username": username, "password": password}
        return int(api.client.post(BASE + "/auth/token", data=form).status_code)

    assert signed_in(WORKER, PASSWORD) == 200
    assert signed_in(f" {WORKER.upper()}\u200b", PASSWORD) == 200
    assert signed_in(WORKER, PASSWORD.swapcase()) == 401
    assert signed_in(WORKER, f" {PASSWORD}") == 401

"""Every route with several kinds of broken token; `dev.py proof tokens` tries all of them."""

from __future__ import annotations

from tests.api.access.test_broken_tokens import check_routes, guarded
from tests.api.conftest import Api

EACH = 5


def test_every_route_refuses_broken_tokens_of_several_kinds(api: Api) -> None:
    assert check_routes(api, EACH) == EACH * len(guarded())

"""What tells the services of a case that is taken over apart."""

from __future__ import annotations

from typing import Final

import pytest

from casework.adapters.persistence import tables as t
from tests.api.conftest import Api
from tests.api.exchange.test_imports import told
from tests.api.exchange.test_taking_over import count, known, taken, the_case

ASKED_OF_NOBODY: Final = dict.fromkeys(("기관코드", "의뢰상태", "의뢰일", "회신일", "개시일"), "")


@pytest.mark.both_stores
@pytest.mark.parametrize("asked", [{}, ASKED_OF_NOBODY])
def test_two_meals_of_a_day_are_two_services_by_what_they_say(
    api: Api, asked: dict[str, str]
) -> None:
    known(api)
    supper = {"서비스내용": "저녁"}
    rows = taken(api, asked, asked | supper)
    assert [(row["outcome"], told(row)) for row in rows] == [("accepted", [])] * 2
    again = taken(api, asked | supper, asked)
    assert [told(row) for row in again] == [[("", "already_taken_over")]] * 2
    assert len(the_case(api)["referrals"]) == (0 if asked else 2)
    assert count(api, t.planned_service) == 2
    assert count(api, t.deadline) == (3 if asked else 1), "the first check, and to link each"

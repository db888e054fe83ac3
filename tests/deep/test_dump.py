"""What a stolen dump reveals of forty people: `python3 dev.py proof dump` uses a thousand."""

from __future__ import annotations

from tests.adapters.persistence.schema.test_dump import check_dump, world
from tests.api.conftest import Api

__all__ = ["world"]
PEOPLE, CANDIDATES = 40, 20


def test_a_dump_without_keys_gives_no_number_telephone_address_or_note(world: Api) -> None:
    check_dump(world, PEOPLE, CANDIDATES)

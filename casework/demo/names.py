"""Names, numbers and addresses that plainly belong to nobody.

The family names do not exist in Korea, the telephone numbers start as none is given out, and the
streets and agencies call themselves imaginary (가상).
"""

from __future__ import annotations

from random import Random
from typing import Final

FAMILY: Final = "별솔달숲봄샘들꽃물빛해잎"
GIVEN_FIRST: Final = "가나다라마보소아하새미은푸노두초"
GIVEN_LAST: Final = "람루솜온름슬란늬빛율움리별래봄"
RELATIONS: Final = ("배우자", "딸", "아들", "며느리", "손녀", "이웃", "형제자매")
CITY: Final = "부산광역시"


def person(rng: Random) -> str:
    """An invented person's name."""
    return rng.choice(FAMILY) + rng.choice(GIVEN_FIRST) + rng.choice(GIVEN_LAST)


def mobile(rng: Random) -> str:
    """A mobile number of a block that is given to nobody: 010-0..."""
    return f"010-0{rng.randrange(1000):03}-{rng.randrange(10000):04}"


def landline(number: int) -> str:
    """A number of Busan's area code in an exchange that does not exist."""
    return f"051-000-{number:04}"


def address(rng: Random, centre: str) -> str:
    """An address in an imaginary street of a real neighbourhood."""
    application, flat = rng.randint(1, 199), rng.randint(101, 1504)
    return f"{CITY} {centre} 가상로 {application}, {flat}호"


def short_name(district: str) -> str:
    """A district's name as agencies carry it: 해운대 for 해운대구, but 중구."""
    return district[:-1] if len(district) > 2 else district

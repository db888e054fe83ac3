"""Names for a large invented city: so many that a part of one finds some people and not a crowd.

Family names are as frequent as they are in Korea, or nearly; who has which is settled by a number.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

# Of a hundred people.
FAMILY: Final = (
    "김" * 22 + "이" * 15 + "박" * 9 + "최" * 5 + "정" * 5 + "강조윤장임" * 2
    + "한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민진"
)  # fmt: skip
GIVEN_FIRST: Final = "가나다라마바사아자차카타파하고노도로모보소오초코토포호영미순정옥"
GIVEN_LAST: Final = "가나다라마바사아자차카타파하고노도로모보소오초코토포호자숙희순옥"
WORKER_NAME: Final = "bench.worker."
# Neighbouring numbers lie far apart: a multiplier without a divisor in common with the modulus.
SPREAD, MODULUS = 2_654_435_761, 2**32


def spread(number: int) -> int:
    """A number below 2³² that is as good as random, always the same for the same number."""
    mixed = (number * SPREAD) % MODULUS
    mixed ^= mixed >> 15
    return (mixed * SPREAD) % MODULUS >> 3


@lru_cache(maxsize=1024)
def name_of(number: int) -> str:
    """The name of a numbered resident."""
    rest, family = divmod(spread(number), len(FAMILY))
    rest, first = divmod(rest, len(GIVEN_FIRST))
    return FAMILY[family] + GIVEN_FIRST[first] + GIVEN_LAST[rest % len(GIVEN_LAST)]


def worker_name(number: int) -> str:
    """What a numbered worker signs in with."""
    return f"{WORKER_NAME}{number}"

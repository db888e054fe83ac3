"""When two records may be of one person: names as Hangul is written, birth dates, telephones.

A likeness is a reason to look, never a verdict: a person decides. What refuses a registration is
the strict part of it; the rest is a hint.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final
from uuid import UUID

from casework.domain.residents.names import digits_of, name_key
from casework.domain.residents.resident import MIN_BIRTH_YEAR, Resident

# How like two names are, letter by letter (a syllable is two or three): 1 is the same.
Similarity = Callable[[str, str], float]
# One letter of a usual name of three syllables may differ, as in 김영숙 and 김영순.
NEAR: Final = 0.83
LAST_BIRTH_YEAR: Final = 2100
MONTHS, MOST_DAYS = 12, 31


class LikenessReason(StrEnum):
    """Why two records may be of one person, or of one household."""

    SAME_NUMBER = "same_number"
    SAME_NAME_AND_BIRTH_DATE = "same_name_and_birth_date"
    SAME_NAME_AND_PHONE = "same_name_and_phone"
    NEAR_NAME = "near_name"
    NEAR_BIRTH_DATE = "near_birth_date"
    SAME_PHONE = "same_phone"


# What a registration is refused for, unless the worker says that it is another person.
REFUSES: Final = frozenset({LikenessReason.SAME_NUMBER, LikenessReason.SAME_NAME_AND_BIRTH_DATE})
# A shared telephone alone says "same household?", and nobody's queue is for that.
SUSPICIOUS: Final = frozenset(LikenessReason) - {LikenessReason.SAME_PHONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What likely duplicates are matched by; ``rrn`` where registration numbers are stored."""

    name: str
    birth_date: date
    phone: str | None
    district_code: str
    rrn: str | None = None

    @property
    def phone_digits(self) -> str | None:
        """The telephone as it is compared."""
        return digits_of(self.phone) or None


@dataclass(frozen=True, slots=True)
class DuplicateCandidate:
    """A resident to compare with. Numbers are compared where they lie, and never handed out."""

    resident: Resident
    has_same_number: bool = False


@dataclass(frozen=True, slots=True)
class SimilarResident:
    """A resident who is like someone, and why."""

    resident: Resident
    reasons: tuple[LikenessReason, ...]

    @property
    def refuses(self) -> bool:
        """Whether a registration is refused for it."""
        return not REFUSES.isdisjoint(self.reasons)

    @property
    def is_suspicious(self) -> bool:
        """Whether someone should decide if the two are one."""
        return not SUSPICIOUS.isdisjoint(self.reasons)


def likeness_of(resident: Resident, rrn: str | None = None) -> Likeness:
    """The fields that a resident is compared by; the number where the actor knows it."""
    return Likeness(
        name=resident.name,
        birth_date=resident.birth_date,
        phone=resident.phone,
        district_code=resident.district_code,
        rrn=rrn,
    )


def reasons(
    one: Likeness, other: Likeness, similarity: Similarity, *, same_number: bool = False
) -> tuple[LikenessReason, ...]:
    """Why these two may be one person; nothing where they are strangers."""
    same_name = name_key(one.name) == name_key(other.name)
    found = [LikenessReason.SAME_NUMBER] if same_number else []
    if one.birth_date == other.birth_date:
        if same_name:
            found.append(LikenessReason.SAME_NAME_AND_BIRTH_DATE)
        elif is_near(one.name, other.name, similarity):
            found.append(LikenessReason.NEAR_NAME)
    elif same_name and other.birth_date in near_dates(one.birth_date):
        found.append(LikenessReason.NEAR_BIRTH_DATE)
    if one.phone_digits is not None and one.phone_digits == other.phone_digits:
        found.append(LikenessReason.SAME_NAME_AND_PHONE if same_name else LikenessReason.SAME_PHONE)
    return tuple(found)


def is_near(one: str, other: str, similarity: Similarity) -> bool:
    """Whether two names differ by a likely mishearing or typo; for names in Hangul only.

    Letters are compared where they stand: ㄱ at the head of a syllable is not ㄱ at its foot.
    """
    bare = name_key(one), name_key(other)
    if not all(map(_is_hangul, bare)):
        return False
    letters = [unicodedata.normalize("NFD", name) for name in bare]
    return similarity(*letters) >= NEAR


def _is_hangul(name: str) -> bool:
    return name != "" and all("가" <= syllable <= "힣" for syllable in name)


@lru_cache(maxsize=1024)
def near_dates(day: date) -> frozenset[date]:
    """Dates that a slip makes of one: a digit off, two neighbours or month and day exchanged."""
    written = day.strftime("%Y%m%d")
    tried = {written[:4] + written[6:] + written[4:6]}
    for at in range(len(written)):
        tried |= {written[:at] + digit + written[at + 1 :] for digit in "0123456789"}
        tried.add(written[:at] + written[at : at + 2][::-1] + written[at + 2 :])
    return frozenset(filter(None, map(_date, tried))) - {day}


def _date(written: str) -> date | None:
    year, month, day = int(written[:4]), int(written[4:6]), int(written[6:])
    if not MIN_BIRTH_YEAR <= year <= LAST_BIRTH_YEAR:
        return None
    if not (1 <= month <= MONTHS and 1 <= day <= MOST_DAYS):  # the most of what a slip makes
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def likely(
    one: Likeness, others: Iterable[DuplicateCandidate], similarity: Similarity
) -> list[SimilarResident]:
    """Those of some residents who are like someone, the strictest reason first."""
    found = [
        SimilarResident(
            other.resident,
            reasons(
                one,
                likeness_of(other.resident),
                similarity,
                same_number=other.has_same_number,
            ),
        )
        for other in others
    ]
    order = list(LikenessReason)
    return sorted(
        (similar for similar in found if similar.reasons),
        key=lambda similar: (order.index(similar.reasons[0]), similar.resident.id),
    )


def equal(one: str, other: str) -> float:
    """The similarity of those who have no better one: the same, or not."""
    return float(one == other)


def ordered(one: UUID, other: UUID) -> tuple[UUID, UUID]:
    """Two ids in the order in which a pair of residents is written and locked."""
    return (one, other) if one < other else (other, one)

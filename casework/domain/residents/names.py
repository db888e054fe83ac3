"""Names and telephones as they are compared and found, however they are written.

A name is found by any part of two letters or more, by the consonants that its syllables begin
with (``ㄱㅇㅅ`` finds Kim Young-sook), or by both, as a name is while it is typed; a telephone as a
whole or by its last four digits.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import Final

from casework.domain.text import clean_line

LAST_DIGITS: Final = 4
SHORTEST_PART: Final = 2
_FIRST_SYLLABLE, _LAST_SYLLABLE, _SYLLABLES_A_CONSONANT = 0xAC00, 0xD7A3, 588
# Consonants as they stand for themselves, in the order of the syllables that begin with them.
_CONSONANTS: Final = [
    chr(one)
    for one in (
        0x3131, 0x3132, 0x3134, 0x3137, 0x3138, 0x3139, 0x3141, 0x3142, 0x3143, 0x3145,
        0x3146, 0x3147, 0x3148, 0x3149, 0x314A, 0x314B, 0x314C, 0x314D, 0x314E,
    )
]  # fmt: skip
# Two consonants that a keyboard writes as one letter, such as the third of ``ㄱㅅ``.
_PAIRS: Final = {
    chr(pair): chr(first) + chr(second)
    for pair, first, second in (
        (0x3133, 0x3131, 0x3145), (0x3135, 0x3134, 0x3148), (0x3136, 0x3134, 0x314E),
        (0x313A, 0x3139, 0x3131), (0x313B, 0x3139, 0x3141), (0x313C, 0x3139, 0x3142),
        (0x313D, 0x3139, 0x3145), (0x313E, 0x3139, 0x314C), (0x313F, 0x3139, 0x314D),
        (0x3140, 0x3139, 0x314E), (0x3144, 0x3142, 0x3145),
    )
}  # fmt: skip
_FIRST_LEADING: Final = 0x1100


@lru_cache(maxsize=1024)  # one name is compared with many, and written in several forms
def name_key(name: str) -> str:
    """A name as it is compared: composed, small letters, without any blank."""
    written = unicodedata.normalize("NFKC", clean_line(name)).casefold()
    return "".join(unicodedata.normalize("NFKC", written).split())


def initials_of(name: str) -> str:
    """The consonant that each syllable of a name begins with; other letters as they are."""
    return "".join(map(_initial, name_key(name)))


def wanted_initials(given: str) -> str | None:
    """The initial consonants of a name, where nothing else was given, else None."""
    bare = "".join(clean_line(given).split())
    found = "".join(_consonants(one) for one in bare)
    return found if found and all(one in _CONSONANTS for one in found) else None


def wanted_mixture(given: str) -> tuple[str, str] | None:
    """Syllables and initial consonants of a name, where both were given, else None.

    As the initials of all, and as a regular expression for the whole, by which the place of each
    is right.
    """
    if wanted_initials(given) is not None:
        return None
    initials, pattern, is_mixed = "", "", False
    for letter in "".join(clean_line(given).split()):
        consonants = _consonants(letter)
        if all(one in _CONSONANTS for one in consonants):
            is_mixed = True
            initials += consonants
            pattern += "".join(map(_begins_with, consonants))
        else:
            initials += initials_of(letter)
            pattern += re.escape(name_key(letter))
    return (initials, pattern) if is_mixed else None


def _begins_with(consonant: str) -> str:
    """The syllables that begin with a consonant, as a part of a regular expression."""
    first = _FIRST_SYLLABLE + _CONSONANTS.index(consonant) * _SYLLABLES_A_CONSONANT
    return f"[{chr(first)}-{chr(first + _SYLLABLES_A_CONSONANT - 1)}]"


def _initial(letter: str) -> str:
    if _FIRST_SYLLABLE <= ord(letter) <= _LAST_SYLLABLE:
        return _CONSONANTS[(ord(letter) - _FIRST_SYLLABLE) // _SYLLABLES_A_CONSONANT]
    return letter


def _consonants(letter: str) -> str:
    """The consonants of one letter; of the forms that only stand at the head of a syllable too."""
    at = ord(letter) - _FIRST_LEADING
    if 0 <= at < len(_CONSONANTS):
        return _CONSONANTS[at]
    return _PAIRS.get(letter, letter)


def name_and_birth(name: str, birth_date: date) -> str:
    """Name and birth date as they are compared."""
    return f"{name_key(name)} {birth_date.isoformat()}"


def digits_of(phone: str | None) -> str | None:
    """A telephone number as it is compared: its digits, with Korea's code written as 0."""
    if phone is None:
        return None
    digits = re.sub(r"\D", "", phone)
    return "0" + digits[2:].lstrip("0") if digits.startswith("82") else digits


def last_digits_of(phone: str | None) -> str | None:
    """The last four digits of a telephone number, where it has as many."""
    digits = digits_of(phone) or ""
    return digits[-LAST_DIGITS:] if len(digits) >= LAST_DIGITS else None

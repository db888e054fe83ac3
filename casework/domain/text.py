"""Text that a person typed: cleaned in one way, whether it came by API, page or file.

It is composed (NFC), without what cannot be seen, and with single blanks. What is empty after
that was empty.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Letters and marks that show nothing: fillers of Hangul and Braille, joiners, variations, and what
# is set aside to be ignored.
_FILLERS: Final = (0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x034F, 0x17B4, 0x17B5, 0x2065)
_IGNORED: Final = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF))
_INVISIBLE: Final = dict.fromkeys(
    [*_FILLERS, *(one for first, last in _IGNORED for one in range(first, last + 1))]
)
_CONTROLS: Final = frozenset({"Cc", "Cf"})
_LINE_ENDS: Final = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_BLANKS: Final = re.compile(r"[^\S\n]+")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")


def clean_text(given: str) -> str:
    """Text of one line or several, of which at most one after another is empty."""
    if given.isprintable():  # one line without control characters, whose only blanks are spaces
        return " ".join(unicodedata.normalize("NFC", _visible(given)).split())
    composed = unicodedata.normalize("NFC", _visible(_LINE_ENDS.sub("\n", given)))
    lines = (line.strip() for line in _BLANKS.sub(" ", composed).split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()


def clean_line(given: str) -> str:
    """Text of one line, such as a name."""
    return clean_text(given).replace("\n\n", " ").replace("\n", " ")


def _visible(text: str) -> str:
    """Without control, format and filler characters; a tab stays the blank that it shows."""
    if text.isprintable():  # no control or format character is
        return text if text.isascii() else text.translate(_INVISIBLE)
    return "".join(
        one
        for one in text.translate(_INVISIBLE)
        if one in "\n\t" or unicodedata.category(one) not in _CONTROLS
    )

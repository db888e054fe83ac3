"""Every text that a person reads, in Korean and English, under a key that stays.

The messages are gettext catalogues, ``<language>/LC_MESSAGES/casework.po``. A build compiles them
to ``.mo``; in a checkout the ``.po`` itself is read, so that an edit shows at the next start.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final

from casework.locale.catalogues import compiled

LANGUAGES: Final = ("ko", "en")


def text(key: str, language: str, /, **facts: object) -> str:
    """The message of a key with its placeholders filled in. Raises KeyError where there is none."""
    return _catalogue(language).gettext(key).format(**facts)


def plural(key: str, language: str, count: int, /, **facts: object) -> str:
    """The same in the form that goes with a number, which the message names ``{count}``."""
    return _catalogue(language).ngettext(key, key, count).format(count=count, **facts)


def find_text(key: str, language: str) -> str | None:
    """The message of a key, None where there is none: for codes and names that come from data."""
    try:
        return _catalogue(language).gettext(key)
    except KeyError:
        return None


class _Missing(NullTranslations):
    """What a catalogue falls back on: a key is never shown in place of its message."""

    def gettext(self, message: str) -> str:
        raise KeyError(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        raise KeyError(msgid1)


@cache
def _catalogue(language: str) -> GNUTranslations:
    folder = files("casework.locale").joinpath(language, "LC_MESSAGES")
    built = folder.joinpath("casework.mo")
    source = folder.joinpath("casework.po")
    content = built.read_bytes() if built.is_file() else compiled(source.read_text("utf-8"))
    found = GNUTranslations(BytesIO(content))
    found.add_fallback(_Missing())
    return found

"""Reading a gettext catalogue as it is written (PO), and compiling it (MO).

Imports nothing but the standard library, since the build runs this file where casework is not
installed.
"""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

MAGIC: Final = 0x950412DE
HEADER_BYTES: Final = 28
_LINE: Final = re.compile(r'(?:(msgid|msgid_plural|msgstr)(?:\[\d+\])?\s+)?(".*")')


@dataclass
class Message:
    """A key, the same again where the message has plural forms, and its texts, one a form."""

    key: str = ""
    plural: str | None = None
    texts: list[str] = field(default_factory=list)


def read(source: str) -> dict[str, Message]:
    """The messages of a PO file by their keys, the header under the empty key.

    Raises ValueError, naming the line, for what is neither a comment nor part of a message and for
    a key that stands there twice.
    """
    found: dict[str, Message] = {}
    at = ""
    message = Message()
    for number, line, keyword, text in _lines(source):
        at = keyword or at
        match keyword, at:
            case "msgid", _:
                message = Message(text)
            case "msgid_plural", _:
                message.plural = text
            case "msgstr", _:
                message.texts.append(text)
                if found.setdefault(message.key, message) is not message:
                    raise ValueError(f"line {number}: {message.key} stands there twice")
            case _, "msgstr":
                message.texts[-1] += text
            case _, "msgid":
                message.key += text
            case _:
                raise ValueError(f"line {number}: {line}")
    return found


def _lines(source: str) -> Iterator[tuple[int, str, str | None, str]]:
    """The lines that say something: number, line, keyword if any, and the quoted text."""
    for number, line in enumerate(source.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"line {number}: {line}")
        yield number, line, match[1], ast.literal_eval(match[2])


def compiled(source: str) -> bytes:
    """A PO file as an MO file of format 0, without a hash table: keys sorted, little-endian."""
    pairs = sorted(
        ("\0".join(filter(None, (one.key, one.plural))).encode(), "\0".join(one.texts).encode())
        for one in read(source).values()
    )
    keys_at, texts_at = HEADER_BYTES, HEADER_BYTES + 8 * len(pairs)
    at = texts_at + 8 * len(pairs)
    tables, content = b"", b""
    for column in zip(*pairs, strict=True):
        for one in column:
            tables += struct.pack("<2I", len(one), at + len(content))
            content += one + b"\0"
    head = struct.pack("<7I", MAGIC, 0, len(pairs), keys_at, texts_at, 0, at)
    return head + tables + content

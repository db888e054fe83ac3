"""Reads one file in a process of its own, within bounds of time, memory and text.

The file comes in at the standard input; out go its rows that hold anything, one JSON line each
with its number, then ``{"end": …}`` or why it is refused. Nothing else is known here: no keys, no
database.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from typing import Any, Final

from casework.adapters.sheets import SheetFiles
from casework.domain.errors import Invalid

if sys.platform != "win32":
    import resource

MAX_FILE: Final = 16 * 1024 * 1024
CPU_S: Final = 20
MEMORY: Final = 640 * 1024 * 1024
# More than a file of rows may have, so that too many are noticed.
MAX_CELLS: Final = 120
MAX_TEXT: Final = 40 * 1024 * 1024
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def limit(cpu_s: int = CPU_S, memory: int = MEMORY) -> None:
    """Set the bounds of this process, which nothing in a file can lift."""
    if sys.platform != "win32":
        os.nice(5)  # whoever waits for an answer comes first
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def read_rows(source: io.BytesIO, out: Any) -> None:
    """Write the rows of a file out. Raises Invalid."""
    said = 0
    for number, row in enumerate(SheetFiles().read(source), start=1):
        cells = row[:MAX_CELLS]
        if not any(cells):
            continue
        if any(map(_UNSTORABLE.search, cells)):
            raise Invalid("a character that cannot be stored", code="file_unreadable", field="file")
        content = json.dumps([number, cells], ensure_ascii=False).encode()
        said += len(content)
        if said > MAX_TEXT:
            raise Invalid("it holds too much text", code="file_too_large", field="file")
        out.write(content + b"\n")


def main() -> None:
    """Read the file at the standard input."""
    limit()
    out = sys.stdout.buffer
    last: dict[str, Any] = {"end": True}
    try:
        content = sys.stdin.buffer.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise Invalid("at most 16 MiB", code="file_too_large", field="file")
        read_rows(io.BytesIO(content), out)
    except Invalid as refused:
        last = {"code": refused.code, "detail": refused.detail}
    except (MemoryError, RecursionError):
        last = {"code": "file_too_large", "detail": "it takes too much to read it"}
    out.write(json.dumps(last).encode() + b"\n")
    out.flush()


if __name__ == "__main__":
    main()

"""Reading files of rows in a worker process: whatever a file does, it does to that one alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from threading import Event, Timer
from typing import Any, BinaryIO, Final, cast

from casework.adapters.sheets import SheetFiles
from casework.domain.errors import Invalid, Refusal

WORKER: Final = "casework.adapters.sheets.worker"
# By the clock on the wall; of the processor's time it has less.
SECONDS: Final = 60.0
CHUNK: Final = 1024 * 1024


class SheetsApart:
    """Writes files in this process, and reads those of others in one of their own."""

    def __init__(self, seconds: float = SECONDS, command: Sequence[str] = ("-m", WORKER)) -> None:
        self._seconds, self._command = seconds, command
        self.write = SheetFiles().write

    def read(self, source: BinaryIO) -> Iterator[tuple[int, list[str]]]:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, *self._command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=_environment(), close_fds=True,
        )  # fmt: skip
        pipe_in, pipe_out = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
        late = Event()
        timer = Timer(self._seconds, _end, (process, late))
        timer.daemon = True
        timer.start()
        try:
            _hand_over(source, pipe_in)
            yield from _rows(pipe_out, late)
        finally:
            timer.cancel()
            process.kill()
            pipe_out.close()
            process.wait()


def _end(process: subprocess.Popen[bytes], late: Event) -> None:
    late.set()
    process.kill()


def _environment() -> dict[str, str]:
    """Where its modules are, and none of our settings and keys."""
    return {"PYTHONPATH": os.pathsep.join(os.path.abspath(one or ".") for one in sys.path)}


def _hand_over(source: BinaryIO, pipe: BinaryIO) -> None:
    source.seek(0)
    # One that ended before it had read everything says why, or is missed below.
    with suppress(BrokenPipeError):
        while chunk := source.read(CHUNK):
            pipe.write(chunk)
    with suppress(BrokenPipeError):
        pipe.close()


def _rows(pipe: BinaryIO, late: Event) -> Iterator[tuple[int, list[str]]]:
    for line in pipe:
        if not line.endswith(b"\n"):  # it was ended in the middle of it
            break
        said: Any = json.loads(line)
        if isinstance(said, list):
            yield said[0], said[1]
        elif "end" in said:
            return
        else:
            raise Invalid(said["detail"], code=said["code"], field="file")
    if late.is_set():
        raise Refusal("the file could not be read in time", code="busy")
    raise Invalid("it takes too much to read it", code="file_too_large", field="file")

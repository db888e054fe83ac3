"""A file to which heads are added, best on a disk that only adds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from casework.workflows.ports.audit import ArchiveFailed, ArchiveTooLong

# Of the newest lines so much is read: one of seventeen chains takes six thousand bytes.
TAIL_BYTES: Final = 256 * 1024


@dataclass(frozen=True)
class ArchiveFile:
    """One line for each export, written to the disk before it counts as kept."""

    path: Path

    @property
    def address(self) -> str:
        """As the setting names it."""
        return f"file:{self.path}"

    def add(self, line: str) -> None:
        """Keep a line, as one write at the end of the file, and after half a line on its own."""
        try:
            number = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                size = os.fstat(number).st_size
                is_whole = size == 0 or os.pread(number, 1, size - 1) == b"\n"
                written = f"{'' if is_whole else chr(10)}{line}\n".encode()
                if os.write(number, written) != len(written):
                    raise ArchiveFailed(f"{self.address}: the disk is full")
                os.fsync(number)
            finally:
                os.close(number)
        except OSError as error:
            raise ArchiveFailed(f"{self.address}: {error.strerror}") from error

    def last_lines(self) -> list[str]:
        """The last lines; none of a file that is not there yet.

        Raises ArchiveTooLong where the last one alone is more than is read.
        """
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - TAIL_BYTES))
                lines = file.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            if self.path.parent.is_dir():
                return []
            raise ArchiveFailed(f"{self.address}: the folder is not there") from None
        except OSError as error:
            raise ArchiveFailed(f"{self.address}: {error.strerror}") from error
        if size > TAIL_BYTES and not lines[1:]:  # of more than is read the first may be half a line
            raise ArchiveTooLong(f"{self.address}: its last line is too long")
        return lines

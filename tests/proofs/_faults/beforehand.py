"""The product imported beforehand: each start is a fork of a process that has imported it.

`python -m tests.proofs._faults.beforehand serve …` is `casework serve …` with the defect that is
asked for, if any, as often as `start` is read; it says the process, and to `poll` its exit code
once it has ended. An end of the input ends both. Importing is nearly all of what a start costs.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib import import_module

from tests.proofs._faults import defects

# What commands import only when they need it.
LATE = (
    "casework.__main__", "casework.adapters.api.app", "casework.adapters.web",
    "casework.adapters.sheets.apart", "uvicorn.protocols.http.auto", "uvicorn.loops.auto",
)  # fmt: skip


def forked() -> bool:
    """Fork whenever that is asked for; whether this is such a fork, at its beginning."""
    pid = 0
    while True:
        match sys.stdin.readline().strip():
            case "start":
                pid = os.fork()
                if pid == 0:
                    return True
                print(pid, flush=True)
            case "poll":
                ended, status = os.waitpid(pid, os.WNOHANG)
                print(os.waitstatus_to_exitcode(status) if ended else "", flush=True)
            case _:
                break
    if pid:
        os.kill(pid, signal.SIGKILL)
    return False


if __name__ == "__main__":
    for name in LATE:
        import_module(name)
    gc.freeze()
    if forked():
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1):
            os.dup2(nothing, stream)
        defects.main()

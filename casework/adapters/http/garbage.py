"""What is there before the first request is left to no collection of garbage."""

from __future__ import annotations

import gc
from functools import cache


@cache
def put_aside() -> None:
    """Put aside what there is, once a process.

    Nothing of it is ever garbage, and looking through all of it took longer than most requests.
    """
    gc.collect()
    gc.freeze()

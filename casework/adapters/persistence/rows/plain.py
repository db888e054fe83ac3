"""Dataclasses as plain data, as ``dataclasses.asdict`` has them, without copies of what is fixed.

A save compares every part of a case file with what it was, and most of that is clocks with pauses
and steps: ``asdict`` copies each text, day and instant in them by itself.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, Final
from uuid import UUID

_FIXED: Final = (str, int, float, NoneType, Decimal, date, datetime, UUID, Enum)


def as_dict(thing: Any) -> dict[str, Any]:
    """The fields of a dataclass by name, and of what it holds."""
    return {name: _plain(getattr(thing, name)) for name in _names(thing.__class__)}


@cache
def _names(cls: type) -> tuple[str, ...]:
    return tuple(one.name for one in fields(cls))


def _plain(value: Any) -> Any:
    if isinstance(value, _FIXED):
        return value
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if type(value) is tuple:
        return tuple(_plain(one) for one in value)
    if is_dataclass(value):
        return as_dict(value)
    return deepcopy(value)

"""The base class of every factory here."""

from typing import Any

import factory.base

_Untyped: Any = factory.base.Factory


class Factory(_Untyped):  # type: ignore[misc]
    """factory_boy's, for which the type checker believes what a call returns."""

    class Meta:
        abstract = True

"""The heads of the chains as they are exported, and what they tell of a log that was begun anew.

Who owns the tables can empty them and have a chain begun again, or put back an older state that is
genuine: nothing in the database shows it. The heads of a moment, kept where the owner of the
tables cannot take them away, do. Each export is one line, with a MAC under the key of the heads.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from casework.domain.audit.chain import ChainHead


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedHeads:
    """Every head at an instant; ``because`` is why an operator let the audit go on from here.

    Since ``waits_since`` no head went on, though entries waited. What was read of several lines
    has in ``earlier`` the heads of those before, which a chain went through.
    """

    exported_at: datetime
    heads: tuple[ChainHead, ...]
    because: str | None = None
    waits_since: datetime | None = None
    earlier: tuple[ChainHead, ...] = ()

    @property
    def all_heads(self) -> tuple[ChainHead, ...]:
        """Every head that was read: how far the chains went, and what they went through."""
        return (*self.heads, *self.earlier)

    def is_same(self, heads: Iterable[ChainHead]) -> bool:
        """Whether these are the heads still."""
        return {one.mac for one in self.heads} == {one.mac for one in heads}


def line_of(exported: ExportedHeads, key: bytes) -> str:
    """The line that is kept elsewhere, without its end."""
    plain = _plain(exported)
    return json.dumps(plain | {"mac": _mac(plain, key)}, ensure_ascii=False)


def read_line(line: str, key: bytes) -> ExportedHeads | None:
    """What a line says; None where it is none that was exported under this key."""
    try:
        plain = json.loads(line)
        mac = plain.pop("mac")
        if not hmac.compare_digest(mac.encode(), _mac(plain, key).encode()):
            return None
        return ExportedHeads(
            exported_at=datetime.fromisoformat(plain["exported_at"]),
            heads=tuple(ChainHead(**one) for one in plain["heads"]),
            because=plain.get("because"),
            waits_since=_instant(plain.get("waits_since")),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def newest_of(lines: Iterable[str], key: bytes) -> ExportedHeads | None:
    """How far each chain went by all that was exported since an operator last said why it goes on.

    Neither an older line that is added again nor a clock that was set back makes it less. Every
    other head that these lines name is in ``earlier``: one line that came later hides none before.
    """
    read = [one for one in (read_line(line, key) for line in lines) if one]
    if not read:
        return None
    read.sort(key=lambda one: one.exported_at)
    said = [one.exported_at for one in read if one.because]
    counted = [one for one in read if not said or one.exported_at >= said[-1]]
    named = dict.fromkeys(head for one in counted for head in one.heads)
    furthest: dict[str, ChainHead] = {}
    for head in named:
        if head.chain not in furthest or head.count >= furthest[head.chain].count:
            furthest[head.chain] = head
    return replace(
        read[-1],
        heads=tuple(furthest[chain] for chain in sorted(furthest)),
        earlier=tuple(head for head in named if head != furthest[head.chain]),
    )


def _plain(exported: ExportedHeads) -> dict[str, Any]:
    waits = exported.waits_since
    return {
        "exported_at": exported.exported_at.astimezone(UTC).isoformat(),
        "heads": [asdict(one) for one in exported.heads],
        "because": exported.because,
        "waits_since": waits.astimezone(UTC).isoformat() if waits else None,
    }


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _mac(plain: dict[str, Any], key: bytes) -> str:
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hmac.new(key, b"audit export\n" + text.encode(), hashlib.sha256).hexdigest()

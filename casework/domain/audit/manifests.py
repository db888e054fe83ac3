"""The manifest of a backup: what it holds, from when, and under which keys it can be read.

It has a MAC under the key of the audit's heads, so that neither a row nor the manifest can be
changed by whoever holds the backup alone.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from casework.domain.audit.chain import ChainHead, check_heads
from casework.domain.errors import Conflict

FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TableContent:
    """What a table holds: how many rows, and a SHA-256 over all of them in order of their keys."""

    rows: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownValue:
    """A known value under a key of the ring that the backup needs: only that key opens it."""

    id: str
    kind: str
    sealed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself.

    ``store`` is ``postgresql`` or ``sqlite``, ``revision`` the schema's; ``file`` is beside the
    manifest and has ``size`` bytes and the SHA-256 ``digest``.
    """

    made_at: datetime
    product: str
    store: str
    server: str
    revision: str
    file: str
    size: int
    digest: str
    tables: Mapping[str, TableContent]
    heads: tuple[ChainHead, ...]
    keys: tuple[KnownValue, ...]

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(one.rows for one in self.tables.values())


def manifest_text(manifest: Manifest, key: bytes) -> str:
    """The manifest as it is written, with its MAC."""
    plain = _plain(manifest)
    return json.dumps(plain | {"mac": _mac(plain, key)}, indent=1, ensure_ascii=False)


def read_manifest(text: str, key: bytes) -> Manifest:
    """What a manifest says. Raises Conflict where it is none that was signed under this key."""
    try:
        plain = json.loads(text)
        mac = plain.pop("mac")
        if not hmac.compare_digest(mac.encode(), _mac(plain, key).encode()):
            raise ValueError("another key, or other words")
        if plain.pop("format") != FORMAT:
            raise ValueError("another format")
        return Manifest(
            **plain
            | {
                "made_at": datetime.fromisoformat(plain["made_at"]),
                "tables": {name: TableContent(**one) for name, one in plain["tables"].items()},
                "heads": tuple(ChainHead(**one) for one in plain["heads"]),
                "keys": tuple(KnownValue(**one) for one in plain["keys"]),
            }
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Conflict(
            "the manifest is not as it was signed under this audit key", code="manifest_altered"
        ) from None


def differences(manifest: Manifest, found: Mapping[str, TableContent]) -> list[str]:
    """The tables that are missing, too many, or not as they were backed up."""
    names = sorted({*manifest.tables, *found})
    return [name for name in names if manifest.tables.get(name) != found.get(name)]


def check_restored(
    manifest: Manifest,
    found: Mapping[str, TableContent],
    heads: Mapping[str, ChainHead],
    key: bytes,
) -> None:
    """Refuse what is not as it was backed up: a table, or a head of the audit. Raises Conflict."""
    if unlike := differences(manifest, found):
        raise Conflict(
            f"not as backed up: {', '.join(unlike)}: do not use this database",
            code="restored_otherwise",
        )
    flaws = check_heads(heads, key)
    if flaws or {one.chain: one for one in manifest.heads} != dict(heads):
        named = ", ".join(flaw.chain for flaw in flaws) or "other heads than the manifest's"
        raise Conflict(
            f"the audit is not as backed up ({named}): do not use this database",
            code="restored_otherwise",
        )


def _plain(manifest: Manifest) -> dict[str, Any]:
    return {
        "format": FORMAT,
        **asdict(manifest),
        "made_at": manifest.made_at.isoformat(),
    }


def _mac(plain: dict[str, Any], key: bytes) -> str:
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hmac.new(key, b"backup manifest\n" + text.encode(), hashlib.sha256).hexdigest()

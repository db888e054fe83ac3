"""Backup and restore of an installation: its database here, its key ring in a place of its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine

from casework import audit_begin, key_ring, operations, relay_control
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.audit.sealing import read_heads, seal_with
from casework.adapters.persistence.schema import copies, key_checks, migrations
from casework.adapters.persistence.schema.content import contents
from casework.adapters.persistence.scope import row_level_security
from casework.adapters.vault import KeyVault
from casework.domain.access.policy import SYSTEM
from casework.domain.audit.manifests import (
    KnownValue,
    Manifest,
    check_restored,
    manifest_text,
    read_manifest,
)
from casework.domain.errors import Conflict
from casework.domain.notices.pausing import PauseReason
from casework.settings import Settings, SettingsError
from casework.workflows.audit import exporting
from casework.workflows.ports.unit_of_work import RequestFacts
from casework.workflows.ports.vault import KeyCheck

MANIFEST: Final = "manifest.json"
_BLOCK: Final = 2**20
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was put back, and what the places of exported heads say against it."""

    manifest: Manifest
    exported_at: datetime | None = None
    behind: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    @property
    def is_current(self) -> bool:
        """Whether the schema is this version's; else `casework migrate` brings it there."""
        return self.manifest.revision == migrations.newest_revision()


def make(of: operations.Installation, folder: Path, progress: Progress) -> Manifest:
    """Back the database up into a new folder, which holds no key. Raises SettingsError, CopyError.

    It holds one moment, of which the manifest counts and digests every table, while the
    application goes on. The manifest is written last: a folder without one is no backup.
    """
    _check_apart(of.settings, folder)
    key_ring.check(of.vault, of.engine)  # so that the manifest tells which ring it needs
    source = _source(of.settings)
    with operations.as_owner(of) as owner, owner.begin() as connection:
        facts = RequestFacts(task="casework backup", asked_for=folder.name)
        write_audit(connection, SYSTEM, "backup.make", of.now(), facts, ())
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise SettingsError(
            f"{folder} is there already: a backup has a folder of its own"
        ) from None
    path = folder / (copies.FILE if source.store == "sqlite" else copies.DUMP)
    made_at = of.now()
    copied = copies.copy_to(source, path, _told, progress)
    path.chmod(0o600)
    manifest = Manifest(
        made_at=made_at,
        product=_product(),
        store=source.store,
        server=copied.server,
        file=path.name,
        size=path.stat().st_size,
        digest=_digest(path),
        tables=copied.tables,
        **copied.rest,
    )
    _write(folder / MANIFEST, manifest_text(manifest, of.settings.key("audit")))
    return manifest


def check(settings: Settings, vault: KeyVault, folder: Path) -> Manifest:
    """Whether a backup is whole and this ring opens it; restores nothing. Raises Conflict."""
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        raise Conflict(f"{folder} holds no manifest: it is no backup", code="no_backup") from None
    manifest = read_manifest(text, settings.key("audit"))
    path = folder / Path(manifest.file).name
    if not path.is_file() or (path.stat().st_size, _digest(path)) != (
        manifest.size,
        manifest.digest,
    ):
        raise Conflict(f"{path.name} is not as it was backed up", code="backup_altered")
    closed = [one.id for one in manifest.keys if not vault.opens(KeyCheck(**_plain(one)))]
    if closed:
        raise Conflict(
            f"the key ring {vault.path} does not open this backup: it lacks {', '.join(closed)}",
            code="wrong_key_ring",
        )
    return manifest


def restore(
    settings: Settings,
    vault: KeyVault,
    folder: Path,
    clock: Callable[[], datetime],
    progress: Progress,
) -> Restored:
    """Put a backup back into an empty database; every table is compared, and the relay paused.

    Raises Conflict for a backup that is not whole, or under other keys, before anything is
    written, and afterwards where what stands there is not what was backed up.
    """
    manifest, target = check(settings, vault, folder), _source(settings)
    if manifest.store != target.store:
        raise Conflict(f"the backup is one of {manifest.store}", code="another_store")
    if manifest.revision not in migrations.known_revisions():
        raise Conflict("the backup is of a newer version of casework", code="newer_backup")
    if not copies.is_empty(target):
        raise Conflict("the database is not empty: restore into a new one", code="not_empty")
    copies.put_back(target, folder / Path(manifest.file).name)
    with copies.reading(target) as connection:
        found, heads = contents(connection, progress), read_heads(connection)
    check_restored(manifest, found, heads, settings.key("audit"))
    with _owned(settings, vault) as owner:
        if manifest.revision == migrations.newest_revision():
            row_level_security.install_policies(owner, settings.role_prefix)
        with owner.begin() as connection:
            relay_control.pause(connection, PauseReason.RESTORED, clock())
            facts = RequestFacts(task="casework restore", asked_for=folder.name)
            write_audit(connection, SYSTEM, "backup.restore", clock(), facts, ())
        compared = exporting.compare(audit_begin.exporting_of(settings, owner))
    return Restored(
        manifest=manifest,
        exported_at=compared.exported_at,
        behind=[flaw.chain for flaw in compared.flaws if flaw.why == "not_as_exported"],
        silent=compared.silent,
    )


def copy_ring(settings: Settings, vault: KeyVault, engine: Engine, target: Path) -> None:
    """Copy the key ring, whose keys are wrapped by the master key, to a place without data.

    Raises SettingsError where a backup of the database lies there, or the ring is not this
    database's.
    """
    key_ring.check(vault, engine)
    vault.check()
    folder = target.parent
    if target.exists():
        raise SettingsError(f"{target} is there already")
    if any((one / MANIFEST).exists() for one in (folder, *folder.resolve().parents)):
        raise SettingsError(f"{folder} holds a backup of the database: keys are kept elsewhere")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(target, settings.ring().read_text(encoding="utf-8"))


def _check_apart(settings: Settings, folder: Path) -> None:
    """Data and keys are never in one folder: who has both can read everything."""
    if folder.resolve() in settings.ring().resolve().parents:
        raise SettingsError(f"the key ring lies in {folder}: data and keys are kept apart")


def _source(settings: Settings) -> copies.Source:
    return copies.Source(
        url=settings.owner_url(), schema=settings.db_schema, programs=settings.pg_bin
    )


def _told(connection: Connection) -> dict[str, Any]:
    """What a manifest tells beside the tables, as the same moment saw it."""
    heads = read_heads(connection)
    return {
        "revision": migrations.revision_of(connection) or "",
        "heads": tuple(heads[chain] for chain in sorted(heads)),
        "keys": tuple(KnownValue(**one._asdict()) for one in key_checks.checks_of(connection)),
    }


@contextmanager
def _owned(settings: Settings, vault: KeyVault) -> Iterator[Engine]:
    """The restored database as its owner, who can write to its audit."""
    with operations.opened_as_owner(settings) as engine:
        owner = engine.execution_options(vault=vault)
        seal_with(owner, lambda: settings.key("audit"), may_begin=not settings.is_production)
        yield owner


def _plain(one: KnownValue) -> dict[str, str]:
    return {"id": one.id, "kind": one.kind, "sealed": one.sealed}


def _product() -> str:
    try:
        return version("casework")
    except PackageNotFoundError:  # it runs from a checkout
        return "unreleased"


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _write(path: Path, text: str) -> None:
    """Write a file of its owner's alone, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)

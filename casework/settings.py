"""Settings: read once from the environment, frozen, handed on as plain values."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

KEY_BYTES = 32
STORES = ("postgresql+psycopg://", "sqlite://")


class SettingsError(Exception):
    """The environment does not say what is needed; the message says what."""


class Settings(BaseSettings):
    """What an installation decides. Every variable begins with ``CASEWORK_``."""

    model_config = SettingsConfigDict(env_prefix="CASEWORK_", frozen=True, extra="ignore")

    mode: Literal["development", "production"] = "development"
    database_url: str | None = None
    migration_url: str | None = None
    role_prefix: str = Field(default="casework", pattern=r"^[a-z][a-z0-9_]{0,30}$")
    db_schema: str | None = Field(default=None, validation_alias="CASEWORK_SCHEMA")
    data_dir: Path = Path(".casework")
    token_key: SecretStr | None = None
    cursor_key: SecretStr | None = None
    demo_password: str = "care-at-home-2026"  # noqa: S105 - for the demo, printed by it
    sweep_minutes: int = Field(default=5, ge=1, le=60)
    threads: int = Field(default=8, ge=1, le=64)
    language: Literal["ko", "en"] = "ko"
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_sender: str = "casework@localhost"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = True

    @property
    def is_production(self) -> bool:
        """Whether this is the real thing: no key is made up and no demo data loaded."""
        return self.mode == "production"

    def url(self) -> str:
        """The database: ``CASEWORK_DATABASE_URL``, else a SQLite file in the data folder."""
        if self.database_url:
            url = _with_driver(self.database_url)
            if not url.startswith(STORES):
                raise SettingsError("CASEWORK_DATABASE_URL is no PostgreSQL or SQLite address")
            return url
        if self.is_production:
            raise SettingsError("production needs CASEWORK_DATABASE_URL")
        self.data_dir.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{(self.data_dir / 'casework.sqlite').absolute()}"

    def owner_url(self) -> str:
        """Where the schema is changed: ``CASEWORK_MIGRATION_URL``, else the database itself."""
        if not self.migration_url:
            return self.url()
        url = _with_driver(self.migration_url)
        if not url.startswith(STORES):
            raise SettingsError("CASEWORK_MIGRATION_URL is no PostgreSQL or SQLite address")
        return url

    def key(self, name: Literal["token", "cursor"]) -> bytes:
        """A signing key: given, or outside production made once and kept in the data folder."""
        given: SecretStr | None = getattr(self, f"{name}_key")
        if given is not None:
            value = given.get_secret_value().encode()
            if len(value) < KEY_BYTES:
                raise SettingsError(f"CASEWORK_{name.upper()}_KEY is shorter than {KEY_BYTES}")
            return value
        if self.is_production:
            raise SettingsError(f"production needs CASEWORK_{name.upper()}_KEY")
        return _kept_key(self.data_dir / f"{name}.key")

    def check(self) -> None:
        """Refuse to start without what the mode needs."""
        self.url()
        self.key("token")
        self.key("cursor")


def _with_driver(url: str) -> str:
    """PostgreSQL by the driver that is installed, whichever way the address is written."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _kept_key(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(KEY_BYTES))
        try:
            path.hardlink_to(fresh)  # the first of several starters wins, all read its key
        except FileExistsError:
            fresh.unlink()
        else:
            fresh.unlink()
    return path.read_text().encode()

"""Settings: read once from the environment, immutable, passed on as plain values."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

KEY_BYTES = 32
ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
RATE_IN_PRODUCTION = 20
DEMO_ADDRESS = "http://127.0.0.1:8000"
# The two last encrypt fields.
NEEDED_IN_PRODUCTION = (
    "database_url", "token_key", "cursor_key", "audit_key", "master_key", "key_ring"
)  # fmt: skip
KeyName = Literal["token", "cursor", "master", "audit"]
KEYS: tuple[KeyName, ...] = get_args(KeyName)
STORES = ("postgresql+psycopg://", "sqlite://")


class SettingsError(Exception):
    """A setting is missing or wrong; the message says which."""


class Settings(BaseSettings):
    """The settings of an installation. Every variable begins with ``CASEWORK_``."""

    model_config = SettingsConfigDict(env_prefix="CASEWORK_", frozen=True, extra="ignore")

    mode: Literal["development", "production"] = "development"
    database_url: str | None = None
    migration_url: str | None = None
    replica_url: str | None = None
    replica_lag: int = Field(default=30, ge=1, le=3600)
    role_prefix: str = Field(default="casework", pattern=r"^[a-z][a-z0-9_]{0,30}$")
    db_schema: str | None = Field(default=None, validation_alias="CASEWORK_SCHEMA")
    data_dir: Path = Path(".casework")
    pg_bin: Path | None = None
    token_key: SecretStr | None = None
    cursor_key: SecretStr | None = None
    master_key: SecretStr | None = None
    key_ring: Path | None = None
    require_totp: Literal["staff", "none"] | None = None
    local_sign_in: Literal["on", "off"] = "on"
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_jwks_url: str | None = None
    oidc_algorithms: str = "RS256,ES256"
    audit_key: SecretStr | None = None
    audit_years: int = Field(default=2, ge=2, le=100)
    files_days: int = Field(default=365, ge=30, le=36_500)
    retention: bool = False
    audit_heads: str | None = None
    audit_heads_minutes: int = Field(default=5, ge=1, le=60)
    rrn: bool = False
    demo_password: str = "care-at-home-2026"  # noqa: S105 - for the demo, printed by it
    sweep_minutes: int = Field(default=5, ge=1, le=60)
    threads: int = Field(default=8, ge=1, le=64)
    prepared_statements: bool = True
    rate_limit: int | None = Field(default=None, ge=0, le=100_000)
    min_free_mb: int = Field(default=100, ge=0, le=1_000_000)
    log_requests: bool = True
    request_log: Path | None = None
    otel_traces: Literal["off", "on"] = "off"
    otel_traceparent: Literal["ignored", "trusted"] = "ignored"
    provider_access_days: int = Field(default=30, ge=0, le=3650)
    seat_names_years: int = Field(default=5, ge=0, le=100)
    late_entry_days: int = Field(default=30, ge=0, le=366)
    late_entry_working_days: int = Field(default=5, ge=0, le=30)
    public_url: str | None = None
    link_days: int = Field(default=30, ge=1, le=365)
    language: Literal["ko", "en"] = "ko"
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_sender: str = "casework@localhost"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = True

    @property
    def is_production(self) -> bool:
        """Whether this is production: no key is generated and no demo data loaded."""
        return self.mode == "production"

    @property
    def requests_per_second(self) -> int:
        """The rate limit of an account; 0 is no limit, as outside production."""
        if self.rate_limit is not None:
            return self.rate_limit
        return RATE_IN_PRODUCTION if self.is_production else 0

    def engine_options(self) -> dict[str, Any]:
        """How the database is used by those who serve."""
        return {
            "schema": self.db_schema,
            "pool_size": self.threads,
            "prepares": self.prepared_statements,
        }

    def url(self) -> str:
        """The database URL: ``CASEWORK_DATABASE_URL``, else a SQLite file in the data folder."""
        if self.database_url:
            url = _with_driver(self.database_url)
            if not url.startswith(STORES):
                raise SettingsError("CASEWORK_DATABASE_URL is no PostgreSQL or SQLite address")
            return url
        if self.is_production:
            raise SettingsError("production needs CASEWORK_DATABASE_URL")
        make_own_folder(self.data_dir)
        return f"sqlite:///{(self.data_dir / 'casework.sqlite').absolute()}"

    def owner_url(self) -> str:
        """The URL for migrations: ``CASEWORK_MIGRATION_URL``, else the database URL."""
        if not self.migration_url:
            return self.url()
        url = _with_driver(self.migration_url)
        if not url.startswith(STORES):
            raise SettingsError("CASEWORK_MIGRATION_URL is no PostgreSQL or SQLite address")
        return url

    def url_of_replica(self) -> str | None:
        """The URL of a streaming replica; None where there is none."""
        if not self.replica_url:
            return None
        url = _with_driver(self.replica_url)
        if not url.startswith(STORES[0]) or not self.url().startswith(STORES[0]):
            raise SettingsError("CASEWORK_REPLICA_URL and CASEWORK_DATABASE_URL are of PostgreSQL")
        return url

    def key(self, name: KeyName) -> bytes:
        """A key: configured, or outside production generated once into the data folder."""
        given: SecretStr | None = getattr(self, f"{name}_key")
        if given is not None:
            value = given.get_secret_value().encode()
            if len(value) < KEY_BYTES:
                raise SettingsError(f"CASEWORK_{name.upper()}_KEY is shorter than {KEY_BYTES}")
            return value
        if self.is_production:
            raise SettingsError(f"production needs CASEWORK_{name.upper()}_KEY")
        return _stored_key(self.data_dir / f"{name}.key")

    def ring(self) -> Path:
        """The key ring's file, which should be on another disk than the database."""
        if self.key_ring is not None:
            return self.key_ring
        if self.is_production:
            raise SettingsError("production needs CASEWORK_KEY_RING")
        return self.data_dir / "keyring.json"

    def check(self) -> None:
        """Raise SettingsError where a setting that the mode needs is missing or wrong."""
        self.check_needed()
        self.url()
        self.url_of_replica()
        self.key("token")
        self.key("cursor")
        self.key("audit")
        self.key("master")
        self.ring()
        self._check_distinct_keys()
        self._check_demanded()
        self.address()
        self._check_request_log()
        self._check_issuer()

    def check_needed(self, names: Sequence[str] = NEEDED_IN_PRODUCTION) -> None:
        """Raise SettingsError with every setting that production needs and that is missing."""
        missing = [f"CASEWORK_{name.upper()}" for name in names if self._is_missing(name)]
        if self.is_production and missing:
            raise SettingsError(f"production needs {', '.join(missing)}")

    def _is_missing(self, name: str) -> bool:
        """Whether a setting is not given, or given as nothing."""
        given = getattr(self, name)
        if isinstance(given, SecretStr):
            given = given.get_secret_value()
        return given is None or given in ("", Path())

    def _check_distinct_keys(self) -> None:
        """One key that became known must not open what another is for."""
        used: dict[bytes, KeyName] = {}
        for name in KEYS:
            key = self.key(name)
            if key in used and self.is_production:
                raise SettingsError(
                    f"{_variable(used[key])} and {_variable(name)} are the same;"
                    " each key is for one thing"
                )
            used[key] = name

    def _check_demanded(self) -> None:
        """What is for trying things out cannot be asked of production."""
        if self.is_production and self.require_totp == "none":
            raise SettingsError("production demands a second factor (CASEWORK_REQUIRE_TOTP)")

    def _check_request_log(self) -> None:
        if self.request_log is not None:
            try:
                self.request_log.open("a", encoding="utf-8").close()
            except OSError as error:
                raise SettingsError(f"CASEWORK_REQUEST_LOG: {error.strerror}") from None

    def address(self) -> str | None:
        """The base URL of links to this installation; None where none are sent."""
        if self.public_url is None:
            return None if self.is_production else DEMO_ADDRESS
        schemes = ("https://",) if self.is_production else ("https://", "http://")
        if not self.public_url.startswith(schemes):
            raise SettingsError("CASEWORK_PUBLIC_URL is https")
        return self.public_url.rstrip("/")

    @property
    def totp_is_required(self) -> bool:
        """Whether staff must enrol a second factor: in production always, else where configured."""
        return self.is_production or self.require_totp == "staff"

    @property
    def oidc_algorithm_names(self) -> tuple[str, ...]:
        """The algorithms that an issuer may sign with."""
        return tuple(one.strip() for one in self.oidc_algorithms.split(",") if one.strip())

    def _check_issuer(self) -> None:
        """Refuse an identity provider that is half configured, or whose key is symmetric."""
        if self.oidc_issuer is None:
            if self.local_sign_in == "off":
                raise SettingsError("CASEWORK_LOCAL_SIGN_IN=off needs CASEWORK_OIDC_ISSUER")
            return
        if not self.oidc_audience:
            raise SettingsError("CASEWORK_OIDC_ISSUER needs CASEWORK_OIDC_AUDIENCE")
        schemes = ("https://",) if self.is_production else ("https://", "http://")
        for address in (self.oidc_issuer, self.oidc_jwks_url):
            if address is not None and not address.startswith(schemes):
                raise SettingsError("CASEWORK_OIDC_ISSUER and CASEWORK_OIDC_JWKS_URL are https")
        names = self.oidc_algorithm_names
        if not names or not set(names) <= set(ASYMMETRIC):
            raise SettingsError(f"CASEWORK_OIDC_ALGORITHMS are of {', '.join(ASYMMETRIC)}")


def make_own_folder(path: Path) -> None:
    """Make a folder that is the owner's alone; one that is there stays as it is."""
    if not path.exists():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _variable(name: KeyName) -> str:
    return f"CASEWORK_{name.upper()}_KEY"


def _with_driver(url: str) -> str:
    """The PostgreSQL URL with the installed driver, whichever scheme was given."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _stored_key(path: Path) -> bytes:
    make_own_folder(path.parent)
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

"""Serving: the demo, the API, the scheduler, the relay."""

from __future__ import annotations

import json
import signal
import socket
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
import uvicorn
from apscheduler.schedulers.base import BaseScheduler

from casework import bootstrap, operations, tracing
from casework.adapters.scheduler import (
    make_scheduler,
)
from casework.background_jobs import RELAY, scheduled
from casework.cli.database import fill, print_accounts
from casework.cli.shared import (
    CommandError,
    Json,
    Port,
    Residents,
    Seed,
    notes,
    opened,
    opened_ready,
)
from casework.cli.workers import ENDS_WITHIN_S, serve_by_workers
from casework.settings import Settings

app = typer.Typer()


@app.command()
def demo(
    port: Port = 8000,
    data_dir: Annotated[Path | None, typer.Option(help="Where the data is kept.")] = None,
    residents: Residents = 2000,
    seed: Seed = 1,
) -> None:
    """Seed an invented city on SQLite, serve it, and tick the scheduler in the same process.

    A second start keeps the data. Ctrl-C ends it.
    """
    settings = Settings()
    if settings.is_production:
        raise CommandError("demo is not for production")
    with _bind("127.0.0.1", port) as listener:
        folder = data_dir or settings.data_dir / "demo"
        own = {
            "database_url": None,
            "data_dir": folder,
            "request_log": settings.request_log or folder / "requests.log",
            "public_url": settings.public_url or f"http://127.0.0.1:{listener.getsockname()[1]}",
        }
        _run_demo(settings.model_copy(update=own), listener, residents, seed)


def _run_demo(settings: Settings, listener: socket.socket, residents: int, seed: int) -> None:
    with opened(settings) as application:
        notes.print("migrating …")
        operations.migrate(application)
        if operations.is_empty(application):
            fill(application, residents, seed)
        print_accounts(application)
        application.is_demo = True
        typer.echo(f"data: {settings.data_dir}")
        typer.echo(f"requests: {settings.request_log}")
        typer.echo("letters: below, as they would be mailed")
        _serve(application, listener, tick=True)


def _tell_address(listener: Any) -> None:
    host, port = listener.getsockname()[:2]
    typer.echo(f"address: http://{host}:{port}/api/v1")
    typer.echo(f"ready http://{host}:{port}")
    sys.stdout.flush()


class _Server(uvicorn.Server):
    """A server that prints its address once it listens."""

    async def startup(self, sockets: Any = None) -> None:
        """Start to listen, then print the address."""
        await super().startup(sockets=sockets)
        if self.servers:
            _tell_address(self.servers[0].sockets[0])


def _bind(host: str, port: int) -> socket.socket:
    """Bind the socket before the slow start-up; it refuses connections until then."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(f"cannot listen on {host} port {port}: {error.strerror}") from None
    return listener


def _end(_signal: int, _frame: FrameType | None) -> None:
    """Exit on SIGTERM, once running work is done."""
    sys.exit(0)


def _serve(application: bootstrap.Application, listener: socket.socket, *, tick: bool) -> None:
    signal.signal(signal.SIGTERM, _end)
    scheduler = (
        make_scheduler(scheduled(application), background=True, now=application.now)
        if tick
        else None
    )
    tracing.begin(application)
    config = uvicorn.Config(
        tracing.around(application.app(), application.settings),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=ENDS_WITHIN_S,
        server_header=False,
    )
    server = _Server(config)
    if scheduler is not None:
        scheduler.start()
    try:
        server.run(sockets=[listener])
    finally:
        if scheduler is not None:
            scheduler.shutdown()


@app.command()
def serve(
    port: Port = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that answer; SIGHUP renews them.")
    ] = 1,
) -> None:
    """Serve the API on the configured database; the scheduler is a process of its own."""
    with opened_ready() as application, _bind(host, port) as listener:
        if workers == 1:
            _serve(application, listener, tick=False)
            return
        application.engine.dispose()  # each process has its own
        serve_by_workers(listener, workers, partial(_tell_address, listener))


@app.command()
def scheduler() -> None:
    """Tick: wake the overdue sweep every few minutes, until stopped."""
    with opened_ready() as application:
        tracing.begin(application)
        ticker = make_scheduler(scheduled(application), background=False, now=application.now)
        _run_until_stopped(ticker, "ticking")


def _run_until_stopped(ticker: BaseScheduler, doing: str) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        ticker.shutdown(wait=False)

    signal.signal(signal.SIGTERM, stop)
    notes.print(doing)
    try:
        ticker.start()
    except KeyboardInterrupt:
        notes.print("stopped")


@app.command()
def relay(
    once: Annotated[bool, typer.Option("--once", help="One round, then end.")] = False,
    as_json: Json = False,
) -> None:
    """Tell people: gather digests, send mails and webhooks, try again what failed."""
    with opened_ready() as application:
        tracing.begin(application)
        if not once:
            ticker = make_scheduler(
                scheduled(application, (RELAY,)), background=False, now=application.now
            )
            _run_until_stopped(ticker, "relaying")
            return
        done = asdict(application.relay(application.context()))
    if as_json:
        typer.echo(json.dumps(done))
    else:
        typer.echo(", ".join(f"{name} {count}" for name, count in done.items() if name != "errors"))

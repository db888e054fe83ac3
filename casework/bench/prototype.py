"""The same endpoints without the product: what FastAPI and the driver themselves cost.

`python -m casework.bench.prototype PLAN`, where PLAN is a JSON file with the address of the
database, the key of the tokens and the statements of each request. It checks a token and whether
its account is active, sends the statements that are needed, and writes what the product writes; no
policies, no masks, no rules.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
import uvicorn
from anyio import to_thread
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import BaseModel
from sqlalchemy import Connection, create_engine

from casework.bench.written import parameters

THREADS: Final = 8
ALGORITHM: Final = "HS256"
ACTIVE: Final = "EXISTS (SELECT 1 FROM account WHERE id = %(who)s AND is_active) AS is_active"
READ: Final = f"SELECT {ACTIVE}, r.* FROM referral r WHERE r.id = %(id)s"
CLOCKS: Final = "SELECT * FROM deadline WHERE subject_id = %(id)s ORDER BY due_at"
HISTORY: Final = "SELECT * FROM event WHERE subject_id = %(id)s ORDER BY at, id"
WORKLIST: Final = (
    f"SELECT {ACTIVE}, d.*, p.name FROM deadline d JOIN resident p ON p.id = d.resident_id "
    "WHERE d.worker_id = %(who)s AND d.can_wait AND d.met_at IS NULL AND d.cancelled_at IS NULL "
    "ORDER BY d.due_at, d.id LIMIT %(limit)s"
)
ASKED: Final = (
    f"SELECT {ACTIVE}, c.status, c.version, s.status AS service, o.is_open, o.provider_id "
    "FROM planned_service s JOIN care_case c ON c.id = s.case_id "
    "JOIN resident p ON p.id = s.resident_id JOIN offering o ON o.id = %(offering)s "
    "WHERE s.id = %(service)s FOR UPDATE OF c"
)


class Basis(BaseModel):
    """On which basis data are given."""

    kind: str


class Asked(BaseModel):
    """A service that an agency is asked for."""

    planned_service_id: UUID
    offering_id: UUID
    priority: str
    basis: Basis


def token_of(account: UUID, key: str, lasts_s: int = 600) -> str:
    """A token that the prototype accepts."""
    now = int(time.time())
    claims = {"sub": str(account), "iat": now, "exp": now + lasts_s}
    return jwt.encode({"alg": ALGORITHM}, claims, OctKey.import_key(key))


async def caller(request: Request, authorization: Annotated[str, Header()]) -> str:
    """The account of a token that is valid."""
    given, key = authorization.removeprefix("Bearer "), request.app.state.key
    try:
        claims = jwt.decode(given, key, algorithms=[ALGORITHM]).claims
    except JoseError:
        raise HTTPException(401) from None
    if claims["exp"] < time.time():
        raise HTTPException(401)
    return str(claims["sub"])


Who = Annotated[str, Depends(caller)]


def make_app(plan: dict[str, Any]) -> FastAPI:
    """The prototype over a database."""
    engine = create_engine(plan["url"], pool_size=THREADS, max_overflow=0)
    writes = plan["writes"]

    def write(connection: Connection, request: str, number: int) -> None:
        params = parameters(writes[request], number)
        for statement in writes[request]["statements"]:
            connection.exec_driver_sql(statement, params)

    @asynccontextmanager
    async def few_threads(_app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        yield

    app = FastAPI(lifespan=few_threads)
    app.state.key = OctKey.import_key(plan["key"])

    @app.post("/api/v1/referrals")
    def create(body: Asked, who: Who) -> Response:
        of = {"who": who, "service": body.planned_service_id, "offering": body.offering_id}
        with engine.begin() as connection:
            found = connection.exec_driver_sql(ASKED, of).one_or_none()
            _check(found)
            write(connection, "create", int(body.planned_service_id.hex[4:12], 16))
        return _respond({**plan["shown"], **body.model_dump()}, 201)

    @app.get("/api/v1/referrals/{id}")
    def read(id: UUID, who: Who) -> Response:
        of = {"who": who, "id": id}
        with engine.begin() as connection:
            found = connection.exec_driver_sql(READ, of).mappings().one_or_none()
            _check(found)
            parts = [connection.exec_driver_sql(one, of).mappings() for one in (CLOCKS, HISTORY)]
            clocks, history = ([dict(row) for row in part] for part in parts)
            write(connection, "read", int(id.hex[4:12], 16))
        return _respond({**(found or {}), "clocks": clocks, "history": history})

    @app.get("/api/v1/worklist")
    def worklist(who: Who, limit: int = 50) -> Response:
        with engine.begin() as connection:
            of = {"who": who, "limit": limit + 1}
            rows = connection.exec_driver_sql(WORKLIST, of).mappings().all()
            for row in rows[:1]:
                _check(row)
            write(connection, "worklist", 1)
        return _respond({"items": [dict(row) for row in rows[:limit]], "next_cursor": None})

    return app


def _check(found: Any) -> None:
    if found is None:
        raise HTTPException(404)
    if not (found["is_active"] if hasattr(found, "keys") else found.is_active):
        raise HTTPException(401)


def _respond(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value, default=str), status, media_type="application/json")


def main(path: str) -> None:
    """Serve the prototype on a port that is free, until SIGTERM."""
    app = make_app(json.loads(Path(path).read_text("utf-8")))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        sys.stdout.write(f"ready http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(app, loop="uvloop", http="httptools", log_config=None,
                                access_log=False, server_header=False)  # fmt: skip
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])

"""What a person finds who opens this host in a browser: what this is, and the API's document."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import Request, Response

from casework.adapters.http.services import Services
from casework.adapters.web.pages import PUBLIC, router
from casework.adapters.web.route import page
from casework.domain.errors import NotFound

# The viewer is a script and a style sheet of this host, which draws its icons from its style sheet.
DOCS_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
ASSETS: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "docs.js": "text/javascript",
}
# One account of each role of the demo, with the text that names the role.
ACCOUNTS: Final = (
    ("page.front.role.worker", "worker.2635051000"),
    ("page.front.role.supervisor", "supervisor.26350"),
    ("page.front.role.assessor", "assessor.26350"),
    ("page.front.role.city", "city"),
    ("page.front.role.auditor", "auditor"),
    ("page.front.role.admin", "admin"),
)


@router.get("/", **PUBLIC)
def front(request: Request) -> Response:
    """What this is, and where the document is; in the demo, who may sign in."""
    services: Services = request.app.state.services
    return page(
        request, "front.html", url=request.app.openapi_url, password=services.demo_password,
        accounts=ACCOUNTS,
    )  # fmt: skip


@router.get("/docs", **PUBLIC)
def docs(request: Request) -> Response:
    """The document of the API, to be read and tried by a person."""
    response = page(request, "docs.html", url=request.app.openapi_url)
    response.headers["Content-Security-Policy"] = DOCS_CSP
    return response


@router.get("/docs/{name}", **PUBLIC)
def docs_asset(name: str, request: Request) -> Response:
    """A part of the viewer, packed where the reader can unpack it."""
    if name not in ASSETS:
        raise NotFound("no such page")
    headers = {"Cache-Control": "max-age=3600", "Vary": "Accept-Encoding"}
    packed = _packed(name)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        packed = gzip.decompress(packed)
    return Response(packed, headers=headers, media_type=ASSETS[name])


@cache
def _packed(name: str) -> bytes:
    """A file of the viewer, as it is stored; our own is small and stored as it is written."""
    package = files("casework.adapters.web")
    if name == "docs.js":
        return gzip.compress(package.joinpath("static", name).read_bytes(), mtime=0)
    return package.joinpath("viewer", f"{name}.gz").read_bytes()

"""The application behind the warehouse page. All of it is for people who are logged in to Airflow."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.api_fastapi.core_api.security import requires_authenticated
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.staticfiles import StaticFiles

from sparkify.web import loads, panels
from sparkify.web.cache import Cache
from sparkify.web.panels import Panel, PanelError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = Path(__file__).parent / "static"
# The page runs its own files only, and shows itself in Airflow's frame only.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"
# Seconds that an answer of Airflow's metadata database is kept, however many pages poll.
KEEP_LOADS = 15.0
# Seconds that have to pass before the button asks the warehouse again, though no run has ended since.
RELOAD = 45.0


@cache
def application() -> ASGIApp:
    """Return the application of this process."""
    return create(Cache(panels.read), Cache(loads.read, keep=KEEP_LOADS))


def create(answers: Cache, news: Cache) -> ASGIApp:
    """Return an application.

    :param answers: those of the panels. They stay until a run that writes to the warehouse has ended.
    :param news: whether one has: what :func:`sparkify.web.loads.read` returns.
    """
    app = FastAPI(
        title="Sparkify warehouse page",
        dependencies=[Depends(requires_authenticated())],
        openapi_url=None,  # its pages of documentation would not ask who is there
    )
    static = StaticFiles(directory=STATIC)

    @app.get("/")
    async def page(request: Request) -> Response:
        response = await static.get_response("index.html", request.scope)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-cache"
        return response

    @app.get("/static/{path:path}")
    async def file(path: str, request: Request) -> Response:
        response = await static.get_response(path, request.scope)
        # A name with a version never gets another content.
        kept = "private, max-age=31536000, immutable" if path.startswith("echarts-") else "no-cache"
        response.headers["Cache-Control"] = kept
        return response

    @app.get("/api/loads")
    async def state() -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"now": now, **await news.get("loads")}

    @app.get("/api/panels")
    def declared() -> list[Panel]:
        return list(panels.declared().values())

    @app.get("/api/panels/{name}")
    async def panel(name: str, *, reload: bool = False) -> dict[str, Any]:
        if name not in (known := panels.declared()):
            raise HTTPException(404, f"There is no panel {name!r}. There are: {', '.join(known)}.")
        version = (await news.get("loads"))["version"]
        answer = await answers.get(name, version, RELOAD if reload else math.inf)
        return {"name": name, "version": version, **answer}

    @app.exception_handler(PanelError)
    async def unavailable(request: Request, error: PanelError) -> JSONResponse:
        return JSONResponse({"kind": error.kind, "detail": str(error)}, 503)

    return with_headers(app)


def with_headers(app: ASGIApp) -> ASGIApp:
    """Return the application with headers on every answer, errors included.

    A browser keeps nothing that says nothing else, and takes no content for what its type does not say.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def start(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", "no-store")
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        await app(scope, receive, start)

    return answer
